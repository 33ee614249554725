using System.Buffers;
namespace Bench.SegmentLog.Format;
/// <summary>Stand-in.</summary>
public enum Compression : byte {
/// <summary>.</summary>
None=0,
/// <summary>.</summary>
Gzip=1,
/// <summary>.</summary>
Snappy=2,
/// <summary>.</summary>
Lz4=3,
/// <summary>.</summary>
Zstd=4 }
/// <summary>Stand-in.</summary>
public static class RecordCompression {
/// <summary>.</summary>
public static void Compress(Compression codec, ReadOnlySpan<byte> records, IBufferWriter<byte> destination, int level) => throw new NotSupportedException();
/// <summary>.</summary>
public static int Decompress(Compression codec, ReadOnlySpan<byte> compressed, IBufferWriter<byte> destination, int maxBytes) => throw new NotSupportedException();
}
