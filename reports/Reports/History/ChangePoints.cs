using Bench.Reports.Statistics;

namespace Bench.Reports.History;

/// <summary>A step in a series.</summary>
/// <param name="Start">Index of the first value after it.</param>
/// <param name="Ratio">How many times as high the values after it are: Hodges–Lehmann, segment against segment.</param>
/// <param name="PValue">The probability that a series without any step shows one like it somewhere.</param>
public sealed record Step(int Start, double Ratio, double PValue);

/// <summary>
/// Where a series steps.
/// <para>
/// ED-PELT proposes where to cut; it judges by the order of values alone, so a wild value is one value and no more.
/// But it always cuts where a penalty is exceeded, and promises no error rate. So a cut stands only if the segments on
/// both sides differ by more than the margin and a rank test says that chance does not do this: its p is multiplied by
/// the number of places where a cut could have been, because the best of them was picked. Disk figures of neighbouring
/// runs resemble each other (a busy afternoon, a full cache), and then a rank test sees more evidence than there is;
/// the correlation that is left within the segments takes that back, as if there were fewer values. The least certain
/// cut falls first, and the segments beside it are looked at again as one.
/// </para>
/// <para>
/// MongoDB's E-divisive tests by permutation, and Hunter, which became Apache Otava, by Student's t: both as if runs were
/// independent. This one without the correction for correlation finds a step in 44 of 100 histories that have none, with
/// a hundred runs and a correlation of 0.5 between neighbours; with it in 2. The rates are in <c>HISTORY.md</c>, and a
/// test holds it to them.
/// </para>
/// </summary>
public static class ChangePoints
{
    /// <summary>Fewest values of a segment: fewer could be two bad runs and a coincidence.</summary>
    public const int ShortestSegment = 5;

    /// <summary>Fewest values that can hold a step.</summary>
    public const int FewestValues = 2 * ShortestSegment;

    /// <summary>Most values that a caller should give; the time grows with their number.</summary>
    public const int MostValues = 500;

    /// <summary>The share of histories without a step in which one is found all the same, at most.</summary>
    public const double FalseAlarmRate = 0.01;

    /// <summary>ED-PELT's time grows with the square: a long series is cut into pieces, whose borders are proposals too.</summary>
    private const int PieceLength = 63;

    /// <summary>The steps of a series, the first one first.</summary>
    /// <param name="values">One value per run, all above zero.</param>
    /// <param name="margin">The smallest step that counts, as a share: 0.05 is 5 %.</param>
    /// <param name="limit">The largest p-value of a step.</param>
    public static IReadOnlyList<Step> Find(IReadOnlyList<double> values, double margin, double limit = FalseAlarmRate / 2)
    {
        if (values.Count < FewestValues)
            return [];
        double[] logs = [.. values.Select(value => Math.Log(value))];
        var starts = Proposals(logs);
        // Tested again after the cuts have moved to their best places.
        if (Certain(values, starts, margin, limit).Length > 0)
            Place(logs, starts);
        return Certain(values, starts, margin, limit);
    }

    /// <summary>Those of the steps that are certain by a stricter limit too.</summary>
    internal static IReadOnlyList<Step> Certain(IReadOnlyList<double> values, IReadOnlyList<Step> steps, double margin, double limit) =>
        Certain(values, [0, .. steps.Select(step => step.Start)], margin, limit);

    /// <summary>Where segments may begin, 0 among them.</summary>
    private static List<int> Proposals(double[] logs)
    {
        var pieces = (logs.Length + PieceLength - 1) / PieceLength;
        var starts = new List<int>();
        for (var piece = 0; piece < pieces; piece++)
        {
            var (from, to) = (logs.Length * piece / pieces, logs.Length * (piece + 1) / pieces);
            starts.Add(from);
            starts.AddRange(Estimators.SegmentStarts(logs[from..to], ShortestSegment).Select(start => from + start));
        }
        return starts;
    }

