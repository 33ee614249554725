using Bench.Measure.Records;
using Bench.Reports.Answers;
using Bench.Reports.Content;
using Xunit;

namespace Bench.Reports.Tests;

public class AnswerTests
{
    private static readonly IReadOnlyList<RunRecord> Sample = new SampleRecords().All();

    private static AnswerLine Answer(IReadOnlyList<RunRecord> records, string id) =>
        ReportContent.Of(records, new ReportOptions()).Answers.Single(answer => answer.Id == id).Lines[0];

    [Theory]
    [InlineData("sequential-random", "Sequential direct reads of 1 MiB are 16× random direct reads of 4 KiB")]
    [InlineData("page-cache-sequential", "For sequential reads of 1 MiB, the page cache is 12× the disk")]
    [InlineData("queue-depth", "Queue depth 32 (io_uring) gives 5.1× the IOPS of depth 1, random direct reads of 4 KiB")]
    [InlineData("zero-copy", "sendfile takes 45 % less CPU per GB than read + write at the same chunk size of 64 KiB")]
    [InlineData("jacobs", "Jacobs’ claim holds here: sequential disk reads deliver 6.8× the values per second of random memory reads (4 KiB pages) (2009: 1.45×)")]
    public void The_answers_are_sentences_with_figures(string id, string expected)
    {
        var line = Answer(Sample, id);
        Assert.Equal(expected, line.Sentence);
        Assert.Equal(AnswerState.Differs, line.State);
        Assert.Contains("95 % interval", line.Detail, StringComparison.Ordinal);
        // The ratio need not be that of the two medians beside it, which is said.
        Assert.Matches("^medians .+ against .+; ratio of all pairs of passes, 95 % interval ", line.Detail);
        Assert.InRange(line.Ratio!.Value, line.Ratio.Low, line.Ratio.High);
    }

    [Theory]
    [InlineData("sequential-random")]
    [InlineData("page-cache-random")]
    public void No_answer_stands_on_a_contradicted_case(string id)
    {
        var line = Answer([.. Sample.Select(record => IsDirectRandom(record) && record.Parameters["Engine"] == "psync"
            ? SampleRecords.Contradicted(record, "direct", "deviceReadShare", 0, "≥ 0.98", "the bytes came from memory") : record)], id);
        Assert.Equal(AnswerState.LeftOut, line.State);
        Assert.Contains("is contradicted (direct: the bytes came from memory)", line.Sentence, StringComparison.Ordinal);
        Assert.Null(line.Ratio);
    }

    [Fact]
    public void No_answer_stands_on_a_failed_or_missing_case()
    {
        Assert.Contains("failed", Answer([.. Sample.Select(record => IsDirectRandom(record) ? SampleRecords.Failed(record, "EIO") : record)], "sequential-random").Sentence, StringComparison.Ordinal);
        Assert.Contains("no case of random direct reads", Answer([.. Sample.Where(record => record.Workload != "CachePath" || record.Parameters["Pattern"] != "Random")], "sequential-random").Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void An_interval_with_one_in_it_is_no_difference()
    {
        var samples = new SampleRecords();
        var line = Answer([samples.Path("Read", "Direct", "Sequential", "1MiB", "psync", 1, 800), samples.Path("Read", "BufferedCold", "Sequential", "1MiB", "psync", 1, 801)], "cold-direct");
        Assert.Equal(AnswerState.NoDifference, line.State);
        Assert.StartsWith("No difference shown here", line.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Jacobs_claim_can_fail_and_can_be_undecided()
    {
        Assert.StartsWith("Jacobs’ claim does not hold here", Jacobs(disk: 5e6, memory: 30e6), StringComparison.Ordinal);
        Assert.StartsWith("Jacobs’ claim is not decided here", Jacobs(disk: 30e6, memory: 30e6), StringComparison.Ordinal);

        static string Jacobs(double disk, double memory)
        {
            var samples = new SampleRecords();
            RunRecord Cell(string medium, string pattern, string block, string loop, string pages, double values, long bytes) =>
                samples.Make("AccessPattern", "Read", [("Medium", medium), ("Pattern", pattern), ("Operation", "Read"), ("BlockSize", block), ("Loop", loop), ("Pages", pages)],
                    bytes, values / (bytes / 4), [], withLatency: false, metrics: ("valuesPerSecond", values));
            return Answer([Cell("Disk", "Sequential", "1MiB", "-", "-", disk, 1 << 20), Cell("Memory", "Random", "4B", "Independent", "4KiB", memory, 4)], "jacobs").Sentence;
        }
    }

    [Fact]
    public void Few_passes_are_said_to_cover_less()
    {
        var line = Answer([.. Sample.Select(record => record with { Passes = [.. record.Passes.Take(3)] })], "sequential-random");
        Assert.Contains("90 % interval", line.Detail, StringComparison.Ordinal);
    }

    private static bool IsDirectRandom(RunRecord record) =>
        record is { Workload: "CachePath", Operation: "Read" } && record.Parameters["Access"] == "Direct" && record.Parameters["Pattern"] == "Random" && record.Parameters["BlockSize"] == "4KiB";
}
