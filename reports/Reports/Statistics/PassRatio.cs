namespace Bench.Reports.Statistics;

/// <summary>A ratio of two cases with its interval.</summary>
/// <param name="Value">The Hodges–Lehmann estimate: the median of the ratios of every pass of one to every pass of the other.</param>
/// <param name="Low">Lower end of the interval.</param>
/// <param name="High">Upper end.</param>
/// <param name="Coverage">The probability that the interval is worth, at most 0.95 wanted; less if the passes are too few.</param>
public sealed record RatioEstimate(double Value, double Low, double High, double Coverage)
{
    /// <summary>True if the interval includes 1: the passes show no difference.</summary>
    public bool IncludesOne => Low <= 1 && High >= 1;

    /// <summary>The ratio the other way round.</summary>
    public RatioEstimate Inverse() => new(1 / Value, 1 / High, 1 / Low, Coverage);
}

/// <summary>
/// The ratio of two cases from one value per pass.
/// <para>
/// The interval is the exact one that belongs to the Hodges–Lehmann estimate (Moses; Hollander and Wolfe,
/// <i>Nonparametric Statistical Methods</i>, chapter 4): the k-th smallest and k-th largest of the pairwise ratios,
/// with k from the null distribution of the Mann–Whitney statistic. A bootstrap over the five or so passes of a case
/// promises 95 % and covers much less, because it can only repeat the few values that it has seen.
/// </para>
/// <para>It promises nothing about drift between two cases that ran minutes apart: that is what paired runs are for.</para>
/// </summary>
public static class PassRatio
{
    /// <summary>What an interval covers unless something else is asked for.</summary>
    public const double UsualCoverage = 0.95;

    /// <summary>The ratio of <paramref name="numerator"/> to <paramref name="denominator"/>.</summary>
    /// <param name="numerator">One value per pass, all above zero.</param>
    /// <param name="denominator">The same of the other case.</param>
    /// <param name="wantedCoverage">The probability that the interval is to be worth; more where several are looked at together.</param>
    /// <returns>Null if a side has no pass or a value that is not above zero.</returns>
    public static RatioEstimate? Of(IReadOnlyList<double> numerator, IReadOnlyList<double> denominator, double wantedCoverage = UsualCoverage)
    {
        if (numerator.Count == 0 || denominator.Count == 0 || numerator.Concat(denominator).Any(value => !(value > 0)))
            return null;

        var ratios = numerator.SelectMany(_ => denominator, (over, under) => over / under).Order().ToArray();
        var (rank, coverage) = Rank(numerator.Count, denominator.Count, wantedCoverage);
        var value = Estimators.Ratio(numerator, denominator);
        return new RatioEstimate(value, ratios[rank - 1], ratios[^rank], coverage);
    }

    /// <summary>
    /// The largest rank k whose interval still covers what is wanted, or 1 if none does, and what it covers.
    /// </summary>
    internal static (int Rank, double Coverage) Rank(int first, int second, double wantedCoverage = UsualCoverage)
    {
        var probability = MannWhitneyProbabilities(first, second);
        var rank = 1;
        var tail = probability[0];
        while (rank < probability.Length / 2 && 1 - 2 * (tail + probability[rank]) >= wantedCoverage)
            tail += probability[rank++];
        return (rank, Math.Max(0, 1 - 2 * tail));
    }

    /// <summary>
    /// P(U = u) for u = 0 … first × second when both samples have one distribution, by the recursion of Mann and
    /// Whitney (1947) over which sample holds the largest value.
    /// </summary>
    internal static double[] MannWhitneyProbabilities(int first, int second)
    {
        var previous = new double[second + 1][];
        for (var m = 0; m <= second; m++)
            previous[m] = [1];
        for (var n = 1; n <= first; n++)
        {
            var current = new double[second + 1][];
            current[0] = [1];
            for (var m = 1; m <= second; m++)
            {
                var row = new double[n * m + 1];
                double fromFirst = (double)n / (n + m), fromSecond = (double)m / (n + m);
                for (var u = 0; u < row.Length; u++)
                {
                    if (u >= m && u - m < previous[m].Length)
                        row[u] += fromFirst * previous[m][u - m];
                    if (u < current[m - 1].Length)
                        row[u] += fromSecond * current[m - 1][u];
                }
                current[m] = row;
            }
            previous = current;
        }
        return previous[second];
    }
}
