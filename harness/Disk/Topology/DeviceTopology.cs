using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bench.Disk.Topology;

/// <summary>
/// What lies under a folder: its mount, the block devices below the file system, and the physical disks below
/// those, with every setting that can change a result. Made by <c>TopologyProbe</c>; a plain value, so that it is
/// stored in each record and shown by <c>bench devices</c> as it is.
/// </summary>
public sealed record DeviceTopology
{
    /// <summary>The absolute folder that was asked about.</summary>
    public required string Folder { get; init; }

    /// <summary>The mount that holds the folder.</summary>
    public required MountInfo Mount { get; init; }

    /// <summary>Size of the file system in bytes; 0 where it has none.</summary>
    public long TotalBytes { get; init; }

    /// <summary>Bytes that this user can still allocate.</summary>
    public long FreeBytes { get; init; }

    /// <summary>The block devices that the file system lies on: one, several (btrfs, ZFS), or none (tmpfs, NFS).</summary>
    public IReadOnlyList<BlockDevice> Devices { get; init; } = [];

    /// <summary>How a file system over several devices spreads data ("raid1", "raid0", "single", of ZFS "2 × raidz1"); null elsewhere.</summary>
    public string? DataProfile { get; init; }

    /// <summary>What is not well with such a file system, in words: "degraded", "resilver 13 %"; null if nothing is known to be.</summary>
    public string? DataState { get; init; }

    /// <summary>What about this target will spoil or limit a measurement, one sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Fields that this build does not know, kept when a record is written again.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }

    /// <summary>
    /// The devices that one array spreads the data over: those of a file system over several, or those right below an md
    /// or device-mapper array. Empty where there is none, or one only.
    /// </summary>
    public IReadOnlyList<BlockDevice> Members()
    {
        IReadOnlyList<BlockDevice> level = [.. Devices.Where(device => device.Role is null)];
        while (level is [var only])
            level = only.Below;
        return level;
    }

    /// <summary>
    /// The leaves of the tree, each once: what really stores the bytes. A loop device is not one: the disks below its
    /// backing file are; where none is seen below (a file on tmpfs or on a network), the list is empty, because the
    /// counters of a part of the stack would prove what never reached a disk. The exception is a disk that a process
    /// serves (<see cref="BlockDevice.IsServedByProcess"/>).
    /// </summary>
    public IReadOnlyList<BlockDevice> PhysicalDisks()
    {
        BlockDevice[] leaves = [.. Devices.SelectMany(device => device.Leaves()).DistinctBy(device => device.Name)];
        return leaves.Any(leaf => leaf is { Kind: BlockDeviceKind.Loop, IsServedByProcess: false }) ? [] : leaves;
    }
}

/// <summary>One line of <c>/proc/self/mountinfo</c> (proc(5)).</summary>
public sealed record MountInfo
{
    /// <summary>Where it is mounted.</summary>
    public required string MountPoint { get; init; }

    /// <summary>The file system's type: ext4, xfs, btrfs, tmpfs, overlay, nfs4, …</summary>
    public required string FileSystem { get; init; }

    /// <summary>The source: a device path, a share, or a name.</summary>
    public required string Source { get; init; }

    /// <summary>Options of the mount and of the superblock, comma-separated, each once.</summary>
    public required string Options { get; init; }

    /// <summary>True if the mount or its superblock is read-only.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>Whether a file system of this type is served by a process in user space, directly or for the kernel (fuseblk).</summary>
    public static bool IsFuse(string? fileSystem) => fileSystem?.StartsWith("fuse", StringComparison.Ordinal) == true;

    /// <summary>Fields that this build does not know, kept when a record is written again.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary>What kind of thing a block device is.</summary>
public enum BlockDeviceKind
{
    /// <summary>A disk: a leaf.</summary>
    Disk,

    /// <summary>A partition of the device below it.</summary>
    Partition,

    /// <summary>A loop device over a file (see <see cref="BlockDevice.BackingFile"/>).</summary>
    Loop,

    /// <summary>A Linux software RAID (md).</summary>
    Md,

    /// <summary>A device-mapper volume: LVM, dm-crypt, multipath.</summary>
    DeviceMapper,

    /// <summary>Compressed or plain memory (zram, ram, pmem).</summary>
    Memory,

    /// <summary>Anything else.</summary>
    Other,
}

/// <summary>
/// A block device with its queue settings and the devices below it. A value that could not be read is null, never
/// zero.
/// </summary>
public sealed record BlockDevice
{
    /// <summary>Kernel name, as in <c>/sys/class/block</c>: vda1, nvme0n1, md0, dm-0.</summary>
    public required string Name { get; init; }

