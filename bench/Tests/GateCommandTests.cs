using System.Text.Json;
using Bench.Gate;
using Bench.Measure.Records;
using Bench.Reports.Comparison;
using Bench.Reports.Gate;
using Bench.TestSupport;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>Gates over real launches, of smoke size: the verdict, the exit code, and nothing left behind.</summary>
public sealed class GateCommandTests : IDisposable
{
    private const string Warm = "CachePath(Access=BufferedWarm, Operation=Read, Pattern=Random, BlockSize=64KiB, FileSize=8MiB)";

    private static readonly TimeSpan Long = TimeSpan.FromMinutes(4);

    /// <summary>
    /// Half of a launch's time is the compiler, which compiles everything fully (see ARCHITECTURE.md, "The op loop"). These tests have hundreds
    /// of launches and look at the gate, not at the figures: both sides are compiled in the same quick way.
    /// </summary>
    private static readonly Dictionary<string, string> QuickStart = new() { ["DOTNET_TieredCompilation"] = "1" };

    private readonly RunPlace place = new();

    [Fact]
    public void A_program_against_itself_is_not_slower_and_every_launch_is_in_the_result()
    {
        var (summary, junit) = (Path.Combine(place.Folder, "summary.md"), Path.Combine(place.Folder, "junit.xml"));
        File.WriteAllText(summary, "before\n");
        using var gate = BenchProgram.Start(place.Folder,
            [BenchProgram.Path, .. Arguments(["--base", BenchProgram.Path, "--head", BenchProgram.Path, "--uncalibrated", "--pairs", "8,12", "--case", Warm, "--margin", "100%", "--junit", junit])],
            new Dictionary<string, string> { ["GITHUB_STEP_SUMMARY"] = summary });
        var result = gate.WaitForEnd(Long);
        Assert.Contains("passed: none slower", result.Output, StringComparison.Ordinal);
        Assert.Equal(0, result.ExitCode);
        var read = GateJson.ReadFile(Path.Combine(place.Out, GateResult.FileName));
        var one = Assert.Single(read.Cases);
        Assert.InRange(one.Pairs.Count, 8, 12);
        Assert.All(one.Pairs, pair => Assert.True(pair.Base!.BytesPerSecond > 0 && pair.Head!.BytesPerSecond > 0 && pair.Head.PassBytesPerSecond.Count == 2));
        // Of every four pairs the base is first in two.
        Assert.Equal(2, one.Pairs.Take(4).Count(pair => pair.BaseFirst));
        Assert.Equal([Figure.Throughput, Figure.P99, Figure.CpuPerOperation], one.Judgements.Select(judgement => judgement.Key.Figure));
        Assert.StartsWith("before\n## ", File.ReadAllText(summary), StringComparison.Ordinal);
        Assert.Contains("<testsuite", File.ReadAllText(junit), StringComparison.Ordinal);
        Assert.Contains("forest-throughput-1", File.ReadAllText(Path.Combine(place.Out, "index.html")), StringComparison.Ordinal);
        AssertNothingLeft();
    }

    /// <summary>One file and the same work for both: what is different then is the program.</summary>
    [Fact]
    public void Both_sides_read_the_same_file_and_do_the_same_number_of_operations()
    {
        using var gate = BenchProgram.Start(place.Folder, Arguments(["--base", BenchProgram.Path, "--head", BenchProgram.Path, "--uncalibrated", "--pairs", "8", "--case", Warm, "--margin", "100%"]));
        gate.WaitUntil(() => gate.ErrorSoFar.Contains("pair 2", StringComparison.Ordinal), "the second pair");
        string[] files = [.. Directory.GetFiles(place.Target, "data-8MiB.bin", SearchOption.AllDirectories).Order()];
        Assert.Equal(2, files.Length);
        Assert.Single(Command.Run("stat", ["-c", "%i", .. files]).StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct());
        Assert.Equal(0, gate.WaitForEnd(Long).ExitCode);
        var one = Assert.Single(GateJson.ReadFile(Path.Combine(place.Out, GateResult.FileName)).Cases);
        Assert.Single(one.BaseRecord!.Passes.Concat(one.HeadRecord!.Passes).Select(pass => pass.Operations).Distinct());
        AssertNothingLeft();
    }

