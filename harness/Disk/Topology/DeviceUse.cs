namespace Bench.Disk.Topology;

/// <summary>
/// Who uses a block device: whatever would lose its data, or the machine its legs, if it were written over.
/// </summary>
/// <remarks>
/// fio stops a job that writes to what appears to be mounted (<c>allow_mounted_write</c>); a leg of an array, swap, or
/// another member of a btrfs is in no list of mounts. Opening with O_EXCL finds every holder that the kernel knows, but
/// cannot say who it is. So both are asked.
/// </remarks>
public static class DeviceUse
{
    /// <summary>Who uses a device or a partition of it, in words; null if nobody is seen.</summary>
    /// <param name="name">Its kernel name.</param>
    /// <param name="root">Where /proc and /sys are read; this machine if null.</param>
    public static string? Of(string name, SystemRoot? root = null)
    {
        root ??= SystemRoot.Machine;
        string folder = $"/sys/class/block/{name}";
        string[] parts = [name, .. root.Names(folder).Where(entry => root.FileExists($"{folder}/{entry}/partition"))];
        MountTable mounts = MountTable.Read(root);
        foreach (string part in parts)
        {
            string own = part == name ? name : $"its partition {part}";
            string? number = root.ReadWord($"/sys/class/block/{part}/dev");
            if (mounts.Entries.FirstOrDefault(entry => entry.Number == number) is { } mounted)
                return $"{own} is mounted at {mounted.Mount.MountPoint}";
            if (root.Names("/sys/fs/btrfs").Any(uuid => root.FolderExists($"/sys/fs/btrfs/{uuid}/devices/{part}")))
                return $"{own} belongs to a mounted btrfs";
            if (root.ReadLines("/proc/swaps").Skip(1).Any(line => root.Resolve(line.Split(' ', '\t')[0]) is { } swap && swap[(swap.LastIndexOf('/') + 1)..] == part))
                return $"{own} is swap";
            if (root.Names($"/sys/class/block/{part}/holders") is [var holder, ..])
                return $"{own} is part of {Holder(holder, root)}";
        }

        return null;
    }

    private static string Holder(string holder, SystemRoot root)
    {
        string folder = $"/sys/class/block/{holder}";
        string? name = root.ReadWord($"{folder}/dm/name");
        return name is not null ? $"the volume {name} ({holder})"
            : root.ReadWord($"{folder}/md/level") is { } level ? $"the array {holder} ({level})"
            : holder;
    }
}
