using Bench.Measure;
using Bench.Measure.Records;
using Bench.Reports.Advice;
using Bench.Reports.Charts;
using Bench.Reports.Content;
using Xunit;

namespace Bench.Reports.Tests;

/// <summary>What to set, from appends with known figures.</summary>
public class AdviceTests
{
    [Fact]
    public void Each_wish_gets_the_choice_that_serves_it()
    {
        var advice = Of([
            Append("64MiB", "none", 900e6, 50e3, 120e6), Append("1MiB", "none", 500e6, 60e3, 60e6),
            Append("64MiB", "bytes:1MiB", 400e6, 20e3, 1 << 20), Append("1MiB", "bytes:1MiB", 300e6, 30e3, 1 << 20),
            Append("64MiB", "each", 30e6, 400e3, 0), Append("1MiB", "each", 20e6, 500e3, 0),
        ]);
        Assert.Equal(["none 64MiB", "bytes:1MiB 64MiB", "each 64MiB"], advice.Wishes.Select(wish => $"{wish.Choice["FlushPolicy"]} {wish.Choice["SegmentSize"]}"));
        Assert.Equal(["log.segment.bytes=67108864", "# log.flush.interval.messages: default", "# log.flush.interval.ms: default"], Lines(advice.Wishes[0]));
        Assert.Equal(["log.segment.bytes=67108864", "log.flush.interval.messages=1024"], Lines(advice.Wishes[1]));
        Assert.Equal(["log.segment.bytes=67108864", "log.flush.interval.messages=1"], Lines(advice.Wishes[2]));
        Assert.Contains("power loss takes nothing", advice.Wishes[2].Notes[0], StringComparison.Ordinal);
        Assert.Contains("not written back", advice.Wishes[0].Notes[0], StringComparison.Ordinal);
        Assert.Equal("Segment sizes that differ from it in throughput: 1 MiB (500 MB/s, slowest hundredth 60.0 µs).", advice.Wishes[0].SegmentSizes);
        // The three of 64 MiB: nothing of 1 MiB is better in anything.
        Assert.Equal(["no flush", "every 1 MiB", "each append"], advice.Front.Rows.Select(row => row.Cells[0]));
        Assert.Equal(3, advice.Cards.Count);

        // The same as a picture: a series for each kind of loss, and one for the choices that another beats.
        var picture = advice.Picture!;
        Assert.Equal(
            [("Loses nothing that was acknowledged", "each append, 64 MiB"), ("Loses up to a bound", "every 1 MiB, 64 MiB"), ("Loses without a bound, or not known", "no flush, 64 MiB"),
                ("Beaten in all three by another", "each append, 1 MiB; every 1 MiB, 1 MiB; no flush, 1 MiB")],
            picture.Series.Select(series => (series.Name, string.Join("; ", series.Points.Select(point => point.Name)))));
        // Their names stand in the table only, where they take nobody's place.
        Assert.Equal([false, false, false, true], picture.Series.Select(series => series.Unnamed));
        Assert.Equal(["each append, 64 MiB", "every 1 MiB, 64 MiB", "no flush, 64 MiB"], picture.Series.SelectMany(series => series.Points).Where(point => point.IsForemost).Select(point => point.Name));
        Assert.StartsWith("3 of 6 choices", picture.Finding, StringComparison.Ordinal);
        Assert.Equal((900e6, 50e3), (Math.Round(picture.Series[2].Points[0].X / 1e6) * 1e6, Math.Round(picture.Series[2].Points[0].Y / 1e3) * 1e3));
        Assert.Equal(["no flush, 64 MiB", "no flush, 1 MiB", "every 1 MiB, 64 MiB"], ChartTable.Of(picture).Rows.Take(3).Select(row => row.Cells[0]));
    }

