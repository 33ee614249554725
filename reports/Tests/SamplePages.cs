using Bench.Reports.Gate;
using Xunit;

namespace Bench.Reports.Tests;

/// <summary>
/// Writes sample reports to the folder in <c>BENCH_SAMPLE_PAGES</c>, to be looked at; without it, it does nothing.
/// </summary>
public class SamplePages
{
    [Fact]
    public void Are_written_where_somebody_wants_to_look_at_them()
    {
        if (Environment.GetEnvironmentVariable("BENCH_SAMPLE_PAGES") is not { Length: > 0 } folder)
            return;
        Directory.CreateDirectory(folder);
        var one = new SampleRecords().Everything();
        var other = new SampleRecords(2, "20261123-090000-77aa") { Speed = 1.4 }.Everything();
        File.WriteAllText(Path.Combine(folder, "log.html"), HtmlReport.Render([.. new SampleRecords().RawWrites(), .. new SampleRecords().Log()], new ReportOptions()));
        File.WriteAllText(Path.Combine(folder, "one.html"), HtmlReport.Render(one, new ReportOptions()));
        File.WriteAllText(Path.Combine(folder, "two.html"), HtmlReport.Render([.. one, .. other], new ReportOptions { Anonymous = true }));
        File.WriteAllText(Path.Combine(folder, "hostile.html"), HtmlReport.Render([.. one.Select(record => Hostile.Of(record))], new ReportOptions()));
        File.WriteAllText(Path.Combine(folder, "gate.html"), ComparisonPage.Render(SampleResults.Gate(), new ReportOptions()));
        File.WriteAllText(Path.Combine(folder, "gate-many.html"), ComparisonPage.Render(SampleResults.Gate(90, 12), new ReportOptions()));
        File.WriteAllText(Path.Combine(folder, "compare.html"), ComparisonPage.Render(SampleResults.Records(), new ReportOptions()));
        File.WriteAllText(Path.Combine(folder, "gate.md"), GateMarkdown.Render(SampleResults.Gate()));
        File.WriteAllText(Path.Combine(folder, "gate.xml"), GateJUnit.Render(SampleResults.Gate()));
        File.WriteAllText(Path.Combine(folder, "one.md"), MarkdownReport.Render(one, new ReportOptions()));
    }
}
