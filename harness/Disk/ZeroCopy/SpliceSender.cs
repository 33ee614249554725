using System.Runtime.InteropServices;
using Bench.Disk.Native;
using static Bench.Disk.Native.Constants;

namespace Bench.Disk.ZeroCopy;

/// <summary>
/// splice(2) from the file into a pipe and from the pipe into the target: pages move by reference, as with sendfile,
/// with two calls per chunk. A chunk that is larger than the pipe goes in several.
/// </summary>
public sealed unsafe class SpliceSender : IRangeSender
{
    private readonly DiskFile source;
    private readonly ByteTarget target;
    private int readEnd = -1;
    private int writeEnd = -1;

    /// <summary>Makes the pipe and asks for room for a chunk in it.</summary>
    /// <param name="source">The file.</param>
    /// <param name="target">Where to.</param>
    /// <param name="chunkBytes">Bytes per pair of calls.</param>
    public SpliceSender(DiskFile source, ByteTarget target, int chunkBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(chunkBytes);
        this.source = source;
        this.target = target;
        ChunkBytes = chunkBytes;
        var ends = stackalloc int[2];
        DiskException.ThrowIfFailed(Libc.pipe2(ends, O_CLOEXEC), "pipe2", "pipe");
        (readEnd, writeEnd) = (ends[0], ends[1]);
        // EPERM above /proc/sys/fs/pipe-max-size (1 MiB) without CAP_SYS_RESOURCE: PipeBytes says what we have.
        _ = Libc.fcntl(writeEnd, F_SETPIPE_SZ, chunkBytes);
        PipeBytes = (int)DiskException.ThrowIfFailed(Libc.fcntl(writeEnd, F_GETPIPE_SZ, 0), "fcntl", "pipe");
    }

    /// <summary>Closes what <see cref="Dispose"/> did not.</summary>
    ~SpliceSender() => Close();

    /// <inheritdoc/>
    public int ChunkBytes { get; }

    /// <summary>Size of the pipe in bytes. Below <see cref="ChunkBytes"/> it is the chunk that is really in force.</summary>
    public int PipeBytes { get; }

    /// <inheritdoc/>
    public long Send(long position, long lengthBytes)
    {
        ObjectDisposedException.ThrowIf(readEnd < 0, this);
        var call = new Call(this, target.Descriptor, position + lengthBytes);
        var sent = ChunkLoop.Run(ref call, position, lengthBytes, ChunkBytes);
        if (sent >= 0)
            return sent;
        // The pipe may still hold bytes: it must not be used again.
        Close();
        throw target.Failure("splice", source, (int)-sent);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Close();
        GC.SuppressFinalize(this);
    }

    private void Close()
    {
        if (readEnd >= 0)
            _ = Libc.close(readEnd);
        if (writeEnd >= 0)
            _ = Libc.close(writeEnd);
        readEnd = writeEnd = -1;
    }

    private readonly struct Call(SpliceSender sender, int target, long end) : IChunkCall
    {
        public nint Invoke(long position, nint lengthBytes)
        {
            var filled = Libc.splice(sender.source.Descriptor, &position, sender.writeEnd, null, lengthBytes, SPLICE_F_MOVE);
            if (filled <= 0)
                return filled == 0 ? 0 : -Marshal.GetLastPInvokeError();

            // MORE holds back a packet that is not full, as sendfile does within one call; never at the range's end.
            var flags = SPLICE_F_MOVE | (position < end ? SPLICE_F_MORE : 0);
            for (var left = filled; left > 0;)
            {
                var moved = Libc.splice(sender.readEnd, null, target, null, left, flags);
                if (moved > 0)
                    left -= moved;
                else if (moved == 0)
                    return -EIO;
                else if (Marshal.GetLastPInvokeError() is var errno and not EINTR)
                    return -errno;
            }
            return filled;
        }
    }
}
