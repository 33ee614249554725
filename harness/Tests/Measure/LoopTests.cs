using Bench.Disk;
using Bench.Disk.Uring;
using Bench.Harness.Tests.Disk;
using Bench.Measure;
using Bench.Measure.Passes;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.Measure;

/// <summary>The loops at depth 1 and at a depth: how much they do, when they end, and that they cost nothing.</summary>
public sealed class LoopTests : IDisposable
{
    private const int BlockBytes = 4096;
    private const int Blocks = 256;

    private readonly TestFolder folder = new();
    private readonly LatencyHistogram histogram = new();
    private readonly StopSignal stop = new();

    public void Dispose() => folder.Dispose();

    /// <summary>Notes where it was called; stops or fails at a planned operation.</summary>
    private struct Fake(long[] calls, StopSignal? stopAt = null, long stopAfter = 0, long failAfter = 0, int sleepMs = 0) : IBlockOperation
    {
        public long Count { get; private set; }

        public void Run(long position)
        {
            calls[Count++ % calls.Length] = position;
            if (sleepMs > 0)
                Thread.Sleep(sleepMs);
            if (Count == failAfter)
                throw new IOException("planned");
            if (Count == stopAfter)
                stopAt!.Request();
        }
    }

    private static SequentialPositions Sequential => new(0, Blocks, BlockBytes, 0);

