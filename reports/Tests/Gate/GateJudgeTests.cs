using Bench.Reports.Comparison;
using Bench.Reports.Gate;
using Xunit;

namespace Bench.Reports.Tests.Gate;

/// <summary>What a pair is worth, and when more of them are not worth their time.</summary>
public sealed class GateJudgeTests
{
    private static readonly GateKey Key = new("case", Figure.Throughput);

    [Theory]
    [InlineData(1.05, 0.98, 1.13, 28, false)]   // at the margin: never
    [InlineData(1 / 1.05, 0.89, 1.02, 28, false)] // at the other one
    [InlineData(1.10, 1.04, 1.16, 28, true)]    // twice as many pairs clear it
    [InlineData(1.00, 0.94, 1.06, 28, true)]    // the same, when the interval is shorter
    [InlineData(1.06, 0.90, 1.25, 14, false)]   // too wide for so small a change
    [InlineData(1.20, 0.99, 1.46, 14, true)]    // as wide, and far enough away
    public void More_pairs_are_run_only_where_they_may_bring_a_verdict(double ratio, double low, double high, int pairs, bool mayDecide)
    {
        var judge = new GateJudge([Key], GateRules.Default with { Looks = [14, 28, 56] });
        var judgement = new Judgement { Key = Key, Verdict = GateVerdict.Inconclusive, Ratio = ratio, Low = low, High = high, Margin = 1.05, Pairs = pairs };
        Assert.Equal(mayDecide, judge.MayDecide(judgement));
        // So few pairs that there is no interval yet.
        Assert.True(judge.MayDecide(judgement with { Low = null, High = null }));
    }

    [Fact]
    public void The_first_rounds_of_a_pair_do_not_count()
    {
        double[] steady = [100, 101, 99, 100, 102, 100, 98, 100];
        Assert.Equal(0, Pair(steady, steady).LogCost(Figure.Throughput)!.Value, 12);
        // Half of a launch's rounds, if the first two were counted.
        double[] late = [10, 10, 80, 80, 80, 100, 100, 100];
        Assert.Equal(Math.Log(1 / 0.8) / 2, Pair([.. Enumerable.Repeat(100.0, 8)], late).LogCost(Figure.Throughput)!.Value, 12);
        // So few rounds that leaving any out would leave nothing.
        Assert.Equal(Math.Log(2), Pair([100, 100, 100], [50, 50, 100]).LogCost(Figure.Throughput)!.Value, 12);
    }

    private static GatePair Pair(double[] ofBase, double[] ofHead) => new()
    {
        Number = 1,
        BaseFirst = true,
        Base = new LaunchFigures(1, null, null, ofBase, []),
        Head = new LaunchFigures(1, null, null, ofHead, []),
    };
}
