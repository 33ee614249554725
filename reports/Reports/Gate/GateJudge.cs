using System.Globalization;
using Bench.Reports.Statistics;

namespace Bench.Reports.Gate;

/// <summary>
/// The verdicts of a gate run, look by look.
/// <para>
/// github-action-benchmark compares one run with one before it; criterion tests one launch against another with
/// intervals of the passes within them; Bencher runs all of base and then all of head. Each takes the noise between
/// launches and the drift of the machine for a change. Here the unit is the pair of launches, close in time and in
/// random order, a change must exceed what matters <i>and</i> what this machine does by itself, "same" has to be
/// shown, and looking several times at many cases is paid for.
/// </para>
/// <para>
/// <b>Slower</b> and <b>faster</b>: the one-sided rank test of "no worse than the margin", by Holm's method over
/// all figures of all cases, at a share of alpha for each look (so the chance of any false alarm in a gate run is at
/// most alpha, whatever depends on what). Holm and not Benjamini–Hochberg, because one false "slower" fails a build: the
/// chance of <i>any</i> is what a user feels, not their share. The family is counted at its full size at every look.
/// <b>Same</b>: two one-sided tests against the margin, at a share of alpha per look for each figure by itself: a false
/// "same" hides one change and makes no other verdict wrong.
/// </para>
/// <para>
/// A verdict once given stays: later pairs are for those that are open. What the pairs that are left would hardly decide
/// is given up.
/// </para>
/// </summary>
public sealed class GateJudge
{
    private const double OneStandardDeviation = 0.1587;

    private readonly GateRules rules;
    private readonly Dictionary<GateKey, double> noiseFloors;
    private readonly Dictionary<GateKey, Judgement> decided = [];
    private readonly IReadOnlyList<GateKey> family;
    private int looks;

    /// <summary>A judge of these figures.</summary>
    /// <param name="family">All that will be judged: the correction for many is for so many.</param>
    /// <param name="rules">Margins and errors.</param>
    /// <param name="noiseFloors">Logarithms of cost that this machine reaches by itself; what is missing has no floor.</param>
    public GateJudge(IReadOnlyList<GateKey> family, GateRules rules, IReadOnlyDictionary<GateKey, double>? noiseFloors = null)
    {
        this.family = family;
        this.rules = rules;
        this.noiseFloors = new Dictionary<GateKey, double>(noiseFloors ?? new Dictionary<GateKey, double>());
    }

    /// <summary>What has no verdict yet.</summary>
    public IEnumerable<GateKey> Open => family.Where(key => !decided.ContainsKey(key));

    /// <summary>Looks at what is open, and decides what can be decided.</summary>
    /// <param name="tests">The test of each open figure that has one.</param>
    /// <returns>A judgement of each figure given that is or was open; the undecided are inconclusive so far.</returns>
    public IReadOnlyList<Judgement> Look(IReadOnlyDictionary<GateKey, ShiftTest> tests)
    {
        looks++;
        var open = Open.Where(tests.ContainsKey).ToArray();
        var slower = Holm(open, key => tests[key].ProbabilityIfAtMost(rules.LogMargin(key.Figure)));
        var faster = Holm(open, key => tests[key].ProbabilityIfAtLeast(-rules.LogMargin(key.Figure)));
        var judgements = new List<Judgement>();
        foreach (var key in open)
        {
            var judgement = Judge(key, tests[key], slower[key], faster[key]);
            if (judgement.Verdict != GateVerdict.Inconclusive)
                decided[key] = judgement;
            judgements.Add(judgement);
        }
        return judgements;
    }

