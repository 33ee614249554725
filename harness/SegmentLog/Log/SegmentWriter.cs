using Bench.Disk;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog;

/// <summary>Takes bytes to the end of a segment's file, in one of the ways of <see cref="WritePath"/>.</summary>
internal abstract class SegmentWriter : IDisposable
{
    /// <summary>Writes bytes at a position, which is where the last ones ended.</summary>
    internal abstract void Write(ReadOnlySpan<byte> bytes, long position);

    /// <summary>The same, and they are durable when it returns.</summary>
    internal abstract void WriteDurably(ReadOnlySpan<byte> bytes, long position);

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>A writer for a file that is open for reading and writing already.</summary>
    /// <param name="storage">The file system.</param>
    /// <param name="file">The segment's file.</param>
    /// <param name="sizeBytes">Bytes of log that are in it.</param>
    /// <param name="config">The way.</param>
    internal static SegmentWriter Create(IStorage storage, IStorageFile file, long sizeBytes, LogConfig config) => config.WritePath switch
    {
        WritePath.Direct => new DirectWriter(storage.Open(file.Path, OpenMode.Write | OpenMode.Direct | DataSync(config)), file, sizeBytes, config.FlushMethod),
        WritePath.IoUring => new RingWriter(file),
        _ => new BufferedWriter(file, DataSync(config) == 0 ? null : storage.Open(file.Path, OpenMode.Write | OpenMode.DataSync), config.FlushMethod),
    };

    private static OpenMode DataSync(LogConfig config) => config.FlushMethod == FlushMethod.DSync ? OpenMode.DataSync : 0;
}

/// <summary>Through the page cache.</summary>
internal sealed class BufferedWriter(IStorageFile file, IStorageFile? synchronous, FlushMethod method) : SegmentWriter
{
    internal override void Write(ReadOnlySpan<byte> bytes, long position) => (synchronous ?? file).Write(bytes, position);

    internal override void WriteDurably(ReadOnlySpan<byte> bytes, long position)
    {
        if (method == FlushMethod.RwfDSync)
        {
            file.WriteDurably(bytes, position);
            return;
        }
        (synchronous ?? file).Write(bytes, position);
        if (synchronous is null)
            file.Fdatasync();
    }

    public override void Dispose() => synchronous?.Dispose();
}

/// <summary>
/// Past the page cache. A log's batches end anywhere, and direct I/O takes whole blocks: the last block is kept in
/// memory and written again, with zeros behind, by the next append. The file is cut to its length when the segment is
/// complete; after a crash the zeros are the torn tail that recovery cuts off.
/// </summary>
internal sealed class DirectWriter : SegmentWriter
{
    private const int BlockBytes = 4096;
    private const int BufferBytes = 1 << 20;

    private readonly IStorageFile direct;
    private readonly FlushMethod method;
    private readonly AlignedBuffer buffer = new(BufferBytes);
    private int tailBytes;

    internal DirectWriter(IStorageFile direct, IStorageFile file, long sizeBytes, FlushMethod method)
    {
        this.direct = direct;
        this.method = method;
        tailBytes = (int)(sizeBytes % BlockBytes);
        try
        {
            if (tailBytes > 0)
                file.Read(buffer.Span[..tailBytes], sizeBytes - tailBytes);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal override void Write(ReadOnlySpan<byte> bytes, long position)
    {
        var to = buffer.Span;
        while (bytes.Length > 0)
        {
            var taken = Math.Min(bytes.Length, BufferBytes - tailBytes);
            bytes[..taken].CopyTo(to[tailBytes..]);
            var filled = tailBytes + taken;
            var whole = (filled + BlockBytes - 1) / BlockBytes * BlockBytes;
            to[filled..whole].Clear();
            direct.Write(to[..whole], position - tailBytes);
            var newTail = filled % BlockBytes;
            if (newTail > 0)
                to.Slice(filled - newTail, newTail).CopyTo(to);
            tailBytes = newTail;
            position += taken;
            bytes = bytes[taken..];
        }
    }

    internal override void WriteDurably(ReadOnlySpan<byte> bytes, long position)
    {
        if (method == FlushMethod.RwfDSync)
            throw new NotSupportedException("direct writes are flushed by fdatasync or O_DSYNC");
        Write(bytes, position);
        if (method != FlushMethod.DSync)
            direct.Fdatasync();
    }

    public override void Dispose()
    {
        direct.Dispose();
        buffer.Dispose();
    }
}
