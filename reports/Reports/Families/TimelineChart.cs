using Bench.Measure.Records;
using Bench.Reports.Charts;
using Bench.Reports.Content;

namespace Bench.Reports.Families;

/// <summary>
/// One pass of one case over its seconds: throughput, latency, and the flushes and rolls below them; all rounds to a steady
/// state in the same way, with the window at their end. Or the passes of the
/// same case on several targets over the same seconds.
/// </summary>
internal static class TimelineChart
{
    /// <summary>An interval that the end of the pass cut shorter than this share has no rate of its own.</summary>
    private const double FewestOfInterval = 0.25;

    private static readonly string[] KnownKinds = ["flush", "roll", "steady"];

    /// <summary>Null if the case has no timeline with a figure in it.</summary>
    public static Chart? Of(string id, string title, string held, CaseView view)
    {
        if (view.Failed || view.Record.Timeline is not { IntervalSeconds: > 0 } timeline || timeline.Points.All(point => point.Operations == 0))
            return null;
        var end = End(view, timeline);
        var verdict = view.Record.Evidence.Verdict;
        Series throughput = new("throughput", [.. Rates(timeline, end).Select(rate => new ChartPoint(rate.Start, rate.BytesPerSecond, verdict) { Note = CaseCharts.Note(view) })]) { Color = 0 };
        // As everywhere, a percentile needs enough operations to have one beyond it.
        Series Latency(string name, int color, int fewest, Func<TimelinePoint, long?> value) =>
            new(name, [.. timeline.Points.Where(point => point.Operations >= fewest && value(point) > 0).Select(point => new ChartPoint(point.StartSeconds, value(point)!.Value, verdict) { Note = CaseCharts.Note(view) })]) { Color = color, Panel = 1 };
        Series[] latencies = [Latency("slowest", 1, 1, point => point.MaxNs), Latency("p99", 3, 100, point => point.P99Ns), Latency("median", 6, 2, point => point.P50Ns)];
        Series[] series = [throughput, .. latencies.Where(each => each.Points.Count > 0)];
        TimelineEvent[] events = [.. timeline.Events.Where(made => made.StartSeconds <= end)
            .OrderBy(made => (uint)Array.IndexOf(KnownKinds, made.Kind)).ThenBy(made => made.Kind, StringComparer.Ordinal).ThenBy(made => made.StartSeconds)];
        var isOfRounds = IsOfRounds(timeline);
        var interval = $"{(isOfRounds ? "All rounds" : $"Pass {Format.Count(timeline.Pass + 1)} of {Format.Count(view.Record.Passes.Count)}")}, in intervals of {Format.Number(Math.Round(timeline.IntervalSeconds * 1e3, 3))} ms";
        return new Chart
        {
            Id = id,
            Title = view.RunLabel.Length == 0 ? title : $"{view.RunLabel}: {title}",
            Subtitle = string.Join(". ", new[] { held, interval, timeline.EventsLeftOut == 0 ? "" : $"{Format.Count(timeline.EventsLeftOut)} shorter events are not shown" }.Where(text => text.Length > 0)),
            Kind = ChartKind.Timeline,
            X = new Axis(isOfRounds ? "Seconds" : "Seconds of the pass", Quantity.Seconds, AxisScale.Linear) { Min = 0, Max = end },
            Y = new Axis("Throughput", Quantity.BytesPerSecond, AxisScale.Linear) { Min = 0 },
            LowerY = new Axis("Latency", Quantity.Nanoseconds, AxisScale.Log),
            Series = series,
            Events = [.. events.Select(made => new ChartEvent(made.Kind, made.StartSeconds, made.Seconds,
                $"{made.Kind}, {Format.Seconds(made.Seconds)}" + (made.Bytes > 0 ? $", {Format.Bytes(made.Bytes)}" : "")))],
            Finding = $"{title}, over {Format.Seconds(end)}: throughput per interval "
                + $"{Format.Interval(Quantity.BytesPerSecond, throughput.Points.Min(point => point.Y), throughput.Points.Max(point => point.Y))}"
                + (timeline.Points.Max(point => point.MaxNs) is { } slowest ? $"; the slowest {view.Record.Operation.ToLowerInvariant()} took {Format.Nanoseconds(slowest)}" : "")
                + string.Concat(events.GroupBy(made => made.Kind).Select(kind => $"; {Format.Count(kind.Count())} × {kind.Key}, the longest {Format.Seconds(kind.Max(made => made.Seconds))}")) + "."
                + (verdict == Verdict.Contradicted ? " The case is contradicted." : ""),
        };
    }

