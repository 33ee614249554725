using System.Globalization;
using System.Text.Json;
using Bench.Measure.Records;
using Bench.Reports.Answers;
using Bench.Reports.Charts;
using Bench.Reports.Content;
using Bench.Reports.Families;
using Xunit;

namespace Bench.Reports.Tests;

public class LogReportTests
{
    private static readonly ReportOptions Plain = new();
    private static readonly IReadOnlyList<RunRecord> Sample = new SampleRecords().Everything();
    private static readonly IReadOnlyList<Chart> Charts = ReportCharts.Of(Sample, Plain);

    private static Chart Named(string id) => Charts.Single(chart => chart.Id == id);

    private static RunRecord Append(string policy, string segment) => Sample.First(record => record.Workload == "LogAppend"
        && record.Parameters["FlushPolicy"] == policy && record.Parameters["SegmentSize"] == segment && record.Parameters["BatchSize"] == "64KiB");

    [Fact]
    public void Every_family_of_the_log_has_its_section_in_the_order_of_the_page()
    {
        Assert.Equal(["access-pattern", "cache-path", "transfer", "log-append", "log-read", "log-recovery", "log-encode", "limits"],
            ReportContent.Of(Sample, Plain).Sections.Select(section => section.Id));
        foreach (var start in new[] { "log-append-throughput", "log-append-p99", "log-append-risk-bytes", "log-append-risk-time", "log-append-limit", "log-append-partitions-throughput",
            "log-append-producers-p99", "log-append-batchsize-throughput", "log-append-preallocation-throughput", "log-append-writepath-throughput", "log-append-percentiles-1",
            "log-append-percentiles-fsync", "log-append-timeline", "log-read-throughput", "log-read-writer-percentiles", "log-read-writer", "log-recovery-time", "log-encode-throughput" })
            Assert.Contains(Charts, chart => chart.Id.StartsWith(start, StringComparison.Ordinal));
    }

    [Fact]
    public void A_heat_map_has_a_cell_for_each_case_from_the_least_to_the_most_durable_policy()
    {
        var chart = Assert.Single(Charts, chart => chart.Id.StartsWith("log-append-throughput", StringComparison.Ordinal));
        Assert.Equal(ChartKind.HeatMap, chart.Kind);
        Assert.Equal(["1 MiB", "16 MiB", "128 MiB", "1 GiB"], chart.X.Categories);
        Assert.Equal(["no flush", "at each roll", "every 100 ms", "every 16 MiB", "every 1 MiB", "group commit 500 µs", "each append"], chart.Series.Select(series => series.Name));
        Assert.Equal(28, chart.Series.Sum(series => series.Points.Count));
        var point = chart.Series[3].Points.Single(point => point.X == 2);
        var record = Append("bytes:16MiB", "128MiB");
        Assert.Equal((record.BytesPerSecond!.Median, record.BytesPerSecond.Low), (point.Y, point.Low));
        Assert.Contains("highest no flush with ", chart.Finding, StringComparison.Ordinal);
    }

    [Fact]
    public void A_contradicted_cell_is_marked_and_an_unproven_one_too()
    {
        foreach (var chart in Charts.Where(chart => chart.Kind == ChartKind.HeatMap))
        {
            var cells = JsonDocument.Parse(EChartsOptions.Render(chart)).RootElement.GetProperty("series")[0].GetProperty("data").EnumerateArray().ToArray();
            Assert.StartsWith("✗ ", Assert.Single(cells, cell => Verdict(cell) == "contradicted").GetProperty("text").GetString(), StringComparison.Ordinal);
            Assert.StartsWith("? ", Assert.Single(cells, cell => Verdict(cell) == "unproven").GetProperty("text").GetString(), StringComparison.Ordinal);
            Assert.Contains("contradicted", chart.Finding, StringComparison.Ordinal);
            Assert.Contains(ChartTable.Of(chart).Rows, row => row.Class == "contradicted" && row.Cells.Contains("each append") && row.Cells.Contains("1 GiB"));
        }
        static string? Verdict(JsonElement cell) => cell.TryGetProperty("verdict", out var verdict) ? verdict.GetString() : null;
    }

