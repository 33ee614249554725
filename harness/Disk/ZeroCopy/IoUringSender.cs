using Bench.Disk.Native;
using Bench.Disk.Uring;
using static Bench.Disk.Native.Constants;

namespace Bench.Disk.ZeroCopy;

/// <summary>
/// io_uring with two buffers: while one is sent, the next chunk is read into the other, both with one system call.
/// The bytes are copied twice, as with read and write; what is saved is calls and waiting.
/// <para>
/// The order of the bytes is kept because there is never more than one send under way. Linked requests would give
/// the order too, but a short read breaks the link and what follows must be started again by hand.
/// </para>
/// <para>The thread that sends first is the only one that may send and dispose (see <see cref="IoUring"/>).</para>
/// </summary>
public sealed unsafe class IoUringSender : IRangeSender
{
    private const ulong ReadMark = 0;
    private const ulong SendMark = 1;

    private readonly DiskFile source;
    private readonly ByteTarget target;
    private readonly IoUring ring;
    private readonly AlignedBuffer memory;
    private readonly int strideBytes;

    /// <summary>Makes the ring and the two buffers, and registers these where the kernel lets us.</summary>
    /// <param name="source">The file.</param>
    /// <param name="target">Where to.</param>
    /// <param name="chunkBytes">Size of each buffer.</param>
    public IoUringSender(DiskFile source, ByteTarget target, int chunkBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(chunkBytes);
        this.source = source;
        this.target = target;
        ChunkBytes = chunkBytes;
        var page = Environment.SystemPageSize;
        strideBytes = checked((chunkBytes + page - 1) / page * page);
        memory = new AlignedBuffer(checked(2 * strideBytes), page);
        ring = new IoUring(4);
        // The descriptors are not registered: the ring would hold the connection open after its owner closed it.
        FixedBuffers = ring.TryRegisterBuffers(memory.Pointer, 2, strideBytes) == 0;
    }

    /// <inheritdoc/>
    public int ChunkBytes { get; }

    /// <summary>True if the buffers are registered; false where the locked-memory limit is too small.</summary>
    public bool FixedBuffers { get; }

    /// <inheritdoc/>
    public long Send(long position, long lengthBytes)
    {
        var end = position + lengthBytes;
        var sent = 0L;
        var buffer = 0;
        var filled = Step(1, 0, buffer, position, Chunk(position, end));
        while (filled > 0)
        {
            var next = position + sent + filled;
            var read = Step(buffer, filled, 1 - buffer, next, Chunk(next, end));
            sent += filled;
            filled = read;
            buffer = 1 - buffer;
        }
        return sent;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ring.Dispose();
        if (ring.InFlight == 0)
            memory.Dispose();
    }

    private int Chunk(long position, long end) => (int)Math.Min(ChunkBytes, end - position);

    /// <summary>Sends one buffer and reads into the other; returns when both are done.</summary>
    /// <returns>Bytes read; fewer than asked only at the end of the file.</returns>
    private int Step(int sendBuffer, int sendBytes, int readBuffer, long readPosition, int readBytes)
    {
        int sendDone = 0, readDone = 0, sendErrno = 0, readErrno = 0;
        if (sendBytes > 0)
            PrepareSend(sendBuffer, 0, sendBytes);
        if (readBytes > 0)
            PrepareRead(readBuffer, 0, readBytes, readPosition);
        while (ring.InFlight + ring.Unsubmitted > 0)
        {
            ring.Submit(ring.InFlight + ring.Unsubmitted);
            while (ring.TryReap(out var mark, out var result))
            {
                var retry = result is -EINTR or -EAGAIN;
                if (mark == SendMark)
                {
                    sendDone += Math.Max(0, result);
                    if (result <= 0 && !retry)
                        sendErrno = result < 0 ? -result : EIO;
                    else if (sendDone < sendBytes && readErrno == 0)
                        PrepareSend(sendBuffer, sendDone, sendBytes);
                }
                else
                {
                    readDone += Math.Max(0, result);
                    if (result < 0 && !retry)
                        readErrno = -result;
                    else if (result != 0 && readDone < readBytes && sendErrno == 0)
                        PrepareRead(readBuffer, readDone, readBytes, readPosition);
                }
            }
        }
        if (sendErrno != 0)
            throw target.Failure("io_uring send", source, sendErrno);
        if (readErrno != 0)
            throw target.Failure("io_uring read", source, readErrno);
        return readDone;
    }

    private void PrepareSend(int buffer, int done, int bytes)
    {
        var from = memory.Pointer + (nint)buffer * strideBytes + done;
        if (target.IsSocket)
            ring.PrepareSocket(IORING_OP_SEND, target.Descriptor, 0, from, bytes - done, MSG_NOSIGNAL | MSG_WAITALL, SendMark);
        else // position -1: the descriptor's own, which moves along
            ring.PrepareTransfer(IORING_OP_WRITE, target.Descriptor, 0, from, bytes - done, -1, 0, 0, SendMark);
    }

    private void PrepareRead(int buffer, int done, int bytes, long position)
    {
        ring.PrepareTransfer(
            FixedBuffers ? IORING_OP_READ_FIXED : IORING_OP_READ, source.Descriptor, 0,
            memory.Pointer + (nint)buffer * strideBytes + done, bytes - done, position + done, 0, buffer, ReadMark);
    }
}
