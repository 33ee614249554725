using System.Diagnostics;

namespace Bench.TestSupport;

/// <summary>What a program that has ended left behind.</summary>
/// <param name="ExitCode">Its exit code; 128 + n if signal n ended it.</param>
/// <param name="StandardOutput">All of its standard output.</param>
/// <param name="StandardError">All of its standard error.</param>
public sealed record CommandResult(int ExitCode, string StandardOutput, string StandardError);

/// <summary>
/// Runs programs for tests, with a time-out and with their output kept apart. Programs run under <c>LC_ALL=C</c>, so
/// that a test may read what they print.
/// </summary>
public static class Command
{
    /// <summary>How long a program may take where nothing else is said.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="InvalidOperationException">It is missing or ended with another code than 0; says its last words.</exception>
    /// <exception cref="TimeoutException">It took longer than <see cref="DefaultTimeout"/>; it has been killed.</exception>
    public static CommandResult Run(string program, params string[] arguments)
    {
        var result = TryRun(DefaultTimeout, program, arguments);
        return result.ExitCode == 0
            ? result
            : throw new InvalidOperationException(
                $"{program} {string.Join(' ', arguments)} ended with {result.ExitCode}: {result.StandardError}{result.StandardOutput}");
    }

    /// <summary>Runs a program to its end, whatever its exit code.</summary>
    /// <exception cref="InvalidOperationException">The program is missing.</exception>
    /// <exception cref="TimeoutException">It took longer than <paramref name="timeout"/>; it and its children have been killed.</exception>
    public static CommandResult TryRun(TimeSpan timeout, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(Find(program) ?? throw new InvalidOperationException($"{program} is not installed."), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LC_ALL"] = "C";
        start.Environment["PATH"] = string.Join(':', SearchFolders());
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = ReadAll(process.StandardOutput);
        var error = ReadAll(process.StandardError);
        // A child that lives on holds the pipes open, so their end is waited for apart from the program's.
        var hasEnded = process.WaitForExit(timeout);
        if (hasEnded && Task.WaitAll([output, error], timeout))
            return new CommandResult(process.ExitCode, output.Result, error.Result);
        var reason = hasEnded ? "it has ended, and its output is held open" : WhatItDoes(process.Id);
        process.Kill(entireProcessTree: true);
        throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end within {timeout.TotalSeconds:0.###} s: {reason}.");
    }

    // On a thread of its own: a test that keeps the pool's threads busy for a minute (Parallel.For) is not to make the
    // programs of the tests beside it late.
    private static Task<string> ReadAll(StreamReader reader) =>
        Task.Factory.StartNew(reader.ReadToEnd, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    // Its state (proc_pid_stat(5)) and, for root, where in the kernel it is: what tells a slow disk from a hang.
    private static string WhatItDoes(int processId)
    {
        var state = "it has ended since";
        try
        {
            var stat = File.ReadAllText($"/proc/{processId}/stat");
            state = $"its state is {stat[stat.LastIndexOf(')') + 2]}";
            return $"{state}, in {string.Join(" < ", File.ReadLines($"/proc/{processId}/stack").Select(line => line.Split(' ')[^1]))}";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return state;
        }
    }

    /// <summary>The full path of a program, or null if it is not installed; looks in the sbin folders too.</summary>
    public static string? Find(string program) =>
        program.Contains('/', StringComparison.Ordinal)
            ? File.Exists(program) ? program : null
            : SearchFolders().Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    // An ordinary user's PATH on Debian lacks the folders of mkfs and losetup, and everybody's that of PostgreSQL's server.
    private static IEnumerable<string> SearchFolders() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Concat(["/usr/local/sbin", "/usr/sbin", "/sbin"]).Concat(PostgresFolders()).Distinct();

    private static IEnumerable<string> PostgresFolders() =>
        Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(folder => folder, StringComparer.Ordinal).Select(folder => Path.Combine(folder, "bin"))
            : [];
}
