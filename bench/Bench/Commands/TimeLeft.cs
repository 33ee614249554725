using System.Diagnostics;

namespace Bench.Commands;

/// <summary>
/// How long a run will still take: the plan's estimate, which knows nothing of the device, corrected by how the run has gone
/// so far. On a disk with slow flushes a run takes longer than planned, and that shows after a few cases.
/// </summary>
/// <param name="plannedSeconds">The estimate of the whole.</param>
internal sealed class TimeLeft(double plannedSeconds)
{
    /// <summary>Share of the plan from which the correction is worth something.</summary>
    private const double TellingShare = 0.05;

    private const double MostCorrection = 4;

    private readonly long started = Stopwatch.GetTimestamp();

    /// <summary>Whether enough is done for the correction.</summary>
    internal bool IsTelling(double doneSeconds) => doneSeconds > plannedSeconds * TellingShare;

    /// <summary>The time in words.</summary>
    /// <param name="doneSeconds">What of the estimate is done.</param>
    internal string Say(double doneSeconds) => Plan.Say(Seconds(doneSeconds, Stopwatch.GetElapsedTime(started).TotalSeconds));

    internal double Seconds(double doneSeconds, double elapsedSeconds) => Math.Max(0, plannedSeconds - doneSeconds)
        * (IsTelling(doneSeconds) ? Math.Clamp(elapsedSeconds / doneSeconds, 1 / MostCorrection, MostCorrection) : 1);
}
