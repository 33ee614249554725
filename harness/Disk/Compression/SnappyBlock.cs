using Bench.Disk.Native;
using static Bench.Disk.Native.CompressionConstants;

namespace Bench.Disk.Compression;

/// <summary>
/// Raw Snappy blocks, by the system's libsnappy (Debian: <c>libsnappy1v5</c>). Safe for any input. A block begins with
/// its uncompressed length.
/// </summary>
public static unsafe class SnappyBlock
{
    /// <summary>The most that Snappy can make of a byte: an element of 3 bytes repeats 64, nothing does better.</summary>
    private const long MaxRatio = 22;

    private static bool loaded;

    /// <summary>The room that <see cref="Compress"/> needs at most.</summary>
    /// <param name="sourceBytes">Length of what is to be compressed.</param>
    /// <exception cref="CodecMissingException">There is no libsnappy here.</exception>
    public static int MaxCompressedBytes(int sourceBytes)
    {
        ThrowIfMissing();
        return checked((int)Snappy.snappy_max_compressed_length((nuint)sourceBytes));
    }

    /// <summary>Writes one block.</summary>
    /// <param name="source">What to compress.</param>
    /// <param name="destination">Room, <see cref="MaxCompressedBytes"/> of it.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="CodecMissingException">There is no libsnappy here.</exception>
    public static int Compress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        ThrowIfMissing();
        var length = (nuint)destination.Length;
        fixed (byte* from = source, to = destination)
        {
            return Snappy.snappy_compress(from, (nuint)source.Length, to, &length) == SNAPPY_OK
                ? (int)length
                : throw new ArgumentException($"snappy could not compress {source.Length} bytes into {destination.Length}", nameof(destination));
        }
    }

    /// <summary>The length that a block states; never more than a block of its size can decode to.</summary>
    /// <param name="source">The block.</param>
    /// <exception cref="InvalidDataException">It states none, or an impossible one.</exception>
    /// <exception cref="CodecMissingException">There is no libsnappy here.</exception>
    public static long UncompressedBytes(ReadOnlySpan<byte> source)
    {
        ThrowIfMissing();
        nuint length = 0;
        fixed (byte* from = source)
        {
            if (source.IsEmpty || Snappy.snappy_uncompressed_length(from, (nuint)source.Length, &length) != SNAPPY_OK)
                throw new InvalidDataException("the snappy block does not begin with its length");
        }
        return (long)length <= MaxRatio * source.Length
            ? (long)length
            : throw new InvalidDataException($"the snappy block states {length} bytes, which {source.Length} cannot decode to");
    }

    /// <summary>Decodes one block.</summary>
    /// <param name="source">The block.</param>
    /// <param name="destination">Room of exactly <see cref="UncompressedBytes"/>.</param>
    /// <exception cref="InvalidDataException">It is damaged, or of another length.</exception>
    /// <exception cref="CodecMissingException">There is no libsnappy here.</exception>
    public static void Decompress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        ThrowIfMissing();
        var length = (nuint)destination.Length;
        fixed (byte* from = source, to = destination)
        {
            if (Snappy.snappy_uncompress(from, (nuint)source.Length, to, &length) != SNAPPY_OK || length != (nuint)destination.Length)
                throw new InvalidDataException("the snappy block is damaged");
        }
    }

    private static void ThrowIfMissing() => CodecMissingException.ThrowIfMissing(ref loaded, "snappy", Snappy.Library, "libsnappy1v5");
}
