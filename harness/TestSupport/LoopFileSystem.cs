namespace Bench.TestSupport;

/// <summary>What becomes of the part of the journal that is in memory when the power is cut.</summary>
public enum JournalAtCut
{
    /// <summary>It is lost.</summary>
    Lost,

    /// <summary>It is written just before: the names and lengths are there, and the data is not.</summary>
    Written,
}

/// <summary>
/// A file system of its own on loop devices over files of a <see cref="TestFolder"/>: small, real, and gone when
/// disposed. Needs root. The backing files are sparse: room is taken as it is written.
/// </summary>
public sealed class LoopFileSystem : IDisposable
{
    /// <summary>Size of each device where nothing else is said: mkfs.xfs refuses less than 300 MiB.</summary>
    public const long DefaultDeviceBytes = 320L << 20;

    private readonly TestFolder _folder = new();
    private readonly List<LoopDevice> _loops = [];
    private readonly string _fileSystem;

    private LoopFileSystem(string fileSystem, int deviceCount, long deviceBytes, LoopIo io, string[] mkfsArguments)
    {
        _fileSystem = fileSystem;
        MountPath = _folder.Folder("mnt");
        try
        {
            for (var i = 0; i < deviceCount; i++)
            {
                var file = _folder.File(FormattableString.Invariant($"disk{i}"));
                using (var stream = File.Create(file))
                    stream.SetLength(deviceBytes);
                _loops.Add(LoopDevice.Attach(file, io));
            }
            Command.Run($"mkfs.{fileSystem}", [.. mkfsArguments, .. DevicePaths]);
            Mount();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where it is mounted.</summary>
    public string MountPath { get; }

    /// <summary>The loop devices, <c>/dev/loopN</c>, in the order in which mkfs was given them.</summary>
    public IReadOnlyList<string> DevicePaths => [.. _loops.Select(loop => loop.Path)];

    /// <summary>An ext4 file system on one device.</summary>
    public static LoopFileSystem Ext4(long deviceBytes = DefaultDeviceBytes, LoopIo io = LoopIo.Direct) =>
        new("ext4", 1, deviceBytes, io, ["-q", "-F"]);

    /// <summary>An XFS file system on one device of at least 300 MiB.</summary>
    public static LoopFileSystem Xfs(long deviceBytes = DefaultDeviceBytes, LoopIo io = LoopIo.Direct) =>
        new("xfs", 1, deviceBytes, io, ["-q", "-f"]);

    /// <summary>A btrfs over several devices: real software RAID.</summary>
    /// <param name="profile">Profile of data and metadata: <c>single</c>, <c>raid0</c>, <c>raid1</c>, <c>raid10</c>.</param>
    /// <param name="deviceCount">Devices; raid0 and raid1 need two, raid10 four.</param>
    /// <param name="deviceBytes">Size of each, at least 120 MiB.</param>
    /// <param name="io">How the loop devices reach their files.</param>
    public static LoopFileSystem Btrfs(string profile, int deviceCount, long deviceBytes = DefaultDeviceBytes, LoopIo io = LoopIo.Direct) =>
        new("btrfs", deviceCount, deviceBytes, io, ["-q", "-f", "-d", profile, "-m", profile]);

    /// <summary>Unmounts it and mounts it again: its page cache is gone, and its journal replayed.</summary>
    public void Remount()
    {
        Command.Run("umount", MountPath);
        Mount();
    }

    /// <summary>
    /// Stops the file system at once, as a power cut does: what it has not written it never will (XFS_IOC_GOINGDOWN,
    /// which ext4 knows too). Calls on it fail from then on; <see cref="Remount"/> brings it back once its files are closed.
    /// Needs xfs_io.
    /// </summary>
    /// <param name="journal">What becomes of the part of the journal that is in memory.</param>
    public void CutPower(JournalAtCut journal) =>
        Command.Run("xfs_io", ["-x", "-c", journal == JournalAtCut.Written ? "shutdown -f" : "shutdown", MountPath]);

    /// <summary>Unmounts, detaches and deletes everything.</summary>
    public void Dispose() => _folder.Dispose();

    private void Mount()
    {
        // Members that no udev has announced to the kernel have to be named.
        string[] members = _fileSystem == "btrfs" ? ["-o", string.Join(',', DevicePaths.Select(path => $"device={path}"))] : [];
        Command.Run("mount", ["-t", _fileSystem, .. members, DevicePaths[0], MountPath]);
    }
}
