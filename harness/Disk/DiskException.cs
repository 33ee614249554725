using System.Runtime.InteropServices;
using Bench.Disk.Native;

namespace Bench.Disk;

/// <summary>
/// A system call that failed: what was tried, on what, and the errno. The one place where errno becomes an exception.
/// </summary>
public sealed class DiskException : IOException
{
    private DiskException(string message, string operation, string path, int errno) : base(message)
    {
        Operation = operation;
        Path = path;
        Errno = errno;
    }

    /// <summary>The system call or step: "pread", "fsync".</summary>
    public string Operation { get; }

    /// <summary>The file, folder or device.</summary>
    public string Path { get; }

    /// <summary>The raw errno of this architecture.</summary>
    public int Errno { get; }

    /// <summary>No space or no quota left.</summary>
    public bool IsNoSpace => Errno is Constants.ENOSPC or Constants.EDQUOT;

    /// <summary>The file system, kernel or device lacks what was asked for.</summary>
    public bool IsUnsupported => Errno is Constants.EOPNOTSUPP or Constants.ENOSYS or Constants.EINVAL;

    /// <summary>Somebody else holds it: a mount, an array, swap.</summary>
    public bool IsBusy => Errno == Constants.EBUSY;

    /// <summary>The user may not.</summary>
    public bool IsDenied => Errno is Constants.EACCES or Constants.EPERM;

    /// <summary>The device failed.</summary>
    public bool IsDeviceError => Errno == Constants.EIO;

    /// <summary>An exception from an errno.</summary>
    /// <param name="operation">System call or step.</param>
    /// <param name="path">What it was done to.</param>
    /// <param name="errno">A positive errno.</param>
    /// <param name="hint">What to do about it, where more is known than the errno says.</param>
    public static DiskException FromErrno(string operation, string path, int errno, string? hint = null)
    {
        var meaning = errno switch
        {
            Constants.EIO => "the device reported an I/O error (EIO)",
            Constants.ENOSPC => "no space left on the file system (ENOSPC)",
            Constants.EDQUOT => "the disk quota is used up (EDQUOT)",
            Constants.EROFS => "the file system is read-only (EROFS)",
            Constants.EACCES => "permission denied (EACCES)",
            Constants.EPERM => "not permitted (EPERM)",
            Constants.ENOENT => "no such file or folder (ENOENT)",
            Constants.EINVAL => "invalid argument: often a misaligned direct I/O, or a file system without it (EINVAL)",
            Constants.EOPNOTSUPP => "not supported by this file system or kernel (EOPNOTSUPP)",
            Constants.ENOSYS => "this kernel has no such system call (ENOSYS)",
            Constants.EMFILE => "too many open files; raise ulimit -n (EMFILE)",
            Constants.ENOMEM => "out of memory, or over the locked-memory limit (ENOMEM)",
            _ => $"{Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})",
        };
        return new DiskException($"{operation} {path}: {meaning}{(hint is null ? "" : "; " + hint)}", operation, path, errno);
    }

    /// <summary>The file ended before the bytes did: something else shortened it. No errno belongs to it (0).</summary>
    public static DiskException Ended(string operation, string path) =>
        new($"{operation} {path}: the file ended within the block; something else shortened it", operation, path, 0);

    /// <summary>It is a folder, a pipe, a socket or a device. No errno belongs to it (0): opening some of them would wait for ever.</summary>
    public static DiskException NotRegular(string operation, string path) =>
        new($"{operation} {path}: it is no regular file but a folder, a pipe, a socket or a device; take it out of the folder", operation, path, 0);

    /// <summary>An exception from the errno of the last native call.</summary>
    internal static DiskException FromLast(string operation, string path) =>
        FromErrno(operation, path, Marshal.GetLastPInvokeError());

    /// <summary>Throws if a native call returned a negative number.</summary>
    internal static nint ThrowIfFailed(nint result, string operation, string path) =>
        result >= 0 ? result : throw FromLast(operation, path);
}
