using System.Diagnostics;
using System.Globalization;
using System.Text;
using Bench.Disk.Native;

namespace Bench.Disk.Topology;

/// <summary>
/// The folder that stands for "/" when the system is read: the machine itself, or a recorded tree. Paths are absolute
/// as the kernel knows them ("/sys/dev/block/8:1"); symbolic links are resolved <em>within</em> the root, so that an
/// absolute link of a recorded tree never leads into the machine that the test runs on.
/// </summary>
/// <remarks>
/// What cannot be read (absent, no permission, a device that vanished meanwhile) is null, false or empty, never an
/// exception: sysfs differs by kernel version, driver and container.
/// </remarks>
public sealed class SystemRoot
{
    // As the kernel's MAXSYMLINKS (path_resolution(7)).
    private const int MaxSymbolicLinks = 40;

    private static readonly TimeSpan ToolTimeout = TimeSpan.FromSeconds(5);

    private readonly string prefix;

    /// <summary>A root at a folder of this machine; "/" is the machine itself.</summary>
    public SystemRoot(string folder)
    {
        string full = Path.GetFullPath(folder);
        IsMachine = full == "/";
        prefix = full.TrimEnd('/');
    }

    /// <summary>This machine.</summary>
    public static SystemRoot Machine { get; } = new("/");

    /// <summary>True if this is the running machine and not a recorded tree.</summary>
    public bool IsMachine { get; }

    /// <summary>Where a path of this root lies on the machine; no links are resolved.</summary>
    public string OnMachine(string path) => path == "/" && prefix.Length > 0 ? prefix : prefix + path;

    /// <summary>
    /// The path without symbolic links, "." and "..", still relative to this root. Components that do not exist are
    /// kept as they are. Null where links form a loop.
    /// </summary>
    public string? Resolve(string path)
    {
        var done = new List<string>();
        var todo = new Stack<string>(Components(path).Reverse());
        int links = 0;
        while (todo.TryPop(out string? component))
        {
            if (component == "..")
            {
                if (done.Count > 0)
                    done.RemoveAt(done.Count - 1);
                continue;
            }

            done.Add(component);
            string? target = LinkTarget("/" + string.Join('/', done));
            if (target is null)
                continue;
            if (++links > MaxSymbolicLinks)
                return null;
            if (target.StartsWith('/'))
                done.Clear();
            else
                done.RemoveAt(done.Count - 1);
            foreach (string part in Components(target).Reverse())
                todo.Push(part);
        }

        return "/" + string.Join('/', done);
    }

    /// <summary>The text of a file without the newline at its end; null if it cannot be read.</summary>
    public string? ReadText(string path) =>
        ReadBytes(path) is { } bytes ? Encoding.UTF8.GetString(bytes).TrimEnd('\n') : null;

    /// <summary>The text of a file without white space around it; null if it cannot be read or is empty.</summary>
    public string? ReadWord(string path) => ReadText(path)?.Trim(' ', '\t', '\n', '\0') is { Length: > 0 } word ? word : null;

    /// <summary>The lines of a file; empty if it cannot be read.</summary>
    public string[] ReadLines(string path) => ReadText(path) is { Length: > 0 } text ? text.Split('\n') : [];

    /// <summary>The decimal number in a file; null if it cannot be read or is none.</summary>
    public long? ReadNumber(string path) =>
        long.TryParse(ReadWord(path), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) ? number : null;

    /// <summary>The decimal number in a file as an int; null if it cannot be read, is none, or does not fit.</summary>
    public int? ReadSmallNumber(string path) =>
        ReadNumber(path) is { } number and >= int.MinValue and <= int.MaxValue ? (int)number : null;

    /// <summary>A "0" or "1" file; null if it cannot be read.</summary>
    public bool? ReadFlag(string path) => ReadNumber(path) is { } number ? number != 0 : null;