    /// <summary>Takes away the least certain start until all are certain, then the first whose step is too small, and so on.</summary>
    private static Step[] Certain(IReadOnlyList<double> values, List<int> starts, double margin, double limit)
    {
        while (starts.Count > 1)
        {
            var pValues = PValues(values, starts);
            var least = Array.IndexOf(pValues, pValues.Max());
            if (pValues[least] <= limit)
            {
                // The ratio is over all pairs, and so comes last.
                Step[] steps = [.. pValues.Select((p, at) => new Step(starts[at + 1], Estimators.Ratio(Segment(values, starts, at + 1), Segment(values, starts, at)), p))];
                least = Array.FindIndex(steps, step => Math.Abs(Math.Log(step.Ratio)) <= Math.Log(1 + margin));
                if (least < 0)
                    return steps;
            }
            starts.RemoveAt(least + 1);
        }
        return [];
    }

    /// <summary>Of every start but the first: how likely chance alone makes the segments beside it so unlike.</summary>
    private static double[] PValues(IReadOnlyList<double> values, List<int> starts)
    {
        var correlation = Correlation(values, starts);
        var places = values.Count - FewestValues + 1;
        return [.. Enumerable.Range(1, starts.Count - 1).Select(at =>
        {
            var p = RankTest.PValue(Segment(values, starts, at - 1), Segment(values, starts, at));
            if (correlation > 0)
                p = 2 * Normal.UpperTail(Normal.UpperQuantile(p / 2) * Math.Sqrt((1 - correlation) / (1 + correlation)));
            return Math.Min(1, p * places);
        })];
    }

    private static double[] Segment(IReadOnlyList<double> values, List<int> starts, int at)
    {
        var end = at + 1 < starts.Count ? starts[at + 1] : values.Count;
        var segment = new double[end - starts[at]];
        for (var i = 0; i < segment.Length; i++)
            segment[i] = values[starts[at] + i];
        return segment;
    }

    /// <summary>
    /// How much neighbours within a segment resemble each other: the correlation of each value's rank with the next one's,
    /// from 0 (not at all, or less than chance) to 0.95. Of ranks, so that one wild value does not hide it.
    /// </summary>
    private static double Correlation(IReadOnlyList<double> values, List<int> starts)
    {
        double products = 0, squares = 0;
        int pairs = 0;
        for (var at = 0; at < starts.Count; at++)
        {
            var ranks = CentredRanks(Segment(values, starts, at));
            squares += ranks.Sum(rank => rank * rank);
            for (var i = 1; i < ranks.Length; i++)
                products += ranks[i] * ranks[i - 1];
            pairs += ranks.Length - 1;
        }
        return squares == 0 ? 0 : Math.Clamp(products / pairs / (squares / values.Count), 0, 0.95);
    }

    /// <summary>Ranks from −½ to ½, ties with their mean.</summary>
    private static double[] CentredRanks(double[] segment)
    {
        var order = Enumerable.Range(0, segment.Length).ToArray();
        Array.Sort((double[])segment.Clone(), order);
        var ranks = new double[segment.Length];
        for (int first = 0, next; first < order.Length; first = next)
        {
            for (next = first + 1; next < order.Length && segment[order[next]] == segment[order[first]];)
                next++;
            for (var i = first; i < next; i++)
                ranks[order[i]] = (first + next) / 2.0 / order.Length - 0.5;
        }
        return ranks;
    }

    /// <summary>
    /// Moves each start to where every value lies with the segment whose median is nearer, as far as one cut can do that
    /// (least absolute deviations). By ranks it would not do: in a long segment beside a short one the lowest of the high
    /// values still has a low rank, and the cut moves towards the middle.
    /// </summary>
    private static void Place(double[] logs, List<int> starts)
    {
        for (var at = 1; at < starts.Count; at++)
        {
            var (from, to) = (starts[at - 1], at + 1 < starts.Count ? starts[at + 1] : logs.Length);
            var (before, after) = (Median(logs[from..starts[at]]), Median(logs[starts[at]..to]));
            double excess = 0, least = double.PositiveInfinity;
            for (var start = from + 1; start <= to - ShortestSegment; start++)
            {
                excess += Math.Abs(logs[start - 1] - before) - Math.Abs(logs[start - 1] - after);
                if (start < from + ShortestSegment || excess >= least)
                    continue;
                least = excess;
                starts[at] = start;
            }
        }
    }

    private static double Median(double[] values) => Measure.MedianInterval.Of(values)!.Median;
}
