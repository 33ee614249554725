using System.Globalization;
using Bench.Disk;
using Bench.Disk.Topology;
using Bench.Measure.Running;

namespace Bench.Commands;

/// <summary>Checks of a target before anything is written.</summary>
internal static class TargetFolder
{
    /// <summary>The absolute folder, if a run may write into it.</summary>
    /// <exception cref="PlanException">It is missing, no folder, a device, read-only, or a link that leads elsewhere.</exception>
    internal static string Check(string given)
    {
        if (string.IsNullOrWhiteSpace(given))
            throw new PlanException("--target is empty; give a folder");
        // "link/" is the link's folder to the kernel, and is what a shell's completion gives.
        var path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(given));
        var attributes = Attributes(path) ?? throw new PlanException(path.Contains('\uFFFD', StringComparison.Ordinal)
            ? $"the name of the target {path} is not UTF-8, and .NET cannot open it; give it another name, or mount it at another place"
            : $"the target {path} does not exist; make the folder first");
        if (new FileInfo(path).LinkTarget is { } link)
            throw new PlanException($"the target {path} is a symbolic link to {link}; give that folder itself, so that it is plain what is measured");
        if (!attributes.HasFlag(FileAttributes.Directory))
            throw new PlanException(attributes.HasFlag(FileAttributes.Device) || IsSpecial(path)
                ? $"the target {path} is a device; a target is a folder: mount a file system on it and give its folder (--raw writes over a device)"
                : $"the target {path} is no folder");
        if (new TopologyProbe().Probe(path).Mount.ReadOnly)
            throw new PlanException($"the target {path} is on a read-only mount");
        try
        {
            // The access bits do not tell what ACLs, user namespaces or a full inode table will say.
            var probe = Path.Combine(path, ".bench-probe-" + Guid.NewGuid().ToString("N"));
            DiskFile.Open(probe, OpenMode.Write | OpenMode.Create).Dispose();
            File.Delete(probe);
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            // The kernel's own word for it: a file system that an I/O error made read-only is not one whose access is denied.
            throw new PlanException($"the target {path} cannot be written: {exception.Message}");
        }
        return path;
    }

    /// <summary>Refuses a plan that would fill the file system: a tenth of it stays free.</summary>
    /// <param name="path">The target.</param>
    /// <param name="target">Its topology.</param>
    /// <param name="neededBytes">Most bytes that the plan has there at once.</param>
    internal static void CheckSpace(string path, DeviceTopology target, long neededBytes)
    {
        var reserve = target.TotalBytes / 10;
        if (target.TotalBytes > 0 && neededBytes > 0 && target.FreeBytes - neededBytes < reserve)
            throw new PlanException(string.Create(CultureInfo.InvariantCulture,
                $"the target {path} is too small: the plan takes {MiB(neededBytes)} MiB at once, {MiB(target.FreeBytes)} MiB are free, and a tenth of the file system ({MiB(reserve)} MiB) stays free; use a smaller profile, shorter passes, or --set smaller sizes"));
    }

    /// <summary>Whether other machines may be writing into the same file system.</summary>
    internal static bool IsShared(MountInfo mount) =>
        MountInfo.IsFuse(mount.FileSystem)
        || mount.FileSystem is "nfs" or "nfs4" or "cifs" or "smb3" or "9p" or "virtiofs" or "ceph" or "glusterfs" or "lustre" or "gpfs" or "afs" or "ocfs2" or "gfs2";

    private static long MiB(long bytes) => (bytes + (1 << 20) - 1) >> 20;

    private static FileAttributes? Attributes(string path)
    {
        try
        {
            return File.GetAttributes(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            throw new PlanException($"the target {path} cannot be looked at: {exception.Message}");
        }
    }

    private static bool IsSpecial(string path) => path.StartsWith("/dev/", StringComparison.Ordinal);
}
