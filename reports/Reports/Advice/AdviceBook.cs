using Bench.Measure.Records;
using Bench.Reports.Content;
using Bench.Reports.Families;
using Bench.Reports.Limits;
using Bench.Reports.Statistics;

namespace Bench.Reports.Advice;

/// <summary>What to set on each target, and what the targets are worth to each other.</summary>
/// <param name="Targets">The advice for each target that has one.</param>
/// <param name="Between">Which target serves a wish best, a sentence for each wish; empty with fewer than two.</param>
internal sealed record AdviceBook(IReadOnlyList<TargetAdvice> Targets, IReadOnlyList<string> Between)
{
    /// <summary>The advice for all runs.</summary>
    public static AdviceBook Of(IReadOnlyList<RunView> runs)
    {
        TargetAdvice[] targets = [.. runs.Select(TargetAdvice.Of).OfType<TargetAdvice>()];
        // Several runs over one target are compared by 'bench compare'; this page compares what it measured in turns.
        var inTurns = runs.Select(run => run.Name).Distinct(StringComparer.Ordinal).Count() == 1;
        return new AdviceBook(targets, targets.Length < 2 || !inTurns ? [] :
            [.. targets.SelectMany(target => target.Wishes).Select(wish => wish.Id).Distinct().Select(id => Compared(targets, id)).OfType<string>(), .. Cached(runs, targets)]);
    }

    /// <summary>
    /// Who does not wait for a flush is as fast as the page cache, on a hard disk too, until that is full: what a device can
    /// keep up stands beside it, or the slowest one could seem the best.
    /// </summary>
    private static IEnumerable<string> Cached(IReadOnlyList<RunView> runs, TargetAdvice[] targets)
    {
        if (!targets.Any(target => target.Wishes.Any(wish => wish.Id == "throughput" && FlushPolicy.Kind(wish.Choice[FlushPolicy.Parameter]) is not ("each" or "group"))))
            yield break;
        string[] known = [.. targets.Select(target => (target.Label.Full, Limit: Roofline.LimitsOf(runs.First(run => run.Label == target.Label).Cases).FirstOrDefault(limit => limit.Resource == Resource.DeviceWrite)))
            .Select(one => $"{one.Full} {(one.Limit is { } limit ? Format.Value(Quantity.BytesPerSecond, limit.PerSecond) : "not shown")}")];
        yield return $"Without a wait for flushes that is the throughput of the page cache, for as long as it takes the appends in. The fastest direct writes, which bound what a target keeps up: {string.Join(", ", known)}.";
    }

    private static string? Compared(TargetAdvice[] targets, string id)
    {
        (string Target, Wish Wish)[] all = [.. targets.SelectMany(target => target.Wishes.Where(wish => wish.Id == id).Select(wish => (target.Label.Full, wish)))];
        if (all.Length < 2)
            return null;
        if (id == "latency")
        {
            var ordered = all.OrderBy(one => one.Wish.Choice.Latency!.P99).ToArray();
            return $"{ordered[0].Wish.Title}: {ordered[0].Target}; {string.Join(", ", ordered.Skip(1).Select(one => $"{one.Target} has {Format.Ratio((double)one.Wish.Choice.Latency!.P99 / ordered[0].Wish.Choice.Latency!.P99)} its 99th percentile"))}.";
        }
        var best = all.MaxBy(one => one.Wish.Choice.Record.BytesPerSecond!.Median);
        return $"{best.Wish.Title}: {best.Target}; {string.Join(", ", all.Where(one => one != best).Select(one => $"{Times(best.Wish.Choice, one.Wish.Choice)} {one.Target}"))}.";
    }

    private static string Times(CaseView best, CaseView other)
    {
        double Rate(PassRecord pass) => pass.Bytes / pass.Seconds;
        var ratio = PassRatio.Of(best.PerPass(Rate), other.PerPass(Rate));
        return ratio is null ? "nothing to compare with" : ratio.IncludesOne ? "no difference was shown to" : $"{Format.Ratio(ratio.Value)} ({Format.RatioInterval(ratio.Low, ratio.High)}) the throughput of";
    }
}
