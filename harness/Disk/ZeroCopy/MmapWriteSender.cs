using Bench.Disk.Native;
using static Bench.Disk.Native.Constants;

namespace Bench.Disk.ZeroCopy;

/// <summary>
/// mmap(2) and write(2): the bytes are copied once, from the page cache through the map into the socket's buffers.
/// Each send makes and removes its own map, so that its cost (page tables, faults, the flush of the TLB) counts and
/// no map keeps pages from being evicted afterwards.
/// </summary>
/// <param name="source">The file. It must not be cut shorter during a send (the kernel answers EFAULT).</param>
/// <param name="target">Where to.</param>
/// <param name="chunkBytes">Bytes per write.</param>
public sealed unsafe class MmapWriteSender(DiskFile source, ByteTarget target, int chunkBytes) : IRangeSender
{
    /// <inheritdoc/>
    public int ChunkBytes { get; } = chunkBytes > 0 ? chunkBytes : throw new ArgumentOutOfRangeException(nameof(chunkBytes));

    /// <inheritdoc/>
    public long Send(long position, long lengthBytes)
    {
        var end = Math.Min(position + lengthBytes, source.LengthBytes);
        if (position >= end)
            return 0;
        var start = position / Environment.SystemPageSize * Environment.SystemPageSize;
        var mapBytes = (nuint)(end - start);
        var map = Libc.mmap(null, mapBytes, PROT_READ, MAP_SHARED, source.Descriptor, start);
        if ((nint)map == -1)
            throw DiskException.FromLast("mmap", source.Path);
        try
        {
            // Only advice: without it the kernel reads ahead less.
            _ = Libc.madvise(map, mapBytes, MADV_SEQUENTIAL);
            var call = new Call(target, (byte*)map - start);
            var sent = ChunkLoop.Run(ref call, position, end - position, ChunkBytes);
            return sent >= 0 ? sent : throw target.Failure("write", source, (int)-sent);
        }
        finally
        {
            _ = Libc.munmap(map, mapBytes);
        }
    }

    /// <summary>There is nothing to free.</summary>
    public void Dispose()
    {
    }

    private readonly struct Call(ByteTarget target, byte* origin) : IChunkCall
    {
        public nint Invoke(long position, nint lengthBytes)
        {
            var result = target.WriteAll(origin + position, lengthBytes);
            return result < 0 ? result : lengthBytes;
        }
    }
}
