using System.Globalization;
using System.Text.RegularExpressions;

namespace Bench.TestSupport;

/// <summary>
/// A folder of a test, on a real disk (<c>/var/tmp</c>, or <c>BENCH_TEST_FOLDER</c>), with a name that no other folder
/// of any test process has. Disposing it removes everything: what is mounted below it, the loop devices over its
/// files, and the files. The first folder of a process removes those that killed test processes left.
/// </summary>
/// <remarks>
/// The name is <c>bench-test-PID-START-N</c>: process id and start time (clock ticks since boot) name the process that
/// owns it, so that a leftover is told from the folder of a test that runs at the same time.
/// </remarks>
public sealed partial class TestFolder : IDisposable
{
    private static readonly string Root = Environment.GetEnvironmentVariable("BENCH_TEST_FOLDER") ?? "/var/tmp";
    private static readonly string Owner = Invariant($"{Environment.ProcessId}-{StartTicks(Environment.ProcessId)}");
    private static readonly Lazy<int> Swept = new(() => RemoveLeftovers(Root));
    private static int _count;

    /// <summary>Makes an empty folder.</summary>
    public TestFolder()
    {
        _ = Swept.Value;
        FullPath = Path.Combine(Root, Invariant($"bench-test-{Owner}-{Interlocked.Increment(ref _count)}"));
        Directory.CreateDirectory(FullPath);
    }

    /// <summary>The folder's absolute path.</summary>
    public string FullPath { get; }

    /// <summary>The path of something in the folder; makes nothing.</summary>
    public string File(string name) => Path.Combine(FullPath, name);

    /// <summary>A new, empty folder in this folder.</summary>
    public string Folder(string name) => Directory.CreateDirectory(Path.Combine(FullPath, name)).FullName;

    /// <summary>Unmounts, detaches and deletes everything in the folder, and the folder.</summary>
    public void Dispose() => Remove(FullPath);

    /// <summary>Removes the folders of processes that are no more; returns how many there were.</summary>
    internal static int RemoveLeftovers(string root)
    {
        // Several test processes may start at once; each leftover is removed by one of them.
        using var turn = TakeTurn(root);
        var leftovers = Directory.GetDirectories(root, "bench-test-*").Where(IsLeftover).ToList();
        return leftovers.Count(TryRemove);
    }

    // Another user's leftover, or one that the kernel holds on to, is no reason for today's tests to fail.
    private static bool TryRemove(string folder)
    {
        try
        {
            Remove(folder);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            Console.Error.WriteLine($"The leftover {folder} stays: {error.Message}");
            return false;
        }
    }

    private static bool IsLeftover(string folder) =>
        NamePattern().Match(Path.GetFileName(folder)) is { Success: true } match
        && StartTicks(int.Parse(match.Groups["pid"].ValueSpan, CultureInfo.InvariantCulture)) != long.Parse(match.Groups["start"].ValueSpan, CultureInfo.InvariantCulture);

    private static FileStream TakeTurn(string root)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return new FileStream(Path.Combine(root, $"bench-test-{Environment.UserName}.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
            }
            catch (IOException) when (attempt < 300)
            {
                Thread.Sleep(100);
            }
        }
    }

    private static void Remove(string folder)
    {
        if (!Directory.Exists(folder))
            return;
        var mounts = MountedPath.Below(folder);
        // A FUSE disk carries a loop device, which carries a file system: the file system first, the disk last.
        foreach (var mount in mounts.Where(m => !m.IsFuse))
            mount.Unmount();
        var loops = LoopDevice.Below(folder);
        foreach (var loop in loops)
        {
            // The kernel remembers the members of a btrfs by device number, and the next loop device has the same.
            if (mounts.Any(m => m.FileSystem == "btrfs"))
                Command.TryRun(Command.DefaultTimeout, "btrfs", "device", "scan", "--forget", loop.Path);
            loop.Detach();
        }
        foreach (var mount in mounts.Where(m => m.IsFuse))
            mount.Unmount();
        if (MountedPath.Below(folder) is [var left, ..])
            throw new IOException($"{left.Path} cannot be unmounted; nothing in {folder} was deleted.");
        Directory.Delete(folder, recursive: true);
    }

    // Field 22 of /proc/PID/stat; -1 if there is no such process. The name in field 2 may hold spaces and brackets.
    private static long StartTicks(int processId)
    {
        try
        {
            var stat = System.IO.File.ReadAllText(Invariant($"/proc/{processId}/stat"));
            return long.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return -1;
        }
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);

    [GeneratedRegex(@"^bench-test-(?<pid>\d+)-(?<start>\d+)-\d+$")]
    private static partial Regex NamePattern();
}
