using System.Diagnostics;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.Support;

public class FaultyDiskTests
{
    private const int EioOnLinux = 5;

    [RootTheory(FaultyDisk.Needs)]
    [InlineData("ext4")]
    [InlineData("xfs")]
    public void A_write_that_the_disk_refuses_makes_fsync_fail_with_EIO(string fileSystem)
    {
        using var disk = new FaultyDisk(DiskFault.None, fileSystem);
        using var file = File.OpenHandle(Path.Combine(disk.MountPath, "a"), FileMode.Create, FileAccess.ReadWrite);
        RandomAccess.Write(file, new byte[1 << 20], 0);
        RandomAccess.FlushToDisk(file);
        disk.Fault = DiskFault.WriteError;
        RandomAccess.Write(file, new byte[1 << 20], 0);
        // Not RandomAccess.FlushToDisk: on .NET 10 it throws nothing although its fsync fails with EIO (seen with strace).
        var sync = Command.TryRun(Command.DefaultTimeout, "sync", Path.Combine(disk.MountPath, "a"));
        Assert.NotEqual(0, sync.ExitCode);
        Assert.Contains("Input/output error", sync.StandardError, StringComparison.Ordinal);
    }

    [RootFact(FaultyDisk.Needs)]
    public void A_read_that_the_disk_refuses_fails_with_EIO()
    {
        using var disk = new FaultyDisk();
        var path = Path.Combine(disk.MountPath, "a");
        File.WriteAllBytes(path, new byte[1 << 20]);
        Command.Run("sync", path);
        Command.Run("dd", $"of={path}", "oflag=nocache", "conv=notrunc,fdatasync", "count=0");
        disk.Fault = DiskFault.ReadError;
        var error = Assert.ThrowsAny<IOException>(() => File.ReadAllBytes(path));
        Assert.Equal(EioOnLinux, error.HResult);
    }

    [RootFact(FaultyDisk.Needs)]
    public void On_a_hard_disk_random_reads_are_at_least_ten_times_slower_per_byte_than_sequential_ones()
    {
        using var disk = new FaultyDisk(sizeBytes: 256 << 20);
        var path = Path.Combine(disk.MountPath, "a");
        File.WriteAllBytes(path, new byte[64 << 20]);
        Command.Run("sync", path);
        disk.Fault = DiskFault.HardDisk;
        var sequential = SecondsPerByte(path, blockBytes: 1 << 20, [.. Enumerable.Range(0, 32)]);
        var random = SecondsPerByte(path, blockBytes: 4096, [.. Enumerable.Range(0, 32).Select(i => i * 7919 % 16384)]);
        Assert.True(random >= 10 * sequential, FormattableString.Invariant($"random {random:g3} s per byte, sequential {sequential:g3}"));
    }

    [RootFact(FaultyDisk.Needs)]
    public void A_power_cut_loses_what_a_lying_flush_confirmed_and_keeps_what_an_honest_one_did()
    {
        using var disk = new FaultyDisk(DiskFault.LyingFlush);
        Write(disk, "lied");
        Assert.True(disk.Counters["cached"] > 0);
        disk.CutPower();
        Assert.False(File.Exists(Path.Combine(disk.MountPath, "lied")));
        Assert.True(disk.Counters["lost"] > 0);

        disk.Fault = DiskFault.VolatileCache;
        Write(disk, "honest");
        disk.CutPower();
        Assert.Equal("honest", File.ReadAllText(Path.Combine(disk.MountPath, "honest")));

        static void Write(FaultyDisk disk, string name)
        {
            var path = Path.Combine(disk.MountPath, name);
            File.WriteAllText(path, name);
            Command.Run("sync", path, disk.MountPath);
        }
    }

    [RootFact(FaultyDisk.Needs)]
    public void A_disk_that_is_broken_when_it_goes_leaves_nothing_behind()
    {
        string mount;
        using (var disk = new FaultyDisk(fileSystem: "xfs"))
        {
            mount = disk.MountPath;
            File.WriteAllText(Path.Combine(mount, "a"), "never written");
            disk.Fault = DiskFault.WriteError;
        }
        Assert.False(Directory.Exists(Path.GetDirectoryName(mount)));
        Assert.DoesNotContain(mount, File.ReadAllText("/proc/self/mountinfo"), StringComparison.Ordinal);
    }

    // O_DIRECT by dd, so that each read is a request: this test stands below our own file API.
    private static double SecondsPerByte(string path, int blockBytes, int[] blocks)
    {
        var start = Stopwatch.GetTimestamp();
        foreach (var block in blocks)
            Command.Run("dd", $"if={path}", "of=/dev/null", FormattableString.Invariant($"bs={blockBytes}"), FormattableString.Invariant($"skip={block}"), "count=1", "iflag=direct");
        return Stopwatch.GetElapsedTime(start).TotalSeconds / blocks.Length / blockBytes;
    }
}
