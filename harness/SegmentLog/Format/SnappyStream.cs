using System.Buffers;
using System.Buffers.Binary;
using Bench.Disk.Compression;

namespace Bench.SegmentLog.Format;

/// <summary>
/// The framing that Java's <c>org.xerial.snappy</c> streams put around Snappy blocks, big-endian:
/// <code>
///  0  8 bytes  82 53 4E 41 50 50 59 00 ("\x82SNAPPY\0")
///  8  int32    version, 1
/// 12  int32    lowest version that can read it, 1
/// 16  chunks:  int32 length, then one raw Snappy block of it, of at most 32 KiB uncompressed as Kafka writes it
/// </code>
/// There is no checksum and no mark at the end. Java's reader takes data without the header for one raw block, reads
/// on over a header between two chunks, and drops fewer than four bytes at the end; so does this.
/// </summary>
internal static class SnappyStream
{
    private const int HeaderBytes = 16;
    private const int Version = 1;
    private const int ChunkMaxBytes = 32 << 10;

    private static ReadOnlySpan<byte> Magic => [0x82, (byte)'S', (byte)'N', (byte)'A', (byte)'P', (byte)'P', (byte)'Y', 0];

    internal static void Compress(ReadOnlySpan<byte> records, IBufferWriter<byte> destination)
    {
        var header = destination.GetSpan(HeaderBytes);
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32BigEndian(header[8..], Version);
        BinaryPrimitives.WriteInt32BigEndian(header[12..], Version);
        destination.Advance(HeaderBytes);
        while (!records.IsEmpty)
        {
            var chunk = records[..Math.Min(records.Length, ChunkMaxBytes)];
            var room = destination.GetSpan(sizeof(int) + SnappyBlock.MaxCompressedBytes(chunk.Length));
            var lengthBytes = SnappyBlock.Compress(chunk, room[sizeof(int)..]);
            BinaryPrimitives.WriteInt32BigEndian(room, lengthBytes);
            destination.Advance(sizeof(int) + lengthBytes);
            records = records[chunk.Length..];
        }
    }

    /// <summary>False if there are more than <paramref name="maxBytes"/>.</summary>
    internal static bool TryDecompress(ReadOnlySpan<byte> compressed, IBufferWriter<byte> destination, int maxBytes, out int writtenBytes)
    {
        writtenBytes = 0;
        if (!TryTakeHeader(ref compressed))
            return TryDecompressBlock(compressed, destination, maxBytes, ref writtenBytes);
        while (compressed.Length >= sizeof(int))
        {
            if (TryTakeHeader(ref compressed))
                continue;
            var lengthBytes = BinaryPrimitives.ReadInt32BigEndian(compressed);
            compressed = compressed[sizeof(int)..];
            if (lengthBytes < 0 || lengthBytes > compressed.Length)
                throw new InvalidDataException($"a snappy chunk of {lengthBytes} bytes does not fit into the {compressed.Length} that follow");
            if (!TryDecompressBlock(compressed[..lengthBytes], destination, maxBytes, ref writtenBytes))
                return false;
            compressed = compressed[lengthBytes..];
        }
        return true;
    }

    private static bool TryTakeHeader(ref ReadOnlySpan<byte> compressed)
    {
        if (compressed.Length < HeaderBytes || !compressed.StartsWith(Magic))
            return false;
        var version = BinaryPrimitives.ReadInt32BigEndian(compressed[8..]);
        if (version < Version)
            throw new InvalidDataException($"the snappy stream is of version {version}; the lowest that can be read is {Version}");
        compressed = compressed[HeaderBytes..];
        return true;
    }

    private static bool TryDecompressBlock(ReadOnlySpan<byte> block, IBufferWriter<byte> destination, int maxBytes, ref int writtenBytes)
    {
        var lengthBytes = SnappyBlock.UncompressedBytes(block);
        if (lengthBytes > maxBytes - writtenBytes)
            return false;
        // Even an empty block has to be one.
        SnappyBlock.Decompress(block, lengthBytes == 0 ? [] : destination.GetSpan((int)lengthBytes)[..(int)lengthBytes]);
        if (lengthBytes > 0)
            destination.Advance((int)lengthBytes);
        writtenBytes += (int)lengthBytes;
        return true;
    }
}
