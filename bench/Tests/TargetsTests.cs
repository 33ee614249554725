using System.Diagnostics;
using System.Globalization;
using Bench.Measure.Records;
using Bench.TestSupport;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>One run over several targets: in turns, into one set of records, and nothing left on any.</summary>
public sealed class TargetsTests : IDisposable
{
    private const string Warm = "CachePath*BufferedWarm, Operation=Read*";

    private readonly RunPlace place = new();
    private readonly string second;

    public TargetsTests() => second = Directory.CreateDirectory(Path.Combine(place.Folder, "second")).FullName;

    [Fact]
    public void Each_case_is_measured_on_each_target_by_turns_and_their_records_stand_beside_each_other()
    {
        var result = Run("--filter", Warm, "--filter", "LogAppend*FlushPolicy=none*", "--json").Expect(0);
        var records = RunStore.Read(place.Out).Records;
        Assert.Equal(result.Records.Select(record => record.Case), records.Select(record => record.Case));
        Assert.True(records.Count >= 4);
        var run = Assert.Single(records.Select(record => record.Run).Distinct());
        Assert.StartsWith("20", run, StringComparison.Ordinal);
        foreach (var pair in records.Chunk(2))
        {
            Assert.Equal([place.Target, second], pair.Select(record => record.Target.Folder));
            Assert.Single(pair.Select(record => record.Case).Distinct());
            // No pass of one target lies within one of the other, and they alternate.
            var passes = pair.SelectMany((record, side) => record.Passes.Select(pass => (Side: side, Start: Begins(record, pass), End: Begins(record, pass) + TimeSpan.FromSeconds(pass.Seconds)))).OrderBy(pass => pass.Start).ToArray();
            Assert.All(passes.Zip(passes.Skip(1)), both => Assert.True(both.First.End <= both.Second.Start + TimeSpan.FromMilliseconds(5), "two passes at once"));
            Assert.All(passes.Chunk(2), round => Assert.Equal([0, 1], round.Select(pass => pass.Side).Order()));
        }
        Assert.All(records, record => Assert.Contains("--target", record.Tool.CommandLine, StringComparison.Ordinal));
        AssertNothingLeft();
        Assert.False(Directory.Exists(Path.Combine(place.Out, "launches")));
    }

