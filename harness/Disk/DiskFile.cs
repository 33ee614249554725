using System.Globalization;
using System.Runtime.InteropServices;
using Bench.Disk.Native;
using Bench.Disk.Topology;
using static Bench.Disk.Native.Constants;

namespace Bench.Disk;

/// <summary>How a file is opened.</summary>
[Flags]
public enum OpenMode
{
    /// <summary>Reading only, through the page cache.</summary>
    Read = 0,

    /// <summary>Reading and writing.</summary>
    Write = 1,

    /// <summary>Make it; it must not exist.</summary>
    Create = 2,

    /// <summary>O_DIRECT: past the page cache; position, length and memory aligned as <see cref="DirectIoAlignment"/> says.</summary>
    Direct = 4,

    /// <summary>O_DSYNC: each write is durable when it returns.</summary>
    DataSync = 8,

    /// <summary>O_EXCL of a block device: it is free now, and stays so while this is open (no mount, no swap, no array takes it).</summary>
    Exclusive = 16,
}

/// <summary>Per-call flags of preadv2(2) and pwritev2(2).</summary>
[Flags]
public enum CallFlags
{
    /// <summary>None: plain pread and pwrite.</summary>
    None = 0,

    /// <summary>This write is durable when it returns.</summary>
    DataSync = RWF_DSYNC,

    /// <summary>Fail with EAGAIN rather than wait for the device.</summary>
    NoWait = RWF_NOWAIT,

    /// <summary>Buffered, but the pages leave the cache when done (Linux 6.14 and later; ext4, XFS).</summary>
    DontCache = RWF_DONTCACHE,
}

/// <summary>What direct I/O asks of memory and of position and length.</summary>
/// <param name="MemoryBytes">Alignment of the memory.</param>
/// <param name="PositionBytes">Alignment of position and length.</param>
/// <param name="Told">False if the kernel did not say (before 6.1, or this file system) and 4096 was assumed.</param>
public readonly record struct DirectIoAlignment(int MemoryBytes, int PositionBytes, bool Told);

/// <summary>
/// A file by its descriptor. All transfers are positioned, loop over short results and retry EINTR.
/// <para>
/// .NET's own FileStream and RandomAccess know no O_DIRECT, no per-call flags and no page-cache control on Linux
/// (dotnet/runtime #55463), and add a safe-handle reference count to each call; so Bench has its own.
/// </para>
/// </summary>
public sealed unsafe class DiskFile : IDisposable
{
    private int descriptor;

    private DiskFile(int descriptor, string path, OpenMode mode)
    {
        this.descriptor = descriptor;
        Path = path;
        Mode = mode;
    }

    /// <summary>Closes what <see cref="Dispose"/> did not.</summary>
    ~DiskFile() => Close();

    /// <summary>The path that it was opened by, or renamed to since; for a <see cref="HeldPath"/> the one behind it.</summary>
    public string Path { get; private set; }

    /// <summary>How it was opened.</summary>
    public OpenMode Mode { get; }

    /// <summary>
    /// A path to this very file for as long as it is open, for this process and those that it starts: whatever is put in
    /// its place meanwhile is not opened in its stead.
    /// </summary>
    public string HeldPath => string.Create(CultureInfo.InvariantCulture, $"{HeldPrefix}{Descriptor}");

    private static readonly string HeldPrefix = string.Create(CultureInfo.InvariantCulture, $"/proc/{Environment.ProcessId}/fd/");

    internal int Descriptor => descriptor >= 0 ? descriptor : throw new ObjectDisposedException(Path);

    /// <summary>Opens a file.</summary>
    /// <exception cref="DiskException">The file cannot be opened so; EINVAL where the file system has no O_DIRECT.</exception>
    public static DiskFile Open(string path, OpenMode mode)
    {
        var flags = O_CLOEXEC | (mode.HasFlag(OpenMode.Write) ? O_RDWR : O_RDONLY);
        if (mode.HasFlag(OpenMode.Create))
            flags |= O_CREAT | O_EXCL;
        if (mode.HasFlag(OpenMode.Direct))
            flags |= O_DIRECT;
        if (mode.HasFlag(OpenMode.DataSync))
            flags |= O_DSYNC;
        if (mode.HasFlag(OpenMode.Exclusive))
            flags |= O_EXCL;
        int opened;
        do
            opened = Libc.open(path, flags, 0x180 /* 0600 */);
        while (opened < 0 && Marshal.GetLastPInvokeError() == EINTR);
        var errno = Marshal.GetLastPInvokeError();
        // The number of a descriptor would tell nobody which file an error is of.
        if (path.StartsWith(HeldPrefix, StringComparison.Ordinal))
            path = File.ResolveLinkTarget(path, returnFinalTarget: false)?.FullName ?? path;
        return opened >= 0 ? new DiskFile(opened, path, mode) : throw DiskException.FromErrno("open", path, errno);
    }