    [Fact]
    public void Where_no_difference_was_shown_the_safer_choice_is_advised_and_the_segment_size_left_alone()
    {
        var advice = Of([
            Append("64MiB", "none", 900e6, 50e3, 120e6), Append("1MiB", "none", 901e6, 50e3, 60e6),
            Append("64MiB", "bytes:16MiB", 900.5e6, 50e3, 16 << 20), Append("1MiB", "bytes:16MiB", 900.2e6, 50e3, 16 << 20),
            Append("64MiB", "roll", 900.1e6, 50e3, 64 << 20), Append("1MiB", "roll", 900.7e6, 50e3, 1 << 20),
        ]);
        Assert.Equal(["throughput", "latency"], advice.Wishes.Select(wish => wish.Id));
        Assert.All(advice.Wishes, wish => Assert.Equal("bytes:16MiB", wish.Choice["FlushPolicy"]));
        Assert.Equal("# log.segment.bytes: default", Lines(advice.Wishes[0])[0]);
        Assert.Contains("makes no difference", advice.Wishes[0].SegmentSizes, StringComparison.Ordinal);
        Assert.Contains("No difference in throughput was shown to no flush, at each roll", advice.Wishes[0].Notes[1], StringComparison.Ordinal);
        // One choice with the same settings is printed once.
        Assert.Equal("For throughput and latency", Assert.Single(advice.Cards).Title);
    }

    [Fact]
    public void A_card_for_two_wishes_names_the_segment_sizes_once()
    {
        var advice = Of([
            Append("64MiB", "none", 900e6, 50e3, 120e6), Append("16MiB", "none", 899e6, 70e3, 120e6), Append("1MiB", "none", 500e6, 60e3, 60e6),
            Append("64MiB", "each", 30e6, 400e3, 0), Append("1MiB", "each", 20e6, 500e3, 0),
        ]);
        Assert.StartsWith("Segment sizes that differ from it in throughput: 1 MiB", advice.Wishes[0].SegmentSizes, StringComparison.Ordinal);
        var card = advice.Cards[0];
        Assert.Equal("For throughput and latency", card.Title);
        Assert.Equal("Segment sizes that differ from it in throughput or latency: 1 MiB (500 MB/s, slowest hundredth 60.0 µs), 16 MiB (899 MB/s, slowest hundredth 69.9 µs).", card.SegmentSizes);
        Assert.DoesNotContain(card.Notes, note => note.Contains("Segment sizes", StringComparison.Ordinal));
    }

    /// <summary>Of segment sizes that are alike in latency the largest was advised, and one beside it beat it in latency and throughput.</summary>
    [Theory]
    [InlineData(1149e6, "8MiB")]
    [InlineData(1290e6, "64MiB")]
    public void Segment_sizes_that_are_alike_in_latency_are_told_apart_by_their_throughput(double largestBytesPerSecond, string advised)
    {
        var latency = Of([Append("64MiB", "none", largestBytesPerSecond, 54e3, 120e6), Append("8MiB", "none", 1292e6, 50e3, 120e6), Append("8MiB", "each", 30e6, 400e3, 0)]).Wishes[1];
        Assert.Equal(("latency", advised), (latency.Id, latency.Choice["SegmentSize"]));
    }

    [Fact]
    public void A_contradicted_or_failed_case_is_never_advised()
    {
        var good = Append("64MiB", "roll", 300e6, 90e3, 64 << 20);
        var advice = Of([
            Append("64MiB", "none", 900e6, 50e3, 120e6) with { Evidence = new EvidenceRecord { Verdict = Verdict.Contradicted } },
            good, Append("64MiB", "each", 30e6, 400e3, 0), Append("64MiB", "bytes:1MiB", 950e6, 10e3, 1 << 20) with { Error = "no space", Passes = [] },
        ]);
        Assert.All(advice.Wishes.Take(2), wish => Assert.Equal("roll", wish.Choice["FlushPolicy"]));
    }

