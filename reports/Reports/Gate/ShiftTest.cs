using System.Collections.Concurrent;
using Bench.Reports.Comparison;

namespace Bench.Reports.Gate;

/// <summary>
/// By how much one side differs from the other, from the order of differences alone: estimate, exact interval and
/// exact p-values, which belong to each other.
/// <para>
/// The differences are those of every value of one sample and every value of the other, and the count of those above a
/// shift is the statistic of Mann and Whitney; the estimate of Hodges and Lehmann is the median of the differences, and
/// the interval lies between two of them (Hollander, Wolfe and Chicken, <i>Nonparametric Statistical Methods</i>, 4.1 to
/// 4.3). For pairs the samples are the two orders, base first and head first: half the difference of a pair of each is
/// the change without what being first is worth (Koch, <i>Biometrics</i> 28, 1972).
/// </para>
/// <para>
/// Being first can be worth a lot: on this project's virtual machine up to 15 % of the median pair (sendfile, while each
/// side had a file of its own; up to 2 % since), and the balanced order alone turns that bias into noise of the same size.
/// </para>
/// <para>
/// Disk figures are skewed, have two humps and far outliers: Student's interval (BenchmarkDotNet) and a bootstrap of
/// few values (criterion) promise 95 % and cover less. This is exact for every sample size and every distribution, as long
/// as the order of a pair, which is drawn, has nothing to do with what else happens to it (drawn in fours: see GATE.md).
/// </para>
/// </summary>
public sealed class ShiftTest
{
    private static readonly ConcurrentDictionary<(int, int), double[]> Tails = new();

    private readonly double[] differences;

    /// <summary>Element c is the probability that by chance at least c of the differences are above the true shift.</summary>
    private readonly double[] upperTail;

    private ShiftTest(double[] sortedDifferences, double[] upperTail, int count)
    {
        differences = sortedDifferences;
        this.upperTail = upperTail;
        Count = count;
    }

    /// <summary>Pairs of both orders, or the values of the smaller sample.</summary>
    public int Count { get; }

    /// <summary>The estimate of Hodges and Lehmann.</summary>
    public double Estimate => differences.Length % 2 == 1
        ? differences[differences.Length / 2]
        : (differences[differences.Length / 2 - 1] + differences[differences.Length / 2]) / 2;

    /// <summary>The smallest probability that so many values can give, all of them on one side.</summary>
    public double SmallestProbability => upperTail[differences.Length];

    /// <summary>The smallest probability that so many pairs can give, half of them in each order.</summary>
    public static double SmallestProbabilityOf(int pairs) => TailOf(pairs - pairs / 2, pairs / 2)[^2];

    /// <summary>The test of pairs, by the two orders in which they were run. What being first is worth falls out.</summary>
    /// <param name="baseFirst">The logarithm of the change in each pair in which the base was first; at least one, at most 100.</param>
    /// <param name="headFirst">The same of those in which the head was first.</param>
    public static ShiftTest OfPairs(IReadOnlyList<double> baseFirst, IReadOnlyList<double> headFirst) =>
        new(Sorted(baseFirst, headFirst, (one, other) => (one + other) / 2), TailOf(baseFirst.Count, headFirst.Count), baseFirst.Count + headFirst.Count);

    /// <summary>The test of a figure; null if all pairs that have it were run in one order, for then nothing can be said.</summary>
    /// <param name="pairs">Those that do not count are left out.</param>
    /// <param name="figure">The figure.</param>
    public static ShiftTest? OfPairs(IReadOnlyList<GatePair> pairs, Figure figure)
    {
        double[] Of(bool baseFirst) => [.. pairs.Where(pair => pair.BaseFirst == baseFirst).Select(pair => pair.LogCost(figure)).OfType<double>()];
        return Of(true) is { Length: > 0 } first && Of(false) is { Length: > 0 } second ? OfPairs(first, second) : null;
    }

    /// <summary>The test of two samples without pairs: the shift from <paramref name="from"/> to <paramref name="to"/>.</summary>
    /// <param name="from">At least one value, at most 100.</param>
    /// <param name="to">The same.</param>
    public static ShiftTest OfSamples(IReadOnlyList<double> from, IReadOnlyList<double> to) =>
        new(Sorted(from, to, (one, other) => other - one), TailOf(from.Count, to.Count), Math.Min(from.Count, to.Count));

    private static double[] Sorted(IReadOnlyList<double> first, IReadOnlyList<double> second, Func<double, double, double> difference)
    {
        if (first.Count is < 1 or > 100 || second.Count is < 1 or > 100)
            throw new ArgumentException("The test takes 1 to 100 values of each kind.");
        var all = new double[first.Count * second.Count];
        for (var i = 0; i < first.Count; i++)
            for (var j = 0; j < second.Count; j++)
                all[i * second.Count + j] = difference(first[i], second[j]);
        Array.Sort(all);
        return all;
    }

    private static double[] TailOf(int first, int second) =>
        Tails.GetOrAdd((first, second), key => UpperTail(Statistics.PassRatio.MannWhitneyProbabilities(key.Item1, key.Item2)));

    /// <summary>The probability of so many differences above a value by chance, if the shift were that value or less.</summary>
    public double ProbabilityIfAtMost(double shift) => upperTail[differences.Length - CountUpTo(shift)];

    /// <summary>The probability of so many differences below a value by chance, if the shift were that value or more.</summary>
    public double ProbabilityIfAtLeast(double shift) => upperTail[CountBelow(shift)];

    /// <summary>
    /// The probability of an estimate so well within the margin by chance, if the shift were at one of its ends or
    /// beyond: two one-sided tests (Schuirmann 1987). Small means: the same for all practical purposes.
    /// </summary>
    public double ProbabilityIfBeyond(double margin) => Math.Max(ProbabilityIfAtLeast(margin), ProbabilityIfAtMost(-margin));

    /// <summary>
    /// The interval that misses the shift on each side with at most the given probability; unbounded if the values are
    /// too few for that. Its lower end is above a value exactly if <see cref="ProbabilityIfAtMost"/> of it is within
    /// the probability.
    /// </summary>
    public (double Low, double High) Interval(double missOneSide)
    {
        // The largest k with P(count ≤ k − 1) ≤ miss; by symmetry P(count ≤ k − 1) = P(count ≥ all − k + 1).
        var all = differences.Length;
        var rank = 0;
        while (rank < all && upperTail[all - rank] <= missOneSide)
            rank++;
        return rank == 0 ? (double.NegativeInfinity, double.PositiveInfinity) : (differences[rank - 1], differences[all - rank]);
    }

    private int CountUpTo(double value) => Partition(difference => difference <= value);

    private int CountBelow(double value) => Partition(difference => difference < value);

    private int Partition(Func<double, bool> isLow)
    {
        var (low, high) = (0, differences.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (isLow(differences[middle]))
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    private static double[] UpperTail(double[] probabilities)
    {
        var tail = new double[probabilities.Length + 1];
        for (var at = probabilities.Length - 1; at >= 0; at--)
            tail[at] = Math.Min(1, tail[at + 1] + probabilities[at]);
        return tail;
    }
}
