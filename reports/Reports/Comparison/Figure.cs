using System.Text.Json.Serialization;
using Bench.Measure.Records;

namespace Bench.Reports.Comparison;

/// <summary>A figure of a case that is compared between runs.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Figure>))]
public enum Figure
{
    /// <summary>Bytes per second over the passes of a launch, their median.</summary>
    [JsonStringEnumMemberName("throughput")]
    Throughput,

    /// <summary>The 99th percentile of the latency of the case's own operation, over all passes of a launch.</summary>
    [JsonStringEnumMemberName("p99")]
    P99,

    /// <summary>CPU time of the process per operation in nanoseconds, user and system, the median of the passes of a launch.</summary>
    [JsonStringEnumMemberName("cpu")]
    CpuPerOperation,
}

/// <summary>The figures of records.</summary>
public static class Figures
{
    /// <summary>Fewest operations for a 99th percentile that is not the maximum's other name.</summary>
    internal const int FewestForP99 = 1_000;

    /// <summary>All, in the order in which they are shown.</summary>
    public static IReadOnlyList<Figure> All { get; } = [Figure.Throughput, Figure.P99, Figure.CpuPerOperation];

    /// <summary>Its name as it is written everywhere: throughput, p99, CPU.</summary>
    public static string Name(this Figure figure) => figure switch
    {
        Figure.Throughput => "throughput",
        Figure.P99 => "p99",
        _ => "CPU",
    };

    /// <summary>How its values are written.</summary>
    public static Quantity Quantity(this Figure figure) => figure == Figure.Throughput ? Reports.Quantity.BytesPerSecond : Reports.Quantity.Nanoseconds;

    /// <summary>True if a higher value is better.</summary>
    public static bool HigherIsBetter(this Figure figure) => figure == Figure.Throughput;

    /// <summary>
    /// The value of one launch: bytes per second, or nanoseconds. Null if the case failed or has
    /// none: memory is timed by the batch and has no p99, and a p99 needs a thousand operations.
    /// </summary>
    public static double? Of(RunRecord record, Figure figure)
    {
        if (record.Error is not null || record.Passes.Count == 0)
            return null;
        double? value = figure switch
        {
            Figure.Throughput => record.BytesPerSecond?.Median,
            Figure.P99 => LatencyOf(record) is { Count: >= FewestForP99 } latency ? latency.P99 : null,
            _ => MedianOf(record.Passes.Where(pass => pass.Operations > 0).Select(pass => (pass.CpuUserSeconds + pass.CpuSystemSeconds) * 1e9 / pass.Operations)),
        };
        return value > 0 && double.IsFinite(value.Value) ? value : null;
    }

    /// <summary>The latencies of the case's own operation; null if it was not timed by the operation.</summary>
    public static LatencyRecord? LatencyOf(RunRecord? record) =>
        record is not null && record.LatencyNs.TryGetValue(record.Operation.ToLowerInvariant(), out var latency) ? latency : null;

    private static double? MedianOf(IEnumerable<double> values) => Measure.MedianInterval.Of(values)?.Median;
}
