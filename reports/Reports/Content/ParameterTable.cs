using System.Text.Json.Nodes;

namespace Bench.Reports.Content;

/// <summary>Every case as it was requested and as it ran, in the spelling of the command line.</summary>
internal static class ParameterTable
{
    public static Table Of(IReadOnlyList<CaseView> cases)
    {
        var runs = cases.Any(view => view.RunLabel.Length > 0);
        Column[] columns = [.. runs ? (Column[])[new(CaseView.RunColumn(cases), Numeric: false)] : [], new("Workload", Numeric: false),
            new("Requested", Numeric: false), new("Effective", Numeric: false), new("Passes", Numeric: true),
            new("Time", Numeric: true), new("Evidence", Numeric: false) { Verdict = true }];
        return new Table("All cases as requested and as they ran", columns, [.. cases.Select(view => new Row(
        [
            .. runs ? (string[])[view.RunLabel] : [],
            view.Record.Workload,
            string.Join(", ", view.Record.Parameters.Where(pair => pair.Value != "-").Select(pair => $"{pair.Key}={pair.Value}")),
            view.Record.Effective.Count == 0 ? Format.Missing : string.Join(", ", view.Record.Effective.Select(pair => $"{pair.Key}={Plain(pair.Value)}")),
            Format.Count(view.Record.Passes.Count),
            Format.Seconds(view.Record.TotalSeconds),
            view.StatusMark,
        ], view.StatusClass, view.Anchor))]);
    }

    private static string Plain(JsonNode? node) => node switch
    {
        null => "null",
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        JsonValue value when value.TryGetValue<double>(out var number) => Format.Number(number),
        _ => node.ToJsonString(),
    };
}
