using System.Diagnostics;
using System.Globalization;
using System.Text;
using Bench.Commands;
using Bench.Disk;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Bench.Measure.Running;

namespace Bench.Gate;

/// <summary>
/// One process of a side: <c>bench run</c> over some cases with the gate's settings, in a data folder that the gate
/// made, and its records when it has ended.
/// </summary>
internal sealed class Launch : IDisposable
{
    private readonly GateSide side;
    private readonly string outFolder;
    private readonly Process process;
    private readonly StringBuilder said = new();

    private Launch(GateSide side, string outFolder, Process process)
    {
        this.side = side;
        this.outFolder = outFolder;
        this.process = process;
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.OutputDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
    }

    /// <summary>Starts it.</summary>
    /// <param name="side">What is started.</param>
    /// <param name="cases">The cases.</param>
    /// <param name="settings">Passes and their length.</param>
    /// <param name="dataFolder">A kept data folder.</param>
    /// <param name="outFolder">Where the records go.</param>
    /// <param name="turns">Where it gets its turns; null if it runs by itself.</param>
    /// <exception cref="GateException">The program cannot be started.</exception>
    internal static Launch Start(GateSide side, IReadOnlyList<GateCase> cases, RunSettings settings, string dataFolder, string outFolder, string? turns)
    {
        var operations = cases.Select(one => settings.OperationsPerPass.GetValueOrDefault(side.CaseOf(one).Id)).ToArray();
        string[] arguments =
        [
            .. side.Command.Skip(1), "run", "--profile", settings.Profile.ToString().ToLowerInvariant(),
            .. cases.SelectMany(one => (string[])["--case", side.CaseOf(one).Id]),
            .. operations.All(count => count > 0) ? ["--operations", string.Join(',', operations.Select(count => count.ToString(CultureInfo.InvariantCulture)))] : Array.Empty<string>(),
            .. settings.StartShare > 0 ? ["--start", settings.StartShare.ToString("R", CultureInfo.InvariantCulture)] : Array.Empty<string>(),
            "--passes", settings.Passes.ToString(CultureInfo.InvariantCulture),
            "--pass-seconds", settings.PassSeconds.ToString("R", CultureInfo.InvariantCulture),
            "--seed", settings.Seed.ToString(CultureInfo.InvariantCulture),
            "--target", Path.GetDirectoryName(dataFolder)!, "--reuse", dataFolder, "--out", outFolder, "--no-report",
            .. turns is null ? Array.Empty<string>() : ["--turns", turns],
            .. side.InjectedSlowdown > 0 ? ["--inject-slowdown", side.InjectedSlowdown.ToString("R", CultureInfo.InvariantCulture)] : Array.Empty<string>(),
        ];
        var start = new ProcessStartInfo(side.Command[0], arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        return new Launch(side, outFolder, StartProcess(side, start));
    }

    private static Process StartProcess(GateSide side, ProcessStartInfo start)
    {
        try
        {
            var process = Process.Start(start)!;
            process.StandardInput.Close();
            return process;
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new GateException($"the {side.Role} {side.Name} cannot be started: {exception.Message}", exception);
        }
    }

    /// <summary>Whether a side's program has a case of this name.</summary>
    /// <exception cref="GateException">The program cannot be started.</exception>
    internal static bool Knows(GateSide side, GateCase one)
    {
        var start = new ProcessStartInfo(side.Command[0], [.. side.Command.Skip(1), "list", "--case", side.CaseOf(one).Id]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = StartProcess(side, start);
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.WaitForExit();
        return process.ExitCode == ExitCode.Done;
    }

    /// <summary>Whether its process has ended.</summary>
    internal bool HasEnded => process.HasExited;

    /// <summary>That it does not go on, as an error.</summary>
    /// <param name="after">How long it was waited for.</param>
    internal GateException Hangs(TimeSpan after) => new(string.Create(CultureInfo.InvariantCulture,
        $"the {side.Role} {side.Name} hangs: no pass of it ended in {after.TotalSeconds:0.###} s (--turn-limit); its last words: {LastWords}"));

    /// <summary>Waits for its end.</summary>
    /// <param name="where">In words, for the message: "in pair 3".</param>
    /// <param name="stop">The user's wish to stop.</param>
    /// <returns>Its records, in the order of the cases.</returns>
    /// <exception cref="GateException">It crashed, refused its cases or lost its target; says which side, where and its last words.</exception>
    internal IReadOnlyList<RunRecord> Finish(string where, StopSignal stop)
    {
        while (!process.WaitForExit(TimeSpan.FromMilliseconds(100)))
            stop.ThrowIfRequested();
        // Without a time-out this waits for the ends of its streams too.
        process.WaitForExit();
        var code = process.ExitCode;
        // 1: some case failed, and its record says why.
        if (code is not (0 or 1) || !File.Exists(Path.Combine(outFolder, RunStore.FileName)))
            throw new GateException($"the {side.Role} {side.Name} {HowItEnded(code)} {where}: {LastWords}") { Refused = code == ExitCode.WrongUse };
        var (records, _) = RunStore.Read(outFolder);
        Directory.Delete(outFolder, recursive: true);
        if (records.Count == 0)
            throw new GateException($"the {side.Role} {side.Name} measured nothing {where}: {LastWords}");
        return records;
    }

    /// <summary>Asks it to stop, as Ctrl-C does, and kills it if it does not within two seconds.</summary>
    public void Dispose()
    {
        if (!process.HasExited)
        {
            ProcessEnd.Ask(process.Id);
            if (!process.WaitForExit(TimeSpan.FromSeconds(2)))
                process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }
        process.Dispose();
        if (Directory.Exists(outFolder))
            Directory.Delete(outFolder, recursive: true);
    }

    private static string HowItEnded(int code) => code switch
    {
        64 => "refused its cases",
        130 => "was stopped",
        > 128 and < 160 => string.Create(CultureInfo.InvariantCulture, $"crashed (signal {code - 128})"),
        _ => string.Create(CultureInfo.InvariantCulture, $"ended with exit code {code}"),
    };

    private string LastWords
    {
        get
        {
            lock (said)
            {
                var lines = said.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
                return lines.LastOrDefault(line => line.StartsWith("bench:", StringComparison.Ordinal))?["bench:".Length..].Trim()
                    ?? lines.LastOrDefault(line => line.StartsWith("Failed", StringComparison.Ordinal) || line.Contains("xception", StringComparison.Ordinal))?.Trim()
                    ?? lines.LastOrDefault() ?? "it said nothing";
            }
        }
    }

    private void Keep(string? line)
    {
        if (line is null)
            return;
        lock (said)
        {
            if (said.Length < 1 << 16)
                said.Append(line).Append('\n');
        }
    }
}
