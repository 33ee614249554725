using Bench.Measure.Records;
using Bench.TestSupport;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>Wrong use is refused with one clear sentence, exit code 64, before anything is written.</summary>
public class WrongUseTests
{
    private const int WrongUse = 64;

    [Fact]
    public void A_target_that_does_not_exist_is_refused()
    {
        using var place = new RunPlace();
        Refused(place, "does not exist", "run", "-p", "smoke", "--target", Path.Combine(place.Target, "missing"));
    }

    [Fact]
    public void A_plan_that_writes_more_than_allowed_is_refused()
    {
        using var place = new RunPlace();
        Refused(place, "more than --max-write 1MiB", "run", "-p", "smoke", "--target", place.Target, "--max-write", "1MiB");
        Refused(place, "'much' is none", "run", "-p", "smoke", "--target", place.Target, "--max-write", "much");
    }

    [Fact]
    public void A_target_that_is_a_file_is_refused()
    {
        using var place = new RunPlace();
        var file = Path.Combine(place.Target, "file");
        File.WriteAllText(file, "kept");
        Refused(place, "is no folder", "run", "-p", "smoke", "--target", file);
        Assert.Equal("kept", File.ReadAllText(file));
    }

    [Theory]
    [InlineData("/dev/null")]
    [InlineData("/dev/../dev/zero")]
    public void A_target_that_is_a_device_is_refused(string device)
    {
        using var place = new RunPlace();
        Refused(place, "is a device", "run", "-p", "smoke", "--target", device);
    }

    [RootFact("mknod")]
    public void A_block_device_outside_dev_is_no_folder_either()
    {
        using var place = new RunPlace();
        var node = Path.Combine(place.Target, "disk");
        // Major 7 is loop; nothing opens it.
        Command.Run("mknod", node, "b", "7", "250");
        Refused(place, "is no folder", "run", "-p", "smoke", "--target", node);
    }

