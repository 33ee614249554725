using Bench.Reports.History;
using Bench.Reports.Statistics;
using Xunit;

namespace Bench.Reports.Tests.History;

public class ChangePointTests
{
    private const double Margin = 0.05;

    /// <summary>What a disk's figures do when nothing has changed: logarithms, in units of their noise.</summary>
    public static TheoryData<string> Independent => ["normal", "heavy tails", "two humps", "outliers"];

    [Theory]
    [MemberData(nameof(Independent))]
    public void A_history_without_a_change_is_silent_but_for_one_in_a_hundred(string noise)
    {
        // 10 % of noise: with less, the margin alone would hold it.
        foreach (var (count, trials) in new[] { (15, 400), (30, 400), (100, 300), (200, 150), (500, 60) })
            AssertRate(0.01, noise, count, trials);
    }

    [Fact]
    public void Runs_that_resemble_their_neighbours_alarm_at_most_one_in_twenty()
    {
        foreach (var (noise, count, trials) in new[] { ("correlated 0.3", 100, 300), ("correlated 0.3", 500, 60), ("correlated 0.5", 50, 300), ("correlated 0.5", 200, 150) })
            AssertRate(0.05, noise, count, trials);
    }

    [Theory]
    [InlineData(100, 15, 0.90)]
    [InlineData(100, 50, 0.95)]
    [InlineData(500, 15, 0.90)]
    [InlineData(500, 250, 0.95)]
    public void A_step_of_ten_percent_in_five_percent_of_noise_is_found_and_its_first_run_named(int count, int after, double found)
    {
        const int Trials = 60;
        int hits = 0, near = 0;
        for (var trial = 0; trial < Trials; trial++)
        {
            var values = Series("normal", count, 0.05, new Random(trial));
            for (var i = count - after; i < count; i++)
                values[i] *= 0.9;
            var steps = ChangePoints.Find(values, Margin);
            hits += steps.Count > 0 ? 1 : 0;
            near += steps.Any(step => Math.Abs(step.Start - (count - after)) <= 3 && step.Ratio is > 0.8 and < 0.96) ? 1 : 0;
        }
        Assert.True(hits >= found * Trials, $"{hits} of {Trials} found");
        Assert.True(near >= 0.8 * Trials, $"{near} of {Trials} placed within three runs");
    }