    private string DataFile()
    {
        var path = folder.File("data");
        File.WriteAllBytes(path, DataFolder.Bytes(Blocks * BlockBytes));
        return path;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1000)]
    public void TheLoopDoesAsManyOperationsAsAskedEachAtItsPosition(int operations)
    {
        var calls = new long[1000];
        var fake = new Fake(calls);
        var positions = Sequential;
        var result = OpLoop.Run(ref fake, ref positions, new LoopLimit(operations, long.MaxValue), histogram, stop);
        Assert.Equal(operations, result.Operations);
        Assert.Equal(operations, fake.Count);
        Assert.Equal(operations, histogram.Count);
        Assert.Equal(Enumerable.Range(0, operations).Select(i => i % Blocks * (long)BlockBytes), calls[..operations]);
    }

    [Fact]
    public void TheLatenciesAddUpToTheTimeOfTheLoop()
    {
        var fake = new Fake(new long[1]);
        var positions = Sequential;
        var result = OpLoop.Run(ref fake, ref positions, new LoopLimit(5000, long.MaxValue), histogram, stop);
        // One clock reading per operation: nothing lies between two operations.
        Assert.Equal(result.ElapsedNs, histogram.Mean * histogram.Count, 1.0);
    }

    [Fact]
    public void TheDeadlineEndsTheLoopAfterTheOperationThatPassesIt()
    {
        var fake = new Fake(new long[1], sleepMs: 3);
        var positions = Sequential;
        var result = OpLoop.Run(ref fake, ref positions, new LoopLimit(long.MaxValue, 2_000_000), histogram, stop);
        Assert.Equal((1, 1), (result.Operations, histogram.Count));
        Assert.True(result.ElapsedNs >= 2_000_000);
    }

    [Fact]
    public void ADeadlineThatHasPassedMeansNoOperation()
    {
        var fake = new Fake(new long[1]);
        var positions = Sequential;
        Assert.Equal(0, OpLoop.Run(ref fake, ref positions, new LoopLimit(10, 0), histogram, stop).Operations);
        Assert.Equal(0, histogram.Count);
    }

    [Fact]
    public void TheStopSignalEndsTheLoopAtOnce()
    {
        var fake = new Fake(new long[1], stop, stopAfter: 17);
        var positions = Sequential;
        Assert.Throws<OperationCanceledException>(() =>
            OpLoop.Run(ref fake, ref positions, new LoopLimit(long.MaxValue, long.MaxValue), histogram, stop));
        Assert.Equal(17, histogram.Count);
    }

    [Fact]
    public void AFailedOperationEndsTheLoopWithItsException()
    {
        var fake = new Fake(new long[1], failAfter: 5);
        var positions = Sequential;
        Assert.Throws<IOException>(() =>
            OpLoop.Run(ref fake, ref positions, new LoopLimit(100, long.MaxValue), histogram, stop));
        // The operation that failed has no latency.
        Assert.Equal(4, histogram.Count);
    }

    // The least of several rounds: a collection on another thread is counted here when it retires this thread's
    // allocation buffer; what allocates per operation does so in every round.
    private const int Rounds = 5;

    [Fact]
    public void TheLoopAllocatesNothingPerOperation()
    {
        var fake = new Fake(new long[1]);
        var positions = new RandomPositions(new BlockPermutation(Blocks, 1), Blocks, BlockBytes, 0, 1);
        OpLoop.Run(ref fake, ref positions, new LoopLimit(10, long.MaxValue), histogram, stop);
        var least = long.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            OpLoop.Run(ref fake, ref positions, new LoopLimit(100_000, long.MaxValue), histogram, stop);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(0, least);
    }

    [Fact]
    public void ReadsOfARealFileAllocateNothingPerOperation()
    {
        using var file = DiskFile.Open(DataFile(), OpenMode.Read);
        using var buffer = new AlignedBuffer(BlockBytes);
        var read = new ReadBlock(file, buffer);
        var positions = Sequential;
        OpLoop.Run(ref read, ref positions, new LoopLimit(10, long.MaxValue), histogram, stop);
        var least = long.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            OpLoop.Run(ref read, ref positions, new LoopLimit(10_000, long.MaxValue), histogram, stop);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(0, least);
        Assert.Equal(Rounds * 10_000 + 10, histogram.Count);
    }

    [Fact]
    public void AReadBehindTheEndOfTheFileFailsWithOperationAndPlace()
    {
        using var file = DiskFile.Open(DataFile(), OpenMode.Read);
        using var buffer = new AlignedBuffer(BlockBytes);
        var read = new ReadBlock(file, buffer);
        var positions = new SequentialPositions(Blocks - 2, 5, BlockBytes, 0);
        var failure = Assert.Throws<DiskException>(() =>
            OpLoop.Run(ref read, ref positions, new LoopLimit(5, long.MaxValue), histogram, stop));
        Assert.Equal("pread", failure.Operation);
        Assert.Contains($"at byte {Blocks * BlockBytes}", failure.Message, StringComparison.Ordinal);
        Assert.Equal(2, histogram.Count);
    }

    [IoUringTheory]
    [InlineData(1, 1)]
    [InlineData(1, 1000)]
    [InlineData(8, 3)]
    [InlineData(8, 1000)]
    [InlineData(64, 1000)]
    public void TheRingLoopDoesAsManyOperationsAsAskedWhateverTheDepth(int depth, int operations)
    {
        using var file = DiskFile.Open(DataFile(), OpenMode.Read);
        using var ring = new BlockRing(file, depth, BlockBytes);
        var positions = Sequential;
        var result = RingLoop.Run(ring, false, eager: false, ref positions, new LoopLimit(operations, long.MaxValue), histogram, stop, default, out var inFlight);
        Assert.Equal(operations, result.Operations);
        Assert.Equal(operations, histogram.Count);
        Assert.Equal(0, ring.Pending);
        Assert.InRange(inFlight, 0.5, depth);
        if (operations >= 1000)
            Assert.InRange(inFlight, 0.8 * depth, depth);
        else
            Assert.InRange(inFlight, 0, operations);
        Assert.True(result.ElapsedNs >= histogram.Max);
    }

    [IoUringTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void TheRingLoopEndsAtItsDeadlineWithNothingInFlight(bool eager)
    {
        using var file = DiskFile.Open(DataFile(), OpenMode.Read);
        using var ring = new BlockRing(file, 16, BlockBytes);
        var positions = Sequential;
        // The file is cached: each read ends in the call that submits it, so the clock must be read again before that is counted.
        var result = RingLoop.Run(ring, false, eager, ref positions, new LoopLimit(long.MaxValue, 2_000_000), histogram, stop, default, out _);
        Assert.True(result.Operations >= 16 && result.ElapsedNs >= 2_000_000);
        Assert.True(histogram.Min > 0);
        Assert.Equal(result.Operations, histogram.Count);
        Assert.Equal(0, ring.Pending);
    }

    [IoUringFact]
    public void AStopLetsTheRingRunEmpty()
    {
        using var file = DiskFile.Open(DataFile(), OpenMode.Read);
        using var ring = new BlockRing(file, 16, BlockBytes);
        var positions = Sequential;
        stop.Request();
        Assert.Throws<OperationCanceledException>(() =>
            RingLoop.Run(ring, false, eager: false, ref positions, new LoopLimit(long.MaxValue, long.MaxValue), histogram, stop, default, out _));
        Assert.Equal(0, ring.Pending);
        Assert.InRange(histogram.Count, 1, 16);
    }

    [IoUringFact]
    public void AReadBehindTheEndFailsTheRingLoopAndTheRingStillCloses()
    {
        using var file = DiskFile.Open(DataFile(), OpenMode.Read);
        using var ring = new BlockRing(file, 4, BlockBytes);
        var positions = new SequentialPositions(Blocks - 2, 50, BlockBytes, 0);
        Assert.Throws<DiskException>(() =>
            RingLoop.Run(ring, false, eager: false, ref positions, new LoopLimit(50, long.MaxValue), histogram, stop, default, out _));
    }

    [IoUringFact]
    public void TheRingLoopAllocatesNothingPerOperation()
    {
        using var file = DiskFile.Open(DataFile(), OpenMode.Read);
        using var ring = new BlockRing(file, 8, BlockBytes);
        var positions = new RandomPositions(new BlockPermutation(Blocks, 1), Blocks, BlockBytes, 0, 1);
        RingLoop.Run(ring, false, eager: false, ref positions, new LoopLimit(100, long.MaxValue), histogram, stop, default, out _);
        // The runtime may allocate something once, when it comes by a path for the first time; what each operation allocates is there every time.
        var least = long.MaxValue;
        for (var run = 0; run < 3; run++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            RingLoop.Run(ring, false, eager: false, ref positions, new LoopLimit(10_000, long.MaxValue), histogram, stop, default, out _);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(0, least);
    }
}
