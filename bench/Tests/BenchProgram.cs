using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Bench.Measure.Records;
using Bench.TestSupport;
using Xunit;

// Evidence is read from counters of the whole machine, and figures depend on who else uses the disk: one at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Bench.Program.Tests;

/// <summary>The built program as a process of its own, as a user starts it.</summary>
internal sealed class BenchProgram : IDisposable
{
    internal static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(120);

    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly StringBuilder error = new();

    private BenchProgram(Process process)
    {
        this.process = process;
        process.OutputDataReceived += (_, line) => Keep(output, line.Data);
        process.ErrorDataReceived += (_, line) => Keep(error, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>The program's file: the project reference puts it beside the tests.</summary>
    internal static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "bench");

    /// <summary>The folder of the runtime that these tests run on: <c>dotnet</c>, <c>host</c>, <c>shared</c>.</summary>
    internal static string RuntimeFolder { get; } = System.IO.Path.GetFullPath(
        System.IO.Path.Combine(System.IO.Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", ".."));

    internal int ProcessId => process.Id;

    internal bool HasEnded => process.HasExited;

    /// <summary>What standard error has carried so far.</summary>
    internal string ErrorSoFar
    {
        get
        {
            lock (error)
                return error.ToString();
        }
    }

    /// <summary>Runs the program to its end.</summary>
    internal static BenchResult Run(string folder, params string[] arguments) => Run(folder, new Dictionary<string, string>(), arguments);

    /// <summary>Runs the program to its end with further environment variables.</summary>
    internal static BenchResult Run(string folder, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        using var program = Start(folder, [Path, .. arguments], environment);
        return program.WaitForEnd(DefaultTimeout);
    }

    /// <summary>Starts the program.</summary>
    /// <param name="folder">Its working folder.</param>
    /// <param name="arguments">Its arguments.</param>
    internal static BenchProgram Start(string folder, params string[] arguments) => Start(folder, [Path, .. arguments], new Dictionary<string, string>());

    /// <summary>Starts a command that ends in the program, such as <c>setpriv … bench run</c>.</summary>
    internal static BenchProgram Start(string folder, IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment)
    {
        var file = Command.Find(command[0]) ?? throw new InvalidOperationException($"{command[0]} is not there.");
        // A script's background jobs ignore Ctrl-C, and nohup's the hang-up, and so would all that is started from tests in one.
        var start = new ProcessStartInfo("env", ["--default-signal", file, .. command.Skip(1)])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        start.Environment["TERM"] = "dumb";
        // The program's own starter looks there for the runtime that these tests run on.
        start.Environment["DOTNET_ROOT"] = RuntimeFolder;
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return new BenchProgram(process);
    }

    /// <summary>Sends a signal by its short name: INT, TERM, KILL.</summary>
    internal void Signal(string name) =>
        Command.Run("sh", "-c", FormattableString.Invariant($"kill -s {name} {process.Id}"));

    /// <summary>Waits until something holds; fails with the program's words if it does not come, or the program ends.</summary>
    internal void WaitUntil(Func<bool> condition, string what)
    {
        var start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (process.HasExited || Stopwatch.GetElapsedTime(start) > DefaultTimeout)
                throw new TimeoutException($"'{what}' did not come; the program said: {ErrorSoFar}");
            Thread.Sleep(5);
        }
    }

    internal BenchResult WaitForEnd(TimeSpan timeout)
    {
        if (!process.WaitForExit(timeout))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"bench did not end within {timeout.TotalSeconds:0} s; it said: {ErrorSoFar}");
        }
        // Without a time-out this waits for the ends of both pipes too.
        process.WaitForExit();
        return new BenchResult(process.ExitCode, output.ToString(), ErrorSoFar);
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }
        process.Dispose();
    }

    private static void Keep(StringBuilder text, string? line)
    {
        if (line is null)
            return;
        lock (text)
            text.Append(line).Append('\n');
    }
}

/// <summary>What the program left.</summary>
internal sealed record BenchResult(int ExitCode, string Output, string Error)
{
    internal IReadOnlyList<string> OutputLines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The records on standard output of a run with <c>--json</c>; each line must be one.</summary>
    internal IReadOnlyList<RunRecord> Records => [.. OutputLines.Select(RecordJson.Read)];

