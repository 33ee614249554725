using System.Globalization;
using System.Text;

namespace Bench.Disk.Topology;

/// <summary>
/// <c>/proc/self/mountinfo</c> as a tree. A line, by proc_pid_mountinfo(5):
/// <code>
/// 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
/// id parent major:minor root mount-point options optional-fields* - type source super-options
/// </code>
/// Space, tab, newline and backslash inside a field are octal escapes. Lines that do not read so are skipped.
/// </summary>
internal sealed class MountTable
{
    private const string Separator = "-";

    private readonly List<Entry> entries;

    private MountTable(List<Entry> entries) => this.entries = entries;

    /// <summary>One mount.</summary>
    internal sealed record Entry(int Id, int ParentId, string Number, string Root, MountInfo Mount)
    {
        /// <summary>
        /// True if st_dev is not a block device's number. Major 0 is for "unnamed" devices (the kernel's
        /// admin-guide/devices.txt): tmpfs and NFS, but also btrfs, which has several devices and none of their numbers.
        /// </summary>
        public bool Anonymous => Number.StartsWith("0:", StringComparison.Ordinal);
    }

    internal IReadOnlyList<Entry> Entries => entries;

    internal static MountTable Read(SystemRoot root) => Parse(root.ReadLines("/proc/self/mountinfo"));

    internal static MountTable Parse(IEnumerable<string> lines) =>
        new([.. lines.Select(ParseLine).OfType<Entry>()]);

    /// <summary>The mount that holds a path without symbolic links; null if there is none.</summary>
    /// <remarks>
    /// Goes down the tree as the kernel does when it walks the path: from the root mount, into the child whose mount
    /// point comes first on the path, the last one where several lie on top of each other. The longest mount point
    /// alone is not enough: a mount over /a hides an older one at /a/b.
    /// </remarks>
    internal Entry? Find(string path)
    {
        var ids = entries.Select(entry => entry.Id).ToHashSet();
        Entry? current = entries.Find(entry =>
            entry.Mount.MountPoint == "/" && (entry.ParentId == entry.Id || !ids.Contains(entry.ParentId)));

        // After chroot(2) into a plain folder there is no root mount in the list.
        if (current is null)
            return Longest(entries.Where(entry => Holds(entry, path)));

        var seen = new HashSet<int>();
        while (seen.Add(current.Id))
        {
            int parent = current.Id;
            Entry? next = entries
                .Where(entry => entry.ParentId == parent && entry.Id != parent && Holds(entry, path))
                .Reverse()
                .MinBy(entry => entry.Mount.MountPoint.Length);
            if (next is null)
                break;
            current = next;
        }

        return current;
    }

    private static Entry? Longest(IEnumerable<Entry> candidates) =>
        candidates.Reverse().MaxBy(entry => entry.Mount.MountPoint.Length);

    private static bool Holds(Entry entry, string path)
    {
        string point = entry.Mount.MountPoint;
        return point == "/" || path == point || path.StartsWith(point + "/", StringComparison.Ordinal);
    }

    private static Entry? ParseLine(string line)
    {
        string[] fields = line.Split(' ');
        int separator = Array.IndexOf(fields, Separator, Math.Min(6, fields.Length));
        // The source may be an empty string, which shows as two spaces; the super options may be missing.
        if (separator < 6 || fields.Length < separator + 3)
            return null;
        if (!int.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out int id)
            || !int.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out int parentId)
            || !IsNumber(fields[2]))
            return null;

        string point = Unescape(fields[4]);
        if (!point.StartsWith('/') || fields[separator + 1].Length == 0)
            return null;

        string[] options = fields[5].Split(',', StringSplitOptions.RemoveEmptyEntries);
        string[] superOptions = fields.Length > separator + 3 ? fields[separator + 3].Split(',', StringSplitOptions.RemoveEmptyEntries) : [];
        bool readOnly = options.Contains("ro") || superOptions.Contains("ro");
        return new Entry(id, parentId, fields[2], Unescape(fields[3]), new MountInfo
        {
            MountPoint = point,
            FileSystem = Unescape(fields[separator + 1]),
            Source = Unescape(fields[separator + 2]),
            // A read-only mount of a writable file system says "ro" and "rw": what counts here is "ro".
            Options = Unescape(string.Join(',', options.Concat(superOptions).Where(option => !readOnly || option != "rw").Distinct())),
            ReadOnly = readOnly,
        });
    }

    private static bool IsNumber(string text)
    {
        string[] parts = text.Split(':');
        return parts.Length == 2 && parts.All(part => uint.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out _));
    }

    /// <summary>Undoes the kernel's mangle_path: a backslash and three octal digits are one byte.</summary>
    internal static string Unescape(string field)
    {
        if (!field.Contains('\\', StringComparison.Ordinal))
            return field;
        byte[] source = Encoding.UTF8.GetBytes(field);
        var bytes = new List<byte>(source.Length);
        for (int i = 0; i < source.Length; i++)
        {
            if (source[i] == '\\' && i + 3 < source.Length
                && source[i + 1] is >= (byte)'0' and <= (byte)'3' && IsOctal(source[i + 2]) && IsOctal(source[i + 3]))
            {
                bytes.Add((byte)(((source[i + 1] - '0') << 6) | ((source[i + 2] - '0') << 3) | (source[i + 3] - '0')));
                i += 3;
            }
            else
            {
                bytes.Add(source[i]);
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);

        static bool IsOctal(byte digit) => digit is >= (byte)'0' and <= (byte)'7';
    }
}
