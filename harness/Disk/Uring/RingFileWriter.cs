using System.Globalization;
using static Bench.Disk.Native.Constants;

namespace Bench.Disk.Uring;

/// <summary>
/// Writes to a file through a ring, one call at a time; where the bytes are to be durable the fdatasync is linked to the
/// write, so that both cost one system call. One thread at a time, and not always the same.
/// </summary>
public sealed unsafe class RingFileWriter : IDisposable
{
    private const ulong WriteRequest = 1;
    private const ulong SyncRequest = 2;

    // Without SINGLE_ISSUER: the log's producers take turns.
    private readonly IoUring ring = new(4, firstChoice: 1);
    private readonly DiskFile file;

    /// <summary>A writer for an open file, which stays the caller's.</summary>
    /// <exception cref="DiskException">The kernel has no io_uring, or it is forbidden here.</exception>
    public RingFileWriter(DiskFile file) => this.file = file;

    /// <summary>Writes all bytes at a position.</summary>
    public void Write(ReadOnlySpan<byte> bytes, long position)
    {
        fixed (byte* pointer = bytes)
        {
            ring.PrepareTransfer(IORING_OP_WRITE, file.Descriptor, 0, pointer, bytes.Length, position, 0, 0, WriteRequest);
            ring.Submit(waitFor: 1);
            Finish(bytes, position, Reap());
        }
    }

    /// <summary>Writes all bytes at a position; they are durable when it returns.</summary>
    public void WriteAndSync(ReadOnlySpan<byte> bytes, long position)
    {
        fixed (byte* pointer = bytes)
        {
            ring.PrepareTransfer(IORING_OP_WRITE, file.Descriptor, IOSQE_IO_LINK, pointer, bytes.Length, position, 0, 0, WriteRequest);
            ring.PrepareSync(file.Descriptor, 0, dataOnly: true, SyncRequest);
            ring.Submit(waitFor: 2);
            var (first, second) = (ReapOne(), ReapOne());
            var (written, synced) = first.Request == WriteRequest ? (first.Result, second.Result) : (second.Result, first.Result);
            Finish(bytes, position, written);
            // A short write breaks the link, and the flush was cancelled.
            if (synced == -ECANCELED)
                file.Fdatasync();
            else if (synced < 0)
                throw DiskException.FromErrno("io_uring fdatasync", file.Path, -synced);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => ring.Dispose();

    private void Finish(ReadOnlySpan<byte> bytes, long position, int written)
    {
        if (written < 0 && written != -EINTR && written != -EAGAIN)
            throw DiskException.FromErrno("io_uring write", string.Create(CultureInfo.InvariantCulture, $"{file.Path} at byte {position}"), -written);
        var done = Math.Max(0, written);
        if (done < bytes.Length)
            file.Write(bytes[done..], position + done);
    }

    private int Reap() => ReapOne().Result;

    private (ulong Request, int Result) ReapOne()
    {
        ulong request;
        int result;
        while (!ring.TryReap(out request, out result))
            ring.Submit(waitFor: 1);
        return (request, result);
    }
}
