using System.Diagnostics;
using System.Globalization;
using Bench.Disk;

namespace Bench.Measure.Passes;

/// <summary>
/// An open loop: operations are due at random moments of a given mean rate, whatever became of those before them.
/// <para>
/// In a closed loop a stall delays the next request, and so hides from the figures the requests that would have come
/// meanwhile (coordinated omission; Tene). fio has Poisson arrivals and still reports most latencies from the moment a
/// request was sent; kafka-producer-perf-test starts its clock at the actual send. Here the latency of an operation
/// counts from when it was due, and the time that the device took of it stands beside it.
/// </para>
/// </summary>
/// <param name="perSecond">Operations a second, over all threads.</param>
/// <param name="seed">Of the moments.</param>
public sealed class Pacing(double perSecond, ulong seed)
{
    /// <summary>A backlog of one part in so many of a pass is one that grows; of a pass so many times the latency long, one operation is less.</summary>
    public const int PartsToABacklog = 50;

    /// <summary>The least <see cref="KeptUp"/> of a rate that was kept up with.</summary>
    public const double LeastKeptUp = 1 - 1.0 / PartsToABacklog;

    /// <summary>Operations a second.</summary>
    public double PerSecond { get; } = perSecond;

    /// <summary>Of the moments.</summary>
    public ulong Seed { get; } = seed;

    /// <summary>Latencies from when an operation began, in nanoseconds.</summary>
    public LatencyHistogram Service { get; } = new();

    /// <summary>From the start of the loop to when its last operation was due.</summary>
    public long ScheduledNs { get; private set; }

    /// <summary>From the start of the loop to the end of its last operation.</summary>
    public long ElapsedNs { get; private set; }

    /// <summary>
    /// From the start of the loop to the end of its last operation, less what the device takes of one as a rule: an
    /// operation that is being served is no backlog, and in a short pass on a slow disk it looked like one.
    /// </summary>
    public long EndedNs => ElapsedNs - (Service.Count > 0 ? Service.ValueAtPercentile(50) : 0);

    /// <summary>How much of the offered rate was kept up with: below 1 the backlog has grown to the end.</summary>
    public double KeptUp => Share(ScheduledNs, EndedNs);

    /// <summary>The time to when the last operation was due as a share of the time to its end, at most 1.</summary>
    public static double Share(long scheduledNs, long endedNs) => endedNs > scheduledNs ? (double)scheduledNs / endedNs : 1;

    /// <summary>
    /// Why passes that did not keep up may have been too short to tell. At four fifths of what a device can do some four
    /// operations wait at any moment (a queue of one server), and those at the end of a pass are a backlog of less than one
    /// part in <see cref="PartsToABacklog"/> only where the pass is so many times as long as they and the one served take.
    /// </summary>
    /// <param name="passes"><see cref="ScheduledNs"/> and <see cref="EndedNs"/> of each pass.</param>
    /// <param name="serviceP99Ns">The 99th percentile of what the device took of an operation.</param>
    /// <returns>A sentence; null if the passes kept up or were long enough.</returns>
    public static string? WhyShort(IReadOnlyList<(long ScheduledNs, long EndedNs)> passes, long serviceP99Ns)
    {
        var scheduledNs = passes.Sum(pass => pass.ScheduledNs);
        var enoughSeconds = 5 * PartsToABacklog * (serviceP99Ns / 1e9);
        var seconds = scheduledNs / 1e9 / passes.Count;
        return Share(scheduledNs, passes.Sum(pass => pass.EndedNs)) < LeastKeptUp && seconds < enoughSeconds
            ? string.Create(CultureInfo.InvariantCulture, $"passes of {seconds:0.###} s are short for operations that take up to {serviceP99Ns / 1e6:0.###} ms: a few that wait at the end look like a backlog; --pass-seconds {Math.Ceiling(enoughSeconds)} tells the two apart")
            : null;
    }

    /// <summary>The part of one of several threads, whose arrivals together are those of the whole.</summary>
    public Pacing PartOf(int threads, int index) => new(PerSecond / threads, Seed + (ulong)index * 0x9E3779B97F4A7C15);

    /// <summary>Notes how far a loop came.</summary>
    /// <param name="scheduledNs">From its start to when its last operation was due.</param>
    /// <param name="elapsedNs">From its start to the end of its last operation.</param>
    public void Ended(long scheduledNs, long elapsedNs) => (ScheduledNs, ElapsedNs) = (scheduledNs, elapsedNs);

    /// <summary>Takes in what a part did.</summary>
    public void Add(Pacing part)
    {
        Service.Add(part.Service);
        if (part.KeptUp < KeptUp || ElapsedNs == 0)
            (ScheduledNs, ElapsedNs) = (part.ScheduledNs, part.ElapsedNs);
    }
}

/// <summary>The moments of a Poisson process: the times between them are exponential, and know nothing of each other.</summary>
/// <param name="perSecond">Mean rate.</param>
/// <param name="seed">Of the sequence.</param>
public struct Arrivals(double perSecond, ulong seed)
{
    private readonly double meanNs = 1e9 / perSecond;
    private ulong state = seed;
    private double dueNs;

    /// <summary>The next moment, in nanoseconds from the start.</summary>
    public long NextNs()
    {
        // 53 bits make a number from 0 up to 1.
        var uniform = (BlockPermutation.SplitMix64(ref state) >> 11) * (1.0 / (1UL << 53));
        dueNs -= Math.Log(1 - uniform) * meanNs;
        return (long)dueNs;
    }
}

/// <summary>Waiting for a moment.</summary>
public static class Pause
{
    // Thread.Sleep wakes up to a millisecond late, and a scheduler on a busy machine later.
    private const long SleepFromNs = 3_000_000;

    /// <summary>Waits until a moment: asleep as long as that is safe, then by giving the processor away.</summary>
    /// <param name="due">In the clock's nanoseconds.</param>
    /// <param name="stop">The user's wish to stop, which ends a long wait: at a low rate the next moment may be hours away.</param>
    /// <returns>Now; at or after the moment.</returns>
    /// <exception cref="OperationCanceledException">The user wants to stop.</exception>
    public static long Until(long due, StopSignal stop)
    {
        var now = Stopwatch.GetTimestamp();
        while (due - now > SleepFromNs)
        {
            stop.ThrowIfRequested();
            Thread.Sleep(1);
            now = Stopwatch.GetTimestamp();
        }
        while (now < due)
        {
            Thread.Yield();
            now = Stopwatch.GetTimestamp();
        }
        return now;
    }
}
