using Bench.Measure.Records;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>Operations that are due at moments of their own, and the highest rate within a latency.</summary>
public class OpenLoopTests
{
    private const string Warm = "CachePath(Access=BufferedWarm, Operation=Read, Pattern=Random, BlockSize=4KiB, FileSize=8MiB)";
    private const string Ring = "CachePath(Access=Direct, Operation=Read, Pattern=Random, BlockSize=4KiB, Engine=io_uring, QueueDepth=8, FileSize=8MiB)";
    private const string Append = "LogAppend(SegmentSize=1MiB, FlushPolicy=none, BatchSize=16KiB, RecordSize=100B, Producers=2)";

    [Fact]
    public void A_rate_is_offered_and_latency_counts_from_when_an_operation_was_due()
    {
        using var place = new RunPlace();
        var records = place.Smoke("--case", Warm, "--case", Ring, "--case", Append, "--rate", "2000", "--pass-seconds", "0.2", "--passes", "3").Expect(0).Records;
        Assert.Equal(3, records.Count);
        // The depth of an open loop's queue is a limit and no promise.
        Assert.DoesNotContain(records.Single(record => record.Has("Engine", "io_uring")).Evidence.Claims, claim => claim.Claim == "queue-depth");
        Assert.All(records, record =>
        {
            Assert.EndsWith(", Rate=2000/s)", record.Case, StringComparison.Ordinal);
            Assert.Equal("2000/s", record.Parameters["Rate"]);
            Assert.Equal(2000, (double)record.Effective["ratePerSecond"]!);
            Assert.All(record.Passes, pass => Assert.Equal(400, pass.Operations));
            var (response, service) = (record.LatencyNs[record.Operation.ToLowerInvariant()], record.LatencyNs["service"]);
            Assert.Equal((1200, 1200), (response.Count, service.Count));
            Assert.True(response.P50 >= service.P50);
            Assert.NotNull(record.Claim("rate"));
        });
    }

    [Fact]
    public void Transfers_and_fetches_have_open_loops_with_their_states_as_in_closed_ones()
    {
        string[] cases =
        [
            "Transfer(Method=SendFile, ChunkSize=64KiB, FileSize=1MiB, Cache=Hot, Socket=Tcp)", "Transfer(Method=Tls, ChunkSize=64KiB, FileSize=1MiB, Cache=Hot, Socket=Tcp)",
            "LogRead(Position=ColdHistory, FetchSize=64KiB, Method=SendFile, Writer=Steady)", "LogRead(Position=RandomByTime, FetchSize=64KiB, Method=ReadWrite)",
        ];
        using var place = new RunPlace();
        var records = place.Smoke([.. cases.SelectMany(name => new[] { "--case", name }), "--rate", "100", "--pass-seconds", "0.1", "--passes", "3"]).Expect(0).Records;
        Assert.Equal(4, records.Count);
        Assert.All(records, record =>
        {
            Assert.All(record.Passes, pass => Assert.Equal(10, pass.Operations));
            var (response, service) = (record.LatencyNs[record.Operation.ToLowerInvariant()], record.LatencyNs["service"]);
            Assert.Equal((30, 30), (response.Count, service.Count));
            Assert.True(response.P50 >= service.P50);
            Assert.NotNull(record.Claim("rate"));
            Assert.NotEqual(Verdict.Contradicted, record.Claim(record.Case.Contains("Cold", StringComparison.Ordinal) ? "cold" : "warm").Verdict);
        });
        // A fetch at the tail is due when something was appended.
        Assert.Contains("none of these cases has an open loop", place.Smoke("--case", "LogRead(Position=Tail, FetchSize=64KiB)", "--rate", "100").Expect(64).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Warm)]
    [InlineData(Append)]
    [InlineData("Transfer(Method=SendFile, ChunkSize=64KiB, FileSize=1MiB, Cache=Hot, Socket=Tcp)")]
    [InlineData("LogRead(Position=RandomByTime, FetchSize=64KiB, Method=ReadWrite)")]
    public void The_plan_counts_the_wait_for_an_operation_that_is_seldom_due(string name)
    {
        using var place = new RunPlace();
        // A pass has one operation at least: three of them (one to warm up) are some three thousand seconds; of two producers each has half the rate.
        var listed = BenchProgram.Run(place.Folder, "list", "-p", "smoke", "--case", name, "--rate", "0.001").Expect(0).Output;
        var told = System.Text.RegularExpressions.Regex.Match(listed, @"^1 case of 2 passes: about ([\d.]+) min", System.Text.RegularExpressions.RegexOptions.Multiline);
        Assert.True(told.Success, listed);
        Assert.InRange(double.Parse(told.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture), 50, 101);
    }

