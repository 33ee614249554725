using Bench.SegmentLog.Format;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>What the tests of the codecs share: inputs, and calls that return arrays.</summary>
internal static class Codecs
{
    public const string LibLz4 = "liblz4.so.1";
    public const string LibZstd = "libzstd.so.1";
    public const string LibSnappy = "libsnappy.so.1";

    public static readonly Compression[] All = [Compression.Gzip, Compression.Snappy, Compression.Lz4, Compression.Zstd];

    public static byte[] Compress(Compression codec, ReadOnlySpan<byte> records, int? level = null)
    {
        using var buffer = new RecordBuffer();
        RecordCompression.Compress(codec, records, buffer, level ?? RecordCompression.DefaultLevel(codec));
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] Decompress(Compression codec, ReadOnlySpan<byte> compressed, int maxBytes = 64 << 20)
    {
        using var buffer = new RecordBuffer();
        var writtenBytes = RecordCompression.Decompress(codec, compressed, buffer, maxBytes);
        return writtenBytes == buffer.WrittenBytes
            ? buffer.WrittenSpan.ToArray()
            : throw new InvalidOperationException($"said {writtenBytes} bytes, wrote {buffer.WrittenBytes}");
    }

    /// <summary>Bytes that do not compress, or lines of few words.</summary>
    public static byte[] Bytes(int lengthBytes, bool compressible, int seed = 1)
    {
        var random = new Random(seed);
        var bytes = new byte[lengthBytes];
        if (!compressible)
        {
            random.NextBytes(bytes);
            return bytes;
        }
        string[] words = ["offset ", "segment ", "batch ", "kafka ", "0000 ", "\n"];
        for (var at = 0; at < lengthBytes;)
        {
            foreach (var letter in words[random.Next(words.Length)])
            {
                if (at < lengthBytes)
                    bytes[at++] = (byte)letter;
            }
        }
        return bytes;
    }
}