    internal BenchResult Expect(int exitCode)
    {
        Assert.True(exitCode == ExitCode, $"exit code {ExitCode} instead of {exitCode}; standard error: {Error}");
        Assert.DoesNotContain("   at ", Error, StringComparison.Ordinal);
        return this;
    }
}

/// <summary>A target folder and a place for results, on a real disk, gone when disposed.</summary>
internal sealed class RunPlace : IDisposable
{
    private readonly TestFolder folder = new();

    /// <summary>A target of its own, or the one given.</summary>
    internal RunPlace(string? target = null) => Target = target ?? folder.Folder("target");

    /// <summary>The target.</summary>
    internal string Target { get; }

    /// <summary>The working folder; results are in <c>out</c> below it.</summary>
    internal string Folder => folder.FullPath;

    internal string Out => folder.File("out");

    internal string RecordsFile => System.IO.Path.Combine(Out, RunStore.FileName);

    /// <summary>Arguments of a run of smoke size on the target, without a report, with records on standard output.</summary>
    internal string[] SmokeRun(params string[] further) =>
        ["run", "-p", "smoke", "--target", Target, "--out", Out, "--no-report", "--json", .. further];

    internal BenchResult Smoke(params string[] further) => BenchProgram.Run(Folder, SmokeRun(further));

    internal BenchProgram StartSmoke(params string[] further) => BenchProgram.Start(Folder, SmokeRun(further));

    /// <summary>
    /// The record itself if only these claims are not proven, else that of the same case run alone once more: a passing
    /// disturbance (a page reclaimed, a stranger's burst) does not come twice, a wrong rule does.
    /// </summary>
    internal RunRecord SecondLook(RunRecord record, Func<ClaimRecord, bool> holds)
    {
        if (record.Evidence.Claims.All(holds))
            return record;
        var again = System.IO.Path.Combine(Folder, "again-" + Guid.NewGuid().ToString("N"));
        return Assert.Single(BenchProgram.Run(Folder, "run", "-p", "smoke", "--target", Target, "--out", again, "--no-report", "--json", "--filter", record.Case).Expect(0).Records);
    }

    /// <summary>The data folders of runs on the target.</summary>
    internal string[] DataFolders => Directory.GetDirectories(Target, ".bench-*");

    /// <summary>The file of a run that is under way, to be read or else to be written, once it is laid out; null before.</summary>
    internal string? DataFile(string size) => DataFolders
        .SelectMany(path => new[] { "data", "write" }.Select(purpose => System.IO.Path.Combine(path, $"{purpose}-{size}.bin"))).FirstOrDefault(File.Exists);

    /// <summary>Names and lengths of all that is on the target, to see that nothing has changed.</summary>
    internal string TargetListing() => string.Join('\n',
        new DirectoryInfo(Target).EnumerateFileSystemInfos("*", SearchOption.AllDirectories)
            .Select(entry => $"{entry.FullName} {(entry as FileInfo)?.Length} {entry.UnixFileMode} {entry.LastWriteTimeUtc:O}").Order(StringComparer.Ordinal));

    public void Dispose() => folder.Dispose();
}

/// <summary>What tests ask of records.</summary>
internal static class RecordQuestions
{
    internal static ClaimRecord Claim(this RunRecord record, string name) =>
        record.Evidence.Claims.SingleOrDefault(claim => claim.Claim == name)
        ?? throw new Xunit.Sdk.XunitException($"{record.Case} claims nothing of '{name}': {record.Error ?? string.Join(", ", record.Evidence.Claims.Select(claim => claim.Claim))}");

    /// <summary>
    /// Says that the drive did not come to rest. Rounds of a twentieth of a second need not, on a machine that others use;
    /// that it is said exactly where the rounds say so is a test of its own.
    /// </summary>
    internal static bool SaysNotAtRest(this ClaimRecord claim) => claim is { Claim: "steady", Verdict: Verdict.Contradicted };

    internal static bool Has(this RunRecord record, string parameter, string value) =>
        record.Parameters.TryGetValue(parameter, out var found) && found == value;

    internal static string Told(this EvidenceRecord evidence) => JsonSerializer.Serialize(evidence, RecordJson.Options);
}
