using System.Numerics;
using System.Runtime.CompilerServices;
using Bench.Measure.Records;

namespace Bench.Measure.Passes;

/// <summary>
/// Records when things happened within one pass, in fixed memory: a fixed number of intervals, each with bytes,
/// operations, largest latency and a coarse histogram. When the pass outgrows the intervals, neighbours are merged and
/// each becomes twice as long; so a recorder needs no forecast, and a pass fills between half of the intervals and all.
/// <para>
/// Operations are recorded by one thread, without allocation, in about three nanoseconds: the interval is found by comparing
/// with the end of the current one, not by dividing. Several threads take one recorder each and are added up
/// afterwards, as with <see cref="LatencyHistogram"/>. Events may come from any thread.
/// </para>
/// <para>
/// The histogram has 16 buckets in each power of two (a percentile is at most 6.25 % above the truth) and ends at
/// 2^38 ns, 4.6 minutes; the maximum is exact. One recorder takes 0.3 MB.
/// </para>
/// </summary>
public sealed class TimelineRecorder
{
    /// <summary>Intervals at most; the record never has more points.</summary>
    public const int MaximumPoints = 128;

    /// <summary>Events kept of each kind; the rest is counted. Of each, so that a thousand flushes push out no roll.</summary>
    public const int MaximumEventsPerKind = 100;

    private const int SubBits = 4;
    private const int SubCount = 1 << SubBits;
    private const int MaxBits = 38;
    private const int Buckets = (MaxBits - SubBits + 1) * SubCount;

    /// <summary>One place in memory for all that an operation touches but its bucket.</summary>
    private struct Interval
    {
        public long Bytes;
        public long Operations;
        public long Max;
    }

    private readonly int[] counts = new int[MaximumPoints * Buckets];
    private readonly Interval[] intervals = new Interval[MaximumPoints];
    private readonly long firstIntervalNs;
    private readonly Lock eventLock = new();
    private readonly Dictionary<string, PriorityQueue<TimelineEvent, double>> events = new(StringComparer.Ordinal);
    private int eventsLeftOut;
    private long startNs;
    private long intervalNs;
    private long currentEndNs;
    private int current;
    private int last;

    /// <summary>An empty recorder; <see cref="Begin"/> sets its zero.</summary>
    /// <param name="firstIntervalMs">How fine it begins: 1 ms fits passes from 64 ms on.</param>
    public TimelineRecorder(double firstIntervalMs = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(firstIntervalMs, 1e-6);
        firstIntervalNs = (long)(firstIntervalMs * 1e6);
        Begin(0);
    }

    /// <summary>Forgets everything and begins a pass.</summary>
    /// <param name="nowNs">The clock, in nanoseconds (<c>Stopwatch.GetTimestamp()</c> on Linux). Several threads' recorders begin at the same instant.</param>
    public void Begin(long nowNs)
    {
        Array.Clear(counts);
        Array.Clear(intervals);
        lock (eventLock)
        {
            events.Clear();
            eventsLeftOut = 0;
        }
        startNs = nowNs;
        intervalNs = firstIntervalNs;
        currentEndNs = nowNs + intervalNs;
        current = last = 0;
    }

    /// <summary>Records one operation. Only one thread may do so.</summary>
    /// <param name="nowNs">When it ended, on the clock of <see cref="Begin"/>; never before the operation recorded last.</param>
    /// <param name="latencyNs">How long it took.</param>
    /// <param name="byteCount">What it moved.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void RecordOperation(long nowNs, long latencyNs, long byteCount)
    {
        if (nowNs >= currentEndNs)
            Advance(nowNs);
        ref var interval = ref intervals[current];
        interval.Bytes += byteCount;
        interval.Operations++;
        if (latencyNs > interval.Max)
            interval.Max = latencyNs;
        counts[current * Buckets + IndexOf(latencyNs)]++;
    }

    /// <summary>Records something that took time beside the operations; from any thread.</summary>
    /// <param name="kind">"flush" or "roll".</param>
    /// <param name="atNs">When it began, on the clock of <see cref="Begin"/>.</param>
    /// <param name="lengthNs">How long it took.</param>
    /// <param name="byteCount">What it concerned.</param>
    public void RecordEvent(string kind, long atNs, long lengthNs, long byteCount)
    {
        var made = new TimelineEvent { Kind = kind, StartSeconds = Microseconds(atNs - startNs), Seconds = Microseconds(lengthNs), Bytes = byteCount };
        lock (eventLock)
            Keep(made);
    }

