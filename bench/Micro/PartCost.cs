using System.Diagnostics;
using Bench.Disk;
using Bench.Measure;
using Bench.Measure.Passes;
using BenchmarkDotNet.Attributes;

namespace Bench.Micro;

/// <summary>What the parts of the op loop cost each.</summary>
[MemoryDiagnoser]
public class PartCost
{
    private const int Count = 4096;
    private readonly LatencyHistogram histogram = new();
    private readonly long[] latenciesNs = new long[Count];
    private readonly BlockPermutation odd = new(1_000_003, 1);
    private readonly BlockPermutation even = new(1 << 20, 1);

    /// <summary>Latencies around 80 µs, as a disk has them: neighbouring buckets, not one.</summary>
    [GlobalSetup]
    public void MakeLatencies()
    {
        var random = new Random(1);
        for (var i = 0; i < Count; i++)
            latenciesNs[i] = (long)(80_000 * Math.Exp(0.3 * (random.NextDouble() + random.NextDouble() - 1)));
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public long Timestamp()
    {
        long sum = 0;
        for (var i = 0; i < Count; i++)
            sum += Stopwatch.GetTimestamp();
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public long HistogramRecord()
    {
        foreach (var latencyNs in latenciesNs)
            histogram.Record(latencyNs);
        return histogram.Count;
    }

    /// <summary>A count just below a power of two: hardly any image is fed in again.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public long PermutationOfAPowerOfTwo() => Sum(even);

    [Benchmark(OperationsPerInvoke = Count)]
    public long PermutationOfAnyCount() => Sum(odd);

    [Benchmark(OperationsPerInvoke = Count)]
    public long SequentialPosition()
    {
        var positions = new SequentialPositions(0, 1000, 4096, 0);
        long sum = 0;
        for (var i = 0; i < Count; i++)
            sum += positions.Next();
        return sum;
    }

    private static long Sum(BlockPermutation order)
    {
        long sum = 0;
        for (var i = 0; i < Count; i++)
            sum += order[i];
        return sum;
    }
}
