using Bench.SegmentLog.Format;
using BenchmarkDotNet.Attributes;

namespace Bench.Micro;

/// <summary>
/// What each way to compute a batch's checksum costs, at the sizes of batches. One that the processor lacks throws,
/// and is left out of the table.
/// </summary>
public class Crc32CCost
{
    private byte[] bytes = [];

    [Params(256, 1 << 10, 16 << 10, 64 << 10, 1 << 20)]
    public int LengthBytes { get; set; }

    [GlobalSetup]
    public void MakeBytes()
    {
        bytes = new byte[LengthBytes];
        new Random(1).NextBytes(bytes);
    }

    [Benchmark]
    public uint ByWords() => Crc32C.ByWords(0, bytes);

    [Benchmark]
    public uint Interleaved() => Crc32C.Interleaved(0, bytes);

    [Benchmark]
    public uint Folded() => Crc32C.Folded(0, bytes);

    /// <summary>The one that is taken.</summary>
    [Benchmark(Baseline = true)]
    public uint Compute() => Crc32C.Compute(bytes);
}
