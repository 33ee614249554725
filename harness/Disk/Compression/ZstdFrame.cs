using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Bench.Disk.Native;
using static Bench.Disk.Native.CompressionConstants;

namespace Bench.Disk.Compression;

/// <summary>
/// Zstandard frames (RFC 8878), by the system's libzstd (Debian: <c>libzstd1</c>). Safe for any input. One thread may
/// use it while another does: each has working memory of its own.
/// </summary>
public static unsafe class ZstdFrame
{
    private const uint FrameMagic = 0xFD2FB528;
    private const uint SkippableMagic = 0x184D2A50;
    private const int BlockMaxBytes = 128 << 10;

    private static bool loaded;
    [ThreadStatic] private static CodecContext.ZstdEncoder? encoder;
    [ThreadStatic] private static CodecContext.ZstdDecoder? decoder;

    /// <summary>The room that <see cref="Compress"/> needs at most.</summary>
    /// <param name="sourceBytes">Length of what is to be compressed.</param>
    /// <exception cref="CodecMissingException">There is no libzstd here.</exception>
    public static int MaxCompressedBytes(int sourceBytes)
    {
        ThrowIfMissing();
        return checked((int)Zstd.ZSTD_compressBound((nuint)sourceBytes));
    }

    /// <summary>
    /// Writes one frame. Unlike Java's streams, which do not know it in time, it states its content size, and its
    /// window is no larger: a reader needs less memory.
    /// </summary>
    /// <param name="source">What to compress.</param>
    /// <param name="destination">Room, <see cref="MaxCompressedBytes"/> of it.</param>
    /// <param name="level">1 to 22, or a negative one for speed; 3 is the usual.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="CodecMissingException">There is no libzstd here.</exception>
    public static int Compress(ReadOnlySpan<byte> source, Span<byte> destination, int level)
    {
        ThrowIfMissing();
        var context = (encoder ??= new()).Pointer;
        fixed (byte* from = source, to = destination)
        {
            var result = Zstd.ZSTD_compressCCtx(context, to, (nuint)destination.Length, from, (nuint)source.Length, level);
            return Zstd.ZSTD_isError(result) == 0
                ? (int)result
                : throw new ArgumentException($"zstd could not compress {source.Length} bytes into {destination.Length}: {ErrorName(result)}", nameof(destination));
        }
    }

    /// <summary>
    /// Decodes frames, one after another, straight into the destination. That is the window too: however large a
    /// window a frame asks for (a level of 22 asks for 128 MiB), no memory is taken but for the output.
    /// </summary>
    /// <param name="source">The frames.</param>
    /// <param name="destination">Gets the decoded bytes.</param>
    /// <param name="maxBytes">What may be decoded.</param>
    /// <param name="writtenBytes">What has been.</param>
    /// <returns>False if there are more than <paramref name="maxBytes"/>; nothing has been decoded then.</returns>
    /// <exception cref="InvalidDataException">It is not a frame, damaged or cut off.</exception>
    /// <exception cref="CodecMissingException">There is no libzstd here.</exception>
    public static bool TryDecompress(ReadOnlySpan<byte> source, IBufferWriter<byte> destination, int maxBytes, out int writtenBytes)
    {
        ThrowIfMissing();
        writtenBytes = 0;
        var (statedBytes, boundBytes) = OutputBytes(source);
        if (statedBytes > maxBytes)
            return false;

        var roomBytes = (int)Math.Min(boundBytes, maxBytes);
        // A pointer, though there may be no room: the library takes null for a request to skip.
        Span<byte> none = stackalloc byte[1];
        var room = roomBytes == 0 ? none[..0] : destination.GetSpan(roomBytes)[..roomBytes];
        var context = (decoder ??= new()).Pointer;
        nuint result;
        fixed (byte* from = source, to = &MemoryMarshal.GetReference(room))
            result = Zstd.ZSTD_decompressDCtx(context, to, (nuint)room.Length, from, (nuint)source.Length);
        if (Zstd.ZSTD_isError(result) != 0)
        {
            return boundBytes > maxBytes && Zstd.ZSTD_getErrorCode(result) == ZSTD_error_dstSize_tooSmall
                ? false
                : throw new InvalidDataException($"the zstd frame is damaged: {ErrorName(result)}");
        }
        writtenBytes = (int)result;
        if (writtenBytes > 0)
            destination.Advance(writtenBytes);
        return true;
    }

