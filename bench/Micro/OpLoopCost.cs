using Bench.Disk;
using Bench.Disk.Native;
using Bench.Measure;
using Bench.Measure.Passes;
using BenchmarkDotNet.Attributes;

namespace Bench.Micro;

/// <summary>What the op loop costs per operation over the bare system call, read by read through a cached file.</summary>
[MemoryDiagnoser]
public class OpLoopCost
{
    private readonly LatencyHistogram histogram = new();
    private readonly StopSignal stop = new();
    private HotFile hot = null!;

    [GlobalSetup]
    public void Open() => hot = new HotFile();

    [GlobalCleanup]
    public void Close() => hot.Dispose();

    /// <summary>The same pread, of the same blocks, with nothing around it but the check of its result.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = HotFile.Blocks)]
    public unsafe long BareCall()
    {
        var descriptor = hot.File.Descriptor;
        var pointer = hot.Buffer.Pointer;
        for (long position = 0; position < (long)HotFile.Blocks * HotFile.BlockBytes; position += HotFile.BlockBytes)
        {
            if (Libc.pread(descriptor, pointer, HotFile.BlockBytes, position) != HotFile.BlockBytes)
                throw new IOException("a short read of a cached file");
        }
        return HotFile.Blocks;
    }

    /// <summary>The loop as the workloads run it: position, call, clock, histogram, stop signal.</summary>
    [Benchmark(OperationsPerInvoke = HotFile.Blocks)]
    public LoopResult Loop()
    {
        var read = new ReadBlock(hot.File, hot.Buffer);
        var positions = new SequentialPositions(0, HotFile.Blocks, HotFile.BlockBytes, 0);
        return OpLoop.Run(ref read, ref positions, new LoopLimit(HotFile.Blocks, long.MaxValue), histogram, stop);
    }

    /// <summary>The same in random order. The difference to <see cref="Loop"/> is partly the processor's caches.</summary>
    [Benchmark(OperationsPerInvoke = HotFile.Blocks)]
    public LoopResult LoopRandom()
    {
        var read = new ReadBlock(hot.File, hot.Buffer);
        var positions = new RandomPositions(new BlockPermutation(HotFile.Blocks, 1), HotFile.Blocks, HotFile.BlockBytes, 0, 1);
        return OpLoop.Run(ref read, ref positions, new LoopLimit(HotFile.Blocks, long.MaxValue), histogram, stop);
    }

    /// <summary>The loop around an operation that does nothing: its whole cost, on its own.</summary>
    [Benchmark(OperationsPerInvoke = HotFile.Blocks)]
    public LoopResult LoopOfNothing()
    {
        var nothing = default(Nothing);
        var positions = new SequentialPositions(0, HotFile.Blocks, HotFile.BlockBytes, 0);
        return OpLoop.Run(ref nothing, ref positions, new LoopLimit(HotFile.Blocks, long.MaxValue), histogram, stop);
    }

    private readonly struct Nothing : IBlockOperation
    {
        public void Run(long position)
        {
        }
    }
}
