using Bench.Reports.Charts;
using Bench.Reports.Content;

namespace Bench.Reports.Families;

/// <summary>Readers of the log: at the tail, catching up, and by lookup; and what they do to a writer beside them.</summary>
internal static class LogReadFamily
{
    public const string Workload = "LogRead";
    public const string Id = "log-read";

    private static readonly string[] Told = ["Method", "FetchSize"];

    public static CaseFigure WriterP99 { get; } = CaseFigure.Metric("writerP99Ns", "The writer’s 99th percentile", Quantity.Nanoseconds);

    public static Section Build(IReadOnlyList<CaseView> cases)
    {
        var methods = new SeriesColors("sendfile", "read + write");
        string[] facets = ["Position"];
        return new Section(Id, "Reading the log",
            "Fetches from the segment log. A reader at the tail finds what was just written in memory; one that catches up reads history that is not in memory, and shares disk and cache with the writer.")
        {
            Groups = Section.GroupsOf(
                new ChartGroup("Throughput by fetch size", "", Over(cases, facets, "throughput", CaseFigure.Throughput, methods)),
                new ChartGroup("Latency of a fetch by fetch size", "The point is the median fetch, the whisker reaches the 99th percentile.", Over(cases, facets, "latency", CaseFigure.MedianLatency, methods)),
                new ChartGroup("CPU seconds per GB", "", Section.Drawn([CaseCharts.Bars($"{Id}-cpu", "All cases", "", cases, CaseFigure.Metric("cpuSecondsPerGB", "CPU seconds per GB", Quantity.CpuSecondsPerGB))])),
                new ChartGroup("What a reader does to the writer", "How slow the slowest appends of the writer beside the reader become.",
                [
                    .. Section.Drawn([CaseCharts.Bars($"{Id}-writer", "The writer’s 99th percentile", "", cases, WriterP99)]),
                    .. Section.Drawn(WithWriter(cases).Select((facet, index) =>
                        CaseCharts.Percentiles(FormattableString.Invariant($"{Id}-writer-percentiles-{index + 1}"), "The writer’s appends", facet.Name, facet.Cases, kind: "append"))),
                ]),
                new ChartGroup("Latency percentiles", "Both axes are logarithmic; each step to the right is one nine more. A curve ends with its slowest fetch.",
                    Section.Drawn(CaseCharts.Facets(cases, facets).Select((facet, index) =>
                        CaseCharts.Percentiles(FormattableString.Invariant($"{Id}-percentiles-{index + 1}"), facet.Name, "", facet.Cases)))),
                new ChartGroup("Within a pass", "A step is the mean of its interval.",
                    Section.Drawn(cases.Where(view => view.Record.Timeline is not null).DistinctBy(view => (view.RunIndex, view["Position"], view["Writer"]))
                        .Select((view, index) => TimelineChart.Of(FormattableString.Invariant($"{Id}-timeline-{index + 1}"), view.Name, "", view))))),
            Cases = CaseTable.Of("All read cases", cases),
            Views = cases,
        };
    }

    /// <summary>A reader at the tail has the writer that it waits for; others have one beside them, or none.</summary>
    private static IEnumerable<(string Name, CaseView[] Cases)> WithWriter(IReadOnlyList<CaseView> cases) =>
    [
        ("What a reader at the tail waits for", [.. cases.Where(view => view["Position"] == "Tail")]),
        .. CaseCharts.Facets([.. cases.Where(view => view["Position"] != "Tail" && view["Writer"] is not ("None" or "-"))], "Writer"),
    ];

    private static IReadOnlyList<Chart> Over(IReadOnlyList<CaseView> cases, string[] facets, string id, CaseFigure shows, SeriesColors colors) =>
        Section.Drawn(CaseCharts.Facets(cases, facets).Select((facet, index) =>
            CaseCharts.Over(FormattableString.Invariant($"{Id}-{id}-{index + 1}"), facet.Name, LogCases.Held(facet.Cases, Told), facet.Cases, "FetchSize", shows, colors)));
}
