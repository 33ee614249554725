using Bench.Measure;
using Xunit;

namespace Bench.Harness.Tests.Measure;

public sealed class ByteSizeTests
{
    [Theory]
    [InlineData("4B", 4)]
    [InlineData("512", 512)]
    [InlineData("4KiB", 4096)]
    [InlineData("64KiB", 65536)]
    [InlineData("1MiB", 1L << 20)]
    [InlineData("1GiB", 1L << 30)]
    [InlineData("8TiB", 8L << 40)]
    [InlineData(" 16 kib ", 16384)]
    [InlineData("4k", 4096)]
    [InlineData("4K", 4096)]
    [InlineData("1m", 1L << 20)]
    [InlineData("1G", 1L << 30)]
    [InlineData("1t", 1L << 40)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("8388607TiB", 8388607L << 40)]
    public void SizesAreReadAsTheyAreSpelledHereAndInFio(string text, long bytes)
    {
        Assert.True(ByteSize.TryParse(text, out var size));
        Assert.Equal(bytes, size.Bytes);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("0")]
    [InlineData("0KiB")]
    [InlineData("-4KiB")]
    [InlineData("+4KiB")]
    [InlineData("KiB")]
    [InlineData("4.5KiB")]
    [InlineData("4,5KiB")]
    [InlineData("4,096")]
    [InlineData("4KB")]
    [InlineData("4KiBs")]
    [InlineData("4 Ki B")]
    [InlineData("0x10")]
    [InlineData("1e3")]
    [InlineData("٤KiB")]
    [InlineData("9223372036854775808")]
    [InlineData("8388608TiB")]
    [InlineData("9007199254740992KiB")]
    public void WhatIsNoPositiveSizeOrTooLargeIsRefused(string? text)
    {
        Assert.False(ByteSize.TryParse(text, out var size));
        Assert.Equal(default, size);
    }

    [Theory]
    [InlineData(1, "1B")]
    [InlineData(1023, "1023B")]
    [InlineData(1024, "1KiB")]
    [InlineData(1536, "1536B")]
    [InlineData(1L << 20, "1MiB")]
    [InlineData(1536L << 20, "1536MiB")]
    [InlineData(1L << 30, "1GiB")]
    [InlineData(5L << 40, "5TiB")]
    [InlineData(long.MaxValue, "9223372036854775807B")]
    [InlineData(0, "0B")]
    public void ASizeIsSpelledShortAndExact(long bytes, string text) => Assert.Equal(text, new ByteSize(bytes).ToString());

    [Theory]
    [InlineData("de-DE")]
    [InlineData("ko-KR")]
    [InlineData("tr-TR")]
    [InlineData("ar-SA")]
    public void SpellingAndReadingAreInverseUnderEveryCulture(string culture)
    {
        using var set = new CultureScope(culture);
        var random = new Random(3);
        for (var i = 0; i < 1000; i++)
        {
            var size = new ByteSize(1 + random.NextInt64(1L << random.Next(1, 62)) << random.Next(0, 2));
            Assert.True(ByteSize.TryParse(size.ToString(), out var read));
            Assert.Equal(size, read);
        }
        Assert.Equal("1048575KiB", new ByteSize(1048575L << 10).ToString());
        // A Turkish upper-case i is another letter.
        Assert.True(ByteSize.TryParse("1mib", out _));
    }

    [Fact]
    public void SizesAreOrdered()
    {
        Assert.True(ByteSize.KiB(4) < ByteSize.MiB(1) && ByteSize.GiB(1) > ByteSize.MiB(1023));
        Assert.True(ByteSize.KiB(1024) <= ByteSize.MiB(1) && ByteSize.KiB(1024) >= ByteSize.MiB(1));
        Assert.Equal([ByteSize.KiB(4), ByteSize.MiB(1)], new[] { ByteSize.MiB(1), ByteSize.KiB(4) }.Order());
    }
}
