using Bench.Reports.Comparison;
using Bench.Reports.Gate;
using Xunit;

namespace Bench.Reports.Tests.Gate;

/// <summary>What a pair is worth, and when more of them are not worth their time.</summary>
public sealed class GateJudgeTests
{
    private static readonly GateKey Key = new("case", Figure.Throughput);

    [Theory]
    [InlineData(0.05, 0.08, true)]   // at the margin: never to be decided
    [InlineData(-0.05, 0.08, true)]  // at the other one
    [InlineData(0.07, 0.30, true)]   // too wide for so small a change
    [InlineData(0.00, 0.17, false)]  // the same, when the interval is shorter
    [InlineData(0.12, 0.16, false)]  // slower, likewise
    public void What_the_pairs_that_are_left_would_hardly_decide_is_given_up(double effect, double halfWidth, bool givenUp)
    {
        var judge = new GateJudge([.. Enumerable.Range(0, 15).Select(index => new GateKey($"case {index}", Figure.Throughput))], GateRules.Default with { Looks = [16, 28, 56] });
        var key = judge.Open.First();
        Judgement After(int pairs) => Assert.Single(judge.Look(new Dictionary<GateKey, ShiftTest> { [key] = Evenly(effect, halfWidth, pairs) }));
        // After one look nobody knows the spread.
        var first = After(16);
        Assert.Equal((GateVerdict.Inconclusive, false), (first.Verdict, first.GivenUp));
        var second = After(28);
        Assert.Equal((GateVerdict.Inconclusive, givenUp), (second.Verdict, second.GivenUp));
        Assert.Equal(givenUp, second.Reason is not null);
    }

    [Fact]
    public void What_comes_after_the_step_at_which_Holm_s_method_stops_has_that_step_s_level()
    {
        GateKey[] family = [.. Enumerable.Range(0, 3).Select(index => new GateKey($"case {index}", Figure.Throughput))];
        var judge = new GateJudge(family, GateRules.Default with { Looks = [8] });
        var judgements = judge.Look(new Dictionary<GateKey, ShiftTest> { [family[0]] = Evenly(0.5, 0.01, 8), [family[1]] = Evenly(2, 0.01, 6), [family[2]] = Evenly(0.05, 0.3, 8) });
        Assert.Equal([GateVerdict.Slower, GateVerdict.Inconclusive, GateVerdict.Inconclusive], judgements.Select(judgement => judgement.Verdict));
        // Six pairs, of which two were lost, reach 5 % at best; the second step asks for 2.5 %.
        Assert.Null(judgements[1].Low);
        Assert.Equal("6 usable pairs can call none of 3 figures slower or faster", judgements[1].Reason);
        Assert.Equal(0.95, judgements[2].Level!.Value, 9);
        Assert.Null(judgements[2].Reason);
    }

    /// <summary>Pairs of both orders whose values lie evenly around an effect.</summary>
    private static ShiftTest Evenly(double effect, double halfWidth, int pairs)
    {
        double[] values = [.. Enumerable.Range(0, pairs / 2).Select(index => Math.Log(1 + Math.Abs(effect)) * Math.Sign(effect) + halfWidth * (2.0 * index / (pairs / 2 - 1) - 1))];
        return ShiftTest.OfPairs(values, values);
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
