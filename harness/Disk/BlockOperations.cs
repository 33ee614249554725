using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Bench.Disk.Native;

namespace Bench.Disk;

/// <summary>
/// One operation on one block, as the op loop calls it. Implementations are structs: the loop is compiled for each
/// of them, so that there is no virtual call between two system calls.
/// </summary>
public interface IBlockOperation
{
    /// <summary>Does the operation on the block at a byte position.</summary>
    /// <exception cref="DiskException">The call failed, or the file ended before the block did.</exception>
    void Run(long position);
}

/// <summary>Reads a block with pread(2).</summary>
public readonly unsafe struct ReadBlock(DiskFile file, AlignedBuffer buffer) : IBlockOperation
{
    private readonly DiskFile file = file;
    private readonly byte* pointer = buffer.Pointer;
    private readonly int lengthBytes = buffer.LengthBytes;
    private readonly int descriptor = file.Descriptor;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run(long position)
    {
        var call = new ReadCall(descriptor);
        var done = FullTransfer.Run(ref call, pointer, lengthBytes, position);
        if (done != lengthBytes)
            BlockFailure.Throw("pread", file, position, done);
    }
}

/// <summary>Reads a block with preadv2(2) and per-call flags.</summary>
public readonly unsafe struct ReadBlockWithFlags(DiskFile file, AlignedBuffer buffer, CallFlags flags) : IBlockOperation
{
    private readonly DiskFile file = file;
    private readonly byte* pointer = buffer.Pointer;
    private readonly int lengthBytes = buffer.LengthBytes;
    private readonly int descriptor = file.Descriptor;
    private readonly CallFlags flags = flags;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run(long position)
    {
        var call = new VectoredCall(descriptor, (int)flags, writes: false);
        var done = FullTransfer.Run(ref call, pointer, lengthBytes, position);
        if (done != lengthBytes)
            BlockFailure.Throw("preadv2", file, position, done);
    }
}

/// <summary>
/// Writes a block with pwrite(2). The content is the caller's random buffer, taken block after block, and eight bytes
/// of each 4 KiB change with every block: see <see cref="BlockSource"/>.
/// </summary>
public unsafe struct WriteBlock(DiskFile file, AlignedBuffer buffer, int blockBytes) : IBlockOperation
{
    private readonly DiskFile file = file;
    private readonly int lengthBytes = blockBytes;
    private readonly int descriptor = file.Descriptor;
    private BlockSource source = new(buffer, blockBytes);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run(long position)
    {
        var pointer = source.For(position);
        var call = new WriteCall(descriptor);
        var done = FullTransfer.Run(ref call, pointer, lengthBytes, position);
        if (done != lengthBytes)
            BlockFailure.Throw("pwrite", file, position, done);
    }
}

/// <summary>Writes a block with pwritev2(2) and per-call flags; content as in <see cref="WriteBlock"/>.</summary>
public unsafe struct WriteBlockWithFlags(DiskFile file, AlignedBuffer buffer, int blockBytes, CallFlags flags) : IBlockOperation
{
    private readonly DiskFile file = file;
    private readonly int lengthBytes = blockBytes;
    private readonly int descriptor = file.Descriptor;
    private readonly CallFlags flags = flags;
    private BlockSource source = new(buffer, blockBytes);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run(long position)
    {
        var pointer = source.For(position);
        var call = new VectoredCall(descriptor, (int)flags, writes: true);
        var done = FullTransfer.Run(ref call, pointer, lengthBytes, position);
        if (done != lengthBytes)
            BlockFailure.Throw("pwritev2", file, position, done);
    }
}

/// <summary>Copies a block out of a map. A device error here is SIGBUS, which ends the process: there is no call that could return EIO.</summary>
public readonly unsafe struct ReadMappedBlock(MappedFile map, AlignedBuffer buffer) : IBlockOperation
{
    private readonly byte* source = map.Pointer;
    private readonly byte* pointer = buffer.Pointer;
    private readonly int lengthBytes = buffer.LengthBytes;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run(long position) => Buffer.MemoryCopy(source + position, pointer, lengthBytes, lengthBytes);
}

