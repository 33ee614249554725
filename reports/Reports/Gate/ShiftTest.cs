using System.Collections.Concurrent;

namespace Bench.Reports.Gate;

/// <summary>
/// By how much one side differs from the other, from the order of differences alone: estimate, exact interval and
/// exact p-values, which belong to each other.
/// <para>
/// For pairs the differences are the Walsh averages (the mean of every two pairs, each with itself too) and the count
/// of those above a value is Wilcoxon's signed-rank statistic; for two samples they are all differences of a value of
/// one and a value of the other, and the count is that of Mann and Whitney. In both cases the estimate of Hodges and
/// Lehmann is the median of the differences, and the interval lies between two of them (Hollander, Wolfe and Chicken,
/// <i>Nonparametric Statistical Methods</i>, 3.1 to 3.3 and 4.1 to 4.3).
/// </para>
/// <para>
/// Disk figures are skewed, have two humps and far outliers: Student's interval (BenchmarkDotNet) and a bootstrap of
/// few values (criterion) promise 95 % and cover less. This is exact for every sample size if the differences of pairs
/// are symmetric, and the random order of the pairs makes them so when both sides are the same program.
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

    /// <summary>Pairs, or the values of the smaller sample.</summary>
    public int Count { get; }

    /// <summary>The estimate of Hodges and Lehmann.</summary>
    public double Estimate => differences.Length % 2 == 1
        ? differences[differences.Length / 2]
        : (differences[differences.Length / 2 - 1] + differences[differences.Length / 2]) / 2;

    /// <summary>The smallest probability that so many values can give, all of them on one side.</summary>
    public double SmallestProbability => upperTail[differences.Length];

    /// <summary>The test of pairs.</summary>
    /// <param name="pairs">One difference per pair; at least one, at most 200.</param>
    public static ShiftTest OfPairs(IReadOnlyList<double> pairs)
    {
        Require(pairs.Count is >= 1 and <= 200, "1 to 200 pairs");
        var averages = new double[pairs.Count * (pairs.Count + 1) / 2];
        var at = 0;
        for (var i = 0; i < pairs.Count; i++)
            for (var j = i; j < pairs.Count; j++)
                averages[at++] = (pairs[i] + pairs[j]) / 2;
        Array.Sort(averages);
        return new ShiftTest(averages, Tails.GetOrAdd((pairs.Count, 0), key => UpperTail(SignedRankProbabilities(key.Item1))), pairs.Count);
    }

    /// <summary>The test of two samples without pairs: the shift from <paramref name="from"/> to <paramref name="to"/>.</summary>
    /// <param name="from">At least one value, at most 100.</param>
    /// <param name="to">The same.</param>
    public static ShiftTest OfSamples(IReadOnlyList<double> from, IReadOnlyList<double> to)
    {
        Require(from.Count is >= 1 and <= 100 && to.Count is >= 1 and <= 100, "1 to 100 values on each side");
        var all = new double[from.Count * to.Count];
        for (var i = 0; i < from.Count; i++)
            for (var j = 0; j < to.Count; j++)
                all[i * to.Count + j] = to[j] - from[i];
        Array.Sort(all);
        var tail = Tails.GetOrAdd((from.Count, to.Count), key => UpperTail(Statistics.PassRatio.MannWhitneyProbabilities(key.Item1, key.Item2)));
        return new ShiftTest(all, tail, Math.Min(from.Count, to.Count));
    }

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

    /// <summary>
    /// P(W = w), w = 0 … n(n+1)/2, of Wilcoxon's signed-rank statistic: the number of subsets of the ranks 1 … n with
    /// sum w, over 2ⁿ.
    /// </summary>
    internal static double[] SignedRankProbabilities(int count)
    {
        var probabilities = new double[count * (count + 1) / 2 + 1];
        probabilities[0] = 1;
        var reached = 0;
        for (var rank = 1; rank <= count; rank++)
        {
            reached += rank;
            for (var sum = reached; sum >= 0; sum--)
                probabilities[sum] = (probabilities[sum] + (sum >= rank ? probabilities[sum - rank] : 0)) / 2;
        }
        return probabilities;
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
            throw new ArgumentException($"The test takes {what}.");
    }
}
