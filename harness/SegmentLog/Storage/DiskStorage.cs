using Bench.Disk;

namespace Bench.SegmentLog.Storage;

/// <summary>Real folders.</summary>
public sealed class DiskStorage : IStorage
{
    /// <summary>The one there is: it has no state.</summary>
    public static DiskStorage Instance { get; } = new();

    /// <inheritdoc/>
    public IStorageFile Open(string path, OpenMode mode) =>
        new DiskStorageFile(mode.HasFlag(OpenMode.Create) ? DiskFile.Open(path, mode) : DiskFile.OpenRegular(path, mode));

    /// <inheritdoc/>
    public bool Exists(string path) => File.Exists(path);

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string folder) =>
        Directory.Exists(folder) ? [.. new DirectoryInfo(folder).EnumerateFiles().Select(file => file.Name)] : [];

    /// <inheritdoc/>
    public IReadOnlyList<string> ListFolders(string folder) =>
        Directory.Exists(folder) ? [.. new DirectoryInfo(folder).EnumerateDirectories().Select(found => found.Name)] : [];

    /// <inheritdoc/>
    public IDisposable? TryLock(string path) => FileLock.TryTake(path);

    /// <inheritdoc/>
    public void CreateFolder(string folder)
    {
        var missing = new Stack<string>();
        for (var at = folder; at is not null && !Directory.Exists(at); at = Path.GetDirectoryName(at))
            missing.Push(at);
        while (missing.TryPop(out var next))
        {
            Directory.CreateDirectory(next);
            if (Path.GetDirectoryName(next) is { Length: > 0 } parent)
                SyncFolder(parent);
        }
    }

    /// <inheritdoc/>
    public void Rename(string from, string to) => DiskFile.Rename(from, to);

    /// <inheritdoc/>
    public void Delete(string path) => DiskFile.Delete(path);

    /// <inheritdoc/>
    public void SyncFolder(string folder)
    {
        using var opened = DiskFile.Open(folder, OpenMode.Read);
        opened.Fsync();
    }
}

/// <summary>A real file.</summary>
public sealed class DiskStorageFile(DiskFile file) : IStorageFile
{
    /// <summary>The file, for what only the kernel can do with it: sendfile, residency, a ring.</summary>
    public DiskFile File { get; } = file;

    /// <inheritdoc/>
    public string Path => File.Path;

    /// <inheritdoc/>
    public long LengthBytes => File.LengthBytes;

    /// <inheritdoc/>
    public int Read(Span<byte> buffer, long position) => File.Read(buffer, position);

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> bytes, long position) => File.Write(bytes, position);

    /// <inheritdoc/>
    public void WriteDurably(ReadOnlySpan<byte> bytes, long position) => File.Write(bytes, position, CallFlags.DataSync);

    /// <inheritdoc/>
    public void Fdatasync() => File.Fdatasync();

    /// <inheritdoc/>
    public void DropCache() => PageCache.Evict(File);

    /// <inheritdoc/>
    public void StartWriteBack(long position, long lengthBytes) => File.SyncRange(position, lengthBytes, wait: false);

    /// <inheritdoc/>
    public void Allocate(long position, long lengthBytes) => File.Allocate(position, lengthBytes);

    /// <inheritdoc/>
    public void Truncate(long lengthBytes) => File.Truncate(lengthBytes);

    /// <inheritdoc/>
    public void RenameTo(string path) => File.RenameTo(path);

    /// <inheritdoc/>
    public void Dispose() => File.Dispose();
}