    [Theory]
    [InlineData(AxisScale.Linear, 0, 100, 100, 1)]
    [InlineData(AxisScale.Linear, 0, 100, 50, 0.5)]
    [InlineData(AxisScale.Linear, 0, 0, 0, 0)]
    [InlineData(AxisScale.Log, 1, 100, 0, 0)]
    [InlineData(AxisScale.Log, 1, 100, 1, 0.1)]
    [InlineData(AxisScale.Log, 1, 100, 10, 0.55)]
    [InlineData(AxisScale.Log, 1, 100, 100, 1)]
    public void The_colour_of_a_cell_is_even_from_zero_or_by_powers(AxisScale scale, double low, double high, double figure, double expected) =>
        Assert.Equal(expected, EChartsOptions.Heat(new Axis("", Quantity.Number, scale) { Min = low, Max = high }, figure), 9);

    [Fact]
    public void Data_at_risk_has_logarithmic_colours_and_nothing_at_risk_is_a_cell_of_its_own()
    {
        var chart = Assert.Single(Charts, chart => chart.Id.StartsWith("log-append-risk-bytes", StringComparison.Ordinal));
        Assert.Equal(AxisScale.Log, chart.Y.Scale);
        Assert.All(chart.Series.Single(series => series.Name == "each append").Points, point => Assert.Equal(0, point.Y));
        Assert.Contains("\"text\":\"0 B\"", EChartsOptions.Render(chart), StringComparison.Ordinal);
    }

    [Fact]
    public void Policies_stand_from_what_may_lose_the_most_to_what_may_lose_nothing()
    {
        string[] ordered = ["none", "roll", "interval:1000", "interval:50", "bytes:16MiB", "records:10000", "bytes:1MiB", "records:1", "group:2000", "group:500", "each", "something else"];
        Assert.Equal(ordered, ordered.Reverse().OrderBy(policy => FlushPolicy.Order(policy)));
    }

    [Theory]
    [InlineData("none", "no flush")]
    [InlineData("interval:1000", "every 1 s")]
    [InlineData("interval:50", "every 50 ms")]
    [InlineData("records:10000", "every 10,000 records")]
    [InlineData("records:1", "each record")]
    [InlineData("bytes:1MiB", "every 1 MiB")]
    [InlineData("group:1500", "group commit 1.5 ms")]
    [InlineData("each", "each append")]
    [InlineData("bytes:many", "bytes:many")]
    [InlineData("interval:1e999", "interval:1e999")]
    public void Policies_are_said_in_words(string policy, string expected) => Assert.Equal(expected, FlushPolicy.Say(policy));

    [Fact]
    public void A_case_without_a_flush_method_is_beside_those_that_have_one()
    {
        var samples = new SampleRecords();
        RunRecord Case(string policy, string segment, string method) => samples.Make("LogAppend", "Append",
            [("SegmentSize", segment), ("FlushPolicy", policy), ("FlushMethod", method), ("BatchSize", "64KiB")], 1 << 16, 1_000, ["durable"], withLatency: true);
        RunRecord[] records = [.. from segment in new[] { "1MiB", "1GiB" }
                                  from one in new[] { ("none", "-"), ("each", "Fdatasync"), ("each", "DSync") }
                                  select Case(one.Item1, segment, one.Item2)];
        Chart[] charts = [.. ReportCharts.Of(records, Plain).Where(chart => chart.Id.StartsWith("log-append-throughput", StringComparison.Ordinal))];
        Assert.Equal(["Fdatasync", "O_DSYNC"], charts.Select(chart => chart.Title));
        Assert.All(charts, chart => Assert.Equal(["no flush", "each append"], chart.Series.Select(series => series.Name)));
    }

