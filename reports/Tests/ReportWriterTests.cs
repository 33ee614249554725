using Bench.Measure.Records;
using Xunit;

namespace Bench.Reports.Tests;

public sealed class ReportWriterTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("bench-report-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Run_folders_become_a_page_and_a_text_beside_it()
    {
        var runs = new[] { "20261122-130138-5f3a", "20261123-090000-77aa" }.Select((run, index) =>
        {
            var path = Path.Combine(folder, run);
            using var store = RunStore.Open(path);
            foreach (var record in new SampleRecords(index, run).CachePath())
                store.Append(record);
            return path;
        }).ToArray();
        File.AppendAllText(Path.Combine(runs[1], RunStore.FileName), "{\"schema\":\"bench.rec");

        var outFile = Path.Combine(folder, "made", "index.html");
        var warnings = ReportWriter.Write(runs, outFile, new ReportOptions());

        Assert.Contains("torn", Assert.Single(warnings), StringComparison.Ordinal);
        var page = File.ReadAllText(outFile);
        Assert.Contains("<h2>Run B</h2>", page, StringComparison.Ordinal);
        Assert.Contains("the last line is torn", page, StringComparison.Ordinal);
        Assert.StartsWith("# ext4 on Virtio Block Device", File.ReadAllText(Path.Combine(folder, "made", "report.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void An_anonymous_report_does_not_tell_where_the_runs_lay()
    {
        var run = Path.Combine(folder, "secret place");
        using (var store = RunStore.Open(run))
            store.Append(new SampleRecords().CachePath().First());
        File.AppendAllText(Path.Combine(run, RunStore.FileName), "{");
        var outFile = Path.Combine(folder, "index.html");
        ReportWriter.Write([run], outFile, new ReportOptions { Anonymous = true });
        Assert.DoesNotContain("secret place", File.ReadAllText(outFile), StringComparison.Ordinal);
        Assert.DoesNotContain("place/", File.ReadAllText(Path.Combine(folder, "report.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_is_not_there_is_said_so() =>
        Assert.Throws<RecordException>(() => ReportWriter.Write([Path.Combine(folder, "none")], Path.Combine(folder, "index.html"), new ReportOptions()));
}