    /// <summary>A side that drops what the other keeps cached, or the other way round, has a file of its own.</summary>
    [Fact]
    public void Sides_that_want_another_state_of_the_cache_have_files_of_their_own()
    {
        // More than the eight that a verdict takes: where the machine loses a pair (a read that was not direct), seven can call nothing.
        using var gate = BenchProgram.Start(place.Folder, Arguments(["--uncalibrated", "--pairs", "12", "--filter", "CachePath*Read*Random*psync*QueueDepth=1,*", "--set", "FileSize=8MiB", "--set", "Threads=1", "--set", "BlockSize=64KiB",
            "--base-set", "Access=BufferedWarm", "--head-set", "Access=Direct"]));
        gate.WaitUntil(() => gate.ErrorSoFar.Contains("pair 1", StringComparison.Ordinal), "the first pair");
        string[] files = Directory.GetFiles(place.Target, "data-8MiB.bin", SearchOption.AllDirectories);
        Assert.Equal(2, Command.Run("stat", ["-c", "%i", .. files]).StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Count());
        var result = gate.WaitForEnd(Long);
        Assert.True(result.ExitCode is 0 or 1, result.Output + result.Error);
        AssertNothingLeft();
    }

    [Fact]
    public void A_slower_setting_of_the_head_fails_the_gate_and_a_faster_one_does_not()
    {
        string[] settings = ["--uncalibrated", "--pairs", "8", "--filter", "LogAppend*SegmentSize=1MiB*", "--set", "Producers=1", "--set", "WritePath=Buffered", "--set", "Preallocation=None", "--set", "FlushMethod=Fdatasync", "--set", "Partitions=1"];
        var slower = Gate([.. settings, "--base-set", "FlushPolicy=none", "--head-set", "FlushPolicy=each"]);
        Assert.Equal(1, slower.ExitCode);
        Assert.Contains("slower", slower.Output, StringComparison.Ordinal);
        Directory.Delete(place.Out, recursive: true);

        var faster = Gate([.. settings, "--base-set", "FlushPolicy=each", "--head-set", "FlushPolicy=none"]);
        Assert.Equal(0, faster.ExitCode);
        var result = GateJson.ReadFile(Path.Combine(place.Out, GateResult.FileName));
        Assert.Equal(GateVerdict.Faster, Assert.Single(result.Cases).Judgements.Single(judgement => judgement.Key.Figure == Figure.Throughput).Verdict);
        Assert.False(result.Cases[0].Parameters.ContainsKey("FlushPolicy"));
        AssertNothingLeft();
    }

    [Fact]
    public void Without_a_calibration_the_gate_refuses_and_with_one_it_judges()
    {
        string[] cases = ["--pairs", "8", "--case", Warm, "--margin", "50%"];
        var refused = Gate(["--base", BenchProgram.Path, "--head", BenchProgram.Path, .. cases]).Expect(2);
        Assert.Contains("no calibration", refused.Error, StringComparison.Ordinal);

        var calibrated = Run("calibrate", "-p", "smoke", "--target", place.Target, "--out", place.Out + "-cal", "--runs", "2", "--slowdowns", "300%", "--pairs", "8", "--case", Warm, "--margin", "50%").Expect(0);
        Assert.Contains("300 % slower", calibrated.Output, StringComparison.Ordinal);
        var file = Assert.Single(Directory.GetFiles(Path.Combine(place.Folder, "reports", "calibration")));
        var calibration = JsonSerializer.Deserialize<Calibration>(File.ReadAllText(file), RecordJson.Options)!;
        var (plain, slowed) = (Row(0), Row(3));
        Assert.Equal((2, 0), (plain.Judgements, plain.Slower));
        Assert.Equal((2, 2), (slowed.Judgements, slowed.Slower));
        Assert.True(calibration.Cases.Single().NoiseFloors[Figure.Throughput] >= 1);

        var judged = Gate(["--base", BenchProgram.Path, "--head", BenchProgram.Path, .. cases]);
        Assert.Equal(0, judged.ExitCode);
        var result = GateJson.ReadFile(Path.Combine(place.Out, GateResult.FileName));
        Assert.NotNull(result.CalibratedUtc);
        foreach (var told in new[] { calibrated.Error, string.Concat(result.Warnings) })
            Assert.Contains("the calibration rests on 2 judgements of equal programs", told, StringComparison.Ordinal);
        // Another length of a pass is another noise.
        Assert.Contains("calibrat", Gate(["--out", place.Out + "2", "--base", BenchProgram.Path, "--head", BenchProgram.Path, "--passes", "3", .. cases]).Expect(2).Error, StringComparison.Ordinal);
        AssertNothingLeft();

        CalibrationRow Row(double slowdown) => calibration.Rows.Single(row => row.Slowdown == slowdown && row.Figure == Figure.Throughput);
    }

