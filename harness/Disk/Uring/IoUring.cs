using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Bench.Disk.Native;
using static Bench.Disk.Native.Constants;

namespace Bench.Disk.Uring;

/// <summary>
/// One io_uring (io_uring(7)): a queue of requests and a queue of completions in memory shared with the kernel, and
/// one system call that submits the former and waits for the latter. <see cref="BlockRing"/> is the convenient form
/// for reading and writing blocks of one file.
/// <para>
/// liburing has a getter and a setter per request field and three families of submit calls, and leaves to its user
/// what goes wrong most: completions lost to an overflow, a wait ended by a signal that is taken for a completion,
/// buffers freed while a request still writes into them. fio enters the kernel once per request unless its batch
/// options are set, and counts requests that end inside the submitting call with a latency of nearly nothing. Here
/// there is one submit: everything prepared since the last one goes in at once, the wait is whole, and
/// <see cref="Dispose"/> gives nothing back before the kernel has let go of it. It is simpler because it does less:
/// no kernel polling thread, no polled I/O, one thread per ring.
/// </para>
/// <para>
/// One thread at a time. Where the kernel allows (6.1) the ring belongs to the thread that submits first, which saves
/// locks and interrupts in the kernel; submitting from another then throws <see cref="InvalidOperationException"/>.
/// Preparing and reaping neither allocate nor enter the kernel.
/// </para>
/// </summary>
public sealed unsafe class IoUring : IDisposable
{
    private const ulong CancelMark = ulong.MaxValue;

    // From the best to the plainest; a kernel that lacks a flag says EINVAL. R_DISABLED: the ring gets its owner not
    // here but with the first submit, so that it can be made on one thread and used on another.
    private static readonly uint[] SetupChoices =
    [
        IORING_SETUP_CLAMP | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_R_DISABLED
            | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_DEFER_TASKRUN, // Linux 6.1
        IORING_SETUP_CLAMP | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN, // 5.19
        IORING_SETUP_CLAMP, // 5.6
    ];

    private readonly uint flags;
    private readonly nuint sqMapBytes;
    private readonly nuint cqMapBytes;
    private readonly nuint sqesBytes;
    private readonly uint sqMask;
    private readonly uint cqMask;
    private byte* sqMap;
    private byte* cqMap;
    private Libc.io_uring_sqe* sqes;
    private Libc.io_uring_cqe* cqes;
    private uint* sqTail;
    private uint* sqFlags;
    private uint* cqHead;
    private uint* cqTail;
    private int descriptor = -1;
    private int enterDescriptor;
    private uint enterFlags;
    private Thread? owner;
    private uint prepared;
    private uint submitted;
    private uint reaped;
    private uint knownTail;

    /// <summary>Makes a ring.</summary>
    /// <param name="entries">Requests that can wait for one submit; rounded up to a power of two, at most 32768.</param>
    /// <exception cref="DiskException">The kernel has no io_uring, or it is forbidden here.</exception>
    public IoUring(int entries) : this(entries, firstChoice: 0)
    {
    }

    internal IoUring(int entries, int firstChoice)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(entries);
        Libc.io_uring_params parameters = default;
        var errno = EINVAL;
        for (var choice = firstChoice; choice < SetupChoices.Length && errno == EINVAL; choice++)
        {
            parameters = default;
            parameters.flags = SetupChoices[choice];
            descriptor = (int)Libc.syscall(SYS_io_uring_setup, entries, (nint)(&parameters), 0, 0, 0, 0);
            errno = descriptor >= 0 ? 0 : Marshal.GetLastPInvokeError();
        }
        if (errno != 0)
        {
            GC.SuppressFinalize(this);
            throw DiskException.FromErrno("io_uring_setup", "ring", errno, HintFor(errno));
        }

