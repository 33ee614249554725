using Bench.Measure.Records;
using Bench.TestSupport;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>Disks that fill up, fail, and dawdle: a sentence for the case, and a clean folder.</summary>
public class BrokenDiskTests
{
    [RootFact("mkfs.ext4", "losetup", "/dev/loop-control")]
    public void A_disk_that_fills_up_after_the_check_ends_the_run_with_a_sentence_and_a_clean_folder()
    {
        using var small = LoopFileSystem.Ext4(160 << 20);
        using var place = new RunPlace(small.MountPath);
        using var program = place.StartSmoke("--filter", "CachePath*BufferedWarm, Operation=Read*", "--set", "FileSize=8MiB,96MiB");
        program.WaitUntil(() => place.DataFolders.Length > 0, "the data folder");
        // Root may use the blocks that ext4 reserves, as the program may: all are taken.
        var filler = Path.Combine(small.MountPath, "filler");
        Command.TryRun(Command.DefaultTimeout, "dd", "if=/dev/zero", $"of={filler}", "bs=1M");
        var result = program.WaitForEnd(BenchProgram.DefaultTimeout).Expect(1);
        Assert.Contains("no space left on the file system (ENOSPC)", result.Error, StringComparison.Ordinal);
        Assert.Contains("bench: the run ended early", result.Error, StringComparison.Ordinal);
        Assert.Empty(place.DataFolders);
        Assert.All(result.Records.SkipLast(1), record => Assert.Null(record.Error));
        Assert.NotNull(result.Records[^1].Error);
    }

    /// <summary>A full btrfs answers a write into a map with SIGBUS; the case has to fail before it comes to that.</summary>
    [RootFact("mkfs.btrfs", "losetup", "/dev/loop-control")]
    public void Mapped_writes_are_not_begun_on_a_full_copy_on_write_file_system()
    {
        using var made = LoopFileSystem.Btrfs("single", 1, 256 << 20);
        using var place = new RunPlace(made.MountPath);
        using var program = place.StartSmoke("--filter", "CachePath*Mmap, Operation=Write, Pattern=Random*", "--set", "FileSize=32MiB", "--passes", "400");
        program.WaitUntil(() => place.DataFile("32MiB") is not null, "the data file");
        var free = new DriveInfo(made.MountPath).AvailableFreeSpace;
        Command.TryRun(Command.DefaultTimeout, "dd", "if=/dev/urandom", $"of={Path.Combine(made.MountPath, "filler")}", "bs=1M", FormattableString.Invariant($"count={(free >> 20) - 40}"), "conv=fsync");
        var result = program.WaitForEnd(BenchProgram.DefaultTimeout).Expect(1);
        Assert.Contains("copy-on-write", result.Records.Single(record => record.Has("Access", "Mmap")).Error, StringComparison.Ordinal);
    }

    /// <summary>Appends fill the cache with what a hard disk flushes for many times as long; a case waited for that after each pass.</summary>
    [RootFact(FaultyDisk.Needs)]
    public void Passes_that_would_leave_a_slow_disk_more_than_it_can_do_are_shorter()
    {
        using var disk = new FaultyDisk { Fault = DiskFault.HardDisk };
        using var place = new RunPlace(disk.MountPath);
        var record = Assert.Single(BenchProgram.Run(place.Folder, "run", "-p", "smoke", "--target", place.Target, "--out", place.Out, "--json", "--no-report", "--filter", "LogAppend*SegmentSize=1MiB, FlushPolicy=roll*Partitions=1,*", "--passes", "3", "--pass-seconds", "0.1").Expect(0).Records);
        Assert.Contains(record.Warnings, warning => warning.StartsWith("the passes are shorter than 0.1 s: one so long would leave work behind", StringComparison.Ordinal));
        Assert.All(record.Passes, pass => Assert.True(pass.FlushSeconds > pass.Seconds));
        Assert.Equal(Verdict.Proven, record.Evidence.Verdict);
    }

    /// <summary>
    /// By Little's law the appends of sixteen producers take sixteen times as long as one of them; and what a group commit
    /// flushes at once is what the half of them wait for that did not come in time. Three operations a pass, eight to a
    /// producer, had the latency of one.
    /// </summary>
    [RootFact(FaultyDisk.Needs)]
    public void All_of_sixteen_producers_append_at_once_however_slow_a_flush_is()
    {
        using var disk = new FaultyDisk { Fault = DiskFault.Slow };
        using var place = new RunPlace(disk.MountPath);
        static string Case(string policy) => $"LogAppend(SegmentSize=1MiB, FlushPolicy={policy}, FlushMethod=Fdatasync, BatchSize=4KiB, RecordSize=100B, Partitions=1, Producers=16, Compression=None, Preallocation=None, WritePath=Buffered)";
        var records = place.Smoke("--case", Case("each"), "--case", Case("group:0"), "--passes", "3").Expect(0).Records;
        Assert.All(records.SelectMany(record => record.Passes), pass => Assert.True(pass.Operations >= 4 * 16, $"{pass.Operations} operations"));
        Assert.All(records.SelectMany(record => record.Passes), pass => Assert.InRange(pass.QueueDepthMean!.Value, 10, 16));
        double[] underWay = [.. records.Select(record => record.LatencyNs["append"].Mean / 1e9 * record.OperationsPerSecond!.Median)];
        Assert.All(underWay, appends => Assert.InRange(appends, 10, 16.5));
        Assert.True(records[1].OperationsPerSecond!.Median > 4 * records[0].OperationsPerSecond!.Median);
    }

