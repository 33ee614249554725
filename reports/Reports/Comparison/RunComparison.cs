using System.Globalization;
using Bench.Measure.Records;
using Bench.Reports.Content;
using Bench.Reports.Gate;

namespace Bench.Reports.Comparison;

/// <summary>One side of a comparison of stored runs.</summary>
/// <param name="Name">As the user named it: a folder or a file.</param>
/// <param name="Records">What <see cref="RunStore.Read"/> gives; of one launch or of several.</param>
public sealed record ComparedRun(string Name, IReadOnlyList<RunRecord> Records);

/// <summary>What whoever asks for a comparison decides.</summary>
public sealed record ComparisonOptions
{
    /// <summary>Margins and error; of the looks there is one, whatever stands here.</summary>
    public GateRules Rules { get; init; } = RunComparison.DefaultRules;

    /// <summary>True to compare runs of unlike machines or devices; the result is marked.</summary>
    public bool Unlike { get; init; }

    /// <summary>When it is made.</summary>
    public DateTimeOffset NowUtc { get; init; }

    /// <summary>The command line, without the program's path.</summary>
    public string CommandLine { get; init; } = "";

    /// <summary>What this machine does by itself, as logarithms of cost; empty without a calibration.</summary>
    public IReadOnlyDictionary<GateKey, double> NoiseFloors { get; init; } = new Dictionary<GateKey, double>();

    /// <summary>When that was measured.</summary>
    public DateTimeOffset? CalibratedUtc { get; init; }
}

/// <summary>Runs whose figures may not stand side by side.</summary>
/// <param name="differences">Those that forbid it; at least one.</param>
public sealed class UnlikeRunsException(IReadOnlyList<TraitDifference> differences) : Exception(
    $"base and head are from unlike machines or devices, so their figures cannot be compared ({string.Join("; ", differences.Take(5))}{(differences.Count > 5 ? string.Create(CultureInfo.InvariantCulture, $"; and {differences.Count - 5} more") : "")})")
{
    /// <summary>What differs.</summary>
    public IReadOnlyList<TraitDifference> Differences { get; } = differences;
}

/// <summary>
/// Two stored runs, case by case: a pure function from records to a <see cref="GateResult"/>.
/// <para>
/// With at least four launches of a case on both sides the sample is one value per launch, as in a gate run without
/// its pairs. With fewer it is one value per pass, which knows only what varies within a launch: whatever the machine
/// did differently between the two runs is in the ratio, and the result says so (<see cref="GateResult.FromRecords"/>).
/// A launch has one 99th percentile, so passes give no verdict on it.
/// </para>
/// <para>
/// BenchmarkDotNet compares no two runs (#1171); criterion and github-action-benchmark do, and call a difference of two
/// launches a change. Here a change has to exceed the margin, by Holm's method over all figures of the comparison, and
/// what few passes cannot decide is called inconclusive with the number that could.
/// </para>
/// <para>Of runs over several targets each target is compared with that of the same folder.</para>
/// </summary>
public static class RunComparison
{
    /// <summary>Fewest launches a side for one value per launch: four against four reach a one-sided 1.4 %.</summary>
    private const int FewestLaunches = 4;

    /// <summary>Most values a side that the exact test takes; of more, so many evenly spaced ones.</summary>
    private const int MostValues = 100;

    /// <summary>
    /// One look at 2.5 % on each side, so that "same" is exactly: the whole 95 % interval lies within the margin.
    /// </summary>
    public static GateRules DefaultRules { get; } = GateRules.Default with { Alpha = 0.025, Looks = [1] };

