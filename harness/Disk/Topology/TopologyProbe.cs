namespace Bench.Disk.Topology;

/// <summary>
/// Finds what lies under a folder: mount, block devices, physical disks, and what will spoil a measurement on them.
/// </summary>
/// <remarks>
/// <para>
/// Everything is read from <c>/proc/self/mountinfo</c> and <c>/sys</c>, so it works without root, without udev and
/// in a container, and in tests from a recorded tree.
/// </para>
/// <para>
/// lsblk starts from the devices, not from a folder. Its file-system columns come from udev's database, which a
/// container does not have; it draws a loop device as a disk of its own, without the disks under its file and without its
/// direct I/O mode; and it shows a btrfs array as unrelated disks of which one is mounted. fio's disk_util starts
/// from the file's st_dev and follows <c>slaves/</c>, so it sees md and dm, but on btrfs, whose st_dev is anonymous,
/// there is no such device and it prints no disk figures; and it reports counters only: no model, firmware,
/// scheduler, cache mode, file system or RAID state, so that a result cannot be told from one on another drive or on
/// a degraded array.
/// </para>
/// </remarks>
public sealed class TopologyProbe
{
    private static readonly string[] BlockGroupsWithData = ["data", "mixed"];

    private readonly SystemRoot root;
    private readonly BlockDeviceReader devices;

    /// <summary>A probe of this machine, or of a recorded tree.</summary>
    /// <param name="root">Where /proc, /sys and /dev are read; this machine if null.</param>
    public TopologyProbe(SystemRoot? root = null)
    {
        this.root = root ?? SystemRoot.Machine;
        devices = new BlockDeviceReader(this.root, (path, depth) => Below(MountTable.Read(this.root), path, depth));
    }

    /// <summary>The topology under a folder.</summary>
    /// <param name="folder">A folder; a relative one is taken from the current folder.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    public DeviceTopology Probe(string folder)
    {
        string asked = Path.GetFullPath(folder);
        if (root.Resolve(asked) is not { } resolved || !root.FolderExists(resolved))
            throw new DirectoryNotFoundException($"There is no folder '{folder}'.");

        MountTable mounts = MountTable.Read(root);
        MountTable.Entry? entry = mounts.Find(resolved);
        Volume volume = entry is null ? Volume.Unknown : ReadVolume(mounts, entry, depth: 0);
        (long totalBytes, long freeBytes) = Space(resolved);
        var topology = new DeviceTopology
        {
            Folder = asked,
            Mount = WithSettings(entry?.Mount) ?? new MountInfo { MountPoint = "/", FileSystem = "unknown", Source = "unknown", Options = "" },
            TotalBytes = totalBytes,
            FreeBytes = freeBytes,
            Devices = volume.Devices,
            DataProfile = volume.DataProfile,
            DataState = volume.State,
        };
        return topology with { Warnings = TopologyWarnings.For(topology, volume.MissingDevices) };
    }

    /// <summary>The topology of a block device itself, as if it were a file system that fills it; null if it is none.</summary>
    /// <param name="path">Below /dev; a link is followed.</param>
    public DeviceTopology? ProbeDevice(string path)
    {
        // By what the node is: one with the name of another device, or made elsewhere, is the device that would be written to.
        if (root.BlockDeviceNumber(path) is not { } number || devices.FindByNumber(number) is not { } device)
            return null;
        var topology = new DeviceTopology
        {
            Folder = Path.GetFullPath(path),
            Mount = new MountInfo { MountPoint = "", FileSystem = "raw", Source = path, Options = "" },
            TotalBytes = device.SizeBytes ?? 0,
            FreeBytes = device.SizeBytes ?? 0,
            Devices = [device],
        };
        return topology with { Warnings = TopologyWarnings.For(topology, missingDevices: 0) };
    }

    /// <summary>The devices of one file system.</summary>
    private sealed record Volume(IReadOnlyList<BlockDevice> Devices, string? DataProfile = null, int MissingDevices = 0, string? State = null)
    {
        public static Volume Unknown { get; } = new([]);
    }

