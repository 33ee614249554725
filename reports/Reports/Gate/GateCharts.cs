using System.Globalization;
using Bench.Measure.Records;
using Bench.Reports.Charts;
using Bench.Reports.Comparison;
using Bench.Reports.Content;

namespace Bench.Reports.Gate;

/// <summary>The charts of a comparison as plain values.</summary>
internal static class GateCharts
{
    /// <summary>Most rows of one forest plot: as many as a reader scrolls through without losing the axis.</summary>
    private const int MostRows = 40;

    /// <summary>Most charts of single pairs: of the rest the tables hold the same.</summary>
    private const int MostPairCharts = 48;

    /// <summary>Most charts of percentiles side by side.</summary>
    private const int MostCurves = 8;

    /// <summary>The forest plots of one figure, slower to faster; several if the cases are many.</summary>
    public static IReadOnlyList<(Chart Chart, IReadOnlyList<GateRow> Rows)> Forests(GateResult result, Figure figure, GateNames names)
    {
        GateRow[] rows = [.. GateRow.Of(result).Where(row => row.Figure == figure && row.Judgement.Ratio is > 0).OrderByDescending(row => row.Judgement.Ratio)];
        var parts = (rows.Length + MostRows - 1) / MostRows;
        var size = parts == 0 ? 1 : (rows.Length + parts - 1) / parts;
        return [.. rows.Chunk(size).Select((part, index) => (Forest(part, string.Create(CultureInfo.InvariantCulture, $"forest-{Id(figure)}-{index + 1}"),
            parts == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $", {index + 1} of {parts}"), GateRow.LevelOf(result), names), (IReadOnlyList<GateRow>)part))];
    }

    private static Chart Forest(GateRow[] rows, string id, string part, double? level, GateNames names)
    {
        var figure = rows[0].Figure;
        var series = rows.Select((row, place) => (row, place)).GroupBy(pair => pair.row.Judgement.Verdict).OrderBy(group => group.Key.Rank())
            .Select(group => Looking(group.Key, new Series(group.Key.Words(), [.. group.Select(pair => Point(pair.row, pair.place))])));
        return new Chart
        {
            Id = id,
            Title = $"{GateWords.Heading(figure)}: cost of the head over that of the base{part}",
            Subtitle = $"Sorted from slower to faster; whiskers are the {(level is { } one ? GateWords.Level(one) + " interval" : "interval at the level of the verdict")}",
            Finding = $"{GateWords.Heading(figure)} of {Format.Count(rows.Length)} cases from {rows[0].RatioText} ({names[rows[0].Case]}) to {rows[^1].RatioText} ({names[rows[^1].Case]}): "
                + string.Join(", ", rows.GroupBy(row => row.Judgement.Verdict).OrderBy(group => group.Key.Rank()).Select(group => $"{Format.Count(group.Count())} {group.Key.Words()}")) + ".",
            Kind = ChartKind.Forest,
            X = new Axis("Case", Quantity.Number, AxisScale.Category) { Categories = [.. rows.Select(row => names[row.Case])] },
            Y = new Axis("Ratio of cost: slower to the right", Quantity.CostRatio, AxisScale.Log),
            Series = [.. series],
            SeriesMeaning = "Verdict",
            IntervalMeaning = level is { } same ? GateWords.Level(same) + " interval" : "Interval at the level of the verdict",
            Band = Margin(rows[0].Judgement),
        };
    }

    private static Band Margin(Judgement judgement) =>
        new(1 / judgement.Margin, judgement.Margin, 1, $"margin: up to {Format.Percent(judgement.Margin - 1)} either way");

    private static ChartPoint Point(GateRow row, int place) => new(place, row.Judgement.Ratio!.Value, Evidence(row.Case))
    {
        Low = row.Judgement.Low,
        High = row.Judgement.High,
        Note = $"base {row.BaseText}, head {row.HeadText}" + (row.Judgement.Reason is { } reason ? "\n" + reason : ""),
    };

    /// <summary>The worse of both sides; without records the launches were looked at one by one.</summary>
    private static Verdict Evidence(GateCaseResult one) =>
        new[] { one.BaseRecord, one.HeadRecord }.Any(record => record?.Evidence.Verdict == Verdict.Unproven) ? Verdict.Unproven : Verdict.Proven;

    /// <summary>Colour and shape of a verdict, as <see cref="GateWords.Marked"/> has them in text.</summary>
    private static Series Looking(GateVerdict verdict, Series series) => verdict switch
    {
        GateVerdict.Slower => series with { Color = 1, Mark = 2 },
        GateVerdict.Faster => series with { Color = 2, Mark = 4 },
        GateVerdict.Same => series with { Color = 0, Mark = 0 },
        _ => series with { Color = 6, Mark = 3, Hollow = true },
    };

    /// <summary>The pairs of each judgement, what asks for action first, and how many have no chart.</summary>
    public static (IReadOnlyList<(Chart Chart, GateRow Row)> Charts, int LeftOut) Pairs(GateResult result, GateNames names)
    {
        GateRow[] rows = [.. GateRow.Of(result).Where(row => row.Judgement.Ratio is > 0 && row.Case.Pairs.Any(pair => pair.LogCost(row.Figure) is not null))];
        return ([.. rows.Take(MostPairCharts).Select((row, index) => (PairChart(row, string.Create(CultureInfo.InvariantCulture, $"pairs-{index + 1}"), names), row))],
            Math.Max(0, rows.Length - MostPairCharts));
    }

    private static Chart PairChart(GateRow row, string id, GateNames names)
    {
        Series Order(string name, bool baseFirst) => new(name,
            [.. row.Case.Pairs.Where(pair => pair.BaseFirst == baseFirst && pair.LogCost(row.Figure) is not null)
                .Select(pair => new ChartPoint(pair.Number, Math.Exp(pair.LogCost(row.Figure)!.Value), Verdict.Proven)
                {
                    Note = $"base {Format.Value(row.Figure.Quantity(), pair.Base?.Of(row.Figure))}, head {Format.Value(row.Figure.Quantity(), pair.Head?.Of(row.Figure))}",
                })]);
        var pairs = row.Case.Pairs.Count(pair => pair.LogCost(row.Figure) is not null);
        return new Chart
        {
            Id = id,
            Title = names[row.Case],
            Subtitle = $"{GateWords.Heading(row.Figure)} · {GateWords.Marked(row.Judgement.Verdict)} · {row.RatioText}{(row.IntervalText == Format.Missing ? "" : $" ({row.IntervalText})")}",
            Finding = $"{names[row.Case]}, {row.Figure.Name()}: {Format.Count(pairs)} pairs, {row.Judgement.Verdict.Words()}, {row.RatioText}.",
            Kind = ChartKind.Points,
            X = new Axis("Pair", Quantity.Number, AxisScale.Linear),
            Y = new Axis("Ratio of cost", Quantity.CostRatio, AxisScale.Log),
            Series = [.. new[] { Order("base first", true) with { Color = 0, Mark = 0 }, Order("head first", false) with { Color = 1, Mark = 1, Hollow = true } }.Where(series => series.Points.Count > 0)],
            SeriesMeaning = "Order",
            Band = Margin(row.Judgement) with { Estimate = row.Judgement.Ratio, EstimateText = "estimate" },
        };
    }

    /// <summary>Latency percentiles of both sides, of the cases that changed.</summary>
    public static IReadOnlyList<Chart> Curves(GateResult result, GateNames names)
    {
        var changed = GateRow.Of(result).Where(row => row.Judgement.Verdict is GateVerdict.Slower or GateVerdict.Faster).Select(row => row.Case).Distinct();
        return [.. changed.Select(one => (Case: one, Base: Figures.LatencyOf(one.BaseRecord), Head: Figures.LatencyOf(one.HeadRecord)))
            .Where(both => both.Base is { Count: > 0 } && both.Head is { Count: > 0 }).Take(MostCurves)
            .Select((both, index) => Curve(both.Case, both.Base!, both.Head!, string.Create(CultureInfo.InvariantCulture, $"curve-{index + 1}"), names))];
    }

    private static Chart Curve(GateCaseResult one, LatencyRecord before, LatencyRecord after, string id, GateNames names)
    {
        Series Of(string name, RunRecord record, LatencyRecord latency, int color) => new(name,
            [.. LatencyCurve.Of(latency).Where(point => point.Nanoseconds > 0).Select(point => new ChartPoint(point.Nines, point.Nanoseconds, record.Evidence.Verdict))]) { Color = color };
        return new Chart
        {
            Id = id,
            Title = names[one],
            Subtitle = "Latency, one launch a side",
            Finding = $"{names[one]}: p99 {Format.Nanoseconds(before.P99)} on the base, {Format.Nanoseconds(after.P99)} on the head.",
            Kind = ChartKind.Percentiles,
            X = new Axis("Percentile", Quantity.Nines, AxisScale.Nines),
            Y = new Axis("Latency", Quantity.Nanoseconds, AxisScale.Log),
            Series = [Of("base", one.BaseRecord!, before, 0), Of("head", one.HeadRecord!, after, 1)],
            SeriesMeaning = "Side",
        };
    }

    private static string Id(Figure figure) => figure switch { Figure.Throughput => "throughput", Figure.P99 => "p99", _ => "cpu" };
}
