using System.Buffers.Binary;
using Bench.Disk;
using Bench.SegmentLog.Storage;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>A way to break the log by the disk below it.</summary>
public enum Breakage
{
    /// <summary>The flush of a log file does nothing.</summary>
    LogFlushSwallowed,

    /// <summary>The flush of a folder does nothing.</summary>
    FolderFlushSwallowed,

    /// <summary>Entries of an offset index are one too large.</summary>
    IndexOffByOne,

    /// <summary>Entries of a time index are a millisecond too late.</summary>
    TimeIndexOffByOne,

    /// <summary>A truncation leaves the file as it is.</summary>
    TruncationSwallowed,

    /// <summary>A byte of each write of log is changed, once in a hundred.</summary>
    WriteChanged,

    /// <summary>The last batch of each write of a compaction gets another offset.</summary>
    CompactedOffsetMoved,

    /// <summary>The aborted transactions that a compaction keeps are not written.</summary>
    CompactedAbortLost,
}

/// <summary>
/// A storage that breaks one promise, to see that the model test finds it: a check that finds nothing may be no check
/// (TigerBeetle's canary).
/// </summary>
internal sealed class BrokenStorage(IStorage inner, Breakage breakage) : IStorage
{
    private int writes;

    public IStorageFile Open(string path, OpenMode mode) => new BrokenFile(this, inner.Open(path, mode));

    public bool Exists(string path) => inner.Exists(path);

    public IReadOnlyList<string> List(string folder) => inner.List(folder);

    public IReadOnlyList<string> ListFolders(string folder) => inner.ListFolders(folder);

    public IDisposable? TryLock(string path) => inner.TryLock(path);

    public void CreateFolder(string folder) => inner.CreateFolder(folder);

    public void Rename(string from, string to) => inner.Rename(from, to);

    public void Delete(string path) => inner.Delete(path);

    public void SyncFolder(string folder)
    {
        if (breakage != Breakage.FolderFlushSwallowed)
            inner.SyncFolder(folder);
    }

    private sealed class BrokenFile(BrokenStorage storage, IStorageFile file) : IStorageFile
    {
        public string Path => file.Path;

        public long LengthBytes => file.LengthBytes;

        private bool IsSwallowed => storage.Is(Breakage.LogFlushSwallowed) && Path.EndsWith(".log", StringComparison.Ordinal);

        public int Read(Span<byte> buffer, long position) => file.Read(buffer, position);

        public void Write(ReadOnlySpan<byte> bytes, long position)
        {
            if (storage.Is(Breakage.CompactedAbortLost) && Path.EndsWith(".txnindex.cleaned", StringComparison.Ordinal))
                return;
            file.Write(Changed(bytes), position);
        }

        public void WriteDurably(ReadOnlySpan<byte> bytes, long position)
        {
            if (IsSwallowed)
                file.Write(bytes, position);
            else
                file.WriteDurably(Changed(bytes), position);
        }

        public void Fdatasync()
        {
            if (!IsSwallowed)
                file.Fdatasync();
        }

        public void DropCache() => file.DropCache();

        public void StartWriteBack(long position, long lengthBytes) => file.StartWriteBack(position, lengthBytes);

        public void Allocate(long position, long lengthBytes) => file.Allocate(position, lengthBytes);

        public void Truncate(long lengthBytes)
        {
            if (!storage.Is(Breakage.TruncationSwallowed))
                file.Truncate(lengthBytes);
        }

        public void RenameTo(string path) => file.RenameTo(path);

        public void Dispose() => file.Dispose();

        private ReadOnlySpan<byte> Changed(ReadOnlySpan<byte> bytes)
        {
            if (storage.Is(Breakage.CompactedOffsetMoved) && Path.EndsWith(".log.cleaned", StringComparison.Ordinal) && bytes.Length > 0)
            {
                var last = ParsedBatch.ParseAll(bytes, Path)[^1];
                var moved = bytes.ToArray();
                BinaryPrimitives.WriteInt64BigEndian(moved.AsSpan(moved.Length - last.Bytes.Length), last.BaseOffset + 1);
                return moved;
            }
            var (width, at) = storage.Is(Breakage.IndexOffByOne) && Path.EndsWith(".index", StringComparison.Ordinal) ? (8, 3)
                : storage.Is(Breakage.TimeIndexOffByOne) && Path.EndsWith(".timeindex", StringComparison.Ordinal) ? (12, 7)
                : storage.Is(Breakage.WriteChanged) && Path.EndsWith(".log", StringComparison.Ordinal) && bytes.Length > 60 && ++storage.writes % 100 == 0 ? (bytes.Length, 40)
                : (0, 0);
            if (width == 0)
                return bytes;
            var changed = bytes.ToArray();
            for (; at < changed.Length; at += width)
                changed[at]++;
            return changed;
        }
    }

    private bool Is(Breakage other) => breakage == other;
}
