using System.Globalization;

namespace Bench.Measure.Passes;

/// <summary>What one trial of a rate gave.</summary>
/// <param name="PerSecond">The rate that was offered.</param>
/// <param name="P99Ns">The 99th percentile of the latency from when operations were due.</param>
/// <param name="KeptUp">The share of the rate that was kept up with.</param>
/// <param name="FastestNs">What the fastest operation took from when it was sent; 0 if that is not known.</param>
public readonly record struct RateTrial(double PerSecond, double P99Ns, double KeptUp, long FastestNs = 0)
{
    /// <summary>Whether the rate can be had within a latency.</summary>
    public bool Holds(double targetNs) => P99Ns <= targetNs && KeptUp >= Pacing.LeastKeptUp;

    /// <summary>Whether no lower rate can hold either: a lower one shortens the wait before an operation, and no operation is as short as that without any.</summary>
    public bool IsHopeless(double targetNs) => FastestNs > targetNs;
}

/// <summary>
/// The highest rate whose 99th percentile stays within a target: bisection, then a confirmation.
/// <para>
/// fio's latency_target changes the queue depth of a closed loop, which measures another thing, and takes the last
/// depth that held; OpenMessaging's search for a rate never confirms, and a lucky second wins. Here a rate counts when
/// two further trials hold too; each that does not takes a tenth off. A search for what the device cannot do ends, too:
/// when the fastest operation of all is over the target, or at the rate whose trial would be too long.
/// </para>
/// </summary>
public static class RateSearch
{
    /// <summary>Trials that a search takes as a rule.</summary>
    public const int UsualTrials = 12;

    private const int MostHalvings = 12;
    private const int MostConfirmations = 6;
    private const double Fine = 1.05;
    private const double StepDown = 0.9;

    /// <summary>That trials of one rate contradicted each other, as one sentence about the lowest such rate; null if none did.</summary>
    public static string? Contradiction(IEnumerable<RateTrial> trials, double targetNs) =>
        trials.GroupBy(trial => trial.PerSecond).Where(group => group.Select(trial => trial.Holds(targetNs)).Distinct().Count() > 1).MinBy(group => group.Key) is { } torn
            ? string.Create(CultureInfo.InvariantCulture, $"the highest rate has no sharp edge: {torn.Key:0.#} operations a second held the target in {torn.Count(trial => trial.Holds(targetNs))} of {torn.Count()} trials")
            : null;

    /// <summary>Searches.</summary>
    /// <param name="least">The lowest rate to try: a trial needs a number of operations, and a low rate is long about it.</param>
    /// <param name="most">A rate that is too high, or just not: that of the closed loop.</param>
    /// <param name="targetNs">The latency.</param>
    /// <param name="tries">Tries a rate.</param>
    /// <returns>The rate, null if none holds; and all trials in order.</returns>
    public static (double? PerSecond, IReadOnlyList<RateTrial> Trials) Find(double least, double most, double targetNs, Func<double, RateTrial> tries)
    {
        var trials = new List<RateTrial>();
        bool Holds(double rate)
        {
            var trial = tries(rate);
            trials.Add(trial);
            return trial.Holds(targetNs);
        }

        var (good, bad) = (0.0, most);
        for (var step = 0; step < MostHalvings && (good == 0 || bad / good > Fine); step++)
        {
            // Rates are compared by ratios; from nothing known upwards, by halves.
            var rate = good == 0 ? bad / 2 : Math.Sqrt(good * bad);
            // The first trial is made whatever the rate: an answer needs a figure.
            if (step > 0 && rate < least)
                break;
            if (Holds(rate))
                good = rate;
            else if (trials[^1].IsHopeless(targetNs))
                break;
            else
                bad = rate;
        }
        for (var step = 0; step < MostConfirmations && good > 0; step++)
        {
            if (Holds(good) && Holds(good))
                return (good, trials);
            good *= StepDown;
        }
        return (null, trials);
    }
}
