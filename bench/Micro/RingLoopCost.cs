using Bench.Disk;
using Bench.Disk.Uring;
using Bench.Measure;
using Bench.Measure.Passes;
using BenchmarkDotNet.Attributes;

namespace Bench.Micro;

/// <summary>
/// A read through io_uring against one through pread, from a cached file: the kernel serves both within the call, so
/// that the difference is the path of the request.
/// </summary>
[MemoryDiagnoser]
public class RingLoopCost
{
    private readonly LatencyHistogram histogram = new();
    private readonly StopSignal stop = new();
    private HotFile hot = null!;
    private BlockRing? ring;

    [GlobalSetup(Target = nameof(Psync))]
    public void Open() => hot = new HotFile();

    [GlobalSetup(Target = nameof(RingDepth1))]
    public void OpenDepth1() => OpenRing(1);

    [GlobalSetup(Targets = [nameof(RingDepth32), nameof(RingDepth32Eager)])]
    public void OpenDepth32() => OpenRing(32);

    [GlobalCleanup]
    public void Close()
    {
        ring?.Dispose();
        hot.Dispose();
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = HotFile.Blocks)]
    public LoopResult Psync()
    {
        var read = new ReadBlock(hot.File, hot.Buffer);
        var positions = Positions;
        return OpLoop.Run(ref read, ref positions, new LoopLimit(HotFile.Blocks, long.MaxValue), histogram, stop);
    }

    [Benchmark(OperationsPerInvoke = HotFile.Blocks)]
    public LoopResult RingDepth1() => Run(eager: false);

    /// <summary>One system call for up to 32 reads.</summary>
    [Benchmark(OperationsPerInvoke = HotFile.Blocks)]
    public LoopResult RingDepth32() => Run(eager: false);

    /// <summary>One system call for each read, as direct reads go.</summary>
    [Benchmark(OperationsPerInvoke = HotFile.Blocks)]
    public LoopResult RingDepth32Eager() => Run(eager: true);

    private static SequentialPositions Positions => new(0, HotFile.Blocks, HotFile.BlockBytes, 0);

    private LoopResult Run(bool eager)
    {
        var positions = Positions;
        return RingLoop.Run(ring!, writes: false, eager, ref positions, new LoopLimit(HotFile.Blocks, long.MaxValue), histogram, stop, default, out _);
    }

    private void OpenRing(int queueDepth)
    {
        hot = new HotFile();
        ring = new BlockRing(hot.File, queueDepth, HotFile.BlockBytes);
    }
}