    /// <summary>
    /// The same case of several targets or runs: throughput above, the slowest operation below, a colour and a dash for
    /// each. Flushes and rolls are not drawn: whose they are could not be told. Null if fewer than two have a timeline.
    /// </summary>
    public static Chart? Overlaid(string id, string title, string held, IReadOnlyList<CaseView> views)
    {
        (CaseView View, TimelineRecord Timeline, double End)[] shown = [.. views
            .Where(view => !view.Failed && view.Record.Timeline is { IntervalSeconds: > 0 } timeline && timeline.Points.Any(point => point.Operations > 0))
            .Select(view => (view, view.Record.Timeline!, End(view, view.Record.Timeline!)))];
        if (shown.Length < 2)
            return null;
        Series Of(CaseView view, int panel, IEnumerable<(double Start, double Figure)> figures) =>
            new(view.RunName, [.. figures.Select(figure => new ChartPoint(figure.Start, figure.Figure, view.Record.Evidence.Verdict) { Note = CaseCharts.Note(view) })])
            {
                Color = view.RunIndex,
                Variant = view.RunIndex,
                Panel = panel,
            };
        Series[] throughput = [.. shown.Select(one => Of(one.View, 0, Rates(one.Timeline, one.End)))];
        Series[] slowest = [.. shown.Select(one => Of(one.View, 1, one.Timeline.Points.Where(point => point.MaxNs > 0).Select(point => (point.StartSeconds, (double)point.MaxNs!.Value))))];
        string Told((CaseView View, TimelineRecord Timeline, double End) one, Series series) =>
            $"{one.View.RunName} {Format.Interval(Quantity.BytesPerSecond, series.Points.Min(point => point.Y), series.Points.Max(point => point.Y))}"
            + (one.Timeline.Points.Max(point => point.MaxNs) is { } longest ? $", slowest {Format.Nanoseconds(longest)}" : "")
            + (one.View.Status == CaseStatus.Contradicted ? " (contradicted)" : "");
        return new Chart
        {
            Id = id,
            Title = title,
            Subtitle = string.Join(". ", new[] { held, "Below: the slowest of each interval" }.Where(text => text.Length > 0)),
            Kind = ChartKind.Timeline,
            X = new Axis(shown.Any(one => IsOfRounds(one.Timeline)) ? "Seconds" : "Seconds of the pass", Quantity.Seconds, AxisScale.Linear) { Min = 0, Max = shown.Max(one => one.End) },
            Y = new Axis("Throughput", Quantity.BytesPerSecond, AxisScale.Linear) { Min = 0 },
            LowerY = new Axis("Slowest", Quantity.Nanoseconds, AxisScale.Log),
            Series = [.. throughput, .. slowest.Where(each => each.Points.Count > 0)],
            Finding = $"{title}, throughput per interval: {string.Join("; ", shown.Zip(throughput, Told))}.",
        };
    }

    private static bool IsOfRounds(TimelineRecord timeline) => timeline.Pass == TimelineRecord.BeforePasses;

    /// <summary>The end of the pass, or of its last interval if the pass is not among what is recorded; of rounds the end of the last whole interval.</summary>
    private static double End(CaseView view, TimelineRecord timeline)
    {
        var last = timeline.Points[^1].StartSeconds;
        // The rounds end somewhere in the last interval; as if it were whole, its rate would be a fall that there was not.
        if (IsOfRounds(timeline) && timeline.Points.Count > 1)
            return last;
        var seconds = timeline.Pass >= 0 && timeline.Pass < view.Record.Passes.Count ? view.Record.Passes[timeline.Pass].Seconds : 0;
        return seconds > last ? Math.Min(seconds, last + timeline.IntervalSeconds) : last + timeline.IntervalSeconds;
    }

    /// <summary>Bytes per second of each interval; a stump at the end is counted with the interval before it, and one of unknown length not at all.</summary>
    private static IEnumerable<(double Start, double BytesPerSecond)> Rates(TimelineRecord timeline, double end)
    {
        var points = timeline.Points;
        var stump = points.Count > 1 && end - points[^1].StartSeconds < FewestOfInterval * timeline.IntervalSeconds;
        var count = stump ? points.Count - 1 : points.Count;
        for (var index = 0; index < count; index++)
        {
            var isLast = index == count - 1;
            var length = isLast ? end - points[index].StartSeconds : timeline.IntervalSeconds;
            yield return (points[index].StartSeconds, (points[index].Bytes + (isLast && stump && end > points[^1].StartSeconds ? points[^1].Bytes : 0)) / length);
        }
    }
}
