using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;
using Bench.Measure.Records;

namespace Bench.Measure;

/// <summary>
/// A log-linear histogram of latencies in nanoseconds: 128 equal buckets in each power of two.
/// <para>Invariants: any value from 0 to 2^45−1 ns (9.7 hours) falls into a bucket whose width is at most 1/128 of
/// it, so a percentile is at most 0.79 % above the truth; greater values fall into the last bucket, and
/// <see cref="Max"/> stays exact. The size is fixed (40 KiB), recording allocates nothing, and histograms add up.
/// </para>
/// <para>HdrHistogram is the model (its .NET package is not used: recording there checks range and counter type on
/// each call). fio keeps 64 buckets an octave and prints 1.6 % error; its percentiles of merged jobs are an
/// approximation. The mean is exact: it comes from a sum, not from the buckets (the sum stops at 2^62 ns, 146 years).
/// </para>
/// Not safe for several writers: one per thread, merged afterwards.
/// </summary>
public sealed class LatencyHistogram
{
    private const int SubBits = 7;
    private const int SubCount = 1 << SubBits;
    private const int MaxBits = 45;
    private const long GreatestSum = 1L << 62;
    private const string Format = "loglinear7";

    /// <summary>Buckets of any histogram.</summary>
    internal const int Buckets = (MaxBits - SubBits + 1) * SubCount;

    private readonly long[] counts = new long[Buckets];
    private long sum;

    /// <summary>Number of recorded values.</summary>
    public long Count { get; private set; }

    /// <summary>Smallest recorded value, exact; 0 if empty.</summary>
    public long Min => Count == 0 ? 0 : min;

    /// <summary>Largest recorded value, exact; 0 if empty.</summary>
    public long Max { get; private set; }

    /// <summary>Mean of the exact values; 0 if empty.</summary>
    public double Mean => Count == 0 ? 0 : (double)sum / Count;

    private long min = long.MaxValue;

