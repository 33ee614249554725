using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Bench.Disk.Topology;
using Xunit;

namespace Bench.Harness.Tests.Topology;

public sealed class RecordedTopologyTests
{
    private static readonly string[] AllTrees =
        ["md-raid10", "lvm-nvme", "nvme", "btrfs-raid1", "md-raid5-rebuilding", "dm-crypt", "guest"];

    [Fact]
    public void A_RAID_10_is_seen_down_to_its_four_disks()
    {
        DeviceTopology topology = Probe("md-raid10", "/srv/bench");

        Assert.Equal("/srv", topology.Mount.MountPoint);
        Assert.Equal("xfs", topology.Mount.FileSystem);
        Assert.Contains("swidth=2048", topology.Mount.Options, StringComparison.Ordinal);
        BlockDevice array = Assert.Single(topology.Devices);
        Assert.Equal(("md0", BlockDeviceKind.Md, "9:0", "raid10", 524288L, "clean"), (array.Name, array.Kind, array.Number, array.Level, array.ChunkBytes, array.State));
        Assert.Equal(31255574528L * 512, array.SizeBytes);
        Assert.Equal(1048576, array.OptimalIoBytes);
        Assert.Null(array.Scheduler);
        Assert.Equal(["sda1", "sdb1", "sdc1", "sdd1"], array.Below.Select(member => member.Name));
        Assert.All(array.Below, member => Assert.Equal(BlockDeviceKind.Partition, member.Kind));
        Assert.Equal(["sda", "sdb", "sdc", "sdd"], topology.PhysicalDisks().Select(disk => disk.Name));
        Assert.DoesNotContain(topology.Warnings, warning => warning.Contains("degraded", StringComparison.Ordinal) || warning.Contains("virtual", StringComparison.Ordinal));
    }

    [Fact]
    public void A_SATA_disk_is_described_by_its_SCSI_files()
    {
        BlockDevice disk = Probe("md-raid10", "/srv/bench").PhysicalDisks()[0];

        Assert.Equal(
            ("ST8000NM0055-1RM", "SN05", "sata", true, 512, 4096, "mq-deadline", "write back", 64, 1280, 128),
            (disk.Model, disk.Firmware, disk.Transport, disk.Rotational, disk.LogicalSectorBytes, disk.PhysicalSectorBytes, disk.Scheduler, disk.WriteCache, disk.QueueRequests, disk.MaxRequestKiB, disk.ReadAheadKiB));
        Assert.Equal(FirstTwelveOfSha256("ZA1A0X07Q"), disk.SerialHash);
        Assert.Null(disk.NumaNode);
        Assert.Null(disk.Link);
    }

    [Fact]
    public void A_logical_volume_is_followed_through_its_partition_to_the_NVMe_drive()
    {
        DeviceTopology topology = Probe("lvm-nvme", "/home/me");

        BlockDevice volume = Assert.Single(topology.Devices);
        Assert.Equal(("dm-1", BlockDeviceKind.DeviceMapper, "lvm"), (volume.Name, volume.Kind, volume.Level));
        Assert.Equal(["dm-1", "nvme0n1p3", "nvme0n1"], volume.All().Select(device => device.Name));
        BlockDevice drive = Assert.Single(topology.PhysicalDisks());
        Assert.Equal(("Samsung SSD 980 PRO 1TB", "5B2QGXA7", "nvme", "none", 1023), (drive.Model, drive.Firmware, drive.Transport, drive.Scheduler, drive.QueueRequests));
        Assert.Equal(FirstTwelveOfSha256("S5GXNX0T123456X"), drive.SerialHash);
    }

    [Fact]
    public void An_NVMe_drive_in_a_slower_slot_is_shown_with_both_rates_and_warned_about()
    {
        DeviceTopology topology = Probe("lvm-nvme", "/home/me");

        Assert.Equal("PCIe 3.0 x4 (8 GT/s), of PCIe 4.0 x4 (16 GT/s)", topology.PhysicalDisks()[0].Link);
        Assert.Contains(topology.Warnings, warning => warning.StartsWith("nvme0n1 is attached below its maximum", StringComparison.Ordinal));
    }

