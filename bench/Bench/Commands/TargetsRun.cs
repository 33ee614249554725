using System.Globalization;
using Bench.Disk.Topology;
using Bench.Gate;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Bench.Measure.Running;

namespace Bench.Commands;

/// <summary>
/// A run over several targets: a bench of its own for each, and their passes take turns (<see cref="Turns"/>), so that
/// a machine that drifts does it to all targets alike.
/// <para>
/// fio runs jobs over several files at once, which measures how they share the machine, or one after the other, which
/// compares the machine of now with that of ten minutes ago; elbencho and bench-fio know the latter only. Here only
/// one target works at a time, and what is compared lies some tenths of a second apart. Each has a process of its own
/// because a run knows one target, its counters and its data folder.
/// </para>
/// </summary>
internal sealed class TargetsRun(Plan plan, IReadOnlyList<DeviceTopology> targets, string run, ToolInfo tool, string runFolder, bool keep, StopSignal stop)
{
    /// <summary>A target's bench gives up a pass that hangs after 1.5 s; then it removes gigabytes, perhaps from a slow disk.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromMinutes(1);

    private readonly List<RunRecord> records = [];
    private readonly Dictionary<string, RunRecord?[]> waiting = new(StringComparer.Ordinal);
    private readonly List<string> problems = [];

    /// <summary>Told of each record, target by target for each case; never while a target is measured.</summary>
    internal required Action<RunRecord, int> CaseEnded { get; init; }

    /// <summary>Runs all targets.</summary>
    internal RunOutcome Execute()
    {
        using var store = RunStore.Open(runFolder);
        using var turns = new TurnGiver(string.Create(CultureInfo.InvariantCulture, $"bench-{Environment.ProcessId}-{run}-{Guid.NewGuid():N}"), targets.Count, longestTurn: null);
        using var work = new WorkFolder(runFolder);
        var launches = new List<BenchProcess>();
        var stopped = false;
        void Collect()
        {
            for (var index = 0; index < launches.Count; index++)
            {
                while (launches[index].TryRead(out var line))
                    Take(store, RecordJson.Read(line), index);
            }
        }

        try
        {
            for (var index = 0; index < targets.Count; index++)
                launches.Add(BenchProcess.Start(RunCommand.SelfCommand(), Arguments(index, turns.AddressOf(index), work.Path), Farewell));
            turns.GiveAll(lastFirst: false, index => launches[index].HasEnded, Collect, stop);
            int[] codes = [.. launches.Select(launch => launch.WaitForEnd(stop))];
            foreach (var (index, code) in codes.Index())
                Conclude(launches[index], index, code);
        }
        catch (OperationCanceledException) when (stop.IsRequested)
        {
            stopped = true;
        }
        finally
        {
            foreach (var launch in launches)
                launch.AskToStop();
            foreach (var launch in launches)
                launch.Dispose();
        }
        Collect();
        // After an interruption a case that only some targets have is not finished: whoever goes on measures it on all.
        if (!stopped)
        {
            foreach (var (_, those) in waiting)
                Keep(store, those);
        }
        return new RunOutcome(records, stopped, problems.Count == 0 ? null : string.Join("; ", problems));
    }

    private string[] Arguments(int index, string turns, string work) =>
    [
        .. BenchProcess.RunArguments(plan.Cases.Select(spec => spec.Id), plan.Settings),
        "--target", targets[index].Folder, "--out", Path.Combine(work, (index + 1).ToString(CultureInfo.InvariantCulture)),
        "--json", "--no-report", "--turns", turns,
        .. keep ? ["--keep"] : Array.Empty<string>(),
    ];

    /// <summary>Keeps the records of a case when all targets have it, in the order of the targets.</summary>
    private void Take(RunStore store, RunRecord record, int index)
    {
        if (!waiting.TryGetValue(record.Case, out var those))
            waiting[record.Case] = those = new RunRecord?[targets.Count];
        // Its own bench does not know that it is one of several.
        those[index] = record with { Run = run, Tool = record.Tool with { CommandLine = tool.CommandLine } };
        if (Array.Exists(those, one => one is null))
            return;
        waiting.Remove(record.Case);
        Keep(store, those);
    }

    private void Keep(RunStore store, RunRecord?[] those)
    {
        foreach (var (index, record) in those.Index())
        {
            if (record is null)
                continue;
            store.Append(record);
            records.Add(record);
            CaseEnded(record, index);
        }
    }

    private void Conclude(BenchProcess launch, int index, int code)
    {
        var folder = targets[index].Folder;
        foreach (var line in launch.Said.Where(line => line.StartsWith("Data ", StringComparison.Ordinal)))
            Console.Error.WriteLine(line);
        // 1: some case failed, and its record says why; or the run could not go on.
        if (code == ExitCode.Done || (code == ExitCode.Failed && !launch.Said.Any(line => line.StartsWith("bench: the run ended early", StringComparison.Ordinal))))
            return;
        problems.Add($"on {folder} bench {BenchProcess.HowItEnded(code)}: {launch.LastWords}");
    }
}
