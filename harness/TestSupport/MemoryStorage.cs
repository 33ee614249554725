using System.Collections.Concurrent;
using Bench.Disk;
using Bench.SegmentLog.Storage;

namespace Bench.TestSupport;

/// <summary>
/// Folders in memory, for tests of what a log does with its files' content where the disk is no matter. Every write is
/// whole and durable at once. Not for several threads that write one file.
/// </summary>
public sealed class MemoryStorage : IStorage
{
    private const int NoSuchFile = 2;
    private const int FileExists = 17;
    private readonly ConcurrentDictionary<string, Content> files = new(StringComparer.Ordinal);

    /// <summary>Paths of all files.</summary>
    public IEnumerable<string> Paths => files.Keys;

    /// <summary>Bytes of all files.</summary>
    public long TotalBytes => files.Values.Sum(content => (long)content.Length);

    /// <summary>Puts a file there, with these bytes for its own.</summary>
    public void Put(string path, byte[] bytes) => files[path] = new Content { Bytes = bytes, Length = bytes.Length };

    /// <summary>The bytes of a file.</summary>
    public byte[] Get(string path) => files.TryGetValue(path, out var content) ? content.Bytes[..content.Length] : throw DiskException.FromErrno("open", path, NoSuchFile);

    /// <summary>A copy that changes apart from this one.</summary>
    public MemoryStorage Clone()
    {
        var clone = new MemoryStorage();
        foreach (var (path, content) in files)
            clone.Put(path, content.Bytes[..content.Length]);
        return clone;
    }

    /// <inheritdoc/>
    public IStorageFile Open(string path, OpenMode mode)
    {
        if (mode.HasFlag(OpenMode.Create))
            return files.TryAdd(path, new Content()) ? new MemoryFile(this, path, files[path]) : throw DiskException.FromErrno("open", path, FileExists);
        return files.TryGetValue(path, out var content) ? new MemoryFile(this, path, content) : throw DiskException.FromErrno("open", path, NoSuchFile);
    }

    /// <inheritdoc/>
    public bool Exists(string path) => files.ContainsKey(path);

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string folder) =>
        [.. files.Keys.Where(path => Path.GetDirectoryName(path) == folder).Select(path => Path.GetFileName(path))];

    /// <inheritdoc/>
    public IReadOnlyList<string> ListFolders(string folder) =>
        [.. files.Keys.Select(path => Path.GetDirectoryName(path)!).Where(path => Path.GetDirectoryName(path) == folder).Select(path => Path.GetFileName(path)).Distinct()];

    /// <summary>It takes none: nothing that is tested in memory opens a folder twice.</summary>
    public IDisposable? TryLock(string path) => new MemoryStream();

    /// <inheritdoc/>
    public void CreateFolder(string folder)
    {
    }

    /// <inheritdoc/>
    public void Rename(string from, string to)
    {
        if (!files.TryRemove(from, out var content))
            throw DiskException.FromErrno("rename", from, NoSuchFile);
        files[to] = content;
    }

    /// <inheritdoc/>
    public void Delete(string path) => files.TryRemove(path, out _);

    /// <inheritdoc/>
    public void SyncFolder(string folder)
    {
    }

    private sealed class Content
    {
        internal byte[] Bytes { get; set; } = [];

        internal int Length { get; set; }

        internal void SetLength(long length)
        {
            if (length > Bytes.Length)
            {
                var larger = new byte[Math.Max(checked((int)length), Bytes.Length * 2)];
                Bytes.AsSpan(0, Length).CopyTo(larger);
                Bytes = larger;
            }
            else if (length > Length)
            {
                Bytes.AsSpan(Length, (int)length - Length).Clear();
            }
            Length = (int)length;
        }
    }

    private sealed class MemoryFile(MemoryStorage storage, string path, Content content) : IStorageFile
    {
        public string Path { get; private set; } = path;

        public long LengthBytes => content.Length;

        public int Read(Span<byte> buffer, long position)
        {
            var read = (int)Math.Clamp(content.Length - position, 0, buffer.Length);
            if (read > 0)
                content.Bytes.AsSpan((int)position, read).CopyTo(buffer);
            return read;
        }

        public void Write(ReadOnlySpan<byte> bytes, long position)
        {
            if (position + bytes.Length > content.Length)
                content.SetLength(position + bytes.Length);
            bytes.CopyTo(content.Bytes.AsSpan((int)position));
        }

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

        public void Allocate(long position, long lengthBytes)
        {
            if (position + lengthBytes > content.Length)
                content.SetLength(position + lengthBytes);
        }

        public void Truncate(long lengthBytes) => content.SetLength(lengthBytes);

        public void RenameTo(string path)
        {
            storage.Rename(Path, path);
            Path = path;
        }

        public void Dispose()
        {
        }
    }
}
