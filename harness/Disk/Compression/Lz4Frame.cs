using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Bench.Disk.Native;
using static Bench.Disk.Native.CompressionConstants;

namespace Bench.Disk.Compression;

/// <summary>
/// LZ4 frames, by the system's liblz4 (Debian: <c>liblz4-1</c>). Safe for any input. One thread may use it while
/// another does: each has working memory of its own.
/// </summary>
public static unsafe class Lz4Frame
{
    private const uint FrameMagic = 0x184D2204;
    private const uint SkippableMagic = 0x184D2A50;
    private const int GrowBytes = 64 << 10;

    private static bool loaded;
    [ThreadStatic] private static CodecContext.Lz4Decoder? decoder;

    /// <summary>The room that <see cref="Compress"/> needs at most.</summary>
    /// <param name="sourceBytes">Length of what is to be compressed.</param>
    /// <exception cref="CodecMissingException">There is no liblz4 here.</exception>
    public static int MaxCompressedBytes(int sourceBytes)
    {
        ThrowIfMissing();
        var preferences = Preferences(0);
        return checked((int)Lz4.LZ4F_compressFrameBound((nuint)sourceBytes, &preferences));
    }

    /// <summary>
    /// Writes one frame as Kafka does: independent blocks of 64 KiB, no checksum but the header's, no content size.
    /// </summary>
    /// <param name="source">What to compress.</param>
    /// <param name="destination">Room, <see cref="MaxCompressedBytes"/> of it.</param>
    /// <param name="level">0 for the fast compressor, 3 to 12 for the thorough one.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="CodecMissingException">There is no liblz4 here.</exception>
    public static int Compress(ReadOnlySpan<byte> source, Span<byte> destination, int level)
    {
        ThrowIfMissing();
        var preferences = Preferences(level);
        fixed (byte* from = source, to = destination)
        {
            var result = Lz4.LZ4F_compressFrame(to, (nuint)destination.Length, from, (nuint)source.Length, &preferences);
            return Lz4.LZ4F_isError(result) == 0
                ? (int)result
                : throw new ArgumentException($"lz4 could not compress {source.Length} bytes into {destination.Length}: {ErrorName(result)}", nameof(destination));
        }
    }

    /// <summary>
    /// Decodes a frame and those that follow it; what follows and is no frame is left, as Kafka's reader does. Besides
    /// the output it takes a buffer of the size of a block, at most 4 MiB, and keeps it for the thread.
    /// </summary>
    /// <param name="source">The frames.</param>
    /// <param name="destination">Gets the decoded bytes, and part of them even if this fails.</param>
    /// <param name="maxBytes">What may be decoded.</param>
    /// <param name="writtenBytes">What has been.</param>
    /// <returns>False if there are more than <paramref name="maxBytes"/>.</returns>
    /// <exception cref="InvalidDataException">It is not a frame, damaged or cut off.</exception>
    /// <exception cref="CodecMissingException">There is no liblz4 here.</exception>
    public static bool TryDecompress(ReadOnlySpan<byte> source, IBufferWriter<byte> destination, int maxBytes, out int writtenBytes)
    {
        ThrowIfMissing();
        var context = (decoder ??= new()).Pointer;
        Lz4.LZ4F_resetDecompressionContext(context);
        writtenBytes = 0;
        // Where no room is left the frame may still end, which takes a pointer and no bytes.
        Span<byte> none = stackalloc byte[1];
        while (true)
        {
            var leftBytes = maxBytes - writtenBytes;
            var room = leftBytes == 0 ? none[..0] : destination.GetSpan(Math.Min(leftBytes, GrowBytes));
            room = room[..Math.Min(room.Length, leftBytes)];
            nuint read = (nuint)source.Length, written = (nuint)room.Length, wanted;
            fixed (byte* from = &MemoryMarshal.GetReference(source), to = &MemoryMarshal.GetReference(room))
                wanted = Lz4.LZ4F_decompress(context, to, &written, from, &read, null);
            if (Lz4.LZ4F_isError(wanted) != 0)
                throw new InvalidDataException($"the lz4 frame is damaged: {ErrorName(wanted)}");

            if (written > 0)
                destination.Advance((int)written);
            writtenBytes += (int)written;
            source = source[(int)read..];
            if (wanted == 0 && !BeginsFrame(source))
                return true;
            if (wanted != 0 && read == 0 && written == 0)
                return leftBytes == 0 && !source.IsEmpty ? false : throw new InvalidDataException("the lz4 frame is cut off");
        }
    }

    private static bool BeginsFrame(ReadOnlySpan<byte> source) =>
        BinaryPrimitives.TryReadUInt32LittleEndian(source, out var magic) && (magic == FrameMagic || (magic & ~0xFu) == SkippableMagic);

    private static Lz4.LZ4F_preferences_t Preferences(int level) => new()
    {
        frameInfo = new() { blockSizeID = LZ4F_max64KB, blockMode = LZ4F_blockIndependent },
        compressionLevel = level,
    };

    private static void ThrowIfMissing() => CodecMissingException.ThrowIfMissing(ref loaded, "lz4", Lz4.Library, "liblz4-1");

    private static string ErrorName(nuint code) => Marshal.PtrToStringUTF8((nint)Lz4.LZ4F_getErrorName(code)) ?? "";
}
