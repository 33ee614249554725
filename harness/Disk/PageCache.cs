using System.Runtime.InteropServices;
using Bench.Disk.Native;
using Bench.Disk.ZeroCopy;
using static Bench.Disk.Native.Constants;

namespace Bench.Disk;

/// <summary>What the page cache holds of a range of a file.</summary>
/// <param name="Pages">Pages of the range.</param>
/// <param name="CachedPages">Of these, in the cache.</param>
/// <param name="DirtyPages">Of these, not yet on the device; null where only mincore(2) is there.</param>
/// <param name="Source">"cachestat", "mincore", or "nothing" where neither sees this file system's pages.</param>
public readonly record struct Residency(long Pages, long CachedPages, long? DirtyPages, string Source)
{
    /// <summary>Cached share, 0 to 1; 0 for an empty range; null if nothing here can see it.</summary>
    public double? Share => Source == "nothing" ? null : Pages == 0 ? 0 : (double)CachedPages / Pages;
}

/// <summary>
/// Control of the page cache, file by file, and the proof of it.
/// <para>
/// fio's <c>invalidate</c> calls posix_fadvise(DONTNEED) and looks no further: dirty, mapped or locked pages stay, in
/// some containers nothing happens at all (fio #1060, #1488), and the "cold" figure is a cached one. Here the caller
/// asks for the residency afterwards and the pass carries it. <c>drop_caches</c> is offered for the whole system, but
/// no workload uses it: it needs root, takes half a second and hits everyone on the machine.
/// </para>
/// </summary>
public static unsafe class PageCache
{
    private static bool cachestatMissing;
    private static bool blind;

