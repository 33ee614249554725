using System.Text.Json;
using Bench.Measure.Records;
using Bench.TestSupport;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>What the program writes where, in every culture, and what it says of a run before it begins.</summary>
public class OutputTests
{
    private const string WarmReads = "CachePath*BufferedWarm*Operation=Read*";
    private static readonly string[] WarmReadsOnly = ["--filter", WarmReads];

    [Fact]
    public void With_json_standard_output_is_records_only_and_progress_goes_to_standard_error()
    {
        using var place = new RunPlace();
        // The second case fails: no machine has half of that memory.
        var result = place.Smoke("--filter", "AccessPattern*Memory*Sequential*Operation=Read*Scalar*Small*", "--set", "WorkingSet=64MiB,512TiB").Expect(1);
        Assert.Equal(2, result.Records.Count);
        Assert.Null(result.Records[0].Error);
        Assert.Contains("more than half of this machine's memory", result.Records[1].Error, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllLines(place.RecordsFile), result.OutputLines);
        Assert.Contains("[1/2]", result.Error, StringComparison.Ordinal);
        Assert.Contains("[2/2]", result.Error, StringComparison.Ordinal);
        Assert.Contains("failed: ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_json_standard_output_is_the_table()
    {
        using var place = new RunPlace();
        var result = BenchProgram.Run(place.Folder, ["run", "-p", "smoke", "--target", place.Target, "--out", place.Out, .. WarmReadsOnly]).Expect(0);
        Assert.Contains("CachePath", result.Output, StringComparison.Ordinal);
        Assert.Contains("proven warm", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', result.Output);
        Assert.DoesNotContain('\u001b', result.Error);
        Assert.DoesNotContain("[1/2]", result.Output, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(place.Out, "index.html")));
    }

    [Fact]
    public void A_case_is_run_by_its_name_and_a_slowdown_is_told_in_its_record_and_refused_by_a_history()
    {
        using var place = new RunPlace();
        const string named = "CachePath(Access=BufferedWarm, Operation=Read, Pattern=Random, BlockSize=64KiB, Engine=psync, QueueDepth=1, Threads=1, FileSize=8MiB)";
        var record = Assert.Single(place.Smoke("--case", named, "--inject-slowdown", "50%").Expect(0).Records);
        Assert.Equal(named, record.Case);
        Assert.All(record.Passes, pass => Assert.InRange(pass.ThreadCpuSeconds!.Value, 1e-6, pass.CpuUserSeconds + pass.CpuSystemSeconds + 1e-3));
        Assert.Equal(0.5, (double)record.Effective["injectedSlowdown"]!);
        Assert.Contains(record.Warnings, warning => warning.Contains("slower on purpose", StringComparison.Ordinal));
        Assert.Contains("injected slowdown", BenchProgram.Run(place.Folder, "history", "add", place.Out).Expect(2).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Records_go_to_a_folder_of_the_runs_own_name_where_none_is_given()
    {
        using var place = new RunPlace();
        var result = BenchProgram.Run(place.Folder, ["run", "-p", "smoke", "--json", "--target", place.Target, .. WarmReadsOnly]).Expect(0);
        var folder = Assert.Single(Directory.GetDirectories(Path.Combine(place.Folder, "reports", "out")));
        Assert.All(result.Records, record => Assert.Equal(Path.GetFileName(folder), record.Run));
    }

    [Theory]
    [InlineData("de_DE.UTF-8")]
    [InlineData("ko_KR.UTF-8")]
    [InlineData("tr_TR.UTF-8")]
    public void Figures_are_the_same_in_every_culture(string locale)
    {
        using var place = new RunPlace();
        place.Smoke("--filter", "CachePath*Direct*Operation=Read*", "--filter", "AccessPattern*Memory*Random*").Expect(0);
        foreach (var arguments in new string[][] { ["list", "-p", "quick", "--seed", "1"], ["list", "-p", "smoke", "--json", "--set", "access=direct"] })
            Assert.Equal(BenchProgram.Run(place.Folder, In("C.UTF-8"), arguments).Expect(0).Output, BenchProgram.Run(place.Folder, In(locale), arguments).Expect(0).Output);
        Assert.Equal(Markdown("C.UTF-8"), Markdown(locale));

        // And what is measured under it is written as everywhere.
        var result = BenchProgram.Run(place.Folder, In(locale), ["run", "-p", "smoke", "--target", place.Target, "--out", place.Out + "2", "--pass-seconds", "0.02", .. WarmReadsOnly]).Expect(0);
        Assert.DoesNotMatch(@"\d,\d{1,2}\b(?!\d)", string.Join('\n', result.OutputLines.Where(line => line.Contains("BufferedWarm", StringComparison.Ordinal))));
        // The machine may reclaim a page within a pass; that is no matter of culture, and does not come twice.
        Assert.All(RunStore.Read(place.Out + "2").Records, record =>
            Assert.Equal(Verdict.Proven, place.SecondLook(record, claim => claim.Verdict == Verdict.Proven).Evidence.Verdict));

        string Markdown(string name)
        {
            var page = Path.Combine(Directory.CreateDirectory(Path.Combine(place.Folder, name)).FullName, "page.html");
            BenchProgram.Run(place.Folder, In(name), "report", place.Out, "-o", page).Expect(0);
            return File.ReadAllText(Path.Combine(place.Folder, name, "report.md"));
        }

        static Dictionary<string, string> In(string name) => new() { ["LC_ALL"] = name, ["LANG"] = name };
    }

    [Fact]
    public void What_list_promises_is_within_a_factor_of_two_of_what_a_run_takes()
    {
        using var place = new RunPlace();
        string[] plan =
        [
            "-p", "quick", "--set", "FileSize=256MiB", "--filter", "CachePath*Access=Direct, Operation=Write*", "--filter", "CachePath*Access=Direct, Operation=Read*BlockSize=4KiB*",
            "--filter", "CachePath*BufferedWarm, Operation=Read*64KiB*",
        ];
        var promised = BenchProgram.Run(place.Folder, ["list", "--json", .. plan]).Expect(0).OutputLines
            .Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        var seconds = promised.Sum(one => one.GetProperty("estimatedSeconds").GetDouble());
        var writeBytes = promised.Sum(one => one.GetProperty("estimatedWriteBytes").GetInt64());

        var result = BenchProgram.Run(place.Folder, ["run", "--target", place.Target, "--out", place.Out, "--no-report", "--json", .. plan]).Expect(0);
        Assert.Equal(promised.Length, result.Records.Count);
        Assert.Equal(promised.Select(one => one.GetProperty("case").GetString()), result.Records.Select(record => record.Case));
        // Laying out the file happens within the first case; the list has it in its last line, for the run as a whole.
        var took = result.Records.Skip(1).Sum(record => record.TotalSeconds);
        Assert.InRange(took, (seconds - promised[0].GetProperty("estimatedSeconds").GetDouble()) / 2, seconds * 2);
        // The passes and the warm-up before them.
        var written = result.Records.Where(record => record.Operation == "Write").Sum(record => record.Passes.Sum(pass => (double)pass.Bytes) * (record.Passes.Count + 1) / record.Passes.Count);
        const double layout = 256 << 20;
        Assert.InRange(written + layout, (writeBytes + layout) / 2, (writeBytes + layout) * 2);
    }

    [Fact]
    public void Devices_tells_the_file_system_and_the_disks()
    {
        using var place = new RunPlace();
        var told = BenchProgram.Run(place.Folder, "devices", place.Target).Expect(0).Output;
        var json = JsonDocument.Parse(Assert.Single(BenchProgram.Run(place.Folder, "devices", place.Target, "--json").Expect(0).OutputLines)).RootElement;
        var fileSystem = json.GetProperty("target").GetProperty("mount").GetProperty("fileSystem").GetString()!;
        Assert.Contains(fileSystem, told, StringComparison.Ordinal);
        Assert.Contains(json.GetProperty("host").GetProperty("kernel").GetString()!, told, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', told);
        // This folder where none is given.
        Assert.Contains(fileSystem, BenchProgram.Run(place.Folder, "devices").Expect(0).Output, StringComparison.Ordinal);
    }

    [RootFact("mkfs.btrfs", "losetup", "/dev/loop-control")]
    public void Devices_tells_every_member_of_an_array()
    {
        using var made = LoopFileSystem.Btrfs("raid1", 2, 128 << 20);
        using var place = new RunPlace(made.MountPath);
        var told = BenchProgram.Run(place.Folder, "devices", made.MountPath).Expect(0).Output;
        Assert.All(made.DevicePaths, path => Assert.Contains(Path.GetFileName(path), told, StringComparison.Ordinal));
    }

    [RootFact("setpriv")]
    public void Without_root_everything_is_measured_and_nothing_is_claimed_that_could_not_be_read()
    {
        using var place = new RunPlace();
        File.SetUnixFileMode(place.Folder, (UnixFileMode)0x1FF);
        File.SetUnixFileMode(place.Target, (UnixFileMode)0x1FF);
        using var program = OrdinaryUser.Start(place.Folder, place.SmokeRun());
        var records = program.WaitForEnd(BenchProgram.DefaultTimeout).Expect(0).Records;
        Assert.True(records.Count > 40);
        Assert.All(records, record => Assert.Null(record.Error));
        Assert.All(records, record => Assert.False(record.Host.Root));
        Assert.All(records, record => Assert.True(place.SecondLook(record, Holds).Evidence.Claims.All(Holds), record.Evidence.Told()));
        Assert.Empty(place.DataFolders);

        // Passes of 10 ms: one slow request, or a file as small as the read-ahead, is enough for the first two.
        static bool Holds(ClaimRecord claim) => claim.Claim is "queue-depth" or "uncached" || claim.Verdict == Verdict.Proven || claim.SaysNotAtRest()
            || (claim.Verdict == Verdict.Unproven && claim.Reason!.StartsWith("could not be read", StringComparison.Ordinal));
    }

    [Fact]
    public void Kept_data_is_used_again_and_stays()
    {
        using var place = new RunPlace();
        var first = BenchProgram.Run(place.Folder, [.. place.SmokeRun(WarmReadsOnly), "--keep"]).Expect(0);
        var data = Assert.Single(place.DataFolders);
        Assert.Contains($"Data     kept in {data}", first.Error, StringComparison.Ordinal);
        var file = new FileInfo(Path.Combine(data, "data-8MiB.bin"));
        var made = file.LastWriteTimeUtc;
        File.Delete(place.RecordsFile);

        // Neither a run beside it nor one that uses it takes it away, and it is not written again.
        BenchProgram.Run(place.Folder, "run", "-p", "smoke", "--no-report", "--target", place.Target, "--out", place.Out + "2", "--filter", WarmReads).Expect(0);
        place.Smoke([.. WarmReadsOnly, "--reuse", data]).Expect(0);
        Assert.Equal([data], place.DataFolders);
        file.Refresh();
        Assert.Equal(made, file.LastWriteTimeUtc);
    }

    [Fact]
    public void Kept_logs_are_sound_and_cleanly_closed()
    {
        using var place = new RunPlace();
        place.Smoke("--keep", "--filter", "LogAppend*").Expect(0);
        string[] logs = [.. Directory.GetFiles(Assert.Single(place.DataFolders), "*.log", SearchOption.AllDirectories).Select(path => Path.GetDirectoryName(path)!).Distinct()];
        Assert.NotEmpty(logs);
        foreach (var log in logs)
        {
            BenchProgram.Run(place.Folder, "log", "verify", log).Expect(0);
            // Nothing that a broker's log would not have: no file that was made ahead, and no zeros behind the end.
            Assert.All(Directory.GetFiles(log), path => Assert.Contains(Path.GetExtension(path), new[] { ".log", ".index", ".timeindex", ".txnindex", ".snapshot", "", ".metadata" }));
        }
    }

    [Fact]
    public void Data_in_use_is_not_used_again()
    {
        using var place = new RunPlace();
        place.Smoke([.. WarmReadsOnly, "--keep"]).Expect(0);
        var data = Assert.Single(place.DataFolders);
        File.Delete(place.RecordsFile);
        using var living = place.StartSmoke([.. WarmReadsOnly, "--reuse", data, "--pass-seconds", "30"]);
        living.WaitUntil(() => File.Exists(place.RecordsFile), "the run");
        var second = BenchProgram.Run(place.Folder, ["run", "-p", "smoke", "--target", place.Target, "--out", place.Out + "2", "--reuse", data]).Expect(64);
        Assert.Contains("in use by another run", second.Error, StringComparison.Ordinal);
        living.Signal("INT");
        living.WaitForEnd(BenchProgram.DefaultTimeout).Expect(130);
        Assert.Equal([data], place.DataFolders);
    }

    [Fact]
    public void Reused_data_must_be_in_the_target_whose_counters_are_read()
    {
        using var place = new RunPlace();
        place.Smoke([.. WarmReadsOnly, "--keep"]).Expect(0);
        var data = Assert.Single(place.DataFolders);
        File.Delete(place.RecordsFile);
        var elsewhere = Directory.CreateDirectory(Path.Combine(place.Folder, "elsewhere")).FullName;
        var result = BenchProgram.Run(place.Folder, ["run", "-p", "smoke", "--target", elsewhere, "--out", place.Out, "--reuse", data, .. WarmReadsOnly]).Expect(64);
        Assert.Contains("is not in the target", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_seed_makes_the_same_data_and_the_same_order()
    {
        using var place = new RunPlace();
        Assert.Equal(DataOf("7", "a"), DataOf("7", "b"));
        Assert.NotEqual(DataOf("7", "c"), DataOf("8", "d"));

        string DataOf(string seed, string name)
        {
            var records = BenchProgram.Run(place.Folder, ["run", "-p", "smoke", "--json", "--no-report", "--target", place.Target, "--out", Path.Combine(place.Folder, name), "--seed", seed, "--keep", .. WarmReadsOnly]).Expect(0).Records;
            Assert.All(records, record => Assert.Equal(long.Parse(seed, System.Globalization.CultureInfo.InvariantCulture), record.Tool.Seed));
            var data = Assert.Single(place.DataFolders);
            var hash = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(Path.Combine(data, "data-8MiB.bin"))));
            Directory.Delete(data, recursive: true);
            return hash;
        }
    }
}
