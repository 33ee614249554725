using Bench.Measure.Records;
using Bench.Reports.Charts;
using Bench.Reports.Content;
using Bench.Reports.Statistics;

namespace Bench.Reports.Families;

/// <summary>
/// Appending to the segment log: segment size and flush policy against each other as heat maps, every other parameter
/// that varies as a chart of its own, single passes over their seconds, and the raw write beside it.
/// </summary>
internal static class LogAppendFamily
{
    public const string Workload = "LogAppend";
    public const string Id = "log-append";

    private const int Good = 0;
    private const int Costs = 1;
    private const int MostTimelines = 8;
    private const int MostRows = 16;

    /// <summary>The parameters that get a chart of their own where they vary, and whether their values are an order.</summary>
    private static readonly (string Parameter, bool Ordered)[] Swept =
    [
        ("Partitions", true), ("Producers", true), ("BatchSize", true), ("RecordSize", true),
        ("Preallocation", false), ("WritePath", false), ("FlushMethod", false), ("Compression", false),
    ];

    private static readonly string[] HeldParameters = ["SegmentSize", "BatchSize", "Partitions", "Producers"];

    private static readonly string[] OddParameters = ["Producers", "Partitions"];

    private static CaseFigure AtRiskBytes { get; } = CaseFigure.Metric("dataAtRiskBytes", "Bytes at risk", Quantity.Bytes);

    private static CaseFigure AtRiskTime { get; } = CaseFigure.Metric("dataAtRiskMs", "Age of the oldest append at risk", Quantity.Milliseconds);

    /// <param name="cases">The appends.</param>
    /// <param name="all">All cases of the report, the raw writes among them.</param>
    public static Section Build(IReadOnlyList<CaseView> cases, IReadOnlyList<CaseView> all)
    {
        CaseView[] ordered = [.. cases.OrderBy(FlushPolicy.Order).ThenBy(view => Words.Order(view["SegmentSize"]))];
        var policies = new SeriesColors(CaseCharts.Values(cases, FlushPolicy.Parameter).Select(value => Words.Value(FlushPolicy.Parameter, value)));
        var grids = GridsOf(ordered);
        return new Section(Id, "Appending to the log",
            "Batches appended to the segment log, by segment size and flush policy. The policies stand from the one that may lose the most to those that lose nothing that was acknowledged.")
        {
            Groups = Section.GroupsOf(
            [
                new ChartGroup("Throughput by segment size and flush policy", "The stronger the colour, the faster; the same colour is the same figure in each of them.", Grid(grids, "throughput", CaseFigure.Throughput, Good)),
                new ChartGroup("Slow appends by segment size and flush policy", "The 99th percentile. The stronger the colour, the slower.", Grid(grids, "p99", CaseFigure.HighLatency, Costs)),
                new ChartGroup("Data at risk by segment size and flush policy",
                    "What a power failure would take of what was acknowledged: the most that lay unflushed at once in a pass. With no flush that is all of the pass, and grows with it until the kernel writes back. The stronger the colour, the more.",
                    Grid(grids, "risk-bytes", AtRiskBytes, Costs)),
                new ChartGroup("Age of what is at risk by segment size and flush policy", "How long ago the oldest of it was acknowledged, at most in a pass.", Grid(grids, "risk-time", AtRiskTime, Costs)),
                new ChartGroup("By flush policy", "One segment size only.", Single(ordered, policies)),
                new ChartGroup("The same write without a log", "The log’s throughput as a share of plain sequential writes of the same size to one file, in the same run.", Limits(ordered, all)),
                .. Swept.Select(swept => new ChartGroup($"By {Words.Name(swept.Parameter)}", "", Over(ordered, swept.Parameter, swept.Ordered, policies))),
                new ChartGroup("Latency percentiles", "Both axes are logarithmic; each step to the right is one nine more. A curve ends with its slowest operation.",
                    Percentiles(ordered, policies)),
                new ChartGroup("Within a pass, side by side", "One pass of the same case on each target or in each run. A step is the mean of its interval.",
                    Overlaid(ordered)),
                new ChartGroup("Within a pass", "One pass of one case for each flush policy. A step is the mean of its interval; the lanes show flushes and rolls as long as they took.",
                    Timelines(ordered)),
            ]),
            Cases = CaseTable.Of("All append cases", cases),
            Views = cases,
        };
    }

