using System.Buffers;
using System.IO.Compression;

namespace Bench.SegmentLog.Format;

/// <summary>
/// Gzip (RFC 1952) by the framework's own zlib: one member is written; members that follow each other are read as
/// one, and what follows and is no member is left, as Java's <c>GZIPInputStream</c> does.
/// </summary>
internal static class GzipMembers
{
    private const int PieceBytes = 64 << 10;

    /// <summary>
    /// The framework takes a member that is cut off for one that ends, unless this switch is on. It looks at the switch
    /// once in a process: Directory.Build.props sets it for every program here, and this for any other.
    /// </summary>
    private const string StrictSwitch = "System.IO.Compression.UseStrictValidation";

    private static readonly bool isStrict = BeStrict();

    /// <summary>A member of nothing. The framework's stream writes no bytes at all if it gets none.</summary>
    private static ReadOnlySpan<byte> EmptyMember => [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    internal static void Compress(ReadOnlySpan<byte> records, IBufferWriter<byte> destination, int level)
    {
        if (records.IsEmpty)
        {
            destination.Write(EmptyMember);
            return;
        }
        using var gzip = new GZipStream(new WriterStream(destination), new ZLibCompressionOptions { CompressionLevel = level });
        gzip.Write(records);
    }

    /// <summary>False if there are more than <paramref name="maxBytes"/>.</summary>
    internal static bool TryDecompress(ReadOnlySpan<byte> compressed, IBufferWriter<byte> destination, int maxBytes, out int writtenBytes)
    {
        if (!isStrict)
            throw new NotSupportedException($"gzip that is cut off would go unnoticed in this process; set {StrictSwitch} in its runtimeconfig.json");
        // A stream can read an array, not a span.
        var copy = ArrayPool<byte>.Shared.Rent(compressed.Length);
        try
        {
            compressed.CopyTo(copy);
            using var gzip = new GZipStream(new MemoryStream(copy, 0, compressed.Length, writable: false), CompressionMode.Decompress);
            writtenBytes = 0;
            while (writtenBytes < maxBytes)
            {
                var leftBytes = maxBytes - writtenBytes;
                var room = destination.GetSpan(Math.Min(leftBytes, PieceBytes));
                var count = gzip.Read(room[..Math.Min(room.Length, leftBytes)]);
                if (count == 0)
                    return true;
                destination.Advance(count);
                writtenBytes += count;
            }
            // The checksum at the end is read, and so checked, only by asking for more.
            return gzip.ReadByte() < 0;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy);
        }
    }

    private static bool BeStrict()
    {
        AppContext.SetSwitch(StrictSwitch, true);
        using var cutOff = new GZipStream(new MemoryStream(EmptyMember[..^1].ToArray()), CompressionMode.Decompress);
        try
        {
            cutOff.ReadByte();
            return false;
        }
        catch (InvalidDataException)
        {
            return true;
        }
    }

    /// <summary>What is written to it goes on to a buffer writer.</summary>
    private sealed class WriterStream(IBufferWriter<byte> destination) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer) => destination.Write(buffer);

        public override void Write(byte[] buffer, int offset, int count) => destination.Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
