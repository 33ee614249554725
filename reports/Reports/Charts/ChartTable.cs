using Bench.Measure.Records;
using Bench.Reports.Content;

namespace Bench.Reports.Charts;

/// <summary>A chart's points as a table: the same figures for readers who do not see the chart.</summary>
internal static class ChartTable
{
    private static readonly (double Nines, string Name)[] Percentiles =
        [(2, "p50"), (10, "p90"), (100, "p99"), (1_000, "p99.9"), (10_000, "p99.99"), (100_000, "p99.999")];

    public static Table Of(Chart chart) => chart.Kind switch
    {
        ChartKind.Percentiles => PercentileTable(chart),
        ChartKind.StackedBars => StackedTable(chart),
        ChartKind.Timeline => chart.Series.Count(series => series.Panel == 0) > 1 ? OverlaidTable(chart) : TimelineTable(chart),
        ChartKind.Scatter => ScatterTable(chart),
        _ => PointTable(chart),
    };

    private static Table PointTable(Chart chart)
    {
        var single = chart.Series.Count == 1;
        var spread = chart.Series.SelectMany(series => series.Points).Any(point => point.Low is not null);
        var columns = new List<Column> { new(chart.X.Name, Numeric: false) };
        if (!single)
            columns.Add(new Column(chart.SeriesMeaning, Numeric: false));
        columns.Add(new Column(chart.Y.Name, Numeric: true));
        if (spread)
            columns.Add(new Column(Capitalised(chart.IntervalMeaning), Numeric: true));
        columns.Add(new Column("Evidence", Numeric: false) { Verdict = true });

        var rows =
            from series in chart.Series
            from point in series.Points
            orderby point.X
            select new Row(
            [
                Place(chart.X, point.X),
                .. single ? (string[])[] : [series.Name],
                Format.Value(chart.Y.Quantity, point.Y),
                .. spread ? (string[])[Format.Interval(chart.Y.Quantity, point.Low, point.High)] : [],
                VerdictWords.Marked(point.Verdict),
            ], VerdictWords.Class(point.Verdict));
        var references = chart.References.OrderBy(reference => reference.X).Select(reference => new Row(
        [
            Place(chart.X, reference.X),
            .. single ? (string[])[] : [reference.Text],
            Format.Value(chart.Y.Quantity, reference.Y),
            .. spread ? (string[])[single ? reference.Text : Format.Missing] : [],
            spread || !single ? "published" : $"published, {reference.Text}",
        ], "reference"));
        return new Table(chart.Title, columns, [.. rows, .. references]);
    }

    private static Table ScatterTable(Chart chart) => new(chart.Title,
        [new Column(Capitalised(chart.NameMeaning), Numeric: false), new Column(chart.X.Name, Numeric: true), new Column(chart.Y.Name, Numeric: true), new Column(chart.SeriesMeaning, Numeric: false), new Column("Evidence", Numeric: false) { Verdict = true }],
        [.. chart.Series.SelectMany(series => series.Points.Select(point => (series, point))).OrderByDescending(each => each.point.X).Select(each => new Row(
        [
            each.point.Name ?? Format.Missing, Format.Value(chart.X.Quantity, each.point.X), Format.Value(chart.Y.Quantity, each.point.Y), each.series.Name,
            VerdictWords.Marked(each.point.Verdict),
        ], VerdictWords.Class(each.point.Verdict)))]);

    private static Table StackedTable(Chart chart)
    {
        List<Column> columns = [new(chart.X.Name, Numeric: false),
            .. chart.Series.Select(series => new Column(Capitalised(series.Name), Numeric: true)),
            new("Together", Numeric: true), new(Capitalised(chart.IntervalMeaning), Numeric: true), new("Evidence", Numeric: false) { Verdict = true }];
        var rows = chart.X.Categories.Select((category, index) =>
        {
            var points = chart.Series.Select(series => series.Points.First(point => point.X == index)).ToArray();
            return new Row(
            [
                category,
                .. points.Select(point => Format.Value(chart.Y.Quantity, point.Y)),
                Format.Value(chart.Y.Quantity, points.Sum(point => point.Y)),
                Format.Interval(chart.Y.Quantity, points[^1].Low, points[^1].High),
                VerdictWords.Marked(points[^1].Verdict),
            ], VerdictWords.Class(points[^1].Verdict));
        });
        return new Table(chart.Title, columns, [.. rows]);
    }

    private static Table PercentileTable(Chart chart)
    {
        List<Column> columns = [new("Case", Numeric: false),
            .. Percentiles.Select(percentile => new Column(percentile.Name, Numeric: true)),
            new("max", Numeric: true), new("Evidence", Numeric: false) { Verdict = true }];
        var rows = chart.Series.Where(series => series.Points.Count > 0).Select(series => new Row(
        [
            series.Name,
            .. Percentiles.Select(percentile => Format.Value(chart.Y.Quantity,
                series.Points.FirstOrDefault(point => Math.Abs(point.X - percentile.Nines) < percentile.Nines * 1e-6)?.Y)),
            Format.Value(chart.Y.Quantity, series.Points[^1].Y),
            VerdictWords.Marked(series.Points[0].Verdict),
        ], VerdictWords.Class(series.Points[0].Verdict)));
        return new Table(chart.Title, columns, [.. rows]);
    }

