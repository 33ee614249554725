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
        var single = cases.Where(view => view["QueueDepth"] is "1" or "-" && view["Threads"] is "1" or "-").ToArray();
        return new Section(Id, "Page cache and direct I/O",
            "The same reads and writes through the page cache and past it. Cold means that no page of the file was in memory, warm that every page was; "
            + "the evidence of each case shows it.")
        {
            Groups = Section.GroupsOf(
                new ChartGroup("Throughput by block size", "One operation at a time.",
                    Over(single, "throughput", ["Operation", "Pattern"], "BlockSize", CaseFigure.Throughput, colors, always: true)),
                new ChartGroup("Latency by block size", "One operation at a time. The point is the median operation, the whisker reaches the 99th percentile.",
                    Over(single, "latency", ["Operation", "Pattern"], "BlockSize", CaseFigure.MedianLatency, colors, always: true)),
                new ChartGroup("Operations per second by queue depth", "",
                    Over(cases, "depth-iops", ["Access", "Operation", "Pattern", "BlockSize"], "QueueDepth", CaseFigure.Operations, new SeriesColors("psync", "io_uring"))),
                new ChartGroup("Latency by queue depth", "What the throughput above costs each operation. The point is the median, the whisker reaches the 99th percentile.",
                    Over(cases, "depth-latency", ["Access", "Operation", "Pattern", "BlockSize"], "QueueDepth", CaseFigure.MedianLatency, new SeriesColors("psync", "io_uring"))),
                new ChartGroup("Operations per second by threads", "",
                    Over(cases, "threads", ["Access", "Operation", "Pattern", "BlockSize"], "Threads", CaseFigure.Operations, new SeriesColors())),
                new ChartGroup("Latency percentiles", "Both axes are logarithmic; each step to the right is one nine more. A curve ends with its slowest operation.",
                    Section.Drawn([.. CaseCharts.Facets(cases, "Operation", "Pattern", "BlockSize")
                        .Select((facet, index) => CaseCharts.Percentiles($"{Id}-percentiles-{index + 1}", facet.Name, "", facet.Cases))]))),
            Cases = CaseTable.Of("All cache-path cases", cases),
            Views = cases,
        };
    }

    private static IReadOnlyList<Chart> Over(IReadOnlyList<CaseView> cases, string id, string[] facets, string parameter, CaseFigure shows,
        SeriesColors colors, bool always = false) =>
        Section.Drawn([.. CaseCharts.Facets(cases, facets).Select((facet, index) =>
            !always && CaseCharts.Values(facet.Cases, parameter).Length < 2 ? null
            : CaseCharts.Over($"{Id}-{id}-{index + 1}", facet.Name, "", facet.Cases, parameter, shows, colors))]);
}
