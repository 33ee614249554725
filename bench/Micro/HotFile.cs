using Bench.Disk;
using Bench.Measure.Running;

namespace Bench.Micro;

/// <summary>A file of 16 MiB that the page cache holds, and a block of memory: removed when disposed.</summary>
internal sealed class HotFile : IDisposable
{
    internal const int BlockBytes = 4096;
    internal const int Blocks = (16 << 20) / BlockBytes;

    private readonly string folder = Directory.CreateTempSubdirectory("bench-micro-").FullName;

    internal HotFile()
    {
        Path = System.IO.Path.Combine(folder, "hot");
        var bytes = new byte[Blocks * BlockBytes];
        ulong seed = 4711;
        RandomBytes.Fill(bytes, ref seed);
        System.IO.File.WriteAllBytes(Path, bytes);
        File = DiskFile.Open(Path, OpenMode.Write);
        File.Fsync();
        PageCache.Warm(File, 0, bytes.Length);
    }

    internal string Path { get; }

    internal DiskFile File { get; }

    internal AlignedBuffer Buffer { get; } = new(BlockBytes);

    public void Dispose()
    {
        Buffer.Dispose();
        File.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
