using Bench.Measure.Records;
using Bench.Reports.Families;

namespace Bench.Reports.Content;

/// <summary>One run among those of a report.</summary>
/// <param name="Index">Place in the report, from zero.</param>
/// <param name="Label">"A", "B", …; empty if the report shows one run only.</param>
/// <param name="Name">The run's name.</param>
internal sealed record RunView(int Index, string Label, string Name)
{
    /// <summary>The cases in the order of the records.</summary>
    public required IReadOnlyList<CaseView> Cases { get; init; }

    /// <summary>The record that stands for the run's host, target and tool: its first.</summary>
    public RunRecord First => Cases[0].Record;

    /// <summary>The records by run, in order of appearance.</summary>
    public static IReadOnlyList<RunView> Of(IReadOnlyList<RunRecord> records)
    {
        var groups = records.GroupBy(record => record.Run).ToArray();
        var telling = records.GroupBy(record => record.Workload).ToDictionary(group => group.Key, Telling);
        return [.. groups.Select((group, index) =>
        {
            var label = groups.Length == 1 ? "" : Letters(index);
            return new RunView(index, label, group.Key)
            {
                Cases = [.. group.Select((record, place) => new CaseView(record, index, label, place, telling[record.Workload]))],
            };
        })];
    }

    /// <summary>The parameters that it takes to tell the cases of a workload apart; all of a single case.</summary>
    private static string[] Telling(IEnumerable<RunRecord> records)
    {
        CaseView[] cases = [.. records.Select(record => new CaseView(record, 0, "", 0, []))];
        return CaseCharts.Telling(cases) is { Length: > 0 } telling ? telling : [.. cases.SelectMany(view => view.Record.Parameters.Keys).Distinct()];
    }

    private static string Letters(int index) => index < 26 ? ((char)('A' + index)).ToString() : Letters(index / 26 - 1) + Letters(index % 26);
}
