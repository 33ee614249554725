using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Bench.Disk.Native;
using static Bench.Disk.Native.Constants;

namespace Bench.Disk.Uring;

/// <summary>
/// Reads and writes of one file at a queue depth, through an <see cref="IoUring"/>. There are as many slots as the
/// queue is deep; each has one block of memory and at most one request at a time. The loop over it:
/// <code>
/// for each slot: PrepareRead(slot, position)
/// until done:    Submit(1); while (TryReap(out slot, out bytes)) PrepareRead(slot, next position)
/// </code>
/// A request that comes back short, or with EINTR or EAGAIN, is prepared again for its rest and goes in with the next
/// <see cref="Submit"/>; <see cref="TryReap"/> shows each request once, when it is whole, at the end of the file, or
/// failed. Nothing here allocates, and no call is virtual.
/// <para>One thread at a time; see <see cref="IoUring"/> for which.</para>
/// </summary>
public sealed unsafe class BlockRing : IDisposable
{
    private const byte Idle = byte.MaxValue;

    private readonly DiskFile file;
    private readonly IoUring ring;
    private readonly nuint memoryBytes;
    private readonly int fileIndex;
    private readonly byte entryFlags;
    private readonly byte readOpcode;
    private readonly byte writeOpcode;
    private readonly int callFlags;
    private readonly int blocksPerSlot;
    private byte* memory;
    private BlockStamp stamp = new((ulong)Environment.TickCount64);
    private Request* requests;

    /// <summary>One slot's request.</summary>
    private struct Request
    {
        internal long Position;
        internal int BufferOffset;
        internal int Done;
        internal int Left;
        internal byte Opcode;
    }