    [Fact]
    public void Heat_maps_of_several_targets_have_one_scale_and_the_names_that_were_given()
    {
        var samples = new SampleRecords();
        RunRecord Case(string folder, string policy, string segment, double megabytes) => samples.Make("LogAppend", "Append",
            [("SegmentSize", segment), ("FlushPolicy", policy), ("BatchSize", "64KiB")], 1 << 16, megabytes, ["durable"], withLatency: true) is var record
            ? record with { Target = record.Target with { Folder = folder } } : null!;
        RunRecord[] records = [.. from target in new[] { ("/mnt/a", 1000), ("/mnt/b", 10) }
                                  from segment in new[] { "1MiB", "1GiB" }
                                  from policy in new[] { ("none", 1), ("each", 2) }
                                  select Case(target.Item1, policy.Item1, segment, (double)target.Item2 / policy.Item2)];
        Chart[] charts = [.. ReportCharts.Of(records, new ReportOptions { Names = ["ext4", "raid0 of 4"] }).Where(chart => chart.Id.StartsWith("log-append-throughput", StringComparison.Ordinal))];
        Assert.Equal(["ext4", "raid0 of 4"], charts.Select(chart => chart.Title));
        // Beside each other the same colour is the same figure.
        var sound = charts.SelectMany(chart => chart.Series).SelectMany(series => series.Points).Select(point => point.Y).ToArray();
        Assert.All(charts, chart => Assert.Equal((AxisScale.Log, sound.Min(), sound.Max()), (chart.Y.Scale, chart.Y.Min!.Value, chart.Y.Max!.Value)));
    }

    [Fact]
    public void Bytes_and_age_at_risk_are_two_groups()
    {
        var groups = ReportContent.Of(Sample, Plain).Sections.Single(section => section.Id == "log-append").Groups;
        Assert.All(groups, group => Assert.False(group.Charts.Any(chart => chart.Id.Contains("-risk-bytes", StringComparison.Ordinal)) && group.Charts.Any(chart => chart.Id.Contains("-risk-time", StringComparison.Ordinal))));
        // The legend does not begin above the cells that have nothing at risk.
        Assert.Matches("<li>0 B, then [^<]+<span class=\"ramp", HtmlReport.Render(Sample, Plain));
    }

    [Fact]
    public void One_segment_size_makes_bars_instead_of_a_grid()
    {
        RunRecord[] records = [.. Sample.Where(record => record.Workload == "LogAppend" && record.Parameters["SegmentSize"] == "16MiB")];
        var charts = ReportCharts.Of(records, Plain);
        Assert.DoesNotContain(charts, chart => chart.Kind == ChartKind.HeatMap);
        Assert.Equal(7, Assert.Single(charts, chart => chart.Id.StartsWith("log-append-policy", StringComparison.Ordinal)).X.Categories.Count);
    }

    [Fact]
    public void A_sweep_has_the_cases_that_differ_in_its_parameter_alone()
    {
        var chart = Named("log-append-partitions-throughput-1");
        Assert.Equal(["1", "10", "100", "1000"], chart.X.Categories);
        Assert.Equal(["every 1 MiB", "no flush"], chart.Series.Select(series => series.Name).Order());
        Assert.All(chart.Series, series => Assert.Equal(4, series.Points.Count));
    }

    [Fact]
    public void The_steps_of_a_timeline_add_up_to_the_bytes_of_the_pass()
    {
        var record = Append("bytes:16MiB", "16MiB");
        var chart = Charts.Single(chart => chart.Kind == ChartKind.Timeline && chart.Title == "Every 16 MiB");
        var pass = record.Timeline!.Points;
        var throughput = chart.Series[0].Points;
        var ends = throughput.Skip(1).Select(point => point.X).Append(chart.X.Max!.Value);
        Assert.Equal(pass.Sum(point => point.Bytes), throughput.Zip(ends).Sum(pair => pair.First.Y * (pair.Second - pair.First.X)), 1.0);
        Assert.Equal(pass.Max(point => point.MaxNs), chart.Series.Single(series => series.Name == "slowest").Points.Max(point => (long)point.Y));
        Assert.Equal(record.Timeline.Events.Count, chart.Events.Count);
        Assert.Contains("Pass 3 of 5", chart.Subtitle, StringComparison.Ordinal);
    }