    [Fact]
    public void An_interrupted_calibration_goes_on_where_it_was()
    {
        string[] arguments = ["calibrate", "-p", "smoke", "--target", place.Target, "--out", place.Out, "--runs", "1", "--slowdowns", "300%", "--pairs", "8", "--case", Warm, "--seed", "5"];
        Run(arguments).Expect(0);
        var first = File.ReadAllText(Path.Combine(place.Out, "aa-001", GateResult.FileName));
        Directory.Delete(Path.Combine(place.Out, "slow300-001"), recursive: true);
        Run(arguments).Expect(0);
        Assert.Equal(first, File.ReadAllText(Path.Combine(place.Out, "aa-001", GateResult.FileName)));
        Assert.True(File.Exists(Path.Combine(place.Out, "slow300-001", GateResult.FileName)));
    }

    [Fact]
    public void A_program_that_crashes_in_one_launch_is_named_and_everything_is_removed()
    {
        // The first launch lays out; the second is the first pair's.
        var program = Script("crash", "[ $n -lt 2 ] || kill -SEGV $$");
        var result = Gate(["--base", BenchProgram.Path, "--head", program, "--uncalibrated", "--pairs", "8", "--case", Warm]).Expect(2);
        Assert.Contains($"the head {program} crashed (signal 11) in pair 1", result.Error, StringComparison.Ordinal);
        AssertNothingLeft();
    }

    [Fact]
    public void A_program_that_hangs_is_named_and_everything_is_removed()
    {
        var program = Script("hang", "[ $n -lt 2 ] || sleep 1000");
        var result = Gate(["--base", BenchProgram.Path, "--head", program, "--uncalibrated", "--pairs", "8", "--case", Warm, "--turn-limit", "10"]).Expect(2);
        Assert.Contains($"the head {program} hangs: no pass of it ended in 10 s", result.Error, StringComparison.Ordinal);
        AssertNothingLeft();
    }

    [Fact]
    public void A_program_that_rambles_is_named_and_everything_is_removed()
    {
        var program = Script("ramble", "", "[ $n -lt 2 ] || exec yes");
        var result = Gate(["--base", BenchProgram.Path, "--head", program, "--uncalibrated", "--pairs", "8", "--case", Warm, "--turn-limit", "100"]).Expect(2);
        Assert.Contains($"the head {program} says more than any bench does in pair 1", result.Error, StringComparison.Ordinal);
        AssertNothingLeft();
    }

