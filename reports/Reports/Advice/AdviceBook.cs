using Bench.Measure;
using Bench.Reports.Content;
using Bench.Reports.Families;
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
            [.. targets.SelectMany(target => target.Wishes).Select(wish => wish.Id).Distinct().SelectMany(id => Compared(targets, id))]);
    }

    private static IEnumerable<string> Compared(TargetAdvice[] targets, string id)
    {
        (string Target, Wish Wish)[] all = [.. targets.SelectMany(target => target.Wishes.Where(wish => wish.Id == id).Select(wish => (target.Label.Full, wish)))];
        return all.Length < 2 ? [] : id switch
        {
            "latency" => [ByLatency(all)],
            "throughput" when all.Any(one => !FlushPolicy.Waits(one.Wish.Choice)) && all.All(one => one.Wish.Choice.RatesUntilDurable.Count > 0) => Lasting(all),
            _ => [$"{all[0].Wish.Title}: {ByThroughput(all, choice => choice.PerPass(pass => pass.Bytes / pass.Seconds))}."],
        };
    }

    private static string ByLatency((string Target, Wish Wish)[] all)
    {
        var ordered = all.Select(one => (one.Target, one.Wish, Slow: TargetAdvice.SlowestOf(one.Wish.Choice))).OrderBy(one => one.Slow).ToArray();
        var best = ordered[0];
        var whose = all.Any(one => FlushPolicy.Waits(one.Wish.Choice)) ? "" : " (the page cache’s, while it has room)";
        string Against((string Target, Wish Wish, double Slow) other) => other.Slow <= best.Slow * TargetAdvice.AlikeLatency
            ? $"no difference was shown to {other.Target} ({Format.Nanoseconds(other.Slow)})"
            : $"{other.Target} has {Format.Ratio(other.Slow / best.Slow)} that";
        return $"{best.Wish.Title}{whose}, by the slowest hundredth of the appends (one figure each, without an interval): {best.Target} ({Format.Nanoseconds(best.Slow)}); {string.Join(", ", ordered.Skip(1).Select(Against))}.";
    }

    /// <summary>
    /// Who does not wait for a flush is as fast as the page cache, on a hard disk too, until that is full. So targets are
    /// compared by the time until all of a pass is durable, or the slowest one could seem the best.
    /// </summary>
    private static IEnumerable<string> Lasting((string Target, Wish Wish)[] all)
    {
        yield return $"{all[0].Wish.Title}, counted until all of it is durable: {ByThroughput(all, choice => choice.RatesUntilDurable)}.";
        yield return $"The page cache alone takes the appends in at {string.Join(", ", all.Where(one => !FlushPolicy.Waits(one.Wish.Choice)).Select(one => $"{Rate(one.Wish.Choice.Record.BytesPerSecond!.Median)} ({one.Target})"))}, for as long as it has room.";
    }

    private static string ByThroughput((string Target, Wish Wish)[] all, Func<CaseView, IReadOnlyList<double>> rates)
    {
        double Median((string Target, Wish Wish) one) => MedianInterval.Of(rates(one.Wish.Choice))!.Median;
        var best = all.MaxBy(Median);
        string Named((string Target, Wish Wish) one) => $"{one.Target} ({Rate(Median(one))}{(one.Wish.Choice.Status == CaseStatus.Unproven ? ", unproven" : "")})";
        return $"{Named(best)}; {string.Join(", ", all.Where(one => one != best).OrderByDescending(Median).Select(one => $"{Times(rates(best.Wish.Choice), rates(one.Wish.Choice))} {Named(one)}"))}";
    }

    private static string Rate(double bytesPerSecond) => Format.Value(Quantity.BytesPerSecond, bytesPerSecond);

    private static string Times(IReadOnlyList<double> best, IReadOnlyList<double> other)
    {
        var ratio = PassRatio.Of(best, other);
        return ratio is null ? "nothing to compare with" : ratio.IncludesOne ? "no difference was shown to" : $"{Format.Ratio(ratio.Value)} ({Format.RatioInterval(ratio.Low, ratio.High)}) the throughput of";
    }
}
