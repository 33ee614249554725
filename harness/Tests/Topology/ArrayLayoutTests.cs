using Bench.Disk.Topology;
using Xunit;

namespace Bench.Harness.Tests.Topology;

public class ArrayLayoutTests
{
    [Theory]
    [InlineData("md-raid10", "/srv/bench", 4, 512, 1024)]
    [InlineData("md-raid5-rebuilding", "/srv", 3, 512, 1024)]
    [InlineData("lvm-raid", "/striped", 2, 64, 128)]
    [InlineData("lvm-raid", "/raid5", 3, 64, 128)]
    public void The_stripe_of_an_array_is_its_chunk_on_each_member_that_holds_data(string tree, string folder, int members, int chunkKiB, int stripeKiB)
    {
        using var recorded = RecordedTree.Load(tree);
        var layout = ArrayLayout.Of(new TopologyProbe(recorded.Root).Probe(folder))!;
        Assert.Equal((members, chunkKiB << 10, stripeKiB << 10), (layout.Members, layout.ChunkBytes, layout.StripeBytes));
    }

    [Theory]
    [InlineData("raid0", 256)]
    [InlineData("raid10", 128)]
    [InlineData("raid5", 192)]
    [InlineData("raid6", 128)]
    [InlineData("raid1", null)]
    [InlineData("single", null)]
    [InlineData(null, null)]
    public void A_btrfs_array_of_four_has_chunks_of_64_KiB(string? profile, int? stripeKiB)
    {
        var target = new DeviceTopology
        {
            Folder = "/mnt",
            Mount = new MountInfo { MountPoint = "/mnt", FileSystem = "btrfs", Source = "/dev/sda", Options = "rw" },
            Devices = [.. "abcd".Select(letter => new BlockDevice { Name = $"sd{letter}", Kind = BlockDeviceKind.Disk })],
            DataProfile = profile,
        };
        Assert.Equal(4, target.Members().Count);
        Assert.Equal(stripeKiB << 10, (int?)ArrayLayout.Of(target)?.StripeBytes);
    }

    [Theory]
    [InlineData("lvm-raid", "/", 2)]
    [InlineData("zfs", "/tank/data", 6)]
    public void Several_devices_without_a_chunk_of_their_own_are_members_and_have_no_stripe(string tree, string folder, int members)
    {
        using var recorded = RecordedTree.Load(tree);
        var topology = new TopologyProbe(recorded.Root).Probe(folder);
        Assert.Equal(members, topology.Members().Count);
        Assert.Null(ArrayLayout.Of(topology));
    }

    [Theory]
    [InlineData("nvme", "/")]
    [InlineData("lvm-nvme", "/home/me")]
    [InlineData("guest", "/")]
    public void A_single_disk_has_no_members_whatever_lies_on_it(string tree, string folder)
    {
        using var recorded = RecordedTree.Load(tree);
        var topology = new TopologyProbe(recorded.Root).Probe(folder);
        Assert.Empty(topology.Members());
        Assert.Null(ArrayLayout.Of(topology));
    }
}
