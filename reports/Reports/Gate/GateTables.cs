using Bench.Measure.Records;
using Bench.Reports.Comparison;
using Bench.Reports.Content;

namespace Bench.Reports.Gate;

/// <summary>The tables of a comparison's page.</summary>
internal static class GateTables
{
    /// <summary>Fewest operations for a median.</summary>
    internal const int FewestForP50 = 20;

    /// <summary>Fewest operations for a p99.9.</summary>
    internal const int FewestForP999 = 10_000;

    private static readonly Column[] PercentileColumns =
    [
        new("Case", Numeric: false), new("p50 base", Numeric: true), new("p50 head", Numeric: true), new("p99 base", Numeric: true), new("p99 head", Numeric: true),
        new("p99.9 base", Numeric: true), new("p99.9 head", Numeric: true), new("max base", Numeric: true), new("max head", Numeric: true),
    ];

    /// <summary>Judgements with all that they rest on: the table behind a forest plot.</summary>
    /// <param name="caption">What they are.</param>
    /// <param name="rows">The judgements of one figure, in the order of the table.</param>
    /// <param name="level">The level of the intervals, if all have one.</param>
    /// <param name="names">The cases' names.</param>
    /// <param name="anchors">Ids of the cases' evidence in the page.</param>
    public static Table Judgements(string caption, IReadOnlyList<GateRow> rows, double? level, GateNames names, IReadOnlyDictionary<string, string> anchors)
    {
        var columns = Shared(level, figure: false);
        if (level is null)
            columns.Add((new Column("Level", Numeric: true), row => row.LevelText));
        columns.Add((new Column("Margin", Numeric: true), row => Format.Percent(row.Judgement.Margin - 1)));
        if (rows.Any(row => row.Judgement.NoiseFloor is not null))
            columns.Add((new Column("Noise floor", Numeric: true), row => Format.Value(Quantity.CostRatio, row.Judgement.NoiseFloor)));
        columns.Add((new Column(rows.Any(row => row.Case.Pairs.Count > 0) ? "Pairs" : "Values", Numeric: true), row => row.Judgement.Pairs == 0 ? Format.Missing : Format.Count(row.Judgement.Pairs)));
        return Of(caption, rows, columns, names, anchors);
    }

    /// <summary>The same of several figures, with the reasons instead of the details: the page's first table.</summary>
    public static Table Verdicts(string caption, IReadOnlyList<GateRow> rows, double? level, GateNames names, IReadOnlyDictionary<string, string> anchors) =>
        Of(caption, rows, Shared(level, figure: true), names, anchors);

    private static List<(Column Column, Func<GateRow, string> Cell)> Shared(double? level, bool figure)
    {
        var columns = new List<(Column Column, Func<GateRow, string> Cell)>();
        if (figure)
            columns.Add((new Column("Figure", Numeric: false), row => row.Figure.Name()));
        columns.Add((new Column("Base", Numeric: true), row => row.BaseText));
        columns.Add((new Column("Head", Numeric: true), row => row.HeadText));
        columns.Add((new Column("Cost", Numeric: true), row => row.RatioText));
        columns.Add((new Column(level is { } one ? $"{GateWords.Level(one)} interval" : "Interval", Numeric: true), row => row.IntervalText));
        return columns;
    }

    /// <summary>The verdict comes first, so that it is on the screen however narrow that is, and names give way to the figures.</summary>
    private static Table Of(string caption, IReadOnlyList<GateRow> rows, List<(Column Column, Func<GateRow, string> Cell)> columns, GateNames names, IReadOnlyDictionary<string, string> anchors)
    {
        if (rows.Any(row => row.Judgement.Reason is not null))
            columns.Add((new Column("Why no more", Numeric: false) { Wraps = true }, row => row.Judgement.Reason ?? ""));
        return new Table(caption, [new Column("Verdict", Numeric: false) { Verdict = true }, new Column("Case", Numeric: false) { Wraps = true }, .. columns.Select(column => column.Column)],
            [.. rows.Select(row => new Row([GateWords.Marked(row.Judgement.Verdict), names[row.Case], .. columns.Select(column => column.Cell(row))], Class(row.Judgement.Verdict), anchors.GetValueOrDefault(row.Case.Name)))]);
    }