    /// <summary>Its kind.</summary>
    public BlockDeviceKind Kind { get; init; }

    /// <summary>Major and minor number, "253:0".</summary>
    public string? Number { get; init; }

    /// <summary>What a file system over several devices has it for beside data: log, cache, special, dedup; null for data.</summary>
    public string? Role { get; init; }

    /// <summary>Size in bytes.</summary>
    public long? SizeBytes { get; init; }

    /// <summary>Model as the device names itself.</summary>
    public string? Model { get; init; }

    /// <summary>First 12 hexadecimal digits of the SHA-256 of the serial number: tells drives apart, names none.</summary>
    public string? SerialHash { get; init; }

    /// <summary>Firmware revision.</summary>
    public string? Firmware { get; init; }

    /// <summary>How it is attached: nvme, sata, sas, virtio, usb, …</summary>
    public string? Transport { get; init; }

    /// <summary>
    /// The link in words where there is one: "PCIe 4.0 x4 (16 GT/s)", or below what the device can,
    /// "PCIe 3.0 x4 (8 GT/s), of PCIe 4.0 x4 (16 GT/s)".
    /// </summary>
    public string? Link { get; init; }

    /// <summary>NUMA node of the controller; null if none or unknown.</summary>
    public int? NumaNode { get; init; }

    /// <summary>What the kernel says about rotation; on virtual disks often wrong.</summary>
    public bool? Rotational { get; init; }

    /// <summary>Logical sector size in bytes.</summary>
    public int? LogicalSectorBytes { get; init; }

    /// <summary>Physical sector size in bytes.</summary>
    public int? PhysicalSectorBytes { get; init; }

    /// <summary>Preferred I/O size in bytes (a RAID's stripe), 0 or null where none is told.</summary>
    public int? OptimalIoBytes { get; init; }

    /// <summary>The active I/O scheduler: none, mq-deadline, kyber, bfq.</summary>
    public string? Scheduler { get; init; }

    /// <summary>Read-ahead in KiB.</summary>
    public int? ReadAheadKiB { get; init; }

    /// <summary>Requests that the queue takes.</summary>
    public int? QueueRequests { get; init; }

    /// <summary>Largest single request in KiB.</summary>
    public int? MaxRequestKiB { get; init; }

    /// <summary>"write back" (a flush is needed to be durable) or "write through".</summary>
    public string? WriteCache { get; init; }

    /// <summary>RAID level of an md array, or the type of a device-mapper volume: lvm, "lvm striped", "lvm raid5", crypt, multipath, partition.</summary>
    public string? Level { get; init; }

    /// <summary>Chunk size of an array in bytes.</summary>
    public long? ChunkBytes { get; init; }

    /// <summary>State of an array in words: "clean", "active, degraded", "clean, degraded, recover 34 %".</summary>
    public string? State { get; init; }

    /// <summary>The file behind a loop device.</summary>
    public string? BackingFile { get; init; }

    /// <summary>The type of the file system that the file behind a loop device lies on; null if unknown.</summary>
    public string? BackingFileSystem { get; init; }

    /// <summary>Whether a loop device reads its file with direct I/O. If false, reads come from the host file's cache.</summary>
    public bool? LoopDirectIo { get; init; }

    /// <summary>The devices below: a partition's disk, an array's members, the disks under a loop device's file.</summary>
    public IReadOnlyList<BlockDevice> Below { get; init; } = [];

    /// <summary>
    /// Whether a process in user space stands for the disk: a loop device, past the page cache, over a file that the process serves
    /// (FUSE). What it counts was asked of that process, as what a virtual disk counts was asked of the hypervisor; whether
    /// it reached anything is theirs to know.
    /// </summary>
    [JsonIgnore]
    public bool IsServedByProcess => this is { Kind: BlockDeviceKind.Loop, LoopDirectIo: true, Below: [] } && MountInfo.IsFuse(BackingFileSystem);

    /// <summary>Fields that this build does not know, kept when a record is written again.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }

    /// <summary>This device if nothing is below it, else the leaves below.</summary>
    public IEnumerable<BlockDevice> Leaves() => Below.Count == 0 ? [this] : Below.SelectMany(device => device.Leaves());

    /// <summary>This device and all below it.</summary>
    public IEnumerable<BlockDevice> All() => Below.SelectMany(device => device.All()).Prepend(this);
}
