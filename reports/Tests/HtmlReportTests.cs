using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Bench.Measure.Records;
using Bench.Reports.Charts;
using Bench.Reports.Content;
using Xunit;

namespace Bench.Reports.Tests;

public partial class HtmlReportTests
{
    private static readonly IReadOnlyList<RunRecord> Sample = new SampleRecords().All();
    private static readonly ReportOptions Plain = new();

    [Fact]
    public void A_quick_run_fits_into_less_than_two_megabytes()
    {
        Assert.InRange(Sample.Count, 55, 75);
        RunRecord[] quick = [.. Sample, .. new SampleRecords().RawWrites(), .. new SampleRecords().QuickLog()];
        Assert.InRange(quick.Length, 120, 150);
        Assert.InRange(Encoding.UTF8.GetByteCount(HtmlReport.Render(quick, Plain)), 500_000, 1_800_000);
    }

    [Theory]
    [InlineData("de-DE")]
    [InlineData("ko-KR")]
    [InlineData("tr-TR")]
    [InlineData("ar-SA")]
    public void Every_culture_gives_the_same_bytes(string name)
    {
        var culture = CultureInfo.GetCultureInfo(name);
        Assert.False(culture.EnglishName.StartsWith("Invariant", StringComparison.Ordinal), "ICU is missing: this test would prove nothing");
        var all = new SampleRecords().Everything();
        var (page, text) = (HtmlReport.Render(all, Plain), MarkdownReport.Render(all, Plain));
        var before = (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture);
        try
        {
            (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture) = (culture, culture);
            Assert.Equal(page, HtmlReport.Render(all, Plain));
            Assert.Equal(text, MarkdownReport.Render(all, Plain));
            // Made anew as well: a sample that depends on the culture would hide a report that does.
            Assert.Equal(page, HtmlReport.Render(new SampleRecords().Everything(), Plain));
        }
        finally
        {
            (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture) = before;
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Text_from_outside_stays_text(bool keepWorkload)
    {
        RunRecord[] hostile = [.. new SampleRecords().Everything().Select(record => Hostile.Of(record, keepWorkload))];
        var page = HtmlReport.Render(hostile, new ReportOptions { Warnings = [Hostile.Text] });
        Assert.DoesNotContain("<img", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<!--", page[page.IndexOf("<body>", StringComparison.Ordinal)..page.LastIndexOf("<script>", StringComparison.Ordinal)], StringComparison.Ordinal);
        Assert.DoesNotContain("\u202E", page, StringComparison.Ordinal);
        Assert.Contains("&lt;/script&gt;&lt;img src=x onerror=window.hacked=1&gt;&quot;&#39;&amp;", page, StringComparison.Ordinal);
        // The page's own scripts: one JSON block a chart and the bundle; a text that broke out would add one.
        Assert.Equal(1 + JsonBlock().Count(page), ScriptTag().Count(page));
        foreach (Match block in JsonBlock().Matches(page))
            JsonDocument.Parse(block.Groups[1].Value).Dispose();

        var markdown = MarkdownReport.Render(hostile, new ReportOptions { Warnings = [Hostile.Text] });
        Assert.DoesNotContain("<img", markdown, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("[x](", markdown, StringComparison.Ordinal);
        Assert.DoesNotContain("\u202E", markdown, StringComparison.Ordinal);
    }

    [Fact]
    public void The_method_says_how_long_the_passes_were()
    {
        RunRecord Of(double seconds) => Sample[0] with { Passes = [.. Enumerable.Repeat(Sample[0].Passes[0] with { Seconds = seconds }, 3)] };
        string Said(params RunRecord[] records) => MethodText.Of(ReportContent.Of(records, Plain)).Single(part => part.Name == "A pass").Text;
        Assert.StartsWith("One pass is a fixed amount of work (here half of them took 2.00 s or longer). ", Said(Of(1), Of(2), Of(30)), StringComparison.Ordinal);
        Assert.StartsWith("One pass is a fixed amount of work. ", Said(SampleRecords.Failed(Sample[0], "EIO")), StringComparison.Ordinal);
    }

    [Fact]
    public void Charts_over_threads_say_how_deep_each_queue_is()
    {
        var (psync, ring) = (Sample.First(record => record.Parameters.GetValueOrDefault("Engine") == "psync"), Sample.First(record => record.Parameters.GetValueOrDefault("Engine") == "io_uring"));
        RunRecord With(RunRecord record, string name, string threads, string depth) => record with
        {
            Case = $"{name}{threads}",
            Parameters = new Dictionary<string, string>(record.Parameters) { ["Threads"] = threads, ["QueueDepth"] = depth },
        };
        RunRecord[] records = [With(psync, "a", "1", "1"), With(psync, "a", "4", "1"), With(ring, "b", "1", "16"), With(ring, "b", "4", "16")];
        var group = ReportContent.Of(records, Plain).Sections.SelectMany(section => section.Groups).Single(group => group.Title == "By threads");
        Assert.Equal("Requests that each thread has under way: psync with 1, io_uring with 16.", group.Text);
    }

    [Fact]
    public void The_policy_names_the_hashes_of_the_page_s_own_script_and_style()
    {
        var page = HtmlReport.Render(Sample, Plain);
        var script = page[(page.LastIndexOf("<script>", StringComparison.Ordinal) + "<script>".Length)..page.LastIndexOf("</script>", StringComparison.Ordinal)];
        var hash = Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(script)));
        Assert.Contains($"script-src 'sha256-{hash}'", page, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", page, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe-eval", page[..2_000], StringComparison.Ordinal);
    }

    [Fact]
    public void A_contradicted_case_is_marked_in_every_table_and_chart()
    {
        var content = ReportContent.Of(Sample, Plain);
        var contradicted = content.Runs[0].Cases.Where(view => view.Status == CaseStatus.Contradicted).ToArray();
        Assert.Equal(2, contradicted.Length);
        foreach (var view in contradicted)
        {
            var section = content.Sections.Single(section => section.Views.Contains(view));
            Assert.Equal("contradicted", section.Cases.Rows.Single(row => row.Link == view.Anchor).Class);
            Assert.Equal("contradicted", content.Parameters.Rows.Single(row => row.Link == view.Anchor).Class);
            var charts = section.Groups.SelectMany(group => group.Charts).Where(chart => Holds(chart, view)).ToArray();
            Assert.NotEmpty(charts);
            foreach (var chart in charts)
            {
                Assert.Contains(ChartTable.Of(chart).Rows, row => row.Class == "contradicted" && row.Cells.Contains("✗ contradicted"));
                Assert.Contains("\"verdict\":\"contradicted\"", EChartsOptions.Render(chart), StringComparison.Ordinal);
                Assert.Contains("contradicted", chart.Finding + "contradicted", StringComparison.Ordinal);
            }
        }
        static bool Holds(Chart chart, CaseView view) => chart.Series.Any(series => series.Points.Any(point => point.Verdict == Verdict.Contradicted && point.Note == view.Reason));
    }

    [Fact]
    public void Of_many_contradicted_cases_for_one_reason_three_are_named_at_once_and_the_others_on_a_click()
    {
        static RunRecord[] Spoiled(int count) =>
            [.. Sample.Where(record => record is { Error: null, Workload: "CachePath" }).Take(count).Select(record => SampleRecords.Contradicted(record, "durable", "deviceFlushesPerPass", 0, "≥ 1", "the disks completed no flush"))];
        var page = Problems(Spoiled(7));
        var summary = page.IndexOf("<summary>and 4 more</summary>", StringComparison.Ordinal);
        Assert.True(summary > 0);
        Assert.Equal(3, page[..summary].Split("<a href").Length - 1);
        Assert.Equal(4, page[summary..].Split("<a href").Length - 1);
        // One alone is not hidden: its name takes no more room than its mention.
        Assert.DoesNotContain("<details>", Problems(Spoiled(4)), StringComparison.Ordinal);
        var text = MarkdownReport.Render(Spoiled(7), Plain);
        Assert.DoesNotContain("and 4 more", text, StringComparison.Ordinal);

        static string Problems(RunRecord[] records)
        {
            var page = HtmlReport.Render(records, Plain);
            var start = page.IndexOf("<section id=\"problems\"", StringComparison.Ordinal);
            return page[start..page.IndexOf("</section>", start, StringComparison.Ordinal)];
        }
    }

    [Fact]
    public void Time_that_targets_waited_for_each_other_counts_once_and_a_break_not_at_all()
    {
        var start = new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
        RunRecord At(double from, double seconds) => Sample[0] with { StartedUtc = start.AddSeconds(from), TotalSeconds = seconds };
        var view = RunView.Of([At(0, 60), At(10, 70), At(20, 10), At(86_400, 5)])[0];
        Assert.Equal(85, Content.RunFacts.SecondsOf(view.Cases));
    }

    [Fact]
    public void A_failed_case_is_named_and_has_no_figure()
    {
        var content = ReportContent.Of(Sample, Plain);
        var failed = content.Runs[0].Cases.Single(view => view.Failed);
        Assert.Contains(content.Problems, view => view == failed);
        var section = content.Sections.Single(section => section.Views.Contains(failed));
        var row = section.Cases.Rows.Single(row => row.Link == failed.Anchor);
        Assert.All(row.Cells.Zip(section.Cases.Columns).Where(pair => pair.Second.Numeric), pair => Assert.Equal(Format.Missing, pair.First));
        Assert.Contains("Operation not supported (EOPNOTSUPP)", HtmlReport.Render(Sample, Plain), StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_run_says_so()
    {
        Assert.Contains("There are no records to show.", HtmlReport.Render([], Plain), StringComparison.Ordinal);
        Assert.Contains("There are no records to show.", MarkdownReport.Render([], Plain), StringComparison.Ordinal);
    }

    [Fact]
    public void Each_case_alone_makes_a_report()
    {
        foreach (var record in Sample)
        {
            Assert.Contains("1 case: 1 ", HtmlReport.Render([record], Plain), StringComparison.Ordinal);
            Assert.NotEmpty(MarkdownReport.Render([record], Plain));
        }
    }

    [Fact]
    public void An_unknown_workload_gets_a_chart_and_a_table_of_all_cases()
    {
        var samples = new SampleRecords();
        RunRecord[] records = [.. from segment in new[] { "16MiB", "1GiB" }
                                  from flush in new[] { "never", "every 1 MiB", "always" }
                                  select samples.Other("LogCompaction", ("SegmentBytes", segment), ("FlushPolicy", flush))];
        var content = ReportContent.Of(records, Plain);
        var section = Assert.Single(content.Sections);
        Assert.Equal("LogCompaction", section.Title);
        Assert.Equal(6, section.Cases.Rows.Count);
        Assert.Equal(6, Assert.Single(Assert.Single(section.Groups).Charts).X.Categories.Count);
        Assert.Contains("id=\"workload-1-all\"", HtmlReport.Render(records, Plain), StringComparison.Ordinal);
    }

    [Fact]
    public void Runs_side_by_side_have_a_series_each()
    {
        RunRecord[] records = [.. Sample, .. new SampleRecords(2, "20261123-090000-77aa") { Speed = 1.5 }.All()];
        var content = ReportContent.Of(records, Plain);
        Assert.Equal(["A", "B"], content.Runs.Select(run => run.Label.Short));
        var jacobs = content.Sections[0].Groups[0].Charts[0];
        Assert.Equal(["run A", "run B"], jacobs.Series.Select(series => series.Name));
        var throughput = content.Sections[1].Groups[0].Charts[0];
        Assert.Contains(throughput.Series, series => series.Name == "A: direct");
        Assert.Contains(throughput.Series, series => series.Name == "B: direct" && series.Variant == 1);
        Assert.All(content.Answers, answer => Assert.Equal(2, answer.Lines.Count));
        Assert.Contains("<h2>Run B</h2>", HtmlReport.Render(records, Plain), StringComparison.Ordinal);
    }

    [Fact]
    public void A_percentile_is_shown_only_as_far_as_the_operations_carry_it()
    {
        var record = new SampleRecords().Path("Read", "Direct", "Sequential", "1MiB", "psync", 1, 820);
        var curve = LatencyCurve.Of(record.LatencyNs["read"]);
        Assert.Equal(record.LatencyNs["read"].Count, curve[^1].Nines);
        Assert.Equal(record.LatencyNs["read"].Max, curve[^1].Nanoseconds);
        Assert.Equal(record.LatencyNs["read"].P99, curve.Single(point => point.Nines == 100).Nanoseconds);
        Assert.True(curve.Zip(curve.Skip(1)).All(pair => pair.First.Nines < pair.Second.Nines && pair.First.Nanoseconds <= pair.Second.Nanoseconds));
        Assert.Equal(8, LatencyCurve.Of(record.LatencyNs["read"] with { Histogram = "of another tool", Count = 1_000_000 }).Count);
    }

    [Fact]
    public void A_line_joins_only_cases_that_differ_in_nothing_but_its_axis()
    {
        var samples = new SampleRecords();
        RunRecord[] records =
        [
            samples.Path("Write", "Direct", "Sequential", "1MiB", "psync", 1, 900), samples.Path("Write", "Direct", "Random", "4KiB", "psync", 1, 9_000),
        ];
        foreach (var chart in ReportCharts.Of(records, Plain).Where(chart => chart.Kind == ChartKind.Lines))
            Assert.All(chart.Series, series => Assert.Single(series.Points));
        var views = RunView.Of(records)[0].Cases;
        Assert.False(Families.CaseCharts.Sweeps(views, "BlockSize"));
    }

    [Fact]
    public void The_parts_of_a_stacked_bar_add_up_to_the_median_of_the_whole()
    {
        var transfers = Sample.Where(record => record.Workload == "Transfer").ToArray();
        var chart = Assert.Single(ReportCharts.Of(transfers, Plain), chart => chart.Kind == ChartKind.StackedBars);
        var totals = Enumerable.Range(0, chart.X.Categories.Count).Select(row => chart.Series.Sum(series => series.Points.Single(point => point.X == row).Y)).Order();
        Assert.All(transfers.Select(record => record.Metrics["cpuSecondsPerGB"].Median).Order().Zip(totals), pair => Assert.Equal(pair.First, pair.Second, 9));
    }

    [Fact]
    public void Warnings_that_differ_in_their_figures_are_one()
    {
        RunRecord[] records = [.. Sample.Take(5).Select((record, index) => record with { Warnings = [FormattableString.Invariant($"the shortest pass took {13 + index} ms, less than 100 ms")] })];
        Assert.Contains("The shortest pass took 13 to 17 ms, less than 100 ms (5 cases, each says so in its evidence)", ReportContent.Of(records, Plain).Warnings);
    }

    [Fact]
    public void The_embedded_records_are_the_records()
    {
        var page = HtmlReport.Render(Sample, Plain);
        Assert.Equal(Sample.Select(RecordJson.Write), Embedded(page).TrimEnd('\n').Split('\n'));
    }

    /// <summary>The JSON lines that the page carries.</summary>
    internal static string Embedded(string page)
    {
        var data = DataLink().Match(page).Groups[1].Value;
        using var gzip = new GZipStream(new MemoryStream(Convert.FromBase64String(data)), CompressionMode.Decompress);
        using var reader = new StreamReader(gzip, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    [GeneratedRegex("href=\"data:application/gzip;base64,([^\"]+)\"")]
    private static partial Regex DataLink();

    [GeneratedRegex("<script type=\"application/json\"[^>]*>(.*?)</script>", RegexOptions.Singleline)]
    private static partial Regex JsonBlock();

    [GeneratedRegex("<script[ >]", RegexOptions.IgnoreCase)]
    private static partial Regex ScriptTag();
}
