using System.Diagnostics;
using System.Runtime.CompilerServices;
using Bench.Disk;
using Bench.Disk.Uring;

namespace Bench.Measure.Passes;

/// <summary>
/// The open loop of one thread over a ring: each request goes out at the moment at which it is due, up to the ring's
/// depth at once. With psync a slow request holds up all that are due meanwhile; here only a full queue does, which is
/// how a server meets its drive. A loop of its own, so that the closed one has no branch for it.
/// <para>
/// Between two moments the ring is asked again and again, without sleeping: a thread that waited for a completion could
/// not send what becomes due before it. That costs a processor.
/// </para>
/// </summary>
public static class PacedRingLoop
{
    /// <summary>Runs operations until a limit is met.</summary>
    /// <param name="ring">The ring, of this thread.</param>
    /// <param name="writes">Write stamped blocks, or read.</param>
    /// <param name="positions">Which blocks.</param>
    /// <param name="limit">When to end.</param>
    /// <param name="pacing">When operations are due; gets the service times.</param>
    /// <param name="response">Gets one latency per operation, from when it was due.</param>
    /// <param name="stop">The user's wish to stop.</param>
    /// <param name="inFlightMean">Mean over time of the requests submitted and not yet reaped.</param>
    /// <exception cref="OperationCanceledException">The user wants to stop.</exception>
    /// <exception cref="DiskException">An operation failed.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static LoopResult Run<TPositions>(
        BlockRing ring, bool writes, ref TPositions positions, LoopLimit limit, Pacing pacing, LatencyHistogram response, StopSignal stop, out double inFlightMean)
        where TPositions : struct, IPositions
    {
        Span<long> dueAt = stackalloc long[ring.QueueDepth];
        Span<long> sentAt = stackalloc long[ring.QueueDepth];
        Span<int> free = stackalloc int[ring.QueueDepth];
        for (var slot = 0; slot < free.Length; slot++)
            free[slot] = slot;
        var freeCount = free.Length;
        var start = Stopwatch.GetTimestamp();
        var deadline = limit.DeadlineNs > long.MaxValue - start ? long.MaxValue : start + limit.DeadlineNs;
        var arrivals = new Arrivals(pacing.PerSecond, pacing.Seed);
        var due = start + arrivals.NextNs();
        var (now, lastDue, lastEnd) = (start, start, start);
        double inFlightTime = 0;
        long issued = 0, done = 0;
        while (true)
        {
            var more = issued < limit.Operations && now < deadline && !stop.IsRequested;
            if (!more && ring.Pending == 0)
                break;
            while (more && freeCount > 0 && due <= now)
            {
                var slot = free[--freeCount];
                if (writes)
                    ring.PrepareStampedWrite(slot, positions.Next());
                else
                    ring.PrepareRead(slot, positions.Next());
                (dueAt[slot], sentAt[slot], lastDue) = (due, now, due);
                issued++;
                // One by one, as in the closed loop: held back for a batch, the device would idle meanwhile.
                ring.Submit(0);
                due = start + arrivals.NextNs();
                more = issued < limit.Operations;
                now = Clock(ring, now, ref inFlightTime);
            }
            if (ring.Pending > 0)
                ring.Submit(freeCount == 0 || !more ? 1 : 0);
            else
                Pause.Until(due, stop);
            now = Clock(ring, now, ref inFlightTime);
            var ended = done;
            while (ring.TryReap(out var slot, out var bytesDone))
            {
                if (bytesDone != ring.BlockBytes)
                    throw DiskException.Ended("io_uring", "the file of this case");
                response.Record(now - dueAt[slot]);
                pacing.Service.Record(now - sentAt[slot]);
                free[freeCount++] = slot;
                lastEnd = now;
                done++;
            }
            if (done == ended)
                Thread.Yield();
        }
        stop.ThrowIfRequested();
        pacing.Ended(lastDue - start, lastEnd - start);
        inFlightMean = lastEnd > start ? inFlightTime / (lastEnd - start) : 0;
        return new LoopResult(done, lastEnd - start);
    }

    /// <summary>Now; what was in flight since the last reading is counted for as long.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Clock(BlockRing ring, long before, ref double inFlightTime)
    {
        var now = Stopwatch.GetTimestamp();
        inFlightTime += (double)ring.Pending * (now - before);
        return now;
    }
}