    /// <summary>A hard disk's passes can end before the first flush in the background does, all or some: such figures are the cache's.</summary>
    [Fact]
    public void A_policy_that_flushed_nothing_is_not_advised_and_named()
    {
        RunRecord Flushed(RunRecord record, int fewest, int flushes) => record with { Metrics = new Dictionary<string, Estimate>(record.Metrics) { ["flushes"] = new(flushes, fewest, flushes) } };
        var advice = Of([
            Flushed(Append("1MiB", "roll", 900e6, 10e3, 30 << 20), 0, 0), Flushed(Append("64MiB", "roll", 950e6, 9e3, 30 << 20), 0, 1),
            Flushed(Append("64MiB", "bytes:1MiB", 50e6, 90e3, 1 << 20), 4, 4),
            Flushed(Append("64MiB", "none", 800e6, 20e3, 120e6), 0, 0), Flushed(Append("64MiB", "each", 3e6, 400e3, 0), 9, 9),
        ]);
        Assert.Equal(["none", "none", "each"], advice.Wishes.Select(wish => wish.Choice["FlushPolicy"]));
        Assert.DoesNotContain(advice.Front.Rows, row => row.Cells[0] == "at each roll");
        Assert.Equal("Not among the choices, because passes ended before a flush did: at each roll, 1 MiB; at each roll, 64 MiB.", advice.Unflushed);
        Assert.Null(Of([Append("1MiB", "none", 900e6, 10e3, 120e6), Append("1MiB", "each", 3e6, 400e3, 0)]).Unflushed);
    }

    [Fact]
    public void A_slower_choice_is_not_alike_because_the_best_one_s_passes_are_wild()
    {
        // The best has two passes in three at full speed, the others at half: the interval includes everything.
        var wild = Append("64MiB", "none", 1000e6, 50e3, 120e6);
        double[] rates = [400e6, 1000e6, 420e6, 1010e6, 990e6, 410e6, 1000e6, 1005e6];
        wild = wild with { Passes = [.. rates.Select(rate => new PassRecord { Seconds = 0.4, Bytes = (long)(rate * 0.4), Operations = 1000 })], BytesPerSecond = Bench.Measure.MedianInterval.Of(rates) };
        var advice = Of([wild, Append("64MiB", "bytes:1MiB", 500e6, 70e3, 1 << 20)]);
        Assert.Equal("none", advice.Wishes[0].Choice["FlushPolicy"]);
    }

    [Fact]
    public void Durability_is_not_advised_where_no_flush_was_shown_to_reach_the_device()
    {
        RunRecord Unproven(RunRecord record) => record with { Evidence = new EvidenceRecord { Verdict = Verdict.Unproven, Claims = [new ClaimRecord { Claim = "durable", Verdict = Verdict.Unproven, Reason = "could not be read: deviceFlushes" }] } };
        var advice = Of([Append("64MiB", "none", 900e6, 50e3, 120e6), Unproven(Append("64MiB", "each", 899e6, 40e3, 0))]);
        Assert.Equal(["throughput", "latency"], advice.Wishes.Select(wish => wish.Id));
        Assert.StartsWith("For durability nothing is advised: it was not shown", advice.Missing, StringComparison.Ordinal);
        Assert.Contains("could not be read", advice.Missing, StringComparison.Ordinal);
    }

    /// <summary>One append in a thousand waits for a flush of 100 ms: the 99th percentile is the lower one, and the worse choice.</summary>
    [Fact]
    public void Stalls_beyond_the_percentile_do_not_win_the_wish_for_latency()
    {
        var advice = Of([
            Append("64MiB", "none", 900e6, 0, 120e6, Latencies((40e3, 9_800), (64e3, 200))),
            Append("64MiB", "bytes:16MiB", 400e6, 0, 16 << 20, Latencies((40e3, 9_890), (60e3, 100), (100e6, 10))),
        ]);
        var latency = advice.Wishes.Single(wish => wish.Id == "latency");
        Assert.Equal("none", latency.Choice["FlushPolicy"]);
        Assert.DoesNotContain(latency.Notes, note => note.Contains("does not contain their stalls", StringComparison.Ordinal));
        var front = advice.Front.Rows.Single(row => row.Cells[0] == "every 16 MiB").Cells;
        Assert.Equal(["60.2 µs", "10.0 ms"], front.Skip(3).Take(2));
    }

