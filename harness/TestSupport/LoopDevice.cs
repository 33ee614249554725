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
internal sealed record LoopDevice(string Path)
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
                var loop = new LoopDevice(result.StandardOutput.Trim());
                if ((File.ReadAllText($"/sys/block/{loop.Name}/loop/dio").Trim() == "1") == (io == LoopIo.Direct))
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
            .Where(device => BackingFile(device)?.StartsWith(folder + "/", StringComparison.Ordinal) == true)
            .Select(device => new LoopDevice("/dev/" + System.IO.Path.GetFileName(device)))];

    /// <summary>Detaches it and waits until the kernel has let go of the file.</summary>
    public void Detach()
    {
        for (var attempt = 0; attempt < 50 && BackingFile($"/sys/block/{Name}") is not null; attempt++)
        {
            Command.TryRun(Command.DefaultTimeout, "losetup", "--detach", Path);
            if (BackingFile($"/sys/block/{Name}") is null)
                return;
            Thread.Sleep(100);
        }
    }

    private static string? BackingFile(string device)
    {
        try
        {
            return File.ReadAllText($"{device}/loop/backing_file").TrimEnd('\n');
        }
        catch (IOException)
        {
            return null;
        }
    }
}