    /// <summary>Compares two runs.</summary>
    /// <param name="baseRun">What it was.</param>
    /// <param name="headRun">What it is now.</param>
    /// <param name="options">Margins, and whether unlike machines are compared too.</param>
    /// <exception cref="RecordException">A side has no record, or both hold the same run.</exception>
    /// <exception cref="UnlikeRunsException">Machines or devices differ, and the options do not allow it.</exception>
    public static GateResult Of(ComparedRun baseRun, ComparedRun headRun, ComparisonOptions options)
    {
        RequireTwoRuns(baseRun, headRun);
        var (baseFirst, headFirst) = (baseRun.Records[0], headRun.Records[0]);
        var fingerprint = Fingerprint.Of(baseFirst);
        var several = HasSeveralTargets(baseRun) || HasSeveralTargets(headRun);
        TraitDifference[] differences = several ? DifferencesByTarget(baseRun, headRun) : [.. fingerprint.DifferencesTo(Fingerprint.Of(headFirst))];
        TraitDifference[] unlike = [.. differences.Where(difference => difference.Unlike)];
        if (unlike.Length > 0 && !options.Unlike)
            throw new UnlikeRunsException(unlike);

        var rules = options.Rules with { Looks = [1] };
        var (cases, baseOnly, headOnly) = Pair(baseRun.Records, headRun.Records, several);
        var judged = Judge(cases, rules, options.NoiseFloors);
        return new GateResult
        {
            Run = $"{baseFirst.Run}..{headFirst.Run}",
            StartedUtc = options.NowUtc,
            CommandLine = options.CommandLine,
            Seed = baseFirst.Tool.Seed,
            Base = SideOf(baseRun),
            Head = SideOf(headRun),
            FromRecords = true,
            Unlike = unlike.Length > 0,
            Differences = [.. differences, .. SettingsOf(baseRun).DifferencesTo(SettingsOf(headRun))],
            CalibratedUtc = options.CalibratedUtc,
            Fingerprint = fingerprint,
            Target = string.Join(" and ", headRun.Records.Select(RunFacts.Target).Distinct(StringComparer.Ordinal)),
            Alpha = rules.Alpha,
            Cases = judged,
            BaseOnly = baseOnly,
            HeadOnly = headOnly,
            Warnings = [.. Doubts(baseRun, "base"), .. Doubts(headRun, "head"), .. cases.SelectMany(one => one.LeftOut()), .. TooFewPasses(cases, rules)],
        };
    }

    private static void RequireTwoRuns(ComparedRun baseRun, ComparedRun headRun)
    {
        foreach (var run in new[] { baseRun, headRun })
            if (run.Records.Count == 0)
                throw new RecordException($"{run.Name}: no record there; the run ended before its first case did");
        var names = baseRun.Records.Select(record => record.Run).ToHashSet(StringComparer.Ordinal);
        if (headRun.Records.FirstOrDefault(record => names.Contains(record.Run)) is { } twice)
            throw new RecordException($"{baseRun.Name} and {headRun.Name} hold the same run, {twice.Run}: a run compared with itself shows nothing");
    }

    private static GateSideInfo SideOf(ComparedRun run) => new(run.Name)
    {
        Version = run.Records[0].Tool.Version,
        Commit = run.Records[0].Tool.Commit,
        InjectedSlowdown = run.Records.Max(InjectedInto),
    };

    private static double InjectedInto(RunRecord record) =>
        record.Effective[Measure.Passes.InjectedSlowdown.EffectiveKey] is { } node && node.GetValueKind() == System.Text.Json.JsonValueKind.Number ? node.GetValue<double>() : 0;

    /// <summary>What a user set, as traits that forbid nothing.</summary>
    private static Fingerprint SettingsOf(ComparedRun run)
    {
        string Each(Func<RunRecord, string> value) => string.Join(", ", run.Records.Select(value).Distinct(StringComparer.Ordinal).Take(5));
        (string Name, string Value)[] settings =
        [
            ("commit", Each(record => record.Tool.Commit ?? "unknown")),
            ("profile", Each(record => record.Tool.Profile)),
            ("passes per case", Each(record => record.Passes.Count.ToString(CultureInfo.InvariantCulture))),
            ("launches", Format.Count(run.Records.Select(record => record.Run).Distinct(StringComparer.Ordinal).Count())),
            ("seed", Each(record => record.Tool.Seed.ToString(CultureInfo.InvariantCulture))),
        ];
        return new Fingerprint([.. settings.Select(setting => new Trait(setting.Name, setting.Value, TraitKind.Software))]);
    }

    private static IEnumerable<string> Doubts(ComparedRun run, string side)
    {
        if (HasSeveralTargets(run))
            yield break;
        var places = run.Records.Select(record => Fingerprint.Of(record).Hash).Distinct(StringComparer.Ordinal).Count();
        if (places > 1)
            yield return $"the {side}'s records come from {Format.Count(places)} machines or devices; they are compared as if from that of its first record";
    }

    /// <summary>Launches of a case may come from anywhere; a run that has one case in two folders has measured two targets.</summary>
    private static bool HasSeveralTargets(ComparedRun run) =>
        run.Records.GroupBy(record => record.Run, StringComparer.Ordinal).Any(one => one.Select(record => record.Target.Folder).Distinct(StringComparer.Ordinal).Skip(1).Any());

    private static TraitDifference[] DifferencesByTarget(ComparedRun baseRun, ComparedRun headRun)
    {
        var before = baseRun.Records.DistinctBy(record => record.Target.Folder).ToDictionary(record => record.Target.Folder, Fingerprint.Of, StringComparer.Ordinal);
        return [.. headRun.Records.DistinctBy(record => record.Target.Folder).Where(record => before.ContainsKey(record.Target.Folder))
            .SelectMany(record => before[record.Target.Folder].DifferencesTo(Fingerprint.Of(record))).Distinct()];
    }

