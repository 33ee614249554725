namespace Bench.Disk.Topology;

/// <summary>How an array spreads data over its members.</summary>
/// <param name="Level">raid0, raid5, raid10, …, as the array names itself.</param>
/// <param name="Members">Devices that it lies on.</param>
/// <param name="ChunkBytes">Bytes on one member before the next has its turn.</param>
/// <param name="DataMembers">Members of a stripe that hold data, not copies or parity.</param>
public sealed record ArrayLayout(string Level, int Members, long ChunkBytes, int DataMembers)
{
    // btrfs: fs/btrfs/volumes.h, BTRFS_STRIPE_LEN; it is no setting.
    private const long BtrfsChunkBytes = 64 << 10;

    /// <summary>Bytes of data in one stripe over all members: a block of this size gives each of them one chunk.</summary>
    public long StripeBytes => ChunkBytes * DataMembers;

    /// <summary>
    /// The layout of the array under a target; null where there is none, it does not stripe (raid1, linear, single), or
    /// its chunk is not known (ZFS, whose records are spread by their own sizes; a hardware controller).
    /// </summary>
    public static ArrayLayout? Of(DeviceTopology target)
    {
        var members = target.Members().Count;
        if (members < 2)
            return null;
        var above = Above(target.Devices[0]);
        return target.Devices.Count > 1
            ? target is { Mount.FileSystem: "btrfs", DataProfile: { } profile } ? Striped(profile, members, BtrfsChunkBytes, DataMembersOf(profile, members)) : null
            : above switch
            {
                { Kind: BlockDeviceKind.Md, Level: { } level, ChunkBytes: > 0 and var chunk } => Striped(level, members, chunk, DataMembersOf(level, members)),
                // LVM says the stripe itself.
                { Kind: BlockDeviceKind.DeviceMapper, Level: { } level, ChunkBytes: > 0 and var chunk, OptimalIoBytes: { } stripe } => Striped(level, members, chunk, (int)(stripe / chunk)),
                _ => null,
            };
    }

    private static ArrayLayout? Striped(string level, int members, long chunkBytes, int? dataMembers) =>
        dataMembers is { } data ? new ArrayLayout(level, members, chunkBytes, data) : null;

    /// <summary>The device right above the members.</summary>
    private static BlockDevice Above(BlockDevice device)
    {
        while (device.Below is [var only])
            device = only;
        return device;
    }

    private static int? DataMembersOf(string level, int members) => level.ToLowerInvariant() switch
    {
        "raid0" => members,
        "raid10" => members / 2,
        "raid4" or "raid5" when members > 2 => members - 1,
        "raid6" when members > 3 => members - 2,
        _ => null,
    };
}
