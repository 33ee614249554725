using System.Buffers;
using Bench.Disk.Compression;

namespace Bench.SegmentLog.Format;

/// <summary>
/// Compresses and decompresses the records of a batch, in the framings of Kafka's clients and broker
/// (<c>org.apache.kafka.common.compress</c>). What is read may be hostile: it is never decoded beyond a bound, never
/// takes memory out of proportion to that bound, and never loops.
/// </summary>
public static class RecordCompression
{
    /// <summary>The level that Kafka's producer uses if nothing is said; 0 where a codec has none.</summary>
    /// <param name="codec">The codec.</param>
    public static int DefaultLevel(Compression codec) => codec switch
    {
        Compression.Gzip => 6,
        Compression.Lz4 => Lz4FastLevel,
        Compression.Zstd => 3,
        _ => 0,
    };

    /// <summary>Kafka's levels of lz4 are those of the thorough compressor, but this one is the fast compressor.</summary>
    private const int Lz4FastLevel = 9;

    /// <summary>
    /// Decompresses the records of one batch. Readers of Kafka take several gzip members or zstd frames for one, and
    /// snappy without its framing; so does this. Wherever decoding stops, parts of the output may have been written.
    /// </summary>
    /// <param name="codec">How they are compressed.</param>
    /// <param name="compressed">What follows the batch's header.</param>
    /// <param name="destination">
    /// Gets the records. It is asked for no more than <paramref name="maxBytes"/> in all; a <see cref="RecordBuffer"/>
    /// holds at most twice that.
    /// </param>
    /// <param name="maxBytes">What the records may come to, in bytes.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="InvalidDataException">
    /// The data is damaged, cut off, not of this codec, or more than <paramref name="maxBytes"/>; in a sentence without
    /// file and position, which the caller knows.
    /// </exception>
    /// <exception cref="CodecMissingException">The codec's library is not on this machine.</exception>
    public static int Decompress(Compression codec, ReadOnlySpan<byte> compressed, IBufferWriter<byte> destination, int maxBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxBytes);
        // No codec writes nothing, not even of nothing.
        if (compressed.IsEmpty && codec is not Compression.None)
            throw new InvalidDataException($"{codec} data of no bytes");
        int writtenBytes;
        var isWhole = codec switch
        {
            Compression.None => TryCopy(compressed, destination, maxBytes, out writtenBytes),
            Compression.Gzip => GzipMembers.TryDecompress(compressed, destination, maxBytes, out writtenBytes),
            Compression.Snappy => SnappyStream.TryDecompress(compressed, destination, maxBytes, out writtenBytes),
            Compression.Lz4 => Lz4Frame.TryDecompress(compressed, destination, maxBytes, out writtenBytes),
            Compression.Zstd => ZstdFrame.TryDecompress(compressed, destination, maxBytes, out writtenBytes),
            _ => throw new InvalidDataException($"Kafka has no codec {(int)codec}"),
        };
        return isWhole
            ? writtenBytes
            : throw new InvalidDataException($"the {compressed.Length} bytes of {codec} data decompress to more than {maxBytes}");
    }

    /// <summary>Why a codec cannot be used on this machine, as one sentence; null if it can.</summary>
    /// <param name="codec">The codec.</param>
    public static string? WhyUnavailable(Compression codec)
    {
        try
        {
            Compress(codec, [0], new ArrayBufferWriter<byte>(), DefaultLevel(codec));
            return null;
        }
        catch (CodecMissingException missing)
        {
            return missing.Message;
        }
    }

    /// <summary>Compresses the records of one batch as Kafka's producer does.</summary>
    /// <param name="codec">How to compress them.</param>
    /// <param name="records">The records, one after another.</param>
    /// <param name="destination">Gets what follows the batch's header.</param>
    /// <param name="level">
    /// Kafka's level: gzip 1 to 9; lz4 1 to 17, where 9 is the fast compressor and the others are thorough; zstd up to
    /// 22; of no effect for snappy. <see cref="DefaultLevel"/> says the usual one.
    /// </param>
    /// <exception cref="CodecMissingException">The codec's library is not on this machine.</exception>
    public static void Compress(Compression codec, ReadOnlySpan<byte> records, IBufferWriter<byte> destination, int level)
    {
        switch (codec)
        {
            case Compression.None:
                destination.Write(records);
                break;
            case Compression.Gzip:
                GzipMembers.Compress(records, destination, level);
                break;
            case Compression.Snappy:
                SnappyStream.Compress(records, destination);
                break;
            case Compression.Lz4:
                // liblz4 has its thorough levels from 3 to 12 and takes those below for fast.
                var lz4Level = level == Lz4FastLevel ? 0 : Math.Clamp(level, 3, 12);
                var lz4Room = destination.GetSpan(Lz4Frame.MaxCompressedBytes(records.Length));
                destination.Advance(Lz4Frame.Compress(records, lz4Room, lz4Level));
                break;
            case Compression.Zstd:
                var zstdRoom = destination.GetSpan(ZstdFrame.MaxCompressedBytes(records.Length));
                destination.Advance(ZstdFrame.Compress(records, zstdRoom, level));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(codec), codec, "Kafka has no such codec");
        }
    }

    private static bool TryCopy(ReadOnlySpan<byte> records, IBufferWriter<byte> destination, int maxBytes, out int writtenBytes)
    {
        writtenBytes = records.Length <= maxBytes ? records.Length : 0;
        destination.Write(records[..writtenBytes]);
        return writtenBytes == records.Length;
    }
}