    /// <summary>
    /// At most so many rows: neighbouring intervals share one, with their mean throughput and their highest latency.
    /// </summary>
    private const int TimelineRows = 20;

    private static Table TimelineTable(Chart chart)
    {
        var throughput = chart.Series.First(series => series.Panel == 0).Points;
        Series[] latencies = [.. chart.Series.Where(series => series.Panel == 1)];
        string[] kinds = [.. chart.Events.Select(made => made.Kind).Distinct()];
        var end = chart.X.Max ?? throughput[^1].X;
        var perRow = (throughput.Count + TimelineRows - 1) / TimelineRows;
        List<Column> columns = [new("From", Numeric: false), new(chart.Y.Name, Numeric: true),
            .. latencies.Select(series => new Column(perRow == 1 || series.Name == "slowest" ? Capitalised(series.Name) : $"Highest {series.Name}", Numeric: true)),
            .. kinds.SelectMany(kind => new[] { new Column(kind == "flush" ? "Flushes" : $"{Capitalised(kind)}s", Numeric: true), new Column($"Longest {kind}", Numeric: true) }),
            new("Evidence", Numeric: false) { Verdict = true }];
        var rows = throughput.Chunk(perRow).Select((points, index) =>
        {
            var from = points[0].X;
            var to = (index + 1) * perRow < throughput.Count ? throughput[(index + 1) * perRow].X : double.PositiveInfinity;
            var bytes = points.Select((point, at) => point.Y * ((at + 1 < points.Length ? points[at + 1].X : Math.Min(to, end)) - point.X)).Sum();
            return new Row(
            [
                Format.Number(Math.Round(from, 4)) + " s",
                Format.Value(chart.Y.Quantity, bytes / (Math.Min(to, end) - from)),
                .. latencies.Select(series => series.Points.Where(point => point.X >= from && point.X < to).Select(point => (double?)point.Y).Max())
                    .Select(highest => Format.Value(Quantity.Nanoseconds, highest)),
                .. kinds.SelectMany(kind =>
                {
                    var lengths = chart.Events.Where(made => made.Kind == kind && made.Start >= from && made.Start < to).Select(made => made.Length).ToArray();
                    return new[] { lengths.Length == 0 ? Format.Missing : Format.Count(lengths.Length), lengths.Length == 0 ? Format.Missing : Format.Seconds(lengths.Max()) };
                }),
                VerdictWords.Marked(points[0].Verdict),
            ], VerdictWords.Class(points[0].Verdict));
        });
        return new Table(chart.Title, columns, [.. rows]);
    }

    /// <summary>Of several passes side by side: for each the mean throughput and the slowest operation of so many equal parts.</summary>
    private static Table OverlaidTable(Chart chart)
    {
        Series[] rates = [.. chart.Series.Where(series => series.Panel == 0)];
        Series[] slowest = [.. chart.Series.Where(series => series.Panel == 1)];
        var length = (chart.X.Max ?? rates.Max(series => series.Points[^1].X)) / TimelineRows;
        var worst = rates.SelectMany(series => series.Points).Select(point => point.Verdict)
            .OrderBy(verdict => verdict switch { Verdict.Contradicted => 0, Verdict.Unproven => 1, _ => 2 }).First();
        return new Table(chart.Title,
            [new Column("From", Numeric: false), .. rates.Select(series => new Column($"Throughput, {series.Name}", Numeric: true)),
                .. slowest.Select(series => new Column($"Slowest, {series.Name}", Numeric: true)), new Column("Evidence", Numeric: false) { Verdict = true }],
            [.. Enumerable.Range(0, TimelineRows).Select(row => (From: row * length, To: (row + 1) * length)).Select(part => new Row(
            [
                Format.Number(Math.Round(part.From, 4)) + " s",
                .. rates.Select(series => Format.Value(chart.Y.Quantity, Mean(series.Points, part.From, part.To))),
                .. slowest.Select(series => Format.Value(Quantity.Nanoseconds, series.Points.Where(point => point.X >= part.From && point.X < part.To).Select(point => (double?)point.Y).Max())),
                VerdictWords.Marked(worst),
            ], VerdictWords.Class(worst)))]);
    }

    /// <summary>The mean of steps within a part of the axis; null beyond the last of them.</summary>
    private static double? Mean(IReadOnlyList<ChartPoint> steps, double from, double to)
    {
        var (sum, covered) = (0.0, 0.0);
        for (var index = 0; index < steps.Count; index++)
        {
            // The last is as long as those before it.
            var end = index + 1 < steps.Count ? steps[index + 1].X : index > 0 ? steps[index].X + steps[index].X - steps[index - 1].X : double.PositiveInfinity;
            var overlap = Math.Min(end, to) - Math.Max(steps[index].X, from);
            if (overlap <= 0)
                continue;
            sum += steps[index].Y * overlap;
            covered += overlap;
        }
        return covered > 0 ? sum / covered : null;
    }

    private static string Place(Axis axis, double x) =>
        axis.Scale == AxisScale.Category ? axis.Categories[(int)x] : Format.Value(axis.Quantity, x);

    private static string Capitalised(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];
}
