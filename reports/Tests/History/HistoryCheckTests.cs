using System.Text.Json.Nodes;
using Bench.Measure.Records;
using Bench.Reports.Comparison;
using Bench.Reports.History;
using Xunit;

namespace Bench.Reports.Tests.History;

public class HistoryCheckTests
{
    [Fact]
    public void A_change_names_the_run_before_the_run_after_and_what_else_is_new()
    {
        var (result, runs) = Check(60, day => day < 40 ? 1e8 : 8e7, kernel: day => day < 40 ? "6.12.1" : "6.12.2");
        Assert.Equal([Figure.Throughput, Figure.P99], result.Changes.Select(change => change.Figure));
        Assert.Equal((3, 0, 2), (result.Judged, result.TooFew, result.SlowerNow));
        Assert.All(result.Changes, change =>
        {
            Assert.Equal((runs[39].Run.Run, runs[40].Run.Run), (change.LastBefore.Run, change.FirstAfter.Run));
            Assert.Equal((true, true, 40, 20), (change.Slower, change.Newest, change.RunsBefore, change.RunsAfter));
            Assert.Equal("kernel: 6.12.1 → 6.12.2", Assert.Single(change.Differences).ToString());
        });
        Assert.Equal(0.8, result.Changes[0].Ratio, 0.02);
        Assert.Equal(1.25, result.Changes[1].Ratio, 0.02);
    }

    [Fact]
    public void A_slower_time_that_is_over_is_told_and_fails_nothing()
    {
        var (result, _) = Check(90, day => day is >= 30 and < 60 ? 8e7 : 1e8);
        Assert.Equal(4, result.Changes.Count);
        Assert.Equal(0, result.SlowerNow);
        Assert.Equal([(true, false), (false, true)], result.Changes.Take(2).Select(change => (change.Slower, change.Newest)));
    }

    [Fact]
    public void Contradicted_points_carry_no_change()
    {
        var noisy = Noisy(day => day < 40 ? 1e8 : 5e7);
        RunPoints[] runs = [.. Enumerable.Range(0, 60).Select(day => SampleHistory.Run(day, cases: 1, bytesPerSecond: noisy, verdict: day < 40 ? Verdict.Proven : Verdict.Contradicted))];
        var result = HistoryCheck.Of([Case(runs)], Figures.All, 0.05);
        Assert.Empty(result.Changes);
        Assert.Equal(3, result.Judged);
    }

    [Fact]
    public void Too_few_runs_are_counted_and_not_judged()
    {
        var (result, _) = Check(9, day => day < 4 ? 1e8 : 5e7);
        Assert.Empty(result.Changes);
        Assert.Equal((0, 3), (result.Judged, result.TooFew));
    }

    [Fact]
    public void A_check_of_hundreds_of_unchanged_cases_is_silent_as_a_whole()
    {
        var alarms = 0;
        for (var check = 0; check < 20; check++)
        {
            var random = new Random(check);
            var cases = Enumerable.Range(0, 200).Select(_ => Case([.. Enumerable.Range(0, 40).Select(day => SampleHistory.Run(day, cases: 1, bytesPerSecond: _ => 1e8 * Math.Exp(0.1 * random.Normal())))]));
            alarms += HistoryCheck.Of(cases, [Figure.Throughput], 0.05).Changes.Count > 0 ? 1 : 0;
        }
        // One in a hundred is the promise: two of twenty come by chance less than twice in a hundred times.
        Assert.True(alarms <= 1, $"{alarms} of 20 checks were false alarms");
    }

    [Fact]
    public void A_run_of_records_keeps_the_figures_and_leaves_out_what_failed()
    {
        var records = new SampleRecords().All();
        var run = RunPoints.Of(records);
        Assert.Equal(records.Count(record => record.Error is not null), run.FailedCases);
        Assert.Equal(records.Count - run.FailedCases, run.Points.Count);
        Assert.Equal(records.Min(record => record.StartedUtc), run.Run.StartedUtc);
        Assert.Equal(("ext4 on Virtio Block Device", "quick", "ab8728f"), (run.Run.Target, run.Run.Profile, run.Run.Commit));
        Assert.Contains(run.Points, point => point.Verdict == Verdict.Contradicted);
        foreach (var point in run.Points)
        {
            var record = records.Single(one => one.Case == point.Case);
            Assert.All(Figures.All, figure => Assert.Equal(Figures.Of(record, figure), point.Of(figure)));
        }
    }

    [Fact]
    public void What_must_not_be_in_a_history_is_refused()
    {
        RunRecord[] records = [.. new SampleRecords().CachePath()];
        string Refusal(RunRecord[] given) => Assert.Throws<HistoryException>(() => RunPoints.Of(given)).Message;
        Assert.Contains("no record", Refusal([]), StringComparison.Ordinal);
        Assert.Contains("injected slowdown", Refusal([records[0], records[1] with { Effective = new JsonObject { ["injectedSlowdown"] = 0.1 } }]), StringComparison.Ordinal);
        Assert.Contains("twice", Refusal([records[0], records[0]]), StringComparison.Ordinal);
        Assert.Contains("every case", Refusal([SampleRecords.Failed(records[0], "it broke")]), StringComparison.Ordinal);
        Assert.Contains("no name of a run", Refusal([records[0] with { Run = "../../etc/x" }]), StringComparison.Ordinal);
    }

    private static (HistoryCheckResult Result, RunPoints[] Runs) Check(int days, Func<int, double> bytesPerSecond, Func<int, string>? kernel = null)
    {
        var noisy = Noisy(bytesPerSecond);
        RunPoints[] runs = [.. Enumerable.Range(0, days).Select(day => SampleHistory.Run(day, cases: 1, bytesPerSecond: noisy, kernel: kernel?.Invoke(day) ?? "6.12.1"))];
        return (HistoryCheck.Of([Case(runs)], Figures.All, 0.05), runs);
    }

    private static CaseHistory Case(RunPoints[] runs) => new(SampleHistory.Case(0), [.. runs.Select(run => new PointOfRun(run.Run, run.Points[0]))]);

    private static Func<int, double> Noisy(Func<int, double> value)
    {
        var random = new Random(1);
        return day => value(day) * Math.Exp(0.02 * random.Normal());
    }
}