    [RootFact(FaultyDisk.Needs)]
    public void Read_errors_fail_the_cases_that_meet_them_and_no_other()
    {
        using var disk = new FaultyDisk();
        using var place = new RunPlace(disk.MountPath);
        // The cases of a cached file go on; what has to be read fails. Mapped ones would get SIGBUS.
        using var program = place.StartSmoke("--keep", "--filter", "CachePath*psync*", "--passes", "3");
        program.WaitUntil(() => place.DataFile("8MiB") is not null, "the data file");
        program.WaitUntil(() => File.Exists(place.RecordsFile) && new FileInfo(place.RecordsFile).Length > 0, "the first record");
        disk.Fault = DiskFault.ReadError;
        var result = program.WaitForEnd(BenchProgram.DefaultTimeout).Expect(1);
        disk.Fault = DiskFault.None;
        var records = result.Records;
        Assert.Null(records[0].Error);
        var failed = records.Where(record => record.Error is not null).ToArray();
        Assert.Contains(failed, record => record.Has("Access", "BufferedCold") && record.Operation == "Read");
        Assert.All(failed, record => Assert.Contains("(EIO)", record.Error, StringComparison.Ordinal));
        Assert.All(failed, record => Assert.Equal(Verdict.Unproven, record.Evidence.Verdict));
        // Writes need no read.
        Assert.Contains(records, record => record.Error is null && record.Has("Access", "Direct") && record.Operation == "Write");
        Assert.Contains(records, record => record.Has("Access", "Mmap"));
    }

    /// <summary>
    /// What Kafka's design rests on (Jacobs, ACM Queue 2009), on a disk with the latencies of a hard disk: reading it in
    /// order gives more values a second than following pointers through memory, reading it at random thousands of times fewer.
    /// Independent random reads of memory, of which a processor has many under way at once, are as fast as that disk today.
    /// </summary>
    [RootFact(FaultyDisk.Needs)]
    public void On_a_hard_disk_sequential_reads_beat_random_memory_and_random_reads_lose_a_thousandfold()
    {
        using var disk = new FaultyDisk(DiskFault.HardDisk);
        using var place = new RunPlace(disk.MountPath);
        var records = BenchProgram.Run(place.Folder, place.SmokeRun("--pass-seconds", "0.3", "--filter", "AccessPattern*Disk*Operation=Read*", "--filter", "AccessPattern*Memory*Random*Loop=Dependent*Pages=Small*")).Expect(0).Records;
        double Values(Func<RunRecord, bool> which) => Assert.Single(records, record => which(record)).Metrics["valuesPerSecond"].Median;
        Assert.All(records, record => Assert.NotEqual(Verdict.Contradicted, record.Evidence.Verdict));
        var sequential = Values(record => record.Has("Medium", "Disk") && record.Has("Pattern", "Sequential"));
        Assert.True(sequential > 2 * Values(record => record.Has("Loop", "Dependent")), $"{sequential:N0} values a second in order");
        var random = Values(record => record.Has("Medium", "Disk") && record.Has("Pattern", "Random") && record.Has("BlockSize", "4B"));
        Assert.True(sequential > 1000 * random, $"{sequential:N0} values a second in order, {random:N0} at random");
    }

    [RootFact(FaultyDisk.Needs)]
    public void Write_errors_fail_the_cases_that_write()
    {
        using var disk = new FaultyDisk(fileSystem: "xfs");
        using var place = new RunPlace(disk.MountPath);
        using var program = place.StartSmoke("--keep", "--filter", "CachePath*Access=Direct, Operation=Write*psync*", "--filter", "Transfer*Hot*", "--passes", "3");
        program.WaitUntil(() => place.DataFile("8MiB") is not null, "the data file");
        program.WaitUntil(() => File.Exists(place.RecordsFile) && new FileInfo(place.RecordsFile).Length > 0, "the first record");
        disk.Fault = DiskFault.WriteError;
        var result = program.WaitForEnd(BenchProgram.DefaultTimeout);
        disk.Fault = DiskFault.None;
        Assert.Equal(1, result.ExitCode);
        var failed = result.Records.Where(record => record.Error is not null).ToArray();
        Assert.NotEmpty(failed);
        Assert.Contains(failed, record => record.Error!.Contains("(EIO)", StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [RootFact(FaultyDisk.Needs)]
    public void On_a_slow_disk_the_figures_are_slow_and_the_claims_hold()
    {
        using var disk = new FaultyDisk(DiskFault.Slow);
        using var place = new RunPlace(disk.MountPath);
        var result = place.Smoke("--filter", "CachePath*Access=Direct, Operation=Read, Pattern=Random, BlockSize=64KiB*Threads=1,*").Expect(0);
        var record = Assert.Single(result.Records);
        // Each request takes 20 ms, whatever the machine.
        Assert.InRange(record.LatencyNs["read"].Min, 20_000_000, long.MaxValue);
        Assert.InRange(record.BytesPerSecond!.Median, 1, 65536 / 0.02);
        // The loop device over the file that the slow disk serves counts as the disk.
        Assert.Equal(Verdict.Proven, record.Evidence.Verdict);
    }
}
