using System.Globalization;
using System.Runtime.InteropServices;

namespace Bench.Disk.Topology;

/// <summary>Reads what the machine is, and what limits a process on it, from /proc, /sys and /etc.</summary>
public sealed class HostProbe
{
    private const long GiB = 1L << 30;

    private readonly SystemRoot root;
    private readonly Func<string, string?> environment;

    /// <summary>A probe of this machine, or of a recorded tree.</summary>
    /// <param name="root">Where /proc, /sys and /etc are read; this machine if null.</param>
    /// <param name="environment">An environment variable by name; this process's if null.</param>
    public HostProbe(SystemRoot? root = null, Func<string, string?>? environment = null)
    {
        this.root = root ?? SystemRoot.Machine;
        this.environment = environment ?? Environment.GetEnvironmentVariable;
    }

    /// <summary>Reads the host. What cannot be read is null.</summary>
    public HostInfo Probe()
    {
        MountTable mounts = MountTable.Read(root);
        var groups = new ControlGroups(root, mounts);
        string[] cpuInfo = root.ReadLines("/proc/cpuinfo");
        var host = new HostInfo
        {
            Name = root.ReadWord("/proc/sys/kernel/hostname"),
            OperatingSystem = OperatingSystemName(),
            Kernel = root.ReadWord("/proc/sys/kernel/osrelease"),
            Architecture = RuntimeInformation.OSArchitecture switch
            {
                Architecture.X64 => "x64",
                Architecture.Arm64 => "arm64",
                var other => other.ToString().ToLowerInvariant(),
            },
            Processor = Processor(cpuInfo),
            LogicalProcessors = AllowedProcessors() ?? Environment.ProcessorCount,
            NumaNodes = root.Names("/sys/devices/system/node").Count(name => IsNumbered(name, "node")) is > 0 and int nodes ? nodes : null,
            LastLevelCacheBytes = LastLevelCacheBytes(),
            MemoryBytes = KilobytesOf("/proc/meminfo", "MemTotal:"),
            CpuGovernor = CpuGovernor(),
            Virtualization = new Hypervisor(root).Detect(cpuInfo),
            Container = Container(mounts),
            // The effective user id: the second figure of the line (proc_pid_status(5)).
            Root = FieldsOf("/proc/self/status", "Uid:") is [_, "0", ..],
            CgroupMemoryLimitBytes = groups.MemoryLimitBytes(),
            CgroupIoLimits = groups.IoLimits(),
            CgroupCpuLimit = groups.CpuLimit(),
            TcpCongestionControl = root.ReadWord("/proc/sys/net/ipv4/tcp_congestion_control"),
            TransparentHugePages = root.ReadChoice("/sys/kernel/mm/transparent_hugepage/enabled"),
            MemlockBytes = MemlockBytes(),
            Runtime = Environment.Version.ToString(),
        };
        return host with { Warnings = [.. Warnings(host)] };
    }

    private string? OperatingSystemName()
    {
        // os-release(5): shell-like assignments; the second path is where the first points to, for images without the link.
        foreach (string file in (ReadOnlySpan<string>)["/etc/os-release", "/usr/lib/os-release"])
        {
            const string Key = "PRETTY_NAME=";
            string? line = root.ReadLines(file).FirstOrDefault(line => line.StartsWith(Key, StringComparison.Ordinal));
            if (line?[Key.Length..].Trim().Trim('"', '\'') is { Length: > 0 } name)
                return name;
        }

        return null;
    }

    private string? Processor(string[] cpuInfo)
    {
        if (ValueOf(cpuInfo, "model name") is { } model)
            return model;

        // arm64 has numbers instead of a name (the kernel's arch/arm64/include/asm/cputype.h).
        if (ValueOf(cpuInfo, "CPU implementer") is not { } implementer || ValueOf(cpuInfo, "CPU part") is not { } part)
            return root.ReadWord("/proc/device-tree/model");
        string? name = (implementer, part) switch
        {
            ("0x41", "0xd03") => "ARM Cortex-A53",
            ("0x41", "0xd08") => "ARM Cortex-A72",
            ("0x41", "0xd0b") => "ARM Cortex-A76",
            ("0x41", "0xd0c") => "ARM Neoverse-N1",
            ("0x41", "0xd40") => "ARM Neoverse-V1",
            ("0x41", "0xd49") => "ARM Neoverse-N2",
            ("0x41", "0xd4f") => "ARM Neoverse-V2",
            ("0x41", "0xd84") => "ARM Neoverse-V3",
            ("0xc0", "0xac3") => "Ampere-1",
            ("0xc0", "0xac4") => "Ampere-1a",
            ("0x61", _) => $"Apple part {part}",
            _ => null,
        };
        return name ?? $"arm64 implementer {implementer} part {part}";
    }

    // Environment.ProcessorCount counts a CPU quota in, which is a limit of time and not of processors.
    private int? AllowedProcessors() =>
        FieldsOf("/proc/self/status", "Cpus_allowed_list:") is [string list] && CountOfList(list) is > 0 and int count ? count : null;

