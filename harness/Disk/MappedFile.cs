using Bench.Disk.Native;
using static Bench.Disk.Native.Constants;

namespace Bench.Disk;

/// <summary>A shared map of a whole file. While it stands, the kernel will not drop the mapped pages from the cache.</summary>
public sealed unsafe class MappedFile : IDisposable
{
    private readonly string path;
    private byte* pointer;

    /// <summary>Maps the file.</summary>
    /// <param name="file">The file; opened for writing if the map is to be written.</param>
    /// <param name="random">Told to the kernel: no fault-around read-ahead for random access.</param>
    public MappedFile(DiskFile file, bool random)
    {
        path = file.Path;
        LengthBytes = file.LengthBytes;
        var protection = PROT_READ | (file.Mode.HasFlag(OpenMode.Write) ? PROT_WRITE : 0);
        var address = Libc.mmap(null, (nuint)LengthBytes, protection, MAP_SHARED, file.Descriptor, 0);
        if ((nint)address == -1)
            throw DiskException.FromLast("mmap", path);
        pointer = (byte*)address;
        _ = Libc.madvise(pointer, (nuint)LengthBytes, random ? MADV_RANDOM : MADV_SEQUENTIAL);
    }

    /// <summary>Unmaps what <see cref="Dispose"/> did not.</summary>
    ~MappedFile() => Unmap();

    /// <summary>Length of the file when it was mapped.</summary>
    public long LengthBytes { get; }

    internal byte* Pointer => pointer is not null ? pointer : throw new ObjectDisposedException(path);

    /// <summary>
    /// Fills the page tables with what the cache holds (MADV_POPULATE_READ, Linux 5.14), so that no access within a
    /// pass takes a page fault.
    /// </summary>
    /// <returns>False where the kernel cannot do it.</returns>
    public bool TryPopulate() => Libc.madvise(Pointer, (nuint)LengthBytes, MADV_POPULATE_READ) == 0;

    /// <summary>msync(2): writes the map's dirty pages and waits.</summary>
    public void Sync() => DiskException.ThrowIfFailed(Libc.msync(Pointer, (nuint)LengthBytes, MS_SYNC), "msync", path);

    /// <inheritdoc/>
    public void Dispose()
    {
        Unmap();
        GC.SuppressFinalize(this);
    }

    private void Unmap()
    {
        if (pointer is not null)
            _ = Libc.munmap(pointer, (nuint)LengthBytes);
        pointer = null;
    }
}
