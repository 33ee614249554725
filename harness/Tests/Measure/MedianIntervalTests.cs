using Bench.Measure;
using Xunit;

namespace Bench.Harness.Tests.Measure;

public sealed class MedianIntervalTests
{
    [Fact]
    public void WithoutAValueThereIsNoEstimate() => Assert.Null(MedianInterval.Of([]));

    [Theory]
    [InlineData(new double[] { 7 }, 7, 7, 7)]
    [InlineData(new double[] { 9, 5 }, 7, 5, 9)]
    [InlineData(new double[] { 5, 1, 4, 2, 3 }, 3, 1, 5)]
    [InlineData(new double[] { 6, 5, 1, 4, 2, 3 }, 3.5, 1, 6)]
    [InlineData(new double[] { 9, 8, 7, 6, 5, 1, 4, 2, 3 }, 5, 2, 8)]
    [InlineData(new double[] { 10, 9, 8, 7, 6, 5, 1, 4, 2, 3 }, 5.5, 2, 9)]
    public void TheIntervalLiesBetweenObservedValues(double[] values, double median, double low, double high)
    {
        var estimate = MedianInterval.Of(values)!;
        Assert.Equal((median, low, high), (estimate.Median, estimate.Low, estimate.High));
    }

    /// <summary>The published ranks for 95 % (order statistics of the binomial with p = ½), counted from 0.</summary>
    [Theory]
    [InlineData(6, 0)]
    [InlineData(8, 0)]
    [InlineData(9, 1)]
    [InlineData(11, 1)]
    [InlineData(12, 2)]
    [InlineData(15, 3)]
    [InlineData(20, 5)]
    [InlineData(30, 9)]
    [InlineData(100, 39)]
    public void TheRanksAreThoseOfTheBinomial(int count, int rank) => Assert.Equal(rank, MedianInterval.RankFor95(count));

    /// <summary>
    /// A lognormal, of known median 1: skewed as latencies are. 20 000 samples: the standard error of a share of 95 %
    /// is 0.15 %, so four of them below the promise is a failure that chance does not make.
    /// </summary>
    [Theory]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(10)]
    [InlineData(15)]
    [InlineData(40)]
    public void TheIntervalCoversTheMedianOfASkewedDistributionInAtLeast95PercentOfSamples(int count)
    {
        const int samples = 20_000;
        var random = new Random(4711 + count);
        var covered = 0;
        for (var sample = 0; sample < samples; sample++)
        {
            var values = Enumerable.Range(0, count).Select(_ => Math.Exp(Normal(random)));
            var estimate = MedianInterval.Of(values)!;
            covered += estimate.Low <= 1 && 1 <= estimate.High ? 1 : 0;
        }
        Assert.True((double)covered / samples >= 0.95 - 0.006, $"{(double)covered / samples:P2} of samples of {count}");
    }

    [Fact]
    public void WithFiveValuesTheWholeRangeCovers94PercentAndNotMore()
    {
        var random = new Random(1);
        var covered = Enumerable.Range(0, 20_000).Count(_ =>
            MedianInterval.Of(Enumerable.Range(0, 5).Select(_ => Math.Exp(Normal(random)))) is { Low: <= 1, High: >= 1 });
        Assert.InRange(covered / 20_000.0, 0.9375 - 0.007, 0.9375 + 0.007);
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
