using System.Globalization;
using Bench.Measure.Passes;

namespace Bench.Measure.Running;

/// <summary>How much a run does.</summary>
public enum Profile
{
    /// <summary>Seconds: every kind of case once, too short to mean anything. For tests.</summary>
    Smoke,

    /// <summary>At most two minutes and 4 GiB written: the questions that most people have.</summary>
    Quick,

    /// <summary>Seconds: the few cases by which a regression is told, each short, because the gate repeats them.</summary>
    Gate,

    /// <summary>At most twenty minutes.</summary>
    Standard,

    /// <summary>Every combination.</summary>
    Full,
}

/// <summary>How long and how often a case is measured.</summary>
public sealed record RunSettings
{
    /// <summary>The profile's name.</summary>
    public required Profile Profile { get; init; }

    /// <summary>Timed passes per case. From six on, the interval of the median covers 95 %.</summary>
    public required int Passes { get; init; }

    /// <summary>Length that a pass aims at, in seconds; the first, untimed pass finds the amount of work for it.</summary>
    public required double PassSeconds { get; init; }

    /// <summary>
    /// Operations of each timed pass, by case; a case that is not named finds its own in its untimed pass. A gate gives
    /// both sides the same: a device that is throttled, or faster at first, gives another rate to a longer pass.
    /// </summary>
    public IReadOnlyDictionary<string, long> OperationsPerPass { get; init; } = new Dictionary<string, long>();

    /// <summary>
    /// Where in its file a case begins, as a share of it, 0 up to 1. A gate lets its two sides read one file from
    /// different places: of what the other has read a moment ago, the device or a virtual machine's host may have a copy.
    /// </summary>
    public double StartShare { get; init; }

    /// <summary>Length of one round on the way to a steady state, in seconds.</summary>
    public double SteadyRoundSeconds { get; init; } = 5;

    /// <summary>Most bytes that one pass may write to a device.</summary>
    public required long MaxWriteBytesPerPass { get; init; }

    /// <summary>
    /// Pause between setting the cache state and the pass, in milliseconds: short and always the same, because on
    /// virtual machines a longer pause lets the host take the freed memory back and makes cold reads slower.
    /// </summary>
    public int SettleMs { get; init; } = 20;

    /// <summary>Operations a second that a case offers, at random moments, whatever becomes of them; 0 in a closed loop.</summary>
    public double RatePerSecond { get; init; }

    /// <summary>The 99th percentile within which the highest rate is looked for, in nanoseconds; 0 without a search.</summary>
    public long LatencyTargetNs { get; init; }

    /// <summary>Whether operations are due at moments of their own.</summary>
    public bool IsPaced => RatePerSecond > 0 || LatencyTargetNs > 0;

    /// <summary>
    /// Longest trial of a rate, and pass at a rate that was looked for, in seconds: ten operations a second. Halving on to
    /// one a second took a quarter of an hour on a hard disk before it said that no rate holds.
    /// </summary>
    public double LongestTrialSeconds => Math.Max(30, 10 * PassSeconds);

    /// <summary>
    /// Length of a pass of an open loop, in seconds. Where a latency is asked for, fifty times that at least: an operation
    /// within it that happens to be the last is then less than what counts as a backlog.
    /// </summary>
    public double PacedPassSeconds => Math.Max(PassSeconds, Math.Min(Pacing.PartsToABacklog * LatencyTargetNs * 1e-9, LongestTrialSeconds));

    /// <summary>Operations of a pass that offers so many a second: those that the length it aims at has, one at least.</summary>
    /// <param name="perSecond">The rate.</param>
    /// <param name="most">Most operations that a pass may have.</param>
    public long OperationsAt(double perSecond, long most) => (long)Math.Clamp(Math.Ceiling(perSecond * PacedPassSeconds), 1, most);

    /// <summary>
    /// What a pass is expected to do, before anything is measured. A pass of an open loop ends with its last operation:
    /// one that is due once in hours is waited for, and a rate that a case cannot keep up with takes as long as it can.
    /// </summary>
    /// <param name="perSecond">Operations a second that the case may do as fast as it can.</param>
    /// <param name="most">Most operations that a pass of an open loop may have.</param>
    /// <param name="threads">Threads that share the operations and the rate.</param>
    public (double Operations, double Seconds) ExpectedPass(double perSecond, long most, int threads = 1)
    {
        if (RatePerSecond == 0)
            return (perSecond * PacedPassSeconds, PacedPassSeconds);
        var operations = OperationsAt(RatePerSecond, most);
        return (operations, Math.Max(Math.Ceiling(operations / (double)threads) * threads / RatePerSecond, operations / perSecond));
    }

    /// <summary>A case's name in a record: an open loop is another case than a closed one.</summary>
    public string NameOf(CaseSpec spec) => IsPaced ? $"{spec.Id[..^1]}, Rate={PaceText})" : spec.Id;

    /// <summary>The rate as a parameter is spelled: "5000/s", or the target "p99≤10ms".</summary>
    public string PaceText => LatencyTargetNs > 0
        ? string.Create(CultureInfo.InvariantCulture, $"p99≤{(LatencyTargetNs % 1_000_000 == 0 ? $"{LatencyTargetNs / 1_000_000}ms" : $"{LatencyTargetNs / 1000}us")}")
        : string.Create(CultureInfo.InvariantCulture, $"{RatePerSecond:0.###}/s");

    /// <summary>By what share of itself each operation is made longer, to test the gate; 0 in every ordinary run.</summary>
    public double InjectedSlowdown { get; init; }

    /// <summary>Seed of every random choice.</summary>
    public required long Seed { get; init; }

    /// <summary>The same with passes of another length, which may write as much more as they are longer.</summary>
    public RunSettings WithPassSeconds(double seconds) =>
        this with { PassSeconds = seconds, MaxWriteBytesPerPass = (long)(MaxWriteBytesPerPass * Math.Max(1, seconds / PassSeconds)) };

    /// <summary>The settings of a profile.</summary>
    public static RunSettings Of(Profile profile, long seed) => profile switch
    {
        // Rounds of whole tenths of a second: hypervisors give their processors in slices of that, and in shorter rounds a fast one follows a slow one for ever.
        Profile.Smoke => new() { Profile = profile, Passes = 2, PassSeconds = 0.01, SteadyRoundSeconds = 0.1, MaxWriteBytesPerPass = 4 << 20, Seed = seed },
        Profile.Quick => new() { Profile = profile, Passes = 6, PassSeconds = 0.14, MaxWriteBytesPerPass = 192 << 20, Seed = seed },
        Profile.Gate => new() { Profile = profile, Passes = 16, PassSeconds = 0.03, MaxWriteBytesPerPass = 192 << 20, SettleMs = 5, Seed = seed },
        Profile.Standard => new() { Profile = profile, Passes = 10, PassSeconds = 0.5, SteadyRoundSeconds = 30, MaxWriteBytesPerPass = 1 << 30, Seed = seed },
        Profile.Full => new() { Profile = profile, Passes = 10, PassSeconds = 1, SteadyRoundSeconds = 60, MaxWriteBytesPerPass = 1 << 30, Seed = seed },
        _ => throw new ArgumentOutOfRangeException(nameof(profile)),
    };
}
