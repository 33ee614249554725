using Bench.Disk;

namespace Bench.Harness.Tests.Disk;

/// <summary>A folder of its own on the real disk with real files in it; removed at the end.</summary>
public sealed class DataFolder : IDisposable
{
    public string FullPath { get; } = Directory.CreateTempSubdirectory("bench-disk-test-").FullName;

    public string this[string name] => Path.Combine(FullPath, name);

    /// <summary>Random bytes of a seed: the truth that a test compares with.</summary>
    public static byte[] Bytes(int lengthBytes, int seed = 1)
    {
        var bytes = new byte[lengthBytes];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Makes a file of random bytes, written to the device.</summary>
    public DiskFile Make(string name, int lengthBytes, OpenMode mode = OpenMode.Read, int seed = 1)
    {
        using (var file = DiskFile.Open(this[name], OpenMode.Write | OpenMode.Create))
        {
            file.Write(Bytes(lengthBytes, seed), 0);
            file.Fsync();
        }
        return DiskFile.Open(this[name], mode);
    }

    public void Dispose() => Directory.Delete(FullPath, recursive: true);
}
