using System.Diagnostics;
using System.Globalization;
using Bench.Measure.Passes;

namespace Bench.Gate;

/// <summary>
/// A git revision of bench, built to be measured: checked out into a worktree of its own, published, and the worktree
/// removed again; the user's own working tree is not touched.
/// <para>
/// What lies below <c>.git/bench-gate</c> belongs to a gate that runs; what a dead one left there is removed by the next.
/// </para>
/// </summary>
internal sealed class Revision : IDisposable
{
    private const string ProjectPath = "bench/Bench/Bench.csproj";

    // In a container the next gate may well have the number of the dead one.
    private static readonly HashSet<string> ownFolders = [];

    private readonly string repository;
    private readonly string folder;

    private Revision(string repository, string folder, string commit, IReadOnlyList<string> command)
    {
        this.repository = repository;
        this.folder = folder;
        Commit = commit;
        Command = command;
    }

    /// <summary>The commit.</summary>
    internal string Commit { get; }

    /// <summary>How the published program is started.</summary>
    internal IReadOnlyList<string> Command { get; }

    /// <summary>The commit that a name means; null if it means none.</summary>
    /// <param name="name">
    /// A revision of the current folder's repository, or a folder, of this repository or of another: then its state with
    /// what is not committed yet.
    /// </param>
    /// <exception cref="GateException">Git cannot make a commit of what is not committed: an unfinished merge.</exception>
    internal static string? CommitOf(string name)
    {
        if (!Directory.Exists(name))
            return Git(RepositoryOf(name), "rev-parse", "--verify", "--quiet", name + "^{commit}").Output;
        if (Git(name, "rev-parse", "--verify", "--quiet", "HEAD").Output is not { } head)
            return null;
        var untracked = Git(name, "ls-files", "--others", "--exclude-standard").Output;
        if (!string.IsNullOrEmpty(untracked))
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Warning  {untracked.Split('\n').Length} files of {name} are unknown to git and not part of what is built"));
        // A commit of the working tree that no branch knows; nothing if there are no changes. A build machine has no name of
        // its own to commit under.
        var stashed = Git(name, "-c", "user.name=bench", "-c", "user.email=bench@localhost", "stash", "create");
        return stashed.ExitCode != 0 ? throw new GateException($"the changes in {name} cannot be read: {LastLine(stashed.Error)}")
            : stashed.Output is { Length: > 0 } changes ? changes : head;
    }

    /// <summary>Checks out, publishes, and removes the worktree.</summary>
    /// <param name="role">Base or head, for messages.</param>
    /// <param name="name">As the user named it.</param>
    /// <param name="commit">The commit.</param>
    /// <param name="stop">The user's wish to stop.</param>
    /// <exception cref="GateException">It cannot be checked out or does not build.</exception>
    internal static Revision Build(string role, string name, string commit, StopSignal stop)
    {
        var repository = RepositoryOf(name);
        // Git says it relative to the folder that it was asked in.
        var common = Git(repository, "rev-parse", "--git-common-dir").Output ?? throw new GateException($"the {role} {name} is in no git repository any more");
        var all = Path.Combine(Path.GetFullPath(common, repository), "bench-gate");
        RemoveLeftovers(repository, all);
        var folder = Path.Combine(all, string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{role}"));
        ownFolders.Add(folder);
        var (worktree, program) = (Path.Combine(folder, "source"), Path.Combine(folder, "program"));
        try
        {
            var added = Git(repository, "worktree", "add", "--detach", "--force", worktree, commit);
            if (added.ExitCode != 0)
                throw new GateException($"the {role} {name} cannot be checked out: {LastLine(added.Error)}");
            if (!File.Exists(Path.Combine(worktree, ProjectPath)))
                throw new GateException($"the {role} {name} is no revision of bench: it has no {ProjectPath}");
            var dotnet = Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet" ? Environment.ProcessPath! : "dotnet";
            var built = Start(dotnet, worktree, stop, "publish", ProjectPath, "-c", "Release", "-o", program, "--nologo", "-v", "quiet", "-p:UseSharedCompilation=false", "--disable-build-servers");
            if (built.ExitCode != 0)
                throw new GateException($"the {role} {name} does not build: {FirstError(built.Output + built.Error)}");
            RemoveWorktree(repository, worktree);
            return new Revision(repository, folder, commit, [dotnet, Path.Combine(program, "bench.dll")]);
        }
        catch
        {
            Remove(repository, folder);
            throw;
        }
    }

    public void Dispose() => Remove(repository, folder);

    /// <summary>The folder, somewhere in a repository, in which git knows what a name means: itself if it is one.</summary>
    private static string RepositoryOf(string name) => Path.GetFullPath(Directory.Exists(name) ? name : ".");

    private static void RemoveLeftovers(string repository, string all)
    {
        if (!Directory.Exists(all))
            return;
        foreach (var folder in Directory.EnumerateDirectories(all))
        {
            var owner = Path.GetFileName(folder).Split('-')[0];
            if (ownFolders.Contains(folder) || (owner != Environment.ProcessId.ToString(CultureInfo.InvariantCulture) && File.Exists($"/proc/{owner}/cmdline")))
                continue;
            EndThoseIn(folder);
            Remove(repository, folder);
        }
    }

    /// <summary>A build whose gate was killed goes on, and would for ever once its folder is gone.</summary>
    private static void EndThoseIn(string folder)
    {
        foreach (var process in Process.GetProcesses())
        {
            using (process)
            {
                try
                {
                    if (new FileInfo($"/proc/{process.Id}/cwd").LinkTarget?.StartsWith(folder + "/", StringComparison.Ordinal) == true)
                        process.Kill(entireProcessTree: true);
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception or InvalidOperationException or AggregateException)
                {
                    // It has just ended, or is somebody else's.
                }
            }
        }
    }

    private static void Remove(string repository, string folder)
    {
        RemoveWorktree(repository, Path.Combine(folder, "source"));
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    private static void RemoveWorktree(string repository, string worktree)
    {
        if (!Directory.Exists(worktree))
            return;
        Git(repository, "worktree", "remove", "--force", "--force", worktree);
        if (Directory.Exists(worktree))
            Directory.Delete(worktree, recursive: true);
        Git(repository, "worktree", "prune");
    }

    private static (int ExitCode, string? Output, string Error) Git(string folder, params string[] arguments)
    {
        try
        {
            var result = Start("git", folder, new StopSignal(), arguments);
            return (result.ExitCode, result.ExitCode == 0 ? result.Output.Trim() : null, result.Error);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return (-1, null, "git is not installed");
        }
    }

    private static (int ExitCode, string Output, string Error) Start(string program, string folder, StopSignal stop, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        // Build servers would hold files of a worktree that is removed.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        while (!process.WaitForExit(TimeSpan.FromMilliseconds(100)))
        {
            if (!stop.IsRequested)
                continue;
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }
        stop.ThrowIfRequested();
        return (process.ExitCode, output.Result, error.Result);
    }

    private static string FirstError(string text) =>
        text.Split('\n').FirstOrDefault(line => line.Contains("error", StringComparison.OrdinalIgnoreCase))?.Trim() ?? LastLine(text);

    private static string LastLine(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault()?.Trim() ?? "no reason given";
}
