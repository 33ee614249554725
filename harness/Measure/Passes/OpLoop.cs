using System.Diagnostics;
using System.Runtime.CompilerServices;
using Bench.Disk;

namespace Bench.Measure.Passes;

/// <summary>How long a loop goes on: a number of operations, or a time if that comes first.</summary>
/// <param name="Operations">Operations to do.</param>
/// <param name="DeadlineNs">Time from the start of the loop, in nanoseconds.</param>
public readonly record struct LoopLimit(long Operations, long DeadlineNs);

/// <summary>What a loop did.</summary>
/// <param name="Operations">Operations done.</param>
/// <param name="ElapsedNs">From before the first to after the last operation.</param>
public readonly record struct LoopResult(long Operations, long ElapsedNs);

/// <summary>
/// The timed loop at queue depth 1: operation, clock, histogram, and nothing else.
/// <para>
/// fio walks a state machine with several function pointers, a unit structure and two clock readings for each
/// operation (about 200 ns on its fastest path); BenchmarkDotNet calls a delegate and keeps no distribution. Here the
/// loop is generic over two structs, so that the compiler makes one piece of straight code per kind of operation:
/// one clock reading per operation, because the end of one operation is the start of the next, and choosing the next
/// position counts as part of it (a few ns). No allocation, no virtual call, no boxing.
/// </para>
/// </summary>
public static class OpLoop
{
    /// <summary>Runs operations until a limit is met.</summary>
    /// <param name="operation">What to do on each block.</param>
    /// <param name="positions">Which block.</param>
    /// <param name="limit">When to end.</param>
    /// <param name="histogram">Gets one latency per operation.</param>
    /// <param name="stop">The user's wish to stop.</param>
    /// <exception cref="OperationCanceledException">The user wants to stop.</exception>
    /// <exception cref="DiskException">An operation failed.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static LoopResult Run<TOperation, TPositions>(
        ref TOperation operation, ref TPositions positions, LoopLimit limit, LatencyHistogram histogram, StopSignal stop)
        where TOperation : struct, IBlockOperation
        where TPositions : struct, IPositions
    {
        // Stopwatch ticks are nanoseconds on every Linux (.NET reads CLOCK_MONOTONIC).
        var start = Stopwatch.GetTimestamp();
        var deadline = limit.DeadlineNs > long.MaxValue - start ? long.MaxValue : start + limit.DeadlineNs;
        var last = start;
        long done = 0;
        while (done < limit.Operations && last < deadline)
        {
            operation.Run(positions.Next());
            var now = Stopwatch.GetTimestamp();
            histogram.Record(now - last);
            last = now;
            done++;
            if (stop.IsRequested)
                stop.ThrowIfRequested();
        }
        return new LoopResult(done, last - start);
    }
}