    /// <summary>A file lies where it lies, in memory too: what that is worth must not be the same in all pairs of a gate over two targets.</summary>
    [Fact]
    public void Sides_with_a_target_each_have_new_files_in_every_pair()
    {
        var (first, second) = (Directory.CreateDirectory(Path.Combine(place.Target, "a")).FullName, Directory.CreateDirectory(Path.Combine(place.Target, "b")).FullName);
        var seen = Path.Combine(place.Folder, "seen");
        var program = Script("look", $"ls '{first}'/.bench-*/.bench-*/*.bin '{second}'/.bench-*/.bench-*/*.bin 2>/dev/null | wc -l >> '{seen}'");
        var result = Gate(["--base", program, "--head", program, "--uncalibrated", "--pairs", "8", "--case", Warm, "--margin", "1", "--base-target", first, "--head-target", second]);
        Assert.True(result.ExitCode is 0 or 2, result.Error);
        // Layout and eight pairs of each side; those of a pair start together, and one may find what the other has just made.
        var counts = File.ReadAllLines(seen);
        Assert.Equal(18, counts.Length);
        Assert.True(counts.Count(count => count == "0") >= 9, string.Join(' ', counts));
        Assert.Contains("each pair has data files of its own", result.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(first));
        Assert.Empty(Directory.GetFileSystemEntries(second));
    }

    [Fact]
    public void A_gate_knows_who_else_is_at_work_on_its_target()
    {
        using (var gate = BenchProgram.Start(place.Folder, Arguments(["--base", BenchProgram.Path, "--head", BenchProgram.Path, "--uncalibrated", "--pairs", "100", "--case", Warm])))
        {
            gate.WaitUntil(() => gate.ErrorSoFar.Contains("pair 1 ", StringComparison.Ordinal), "the first pair");
            using var area = GateArea.Make(place.Target, "20260101-000000-abcd", 1, 0);
            Assert.Equal(place.DataFolders.Where(folder => folder != Path.GetDirectoryName(area.Folders[0])), area.Neighbours);
            Assert.Single(area.Neighbours);
            gate.Signal("INT");
            gate.WaitForEnd(TimeSpan.FromSeconds(20));
        }
        using (var alone = GateArea.Make(place.Target, "20260101-000000-abce", 1, 0))
            Assert.Empty(alone.Neighbours);
    }

    /// <summary>Before the first pass and after the last one nobody waits for a turn.</summary>
    [Theory]
    [InlineData("[ $n -lt 1 ] || sleep 1000", "", "while its files were laid out")]
    [InlineData("", "[ $n -lt 2 ] || sleep 1000", "in pair 1")]
    public void A_program_that_hangs_outside_of_its_passes_is_named_too(string before, string after, string where)
    {
        var program = Script("hang", before, after);
        var junit = Path.Combine(place.Folder, "junit.xml");
        File.WriteAllText(junit, "<testsuites/>");
        var result = Gate(["--base", BenchProgram.Path, "--head", program, "--uncalibrated", "--pairs", "8", "--case", Warm, "--turn-limit", "10", "--junit", junit]).Expect(2);
        Assert.Contains($"the head {program} hangs {where}: no sign of life in 10 s", result.Error, StringComparison.Ordinal);
        // Nobody takes the last gate's verdict for this one's.
        Assert.Contains("errors=\"1\"", File.ReadAllText(junit), StringComparison.Ordinal);
        AssertNothingLeft();
    }

    [Fact]
    public void Whom_a_program_leaves_behind_the_gate_does_not_wait_for()
    {
        var pids = Path.Combine(place.Folder, "pids");
        var program = Script("parent", $"sleep 600 & echo $! >> '{pids}'");
        Gate(["--base", BenchProgram.Path, "--head", program, "--uncalibrated", "--pairs", "8", "--case", Warm, "--margin", "100%"]).Expect(0);
        var left = File.ReadAllLines(pids);
        Assert.All(left, pid => Assert.True(File.Exists($"/proc/{pid}/cmdline"), "the gate has waited for somebody who is not its launch"));
        Command.Run("kill", left);
        AssertNothingLeft();
    }

    [Fact]
    public void A_target_that_vanishes_in_between_is_one_sentence()
    {
        var program = Script("vanish", $"[ $n -lt 2 ] || rm -rf '{place.Target}'");
        var result = Gate(["--base", BenchProgram.Path, "--head", program, "--uncalibrated", "--pairs", "8", "--case", Warm]).Expect(2);
        Assert.Single(result.Error.Split('\n'), line => line.StartsWith("bench: gate:", StringComparison.Ordinal));
        Assert.False(Directory.Exists(place.Target));
    }