    [Fact]
    public void The_mount_of_a_folder_is_the_deepest_one_on_its_path()
    {
        Assert.Equal("/", Probe("lvm-nvme", "/home/../boot/..").Mount.MountPoint);
        Assert.Equal("/boot", Probe("lvm-nvme", "/boot").Mount.MountPoint);
        Assert.Equal("nvme0n1p2", Probe("lvm-nvme", "/boot").Devices[0].Name);
    }

    [Fact]
    public void An_NVMe_namespace_under_a_multipath_subsystem_finds_its_controllers_link_and_node()
    {
        DeviceTopology topology = Probe("nvme", "/data");

        BlockDevice drive = Assert.Single(topology.Devices);
        Assert.Equal(("nvme1n1", BlockDeviceKind.Disk, "nvme", "PCIe 4.0 x4 (16 GT/s)", 1), (drive.Name, drive.Kind, drive.Transport, drive.Link, drive.NumaNode));
        Assert.Equal(("INTEL SSDPF2KX038TZ", "JCV10100", "write through", 4096), (drive.Model, drive.Firmware, drive.WriteCache, drive.PhysicalSectorBytes));
        Assert.Empty(topology.Warnings);
    }

    [Fact]
    public void A_btrfs_array_is_seen_with_all_members_although_its_device_number_is_anonymous()
    {
        DeviceTopology topology = Probe("btrfs-raid1", "/mnt/pool one/logs");

        Assert.Equal("/mnt/pool one", topology.Mount.MountPoint);
        Assert.Equal("raid1", topology.DataProfile);
        Assert.Equal(["sda", "sdb"], topology.Devices.Select(device => device.Name));
        Assert.Equal(2, topology.PhysicalDisks().Select(disk => disk.SerialHash).Distinct().Count());
    }

    [Fact]
    public void A_source_that_is_a_link_below_dev_is_followed()
    {
        using RecordedTree tree = RecordedTree.Load("btrfs-raid1");
        string mountInfo = tree.OnMachine("/proc/self/mountinfo");
        File.WriteAllText(mountInfo, File.ReadAllText(mountInfo).Replace("btrfs /dev/sda ", "btrfs /dev/disk/by-id/ata-x ", StringComparison.Ordinal));
        Directory.CreateDirectory(tree.OnMachine("/dev/disk/by-id"));
        File.CreateSymbolicLink(tree.OnMachine("/dev/disk/by-id/ata-x"), "../../sda");

        Assert.Equal(["sda", "sdb"], new TopologyProbe(tree.Root).Probe("/mnt/pool one").Devices.Select(device => device.Name));
    }

    [Fact]
    public void A_btrfs_array_with_a_missing_member_is_warned_about()
    {
        using RecordedTree tree = RecordedTree.Load("btrfs-raid1");
        string folder = tree.OnMachine("/sys/fs/btrfs/3f1d8c5e-77a1-4d0c-9a53-0d9d3f0e6b11");
        File.Delete($"{folder}/devices/sdb");
        File.WriteAllText($"{folder}/devinfo/2/missing", "1\n");

        DeviceTopology topology = new TopologyProbe(tree.Root).Probe("/mnt/pool one");

        Assert.Equal(["sda"], topology.Devices.Select(device => device.Name));
        Assert.Contains(topology.Warnings, warning => warning.StartsWith("The btrfs array is degraded: 1 of", StringComparison.Ordinal));
    }

    [Fact]
    public void A_rebuilding_RAID_5_says_how_far_it_is_under_every_culture()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("de-DE");
            DeviceTopology topology = Probe("md-raid5-rebuilding", "/srv");

            BlockDevice array = Assert.Single(topology.Devices);
            Assert.Equal(("raid5", "active, degraded, recover 34 %"), (array.Level, array.State));
            Assert.Contains(topology.Warnings, warning => warning.StartsWith("md127 (raid5) is degraded (active, degraded, recover 34 %)", StringComparison.Ordinal));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void A_resyncing_array_that_is_complete_is_busy_and_not_degraded()
    {
        using RecordedTree tree = RecordedTree.Load("md-raid5-rebuilding");
        string md = tree.OnMachine("/sys/devices/virtual/block/md127/md");
        File.WriteAllText($"{md}/degraded", "0\n");
        File.WriteAllText($"{md}/sync_action", "resync\n");
        File.WriteAllText($"{md}/sync_completed", "delayed\n");

        DeviceTopology topology = new TopologyProbe(tree.Root).Probe("/srv");

        Assert.Equal("active, resync", topology.Devices[0].State);
        Assert.Contains(topology.Warnings, warning => warning.StartsWith("md127 (raid5) is busy with itself", StringComparison.Ordinal));
    }

