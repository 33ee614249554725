using Bench.Measure.Records;

namespace Bench.Measure;

/// <summary>
/// A median with an interval from the order of the values alone.
/// <para>
/// The interval lies between two of the observed values, chosen so that it covers the median of their distribution
/// in at least 95 % of all samples, whatever that distribution is (David and Nagaraja, Order Statistics, 7.1: the
/// number of values below the median is binomial with p = ½). BenchmarkDotNet's interval is Student's, of the mean:
/// disk figures are skewed and have two humps, and a mean with a symmetric interval then promises what it does not
/// hold. With fewer than six values no such interval exists: it is then the whole range, which covers less (five:
/// 94 %, four: 88 %, three: 75 %).
/// </para>
/// </summary>
public static class MedianInterval
{
    /// <summary>Fewest values for which the interval covers 95 %.</summary>
    public const int FewestForNominal = 6;

    /// <summary>Median and interval; null if there is no value.</summary>
    public static Estimate? Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        if (sorted.Length == 0)
            return null;
        var middle = sorted.Length / 2;
        var median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        var rank = RankFor95(sorted.Length);
        return new Estimate(median, sorted[rank], sorted[^(rank + 1)]);
    }

    /// <summary>
    /// The largest r such that the interval from the r-th smallest to the r-th largest value (counted from 0) covers
    /// 95 %; 0 if none does.
    /// </summary>
    internal static int RankFor95(int count)
    {
        // P(at most r of n below the median) = sum of C(n, i) / 2^n for i ≤ r; both tails may hold 5 % together.
        var probability = Math.Pow(0.5, count);
        var tail = 0.0;
        for (var rank = 0; rank <= count / 2; rank++)
        {
            tail += probability;
            if (2 * tail > 0.05)
                return Math.Max(0, rank - 1);
            probability *= (double)(count - rank) / (rank + 1);
        }
        return 0;
    }
}
