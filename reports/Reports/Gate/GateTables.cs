using Bench.Measure.Records;
using Bench.Reports.Comparison;
using Bench.Reports.Content;

namespace Bench.Reports.Gate;

/// <summary>The tables of a comparison's page.</summary>
internal static class GateTables
{
    private static readonly Column[] PercentileColumns =
    [
        new("Case", Numeric: false), new("p50 base", Numeric: true), new("p50 head", Numeric: true), new("p99 base", Numeric: true), new("p99 head", Numeric: true),
        new("p99.9 base", Numeric: true), new("p99.9 head", Numeric: true), new("max base", Numeric: true), new("max head", Numeric: true),
    ];

    /// <summary>Judgements with all that they rest on.</summary>
    /// <param name="caption">What they are.</param>
    /// <param name="rows">The judgements, in the order of the table.</param>
    /// <param name="level">The level of the intervals, if all have one.</param>
    /// <param name="names">The cases' names.</param>
    /// <param name="anchors">Ids of the cases' evidence in the page.</param>
    public static Table Judgements(string caption, IReadOnlyList<GateRow> rows, double? level, GateNames names, IReadOnlyDictionary<string, string> anchors)
    {
        var figures = rows.Select(row => row.Figure).Distinct().Skip(1).Any();
        var floors = rows.Any(row => row.Judgement.NoiseFloor is not null);
        var pairs = rows.Any(row => row.Case.Pairs.Count > 0);
        var reasons = rows.Any(row => row.Judgement.Reason is not null);
        Column[] columns =
        [
            new("Case", Numeric: false), .. figures ? (Column[])[new("Figure", Numeric: false)] : [], new("Verdict", Numeric: false) { Verdict = true },
            new("Base", Numeric: true), new("Head", Numeric: true), new("Cost", Numeric: true), new(level is { } one ? $"{GateWords.Level(one)} interval" : "Interval", Numeric: true), .. level is null ? (Column[])[new("Level", Numeric: true)] : [],
            new("Margin", Numeric: true), .. floors ? (Column[])[new("Noise floor", Numeric: true)] : [], new(pairs ? "Pairs" : "Values", Numeric: true),
            .. reasons ? (Column[])[new("Why no more", Numeric: false) { Wraps = true }] : [],
        ];
        return new Table(caption, columns, [.. rows.Select(row => new Row(
        [
            names[row.Case], .. figures ? (string[])[row.Figure.Name()] : [], GateWords.Marked(row.Judgement.Verdict),
            row.BaseText, row.HeadText, row.RatioText, row.IntervalText, .. level is null ? (string[])[row.LevelText] : [],
            Format.Percent(row.Judgement.Margin - 1), .. floors ? (string[])[Format.Value(Quantity.CostRatio, row.Judgement.NoiseFloor)] : [], row.Judgement.Pairs == 0 ? Format.Missing : Format.Count(row.Judgement.Pairs),
            .. reasons ? (string[])[row.Judgement.Reason ?? ""] : [],
        ], Class(row.Judgement.Verdict), anchors.GetValueOrDefault(row.Case.Name)))]);
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
        Row[] rows = [.. result.Cases.Select(one => (Case: one, Base: GateCharts.Own(one.BaseRecord), Head: GateCharts.Own(one.HeadRecord)))
            .Where(both => both.Base is { Count: > 0 } && both.Head is { Count: > 0 })
            .Select(both => new Row(
            [
                names[both.Case],
                .. Both(both.Base!, both.Head!, 2, latency => latency.P50),
                .. Both(both.Base!, both.Head!, 100, latency => latency.P99),
                .. Both(both.Base!, both.Head!, 1_000, latency => latency.P999),
                .. Both(both.Base!, both.Head!, 1, latency => latency.Max),
            ]))];
        return rows.Length == 0 ? null : new Table("Latency of the case's own operation, one launch a side",
            PercentileColumns, rows);
    }

    /// <summary>As in the report: a percentile that no value lies beyond is the maximum's other name.</summary>
    private static string[] Both(LatencyRecord before, LatencyRecord after, long atLeast, Func<LatencyRecord, long> value) =>
        [.. new[] { before, after }.Select(latency => latency.Count >= atLeast ? Format.Nanoseconds(value(latency)) : Format.Missing)];

    /// <summary>What differs between the sides.</summary>
    public static Table Differences(GateResult result) => new("What differs between base and head",
        [new("Kind", Numeric: false), new("What", Numeric: false), new("Base", Numeric: false), new("Head", Numeric: false), new("Comparable", Numeric: false) { Verdict = true }],
        [.. result.Differences.OrderByDescending(difference => difference.Unlike).Select(difference => new Row(
            [difference.Kind.ToString().ToLowerInvariant(), difference.Name, difference.Base ?? Format.Missing, difference.Head ?? Format.Missing, difference.Unlike ? "✗ no" : "✓ yes"],
            difference.Unlike ? "slower" : null))]);
}