    /// <summary>
    /// What the frames decode to, from the headers of frames and blocks (RFC 8878, section 3.1.1), without decoding:
    /// at least and at most. A stated content size that the blocks cannot fill is refused, so the room that is made
    /// is never more than 128 KiB (2 MiB of one repeated byte) for a block that is really there.
    /// </summary>
    private static (long StatedBytes, long BoundBytes) OutputBytes(ReadOnlySpan<byte> source)
    {
        long stated = 0, bound = 0;
        do
        {
            var magic = BinaryPrimitives.ReadUInt32LittleEndian(Take(ref source, sizeof(uint)));
            if ((magic & ~0xFu) == SkippableMagic)
            {
                var skippedBytes = BinaryPrimitives.ReadUInt32LittleEndian(Take(ref source, sizeof(uint)));
                Take(ref source, skippedBytes);
                continue;
            }
            if (magic != FrameMagic)
                throw new InvalidDataException($"a zstd frame begins with 28 B5 2F FD, not with 0x{magic:X8}");

            var descriptor = Take(ref source, 1)[0];
            var isSingleSegment = (descriptor & 0x20) != 0;
            var windowBytes = isSingleSegment ? long.MaxValue : WindowBytes(Take(ref source, 1)[0]);
            // The dictionary's number: no dictionary is known here, which libzstd will say.
            Take(ref source, (descriptor & 3) switch { 3 => 4, var few => few });
            ulong? contentBytes = (descriptor >> 6) switch
            {
                0 => isSingleSegment ? Take(ref source, 1)[0] : null,
                1 => BinaryPrimitives.ReadUInt16LittleEndian(Take(ref source, sizeof(ushort))) + 256u,
                2 => BinaryPrimitives.ReadUInt32LittleEndian(Take(ref source, sizeof(uint))),
                _ => BinaryPrimitives.ReadUInt64LittleEndian(Take(ref source, sizeof(ulong))),
            };
            var blocksBytes = BlocksBytes(ref source, (int)Math.Min(BlockMaxBytes, windowBytes));
            if ((descriptor & 4) != 0)
                Take(ref source, sizeof(uint));
            if (contentBytes > (ulong)blocksBytes)
                throw new InvalidDataException($"the zstd frame states {contentBytes} bytes, but its blocks hold {blocksBytes} at most");
            stated += (long?)contentBytes ?? 0;
            bound += (long?)contentBytes ?? blocksBytes;
        }
        while (!source.IsEmpty);
        return (stated, bound);
    }

    private static long WindowBytes(byte descriptor)
    {
        var baseBytes = 1L << (10 + (descriptor >> 3));
        return baseBytes + baseBytes / 8 * (descriptor & 7);
    }

    private static long BlocksBytes(ref ReadOnlySpan<byte> source, int blockMaxBytes)
    {
        long bound = 0;
        for (var isLast = false; !isLast;)
        {
            var header = Take(ref source, 3);
            var fields = header[0] | header[1] << 8 | header[2] << 16;
            var sizeBytes = fields >> 3;
            isLast = (fields & 1) != 0;
            // Stored, one byte repeated, compressed; the fourth type is reserved.
            var (decodedBytes, storedBytes) = (fields >> 1 & 3) switch
            {
                0 => (sizeBytes, sizeBytes),
                1 => (sizeBytes, 1),
                2 => (blockMaxBytes, sizeBytes),
                _ => throw new InvalidDataException("the zstd frame has a block of a type that does not exist"),
            };
            bound += decodedBytes;
            Take(ref source, storedBytes);
        }
        return bound;
    }

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> source, long count)
    {
        if (count > source.Length)
            throw new InvalidDataException("the zstd frame is cut off");
        var taken = source[..(int)count];
        source = source[(int)count..];
        return taken;
    }

    private static void ThrowIfMissing() => CodecMissingException.ThrowIfMissing(ref loaded, "zstd", Zstd.Library, "libzstd1");

    private static string ErrorName(nuint code) => Marshal.PtrToStringUTF8((nint)Zstd.ZSTD_getErrorName(code)) ?? "";
}
