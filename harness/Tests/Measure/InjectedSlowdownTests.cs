using System.Diagnostics;
using Bench.Disk;
using Bench.Measure;
using Bench.Measure.Passes;
using Xunit;

namespace Bench.Harness.Tests.Measure;

/// <summary>The test hook of the gate: it makes what it says longer by what it says, and is nothing when it is off.</summary>
public sealed class InjectedSlowdownTests
{
    [Fact]
    public void OffItGivesTheTimeBack()
    {
        var off = new InjectedSlowdown(0);
        Assert.False(off.IsOn);
        Assert.Equal(7, off.After(3, 7));
    }

    [Fact]
    public void AnOperationIsFollowedByItsShare()
    {
        var slowdown = new InjectedSlowdown(0.5);
        var start = Stopwatch.GetTimestamp();
        // As if the operation had taken two milliseconds.
        var end = slowdown.After(start - 2_000_000, start);
        Assert.True(end - start >= 1_000_000, $"waited {end - start} ns");
        Assert.True(Stopwatch.GetTimestamp() >= end);
    }

    [Fact]
    public void ShareOfOperationsBelowTheClocksGrainAddsUp()
    {
        const int operations = 20_000;
        long WaitsOfOneRound()
        {
            var slowdown = new InjectedSlowdown(0.1);
            long waited = 0;
            for (var i = 0; i < operations; i++)
            {
                var now = Stopwatch.GetTimestamp();
                // Ten nanoseconds each: the share is one.
                waited += slowdown.After(now - 10, now) - now;
            }
            return waited;
        }

        long[] rounds = [.. Enumerable.Range(0, 20).Select(_ => WaitsOfOneRound())];
        // A wait that is too long is taken off the next, so only the last may be over; a round that the system interrupts
        // in a wait has all of that interruption in it.
        Assert.All(rounds, waited => Assert.True(waited >= operations, $"{waited} ns of waits for {operations} ns"));
        Assert.True(rounds.Min() < 3 * operations, $"{rounds.Min()} ns of waits for {operations} ns");
    }

    [Fact]
    public void InTheLoopItIsPartOfTheLatency()
    {
        var positions = new SequentialPositions(0, 16, 4096, 0);
        var histogram = new LatencyHistogram();
        var slowed = new SlowedOperation<Pause>(new Pause(), 3);
        var result = OpLoop.Run(ref slowed, ref positions, new LoopLimit(5, long.MaxValue), histogram, new StopSignal());
        Assert.Equal(5, result.Operations);
        // Of all together: a wait that was interrupted, and so too long, shortens the next.
        Assert.True(result.ElapsedNs >= 5 * 4 * Pause.Ns, $"the five took {result.ElapsedNs} ns");
        Assert.Equal(result.ElapsedNs, histogram.Mean * 5, 1.0);
    }

    /// <summary>What reading the clock for it takes is a large part of a tenth of a warm read.</summary>
    [Fact]
    public void WhatTheHookItselfCostsIsTakenOffTheNextWait()
    {
        var slowdown = new InjectedSlowdown(0.5);
        slowdown.Spend(1_000_001);
        var start = Stopwatch.GetTimestamp();
        // Half of two milliseconds is owed, and has been spent already.
        Assert.Equal(start, slowdown.After(start - 2_000_000, start));
        Assert.True(slowdown.After(start - 2_000_000, start) - start >= 999_999);
        Assert.InRange(SlowdownClock.ReadNs, 1, 100_000);
    }

    private readonly struct Pause : IBlockOperation
    {
        internal const long Ns = 200_000;

        public void Run(long position)
        {
            for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetTimestamp() - start < Ns;)
            {
            }
        }
    }
}
