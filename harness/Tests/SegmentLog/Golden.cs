using System.Buffers.Binary;
using Bench.SegmentLog.Format;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>The log folders that Kafka's own classes wrote (golden/README.md), as bytes.</summary>
internal static class Golden
{
    public const int HeaderBytes = 61;

    public static string FullPath { get; } = Path.Combine(AppContext.BaseDirectory, "golden");

    /// <summary>The batches of a folder's logs, cut by their length fields, with their headers.</summary>
    public static IEnumerable<byte[]> Batches(string folder)
    {
        foreach (var path in Directory.GetFiles(Path.Combine(FullPath, folder), "*.log").Order(StringComparer.Ordinal))
        {
            var log = File.ReadAllBytes(path);
            for (var at = 0; at < log.Length;)
            {
                var lengthBytes = 12 + BinaryPrimitives.ReadInt32BigEndian(log.AsSpan(at + 8));
                yield return log[at..(at + lengthBytes)];
                at += lengthBytes;
            }
        }
    }

    public static Compression Codec(byte[] batch) => (Compression)(batch[22] & 7);

    public static int RecordCount(byte[] batch) => BinaryPrimitives.ReadInt32BigEndian(batch.AsSpan(57));

    public static uint Crc(byte[] batch) => BinaryPrimitives.ReadUInt32BigEndian(batch.AsSpan(17));

    public static byte[] Compressed(byte[] batch) => batch[HeaderBytes..];
}
