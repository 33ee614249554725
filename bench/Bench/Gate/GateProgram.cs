using Bench.Commands;
using Bench.Measure.Passes;
using Bench.Measure.Running;

namespace Bench.Gate;

/// <summary>The program of one side, whatever the user named it by; what had to be built is removed when disposed.</summary>
internal sealed class GateProgram : IDisposable
{
    private readonly IReadOnlyList<string> command;
    private readonly Revision? revision;

    private GateProgram(IReadOnlyList<string> command, Revision? revision = null)
    {
        this.command = command;
        this.revision = revision;
    }

    /// <summary>Finds it, and builds it if it is a revision.</summary>
    /// <param name="role">Base or head, for messages.</param>
    /// <param name="name">A program, a folder with one, a folder of source, or a revision; null for this program.</param>
    /// <param name="stop">The user's wish to stop.</param>
    /// <exception cref="PlanException">It is none of these.</exception>
    /// <exception cref="GateException">It is a revision that does not build.</exception>
    internal static GateProgram Resolve(string role, string? name, StopSignal stop)
    {
        if (name is null)
            return new GateProgram(RunCommand.SelfCommand());
        if (name.Length == 0)
            throw new PlanException($"--{role} is empty; give a revision, a program or a run");
        foreach (var file in new[] { name, Path.Combine(name, "bench"), Path.Combine(name, "bench.dll") }.Where(File.Exists))
        {
            const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
            if (!file.EndsWith(".dll", StringComparison.Ordinal) && (File.GetUnixFileMode(file) & Executable) == 0)
                throw new PlanException($"--{role} {file} is a file that cannot be run; give a published bench, a run, or a revision");
            return new GateProgram(file.EndsWith(".dll", StringComparison.Ordinal) ? ["dotnet", Path.GetFullPath(file)] : [Path.GetFullPath(file)]);
        }
        if (Revision.CommitOf(name) is not { } commit)
            throw new PlanException($"--{role} {name} is no program, no run, and no revision of this folder's repository");
        Console.Error.WriteLine($"Build    {role}: {name} ({commit[..Math.Min(12, commit.Length)]})");
        var built = Revision.Build(role, name, commit, stop);
        return new GateProgram(built.Command, built);
    }

    /// <summary>The side that it is.</summary>
    internal GateSide Side(string role, string name) => new() { Role = role, Name = name, Command = command, Commit = revision?.Commit };

    public void Dispose() => revision?.Dispose();
}

/// <summary>A folder for the launches' records, within the gate's own, gone when disposed; so is the gate's own if it was made for it and nothing came of it.</summary>
internal sealed class WorkFolder : IDisposable
{
    private const string LockName = ".lock";

    private readonly string? madeFolder;
    private readonly FileStream lockFile;

    /// <summary>Makes it, without what a process that was killed has left in it.</summary>
    /// <param name="folder">The folder of the gate run.</param>
    /// <exception cref="PlanException">Another process is at work there.</exception>
    internal WorkFolder(string folder)
    {
        madeFolder = Directory.Exists(folder) ? null : folder;
        Path = System.IO.Path.Combine(folder, "launches");
        Directory.CreateDirectory(Path);
        try
        {
            lockFile = new FileStream(System.IO.Path.Combine(Path, LockName), FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);
        }
        catch (IOException)
        {
            throw new PlanException($"another bench is at work in {folder}; give another --out");
        }
        foreach (var left in Directory.GetDirectories(Path))
            WholeFolder.Remove(left);
    }

    internal string Path { get; }

    public void Dispose()
    {
        WholeFolder.Remove(Path);
        lockFile.Dispose();
        if (Directory.Exists(madeFolder) && !Directory.EnumerateFileSystemEntries(madeFolder).Any())
            Directory.Delete(madeFolder);
    }
}