    [Fact]
    public void Targets_whose_latencies_are_alike_have_no_winner()
    {
        RunRecord On(string folder, double p99Ns, string policy) => Append("64MiB", policy, 900e6, p99Ns, 1 << 20) is var record ? record with { Target = record.Target with { Folder = folder } } : null!;
        var book = AdviceBook.Of(RunView.Of([On("/mnt/a", 50e3, "none"), On("/mnt/a", 900e3, "bytes:1MiB"), On("/mnt/b", 52e3, "none"), On("/mnt/b", 900e3, "bytes:1MiB")]));
        Assert.Contains("a (50.0 µs); no difference was shown to b (52.0 µs)", book.Between[1], StringComparison.Ordinal);
    }

    [Fact]
    public void One_policy_is_no_choice()
    {
        Assert.Empty(AdviceBook.Of(RunView.Of([Append("64MiB", "none", 900e6, 50e3, 120e6), Append("1MiB", "none", 905e6, 50e3, 60e6)])).Targets);
    }

    [Theory]
    [InlineData("interval:100", "log.flush.interval.ms=100", "log.flush.scheduler.interval.ms=100")]
    [InlineData("records:10000", "log.flush.interval.messages=10000")]
    [InlineData("group:200", "log.flush.interval.messages=1")]
    [InlineData("roll", "# log.flush.interval.messages: default", "# log.flush.interval.ms: default")]
    public void Policies_in_Kafkas_words(string policy, params string[] lines)
    {
        var view = Assert.Single(RunView.Of([Append("64MiB", policy, 1e6, 1e3, 0)])[0].Cases);
        Assert.Equal(["log.segment.bytes=1024", .. lines], KafkaSettings.Of(view, 1024).Select(setting => setting.ToString()));
    }