    private Volume ReadVolume(MountTable mounts, MountTable.Entry entry, int depth)
    {
        MountInfo mount = entry.Mount;
        if (!entry.Anonymous)
        {
            return new([devices.FindByNumber(entry.Number, depth)
                // sysfs does not show it, as in some sandboxes: the number still tells two targets apart.
                ?? new BlockDevice { Name = mount.Source[(mount.Source.LastIndexOf('/') + 1)..], Kind = BlockDeviceKind.Other, Number = entry.Number }]);
        }

        return mount.FileSystem switch
        {
            "btrfs" => ReadBtrfs(mount.Source, depth),
            "zfs" => ReadZfs(mount.Source, depth),
            "overlay" => ReadOverlay(mounts, mount, depth),
            // bcachefs lists its members in the source: "/dev/sda:/dev/sdb".
            _ => new([.. mount.Source.Split(':').Where(IsDevicePath).Select(path => devices.FindByPath(path, depth)).OfType<BlockDevice>()]),
        };
    }

    /// <summary>
    /// The members and the data profile from <c>/sys/fs/btrfs/&lt;uuid&gt;</c>: the mount names one member, and the file system
    /// that lists it is the one.
    /// </summary>
    private Volume ReadBtrfs(string source, int depth)
    {
        const string FileSystems = "/sys/fs/btrfs";
        if (!IsDevicePath(source) || devices.FindByPath(source, depth) is not { } mounted)
            return Volume.Unknown;
        string? uuid = root.Names(FileSystems).FirstOrDefault(entry => root.FolderExists($"{FileSystems}/{entry}/devices/{mounted.Name}"));
        if (uuid is null)
            return new([mounted]);

        string folder = $"{FileSystems}/{uuid}";
        BlockDevice[] members = [.. root.Names($"{folder}/devices").Select(name => devices.FindByFolder($"{folder}/devices/{name}", depth)).OfType<BlockDevice>()];

        // One folder per profile among plain files. Two while a balance converts; "mixed" where small file systems put
        // data and metadata into the same chunks.
        string[] profiles = [.. BlockGroupsWithData
            .SelectMany(kind => root.Names($"{folder}/allocation/{kind}").Where(name => root.FolderExists($"{folder}/allocation/{kind}/{name}")))
            .Distinct()];
        int missing = root.Names($"{folder}/devinfo").Count(id => root.ReadFlag($"{folder}/devinfo/{id}/missing") == true);
        return new(members.Length == 0 ? [mounted] : members, profiles.Length == 0 ? null : string.Join('+', profiles), missing, missing > 0 ? "degraded" : null);
    }

    /// <summary>The devices of the pool, as ZFS's own tool names them.</summary>
    private Volume ReadZfs(string dataset, int depth)
    {
        if (ZfsPool.Of(root, dataset) is not { } pool)
            return Volume.Unknown;
        var found = pool.Devices.Select(device => devices.FindByPath(device.Path, depth) is { } block ? block with { Role = device.Role } : null).OfType<BlockDevice>();
        return new([.. found], pool.Layout, pool.Missing, pool.State);
    }

    /// <summary>The mount with what its dataset is set to among its options: ZFS has there what others have in the mount.</summary>
    private MountInfo? WithSettings(MountInfo? mount) =>
        mount?.FileSystem == "zfs" ? mount with { Options = string.Join(',', ZfsPool.Settings(root, mount.Source).Prepend(mount.Options)) } : mount;

    /// <summary>
    /// The devices of the upper layer, where new files go. In a container that layer is out of sight, and there are none.
    /// </summary>
    private Volume ReadOverlay(MountTable mounts, MountInfo mount, int depth)
    {
        const string Upper = "upperdir=";
        string? upper = mount.Options.Split(',').FirstOrDefault(option => option.StartsWith(Upper, StringComparison.Ordinal))?[Upper.Length..];
        return upper is not null && root.FolderExists(upper) && depth == 0 ? Volume.Unknown with { Devices = Below(mounts, upper, depth + 1).Devices } : Volume.Unknown;
    }

    private BlockDeviceReader.FileBelow Below(MountTable mounts, string path, int depth)
    {
        // A path of another mount namespace would match a mount that is not its own: its folder must exist here.
        string folder = path[..Math.Max(1, path.LastIndexOf('/'))];
        return root.FolderExists(folder) && root.Resolve(path) is { } resolved && mounts.Find(resolved) is { } entry
            ? new(entry.Mount.FileSystem, ReadVolume(mounts, entry, depth).Devices)
            : new(null, []);
    }

    private (long TotalBytes, long FreeBytes) Space(string folder)
    {
        // A recorded tree has no statvfs.
        if (!root.IsMachine)
            return default;
        try
        {
            var drive = new DriveInfo(folder);
            return (drive.TotalSize, drive.AvailableFreeSpace);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }

    private static bool IsDevicePath(string source) => source.StartsWith("/dev/", StringComparison.Ordinal);
}
