namespace Bench.Reports.Statistics;

/// <summary>
/// The two-sided rank test of Mann and Whitney (1947): could two samples come from one distribution?
/// </summary>
public static class RankTest
{
    /// <summary>Up to so many values in the smaller sample the distribution is counted; beyond it is as good as normal.</summary>
    private const int ExactUpTo = 20;

    /// <summary>
    /// The probability of ranks that are at least as far apart. Ties count half, and the distribution is that without
    /// ties, which is the wider one: with ties the true probability is smaller.
    /// </summary>
    /// <param name="first">One sample.</param>
    /// <param name="second">The other.</param>
    /// <returns>0 to 1; 1 if a sample is empty.</returns>
    public static double PValue(IReadOnlyList<double> first, IReadOnlyList<double> second)
    {
        double m = first.Count, n = second.Count;
        if (first.Count == 0 || second.Count == 0)
            return 1;
        var u = Wins(first, second);
        // Away from the middle m·n/2, never nearer than half a step, and counted up so that ties do not help.
        var tail = Math.Min(u, m * n - u);
        if (Math.Min(first.Count, second.Count) <= ExactUpTo)
            return Math.Min(1, 2 * ExactTail(first.Count, second.Count, (int)Math.Ceiling(tail)));
        var z = (m * n / 2 - tail - 0.5) / Math.Sqrt(m * n * (m + n + 1) / 12);
        return z <= 0 ? 1 : 2 * Normal.UpperTail(z);
    }

    /// <summary>Pairs in which the first is the larger, ties by half.</summary>
    private static double Wins(IReadOnlyList<double> first, IReadOnlyList<double> second)
    {
        double[] ordered = [.. second.Order()];
        double wins = 0;
        foreach (var value in first)
            wins += (Below(ordered, value) + Below(ordered, Math.BitIncrement(value))) / 2.0;
        return wins;
    }

    /// <summary>How many of the ordered values are smaller.</summary>
    private static int Below(double[] ordered, double value)
    {
        var (low, high) = (0, ordered.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = ordered[middle] < value ? (middle + 1, high) : (low, middle);
        }
        return low;
    }

    /// <summary>
    /// P(U ≤ u). The numbers of orders with each U are the coefficients of the Gaussian binomial, the product over i of
    /// (1 − q^(n+i)) / (1 − q^i); only those up to u are made.
    /// </summary>
    private static double ExactTail(int first, int second, int u)
    {
        var (fewer, more) = first < second ? (first, second) : (second, first);
        var orders = new double[Math.Min(u, fewer * more) + 1];
        orders[0] = 1;
        var all = 1.0;
        for (var i = 1; i <= fewer; i++)
        {
            for (var at = orders.Length - 1; at >= more + i; at--)
                orders[at] -= orders[at - more - i];
            for (var at = i; at < orders.Length; at++)
                orders[at] += orders[at - i];
            all = all * (more + i) / i;
        }
        return Math.Min(1, orders.Sum() / all);
    }
}

/// <summary>The normal distribution with mean 0 and deviation 1, right in its far tails too.</summary>
internal static class Normal
{
    /// <summary>P(X &gt; z), within 1.2e-7 of its own size (Chebyshev fit of Numerical Recipes, erfcc).</summary>
    public static double UpperTail(double z)
    {
        var x = Math.Abs(z) / Math.Sqrt(2);
        var t = 1 / (1 + x / 2);
        var tail = t / 2 * Math.Exp(-x * x - 1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806
            + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277)))))))));
        return z >= 0 ? tail : 1 - tail;
    }

    /// <summary>The z with that upper tail; at most 37, where the tail ends for a 64-bit number.</summary>
    public static double UpperQuantile(double tail)
    {
        var (low, high) = (-37.0, 37.0);
        for (var round = 0; round < 60; round++)
        {
            var middle = (low + high) / 2;
            (low, high) = UpperTail(middle) > tail ? (middle, high) : (low, middle);
        }
        return low;
    }
}