    /// <summary>Records one latency.</summary>
    /// <param name="valueNs">Nanoseconds; a negative value (a clock that went back) counts as 0.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Record(long valueNs)
    {
        // One comparison for both ends: a negative number is a great unsigned one.
        if ((ulong)valueNs >= 1UL << MaxBits)
        {
            RecordOutside(valueNs);
            return;
        }
        counts[IndexOf(valueNs)]++;
        Count++;
        sum += valueNs;
        if (valueNs < min)
            min = valueNs;
        if (valueNs > Max)
            Max = valueNs;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void RecordOutside(long valueNs)
    {
        valueNs = Math.Max(0, valueNs);
        counts[IndexOf(valueNs)]++;
        Count++;
        sum = SaturatingSum(sum, valueNs);
        min = Math.Min(min, valueNs);
        Max = Math.Max(Max, valueNs);
    }

    /// <summary>Adds another histogram's values.</summary>
    public void Add(LatencyHistogram other)
    {
        for (var i = 0; i < counts.Length; i++)
            counts[i] += other.counts[i];
        Count += other.Count;
        sum = SaturatingSum(sum, other.sum);
        min = Math.Min(min, other.min);
        Max = Math.Max(Max, other.Max);
    }

    /// <summary>
    /// Adds what another thread has recorded in another histogram since the last call, by its buckets: minimum and maximum are
    /// then edges of buckets, and the mean lies within 0.4 %.
    /// </summary>
    /// <param name="other">The other, which may be written meanwhile.</param>
    /// <param name="seen">Its counts at the last call, <see cref="Buckets"/> of them; brought up to now.</param>
    internal void AddNew(LatencyHistogram other, long[] seen)
    {
        for (var i = 0; i < counts.Length; i++)
        {
            var now = Volatile.Read(ref other.counts[i]);
            if (now == seen[i])
                continue;
            var added = now - seen[i];
            seen[i] = now;
            counts[i] += added;
            Count += added;
            sum = SaturatingSum(sum, added * ((LowerEdge(i) + UpperEdge(i)) / 2));
            min = Math.Min(min, LowerEdge(i));
            Max = Math.Max(Max, UpperEdge(i));
        }
    }

    /// <summary>Empties it.</summary>
    public void Clear()
    {
        Array.Clear(counts);
        Count = sum = Max = 0;
        min = long.MaxValue;
    }

    /// <summary>
    /// The smallest value that at least this share of the recorded values does not exceed: the upper edge of its
    /// bucket, never above <see cref="Max"/>.
    /// </summary>
    /// <param name="percentile">0 to 100.</param>
    /// <returns>Nanoseconds; 0 if empty.</returns>
    public long ValueAtPercentile(double percentile)
    {
        if (Count == 0)
            return 0;
        // 99.9 is no binary fraction: without the step down, 99.9 % of 1000 values would be 999.0000000000001 of them,
        // and the percentile the maximum. (HdrHistogram does the same.)
        var rank = Math.Clamp((long)Math.Ceiling(Math.BitDecrement(percentile) * Count / 100), 1, Count);
        long seen = 0;
        for (var i = 0; i < counts.Length; i++)
        {
            seen += counts[i];
            if (seen >= rank)
                return i == counts.Length - 1 ? Max : Math.Clamp(UpperEdge(i), Min, Max);
        }
        return Max;
    }

    /// <summary>
    /// The mean of the slowest share of the values, by the middles of their buckets (within 0.4 %). A percentile knows
    /// nothing of what lies beyond it, however bad: a stall of 160 ms in one append of a thousand leaves the 99th as it was.
    /// </summary>
    /// <param name="share">Above 0, up to 1: 0.01 for the slowest hundredth, at least one value.</param>
    /// <returns>Nanoseconds; 0 if empty.</returns>
    public double MeanOfSlowest(double share)
    {
        if (Count == 0)
            return 0;
        var wanted = Math.Clamp((long)(Count * share), 1, Count);
        var (left, total) = (wanted, 0.0);
        for (var i = counts.Length - 1; i >= 0 && left > 0; i--)
        {
            var taken = Math.Min(counts[i], left);
            total += taken * (double)(i == counts.Length - 1 ? Max : Math.Clamp((LowerEdge(i) + UpperEdge(i)) / 2, Min, Max));
            left -= taken;
        }
        return total / wanted;
    }

    /// <summary>The summary that goes into a record.</summary>
    public LatencyRecord ToRecord() => new()
    {
        Count = Count,
        Min = Min,
        Mean = Mean,
        P50 = ValueAtPercentile(50),
        P90 = ValueAtPercentile(90),
        P99 = ValueAtPercentile(99),
        P999 = ValueAtPercentile(99.9),
        P9999 = ValueAtPercentile(99.99),
        P99999 = ValueAtPercentile(99.999),
        Max = Max,
        Histogram = ToString(),
    };

    /// <summary>
    /// One line of text: <c>loglinear7 min max sum</c>, then for each filled bucket its distance from the last one
    /// and its count, <c>distance:count</c>.
    /// </summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Format} {Min} {Max} {sum}");
        var last = 0;
        for (var i = 0; i < counts.Length; i++)
        {
            if (counts[i] == 0)
                continue;
            text.Append(CultureInfo.InvariantCulture, $" {i - last}:{counts[i]}");
            last = i;
        }
        return text.ToString();
    }

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <exception cref="RecordException">It is not such a text.</exception>
    public static LatencyHistogram Parse(string text)
    {
        static long Number(ReadOnlySpan<char> part) =>
            long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
                ? value
                : throw new RecordException($"a histogram has '{part}' where a number belongs");

        var parts = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length < 4 || parts[0] != Format)
            throw new RecordException($"a histogram does not begin with {Format}, minimum, maximum and sum");
        var (min, max) = (Number(parts[1]), Number(parts[2]));
        var histogram = new LatencyHistogram { Max = max, sum = Math.Min(Number(parts[3]), GreatestSum) };
        int first = -1, last = 0;
        foreach (var part in parts.AsSpan(4))
        {
            var colon = part.IndexOf(':', StringComparison.Ordinal);
            if (colon < 1)
                throw new RecordException($"a histogram has '{part}' where distance:count belongs");
            var distance = Number(part.AsSpan(0, colon));
            var count = Number(part.AsSpan(colon + 1));
            if (distance >= histogram.counts.Length - last)
                throw new RecordException("a histogram has a bucket beyond its range");
            if (count == 0 || (distance == 0 && first >= 0) || count > long.MaxValue - histogram.Count)
                throw new RecordException($"a histogram has '{part}', an empty, repeated or overfull bucket");
            last += (int)distance;
            if (first < 0)
                first = last;
            histogram.counts[last] = count;
            histogram.Count += count;
        }
        // The extremes lie in the outer buckets; a percentile is held between them and must be able to.
        if (histogram.Count == 0 ? (min, max, histogram.sum) != (0, 0, 0) : min > max || IndexOf(min) != first || IndexOf(max) != last)
            throw new RecordException("a histogram's minimum, maximum or sum does not belong to its buckets");
        if (histogram.Count > 0)
            histogram.min = min;
        return histogram;
    }

    /// <summary>
    /// HdrHistogram's percentile text, readable by its plotter: value (in the given unit), percentile, count so far,
    /// 1/(1−percentile); five steps for each halving of the distance to 100 %.
    /// </summary>
    /// <param name="unitNs">Nanoseconds in one unit of the value column: 1000 for microseconds.</param>
    public string ToPercentileText(double unitNs = 1000)
    {
        const int stepsPerHalving = 5;
        var text = new StringBuilder();
        text.Append("       Value     Percentile TotalCount 1/(1-Percentile)\n\n");
        double percentile = 0;
        while (Count > 0)
        {
            var value = ValueAtPercentile(percentile);
            var reached = CountUpTo(value);
            var share = (double)reached / Count;
            if (reached >= Count)
                break;
            text.Append(CultureInfo.InvariantCulture, $"{value / unitNs,12:F3} {share,2:F12} {reached,10} {1 / (1 - share),14:F2}\n");
            var halvings = Math.Pow(2, (long)Math.Log2(100 / (100 - percentile)) + 1);
            percentile = Math.Max(percentile + 100 / (stepsPerHalving * halvings), share * 100 + 1e-9);
        }
        text.Append(CultureInfo.InvariantCulture, $"{Max / unitNs,12:F3} {1.0,2:F12} {Count,10}\n");
        text.Append(CultureInfo.InvariantCulture, $"#[Mean    = {Mean / unitNs,12:F3}, StdDeviation   = {StandardDeviation() / unitNs,12:F3}]\n");
        text.Append(CultureInfo.InvariantCulture, $"#[Max     = {Max / unitNs,12:F3}, Total count    = {Count,12}]\n");
        text.Append(CultureInfo.InvariantCulture, $"#[Buckets = {MaxBits - SubBits + 1,12}, SubBuckets     = {SubCount,12}]\n");
        return text.ToString();
    }

    private static long SaturatingSum(long a, long b) => a > GreatestSum - b ? GreatestSum : a + b;

    private long CountUpTo(long value)
    {
        long seen = 0;
        for (var i = 0; i <= IndexOf(value); i++)
            seen += counts[i];
        return seen;
    }

    private double StandardDeviation()
    {
        if (Count == 0)
            return 0;
        double squares = 0;
        for (var i = 0; i < counts.Length; i++)
        {
            var middle = (LowerEdge(i) + UpperEdge(i)) / 2.0;
            squares += counts[i] * (middle - Mean) * (middle - Mean);
        }
        return Math.Sqrt(squares / Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int IndexOf(long value)
    {
        if (value < SubCount)
            return (int)value;
        if (value >= 1L << MaxBits)
            return (MaxBits - SubBits + 1) * SubCount - 1;
        var shift = 63 - SubBits - BitOperations.LeadingZeroCount((ulong)value);
        return (shift << SubBits) + (int)(value >> shift);
    }

    private static long LowerEdge(int index)
    {
        if (index < 2 * SubCount)
            return index;
        var shift = (index >> SubBits) - 1;
        return (long)(index - (shift << SubBits)) << shift;
    }

    private static long UpperEdge(int index) =>
        index < 2 * SubCount ? index : LowerEdge(index) + (1L << ((index >> SubBits) - 1)) - 1;
}
