using Perfolizer;
using Perfolizer.Mathematics.Cpd;
using Perfolizer.Mathematics.Distributions.ContinuousDistributions;
using Perfolizer.Mathematics.GenericEstimators;

namespace Bench.Reports.Statistics;

/// <summary>The only file that calls Perfolizer, whose API changes between versions.</summary>
internal static class Estimators
{
    /// <summary>The Hodges–Lehmann ratio: the median of the ratios of every value of one to every value of the other.</summary>
    /// <param name="numerator">At least one value, all above zero.</param>
    /// <param name="denominator">The same.</param>
    public static double Ratio(IReadOnlyList<double> numerator, IReadOnlyList<double> denominator) =>
        HodgesLehmannEstimator.Instance.Ratio(new Sample(numerator), new Sample(denominator));

    /// <summary>The probability of a standard normal value up to <paramref name="x"/>.</summary>
    public static double NormalCdf(double x) => NormalDistribution.Standard.Cdf(x);

    /// <summary>The value that a standard normal one exceeds with the given probability.</summary>
    public static double NormalUpperQuantile(double probability) => NormalDistribution.Standard.Quantile(1 - probability);

    /// <summary>The exact interval of a share (Clopper and Pearson, <i>Biometrika</i> 26, 1934), at 95 %.</summary>
    /// <param name="count">How often it happened.</param>
    /// <param name="of">Of how many; at least one.</param>
    public static (double Low, double High) ShareInterval(int count, int of) => (
        count == 0 ? 0 : new BetaDistribution(count, of - count + 1).Quantile(0.025),
        count == of ? 1 : new BetaDistribution(count + 1, of - count).Quantile(0.975));

    /// <summary>
    /// Where ED-PELT (Haynes, Fearnhead and Eckley, <i>A computationally efficient nonparametric approach for changepoint
    /// detection</i>, 2017) cuts a series: the index of the first value of every segment but the first. It judges by
    /// the order of the values alone; its time grows with the square of their number.
    /// </summary>
    /// <param name="values">The series.</param>
    /// <param name="shortestSegment">Fewest values of a segment.</param>
    public static IReadOnlyList<int> SegmentStarts(double[] values, int shortestSegment) =>
        // Perfolizer gives the last index of the segment before.
        [.. EdPeltChangePointDetector.Instance.GetChangePointIndexes(values, shortestSegment).Select(last => last + 1)];
}
