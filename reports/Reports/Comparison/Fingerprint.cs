using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using Bench.Disk;
using Bench.Disk.Topology;
using Bench.Measure.Records;

namespace Bench.Reports.Comparison;

/// <summary>What a trait says about two runs if it differs.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TraitKind>))]
public enum TraitKind
{
    /// <summary>Another machine: its figures are not comparable.</summary>
    [JsonStringEnumMemberName("machine")]
    Machine,

    /// <summary>Another device, or the same one set otherwise: its figures are not comparable.</summary>
    [JsonStringEnumMemberName("device")]
    Device,

    /// <summary>Software that is shown and forbids nothing: often it is what is being compared.</summary>
    [JsonStringEnumMemberName("software")]
    Software,
}

/// <summary>One property of the place where a run was measured.</summary>
/// <param name="Name">What it is: "processor", "vda: scheduler".</param>
/// <param name="Value">Its value in words.</param>
/// <param name="Kind">What a difference means.</param>
public sealed record Trait(string Name, string Value, TraitKind Kind);

/// <summary>A trait that differs.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Base">Its value on one side; null if that side has none.</param>
/// <param name="Head">Its value on the other.</param>
/// <param name="Kind">What the difference means.</param>
public sealed record TraitDifference(string Name, string? Base, string? Head, TraitKind Kind)
{
    /// <summary>True if figures from both sides cannot be compared.</summary>
    [JsonIgnore]
    public bool Unlike => Kind != TraitKind.Software;

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Base ?? "none"} → {Head ?? "none"}";
}

/// <summary>
/// Machine and device in as many words as it takes to tell whether figures of two runs may stand side by side.
/// <para>
/// fio writes no model, firmware, scheduler or file system into its output, and every comparison of benchmark results
/// (Bencher, github-action-benchmark, fio-plot) takes two files for alike because they were given together. Here a
/// difference in device, firmware, file system, mount options, scheduler, write cache, kernel or limits is named, and
/// the gate refuses. Names of hosts, devices and folders are left out: they differ between equal machines of a build
/// farm; the hash of a serial number is in, because two drives of one model are two drives.
/// </para>
/// </summary>
/// <param name="Traits">In a fixed order.</param>
public sealed record Fingerprint(IReadOnlyList<Trait> Traits)
{
    /// <summary>Ten hexadecimal digits that are equal for equal machines and devices.</summary>
    [JsonIgnore]
    public string Hash
    {
        get
        {
            var text = string.Join('\n', Traits.Where(trait => trait.Kind != TraitKind.Software).Select(trait => $"{trait.Name}={trait.Value}"));
            return Convert.ToHexStringLower(Sha256.Of(Encoding.UTF8.GetBytes(text)))[..10];
        }
    }

    /// <summary>The fingerprint of the place where a record was measured.</summary>
    public static Fingerprint Of(RunRecord record) => Of(record.Host, record.Target, record.Tool.Version);

    /// <summary>The fingerprint of a machine and a target.</summary>
    /// <param name="host">The machine.</param>
    /// <param name="target">The target.</param>
    /// <param name="toolVersion">The version of bench.</param>
    public static Fingerprint Of(HostInfo host, DeviceTopology target, string toolVersion)
    {
        var traits = new List<Trait>();
        void Add(TraitKind kind, string name, object? value)
        {
            if (value is not null && Convert.ToString(value, CultureInfo.InvariantCulture) is { Length: > 0 } text)
                traits.Add(new Trait(name, text, kind));
        }

        Add(TraitKind.Machine, "architecture", host.Architecture);
        Add(TraitKind.Machine, "processor", host.Processor);
        Add(TraitKind.Machine, "logical processors", host.LogicalProcessors);
        Add(TraitKind.Machine, "NUMA nodes", host.NumaNodes);
        Add(TraitKind.Machine, "last-level cache", host.LastLevelCacheBytes is { } cache ? Format.Bytes(cache) : null);
        // Whole GiB: what firmware and kernel keep for themselves changes from boot to boot.
        Add(TraitKind.Machine, "memory", host.MemoryBytes is { } memory ? $"{Math.Round(memory / 1073741824.0).ToString(CultureInfo.InvariantCulture)} GiB" : null);
        Add(TraitKind.Machine, "virtual machine", host.Virtualization);
        Add(TraitKind.Machine, "container", host.Container);
        Add(TraitKind.Machine, "kernel", host.Kernel);
        Add(TraitKind.Machine, "CPU governor", host.CpuGovernor);
        Add(TraitKind.Machine, "transparent huge pages", host.TransparentHugePages);
        Add(TraitKind.Machine, "memory limit", host.CgroupMemoryLimitBytes is { } limit ? Format.Bytes(limit) : null);
        Add(TraitKind.Machine, "CPU limit", host.CgroupCpuLimit);
        Add(TraitKind.Machine, "I/O limits", string.Join("; ", host.CgroupIoLimits));
        Add(TraitKind.Machine, "TCP congestion control", host.TcpCongestionControl);
        Add(TraitKind.Device, "file system", target.Mount.FileSystem);
        Add(TraitKind.Device, "mount options", target.Mount.Options);
        Add(TraitKind.Device, "data profile", target.DataProfile);
        Add(TraitKind.Device, "data state", target.DataState);
        foreach (var (index, device) in target.Devices.SelectMany(device => device.All()).DistinctBy(device => device.Name).Index())
        {
            void AddDevice(string name, object? value) => Add(TraitKind.Device, $"device {(index + 1).ToString(CultureInfo.InvariantCulture)}: {name}", value);
            AddDevice("kind", device.Kind);
            AddDevice("role", device.Role);
            AddDevice("size", device.SizeBytes is { } size ? Format.Bytes(size) : null);
            AddDevice("model", device.Model?.Trim());
            AddDevice("serial number's hash", device.SerialHash);
            AddDevice("firmware", device.Firmware);
            AddDevice("transport", device.Transport);
            AddDevice("link", device.Link);
            AddDevice("rotational", device.Rotational);
            AddDevice("logical sector", device.LogicalSectorBytes);
            AddDevice("physical sector", device.PhysicalSectorBytes);
            AddDevice("scheduler", device.Scheduler);
            AddDevice("read-ahead in KiB", device.ReadAheadKiB);
            AddDevice("queue", device.QueueRequests);
            AddDevice("largest request in KiB", device.MaxRequestKiB);
            AddDevice("write cache", device.WriteCache);
            AddDevice("level", device.Level);
            AddDevice("chunk in bytes", device.ChunkBytes);
            AddDevice("state", device.State);
            AddDevice("direct I/O of the loop", device.LoopDirectIo);
        }
        Add(TraitKind.Software, "operating system", host.OperatingSystem);
        Add(TraitKind.Software, ".NET", host.Runtime);
        Add(TraitKind.Software, "bench", toolVersion);
        return new Fingerprint(traits);
    }

    /// <summary>What differs, in the order of this fingerprint's traits, then of the other's.</summary>
    public IReadOnlyList<TraitDifference> DifferencesTo(Fingerprint head)
    {
        var there = head.Traits.ToDictionary(trait => trait.Name);
        var here = Traits.Select(trait => trait.Name).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. Traits.Where(trait => !there.TryGetValue(trait.Name, out var other) || other.Value != trait.Value)
                .Select(trait => new TraitDifference(trait.Name, trait.Value, there.GetValueOrDefault(trait.Name)?.Value, trait.Kind)),
            .. head.Traits.Where(trait => !here.Contains(trait.Name)).Select(trait => new TraitDifference(trait.Name, null, trait.Value, trait.Kind)),
        ];
    }
}