    [Fact]
    public void The_rounds_to_a_steady_state_end_with_their_last_whole_interval()
    {
        var timeline = new TimelineRecord
        {
            Pass = TimelineRecord.BeforePasses,
            IntervalSeconds = 0.1,
            // The rounds ended soon after the last interval began: as if it were whole, its rate would be a fall.
            Points = [.. Enumerable.Range(0, 6).Select(index => new TimelinePoint { StartSeconds = index / 10.0, Operations = 1000, Bytes = index == 5 ? 1 << 10 : 10 << 20 })],
            Events = [new TimelineEvent { Kind = "steady", StartSeconds = 0.3, Seconds = 0.2 }],
        };
        var record = Append("bytes:16MiB", "16MiB") with { Timeline = timeline };
        var chart = Assert.Single(ReportCharts.Of([record], Plain), chart => chart.Kind == ChartKind.Timeline);
        Assert.Equal((0.5, "Seconds"), (chart.X.Max, chart.X.Name));
        Assert.Contains("All rounds, in intervals of 100 ms", chart.Subtitle, StringComparison.Ordinal);
        Assert.All(chart.Series[0].Points, point => Assert.Equal((10 << 20) / 0.1, point.Y, 1e-6));
        Assert.Single(chart.Events, made => made.Kind == "steady");

        RunRecord On(string folder) => record with { Target = record.Target with { Folder = folder } };
        var overlaid = Assert.Single(ReportCharts.Of([On("/mnt/nvme0"), On("/mnt/raid0")], Plain), chart => chart.Id.StartsWith("log-append-overlaid", StringComparison.Ordinal));
        Assert.Equal((0.5, "Seconds"), (overlaid.X.Max, overlaid.X.Name));
    }

    [Fact]
    public void A_timeline_s_table_is_short_and_counts_every_event()
    {
        foreach (var chart in Charts.Where(chart => chart.Kind == ChartKind.Timeline))
        {
            var table = ChartTable.Of(chart);
            Assert.InRange(table.Rows.Count, 1, 20);
            var rolls = table.Columns.ToList().FindIndex(column => column.Name == "Rolls");
            Assert.Equal(chart.Events.Count(made => made.Kind == "roll"), rolls < 0 ? 0
                : table.Rows.Sum(row => row.Cells[rolls] == Format.Missing ? 0 : int.Parse(row.Cells[rolls], NumberStyles.AllowThousands, CultureInfo.InvariantCulture)));
        }
    }

    [Fact]
    public void The_passes_of_several_targets_lie_over_the_same_seconds()
    {
        RunRecord On(RunRecord record, string folder, int slower) => record with
        {
            Target = record.Target with { Folder = folder },
            Timeline = record.Timeline is not { } timeline ? null : timeline with { Points = [.. timeline.Points.Select(point => point with { Bytes = point.Bytes / slower, MaxNs = point.MaxNs * slower })] },
        };
        var charts = ReportCharts.Of([.. Sample.Select(record => On(record, "/mnt/nvme0", 1)), .. Sample.Select(record => On(record, "/mnt/raid0", 2))], Plain);
        var chart = charts.First(chart => chart.Id.StartsWith("log-append-overlaid", StringComparison.Ordinal));
        Assert.Equal([("nvme0", 0, 0), ("raid0", 0, 1), ("nvme0", 1, 0), ("raid0", 1, 1)], chart.Series.Select(series => (series.Name, series.Panel, series.Color)));
        Assert.Empty(chart.Events);
        Assert.All(chart.Series[0].Points.Zip(chart.Series[1].Points), pair =>
        {
            Assert.Equal(pair.First.X, pair.Second.X);
            Assert.InRange(pair.Second.Y * 2, 0.999 * pair.First.Y, pair.First.Y);
        });
        // Equal parts of steps have the mean of the steps.
        var table = ChartTable.Of(chart);
        Assert.Equal(["From", "Throughput, nvme0", "Throughput, raid0", "Slowest, nvme0", "Slowest, raid0", "Evidence"], table.Columns.Select(column => column.Name));
        Assert.Equal(20, table.Rows.Count);
        // Those of one target alone are three of each, not a wall.
        Assert.Equal(6, charts.Count(chart => chart.Id.StartsWith("log-append-timeline", StringComparison.Ordinal)));
        Assert.DoesNotContain(Charts, chart => chart.Id.StartsWith("log-append-overlaid", StringComparison.Ordinal));
    }