    /// <summary>The cases that differ in segment size and flush policy only, wherever both vary: one grid each.</summary>
    private static (string Title, string Held, CaseView[] Cases)[] GridsOf(CaseView[] cases)
    {
        CaseView[][] grids = [.. FacetsOf(cases).Where(facet => CaseCharts.Values(facet, "SegmentSize").Length > 1 && CaseCharts.Values(facet, FlushPolicy.Parameter).Length > 1)];
        string[] telling = LogCases.Varying([.. grids.SelectMany(grid => grid)], "SegmentSize", FlushPolicy.Parameter);
        return [.. grids.Select(grid =>
        {
            // The policy that has all parameters names the grid: "no flush" has no flush method.
            var founder = grid.MinBy(view => telling.Count(parameter => view[parameter] == "-"))!;
            var name = CaseCharts.NameOf(founder, telling);
            var title = founder.RunHeading.Length == 0 ? Words.Sentence(name) : name.Length == 0 ? founder.RunHeading : $"{founder.RunHeading} · {name}";
            return (title, Held(grid), grid);
        })];
    }

    private static IEnumerable<CaseView[]> FacetsOf(CaseView[] cases)
    {
        string[] telling = LogCases.Varying([.. cases.Where(view => !view.Failed)], "SegmentSize", FlushPolicy.Parameter);
        return cases.GroupBy(view => view.RunIndex).SelectMany(run => LogCases.Facets([.. run], telling)).Select(facet => facet.Cases);
    }

    private static IReadOnlyList<Chart> Grid((string Title, string Held, CaseView[] Cases)[] grids, string id, CaseFigure shows, int color)
    {
        var colors = CaseCharts.HeatScale(grids.SelectMany(grid => grid.Cases), shows);
        return Section.Drawn(grids.Select((grid, index) => CaseCharts.HeatMap(FormattableString.Invariant($"{Id}-{id}-{index + 1}"),
            grid.Title.Length == 0 ? shows.AxisName : grid.Title, grid.Held, grid.Cases, "SegmentSize", FlushPolicy.Parameter, shows, colors, color)));
    }

    /// <summary>Where a run has several policies and no grid.</summary>
    private static IReadOnlyList<Chart> Single(CaseView[] cases, SeriesColors colors) =>
        Section.Drawn(FacetsOf(cases).Where(facet => CaseCharts.Values(facet, FlushPolicy.Parameter).Length > 2 && CaseCharts.Values(facet, "SegmentSize").Length == 1)
            .Select((facet, index) => CaseCharts.Bars(FormattableString.Invariant($"{Id}-policy-{index + 1}"), RunTitle(facet, "Throughput"), Held(facet), facet, CaseFigure.Throughput, colors)));

    /// <summary>Throughput and slow appends over one parameter; a series for each policy, a chart for all else that varies.</summary>
    private static IReadOnlyList<Chart> Over(IReadOnlyList<CaseView> cases, string parameter, bool ordered, SeriesColors policies)
    {
        var swept = CaseCharts.Swept(cases, parameter);
        string[] others = LogCases.Varying(swept, parameter, FlushPolicy.Parameter);
        var id = parameter.ToLowerInvariant();
        return Section.Drawn(LogCases.Facets(swept, others).SelectMany((facet, index) =>
        {
            Chart? Draw(string kind, CaseFigure shows)
            {
                var name = FormattableString.Invariant($"{Id}-{id}-{kind}-{index + 1}");
                var title = facet.Name.Length == 0 ? shows.AxisName : $"{shows.AxisName}. {facet.Name}";
                // The policy too, where the chart has only one.
                var held = LogCases.Held(facet.Cases, [.. HeldParameters, .. CaseCharts.Values(facet.Cases, FlushPolicy.Parameter) is { Length: 1 } ? [FlushPolicy.Parameter] : Array.Empty<string>()]);
                return ordered ? CaseCharts.Over(name, title, held, facet.Cases, parameter, shows, policies) : CaseCharts.Bars(name, title, held, facet.Cases, shows, policies);
            }
            return new[] { Draw("throughput", CaseFigure.Throughput), Draw("p99", CaseFigure.HighLatency) };
        }));
    }

