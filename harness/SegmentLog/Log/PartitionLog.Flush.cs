using System.Collections.Concurrent;
using System.Diagnostics;
using Bench.SegmentLog.Format;

namespace Bench.SegmentLog;

/// <summary>What a power loss would have taken at the worst moment: bytes and time that were acknowledged and not durable.</summary>
/// <param name="Bytes">Most bytes.</param>
/// <param name="Duration">Longest time from an acknowledgement until its record was durable, or until now if it is not.</param>
public readonly record struct DataAtRisk(long Bytes, TimeSpan Duration);

public sealed partial class PartitionLog
{
    private const long WriteBehindBytes = 1 << 20;

    // Flushes one after the other; never taken while holding it and waiting for 'appending'.
    private readonly Lock flushing = new();
    private readonly Lock syncingFolder = new();
    private readonly Lock grouping = new();
    private readonly Turns groupTurns = new();
    private FlushGroup joining = new();
    private int groupExpected;
    private Timer? flushTimer;
    private long appendedBytes;
    private long durableBytes;
    private long durableOffset;
    private long recordsSinceFlush;
    private long bytesAtFlush;
    private long writtenBehind;
    private long riskSince;
    private long riskCountsFrom;
    // What queued and running flushes are to make durable: the bytes before which, and since when it has been at risk.
    private readonly ConcurrentQueue<(long Bytes, long Since)> risksBeingFlushed = new();
    private long mostBytesAtRisk;
    private long longestTicksAtRisk;

    /// <summary>The offset before which all records are durable.</summary>
    public long DurableOffset => Math.Min(Volatile.Read(ref durableOffset), EndOffset);

    /// <summary>
    /// The offset to note as recovery point: all before it is durable, the indexes too. While the log is open it is the
    /// beginning of a segment: a recovery checks whole segments, and the active one's indexes are nowhere yet. (An offset
    /// at its end would become the next one's beginning, and the recovery would pass it over.)
    /// </summary>
    public long RecoveryPoint
    {
        get
        {
            var point = DurableOffset;
            if (Volatile.Read(ref unsavedEpochOffset) is var unsaved and >= 0)
                point = Math.Min(point, unsaved);
            foreach (var segment in Volatile.Read(ref segments))
                if (!segment.SideFilesDurable)
                    return Math.Min(point, segment.BaseOffset);
            return point;
        }
    }

    /// <summary>Makes all records durable that were appended before the call.</summary>
    /// <exception cref="AppendRejectedException">An earlier write or flush had failed.</exception>
    /// <exception cref="Disk.DiskException">This one fails; the log takes nothing more until it is opened again.</exception>
    public void Flush()
    {
        lock (flushing)
        {
            Segment[] unflushed;
            long offset, bytes;
            lock (appending)
            {
                ThrowIfUnusable();
                unflushed = [.. segments.Where(segment => !segment.IsFlushed)];
                (offset, bytes) = (endOffset, appendedBytes);
                LeaveRiskToFlush();
                recordsSinceFlush = 0;
                bytesAtFlush = appendedBytes;
            }
            FlushSegments(unflushed, offset, bytes);
        }
    }

    /// <summary>What was at risk since the last <see cref="ResetDataAtRisk"/>.</summary>
    public DataAtRisk DataAtRisk
    {
        get
        {
            lock (appending)
            {
                // A flush that is queued or runs has made nothing durable yet.
                var since = risksBeingFlushed.TryPeek(out var pending) && pending.Bytes > Volatile.Read(ref durableBytes) ? pending.Since : riskSince;
                var now = since == 0 ? 0 : Ticks - Math.Max(since, riskCountsFrom);
                return new DataAtRisk(mostBytesAtRisk, Stopwatch.GetElapsedTime(0, Math.Max(longestTicksAtRisk, now)));
            }
        }
    }

    /// <summary>Begins to look anew; what is at risk now counts from now.</summary>
    public void ResetDataAtRisk()
    {
        lock (appending)
        {
            mostBytesAtRisk = 0;
            longestTicksAtRisk = 0;
            Volatile.Write(ref riskCountsFrom, Ticks);
        }
    }

