using System.Text.Json.Serialization;
using Bench.Reports.Comparison;

namespace Bench.Reports.History;

/// <summary>A figure of a case that is another since some run.</summary>
public sealed record HistoryChange
{
    /// <summary>The case.</summary>
    public required string Case { get; init; }

    /// <summary>The figure.</summary>
    public required Figure Figure { get; init; }

    /// <summary>The profile of the runs.</summary>
    public required string Profile { get; init; }

    /// <summary>The kind of place where they were measured.</summary>
    public required string Place { get; init; }

    /// <summary>How many times as high the figure is since: Hodges–Lehmann over the runs before and after.</summary>
    public required double Ratio { get; init; }

    /// <summary>The median before, bytes per second or nanoseconds.</summary>
    public required double Before { get; init; }

    /// <summary>The median since, up to the next change.</summary>
    public required double After { get; init; }

    /// <summary>Runs from the change before to this one.</summary>
    public required int RunsBefore { get; init; }

    /// <summary>Runs from this change to the next, or to the present.</summary>
    public required int RunsAfter { get; init; }

    /// <summary>The probability that a history without any change shows one like it.</summary>
    public required double PValue { get; init; }

    /// <summary>True if the figure got worse.</summary>
    public required bool Slower { get; init; }

    /// <summary>True if no other change of this figure came after it.</summary>
    public required bool Newest { get; init; }

    /// <summary>The last run before it.</summary>
    public required HistoryRun LastBefore { get; init; }

    /// <summary>The first run after it.</summary>
    public required HistoryRun FirstAfter { get; init; }

    /// <summary>What is another in machine, device and software between those two.</summary>
    [JsonIgnore]
    public IReadOnlyList<TraitDifference> Differences => LastBefore.Fingerprint.DifferencesTo(FirstAfter.Fingerprint);
}

/// <summary>
/// Looks for changes in the lines of a history.
/// <para>
/// github-action-benchmark compares a run with the one before, Bencher's percentage threshold with a mean: one bad run is
/// an alarm, and a slow creep is none. rustc-perf compares two commits. MongoDB's signal processing,
/// Hunter and Otava look for change points by E-divisive means, as this does by ED-PELT; they name the run too, but
/// not what else is new on the machine, and they do not know that a run did not measure what it claims.
/// </para>
/// </summary>
public static class HistoryCheck
{
    /// <summary>
    /// The changes in all cases; as many cases at a time as there are processors. With every figure that is looked at
    /// chance has one try more, so the limit is that of Benjamini and Hochberg (1995): if nothing has changed anywhere,
    /// the whole check is silent but for <see cref="ChangePoints.FalseAlarmRate"/>, and of the changes in a check that
    /// has found some at most that share is false.
    /// </summary>
    /// <param name="cases">Their points.</param>
    /// <param name="figures">The figures.</param>
    /// <param name="margin">The smallest change that counts, as a share: 0.05 is 5 %.</param>
    public static HistoryCheckResult Of(IEnumerable<CaseHistory> cases, IReadOnlyList<Figure> figures, double margin)
    {
        var looked = cases.AsParallel().AsOrdered().SelectMany(HistoryLine.Of)
            .SelectMany(line => figures.Select(figure => Look(line, figure, margin))).Where(one => one.Values.Length > 0).ToArray();
        var judged = looked.Count(one => one.Values.Length >= ChangePoints.FewestValues);
        var limit = Limit([.. looked.Where(one => one.Steps.Count > 0).Select(one => one.Steps.Min(step => step.PValue))], judged);
        return new HistoryCheckResult(
            [.. looked.Where(one => one.Steps.Count > 0).SelectMany(one => Describe(one with { Steps = ChangePoints.Certain(one.Values, one.Steps, margin, limit) }))],
            judged, looked.Length - judged);
    }

    /// <summary>The changes of a figure in one line, the oldest first, as if nothing else were looked at.</summary>
    /// <param name="line">The line.</param>
    /// <param name="figure">The figure.</param>
    /// <param name="margin">The smallest change that counts, as a share: 0.05 is 5 %.</param>
    public static IReadOnlyList<HistoryChange> Changes(HistoryLine line, Figure figure, double margin) => Describe(Look(line, figure, margin));

    /// <summary>The largest p-value that counts: the k-th smallest of n may be k / n of the rate.</summary>
    private static double Limit(double[] pValues, int judged)
    {
        const double rate = ChangePoints.FalseAlarmRate / 2;
        var found = pValues.Order().Index().Where(one => one.Item <= rate * (one.Index + 1) / judged).Select(one => one.Index + 1).LastOrDefault();
        return rate * found / Math.Max(1, judged);
    }

    private static Looked Look(HistoryLine line, Figure figure, double margin)
    {
        var points = line.Usable(figure);
        double[] values = [.. points.Select(point => point.Point.Of(figure)!.Value)];
        return new Looked(line, figure, points, values, ChangePoints.Find(values, margin));
    }

    private static HistoryChange[] Describe(Looked looked)
    {
        var (line, figure, points, values, steps) = looked;
        return [.. steps.Select((step, index) =>
        {
            var (from, to) = (index == 0 ? 0 : steps[index - 1].Start, index + 1 < steps.Count ? steps[index + 1].Start : values.Length);
            return new HistoryChange
            {
                Case = line.Case,
                Figure = figure,
                Profile = line.Profile,
                Place = line.Place,
                Ratio = step.Ratio,
                Before = Median(values[from..step.Start]),
                After = Median(values[step.Start..to]),
                RunsBefore = step.Start - from,
                RunsAfter = to - step.Start,
                PValue = step.PValue,
                Slower = step.Ratio > 1 != figure.HigherIsBetter(),
                Newest = to == values.Length,
                LastBefore = points[step.Start - 1].Run,
                FirstAfter = points[step.Start].Run,
            };
        })];
    }

    private static double Median(double[] values) => Measure.MedianInterval.Of(values)!.Median;

    private sealed record Looked(HistoryLine Line, Figure Figure, IReadOnlyList<PointOfRun> Points, double[] Values, IReadOnlyList<Step> Steps);
}

/// <summary>What a check found.</summary>
/// <param name="Changes">All changes, by case and figure, the oldest first.</param>
/// <param name="Judged">Figures of lines that had runs enough.</param>
/// <param name="TooFew">Figures of lines that had some, but too few.</param>
public sealed record HistoryCheckResult(IReadOnlyList<HistoryChange> Changes, int Judged, int TooFew)
{
    /// <summary>Figures that are worse since their last change.</summary>
    public int SlowerNow => Changes.Count(change => change is { Slower: true, Newest: true });
}