    private static IReadOnlyList<Chart> Percentiles(IReadOnlyList<CaseView> cases, SeriesColors policies)
    {
        var shown = OnePerPolicy(cases, view => view.Latency is not null);
        return Section.Drawn(
        [
            .. shown.Select((run, index) => CaseCharts.Percentiles(FormattableString.Invariant($"{Id}-percentiles-{index + 1}"), RunTitle(run, "Appends"), HeldButFor(run), run, policies)),
            .. shown.Select((run, index) => CaseCharts.Percentiles(FormattableString.Invariant($"{Id}-percentiles-fsync-{index + 1}"), RunTitle(run, "Flushes"), HeldButFor(run), run, policies, "fsync")),
        ]);
    }

    private static IReadOnlyList<Chart> Overlaid(IReadOnlyList<CaseView> cases) =>
        Section.Drawn(OnePerPolicy(cases, view => view.Record.Timeline is not null).SelectMany(run => run)
            .GroupBy(view => view[FlushPolicy.Parameter]).Take(MostTimelines)
            .Select((policy, index) => TimelineChart.Overlaid(FormattableString.Invariant($"{Id}-overlaid-{index + 1}"),
                Words.Sentence(policy.First().Say(FlushPolicy.Parameter)), Held([.. policy]), [.. policy])));

    /// <summary>All policies of one run; of several, which stand side by side already, the first, the middle and the last.</summary>
    private static IReadOnlyList<Chart> Timelines(IReadOnlyList<CaseView> cases) => Timelines(OnePerPolicy(cases, view => view.Record.Timeline is not null));

    private static IReadOnlyList<Chart> Timelines(CaseView[][] runs) =>
        Section.Drawn(runs.SelectMany(run => runs.Length == 1 ? run.Take(MostTimelines) : run.Where((_, index) => index == 0 || index == run.Length / 2 || index == run.Length - 1))
            .Select((view, index) => TimelineChart.Of(FormattableString.Invariant($"{Id}-timeline-{index + 1}"),
                Words.Sentence(view.Say(FlushPolicy.Parameter)) + (view.Status == CaseStatus.Contradicted ? " (contradicted)" : ""), Held([view]), view)));

    /// <summary>For each run, of each policy the plainest case at the middle segment size, from the least to the most durable.</summary>
    private static CaseView[][] OnePerPolicy(IReadOnlyList<CaseView> cases, Func<CaseView, bool> has) =>
        [.. cases.Where(view => !view.Failed && has(view)).GroupBy(view => view.RunIndex).Select(run =>
        {
            var middle = Words.Bytes(LogCases.MiddleSize(run, "SegmentSize")) ?? 1;
            return run.GroupBy(view => view[FlushPolicy.Parameter])
                .Select(policy => policy.MinBy(view => LogCases.Distance(view) * 100 + Math.Abs(Math.Log2((double)(Words.Bytes(view["SegmentSize"]) ?? middle) / middle)))!)
                .OrderBy(FlushPolicy.Order).ToArray();
        })];

    private static string RunTitle(CaseView[] run, string title) => run[0].RunLabel.Length == 0 ? title : $"{title}, {run[0].RunName}";

    private static string Held(CaseView[] cases) => LogCases.Held(cases, HeldParameters);

    /// <summary>What is held, and the policies that were measured otherwise: group commit has no sense with one producer.</summary>
    private static string HeldButFor(CaseView[] cases)
    {
        var others = OddParameters.SelectMany(parameter =>
        {
            var usual = cases.GroupBy(view => view[parameter]).MaxBy(group => group.Count())!.Key;
            return cases.Where(view => view[parameter] != usual).Select(view => $"{view.Say(FlushPolicy.Parameter)} with {view.Say(parameter)}");
        });
        return string.Join(", ", new[] { Held(cases) }.Where(text => text.Length > 0).Concat(others));
    }

