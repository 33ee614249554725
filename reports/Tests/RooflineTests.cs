using Bench.Measure;
using Bench.Measure.Records;
using Bench.Reports.Content;
using Bench.Reports.Limits;
using Xunit;

namespace Bench.Reports.Tests;

/// <summary>What bounds a case, from cases with known counters.</summary>
public class RooflineTests
{
    [Fact]
    public void Limits_are_the_best_that_the_run_measured_and_a_contradicted_case_sets_none()
    {
        var limits = Roofline.LimitsOf(Views(
            Read("Direct", "Sequential", "1MiB", "1", 800e6), Read("Direct", "Sequential", "4KiB", "1", 200e6), Read("Direct", "Random", "4KiB", "32", 260e6),
            Read("Direct", "Sequential", "64KiB", "1", 9e9) with { Evidence = new EvidenceRecord { Verdict = Verdict.Contradicted } }));
        Assert.Equal([(Resource.DeviceRead, 800e6), (Resource.ReadOperations, 63477), (Resource.Processor, 1.0)], limits.Select(limit => (limit.Resource, Math.Round(limit.PerSecond))));
    }

    [Fact]
    public void A_case_is_bounded_by_the_limit_that_it_is_nearest_to_or_by_waiting_or_by_none()
    {
        var views = Views(
            Read("Direct", "Sequential", "1MiB", "1", 800e6), Read("Direct", "Random", "4KiB", "32", 260e6),
            Read("Direct", "Random", "4KiB", "1", 26e6), Read("Direct", "Random", "4KiB", "8", 130e6), Read("BufferedCold", "Sequential", "64KiB", "1", 700e6),
            Read("BufferedWarm", "Random", "4KiB", "1", 2e9, device: 0, cpu: 0.99));
        var limits = Roofline.LimitsOf(views);
        Assert.Equal(
            ["the device’s read bandwidth", "the device’s random reads a second", "waiting for one request at a time", null, "the device’s read bandwidth", "the processor"],
            views.Select(view => Roofline.Of(view, limits)!.BoundBy));
        Assert.Equal(0.875, Roofline.Of(views[4], limits)!.Share, 3);
    }

    [Fact]
    public void What_a_case_takes_of_the_device_is_what_the_device_did()
    {
        // It asked for 700 MB/s, and the device delivered a tenth of that.
        var views = Views(Read("Direct", "Sequential", "1MiB", "1", 800e6), Read("BufferedCold", "Sequential", "64KiB", "1", 700e6, device: 70e6));
        Assert.Equal(70.0 / 800, Roofline.Of(views[1], Roofline.LimitsOf(views))!.Shares[Resource.DeviceRead], 3);
    }

    [Fact]
    public void No_case_goes_beyond_a_limit_for_the_limit_is_the_most_that_any_took()
    {
        // Read-ahead gets more out of the device than one direct read at a time; a direct case's own counter is a little above its median too.
        var views = Views(
            Read("Direct", "Sequential", "1MiB", "1", 800e6, device: 830e6), Read("BufferedCold", "Sequential", "256KiB", "1", 1200e6),
            Read("Direct", "Random", "4KiB", "1", 40e6), Read("BufferedCold", "Random", "4KiB", "1", 50e6));
        var limits = Roofline.LimitsOf(views);
        Assert.Equal(1200e6, limits.Single(limit => limit.Resource == Resource.DeviceRead).PerSecond);
        Assert.All(views, view => Assert.InRange(Roofline.Of(view, limits)!.Share, 0, 1));
        Assert.Equal(1, Roofline.Of(views[1], limits)!.Shares[Resource.DeviceRead]);
        // That it comes from another kind of case is said.
        var told = Assert.Single(LimitsSection.Of(RunView.Of([.. views.Select(view => view.Record)]))!.Groups).Text;
        Assert.Contains("read bandwidth 1,200 MB/s (CachePath · buffered, cold", told, StringComparison.Ordinal);
        // Random reads of small blocks find a limit of operations and none of bytes.
        Assert.Equal([Resource.ReadOperations, Resource.Processor], Roofline.LimitsOf(Views(Read("Direct", "Random", "4KiB", "8", 130e6))).Select(limit => limit.Resource));
        // Without a case that was made to find it there is no limit: the best of the others would bound itself.
        Assert.DoesNotContain(Roofline.LimitsOf(Views(Read("BufferedCold", "Sequential", "256KiB", "1", 1200e6))), limit => limit.Source is not null);
    }

