using Bench.Disk.Native;

namespace Bench.Disk.ZeroCopy;

/// <summary>read(2) into a buffer and write(2) from it: the bytes are copied twice. What the others are compared with.</summary>
/// <param name="source">The file.</param>
/// <param name="target">Where to.</param>
/// <param name="chunkBytes">Size of the buffer.</param>
public sealed unsafe class ReadWriteSender(DiskFile source, ByteTarget target, int chunkBytes) : IRangeSender
{
    private readonly AlignedBuffer buffer = new(chunkBytes);

    /// <inheritdoc/>
    public int ChunkBytes => buffer.LengthBytes;

    /// <inheritdoc/>
    public long Send(long position, long lengthBytes)
    {
        var call = new Call(new ReadCall(source.Descriptor), target, buffer.Pointer);
        var sent = ChunkLoop.Run(ref call, position, lengthBytes, ChunkBytes);
        return sent >= 0 ? sent : throw target.Failure(call.Writing ? "write" : "read", source, (int)-sent);
    }

    /// <inheritdoc/>
    public void Dispose() => buffer.Dispose();

    private struct Call(ReadCall read, ByteTarget target, byte* buffer) : IChunkCall
    {
        private ReadCall read = read;

        /// <summary>Which of the two was tried last.</summary>
        public bool Writing { get; private set; }

        public nint Invoke(long position, nint lengthBytes)
        {
            Writing = false;
            var got = FullTransfer.Run(ref read, buffer, lengthBytes, position);
            if (got <= 0)
                return got;
            Writing = true;
            var result = target.WriteAll(buffer, got);
            return result < 0 ? result : got;
        }
    }
}