    [Fact]
    public void Contradicted_evidence_is_not_judged()
    {
        // A program that says of every record that it is contradicted: what it measured does not count.
        var program = Script("liar", "", """
            for a in "$@"; do [ "$last" = --out ] && out=$a; last=$a; done
            sed -i 's/"evidence":{"verdict":"[a-z]*"/"evidence":{"verdict":"contradicted"/' "$out/records.jsonl"
            """);
        var result = Gate(["--base", BenchProgram.Path, "--head", program, "--uncalibrated", "--pairs", "8", "--case", Warm]).Expect(2);
        Assert.Contains("not judged", result.Output, StringComparison.Ordinal);
        Assert.Contains("contradicted", result.Output, StringComparison.Ordinal);
    }

    /// <summary>One launch that fails is enough: who leaves it out judges a side by its good days.</summary>
    [Fact]
    public void A_case_that_fails_in_one_launch_is_not_judged_and_the_others_are()
    {
        const string Other = "CachePath(Access=BufferedWarm, Operation=Read, Pattern=Sequential, BlockSize=64KiB, FileSize=8MiB)";
        var program = Script("sometimes", "", """
            for a in "$@"; do [ "$last" = --out ] && out=$a; last=$a; done
            [ $n -ne 4 ] || sed -i '1s/^{/{"error":"a disk error",/' "$out/records.jsonl"
            """);
        var result = Gate(["--base", BenchProgram.Path, "--head", program, "--uncalibrated", "--pairs", "10", "--case", Warm, "--case", Other, "--margin", "100%"]).Expect(2);
        Assert.Contains("the head failed: a disk error", result.Output, StringComparison.Ordinal);
        var read = GateJson.ReadFile(Path.Combine(place.Out, GateResult.FileName));
        Assert.Equal(GateVerdict.NotJudged, Assert.Single(read.Cases[0].Judgements).Verdict);
        Assert.Equal(3, read.Cases[0].Pairs.Count);
        Assert.Equal(10, read.Cases[1].Pairs.Count);
        Assert.Equal(3, read.Cases[1].Judgements.Count);
        AssertNothingLeft();
    }

    /// <summary>A revision that added or renamed a parameter does not stop the gate of everything else.</summary>
    [Fact]
    public void A_case_that_one_side_does_not_know_is_listed_and_the_others_are_judged()
    {
        const string Other = "CachePath(Access=BufferedWarm, Operation=Read, Pattern=Sequential, BlockSize=64KiB, FileSize=8MiB)";
        var program = Script("older", """case "$*" in *Pattern=Sequential*) echo "bench: no such case" >&2; exit 64;; esac""");
        var result = Gate(["--base", program, "--head", BenchProgram.Path, "--uncalibrated", "--pairs", "8", "--case", Warm, "--case", Other, "--margin", "100%"]).Expect(0);
        Assert.Contains("Without a partner", result.Output, StringComparison.Ordinal);
        var read = GateJson.ReadFile(Path.Combine(place.Out, GateResult.FileName));
        Assert.Contains("Pattern=Random", Assert.Single(read.Cases).Name, StringComparison.Ordinal);
        Assert.Contains("Pattern=Sequential", Assert.Single(read.Unpaired), StringComparison.Ordinal);
        Assert.Empty(read.Lost);
        AssertNothingLeft();
    }

    /// <summary>Each launch writes logs of its own, of which none is there for the next: they would be longer from pair to pair, and fill the target.</summary>
    [Fact]
    public void No_launch_finds_the_logs_of_the_one_before()
    {
        const string Append = "LogAppend(SegmentSize=1MiB, FlushPolicy=each, BatchSize=16KiB, RecordSize=100B)";
        const string Tail = "LogRead(Position=Tail, FetchSize=64KiB, Method=SendFile)";
        var found = Path.Combine(place.Folder, "found");
        var program = Script("looks", $"find '{place.Target}' -name '*.log' >> '{found}'");
        Gate(["--base", program, "--head", program, "--uncalibrated", "--pairs", "10", "--case", Append, "--case", Tail, "--margin", "100%", "--passes", "3"]);
        Assert.Empty(File.ReadAllText(found));
        AssertNothingLeft();
    }