    [Fact]
    public void Members_of_an_array_are_found_without_the_slaves_folder()
    {
        using RecordedTree tree = RecordedTree.Load("md-raid10");
        Directory.Delete(tree.OnMachine("/sys/devices/virtual/block/md0/slaves"), recursive: true);

        Assert.Equal(["sda", "sdb", "sdc", "sdd"], new TopologyProbe(tree.Root).Probe("/srv").PhysicalDisks().Select(disk => disk.Name));
    }

    [Fact]
    public void An_encrypted_volume_is_found_by_its_mapper_name_without_a_dev_folder()
    {
        DeviceTopology topology = Probe("dm-crypt", "/home");

        Assert.Equal("single", topology.DataProfile);
        BlockDevice volume = Assert.Single(topology.Devices);
        Assert.Equal(["dm-1", "dm-0", "nvme0n1p3", "nvme0n1"], volume.All().Select(device => device.Name));
        Assert.Equal(["lvm", "crypt"], volume.All().Take(2).Select(device => device.Level));
        Assert.Contains(topology.Warnings, warning => warning.StartsWith("dm-0 is encrypted", StringComparison.Ordinal));
        Assert.Contains(topology.Warnings, warning => warning.Contains("compress=zstd:1", StringComparison.Ordinal));
    }

    [Fact]
    public void A_virtual_disk_is_warned_about_and_its_rotation_is_shown_but_not_judged()
    {
        DeviceTopology topology = Probe("guest", "/");

        BlockDevice disk = Assert.Single(topology.PhysicalDisks());
        Assert.Equal(("vda", "virtio", true, null), (disk.Name, disk.Transport, disk.Rotational, disk.Model));
        Assert.Equal(FirstTwelveOfSha256("vol-0001"), disk.SerialHash);
        Assert.Contains(topology.Warnings, warning => warning.StartsWith("vda: virtual disk, so cold in the guest is not cold on the host", StringComparison.Ordinal));
        Assert.DoesNotContain(topology.Warnings, warning => warning.Contains("hard disk", StringComparison.Ordinal));
    }

    [Fact]
    public void A_loop_device_with_direct_IO_off_is_warned_about_and_followed_to_the_disk_under_its_file()
    {
        DeviceTopology topology = Probe("guest", "/img");

        BlockDevice loop = Assert.Single(topology.Devices);
        Assert.Equal((BlockDeviceKind.Loop, "/images/disk.img", false), (loop.Kind, loop.BackingFile, loop.LoopDirectIo));
        Assert.Equal(["loop3", "vda1", "vda"], loop.All().Select(device => device.Name));
        Assert.Equal(["vda"], topology.PhysicalDisks().Select(disk => disk.Name));
        Assert.True(topology.Mount.ReadOnly);
        Assert.Equal("ro,relatime,attr2", topology.Mount.Options);
        Assert.Contains(topology.Warnings, warning => warning.StartsWith("loop3: the loop device over /images/disk.img has direct I/O off", StringComparison.Ordinal));
        Assert.Contains(topology.Warnings, warning => warning.StartsWith("/img is mounted read-only", StringComparison.Ordinal));
    }

    [Fact]
    public void LVM_volumes_show_how_they_are_striped_and_a_RAID_what_is_not_well_with_it()
    {
        Assert.Equal(("lvm", null), (Probe("lvm-raid", "/").Devices[0].Level, Probe("lvm-raid", "/").Devices[0].ChunkBytes));
        Assert.Equal(("lvm striped", 65536L), (Probe("lvm-raid", "/striped").Devices[0].Level, Probe("lvm-raid", "/striped").Devices[0].ChunkBytes));

        DeviceTopology raid = Probe("lvm-raid", "/raid5");

        Assert.Equal(("lvm raid5", "degraded, recover 34 %"), (raid.Devices[0].Level, raid.Devices[0].State));
        // Each leg is a volume of its own, on a disk of its own; what keeps them in step is none.
        Assert.Equal(["dm-3", "dm-5", "dm-7"], raid.Members().Select(member => member.Name));
        Assert.Equal(["sda", "sdb", "sdc"], raid.PhysicalDisks().Select(disk => disk.Name));
        Assert.Contains(raid.Warnings, warning => warning.StartsWith("dm-8 (lvm raid5) is degraded (degraded, recover 34 %)", StringComparison.Ordinal));
    }

