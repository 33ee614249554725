using Bench.Measure.Records;
using Bench.Reports.Charts;
using Bench.Reports.Content;

namespace Bench.Reports.Families;

/// <summary>Sending a file: zero-copy against buffered copy, by the sender's CPU and by throughput.</summary>
internal static class TransferFamily
{
    public const string Workload = "Transfer";
    public const string Id = "transfer";

    private static readonly string[] FacetParameters = ["Socket", "Cache", "FileSize"];

    public static Section Build(IReadOnlyList<CaseView> cases)
    {
        var colors = new SeriesColors("sendfile", "read + write", "splice", "mmap + write", "io_uring", "TLS");
        var facets = CaseCharts.Facets(cases, FacetParameters).ToArray();
        return new Section(Id, "Zero-copy and copying",
            "A file sent to a receiver in a process of its own. CPU is the sender’s alone; the chunk size decides as much as the method, so compare within one chunk size.")
        {
            Groups = Section.GroupsOf(
                new ChartGroup("CPU seconds per GB", "The bar is the median of the sender’s user and system time together; the colours split it by their share over all passes.",
                    Section.Drawn([.. facets.Select((facet, index) => Cpu($"{Id}-cpu-{index + 1}", facet.Name, facet.Cases))])),
                new ChartGroup("Throughput by chunk size", "",
                    Section.Drawn([.. facets.Select((facet, index) =>
                        CaseCharts.Over($"{Id}-throughput-{index + 1}", facet.Name, "", facet.Cases, "ChunkSize", CaseFigure.Throughput, colors))]))),
            Cases = CaseTable.Of("All transfer cases", cases),
            Views = cases,
        };
    }

    private static Chart? Cpu(string id, string title, IReadOnlyCollection<CaseView> cases)
    {
        var shown = cases.Where(view => !view.Failed && Metric(view, "cpuSecondsPerGB") is { Median: > 0 })
            .OrderBy(view => Words.Order(view["ChunkSize"])).ThenBy(view => Metric(view, "cpuSecondsPerGB")!.Median).ToArray();
        if (shown.Length == 0)
            return null;
        var varying = CaseCharts.Varying(shown, [.. FacetParameters, "Method", "ChunkSize"]);
        var names = shown.Select(view => string.Join(" · ", new[] { view.RunLabel, view.Say("Method"), view.Say("ChunkSize"), CaseCharts.NameOf(view, varying) }
            .Where(text => text is not ("" or "-")))).ToArray();
        var most = shown.MaxBy(view => Metric(view, "cpuSecondsPerGB")!.Median)!;
        var least = shown.MinBy(view => Metric(view, "cpuSecondsPerGB")!.Median)!;
        // Medians do not add up: the median of the sum is not the sum of the medians, so the whole is split by shares.
        ChartPoint PointOf(CaseView view, int index, bool user)
        {
            var total = Metric(view, "cpuSecondsPerGB")!;
            var share = UserShare(view.Record.Passes);
            return new ChartPoint(index, total.Median * (user ? share : 1 - share), view.Record.Evidence.Verdict) { Low = view.HasInterval ? total.Low : null, High = view.HasInterval ? total.High : null, Note = CaseCharts.Note(view) };
        }
        return new Chart
        {
            Id = id,
            Title = title,
            Subtitle = $"Whiskers: {PassInterval.Words(shown)} of the two together",
            Kind = ChartKind.StackedBars,
            X = new Axis("Case", Quantity.Number, AxisScale.Category) { Categories = names },
            Y = new Axis("CPU seconds per GB", Quantity.CpuSecondsPerGB, AxisScale.Linear) { Min = 0 },
            Series =
            [
                new Series("system", [.. shown.Select((view, index) => PointOf(view, index, user: false))]) { Color = 0 },
                new Series("user", [.. shown.Select((view, index) => PointOf(view, index, user: true))]) { Color = 3 },
            ],
            IntervalMeaning = $"{PassInterval.Words(shown)} together",
            Finding = $"{title}: the sender’s CPU per GB is lowest with {names[Array.IndexOf(shown, least)]} "
                + $"({Format.Value(Quantity.CpuSecondsPerGB, Metric(least, "cpuSecondsPerGB")!.Median)}) and highest with {names[Array.IndexOf(shown, most)]} "
                + $"({Format.Value(Quantity.CpuSecondsPerGB, Metric(most, "cpuSecondsPerGB")!.Median)}).",
        };
    }

    private static double UserShare(IReadOnlyList<PassRecord> passes)
    {
        var (user, both) = (passes.Sum(pass => pass.CpuUserSeconds), passes.Sum(pass => pass.CpuUserSeconds + pass.CpuSystemSeconds));
        return both > 0 ? user / both : 0;
    }

    private static Estimate? Metric(CaseView view, string name) => view.Record.Metrics.GetValueOrDefault(name);
}
