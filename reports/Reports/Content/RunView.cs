using System.Globalization;
using Bench.Measure.Records;
using Bench.Reports.Families;

namespace Bench.Reports.Content;

/// <summary>One run among those of a report, or one target of a run over several.</summary>
/// <param name="Index">Place in the report, from zero.</param>
/// <param name="Label">What tells it from the others.</param>
/// <param name="Name">The run's name.</param>
internal sealed record RunView(int Index, RunLabel Label, string Name)
{
    /// <summary>The cases in the order of the records.</summary>
    public required IReadOnlyList<CaseView> Cases { get; init; }

    /// <summary>The record that stands for the run's host, target and tool: its first.</summary>
    public RunRecord First => Cases[0].Record;

    /// <summary>The records by run and target, in order of appearance.</summary>
    /// <param name="records">Records of one run or of several.</param>
    /// <param name="names">What they are called; their own names if none or empty.</param>
    /// <exception cref="RecordException">There are more or fewer names, or one twice.</exception>
    public static IReadOnlyList<RunView> Of(IReadOnlyList<RunRecord> records, IReadOnlyList<string>? names = null)
    {
        var groups = records.GroupBy(record => (record.Run, record.Target.Folder)).ToArray();
        var telling = records.GroupBy(record => record.Workload).ToDictionary(group => group.Key, Telling);
        var labels = RunLabel.Of([.. groups.Select(group => group.Key)]);
        if (names is { Count: > 0 })
            labels = RunLabel.Named(names, [.. groups.Select((group, index) => labels[index] is { Full.Length: > 0 } own ? own.Full : group.Key.Run)]);
        return [.. groups.Select((group, index) => new RunView(index, labels[index], group.Key.Run)
        {
            Cases = [.. group.Select((record, place) => new CaseView(record, index, labels[index], place, telling[record.Workload]))],
        })];
    }

    /// <summary>The parameters that it takes to tell the cases of a workload apart; all of a single case.</summary>
    private static string[] Telling(IEnumerable<RunRecord> records)
    {
        CaseView[] cases = [.. records.Select(record => new CaseView(record, 0, default, 0, []))];
        return CaseCharts.Telling(cases) is { Length: > 0 } telling ? telling : [.. cases.SelectMany(view => view.Record.Parameters.Keys).Distinct()];
    }
}

/// <summary>How the runs of a report are told apart: by letters, or by the names of their targets' folders where it is one run over several targets.</summary>
/// <param name="Short">"A", "raid0"; empty if the report shows one only.</param>
/// <param name="Full">The same in a sentence or a legend: "run A", "raid0".</param>
internal readonly record struct RunLabel(string Short, string Full)
{
    /// <summary>The same as a heading: "Run A"; a folder's name stays as it is.</summary>
    public string Heading => Full == Short ? Full : Words.Sentence(Full);

    /// <summary>A label for each run and target.</summary>
    public static IReadOnlyList<RunLabel> Of(IReadOnlyList<(string Run, string Folder)> views)
    {
        if (views.Count < 2)
            return [.. views.Select(_ => new RunLabel("", ""))];
        string[] folders = [.. views.Select(view => Path.GetFileName(view.Folder) is { Length: > 0 } name ? name : view.Folder)];
        return views.Select(view => view.Run).Distinct(StringComparer.Ordinal).Count() == 1 && folders.Distinct(StringComparer.Ordinal).Count() == folders.Length
            ? [.. folders.Select(folder => new RunLabel(folder, folder))]
            : [.. views.Select((_, index) => new RunLabel(Letters(index), $"run {Letters(index)}"))];
    }

    /// <summary>The labels that somebody has chosen.</summary>
    /// <param name="names">His names.</param>
    /// <param name="own">What would stand there without them.</param>
    /// <exception cref="RecordException">There are more or fewer names than runs and targets, or one twice.</exception>
    public static IReadOnlyList<RunLabel> Named(IReadOnlyList<string> names, IReadOnlyList<string> own)
    {
        if (names.Count != own.Count)
            throw new RecordException(string.Create(CultureInfo.InvariantCulture, $"--names gives {names.Count} for {own.Count} runs or targets ({string.Join(", ", own)}); separate them by commas"));
        if (names.Any(string.IsNullOrWhiteSpace) || names.Distinct(StringComparer.Ordinal).Count() < names.Count)
            throw new RecordException($"--names must tell each run or target from the others; '{string.Join(",", names)}' does not");
        // One alone needs no telling apart.
        return names.Count == 1 ? [new RunLabel("", "")] : [.. names.Select(name => new RunLabel(name, name))];
    }

    private static string Letters(int index) => index < 26 ? ((char)('A' + index)).ToString() : Letters(index / 26 - 1) + Letters(index % 26);
}
