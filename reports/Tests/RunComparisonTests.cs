using System.Text.Json.Nodes;
using Bench.Measure.Records;
using Bench.Reports.Comparison;
using Bench.Reports.Gate;
using Xunit;

namespace Bench.Reports.Tests;

public class RunComparisonTests
{
    private static readonly ComparisonOptions Plain = new() { NowUtc = new DateTimeOffset(2026, 11, 26, 4, 0, 0, TimeSpan.Zero) };

    [Fact]
    public void A_case_that_takes_a_third_longer_is_slower_and_one_that_does_not_is_the_same()
    {
        var result = Compare(Run("a", ("x", 1, 12), ("y", 1, 12)), Run("b", ("x", 0.75, 12), ("y", 1, 12)));
        var slower = Judged(result, "x", Figure.Throughput);
        Assert.Equal(GateVerdict.Slower, slower.Verdict);
        Assert.InRange(slower.Ratio!.Value, 1.30, 1.37);
        Assert.InRange(slower.Level!.Value, 0.9499, 0.9501);
        Assert.True(slower.Low < slower.Ratio && slower.Ratio < slower.High);
        Assert.Equal(GateVerdict.Same, Judged(result, "y", Figure.Throughput).Verdict);
        Assert.True(result.FromRecords);
        Assert.Equal(1, result.ExitCode);
    }

    [Fact]
    public void Turned_around_the_ratios_are_the_inverse_and_slower_is_faster()
    {
        var (first, second) = (Run("a", ("x", 1, 12)), Run("b", ("x", 0.75, 12)));
        var (there, back) = (Judged(Compare(first, second), "x", Figure.Throughput), Judged(Compare(second, first), "x", Figure.Throughput));
        Assert.Equal(GateVerdict.Faster, back.Verdict);
        Assert.Equal(there.Ratio!.Value, 1 / back.Ratio!.Value, 9);
        Assert.Equal(there.Low!.Value, 1 / back.High!.Value, 9);
    }

    [Fact]
    public void Passes_of_one_launch_give_no_verdict_on_p99_and_four_launches_do()
    {
        Assert.DoesNotContain(Compare(Run("a", ("x", 1, 12)), Run("b", ("x", 1, 12))).Judgements, judgement => judgement.Key.Figure == Figure.P99);
        var result = Compare(Launches("a", 1, 5), Launches("b", 0.5, 5));
        Assert.Contains(result.Judgements, judgement => judgement.Key.Figure == Figure.P99);
        Assert.Equal(5, Judged(result, "x", Figure.Throughput).Pairs);
        Assert.InRange(Judged(result, "x", Figure.Throughput).Ratio!.Value, 1.9, 2.1);
    }

    [Fact]
    public void Few_passes_among_many_figures_say_how_many_would_do()
    {
        var result = SampleResults.Records();
        Assert.DoesNotContain(result.Judgements, judgement => judgement.Verdict is GateVerdict.Slower or GateVerdict.Faster);
        var warning = Assert.Single(result.Warnings, warning => warning.Contains("--passes", StringComparison.Ordinal));
        Assert.Contains("--passes 8", warning, StringComparison.Ordinal);
        // And so many do.
        var enough = Compare(Run("a", [.. Enumerable.Range(0, 60).Select(index => ($"c{index}", 1.0, 8))]), Run("b", [.. Enumerable.Range(0, 60).Select(index => ($"c{index}", index == 7 ? 0.5 : 1, 8))]));
        Assert.Equal(GateVerdict.Slower, Judged(enough, "c7", Figure.Throughput).Verdict);
        Assert.Empty(enough.Warnings);
    }

    [Fact]
    public void An_interval_beyond_the_margin_that_is_no_verdict_says_why()
    {
        var result = Compare(Run("a", [.. Enumerable.Range(0, 40).Select(index => ($"c{index}", 1.0, 6))]), Run("b", [.. Enumerable.Range(0, 40).Select(index => ($"c{index}", index == 7 ? 0.5 : 1, 6))]));
        var judgement = Judged(result, "c7", Figure.Throughput);
        Assert.Equal(GateVerdict.Inconclusive, judgement.Verdict);
        Assert.Contains("6 values a side cannot show a change among 80 figures", judgement.Reason, StringComparison.Ordinal);
        Assert.True(judgement.Low > judgement.Margin);
    }

    [Fact]
    public void What_failed_or_is_contradicted_is_not_judged_and_says_why()
    {
        var (first, second) = (Run("a", ("x", 1, 8), ("y", 1, 8)), Run("b", ("x", 1, 8), ("y", 1, 8)));
        second[0] = SampleRecords.Failed(second[0], "EIO on the disk");
        first[1] = SampleRecords.Contradicted(first[1], "cold", "deviceReadShare", 0.4, "≥ 0.98", "40 % came from the devices");
        var result = Compare(first, second);
        Assert.Equal(2, result.Count(GateVerdict.NotJudged));
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("EIO on the disk", Assert.Single(result.Cases[0].Judgements).Reason, StringComparison.Ordinal);
        Assert.Contains("not cold: 40 % came", Assert.Single(result.Cases[1].Judgements).Reason, StringComparison.Ordinal);
    }

    /// <summary>Whatever its CPU says.</summary>
    [Fact]
    public void A_case_without_a_throughput_on_one_side_is_not_judged()
    {
        RunRecord[] nothing = [.. Run("b", ("x", 1, 6)).Select(record => record with { BytesPerSecond = null, Passes = [.. record.Passes.Select(pass => pass with { Bytes = 0 })] })];
        var result = Compare(Run("a", ("x", 1, 6)), nothing);
        Assert.Equal(2, result.ExitCode);
        Assert.Equal("the head has no throughput above zero", Judged(result, "x", Figure.Throughput).Reason);
    }

