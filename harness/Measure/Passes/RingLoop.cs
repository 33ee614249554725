using System.Diagnostics;
using System.Runtime.CompilerServices;
using Bench.Disk;
using Bench.Disk.Uring;

namespace Bench.Measure.Passes;

/// <summary>
/// The timed loop at a queue depth: keeps every slot of a ring busy until the limit, then lets the queue run empty.
/// <para>
/// Latency runs from just before the system call that submits a request to just after the one that finds it done:
/// fio's total latency. (fio's completion latency starts after the submitting call, in which a cached request is
/// already served, and then reads 0.1 µs.) One clock reading per batch of completions, not per operation.
/// </para>
/// <para>
/// Direct requests go to the kernel one by one, as fio's do: held back for a batch, the device would idle meanwhile
/// (about 15 % of the throughput of a virtio disk). Buffered ones go in batches: most are served within the call, and
/// a call for each would only cost (a sixth of the writes to XFS). ext4 leaves its buffered writes to a worker of the
/// kernel; sending those one by one was tried too, and gained nothing that came again (see reports/fio-parity.md).
/// </para>
/// </summary>
public static class RingLoop
{
    /// <summary>Runs operations until a limit is met.</summary>
    /// <param name="ring">The ring, of this thread.</param>
    /// <param name="writes">Write stamped blocks, or read.</param>
    /// <param name="eager">Submit each request at once rather than with the next wait.</param>
    /// <param name="positions">Which blocks.</param>
    /// <param name="limit">When to end.</param>
    /// <param name="histogram">Gets one latency per operation.</param>
    /// <param name="stop">The user's wish to stop.</param>
    /// <param name="slowdown">Makes each round of waiting longer by a share of itself, in tests of the gate.</param>
    /// <param name="inFlightMean">Mean over time of the requests submitted and not yet reaped.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static LoopResult Run<TPositions>(
        BlockRing ring, bool writes, bool eager, ref TPositions positions, LoopLimit limit, LatencyHistogram histogram, StopSignal stop, InjectedSlowdown slowdown, out double inFlightMean)
        where TPositions : struct, IPositions
    {
        Span<long> submittedAt = stackalloc long[ring.QueueDepth];
        var start = Stopwatch.GetTimestamp();
        var deadline = limit.DeadlineNs > long.MaxValue - start ? long.MaxValue : start + limit.DeadlineNs;
        var now = start;
        double inFlightTime = 0;
        long issued = 0, done = 0;
        for (var slot = 0; slot < ring.QueueDepth && issued < limit.Operations; slot++)
        {
            Prepare(ring, writes, slot, positions.Next());
            submittedAt[slot] = now;
            issued++;
            if (eager)
                ring.Submit(0);
        }
        while (ring.Pending > 0)
        {
            var inFlight = ring.Pending;
            ring.Submit(1);
            var before = now;
            now = slowdown.After(before, Stopwatch.GetTimestamp());
            inFlightTime += (double)inFlight * (now - before);
            // Not what ends while these are reaped: it has no reading of the clock yet.
            for (var ready = ring.Ready; ready > 0 && ring.TryReap(out var slot, out var bytesDone); ready--)
            {
                if (bytesDone != ring.BlockBytes)
                    throw DiskException.Ended("io_uring", "the file of this case");
                histogram.Record(now - submittedAt[slot]);
                done++;
                if (issued < limit.Operations && now < deadline && !stop.IsRequested)
                {
                    Prepare(ring, writes, slot, positions.Next());
                    submittedAt[slot] = now;
                    issued++;
                    if (eager)
                        ring.Submit(0);
                }
            }
        }
        stop.ThrowIfRequested();
        inFlightMean = now > start ? inFlightTime / (now - start) : 0;
        return new LoopResult(done, now - start);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prepare(BlockRing ring, bool writes, int slot, long position)
    {
        if (writes)
            ring.PrepareStampedWrite(slot, position);
        else
            ring.PrepareRead(slot, position);
    }
}