    /// <summary>
    /// Finds out what can see the cache here, and says it: "cachestat", "mincore" or "nothing". On overlayfs, the root
    /// of every container, cachestat(2) asks an inode that never has pages and always answers 0; on some network file
    /// systems neither call sees anything. A residency of 0 would then prove every eviction.
    /// </summary>
    /// <param name="folder">A folder on the file system in question; a file of one page is written there and removed.</param>
    public static string FindSource(string folder)
    {
        var path = System.IO.Path.Combine(folder, "residency-probe.bin");
        File.Delete(path);
        try
        {
            using var file = DiskFile.Open(path, OpenMode.Write | OpenMode.Create);
            var page = new byte[Environment.SystemPageSize];
            file.Write(page, 0);
            file.Read(page, 0);
            var seen = ByCachestat(file, 0, page.Length) is { CachedPages: > 0 };
            var seenByMincore = seen || ByMincore(file, 0, page.Length).CachedPages > 0;
            Volatile.Write(ref cachestatMissing, !seen);
            Volatile.Write(ref blind, !seenByMincore);
            return seen ? "cachestat" : seenByMincore ? "mincore" : "nothing";
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Whether reads and writes with RWF_DONTCACHE exist here (Linux 6.14 and later; ext4 and XFS, not btrfs, tmpfs or overlayfs).</summary>
    /// <param name="folder">A folder on the file system in question; a file of one page is written there and removed.</param>
    public static bool HasDontCache(string folder)
    {
        var path = System.IO.Path.Combine(folder, "dontcache-probe.bin");
        File.Delete(path);
        try
        {
            using var file = DiskFile.Open(path, OpenMode.Write | OpenMode.Create);
            file.Write(new byte[Environment.SystemPageSize], 0, CallFlags.DontCache);
            return true;
        }
        catch (DiskException exception) when (exception.IsUnsupported)
        {
            return false;
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>
    /// Drops the file's clean pages. Dirty pages are written first (DONTNEED passes over them); maps of the file must
    /// be closed before. Pages that the kernel is just reading ahead are passed over too, so it drops again until
    /// nothing is left, for a tenth of a second at most: whoever claims an empty cache looks at the residency.
    /// Pages that a socket has had may be held long after it was closed (<see cref="SentPages"/>), so what is left after
    /// the first attempt is asked back from there.
    /// </summary>
    public static void Evict(DiskFile file)
    {
        file.Fsync();
        Drop(file);
        for (var attempt = 0; attempt < 50 && ResidencyOf(file).CachedPages > 0; attempt++)
        {
            if (attempt == 0)
                SentPages.LetGo();
            else
                Thread.Sleep(2);
            Drop(file);
        }
    }

    /// <summary>Drops the file's clean pages without writing the dirty ones first.</summary>
    public static void Drop(DiskFile file)
    {
        var errno = Libc.posix_fadvise(file.Descriptor, 0, 0, POSIX_FADV_DONTNEED);
        if (errno != 0)
            throw DiskException.FromErrno("posix_fadvise", file.Path, errno);
    }

    /// <summary>
    /// Reads a range once through the cache. WILLNEED would stop at the device's read-ahead size, so it is read.
    /// </summary>
    /// <param name="file">A file opened without O_DIRECT.</param>
    /// <param name="position">First byte.</param>
    /// <param name="lengthBytes">Bytes to read.</param>
    public static void Warm(DiskFile file, long position, long lengthBytes)
    {
        if (file.Mode.HasFlag(OpenMode.Direct))
            throw new ArgumentException("A direct descriptor cannot warm the cache.", nameof(file));
        using var buffer = new AlignedBuffer(1 << 20);
        var end = position + lengthBytes;
        while (position < end)
        {
            var read = file.Read(buffer.Span[..(int)Math.Min(buffer.LengthBytes, end - position)], position);
            if (read == 0)
                return;
            position += read;
        }
    }

    /// <summary>What is cached of a range: by cachestat(2) (Linux 6.5), or mincore(2) where the kernel lacks it.</summary>
    /// <param name="file">The file.</param>
    /// <param name="position">First byte.</param>
    /// <param name="lengthBytes">Length of the range, or 0 for the rest of the file.</param>
    public static Residency ResidencyOf(DiskFile file, long position = 0, long lengthBytes = 0)
    {
        if (lengthBytes == 0)
            lengthBytes = file.LengthBytes - position;
        if (lengthBytes <= 0)
            return new Residency(0, 0, 0, "cachestat");
        if (Volatile.Read(ref blind))
            return new Residency(PagesOf(position, lengthBytes), 0, null, "nothing");
        return Volatile.Read(ref cachestatMissing) ? ByMincore(file, position, lengthBytes)
            : ByCachestat(file, position, lengthBytes) ?? ByMincore(file, position, lengthBytes);
    }

    /// <summary>Drops all clean pages, dentries and inodes of the whole machine. Needs root; hits everybody.</summary>
    public static void DropWholeSystem() => File.WriteAllText("/proc/sys/vm/drop_caches", "3");

    internal static Residency? ByCachestat(DiskFile file, long position, long lengthBytes)
    {
        var range = new Libc.cachestat_range { off = (ulong)position, len = (ulong)lengthBytes };
        Libc.cachestat found;
        if (Libc.syscall(SYS_cachestat, file.Descriptor, (nint)(&range), (nint)(&found), 0, 0, 0) == 0)
            return new Residency(PagesOf(position, lengthBytes), (long)found.nr_cache, (long)(found.nr_dirty + found.nr_writeback), "cachestat");

        // ENOSYS: an older kernel. EPERM: a container's seccomp filter that does not know the call. EOPNOTSUPP: hugetlbfs.
        var errno = Marshal.GetLastPInvokeError();
        if (errno is not (ENOSYS or EPERM or EOPNOTSUPP))
            throw DiskException.FromErrno("cachestat", file.Path, errno);
        Volatile.Write(ref cachestatMissing, errno != EOPNOTSUPP);
        return null;
    }

    internal static Residency ByMincore(DiskFile file, long position, long lengthBytes)
    {
        var pageBytes = Environment.SystemPageSize;
        var start = position / pageBytes * pageBytes;
        var pages = PagesOf(position, lengthBytes);
        var address = Libc.mmap(null, (nuint)(pages * pageBytes), PROT_READ, MAP_SHARED, file.Descriptor, start);
        if ((nint)address == -1)
            throw DiskException.FromLast("mmap", file.Path);
        try
        {
            var vector = new byte[pages];
            fixed (byte* pointer = vector)
                DiskException.ThrowIfFailed(Libc.mincore(address, (nuint)(pages * pageBytes), pointer), "mincore", file.Path);
            return new Residency(pages, vector.LongCount(page => (page & 1) != 0), null, "mincore");
        }
        finally
        {
            _ = Libc.munmap(address, (nuint)(pages * pageBytes));
        }
    }

    private static long PagesOf(long position, long lengthBytes)
    {
        var pageBytes = Environment.SystemPageSize;
        return (position + lengthBytes + pageBytes - 1) / pageBytes - position / pageBytes;
    }
}
