using System.Globalization;
using System.Text;

namespace Bench.Disk.Topology;

/// <summary>
/// Reads one block device and all below it from sysfs (the kernel's Documentation/ABI/stable/sysfs-block; md:
/// admin-guide/md.rst; dm: ABI/testing/sysfs-block-dm; loop: ABI/testing/sysfs-block-loop).
/// </summary>
internal sealed class BlockDeviceReader
{
    // Deeper than any real stack; only a loop device over a file on itself gets here.
    private const int MaxDepth = 16;

    // sysfs counts in these units whatever the device's sector size is (sysfs-block, "size").
    private const long SysfsSectorBytes = 512;

    private readonly SystemRoot root;
    private readonly Func<string, int, FileBelow> below;

    /// <param name="root">Where sysfs is read.</param>
    /// <param name="below">A file's own file system, at a depth: the step from a loop device to the disks.</param>
    internal BlockDeviceReader(SystemRoot root, Func<string, int, FileBelow> below)
    {
        this.root = root;
        this.below = below;
    }

    /// <summary>What a file lies on.</summary>
    /// <param name="FileSystem">Its type; null if the file is not in sight.</param>
    /// <param name="Devices">The devices below that file system.</param>
    internal readonly record struct FileBelow(string? FileSystem, IReadOnlyList<BlockDevice> Devices);

    /// <summary>The device of a "major:minor" number; null if sysfs does not show it.</summary>
    internal BlockDevice? FindByNumber(string number, int depth = 0)
    {
        if (FindByFolder($"/sys/dev/block/{number}", depth) is { } device)
            return device;
        // Some containers mask /sys/dev.
        string? name = root.Names("/sys/class/block").FirstOrDefault(entry => root.ReadWord($"/sys/class/block/{entry}/dev") == number);
        return name is null ? null : FindByName(name, depth);
    }

    /// <summary>The device of a kernel name (sda1); null if sysfs does not show it.</summary>
    internal BlockDevice? FindByName(string name, int depth = 0) => FindByFolder($"/sys/class/block/{name}", depth);

    /// <summary>The device of a path below /dev, also a link such as /dev/mapper/vg-home or /dev/disk/by-uuid/….</summary>
    internal BlockDevice? FindByPath(string path, int depth = 0)
    {
        if (root.Resolve(path) is not { } resolved)
            return null;
        // "!" is how sysfs writes the slash of a name such as cciss/c0d0.
        string name = resolved.StartsWith("/dev/", StringComparison.Ordinal) ? resolved["/dev/".Length..].Replace('/', '!') : "";
        if (name.Length > 0 && FindByName(name, depth) is { } device)
            return device;

        // Without udev, or with another /dev than the mounter's, the link is not there: ask the volumes for their names.
        const string Mapper = "/dev/mapper/";
        if (!path.StartsWith(Mapper, StringComparison.Ordinal))
            return null;
        string? volume = root.Names("/sys/class/block").FirstOrDefault(entry =>
            entry.StartsWith("dm-", StringComparison.Ordinal) && root.ReadWord($"/sys/class/block/{entry}/dm/name") == path[Mapper.Length..]);
        return volume is null ? null : FindByName(volume, depth);
    }

    /// <summary>The device of a sysfs folder, or of a link to it; null if it is none.</summary>
    internal BlockDevice? FindByFolder(string path, int depth)
    {
        if (depth > MaxDepth || root.Resolve(path) is not { } folder || !root.FolderExists(folder))
            return null;

        string name = folder[(folder.LastIndexOf('/') + 1)..];
        BlockDeviceKind kind = Kind(folder, name);
        var device = new BlockDevice
        {
            Name = name,
            Kind = kind,
            Number = root.ReadWord($"{folder}/dev"),
            SizeBytes = root.ReadNumber($"{folder}/size") is { } sectors and >= 0 and <= long.MaxValue / SysfsSectorBytes ? sectors * SysfsSectorBytes : null,
        };

        // A partition has no queue of its own: its settings are its disk's.
        return kind == BlockDeviceKind.Partition
            ? device with { Below = ReadAll([folder[..folder.LastIndexOf('/')]], depth) }
            : WithParts(WithQueue(device, folder), folder, depth);
    }

    private BlockDeviceKind Kind(string folder, string name)
    {
        if (root.FileExists($"{folder}/partition"))
            return BlockDeviceKind.Partition;
        if (root.FolderExists($"{folder}/loop") || IsNumbered(name, "loop"))
            return BlockDeviceKind.Loop;
        if (root.FolderExists($"{folder}/md"))
            return BlockDeviceKind.Md;
        if (root.FolderExists($"{folder}/dm"))
            return BlockDeviceKind.DeviceMapper;
        if (IsNumbered(name, "zram") || IsNumbered(name, "ram") || name.StartsWith("pmem", StringComparison.Ordinal))
            return BlockDeviceKind.Memory;
        // The head of an NVMe multipath namespace is virtual and yet the disk.
        bool isVirtual = folder.StartsWith("/sys/devices/virtual/", StringComparison.Ordinal);
        return isVirtual && !folder.Contains("/nvme", StringComparison.Ordinal) ? BlockDeviceKind.Other : BlockDeviceKind.Disk;
    }

