using System.Text;
using Bench.Disk.Topology;
using Xunit;

namespace Bench.Harness.Tests.Topology;

/// <summary>Single disks of many kinds, each by the least of sysfs that tells its kind.</summary>
public sealed class BlockDeviceReaderTests
{
    [Theory]
    [InlineData("pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda", "sata")]
    [InlineData("pci0000:00/0000:00:14.0/usb2/2-3/2-3:1.0/host6/target6:0:0/6:0:0:0/block/sda", "usb")]
    [InlineData("pci0000:00/0000:00:02.0/0000:03:00.0/host0/port-0:0/end_device-0:0/target0:0:0/0:0:0:0/block/sda", "sas")]
    [InlineData("pci0000:00/0000:00:10.0/host2/target2:0:0/2:0:0:0/block/sda", "scsi")]
    [InlineData("pci0000:00/0000:00:05.0/virtio2/host2/target2:0:0/2:0:0:0/block/sda", "virtio")]
    [InlineData("platform/host5/session1/target5:0:0/5:0:0:1/block/sda", "iscsi")]
    [InlineData("pci0000:00/0000:00:03.0/0000:04:00.0/host7/rport-7:0-2/target7:0:0/7:0:0:0/block/sda", "fc")]
    [InlineData("vbd-51712/block/xvda", "xen")]
    [InlineData("platform/soc/fe340000.mmc/mmc_host/mmc0/mmc0:0001/block/mmcblk0", "mmc")]
    [InlineData("virtual/block/nbd0", "nbd")]
    [InlineData("rbd/0/block/rbd0", "rbd")]
    [InlineData("virtual/block/drbd0", null)]
    public void The_transport_is_read_from_the_place_in_the_device_tree(string place, string? expected) =>
        Assert.Equal(expected, Single(place).Transport);