    [Fact]
    public void A_clear_step_is_seen_after_five_runs_and_its_first_run_is_exact()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var values = Series("normal", 45, 0.02, new Random(seed));
            for (var i = 40; i < 45; i++)
                values[i] *= 1.2;
            var step = Assert.Single(ChangePoints.Find(values, Margin));
            Assert.Equal(40, step.Start);
            Assert.InRange(step.Ratio, 1.15, 1.25);
            // Two bad runs are none.
            Assert.Empty(ChangePoints.Find(values[..42], Margin));
        }
    }

    [Fact]
    public void A_step_at_a_border_of_two_pieces_is_placed_as_well_as_any_other()
    {
        foreach (var at in new[] { 122, 124, 125, 126, 128, 250, 373 })
        {
            var values = Series("normal", 500, 0.02, new Random(at));
            for (var i = at; i < 500; i++)
                values[i] *= 1.2;
            Assert.Equal(at, Assert.Single(ChangePoints.Find(values, Margin)).Start);
        }
    }

    [Fact]
    public void Up_and_down_again_are_two_steps()
    {
        var values = Series("normal", 120, 0.02, new Random(1));
        for (var i = 40; i < 80; i++)
            values[i] *= 1.3;
        Assert.Equal([40, 80], ChangePoints.Find(values, Margin).Select(step => step.Start));
    }

    [Fact]
    public void A_step_below_the_margin_is_none_however_certain()
    {
        var values = Series("normal", 200, 0.005, new Random(1));
        for (var i = 100; i < 200; i++)
            values[i] *= 1.03;
        Assert.Empty(ChangePoints.Find(values, Margin));
        Assert.Equal(100, Assert.Single(ChangePoints.Find(values, 0.02)).Start);
    }

    [Fact]
    public void One_value_gone_wild_is_no_step()
    {
        var values = Series("normal", 60, 0.02, new Random(1));
        values[30] /= 1000;
        values[59] *= 50;
        Assert.Empty(ChangePoints.Find(values, Margin));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(9)]
    [InlineData(500)]
    public void Equal_or_few_values_have_no_step(int count) =>
        Assert.Empty(ChangePoints.Find(Enumerable.Repeat(42.0, count).ToArray(), 0));

    [Theory]
    [InlineData(5, 5, 2.0 / 252)]
    [InlineData(3, 4, 2.0 / 35)]
    [InlineData(1, 1, 1)]
    [InlineData(5, 495, 2 / 255244687600.0)]
    public void Samples_without_overlap_have_the_exact_p(int first, int second, double p) =>
        Assert.Equal(p, RankTest.PValue([.. Enumerable.Range(0, first).Select(i => (double)i)], [.. Enumerable.Range(first, second).Select(i => (double)i)]), p * 1e-9);

    [Theory]
    [InlineData(0, 0.803447073947465)]
    [InlineData(6, 0.0920973611571861)]
    [InlineData(12, 0.00311242074394723)]
    [InlineData(20, 9.0905497761472e-6)]
    public void Where_counting_ends_the_normal_distribution_is_near_and_the_more_careful_far_out(int shift, double exact) =>
        Assert.InRange(RankTest.PValue([.. Enumerable.Range(0, 21).Select(i => 2.0 * i)], [.. Enumerable.Range(0, 21).Select(i => 2.0 * i + 1 + shift)]) / exact, 0.99, 4);

    [Fact]
    public void Ties_and_nothing_are_no_evidence()
    {
        Assert.Equal(1, RankTest.PValue([1, 1, 1], [1, 1, 1]), 12);
        Assert.Equal(1, RankTest.PValue([], [1]));
    }

    [Theory]
    [InlineData(0, 0.5)]
    [InlineData(1.959963985, 0.025)]
    [InlineData(6, 9.865876450377e-10)]
    public void The_tail_of_the_normal_distribution_is_that_of_the_tables(double z, double tail)
    {
        Assert.Equal(tail, Normal.UpperTail(z), tail * 2e-7);
        Assert.Equal(z, Normal.UpperQuantile(tail), 1e-5);
    }

    /// <summary>Holds the share of alarms to a rate: more than this many come by chance once in a thousand times.</summary>
    private static void AssertRate(double rate, string noise, int count, int trials)
    {
        var alarms = Enumerable.Range(0, trials).AsParallel().Count(trial => ChangePoints.Find(Series(noise, count, 0.1, new Random(trial * 7919 + count)), Margin).Count > 0);
        var most = rate * trials + 3.1 * Math.Sqrt(rate * (1 - rate) * trials) + 0.5;
        Assert.True(alarms <= most, $"{noise}, {count} runs: {alarms} alarms in {trials} histories");
    }

    private static double[] Series(string noise, int count, double deviation, Random random)
    {
        var previous = random.Normal();
        double Next()
        {
            switch (noise)
            {
                case "normal": return random.Normal();
                case "heavy tails": return random.Normal() / Math.Sqrt((Square(random.Normal()) + Square(random.Normal()) + Square(random.Normal())) / 3);
                case "two humps": return (random.NextDouble() < 0.3 ? 4 : 0) + random.Normal();
                case "outliers": return random.Normal() + (random.NextDouble() < 0.05 ? 10 : 0);
                default:
                    var correlation = noise == "correlated 0.3" ? 0.3 : 0.5;
                    return previous = correlation * previous + Math.Sqrt(1 - correlation * correlation) * random.Normal();
            }
        }
        return [.. Enumerable.Range(0, count).Select(_ => 1e8 * Math.Exp(deviation * Next()))];
    }

    private static double Square(double value) => value * value;
}
