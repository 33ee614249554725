using Bench.Measure;
using Bench.Measure.Records;

namespace Bench.Reports.Content;

/// <summary>
/// A latency distribution as points on an axis of nines: 1 / (1 − p) against nanoseconds. A percentile is given only
/// as far as the count carries it: of 5,000 operations there is no p99.999. The last point is the maximum.
/// </summary>
internal static class LatencyCurve
{
    private const int StepsPerNine = 8;

    /// <summary>Every percentile that a table shows is exactly among them.</summary>
    private static readonly double[] Steps =
    [
        .. Enumerable.Range(0, 8 * StepsPerNine).Select(step => Math.Pow(10, (double)step / StepsPerNine))
            .Append(2).Select(nines => Math.Round(nines, 6)).Order(),
    ];

    public static IReadOnlyList<(double Nines, double Nanoseconds)> Of(LatencyRecord latency)
    {
        if (latency.Count <= 0)
            return [];
        var points = FromHistogram(latency) ?? FromSummary(latency);
        return [.. points.Where(point => point.Nines < latency.Count), (Math.Max(latency.Count, 1.0), latency.Max)];
    }

    private static (double Nines, double Nanoseconds)[]? FromHistogram(LatencyRecord latency)
    {
        try
        {
            var histogram = LatencyHistogram.Parse(latency.Histogram);
            return histogram.Count == 0 ? null
                : [.. Steps.Where(nines => nines <= latency.Count).Select(nines => (nines, (double)histogram.ValueAtPercentile(100 * (1 - 1 / nines))))];
        }
        catch (RecordException)
        {
            // No histogram, or one of another tool: the summary has the same percentiles, only fewer.
            return null;
        }
    }

    private static (double Nines, double Nanoseconds)[] FromSummary(LatencyRecord latency) =>
    [
        (1, latency.Min), (2, latency.P50), (10, latency.P90), (100, latency.P99), (1_000, latency.P999),
        (10_000, latency.P9999), (100_000, latency.P99999),
    ];
}