    [Fact]
    public void A_symbolic_link_is_refused_with_where_it_leads()
    {
        using var place = new RunPlace();
        var real = Directory.CreateDirectory(Path.Combine(place.Target, "real")).FullName;
        var link = Path.Combine(place.Target, "link");
        Directory.CreateSymbolicLink(link, real);
        Refused(place, real, "run", "-p", "smoke", "--target", link);
        // With a slash at its end the shell's completion gives the same link.
        Refused(place, "symbolic link", "run", "-p", "smoke", "--target", link + "/");
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    public void An_empty_target_is_refused(string target)
    {
        using var place = new RunPlace();
        Refused(place, "--target is empty", "run", "-p", "smoke", "--target", target);
    }

    [RootFact]
    public void A_read_only_mount_is_refused()
    {
        using var tmpfs = new TmpfsMount();
        using var place = new RunPlace(tmpfs.MountPath);
        Command.Run("mount", "-o", "remount,ro", tmpfs.MountPath);
        Refused(place, "read-only", "run", "-p", "smoke", "--target", tmpfs.MountPath);
    }

    [RootFact]
    public void A_file_system_that_makes_no_files_is_refused_in_the_kernels_words()
    {
        using var place = new RunPlace();
        Assert.Contains("the target /proc cannot be written: open /proc/.bench-probe-", OneSentence(BenchProgram.Run(place.Folder, "run", "-p", "smoke", "--target", "/proc").Expect(WrongUse)), StringComparison.Ordinal);
    }

    [RootFact("setpriv")]
    public void A_folder_that_the_user_may_not_write_is_refused()
    {
        using var place = new RunPlace();
        File.SetUnixFileMode(place.Target, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        using var program = OrdinaryUser.Start(place.Folder, "run", "-p", "smoke", "--target", place.Target);
        var result = program.WaitForEnd(BenchProgram.DefaultTimeout).Expect(WrongUse);
        Assert.Contains("cannot be written", OneSentence(result), StringComparison.Ordinal);
    }

    [RootFact("mkfs.ext4", "losetup", "/dev/loop-control")]
    public void A_plan_that_does_not_fit_is_refused_before_anything_is_written()
    {
        using var small = LoopFileSystem.Ext4(24 << 20);
        using var place = new RunPlace(small.MountPath);
        var before = place.TargetListing();
        // Two files, 8 and 16 MiB, of which each alone would fit.
        Refused(place, "is too small", "run", "-p", "smoke", "--target", small.MountPath, "--filter", "CachePath*", "--set", "FileSize=8MiB,16MiB");
        Assert.Equal(before, place.TargetListing());
    }

    [RootTheory("mkfs.ext4", "losetup", "/dev/loop-control")]
    [InlineData("LogRecovery*", "Segments=16", "SegmentSize=64MiB")]
    [InlineData("LogAppend*", "Preallocation=Zeroed", "Partitions=10", "SegmentSize=8MiB")]
    [InlineData("LogAppend*", "FlushPolicy=none", "SegmentSize=16MiB", "--pass-seconds", "2")]
    public void What_a_log_would_take_is_refused_too(string filter, params string[] further)
    {
        using var small = LoopFileSystem.Ext4(120 << 20);
        using var place = new RunPlace(small.MountPath);
        var before = place.TargetListing();
        string[] settings = [.. further.Where(word => word.Contains('=', StringComparison.Ordinal)).SelectMany(word => new[] { "--set", word })];
        Refused(place, "is too small", ["run", "-p", "smoke", "--target", small.MountPath, "--filter", filter, .. settings, .. further.SkipWhile(word => word.Contains('=', StringComparison.Ordinal))]);
        Assert.Equal(before, place.TargetListing());
    }

    [Theory]
    [InlineData("quick, gate, standard, full", "-p", "fast")]
    [InlineData("quick, gate, standard, full", "-p", "")]
    [InlineData("quick, gate, standard, full", "-p", "1")]
    [InlineData("no case of the profile smoke matches", "-p", "smoke", "--filter", "Nothing*")]
    [InlineData("AccessPattern, CachePath, Transfer", "-p", "smoke", "--filter", "Nothing*")]
    [InlineData("no parameter is named BlokSize; there are Medium", "--set", "BlokSize=4KiB")]
    [InlineData("BufferedCold, BufferedWarm, Direct, Mmap, Uncached", "--set", "Access=Cached")]
    [InlineData("psync, io_uring", "--set", "Engine=libaio")]
    [InlineData("or another size such as 8KiB", "--set", "BlockSize=fast")]
    [InlineData("BlockSize has no value '-4KiB'", "--set", "BlockSize=-4KiB")]
    [InlineData("BlockSize has no value '0'", "--set", "BlockSize=0")]
    [InlineData("BlockSize has no value '4.5KiB'", "--set", "BlockSize=4.5KiB")]
    [InlineData("BlockSize has no value '99999999999999999999'", "--set", "BlockSize=99999999999999999999")]
    [InlineData("QueueDepth has no value '0'", "--set", "QueueDepth=0")]
    [InlineData("QueueDepth has no value '9999999999'", "--set", "QueueDepth=9999999999")]
    [InlineData("QueueDepth goes up to 4096", "--set", "QueueDepth=5000", "--set", "Engine=io_uring")]
    [InlineData("psync has one request in flight", "--set", "QueueDepth=8", "--set", "Engine=psync")]
    [InlineData("a map is not read through io_uring", "--set", "Access=Mmap", "--set", "Engine=io_uring")]
    [InlineData("multiples of 512", "--set", "BlockSize=1000B", "--set", "Access=Direct")]
    [InlineData("BlockSize goes up to 1GiB", "--set", "BlockSize=2GiB", "--set", "FileSize=4GiB")]
    [InlineData("FileSize must hold a block", "--set", "BlockSize=64KiB", "--set", "FileSize=4KiB")]
    [InlineData("ChunkSize goes up to FileSize", "--set", "ChunkSize=4MiB", "--set", "FileSize=1MiB", "--set", "Method=SendFile")]
    [InlineData("--set takes Name=value", "--set", "BlockSize")]
    [InlineData("--set takes Name=value", "--set", "=4KiB")]
    [InlineData("has no value", "--set", "BlockSize=")]
    [InlineData("--passes takes 1 to 10000", "--passes", "0")]
    [InlineData("--passes takes 1 to 10000", "--passes", "-3")]
    [InlineData("--passes takes a whole number; 'many' is none", "--passes", "many")]
    [InlineData("--passes takes a whole number; '1e3' is none", "--passes", "1e3")]
    [InlineData("--passes", "--passes", "99999999999999")]
    [InlineData("--pass-seconds takes", "--pass-seconds", "0")]
    [InlineData("there is no --case", "--operations", "5")]
    [InlineData("takes one number for each --case; there are 2 and 1", "--operations", "5,6", "--case", "CachePath()")]
    [InlineData("--operations takes numbers from 1", "--operations", "0")]
    [InlineData("--operations takes numbers from 1", "--operations", "many")]
    [InlineData("--pass-seconds takes", "--pass-seconds", "NaN")]
    [InlineData("--pass-seconds takes", "--pass-seconds", "1e300")]
    [InlineData("--seed takes a whole number; 'x' is none", "--seed", "x")]
    [InlineData("--pass-seconds takes a number such as 0.5; '1,5' is none", "--pass-seconds", "1,5")]
    [InlineData("--rate takes a number such as 0.5; '5k' is none", "--rate", "5k")]
    [InlineData("--rate takes operations a second above 0: 0.000001 to 1000000000", "--rate", "1e18")]
    [InlineData("--start takes a number such as 0.5; 'half' is none", "--start", "half")]
    [InlineData("--inject-slowdown takes a share above 0", "--inject-slowdown", "0")]
    [InlineData("--inject-slowdown takes a share above 0", "--inject-slowdown", "fast")]
    [InlineData("'CachePath' is no case's name", "--case", "CachePath")]
    [InlineData("no workload is named Cache; there are AccessPattern", "--case", "Cache(Access=Direct)")]
    [InlineData("CachePath has no parameter Acces; it has Access", "--case", "CachePath(Acces=Direct)")]
    [InlineData("is not possible: psync has one request in flight", "--case", "CachePath(QueueDepth=8)")]
    [InlineData("--filter and --set do not go with it", "--case", "CachePath()", "--set", "Access=Direct")]
    [InlineData("--targt", "--targt", ".")]
    public void Wrong_values_are_refused_and_the_right_ones_told(string told, params string[] options)
    {
        using var place = new RunPlace();
        Refused(place, told, ["run", "--target", place.Target, .. options]);
        if (options[0] != "--targt")
            Refused(place, told, ["list", .. options]);
    }

    [Fact]
    public void A_size_that_no_disk_has_is_refused_as_too_large()
    {
        using var place = new RunPlace();
        Refused(place, "is too small", "run", "-p", "smoke", "--target", place.Target, "--filter", "CachePath*", "--set", "FileSize=4000000TiB");
        // The sum of two such files is more than a 64-bit number holds.
        Refused(place, "is too small", "run", "-p", "smoke", "--target", place.Target, "--filter", "CachePath*", "--set", "FileSize=4000000TiB,5000000TiB");
    }

    /// <summary>What has the parameter is measured, and what a filter wants beside it is not left out without a word.</summary>
    [Fact]
    public void A_workload_that_a_setting_leaves_out_is_named()
    {
        using var place = new RunPlace();
        var listed = BenchProgram.Run(place.Folder, "list", "-p", "smoke", "--filter", "LogAppend*", "--filter", "CachePath*Direct*", "--set", "FileSize=8MiB").Expect(0);
        Assert.DoesNotContain("LogAppend", listed.Output, StringComparison.Ordinal);
        Assert.Contains("Left out LogAppend has no FileSize", listed.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Left out", BenchProgram.Run(place.Folder, "list", "-p", "smoke", "--set", "FileSize=8MiB").Expect(0).Error, StringComparison.Ordinal);
        Refused(place, "nothing is left to measure: CachePath has no SegmentSize; LogAppend has no FileSize", "list", "--filter", "LogAppend*", "--filter", "CachePath*", "--set", "FileSize=8MiB", "--set", "SegmentSize=1MiB");
    }

    [Fact]
    public void A_page_does_not_take_the_place_of_the_records_that_it_is_made_of()
    {
        using var place = new RunPlace();
        place.Smoke("--filter", "LogEncode*", "--no-report").Expect(0);
        var before = File.ReadAllText(place.RecordsFile);
        var copy = Path.Combine(place.Folder, "other");
        File.WriteAllText(copy, before);
        Refused(place, "records.jsonl is what a run's own file is called", "report", place.Out, "-o", place.RecordsFile);
        Refused(place, "records.jsonl is what a run's own file is called", "compare", place.Out, copy, "-o", place.RecordsFile);
        Refused(place, "is what is read", "report", copy, "-o", copy);
        Refused(place, "is what is read", "compare", place.Out, copy, "-o", Path.Combine(place.Folder, ".", "other"));
        Assert.Equal([before, before], new[] { place.RecordsFile, copy }.Select(File.ReadAllText));
    }

    [Fact]
    public void A_run_without_a_name_is_not_gone_on_with()
    {
        using var place = new RunPlace();
        Refused(place, "--resume is empty", "run", "--resume", "");
    }

    [Theory]
    [InlineData("measure")]
    [InlineData("run", "more")]
    [InlineData("report")]
    [InlineData("--frobnicate")]
    [InlineData]
    public void Unknown_verbs_and_options_are_refused(params string[] arguments)
    {
        using var place = new RunPlace();
        var result = BenchProgram.Run(place.Folder, arguments).Expect(WrongUse);
        Assert.Contains("bench: ", result.Error, StringComparison.Ordinal);
        Assert.Equal("", result.Output);
    }

    [Fact]
    public void A_folder_that_holds_a_run_is_not_written_over()
    {
        using var place = new RunPlace();
        Directory.CreateDirectory(place.Out);
        File.WriteAllText(place.RecordsFile, "kept\n");
        Refused(place, "holds a run already", place.SmokeRun());
        Assert.Equal("kept\n", File.ReadAllText(place.RecordsFile));
    }

    [Fact]
    public void Results_cannot_go_where_a_file_is()
    {
        using var place = new RunPlace();
        File.WriteAllText(place.Out, "kept");
        Refused(place, "cannot be made", place.SmokeRun());
        Refused(place, "--out is empty", "run", "-p", "smoke", "--target", place.Target, "--out", "");
        Assert.Equal("kept", File.ReadAllText(place.Out));
    }

    [RootFact]
    public void Results_cannot_go_to_a_read_only_file_system()
    {
        using var tmpfs = new TmpfsMount();
        Command.Run("mount", "-o", "remount,ro", tmpfs.MountPath);
        using var place = new RunPlace();
        Refused(place, "cannot be made", "run", "-p", "smoke", "--target", place.Target, "--out", Path.Combine(tmpfs.MountPath, "out"));
    }

    [RootFact]
    public void Results_that_have_no_room_end_the_run_with_what_to_do()
    {
        using var tmpfs = new TmpfsMount(16 << 10);
        using var place = new RunPlace();
        var result = BenchProgram.Run(place.Folder, "run", "-p", "smoke", "--target", place.Target, "--out", Path.Combine(tmpfs.MountPath, "out"), "--filter", "LogEncode*").Expect(1);
        var told = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        Assert.Contains(tmpfs.MountPath, told, StringComparison.Ordinal);
        Assert.EndsWith("; make room there, or give another folder", told, StringComparison.Ordinal);
        Assert.Empty(place.DataFolders);
    }

    [RootFact]
    public void A_page_that_has_no_room_leaves_the_last_one_and_says_what_to_do()
    {
        using var tmpfs = new TmpfsMount(64 << 10);
        using var place = new RunPlace();
        place.Smoke("--filter", "LogEncode*", "--no-report").Expect(0);
        var page = Path.Combine(tmpfs.MountPath, "index.html");
        File.WriteAllText(page, "the last one");
        var told = BenchProgram.Run(place.Folder, "report", place.Out, "-o", page).Expect(1).Error;
        Assert.Contains(tmpfs.MountPath, told, StringComparison.Ordinal);
        Assert.EndsWith("; make room there, or give another folder\n", told, StringComparison.Ordinal);
        Assert.Equal("the last one", File.ReadAllText(page));
        Assert.Equal([page], Directory.GetFiles(tmpfs.MountPath));
    }

    [Theory]
    [InlineData("--target takes a value, and what follows is the option --out", "run", "--target", "--out", "x")]
    [InlineData("--filter takes a value, and what follows is the option --json", "list", "--filter", "--json")]
    [InlineData("--filter takes a value, and what follows is the option --help", "list", "--filter", "--help")]
    [InlineData("--profile takes a value, and what follows is the option -s", "list", "-p", "-s", "A=1")]
    [InlineData("--target takes a value, and what follows is what looks like an option: --outt", "run", "--target", "--outt", "x")]
    public void An_option_is_no_value_of_the_option_before_it(string told, params string[] arguments)
    {
        using var place = new RunPlace();
        Refused(place, told, arguments);
    }

    [Fact]
    public void Only_a_folder_that_a_run_has_kept_is_used_again()
    {
        using var place = new RunPlace();
        var stranger = Directory.CreateDirectory(Path.Combine(place.Folder, "stranger")).FullName;
        File.WriteAllText(Path.Combine(stranger, "data-8MiB.bin"), "kept");
        Refused(place, "is not in the target", place.SmokeRun("--reuse", stranger));
        Refused(place, "is not a data folder", "run", "-p", "smoke", "--target", place.Folder, "--out", place.Out, "--reuse", stranger);
        Refused(place, "is not a data folder", place.SmokeRun("--reuse", Path.Combine(place.Target, "missing")));
        Refused(place, "--reuse is empty", place.SmokeRun("--reuse", ""));
        Refused(place, "is the target itself; --reuse takes the folder in it", place.SmokeRun("--reuse", place.Target + "/"));
        Assert.Equal("kept", File.ReadAllText(Path.Combine(stranger, "data-8MiB.bin")));
    }

    [Fact]
    public void A_report_needs_a_run()
    {
        using var place = new RunPlace();
        Refused(place, "no run there", "report", Path.Combine(place.Folder, "missing"));
        Refused(place, "no run there", "report", place.Target);
        Refused(place, "empty name", "report", "");
    }

    [Theory]
    [InlineData("{\"schema\":\"bench.record/2\"}\n", "newer than this bench reads")]
    [InlineData("not JSON\n", "line 1")]
    [InlineData("{\"schema\":\"bench.record/1\"}\n", "line 1")]
    [InlineData("[]\n", "line 1")]
    [InlineData("{\"schema\":7}\n", "line 1")]
    [InlineData("", "no record")]
    public void A_report_of_broken_records_is_refused(string records, string told)
    {
        using var place = new RunPlace();
        Directory.CreateDirectory(place.Out);
        File.WriteAllText(place.RecordsFile, records);
        Refused(place, told, "report", place.Out);
        Assert.Equal([RunStore.FileName], Directory.GetFileSystemEntries(place.Out).Select(Path.GetFileName));
    }

    [Fact]
    public void Devices_needs_a_folder()
    {
        using var place = new RunPlace();
        Refused(place, "is no folder", "devices", Path.Combine(place.Target, "missing"));
        Refused(place, "is no folder", "devices", "");
    }

    private static void Refused(RunPlace place, string told, params string[] arguments)
    {
        var folders = Directory.GetFileSystemEntries(place.Folder).Order(StringComparer.Ordinal).ToArray();
        var result = BenchProgram.Run(place.Folder, arguments).Expect(WrongUse);
        Assert.Contains(told, OneSentence(result), StringComparison.Ordinal);
        Assert.Equal("", result.Output);
        Assert.Empty(place.DataFolders);
        Assert.Equal(folders, Directory.GetFileSystemEntries(place.Folder).Order(StringComparer.Ordinal));
    }

    /// <summary>One line that begins with the program's name; below it at most where the help is.</summary>
    private static string OneSentence(BenchResult result)
    {
        var lines = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var sentence = Assert.Single(lines, line => !line.EndsWith("--help' lists what there is", StringComparison.Ordinal));
        Assert.StartsWith("bench: ", sentence, StringComparison.Ordinal);
        return sentence;
    }
}
