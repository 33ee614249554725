using Bench.Measure.Records;
using Bench.Reports;
using Xunit;

namespace Bench.Reports.Tests;

public sealed class DriftCheckTests
{
    private const string Sentence = "Measured twice in this run, a direct sequential read of 1 MiB gave";

    [Fact]
    public void A_cell_measured_twice_with_intervals_that_do_not_meet_is_told_before_the_figures()
    {
        var records = Twice(second: new Estimate(2e9, 1.9e9, 2.1e9));
        Assert.Contains(Sentence, HtmlReport.Render(records, new ReportOptions()), StringComparison.Ordinal);
        Assert.Contains(Sentence, MarkdownReport.Render(records, new ReportOptions()), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_several_targets_each_has_one_sentence_with_its_name()
    {
        RunRecord[] records = [.. from folder in new[] { "/mnt/a", "/mnt/b" } from record in Twice(second: new Estimate(2e9, 1.9e9, 2.1e9)) select record with { Target = record.Target with { Folder = folder } }];
        var sentences = Bench.Reports.Content.DriftCheck.Of([.. Bench.Reports.Content.RunView.Of(records).SelectMany(run => run.Cases)]).ToArray();
        Assert.Equal(2, sentences.Length);
        Assert.StartsWith("b: measured twice in this run, a direct sequential read of 1 MiB gave", sentences[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Intervals_that_meet_are_no_drift() =>
        Assert.DoesNotContain(Sentence, MarkdownReport.Render(Twice(second: new Estimate(1.05e9, 0.95e9, 1.15e9)), new ReportOptions()), StringComparison.Ordinal);

    private static RunRecord[] Twice(Estimate second)
    {
        var all = new SampleRecords().All();
        bool Cell(RunRecord record) => record.Operation == "Read" && record.Parameters["Pattern"] == "Sequential" && record.Parameters["BlockSize"] == "1MiB";
        var pattern = all.Single(record => record.Workload == "AccessPattern" && Cell(record) && record.Parameters["Medium"] == "Disk");
        var path = all.Single(record => record.Workload == "CachePath" && Cell(record) && record.Parameters["Access"] == "Direct");
        return [pattern with { BytesPerSecond = new Estimate(1e9, 0.9e9, 1.1e9) }, path with { BytesPerSecond = second }];
    }
}