    private BlockDevice WithQueue(BlockDevice device, string folder) => device with
    {
        Rotational = root.ReadFlag($"{folder}/queue/rotational"),
        LogicalSectorBytes = root.ReadSmallNumber($"{folder}/queue/logical_block_size"),
        PhysicalSectorBytes = root.ReadSmallNumber($"{folder}/queue/physical_block_size"),
        OptimalIoBytes = root.ReadSmallNumber($"{folder}/queue/optimal_io_size"),
        Scheduler = root.ReadChoice($"{folder}/queue/scheduler"),
        ReadAheadKiB = root.ReadSmallNumber($"{folder}/queue/read_ahead_kb"),
        QueueRequests = root.ReadSmallNumber($"{folder}/queue/nr_requests"),
        MaxRequestKiB = root.ReadSmallNumber($"{folder}/queue/max_sectors_kb"),
        WriteCache = root.ReadWord($"{folder}/queue/write_cache"),
    };

    private BlockDevice WithParts(BlockDevice device, string folder, int depth) => device.Kind switch
    {
        BlockDeviceKind.Loop => WithBackingFile(device, folder, depth),
        BlockDeviceKind.Md => WithArray(device, folder, depth),
        BlockDeviceKind.DeviceMapper => WithVolume(device, folder, depth),
        BlockDeviceKind.Memory => device,
        // bcache and drbd name their members like dm does.
        BlockDeviceKind.Other => device with { Transport = OtherTransport(device.Name), Below = ReadAll(Links(folder, "slaves"), depth) },
        _ => WithHardware(device, folder),
    };

    /// <summary>The path in a loop device's <c>backing_file</c>: the kernel's d_path() marks one that was removed while in use.</summary>
    internal static string BackingPath(string file)
    {
        const string Deleted = " (deleted)";
        return file.EndsWith(Deleted, StringComparison.Ordinal) ? file[..^Deleted.Length] : file;
    }

    private BlockDevice WithBackingFile(BlockDevice device, string folder, int depth)
    {
        string? file = root.ReadText($"{folder}/loop/backing_file");
        if (string.IsNullOrEmpty(file))
            return device;
        // Of a file that was removed the folder still tells the file system.
        var on = below(BackingPath(file), depth + 1);
        return device with
        {
            BackingFile = file,
            BackingFileSystem = on.FileSystem,
            LoopDirectIo = root.ReadFlag($"{folder}/loop/dio"),
            Below = on.Devices,
        };
    }

    private BlockDevice WithArray(BlockDevice device, string folder, int depth)
    {
        string[] members = Links(folder, "slaves");
        if (members.Length == 0)
            members = [.. root.Names($"{folder}/md").Where(entry => entry.StartsWith("dev-", StringComparison.Ordinal)).Select(entry => $"{folder}/md/{entry}/block")];
        long? chunkBytes = root.ReadNumber($"{folder}/md/chunk_size");
        return device with
        {
            Level = root.ReadWord($"{folder}/md/level"),
            // raid1 has no chunks and says 0.
            ChunkBytes = chunkBytes > 0 ? chunkBytes : null,
            State = ArrayState(folder),
            Below = ReadAll(members, depth),
        };
    }

    /// <summary>"clean", "active, degraded", "clean, degraded, recover 34 %" from the files of admin-guide/md.rst.</summary>
    private string? ArrayState(string folder)
    {
        var words = new List<string>();
        if (root.ReadWord($"{folder}/md/array_state") is { } state)
            words.Add(state);
        if (root.ReadNumber($"{folder}/md/degraded") > 0)
            words.Add("degraded");
        if (root.ReadWord($"{folder}/md/sync_action") is { } action and not ("idle" or "frozen"))
            words.Add(Progress(root.ReadWord($"{folder}/md/sync_completed")) is { } progress ? $"{action} {progress}" : action);
        return words.Count == 0 ? null : string.Join(", ", words);
    }

