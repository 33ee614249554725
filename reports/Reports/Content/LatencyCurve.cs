using Bench.Measure.Records;

namespace Bench.Reports.Content;

/// <summary>
/// A latency distribution as points on an axis of nines: 1 / (1 − p) against nanoseconds. A percentile is given only
/// as far as the count carries it: of 5,000 operations there is no p99.999. The last point is the maximum.
/// </summary>
internal static class LatencyCurve
{
    public static IReadOnlyList<(double Nines, double Nanoseconds)> Of(LatencyRecord latency)
    {
        if (latency.Count <= 0)
            return [];
        (double, double)[] points = [(1, latency.Min), (2, latency.P50), (10, latency.P90), (100, latency.P99),
            (1_000, latency.P999), (10_000, latency.P9999), (100_000, latency.P99999)];
        return [.. points.Where(point => point.Item1 <= latency.Count), (Math.Max(latency.Count, 1.0), latency.Max)];
    }
}
