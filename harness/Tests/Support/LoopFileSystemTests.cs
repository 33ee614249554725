using System.Globalization;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.Support;

public class LoopFileSystemTests
{
    [RootFact("mkfs.ext4", "losetup", "/dev/loop-control")]
    public void An_ext4_on_a_loop_device_with_direct_io_is_mounted_and_leaves_nothing_behind()
    {
        string mount, device;
        using (var fileSystem = LoopFileSystem.Ext4(32 << 20))
        {
            mount = fileSystem.MountPath;
            device = Path.GetFileName(fileSystem.DevicePaths[0]);
            File.WriteAllText(Path.Combine(mount, "a"), "kept");
            fileSystem.Remount();
            Assert.Equal("kept", File.ReadAllText(Path.Combine(mount, "a")));
            Assert.Equal("ext4", new DriveInfo(mount).DriveFormat);
            Assert.Equal("1", File.ReadAllText($"/sys/block/{device}/loop/dio").Trim());
        }
        Assert.False(Directory.Exists(Path.GetDirectoryName(mount)));
        Assert.DoesNotContain(mount, File.ReadAllText("/proc/self/mountinfo"), StringComparison.Ordinal);
    }

    [RootFact("mkfs.xfs", "losetup", "/dev/loop-control")]
    public void An_xfs_may_stand_on_a_loop_device_that_caches()
    {
        using var fileSystem = LoopFileSystem.Xfs(io: LoopIo.Cached);
        Assert.Equal("xfs", new DriveInfo(fileSystem.MountPath).DriveFormat);
        Assert.Equal("0", File.ReadAllText($"/sys/block/{Path.GetFileName(fileSystem.DevicePaths[0])}/loop/dio").Trim());
    }

    [RootTheory("mkfs.btrfs", "btrfs", "losetup", "/dev/loop-control")]
    [InlineData("raid0", 2)]
    [InlineData("raid1", 2)]
    [InlineData("raid10", 4)]
    public void A_btrfs_spreads_over_its_members(string profile, int devices)
    {
        using var fileSystem = LoopFileSystem.Btrfs(profile, devices, 128 << 20);
        Assert.Equal(devices, fileSystem.DevicePaths.Distinct().Count());
        Assert.Contains($"Data, {profile.ToUpperInvariant()}", Command.Run("btrfs", "filesystem", "df", fileSystem.MountPath).StandardOutput, StringComparison.Ordinal);
    }

    [RootFact("losetup", "/dev/loop-control")]
    public async Task Several_tests_may_make_file_systems_at_the_same_time()
    {
        var made = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => LoopFileSystem.Ext4(16 << 20))));
        Assert.Equal(4, made.SelectMany(fileSystem => fileSystem.DevicePaths).Distinct().Count());
        foreach (var fileSystem in made)
            fileSystem.Dispose();
    }

    [RootFact("mkfs.xfs", "losetup", "/dev/loop-control")]
    public void A_file_system_that_cannot_be_made_leaves_nothing_behind()
    {
        // A size that no other test uses, in this process or another, so that a device that stays is known by it.
        var oddBytes = (1L << 20) + (Environment.ProcessId % 16384 * 4096L);
        var error = Assert.Throws<InvalidOperationException>(() => LoopFileSystem.Xfs(oddBytes));
        Assert.Contains("mkfs.xfs", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.GetDirectories("/sys/block", "loop*"), device =>
            File.Exists($"{device}/loop/backing_file") && File.ReadAllText($"{device}/size").Trim() == (oddBytes / 512).ToString(CultureInfo.InvariantCulture));
    }

    [RootFact("mkfs.ext4", "losetup", "/dev/loop-control")]
    public void What_a_killed_test_process_left_is_removed_by_the_next()
    {
        // This process's id with another start time: a process that is no more and whose id was given again.
        // In a folder of its own, or another test process could be faster.
        using var folder = new TestFolder();
        var leftover = Path.Combine(folder.FullPath, FormattableString.Invariant($"bench-test-{Environment.ProcessId}-1-1"));
        var mount = Directory.CreateDirectory(Path.Combine(leftover, "mnt")).FullName;
        var disk = Path.Combine(leftover, "disk");
        using (var stream = File.Create(disk))
            stream.SetLength(16 << 20);
        Command.Run("mkfs.ext4", "-q", "-F", disk);
        Command.Run("mount", "-o", "loop", disk, mount);

        Assert.Equal(1, TestFolder.RemoveLeftovers(folder.FullPath));
        Assert.False(Directory.Exists(leftover));
        Assert.DoesNotContain(leftover, File.ReadAllText("/proc/self/mountinfo"), StringComparison.Ordinal);
    }

    [RootFact]
    public void A_tmpfs_has_the_size_it_was_given()
    {
        using var tmpfs = new TmpfsMount(8 << 20);
        Assert.Equal(8 << 20, new DriveInfo(tmpfs.MountPath).TotalSize);
    }
}
