using Bench.Reports.Comparison;

namespace Bench.Reports.Gate;

/// <summary>
/// What other tools would say to the same launches: whether they would raise an alarm that the head is slower. For the
/// table beside a calibration, so that everybody can see what a gate without pairs, margin and noise floor does on the
/// same machine in the same hour.
/// </summary>
public static class OtherRules
{
    private const double Significance = 0.05;
    private const double CriterionNoiseThreshold = 0.01;
    private const int CriterionResamples = 2_000;

    /// <summary>Their names, with the test of each: the pairs of a case to an alarm.</summary>
    public static IReadOnlyList<(string Name, Func<IReadOnlyList<GatePair>, bool> Alarms)> All { get; } =
    [
        ("github-action-benchmark, 200 %", pairs => RatioToLast(pairs, 2.0)),
        ("github-action-benchmark, 110 %", pairs => RatioToLast(pairs, 1.1)),
        ("criterion, 1 % noise threshold", Criterion),
        ("Mann–Whitney at 0.05, passes", pairs => MannWhitney(Passes(pairs, ofHead: false), Passes(pairs, ofHead: true))),
        ("Mann–Whitney at 0.05, launches", pairs => MannWhitney(Launches(pairs, ofHead: false), Launches(pairs, ofHead: true))),
    ];

    /// <summary>
    /// github-action-benchmark: one run against the one before it, an alarm if the ratio is above the threshold (200 % by
    /// default; its documentation suggests lower ones).
    /// </summary>
    private static bool RatioToLast(IReadOnlyList<GatePair> pairs, double threshold) =>
        pairs.FirstOrDefault(pair => pair is { Discarded: null, Base: not null, Head: not null }) is { } first && first.Base!.BytesPerSecond / first.Head!.BytesPerSecond > threshold;

    /// <summary>
    /// criterion.rs: the change of the mean by a bootstrap of both samples; regressed if p is below 0.05 and the whole
    /// 95 % interval beyond the noise threshold. Its samples are iterations of one process; here the passes of all
    /// launches, more than it would have.
    /// </summary>
    private static bool Criterion(IReadOnlyList<GatePair> pairs)
    {
        var (from, to) = (Passes(pairs, ofHead: false), Passes(pairs, ofHead: true));
        if (from.Length == 0 || to.Length == 0)
            return false;
        // Seeded: the same data give the same answer.
        var random = new Random(42);
        double Mean(double[] values)
        {
            var sum = 0.0;
            for (var i = 0; i < values.Length; i++)
                sum += values[random.Next(values.Length)];
            return sum / values.Length;
        }
        var changes = new double[CriterionResamples];
        for (var i = 0; i < changes.Length; i++)
            changes[i] = Mean(to) / Mean(from) - 1;
        Array.Sort(changes);
        return changes[(int)(changes.Length * Significance / 2)] > CriterionNoiseThreshold;
    }

    /// <summary>The test of Mann and Whitney by its normal approximation, two-sided; an alarm if the head's costs are the higher ones.</summary>
    private static bool MannWhitney(double[] from, double[] to)
    {
        double above = 0;
        foreach (var one in from)
            foreach (var other in to)
                above += other > one ? 1 : other == one ? 0.5 : 0;
        double n = from.Length, m = to.Length;
        var z = (above - n * m / 2) / Math.Sqrt(n * m * (n + m + 1) / 12);
        return z > 1.959964;
    }

    /// <summary>Seconds per byte of every pass.</summary>
    private static double[] Passes(IReadOnlyList<GatePair> pairs, bool ofHead) =>
        [.. Usable(pairs, ofHead).SelectMany(launch => launch.PassBytesPerSecond).Select(rate => 1 / rate)];

    /// <summary>Seconds per byte of every launch.</summary>
    private static double[] Launches(IReadOnlyList<GatePair> pairs, bool ofHead) => [.. Usable(pairs, ofHead).Select(launch => 1 / launch.BytesPerSecond)];

    private static IEnumerable<LaunchFigures> Usable(IReadOnlyList<GatePair> pairs, bool ofHead) =>
        pairs.Where(pair => pair.Discarded is null).Select(pair => ofHead ? pair.Head : pair.Base).OfType<LaunchFigures>();
}
