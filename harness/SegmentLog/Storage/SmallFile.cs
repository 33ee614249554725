using Bench.Disk;

namespace Bench.SegmentLog.Storage;

/// <summary>Files that are read and written whole.</summary>
internal static class SmallFile
{
    /// <summary>All bytes of a file.</summary>
    /// <exception cref="Format.CorruptLogException">It is larger than such a file can be.</exception>
    internal static byte[] Read(IStorage storage, string path, long mostBytes)
    {
        using var file = storage.Open(path, OpenMode.Read);
        var length = file.LengthBytes;
        if (length > mostBytes)
            throw new Format.CorruptLogException(path, 0, $"the file has {length} bytes, more than the {mostBytes} that such a file may have");
        var bytes = GC.AllocateUninitializedArray<byte>((int)length);
        var read = file.Read(bytes, 0);
        return read == length ? bytes : bytes[..read];
    }

    /// <summary>Writes a file aside, makes it durable and renames it over the old one: a reader sees one or the other.</summary>
    internal static void Replace(IStorage storage, string path, ReadOnlySpan<byte> bytes)
    {
        var aside = path + ".tmp";
        storage.Delete(aside);
        using (var file = storage.Open(aside, OpenMode.Write | OpenMode.Create))
        {
            file.Write(bytes, 0);
            file.Fdatasync();
        }
        storage.Rename(aside, path);
        storage.SyncFolder(System.IO.Path.GetDirectoryName(path)!);
    }

    /// <summary>Writes a file that can be made again from the log.</summary>
    /// <param name="storage">The file system.</param>
    /// <param name="path">The file.</param>
    /// <param name="bytes">Its content.</param>
    /// <param name="durably">It is on the device when this returns, but for its name if it is new.</param>
    internal static void Write(IStorage storage, string path, ReadOnlySpan<byte> bytes, bool durably)
    {
        var exists = storage.Exists(path);
        using var file = storage.Open(path, exists ? OpenMode.Write : OpenMode.Write | OpenMode.Create);
        file.Write(bytes, 0);
        if (exists)
            file.Truncate(bytes.Length);
        if (durably)
            file.Fdatasync();
    }
}