    private static (IReadOnlyList<ComparedCase> Cases, IReadOnlyList<string> BaseOnly, IReadOnlyList<string> HeadOnly) Pair(IReadOnlyList<RunRecord> baseRecords, IReadOnlyList<RunRecord> headRecords, bool several)
    {
        string NameOf(RunRecord record) => several ? $"{record.Case} on {record.Target.Folder}" : record.Case;
        var before = baseRecords.GroupBy(NameOf, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.ToArray(), StringComparer.Ordinal);
        var after = headRecords.GroupBy(NameOf, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.ToArray(), StringComparer.Ordinal);
        return (
            [.. before.Where(pair => after.ContainsKey(pair.Key)).Select(pair => new ComparedCase(pair.Key, several ? pair.Value[0].Target.Folder : null, pair.Value, after[pair.Key]))],
            [.. before.Keys.Where(name => !after.ContainsKey(name))],
            [.. after.Keys.Where(name => !before.ContainsKey(name))]);
    }

    private static IReadOnlyList<GateCaseResult> Judge(IReadOnlyList<ComparedCase> cases, GateRules rules, IReadOnlyDictionary<GateKey, double> noiseFloors)
    {
        var tests = cases.SelectMany(one => one.Tests()).ToDictionary(pair => pair.Key, pair => pair.Test);
        var judgements = new GateJudge([.. tests.Keys], rules, noiseFloors).Look(tests).ToDictionary(judgement => judgement.Key);
        return [.. cases.Select(one => one.Result([.. Figures.All.Select(figure => new GateKey(one.Name, figure)).Where(judgements.ContainsKey)
            .Select(key => Shown(judgements[key], tests[key], rules, tests.Count))], rules))];
    }

    /// <summary>
    /// The judgement with the interval that decides "same", the same for all figures, in place of one at a level of its
    /// own; and why an interval beyond the margin is no verdict.
    /// </summary>
    private static Judgement Shown(Judgement judgement, ShiftTest test, GateRules rules, int family)
    {
        var miss = Math.Max(rules.AlphaPerLook, test.SmallestProbability * (1 + 1e-9));
        var (low, high) = test.Interval(miss);
        var tooFew = test.SmallestProbability > rules.AlphaPerLook / family;
        // That the values are too few for any change is said once for all of them, and here where there seems to be one.
        var shown = judgement with { Low = Finite(low), High = Finite(high), Level = 1 - 2 * miss, Reason = tooFew ? null : judgement.Reason };
        var beyond = shown.Low > shown.Margin || shown.High < 1 / shown.Margin;
        return shown.Verdict != GateVerdict.Inconclusive || shown.Reason is not null || !beyond ? shown : shown with
        {
            Reason = tooFew
                ? $"beyond the margin by itself, but {Format.Count(test.Count)} values a side cannot show a change among {Format.Count(family)} figures; {Format.Count(ValuesFor(rules.AlphaPerLook / family))} could"
                : $"beyond the margin by itself, not after the correction for {Format.Count(family)} figures",
        };
    }

    private static double? Finite(double log) => double.IsFinite(log) ? Math.Exp(log) : null;

    /// <summary>A run of few passes can call nothing slower, however slow it is: said once, before any figure.</summary>
    private static IEnumerable<string> TooFewPasses(IReadOnlyList<ComparedCase> cases, GateRules rules)
    {
        ShiftTest[] tests = [.. cases.SelectMany(one => one.Tests()).Select(pair => pair.Test)];
        var tooFew = tests.Where(test => test.SmallestProbability > rules.AlphaPerLook / tests.Length).ToArray();
        if (tooFew.Length == 0)
            yield break;
        var needed = ValuesFor(rules.AlphaPerLook / tests.Length);
        yield return $"{Format.Count(tooFew.Length)} of {Format.Count(tests.Length)} figures have too few values (from {Format.Count(tooFew.Min(test => test.Count))} a side) to be called slower or faster among so many at an error of {Format.ErrorRate(rules.Alpha)}, whatever they are: "
            + $"run both sides with --passes {Format.Count(needed)}, or compare fewer cases";
    }

    /// <summary>The fewest values a side with which the exact test of two samples can reach a probability.</summary>
    private static int ValuesFor(double probability)
    {
        var (values, smallest) = (1, 0.5);
        while (smallest > probability && values < MostValues)
        {
            values++;
            // 1 / C(2n, n) from 1 / C(2n − 2, n − 1).
            smallest *= (double)values * values / (2.0 * values * (2.0 * values - 1));
        }
        return values;
    }

