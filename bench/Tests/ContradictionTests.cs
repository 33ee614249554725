using Bench.Disk;
using Bench.Measure.Evidence;
using Bench.Measure.Records;
using Bench.TestSupport;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>
/// A situation for each claim in which it is false, and is told to be: what a user gets who measures through a loop
/// device with a cache, beside a backup, or on a machine without huge pages.
/// </summary>
public class ContradictionTests
{
    [Fact]
    public void A_cold_read_of_a_file_that_another_process_has_mapped_is_contradicted()
    {
        using var place = new RunPlace();
        var record = WhileMapped(place, "CachePath*BufferedCold, Operation=Read, Pattern=Sequential*");
        AssertContradicted(record, "cold", "residencyBefore");
    }

    [Fact]
    public void An_uncached_read_of_a_file_that_another_process_has_mapped_is_contradicted()
    {
        using var place = new RunPlace();
        var record = WhileMapped(place, "CachePath*Uncached, Operation=Read, Pattern=Random*");
        AssertContradicted(record, "uncached", "touchedResidencyAfter");
    }

    [RootFact("mkfs.ext4", "losetup", "/dev/loop-control")]
    public void A_direct_and_a_cold_read_through_a_loop_device_with_a_cache_below_are_contradicted()
    {
        using var made = LoopFileSystem.Ext4(64 << 20, LoopIo.Cached);
        using var place = new RunPlace(made.MountPath);
        // Many passes: the device's counters are the machine's, and a stranger's reads may fill one pass.
        var result = place.Smoke("--passes", "8", "--filter", "CachePath*Access=Direct, Operation=Read*psync*QueueDepth=1, Threads=1,*", "--filter", "CachePath*BufferedCold, Operation=Read, Pattern=Random*").Expect(0);
        Assert.Equal(3, result.Records.Count);
        foreach (var record in result.Records)
        {
            AssertContradicted(record, record.Has("Access", "Direct") ? "direct" : "cold", "deviceReadBytesPerByte");
            // The process did read from a block device; only the disk below tells.
            Assert.True(Figure(record, "processReadBytesPerByte").Holds);
            Assert.Contains(record.Target.Warnings, warning => warning.Contains("direct I/O off", StringComparison.Ordinal));
        }
        Assert.Contains("Contradicted  CachePath", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_warm_read_of_a_file_that_somebody_evicts_all_the_time_is_contradicted()
    {
        using var place = new RunPlace();
        using var program = place.StartSmoke("--passes", "20", "--filter", "CachePath*BufferedWarm, Operation=Read, Pattern=Sequential*");
        DiskFile? file = null;
        while (!program.HasEnded)
        {
            // The file may vanish at any time: the program removes it.
            if (file is null && place.DataFile("8MiB") is { } path && TryOpen(path) is { } opened)
                file = opened;
            if (file is not null)
                PageCache.Drop(file);
        }
        file?.Dispose();
        var record = Assert.Single(program.WaitForEnd(BenchProgram.DefaultTimeout).Expect(0).Records);
        Assert.Equal(Verdict.Contradicted, record.Claim("warm").Verdict);
    }

    [RootFact("mkfs.ext4", "losetup", "/dev/loop-control")]
    public void A_durable_write_on_a_file_system_that_was_told_to_send_no_flushes_is_contradicted()
    {
        using var made = LoopFileSystem.Ext4(64 << 20);
        Command.Run("mount", "-o", "remount,barrier=0", made.MountPath);
        using var place = new RunPlace(made.MountPath);
        // Many passes, because a stranger's fsync flushes the disk that we look at too.
        var result = place.Smoke("--passes", "30", "--filter", "CachePath*Access=Direct, Operation=Write, Pattern=Random*psync*").Expect(0);
        var record = Assert.Single(result.Records);
        if (record.Target.PhysicalDisks().All(disk => disk.WriteCache == "write through"))
            return; // Where the disk has no volatile cache, no flush is needed and the claim is true.
        AssertContradicted(record, "durable", "deviceFlushesPerPass");
    }

    [Fact]
    public void A_queue_depth_that_the_file_has_not_blocks_enough_for_is_contradicted()
    {
        using var place = new RunPlace();
        var record = Assert.Single(place.Smoke(
            "--filter", "CachePath*Access=Direct, Operation=Read, Pattern=Random*io_uring*Threads=1,*",
            "--set", "Engine=io_uring", "--set", "QueueDepth=64", "--set", "FileSize=64KiB", "--set", "BlockSize=4KiB").Expect(0).Records);
        AssertContradicted(record, "queue-depth", "queueDepthMean");
    }

    [Fact]
    public void Memory_that_fits_the_processors_cache_is_not_main_memory()
    {
        using var place = new RunPlace();
        var records = place.Smoke("--filter", "AccessPattern*Memory*Random*Independent*Small*", "--set", "WorkingSet=1MiB").Expect(0).Records;
        Assert.NotEmpty(records);
        // Where the kernel does not tell the size of the cache, it cannot be said.
        Assert.All(records, record => Assert.Equal(
            record.Host.LastLevelCacheBytes is null ? Verdict.Unproven : Verdict.Contradicted, record.Claim("in-memory").Verdict));
    }

    [RootFact("/sys/kernel/mm/transparent_hugepage/enabled")]
    public void Huge_pages_that_the_machine_does_not_give_are_contradicted()
    {
        const string setting = "/sys/kernel/mm/transparent_hugepage/enabled";
        var before = File.ReadAllText(setting);
        var chosen = before[(before.IndexOf('[', StringComparison.Ordinal) + 1)..before.IndexOf(']', StringComparison.Ordinal)];
        using var place = new RunPlace();
        try
        {
            File.WriteAllText(setting, "never");
            var records = place.Smoke("--filter", "AccessPattern*Memory*Sequential*Read*Vector*").Expect(0).Records;
            AssertContradicted(Assert.Single(records, record => record.Has("Pages", "Huge")), "huge-pages", "hugePageShare");
            Assert.Equal(Verdict.Proven, Assert.Single(records, record => record.Has("Pages", "Small")).Claim("small-pages").Verdict);
        }
        finally
        {
            File.WriteAllText(setting, chosen);
        }
    }

    /// <summary>
    /// On constructed answers of the probe. A socket that copies what sendfile gives it needs a network device without
    /// scatter-gather, and a write(2) that does not copy does not exist: neither can be made here with what every
    /// machine has.
    /// </summary>
    [Theory]
    [InlineData(true, false, "zero-copy")]
    [InlineData(false, true, "copied")]
    public void What_the_receiver_sees_decides_about_zero_copy(bool promised, bool receiverSawChange, string claim)
    {
        var told = Claims.ZeroCopy(receiverSawChange, promised, [Pass]);
        Assert.Equal((claim, Verdict.Contradicted), (told.Claim, told.Verdict));
        Assert.Contains("socketSharesPage", told.Reason, StringComparison.Ordinal);
        Assert.Equal(Verdict.Proven, Claims.ZeroCopy(!receiverSawChange, promised, [Pass]).Verdict);
        Assert.Equal(Verdict.Unproven, Claims.ZeroCopy(null, promised, [Pass]).Verdict);
    }

    /// <summary>On a constructed share: no kernel gives huge pages to memory that asked for none (MADV_NOHUGEPAGE).</summary>
    [Fact]
    public void Small_pages_that_are_huge_are_contradicted() =>
        Assert.Equal(Verdict.Contradicted, Claims.PageSize(0.5, huge: false).Verdict);

    /// <summary>The probe's figure alone, as btrfs makes it: all counters of the pass look direct.</summary>
    [Fact]
    public void A_direct_write_that_was_in_the_cache_while_it_ran_is_contradicted()
    {
        Assert.Equal(Verdict.Proven, Claims.Direct([Pass], flagStands: true, writes: true, peakResidencyOfProbe: 0).Verdict);
        Assert.Equal(Verdict.Contradicted, Claims.Direct([Pass], flagStands: true, writes: true, peakResidencyOfProbe: 1).Verdict);
        Assert.Equal(Verdict.Unproven, Claims.Direct([Pass], flagStands: true, writes: true, peakResidencyOfProbe: null).Verdict);
    }

    private static PassRecord Pass { get; } = new()
    {
        Seconds = 1, Bytes = 1 << 20, Operations = 16, CpuUserSeconds = 0.1, CpuSystemSeconds = 0.1,
        DeviceWriteBytes = 1 << 20, ProcessWriteBytes = 1 << 20, ResidencyBefore = 0, ResidencyAfter = 0,
    };

    /// <summary>Runs one case while this process has the data file mapped: mapped pages are never evicted.</summary>
    private static RunRecord WhileMapped(RunPlace place, string filter)
    {
        // A kept file is there whole before the case that is looked at begins.
        place.Smoke("--keep", "--filter", filter).Expect(0);
        var data = Assert.Single(place.DataFolders);
        using var file = DiskFile.Open(Path.Combine(data, "data-8MiB.bin"), OpenMode.Read);
        PageCache.Warm(file, 0, file.LengthBytes);
        using var map = new MappedFile(file, random: false);
        Assert.True(map.TryPopulate());
        File.Delete(place.RecordsFile);
        return Assert.Single(place.Smoke("--reuse", data, "--filter", filter).Expect(0).Records);
    }

    private static DiskFile? TryOpen(string path)
    {
        try
        {
            return DiskFile.Open(path, OpenMode.Read);
        }
        catch (DiskException)
        {
            return null;
        }
    }

    private static FigureRecord Figure(RunRecord record, string name) =>
        record.Evidence.Claims.SelectMany(claim => claim.Figures).First(figure => figure.Name == name);

    private static void AssertContradicted(RunRecord record, string claim, string figure)
    {
        Assert.True(record.Claim(claim).Verdict == Verdict.Contradicted, record.Evidence.Told());
        Assert.Equal(Verdict.Contradicted, record.Evidence.Verdict);
        Assert.Contains(figure, record.Claim(claim).Reason, StringComparison.Ordinal);
    }
}
