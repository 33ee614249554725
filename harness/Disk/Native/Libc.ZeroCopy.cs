using System.Runtime.InteropServices;

namespace Bench.Disk.Native;

/// <summary>Calls that move bytes between descriptors.</summary>
internal static unsafe partial class Libc
{
    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint sendfile(int target, int source, long* offset, nint count);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint splice(int source, long* sourceOffset, int target, long* targetOffset, nint count, uint flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint copy_file_range(int source, long* sourceOffset, int target, long* targetOffset, nint count, uint flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int pipe2(int* ends, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int setsockopt(int fd, int level, int option, void* value, uint lengthBytes);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int getsockopt(int fd, int level, int option, void* value, uint* lengthBytes);
}