    [Fact]
    public void NVMe_over_a_network_says_which()
    {
        const string Controller = "sys/devices/virtual/nvme-fabrics/ctl/nvme2";

        DeviceTopology topology = Probe("virtual/nvme-fabrics/ctl/nvme2/nvme2n1", $"{Controller}/transport\ttcp");

        Assert.Equal((BlockDeviceKind.Disk, "nvme-tcp", null), (topology.Devices[0].Kind, topology.Devices[0].Transport, topology.Devices[0].Link));
        Assert.StartsWith("nvme2n1: reached over a network", Assert.Single(topology.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ATA     ", "KINGSTON SA400S3", "KINGSTON SA400S3", false)]
    [InlineData("SEAGATE ", "ST8000NM0095", "SEAGATE ST8000NM0095", false)]
    [InlineData("QEMU    ", "QEMU HARDDISK", "QEMU HARDDISK", true)]
    [InlineData("Msft    ", "Virtual Disk", "Msft Virtual Disk", true)]
    [InlineData("VMware  ", "Virtual disk", "VMware Virtual disk", true)]
    [InlineData("Google  ", "PersistentDisk", "Google PersistentDisk", true)]
    public void A_SCSI_vendor_is_part_of_the_model_and_tells_virtual_disks(string vendor, string model, string expected, bool isVirtual)
    {
        const string Place = "pci0000:00/0000:00:10.0/host2/target2:0:0/2:0:0:0";

        DeviceTopology topology = Probe(
            $"{Place}/block/sda",
            $"sys/devices/{Place}/block/sda/device -> ../../../2:0:0:0", $"sys/devices/{Place}/vendor\t{vendor}", $"sys/devices/{Place}/model\t{model}");

        Assert.Equal(expected, topology.Devices[0].Model);
        Assert.Equal(isVirtual, topology.Warnings.Any(warning => warning.Contains("virtual disk", StringComparison.Ordinal)));
    }

    [Fact]
    public void An_elastic_block_store_volume_is_a_virtual_disk_although_it_speaks_NVMe()
    {
        const string Controller = "pci0000:00/0000:00:04.0/nvme/nvme0";

        DeviceTopology topology = Probe(
            $"{Controller}/nvme0n1",
            $"sys/devices/{Controller}/nvme0n1/device -> ../../nvme0",
            $"sys/devices/{Controller}/model\tAmazon Elastic Block Store",
            "sys/devices/pci0000:00/0000:00:04.0/current_link_speed\tUnknown",
            "sys/devices/pci0000:00/0000:00:04.0/current_link_width\t0");

        Assert.Equal(("nvme", null), (topology.Devices[0].Transport, topology.Devices[0].Link));
        Assert.Contains(topology.Warnings, warning => warning.StartsWith("nvme0n1: virtual disk", StringComparison.Ordinal));
    }

    [Fact]
    public void A_SATA_drive_with_an_ATA_page_shows_its_whole_name_and_firmware()
    {
        byte[] page = new byte[572];
        (page[1], page[2], page[3]) = (0x89, 0x02, 0x38);
        Put("SVT02B6Q", word: 23, length: 8);
        Put("Samsung SSD 870 EVO 500GB", word: 27, length: 40);

        Assert.Equal(("Samsung SSD 870 EVO 500GB", "SVT02B6Q"), ScsiPages.AtaIdentity(page));
        Assert.Equal(default, ScsiPages.AtaIdentity(page[..571]));
        Assert.Equal(default, ScsiPages.AtaIdentity(null));

        void Put(string text, int word, int length)
        {
            byte[] bytes = Encoding.ASCII.GetBytes(text.PadRight(length));
            for (int i = 0; i < length; i++)
                page[60 + word * 2 + (i ^ 1)] = bytes[i];
        }
    }

    [Theory]
    [InlineData(new byte[] { 0, 0x80, 0, 4, 0x20, 0x41, 0x42, 0x43 }, "ABC")]
    [InlineData(new byte[] { 0, 0x80, 0xff, 0xff, 0x41 }, "A")]
    [InlineData(new byte[] { 0, 0x80, 0, 2, 0x20, 0x20 }, null)]
    [InlineData(new byte[] { 0, 0x83, 0, 1, 0x41 }, null)]
    [InlineData(new byte[] { 0, 0x80 }, null)]
    public void A_serial_page_is_read_within_its_bounds(byte[] page, string? expected) => Assert.Equal(expected, ScsiPages.SerialNumber(page));

    [Fact]
    public void A_disk_in_memory_says_so()
    {
        DeviceTopology topology = Probe("virtual/block/zram0", "sys/devices/virtual/block/zram0/queue/write_cache\twrite back");

        Assert.Equal(BlockDeviceKind.Memory, topology.Devices[0].Kind);
        Assert.StartsWith("zram0 is a disk in memory", Assert.Single(topology.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_loop_device_below_a_volume_is_named_with_the_path_that_leads_to_it()
    {
        DeviceTopology topology = Probe(
            "virtual/block/dm-0",
            "sys/devices/virtual/block/dm-0/dm/uuid\tmpath-x",
            "sys/devices/virtual/block/dm-0/slaves/loop0 -> ../../loop0",
            "sys/devices/virtual/block/loop0/loop/backing_file\t/gone/file (deleted)",
            "sys/devices/virtual/block/loop0/loop/dio\t0");

        Assert.Equal("multipath", topology.Devices[0].Level);
        Assert.Equal(["dm-0", "loop0"], topology.Devices[0].All().Select(device => device.Name));
        Assert.StartsWith("dm-0 → loop0: the loop device over /gone/file (deleted)", Assert.Single(topology.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_that_sysfs_does_not_show_keeps_its_number()
    {
        using var tree = new RecordedTree("proc/self/mountinfo\t1 0 8:1 / / rw - ext4 /dev/sda1 rw");

        BlockDevice device = Assert.Single(new TopologyProbe(tree.Root).Probe("/").Devices);

        Assert.Equal(("sda1", BlockDeviceKind.Other, "8:1", null), (device.Name, device.Kind, device.Number, device.SizeBytes));
    }

    [Theory]
    [InlineData("ext4", "rw,data=journal", "ext4 with data=journal")]
    [InlineData("xfs", "rw,dax=always", "DAX maps")]
    [InlineData("ext4", "rw,sync", "/ is mounted with sync")]
    public void Mount_options_that_change_what_a_case_means_are_warned_about(string type, string options, string warning)
    {
        using var tree = new RecordedTree($"proc/self/mountinfo\t1 0 8:1 / / {options} - {type} /dev/sda1 rw");
        Assert.StartsWith(warning, Assert.Single(new TopologyProbe(tree.Root).Probe("/").Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_system_that_lists_several_devices_in_its_source_has_them_all()
    {
        using var tree = new RecordedTree("""
            proc/self/mountinfo	1 0 0:30 / / rw - bcachefs /dev/sda:/dev/sdb rw
            sys/class/block/sda/size	2048
            sys/class/block/sdb/size	4096
            """);

        Assert.Equal([1L << 20, 2L << 20], new TopologyProbe(tree.Root).Probe("/").Devices.Select(device => device.SizeBytes ?? 0));
    }

    private static BlockDevice Single(string place) => Assert.Single(Probe(place).Devices);

    // A file system on the device at this place below /sys/devices.
    private static DeviceTopology Probe(string place, params string[] lines)
    {
        using var tree = new RecordedTree(string.Join('\n', [
            "proc/self/mountinfo\t1 0 8:0 / / rw - ext4 /dev/x rw",
            $"sys/dev/block/8:0 -> ../../devices/{place}",
            $"sys/devices/{place}/dev\t8:0",
            .. lines]));
        return new TopologyProbe(tree.Root).Probe("/");
    }
}