    [Fact]
    public void A_RAID_of_LVM_without_an_answer_of_its_tool_still_has_its_stripe()
    {
        using RecordedTree tree = RecordedTree.Load("lvm-raid");
        Directory.Delete(tree.OnMachine("/output"), recursive: true);

        BlockDevice volume = new TopologyProbe(tree.Root).Probe("/raid5").Devices[0];

        Assert.Equal(("lvm raid", null, 65536L), (volume.Level, volume.State, volume.ChunkBytes));
    }

    [Fact]
    public void A_pool_of_ZFS_shows_its_groups_its_devices_and_what_they_are_for()
    {
        DeviceTopology topology = Probe("zfs", "/tank/data");

        Assert.Equal(("2 × raidz1", "degraded, resilver 13 %"), (topology.DataProfile, topology.DataState));
        Assert.Equal(["sda1", "sdb1", "sdc1", "sdd1", "sde1", "sdf1"], topology.Members().Select(member => member.Name));
        Assert.Equal("log", topology.Devices.Single(device => device.Name == "sdg1").Role);
        Assert.Equal(["sda", "sdb", "sdc", "sdd", "sde", "sdf", "sdg"], topology.PhysicalDisks().Select(disk => disk.Name));
        Assert.EndsWith(",recordsize=131072,compression=lz4,sync=standard,primarycache=all,logbias=latency", topology.Mount.Options, StringComparison.Ordinal);
        foreach (string warning in new[] { "zfs caches in its own ARC, which", "zfs reads and writes whole records of 131072 bytes", "The zfs pool is busy with itself (degraded, resilver 13 %)", "The zfs array is degraded: 1 of its devices missing", "The file system compresses (compression=lz4)" })
            Assert.Contains(topology.Warnings, told => told.StartsWith(warning, StringComparison.Ordinal));
    }

