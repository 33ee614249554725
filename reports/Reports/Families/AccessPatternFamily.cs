using Bench.Reports.Charts;
using Bench.Reports.Content;

namespace Bench.Reports.Families;

/// <summary>
/// Random and sequential, disk and memory: the cells of figure 3 of Adam Jacobs, "The Pathologies of Big Data",
/// ACM Queue 7(6), 2009, with his figures beside them.
/// </summary>
internal static class AccessPatternFamily
{
    public const string Workload = "AccessPattern";
    public const string Id = "access-pattern";

    /// <summary>His figures in 4-byte values per second, by medium and pattern.</summary>
    private static readonly (string Medium, string Pattern, double ValuesPerSecond, string Text)[] Jacobs =
    [
        ("Disk", "Random", 316, "2009 disk"),
        ("Disk", "Random", 1_924, "2009 SSD"),
        ("Disk", "Sequential", 53.2e6, "2009 disk"),
        ("Disk", "Sequential", 42.2e6, "2009 SSD"),
        ("Memory", "Random", 36.7e6, "2009 memory"),
        ("Memory", "Sequential", 358.2e6, "2009 memory"),
    ];

    public static Section Build(IReadOnlyList<CaseView> cases)
    {
        Chart?[] cells =
        [
            Cells("reads", "Reads", cases.Where(view => view["Operation"] != "Write"), withJacobs: true),
            Cells("writes", "Writes", cases.Where(view => view["Operation"] == "Write"), withJacobs: false),
        ];
        var colors = new SeriesColors("sequential", "random");
        Chart?[] sizes = [.. CaseCharts.Facets(cases, "Medium", "Operation").Select((facet, index) =>
            CaseCharts.Values(facet.Cases, "BlockSize").Length < 2 ? null
            : CaseCharts.Over($"{Id}-size-{index + 1}", facet.Name, "", facet.Cases, "BlockSize", CaseFigure.Values, colors))];
        return new Section(Id, "Sequential and random, disk and memory",
            "How many 4-byte values per second each kind of access delivers: the unit and the cells of Jacobs’ figure of 2009. "
            + "A random disk access of 4 B fetches one value; a sequential one uses every value of its block.")
        {
            Groups = Section.GroupsOf(
                new ChartGroup("The cells of Jacobs’ figure", "Each bar starts at one value per second, so its length counts powers of ten.", Section.Drawn(cells)),
                new ChartGroup("By block size", "", Section.Drawn(sizes))),
            Cases = CaseTable.Of("All access-pattern cases", cases),
            Views = cases,
        };
    }

    private static Chart? Cells(string id, string title, IEnumerable<CaseView> cases, bool withJacobs)
    {
        // The slowest kind first, as in his figure: random before sequential, disk before memory.
        var shown = cases.Where(view => !view.Failed && CaseFigure.Values.Figure(view) is { Median: > 0 })
            .OrderBy(view => view["Medium"] == "Memory").ThenBy(view => view["Pattern"] == "Sequential")
            .ThenBy(view => Words.Order(view["BlockSize"])).ThenBy(view => view["Loop"]).ThenBy(view => view["Pages"]).ToArray();
        if (shown.Length == 0)
            return null;
        var names = shown.Select(NameOf).Distinct().ToArray();
        var runs = shown.GroupBy(view => view.RunIndex).OrderBy(run => run.Key).ToArray();
        var series = runs.Select(run => new Series(runs.Length == 1 ? "Measured here" : $"run {run.First().RunLabel}",
            [.. run.DistinctBy(NameOf).Select(view => CaseCharts.Point(Array.IndexOf(names, NameOf(view)), CaseFigure.Values, view))])
        {
            Color = run.Key,
            Variant = run.Key,
        });
        var chart = CaseCharts.Chart($"{Id}-{id}", title, "", CaseFigure.Values, ChartKind.Bars,
            new Axis("Access", Quantity.Number, AxisScale.Category) { Categories = names }, [.. series], logarithmic: true, min: 1);
        return withJacobs ? chart with { References = References(names, shown) } : chart;
    }

    /// <summary>His figure goes to the first row of its cell: the plainest variant, which is what he measured.</summary>
    private static Reference[] References(string[] names, CaseView[] shown) =>
        [.. Jacobs.Select(cell => (Cell: cell, View: shown.FirstOrDefault(view => view["Medium"] == cell.Medium && view["Pattern"] == cell.Pattern
                && view["Loop"] is "-" or "Independent" or "Scalar")))
            .Where(pair => pair.View is not null)
            .Select(pair => new Reference(Array.IndexOf(names, NameOf(pair.View!)), pair.Cell.ValuesPerSecond, pair.Cell.Text))];

    private static string NameOf(CaseView view)
    {
        string[] parts = [view.Say("BlockSize"), view.Say("Loop"), view.Say("Pages")];
        var details = string.Join(", ", parts.Where(part => part != "-"));
        return $"{Words.Sentence(view.Say("Pattern"))}, {view.Say("Medium")}" + (details.Length == 0 ? "" : $" ({details})");
    }
}