    /// <summary>
    /// Appends without a flush and with one each, as shares of plain writes of the batch's size: through the page cache,
    /// which bounds the first, and direct, which bounds what reaches the disk.
    /// </summary>
    private static IReadOnlyList<Chart> Limits(IReadOnlyList<CaseView> cases, IReadOnlyList<CaseView> all) =>
        Section.Drawn(cases.GroupBy(view => view.RunIndex).Select(run =>
        {
            CaseView[] raw = [.. all.Where(view => view.RunIndex == run.Key && IsRawWrite(view))];
            CaseView[] fitting = [.. run.Where(view => !view.Failed && FlushPolicy.Kind(view[FlushPolicy.Parameter]) is "none" or "each" && view["Compression"] is "None" or "-"
                && raw.Any(limit => limit["BlockSize"] == view["BatchSize"]))];
            // The plainest ones: one file, one producer, grown as it is written, as the plain write does.
            var plainest = fitting.Select(view => LogCases.Distance(view, "BatchSize")).DefaultIfEmpty(0).Min();
            var shown = fitting.Where(view => LogCases.Distance(view, "BatchSize") == plainest).Take(MostRows).OrderBy(FlushPolicy.Order).ThenBy(view => Words.Order(view["SegmentSize"])).ToArray();
            if (shown.Length == 0)
                return null;
            var varying = CaseCharts.Telling(shown);
            string[] names = [.. shown.Select(view => CaseCharts.NameOf(view, varying) is { Length: > 0 } name ? name : Workload)];
            var share = new CaseFigure("Share of the plain write’s throughput", Quantity.Share, _ => null, "interval of the ratio");
            Series[] series = [.. new[] { ("BufferedWarm", "of a buffered write"), ("Direct", "of a direct write") }.Select((limit, color) => new Series(limit.Item2,
                [.. shown.Select((view, index) => Share(index, view, raw.FirstOrDefault(each => each["Access"] == limit.Item1 && each["BlockSize"] == view["BatchSize"]))).OfType<ChartPoint>()]) { Color = color })
                .Where(each => each.Points.Count > 0)];
            if (series.Length == 0)
                return null;
            var limits = string.Join(", ", raw.Where(limit => shown.Any(view => view["BatchSize"] == limit["BlockSize"]))
                .Select(limit => $"{limit.Say("Access")} {limit.Say("BlockSize")} {Format.Value(Quantity.BytesPerSecond, limit.Record.BytesPerSecond!.Median)}"));
            return CaseCharts.Chart(FormattableString.Invariant($"{Id}-limit-{run.Key + 1}"), RunTitle(shown, "Share of the plain write"), $"Plain writes: {limits}", shown, share, ChartKind.Bars,
                new Axis("Case", Quantity.Number, AxisScale.Category) { Categories = names }, series);
        }));

    private static bool IsRawWrite(CaseView view) =>
        view.Record.Workload == CachePathFamily.Workload && !view.Failed && view.Record.BytesPerSecond is not null && view["Operation"] == "Write" && view["Pattern"] == "Sequential"
        && view["Access"] is "BufferedWarm" or "Direct" && view["QueueDepth"] is "1" or "-" && view["Threads"] is "1" or "-" && view["Engine"] is "psync" or "-";

    /// <summary>The ratio of the passes; as doubtful as the more doubtful of the two.</summary>
    private static ChartPoint? Share(int row, CaseView view, CaseView? limit)
    {
        if (limit is null || PassRatio.Of(view.PerPass(pass => pass.Bytes / pass.Seconds), limit.PerPass(pass => pass.Bytes / pass.Seconds)) is not { } ratio)
            return null;
        var worst = view.Status >= limit.Status ? view : limit;
        return new ChartPoint(row, ratio.Value, worst.Record.Evidence.Verdict) { Low = ratio.Low, High = ratio.High, Note = CaseCharts.Note(worst) };
    }
}
