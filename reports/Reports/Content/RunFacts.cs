using System.Globalization;
using Bench.Measure.Records;

namespace Bench.Reports.Content;

/// <summary>What was measured where, as pairs of a name and a text.</summary>
internal static class RunFacts
{
    public static IReadOnlyList<(string Name, string Text)> Of(RunView run)
    {
        var (host, tool) = (run.First.Host, run.First.Tool);
        (string, string?)[] facts =
        [
            ("Host", Joined(host.Name, host.OperatingSystem, host.Kernel is { } kernel ? $"Linux {kernel}" : null, host.Architecture)),
            ("Processor", Joined(host.Processor, host.LogicalProcessors > 0 ? $"{host.LogicalProcessors.ToString(CultureInfo.InvariantCulture)} logical" : null,
                host.LastLevelCacheBytes is { } cache ? $"last-level cache {Format.Bytes(cache)}" : null,
                host.NumaNodes is > 1 ? $"{host.NumaNodes.Value.ToString(CultureInfo.InvariantCulture)} NUMA nodes" : null, host.CpuGovernor)),
            ("Memory", Joined(host.MemoryBytes is { } memory ? Format.Bytes(memory) : null, host.TransparentHugePages is { } huge ? $"transparent huge pages {huge}" : null)),
            ("Runs in", Joined(host.Virtualization is { } hypervisor ? $"a virtual machine ({hypervisor})" : null, host.Container is { } container ? $"a container ({container})" : null)),
            ("Limits", Joined([
                host.CgroupMemoryLimitBytes is { } limit ? $"memory {Format.Bytes(limit)}" : null,
                host.CgroupCpuLimit is { } cpu ? $"{Format.Number(cpu)} processors" : null, .. host.CgroupIoLimits])),
            ("Tool", Joined($"bench {tool.Version}", tool.Commit is { } commit ? $"commit {commit}" : null, host.Runtime is { } runtime ? $".NET {runtime}" : null)),
            ("Command", tool.CommandLine),
            ("Profile and seed", Joined(tool.Profile, $"seed {tool.Seed.ToString(CultureInfo.InvariantCulture)}")),
            ("Measured", Joined(Format.Moment(run.Cases.Min(view => view.Record.StartedUtc)), $"{Format.Count(run.Cases.Count, "case")} in {Format.Seconds(SecondsOf(run.Cases))}", run.Name)),
        ];
        return [.. facts.Where(fact => !string.IsNullOrEmpty(fact.Item2)).Select(fact => (fact.Item1, fact.Item2!))];
    }

    /// <summary>Time that some case was at work: targets take turns, and an interrupted run may have been gone on with days later.</summary>
    internal static double SecondsOf(IEnumerable<CaseView> cases)
    {
        var (seconds, end) = (0.0, DateTimeOffset.MinValue);
        foreach (var record in cases.Select(view => view.Record).OrderBy(record => record.StartedUtc))
        {
            var ended = record.StartedUtc.AddSeconds(record.TotalSeconds);
            if (ended <= end)
                continue;
            seconds += (ended - (record.StartedUtc > end ? record.StartedUtc : end)).TotalSeconds;
            end = ended;
        }
        return seconds;
    }

    /// <summary>The physical disk and file system in a few words: the report's title.</summary>
    public static string Target(RunRecord record)
    {
        var disks = record.Target.PhysicalDisks();
        var names = disks.Select(disk => disk.Model?.Trim() is { Length: > 0 } model ? model : disk.Name).Distinct().ToArray();
        return $"{record.Target.Mount.FileSystem}{(names.Length == 0 ? "" : " on ")}{(disks.Count > 1 && names.Length == 1 ? $"{disks.Count.ToString(CultureInfo.InvariantCulture)} × " : "")}{string.Join(", ", names)}";
    }

    private static string Joined(params IEnumerable<string?> texts) => string.Join(" · ", texts.Where(text => !string.IsNullOrWhiteSpace(text)));
}
