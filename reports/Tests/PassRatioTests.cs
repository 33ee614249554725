using Bench.Reports.Statistics;
using Xunit;

namespace Bench.Reports.Tests;

public class PassRatioTests
{
    [Theory]
    [InlineData(5, 5, 3, 1 - 2 * 4.0 / 252)]
    [InlineData(4, 4, 1, 1 - 2 * 1.0 / 70)]
    [InlineData(3, 3, 1, 0.9)]
    [InlineData(1, 1, 1, 0)]
    public void The_rank_is_that_of_the_exact_Mann_Whitney_tables(int first, int second, int rank, double coverage)
    {
        var actual = PassRatio.Rank(first, second);
        Assert.Equal(rank, actual.Rank);
        Assert.Equal(coverage, actual.Coverage, 12);
    }

    [Fact]
    public void The_ratio_is_the_median_of_all_pairs_and_turns_around()
    {
        double[] over = [20, 22, 24], under = [1, 2, 4];
        var ratio = PassRatio.Of(over, under)!;
        Assert.InRange(ratio.Value, ratio.Low, ratio.High);
        Assert.Equal(11, ratio.Value, 0.5);
        Assert.Equal((5, 24), (ratio.Low, ratio.High));
        Assert.Equal(1 / ratio.Value, ratio.Inverse().Value, 12);
        Assert.Equal(1 / ratio.High, ratio.Inverse().Low, 12);
    }

    [Fact]
    public void The_interval_covers_the_true_ratio_as_often_as_it_says()
    {
        var random = new Random(20260101);
        double Value(double scale) => scale * Math.Exp(0.3 * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        var covered = 0;
        const int Trials = 3_000;
        for (var trial = 0; trial < Trials; trial++)
        {
            var ratio = PassRatio.Of([.. Enumerable.Range(0, 5).Select(_ => Value(3))], [.. Enumerable.Range(0, 5).Select(_ => Value(1))])!;
            covered += ratio.Low <= 3 && 3 <= ratio.High ? 1 : 0;
        }
        Assert.InRange((double)covered / Trials, 0.955, 0.985);
    }

    [Fact]
    public void Nothing_is_made_of_passes_without_a_figure()
    {
        Assert.Null(PassRatio.Of([], [1]));
        Assert.Null(PassRatio.Of([0, 1], [1, 1]));
        Assert.Null(PassRatio.Of([double.NaN], [1]));
    }
}