    /// <summary>Makes the ring, its memory (touched, so that no page fault falls into a pass) and its registrations.</summary>
    /// <param name="file">The file; it must stay open as long as the ring.</param>
    /// <param name="queueDepth">Slots.</param>
    /// <param name="blockBytes">Bytes of memory per slot; for direct I/O a multiple of the file's alignment.</param>
    /// <param name="flags">Given with every read and write (RWF_DONTCACHE, RWF_DSYNC, RWF_NOWAIT).</param>
    /// <param name="fixedBuffers">Ask for registered buffers; see <see cref="FixedBuffers"/> for whether it was granted.</param>
    /// <param name="blocksPerSlot">Blocks of memory per slot, of which the position of a stamped write chooses one (see <see cref="BlockSource"/>).</param>
    /// <exception cref="DiskException">No io_uring here, or no memory.</exception>
    public BlockRing(DiskFile file, int queueDepth, int blockBytes, CallFlags flags = CallFlags.None, bool fixedBuffers = true, int blocksPerSlot = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blocksPerSlot);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(queueDepth);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockBytes);
        this.file = file;
        QueueDepth = queueDepth;
        BlockBytes = blockBytes;
        callFlags = (int)flags;
        // Each slot starts on a page, as direct I/O and registration like it.
        var page = Environment.SystemPageSize;
        StrideBytes = (blockBytes + page - 1) / page * page;
        this.blocksPerSlot = blocksPerSlot;
        SlotBytes = StrideBytes * blocksPerSlot;
        memoryBytes = (nuint)queueDepth * (nuint)SlotBytes;

        ring = new IoUring(queueDepth);
        try
        {
            if (ring.Entries < queueDepth)
                throw new ArgumentOutOfRangeException(nameof(queueDepth), queueDepth, $"This kernel's rings have at most {ring.Entries} entries.");
            var address = Libc.mmap(null, memoryBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
            if ((nint)address == -1)
                throw DiskException.FromLast("mmap", "memory of the ring");
            memory = (byte*)address;
            requests = (Request*)NativeMemory.AllocZeroed((nuint)queueDepth, (nuint)sizeof(Request));
            for (var slot = 0; slot < queueDepth; slot++)
                requests[slot].Opcode = Idle;

            RegisteredFile = ring.TryRegisterFiles([file.Descriptor]);
            fileIndex = RegisteredFile ? 0 : file.Descriptor;
            entryFlags = RegisteredFile ? IOSQE_FIXED_FILE : (byte)0;
            var errno = fixedBuffers ? ring.TryRegisterBuffers(memory, queueDepth, SlotBytes) : 0;
            FixedBuffers = fixedBuffers && errno == 0;
            if (errno != 0)
                FixedBuffersRefusal = DiskException.FromErrno(
                    "io_uring_register", $"{memoryBytes / 1024} KiB of buffers", errno,
                    errno == ENOMEM ? "raise the locked-memory limit (ulimit -l)" : null).Message;
            readOpcode = FixedBuffers ? IORING_OP_READ_FIXED : IORING_OP_READ;
            writeOpcode = FixedBuffers ? IORING_OP_WRITE_FIXED : IORING_OP_WRITE;
        }
        catch
        {
            Release();
            GC.SuppressFinalize(this);
            throw;
        }
    }

    /// <summary>Frees what <see cref="Dispose"/> did not, unless the kernel may still write into it.</summary>
    ~BlockRing() => Free();

    /// <summary>Slots.</summary>
    public int QueueDepth { get; }

    /// <summary>Bytes of memory per slot.</summary>
    public int BlockBytes { get; }

    /// <summary>True if the buffers are registered, so that the kernel pins no memory per request.</summary>
    public bool FixedBuffers { get; }

    /// <summary>Why the buffers are not registered, as one sentence; null if they are or were not to be.</summary>
    public string? FixedBuffersRefusal { get; }

    /// <summary>True if the file is registered.</summary>
    public bool RegisteredFile { get; }

    /// <summary>The ring's setup flags in force, for the record.</summary>
    public string Setup => ring.Setup;

    /// <summary>Requests that the kernel has and that were not reaped: the queue depth achieved at this moment.</summary>
    public int InFlight => ring.InFlight;

    /// <summary>
    /// Slots with a request that is prepared or in flight; a loop is done when this is 0. (<see cref="InFlight"/>
    /// alone may be 0 while the rest of a short request waits to be submitted.)
    /// </summary>
    public int Pending => ring.InFlight + ring.Unsubmitted;

    /// <summary>Completions that <see cref="TryReap"/> finds without a system call.</summary>
    public int Ready => ring.Ready;

    private int StrideBytes { get; }

    private int SlotBytes { get; }

    /// <summary>All of a slot's memory, to be filled before the first stamped write.</summary>
    public Span<byte> SlotMemory(int slot)
    {
        Check(slot);
        return new Span<byte>(memory + (nint)slot * SlotBytes, SlotBytes);
    }

    /// <summary>A slot's memory; not to be touched while its request is under way.</summary>
    public Span<byte> Block(int slot)
    {
        Check(slot);
        return new Span<byte>(memory + (nint)slot * SlotBytes, BlockBytes);
    }

    /// <summary>Prepares a read of one block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrepareRead(int slot, long position) => Prepare(readOpcode, slot, position, 0, BlockBytes);

    /// <summary>Prepares a write of one block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrepareWrite(int slot, long position) => Prepare(writeOpcode, slot, position, 0, BlockBytes);

    /// <summary>
    /// Prepares a write of one block whose content differs from every other one, as in <see cref="WriteBlock"/>. Fill
    /// <see cref="SlotMemory"/> with random bytes before the first.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrepareStampedWrite(int slot, long position)
    {
        Check(slot);
        var offset = blocksPerSlot == 1 ? 0 : (int)((ulong)position / (uint)BlockBytes % (uint)blocksPerSlot) * StrideBytes;
        stamp.Next(memory + (nint)slot * SlotBytes + offset, BlockBytes);
        Prepare(writeOpcode, slot, position, offset, BlockBytes);
    }

    /// <summary>Prepares a read into a part of the block.</summary>
    public void PrepareRead(int slot, long position, int bufferOffset, int lengthBytes)
    {
        CheckPart(bufferOffset, lengthBytes);
        Prepare(readOpcode, slot, position, bufferOffset, lengthBytes);
    }

    /// <summary>Prepares a write of a part of the block.</summary>
    public void PrepareWrite(int slot, long position, int bufferOffset, int lengthBytes)
    {
        CheckPart(bufferOffset, lengthBytes);
        Prepare(writeOpcode, slot, position, bufferOffset, lengthBytes);
    }

    /// <summary>Prepares an fsync(2). It covers the writes that have been reaped, not those in flight.</summary>
    public void PrepareFsync(int slot) => PrepareSync(slot, dataOnly: false);

    /// <summary>Prepares an fdatasync(2). It covers the writes that have been reaped, not those in flight.</summary>
    public void PrepareFdatasync(int slot) => PrepareSync(slot, dataOnly: true);

    /// <summary>Submits what is prepared and waits until that many completions can be reaped (<see cref="IoUring.Submit"/>).</summary>
    /// <returns>Requests submitted.</returns>
    public int Submit(int waitFor) => ring.Submit(waitFor);

    /// <summary>
    /// Takes one request that is whole. False: reap no more now, submit and wait; the wait may end with nothing to
    /// reap if all that ended came back short.
    /// </summary>
    /// <param name="slot">Its slot, free again.</param>
    /// <param name="bytesDone">Bytes done: fewer than asked only at the end of the file; 0 for a sync.</param>
    /// <exception cref="DiskException">This request failed; its slot is free again, the others go on.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryReap(out int slot, out int bytesDone)
    {
        while (ring.TryReap(out var userData, out var result))
        {
            slot = (int)userData;
            var request = requests + slot;
            if (result == request->Left)
            {
                bytesDone = request->Done + result;
                request->Opcode = Idle;
                return true;
            }
            if (Settle(slot, result, out bytesDone))
                return true;
        }
        slot = -1;
        bytesDone = 0;
        return false;
    }

    /// <summary>
    /// Cancels what is in flight, waits until the kernel has let go of the memory, then frees it. On the thread that
    /// submits; from another thread the memory of requests in flight is left, not freed.
    /// </summary>
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Prepare(byte opcode, int slot, long position, int bufferOffset, int lengthBytes)
    {
        Check(slot);
        var request = requests + slot;
        if (request->Opcode != Idle)
            ThrowBusy(slot);
        ring.PrepareTransfer(
            opcode, fileIndex, entryFlags, memory + (nint)slot * SlotBytes + bufferOffset, lengthBytes, position, callFlags, slot, (ulong)slot);
        request->Position = position;
        request->BufferOffset = bufferOffset;
        request->Done = 0;
        request->Left = lengthBytes;
        request->Opcode = opcode;
    }

    private void PrepareSync(int slot, bool dataOnly)
    {
        Check(slot);
        if (requests[slot].Opcode != Idle)
            ThrowBusy(slot);
        ring.PrepareSync(fileIndex, entryFlags, dataOnly, (ulong)slot);
        requests[slot] = new Request { Opcode = IORING_OP_FSYNC, Position = dataOnly ? 1 : 0 };
    }

    /// <summary>A completion that is not the whole request. True: it is over; false: its rest is prepared.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Settle(int slot, int result, out int bytesDone)
    {
        var request = requests + slot;
        bytesDone = request->Done;
        var again = result == -EINTR || (result == -EAGAIN && (callFlags & RWF_NOWAIT) == 0);
        if (result <= 0 && !again)
        {
            var operation = request->Opcode == readOpcode ? "read" : request->Opcode == writeOpcode ? "write" : "fsync";
            request->Opcode = Idle;
            return result == 0 ? true : throw DiskException.FromErrno(
                $"io_uring {operation}", string.Create(CultureInfo.InvariantCulture, $"{file.Path} at byte {request->Position + request->Done}"), -result);
        }

        if (request->Opcode == IORING_OP_FSYNC)
        {
            ring.PrepareSync(fileIndex, entryFlags, dataOnly: request->Position == 1, (ulong)slot);
            return false;
        }
        request->Done += Math.Max(0, result);
        request->Left -= Math.Max(0, result);
        ring.PrepareTransfer(
            request->Opcode, fileIndex, entryFlags, memory + (nint)slot * SlotBytes + request->BufferOffset + request->Done,
            request->Left, request->Position + request->Done, callFlags, slot, (ulong)slot);
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Check(int slot)
    {
        if ((uint)slot >= (uint)QueueDepth || memory is null)
            ThrowNoSlot(slot);
    }

    private void CheckPart(int bufferOffset, int lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bufferOffset);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lengthBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)bufferOffset + lengthBytes, BlockBytes, nameof(lengthBytes));
    }

    private void ThrowNoSlot(int slot) => throw (memory is null
        ? new ObjectDisposedException(nameof(BlockRing))
        : new ArgumentOutOfRangeException(nameof(slot), slot, $"There are {QueueDepth} slots."));

    private static void ThrowBusy(int slot) => throw new InvalidOperationException(
        string.Create(CultureInfo.InvariantCulture, $"Slot {slot} still has a request under way."));

    private void Release()
    {
        ring.Dispose();
        Free();
    }

    private void Free()
    {
        // With requests in flight and nobody to wait for them, the memory stays: better lost than written over. The
        // unsubmitted count too: a finalizer can run while another thread is inside its last Submit.
        if (ring is not null && Pending > 0)
            return;
        if (memory is not null)
            _ = Libc.munmap(memory, memoryBytes);
        memory = null;
        NativeMemory.Free(requests);
        requests = null;
    }
}
