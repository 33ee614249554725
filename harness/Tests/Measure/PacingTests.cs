using System.Diagnostics;
using Bench.Disk;
using Bench.Measure;
using Bench.Measure.Evidence;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Bench.Measure.Running;
using Xunit;

namespace Bench.Harness.Tests.Measure;

public class PacingTests
{
    [Fact]
    public void Arrivals_have_the_mean_rate_and_the_spread_of_a_Poisson_process_and_a_seed_repeats_them()
    {
        var arrivals = new Arrivals(1000, 42);
        long[] moments = [.. Enumerable.Range(0, 100_000).Select(_ => arrivals.NextNs())];
        double[] gaps = [.. moments.Zip(moments.Skip(1), (one, next) => (next - one) / 1e6)];
        Assert.Equal(1.0, gaps.Average(), 0.02);
        // Exponential: as many below the mean as 1 - 1/e, and one in e³ beyond three means.
        Assert.Equal(1 - Math.Exp(-1), gaps.Count(gap => gap < 1) / (double)gaps.Length, 0.01);
        Assert.Equal(Math.Exp(-3), gaps.Count(gap => gap > 3) / (double)gaps.Length, 0.005);
        // A gap knows nothing of the one before.
        Assert.Equal(0, gaps.Zip(gaps.Skip(1), (one, next) => (one - 1) * (next - 1)).Average(), 0.02);

        var again = new Arrivals(1000, 42);
        Assert.Equal(moments.Take(10), Enumerable.Range(0, 10).Select(_ => again.NextNs()));
        var other = new Arrivals(1000, 43);
        Assert.NotEqual(moments[0], other.NextNs());
    }

    [Fact]
    public void A_stall_is_seen_by_all_operations_that_were_due_in_it_and_by_one_in_the_service_time()
    {
        const int operations = 600;
        var (pacing, response) = (new Pacing(2000, 7), new LatencyHistogram());
        var operation = new Stalls(at: 300, milliseconds: 100);
        var positions = new SequentialPositions(0, 16, 4096, 0);
        var result = PacedLoop.Run(ref operation, ref positions, new LoopLimit(operations, long.MaxValue), pacing, response, new StopSignal());
        Assert.Equal(operations, result.Operations);
        Assert.Equal(operations, pacing.Service.Count);
        // Some two hundred were due while it stood still; a machine that stalls by itself only adds to them.
        Assert.True(CountAbove(response, 20_000_000) >= 100, $"{CountAbove(response, 20_000_000)} responses");
        Assert.InRange(CountAbove(pacing.Service, 20_000_000), 1, 20);
        Assert.InRange(pacing.KeptUp, 0.2, 1);
    }

    [Fact]
    public void What_cannot_be_kept_up_with_says_so()
    {
        var (pacing, response) = (new Pacing(1e6, 7), new LatencyHistogram());
        var operation = new Stalls(at: -1, milliseconds: 1);
        var positions = new SequentialPositions(0, 16, 4096, 0);
        PacedLoop.Run(ref operation, ref positions, new LoopLimit(100, long.MaxValue), pacing, response, new StopSignal());
        Assert.True(pacing.KeptUp < 0.1);
    }

    [Fact]
    public void The_parts_of_several_threads_offer_the_whole_rate_at_moments_of_their_own_and_the_worst_counts()
    {
        var whole = new Pacing(3000, 5);
        Pacing[] parts = [.. Enumerable.Range(0, 3).Select(index => whole.PartOf(3, index))];
        Assert.All(parts, part => Assert.Equal(1000, part.PerSecond));
        Assert.Equal(3, parts.Select(part => part.Seed).Distinct().Count());
        foreach (var (part, elapsed) in parts.Zip([100L, 200L, 110L]))
        {
            part.Ended(100, elapsed);
            part.Service.Record(10);
            whole.Add(part);
        }
        Assert.Equal(100 / 190.0, whole.KeptUp);
        Assert.Equal(3, whole.Service.Count);
    }

    /// <summary>Five operations of 8 ms in a quarter of a second: the last one alone took three hundredths of it, and was called a backlog.</summary>
    [Theory]
    [InlineData(250, 1)]
    [InlineData(250 + 8, 1)]
    [InlineData(250 + 8 + 50, 250 / 300.0)]
    public void An_operation_that_is_being_served_is_no_backlog(long endedMs, double keptUp)
    {
        var pacing = new Pacing(20, 1);
        for (var operation = 0; operation < 5; operation++)
            pacing.Service.Record(8_000_000);
        pacing.Ended(250_000_000, endedMs * 1_000_000);
        Assert.Equal(keptUp, pacing.KeptUp, 0.001);
    }

    /// <summary>One pass of forty that ends with a backlog of half of itself decides nothing and is shown all the same; one of ten decides.</summary>
    [Fact]
    public void All_passes_decide_whether_a_rate_was_kept_and_the_least_is_told_beside()
    {
        var claim = Claims.Rate([.. Enumerable.Repeat((1000L, 1000L), 39), (1000, 1500)]);
        Assert.Equal(Verdict.Proven, claim.Verdict);
        Assert.Equal(["offeredRateKept", "offeredRateKeptLeast"], claim.Figures.Select(figure => figure.Name));
        Assert.Equal(40 / 40.5, claim.Figures[0].Observed!.Value, 9);
        Assert.Equal(1 / 1.5, claim.Figures[1].Observed!.Value, 9);
        Assert.True(claim.Figures[1].Informs);
        Assert.Equal(Verdict.Contradicted, Claims.Rate([.. Enumerable.Repeat((1000L, 1000L), 9), (1000, 1500)]).Verdict);
    }