    /// <summary>A head that measures only what it is still good at has not passed.</summary>
    [Fact]
    public void A_case_that_the_head_lost_is_no_pass_unless_that_is_allowed()
    {
        const string Other = "CachePath(Access=BufferedWarm, Operation=Read, Pattern=Sequential, BlockSize=64KiB, FileSize=8MiB)";
        var program = Script("newer", """case "$*" in *Pattern=Sequential*) echo "bench: no such case" >&2; exit 64;; esac""");
        var junit = Path.Combine(place.Folder, "junit.xml");
        string[] arguments = ["--base", BenchProgram.Path, "--head", program, "--uncalibrated", "--pairs", "8", "--case", Warm, "--case", Other, "--margin", "100%", "--junit", junit];
        var result = Gate(arguments).Expect(2);
        Assert.Contains("1 case that the head lacks", result.Output, StringComparison.Ordinal);
        Assert.Contains("errors=\"1\"", File.ReadAllText(junit), StringComparison.Ordinal);
        Assert.Contains("Pattern=Sequential", Assert.Single(GateJson.ReadFile(Path.Combine(place.Out, GateResult.FileName)).Lost), StringComparison.Ordinal);
        Gate([.. arguments, "--allow-missing", "--out", place.Out + "2"]).Expect(0);
    }

