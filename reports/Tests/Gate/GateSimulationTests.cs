using Bench.Reports.Comparison;
using Bench.Reports.Gate;
using Xunit;

namespace Bench.Reports.Tests.Gate;

/// <summary>
/// Gate runs over simulated launches whose truth is known: whatever the noise is like, the judge keeps its promises.
/// Costs are made in the order of time, both sides through the same noise, as two launches of a pair on one machine.
/// </summary>
public sealed class GateSimulationTests
{
    private const int GateRuns = 300;
    private const int Cases = 8;

    /// <summary>Three standard deviations of a rate of 5 % over so many gate runs.</summary>
    private static readonly double Tolerance = 3 * Math.Sqrt(0.05 * 0.95 / GateRuns);

    public static TheoryData<string> Noises => [.. Models.Keys];

    private static readonly Dictionary<string, Func<Random, Noise>> Models = new()
    {
        ["normal"] = random => _ => 0.04 * Normal(random),
        ["heavy tails"] = random => _ => 0.02 * Normal(random) / Math.Sqrt(Math.Max(1e-3, random.NextDouble())) + (random.NextDouble() < 0.05 ? 0.8 : 0),
        ["bimodal"] = random => _ => 0.02 * Normal(random) + (random.NextDouble() < 0.3 ? 0.25 : 0),
        ["drift"] = random => time => 0.02 * time + 0.03 * Normal(random),
        ["bursts"] = Bursts,
        ["autocorrelated"] = Autocorrelated,
        ["the first of a pair slower"] = random => time => (time % 2 == 0 ? 0.25 : 0) + 0.03 * Normal(random),
        // In step with the order, which is balanced over every four pairs.
        ["every second pair"] = random => time => (time % 4 == 3 ? 0.25 : 0) + 0.03 * Normal(random),
        ["skewed"] = random => _ => 0.03 * -Math.Log(1 - random.NextDouble()),
    };

    private delegate double Noise(int time);

    [Theory, MemberData(nameof(Noises))]
    public void Two_launches_of_the_same_program_are_almost_never_called_slower(string noise)
    {
        var outcome = Simulate(noise, effect: 0);
        Assert.True(outcome.RunsWith(GateVerdict.Slower) <= 0.01, $"{outcome.RunsWith(GateVerdict.Slower):P1} of the gate runs called something slower");
        Assert.True(outcome.RunsWith(GateVerdict.Faster) <= 0.01, $"{outcome.RunsWith(GateVerdict.Faster):P1} of the gate runs called something faster");
    }

    [Theory, MemberData(nameof(Noises))]
    public void A_change_of_exactly_the_margin_is_called_slower_in_at_most_alpha_of_the_gate_runs(string noise)
    {
        var outcome = Simulate(noise, effect: 0.05);
        Assert.True(outcome.RunsWith(GateVerdict.Slower) <= 0.05 + Tolerance, $"{outcome.RunsWith(GateVerdict.Slower):P1} of the gate runs called something slower");
    }

    [Theory, MemberData(nameof(Noises))]
    public void A_change_beyond_the_margin_is_called_the_same_in_at_most_alpha_of_the_judgements(string noise)
    {
        var outcome = Simulate(noise, effect: 0.0501);
        Assert.True(outcome.Share(GateVerdict.Same) <= 0.05 + Tolerance, $"{outcome.Share(GateVerdict.Same):P1} of the judgements were 'same'");
    }

    [Theory]
    [InlineData("normal", 0.95)]
    [InlineData("drift", 0.95)]
    [InlineData("skewed", 0.95)]
    [InlineData("the first of a pair slower", 0.95)]
    [InlineData("autocorrelated", 0.9)]
    [InlineData("heavy tails", 0.6)]
    [InlineData("bimodal", 0.3)]
    public void A_change_of_fifteen_percent_is_found_in_most_cases(string noise, double atLeast)
    {
        var outcome = Simulate(noise, effect: 0.15);
        Assert.True(outcome.Share(GateVerdict.Slower) >= atLeast, $"{outcome.Share(GateVerdict.Slower):P1} of the judgements were 'slower'");
        Assert.True(outcome.Share(GateVerdict.Same) + outcome.Share(GateVerdict.Faster) <= 0.002, "some were 'same' or 'faster'");
    }

    [Fact]
    public void An_order_that_is_told_wrongly_would_be_caught_by_these_tests()
    {
        // The base is always first, and half of the pairs are said to have been the other way round.
        var outcome = Simulate("the first of a pair slower", effect: 0, ordersMixedUp: true);
        Assert.True(outcome.RunsWith(GateVerdict.Faster) > 0.5, "a bias of ten percent went unseen: the simulation cannot fail");
    }

