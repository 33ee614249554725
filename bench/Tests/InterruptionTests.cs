using System.Diagnostics;
using System.Globalization;
using Bench.Measure.Records;
using Bench.TestSupport;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>However a run ends, its finished records stay, and its data does not.</summary>
public class InterruptionTests
{
    private const int Interrupted = 130;

    // The promise is two seconds; the rest is for a machine that is busy and a process that has to be seen to end.
    private static readonly TimeSpan Promise = TimeSpan.FromSeconds(2);

    [Fact]
    public void A_killed_run_keeps_its_records_and_the_next_run_removes_its_data()
    {
        using var place = new RunPlace();
        using (var killed = place.StartSmoke(TwoCasesAndALongPass))
        {
            WaitForRecord(killed, place);
            killed.Signal("KILL");
            Assert.Equal(128 + 9, killed.WaitForEnd(BenchProgram.DefaultTimeout).ExitCode);
        }
        var leftover = Assert.Single(place.DataFolders);
        Assert.NotEmpty(Directory.GetFiles(leftover, "data-*"));
        Assert.Single(RunStore.Read(place.Out).Records);

        var next = BenchProgram.Run(place.Folder, "run", "-p", "smoke", "--target", place.Target, "--out", place.Out + "2", "--filter", "CachePath*BufferedWarm, Operation=Read*").Expect(0);
        Assert.Contains($"Removed what an interrupted run had left: {leftover}", next.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(place.Target));

        // A crash of the machine may tear what was being written.
        File.AppendAllText(place.RecordsFile, "{\"schema\":\"bench.record/1\",\"run\":\"2026");
        var report = BenchProgram.Run(place.Folder, "report", place.Out, place.Out + "2", "-o", Path.Combine(place.Folder, "page.html")).Expect(0);
        Assert.Contains("torn", report.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(place.Folder, "page.html")));
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    [InlineData("HUP")]
    public void A_signal_in_a_pass_ends_the_run_within_two_seconds_with_records_and_report(string signal)
    {
        using var place = new RunPlace();
        using var program = BenchProgram.Start(place.Folder, ["run", "-p", "smoke", "--target", place.Target, "--out", place.Out, "--json", .. TwoCasesAndALongPass]);
        WaitForRecord(program, place);
        var result = EndBy(signal, program);
        Assert.Contains("Stopped; the 1 finished cases are kept", result.Error, StringComparison.Ordinal);
        // Standard output is records only, to the last line.
        Assert.Equal(RunStore.Read(place.Out).Records.Single().Case, Assert.Single(result.Records).Case);
        Assert.True(File.Exists(Path.Combine(place.Out, "index.html")));
        Assert.True(File.Exists(Path.Combine(place.Out, "report.md")));
        Assert.Empty(Directory.GetFileSystemEntries(place.Target));
    }

