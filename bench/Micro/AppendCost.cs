using Bench.Disk;
using Bench.SegmentLog;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Storage;
using BenchmarkDotNet.Attributes;

namespace Bench.Micro;

/// <summary>
/// What the engine adds to the system call of an append: the whole of it over a file that takes bytes and does nothing,
/// and the checksum, which is a part of it. After a real write it is some three times as much: the kernel's copy has
/// pushed the engine's lines out of the nearest cache.
/// </summary>
[MemoryDiagnoser]
public class AppendCost
{
    private byte[] batch = [];
    private PartitionLog log = null!;

    [Params(1 << 10, 16 << 10, 64 << 10)]
    public int BatchBytes { get; set; }

    [GlobalSetup]
    public void Open()
    {
        var builder = new RecordBatchBuilder(BatchBytes);
        builder.Begin(new BatchSettings());
        while (builder.SizeBytes + 120 < BatchBytes)
            builder.Append(1000, default, new byte[100], NullParts.Key);
        batch = builder.Build().ToArray();
        log = PartitionLog.Open("/nowhere/append-0", new LogConfig { FlushPolicy = FlushPolicy.None, RetentionMs = -1 }, new LogOpenOptions { Storage = new Nowhere(), CleanStop = true });
    }

    [GlobalCleanup]
    public void Close() => log.Abandon();

    [Benchmark]
    public long Append() => log.Append(batch).LastOffset;

    [Benchmark(Baseline = true)]
    public uint Checksum() => new BatchView(batch).ComputeCrc();

    private sealed class Nowhere : IStorage
    {
        public IStorageFile Open(string path, OpenMode mode) => new NoFile(path);

        public bool Exists(string path) => false;

        public IReadOnlyList<string> List(string folder) => [];

        public void CreateFolder(string folder)
        {
        }

        public void Rename(string from, string to)
        {
        }

        public void Delete(string path)
        {
        }

        public void SyncFolder(string folder)
        {
        }
    }

    private sealed class NoFile(string path) : IStorageFile
    {
        public string Path { get; private set; } = path;

        public long LengthBytes { get; private set; }

        public int Read(Span<byte> buffer, long position) => 0;

        public void Write(ReadOnlySpan<byte> bytes, long position) => LengthBytes = Math.Max(LengthBytes, position + bytes.Length);

        public void WriteDurably(ReadOnlySpan<byte> bytes, long position) => Write(bytes, position);

        public void Fdatasync()
        {
        }

        public void DropCache()
        {
        }

        public void StartWriteBack(long position, long lengthBytes)
        {
        }

        public void Allocate(long position, long lengthBytes) => LengthBytes = Math.Max(LengthBytes, position + lengthBytes);

        public void Truncate(long lengthBytes) => LengthBytes = lengthBytes;

        public void RenameTo(string path) => Path = path;

        public void Dispose()
        {
        }
    }
}
