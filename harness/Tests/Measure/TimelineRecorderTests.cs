using System.Diagnostics;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Xunit;

namespace Bench.Harness.Tests.Measure;

public sealed class TimelineRecorderTests
{
    private const long Ms = 1_000_000;

    /// <summary>A clock that does not begin at zero, as the real one.</summary>
    private const long Start = 7_123_456_789_012_345;

    private static TimelineRecorder Begun()
    {
        var recorder = new TimelineRecorder();
        recorder.Begin(Start);
        return recorder;
    }

    [Fact]
    public void AnOperationBelongsToTheIntervalInWhichItEnded()
    {
        var recorder = Begun();
        recorder.RecordOperation(Start + 400_000, 400_000, 100);
        recorder.RecordOperation(Start + Ms, 600_000, 100);
        recorder.RecordOperation(Start + 3 * Ms + 1, 2 * Ms + 1, 50);
        var record = recorder.ToRecord(2);
        Assert.Equal((2, 0.001), (record.Pass, record.IntervalSeconds));
        Assert.Equal([0, 0.001, 0.002, 0.003], record.Points.Select(point => point.StartSeconds));
        Assert.Equal([100L, 100, 0, 50], record.Points.Select(point => point.Bytes));
        Assert.Equal([1L, 1, 0, 1], record.Points.Select(point => point.Operations));
        Assert.Equal([400_000L, 600_000, null, 2 * Ms + 1], record.Points.Select(point => point.MaxNs));
    }

    [Fact]
    public void AnIntervalInWhichNothingEndedHasNoLatencyRatherThanZero()
    {
        var recorder = Begun();
        recorder.RecordOperation(Start + 5 * Ms, 5 * Ms, 1);
        var empty = recorder.ToRecord(0).Points[2];
        Assert.Equal((0L, 0L), (empty.Bytes, empty.Operations));
        Assert.True(empty is { P50Ns: null, P99Ns: null, MaxNs: null });
    }

    [Theory]
    [InlineData(100)]
    [InlineData(257)]
    [InlineData(1_000)]
    [InlineData(100_000)]
    public void NoPassIsTooLongAndNothingIsLost(int operations)
    {
        var recorder = Begun();
        for (var index = 1; index <= operations; index++)
            recorder.RecordOperation(Start + index * Ms, index, 10);
        var record = recorder.ToRecord(0);
        Assert.InRange(record.Points.Count, Math.Min(operations, TimelineRecorder.MaximumPoints / 2), TimelineRecorder.MaximumPoints);
        Assert.Equal(operations, record.Points.Sum(point => point.Operations));
        Assert.Equal(operations * 10L, record.Points.Sum(point => point.Bytes));
        Assert.Equal(operations, record.Points.Max(point => point.MaxNs));
        Assert.All(record.Points.Index(), pair => Assert.Equal(pair.Index * record.IntervalSeconds, pair.Item.StartSeconds, 9));
        // Each interval holds as many operations as it is milliseconds long; the first lacks the one at zero.
        Assert.All(record.Points.Skip(1).SkipLast(1), point => Assert.Equal(record.IntervalSeconds * 1_000, point.Operations, 6));
    }

    [Fact]
    public void OneOperationAfterALongWaitFindsItsInterval()
    {
        var recorder = Begun();
        recorder.RecordOperation(Start + Ms / 2, 1, 1);
        recorder.RecordOperation(Start + 3_600_000 * Ms, 1, 1);
        var points = recorder.ToRecord(0).Points;
        Assert.Equal((1L, 1L), (points[0].Operations, points[^1].Operations));
        Assert.InRange(points.Count, TimelineRecorder.MaximumPoints / 2, TimelineRecorder.MaximumPoints);
    }

    [Fact]
    public void PercentilesAreAtMostASixteenthAboveTheTruth()
    {
        var random = new Random(4711);
        long[] latencies = [.. Enumerable.Range(0, 50_000).Select(_ => (long)Math.Exp(random.NextDouble() * 20))];
        var recorder = Begun();
        foreach (var latency in latencies)
            recorder.RecordOperation(Start + 10, latency, 1);
        Array.Sort(latencies);
        var point = Assert.Single(recorder.ToRecord(0).Points);
        Assert.InRange(point.P50Ns!.Value, latencies[24_999], (long)(latencies[24_999] * 1.0625) + 1);
        Assert.InRange(point.P99Ns!.Value, latencies[49_499], (long)(latencies[49_499] * 1.0625) + 1);
        Assert.Equal(latencies[^1], point.MaxNs);
    }

    [Theory]
    [InlineData(-5, 0)]
    [InlineData(0, 0)]
    [InlineData(15, 15)]
    [InlineData(16, 16)]
    [InlineData((1L << 38) - 1, (1L << 38) - 1)]
    [InlineData(long.MaxValue, long.MaxValue)]
    public void TheEndsOfTheRangeHold(long latency, long expected)
    {
        var recorder = Begun();
        recorder.RecordOperation(Start + 10, latency, 1);
        var point = Assert.Single(recorder.ToRecord(0).Points);
        Assert.Equal((expected, expected, expected), (point.P50Ns, point.P99Ns, point.MaxNs));
    }

