using Bench.Reports.Charts;
using Bench.Reports.Content;

namespace Bench.Reports.Families;

/// <summary>What a batch costs the processor before any disk sees it: encoding, checksum, compression.</summary>
internal static class LogEncodeFamily
{
    public const string Workload = "LogEncode";
    public const string Id = "log-encode";

    /// <summary>Two record sizes are seen side by side in the bars; from three on a line tells more.</summary>
    private const int FewestSizesOfALine = 3;

    /// <summary>In the order in which a batch goes through them.</summary>
    private static readonly string[] Steps = ["Encode", "Crc", "Compress", "Decompress", "Decode"];

    public static Section Build(IReadOnlyList<CaseView> cases)
    {
        CaseView[] ordered = [.. cases.OrderBy(view => (uint)Array.IndexOf(Steps, view["Step"])).ThenBy(view => view["Compression"], StringComparer.Ordinal)];
        string[] facets = ["RecordSize", "BatchSize"];
        return new Section(Id, "Encoding a batch", "Each step alone, in memory, on one thread. The slowest step that a log uses bounds what one thread can append.")
        {
            Groups = Section.GroupsOf(
                new ChartGroup("Throughput of each step", "",
                    Section.Drawn(CaseCharts.Facets(ordered, facets).Select((facet, index) =>
                        CaseCharts.Bars(FormattableString.Invariant($"{Id}-throughput-{index + 1}"), facet.Name.Length == 0 ? "All steps" : facet.Name, "", facet.Cases, CaseFigure.Throughput)))),
                new ChartGroup("By record size", "",
                    Section.Drawn(CaseCharts.Facets(CaseCharts.Swept(ordered, "RecordSize"), "Step").Where(facet => CaseCharts.Values(facet.Cases, "RecordSize").Length >= FewestSizesOfALine).Select((facet, index) =>
                        CaseCharts.Over(FormattableString.Invariant($"{Id}-records-{index + 1}"), facet.Name, "", facet.Cases, "RecordSize", CaseFigure.Throughput, new SeriesColors()))))),
            Cases = CaseTable.Of("All encoding cases", ordered),
            Views = cases,
        };
    }
}
