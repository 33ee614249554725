using System.Buffers.Binary;
using Bench.Disk.Topology;
using Xunit;

namespace Bench.Harness.Tests.Topology;

/// <summary>What drives say of their condition, from trees as drivers export them and from a log as the specification lays it out.</summary>
public class DriveHealthTests
{
    private static string Say(long bytes) => $"{bytes / 1e12:0.#} TB";

    [Theory]
    // An NVMe controller, and one of an older kernel; a SATA disk with drivetemp.
    [InlineData("nvme0n1", "sys/devices/nvme/nvme0/hwmon3/temp1_input\t41850", "sys/devices/nvme/nvme0/nvme0n1/device -> ../../nvme0", "sys/class/block/nvme0n1 -> ../../devices/nvme/nvme0/nvme0n1")]
    [InlineData("nvme0n1", "sys/devices/pci/hwmon/hwmon3/temp1_input\t41850", "sys/devices/pci/nvme/nvme0/device -> ../../../pci", "sys/devices/pci/nvme/nvme0/nvme0n1/device -> ../../nvme0", "sys/class/block/nvme0n1 -> ../../devices/pci/nvme/nvme0/nvme0n1")]
    [InlineData("sda", "sys/devices/ata1/1:0:0:0/hwmon/hwmon2/temp1_input\t41850", "sys/devices/ata1/1:0:0:0/block/sda/device -> ../../../1:0:0:0", "sys/class/block/sda -> ../../devices/ata1/1:0:0:0/block/sda")]
    public void The_temperature_is_found_where_each_driver_puts_it(string disk, params string[] lines)
    {
        using var tree = new RecordedTree(string.Join('\n', lines));
        var health = DriveHealth.Read(disk, tree.Root);
        Assert.Equal(41.85, health.TemperatureCelsius!.Value, 1e-9);
        Assert.Null(health.WarningCelsius);
        Assert.False(health.IsHot);
        Assert.Equal("42 °C", health.Told(1, Say));
    }

    [Fact]
    public void A_drive_above_its_own_threshold_is_hot()
    {
        using var tree = new RecordedTree("sys/class/block/nvme0n1/device/hwmon1/temp1_input\t83000\nsys/class/block/nvme0n1/device/hwmon1/temp1_max\t82000");
        var health = DriveHealth.ReadTemperature("nvme0n1", tree.Root);
        Assert.True(health.IsHot);
        Assert.Equal("83 °C, above the 82 °C from which it warns", health.Told(0, Say));
    }

    [Fact]
    public void A_disk_that_says_nothing_is_not_spoken_of()
    {
        using var tree = new RecordedTree("sys/class/block/vda/device/model\tx");
        Assert.Null(DriveHealth.Read("vda", tree.Root).Told(1 << 30, Say));
        Assert.Null(DriveHealth.Read("no-such-disk").Told(1 << 30, Say));
    }

    [Fact]
    public void The_log_of_a_drive_gives_the_share_that_a_run_takes()
    {
        var log = new byte[512];
        log[5] = 4;
        // 80 TB in units of 512,000 bytes: four percent, so it is rated for 2,000 TB.
        BinaryPrimitives.WriteUInt128LittleEndian(log.AsSpan(48), 156_250_000);
        var health = DriveHealth.OfSmartLog(log);
        Assert.Equal((4, 80e12), (health.UsedPercent, health.WrittenBytes));
        Assert.Equal((1e-4, false), health.ShareOf(200_000_000_000));
        Assert.Equal("4 % of its rated writes used by 80 TB; this run takes about 0.01 % more", health.Told(200_000_000_000, Say));

        // A new drive has used no whole percent yet, and is rated for more than a hundred times what was written.
        log[5] = 0;
        BinaryPrimitives.WriteUInt128LittleEndian(log.AsSpan(48), 1_953_125);
        Assert.Equal("0 % of its rated writes used by 1 TB; this run takes at most 0.2 % more", DriveHealth.OfSmartLog(log).Told(200_000_000_000, Say));
    }

    [Theory]
    [InlineData("sys/class/block/nvme0n1/device -> ../../../devices/nvme/nvme0", "sys/devices/nvme/nvme0/model\tx", "nvme0")]
    [InlineData("sys/class/block/nvme1n1/device -> ../../../devices/virtual/nvme-subsystem/nvme-subsys1", "sys/devices/virtual/nvme-subsystem/nvme-subsys1/nvme2 -> ../../../nvme/nvme2", "nvme2")]
    [InlineData("sys/class/block/sda/device -> ../../../devices/1:0:0:0", "sys/devices/1:0:0:0/model\tx", null)]
    public void The_controller_of_a_namespace_is_asked_and_never_the_block_device(string link, string line, string? controller)
    {
        using var tree = new RecordedTree($"{link}\n{line}");
        Assert.Equal(controller, DriveHealth.ControllerOf(link.Split('/')[3], tree.Root));
    }
}
