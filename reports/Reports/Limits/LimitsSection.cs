using Bench.Reports.Charts;
using Bench.Reports.Content;
using Bench.Reports.Families;

namespace Bench.Reports.Limits;

/// <summary>The part of the report that says what bounds each case.</summary>
internal static class LimitsSection
{
    public const string Id = "limits";

    /// <summary>More bars than this are a wall; the table has them all.</summary>
    private const int MostBars = 24;

    private static readonly Resource[] Shown = [.. Enum.GetValues<Resource>()];

    /// <summary>Null if the runs measured no limit of a device or of memory.</summary>
    public static Section? Of(IReadOnlyList<RunView> runs)
    {
        var limits = runs.Select(run => (Run: run, Limits: Roofline.LimitsOf(run.Cases))).ToArray();
        if (limits.All(one => one.Limits.All(limit => limit.Source is null)))
            return null;
        BoundCase[] bound = [.. limits.SelectMany(one => one.Run.Cases.Select(view => Roofline.Of(view, one.Limits))).OfType<BoundCase>()];
        var several = runs.Count > 1;
        Resource[] columns = [.. Shown.Where(resource => bound.Any(one => one.Shares.ContainsKey(resource)))];
        return new Section(Id, "What bounds each case",
            "Each case against the limits that were measured on the same target in the same run. What it takes of the device comes from the device’s own counters. A limit is the most that a case of this run took (named below), so the device may have more to give to a deeper queue or a larger block. Of the processor it is the time of the busiest thread that did the operations, or of the whole process on all processors, whichever is nearer to its limit.")
        {
            Groups = Section.GroupsOf(new ChartGroup("Share of the nearest limit", string.Join(" ", limits.Select(one => Told(one.Run, one.Limits, several))),
                Section.Drawn(bound.GroupBy(one => (one.View.RunIndex, one.View.Record.Workload)).Select((group, index) => Bars(index + 1, [.. group]))))),
            Cases = new Table("What each case takes of each limit",
                [
                    new Column("Case", Numeric: false), new Column("Bounded by", Numeric: false),
                    .. columns.Select(resource => new Column(Head(resource), Numeric: true)),
                ],
                [.. bound.Select(one => new Row([one.View.Name, one.BoundBy ?? "none of these", .. columns.Select(resource => one.Shares.TryGetValue(resource, out var share) ? Format.Value(Quantity.Share, share) : Format.Missing)]))]),
            Views = [],
        };
    }

    private static string Told(RunView run, IReadOnlyList<Limit> limits, bool several) =>
        (several ? $"{run.Label.Heading}: " : "The limits: ") + string.Join(", ", limits.Where(limit => limit.Source is not null)
            .Select(limit => $"{Roofline.NameOf(limit.Resource)} {Written(limit)} ({Reached(limit)})")) + ".";

    /// <summary>The case that set a limit; of one that was made for it, without what follows from the limit's name.</summary>
    private static string Reached(Limit limit) => limit.Source is not { } view ? "" : !Roofline.Finds(view, limit.Resource) ? view.NameInRun :
        string.Join(" · ", new[] { "Pattern", "BlockSize", "SegmentSize", FlushPolicy.Parameter, "Engine", "QueueDepth", "Threads", "Producers" }.Where(parameter => view[parameter] is not ("1" or "-")).Select(view.Say));

    private static string Written(Limit limit) => limit.Resource == Resource.Flushes ? Format.Scaled(limit.PerSecond) : Format.Value(Roofline.QuantityOf(limit.Resource), limit.PerSecond);

    private static Chart Bars(int number, BoundCase[] cases)
    {
        BoundCase[] shown = [.. cases.Take(MostBars)];
        CaseView[] views = [.. shown.Select(one => one.View)];
        var telling = CaseCharts.Telling(views);
        string[] names = [.. views.Select(view => CaseCharts.NameOf(view, telling) is { Length: > 0 } name ? name : view.Record.Workload)];
        var figure = new CaseFigure("Share of the nearest limit", Quantity.Share, _ => null, "");
        Series[] series = [.. shown.Select((one, place) => (Bound: one, Place: place)).GroupBy(one => one.Bound.Nearest).OrderBy(group => group.Key).Select(group =>
            new Series(Roofline.NameOf(group.Key), [.. group.Select(one => new ChartPoint(one.Place, one.Bound.Share, one.Bound.View.Record.Evidence.Verdict) { Note = CaseCharts.Note(one.Bound.View) })]) { Color = (int)group.Key })];
        var title = views[0].RunName.Length == 0 ? views[0].Record.Workload : $"{views[0].Record.Workload}, {views[0].RunName}";
        var chart = CaseCharts.Chart(FormattableString.Invariant($"{Id}-{number}"), title, cases.Length > MostBars ? $"The first {MostBars} of {Format.Count(cases.Length)} cases" : "", views, figure, ChartKind.Bars,
            new Axis("Case", Quantity.Number, AxisScale.Category) { Categories = names }, series, min: 0);
        // Always even: a share that is half as long is half as much.
        return chart with { Subtitle = string.Join(". ", new[] { cases.Length > MostBars ? $"The first {MostBars} of {Format.Count(cases.Length)} cases" : "", "Share of the nearest limit" }.Where(text => text.Length > 0)), Y = chart.Y with { Scale = AxisScale.Linear, Min = 0 }, SeriesMeaning = "Nearest limit" };
    }

    private static string Head(Resource resource) => resource switch
    {
        Resource.Memory => "Memory",
        Resource.DeviceRead => "Device reads",
        Resource.DeviceWrite => "Device writes",
        Resource.ReadOperations => "Read IOPS",
        Resource.WriteOperations => "Write IOPS",
        Resource.Flushes => "Flushes",
        _ => "Processor",
    };
}
