using System.Text;
using Bench.SegmentLog.Format;
using Xunit;

namespace Bench.Harness.Tests.SegmentLog;

public class Crc32CTests
{
    /// <summary>The polynomial without its x³², reflected (RFC 3720 gives it as 1EDC6F41).</summary>
    private const uint Polynomial = 0x82F63B78;

    /// <summary>The tiers that this processor has; the portable one is always there.</summary>
    public static TheoryData<string> Tiers
    {
        get
        {
            var tiers = new TheoryData<string> { nameof(Crc32C.ByWords) };
            if (Crc32C.InterleavedIsSupported)
                tiers.Add(nameof(Crc32C.Interleaved));
            if (Crc32C.FoldedIsSupported)
                tiers.Add(nameof(Crc32C.Folded));
            return tiers;
        }
    }

    [Theory]
    [MemberData(nameof(Tiers))]
    public void Published_checksums_come_out(string tier)
    {
        byte[] rising = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
        Assert.Equal(0u, ~Update(tier, ~0u, []));
        Assert.Equal(0xE3069283, ~Update(tier, ~0u, Encoding.ASCII.GetBytes("123456789")));
        // RFC 3720, B.4.
        Assert.Equal(0x8A9136AA, ~Update(tier, ~0u, new byte[32]));
        Assert.Equal(0x62A8AB43u, ~Update(tier, ~0u, [.. Enumerable.Repeat((byte)0xFF, 32)]));
        Assert.Equal(0x46DD794Eu, ~Update(tier, ~0u, rising));
    }

    [Theory]
    [MemberData(nameof(Tiers))]
    public void Every_length_at_every_kind_of_alignment_is_as_bit_by_bit(string tier)
    {
        const int Lengths = 4200;
        var bytes = RandomBytes(Lengths + 64);
        foreach (var start in (int[])[0, 1, 3, 8, 31, 63])
        {
            var begin = start == 0 ? 0 : ~(uint)start;
            var expected = begin;
            for (var length = 0; length <= Lengths; length++)
            {
                var state = Update(tier, begin, bytes.AsSpan(start, length));
                if (state != expected)
                    Assert.Fail($"{tier}: {length} bytes from {start}: {state:X8}, not {expected:X8}");
                expected = Step(expected, bytes[start + length]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Tiers))]
    public void Lengths_around_whole_rounds_are_as_bit_by_bit(string tier)
    {
        // 12 KiB is the longest round of the three streams.
        int[] lengths = [12_287, 12_288, 12_289, 12_311, 12_312, 24_576, 24_600, 65_447, 65_536, 65_536 + 255, 1_047_905, (1 << 20) + 1];
        var bytes = RandomBytes(lengths.Max());
        var expected = ~0u;
        for (var length = 1; length <= bytes.Length; length++)
        {
            expected = Step(expected, bytes[length - 1]);
            if (lengths.Contains(length))
                Assert.Equal(expected, Update(tier, ~0u, bytes.AsSpan(0, length)));
        }
    }

    [Fact]
    public void Parts_appended_at_any_places_are_as_the_whole()
    {
        var bytes = RandomBytes(20_000);
        var whole = Crc32C.Compute(bytes);
        Assert.Equal(~bytes.Aggregate(~0u, Step), whole);
        var random = new Random(4711);
        for (var round = 0; round < 2000; round++)
        {
            uint crc = 0;
            for (var at = 0; at < bytes.Length;)
            {
                var count = Math.Min(random.Next(random.Next(2) == 0 ? 300 : 9000), bytes.Length - at);
                crc = Crc32C.Append(crc, bytes.AsSpan(at, count));
                at += count;
            }
            Assert.Equal(whole, crc);
        }
    }

    [Fact]
    public void The_constants_are_powers_of_x_modulo_the_polynomial()
    {
        // x^(64n−33): x³¹ first, then 64 more each time.
        var power = 1u;
        for (var words = 1; words < Crc32C.Shifts.Length; words++)
        {
            Assert.Equal(power, Crc32C.Shifts[words]);
            for (var i = 0; i < 64; i++)
                power = TimesX(power);
        }
        Assert.Equal(0x493C7D27u, Crc32C.Shifts[2]);
    }

    private static uint Update(string tier, uint state, ReadOnlySpan<byte> data) => tier switch
    {
        nameof(Crc32C.ByWords) => Crc32C.ByWords(state, data),
        nameof(Crc32C.Interleaved) => Crc32C.Interleaved(state, data),
        nameof(Crc32C.Folded) => Crc32C.Folded(state, data),
        _ => throw new ArgumentOutOfRangeException(nameof(tier), tier, null),
    };

    /// <summary>Bit by bit, as the polynomial division is written down.</summary>
    private static uint Step(uint state, byte one)
    {
        state ^= one;
        for (var bit = 0; bit < 8; bit++)
            state = TimesX(state);
        return state;
    }

    private static uint TimesX(uint value) => value >> 1 ^ ((value & 1) == 0 ? 0 : Polynomial);

    private static byte[] RandomBytes(int lengthBytes)
    {
        var bytes = new byte[lengthBytes];
        new Random(17).NextBytes(bytes);
        return bytes;
    }
}