    [Fact]
    public void Table_and_report_name_the_targets_and_a_report_for_strangers_numbers_them()
    {
        var result = Run("--filter", Warm).Expect(0);
        Assert.Contains(result.OutputLines, line => line.Contains(second, StringComparison.Ordinal) && line.Contains("BufferedWarm", StringComparison.Ordinal));
        Assert.Contains($"{second}: CachePath", result.Error, StringComparison.Ordinal);
        Assert.Contains($"Warning  {place.Target} and {second} lie on one file system", result.Error, StringComparison.Ordinal);
        Assert.Matches(@"\[2/\d+, \d+ s left\] ", result.Error);
        var report = File.ReadAllText(Path.Combine(place.Out, "report.md"));
        Assert.Contains("## second", report, StringComparison.Ordinal);
        Assert.Contains("## target", report, StringComparison.Ordinal);
        BenchProgram.Run(place.Folder, "report", place.Out, "--anonymous", "-o", Path.Combine(place.Folder, "strangers", "page.html")).Expect(0);
        var page = File.ReadAllText(Path.Combine(place.Folder, "strangers", "page.html"));
        Assert.DoesNotContain(place.Folder, page, StringComparison.Ordinal);
        Assert.Contains("target 2", page, StringComparison.Ordinal);
        BenchProgram.Run(place.Folder, "report", place.Out, "--anonymous", "--names", "one drive, two drives", "-o", Path.Combine(place.Folder, "named", "page.html")).Expect(0);
        var named = File.ReadAllText(Path.Combine(place.Folder, "named", "report.md"));
        Assert.Contains("## two drives", named, StringComparison.Ordinal);
        Assert.DoesNotContain(place.Folder, named, StringComparison.Ordinal);
        var wrong = BenchProgram.Run(place.Folder, "report", place.Out, "--names", "one", "-o", Path.Combine(place.Folder, "wrong", "page.html")).Expect(64);
        Assert.Contains("--names gives 1 for 2 runs or targets (target, second)", wrong.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(place.Folder, "wrong", "page.html")));
    }

    [Fact]
    public void Such_runs_are_compared_target_by_target_and_kept_in_a_history_as_one_run_each()
    {
        Run("--filter", Warm).Expect(0);
        var again = place.Out + "2";
        RunTo(again, "--filter", Warm).Expect(0);
        var compared = BenchProgram.Run(place.Folder, "compare", place.Out, again).Expect(0);
        Assert.Contains(second, compared.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("only)", compared.Output, StringComparison.Ordinal);
        BenchProgram.Run(place.Folder, "history", "add", place.Out).Expect(0);
        var run = RunStore.Read(place.Out).Records[0].Run;
        Assert.Equal([$"{run}.1.jsonl", $"{run}.2.jsonl"], Directory.GetFiles(place.Folder, run + "*.jsonl", SearchOption.AllDirectories).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Ctrl_C_ends_all_within_two_seconds_and_keeps_the_finished_cases()
    {
        using var program = BenchProgram.Start(place.Folder, Arguments(place.Out,
            "--filter", "CachePath*BufferedCold, Operation=Read, Pattern=Random*", "--filter", "CachePath*BufferedWarm, Operation=Read, Pattern=Random*", "--pass-seconds", "30"));
        program.WaitUntil(() => File.Exists(place.RecordsFile) && new FileInfo(place.RecordsFile).Length > 0, "the first record");
        Thread.Sleep(500);
        var start = Stopwatch.GetTimestamp();
        program.Signal("INT");
        var result = program.WaitForEnd(BenchProgram.DefaultTimeout).Expect(130);
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(3), "it took too long");
        Assert.Contains("Stopped; the 2 finished cases are kept", result.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(place.Out, "index.html")));
        AssertNothingLeft();
    }

    /// <summary>A terminal's Ctrl-C reaches the targets' benches at once, and they are asked by theirs a moment later: still one wish.</summary>
    [NeedsFact("setsid")]
    public void Ctrl_C_on_a_terminal_leaves_nothing_on_any_target()
    {
        using var program = BenchProgram.Start(place.Folder, ["setsid", BenchProgram.Path, .. Arguments(place.Out, "--filter", "CachePath*BufferedWarm, Operation=Read, Pattern=Random*", "--pass-seconds", "30")], new Dictionary<string, string>());
        program.WaitUntil(() => Directory.GetFiles(second, "data-*", SearchOption.AllDirectories).Length > 0, "the data file");
        Thread.Sleep(1000);
        Command.Run("sh", "-c", string.Create(CultureInfo.InvariantCulture, $"kill -s INT -- -{program.ProcessId}"));
        program.WaitForEnd(BenchProgram.DefaultTimeout).Expect(130);
        AssertNothingLeft();
    }

    /// <summary>As a script starts it in its background: SIGINT is ignored, by its children too.</summary>
    [Fact]
    public void A_run_that_ignores_Ctrl_C_ends_when_asked_and_leaves_no_data()
    {
        using var program = BenchProgram.Start(place.Folder, ["env", "--ignore-signal=INT", BenchProgram.Path, .. Arguments(place.Out, "--filter", "CachePath*BufferedWarm, Operation=Read, Pattern=Random*", "--pass-seconds", "30")], new Dictionary<string, string>());
        program.WaitUntil(() => Directory.GetFiles(second, "data-*", SearchOption.AllDirectories).Length > 0, "the data file");
        program.Signal("INT");
        Thread.Sleep(1000);
        Assert.False(program.HasEnded);
        program.Signal("TERM");
        program.WaitForEnd(BenchProgram.DefaultTimeout).Expect(130);
        AssertNothingLeft();
    }

    [Fact]
    public void A_killed_run_ends_its_targets_benches_which_remove_their_data()
    {
        using (var program = BenchProgram.Start(place.Folder, Arguments(place.Out, "--filter", "CachePath*BufferedWarm, Operation=Read, Pattern=Random*", "--pass-seconds", "1", "--passes", "100")))
        {
            program.WaitUntil(() => Directory.GetDirectories(second, ".bench-*").Length > 0, "the data folder");
            Thread.Sleep(1500);
            program.Signal("KILL");
            program.WaitForEnd(BenchProgram.DefaultTimeout);
        }
        var patience = Stopwatch.StartNew();
        while (patience.Elapsed < TimeSpan.FromSeconds(20) && Directory.GetDirectories(second, ".bench-*").Length + place.DataFolders.Length > 0)
            Thread.Sleep(100);
        AssertNothingLeft();
    }

    [RootFact(FaultyDisk.Needs)]
    public void A_target_that_fails_is_named_and_the_others_are_measured()
    {
        using var disk = new FaultyDisk();
        using var program = BenchProgram.Start(place.Folder,
            ["run", "-p", "smoke", "--target", place.Target, "--target", disk.MountPath, "--out", place.Out, "--filter", "CachePath*Direct*Operation=Read, Pattern=Random*psync*QueueDepth=1, Threads=1,*", "--passes", "40", "--pass-seconds", "0.2"]);
        program.WaitUntil(() => Directory.GetFiles(disk.MountPath, "data-*", SearchOption.AllDirectories).Length > 0, "the data file");
        Thread.Sleep(1500);
        disk.Fault = DiskFault.ReadError;
        var result = program.WaitForEnd(BenchProgram.DefaultTimeout).Expect(1);
        disk.Fault = DiskFault.None;
        var records = RunStore.Read(place.Out).Records;
        Assert.All(records.Where(record => record.Target.Folder == place.Target), record => Assert.Null(record.Error));
        Assert.Contains(records, record => record.Target.Folder == disk.MountPath && record.Error is not null);
        Assert.Contains("Failed", result.Error, StringComparison.Ordinal);
    }

    /// <summary>A kill between the records of two targets: what is compared has to have been measured in turns, so both do it again.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_case_that_only_some_targets_have_is_measured_on_all_again(int kept)
    {
        Run("--filter", "LogEncode*Step=Crc*", "--filter", "LogEncode*Step=Encode*", "--seed", "7").Expect(0);
        var lines = File.ReadAllLines(place.RecordsFile);
        var cases = RunStore.Read(place.Out).Records.Select(record => record.Case).ToArray();
        Assert.True(lines.Length >= 4);
        File.WriteAllText(place.RecordsFile, string.Concat(lines.Take(kept).Select(line => line + "\n")));
        var result = BenchProgram.Run(place.Folder, "run", "--resume", place.Out).Expect(0);
        Assert.Contains($"what only some of the targets had measured (1 of {kept} records)", result.Error, StringComparison.Ordinal);
        Assert.Equal(cases, RunStore.Read(place.Out).Records.Select(record => record.Case));
        Assert.Equal(lines.Take(kept - 1), File.ReadAllLines(place.RecordsFile).Take(kept - 1));
        Assert.Contains("Nothing is left", BenchProgram.Run(place.Folder, "run", "--resume", place.Out).Expect(0).Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(place.Out, "*.next"));
        AssertNothingLeft();
    }

    [Fact]
    public void A_target_that_is_missing_or_given_twice_is_refused_before_anything_is_written()
    {
        var missing = BenchProgram.Run(place.Folder, "run", "-p", "smoke", "--target", place.Target, "--target", second + "-not", "--out", place.Out).Expect(64);
        Assert.Contains("does not exist", missing.Error, StringComparison.Ordinal);
        var twice = BenchProgram.Run(place.Folder, "run", "-p", "smoke", "--target", place.Target, "--target", place.Target + "/", "--out", place.Out).Expect(64);
        Assert.Contains("given twice", twice.Error, StringComparison.Ordinal);
        // A name in Latin-1, from a share of long ago: only a shell can hand it over and take it away again.
        using var latin = BenchProgram.Start(
            place.Folder, ["sh", "-c", "name=$(printf 'caf\\351'); mkdir \"$name\"; \"$0\" run -p smoke --target \"$name\" --out out; code=$?; rmdir \"$name\"; exit $code", BenchProgram.Path], new Dictionary<string, string>());
        Assert.Contains("is not UTF-8", latin.WaitForEnd(BenchProgram.DefaultTimeout).Expect(64).Error, StringComparison.Ordinal);
        Assert.Contains("one --target", Run("--reuse", "/nowhere").Expect(64).Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(place.Out));
        AssertNothingLeft();
    }

    public void Dispose() => place.Dispose();

    private static DateTimeOffset Begins(RunRecord record, PassRecord pass) => record.StartedUtc + TimeSpan.FromSeconds(pass.StartSeconds);

    private BenchResult Run(params string[] further) => RunTo(place.Out, further);

    private BenchResult RunTo(string folder, params string[] further) => BenchProgram.Run(place.Folder, Arguments(folder, further));

    private string[] Arguments(string folder, params string[] further) => ["run", "-p", "smoke", "--target", place.Target, "--target", second, "--out", folder, .. further];

    private void AssertNothingLeft()
    {
        Assert.Empty(Directory.GetFileSystemEntries(place.Target));
        Assert.Empty(Directory.GetFileSystemEntries(second));
    }
}
