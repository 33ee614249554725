using Bench.Disk;

namespace Bench.SegmentLog.Storage;

/// <summary>
/// What the log needs of a file system. It has one implementation for real folders; the tests put a disk behind it that
/// tears, loses and refuses, so that every path of the log is tried with every fault.
/// </summary>
public interface IStorage
{
    /// <summary>Opens a file.</summary>
    /// <exception cref="DiskException">It cannot be opened so.</exception>
    IStorageFile Open(string path, OpenMode mode);

    /// <summary>Whether a file is there.</summary>
    bool Exists(string path);

    /// <summary>Names of the files of a folder, in no order; none if there is no folder.</summary>
    IReadOnlyList<string> List(string folder);

    /// <summary>Names of the folders of a folder, in no order; none if there is no folder.</summary>
    IReadOnlyList<string> ListFolders(string folder);

    /// <summary>Makes a folder and those above it; their names are durable when it returns.</summary>
    void CreateFolder(string folder);

    /// <summary>Renames a file, over another if there is one. Durable after <see cref="SyncFolder"/>.</summary>
    void Rename(string from, string to);

    /// <summary>Removes a file if it is there. Durable after <see cref="SyncFolder"/>.</summary>
    void Delete(string path);

    /// <summary>Makes the names in a folder durable.</summary>
    void SyncFolder(string folder);

    /// <summary>Takes a lock that one opener has at a time, and that ends with its process; the file is made.</summary>
    /// <returns>What lets go of it; null if another has it.</returns>
    /// <exception cref="DiskException">The file cannot be opened, or the file system has no locks.</exception>
    IDisposable? TryLock(string path);
}

/// <summary>An open file of a log. Reads may run beside a write; writes come from one thread at a time.</summary>
public interface IStorageFile : IDisposable
{
    /// <summary>The path that it was opened by.</summary>
    string Path { get; }

    /// <summary>Length in bytes.</summary>
    long LengthBytes { get; }

    /// <summary>Reads until the buffer is full or the file ends.</summary>
    /// <returns>Bytes read.</returns>
    int Read(Span<byte> buffer, long position);

    /// <summary>Writes all bytes.</summary>
    void Write(ReadOnlySpan<byte> bytes, long position);

    /// <summary>Writes all bytes, which are durable when it returns (RWF_DSYNC).</summary>
    void WriteDurably(ReadOnlySpan<byte> bytes, long position);

    /// <summary>All that was written is durable when it returns. After a failure nothing may be trusted.</summary>
    void Fdatasync();

    /// <summary>
    /// Writes back what the page cache holds of the file and drops it, so that what is read next is what the device has.
    /// After a failed flush the two may differ, and no later flush tells (Rebello et al., USENIX ATC 2020).
    /// </summary>
    void DropCache();

    /// <summary>Starts the write-back of a range, and does not wait.</summary>
    void StartWriteBack(long position, long lengthBytes);

    /// <summary>Allocates a range, which makes the file longer.</summary>
    void Allocate(long position, long lengthBytes);

    /// <summary>Sets the length.</summary>
    void Truncate(long lengthBytes);

    /// <summary>Gives the open file another name in the same folder, over another file if there is one.</summary>
    void RenameTo(string path);
}
