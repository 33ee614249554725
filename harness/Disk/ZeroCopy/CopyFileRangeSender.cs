using System.Runtime.InteropServices;
using Bench.Disk.Native;

namespace Bench.Disk.ZeroCopy;

/// <summary>
/// copy_file_range(2), file to file: the range keeps its position. On file systems that share blocks (btrfs, XFS)
/// nothing at all may be copied; elsewhere the kernel splices through the page cache.
/// </summary>
/// <param name="source">The file.</param>
/// <param name="target">A file opened for writing, on the same kind of file system.</param>
/// <param name="chunkBytes">Bytes per call.</param>
public sealed unsafe class CopyFileRangeSender(DiskFile source, DiskFile target, int chunkBytes) : IRangeSender
{
    private readonly ByteTarget destination = target;

    /// <inheritdoc/>
    public int ChunkBytes { get; } = chunkBytes > 0 ? chunkBytes : throw new ArgumentOutOfRangeException(nameof(chunkBytes));

    /// <inheritdoc/>
    public long Send(long position, long lengthBytes)
    {
        var call = new Call(source.Descriptor, destination.Descriptor);
        var sent = ChunkLoop.Run(ref call, position, lengthBytes, ChunkBytes);
        return sent >= 0 ? sent : throw destination.Failure("copy_file_range", source, (int)-sent);
    }

    /// <summary>There is nothing to free.</summary>
    public void Dispose()
    {
    }

    private readonly struct Call(int source, int target) : IChunkCall
    {
        public nint Invoke(long position, nint lengthBytes)
        {
            var targetPosition = position;
            var moved = Libc.copy_file_range(source, &position, target, &targetPosition, lengthBytes, 0);
            return moved >= 0 ? moved : -Marshal.GetLastPInvokeError();
        }
    }
}