    [Fact]
    public void Events_that_were_left_out_are_said_and_a_pass_that_is_not_there_is_no_failure()
    {
        var record = Append("each", "16MiB");
        Assert.True(record.Timeline!.EventsLeftOut > 0);
        Assert.Contains(Charts, chart => chart.Kind == ChartKind.Timeline && chart.Title == "Each append" && chart.Subtitle.Contains("shorter events are not shown", StringComparison.Ordinal));
        TimelineRecord[] odd =
        [
            record.Timeline with { Pass = 99 }, record.Timeline with { Pass = -1 }, record.Timeline with { Points = [] }, record.Timeline with { IntervalSeconds = 0 },
            record.Timeline with { Points = [.. record.Timeline.Points.Select(point => point with { P50Ns = null, P99Ns = null, MaxNs = null })] },
            record.Timeline with { Points = [new TimelinePoint()], Events = [] },
        ];
        foreach (var timeline in odd)
            Assert.NotEmpty(HtmlReport.Render([record with { Timeline = timeline }], Plain));
    }

    [Fact]
    public void A_contradicted_case_has_a_contradicted_timeline()
    {
        RunRecord[] records = [.. Sample.Select(record => record.Timeline is null || record.Parameters["FlushPolicy"] != "roll" ? record
            : SampleRecords.Contradicted(record, "durable", "deviceFlushesPerPass", 0, "≥ 1", "no flush"))];
        var chart = ReportCharts.Of(records, Plain).Single(chart => chart.Id.StartsWith("log-append-timeline", StringComparison.Ordinal) && chart.Title == "At each roll (contradicted)");
        Assert.Contains("\"verdict\":\"contradicted\"", EChartsOptions.Render(chart), StringComparison.Ordinal);
        Assert.All(ChartTable.Of(chart).Rows, row => Assert.Equal("contradicted", row.Class));
        // Contradicted lines keep their colours, so that throughput and latency can still be told apart.
        Assert.Equal(chart.Series.Select(series => series.Color), JsonDocument.Parse(EChartsOptions.Render(chart)).RootElement.GetProperty("series").EnumerateArray()
            .Where(series => series.GetProperty("bench").TryGetProperty("verdict", out _)).Select(series => series.GetProperty("bench").GetProperty("color").GetInt32()));
    }

    [Fact]
    public void The_raw_write_stands_beside_the_log_only_where_both_were_measured()
    {
        var chart = Named("log-append-limit-1");
        Assert.Equal(["of a buffered write", "of a direct write"], chart.Series.Select(series => series.Name));
        var raw = Sample.Single(record => record.Workload == "CachePath" && record.Parameters is { } has && has["Access"] == "BufferedWarm" && has["Operation"] == "Write" && has["BlockSize"] == "64KiB");
        var row = chart.X.Categories.Index().Single(pair => pair.Item.Contains("no flush", StringComparison.Ordinal) && pair.Item.Contains("128 MiB", StringComparison.Ordinal) && pair.Item.Contains("64 KiB", StringComparison.Ordinal)).Index;
        Assert.Equal(Append("none", "128MiB").BytesPerSecond!.Median / raw.BytesPerSecond!.Median, chart.Series[0].Points.Single(point => point.X == row).Y, 0.05);
        Assert.DoesNotContain(ReportCharts.Of([.. Sample.Where(record => record.Workload == "LogAppend")], Plain), other => other.Id.StartsWith("log-append-limit", StringComparison.Ordinal));

        // A limit that is contradicted makes every share of it so.
        var spoiled = ReportCharts.Of([.. Sample.Select(record => record == raw ? SampleRecords.Contradicted(raw, "warm", "residencyBefore", 0, "≥ 0.99", "it was cold") : record)], Plain);
        Assert.Equal(Verdict.Contradicted, spoiled.Single(other => other.Id == chart.Id).Series[0].Points.Single(point => point.X == row).Verdict);
    }

