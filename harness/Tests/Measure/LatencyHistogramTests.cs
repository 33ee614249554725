using System.Globalization;
using Bench.Measure;
using Bench.Measure.Records;
using Xunit;

namespace Bench.Harness.Tests.Measure;

public sealed class LatencyHistogramTests
{
    private const long BeyondRange = 1L << 45;

    private static readonly double[] Percentiles = [0, 1, 10, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 99.999, 100];

    /// <summary>Values spread evenly over the powers of two up to one, so that every octave is hit.</summary>
    private static long[] Spread(int count, int seed, int maxBits = 45)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextInt64(1L << random.Next(1, maxBits + 1)))];
    }

    private static LatencyHistogram Of(params IEnumerable<long> values)
    {
        var histogram = new LatencyHistogram();
        foreach (var value in values)
            histogram.Record(value);
        return histogram;
    }

    private static long Truth(long[] sorted, double percentile) =>
        sorted[Math.Max(0, (int)Math.Ceiling((decimal)percentile * sorted.Length / 100) - 1)];

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 10)]
    [InlineData(3, 999)]
    [InlineData(4, 1000)]
    [InlineData(5, 100_000)]
    public void PercentilesAreAtMostOnePercentAboveTheSortedTruthAndNeverBelow(int seed, int count)
    {
        foreach (var maxBits in new[] { 4, 8, 20, 45 })
        {
            var values = Spread(count, seed, maxBits);
            var histogram = Of(values);
            Array.Sort(values);
            foreach (var percentile in Percentiles)
            {
                var truth = Truth(values, percentile);
                var found = histogram.ValueAtPercentile(percentile);
                Assert.True(found >= truth && found <= truth * 1.01, $"p{percentile} of {count} values to 2^{maxBits}: {found}, truth {truth}");
            }
            Assert.Equal(values[0], histogram.Min);
            Assert.Equal(values[^1], histogram.Max);
            Assert.Equal(values.Average(), histogram.Mean, 1e-9 * Math.Max(1, values.Average()));
            Assert.Equal(count, histogram.Count);
        }
    }

    [Fact]
    public void EveryEdgeOfEveryOctaveKeepsTheRelativeError()
    {
        for (var bit = 0; bit < 45; bit++)
        {
            foreach (var value in new[] { (1L << bit) - 1, 1L << bit, (1L << bit) + 1 })
            {
                // The greater value keeps the percentile from being held down to the maximum.
                var found = Of(value, BeyondRange).ValueAtPercentile(50);
                Assert.True(found >= value && found <= value * 1.01, $"{value}: {found}");
            }
        }
    }

    [Fact]
    public void APercentileThatIsNoBinaryFractionCountsNoValueTooMany()
    {
        // 99.9 / 100 * 1000 is 999.0000000000001 in binary.
        Assert.Equal(1, Of([.. Enumerable.Repeat(1L, 999), 100]).ValueAtPercentile(99.9));
        Assert.Equal(1, Of([.. Enumerable.Repeat(1L, 9999), 100]).ValueAtPercentile(99.99));
        Assert.Equal(100, Of([.. Enumerable.Repeat(1L, 998), 100, 100]).ValueAtPercentile(99.9));
    }

    [Fact]
    public void TheMeanOfTheSlowestSeesWhatLiesBeyondAPercentile()
    {
        var histogram = new LatencyHistogram();
        for (var number = 0; number < 999; number++)
            histogram.Record(50_000);
        histogram.Record(160_000_000);
        Assert.Equal(50_000, histogram.ValueAtPercentile(99), 500.0);
        // Ten of a thousand: nine fast ones and the stall.
        Assert.Equal((9 * 50_000 + 160_000_000) / 10.0, histogram.MeanOfSlowest(0.01), 0.005 * 16_045_000);
        Assert.Equal(histogram.Mean, histogram.MeanOfSlowest(1), 0.005 * histogram.Mean);
        Assert.Equal(160_000_000, histogram.MeanOfSlowest(1e-9), 800_000.0);
        Assert.Equal(0, new LatencyHistogram().MeanOfSlowest(0.01));
    }

    [Fact]
    public void ANegativeValueCountsAsZero()
    {
        var histogram = Of(-1, long.MinValue, 5);
        Assert.Equal((3, 0, 5), (histogram.Count, histogram.Min, histogram.Max));
        Assert.Equal(0, histogram.ValueAtPercentile(50));
        Assert.Equal(5 / 3.0, histogram.Mean);
    }

    [Fact]
    public void AValueBeyondTheRangeIsCountedAndTheMaximumStaysExact()
    {
        var histogram = Of(7, BeyondRange, BeyondRange + 12345);
        Assert.Equal((3, 7, BeyondRange + 12345), (histogram.Count, histogram.Min, histogram.Max));
        Assert.Equal(BeyondRange + 12345, histogram.ValueAtPercentile(100));
        Assert.Equal(7, histogram.ValueAtPercentile(33));
    }

    [Fact]
    public void TheSumDoesNotOverflow()
    {
        var histogram = Of(Enumerable.Repeat(long.MaxValue, 100).Append(5));
        var twice = Of(long.MaxValue);
        twice.Add(histogram);
        Assert.True(twice.Mean > 0);
        Assert.Equal(twice.ToString(), LatencyHistogram.Parse(twice.ToString()).ToString());
    }

    [Fact]
    public void MergedIsTheSameAsRecordedIntoOne()
    {
        var values = Spread(10_000, seed: 11);
        var merged = new LatencyHistogram();
        foreach (var part in values.Chunk(1234))
            merged.Add(Of(part));
        merged.Add(new LatencyHistogram());
        Assert.Equal(Of(values).ToString(), merged.ToString());
        Assert.Equal(Of(values).ToRecord(), merged.ToRecord());
    }

    [Fact]
    public void AnEmptyOneIsZeroEverywhere()
    {
        var empty = new LatencyHistogram();
        Assert.Equal((0, 0, 0, 0.0, 0), (empty.Count, empty.Min, empty.Max, empty.Mean, empty.ValueAtPercentile(99)));
        Assert.Equal("loglinear7 0 0 0", empty.ToString());
        Assert.Equal("loglinear7 0 0 0", LatencyHistogram.Parse(empty.ToString()).ToString());
        // A later, smaller value than the 0 of an empty one must be the minimum.
        var filled = LatencyHistogram.Parse(empty.ToString());
        filled.Record(9);
        Assert.Equal(9, filled.Min);
    }

    [Fact]
    public void ClearedIsEmpty()
    {
        var histogram = Of(Spread(100, seed: 3));
        histogram.Clear();
        Assert.Equal(new LatencyHistogram().ToString(), histogram.ToString());
        histogram.Record(8);
        Assert.Equal((1, 8, 8), (histogram.Count, histogram.Min, histogram.Max));
    }

    [Theory]
    [InlineData("")]
    [InlineData("de-DE")]
    [InlineData("ko-KR")]
    [InlineData("ar-SA")]
    public void TextRoundTripsUnderEveryCulture(string culture)
    {
        using var set = new CultureScope(culture);
        foreach (var seed in Enumerable.Range(1, 20))
        {
            var histogram = Of(Spread(seed * 37, seed, maxBits: 46));
            var text = histogram.ToString();
            var read = LatencyHistogram.Parse(text);
            Assert.Equal(text, read.ToString());
            Assert.Equal(histogram.ToRecord(), read.ToRecord());
            Assert.DoesNotContain('\n', text);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("loglinear7")]
    [InlineData("loglinear7 1 2")]
    [InlineData("loglinear8 0 0 0")]
    [InlineData("loglinear7 a 0 0")]
    [InlineData("loglinear7 0 -1 0")]
    [InlineData("loglinear7 1 1 1 1")]
    [InlineData("loglinear7 1 1 1 :1")]
    [InlineData("loglinear7 1 1 1 1:")]
    [InlineData("loglinear7 1 1 1 1:-1")]
    [InlineData("loglinear7 1 1 1 1:0")]
    [InlineData("loglinear7 1 1 1 1:1 0:1")]
    [InlineData("loglinear7 1 1 1 4992:1")]
    [InlineData("loglinear7 1 1 1 1:1 9223372036854775807:1")]
    [InlineData("loglinear7 1 1 1 99999999999999999999:1")]
    [InlineData("loglinear7 1 2 3 1:9223372036854775807 1:9223372036854775807")]
    [InlineData("loglinear7 1 0 1 1:1")]
    [InlineData("loglinear7 5 1 6 1:1 4:1")]
    [InlineData("loglinear7 0 5 6 1:1 4:1")]
    [InlineData("loglinear7 1 6 6 1:1 4:1")]
    [InlineData("loglinear7 1 1 0")]
    [InlineData("loglinear7 1.5 2 3 1:1")]
    [InlineData("loglinear7 1 1 1 1:1,5")]
    public void TextThatIsNoHistogramIsRefused(string text) =>
        Assert.Throws<RecordException>(() => LatencyHistogram.Parse(text));

    [Fact]
    public void MutatedTextIsRefusedOrReadAndNeverAnythingElse()
    {
        var random = new Random(5);
        var text = Of(Spread(50, seed: 8)).ToString();
        for (var round = 0; round < 5000; round++)
        {
            var letters = text.ToCharArray();
            for (var i = random.Next(1, 4); i > 0; i--)
                letters[random.Next(letters.Length)] = "0123456789:- a"[random.Next(14)];
            try
            {
                var read = LatencyHistogram.Parse(new string(letters));
                _ = read.ToRecord();
                _ = read.ToPercentileText();
            }
            catch (RecordException)
            {
            }
        }
    }

    [Fact]
    public void RecordingAllocatesNothing()
    {
        var values = Spread(100_000, seed: 6, maxBits: 50);
        var histogram = new LatencyHistogram();
        histogram.Record(-1);
        // The least of several rounds: a collection on another thread is counted here when it retires this thread's
        // allocation buffer; what allocates per value does so in every round.
        const int rounds = 5;
        var least = long.MaxValue;
        for (var round = 0; round < rounds; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            foreach (var value in values)
                histogram.Record(value);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(0, least);
        Assert.Equal(rounds * values.Length + 1, histogram.Count);
    }

    [Fact]
    public void ItsSizeIsFortyKibibytesWhateverIsRecorded()
    {
        _ = new LatencyHistogram();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var histogram = new LatencyHistogram();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 39 << 10, 41 << 10);
        GC.KeepAlive(histogram);
    }

    /// <summary>What HdrHistogram's plotter reads: a head line, rows of four columns, the row of 1.0 with three, a foot.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(1000)]
    [InlineData(200_000)]
    public void PercentileTextHasTheColumnsOfHdrHistogram(int count)
    {
        using var set = new CultureScope("de-DE");
        var values = Spread(count, seed: count, maxBits: 30);
        var histogram = Of(values);
        var lines = histogram.ToPercentileText(1000).Split('\n');
        Assert.Equal("Value Percentile TotalCount 1/(1-Percentile)", string.Join(' ', lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Equal("", lines[1]);
        var foot = Array.FindIndex(lines, line => line.StartsWith("#[", StringComparison.Ordinal));
        var rows = lines[2..foot].Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(cell => double.Parse(cell, NumberStyles.Float, CultureInfo.InvariantCulture)).ToArray()).ToArray();

        Array.Sort(values);
        Assert.Equal([values[^1] / 1000.0, 1.0, count], rows[^1], Near);
        for (var i = 0; i < rows.Length - 1; i++)
        {
            var row = rows[i];
            Assert.Equal(4, row.Length);
            Assert.True(row[0] < rows[i + 1][0] || Near(row[0], rows[i + 1][0]), "values rise");
            Assert.True(row[1] < rows[i + 1][1] && row[2] < rows[i + 1][2], "percentiles and counts rise");
            Assert.Equal(row[2] / count, row[1], 1e-9);
            Assert.Equal(1 / (1 - row[1]), row[3], 1e-3 * row[3] + 0.01);
            Assert.Equal(values.Count(value => value <= row[0] * 1000 + 0.5), row[2]);
        }
        Assert.StartsWith("#[Mean    = ", lines[foot], StringComparison.Ordinal);
        Assert.Contains("StdDeviation   = ", lines[foot], StringComparison.Ordinal);
        Assert.StartsWith("#[Max     = ", lines[foot + 1], StringComparison.Ordinal);
        Assert.EndsWith($"Total count    = {count.ToString(CultureInfo.InvariantCulture),12}]", lines[foot + 1], StringComparison.Ordinal);
        Assert.StartsWith("#[Buckets = ", lines[foot + 2], StringComparison.Ordinal);
        Assert.Equal([""], lines[(foot + 3)..]);
    }

    [Fact]
    public void PercentileTextOfAnEmptyOneHasItsLastRowAndFoot()
    {
        var lines = new LatencyHistogram().ToPercentileText().Split('\n');
        Assert.Equal("0.000 1.000000000000 0", string.Join(' ', lines[2].Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.DoesNotContain("NaN", string.Join('\n', lines), StringComparison.Ordinal);
    }

    private static bool Near(double a, double b) => Math.Abs(a - b) <= 0.001;
}
