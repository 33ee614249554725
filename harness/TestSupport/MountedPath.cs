using System.Globalization;
using System.Text.RegularExpressions;

namespace Bench.TestSupport;

/// <summary>One line of <c>/proc/self/mountinfo</c> (proc_pid_mountinfo(5)).</summary>
internal sealed partial record MountedPath(string Path, string FileSystem)
{
    public bool IsFuse => FileSystem == "fuse" || FileSystem.StartsWith("fuse.", StringComparison.Ordinal);

    /// <summary>What is mounted in a folder, in the order in which it can be unmounted.</summary>
    public static IReadOnlyList<MountedPath> Below(string folder) =>
        [.. File.ReadAllLines("/proc/self/mountinfo").Select(Parse)
            .Where(mount => mount.Path.StartsWith(folder + "/", StringComparison.Ordinal)).Reverse()];

    public void Unmount()
    {
        // Whoever looks at new mounts (udev, a desktop) keeps one busy for a moment.
        for (var attempt = 0; attempt < 30; attempt++)
        {
            if (Command.TryRun(Command.DefaultTimeout, "umount", Path).ExitCode == 0)
                return;
            Thread.Sleep(100);
        }
        Command.Run("umount", "--lazy", Path);
    }

    private static MountedPath Parse(string line)
    {
        var fields = line.Split(' ');
        var separator = Array.IndexOf(fields, "-");
        return new MountedPath(
            OctalEscape().Replace(fields[4], match => ((char)Convert.ToInt32(match.Value[1..], 8)).ToString(CultureInfo.InvariantCulture)),
            fields[separator + 1]);
    }

    [GeneratedRegex(@"\\[0-7]{3}")]
    private static partial Regex OctalEscape();
}