    [Fact]
    public void Targets_of_one_run_are_compared_wish_by_wish()
    {
        RunRecord On(RunRecord record, string folder) => record with { Target = record.Target with { Folder = folder } };
        RunRecord[] fast = [Append("64MiB", "none", 900e6, 50e3, 120e6), Append("64MiB", "each", 30e6, 400e3, 0)];
        RunRecord[] slow = [Append("64MiB", "none", 300e6, 80e3, 40e6), Append("64MiB", "each", 30.1e6, 800e3, 0)];
        var runs = RunView.Of([.. fast.Select(record => On(record, "/mnt/nvme0")), .. slow.Select(record => On(record, "/mnt/raid0"))]);
        Assert.Equal(["nvme0", "raid0"], runs.Select(run => run.Label.Full));
        var named = new ReportOptions { Anonymous = true, Names = ["The drive", "The array"] };
        var withNames = HtmlReport.Render([.. fast.Select(record => On(record, "/mnt/nvme0")), .. slow.Select(record => On(record, "/mnt/raid0"))], named);
        Assert.Contains("<h1>The drive and The array</h1>", withNames, StringComparison.Ordinal);
        Assert.Contains("<h2>The array</h2>", withNames, StringComparison.Ordinal);
        // The folder is left out, and its stand-in would be a second name for the same.
        Assert.Contains("<li><b>The array</b>", withNames, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>target 2</b>", withNames, StringComparison.Ordinal);
        var book = AdviceBook.Of(runs);
        Assert.Equal(2, book.Targets.Count);
        Assert.Matches(@"^For throughput: nvme0 \(900 MB/s\); 3\.\d+× \(.* to .*\) the throughput of raid0 \(300 MB/s\)\.$", book.Between[0]);
        Assert.Equal("For latency (the page cache’s, while it has room), by the slowest hundredth of the appends (one figure each, without an interval): nvme0 (50.0 µs); raid0 has 1.60× that.", book.Between[1]);
        Assert.Equal("For durability: raid0 (30.1 MB/s); no difference was shown to nvme0 (30.0 MB/s).", book.Between[2]);
        // The page cache is as fast over a slow disk as over a fast one: who lasts is told by the flush that is left. Of
        // what is never flushed only the last pass has one.
        RunRecord Left(RunRecord record, double seconds) => record with { Passes = [.. record.Passes.Select((pass, index) => index < record.Passes.Count - 1 ? pass : pass with { FlushSeconds = seconds })] };
        var cached = AdviceBook.Of(RunView.Of(
        [
            .. fast.Select(record => On(Left(record, 0.05), "/mnt/nvme0")),
            .. slow.Select(record => On(Left(record, 2) with { BytesPerSecond = new Estimate(950e6, 940e6, 960e6) }, "/mnt/hdd")),
        ]));
        Assert.Matches(@"^For throughput, counted until all of it is durable: nvme0 \(8\d\d MB/s\); 1\d× \(.*\) the throughput of hdd \(50\.\d MB/s\)\.$", cached.Between[0]);
        Assert.Equal("The page cache alone takes the appends in at 900 MB/s (nvme0), 950 MB/s (hdd), for as long as it has room.", cached.Between[1]);
        Assert.Contains("Counted until all of it is durable: 50.3 MB/s.", cached.Targets[1].Wishes[0].Notes);
        Assert.DoesNotContain(cached.Targets[1].Wishes[^1].Notes, note => note.Contains("Counted until", StringComparison.Ordinal));
        var page = HtmlReport.Render([.. fast.Select(record => On(record, "/mnt/nvme0")), .. slow.Select(record => On(record, "/mnt/raid0"))], new ReportOptions());
        Assert.Contains("id=\"wish-durability-2\"", page, StringComparison.Ordinal);
        Assert.Contains("<h2>raid0</h2>", page, StringComparison.Ordinal);
    }

    private static string[] Lines(Wish wish) => [.. wish.Settings.Select(setting => setting.ToString())];

    private static TargetAdvice Of(RunRecord[] records) => Assert.Single(AdviceBook.Of(RunView.Of(records)).Targets);

    private static LatencyHistogram Latencies(params (double Ns, int Count)[] values)
    {
        var histogram = new LatencyHistogram();
        foreach (var (ns, count) in values)
            for (var number = 0; number < count; number++)
                histogram.Record((long)ns);
        return histogram;
    }

    /// <summary>An append whose eight passes spread by one percent around a rate.</summary>
    private static RunRecord Append(string segment, string policy, double bytesPerSecond, double p99Ns, double atRiskBytes, LatencyHistogram? latency = null)
    {
        var like = new SampleRecords().LogAppend().First(record => record.Parameters["FlushPolicy"] == "bytes:1MiB");
        double[] rates = [.. Enumerable.Range(0, 8).Select(pass => bytesPerSecond * (0.993 + 0.002 * pass))];
        return like with
        {
            Case = $"LogAppend(SegmentSize={segment}, FlushPolicy={policy})",
            Parameters = new Dictionary<string, string>(like.Parameters) { ["SegmentSize"] = segment, ["FlushPolicy"] = policy },
            Passes = [.. rates.Select(rate => new PassRecord { Seconds = 0.4, Bytes = (long)(rate * 0.4), Operations = (long)(rate * 0.4 / 65_536) })],
            BytesPerSecond = Bench.Measure.MedianInterval.Of(rates),
            LatencyNs = new Dictionary<string, LatencyRecord> { ["append"] = (latency ?? Latencies((p99Ns / 2, 980), (p99Ns, 20))).ToRecord() },
            Metrics = new Dictionary<string, Estimate>
            {
                ["dataAtRiskBytes"] = new(atRiskBytes, atRiskBytes, atRiskBytes),
                ["dataAtRiskMs"] = new(atRiskBytes / bytesPerSecond * 1e3, 0, 0),
            },
        };
    }
}