    [Fact]
    public void So_few_pairs_that_nothing_could_be_called_slower_are_refused()
    {
        // With six figures and more, the 8 pairs of these cases cannot reach what Holm's method asks for.
        const string Other = "CachePath(Access=BufferedWarm, Operation=Read, Pattern=Sequential, BlockSize=64KiB, FileSize=8MiB)";
        var result = Gate(["--base", BenchProgram.Path, "--head", BenchProgram.Path, "--uncalibrated", "--pairs", "8", "--case", Warm, "--case", Other]).Expect(2);
        Assert.Contains("8 pairs cannot call any of 6 figures slower at an error of 5 %", result.Error, StringComparison.Ordinal);
        // Which is known when the first pair has shown what figures there are, and here before that.
        Assert.DoesNotContain("pair 2 ", result.Error, StringComparison.Ordinal);
        AssertNothingLeft();
        result = Gate(["--base", BenchProgram.Path, "--head", BenchProgram.Path, "--uncalibrated", "--pairs", "8", "--alpha", "1e-9", "--case", Warm]).Expect(2);
        Assert.Contains("8 pairs cannot call a single figure slower", Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.Contains("give a larger --alpha, or fewer cases", Gate(["--base", BenchProgram.Path, "--head", BenchProgram.Path, "--uncalibrated", "--alpha", "1e-99", "--case", Warm]).Expect(2).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_slowdown_that_is_asked_for_is_the_head_s_and_is_found()
    {
        var result = Gate(["--base", BenchProgram.Path, "--head", BenchProgram.Path, "--uncalibrated", "--pairs", "8", "--case", Warm, "--inject-slowdown", "300%"]).Expect(1);
        Assert.Contains("on purpose", result.Output, StringComparison.Ordinal);
        Assert.Contains("calibrate makes the head slower by itself", Run("calibrate", "--inject-slowdown", "10%").Expect(64).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_calibration_is_not_gone_on_with_by_another_one()
    {
        string[] arguments = ["calibrate", "-p", "smoke", "--target", place.Target, "--out", place.Out, "--runs", "1", "--slowdowns", "", "--case", Warm];
        Run([.. arguments, "--pairs", "8"]).Expect(0);
        Assert.Contains("another calibration (another --pairs or --alpha)", Run([.. arguments, "--pairs", "8,12"]).Expect(64).Error, StringComparison.Ordinal);
        Assert.Contains("another calibration (another --margin or --margin-p99)", Run([.. arguments, "--pairs", "8", "--margin", "7%"]).Expect(64).Error, StringComparison.Ordinal);
        Assert.Contains("another calibration (another --passes)", Run([.. arguments, "--pairs", "8", "--passes", "3"]).Expect(64).Error, StringComparison.Ordinal);
        Assert.Contains("another calibration (another --pass-seconds)", Run([.. arguments, "--pairs", "8", "--pass-seconds", "0.07"]).Expect(64).Error, StringComparison.Ordinal);
        Run([.. arguments, "--pairs", "8", "--plain-runs", "2"]).Expect(0);
        Assert.True(File.Exists(Path.Combine(place.Out, "aa-002", GateResult.FileName)));
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void A_signal_stops_the_launches_and_removes_everything(string signal)
    {
        var junit = Path.Combine(place.Folder, "gate.xml");
        using var gate = BenchProgram.Start(place.Folder, Arguments(["--base", BenchProgram.Path, "--head", BenchProgram.Path, "--uncalibrated", "--pairs", "100", "--case", Warm, "--junit", junit]));
        gate.WaitUntil(() => gate.ErrorSoFar.Contains("pair 2 of 100, 1 of 1 case open, about ", StringComparison.Ordinal), "the second pair");
        gate.Signal(signal);
        Assert.Equal(130, gate.WaitForEnd(TimeSpan.FromSeconds(20)).ExitCode);
        Assert.Contains("it was stopped before there was one", File.ReadAllText(junit), StringComparison.Ordinal);
        AssertNothingLeft();
        Assert.False(Directory.Exists(place.Out));
    }

    [Fact]
    public void A_killed_gate_ends_its_launches_and_the_next_start_removes_its_data()
    {
        using (var gate = BenchProgram.Start(place.Folder, Arguments(["--base", BenchProgram.Path, "--head", BenchProgram.Path, "--uncalibrated", "--pairs", "100", "--case", Warm])))
        {
            gate.WaitUntil(() => gate.ErrorSoFar.Contains("pair 2", StringComparison.Ordinal), "the second pair");
            gate.Signal("KILL");
            gate.WaitForEnd(TimeSpan.FromSeconds(20));
        }
        Assert.NotEmpty(place.DataFolders);
        // The launches see that nobody gives turns any more.
        var deadline = DateTime.UtcNow.AddSeconds(20);
        while (Command.TryRun(Command.DefaultTimeout, "pgrep", "-f", $"--target {place.Target}").ExitCode == 0 && DateTime.UtcNow < deadline)
            Thread.Sleep(100);
        Assert.NotEqual(0, Command.TryRun(Command.DefaultTimeout, "pgrep", "-f", $"--target {place.Target}").ExitCode);
        BenchProgram.Run(place.Folder, "run", "-p", "smoke", "--target", place.Target, "--out", place.Out + "2", "--no-report", "--case", Warm).Expect(0);
        Assert.Empty(Directory.GetFileSystemEntries(place.Target));
    }

    [NeedsFact("git")]
    public void A_revision_and_a_changed_working_tree_are_built_compared_and_removed_again()
    {
        var repository = Repository(place.Folder);
        var fast = Commit(repository, "args");
        Write(repository, "[.. args, .. args.Length > 0 && args[0] == \"run\" ? new[] { \"--inject-slowdown\", \"3\" } : []]");
        var result = Gate(["--base", fast, "--head", ".", "--uncalibrated", "--pairs", "8", "--case", Warm], repository.Folder);
        Assert.Equal(1, result.ExitCode);
        var read = GateJson.ReadFile(Path.Combine(place.Out, GateResult.FileName));
        Assert.Equal(fast, read.Base.Commit);
        Assert.NotEqual(fast, read.Head.Commit);
        Assert.Equal("M bench/Bench/Program.cs", repository.Git("status", "--porcelain"));
        Assert.Single(repository.Git("worktree", "list").Split('\n', StringSplitOptions.RemoveEmptyEntries));
        AssertNothingLeft();
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(repository.Folder, ".git", "bench-gate")));
    }

    [NeedsFact("git")]
    public void A_revision_that_does_not_build_is_named_with_the_compiler_s_words()
    {
        var repository = Repository(place.Folder);
        var good = Commit(repository, "args");
        var bad = Commit(repository, "this is no C#");
        var result = Gate(["--base", good, "--head", bad, "--uncalibrated", "--case", Warm], repository.Folder).Expect(2);
        Assert.Contains($"the head {bad} does not build", result.Error, StringComparison.Ordinal);
        Assert.Contains("error CS", result.Error, StringComparison.Ordinal);
        Assert.Single(repository.Git("worktree", "list").Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(repository.Folder, ".git", "bench-gate")));
        Assert.Empty(Directory.GetFileSystemEntries(place.Target));
    }

    [Theory]
    [InlineData("what is compared?")]
    [InlineData("is no program, no run, and no revision", "--base", "no-such-revision", "--head", ".")]
    [InlineData("--pairs takes rising numbers", "--base-set", "FlushPolicy=each", "--pairs", "8,8")]
    [InlineData("--pairs takes rising numbers", "--base-set", "FlushPolicy=each", "--pairs", "3")]
    [InlineData("--margin takes a share", "--base-set", "FlushPolicy=each", "--margin", "-1")]
    [InlineData("no parameter is named", "--base-set", "Nothing=1", "--head-set", "Nothing=2")]
    [InlineData("go together", "--base-target", ".")]
    [InlineData("are one folder", "--base-target", ".", "--head-target", "./")]
    [InlineData("give each side one value", "--base-set", "FlushPolicy=each,none", "--head-set", "FlushPolicy=roll")]
    public void Wrong_use_is_one_sentence(string sentence, params string[] arguments)
    {
        var result = Gate(["--uncalibrated", .. arguments]).Expect(64);
        Assert.Contains(sentence, result.Error, StringComparison.Ordinal);
        AssertNothingLeft();
    }

    public void Dispose() => place.Dispose();

    private BenchResult Gate(string[] arguments, string? folder = null) => RunIn(folder ?? place.Folder, Arguments(arguments));

    private BenchResult Run(params string[] arguments) => RunIn(place.Folder, arguments);

    private static BenchResult RunIn(string folder, string[] arguments)
    {
        using var program = BenchProgram.Start(folder, [BenchProgram.Path, .. arguments], QuickStart);
        return program.WaitForEnd(Long);
    }

    private string[] Arguments(string[] arguments) =>
        ["gate", "-p", "smoke", "--target", place.Target, .. arguments.Contains("--out") ? Array.Empty<string>() : ["--out", place.Out], .. arguments];

    private void AssertNothingLeft()
    {
        Assert.Empty(Directory.GetFileSystemEntries(place.Target));
        Assert.False(Directory.Exists(Path.Combine(place.Out, "launches")), "the launches' records are still there");
    }

    /// <summary>A program that counts its runs, does something, and is bench.</summary>
    private string Script(string name, string before, string after = "")
    {
        var path = Path.Combine(place.Folder, name + ".sh");
        File.WriteAllText(path, $"""
            #!/bin/bash
            n=$(( $(cat '{path}.count' 2>/dev/null || echo 0) + 1 )); echo $n > '{path}.count'
            {before}
            '{BenchProgram.Path}' "$@"; code=$?
            {after}
            exit $code
            """);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    /// <summary>A repository whose bench is a few lines around the real one.</summary>
    private static TestRepository Repository(string parent) => new(Path.Combine(parent, "repository"));

    private static string Commit(TestRepository repository, string arguments)
    {
        Write(repository, arguments);
        return repository.Commit();
    }

    private static void Write(TestRepository repository, string arguments) => repository.WriteBench($$"""
        string[] all = {{arguments}};
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(@"{{BenchProgram.Path}}", all))!;
        process.WaitForExit();
        return process.ExitCode;
        """);
}
