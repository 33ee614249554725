using System.Security.Cryptography;
using System.Text;
using Bench.Disk;
using Xunit;

namespace Bench.Harness.Tests.Disk;

public class Sha256Tests
{
    [Theory]
    // FIPS 180-4's examples: one block, two, and a million letters.
    [InlineData("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")]
    [InlineData("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")]
    public void The_standards_examples_come_out(string text, int times, string expected)
    {
        using var hash = new Sha256(byOpenSsl: false);
        for (var i = 0; i < times; i++)
            hash.Append(Encoding.ASCII.GetBytes(text));
        Assert.Equal(expected, Convert.ToHexStringLower(hash.Finish()));
    }

    [Fact]
    public void With_and_without_OpenSSL_it_is_the_same_hash_of_any_length_in_any_pieces()
    {
        Assert.True(Sha256.HasOpenSsl);
        var random = new Random(5);
        using var own = new Sha256(byOpenSsl: false);
        using var theirs = new Sha256();
        for (var length = 0; length < 260; length++)
        {
            var bytes = new byte[length];
            random.NextBytes(bytes);
            foreach (var hash in new[] { own, theirs })
            {
                for (var at = 0; at < length;)
                {
                    var piece = Math.Min(random.Next(0, 80), length - at);
                    hash.Append(bytes.AsSpan(at, piece));
                    at += piece;
                }
            }
            var expected = SHA256.HashData(bytes);
            Assert.Equal(expected, own.Finish());
            Assert.Equal(expected, theirs.Finish());
            Assert.Equal(expected, Sha256.Of(bytes));
        }
    }
}
