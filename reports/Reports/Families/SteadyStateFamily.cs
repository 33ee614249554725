using System.Globalization;
using Bench.Measure.Evidence;
using Bench.Measure.Records;
using Bench.Reports.Charts;
using Bench.Reports.Content;

namespace Bench.Reports.Families;

/// <summary>The way to a steady state: every round's throughput and 99th percentile, the window at its end marked.</summary>
internal static class SteadyStateFamily
{
    public const string Workload = "SteadyState";
    public const string Id = "steady-state";

    public static Section Build(IReadOnlyList<CaseView> cases) => new(Id, "To a steady state",
        "The file was written twice over, then rounds of random direct I/O went on until throughput and 99th percentile rested for five of them (a range of at most 20 % of their mean, and a line through them that rises or falls by at most 10 %), or until there were enough. The passes came after that."
        + string.Concat(cases.Where(GaveUp).Select(view => $" {view.Name} did not come to rest: it was given up after {Format.Count(view.Record.Rounds!.Count)} rounds.")))
    {
        Groups = Section.GroupsOf(
            new ChartGroup("Throughput of each round", "", Section.Drawn(cases.Select((view, index) => Rounds($"{Id}-throughput-{Number(index)}", view, "Throughput", Quantity.BytesPerSecond, round => round.Bytes / round.Seconds)))),
            new ChartGroup("99th percentile of each round", "", Section.Drawn(cases.Select((view, index) => Rounds($"{Id}-p99-{Number(index)}", view, "99th percentile of latency", Quantity.Nanoseconds, round => round.P99Ns)))),
            new ChartGroup("The whole way", cases.All(GaveUp) ? "" : "The bar below marks the rounds over which it rested.",
                Section.Drawn(cases.Select((view, index) => TimelineChart.Of($"{Id}-timeline-{Number(index)}", view.Name, "", view))))),
        Cases = CaseTable.Of(cases.Any(GaveUp) ? "After the rounds" : "In the steady state", cases),
        Views = cases,
    };

    private static bool GaveUp(CaseView view) => !view.Failed && view.Record.Rounds is { Count: > 0 } rounds && !SteadyWindow.AreSteady(rounds);

    private static Chart? Rounds(string id, CaseView view, string axis, Quantity quantity, Func<RoundRecord, double> value)
    {
        if (view.Failed || view.Record.Rounds is not { Count: > 0 } rounds || rounds.Any(round => !(round.Seconds > 0)))
            return null;
        var verdict = view.Record.Evidence.Verdict;
        var windowAt = Math.Max(0, rounds.Count - SteadyWindow.Rounds);
        ChartPoint[] points = [.. rounds.Select((round, index) => new ChartPoint(index, value(round), verdict) { Note = CaseCharts.Note(view) })];
        Series[] series = [.. new[] { new Series("before", points[..windowAt]) { Color = 6 }, new Series("the last five rounds", points[windowAt..]) { Color = 0 } }.Where(one => one.Points.Count > 0)];
        var window = SteadyWindow.Of(rounds.Select(value));
        var told = window is { } found
            ? $"range {Format.Percent(found.Range)}, slope {Format.Percent(found.Slope)} of the mean over the last five rounds"
            : "too few rounds for a window";
        return new Chart
        {
            Id = id,
            Title = view.Name,
            Subtitle = $"{axis} over rounds of {Format.Seconds(rounds.Average(round => round.Seconds))}; {told}{(GaveUp(view) ? $". Given up after {Format.Count(rounds.Count)} rounds" : "")}",
            Kind = ChartKind.Lines,
            X = new Axis("Round", Quantity.Number, AxisScale.Category) { Categories = [.. Enumerable.Range(1, rounds.Count).Select(number => number.ToString(CultureInfo.InvariantCulture))] },
            Y = new Axis(axis, quantity, AxisScale.Linear) { Min = 0 },
            Series = series,
            SeriesMeaning = "Rounds",
            Finding = $"{axis} of {Format.Count(rounds.Count)} rounds: first {Format.Value(quantity, points[0].Y)}, last {Format.Value(quantity, points[^1].Y)}; {told}.",
        };
    }

    private static string Number(int index) => (index + 1).ToString(CultureInfo.InvariantCulture);
}