    /// <summary>timeout(1) signals its child and then its group, the child among it: that is one wish, not two.</summary>
    [Fact]
    public void SIGTERM_twice_at_once_is_one_wish_to_end()
    {
        using var place = new RunPlace();
        using var program = BenchProgram.Start(place.Folder, ["run", "-p", "smoke", "--target", place.Target, "--out", place.Out, "--json", .. TwoCasesAndALongPass]);
        WaitForRecord(program, place);
        Command.Run("sh", "-c", string.Create(CultureInfo.InvariantCulture, $"kill -s TERM {program.ProcessId}; sleep 0.02; kill -s TERM {program.ProcessId}"));
        var result = program.WaitForEnd(BenchProgram.DefaultTimeout).Expect(Interrupted);
        Assert.Contains("Stopped; the 1 finished cases are kept", result.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(place.Out, "index.html")));
        Assert.Empty(Directory.GetFileSystemEntries(place.Target));
    }

    [Fact]
    public void Ctrl_C_while_the_files_are_laid_out_ends_the_run_within_two_seconds()
    {
        using var place = new RunPlace();
        using var program = place.StartSmoke("--filter", "CachePath*BufferedWarm, Operation=Read*", "--set", "FileSize=4GiB");
        program.WaitUntil(() => place.DataFile("4GiB") is { } path && LengthOf(path) > 0, "the first bytes of the file");
        var result = EndBy("INT", program);
        Assert.Empty(result.Output);
        Assert.Empty(Directory.GetFileSystemEntries(place.Target));
    }

    [Theory]
    [InlineData("SendFile")]
    [InlineData("Tls")]
    public void Ctrl_C_in_a_transfer_ends_the_run_and_its_receiver(string method)
    {
        using var place = new RunPlace();
        using var program = place.StartSmoke("--filter", "Transfer*Hot*", "--set", $"Method={method}", "--pass-seconds", "60");
        program.WaitUntil(() => place.DataFile("8MiB") is not null && Children(program.ProcessId).Length > 0, "the receiver");
        var receivers = Children(program.ProcessId);
        // Into the warm-up pass.
        Thread.Sleep(1500);
        EndBy("INT", program);
        Assert.Empty(Directory.GetFileSystemEntries(place.Target));
        Thread.Sleep(200);
        Assert.All(receivers, receiver => Assert.False(Directory.Exists(string.Create(CultureInfo.InvariantCulture, $"/proc/{receiver}"))));
    }

    /// <summary>A terminal sends SIGINT to the whole group: the receiver gets it too, and must not make a failure of it.</summary>
    [NeedsFact("setsid")]
    public void Ctrl_C_on_a_terminal_reaches_the_receiver_too_and_is_no_failure()
    {
        using var place = new RunPlace();
        // setsid makes the program the leader of a group of its own, and is replaced by it.
        using var program = BenchProgram.Start(
            place.Folder, ["setsid", BenchProgram.Path, .. place.SmokeRun("--filter", "Transfer*Hot*", "--set", "Method=SendFile", "--pass-seconds", "60")], new Dictionary<string, string>());
        program.WaitUntil(() => place.DataFile("8MiB") is not null && Children(program.ProcessId).Length > 0, "the receiver");
        Thread.Sleep(1500);
        Command.Run("sh", "-c", string.Create(CultureInfo.InvariantCulture, $"kill -s INT -- -{program.ProcessId}"));
        var result = program.WaitForEnd(BenchProgram.DefaultTimeout).Expect(Interrupted);
        Assert.Contains("Stopped; the 0 finished cases are kept", result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(place.Target));
    }

    [RootFact(FaultyDisk.Needs)]
    public void Ctrl_C_ends_a_run_whose_system_call_takes_seconds_on_a_slow_disk()
    {
        using var disk = new FaultyDisk();
        using var place = new RunPlace(disk.MountPath);
        using var program = place.StartSmoke("--filter", "CachePath*Direct*Operation=Read, Pattern=Random*psync*QueueDepth=1, Threads=1,*", "--passes", "1000", "--pass-seconds", "5");
        program.WaitUntil(() => place.DataFile("8MiB") is not null, "the data file");
        disk.Fault = DiskFault.Slow;
        Thread.Sleep(1000);
        var start = Stopwatch.GetTimestamp();
        program.Signal("INT");
        var result = program.WaitForEnd(BenchProgram.DefaultTimeout);
        Assert.Contains(result.ExitCode, new[] { Interrupted, 128 + 9 });
        Assert.True(Stopwatch.GetElapsedTime(start) < Promise + TimeSpan.FromSeconds(1));
        disk.Fault = DiskFault.None;
        Assert.Empty(place.DataFolders);
    }

    /// <summary>A log that rolls faster than its disk flushes owes it many seconds of flushes, for which nobody waits who has pressed Ctrl-C.</summary>
    [RootFact(FaultyDisk.Needs)]
    public void Ctrl_C_does_not_wait_for_flushes_that_a_slow_disk_owes()
    {
        using var disk = new FaultyDisk();
        using var place = new RunPlace(disk.MountPath);
        disk.SetRate(5);
        using var program = place.StartSmoke("--filter", "LogAppend*FlushPolicy=roll, FlushMethod=Fdatasync*Partitions=1,*", "--pass-seconds", "0.5");
        program.WaitUntil(() => Directory.GetFiles(disk.MountPath, "*.log", SearchOption.AllDirectories).Length > 20, "twenty segments, four seconds of flushes");
        var start = Stopwatch.GetTimestamp();
        program.Signal("INT");
        var result = program.WaitForEnd(BenchProgram.DefaultTimeout).Expect(Interrupted);
        Assert.True(Stopwatch.GetElapsedTime(start) < Promise + TimeSpan.FromSeconds(1), result.Error);
        Assert.Empty(place.DataFolders);
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("KILL")]
    public void An_interrupted_run_is_gone_on_with_and_ends_as_if_nothing_had_been(string signal)
    {
        using var place = new RunPlace();
        string[] names = ["CachePath(Access=BufferedWarm, Operation=Read, Pattern=Random, BlockSize=4KiB, FileSize=8MiB)", "CachePath(Access=BufferedCold, Operation=Read, Pattern=Random, BlockSize=4KiB, FileSize=8MiB)", "CachePath(Access=Direct, Operation=Read, Pattern=Random, BlockSize=64KiB, FileSize=8MiB)"];
        using (var program = BenchProgram.Start(place.Folder, ["run", "-p", "smoke", "--target", place.Target, "--out", place.Out, "--seed", "77", "--passes", "3", "--pass-seconds", "0.4", .. names.SelectMany(name => new[] { "--case", name })]))
        {
            WaitForRecord(program, place);
            program.Signal(signal);
            program.WaitForEnd(BenchProgram.DefaultTimeout);
        }
        var before = RunStore.Read(place.Out).Records;
        Assert.InRange(before.Count, 1, 2);

        var result = BenchProgram.Run(place.Folder, "run", "--resume", place.Out).Expect(0);
        var after = RunStore.Read(place.Out).Records;
        Assert.Equal(3, after.Count);
        Assert.Equal(before.Select(record => record.StartedUtc), after.Take(before.Count).Select(record => record.StartedUtc));
        Assert.All(after, record => Assert.Equal((before[0].Run, 77L, 3, "smoke"), (record.Run, record.Tool.Seed, record.Passes.Count, record.Tool.Profile)));
        Assert.Equal(3, after.Select(record => record.Case).Distinct().Count());
        Assert.Equal(3, result.OutputLines.Count(line => line.Contains("proven", StringComparison.Ordinal)));
        Assert.True(File.Exists(Path.Combine(place.Out, "index.html")));
        Assert.Empty(Directory.GetFileSystemEntries(place.Target));

        Assert.Contains("Nothing is left", BenchProgram.Run(place.Folder, "run", "--resume", place.Out).Expect(0).Error, StringComparison.Ordinal);
        Assert.Contains("--passes does not go with it", BenchProgram.Run(place.Folder, "run", "--resume", place.Out, "--passes", "9").Expect(64).Error, StringComparison.Ordinal);
        Assert.Contains("no plan.json", BenchProgram.Run(place.Folder, "run", "--resume", place.Folder).Expect(64).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_run_leaves_the_data_of_a_living_one_alone()
    {
        using var place = new RunPlace();
        using var living = place.StartSmoke(TwoCasesAndALongPass);
        WaitForRecord(living, place);
        var data = Assert.Single(place.DataFolders);
        var second = BenchProgram.Run(place.Folder, "run", "-p", "smoke", "--target", place.Target, "--out", place.Out + "2", "--no-report", "--filter", "CachePath*BufferedWarm, Operation=Read*").Expect(0);
        Assert.DoesNotContain("Removed", second.Error, StringComparison.Ordinal);
        Assert.Equal([data], place.DataFolders);
        Assert.NotEmpty(Directory.GetFiles(data, "data-*"));
        EndBy("INT", living);
        Assert.Empty(place.DataFolders);
    }

    [Fact]
    public void Folders_that_only_look_like_a_leftover_stay()
    {
        using var place = new RunPlace();
        var stranger = Directory.CreateDirectory(Path.Combine(place.Target, ".bench-photos")).FullName;
        var elsewhere = Directory.CreateDirectory(Path.Combine(place.Folder, "elsewhere")).FullName;
        File.WriteAllText(Path.Combine(elsewhere, "owner.json"), "{}");
        var link = Path.Combine(place.Target, ".bench-20260101-000000-abcd");
        Directory.CreateSymbolicLink(link, elsewhere);
        // Files without an owner's file: somebody else's folder with an unlucky name.
        var ownerless = Directory.CreateDirectory(Path.Combine(place.Target, ".bench-20260101-000000-0000")).FullName;
        File.WriteAllText(Path.Combine(ownerless, "thesis.txt"), "kept");
        place.Smoke("--filter", "CachePath*BufferedWarm, Operation=Read*").Expect(0);
        Assert.True(Directory.Exists(stranger));
        Assert.True(File.Exists(Path.Combine(elsewhere, "owner.json")));
        Assert.True(File.Exists(Path.Combine(ownerless, "thesis.txt")));
    }

    /// <summary>A first case that ends at once, because a cold pass reads its file once, and a second whose passes take half a minute.</summary>
    private static readonly string[] TwoCasesAndALongPass =
        ["--filter", "CachePath*BufferedCold, Operation=Read, Pattern=Random*", "--filter", "CachePath*BufferedWarm, Operation=Read, Pattern=Random*", "--pass-seconds", "30"];

    private static BenchResult EndBy(string signal, BenchProgram program)
    {
        var start = Stopwatch.GetTimestamp();
        program.Signal(signal);
        var result = program.WaitForEnd(BenchProgram.DefaultTimeout).Expect(Interrupted);
        var took = Stopwatch.GetElapsedTime(start);
        Assert.True(took < Promise, $"it took {took.TotalSeconds:0.0} s; {result.Error}");
        return result;
    }

    private static void WaitForRecord(BenchProgram program, RunPlace place)
    {
        program.WaitUntil(() => File.Exists(place.RecordsFile) && LengthOf(place.RecordsFile) > 0, "the first record");
        // On into a pass of the second case.
        Thread.Sleep(300);
    }

    private static long LengthOf(string path)
    {
        try
        {
            return new FileInfo(path).Length;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static int[] Children(int processId)
    {
        try
        {
            return [.. Directory.GetDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/task"))
                .SelectMany(task => File.ReadAllText(task + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Select(number => int.Parse(number, CultureInfo.InvariantCulture))];
        }
        catch (IOException)
        {
            return [];
        }
    }
}
