using System.Runtime.InteropServices;

namespace Bench.Disk.Native;

/// <summary>
/// Constants of the kernel's and the C library's headers under their own names. A test compiles a C program that
/// prints each of them and compares (<c>AbiTests</c>). Those that differ between x64 and arm64 are properties.
/// </summary>
internal static partial class Constants
{
    internal const int O_RDONLY = 0;
    internal const int O_WRONLY = 1;
    internal const int O_RDWR = 2;
    internal const int O_CREAT = 0x40;
    internal const int O_EXCL = 0x80;
    internal const int O_TRUNC = 0x200;
    internal const int O_DSYNC = 0x1000;
    internal const int O_CLOEXEC = 0x80000;

    /// <summary>0x4000 on x64; arm64 has 0x4000 for O_DIRECTORY and 0x10000 for O_DIRECT.</summary>
    internal static int O_DIRECT => IsArm64 ? 0x10000 : 0x4000;

    internal static int O_DIRECTORY => IsArm64 ? 0x4000 : 0x10000;

    internal static int O_NOFOLLOW => IsArm64 ? 0x8000 : 0x20000;

    internal const int F_GETFL = 3;
    internal const int F_OFD_SETLK = 37;
    internal const int F_WRLCK = 1;
    internal const int SEEK_SET = 0;
    internal const int SEEK_END = 2;
    internal const int SEEK_DATA = 3;
    internal const int F_SETPIPE_SZ = 1031;

    internal const int RWF_DSYNC = 0x2;
    internal const int RWF_NOWAIT = 0x8;
    internal const int RWF_DONTCACHE = 0x80;

    internal const uint SYNC_FILE_RANGE_WAIT_BEFORE = 1;
    internal const uint SYNC_FILE_RANGE_WRITE = 2;
    internal const uint SYNC_FILE_RANGE_WAIT_AFTER = 4;

    internal const int FALLOC_FL_KEEP_SIZE = 1;

    internal const int POSIX_FADV_NORMAL = 0;
    internal const int POSIX_FADV_RANDOM = 1;
    internal const int POSIX_FADV_SEQUENTIAL = 2;
    internal const int POSIX_FADV_WILLNEED = 3;
    internal const int POSIX_FADV_DONTNEED = 4;

    internal const int PROT_READ = 1;
    internal const int PROT_WRITE = 2;
    internal const int MAP_SHARED = 1;
    internal const int MAP_PRIVATE = 2;
    internal const int MAP_ANONYMOUS = 0x20;
    internal const int MAP_POPULATE = 0x8000;
    internal const int MADV_RANDOM = 1;
    internal const int MADV_SEQUENTIAL = 2;
    internal const int MADV_HUGEPAGE = 14;
    internal const int MADV_NOHUGEPAGE = 15;
    internal const int MADV_POPULATE_READ = 22;
    internal const int MS_SYNC = 4;

    internal const int AT_FDCWD = -100;
    internal const int AT_EMPTY_PATH = 0x1000;
    internal const uint STATX_BASIC_STATS = 0x7ff;
    internal const uint STATX_DIOALIGN = 0x2000;

    internal const int S_IFMT = 0xf000;
    internal const int S_IFREG = 0x8000;
    internal const int S_IFBLK = 0x6000;

    /// <summary>_IOWR('N', 0x41, struct nvme_admin_cmd), linux/nvme_ioctl.h.</summary>
    internal const uint NVME_IOCTL_ADMIN_CMD = 0xC0484E41;

    /// <summary>linux/loop.h.</summary>
    internal const uint LOOP_GET_STATUS64 = 0x4C05;

    internal const int RUSAGE_SELF = 0;
    internal const int RUSAGE_THREAD = 1;

    /// <summary>The same number on every architecture (system calls from 403 on are).</summary>
    internal const int SYS_cachestat = 451;

    internal const int EPERM = 1;
    internal const int ENOENT = 2;
    internal const int EINTR = 4;
    internal const int EIO = 5;
    internal const int EAGAIN = 11;
    internal const int ENOMEM = 12;
    internal const int EACCES = 13;
    internal const int EBUSY = 16;
    internal const int EEXIST = 17;
    internal const int ENOTDIR = 20;
    internal const int EISDIR = 21;
    internal const int EINVAL = 22;
    internal const int EMFILE = 24;
    internal const int EFBIG = 27;
    internal const int ENOSPC = 28;
    internal const int EROFS = 30;
    internal const int EPIPE = 32;
    internal const int ENOSYS = 38;
    internal const int ELOOP = 40;
    internal const int ETIME = 62;
    internal const int EOPNOTSUPP = 95;
    internal const int ECONNRESET = 104;
    internal const int EDQUOT = 122;

    internal static bool IsArm64 => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
}
