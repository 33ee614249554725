using Bench.Disk.Topology;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.Topology;

/// <summary>The probe on the machine that runs the tests, and on file systems that are made for them.</summary>
public sealed class MachineTopologyTests
{
    [Fact]
    public void A_temporary_folder_lies_on_what_its_mount_says()
    {
        using var folder = new TestFolder();

        DeviceTopology topology = new TopologyProbe().Probe(folder.FullPath);

        Assert.Equal(folder.FullPath, topology.Folder);
        Assert.NotEqual("unknown", topology.Mount.FileSystem);
        Assert.False(topology.Mount.ReadOnly);
        Assert.InRange(topology.FreeBytes, 1, topology.TotalBytes);
        foreach (BlockDevice disk in topology.PhysicalDisks())
        {
            Assert.True(Directory.Exists($"/sys/class/block/{disk.Name}"), disk.Name);
            Assert.True(disk.SizeBytes > 0);
        }
    }

    [Fact]
    public void A_link_to_a_folder_on_another_file_system_is_followed()
    {
        using var folder = new TestFolder();
        string link = folder.File("link");
        Directory.CreateSymbolicLink(link, "/proc/self");

        Assert.Equal("proc", new TopologyProbe().Probe(link).Mount.FileSystem);
    }

    [RootFact("mkfs.xfs", "losetup", "/dev/loop-control")]
    public void XFS_on_a_loop_device_is_followed_to_the_disk_and_direct_IO_is_seen_off_and_on()
    {
        using var made = LoopFileSystem.Xfs(io: LoopIo.Cached);
        string folder = Path.GetDirectoryName(made.MountPath)!;
        string below = new TopologyProbe().Probe(folder).PhysicalDisks()[0].Name;
        string loop = Assert.Single(made.DevicePaths);

        DeviceTopology off = new TopologyProbe().Probe(made.MountPath);
        Command.Run("losetup", "--direct-io=on", loop);
        DeviceTopology on = new TopologyProbe().Probe(made.MountPath);

        Assert.Equal(("xfs", loop), (off.Mount.FileSystem, off.Mount.Source));
        BlockDevice device = Assert.Single(off.Devices);
        Assert.Equal((BlockDeviceKind.Loop, $"{folder}/disk0", LoopFileSystem.DefaultDeviceBytes), (device.Kind, device.BackingFile, device.SizeBytes));
        Assert.Equal([below], off.PhysicalDisks().Select(disk => disk.Name));
        Assert.False(device.LoopDirectIo);
        Assert.Contains(off.Warnings, IsAboutDirectIo);
        Assert.True(on.Devices[0].LoopDirectIo);
        Assert.DoesNotContain(on.Warnings, IsAboutDirectIo);

        static bool IsAboutDirectIo(string warning) => warning.Contains("direct I/O off", StringComparison.Ordinal);
    }

    [RootFact("mkfs.btrfs", "losetup", "/dev/loop-control")]
    public void A_btrfs_raid1_over_two_loop_devices_shows_both()
    {
        using var made = LoopFileSystem.Btrfs("raid1", 2, 256L << 20);

        DeviceTopology topology = new TopologyProbe().Probe(made.MountPath);

        Assert.Equal("btrfs", topology.Mount.FileSystem);
        Assert.Equal("raid1", topology.DataProfile);
        Assert.Equal(made.DevicePaths.Select(loop => loop["/dev/".Length..]).Order(), topology.Devices.Select(device => device.Name).Order());
        Assert.Single(topology.PhysicalDisks());
    }

    [RootFact]
    public void A_tmpfs_has_no_device_and_says_so()
    {
        using var tmpfs = new TmpfsMount(16L << 20);

        DeviceTopology topology = new TopologyProbe().Probe(tmpfs.MountPath);

        Assert.Empty(topology.Devices);
        Assert.Equal(16L << 20, topology.TotalBytes);
        Assert.StartsWith("tmpfs has no device below it", Assert.Single(topology.Warnings), StringComparison.Ordinal);
    }
}