    [Theory]
    [InlineData(1000, 1000, 30, null)]
    [InlineData(1000, 1100, 4, null)]
    [InlineData(1000, 1100, 30, "passes of 1 s are short for operations that take up to 30 ms: a few that wait at the end look like a backlog; --pass-seconds 8 tells the two apart")]
    public void Passes_that_may_be_too_short_to_tell_are_told_of(long scheduledMs, long endedMs, long serviceMs, string? why) =>
        Assert.Equal(why, Pacing.WhyShort([(scheduledMs * 1_000_000, endedMs * 1_000_000)], serviceMs * 1_000_000));

    /// <summary>A pass so long that one operation within the latency is less than a backlog, and a trial's longest at most.</summary>
    [Theory]
    [InlineData(0, 0.14)]
    [InlineData(2, 0.14)]
    [InlineData(60, 3)]
    [InlineData(10_000, 30)]
    public void A_pass_is_fifty_times_the_latency_that_is_asked_for(long targetMs, double seconds)
    {
        var settings = RunSettings.Of(Profile.Quick, 1) with { LatencyTargetNs = targetMs * 1_000_000 };
        Assert.Equal(seconds, settings.PacedPassSeconds, 9);
        Assert.Equal((long)Math.Ceiling(1000 * seconds), settings.OperationsAt(1000, long.MaxValue));
        Assert.Equal((1000 * seconds, seconds), settings.ExpectedPass(1000, long.MaxValue));
    }

    /// <summary>A server of 1,000 a second whose latency grows without bound as the rate comes near: 1 ms / (1 − load).</summary>
    private static RateTrial Server(double rate) => new(rate, rate < 1000 ? 1e6 / (1 - rate / 1000) : 1e12, rate < 1000 ? 1 : 1000 / rate);

    [Theory]
    [InlineData(10, 900)]
    [InlineData(2, 500)]
    [InlineData(1.1, 90.9)]
    public void The_search_finds_the_highest_rate_within_a_latency(double targetMs, double rate)
    {
        var (found, trials) = RateSearch.Find(1, 5000, targetMs * 1e6, Server);
        Assert.InRange(found!.Value, rate * 0.94, rate);
        Assert.True(trials.Count <= 20);
        Assert.Equal([found.Value, found.Value], trials.TakeLast(2).Select(trial => trial.PerSecond));
    }

    [Fact]
    public void A_latency_that_no_rate_has_finds_nothing_and_is_not_looked_for_below_the_lowest_rate()
    {
        var (found, trials) = RateSearch.Find(30, 5000, 0.5e6, Server);
        Assert.Null(found);
        Assert.InRange(trials[^1].PerSecond, 30, 60);
        Assert.Single(RateSearch.Find(3000, 5000, 0.5e6, Server).Trials);
    }

    [Theory]
    [InlineData(500_001, 1)]
    [InlineData(500_000, 12)]
    [InlineData(0, 12)]
    public void Where_even_the_fastest_operation_is_too_slow_no_lower_rate_is_tried(long fastestNs, int expected)
    {
        var (found, trials) = RateSearch.Find(0, 5000, 0.5e6, rate => Server(rate) with { FastestNs = fastestNs });
        Assert.Null(found);
        Assert.Equal(expected, trials.Count);
    }

    [Fact]
    public void A_rate_that_held_by_luck_is_not_confirmed()
    {
        var number = 0;
        // Every trial of the search holds up to 2,000; when it comes to confirming, only half of that does.
        var (found, _) = RateSearch.Find(1, 4000, 10e6, rate => new RateTrial(rate, rate <= (++number <= 5 ? 2000 : 1000) ? 1e6 : 1e9, 1));
        Assert.True(found is <= 1000 or null);
    }

    [Fact]
    public void Trials_of_one_rate_that_contradict_each_other_are_told_of_at_the_lowest_such_rate()
    {
        static RateTrial Of(double rate, bool holds) => new(rate, holds ? 1e6 : 3e6, 1);
        Assert.Null(RateSearch.Contradiction([Of(100, true), Of(200, false), Of(100, true)], 2e6));
        Assert.Equal("the highest rate has no sharp edge: 99.5 operations a second held the target in 2 of 3 trials",
            RateSearch.Contradiction([Of(200, true), Of(200, false), Of(99.5, true), Of(99.5, false), Of(99.5, true), Of(50, true)], 2e6));
        // Held back by what it could not keep up with, not by its latency.
        Assert.NotNull(RateSearch.Contradiction([Of(100, true), Of(100, true) with { KeptUp = 0.5 }], 2e6));
    }

    [Fact]
    public void The_wish_to_stop_ends_the_wait_for_a_moment_that_is_far_away()
    {
        var stop = new StopSignal();
        stop.Request();
        Assert.Throws<OperationCanceledException>(() => Pause.Until(Stopwatch.GetTimestamp() + 3_600_000_000_000, stop));
    }

    private static long CountAbove(LatencyHistogram histogram, long ns)
    {
        // From the percentiles: the smallest share that lies above.
        for (var rank = histogram.Count; rank > 0; rank--)
            if (histogram.ValueAtPercentile(100.0 * rank / histogram.Count) <= ns)
                return histogram.Count - rank;
        return histogram.Count;
    }

    /// <summary>Does nothing, but at one operation stands still; at -1 it does at each.</summary>
    private struct Stalls(int at, int milliseconds) : IBlockOperation
    {
        private int number;

        public void Run(long position)
        {
            if (number++ == at || at < 0)
                Thread.Sleep(milliseconds);
        }
    }
}
