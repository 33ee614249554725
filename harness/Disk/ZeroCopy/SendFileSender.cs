using System.Runtime.InteropServices;
using Bench.Disk.Native;

namespace Bench.Disk.ZeroCopy;

/// <summary>sendfile(2): the page cache's pages go to the socket by reference; nothing is copied into this process.</summary>
/// <param name="source">The file.</param>
/// <param name="target">Where to.</param>
/// <param name="chunkBytes">Bytes per call.</param>
public sealed unsafe class SendFileSender(DiskFile source, ByteTarget target, int chunkBytes) : IRangeSender
{
    /// <inheritdoc/>
    public int ChunkBytes { get; } = chunkBytes > 0 ? chunkBytes : throw new ArgumentOutOfRangeException(nameof(chunkBytes));

    /// <inheritdoc/>
    public long Send(long position, long lengthBytes)
    {
        var call = new Call(source.Descriptor, target.Descriptor);
        var sent = ChunkLoop.Run(ref call, position, lengthBytes, ChunkBytes);
        return sent >= 0 ? sent : throw target.Failure("sendfile", source, (int)-sent);
    }

    /// <summary>There is nothing to free.</summary>
    public void Dispose()
    {
    }

    private readonly struct Call(int source, int target) : IChunkCall
    {
        public nint Invoke(long position, nint lengthBytes)
        {
            var moved = Libc.sendfile(target, source, &position, lengthBytes);
            return moved >= 0 ? moved : -Marshal.GetLastPInvokeError();
        }
    }
}
