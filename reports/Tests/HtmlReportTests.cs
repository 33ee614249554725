using Xunit;

namespace Bench.Reports.Tests;

public class HtmlReportTests
{
    [Fact]
    public void A_quick_run_fits_into_one_and_a_half_megabytes()
    {
        var page = HtmlReport.Render(new SampleRecords().All(), new ReportOptions());
        if (Environment.GetEnvironmentVariable("BENCH_REPORT_OUT") is { } folder)
        {
            File.WriteAllText(Path.Combine(folder, "index.html"), page);
            File.WriteAllText(Path.Combine(folder, "report.md"), MarkdownReport.Render(new SampleRecords().All(), new ReportOptions()));
        }
        Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(page), 600_000, 1_500_000);
    }
}
