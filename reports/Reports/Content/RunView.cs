using Bench.Measure.Records;

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
        return [.. groups.Select((group, index) =>
        {
            var label = groups.Length == 1 ? "" : Letters(index);
            return new RunView(index, label, group.Key)
            {
                Cases = [.. group.Select((record, place) => new CaseView(record, index, label, place))],
            };
        })];
    }

    private static string Letters(int index) => index < 26 ? ((char)('A' + index)).ToString() : Letters(index / 26 - 1) + Letters(index % 26);
}