    /// <summary>The class of a row.</summary>
    public static string Class(GateVerdict verdict) => verdict == GateVerdict.NotJudged ? "not-judged" : verdict.ToString().ToLowerInvariant();

    /// <summary>One pair a row.</summary>
    public static Table Pairs(GateRow row, string caption) => new(caption,
        [new("Pair", Numeric: false), new("Order", Numeric: false), new("Base", Numeric: true), new("Head", Numeric: true), new("Cost", Numeric: true)],
        [.. row.Case.Pairs.Select(pair => new Row(
        [
            Format.Count(pair.Number), pair.BaseFirst ? "base first" : "head first",
            Format.Value(row.Figure.Quantity(), pair.Base?.Of(row.Figure)), Format.Value(row.Figure.Quantity(), pair.Head?.Of(row.Figure)),
            pair.Discarded is not null ? "discarded" : pair.LogCost(row.Figure) is { } cost ? Format.Value(Quantity.CostRatio, Math.Exp(cost)) : Format.Missing,
        ]))]);

    /// <summary>Pairs that do not count, with the reason.</summary>
    public static Table? Discarded(GateResult result, GateNames names)
    {
        Row[] rows = [.. from one in result.Cases from pair in one.Pairs where pair.Discarded is not null select new Row([names[one], Format.Count(pair.Number), pair.Discarded!])];
        return rows.Length == 0 ? null : new Table("Pairs that do not count", [new("Case", Numeric: false), new("Pair", Numeric: true), new("Why", Numeric: false) { Wraps = true }], rows);
    }

    /// <summary>Latency percentiles side by side; null if no case was timed by the operation.</summary>
    public static Table? Percentiles(GateResult result, GateNames names)
    {
        Row[] rows = [.. result.Cases.Select(one => (Case: one, Base: Figures.LatencyOf(one.BaseRecord), Head: Figures.LatencyOf(one.HeadRecord)))
            .Where(both => both.Base is { Count: > 0 } && both.Head is { Count: > 0 })
            .Select(both => new Row(
            [
                names[both.Case],
                .. Both(both.Base!, both.Head!, FewestForP50, latency => latency.P50),
                .. Both(both.Base!, both.Head!, Figures.FewestForP99, latency => latency.P99),
                .. Both(both.Base!, both.Head!, FewestForP999, latency => latency.P999),
                .. Both(both.Base!, both.Head!, 1, latency => latency.Max),
            ]))];
        return rows.Length == 0 ? null : new Table("Latency of the case's own operation, one launch a side",
            PercentileColumns, rows);
    }

    /// <summary>Two launches are compared here, so ten values lie beyond a percentile: with one or two it is the maximum's other name.</summary>
    private static string[] Both(LatencyRecord before, LatencyRecord after, long atLeast, Func<LatencyRecord, long> value) =>
        [.. new[] { before, after }.Select(latency => latency.Count >= atLeast ? Format.Nanoseconds(value(latency)) : Format.Missing)];

    /// <summary>What differs between the sides.</summary>
    public static Table Differences(GateResult result) => new("What differs between base and head",
        [new("Kind", Numeric: false), new("What", Numeric: false), new("Base", Numeric: false), new("Head", Numeric: false), new("Comparable", Numeric: false) { Verdict = true }],
        [.. result.Differences.OrderByDescending(difference => difference.Unlike).Select(difference => new Row(
            [difference.Kind.ToString().ToLowerInvariant(), difference.Name, difference.Base ?? Format.Missing, difference.Head ?? Format.Missing, difference.Unlike ? "✗ no" : "✓ yes"],
            difference.Unlike ? "slower" : null))]);
}