    /// <summary>Adds what another thread recorded in the same pass.</summary>
    /// <exception cref="ArgumentException">The other began at another instant, or with another interval.</exception>
    public void Add(TimelineRecorder other)
    {
        if (other.startNs != startNs || other.firstIntervalNs != firstIntervalNs)
            throw new ArgumentException("The recorders did not begin together.", nameof(other));
        while (intervalNs < other.intervalNs)
            Merge();
        // The other stays as it is: its intervals are found by what they are a part of here.
        var shift = BitOperations.Log2((ulong)(intervalNs / other.intervalNs));
        for (var from = 0; from <= other.last; from++)
            Add(from >> shift, other, from);
        last = Math.Max(last, other.last >> shift);
        lock (other.eventLock)
        {
            lock (eventLock)
            {
                foreach (var made in other.events.Values.SelectMany(queue => queue.UnorderedItems).Select(item => item.Element))
                    Keep(made);
                eventsLeftOut += other.eventsLeftOut;
            }
        }
    }

    /// <summary>What was recorded.</summary>
    /// <param name="pass">Which of the timed passes it was, from 0.</param>
    public TimelineRecord ToRecord(int pass)
    {
        TimelineEvent[] kept;
        int left;
        lock (eventLock)
        {
            kept = [.. events.Values.SelectMany(queue => queue.UnorderedItems).Select(item => item.Element).OrderBy(made => made.StartSeconds).ThenBy(made => made.Kind, StringComparer.Ordinal)];
            left = eventsLeftOut;
        }
        return new TimelineRecord
        {
            Pass = pass,
            IntervalSeconds = intervalNs / 1e9,
            Points = [.. Enumerable.Range(0, last + 1).Select(PointOf)],
            Events = kept,
            EventsLeftOut = left,
        };
    }

    private TimelinePoint PointOf(int at) => new()
    {
        StartSeconds = at * intervalNs / 1e9,
        Bytes = intervals[at].Bytes,
        Operations = intervals[at].Operations,
        P50Ns = intervals[at].Operations == 0 ? null : Percentile(at, 0.5),
        P99Ns = intervals[at].Operations == 0 ? null : Percentile(at, 0.99),
        MaxNs = intervals[at].Operations == 0 ? null : intervals[at].Max,
    };

    private long Percentile(int at, double share)
    {
        var rank = Math.Max(1, (long)Math.Ceiling(intervals[at].Operations * share));
        long seen = 0;
        for (var bucket = 0; bucket < Buckets; bucket++)
        {
            seen += counts[at * Buckets + bucket];
            if (seen >= rank)
                return bucket == Buckets - 1 ? intervals[at].Max : Math.Min(intervals[at].Max, UpperEdge(bucket));
        }
        return intervals[at].Max;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Advance(long nowNs)
    {
        while ((nowNs - startNs) / intervalNs >= MaximumPoints)
            Merge();
        current = (int)((nowNs - startNs) / intervalNs);
        currentEndNs = startNs + (current + 1) * intervalNs;
        last = Math.Max(last, current);
    }

    /// <summary>Each two neighbours become one.</summary>
    private void Merge()
    {
        for (var from = 0; from <= last; from++)
        {
            if (from == 0)
                continue;
            Add(from / 2, this, from);
            Array.Clear(counts, from * Buckets, Buckets);
            intervals[from] = default;
        }
        intervalNs *= 2;
        last /= 2;
        current /= 2;
        currentEndNs = startNs + (current + 1) * intervalNs;
    }

    private void Add(int to, TimelineRecorder other, int from)
    {
        ref var interval = ref intervals[to];
        interval.Bytes += other.intervals[from].Bytes;
        interval.Operations += other.intervals[from].Operations;
        interval.Max = Math.Max(interval.Max, other.intervals[from].Max);
        for (var bucket = 0; bucket < Buckets; bucket++)
            counts[to * Buckets + bucket] += other.counts[from * Buckets + bucket];
    }

    private void Keep(TimelineEvent made)
    {
        if (!events.TryGetValue(made.Kind, out var queue))
            events[made.Kind] = queue = new PriorityQueue<TimelineEvent, double>(MaximumEventsPerKind);
        if (queue.Count < MaximumEventsPerKind)
        {
            queue.Enqueue(made, made.Seconds);
            return;
        }
        queue.EnqueueDequeue(made, made.Seconds);
        eventsLeftOut++;
    }

    /// <summary>In seconds, to the microsecond: digits beyond it would be half of a record's length and tell nothing.</summary>
    private static double Microseconds(long ns) => Math.Round(Math.Max(0, ns) / 1e9, 6);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int IndexOf(long value)
    {
        // One comparison for both ends: a negative number is a great unsigned one.
        if ((ulong)value >= 1UL << MaxBits)
            return value < 0 ? 0 : Buckets - 1;
        if (value < SubCount)
            return (int)value;
        var shift = 63 - SubBits - BitOperations.LeadingZeroCount((ulong)value);
        return (shift << SubBits) + (int)(value >> shift);
    }

    private static long UpperEdge(int bucket)
    {
        if (bucket < 2 * SubCount)
            return bucket;
        var shift = (bucket >> SubBits) - 1;
        return ((long)(bucket - (shift << SubBits) + 1) << shift) - 1;
    }
}
