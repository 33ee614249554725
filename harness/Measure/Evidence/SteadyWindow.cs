using Bench.Measure.Records;

namespace Bench.Measure.Evidence;

/// <summary>
/// Whether a series of rounds has come to rest: over the last five the range is at most 20 % of their mean, and the
/// straight line through them rises or falls by at most 10 % (SNIA, Solid State Storage Performance Test
/// Specification, definition of steady state).
/// <para>
/// fio's steady state looks at one figure and mixes reads with writes; SNIA's own asks for IOPS, throughput or latency
/// by test. Here both throughput and the 99th percentile have to rest, each operation in rounds of its own.
/// </para>
/// </summary>
/// <param name="Range">Highest minus lowest over the mean.</param>
/// <param name="Slope">Rise of the fitted line from the first to the last round of the window over the mean, without its sign.</param>
public readonly record struct SteadyWindow(double Range, double Slope)
{
    /// <summary>Rounds of a window.</summary>
    public const int Rounds = 5;

    /// <summary>Most range.</summary>
    public const double MostRange = 0.20;

    /// <summary>Most slope.</summary>
    public const double MostSlope = 0.10;

    /// <summary>Whether the figure rests.</summary>
    public bool IsSteady => Range <= MostRange && Slope <= MostSlope;

    /// <summary>The window at the end of a series; null if it is too short or has no mean.</summary>
    public static SteadyWindow? Of(IEnumerable<double> series)
    {
        double[] window = [.. series.TakeLast(Rounds)];
        if (window.Length < Rounds || !(window.Average() is > 0 and var mean))
            return null;
        // Least squares over the places −2 … 2: the sum of their squares is 10.
        var slope = window.Index().Sum(one => (one.Index - (Rounds - 1) / 2.0) * one.Item) / 10;
        return new SteadyWindow((window.Max() - window.Min()) / mean, Math.Abs(slope) * (Rounds - 1) / mean);
    }

    /// <summary>Whether both figures of the rounds rest.</summary>
    public static bool AreSteady(IReadOnlyList<RoundRecord> rounds) =>
        Of(rounds.Select(round => round.Bytes / round.Seconds)) is { IsSteady: true } && Of(rounds.Select(round => (double)round.P99Ns)) is { IsSteady: true };
}
