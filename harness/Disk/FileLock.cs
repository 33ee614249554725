using System.Runtime.InteropServices;
using Bench.Disk.Native;
using static Bench.Disk.Native.Constants;

namespace Bench.Disk;

/// <summary>
/// A lock on a whole file, which one opener holds at a time and the kernel takes back when its process dies.
/// <para>
/// It is a record lock of fcntl(2), as Java's <c>FileChannel.lock</c> takes one, but of the open file and not of the
/// process (<c>F_OFD_SETLK</c>): the two kinds keep each other out, and this one holds within a process too, and is not
/// lost when somebody else there closes the file.
/// </para>
/// </summary>
public sealed unsafe class FileLock : IDisposable
{
    private int descriptor;

    private FileLock(int descriptor) => this.descriptor = descriptor;

    /// <summary>Closes what <see cref="Dispose"/> did not.</summary>
    ~FileLock() => Close();

    /// <summary>Makes the file if there is none, and locks it.</summary>
    /// <returns>Null if another opener has it.</returns>
    /// <exception cref="DiskException">The file cannot be opened, or the file system has no locks.</exception>
    public static FileLock? TryTake(string path)
    {
        while (true)
        {
            int opened;
            do
                opened = Libc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0x1A4 /* 0644 */);
            while (opened < 0 && Marshal.GetLastPInvokeError() == EINTR);
            if (opened < 0)
                throw DiskException.FromLast("open", path);
            var taken = new FileLock(opened);
            var wanted = new Libc.flock { l_type = F_WRLCK, l_whence = SEEK_SET };
            if (Libc.fcntl(opened, F_OFD_SETLK, (nint)(&wanted)) < 0)
            {
                var errno = Marshal.GetLastPInvokeError();
                taken.Dispose();
                return errno is EAGAIN or EACCES ? null : throw DiskException.FromErrno("fcntl", path, errno);
            }
            if (taken.IsAt(path))
                return taken;
            // Its last holder has removed it in between, as Kafka does: whoever comes next would lock another file.
            taken.Dispose();
        }
    }

    /// <summary>Lets go. The file stays: its removal could take away the one that somebody else is about to lock.</summary>
    public void Dispose()
    {
        Close();
        GC.SuppressFinalize(this);
    }

    private bool IsAt(string path)
    {
        Libc.statx_buffer held, there;
        DiskException.ThrowIfFailed(Libc.statx(descriptor, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &held), "statx", path);
        if (Libc.statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &there) < 0)
            return Marshal.GetLastPInvokeError() == ENOENT ? false : throw DiskException.FromLast("statx", path);
        return held.stx_ino == there.stx_ino && held.stx_dev_major == there.stx_dev_major && held.stx_dev_minor == there.stx_dev_minor;
    }

    private void Close()
    {
        if (descriptor >= 0)
            _ = Libc.close(descriptor);
        descriptor = -1;
    }
}
