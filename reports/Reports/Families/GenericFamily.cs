using Bench.Reports.Content;

namespace Bench.Reports.Families;

/// <summary>Any other workload: one chart of all cases, and the table.</summary>
internal static class GenericFamily
{
    /// <summary>More rows than this are a wall, not a chart; the table has them all.</summary>
    private const int MaximumRows = 40;

    public static Section Build(string workload, int number, IReadOnlyList<CaseView> cases)
    {
        var id = FormattableString.Invariant($"workload-{number}");
        var bytes = cases.Any(view => view.Record.BytesPerSecond is { Median: > 0 });
        var drawn = cases.Take(MaximumRows).ToArray();
        return new Section(id, workload, drawn.Length < cases.Count ? $"The chart shows the first {MaximumRows} of {Format.Count(cases.Count)} cases." : "")
        {
            Groups = Section.GroupsOf(new ChartGroup(bytes ? "Throughput" : "Operations per second", "",
                Section.Drawn([CaseCharts.Bars(id + "-all", "All cases", "", drawn, bytes ? CaseFigure.Throughput : CaseFigure.Operations)]))),
            Cases = CaseTable.Of($"All {workload} cases", cases),
            Views = cases,
        };
    }
}
