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
        Chart?[] sizes = [.. CaseCharts.Facets(cases, "Medium", "Operation", "Loop", "Pages").Select((facet, index) =>
            !CaseCharts.Sweeps(facet.Cases, "BlockSize") ? null
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
            .ThenBy(view => Words.Order(view["BlockSize"])).ThenBy(view => view["Loop"] is "Dependent" or "Vector").ThenBy(view => view["Pages"]).ToArray();
        if (shown.Length == 0)
            return null;
        var sets = shown.Select(view => (view["Medium"], view["WorkingSet"])).Distinct().GroupBy(pair => pair.Item1).Any(group => group.Count() > 1);
        string NameOf(CaseView view) => CellName(view) + (sets ? $" {view.Say("WorkingSet")}" : "");
        var names = shown.Select(NameOf).Distinct().ToArray();
        var runs = shown.GroupBy(view => view.RunIndex).OrderBy(run => run.Key).ToArray();
        var series = runs.Select(run => new Series(runs.Length == 1 ? "Measured here" : run.First().RunName,
            [.. run.DistinctBy(NameOf).Select(view => CaseCharts.Point(Array.IndexOf(names, NameOf(view)), CaseFigure.Values, view))])
        {
            Color = run.Key,
            Variant = run.Key,
        });
        var chart = CaseCharts.Chart($"{Id}-{id}", title, "", shown, CaseFigure.Values, ChartKind.Bars,
            new Axis("Access", Quantity.Number, AxisScale.Category) { Categories = names }, [.. series], logarithmic: true, min: 1);
        return withJacobs ? chart with { References = References(names, shown, NameOf) } : chart;
    }

    /// <summary>
    /// His figure goes to one row of its cell: of the variants the plainest, which is what he measured, and of the
    /// block sizes the smallest at random and the largest in sequence.
    /// </summary>
    private static Reference[] References(string[] names, CaseView[] shown, Func<CaseView, string> nameOf) =>
        [.. Jacobs.Select(cell => (Cell: cell, View: Pick(shown.Where(view => view["Medium"] == cell.Medium && view["Pattern"] == cell.Pattern
                && view["Loop"] is "-" or "Independent" or "Scalar"), cell.Pattern)))
            .Where(pair => pair.View is not null)
            .Select(pair => new Reference(Array.IndexOf(names, nameOf(pair.View!)), pair.Cell.ValuesPerSecond, pair.Cell.Text))];

    private static CaseView? Pick(IEnumerable<CaseView> cell, string pattern) =>
        pattern == "Random" ? cell.MinBy(view => Words.Order(view["BlockSize"])) : cell.MaxBy(view => Words.Order(view["BlockSize"]));

    private static string CellName(CaseView view)
    {
        string[] parts = [view.Say("BlockSize"), view.Say("Loop"), view.Say("Pages")];
        var details = string.Join(", ", parts.Where(part => part != "-"));
        return $"{Words.Sentence(view.Say("Pattern"))}, {view.Say("Medium")}" + (details.Length == 0 ? "" : $" ({details})");
    }
}
