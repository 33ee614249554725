using System.Globalization;

namespace Bench.Disk.Counters;

/// <summary>What the rest of the machine does to a measurement: time stolen by the hypervisor, and waiting for I/O.</summary>
public readonly record struct MachineCounters
{
    /// <summary>CPU time that the hypervisor gave to others, in seconds (<c>/proc/stat</c>, steal, 10 ms grain).</summary>
    public double? StealSeconds { get; init; }

    /// <summary>Time in which some task waited for I/O, in seconds (<c>/proc/pressure/io</c>, some total).</summary>
    public double? IoPressureSeconds { get; init; }

    /// <summary>The counters now; null where they cannot be read.</summary>
    public static MachineCounters Read() => new()
    {
        StealSeconds = ParseSteal(CounterFile.TryReadAllText("/proc/stat")),
        IoPressureSeconds = ParsePressure(CounterFile.TryReadAllText("/proc/pressure/io")),
    };

    /// <summary>The eighth figure of the first line, in ticks of 1/100 second (USER_HZ, fixed for user space).</summary>
    public static double? ParseSteal(string? text)
    {
        var fields = (text ?? "").Split('\n')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 8 && fields[0] == "cpu"
            && long.TryParse(fields[8], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
                ? ticks / 100.0
                : null;
    }

    /// <summary>The total of the line "some", in microseconds there.</summary>
    public static double? ParsePressure(string? text)
    {
        var line = (text ?? "").Split('\n').FirstOrDefault(l => l.StartsWith("some ", StringComparison.Ordinal));
        var total = line?.Split(' ').FirstOrDefault(f => f.StartsWith("total=", StringComparison.Ordinal));
        return total is not null && long.TryParse(total.AsSpan(6), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds)
            ? microseconds * 1e-6
            : null;
    }

    /// <summary>Difference of two readings.</summary>
    public static MachineCounters operator -(MachineCounters a, MachineCounters b) => new()
    {
        StealSeconds = a.StealSeconds - b.StealSeconds,
        IoPressureSeconds = a.IoPressureSeconds - b.IoPressureSeconds,
    };
}