    // "123456 / 7890123" sectors, "none" or "delayed".
    private static string? Progress(string? completed)
    {
        string[] parts = completed?.Split('/', StringSplitOptions.TrimEntries) ?? [];
        if (parts.Length != 2
            || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out long doneSectors)
            || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long allSectors)
            || allSectors <= 0)
            return null;
        return string.Create(CultureInfo.InvariantCulture, $"{100.0 * doneSectors / allSectors:F0} %");
    }

    /// <summary>
    /// A device-mapper volume. Striping shows in the queue: dm-stripe and dm-raid give the chunk as the least size of a request
    /// and the whole stripe as the best one (drivers/md/dm-stripe.c, stripe_io_hints; dm-raid.c, raid_io_hints). Level and state
    /// of a RAID only LVM's own tool tells, and that to root only.
    /// </summary>
    private BlockDevice WithVolume(BlockDevice device, string folder, int depth)
    {
        string? type = VolumeType(root.ReadWord($"{folder}/dm/uuid"));
        // Beside each leg of a RAID lies a volume of a few blocks that says what is in step (lvmraid(7)).
        string[] slaves = [.. Links(folder, "slaves").Where(slave => !IsLegOf(slave, "_rmeta_"))];
        device = device with { Level = type, Below = ReadAll(slaves, depth) };
        if (type != "lvm" || slaves.Length < 2)
            return device;
        bool isRaid = slaves.Any(slave => IsLegOf(slave, "_rimage_"));
        long? chunk = root.ReadNumber($"{folder}/queue/minimum_io_size");
        bool isStriped = chunk > 0 && device.OptimalIoBytes is { } stripe && stripe % chunk == 0 && stripe / chunk >= 2 && stripe / chunk <= slaves.Length;
        var (level, state) = isRaid && root.ReadWord($"{folder}/dm/name") is { } name ? LvmRaid.Of(root, name) : default;
        return device with
        {
            Level = isRaid ? $"lvm {level ?? "raid"}" : isStriped ? "lvm striped" : type,
            State = state,
            ChunkBytes = isStriped ? chunk : null,
        };
    }

    private bool IsLegOf(string folder, string mark) => root.ReadWord($"{folder}/dm/name")?.Contains(mark, StringComparison.Ordinal) == true;

    // The prefix of the uuid is what the tool that made the volume put there: "LVM-…", "CRYPT-LUKS2-…", "mpath-…",
    // "part1-mpath-…" (ABI/testing/sysfs-block-dm).
    private static string? VolumeType(string? uuid)
    {
        string? prefix = uuid?.Split('-')[0];
        return prefix switch
        {
            null => null,
            "LVM" => "lvm",
            "CRYPT" => "crypt",
            "mpath" => "multipath",
            "DMRAID" => "raid",
            _ when IsNumbered(prefix, "part") => "partition",
            _ => prefix.ToLowerInvariant(),
        };
    }

    private BlockDevice WithHardware(BlockDevice device, string folder)
    {
        string[] segments = folder.Split('/');
        (string? ataModel, string? ataFirmware) = ScsiPages.AtaIdentity(root.ReadBytes($"{folder}/device/vpd_pg89"));
        string? model = ataModel ?? root.ReadWord($"{folder}/device/model") ?? root.ReadWord($"{folder}/device/name");
        string? vendor = root.ReadWord($"{folder}/device/vendor");
        // A SCSI vendor belongs to the name ("QEMU" "QEMU HARDDISK", "SEAGATE" "ST8000"); "ATA" is no vendor, and that
        // of a PCI or virtio device is a number.
        if (model is not null && ataModel is null && vendor is not null and not "ATA" && !vendor.StartsWith("0x", StringComparison.Ordinal)
            && !model.StartsWith(vendor, StringComparison.OrdinalIgnoreCase))
            model = $"{vendor} {model}";

        string controller = NvmeController(folder);
        string? transport = Transport(device.Name, segments, root.ReadWord($"{controller}/transport"));
        return device with
        {
            Model = model,
            SerialHash = Hash(Serial(folder)),
            Firmware = ataFirmware ?? root.ReadWord($"{folder}/device/firmware_rev") ?? root.ReadWord($"{folder}/device/rev") ?? root.ReadWord($"{folder}/device/fwrev"),
            Transport = transport,
            NumaNode = Nearest(controller, "numa_node") is { } at && root.ReadSmallNumber($"{at}/numa_node") is { } node and >= 0 ? node : null,
            Link = transport == "nvme" ? PcieLink(controller) : null,
        };
    }

    /// <summary>
    /// The controller's folder of an NVMe namespace, the folder itself for any other disk. With native multipath
    /// the namespace lies under a virtual subsystem that links to its controllers; the first stands for all.
    /// </summary>
    private string NvmeController(string folder)
    {
        const string Subsystem = "/nvme-subsystem/";
        if (!folder.Contains(Subsystem, StringComparison.Ordinal))
            return folder.Contains("/nvme", StringComparison.Ordinal) ? folder[..folder.LastIndexOf('/')] : folder;
        string subsystem = folder[..folder.LastIndexOf('/')];
        string? controller = root.Names(subsystem).FirstOrDefault(entry => IsNumbered(entry, "nvme"));
        return controller is null ? folder : root.Resolve($"{subsystem}/{controller}") ?? folder;
    }

    // From the place in the device tree, the nearest bus that tells more first: a USB disk is also a SCSI target, and
    // so is a SATA disk.
    private static string? Transport(string name, string[] segments, string? nvmeTransport)
    {
        if (name.StartsWith("nvme", StringComparison.Ordinal))
            return nvmeTransport is null or "pcie" ? "nvme" : $"nvme-{nvmeTransport}";
        bool Has(string prefix) => segments.Any(segment => IsNumbered(segment, prefix));
        bool Starts(string prefix) => segments.Any(segment => segment.StartsWith(prefix, StringComparison.Ordinal));
        return Has("virtio") ? "virtio"
            : Has("usb") ? "usb"
            : Starts("vbd-") ? "xen"
            : Has("ata") ? "sata"
            : Starts("end_device-") ? "sas"
            : Has("session") ? "iscsi"
            : Starts("rport-") ? "fc"
            : Starts("mmc_host") ? "mmc"
            : Starts("target") ? "scsi"
            : OtherTransport(name);
    }

    private static string? OtherTransport(string name) =>
        IsNumbered(name, "nbd") ? "nbd" : IsNumbered(name, "rbd") ? "rbd" : name.StartsWith("ublkb", StringComparison.Ordinal) ? "ublk" : null;

    private string? Serial(string folder) =>
        root.ReadWord($"{folder}/device/serial")
        ?? root.ReadWord($"{folder}/serial")
        ?? ScsiPages.SerialNumber(root.ReadBytes($"{folder}/device/vpd_pg80"))
        ?? root.ReadWord($"{folder}/device/wwid")
        ?? root.ReadWord($"{folder}/wwid");

    private static string? Hash(string? serial) =>
        serial is null ? null : Convert.ToHexStringLower(Sha256.Of(Encoding.UTF8.GetBytes(serial)))[..12];

    /// <summary>The nearest folder, from this one upwards, that has the file.</summary>
    private string? Nearest(string folder, string file)
    {
        for (string at = folder; at.StartsWith("/sys/devices/", StringComparison.Ordinal); at = at[..at.LastIndexOf('/')])
        {
            if (root.FileExists($"{at}/{file}"))
                return at;
        }

        return null;
    }

    private string? PcieLink(string controller)
    {
        if (Nearest(controller, "current_link_speed") is not { } pci)
            return null;
        if (new LinkRate(root.ReadWord($"{pci}/current_link_speed"), root.ReadSmallNumber($"{pci}/current_link_width")).ToString() is not { Length: > 0 } now)
            return null;
        string most = new LinkRate(root.ReadWord($"{pci}/max_link_speed"), root.ReadSmallNumber($"{pci}/max_link_width")).ToString();
        return most.Length == 0 || most == now ? now : $"{now}{BelowMaximum}{most}";
    }

    /// <summary>What stands in <see cref="BlockDevice.Link"/> between the link as it is and as it could be.</summary>
    internal const string BelowMaximum = ", of ";

    /// <summary>A PCIe link's speed, as sysfs writes it ("8.0 GT/s PCIe", "Unknown"), and lanes.</summary>
    private readonly record struct LinkRate(string? Speed, int? Lanes)
    {
        public override string ToString()
        {
            string rate = Speed?.Split(' ')[0] ?? "";
            // PCI Express Base Specification: the transfer rate of each generation.
            string? generation = rate switch { "2.5" => "1.0", "5.0" or "5" => "2.0", "8.0" or "8" => "3.0", "16.0" or "16" => "4.0", "32.0" or "32" => "5.0", "64.0" or "64" => "6.0", _ => null };
            // 0, 63 and 255 mean "unknown", as on virtual ports.
            if (generation is null || Lanes is null or <= 0 or > 32)
                return "";
            string shortRate = rate.EndsWith(".0", StringComparison.Ordinal) ? rate[..^2] : rate;
            return string.Create(CultureInfo.InvariantCulture, $"PCIe {generation} x{Lanes} ({shortRate} GT/s)");
        }
    }

    private string[] Links(string folder, string name) => [.. root.Names($"{folder}/{name}").Select(entry => $"{folder}/{name}/{entry}")];

    private IReadOnlyList<BlockDevice> ReadAll(IEnumerable<string> folders, int depth) =>
        [.. folders.Select(folder => FindByFolder(folder, depth + 1)).OfType<BlockDevice>()];

    /// <summary>"nvme0" is "nvme" with a number.</summary>
    internal static bool IsNumbered(string text, string prefix) =>
        text.Length > prefix.Length && text.StartsWith(prefix, StringComparison.Ordinal) && text.AsSpan(prefix.Length).IndexOfAnyExceptInRange('0', '9') < 0;
}
