using System.Globalization;

namespace Bench.Disk.Topology;

/// <summary>
/// The limits of the control groups that this process is in, v1 and v2 alike (the kernel's admin-guide/cgroup-v2.rst and
/// admin-guide/cgroup-v1). A limit holds for all below, so every group up to the root is read and the smallest counts.
/// </summary>
internal sealed class ControlGroups
{
    // v1 writes "no limit" as the largest page-aligned number, near 2^63.
    private const long UnlimitedBytes = 1L << 60;

    private static readonly string[] V1IoLimits =
    [
        "blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device",
        "blkio.throttle.read_iops_device", "blkio.throttle.write_iops_device",
    ];

    private readonly SystemRoot root;
    private readonly MountTable mounts;
    private readonly string[][] memberships;

    internal ControlGroups(SystemRoot root, MountTable mounts)
    {
        this.root = root;
        this.mounts = mounts;
        // "5:cpu,cpuacct:/path", and "0::/path" for v2 (cgroups(7)).
        memberships = [.. root.ReadLines("/proc/self/cgroup").Select(line => line.Split(':', 3)).Where(fields => fields.Length == 3)];
    }

    /// <summary>The smallest memory limit in bytes; null if there is none.</summary>
    internal long? MemoryLimitBytes()
    {
        // memory.high does not kill but reclaims: for the page cache it is as much a limit as memory.max.
        IEnumerable<long?> limits =
            V2Groups().SelectMany(group => new[] { root.ReadNumber($"{group}/memory.max"), root.ReadNumber($"{group}/memory.high") })
            .Concat(V1Groups("memory").Select(group => root.ReadNumber($"{group}/memory.limit_in_bytes")));
        return limits.Where(limit => limit is >= 0 and < UnlimitedBytes).Min();
    }

    /// <summary>The I/O limits in force, as the kernel writes them behind the name of the file.</summary>
    internal IReadOnlyList<string> IoLimits() =>
    [
        .. V2Groups().SelectMany(group => Lines(group, "io.max")),
        .. V1Groups("blkio").SelectMany(group => V1IoLimits.SelectMany(file => Lines(group, file))),
    ];

    /// <summary>The smallest CPU limit in processors; null if there is none.</summary>
    internal double? CpuLimit()
    {
        IEnumerable<double?> v2 = V2Groups().Select(group =>
            root.ReadWord($"{group}/cpu.max")?.Split(' ') is [string quota, string period] ? Quotient(Number(quota), Number(period)) : null);
        IEnumerable<double?> v1 = V1Groups("cpu").Select(group =>
            Quotient(root.ReadNumber($"{group}/cpu.cfs_quota_us"), root.ReadNumber($"{group}/cpu.cfs_period_us")));
        return v2.Concat(v1).Min();

        static long? Number(string text) =>
            long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;

        // v1 writes "no limit" as -1, v2 as "max".
        static double? Quotient(long? quotaUs, long? periodUs) =>
            quotaUs > 0 && periodUs > 0 ? (double)quotaUs / (double)periodUs : null;
    }

    private IEnumerable<string> Lines(string group, string file) =>
        root.ReadLines($"{group}/{file}").Where(line => line.Length > 0).Select(line => $"{file} {line}");

    private IEnumerable<string> V2Groups() =>
        Groups(
            memberships.FirstOrDefault(fields => fields[0] == "0" && fields[1].Length == 0)?[2],
            mounts.Entries.FirstOrDefault(entry => entry.Mount.FileSystem == "cgroup2"));

    private IEnumerable<string> V1Groups(string controller) =>
        Groups(
            memberships.FirstOrDefault(fields => fields[1].Split(',').Contains(controller))?[2],
            mounts.Entries.FirstOrDefault(entry => entry.Mount.FileSystem == "cgroup" && entry.Mount.Options.Split(',').Contains(controller)));

    /// <summary>The folders of the process's group and of all above it, the innermost first.</summary>
    private static IEnumerable<string> Groups(string? path, MountTable.Entry? hierarchy)
    {
        if (path is null || hierarchy is null)
            yield break;
        string top = hierarchy.Mount.MountPoint.TrimEnd('/');

        // In a container without a cgroup namespace the path is the host's, and its first part is the root of the mount. A path
        // outside of the namespace begins with "/..": only the mount itself can be read then.
        string below = hierarchy.Root != "/" && (path == hierarchy.Root || path.StartsWith(hierarchy.Root + "/", StringComparison.Ordinal))
            ? path[hierarchy.Root.Length..]
            : path;
        below = below.StartsWith("/..", StringComparison.Ordinal) ? "" : below.TrimEnd('/');
        for (; below.Length > 0; below = below[..below.LastIndexOf('/')])
            yield return top + below;
        yield return top;
    }
}