    [Fact]
    public void The_processor_bounds_the_busiest_thread_or_the_whole_process()
    {
        static CaseView With(double? thread, double process)
        {
            var read = Read("BufferedWarm", "Sequential", "1MiB", "1", 2e9, device: 0, cpu: process);
            return Views(read with { Host = read.Host with { LogicalProcessors = 2 }, Passes = [.. read.Passes.Select(pass => pass with { ThreadCpuSeconds = thread })] })[0];
        }
        static double Share(CaseView view) => Roofline.Of(view, Roofline.LimitsOf([]))!.Shares[Resource.Processor];
        // A writer beside, or a flush in the background, is no part of what bounds the reader.
        Assert.Equal(0.4, Share(With(0.4, 0.7)), 3);
        // And what lies in memory waits for no request.
        Assert.Null(Roofline.Of(With(0.4, 0.7), Roofline.LimitsOf([]))!.BoundBy);
        // What works for it in the kernel's own threads may fill all processors.
        Assert.Equal(0.9, Share(With(0.3, 1.8)), 3);
        // Records of before the thread's own time was kept.
        Assert.Equal(0.5, Share(With(null, 1)), 3);
    }

    [Fact]
    public void A_batch_in_the_processors_cache_is_not_held_against_memory()
    {
        var memory = Read("-", "Sequential", "1MiB", "1", 30e9) with { Workload = "AccessPattern" };
        memory = memory with { Parameters = new Dictionary<string, string> { ["Medium"] = "Memory", ["Pattern"] = "Sequential", ["Operation"] = "Read", ["BlockSize"] = "1MiB" } };
        var decode = Read("-", "-", "1MiB", "1", 400e9) with { Workload = "LogEncode" };
        decode = decode with { Parameters = new Dictionary<string, string> { ["Step"] = "Decode", ["RecordSize"] = "10KiB", ["Compression"] = "None" } };
        var views = Views(memory, decode);
        var limits = Roofline.LimitsOf(views);
        Assert.Equal(30e9, limits.Single(limit => limit.Resource == Resource.Memory).PerSecond);
        Assert.False(Roofline.Of(views[1], limits)!.Shares.ContainsKey(Resource.Memory));
    }

    [Fact]
    public void A_buffered_write_is_no_operation_of_the_device()
    {
        static RunRecord Write(string access)
        {
            var read = Read(access, "Random", "4KiB", "1", 400e6);
            return read with { Operation = "Write", Parameters = new Dictionary<string, string>(read.Parameters) { ["Operation"] = "Write" } };
        }
        var views = Views(Write("Direct"), Write("BufferedCold"), Read("BufferedCold", "Random", "4KiB", "1", 40e6), Read("Direct", "Random", "4KiB", "1", 40e6));
        var limits = Roofline.LimitsOf(views);
        Assert.Equal(1, Roofline.Of(views[0], limits)!.Shares[Resource.WriteOperations]);
        Assert.False(Roofline.Of(views[1], limits)!.Shares.ContainsKey(Resource.WriteOperations));
        Assert.Equal(1, Roofline.Of(views[2], limits)!.Shares[Resource.ReadOperations]);
    }