    [Fact]
    public void ZFS_without_its_tool_says_that_nothing_can_be_counted()
    {
        using RecordedTree tree = RecordedTree.Load("zfs");
        Directory.Delete(tree.OnMachine("/output"), recursive: true);

        DeviceTopology topology = new TopologyProbe(tree.Root).Probe("/tank/data");

        Assert.Empty(topology.Devices);
        Assert.StartsWith("zfs caches in its own ARC, and the devices of its pool were not found", Assert.Single(topology.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("DELL", "PERC H755 Front", true)]
    [InlineData("HPE", "LOGICAL VOLUME", true)]
    [InlineData("AVAGO", "MR9361-8i", true)]
    // Passed through by such a controller.
    [InlineData("SEAGATE", "ST8000NM0075", false)]
    public void A_volume_of_a_RAID_controller_is_named_for_what_it_hides(string vendor, string model, bool isVolume)
    {
        using RecordedTree tree = RecordedTree.Load("md-raid10");
        string device = tree.OnMachine(tree.Root.Resolve("/sys/class/block/sda/device")!);
        Directory.CreateDirectory(device);
        File.Delete(Path.Combine(device, "vpd_pg89"));
        File.WriteAllText(Path.Combine(device, "vendor"), $"{vendor}\n");
        File.WriteAllText(Path.Combine(device, "model"), $"{model}\n");

        DeviceTopology topology = new TopologyProbe(tree.Root).Probe("/srv/bench");

        Assert.Equal($"{vendor} {model}", topology.PhysicalDisks()[0].Model);
        Assert.Equal(isVolume, topology.Warnings.Any(warning => warning.StartsWith("sda: a volume of a RAID controller", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("1", true)]
    [InlineData("0", false)]
    public void A_loop_device_over_a_file_that_a_process_serves_is_the_disk_if_it_goes_past_the_cache(string directIo, bool isDisk)
    {
        using RecordedTree tree = RecordedTree.Load("guest");
        string loop = tree.OnMachine("/sys/devices/virtual/block/loop3/loop");
        File.WriteAllText($"{loop}/backing_file", "/ssh/disk.img\n");
        File.WriteAllText($"{loop}/dio", $"{directIo}\n");

        DeviceTopology topology = new TopologyProbe(tree.Root).Probe("/img");

        Assert.Equal("fuse.sshfs", topology.Devices[0].BackingFileSystem);
        Assert.Equal(isDisk ? ["loop3"] : [], topology.PhysicalDisks().Select(disk => disk.Name));
        Assert.Equal(isDisk, topology.Warnings.Any(warning => warning.StartsWith("loop3: served by a process in user space", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_loop_device_on_its_own_file_system_ends()
    {
        using RecordedTree tree = RecordedTree.Load("guest");
        File.WriteAllText(tree.OnMachine("/sys/devices/virtual/block/loop3/loop/backing_file"), "/img/self.img\n");

        Assert.Equal("loop3", new TopologyProbe(tree.Root).Probe("/img").Devices[0].Name);
    }

    [Theory]
    [InlineData("/run", "tmpfs has no device below it")]
    [InlineData("/nfs", "nfs4 is a network file system")]
    [InlineData("/ssh", "fuse.sshfs is served by a process in user space")]
    [InlineData("/merged", "overlay hides the file system and the device")]
    public void A_file_system_without_a_device_says_what_that_does_to_the_measurement(string folder, string warning)
    {
        DeviceTopology topology = Probe("guest", folder);

        Assert.Empty(topology.Devices);
        Assert.StartsWith(warning, Assert.Single(topology.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void An_overlay_whose_upper_layer_is_in_sight_lies_on_that_layers_device()
    {
        DeviceTopology topology = Probe("guest", "/var/lib/c/merged");

        Assert.Equal(["vda1"], topology.Devices.Select(device => device.Name));
        Assert.Contains(topology.Warnings, warning => warning.StartsWith("overlay copies a file", StringComparison.Ordinal));
    }

    [Fact]
    public void A_folder_that_does_not_exist_is_refused()
    {
        using RecordedTree tree = RecordedTree.Load("nvme");
        Assert.Throws<DirectoryNotFoundException>(() => new TopologyProbe(tree.Root).Probe("/nowhere"));
    }

    /// <summary>sysfs differs by kernel and driver: any file may be missing, empty or unlike what is expected.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Missing_empty_and_odd_files_give_null_and_never_an_exception(int seed)
    {
        foreach (string name in AllTrees)
        {
            using RecordedTree tree = RecordedTree.Load(name);
            var random = new Random(seed);
            string[] folders = [.. tree.Root.ReadLines("/proc/self/mountinfo").Select(line => MountTable.Unescape(line.Split(' ')[4]))];
            var noLinks = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };
            foreach (string file in Directory.GetFiles(tree.OnMachine("/sys"), "*", noLinks).Order(StringComparer.Ordinal).Where(File.Exists))
            {
                switch (random.Next(32))
                {
                    case < 4: File.Delete(file); break;
                    case < 8: File.WriteAllText(file, ""); break;
                    case < 12: File.WriteAllText(file, "4294967296999999999999\n"); break;
                    case < 16: File.WriteAllBytes(file, [0xff, 0x80, 0x00, 0x5b]); break;
                    case < 17: Directory.Delete(Path.GetDirectoryName(file)!, recursive: true); break;
                    default: break;
                }
            }

            foreach (string folder in folders.Where(tree.Root.FolderExists))
                Assert.NotNull(new TopologyProbe(tree.Root).Probe(folder));
        }
    }

    [Fact]
    public void An_empty_root_gives_an_unknown_file_system_and_a_warning()
    {
        using var tree = new RecordedTree("data/");

        DeviceTopology topology = new TopologyProbe(tree.Root).Probe("/data");

        Assert.Equal("unknown", topology.Mount.FileSystem);
        Assert.Empty(topology.Devices);
        Assert.NotEmpty(topology.Warnings);
    }

    private static DeviceTopology Probe(string name, string folder)
    {
        using RecordedTree tree = RecordedTree.Load(name);
        return new TopologyProbe(tree.Root).Probe(folder);
    }

    private static string FirstTwelveOfSha256(string serial) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(serial)))[..12];
}