    /// <summary>The choice in brackets of "none [mq-deadline] kyber"; the whole word where there are no brackets.</summary>
    public string? ReadChoice(string path)
    {
        string? text = ReadWord(path);
        int open = text?.IndexOf('[', StringComparison.Ordinal) ?? -1;
        if (text is null || open < 0)
            return text is not null && text.Contains(' ', StringComparison.Ordinal) ? null : text;
        int close = text.IndexOf(']', open);
        return close > open + 1 ? text[(open + 1)..close] : null;
    }

    /// <summary>The bytes of a file; null if it cannot be read.</summary>
    public byte[]? ReadBytes(string path)
    {
        try
        {
            if (Resolve(path) is not { } resolved)
                return null;
            // Not File.ReadAllBytes: a file of sysfs claims 4096 bytes and ends earlier, which that takes for an error.
            using var file = new FileStream(OnMachine(resolved), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            using var bytes = new MemoryStream();
            file.CopyTo(bytes);
            return bytes.ToArray();
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            return null;
        }
    }

    /// <summary>True if the path is a file that can be seen.</summary>
    public bool FileExists(string path) => Resolve(path) is { } resolved && File.Exists(OnMachine(resolved));

    /// <summary>True if the path is a folder that can be seen.</summary>
    public bool FolderExists(string path) => Resolve(path) is { } resolved && Directory.Exists(OnMachine(resolved));

    /// <summary>The names in a folder, files, folders and links, in ordinal order; empty if it cannot be read.</summary>
    public IReadOnlyList<string> Names(string path)
    {
        try
        {
            if (Resolve(path) is not { } resolved)
                return [];
            return [.. Directory.EnumerateFileSystemEntries(OnMachine(resolved)).Select(entry => Path.GetFileName(entry)!).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            return [];
        }
    }

    /// <summary>
    /// The "major:minor" of the block device that a path leads to; null if it leads to none. By the node itself, whatever
    /// it is called: two nodes may be one device. A recorded tree has no nodes, and their names tell.
    /// </summary>
    public unsafe string? BlockDeviceNumber(string path)
    {
        if (Resolve(path) is not { } resolved)
            return null;
        Libc.statx_buffer stat;
        if (IsMachine && Libc.statx(Constants.AT_FDCWD, resolved, 0, Constants.STATX_BASIC_STATS, &stat) == 0)
            return BlockDeviceNumber(stat);
        return resolved.StartsWith("/dev/", StringComparison.Ordinal) ? ReadWord($"/sys/class/block/{resolved["/dev/".Length..].Replace('/', '!')}/dev") : null;
    }

    internal static string? BlockDeviceNumber(in Libc.statx_buffer stat) =>
        (stat.stx_mode & Constants.S_IFMT) == Constants.S_IFBLK ? string.Create(CultureInfo.InvariantCulture, $"{stat.stx_rdev_major}:{stat.stx_rdev_minor}") : null;

    /// <summary>
    /// What a program prints on standard output. Null if it is not there, ends with an error, or has not ended after five
    /// seconds: the tools of a storage stack wait for ever on a pool that hangs. A recorded tree has the output in the file
    /// <c>/output/PROGRAM ARGUMENTS</c>, with "!" for a slash.
    /// </summary>
    /// <param name="program">Its name, found in PATH.</param>
    /// <param name="arguments">What follows it.</param>
    public string? Output(string program, params string[] arguments)
    {
        if (!IsMachine)
            return ReadText($"/output/{string.Join(' ', [program, .. arguments]).Replace('/', '!')}");
        try
        {
            var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
            start.Environment["LC_ALL"] = "C";
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            if (!process.WaitForExit(ToolTimeout))
            {
                process.Kill(entireProcessTree: true);
                return null;
            }
            // Whoever it has left running may keep the pipe open.
            return process.ExitCode == 0 && output.Wait(ToolTimeout) ? output.Result : null;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            return null;
        }
    }

    private string? LinkTarget(string path)
    {
        try
        {
            return new FileInfo(OnMachine(path)).LinkTarget;
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            return null;
        }
    }

    private static IEnumerable<string> Components(string path) =>
        path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(component => component != ".");

    private static bool IsUnreadable(Exception e) =>
        e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException or System.Security.SecurityException;
}
