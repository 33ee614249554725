using Bench.Disk.Topology;
using Xunit;

namespace Bench.Harness.Tests.Topology;

/// <summary>Whoever uses a disk is found, whatever way it is used.</summary>
public class DeviceUseTests
{
    private const string Disk = "sys/class/block/sdb/dev\t8:16\nsys/class/block/sdb/sdb1/partition\t1\nsys/class/block/sdb/sdb1/dev\t8:17\nsys/class/block/sdb1/dev\t8:17\n"
        + "proc/self/mountinfo\t29 1 8:1 / / rw - ext4 /dev/sda1 rw\nproc/swaps\tFilename\t\t\t\tType\t\tSize\n";

    [Theory]
    [InlineData("", null)]
    [InlineData("proc/self/mountinfo\t40 29 8:16 / /mnt/data rw - xfs /dev/sdb rw", "sdb is mounted at /mnt/data")]
    [InlineData("proc/self/mountinfo\t40 29 8:17 / /mnt/data rw - xfs /dev/sdb1 rw", "its partition sdb1 is mounted at /mnt/data")]
    [InlineData("proc/swaps\t/dev/sdb1                               partition\t8388604", "its partition sdb1 is swap")]
    [InlineData("proc/swaps\t/dev/disk/by-label/swap partition\t8388604\ndev/disk/by-label/swap -> ../../sdb", "sdb is swap")]
    [InlineData("sys/class/block/sdb/holders/md0/x\t\nsys/class/block/md0/md/level\traid5", "sdb is part of the array md0 (raid5)")]
    [InlineData("sys/class/block/sdb1/holders/dm-2/x\t\nsys/class/block/dm-2/dm/name\tvg-home", "its partition sdb1 is part of the volume vg-home (dm-2)")]
    [InlineData("sys/class/block/sdb/holders/bcache0/x\t", "sdb is part of bcache0")]
    [InlineData("sys/fs/btrfs/0a1b/devices/sdb1/x\t", "its partition sdb1 belongs to a mounted btrfs")]
    [InlineData("sys/class/block/loop3/loop/backing_file\t/dev/sdb", "sdb is what the loop device loop3 is made of")]
    [InlineData("sys/class/block/loop3/loop/backing_file\t/dev/disk/by-id/x-part1\ndev/disk/by-id/x-part1 -> ../../sdb1", "its partition sdb1 is what the loop device loop3 is made of")]
    [InlineData("sys/class/block/loop3/loop/backing_file\t/dev/sdb (deleted)", "sdb is what the loop device loop3 is made of")]
    [InlineData("sys/class/block/loop3/loop/backing_file\t/srv/dev/sdb", null)]
    public void It_is_named(string further, string? use)
    {
        using var tree = new RecordedTree(Disk + further);
        Assert.Equal(use, DeviceUse.Of("sdb", tree.Root));
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("proc/self/mountinfo\t40 29 8:16 / /mnt/data rw - xfs /dev/sdb rw", "sdb, of which sdb1 is a part, is mounted at /mnt/data")]
    [InlineData("sys/class/block/loop3/loop/backing_file\t/dev/sdb", "sdb, of which sdb1 is a part, is what the loop device loop3 is made of")]
    [InlineData("proc/self/mountinfo\t40 29 8:18 / /mnt/data rw - xfs /dev/sdb2 rw", null)]
    public void What_a_partition_is_a_part_of_counts(string further, string? use)
    {
        using var tree = new RecordedTree(Disk.Replace("sys/class/block/sdb1/dev\t8:17\n", "sys/class/block/sdb1 -> sdb/sdb1\n", StringComparison.Ordinal) + further);
        Assert.Equal(use, DeviceUse.Of("sdb1", tree.Root));
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("proc/self/mountinfo\t40 29 8:17 / /mnt/data rw - xfs /dev/sdb1 rw", "sdb1, a partition of sdb, over which loop3 is a loop device, is mounted at /mnt/data")]
    [InlineData("sys/class/block/loop4/loop/backing_file\t/dev/sdb", "loop3 is a loop device over /dev/sdb, and so is loop4")]
    [InlineData("sys/class/block/loop4/loop/backing_file\t/dev/loop3", "loop3 is what the loop device loop4 is made of")]
    public void What_a_loop_device_is_made_of_counts(string further, string? use)
    {
        using var tree = new RecordedTree(Disk + "sys/class/block/loop3/dev\t7:3\nsys/class/block/loop3/loop/backing_file\t/dev/sdb\n" + further);
        Assert.Equal(use, DeviceUse.Of("loop3", tree.Root));
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("sys/class/block/loop4/loop/backing_file\t/dev/sdb", "loop3, of which loop3p1 is a part, is a loop device over /dev/sdb, and so is loop4")]
    [InlineData("proc/self/mountinfo\t40 29 8:16 / /mnt/data rw - xfs /dev/sdb rw", "sdb, over which loop3, of which loop3p1 is a part, is a loop device, is mounted at /mnt/data")]
    [InlineData("proc/self/mountinfo\t40 29 259:2 / /mnt/data rw - xfs /dev/loop3p2 rw", null)]
    public void What_a_partition_of_a_loop_device_is_made_of_counts(string further, string? use)
    {
        using var tree = new RecordedTree(Disk + "sys/class/block/loop3/dev\t7:3\nsys/class/block/loop3/loop/backing_file\t/dev/sdb\n"
            + "sys/class/block/loop3/loop3p1/partition\t1\nsys/class/block/loop3/loop3p1/dev\t259:1\nsys/class/block/loop3p1 -> loop3/loop3p1\n" + further);
        Assert.Equal(use, DeviceUse.Of("loop3p1", tree.Root));
    }

    [Fact]
    public void The_disk_below_this_folder_is_in_use()
    {
        var folder = new TopologyProbe().Probe("/");
        foreach (var disk in folder.PhysicalDisks())
            Assert.NotNull(DeviceUse.Of(disk.Name));
    }
}
