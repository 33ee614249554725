using System.Diagnostics;
using Bench.Disk.Counters;
using Bench.Measure.Records;

namespace Bench.Measure.Passes;

/// <summary>
/// Reads the counters around a pass. What is read last before and first after the pass is what is least forgiving:
/// CPU time; the rest belongs to others too, or is exact anyway.
/// </summary>
/// <param name="physicalDisks">Kernel names of the disks under the target; empty where there is none.</param>
/// <param name="members">Kernel names of the devices of an array; empty where there is none.</param>
public sealed class PassMeter(IReadOnlyList<string> physicalDisks, IReadOnlyList<string> members)
{
    private readonly long caseStart = Stopwatch.GetTimestamp();

    /// <summary>The readings at one instant.</summary>
    public sealed record Reading
    {
        internal long Timestamp { get; init; }
        internal CpuUsage Cpu { get; init; }
        internal ProcessIo? Io { get; init; }
        internal DiskCounters? Disk { get; init; }
        internal MachineCounters Machine { get; init; }
        internal IReadOnlyList<DiskCounters?> Members { get; init; } = [];
    }

    /// <summary>Reads the counters just before a pass.</summary>
    public Reading Begin()
    {
        var machine = MachineCounters.Read();
        var array = ReadMembers();
        var disk = DiskCounters.ReadSum(physicalDisks);
        var io = ProcessIo.Read();
        var cpu = CpuUsage.OfProcess();
        return new Reading { Timestamp = Stopwatch.GetTimestamp(), Cpu = cpu, Io = io, Disk = disk, Machine = machine, Members = array };
    }

    /// <summary>Reads the counters just after a pass.</summary>
    public Reading End()
    {
        var timestamp = Stopwatch.GetTimestamp();
        var cpu = CpuUsage.OfProcess();
        var io = ProcessIo.Read();
        var disk = DiskCounters.ReadSum(physicalDisks);
        return new Reading { Timestamp = timestamp, Cpu = cpu, Io = io, Disk = disk, Machine = MachineCounters.Read(), Members = ReadMembers() };
    }

    /// <summary>Flush requests that the disks have completed since a reading; null if unknown.</summary>
    public long? FlushesSince(Reading begin) =>
        (DiskCounters.ReadSum(physicalDisks) - begin.Disk)?.Flushes;

    private DiskCounters?[] ReadMembers() => [.. members.Select(name => DiskCounters.ReadSum([name]))];

    /// <summary>What each member of the array did between two readings; one that could not be read is left out.</summary>
    private IEnumerable<MemberRecord> MembersBetween(Reading begin, Reading end)
    {
        foreach (var (index, name) in members.Index())
        {
            if (end.Members[index] - begin.Members[index] is { } did)
                yield return new MemberRecord { Name = name, ReadBytes = did.ReadBytes, WriteBytes = did.WriteBytes, Requests = did.Reads + did.Writes, RequestSeconds = did.QueueTimeMs / 1e3 };
        }
    }

    /// <summary>The pass between two readings.</summary>
    /// <param name="begin">From <see cref="Begin"/>.</param>
    /// <param name="end">From <see cref="End"/>.</param>
    /// <param name="seconds">Length of the timed part.</param>
    /// <param name="bytes">Bytes moved.</param>
    /// <param name="operations">Operations done.</param>
    public PassRecord Between(Reading begin, Reading end, double seconds, long bytes, long operations)
    {
        var cpu = end.Cpu - begin.Cpu;
        var io = end.Io - begin.Io;
        var disk = end.Disk - begin.Disk;
        var machine = end.Machine - begin.Machine;
        var wallMs = Stopwatch.GetElapsedTime(begin.Timestamp, end.Timestamp).TotalMilliseconds;
        return new PassRecord
        {
            StartSeconds = Stopwatch.GetElapsedTime(caseStart, begin.Timestamp).TotalSeconds,
            Seconds = seconds,
            Bytes = bytes,
            Operations = operations,
            CpuUserSeconds = cpu.UserSeconds,
            CpuSystemSeconds = cpu.SystemSeconds,
            ContextSwitches = cpu.ContextSwitches,
            MajorFaults = cpu.MajorFaults,
            DeviceReadBytes = disk?.ReadBytes,
            DeviceWriteBytes = disk?.WriteBytes,
            DeviceFlushes = disk?.Flushes,
            DeviceQueueDepthMean = disk is { } d && wallMs > 0 ? d.QueueTimeMs / wallMs : null,
            ProcessReadBytes = io?.StorageReadBytes,
            ProcessWriteBytes = io?.StorageWriteBytes,
            CallReadBytes = io?.CallReadBytes,
            CallWriteBytes = io?.CallWriteBytes,
            StealSeconds = machine.StealSeconds,
            IoPressureSeconds = machine.IoPressureSeconds,
            Members = members.Count == 0 ? null : [.. MembersBetween(begin, end)],
        };
    }
}
