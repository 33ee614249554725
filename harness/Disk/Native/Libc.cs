using System.Runtime.InteropServices;

namespace Bench.Disk.Native;

/// <summary>
/// The C library's functions under their own names. Every caller checks the result at once and turns a failure into
/// a <see cref="DiskException"/> with operation, path and errno. <c>open</c>, <c>fcntl</c>, <c>ioctl</c> and
/// <c>syscall</c> are variadic in C; on Linux x64 and arm64 integer arguments of variadic calls travel in the same
/// registers, so a fixed signature is right.
/// </summary>
internal static unsafe partial class Libc
{
    private const string Library = "libc";

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int open(string path, int flags, int mode);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int close(int fd);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int rename(string from, string to);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int link(string from, string to);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int unlink(string path);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int kill(int processId, int signal);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint pread(int fd, void* buffer, nint count, long offset);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint pwrite(int fd, void* buffer, nint count, long offset);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint read(int fd, void* buffer, nint count);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint write(int fd, void* buffer, nint count);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint preadv2(int fd, iovec* vector, int count, long offset, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint pwritev2(int fd, iovec* vector, int count, long offset, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int sched_getaffinity(int pid, nint size, ulong* mask);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int sched_setaffinity(int pid, nint size, ulong* mask);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fsync(int fd);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fdatasync(int fd);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int syncfs(int fd);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int sync_file_range(int fd, long offset, long count, uint flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fallocate(int fd, int mode, long offset, long length);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial long lseek(int fd, long offset, int whence);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int ftruncate(int fd, long length);

    /// <summary>Returns the errno itself; it does not set errno.</summary>
    [LibraryImport(Library)]
    internal static partial int posix_fadvise(int fd, long offset, long length, int advice);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fcntl(int fd, int command, nint argument);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int ioctl(int fd, nuint request, void* argument);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int statx(int folder, string path, int flags, uint mask, statx_buffer* result);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial void* mmap(void* address, nuint length, int protection, int flags, int fd, long offset);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int munmap(void* address, nuint length);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int madvise(void* address, nuint length, int advice);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int msync(void* address, nuint length, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int mincore(void* address, nuint length, byte* vector);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int getrusage(int who, rusage* usage);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint syscall(nint number, nint a, nint b, nint c, nint d, nint e, nint f);

    [LibraryImport(Library)]
    internal static partial void _exit(int status);

    /// <summary>statx(2), the first 256 bytes as in linux/stat.h; only what Bench reads has a name.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct statx_buffer
    {
        [FieldOffset(0)] internal uint stx_mask;
        [FieldOffset(4)] internal uint stx_blksize;
        [FieldOffset(28)] internal ushort stx_mode;
        [FieldOffset(32)] internal ulong stx_ino;
        [FieldOffset(40)] internal ulong stx_size;
        [FieldOffset(48)] internal ulong stx_blocks;
        [FieldOffset(128)] internal uint stx_rdev_major;
        [FieldOffset(132)] internal uint stx_rdev_minor;
        [FieldOffset(136)] internal uint stx_dev_major;
        [FieldOffset(140)] internal uint stx_dev_minor;
        [FieldOffset(152)] internal uint stx_dio_mem_align;
        [FieldOffset(156)] internal uint stx_dio_offset_align;
    }

    /// <summary>struct flock (bits/fcntl.h) on 64-bit systems.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 32)]
    internal struct flock
    {
        [FieldOffset(0)] internal short l_type;
        [FieldOffset(2)] internal short l_whence;
        [FieldOffset(8)] internal long l_start;
        [FieldOffset(16)] internal long l_len;
        [FieldOffset(24)] internal int l_pid;
    }

    /// <summary>struct nvme_passthru_cmd (linux/nvme_ioctl.h).</summary>
    [StructLayout(LayoutKind.Explicit, Size = 72)]
    internal struct nvme_passthru_cmd
    {
        [FieldOffset(0)] internal byte opcode;
        [FieldOffset(4)] internal uint nsid;
        [FieldOffset(24)] internal ulong addr;
        [FieldOffset(36)] internal uint data_len;
        [FieldOffset(40)] internal uint cdw10;
        [FieldOffset(64)] internal uint timeout_ms;
    }

    /// <summary>struct loop_info64 (linux/loop.h).</summary>
    [StructLayout(LayoutKind.Explicit, Size = 232)]
    internal struct loop_info64
    {
        [FieldOffset(0)] internal ulong lo_device;
        [FieldOffset(8)] internal ulong lo_inode;
        [FieldOffset(16)] internal ulong lo_rdevice;
    }

    /// <summary>struct iovec (bits/types/struct_iovec.h).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct iovec
    {
        internal void* iov_base;
        internal nint iov_len;
    }

    /// <summary>struct timeval on 64-bit systems.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct timeval
    {
        internal long tv_sec;
        internal long tv_usec;

        internal readonly double Seconds => tv_sec + tv_usec * 1e-6;
    }

    /// <summary>struct rusage (sys/resource.h).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct rusage
    {
        internal timeval ru_utime;
        internal timeval ru_stime;
        internal long ru_maxrss;
        internal long ru_ixrss;
        internal long ru_idrss;
        internal long ru_isrss;
        internal long ru_minflt;
        internal long ru_majflt;
        internal long ru_nswap;
        internal long ru_inblock;
        internal long ru_oublock;
        internal long ru_msgsnd;
        internal long ru_msgrcv;
        internal long ru_nsignals;
        internal long ru_nvcsw;
        internal long ru_nivcsw;
    }

    /// <summary>struct cachestat_range (linux/mman.h).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct cachestat_range
    {
        internal ulong off;
        internal ulong len;
    }

    /// <summary>struct cachestat (linux/mman.h).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct cachestat
    {
        internal ulong nr_cache;
        internal ulong nr_dirty;
        internal ulong nr_writeback;
        internal ulong nr_evicted;
        internal ulong nr_recently_evicted;
    }
}
