using Bench.Reports.Charts;
using Bench.Reports.Content;

namespace Bench.Reports.Families;

/// <summary>The page cache against direct I/O: by block size, by queue depth, by threads, and as distributions.</summary>
internal static class CachePathFamily
{
    public const string Workload = "CachePath";
    public const string Id = "cache-path";

    public static Section Build(IReadOnlyList<CaseView> cases)
    {
        var colors = new SeriesColors("direct", "buffered, cold", "buffered, warm", "mmap", "uncached");
        var one = cases.Where(view => view["QueueDepth"] is "1" or "-" && view["Threads"] is "1" or "-").ToArray();
        // Where both engines ran at depth 1, psync stands for "one at a time"; the queue's charts show the other.
        var single = one.Any(view => view["Engine"] == "psync") ? [.. one.Where(view => view["Engine"] == "psync")] : one;
        string[] workload = ["Access", "Operation", "Pattern", "BlockSize"];
        var engines = new SeriesColors("psync", "io_uring");
        return new Section(Id, "Page cache and direct I/O",
            "The same reads and writes through the page cache and past it. Cold means that no page of the file was in memory, warm that every page was; "
            + "the evidence of each case shows it.")
        {
            Groups = Section.GroupsOf(
                new ChartGroup("Throughput by block size", "One operation at a time.",
                    Over(single, "throughput", ["Operation", "Pattern"], "BlockSize", CaseFigure.Throughput, colors)),
                new ChartGroup("Latency by block size", "One operation at a time. The point is the median operation, the whisker reaches the 99th percentile.",
                    Over(single, "latency", ["Operation", "Pattern"], "BlockSize", CaseFigure.MedianLatency, colors)),
                new ChartGroup("By queue depth", "What a deeper queue gives, and what it costs each operation.",
                [
                    .. Over(Sweep(cases, workload, "QueueDepth"), "depth-iops", workload, "QueueDepth", CaseFigure.Operations, engines),
                    .. Over(Sweep(cases, workload, "QueueDepth"), "depth-latency", workload, "QueueDepth", CaseFigure.MedianLatency, engines),
                ]),
                new ChartGroup("By threads", Depths(Sweep(cases, workload, "Threads")),
                    Over(Sweep(cases, workload, "Threads"), "threads", workload, "Threads", CaseFigure.Operations, new SeriesColors())),
                new ChartGroup("Latency percentiles", "Both axes are logarithmic; each step to the right is one nine more. A curve ends with its slowest operation.",
                [
                    .. Percentiles(single, "percentiles", ["Operation", "Pattern", "BlockSize"], colors),
                    .. Percentiles(Sweep(cases, workload, "QueueDepth"), "percentiles-depth", workload, null),
                ])),
            Cases = CaseTable.Of("All cache-path cases", cases),
            Views = cases,
        };
    }

    /// <summary>How many requests each thread has under way: what else would look like the engine's doing.</summary>
    private static string Depths(CaseView[] cases) => string.Join(", ", cases.Where(view => view["Engine"] != "-").GroupBy(view => view["Engine"])
        .Select(group => $"{group.Key} with {string.Join(" or ", CaseCharts.Values(group, "QueueDepth").Select(depth => depth == "-" ? "1" : depth))}")) is { Length: > 0 } told ? $"Requests that each thread has under way: {told}." : "";

    private static IReadOnlyList<Chart> Over(IReadOnlyList<CaseView> cases, string id, string[] facets, string parameter, CaseFigure shows, SeriesColors colors) =>
        Section.Drawn(CaseCharts.Facets(cases, facets).Select((facet, index) =>
            CaseCharts.Over(FormattableString.Invariant($"{Id}-{id}-{index + 1}"), facet.Name, "", facet.Cases, parameter, shows, colors)));

    private static IReadOnlyList<Chart> Percentiles(IReadOnlyList<CaseView> cases, string id, string[] facets, SeriesColors? colors) =>
        Section.Drawn(CaseCharts.Facets(cases, facets).Select((facet, index) =>
            CaseCharts.Percentiles(FormattableString.Invariant($"{Id}-{id}-{index + 1}"), facet.Name, "", facet.Cases, colors)));

    /// <summary>The cases of the facets in which a parameter takes several values.</summary>
    private static CaseView[] Sweep(IReadOnlyList<CaseView> cases, string[] facets, string parameter) =>
        [.. CaseCharts.Facets(cases, facets).Where(facet => CaseCharts.Sweeps(facet.Cases, parameter)).SelectMany(facet => facet.Cases)];
}