    /// <summary>How many numbers "0-3,8,10-11" names (cpuset(7), List format); null if it is none.</summary>
    internal static int? CountOfList(string list)
    {
        int count = 0;
        foreach (string range in list.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] ends = range.Split('-');
            if (ends.Length > 2
                || !int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out int first)
                || !int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int last)
                || last < first)
                return null;
            count += last - first + 1;
        }

        return count;
    }

    /// <summary>One cache of the highest level, as the first processor sees it; a machine may have several.</summary>
    private long? LastLevelCacheBytes()
    {
        const string Caches = "/sys/devices/system/cpu/cpu0/cache";
        return root.Names(Caches)
            .Where(index => root.ReadWord($"{Caches}/{index}/type") is "Unified" or "Data")
            .OrderByDescending(index => root.ReadNumber($"{Caches}/{index}/level") ?? 0)
            .Select(index => Kibibytes(root.ReadWord($"{Caches}/{index}/size")))
            .FirstOrDefault();

        static long? Kibibytes(string? size) =>
            size is [.. var digits, 'K'] && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long kibibytes) ? kibibytes * 1024 : null;
    }

    private string? CpuGovernor()
    {
        const string Processors = "/sys/devices/system/cpu";
        string[] governors = [.. root.Names(Processors)
            .Where(name => IsNumbered(name, "cpu"))
            .Select(name => root.ReadWord($"{Processors}/{name}/cpufreq/scaling_governor"))
            .OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        return governors.Length == 0 ? null : string.Join(',', governors);
    }

    private string? Container(MountTable mounts)
    {
        if (!string.IsNullOrEmpty(environment("KUBERNETES_SERVICE_HOST")))
            return "kubernetes";
        if (root.FileExists("/run/.containerenv"))
            return "podman";

        // Virtual machines made from a Docker image keep /.dockerenv; Docker itself always mounts these files as well.
        if (root.FileExists("/.dockerenv")
            && mounts.Entries.Any(entry => entry.Mount.MountPoint is "/etc/hosts" or "/etc/hostname" or "/etc/resolv.conf"))
            return "docker";

        // The convention of systemd's Container Interface: $container of process 1, for all to read in /run/systemd.
        const string Variable = "container=";
        string? named = root.ReadWord("/run/systemd/container")
            ?? root.ReadText("/proc/1/environ")?.Split('\0').FirstOrDefault(entry => entry.StartsWith(Variable, StringComparison.Ordinal))?[Variable.Length..];
        if (!string.IsNullOrEmpty(named))
            return named;

        string groups = root.ReadText("/proc/1/cgroup") ?? "";
        foreach ((string part, string name) in (ReadOnlySpan<(string, string)>)
            [("kubepods", "kubernetes"), ("/docker", "docker"), ("libpod", "podman"), ("/lxc", "lxc"), ("containerd", "containerd"), ("/ecs/", "ecs")])
        {
            if (groups.Contains(part, StringComparison.Ordinal))
                return name;
        }

        return null;
    }

    private long? MemlockBytes()
    {
        // "Max locked memory  <soft>  <hard>  bytes" (proc_pid_limits(5)); the soft limit is the one in force.
        const string Row = "Max locked memory";
        string? soft = root.ReadLines("/proc/self/limits").FirstOrDefault(line => line.StartsWith(Row, StringComparison.Ordinal))?[Row.Length..]
            .Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes) ? bytes : null;
    }

    private static IEnumerable<string> Warnings(HostInfo host)
    {
        if (host.Virtualization is { } hypervisor)
            yield return $"This is a virtual machine ({hypervisor}): the host's cache and its other guests are part of every figure.";
        if (host is { Virtualization: not null, LastLevelCacheBytes: null })
            yield return "This virtual machine does not tell the size of its processor's caches: that a region of memory is larger than they are stays unproven.";
        if (host.CgroupMemoryLimitBytes is { } limit && (limit < GiB || limit < host.MemoryBytes))
        {
            string memory = host.MemoryBytes is { } bytes ? $" of {Size(bytes)}" : "";
            yield return $"The control group allows {Size(limit)}{memory} memory: the page cache counts in, so larger files do not stay warm.";
        }

        if (host.CgroupIoLimits.Count > 0)
            yield return $"The control group limits I/O ({string.Join("; ", host.CgroupIoLimits)}): on these devices the figures are those of the limit.";
        if (host.CgroupCpuLimit is { } processors)
            yield return string.Create(CultureInfo.InvariantCulture, $"The control group limits CPU to {processors:0.##} processors: a case that needs more is stopped for parts of each period, which shows as long latencies.");
        if (host.CpuGovernor is { } governor && governor != "performance")
            yield return $"The CPU governor is {governor}, not performance: the clock follows the load, so short cases and latencies at low load come out slower.";
    }

    private static string Size(long bytes) => bytes >= GiB
        ? string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / GiB:0.#} GiB")
        : string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / (1 << 20):0.#} MiB");

    // "key : value" of /proc/cpuinfo.
    private static string? ValueOf(string[] lines, string key) =>
        lines.Select(line => line.Split(':', 2)).FirstOrDefault(pair => pair.Length == 2 && pair[0].Trim() == key)?[1].Trim() is { Length: > 0 } value ? value : null;

    private string[] FieldsOf(string file, string key) =>
        root.ReadLines(file).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal))?[key.Length..]
            .Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries) ?? [];

    private long? KilobytesOf(string file, string key) =>
        FieldsOf(file, key) is [string kilobytes, ..] && long.TryParse(kilobytes, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number * 1024 : null;

    private static bool IsNumbered(string name, string prefix) =>
        name.Length > prefix.Length && name.StartsWith(prefix, StringComparison.Ordinal) && name.AsSpan(prefix.Length).IndexOfAnyExceptInRange('0', '9') < 0;
}
