using System.Globalization;

namespace Bench.Disk.Topology;

/// <summary>What about a target will spoil or limit a measurement: one sentence each, what it is and what it does.</summary>
/// <remarks>
/// Only what changes how a figure must be read. <c>rotational</c> is never reasoned from: virtio disks say 1 whatever
/// they are.
/// </remarks>
internal static class TopologyWarnings
{
    private static readonly string[] MemoryFileSystems = ["tmpfs", "ramfs", "hugetlbfs", "devtmpfs"];

    private static readonly string[] NetworkFileSystems =
        ["nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "lustre", "gpfs", "beegfs", "afs", "ocfs2", "gfs2"];

    private static readonly string[] HostFileSystems = ["9p", "virtiofs", "vboxsf", "vmhgfs"];

    // What hypervisors and clouds call the disks that they emulate or serve over a network. Instance-store drives
    // ("Amazon EC2 NVMe Instance Storage") are real ones passed through, and not here.
    private static readonly string[] VirtualModels =
    [
        "QEMU", "VBOX", "VMware", "Msft Virtual", "Virtual Disk", "Amazon Elastic Block Store", "Google PersistentDisk", "PersistentDisk",
        "nvme_card-pd", "MSFT NVMe Accelerator", "Xen", "BHYVE", "Oracle BlockVolume",
    ];

    private static readonly string[] NetworkTransports = ["iscsi", "fc", "nbd", "rbd", "nvme-tcp", "nvme-rdma", "nvme-fc"];

    // admin-guide/md.rst, sync_action.
    // Also LVM's (lvmraid(7)), which are md's, and ZFS's (zpool-status(8)).
    private static readonly string[] SyncActions = ["resync", "recover", "check", "repair", "reshape", "resilver", "scrub"];

    private const string RecordSize = "recordsize=";

    // What RAID controllers call the volumes that they make (the SCSI vendor and model of Dell, Broadcom/LSI, HPE, Adaptec, Areca,
    // Lenovo, Cisco, Fujitsu, Intel and 3ware). A disk that such a controller passes through has its own model.
    private static readonly string[] ControllerModels =
    [
        "DELL PERC", "DELLBOSS", "LSI MR", "AVAGO MR", "AVAGO SMC", "BROADCOM MR", "HP LOGICAL VOLUME", "HPE LOGICAL VOLUME", "COMPAQ LOGICAL VOLUME", "HPE MR",
        "Adaptec", "ASR7", "ASR8", "Areca", "IBM ServeRAID", "Lenovo RAID", "Cisco UCSC", "FTS PRAID", "Intel RMS", "Intel RS3", "3ware", "AMCC",
    ];

    internal static IReadOnlyList<string> For(DeviceTopology topology, int missingDevices)
    {
        BlockDevice[] all = [.. topology.Devices.SelectMany(device => device.All()).DistinctBy(device => device.Name)];
        return
        [
            .. FileSystem(topology, missingDevices),
            .. LoopsWithoutDirectIo(topology),
            .. all.SelectMany(Device),
            .. Disks(topology.PhysicalDisks()),
        ];
    }

    private static IEnumerable<string> FileSystem(DeviceTopology topology, int missingDevices)
    {
        MountInfo mount = topology.Mount;
        string type = mount.FileSystem;
        string[] options = mount.Options.Split(',');

        if (mount.ReadOnly)
            yield return $"{mount.MountPoint} is mounted read-only: nothing can be laid out or measured on it.";

        if (MemoryFileSystems.Contains(type))
            yield return $"{type} has no device below it: files live in memory, so cold and direct mean nothing, and every figure is one of memory.";
        else if (type == "overlay")
            yield return topology.Devices.Count > 0
                ? "overlay copies a file of a lower layer whole on its first write, and its devices are those of the upper layer: only files made here are measured as they lie on the device."
                : "overlay hides the file system and the device below it: device counters cannot be read, so cold and direct stay unproven; give a folder on a volume instead.";
        else if (NetworkFileSystems.Contains(type))
            yield return $"{type} is a network file system: the device and the server's cache are not visible, so cold here may be warm there, and figures include the network.";
        else if (HostFileSystems.Contains(type))
            yield return $"{type} is a folder of the virtual machine's host: the device and the host's cache are not visible, so cold here may be warm there.";
        else if (MountInfo.IsFuse(type))
            yield return topology.Devices.Count > 0
                ? $"{type} is served by a process in user space: figures include that process, and it may cache on its own."
                : $"{type} is served by a process in user space: the device is not visible, and direct and durable mean what that process makes of them.";
        else if (type == "zfs")
        {
            yield return topology.Devices.Count > 0
                ? "zfs caches in its own ARC, which no eviction of the page cache empties: whether a read was cold is what the pool's devices have counted."
                : "zfs caches in its own ARC, and the devices of its pool were not found (zpool status): evicting the page cache does not make a file cold, and device counters cannot be read.";
            if (options.FirstOrDefault(option => option.StartsWith(RecordSize, StringComparison.Ordinal))?[RecordSize.Length..] is { } record)
                yield return $"zfs reads and writes whole records of {record} bytes (recordsize): a smaller block at random costs a whole one.";
            if (topology.DataState is { } state && (IsSyncing(state) || missingDevices == 0))
                yield return IsSyncing(state) ? $"The zfs pool is busy with itself ({state}): the measurement shares the disks with it." : $"The zfs pool is {state} ('zpool status' says why): its figures may be those of trouble.";
        }
        else if (topology.Devices.Count == 0)
            yield return $"No block device was found below {type}: device counters cannot be read, so cold and direct stay unproven.";

        if (missingDevices > 0)
            yield return string.Create(CultureInfo.InvariantCulture, $"The {type} array is degraded: {missingDevices} of its devices missing, so reads are rebuilt from the others and writes lack their copies.");
        if (options.Contains("sync"))
            yield return $"{mount.MountPoint} is mounted with sync: every write waits for the device, also where the case says buffered.";
        if (options.Contains("data=journal"))
            yield return "ext4 with data=journal writes everything twice and does direct I/O through the page cache: direct will be contradicted.";
        if (options.Any(option => option is "dax" or "dax=always"))
            yield return "DAX maps the device into memory and leaves the page cache out: warm and cold are the same.";
        if (options.FirstOrDefault(option => option.StartsWith("compress", StringComparison.Ordinal)) is { } compression)
            yield return $"The file system compresses ({compression}): bytes on the device differ from bytes asked, and it costs CPU.";
    }

    /// <summary>Loop devices that read through the cache of the file system below, each with the path that leads to it.</summary>
    private static IEnumerable<string> LoopsWithoutDirectIo(DeviceTopology topology)
    {
        return topology.Devices.SelectMany(device => Find(device, [])).DistinctBy(path => path[^1].Name).Select(path =>
        {
            BlockDevice loop = path[^1];
            string way = string.Join(" → ", path.Select(device => device.Name));
            return $"{way}: the loop device over {loop.BackingFile} has direct I/O off, so direct and cold reads are served from the cache of the file system below it; use 'losetup --direct-io=on'.";
        });

        static IEnumerable<BlockDevice[]> Find(BlockDevice device, BlockDevice[] above)
        {
            BlockDevice[] path = [.. above, device];
            IEnumerable<BlockDevice[]> below = device.Below.SelectMany(next => Find(next, path));
            return device is { Kind: BlockDeviceKind.Loop, LoopDirectIo: false } ? below.Prepend(path) : below;
        }
    }

    private static IEnumerable<string> Device(BlockDevice device)
    {
        if (device.Kind is BlockDeviceKind.Md or BlockDeviceKind.DeviceMapper && device.State is { } state)
        {
            if (state.Contains("degraded", StringComparison.Ordinal))
                yield return $"{device.Name} ({device.Level}) is degraded ({state}): reads of the missing member are rebuilt from the others, so this is not the array's speed.";
            else if (IsSyncing(state))
                yield return $"{device.Name} ({device.Level}) is busy with itself ({state}): the measurement shares the disks with it.";
        }

        if (device is { Kind: BlockDeviceKind.DeviceMapper, Level: "crypt" })
            yield return $"{device.Name} is encrypted (dm-crypt): every byte costs CPU in the kernel, also with direct I/O.";
        if (device.Kind == BlockDeviceKind.Memory)
            yield return $"{device.Name} is a disk in memory: its figures are those of memory, not of a disk.";
        if (device.Scheduler == "bfq")
            yield return $"{device.Name} uses the bfq scheduler: it idles between processes and costs CPU per request, which limits fast disks.";
        if (device.Link?.Contains(BlockDeviceReader.BelowMaximum, StringComparison.Ordinal) == true)
            yield return $"{device.Name} is attached below its maximum ({device.Link}): sequential figures may be those of the link.";
    }

    private static bool IsSyncing(string state) =>
        SyncActions.Any(action => state.Contains(action, StringComparison.Ordinal));

    private static IEnumerable<string> Disks(IReadOnlyList<BlockDevice> disks)
    {
        if (Names(disks.Where(IsVirtual)) is { Length: > 0 } virtualDisks)
            yield return $"{virtualDisks}: virtual disk, so cold in the guest is not cold on the host, and what the device says of itself (rotational, cache) may be invented.";
        if (Names(disks.Where(IsControllerVolume)) is { Length: > 0 } volumes)
            yield return $"{volumes}: a volume of a RAID controller, whose level, members, state and cache only its own tool shows (storcli, perccli, ssacli, arcconf): note them beside the figures.";
        if (Names(disks.Where(disk => disk.IsServedByProcess)) is { Length: > 0 } served)
            yield return $"{served}: served by a process in user space, so cold and durable are what that process makes of them, and figures include it.";
        if (Names(disks.Where(disk => NetworkTransports.Contains(disk.Transport))) is { Length: > 0 } remote)
            yield return $"{remote}: reached over a network, so figures include it and the cache of the other side.";
        if (Names(disks.Where(disk => disk.Kind != BlockDeviceKind.Memory && disk.WriteCache == "write back")) is { Length: > 0 } cached)
            yield return $"{cached}: volatile write cache (write back), so a finished write is durable only after a flush, and short bursts of writes show the cache.";
    }

    private static bool IsVirtual(BlockDevice disk) =>
        disk.Kind == BlockDeviceKind.Disk
        && (disk.Transport is "virtio" or "xen"
            || disk.Model is { } model && VirtualModels.Any(name => model.StartsWith(name, StringComparison.OrdinalIgnoreCase)));

    private static bool IsControllerVolume(BlockDevice disk) =>
        disk.Kind == BlockDeviceKind.Disk && disk.Model is { } model && ControllerModels.Any(name => model.StartsWith(name, StringComparison.OrdinalIgnoreCase));

    private static string Names(IEnumerable<BlockDevice> disks) => string.Join(", ", disks.Select(disk => disk.Name));
}
