namespace Bench.TestSupport;

/// <summary>How a loop device reads and writes its backing file.</summary>
public enum LoopIo
{
    /// <summary>Past the page cache of the file system below: what is direct above is direct below.</summary>
    Direct,

    /// <summary>The kernel's default: through the page cache, so that a direct read above may never reach a disk.</summary>
    Cached,
}

/// <summary>A loop device over a file; losetup(8).</summary>
/// <param name="Path"><c>/dev/loopN</c>.</param>
/// <param name="File">The file that it was attached to; another process may have the device since.</param>
internal sealed record LoopDevice(string Path, string File)
{
    private string Name => System.IO.Path.GetFileName(Path);

    /// <exception cref="InvalidOperationException">No device is free, or the file system below refuses direct I/O.</exception>
    public static LoopDevice Attach(string file, LoopIo io)
    {
        // The free device that losetup finds may be taken by another process before losetup has it.
        for (var attempt = 1; ; attempt++)
        {
            var result = Command.TryRun(Command.DefaultTimeout, "losetup", io == LoopIo.Direct ? "--direct-io=on" : "--direct-io=off", "--find", "--show", file);
            if (result.ExitCode == 0)
            {
                var loop = new LoopDevice(result.StandardOutput.Trim(), file);
                if ((Attribute(loop.SysPath, "dio") == "1") == (io == LoopIo.Direct))
                    return loop;
                loop.Detach();
                throw new InvalidOperationException($"A loop device over {file} does not do {io} I/O.");
            }
            if (attempt == 10)
                throw new InvalidOperationException($"No loop device over {file}: {result.StandardError}");
            Thread.Sleep(50 * attempt);
        }
    }

    /// <summary>The loop devices over files in a folder.</summary>
    public static IReadOnlyList<LoopDevice> Below(string folder) =>
        [.. Directory.GetDirectories("/sys/block", "loop*")
            .Select(device => new LoopDevice("/dev/" + System.IO.Path.GetFileName(device), Attribute(device, "backing_file") ?? ""))
            .Where(loop => loop.File.StartsWith(folder + "/", StringComparison.Ordinal))];

    private bool IsAttached => Attribute(SysPath, "backing_file") == File;

    private string SysPath => $"/sys/block/{Name}";

    /// <summary>Detaches it and waits until the kernel has let go of the file.</summary>
    public void Detach()
    {
        // Once, and not where the kernel does it by itself (autoclear): by the next try the device may be another's.
        // One that is still in use goes with its last user.
        if (IsAttached && Attribute(SysPath, "autoclear") == "0")
            Command.TryRun(Command.DefaultTimeout, "losetup", "--detach", Path);
        for (var attempt = 0; attempt < 50 && IsAttached; attempt++)
            Thread.Sleep(100);
    }

    private static string? Attribute(string device, string name)
    {
        try
        {
            return System.IO.File.ReadAllText($"{device}/loop/{name}").TrimEnd('\n');
        }
        catch (IOException)
        {
            return null;
        }
    }
}
