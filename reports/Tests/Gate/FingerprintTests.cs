using Bench.Disk.Topology;
using Bench.Reports.Comparison;
using Xunit;

namespace Bench.Reports.Tests.Gate;

public sealed class FingerprintTests
{
    private static readonly Fingerprint Here = Fingerprint.Of(SampleRecords.Host, SampleRecords.Target, "0.1.0");

    [Fact]
    public void The_same_place_has_the_same_fingerprint_whatever_it_is_called()
    {
        var elsewhere = Fingerprint.Of(
            SampleRecords.Host with { Name = "build-9", MemoryBytes = SampleRecords.Host.MemoryBytes - (20 << 20) },
            SampleRecords.Target with { Folder = "/mnt/other", FreeBytes = 1, Mount = SampleRecords.Target.Mount with { MountPoint = "/mnt", Source = "/dev/vdb1" } }, "0.1.0");
        Assert.Empty(Here.DifferencesTo(elsewhere));
        Assert.Equal(Here.Hash, elsewhere.Hash);
    }

    [Theory]
    [InlineData("kernel")]
    [InlineData("file system")]
    [InlineData("mount options")]
    [InlineData("device 1: scheduler")]
    [InlineData("device 1: firmware")]
    [InlineData("device 1: write cache")]
    [InlineData("device 1: serial number's hash")]
    [InlineData("CPU limit")]
    public void What_changes_the_figures_makes_it_another_place(string trait)
    {
        var device = SampleRecords.Target.Devices[0];
        var (host, target) = trait switch
        {
            "kernel" => (SampleRecords.Host with { Kernel = "6.19.0" }, SampleRecords.Target),
            "CPU limit" => (SampleRecords.Host with { CgroupCpuLimit = 1.5 }, SampleRecords.Target),
            "file system" => (SampleRecords.Host, SampleRecords.Target with { Mount = SampleRecords.Target.Mount with { FileSystem = "xfs" } }),
            "mount options" => (SampleRecords.Host, SampleRecords.Target with { Mount = SampleRecords.Target.Mount with { Options = "rw,noatime" } }),
            "device 1: scheduler" => (SampleRecords.Host, With(device with { Scheduler = "bfq" })),
            "device 1: firmware" => (SampleRecords.Host, With(device with { Firmware = "new" })),
            "device 1: write cache" => (SampleRecords.Host, With(device with { WriteCache = "write through" })),
            _ => (SampleRecords.Host, With(device with { SerialHash = "0123456789ab" })),
        };
        var there = Fingerprint.Of(host, target, "0.1.0");
        var difference = Assert.Single(Here.DifferencesTo(there));
        Assert.Equal(trait, difference.Name);
        Assert.True(difference.Unlike);
        Assert.NotEqual(Here.Hash, there.Hash);
        // And the other way round.
        Assert.Equal((difference.Head, difference.Base), (there.DifferencesTo(Here)[0].Base, there.DifferencesTo(Here)[0].Head));
    }

    [Fact]
    public void Software_is_told_and_forbids_nothing()
    {
        var there = Fingerprint.Of(SampleRecords.Host with { Runtime = "11.0.0" }, SampleRecords.Target, "0.2.0");
        Assert.Equal([".NET", "bench"], Here.DifferencesTo(there).Select(difference => difference.Name));
        Assert.All(Here.DifferencesTo(there), difference => Assert.False(difference.Unlike));
        Assert.Equal(Here.Hash, there.Hash);
    }

    private static DeviceTopology With(BlockDevice device) => SampleRecords.Target with { Devices = [device, .. SampleRecords.Target.Devices.Skip(1)] };
}
