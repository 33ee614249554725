using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bench.Disk.Topology;

/// <summary>The machine: what it is, and what limits a process on it. A value that could not be read is null.</summary>
public sealed record HostInfo
{
    /// <summary>Host name; left out of reports with <c>--anonymous</c>.</summary>
    public string? Name { get; init; }

    /// <summary>Distribution and version (<c>/etc/os-release</c>, PRETTY_NAME).</summary>
    public string? OperatingSystem { get; init; }

    /// <summary>Kernel release (<c>uname -r</c>).</summary>
    public string? Kernel { get; init; }

    /// <summary>x64 or arm64.</summary>
    public string? Architecture { get; init; }

    /// <summary>Processor model.</summary>
    public string? Processor { get; init; }

    /// <summary>Logical processors that this process may use.</summary>
    public int LogicalProcessors { get; init; }

    /// <summary>NUMA nodes.</summary>
    public int? NumaNodes { get; init; }

    /// <summary>Last-level cache in bytes.</summary>
    public long? LastLevelCacheBytes { get; init; }

    /// <summary>Physical memory in bytes.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>Frequency governor, where there is one.</summary>
    public string? CpuGovernor { get; init; }

    /// <summary>The hypervisor ("kvm", "vmware", …), null on bare metal.</summary>
    public string? Virtualization { get; init; }

    /// <summary>The container ("docker", "podman", "lxc", "kubernetes", …), null outside.</summary>
    public string? Container { get; init; }

    /// <summary>Effective user is root.</summary>
    public bool Root { get; init; }

    /// <summary>Memory limit of the control group in bytes (v2 or v1), null if unlimited.</summary>
    public long? CgroupMemoryLimitBytes { get; init; }

    /// <summary>I/O limits of the control group, as the kernel writes them, one a line; empty if none.</summary>
    public IReadOnlyList<string> CgroupIoLimits { get; init; } = [];

    /// <summary>CPU limit of the control group in processors, null if unlimited.</summary>
    public double? CgroupCpuLimit { get; init; }

    /// <summary>TCP congestion control that new sockets get.</summary>
    public string? TcpCongestionControl { get; init; }

    /// <summary>Transparent huge pages: always, madvise or never.</summary>
    public string? TransparentHugePages { get; init; }

    /// <summary>Size of the locked memory that is allowed, in bytes; null if unlimited.</summary>
    public long? MemlockBytes { get; init; }

    /// <summary>.NET runtime version.</summary>
    public string? Runtime { get; init; }

    /// <summary>What about this machine will spoil a measurement, one sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Fields that this build does not know, kept when a record is written again.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}