    /// <summary>A case that both sides have, with its launches.</summary>
    private sealed record ComparedCase(string Name, string? Target, RunRecord[] Base, RunRecord[] Head)
    {
        private RunRecord[] UsableBase { get; } = [.. Base.Where(record => WhyUnusable(record) is null)];

        private RunRecord[] UsableHead { get; } = [.. Head.Where(record => WhyUnusable(record) is null)];

        private bool ByLaunch => UsableBase.Length >= FewestLaunches && UsableHead.Length >= FewestLaunches;

        /// <summary>The test of each figure that both sides have.</summary>
        public IEnumerable<(GateKey Key, ShiftTest Test)> Tests()
        {
            foreach (var figure in Figures.All)
            {
                var (from, to) = (Costs(UsableBase, figure), Costs(UsableHead, figure));
                if (from.Length > 0 && to.Length > 0)
                    yield return (new GateKey(Name, figure), ShiftTest.OfSamples(Spaced(from), Spaced(to)));
            }
        }

        /// <summary>The case with its judgements, or with one that says why there is none.</summary>
        public GateCaseResult Result(IReadOnlyList<Judgement> judgements, GateRules rules) => new()
        {
            Name = Name,
            Workload = Base[0].Workload,
            Parameters = Target is null ? Base[0].Parameters : new Dictionary<string, string>(Base[0].Parameters) { ["Target"] = Target },
            // Without a throughput the other figures are no verdict on the case.
            Judgements = judgements.Any(judgement => judgement.Key.Figure == Figure.Throughput) ? judgements :
            [
                new Judgement
                {
                    Key = new GateKey(Name, Figure.Throughput),
                    Verdict = GateVerdict.NotJudged,
                    Reason = WhyNot(),
                    Margin = 1 + rules.Margins[Figure.Throughput],
                },
                .. judgements,
            ],
            BaseRecord = Middle(UsableBase) ?? Base[^1],
            HeadRecord = Middle(UsableHead) ?? Head[^1],
        };

        /// <summary>Launches that do not count although others do.</summary>
        public IEnumerable<string> LeftOut() =>
            new[] { ("base", Base, UsableBase), ("head", Head, UsableHead) }
                .Where(side => side.Item3.Length > 0 && side.Item3.Length < side.Item2.Length)
                .Select(side => $"{Name}: of the {side.Item1}'s {Format.Count(side.Item2.Length)} launches {Format.Count(side.Item2.Length - side.Item3.Length)} left out, {side.Item2.Select(WhyUnusable).First(why => why is not null)}");

        private string WhyNot() =>
            UsableBase.Length == 0 ? $"the base {WhyUnusable(Base[^1])}"
            : UsableHead.Length == 0 ? $"the head {WhyUnusable(Head[^1])}"
            : $"{(Costs(UsableBase, Figure.Throughput).Length == 0 ? "the base" : "the head")} has no throughput above zero";

        private double[] Costs(RunRecord[] records, Figure figure)
        {
            var values = ByLaunch ? records.Select(record => Figures.Of(record, figure) ?? 0)
                : figure == Figure.P99 ? []
                : records.SelectMany(record => record.Passes).Select(pass => figure == Figure.Throughput ? pass.Bytes / pass.Seconds
                    : (pass.CpuUserSeconds + pass.CpuSystemSeconds) * 1e9 / pass.Operations);
            return [.. values.Where(value => value > 0 && double.IsFinite(value)).Select(value => figure.HigherIsBetter() ? -Math.Log(value) : Math.Log(value))];
        }

        private static double[] Spaced(double[] values) => values.Length <= MostValues ? values
            : [.. Enumerable.Range(0, MostValues).Select(index => values[(int)((long)index * values.Length / MostValues)])];

        /// <summary>The launch that stands for all: the one of median throughput.</summary>
        private static RunRecord? Middle(RunRecord[] usable) => usable.Length == 0 ? null
            : usable.OrderBy(record => record.BytesPerSecond?.Median ?? 0).ElementAt((usable.Length - 1) / 2);

        private static string? WhyUnusable(RunRecord record) =>
            record.Error is { } error ? $"failed: {error}"
            : record.Passes.Count == 0 ? "has no timed pass"
            : record.Evidence.Verdict == Verdict.Contradicted
                ? $"is contradicted: {string.Join("; ", record.Evidence.Claims.Where(claim => claim.Verdict == Verdict.Contradicted).Select(claim => $"not {claim.Claim}: {claim.Reason}"))}"
            : null;
    }
}