    [Fact]
    public void Runs_side_by_side_have_a_heat_map_each()
    {
        RunRecord[] records = [.. new SampleRecords().LogAppend(), .. new SampleRecords(2, "20261123-090000-77aa") { Speed = 1.5 }.LogAppend()];
        var charts = ReportCharts.Of(records, Plain).Where(chart => chart.Id.StartsWith("log-append-throughput", StringComparison.Ordinal)).ToArray();
        Assert.Equal(["Run A", "Run B"], charts.Select(chart => chart.Title));
        Assert.All(charts, chart => Assert.Equal(28, chart.Series.Sum(series => series.Points.Count)));
    }

    [Fact]
    public void Markdown_has_the_table_of_every_chart()
    {
        var text = MarkdownReport.Render(Sample, Plain);
        foreach (var chart in Charts)
            foreach (var row in ChartTable.Of(chart).Rows)
                Assert.Contains("| " + string.Join(" | ", row.Cells.Select(MarkdownReport.Escape)) + " |", text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_anonymous_report_keeps_the_timeline_and_drops_what_it_does_not_know_in_it()
    {
        var unknown = new Dictionary<string, JsonElement> { ["unheardOf"] = JsonDocument.Parse("\"unheard\"").RootElement };
        var record = Append("roll", "16MiB");
        record = record with
        {
            Timeline = record.Timeline! with
            {
                Unknown = unknown,
                Points = [.. record.Timeline.Points.Select(point => point with { Unknown = unknown })],
                Events = [.. record.Timeline.Events.Select(made => made with { Unknown = unknown, Kind = "roll of /home/kim/x" })],
            },
        };
        var page = HtmlReport.Render([record], new ReportOptions { Anonymous = true });
        var embedded = HtmlReportTests.Embedded(page);
        Assert.Contains("\"timeline\":", embedded, StringComparison.Ordinal);
        Assert.DoesNotContain("unheard", embedded, StringComparison.Ordinal);
        Assert.DoesNotContain("kim", embedded + page[page.IndexOf("</style>", StringComparison.Ordinal)..page.LastIndexOf("<script>", StringComparison.Ordinal)], StringComparison.Ordinal);
    }

    private static AnswerLine Answer(IReadOnlyList<RunRecord> records, string id) =>
        ReportContent.Of(records, Plain).Answers.Single(answer => answer.Id == id).Lines[0];

    [Theory]
    [InlineData("log-flush", "Without any flush the log takes ", " the bytes per second that it takes with a flush of each append (128 MiB segments, batches of 64 KiB, 1 producer)")]
    [InlineData("log-segment", "Segments of 1 GiB give ", " the throughput of segments of 1 MiB (no flush)")]
    [InlineData("log-group", "Group commit 500 µs takes ", " both with nothing acknowledged before it is flushed (128 MiB segments, batches of 64 KiB, 16 producers)")]
    [InlineData("log-preallocation", "Preallocated segments (fallocate) give ", " the throughput of segments that grow (each append, 128 MiB segments, batches of 64 KiB, 1 producer)")]
    [InlineData("log-catch-up", "Beside a reader that catches up, the writer’s 99th percentile is ", " what it is beside a reader of cached records (sendfile, fetches of 1 MiB)")]
    public void The_answers_are_sentences_with_figures(string id, string start, string end)
    {
        var line = Answer(Sample, id);
        Assert.StartsWith(start, line.Sentence, StringComparison.Ordinal);
        Assert.EndsWith(end, line.Sentence, StringComparison.Ordinal);
        Assert.Equal(AnswerState.Differs, line.State);
        Assert.Contains(" interval ", line.Detail, StringComparison.Ordinal);
        Assert.InRange(line.Ratio!.Value, line.Ratio.Low, line.Ratio.High);
    }

    [Fact]
    public void The_cost_of_flushing_is_told_with_what_is_at_risk_without()
    {
        var expected = Format.Value(Quantity.Bytes, Append("none", "128MiB").Metrics["dataAtRiskBytes"].Median);
        Assert.Contains($"at risk is all of a pass, here {expected}, against 0 B", Answer(Sample, "log-flush").Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_segment_size_without_an_effect_is_no_difference()
    {
        RunRecord[] records = [.. Sample.Select(record => record.Workload != "LogAppend" || record.Parameters["FlushPolicy"] != "none" || record.Parameters["SegmentSize"] != "1GiB" ? record
            : record with { Passes = Append("none", "1MiB").Passes })];
        var line = Answer(records, "log-segment");
        Assert.Equal(AnswerState.NoDifference, line.State);
        Assert.StartsWith("No difference shown here", line.Sentence, StringComparison.Ordinal);
        Assert.Contains("Other policies: at each roll: ", line.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("log-flush", "LogAppend", "FlushPolicy", "each")]
    [InlineData("log-group", "LogAppend", "FlushPolicy", "group:500")]
    [InlineData("log-preallocation", "LogAppend", "Preallocation", "Fallocate")]
    [InlineData("log-catch-up", "LogRead", "Position", "ColdHistory")]
    public void No_answer_stands_on_a_contradicted_case(string id, string workload, string parameter, string value)
    {
        var line = Answer([.. Sample.Select(record => record.Workload == workload && record.Parameters[parameter] == value
            ? SampleRecords.Contradicted(record, "durable", "deviceFlushesPerPass", 0, "≥ 1", "no flush reached the disks") : record)], id);
        Assert.Equal(AnswerState.LeftOut, line.State);
        Assert.Contains("is contradicted (durable: no flush reached the disks)", line.Sentence, StringComparison.Ordinal);
        Assert.Null(line.Ratio);
    }

    [Fact]
    public void A_question_that_no_case_raises_is_not_asked()
    {
        RunRecord[] plain = [.. Sample.Where(record => record.Workload == "LogAppend" && record.Parameters["Preallocation"] == "None" && !record.Parameters["FlushPolicy"].StartsWith("group", StringComparison.Ordinal))];
        Assert.Equal(["log-flush", "log-segment"], ReportContent.Of(plain, Plain).Answers.Select(answer => answer.Id));
        Assert.DoesNotContain(ReportContent.Of([.. new SampleRecords().All()], Plain).Answers, answer => answer.Id.StartsWith("log", StringComparison.Ordinal));
    }

    [Fact]
    public void The_table_of_cases_has_the_figures_of_a_log()
    {
        var table = ReportContent.Of(Sample, Plain).Sections.Single(section => section.Id == "log-append").Cases;
        Assert.Subset(table.Columns.Select(column => column.Name).ToHashSet(), new HashSet<string> { "At risk", "At risk for", "Rolls", "Flushes in the pass", "CPU s/GB", "fsync p99", "roll p99" });
    }

    [Fact]
    public void Each_case_alone_makes_a_report()
    {
        foreach (var record in new SampleRecords().Log())
        {
            Assert.Contains("1 case: 1 ", HtmlReport.Render([record], Plain), StringComparison.Ordinal);
            Assert.NotEmpty(MarkdownReport.Render([record], Plain));
        }
    }
}
