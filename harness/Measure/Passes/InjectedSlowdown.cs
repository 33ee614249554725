using System.Diagnostics;
using System.Runtime.CompilerServices;
using Bench.Disk;

namespace Bench.Measure.Passes;

/// <summary>
/// The test hook of the gate: makes every operation of a loop longer by a share of itself, so that a change of known
/// size exists on any machine, for any case. <c>bench calibrate</c> uses it to prove that the gate finds what it says.
/// <para>
/// criterion and Bencher can show their false alarms at best; what they would miss, nobody knows until it happens. A
/// fixed pause would be nothing to a disk and everything to the page cache; a share is the same to both. What one wait
/// is too long is taken off the next, so the share holds for operations shorter than the clock's grain too.
/// </para>
/// <para>Off (0) it is one comparison. A run with it says so in each record; a history refuses such records, and comparisons of stored runs mark them.</para>
/// </summary>
/// <param name="share">By how much: 0.1 makes an operation take 10 % longer.</param>
public struct InjectedSlowdown(double share)
{
    /// <summary>Its key among a record's effective values.</summary>
    public const string EffectiveKey = "injectedSlowdown";

    private double owedNs;

    /// <summary>True if operations are made longer.</summary>
    public readonly bool IsOn => share > 0;

    /// <summary>Waits after an operation, busily, as work would.</summary>
    /// <param name="last">When the operation began, in the clock's nanoseconds.</param>
    /// <param name="now">When it ended.</param>
    /// <returns>When the wait ended; <paramref name="now"/> if there is none.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long After(long last, long now) => share > 0 ? Wait(last, now) : now;

    /// <summary>Takes time off the next wait that the hook itself has cost already.</summary>
    /// <param name="nanoseconds">How much.</param>
    internal void Spend(double nanoseconds) => owedNs -= nanoseconds;

    private long Wait(long last, long now)
    {
        owedNs += share * (now - last);
        if (owedNs <= 0)
            return now;
        var until = now + (long)owedNs;
        var then = now;
        while (then < until)
            then = Stopwatch.GetTimestamp();
        owedNs -= then - now;
        return then;
    }
}

/// <summary>A block operation with the test hook around it, so that <see cref="OpLoop"/> itself knows nothing of it.</summary>
internal struct SlowedOperation<TOperation>(TOperation inner, double share) : IBlockOperation
    where TOperation : struct, IBlockOperation
{
    private TOperation operation = inner;
    private InjectedSlowdown slowdown = new(share);
    private long last;

    public void Run(long position)
    {
        // From the end of the last wait on, so that what the loop itself takes has its share too.
        if (last == 0)
            last = Stopwatch.GetTimestamp();
        operation.Run(position);
        // The loop reads the clock anyway; this is one reading more, a fiftieth of a warm read.
        slowdown.Spend(SlowdownClock.ReadNs);
        last = slowdown.After(last, Stopwatch.GetTimestamp());
    }
}

/// <summary>What reading the clock takes here.</summary>
internal static class SlowdownClock
{
    private const int Readings = 1000;

    /// <summary>Nanoseconds of one reading, from the fastest of twenty rounds.</summary>
    internal static readonly double ReadNs = Enumerable.Range(0, 20).Min(_ => OneRound());

    private static double OneRound()
    {
        var start = Stopwatch.GetTimestamp();
        for (var i = 1; i < Readings; i++)
            Stopwatch.GetTimestamp();
        return (double)(Stopwatch.GetTimestamp() - start) / Readings;
    }
}
