using System.Globalization;
using Bench.Reports.Charts;
using Bench.Reports.Comparison;
using Bench.Reports.Content;

namespace Bench.Reports.History;

/// <summary>The history of cases as charts: each run a point, the first run after a change marked and named.</summary>
public static class HistoryCharts
{
    /// <summary>One chart per case that has a history, of its throughput; in the order given.</summary>
    /// <param name="cases">Their points.</param>
    /// <param name="margin">The smallest change that counts, as a share.</param>
    public static IReadOnlyList<Chart> Of(IEnumerable<CaseHistory> cases, double margin) =>
    [
        // The line that is measured most: another profile or place is another line.
        .. cases.SelectMany(one => HistoryLine.Of(one).Take(1)).Where(line => line.Usable(Figure.Throughput).Count > 1)
            .Select((line, index) => ChartOf(line, margin, string.Create(CultureInfo.InvariantCulture, $"history-{index + 1}"))),
    ];

    private static Chart ChartOf(HistoryLine line, double margin, string id)
    {
        var points = line.Usable(Figure.Throughput);
        var changes = HistoryCheck.Changes(line, Figure.Throughput, margin).ToDictionary(change => change.FirstAfter.Run);
        var all = points.Select((point, index) => (Change: changes.GetValueOrDefault(point.Run.Run), Point: new ChartPoint(index + 1, point.Point.Of(Figure.Throughput)!.Value, point.Point.Verdict)
        {
            Low = point.Point.BytesPerSecond?.Low,
            High = point.Point.BytesPerSecond?.High,
            Note = Note(point.Run, changes.GetValueOrDefault(point.Run.Run)),
        })).ToArray();
        return new Chart
        {
            Id = id,
            Title = line.Case,
            Subtitle = $"Throughput, profile {line.Profile}, {Format.Count(points.Count)} runs",
            Finding = $"{line.Case}: {Format.Count(points.Count)} runs from {Format.Moment(points[0].Run.StartedUtc)} to {Format.Moment(points[^1].Run.StartedUtc)}, "
                + (changes.Count == 0 ? "no change." : string.Join(", ", changes.Values.Select(change => $"{(change.Slower ? "slower" : "faster")} since {change.FirstAfter.Run}")) + "."),
            Kind = ChartKind.Points,
            X = new Axis("Run", Quantity.Number, AxisScale.Linear),
            Y = new Axis("Throughput", Quantity.BytesPerSecond, AxisScale.Log),
            Series =
            [
                .. new[]
                {
                    new Series("run", [.. all.Where(one => one.Change is null).Select(one => one.Point)]) { Color = 0 },
                    new Series("first run after a change", [.. all.Where(one => one.Change is not null).Select(one => one.Point)]) { Color = 1, Mark = 2 },
                }.Where(series => series.Points.Count > 0),
            ],
            SeriesMeaning = "Run",
        };
    }

    private static string Note(HistoryRun run, HistoryChange? change) =>
        $"{run.Run}{(run.Commit is { } commit ? $", commit {commit[..Math.Min(10, commit.Length)]}" : "")}"
        + (change is null ? "" : $"\n{(change.Ratio - 1).ToString("+0.0 %;−0.0 %", CultureInfo.InvariantCulture)} against the {Format.Count(change.RunsBefore)} runs before"
            + (change.Differences.Count == 0 ? "" : $"; changed: {string.Join("; ", change.Differences.Take(5))}"));
}
