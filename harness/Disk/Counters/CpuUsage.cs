using Bench.Disk.Native;

namespace Bench.Disk.Counters;

/// <summary>
/// CPU time and switches (getrusage(2)). For the whole process it includes the kernel's io_uring workers, which run
/// as threads of the process; for the calling thread it does not.
/// </summary>
public readonly record struct CpuUsage
{
    /// <summary>CPU time in user mode, in seconds.</summary>
    public double UserSeconds { get; init; }

    /// <summary>CPU time in the kernel, in seconds.</summary>
    public double SystemSeconds { get; init; }

    /// <summary>CPU time in seconds.</summary>
    public double Seconds => UserSeconds + SystemSeconds;

    /// <summary>Voluntary and involuntary context switches.</summary>
    public long ContextSwitches { get; init; }

    /// <summary>Page faults that had to wait for storage.</summary>
    public long MajorFaults { get; init; }

    /// <summary>All threads of this process.</summary>
    public static CpuUsage OfProcess() => Read(Constants.RUSAGE_SELF);

    /// <summary>The calling thread.</summary>
    public static CpuUsage OfThread() => Read(Constants.RUSAGE_THREAD);

    private static unsafe CpuUsage Read(int who)
    {
        Libc.rusage usage;
        DiskException.ThrowIfFailed(Libc.getrusage(who, &usage), "getrusage", "of this process");
        return new CpuUsage
        {
            UserSeconds = usage.ru_utime.Seconds,
            SystemSeconds = usage.ru_stime.Seconds,
            ContextSwitches = usage.ru_nvcsw + usage.ru_nivcsw,
            MajorFaults = usage.ru_majflt,
        };
    }

    /// <summary>Difference of two readings.</summary>
    public static CpuUsage operator -(CpuUsage a, CpuUsage b) => new()
    {
        UserSeconds = a.UserSeconds - b.UserSeconds,
        SystemSeconds = a.SystemSeconds - b.SystemSeconds,
        ContextSwitches = a.ContextSwitches - b.ContextSwitches,
        MajorFaults = a.MajorFaults - b.MajorFaults,
    };
}
