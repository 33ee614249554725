using Bench.Disk.Uring;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog;

/// <summary>Through io_uring; needs a real file.</summary>
internal sealed class RingWriter(IStorageFile file) : SegmentWriter
{
    private readonly RingFileWriter ring = new((file as DiskStorageFile ?? throw new NotSupportedException("io_uring writes to real files")).File);

    internal override void Write(ReadOnlySpan<byte> bytes, long position) => ring.Write(bytes, position);

    internal override void WriteDurably(ReadOnlySpan<byte> bytes, long position) => ring.WriteAndSync(bytes, position);

    public override void Dispose() => ring.Dispose();
}
