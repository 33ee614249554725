using System.Globalization;

namespace Bench.Disk.Counters;

/// <summary>
/// Counters of one block device since boot (Documentation/block/stat.rst). Sectors there are always 512 bytes.
/// </summary>
public readonly record struct DiskCounters
{
    /// <summary>Bytes read.</summary>
    public long ReadBytes { get; init; }

    /// <summary>Bytes written.</summary>
    public long WriteBytes { get; init; }

    /// <summary>Read requests completed.</summary>
    public long Reads { get; init; }

    /// <summary>Write requests completed.</summary>
    public long Writes { get; init; }

    /// <summary>Flush requests completed; null before Linux 5.5.</summary>
    public long? Flushes { get; init; }

    /// <summary>Sum over requests of their time in the queue, in milliseconds: over wall time it is the mean depth.</summary>
    public long QueueTimeMs { get; init; }

    /// <summary>Reads the counters of the named devices and adds them up.</summary>
    /// <param name="deviceNames">Kernel names, as in <c>/sys/class/block</c>.</param>
    /// <returns>The sum; null if there is no device, or one could not be read: a partial sum would be a wrong figure.</returns>
    public static DiskCounters? ReadSum(IReadOnlyList<string> deviceNames)
    {
        if (deviceNames.Count == 0)
            return null;
        var sum = new DiskCounters { Flushes = 0 };
        foreach (var name in deviceNames)
        {
            if (Parse(CounterFile.TryReadAllText($"/sys/class/block/{name}/stat")) is not { } one)
                return null;
            sum += one;
        }
        return sum;
    }

    /// <summary>Parses the one line of a <c>stat</c> file; null if it is not one.</summary>
    public static DiskCounters? Parse(string? line)
    {
        var fields = (line ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (fields.Length < 11)
            return null;
        var values = new long[fields.Length];
        for (var i = 0; i < fields.Length; i++)
            if (!long.TryParse(fields[i], NumberStyles.None, CultureInfo.InvariantCulture, out values[i]))
                return null;
        return new DiskCounters
        {
            Reads = values[0],
            ReadBytes = values[2] * 512,
            Writes = values[4],
            WriteBytes = values[6] * 512,
            QueueTimeMs = values[10],
            Flushes = values.Length > 15 ? values[15] : null,
        };
    }

    /// <summary>Sum, for several devices.</summary>
    public static DiskCounters operator +(DiskCounters a, DiskCounters b) => new()
    {
        ReadBytes = a.ReadBytes + b.ReadBytes,
        WriteBytes = a.WriteBytes + b.WriteBytes,
        Reads = a.Reads + b.Reads,
        Writes = a.Writes + b.Writes,
        QueueTimeMs = a.QueueTimeMs + b.QueueTimeMs,
        Flushes = a.Flushes + b.Flushes,
    };

    /// <summary>Difference of two readings.</summary>
    public static DiskCounters operator -(DiskCounters a, DiskCounters b) => new()
    {
        ReadBytes = a.ReadBytes - b.ReadBytes,
        WriteBytes = a.WriteBytes - b.WriteBytes,
        Reads = a.Reads - b.Reads,
        Writes = a.Writes - b.Writes,
        QueueTimeMs = a.QueueTimeMs - b.QueueTimeMs,
        Flushes = a.Flushes - b.Flushes,
    };
}