    [Fact]
    public void A_judge_that_looks_without_paying_would_be_caught_by_these_tests()
    {
        // Each look at the whole alpha, and each case as if it were the only one.
        var rules = GateRules.Default with { Alpha = 0.05 * GateRules.Default.Looks.Count * Cases };
        var outcome = Simulate("normal", effect: 0.05, rules: rules);
        Assert.True(outcome.RunsWith(GateVerdict.Slower) > 0.05 + Tolerance, "an uncorrected judge kept its promise: the simulation cannot fail");
    }

    [Fact]
    public void Of_many_cases_the_one_that_changed_is_named_and_no_other()
    {
        var (hits, others) = (0, 0);
        for (var run = 0; run < 40; run++)
        {
            var verdicts = GateRun("normal", run, GateRules.Default, cases: 60, effectOf: index => index == 7 ? 0.2 : 0, ordersMixedUp: false);
            hits += verdicts[7] == GateVerdict.Slower ? 1 : 0;
            others += verdicts.Where((verdict, index) => index != 7 && verdict == GateVerdict.Slower).Count();
        }
        Assert.Equal(40, hits);
        Assert.Equal(0, others);
    }

    private static Outcome Simulate(string noise, double effect, bool ordersMixedUp = false, GateRules? rules = null)
    {
        var outcome = new Outcome();
        for (var run = 0; run < GateRuns; run++)
            outcome.Add(GateRun(noise, run, rules ?? GateRules.Default, Cases, _ => effect, ordersMixedUp));
        return outcome;
    }

    private static GateVerdict[] GateRun(string noise, int seed, GateRules rules, int cases, Func<int, double> effectOf, bool ordersMixedUp)
    {
        var family = Enumerable.Range(0, cases).Select(index => new GateKey($"case {index}", Figure.Throughput)).ToArray();
        var judge = new GateJudge(family, rules);
        var order = new PairOrder(seed);
        var noises = family.Select((_, index) => Models[noise](new Random(seed * 7919 + index))).ToArray();
        var logs = family.Select(_ => (BaseFirst: new List<double>(), HeadFirst: new List<double>())).ToArray();
        var verdicts = family.ToDictionary(key => key, _ => GateVerdict.Inconclusive);
        var givenUp = new HashSet<GateKey>();
        var pairs = 0;
        foreach (var look in rules.Looks)
        {
            for (; pairs < look; pairs++)
            {
                var baseFirst = order.Next().BaseFirst;
                for (var index = 0; index < cases; index++)
                {
                    var (first, second) = (noises[index](2 * pairs), noises[index](2 * pairs + 1));
                    var log = (ordersMixedUp || baseFirst ? second - first : first - second) + Math.Log(1 + effectOf(index));
                    (baseFirst ? logs[index].BaseFirst : logs[index].HeadFirst).Add(log);
                }
            }
            var tests = judge.Open.Except(givenUp).ToDictionary(key => key, key => logs[Array.IndexOf(family, key)] is var log ? ShiftTest.OfPairs(log.BaseFirst, log.HeadFirst) : null!);
            foreach (var judgement in judge.Look(tests))
            {
                verdicts[judgement.Key] = judgement.Verdict;
                if (judgement.GivenUp)
                    givenUp.Add(judgement.Key);
            }
        }
        return [.. family.Select(key => verdicts[key])];
    }

    /// <summary>A neighbour comes and goes: for some launches in a row everything takes a third longer.</summary>
    private static Noise Bursts(Random random)
    {
        var left = 0;
        return _ =>
        {
            left = left > 0 ? left - 1 : random.NextDouble() < 0.1 ? random.Next(1, 6) : 0;
            return 0.02 * Normal(random) + (left > 0 ? 0.3 : 0);
        };
    }

    private static Noise Autocorrelated(Random random)
    {
        var state = 0.0;
        return _ => state = 0.95 * state + 0.03 * Normal(random);
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private sealed class Outcome
    {
        private readonly List<GateVerdict[]> runs = [];

        internal void Add(GateVerdict[] verdicts) => runs.Add(verdicts);

        /// <summary>Share of the gate runs in which any case has the verdict.</summary>
        internal double RunsWith(GateVerdict verdict) => (double)runs.Count(run => run.Contains(verdict)) / runs.Count;

        /// <summary>Share of all judgements.</summary>
        internal double Share(GateVerdict verdict) => (double)runs.Sum(run => run.Count(one => one == verdict)) / runs.Sum(run => run.Length);
    }
}
