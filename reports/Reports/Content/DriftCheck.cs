using Bench.Measure.Records;

namespace Bench.Reports.Content;

/// <summary>
/// A profile measures some cells twice: once among the access patterns, once among the cache paths, minutes apart. An
/// interval over the passes of one case knows only what varies within seconds. Where two such intervals do not meet,
/// the machine drifts by more, and the reader is told before any figure. (BenchmarkDotNet and fio have no such
/// check: each case there is measured in one place and looks as steady as its own seconds.)
/// </summary>
internal static class DriftCheck
{
    /// <summary>A sentence for each run or target with such cells, with the one that is furthest apart.</summary>
    public static IEnumerable<string> Of(IReadOnlyList<CaseView> cases) => cases
        .Where(view => !view.Failed && view.Record.BytesPerSecond is not null)
        .Select(view => (View: view, Cell: CellOf(view)))
        .Where(pair => pair.Cell is not null)
        .GroupBy(pair => (pair.View.RunIndex, pair.Cell), pair => pair.View)
        .Where(twice => twice.Select(view => view.Record.Workload).Distinct().Skip(1).Any())
        .Select(twice => (Slow: twice.MinBy(Median)!, Fast: twice.MaxBy(Median)!))
        .Where(pair => pair.Slow.Record.BytesPerSecond!.High < pair.Fast.Record.BytesPerSecond!.Low)
        .GroupBy(pair => pair.Slow.RunIndex)
        .Select(run => Sentence([.. run.OrderByDescending(pair => Median(pair.Fast) / Median(pair.Slow))]));

    private static double Median(CaseView view) => view.Record.BytesPerSecond!.Median;

    /// <summary>What both workloads measure alike: direct, one request at a time. Null for any other case.</summary>
    private static string? CellOf(CaseView view)
    {
        var disk = view.Record.Workload == "AccessPattern" && view["Medium"] == "Disk";
        var direct = view.Record.Workload == "CachePath" && view["Access"] == "Direct" && view["Engine"] == "psync" && view["Threads"] == "1";
        if (!disk && !direct)
            return null;
        // A single value of 4 bytes costs the disk a page.
        var bytes = view["BlockSize"] == "4B" ? "4KiB" : view["BlockSize"];
        return $"direct {view.Say("Pattern")} {view.Say("Operation")} of {Words.Size(bytes)}";
    }

    private static string Sentence((CaseView Slow, CaseView Fast)[] drifted)
    {
        var (slow, fast) = drifted[0];
        return $"{(slow.RunName.Length == 0 ? "Measured" : slow.RunName + ": measured")} twice in this run, a {CellOf(slow)} gave {Format.Value(Quantity.BytesPerSecond, Median(slow))} and "
            + $"{Format.Value(Quantity.BytesPerSecond, Median(fast))}, with intervals that do not meet{(drifted.Length == 1 ? "" : $" ({Format.Count(drifted.Length - 1, "more case")} by less)")}: this machine drifts by more than the interval of one case can say.";
    }
}