    [Fact]
    public void Each_bar_stands_in_its_row_whatever_limit_it_is_nearest_to()
    {
        var run = RunView.Of([Read("Direct", "Sequential", "1MiB", "1", 800e6), Read("Direct", "Random", "4KiB", "32", 260e6), Read("BufferedWarm", "Random", "4KiB", "1", 2e9, device: 0, cpu: 0.99)]);
        var section = LimitsSection.Of(run)!;
        var chart = Assert.Single(section.Groups.SelectMany(group => group.Charts));
        Assert.Equal(3, chart.Series.Count);
        Assert.True(chart.HasOneBarPerRow);
        var drawn = System.Text.Json.Nodes.JsonNode.Parse(Bench.Reports.Charts.EChartsOptions.Render(chart))!["series"]!.AsArray();
        Assert.All(drawn.Where(series => (string?)series!["type"] == "bar"), series => Assert.Equal("all", (string?)series!["stack"]));
        Assert.All(drawn.Where(series => (string?)series!["type"] == "custom"), series => Assert.Equal((1, 0), ((int)series!["bench"]!["count"]!, (int)series["bench"]!["index"]!)));
        // Which case a limit comes from is said with it.
        Assert.Contains("the device’s random reads a second 63.5k IOPS (random · 4 KiB · io_uring · depth 32)", Assert.Single(section.Groups).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Rounds_that_did_not_come_to_rest_are_not_called_steady(bool steady)
    {
        RoundRecord[] rounds = [.. Enumerable.Range(0, 7).Select(index => new RoundRecord { Seconds = 1, Bytes = steady ? 100 : 100 << (index % 2), Operations = 10, P99Ns = 1000 })];
        var record = Read("Direct", "Random", "4KiB", "32", 260e6) with { Workload = "SteadyState", Rounds = rounds };
        var page = MarkdownReport.Render([record], new ReportOptions());
        Assert.Equal(!steady, page.Contains("did not come to rest: it was given up after 7 rounds", StringComparison.Ordinal));
        Assert.Equal(!steady, page.Contains("After the rounds", StringComparison.Ordinal));
        Assert.Equal(steady, page.Contains("In the steady state", StringComparison.Ordinal));
    }

    [Fact]
    public void The_report_has_the_section_where_a_limit_was_measured_and_not_elsewhere()
    {
        var options = new ReportOptions();
        Assert.Contains("id=\"limits\"", HtmlReport.Render([Read("Direct", "Sequential", "1MiB", "1", 800e6)], options), StringComparison.Ordinal);
        Assert.Contains("## What bounds each case", MarkdownReport.Render([Read("Direct", "Sequential", "1MiB", "1", 800e6)], options), StringComparison.Ordinal);
        Assert.DoesNotContain("id=\"limits\"", HtmlReport.Render([.. new SampleRecords().LogRead()], options), StringComparison.Ordinal);
    }

    private static CaseView[] Views(params RunRecord[] records) => [.. RunView.Of(records)[0].Cases];

    private static RunRecord Read(string access, string pattern, string block, string depth, double bytesPerSecond, double? device = null, double cpu = 0.1)
    {
        var like = new SampleRecords().LogRead().First(record => record.Evidence.Verdict == Verdict.Proven);
        var size = Words.Bytes(block)!.Value;
        return like with
        {
            Workload = "CachePath",
            Operation = "Read",
            Case = $"CachePath({access}, {pattern}, {block}, {depth})",
            Parameters = new Dictionary<string, string>
            {
                ["Access"] = access, ["Operation"] = "Read", ["Pattern"] = pattern, ["BlockSize"] = block, ["Engine"] = depth == "1" ? "psync" : "io_uring", ["QueueDepth"] = depth, ["Threads"] = "1",
            },
            Metrics = new Dictionary<string, Estimate>(),
            Passes = [.. Enumerable.Range(0, 6).Select(_ => new PassRecord
            {
                Seconds = 1, Bytes = (long)bytesPerSecond, Operations = (long)(bytesPerSecond / size), CpuSystemSeconds = cpu, ThreadCpuSeconds = cpu, DeviceReadBytes = (long)(device ?? bytesPerSecond), DeviceWriteBytes = 0,
            })],
            BytesPerSecond = MedianInterval.Of([bytesPerSecond]),
            OperationsPerSecond = MedianInterval.Of([bytesPerSecond / size]),
        };
    }
}
