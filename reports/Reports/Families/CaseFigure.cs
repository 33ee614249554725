using Bench.Measure.Records;
using Bench.Reports.Content;

namespace Bench.Reports.Families;

/// <summary>One figure of a case that a chart can show.</summary>
/// <param name="AxisName">The axis's name.</param>
/// <param name="Quantity">How it is written.</param>
/// <param name="Figure">The figure with its interval; null if the case has none.</param>
/// <param name="Spread">What the interval is, if it is none of the median over passes.</param>
internal sealed record CaseFigure(string AxisName, Quantity Quantity, Func<CaseView, Estimate?> Figure, string? Spread = null)
{
    public static CaseFigure Throughput { get; } =
        new("Throughput", Quantity.BytesPerSecond, view => view.Record.BytesPerSecond);

    public static CaseFigure Operations { get; } =
        new("Operations per second", Quantity.OperationsPerSecond, view => view.Record.OperationsPerSecond);

    public static CaseFigure Values { get; } =
        new("4-byte values per second", Quantity.ValuesPerSecond, view => view.Record.Metrics.GetValueOrDefault("valuesPerSecond"));

    /// <summary>A spread, no confidence interval: the median operation, and as the whisker's end the 99th percentile.</summary>
    public static CaseFigure MedianLatency { get; } =
        new("Latency", Quantity.Nanoseconds,
            view => view.Latency is { Count: > 0 } latency ? new Estimate(latency.P50, latency.P50, latency.P99) : null,
            "from p50 to p99");

    /// <summary>The 99th percentile; its spread reaches down to the median. (Up to the slowest it would hide all others.)</summary>
    public static CaseFigure HighLatency { get; } =
        new("99th percentile of latency", Quantity.Nanoseconds,
            view => view.Latency is { Count: >= 100 } latency ? new Estimate(latency.P99, latency.P50, latency.P99) : null,
            "from p50 to p99");

    /// <summary>One of the record's further figures.</summary>
    public static CaseFigure Metric(string metric, string axisName, Quantity quantity) =>
        new(axisName, quantity, view => view.Record.Metrics.GetValueOrDefault(metric));

    /// <summary>What the interval is, of some cases.</summary>
    public string IntervalMeaning(IEnumerable<CaseView> cases) => Spread ?? PassInterval.Words(cases);
}