    /// <summary>Under the lock of appends: what is appended from now on is at risk until another flush.</summary>
    private void LeaveRiskToFlush()
    {
        if (riskSince != 0)
            risksBeingFlushed.Enqueue((appendedBytes, riskSince));
        riskSince = 0;
    }

    private void FlushSegments(Segment[] unflushed, long offset, long bytes)
    {
        var start = Ticks;
        try
        {
            foreach (var segment in unflushed)
                FlushIfThere(segment);
            SyncFolderIfNew();
        }
        catch (Exception exception)
        {
            Fail(exception);
            throw;
        }
        var end = Ticks;
        var before = durableBytes;
        if (bytes > before)
            Volatile.Write(ref durableBytes, bytes);
        // Without new bytes too: what a recovery has found is durable after the first flush.
        InterlockedMax(ref durableOffset, offset);
        // All of them, also those whose own flush, still queued, will find nothing left to do.
        while (risksBeingFlushed.TryPeek(out var risk) && risk.Bytes <= durableBytes && risksBeingFlushed.TryDequeue(out _))
            InterlockedMax(ref longestTicksAtRisk, end - Math.Max(risk.Since, Volatile.Read(ref riskCountsFrom)));
        if (unflushed.Length > 0)
            observer?.Flushed(start, end, Math.Max(0, bytes - before));
    }

    /// <summary>One that a deletion or a compaction has taken out meanwhile has nothing left to make durable.</summary>
    private static void FlushIfThere(Segment segment)
    {
        if (!segment.TryAcquire())
            return;
        try
        {
            segment.Flush();
        }
        finally
        {
            segment.Release();
        }
    }

    /// <summary>Under the lock of appends, policy <c>each</c>: the write and its flush, before anybody may see the records.</summary>
    private void AppendDurably(Segment segment, ReadOnlySpan<byte> bytes, ref AppendInfo info)
    {
        var start = observer is null ? 0 : Ticks;
        segment.Append(bytes, info.LastOffset, info.Largest, durably: true);
        SyncFolderIfNew();
        segment.FlushedBytes = segment.SizeBytes;
        durableBytes = appendedBytes + bytes.Length;
        InterlockedMax(ref durableOffset, info.LastOffset + 1);
        observer?.Flushed(start, Ticks, bytes.Length);
    }

    /// <summary>A new file's name is durable once its folder is; the flush of the file alone does not promise it.</summary>
    private void SyncFolderIfNew()
    {
        if (Volatile.Read(ref folderChanged) == 0)
            return;
        lock (syncingFolder)
        {
            var change = Volatile.Read(ref folderChanged);
            if (change == 0)
                return;
            storage.SyncFolder(Folder);
            // Only now: who comes meanwhile has to wait until it is done. A change in between stays for the next.
            Interlocked.CompareExchange(ref folderChanged, 0, change);
        }
    }

    /// <summary>Under the lock of appends.</summary>
    private void NoteRisk()
    {
        var risk = appendedBytes - Volatile.Read(ref durableBytes);
        if (risk <= 0 || config.FlushPolicy.IsDurable)
            return;
        if (risk > mostBytesAtRisk)
            mostBytesAtRisk = risk;
        if (riskSince == 0)
            riskSince = Ticks;
    }

    /// <summary>What the policy asks of an append before it returns; outside the lock.</summary>
    private void Acknowledge(long position)
    {
        switch (config.FlushPolicy.Kind)
        {
            case FlushKind.Group:
                WaitForGroup(position);
                break;
            case FlushKind.Bytes or FlushKind.Records when IsOverLimit:
                // One at a time; who waits here finds that the flush of another has taken the limit down.
                lock (flushing)
                    if (IsOverLimit)
                        Flush();
                break;
        }
    }