/// <summary>Copies a block into a map; content as in <see cref="WriteBlock"/>.</summary>
public unsafe struct WriteMappedBlock(MappedFile map, AlignedBuffer buffer, int blockBytes) : IBlockOperation
{
    private readonly byte* target = map.Pointer;
    private readonly int lengthBytes = blockBytes;
    private BlockSource source = new(buffer, blockBytes);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run(long position)
    {
        Buffer.MemoryCopy(source.For(position), target + position, lengthBytes, lengthBytes);
    }
}

/// <summary>
/// Where the content of written blocks comes from: a random buffer of many blocks, of which the position chooses one,
/// and a stamp. Blocks near each other in the file then share nothing, and a file system that compresses (btrfs 128 KiB
/// at a time, ZFS a record) finds nothing to save; the stamp makes far ones unequal, so that a deduplicating one finds
/// nothing either. fio's default (one buffer, its head scrambled) does only the latter.
/// </summary>
public unsafe struct BlockSource
{
    /// <summary>What a compressor sees at once, at most; it still fits a core's cache.</summary>
    public const int PoolBytes = 128 << 10;

    /// <summary>
    /// The same for all slots of a ring together, which each need their own: less than 128 KiB for each at great
    /// depths, so that the memory to copy from is still near.
    /// </summary>
    public const int RingPoolBytes = 1 << 20;

    private readonly byte* first;
    private readonly long poolBytes;
    private readonly long mask;
    private readonly int blockBytes;
    private BlockStamp stamp;

    /// <summary>A source over a buffer of at least one block of random bytes.</summary>
    public BlockSource(AlignedBuffer buffer, int blockBytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(blockBytes, buffer.LengthBytes);
        this.blockBytes = blockBytes;
        first = buffer.Pointer;
        poolBytes = (long)(buffer.LengthBytes / blockBytes) * blockBytes;
        mask = BitOperations.IsPow2(poolBytes) ? poolBytes - 1 : 0;
        // From the buffer's random content, so that two passes do not write the same blocks.
        stamp = new BlockStamp(blockBytes < sizeof(ulong) ? 0 : MemoryMarshal.Read<ulong>(buffer.Span));
    }

    /// <summary>Blocks of the buffer of one thread.</summary>
    public static int BlocksFor(int blockBytes) => (PoolBytes + blockBytes - 1) / blockBytes;

    /// <summary>Blocks of each slot of a ring, where each begins on a page of its own.</summary>
    public static int BlocksPerSlotFor(int blockBytes, int queueDepth) =>
        (int)Math.Clamp(RingPoolBytes / (Math.Max(Environment.SystemPageSize, blockBytes) * (long)queueDepth), 1, BlocksFor(blockBytes));

    /// <summary>The content for the block at a position, a multiple of the block size.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal byte* For(long position)
    {
        // The usual sizes are powers of two; a division would cost more than all else here.
        var block = first + (mask != 0 ? position & mask : position % poolBytes);
        stamp.Next(block, blockBytes);
        return block;
    }
}

/// <summary>
/// Makes each written block unlike all others: a counter, once per 4 KiB. The position takes no part: position plus
/// counter would meet again (a block 4096 writes later and 4096 bytes earlier has the same sum).
/// </summary>
internal unsafe struct BlockStamp(ulong start)
{
    private const int StampEveryBytes = 4096;

    private ulong count = start;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Next(byte* pointer, int lengthBytes)
    {
        // Odd multiplier: different counts give different values.
        var value = ++count * 0x9E3779B97F4A7C15;
        for (var at = 0; at <= lengthBytes - sizeof(ulong); at += StampEveryBytes)
            Unsafe.WriteUnaligned(pointer + at, value + (ulong)at);
    }
}

internal static class BlockFailure
{
    /// <summary>Throws for a negative errno, or for a file that ended within the block.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Throw(string operation, DiskFile file, long position, nint result)
    {
        var where = FormattableString.Invariant($"{file.Path} at byte {position}");
        throw result < 0
            ? DiskException.FromErrno(operation, where, (int)-result)
            : DiskException.Ended(operation, where);
    }
}
