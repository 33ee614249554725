using System.Globalization;
using Bench.Disk.Native;

namespace Bench.Disk.Topology;

/// <summary>
/// Who uses a block device: whatever would lose its data, or the machine its legs, if it were written over.
/// </summary>
/// <remarks>
/// fio stops a job that writes to what appears to be mounted (<c>allow_mounted_write</c>); a leg of an array, swap, or
/// another member of a btrfs is in no list of mounts. Opening with O_EXCL finds every holder that the kernel knows, but
/// cannot say who it is; and a loop device over another block device holds it in no way that is seen there. So all three
/// are asked, above the device (its partitions, the loop devices over it) and below it (the disk that it is a part of, the
/// device that it is a loop over): what is written to one of them is written to the others.
/// </remarks>
public static class DeviceUse
{
    /// <summary>Who uses a device, a partition of it or what it is a part of, in words; null if nobody is seen.</summary>
    /// <param name="name">Its kernel name.</param>
    /// <param name="root">Where /proc and /sys are read; this machine if null.</param>
    public static string? Of(string name, SystemRoot? root = null)
    {
        root ??= SystemRoot.Machine;
        Loop[] loops = [.. root.Names("/sys/class/block").Where(entry => entry.StartsWith("loop", StringComparison.Ordinal)).Select(entry => Loop.Read(entry, root)).OfType<Loop>()];
        return Of(name, name, loops, root);
    }

    /// <param name="name">Whose use is asked.</param>
    /// <param name="told">What it is called in the answer.</param>
    /// <param name="loops">The loop devices that may use it: those on the way to it are left out.</param>
    /// <param name="root">Where /proc and /sys are read.</param>
    private static string? Of(string name, string told, Loop[] loops, SystemRoot root)
    {
        string folder = $"/sys/class/block/{name}";
        string? whole = root.FileExists($"{folder}/partition") && root.Resolve(folder) is { } resolved ? resolved.Split('/')[^2] : null;
        Loop? self = Array.Find(loops, loop => loop.Name == (whole ?? name));
        Loop[] others = [.. loops.Where(loop => loop != self)];
        if (OfItself(name, told, others, root) is { } own)
            return own;
        foreach (string part in root.Names(folder).Where(entry => root.FileExists($"{folder}/{entry}/partition")))
        {
            if (OfItself(part, told == name ? $"its partition {part}" : $"{part}, a partition of {told.TrimEnd(',')},", others, root) is { } use)
                return use;
        }

        // The disk itself, not the other partitions of it.
        if (whole is not null)
        {
            told = $"{whole}, of which {told} is a part,";
            if (OfItself(whole, told, others, root) is { } use)
                return use;
        }

        if (self is null)
            return null;
        // Whichever parts of it they are over: what is safe is simple.
        if (Array.Find(others, loop => loop.Path == self.Path || (loop.File is { } file && file == self.File)) is { } twin)
            return $"{told} is a loop device over {self.Path}, and so is {twin.Name}{(twin.Path == self.Path ? "" : $" (as {twin.Path})")}";
        string? below = self.Number is null ? null : root.Names("/sys/class/block").FirstOrDefault(entry => root.ReadWord($"/sys/class/block/{entry}/dev") == self.Number);
        return below is null ? null : Of(below, $"{below}, over which {told} is a loop device,", others, root);
    }

    /// <summary>Who uses a device, without what is above and below it.</summary>
    private static string? OfItself(string part, string told, Loop[] loops, SystemRoot root)
    {
        string? number = root.ReadWord($"/sys/class/block/{part}/dev");
        if (MountTable.Read(root).Entries.FirstOrDefault(entry => entry.Number == number) is { } mounted)
            return $"{told} is mounted at {mounted.Mount.MountPoint}";
        if (root.Names("/sys/fs/btrfs").Any(uuid => root.FolderExists($"/sys/fs/btrfs/{uuid}/devices/{part}")))
            return $"{told} belongs to a mounted btrfs";
        if (root.ReadLines("/proc/swaps").Skip(1).Any(line => root.BlockDeviceNumber(line.Split(' ', '\t')[0]) is { } swap && swap == number))
            return $"{told} is swap";
        if (root.Names($"/sys/class/block/{part}/holders") is [var holder, ..])
            return $"{told} is part of {Holder(holder, root)}";
        return number is not null && Array.Find(loops, loop => loop.Number == number) is { } above ? $"{told} is what the loop device {above.Name} is made of" : null;
    }

    private static string Holder(string holder, SystemRoot root)
    {
        string folder = $"/sys/class/block/{holder}";
        string? name = root.ReadWord($"{folder}/dm/name");
        return name is not null ? $"the volume {name} ({holder})"
            : root.ReadWord($"{folder}/md/level") is { } level ? $"the array {holder} ({level})"
            : holder;
    }

    /// <param name="Name">Its kernel name.</param>
    /// <param name="Path">What it is made of.</param>
    /// <param name="Number">The "major:minor" of that; null if it is a file.</param>
    /// <param name="File">Device and inode of the file: one file has several paths (hard links, bind mounts, other namespaces); null if the driver was not asked.</param>
    private sealed record Loop(string Name, string Path, string? Number, (ulong Device, ulong Inode)? File)
    {
        /// <summary>Null if it is made of nothing.</summary>
        public static Loop? Read(string name, SystemRoot root)
        {
            if (root.ReadText($"/sys/class/block/{name}/loop/backing_file") is not { Length: > 0 } file)
                return null;
            string path = BlockDeviceReader.BackingPath(file);
            return Status(name, root) is not { } status ? new Loop(name, path, root.BlockDeviceNumber(path), null)
                : new Loop(name, path, status.lo_rdevice == 0 ? null : NumberOf(status.lo_rdevice), (status.lo_device, status.lo_inode));
        }

        /// <summary>What the driver says of it; null for a recorded tree, or if it is not ours to open.</summary>
        private static unsafe Libc.loop_info64? Status(string name, SystemRoot root)
        {
            if (!root.IsMachine)
                return null;
            try
            {
                using var device = DiskFile.Open($"/dev/{name}", OpenMode.Read);
                Libc.loop_info64 info;
                return Libc.ioctl(device.Descriptor, Constants.LOOP_GET_STATUS64, &info) == 0 ? info : null;
            }
            catch (DiskException)
            {
                return null;
            }
        }

        /// <summary>As the kernel packs it (new_encode_dev in linux/kdev_t.h): eight bits of the minor number, the major one, the rest of the minor one.</summary>
        private static string NumberOf(ulong device) =>
            string.Create(CultureInfo.InvariantCulture, $"{(device >> 8) & 0xfff}:{(device & 0xff) | ((device >> 12) & 0xfff00)}");
    }
}