    private bool IsOverLimit => config.FlushPolicy.Kind == FlushKind.Bytes
        ? Volatile.Read(ref appendedBytes) - Volatile.Read(ref bytesAtFlush) >= config.FlushPolicy.Value
        : Volatile.Read(ref recordsSinceFlush) >= config.FlushPolicy.Value;

    /// <summary>
    /// Group commit: the first of a group waits for the flush before to end, a while for others, flushes for all, and wakes
    /// them; who comes during the flush is of the next group. It waits no longer than until as many have come as there
    /// seem to be: those of the last group and those who came during its flush. So one producer waits for nobody, and
    /// sixteen are together as soon as the last of them has appended (PostgreSQL's commit_delay always waits to its end).
    /// The next group's first is woken before the members of this one, so that the disk is not idle while they wake.
    /// </summary>
    private void WaitForGroup(long position)
    {
        FlushGroup mine;
        bool leads;
        lock (grouping)
        {
            mine = joining;
            leads = mine.Members == 0;
            Volatile.Write(ref mine.Members, mine.Members + 1);
            mine.LastPosition = Math.Max(mine.LastPosition, position);
        }
        if (!leads)
        {
            mine.Ended.Wait();
            // Its flush failed, or the log was closed before it.
            if (Volatile.Read(ref durableBytes) < position)
                Flush();
            return;
        }
        groupTurns.Enter();
        try
        {
            if (config.FlushPolicy.Value > 0)
                Gather(mine, config.FlushPolicy.Value);
            var next = new FlushGroup();
            lock (grouping)
                joining = next;
            // The flush before may have taken along what all of them wrote.
            if (Volatile.Read(ref durableBytes) < mine.LastPosition)
                Flush();
            groupExpected = mine.Members + Volatile.Read(ref next.Members);
        }
        finally
        {
            groupTurns.Exit();
            mine.Ended.Set();
        }
    }

    /// <summary>A sleep is good for milliseconds only: shorter waits give the processor to those who are to join.</summary>
    private void Gather(FlushGroup group, long microseconds)
    {
        var end = Ticks + microseconds * Stopwatch.Frequency / 1_000_000;
        while (Volatile.Read(ref group.Members) < groupExpected && end - Ticks is > 0 and var left)
        {
            if (left > Stopwatch.Frequency / 500)
                Thread.Sleep(1);
            else
                Thread.Yield();
        }
    }

    /// <summary>Appends that wait for one flush.</summary>
#pragma warning disable CA1001 // The event has a handle only where one is asked for.
    private sealed class FlushGroup
#pragma warning restore CA1001
    {
        internal readonly ManualResetEventSlim Ended = new(false, 0);

        internal int Members;

        internal long LastPosition;
    }

    /// <summary>Starts the write-back of what was appended, so that the flush finds less to do.</summary>
    private void WriteBehind()
    {
        var segment = active;
        var size = segment.SizeBytes;
        if (writtenBehind > size)
            writtenBehind = 0;
        if (size - writtenBehind < WriteBehindBytes)
            return;
        segment.File.StartWriteBack(writtenBehind, size - writtenBehind);
        writtenBehind = size;
    }

    private void StartFlushTimer()
    {
        var interval = TimeSpan.FromMilliseconds(config.FlushPolicy.Value);
        flushTimer = new Timer(_ =>
        {
            // A flush that takes longer than the interval: the next comes when it has ended.
            if (Volatile.Read(ref durableBytes) == Volatile.Read(ref appendedBytes) || !flushing.TryEnter())
                return;
            try
            {
                Flush();
            }
            catch (Exception exception) when (exception is IOException or AppendRejectedException or ObjectDisposedException)
            {
                // Kept in 'failure': the next append tells it.
            }
            finally
            {
                flushing.Exit();
            }
        }, null, interval, interval);
    }

    private static void InterlockedMax(ref long place, long value)
    {
        for (var seen = Volatile.Read(ref place); value > seen;)
        {
            var found = Interlocked.CompareExchange(ref place, value, seen);
            if (found == seen)
                return;
            seen = found;
        }
    }
}
