using System.Globalization;
using Bench.Commands;
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
    private readonly string dataFolder;
    private readonly string outFolder;
    private readonly BenchProcess process;

    private Launch(GateSide side, string dataFolder, string outFolder, BenchProcess process) => (this.side, this.dataFolder, this.outFolder, this.process) = (side, dataFolder, outFolder, process);

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
            .. BenchProcess.RunArguments(cases.Select(one => side.CaseOf(one).Id), settings with { InjectedSlowdown = side.InjectedSlowdown }),
            .. operations.All(count => count > 0) ? ["--operations", string.Join(',', operations.Select(count => count.ToString(CultureInfo.InvariantCulture)))] : Array.Empty<string>(),
            "--target", Path.GetDirectoryName(dataFolder)!, "--reuse", dataFolder, "--out", outFolder, "--no-report",
            .. turns is null ? Array.Empty<string>() : ["--turns", turns],
        ];
        return new Launch(side, dataFolder, outFolder, StartProcess(side, arguments));
    }

    private static BenchProcess StartProcess(GateSide side, IEnumerable<string> arguments)
    {
        try
        {
            return BenchProcess.Start(side.Command, arguments);
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new GateException($"the {side.Role} {side.Name} cannot be started: {exception.Message}", exception);
        }
    }

    /// <summary>Whether a side's program has a case of this name.</summary>
    /// <exception cref="GateException">The program cannot be started, or hangs.</exception>
    internal static bool Knows(GateSide side, GateCase one, TimeSpan longestSilence, StopSignal stop)
    {
        using var process = StartProcess(side, ["list", "--case", side.CaseOf(one).Id]);
        return process.WaitForEnd(longestSilence, () => 0, stop) is { } code ? code == ExitCode.Done
            : throw new GateException(string.Create(CultureInfo.InvariantCulture, $"the {side.Role} {side.Name} hangs: it did not list a case within {longestSilence.TotalSeconds:0.###} s (--turn-limit)"));
    }

    /// <summary>Whether its process has ended.</summary>
    internal bool HasEnded => process.HasEnded;

    /// <summary>That it does not go on, as an error.</summary>
    /// <param name="after">How long it was waited for.</param>
    internal GateException Hangs(TimeSpan after) => new(string.Create(CultureInfo.InvariantCulture,
        $"the {side.Role} {side.Name} hangs: no pass of it ended in {after.TotalSeconds:0.###} s (--turn-limit); its last words: {process.LastWords}"));

    /// <summary>Waits for its end.</summary>
    /// <param name="where">In words, for the message: "in pair 3".</param>
    /// <param name="longestSilence">Without a sign of life for so long it hangs.</param>
    /// <param name="stop">The user's wish to stop.</param>
    /// <returns>Its records, in the order of the cases.</returns>
    /// <exception cref="GateException">It crashed, refused its cases, lost its target or hangs; says which side, where and its last words.</exception>
    internal IReadOnlyList<RunRecord> Finish(string where, TimeSpan longestSilence, StopSignal stop)
    {
        var code = process.WaitForEnd(longestSilence, () => LengthOf(dataFolder) + LengthOf(outFolder), stop) ?? throw new GateException(process.Rambles
            ? $"the {side.Role} {side.Name} says more than any bench does {where}; it began with: {process.Said.FirstOrDefault() ?? "nothing on standard error"}"
            : string.Create(CultureInfo.InvariantCulture, $"the {side.Role} {side.Name} hangs {where}: no sign of life in {longestSilence.TotalSeconds:0.###} s (--turn-limit); its last words: {process.LastWords}"));
        // 1: some case failed, and its record says why.
        if (code is not (0 or 1) || !File.Exists(Path.Combine(outFolder, RunStore.FileName)))
            throw new GateException($"the {side.Role} {side.Name} {BenchProcess.HowItEnded(code)} {where}: {process.LastWords}") { Refused = code == ExitCode.WrongUse };
        var (records, _) = RunStore.Read(outFolder);
        Directory.Delete(outFolder, recursive: true);
        if (records.Count == 0)
            throw new GateException($"the {side.Role} {side.Name} measured nothing {where}: {process.LastWords}");
        return records;
    }

    /// <summary>The bytes of all files in a folder; files come and go meanwhile.</summary>
    private static long LengthOf(string folder)
    {
        try
        {
            return !Directory.Exists(folder) ? 0 : new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Exists ? file.Length : 0);
        }
        catch (IOException)
        {
            return -1;
        }
    }

    /// <summary>Ends it, if it still runs.</summary>
    public void Dispose()
    {
        process.Dispose();
        if (Directory.Exists(outFolder))
            Directory.Delete(outFolder, recursive: true);
    }
}