        flags = parameters.flags;
        enterDescriptor = descriptor;
        Entries = (int)parameters.sq_entries;
        CompletionEntries = (int)parameters.cq_entries;
        sqMapBytes = parameters.sq_off.array + parameters.sq_entries * sizeof(uint);
        cqMapBytes = parameters.cq_off.cqes + parameters.cq_entries * (nuint)sizeof(Libc.io_uring_cqe);
        sqesBytes = parameters.sq_entries * (nuint)sizeof(Libc.io_uring_sqe);
        var single = (parameters.features & IORING_FEAT_SINGLE_MMAP) != 0;
        if (single)
            sqMapBytes = cqMapBytes = nuint.Max(sqMapBytes, cqMapBytes);
        try
        {
            sqMap = Map(sqMapBytes, IORING_OFF_SQ_RING);
            cqMap = single ? sqMap : Map(cqMapBytes, IORING_OFF_CQ_RING);
            sqes = (Libc.io_uring_sqe*)Map(sqesBytes, IORING_OFF_SQES);
        }
        catch
        {
            Release();
            GC.SuppressFinalize(this);
            throw;
        }

        sqTail = (uint*)(sqMap + parameters.sq_off.tail);
        sqFlags = (uint*)(sqMap + parameters.sq_off.flags);
        sqMask = *(uint*)(sqMap + parameters.sq_off.ring_mask);
        cqHead = (uint*)(cqMap + parameters.cq_off.head);
        cqTail = (uint*)(cqMap + parameters.cq_off.tail);
        cqMask = *(uint*)(cqMap + parameters.cq_off.ring_mask);
        cqes = (Libc.io_uring_cqe*)(cqMap + parameters.cq_off.cqes);

