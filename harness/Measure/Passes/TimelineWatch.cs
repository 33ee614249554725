using System.Diagnostics;
using Bench.Measure.Records;

namespace Bench.Measure.Passes;

/// <summary>
/// A timeline of a loop that knows nothing of it: another thread looks ten times a second at the histogram that the loop
/// fills, and takes what is new.
/// <para>
/// fio's logs (<c>--write_bw_log</c>, <c>--log_avg_msec</c>) are kept within the loop, where each operation pays for
/// them; <see cref="TimelineRecorder"/> does the same in three nanoseconds, which is little beside an append and much beside a
/// read of memory. A loop that is watched is the loop that is not. For this the time of an operation is known to a tenth of a
/// second only, and the slowest of an interval to 0.79 %.
/// </para>
/// <para>
/// In fixed memory: when there are more than <see cref="TimelineRecorder.MaximumPoints"/> intervals, neighbours are merged
/// and each becomes twice as long.
/// </para>
/// </summary>
public sealed class TimelineWatch : IDisposable
{
    private const double LookSeconds = 0.1;

    private readonly LatencyHistogram watched;
    private readonly long bytesPerOperation;
    private readonly long[] seen = new long[LatencyHistogram.Buckets];
    private readonly List<LatencyHistogram> intervals = [];
    private readonly List<TimelineEvent> events = [];
    private readonly ManualResetEventSlim ending = new();
    private readonly Lock gate = new();
    private readonly long startTimestamp = Stopwatch.GetTimestamp();
    private readonly Thread thread;
    private readonly double lookSeconds;
    // Both in looks.
    private int intervalLooks = 1;
    private int lookedAt;
    private bool ended;

    /// <summary>Begins to watch.</summary>
    /// <param name="watched">What one loop fills; it is emptied by <see cref="Clear"/> only.</param>
    /// <param name="bytesPerOperation">What each operation moves.</param>
    public TimelineWatch(LatencyHistogram watched, long bytesPerOperation) : this(watched, bytesPerOperation, LookSeconds)
    {
    }

    internal TimelineWatch(LatencyHistogram watched, long bytesPerOperation, double lookSeconds)
    {
        this.lookSeconds = lookSeconds;
        this.watched = watched;
        this.bytesPerOperation = bytesPerOperation;
        thread = new Thread(Watch) { IsBackground = true, Name = "timeline" };
        thread.Start();
    }

    /// <summary>Seconds since it began.</summary>
    public double Seconds => Stopwatch.GetElapsedTime(startTimestamp).TotalSeconds;

    /// <summary>Takes what is new and empties the histogram; between two loops.</summary>
    public void Clear()
    {
        lock (gate)
        {
            Take();
            watched.Clear();
            Array.Clear(seen);
        }
    }

    /// <summary>Something that took time.</summary>
    /// <param name="kind">What it was.</param>
    /// <param name="startSeconds">When it began, in <see cref="Seconds"/>.</param>
    /// <param name="seconds">How long it took.</param>
    public void Mark(string kind, double startSeconds, double seconds) =>
        events.Add(new TimelineEvent { Kind = kind, StartSeconds = Math.Round(startSeconds, 6), Seconds = Math.Round(seconds, 6) });

    /// <summary>Ends and tells what was seen, as a timeline that belongs to no pass.</summary>
    public TimelineRecord Stop()
    {
        Dispose();
        Take();
        return new TimelineRecord
        {
            Pass = TimelineRecord.BeforePasses,
            IntervalSeconds = intervalLooks * lookSeconds,
            Points = [.. intervals.Select((interval, index) => new TimelinePoint
            {
                StartSeconds = index * intervalLooks * lookSeconds,
                Bytes = interval.Count * bytesPerOperation,
                Operations = interval.Count,
                P50Ns = interval.Count == 0 ? null : interval.ValueAtPercentile(50),
                P99Ns = interval.Count == 0 ? null : interval.ValueAtPercentile(99),
                MaxNs = interval.Count == 0 ? null : interval.Max,
            })],
            Events = [.. events],
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (ended)
            return;
        ended = true;
        ending.Set();
        thread.Join();
        ending.Dispose();
    }

    private void Watch()
    {
        // To the next multiple, so that lateness does not add up; a wait is in whole milliseconds.
        while (!ending.Wait((int)Math.Ceiling((lookSeconds - Seconds % lookSeconds) * 1e3)))
        {
            lock (gate)
                Take();
        }
    }

    /// <summary>What was new ended since the last look, and belongs to the interval in which that was.</summary>
    private void Take()
    {
        while (lookedAt / intervalLooks >= TimelineRecorder.MaximumPoints)
            Merge();
        while (intervals.Count <= lookedAt / intervalLooks)
            intervals.Add(new LatencyHistogram());
        intervals[lookedAt / intervalLooks].AddNew(watched, seen);
        lookedAt = (int)(Seconds / lookSeconds);
    }

    private void Merge()
    {
        var pairs = intervals.Chunk(2).ToArray();
        intervals.Clear();
        foreach (var pair in pairs)
        {
            if (pair.Length == 2)
                pair[0].Add(pair[1]);
            intervals.Add(pair[0]);
        }
        intervalLooks *= 2;
    }
}