    [Fact]
    public void Cases_without_a_partner_are_named_with_their_side()
    {
        var result = Compare(Run("a", ("x", 1, 6), ("gone", 1, 6)), Run("b", ("x", 1, 6), ("new", 1, 6)));
        Assert.Single(result.Cases);
        Assert.Equal(2, result.Unpaired.Count);
        Assert.Contains("gone", result.Unpaired[0], StringComparison.Ordinal);
        Assert.EndsWith("(base only)", result.Unpaired[0], StringComparison.Ordinal);
        Assert.EndsWith("(head only)", result.Unpaired[1], StringComparison.Ordinal);
        Assert.Equal(2, Compare(Run("a", ("x", 1, 6)), Run("b", ("z", 1, 6))).ExitCode);
    }

    [Fact]
    public void An_empty_run_and_the_same_run_twice_are_refused()
    {
        Assert.Contains("no record there", Assert.Throws<RecordException>(() => Compare([], Run("b", ("x", 1, 6)))).Message, StringComparison.Ordinal);
        Assert.Contains("no record there", Assert.Throws<RecordException>(() => Compare(Run("a", ("x", 1, 6)), [])).Message, StringComparison.Ordinal);
        var run = Run("a", ("x", 1, 6));
        Assert.Contains("the same run", Assert.Throws<RecordException>(() => Compare(run, [run[0] with { Case = "another" }])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unlike_machines_are_refused_with_what_differs_and_marked_when_wanted()
    {
        var first = Run("a", ("x", 1, 8));
        RunRecord[] other = [.. Run("b", ("x", 1, 8)).Select(record => record with { Host = record.Host with { Kernel = "5.10.0" } })];
        var refused = Assert.Throws<UnlikeRunsException>(() => Compare(first, other));
        Assert.Equal("kernel", Assert.Single(refused.Differences).Name);
        Assert.Contains("kernel: 6.18.2-amd64 → 5.10.0", refused.Message, StringComparison.Ordinal);
        var result = RunComparison.Of(new ComparedRun("a", first), new ComparedRun("b", other), Plain with { Unlike = true });
        Assert.True(result.Unlike);
        Assert.Contains(GateWords.Notes(result), note => note.Contains("unlike machines or devices (kernel)", StringComparison.Ordinal));
        // Another .NET or version of bench forbids nothing.
        RunRecord[] newer = [.. Run("b", ("x", 1, 8)).Select(record => record with { Host = record.Host with { Runtime = "10.0.99" } })];
        Assert.Equal(".NET", Compare(first, newer).Differences[0].Name);
    }

    [Fact]
    public void Settings_that_differ_are_told()
    {
        RunRecord[] other = [.. Run("b", ("x", 1, 9)).Select(record => record with { Tool = record.Tool with { Seed = 12, Profile = "full" } })];
        Assert.Equal(["profile", "passes per case", "seed"], Compare(Run("a", ("x", 1, 8)), other).Differences.Select(difference => difference.Name));
    }

    [Fact]
    public void A_slowdown_on_purpose_is_marked()
    {
        RunRecord[] slowed = [.. Run("b", ("x", 1, 8)).Select(record => record with { Effective = new JsonObject { ["injectedSlowdown"] = 0.1 } })];
        var result = Compare(Run("a", ("x", 1, 8)), slowed);
        Assert.Equal((0, 0.1), (result.Base.InjectedSlowdown, result.Head.InjectedSlowdown));
        Assert.Contains(GateWords.Notes(result), note => note.Contains("The head was made 10 % slower on purpose", StringComparison.Ordinal));
    }

    [Fact]
    public void Hundreds_of_passes_are_thinned_for_the_exact_test()
    {
        var judgement = Judged(Compare(Run("a", ("x", 1, 250)), Run("b", ("x", 0.9, 250))), "x", Figure.Throughput);
        Assert.Equal(100, judgement.Pairs);
        Assert.Equal(GateVerdict.Slower, judgement.Verdict);
    }

    private static GateResult Compare(IReadOnlyList<RunRecord> first, IReadOnlyList<RunRecord> second) =>
        RunComparison.Of(new ComparedRun("before", first), new ComparedRun("after", second), Plain);

    private static Judgement Judged(GateResult result, string name, Figure figure) =>
        result.Judgements.Single(judgement => judgement.Key.Case.Contains($"Name={name},", StringComparison.Ordinal) && judgement.Key.Figure == figure);

    private static RunRecord[] Run(string run, params (string Name, double Speed, int Passes)[] cases) =>
        [.. cases.Select(one => Record(run, one.Name, one.Speed, one.Passes, 0))];

    private static RunRecord[] Launches(string run, double speed, int count) =>
        [.. Enumerable.Range(0, count).Select(index => Record($"{run}-{index}", "x", speed, 5, index))];

    /// <summary>Passes within half a percent of each other.</summary>
    private static RunRecord Record(string run, string name, double speed, int passes, int seed)
    {
        var record = new SampleRecords(seed + 1, run) { Speed = speed }.Make("Sample", "Read", [("Name", name), ("BlockSize", "4KiB")], 4096, 20_000, ["direct"], withLatency: true);
        var random = new Random(name.Length + run.Length + passes + (int)(speed * 100));
        var rate = 20_000 * 4096.0 * speed;
        return record with
        {
            Passes = [.. Enumerable.Range(0, passes).Select(_ => record.Passes[0] with { Bytes = (long)rate, Operations = 20_000, Seconds = 1 + 0.005 * random.NextDouble(), CpuUserSeconds = 0.1 + 0.0005 * random.NextDouble() })],
            BytesPerSecond = new Estimate(rate, rate, rate),
        };
    }
}
