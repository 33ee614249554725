using System.Diagnostics;
using System.Runtime.CompilerServices;
using Bench.Disk;

namespace Bench.Measure.Passes;

/// <summary>
/// The open loop of one thread: <see cref="OpLoop"/> with a moment at which each operation is due. A loop of its own,
/// so that the closed one has no branch for it.
/// </summary>
public static class PacedLoop
{
    /// <summary>Runs operations until a limit is met.</summary>
    /// <param name="operation">What to do on each block.</param>
    /// <param name="positions">Which block.</param>
    /// <param name="limit">When to end.</param>
    /// <param name="pacing">When operations are due; gets the service times.</param>
    /// <param name="response">Gets one latency per operation, from when it was due.</param>
    /// <param name="stop">The user's wish to stop.</param>
    /// <exception cref="OperationCanceledException">The user wants to stop.</exception>
    /// <exception cref="DiskException">An operation failed.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static LoopResult Run<TOperation, TPositions>(
        ref TOperation operation, ref TPositions positions, LoopLimit limit, Pacing pacing, LatencyHistogram response, StopSignal stop)
        where TOperation : struct, IBlockOperation
        where TPositions : struct, IPositions
    {
        var start = Stopwatch.GetTimestamp();
        var deadline = limit.DeadlineNs > long.MaxValue - start ? long.MaxValue : start + limit.DeadlineNs;
        var arrivals = new Arrivals(pacing.PerSecond, pacing.Seed);
        var (last, due) = (start, start);
        long done = 0;
        while (done < limit.Operations && last < deadline)
        {
            due = start + arrivals.NextNs();
            var begin = Pause.Until(due, stop);
            operation.Run(positions.Next());
            last = Stopwatch.GetTimestamp();
            response.Record(last - due);
            pacing.Service.Record(last - begin);
            done++;
            stop.ThrowIfRequested();
        }
        pacing.Ended(due - start, last - start);
        return new LoopResult(done, last - start);
    }
}
