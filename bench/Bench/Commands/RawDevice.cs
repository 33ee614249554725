using Bench.Disk;
using Bench.Disk.Topology;
using Bench.Measure.Running;

namespace Bench.Commands;

/// <summary>
/// A block device that a run writes over, held for as long as it lasts. It is taken only if the user has typed what it
/// is as well as where it is: /dev/sdb is another drive after the next boot, a model's name is not.
/// </summary>
internal sealed class RawDevice : IDisposable
{
    private RawDevice(DiskFile held, DeviceTopology topology)
    {
        Held = held;
        Topology = topology;
    }

    /// <summary>What whoever reads or writes it opens it by: its node may be another device's before the run ends.</summary>
    internal DiskFile Held { get; }

    /// <summary>The device as a target.</summary>
    internal DeviceTopology Topology { get; }

    /// <summary>Its path, without links.</summary>
    internal string Path => Held.Path;

    /// <summary>Takes a device.</summary>
    /// <param name="given">As typed after <c>--raw</c>.</param>
    /// <param name="model">As typed after <c>--raw-model</c>; null if it was not.</param>
    /// <exception cref="PlanException">It is no block device, another one than was meant, in use, not empty, or not ours to open.</exception>
    internal static RawDevice Take(string given, string? model)
    {
        if (string.IsNullOrWhiteSpace(given))
            throw new PlanException("--raw is empty; give a block device");
        var path = System.IO.Path.GetFullPath(given);
        if (!System.IO.Path.Exists(path))
            throw new PlanException($"--raw {path}: there is no such device");
        try
        {
            path = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        }
        catch (IOException)
        {
            throw new PlanException($"--raw {path}: that is a link that leads round and round");
        }
        if (!System.IO.Path.Exists(path) || new FileInfo(path).LinkTarget is not null)
            throw new PlanException($"--raw {given}: that is a link to {path}, where there is no device");
        if (new TopologyProbe().ProbeDevice(path) is not { Devices: [var device] } topology)
            throw new PlanException($"--raw {path}: that is no block device; for a file system give its folder as --target");
        var name = NameOf(device);
        if (model is null)
            throw new PlanException($"--raw writes over {path}, and what is on it is lost; say with --raw-model which drive is meant ('lsblk --nodeps -o NAME,MODEL,SIZE' names them; one without a model has its kernel's name)");
        if (!string.Equals(model.Trim(), name, StringComparison.Ordinal))
            throw new PlanException($"{path} is '{name}' and not '{model}': nothing was written");
        if (DeviceUse.Of(device.Name) is { } use)
            throw new PlanException($"--raw {path}: {use}, so it is not written over");
        // Such a device is opened for writing all the same; its writes fail.
        if (SystemRoot.Machine.ReadFlag($"/sys/class/block/{device.Name}/ro") == true)
            throw new PlanException($"--raw {path}: the device is read-only");
        DiskFile held;
        try
        {
            held = DiskFile.Open(path, OpenMode.Write | OpenMode.Exclusive);
        }
        catch (DiskException exception) when (exception.IsBusy)
        {
            throw new PlanException($"--raw {path}: somebody holds it (a pool of ZFS, a virtual machine, another bench), so it is not written over");
        }
        catch (DiskException exception) when (exception.IsDenied)
        {
            throw new PlanException($"--raw {path}: only root may write to it");
        }
        try
        {
            if (held.BlockDeviceNumber != device.Number)
                throw new PlanException($"--raw {path}: that became another device while it was looked at: nothing was written");
            // Only now, when it is held, can nobody put a file system on it afterwards: mkfs and mount take it alone as well.
            if (Signatures(held) is { Length: > 0 } signatures)
                throw new PlanException($"--raw {path}: there is something on it ({signatures}); if nobody needs it any more, remove it with 'wipefs --all {path}' first");
            return new RawDevice(held, topology);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>What a drive calls itself: its model, and where it has none its kernel name.</summary>
    internal static string NameOf(BlockDevice device) =>
        (device.Kind == BlockDeviceKind.Partition ? device.Below.Select(disk => disk.Model).FirstOrDefault() : device.Model)?.Trim() is { Length: > 0 } model ? model : device.Name;

    public void Dispose() => Held.Dispose();

    /// <summary>
    /// What file systems, volumes and partition tables have left there, by wipefs(8). However long it takes: a device that is
    /// slow to answer is not an empty one, and neither is one of which nobody can tell.
    /// </summary>
    /// <exception cref="PlanException">Nobody can tell.</exception>
    private static string Signatures(DiskFile held)
    {
        PlanException Unknown(string why) => new($"--raw {held.Path}: wipefs would tell whether something is on it, but {why}: nothing was written");
        try
        {
            var start = new System.Diagnostics.ProcessStartInfo("wipefs", ["--no-act", "--noheadings", "--output", "TYPE", held.HeldPath]) { RedirectStandardOutput = true, RedirectStandardError = true };
            using var process = System.Diagnostics.Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? string.Join(", ", output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct())
                : throw Unknown($"it ended with {process.ExitCode} ({errors.Result.Trim()})");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw Unknown("it is not installed (package util-linux)");
        }
    }
}