    /// <summary>
    /// The probability that the pairs which are left will bring a verdict, as far as those so far can tell: what the
    /// estimate at the cap will be is drawn around that of now (the predictive probability of Spiegelhalter, Freedman and
    /// Blackburn, <i>Controlled Clinical Trials</i> 7, 1986). Giving up where it is small claims nothing, so it costs no
    /// false verdict, and a change of just the margin does not take every gate to its cap.
    /// </summary>
    private double ProbabilityOfVerdict(GateKey key, ShiftTest test)
    {
        var left = 1 - (double)test.Count / rules.MostPairs;
        // Half the interval that misses one standard deviation on each side, whatever the noise looks like.
        var (low, high) = test.Interval(OneStandardDeviation);
        var deviation = (high - low) / 2;
        if (left <= 0)
            return 0;
        if (!double.IsFinite(deviation) || deviation <= 0)
            return 1;
        var (margin, atCap, change) = (rules.LogMargin(key.Figure), deviation * Math.Sqrt(1 - left), deviation * Math.Sqrt(left));
        double Below(double estimate) => Estimators.NormalCdf((estimate - test.Estimate) / change);
        var beyond = margin + atCap * Estimators.NormalUpperQuantile(rules.AlphaPerLook / family.Count);
        var within = margin - atCap * Estimators.NormalUpperQuantile(rules.AlphaPerLook);
        return 1 - Below(beyond) + Below(-beyond) + Math.Max(0, Below(within) - Below(-within));
    }

    private Judgement Judge(GateKey key, ShiftTest test, HolmStep slower, HolmStep faster)
    {
        var margin = rules.LogMargin(key.Figure);
        var floor = noiseFloors.TryGetValue(key, out var known) ? known : (double?)null;
        var beyondFloor = Math.Abs(test.Estimate) > (floor ?? 0);
        var within = test.ProbabilityIfBeyond(margin) <= rules.AlphaPerLook;
        var (verdict, miss, reason) = (slower.Rejected, faster.Rejected) switch
        {
            (true, _) when beyondFloor => (GateVerdict.Slower, slower.Alpha, null),
            (_, true) when beyondFloor => (GateVerdict.Faster, faster.Alpha, null),
            (true, _) or (_, true) => (GateVerdict.Inconclusive, slower.Rejected ? slower.Alpha : faster.Alpha,
                $"the change of {Percent(test.Estimate)} is no more than this case does by itself on this machine ({Percent(floor ?? 0)})"),
            _ when within => (GateVerdict.Same, rules.AlphaPerLook, null),
            // The wider of the two that decide, Holm's, on the side on which the estimate is.
            _ => (GateVerdict.Inconclusive, test.Estimate > 0 ? slower.Alpha : faster.Alpha, (string?)null),
        };
        var (low, high) = test.Interval(miss);
        // After one look the spread is not known well enough to give up.
        var givenUp = verdict == GateVerdict.Inconclusive && looks > 1 && looks < rules.Looks.Count && ProbabilityOfVerdict(key, test) < rules.LeastHope;
        return new Judgement
        {
            Key = key,
            Verdict = verdict,
            Reason = reason ?? (verdict == GateVerdict.Inconclusive && test.SmallestProbability > miss
                ? string.Create(CultureInfo.InvariantCulture, $"{test.Count} usable pairs can call none of {family.Count} figures slower or faster")
                : givenUp ? "it is so close to the margin that the pairs which are left would hardly tell" : null),
            GivenUp = givenUp,
            Ratio = Math.Exp(test.Estimate),
            Low = double.IsFinite(low) ? Math.Exp(low) : null,
            High = double.IsFinite(high) ? Math.Exp(high) : null,
            Level = 1 - 2 * miss,
            Margin = 1 + rules.Margins[key.Figure],
            NoiseFloor = floor is { } value ? Math.Exp(value) : null,
            Pairs = test.Count,
        };
    }

    /// <summary>
    /// Holm's step-down method: the smallest p is held against alpha over the size of the family, the next against alpha
    /// over one less, and so on to the first that fails; all after it fail at its level, which is therefore theirs.
    /// </summary>
    private Dictionary<GateKey, HolmStep> Holm(IReadOnlyList<GateKey> open, Func<GateKey, double> probability)
    {
        var steps = new Dictionary<GateKey, HolmStep>();
        var (rejecting, alpha) = (true, rules.AlphaPerLook);
        foreach (var (rank, (key, p)) in open.Select(key => (key, p: probability(key))).OrderBy(pair => pair.p).Index())
        {
            if (rejecting)
                alpha = rules.AlphaPerLook / (family.Count - rank);
            rejecting &= p <= alpha;
            steps[key] = new HolmStep(rejecting, alpha);
        }
        return steps;
    }

    private static string Percent(double log) => (Math.Exp(Math.Abs(log)) - 1).ToString("P1", CultureInfo.InvariantCulture);

    private readonly record struct HolmStep(bool Rejected, double Alpha);
}