    /// <summary>Opens a file in a folder that may come from anywhere: a pipe in it would be waited for, and a device is not ours.</summary>
    /// <exception cref="DiskException">It is no regular file, or cannot be opened so.</exception>
    public static DiskFile OpenRegular(string path, OpenMode mode)
    {
        Libc.statx_buffer stat;
        DiskException.ThrowIfFailed(Libc.statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &stat), "open", path);
        return (stat.stx_mode & S_IFMT) == S_IFREG ? Open(path, mode) : throw DiskException.NotRegular("open", path);
    }

    /// <summary>Length in bytes; of a block device its size, which stat(2) does not tell.</summary>
    public long LengthBytes
    {
        get
        {
            var stat = Stat(STATX_BASIC_STATS);
            return (stat.stx_mode & S_IFMT) == S_IFBLK
                ? DiskException.ThrowIfFailed((nint)Libc.lseek(Descriptor, 0, SEEK_END), "lseek", Path)
                : (long)stat.stx_size;
        }
    }

    /// <summary>Where the next bytes are that were ever written: behind a hole, or the length if there are none.</summary>
    public long NextData(long position)
    {
        var found = Libc.lseek(Descriptor, position, SEEK_DATA);
        if (found >= 0)
            return found;
        // A file system without holes says EINVAL, and of the rest of a file with none ENXIO.
        return Marshal.GetLastPInvokeError() == EINVAL ? position : LengthBytes;
    }

    /// <summary>Bytes that the file occupies on the device; less than its length means holes.</summary>
    public long AllocatedBytes => (long)Stat(STATX_BASIC_STATS).stx_blocks * 512;

    /// <summary>True if O_DIRECT is still set on the descriptor (F_GETFL): what the kernel thinks, not what was asked.</summary>
    public bool IsDirect => (DiskException.ThrowIfFailed(Libc.fcntl(Descriptor, F_GETFL, 0), "fcntl", Path) & O_DIRECT) != 0;

    /// <summary>What direct I/O asks here (STATX_DIOALIGN).</summary>
    public DirectIoAlignment DirectIoAlignment
    {
        get
        {
            var stat = Stat(STATX_BASIC_STATS | STATX_DIOALIGN);
            return (stat.stx_mask & STATX_DIOALIGN) != 0 && stat.stx_dio_offset_align > 0
                ? new DirectIoAlignment((int)stat.stx_dio_mem_align, (int)stat.stx_dio_offset_align, true)
                : new DirectIoAlignment(4096, 4096, false);
        }
    }

    /// <summary>Reads from a position until the buffer is full or the file ends.</summary>
    /// <returns>Bytes read.</returns>
    public int Read(Span<byte> buffer, long position, CallFlags flags = CallFlags.None)
    {
        fixed (byte* pointer = buffer)
            return (int)Check(Transfer(pointer, buffer.Length, position, flags, writes: false), "read", position);
    }

    /// <summary>Writes the whole buffer at a position.</summary>
    public void Write(ReadOnlySpan<byte> buffer, long position, CallFlags flags = CallFlags.None)
    {
        fixed (byte* pointer = buffer)
            Check(Transfer(pointer, buffer.Length, position, flags, writes: true), "write", position);
    }

    private nint Transfer(byte* pointer, int lengthBytes, long position, CallFlags flags, bool writes)
    {
        if (flags != CallFlags.None)
        {
            var vectored = new VectoredCall(Descriptor, (int)flags, writes);
            return FullTransfer.Run(ref vectored, pointer, lengthBytes, position);
        }
        if (writes)
        {
            var write = new WriteCall(Descriptor);
            return FullTransfer.Run(ref write, pointer, lengthBytes, position);
        }
        var read = new ReadCall(Descriptor);
        return FullTransfer.Run(ref read, pointer, lengthBytes, position);
    }

    private nint Check(nint result, string operation, long position) =>
        result >= 0
            ? result
            : throw DiskException.FromErrno(operation, string.Create(CultureInfo.InvariantCulture, $"{Path} at byte {position}"), (int)-result);

    /// <summary>fsync(2): data and metadata are durable when it returns. After a failure nothing may be trusted.</summary>
    public void Fsync() => Retry(&FsyncCall, "fsync");

    /// <summary>fdatasync(2): data and the size are durable when it returns.</summary>
    public void Fdatasync() => Retry(&FdatasyncCall, "fdatasync");

    /// <summary>syncfs(2): writes back everything on this file's file system.</summary>
    public void SyncFileSystem() => Retry(&SyncfsCall, "syncfs");

    /// <summary>Starts write-back of a range, and waits for it if asked. Gives no durability (sync_file_range(2)).</summary>
    public void SyncRange(long position, long lengthBytes, bool wait)
    {
        var flags = SYNC_FILE_RANGE_WRITE | (wait ? SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER : 0);
        DiskException.ThrowIfFailed(Libc.sync_file_range(Descriptor, position, lengthBytes, flags), "sync_file_range", Path);
    }

    /// <summary>Allocates blocks ahead; on ENOSPC the file may have grown (fallocate(2)), so the caller removes it.</summary>
    public void Allocate(long position, long lengthBytes, bool keepSize = false)
    {
        int result;
        do
            result = Libc.fallocate(Descriptor, keepSize ? FALLOC_FL_KEEP_SIZE : 0, position, lengthBytes);
        while (result < 0 && Marshal.GetLastPInvokeError() == EINTR);
        DiskException.ThrowIfFailed(result, "fallocate", Path);
    }

    /// <summary>Sets the length.</summary>
    public void Truncate(long lengthBytes)
    {
        int result;
        do
            result = Libc.ftruncate(Descriptor, lengthBytes);
        while (result < 0 && Marshal.GetLastPInvokeError() == EINTR);
        DiskException.ThrowIfFailed(result, "ftruncate", Path);
    }

    /// <summary>Renames the file, over another if there is one (rename(2)).</summary>
    public void RenameTo(string path)
    {
        Rename(Path, path);
        Path = path;
    }

    /// <summary>Renames a file, over another if there is one (rename(2)).</summary>
    public static void Rename(string from, string to) => DiskException.ThrowIfFailed(Libc.rename(from, to), "rename", from);

    /// <summary>
    /// Gives a file a second name (link(2)), never over another file: of several that try, one succeeds. .NET's
    /// File.Move without overwriting looks first and renames then, and a file that comes in between is lost.
    /// </summary>
    /// <returns>False if the name is taken.</returns>
    public static bool TryLink(string from, string to)
    {
        if (Libc.link(from, to) == 0)
            return true;
        return Marshal.GetLastPInvokeError() is var errno && errno == EEXIST ? false : throw DiskException.FromErrno("link", to, errno);
    }

    /// <summary>Removes a file's name (unlink(2)), if it is there.</summary>
    public static void Delete(string path)
    {
        if (Libc.unlink(path) < 0 && Marshal.GetLastPInvokeError() is var errno and not ENOENT)
            throw DiskException.FromErrno("unlink", path, errno);
    }

    /// <summary>Tells the kernel how the file will be read (read-ahead grows or stops).</summary>
    public void AdviseAccess(bool random)
    {
        var errno = Libc.posix_fadvise(Descriptor, 0, 0, random ? POSIX_FADV_RANDOM : POSIX_FADV_SEQUENTIAL);
        if (errno != 0)
            throw DiskException.FromErrno("posix_fadvise", Path, errno);
    }

    /// <summary>Gives up the pages of a range in the cache; those that are dirty stay.</summary>
    public void AdviseDone(long position, long lengthBytes)
    {
        var errno = Libc.posix_fadvise(Descriptor, position, lengthBytes, POSIX_FADV_DONTNEED);
        if (errno != 0)
            throw DiskException.FromErrno("posix_fadvise", Path, errno);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Close();
        GC.SuppressFinalize(this);
    }

    /// <summary>The "major:minor" of the block device that is open, whatever its path leads to by now; null if it is none.</summary>
    public string? BlockDeviceNumber => SystemRoot.BlockDeviceNumber(Stat(STATX_BASIC_STATS));

    internal Libc.statx_buffer Stat(uint mask)
    {
        Libc.statx_buffer stat;
        DiskException.ThrowIfFailed(Libc.statx(Descriptor, "", AT_EMPTY_PATH, mask, &stat), "statx", Path);
        return stat;
    }

    private void Close()
    {
        // close(2) must not be retried after EINTR on Linux: the descriptor is gone already.
        if (descriptor >= 0)
            _ = Libc.close(descriptor);
        descriptor = -1;
    }

    private void Retry(delegate*<int, int> call, string operation)
    {
        int result;
        do
            result = call(Descriptor);
        while (result < 0 && Marshal.GetLastPInvokeError() == EINTR);
        DiskException.ThrowIfFailed(result, operation, Path);
    }

    private static int FsyncCall(int fd) => Libc.fsync(fd);

    private static int FdatasyncCall(int fd) => Libc.fdatasync(fd);

    private static int SyncfsCall(int fd) => Libc.syncfs(fd);
}