    [Fact]
    public void Producers_share_a_pass_of_few_operations_and_so_offer_its_rate()
    {
        using var place = new RunPlace();
        var record = Assert.Single(place.Smoke("--case", Append.Replace("Producers=2", "Producers=8", StringComparison.Ordinal), "--rate", "40", "--pass-seconds", "0.2", "--passes", "5").Expect(0).Records);
        // Eight operations: one producer alone, at its eighth of the rate, would take eight times as long as all together.
        Assert.All(record.Passes, pass => Assert.Equal(8, pass.Operations));
        Assert.True(record.Passes.Average(pass => pass.Operations / pass.Seconds) > 40 / 4.0);
    }

    [Fact]
    public void A_rate_beyond_the_device_is_contradicted()
    {
        using var place = new RunPlace();
        var record = Assert.Single(place.Smoke("--case", Warm, "--rate", "100000000", "--pass-seconds", "0.001").Expect(0).Records);
        Assert.Equal(Verdict.Contradicted, record.Claim("rate").Verdict);
    }

    [Fact]
    public void The_highest_rate_within_a_latency_is_looked_for_and_all_trials_are_in_the_record()
    {
        using var place = new RunPlace();
        var record = Assert.Single(place.Smoke("--case", Warm, "--latency-target", "20ms", "--pass-seconds", "0.05", "--passes", "3").Expect(0).Records);
        var trials = record.Effective["rateTrials"]!.AsArray();
        var rate = (double)record.Effective["ratePerSecond"]!;
        Assert.True(trials.Count >= 3);
        Assert.All(trials.TakeLast(2), trial => Assert.True((bool)trial!["held"]!));
        Assert.Equal(rate, (double)trials[^1]!["ratePerSecond"]!, 0.1);
        // Whether the passes hold it too is told by a figure of their own.
        var held = record.Claim("rate").Figures.Single(figure => figure.Name == "p99PerTarget");
        Assert.Equal(record.LatencyNs["read"].P99 / 20e6, held.Observed!.Value, 3);
        Assert.Equal(held.Observed <= 1, held.Holds);
        Assert.EndsWith(", Rate=p99≤20ms)", record.Case, StringComparison.Ordinal);
    }

    [Fact]
    public void A_latency_that_no_rate_holds_is_a_failed_case_and_wrong_use_is_one_sentence()
    {
        using var place = new RunPlace();
        var failed = place.Smoke("--case", Append, "--latency-target", "1us", "--pass-seconds", "0.01").Expect(1);
        var record = Assert.Single(failed.Records);
        Assert.Matches(@"^no rate holds a 99th percentile of 0\.001 ms: .*, and the fastest operation alone took [\d.]+ ms$", record.Error);
        // A latency that the fastest operation has not is not looked for at lower and lower rates.
        Assert.Single(record.Effective["rateTrials"]!.AsArray());
        foreach (var (sentence, arguments) in new (string, string[])[]
        {
            ("above 0", ["--rate", "0"]), ("'soon' is none", ["--latency-target", "soon"]), ("does not go with it", ["--latency-target", "1ms", "--rate", "10"]),
            ("none of these cases has an open loop", ["--rate", "10", "--filter", "LogEncode*"]),
        })
            Assert.Contains(sentence, BenchProgram.Run(place.Folder, ["run", "-p", "smoke", "--target", place.Target, .. arguments]).Expect(64).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_interrupted_open_loop_goes_on_as_one()
    {
        using var place = new RunPlace();
        place.Smoke("--case", Warm, "--case", Append, "--rate", "500", "--pass-seconds", "0.02").Expect(0);
        var lines = File.ReadAllLines(place.RecordsFile);
        File.WriteAllText(place.RecordsFile, lines[0] + "\n");
        BenchProgram.Run(place.Folder, "run", "--resume", place.Out).Expect(0);
        Assert.Equal(lines.Select(line => RecordJson.Read(line).Case), RunStore.Read(place.Out).Records.Select(record => record.Case));
    }
}