        // The indirection from queue to entries is never used: entry i is at place i for good.
        var places = (uint*)(sqMap + parameters.sq_off.array);
        for (var i = 0u; i < parameters.sq_entries; i++)
            places[i] = i;
    }

    /// <summary>Closes what <see cref="Dispose"/> did not. It cannot wait for requests in flight: it is another thread.</summary>
    ~IoUring() => Release();

    /// <summary>Requests that can wait for one submit.</summary>
    public int Entries { get; }

    /// <summary>Completions that can wait for reaping before the kernel keeps them in a list of its own.</summary>
    public int CompletionEntries { get; }

    /// <summary>Requests submitted and not reaped.</summary>
    public int InFlight => (int)(submitted - reaped);

    /// <summary>Completions that can be reaped now, without a system call.</summary>
    public int Ready => descriptor < 0 ? 0 : (int)(Volatile.Read(ref *cqTail) - reaped);

    /// <summary>Requests prepared and not submitted.</summary>
    public int Unsubmitted => descriptor < 0 ? 0 : (int)(prepared - submitted);

    /// <summary>True if the ring belongs to the thread that submits first (Linux 6.1).</summary>
    public bool HasOwnerThread => (flags & IORING_SETUP_SINGLE_ISSUER) != 0;

    /// <summary>The setup flags in force, for the record.</summary>
    public string Setup => (flags & IORING_SETUP_DEFER_TASKRUN) != 0 ? "single_issuer,defer_taskrun"
        : (flags & IORING_SETUP_COOP_TASKRUN) != 0 ? "coop_taskrun" : "plain";

    /// <summary>Why io_uring cannot be used here, as one sentence; null if it can.</summary>
    public static string? WhyUnavailable()
    {
        try
        {
            using var ring = new IoUring(1);
            return null;
        }
        catch (DiskException refused)
        {
            return refused.Message;
        }
    }

    /// <summary>A request that does nothing.</summary>
    public void PrepareNop(ulong userData, bool link = false)
    {
        _ = ref Next(IORING_OP_NOP, -1, link ? IOSQE_IO_LINK : (byte)0, userData);
    }

    /// <summary>Submits what is prepared and waits until that many completions can be reaped.</summary>
    /// <param name="waitFor">
    /// Completions to wait for, those not yet reaped included; more than are in flight count as all of them. With 0
    /// it only submits; with nothing to submit either, the kernel hands over what has ended. No system call if
    /// nothing is to be submitted and enough have ended.
    /// </param>
    /// <returns>
    /// Requests submitted. Less than prepared only if the kernel wants completions to be reaped first; the rest goes
    /// with the next call.
    /// </returns>
    /// <exception cref="DiskException">The kernel refused.</exception>
    /// <exception cref="InvalidOperationException">The ring belongs to another thread.</exception>
    public int Submit(int waitFor = 0)
    {
        ObjectDisposedException.ThrowIf(descriptor < 0, this);
        var first = submitted;
        var entered = false;
        waitFor = Math.Min(waitFor, (int)(prepared - reaped));
        Volatile.Write(ref *sqTail, prepared); // release: the entries are whole before the kernel may see them
        while (true)
        {
            var toSubmit = prepared - submitted;
            var ready = (int)(Volatile.Read(ref *cqTail) - reaped);
            if (toSubmit == 0 && ready >= waitFor && (entered || ready > 0))
                return (int)(submitted - first);

            var result = Enter(toSubmit, waitFor);
            if (result >= 0)
            {
                submitted += (uint)result;
                entered = true;
            }
            else if (!Recover(Marshal.GetLastPInvokeError(), ready))
            {
                return (int)(submitted - first);
            }
        }
    }

    /// <summary>Takes one completion, if one is there. No system call, unless the kernel kept some back.</summary>
    /// <param name="userData">What the request was prepared with.</param>
    /// <param name="result">Bytes done or another result of the call; negative: an errno.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryReap(out ulong userData, out int result)
    {
        var head = reaped;
        if (head == knownTail && !Refresh())
        {
            userData = 0;
            result = 0;
            return false;
        }
        var cqe = cqes + (head & cqMask);
        userData = cqe->user_data;
        result = cqe->res;
        reaped = head + 1;
        Volatile.Write(ref *cqHead, head + 1); // release: read before the kernel may write over it
        return true;
    }

    /// <summary>
    /// Cancels what is in flight, waits until the kernel has let go of all of it, and closes the ring. Call it on
    /// the thread that submits: on another one the wait is not possible, and memory of requests in flight must not
    /// be freed (<see cref="InFlight"/> stays above 0).
    /// </summary>
    public void Dispose()
    {
        if (descriptor < 0)
            return;
        Drain();
        Release();
        GC.SuppressFinalize(this);
    }

    /// <summary>Registers descriptors, so that requests need not look them up. False where the kernel will not.</summary>
    internal bool TryRegisterFiles(ReadOnlySpan<int> descriptors)
    {
        fixed (int* pointer = descriptors)
            return Register(IORING_REGISTER_FILES, pointer, (uint)descriptors.Length) >= 0;
    }

    /// <summary>
    /// Registers buffers of one length that lie one after the other, so that the kernel pins them once and not per
    /// request. They count against the locked-memory limit of users without CAP_IPC_LOCK.
    /// </summary>
    /// <returns>0, or the errno: ENOMEM over the limit.</returns>
    internal int TryRegisterBuffers(byte* memory, int count, int lengthBytes)
    {
        var vectors = new Libc.iovec[count];
        for (var i = 0; i < count; i++)
            vectors[i] = new Libc.iovec { iov_base = memory + (nint)i * lengthBytes, iov_len = lengthBytes };
        fixed (Libc.iovec* pointer = vectors)
            return Register(IORING_REGISTER_BUFFERS, pointer, (uint)count) >= 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    /// <summary>A read or write of plain or registered memory; the caller names the operation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void PrepareTransfer(
        byte opcode, int file, byte entryFlags, byte* buffer, int lengthBytes, long position, int callFlags, int bufferIndex, ulong userData)
    {
        ref var sqe = ref Next(opcode, file, entryFlags, userData);
        sqe.off = (ulong)position;
        sqe.addr = (ulong)buffer;
        sqe.len = (uint)lengthBytes;
        sqe.rw_flags = (uint)callFlags;
        sqe.buf_index = (ushort)bufferIndex;
    }

    /// <summary>fsync(2), or fdatasync(2).</summary>
    internal void PrepareSync(int file, byte entryFlags, bool dataOnly, ulong userData)
    {
        ref var sqe = ref Next(IORING_OP_FSYNC, file, entryFlags, userData);
        sqe.fsync_flags = dataOnly ? IORING_FSYNC_DATASYNC : 0;
    }

    /// <summary>send(2) or recv(2).</summary>
    internal void PrepareSocket(byte opcode, int socket, byte entryFlags, byte* buffer, int lengthBytes, int messageFlags, ulong userData)
    {
        ref var sqe = ref Next(opcode, socket, entryFlags, userData);
        sqe.addr = (ulong)buffer;
        sqe.len = (uint)lengthBytes;
        sqe.msg_flags = (uint)messageFlags;
    }

    /// <summary>splice(2); a position of -1 for a pipe or socket.</summary>
    internal void PrepareSplice(int source, long sourcePosition, int target, long targetPosition, int lengthBytes, uint spliceFlags, byte entryFlags, ulong userData)
    {
        ref var sqe = ref Next(IORING_OP_SPLICE, target, entryFlags, userData);
        sqe.splice_fd_in = source;
        sqe.splice_off_in = (ulong)sourcePosition;
        sqe.off = (ulong)targetPosition;
        sqe.len = (uint)lengthBytes;
        sqe.splice_flags = spliceFlags;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref Libc.io_uring_sqe Next(byte opcode, int file, byte entryFlags, ulong userData)
    {
        // The kernel takes entries only inside io_uring_enter, so what was submitted has been taken.
        if (prepared - submitted > sqMask)
            ThrowFull();
        var sqe = sqes + (prepared & sqMask);
        *sqe = default;
        sqe->opcode = opcode;
        sqe->flags = entryFlags;
        sqe->fd = file;
        sqe->user_data = userData;
        prepared++;
        return ref *sqe;
    }

    private void ThrowFull() => throw (descriptor < 0
        ? new ObjectDisposedException(nameof(IoUring))
        : new InvalidOperationException($"All {Entries} entries of the ring are prepared; submit first."));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Refresh()
    {
        ObjectDisposedException.ThrowIf(descriptor < 0, this);
        knownTail = Volatile.Read(ref *cqTail); // acquire: entries below it are whole
        if (knownTail != reaped)
            return true;
        if ((Volatile.Read(ref *sqFlags) & IORING_SQ_CQ_OVERFLOW) == 0)
            return false;
        // More ended than the queue holds; entering the kernel makes it hand over the rest (IORING_FEAT_NODROP, 5.5).
        _ = Enter(0, 0);
        knownTail = Volatile.Read(ref *cqTail);
        return knownTail != reaped;
    }

    private nint Enter(uint toSubmit, int waitFor)
    {
        // The ring's registered number means another ring, or none, on another thread: the kernel would not notice.
        if (owner is not null && owner != Thread.CurrentThread)
            throw new InvalidOperationException("An io_uring belongs to the thread that submitted to it first.");
        // Without GETEVENTS the kernel leaves the completions' own work for later, when it is done for many at once.
        var getEvents = waitFor > 0 || toSubmit == 0 ? IORING_ENTER_GETEVENTS : 0;
        return Libc.syscall(SYS_io_uring_enter, enterDescriptor, (nint)toSubmit, waitFor, (nint)(enterFlags | getEvents), 0, 0);
    }

    /// <summary>What to do after a failed io_uring_enter: true = once more, false = the caller reaps first.</summary>
    private bool Recover(int errno, int ready)
    {
        switch (errno)
        {
            case EINTR:
                return true;
            case EBADFD when (flags & IORING_SETUP_R_DISABLED) != 0 && owner is null:
                Enable();
                return true;
            case EAGAIN or EBUSY:
                // Out of requests, or completions in the overflow list: room comes with reaping, or with time.
                if (ready > 0)
                    return false;
                Thread.Yield();
                return true;
            default:
                throw DiskException.FromErrno("io_uring_enter", "ring", errno);
        }
    }

    /// <summary>Makes this thread the owner, and gives the ring a number in it that needs no look-up by descriptor.</summary>
    private void Enable()
    {
        if (Register(IORING_REGISTER_ENABLE_RINGS, null, 0) < 0)
            throw DiskException.FromLast("io_uring_register", "ring");
        owner = Thread.CurrentThread;
        var update = new Libc.io_uring_rsrc_update { offset = uint.MaxValue, data = (ulong)descriptor };
        if (Register(IORING_REGISTER_RING_FDS, &update, 1) != 1)
            return;
        enterDescriptor = (int)update.offset;
        enterFlags |= IORING_ENTER_REGISTERED_RING;
    }

    private void Drain()
    {
        prepared = submitted; // never seen by the kernel
        if (InFlight == 0)
            return;
        try
        {
            // Before 5.19 the kernel cannot cancel all of them and says so; then they end by themselves.
            ref var sqe = ref Next(IORING_OP_ASYNC_CANCEL, -1, 0, CancelMark);
            sqe.cancel_flags = IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY;
            while (InFlight > 0 || Unsubmitted > 0)
            {
                Submit(1);
                while (TryReap(out _, out _))
                {
                }
            }
        }
        catch (Exception failed) when (failed is DiskException or InvalidOperationException)
        {
            // Not the owner's thread, or the ring is broken. InFlight stays above 0: nobody may free their memory.
            prepared = submitted;
        }
    }

    private void Release()
    {
        if ((enterFlags & IORING_ENTER_REGISTERED_RING) != 0 && owner == Thread.CurrentThread)
        {
            // On another thread it is not possible; there the number goes when the owner's thread ends.
            var update = new Libc.io_uring_rsrc_update { offset = (uint)enterDescriptor };
            _ = Register(IORING_UNREGISTER_RING_FDS, &update, 1);
        }
        enterFlags = 0;
        if (sqes is not null)
            _ = Libc.munmap(sqes, sqesBytes);
        if (cqMap is not null && cqMap != sqMap)
            _ = Libc.munmap(cqMap, cqMapBytes);
        if (sqMap is not null)
            _ = Libc.munmap(sqMap, sqMapBytes);
        sqes = null;
        cqMap = sqMap = null;
        if (descriptor >= 0)
            _ = Libc.close(descriptor);
        descriptor = enterDescriptor = -1;
        knownTail = reaped; // so that each later call finds its way to the check of the descriptor
        prepared = submitted + sqMask + 1;
    }

    private byte* Map(nuint lengthBytes, long offset)
    {
        var address = Libc.mmap(null, lengthBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, descriptor, offset);
        return (nint)address != -1 ? (byte*)address : throw DiskException.FromLast("mmap", "ring");
    }

    private int Register(int operation, void* argument, uint count)
    {
        nint result;
        do
            result = Libc.syscall(SYS_io_uring_register, descriptor, operation, (nint)argument, (nint)count, 0, 0);
        while (result < 0 && Marshal.GetLastPInvokeError() == EINTR);
        return (int)result;
    }

    private static string? HintFor(int errno) => errno switch
    {
        ENOSYS => "io_uring needs Linux 5.6, and some containers hide it; use the psync engine",
        EPERM => "io_uring is switched off by the sysctl kernel.io_uring_disabled or by the container's seccomp profile; use the psync engine",
        ENOMEM => "before Linux 5.12 rings count as locked memory; raise ulimit -l or lower the queue depth",
        _ => null,
    };
}