    [Fact]
    public void OfEachKindTheLongestEventsAreKeptAndTheRestIsCounted()
    {
        var recorder = Begun();
        const int flushes = 1_000;
        Parallel.For(0, flushes, index => recorder.RecordEvent("flush", Start + index * Ms, (index * 7919 % flushes + 10) * 1_000L, 64));
        recorder.RecordEvent("roll", Start + 5 * Ms, 2_000, 1 << 20);
        var record = recorder.ToRecord(0);
        // A roll is shorter than every flush and is there all the same.
        var roll = Assert.Single(record.Events, made => made.Kind == "roll");
        Assert.Equal((0.005, 2e-6, 1L << 20), (roll.StartSeconds, roll.Seconds, roll.Bytes));
        double[] lengths = [.. record.Events.Where(made => made.Kind == "flush").Select(made => made.Seconds).Order()];
        Assert.Equal(TimelineRecorder.MaximumEventsPerKind, lengths.Length);
        Assert.Equal((flushes - TimelineRecorder.MaximumEventsPerKind + 10) * 1e-6, lengths[0], 9);
        Assert.Equal(flushes - TimelineRecorder.MaximumEventsPerKind, record.EventsLeftOut);
        Assert.Equal(record.Events.OrderBy(made => made.StartSeconds), record.Events);
    }

    [Fact]
    public void RecordersOfSeveralThreadsAddUpWhateverTheirIntervalsHaveBecome()
    {
        var (first, second, whole) = (Begun(), Begun(), Begun());
        for (var index = 1; index <= 2_000; index++)
        {
            // The second ends early: its intervals stay finer than the first's.
            var recorder = index <= 150 && index % 2 == 0 ? second : first;
            recorder.RecordOperation(Start + index * Ms, index * 100, index);
            whole.RecordOperation(Start + index * Ms, index * 100, index);
        }
        second.RecordEvent("roll", Start + Ms, 5, 6);
        whole.RecordEvent("roll", Start + Ms, 5, 6);
        var expected = RecordOf(whole);
        var (forth, back) = (Begun(), Begun());
        forth.Add(first);
        forth.Add(second);
        back.Add(second);
        back.Add(first);
        Assert.Equal(expected, RecordOf(forth));
        Assert.Equal(expected, RecordOf(back));

        static string RecordOf(TimelineRecorder recorder) => RecordJson.Write(Samples.Record() with { Timeline = recorder.ToRecord(0) });
    }

    [Fact]
    public void RecordersThatDidNotBeginTogetherAreNotAdded()
    {
        var other = new TimelineRecorder();
        other.Begin(Start + 1);
        Assert.Throws<ArgumentException>(() => Begun().Add(other));
    }

    [Fact]
    public void BeginForgetsWhatWas()
    {
        var recorder = Begun();
        for (var index = 0; index < 1_000; index++)
            recorder.RecordOperation(Start + index * Ms, 5, 1);
        recorder.RecordEvent("flush", Start, 1, 1);
        recorder.Begin(Start + 5_000 * Ms);
        recorder.RecordOperation(Start + 5_000 * Ms + 1, 3, 1);
        var record = recorder.ToRecord(0);
        Assert.Equal((0.001, 0), (record.IntervalSeconds, record.EventsLeftOut));
        Assert.Empty(record.Events);
        Assert.Equal((1L, 3L), (Assert.Single(record.Points).Operations, record.Points[0].MaxNs));
    }

    [Fact]
    public void RecordingAllocatesNothing()
    {
        var recorder = Begun();
        recorder.RecordOperation(Start + 1, 1, 1);
        // The least of three: the runtime may allocate something once, when it comes by a path for the first time.
        var least = long.MaxValue;
        for (var run = 0; run < 3; run++)
        {
            recorder.Begin(Start);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var index = 0; index < 100_000; index++)
                recorder.RecordOperation(Start + index * 50_000L, index, 64);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(0, least);
    }

    /// <summary>The bound is loose, for a machine that does other things too; what it guards against is a division, a lock or an allocation.</summary>
    [Fact]
    public void RecordingCostsLittleBesideAnOperation()
    {
        var recorder = new TimelineRecorder();
        var best = double.MaxValue;
        for (var round = 0; round < 5; round++)
        {
            recorder.Begin(0);
            const int operations = 1_000_000;
            var start = Stopwatch.GetTimestamp();
            for (var index = 0; index < operations; index++)
                recorder.RecordOperation(index * 200L, 1_000 + (index & 1_023), 64);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalNanoseconds / operations);
        }
        Assert.True(best < 100, $"{best} ns an operation");
    }
}
