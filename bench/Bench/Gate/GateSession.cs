using System.Diagnostics;
using System.Globalization;
using Bench.Commands;
using Bench.Measure.Evidence;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Bench.Measure.Running;
using Bench.Reports;
using Bench.Reports.Comparison;
using Bench.Reports.Content;
using Bench.Reports.Gate;

namespace Bench.Gate;

/// <summary>
/// A gate run by pairs of launches: some pairs of all cases, a look, further pairs of the cases that are open, and so
/// on to the cap.
/// <para>
/// A case is open until its throughput has a verdict; p99 and CPU are judged with the pairs that there are. They are
/// side figures: a p99 of a second's work varies by tens of percent on any machine, and waiting for it would take
/// every case to the cap.
/// </para>
/// </summary>
internal sealed class GateSession
{
    /// <summary>Fewer usable pairs than this are no ground for a verdict.</summary>
    private const int FewestPairs = 6;

    /// <summary>A case that loses more of its pairs than this is not what its name says.</summary>
    private const double MostDiscarded = 0.25;

    /// <summary>Beyond so many times the passes a launch differs from the next by what more passes do not change.</summary>
    private const int MostPassesGrow = 2;

    private readonly GateSide baseSide;
    private readonly GateSide headSide;
    private readonly RunSettings settings;
    private readonly GateRules rules;
    private readonly StopSignal stop;
    private readonly Dictionary<GateCase, CaseLog> logs;
    private readonly Dictionary<GateKey, Judgement> judgements = [];
    private readonly List<string> doubts = [];
    private IReadOnlyList<string> baseOnly = [];
    private IReadOnlyList<string> headOnly = [];

    internal GateSession(GateSide baseSide, GateSide headSide, IReadOnlyList<GateCase> cases, RunSettings settings, GateRules rules, StopSignal stop)
    {
        (this.baseSide, this.headSide, this.settings, this.rules, this.stop) = (baseSide, headSide, settings, rules, stop);
        Cases = cases;
        logs = cases.ToDictionary(one => one, _ => new CaseLog());
    }

    internal IReadOnlyList<GateCase> Cases { get; private set; }

    /// <summary>The longest that a launch may take from one pass to the next.</summary>
    internal required TimeSpan TurnLimit { get; init; }

    /// <summary>Data folders of other runs that were at work on the targets at the start.</summary>
    internal IReadOnlyList<string> Neighbours { get; init; } = [];

    /// <summary>Told after each pair and each look, in a line.</summary>
    internal Action<string> Say { get; init; } = _ => { };

    /// <summary>Runs pairs until all is decided, or to the cap.</summary>
    /// <param name="run">The gate run's name.</param>
    /// <param name="workFolder">For the launches' records, while they run.</param>
    /// <param name="baseFolders">Data folders of the base.</param>
    /// <param name="headFolders">Data folders of the head.</param>
    /// <param name="calibration">Noise floors of this machine; null if there is none.</param>
    internal GateResult Execute(string run, string workFolder, IReadOnlyList<string> baseFolders, IReadOnlyList<string> headFolders, Calibration? calibration)
    {
        var started = DateTimeOffset.UtcNow;
        var clock = Stopwatch.StartNew();
        var runner = new PairRunner(baseSide, headSide, settings, TurnLimit, workFolder, stop);
        var known = runner.Prepare(Cases, baseFolders, headFolders);
        (baseOnly, headOnly) = (runner.BaseOnly, runner.HeadOnly);
        Cases = known;
        if (runner.Unshared is { } reason)
            doubts.Add($"base and head have a data file each, and where it lies on the disk and in memory is part of each pair: {reason}");
        if (baseFolders != headFolders)
            doubts.Add("each side has a target of its own, so each pair has data files of its own, and where these lie on the disk and in memory is part of the ratios' noise");
        foreach (var neighbour in Neighbours)
            doubts.Add($"another bench was at work on the target when this began: {neighbour}");
        if (calibration?.Doubt is { } doubt)
            doubts.Add(doubt);
        GateJudge? judge = null;
        IReadOnlyList<GateCase> open = Cases;
        var pairs = 0;
        var lookClock = Stopwatch.StartNew();
        foreach (var look in rules.Looks)
        {
            // By the pace since the last look, for pairs of fewer cases are shorter.
            var before = pairs;
            lookClock.Restart();
            for (; pairs < look; pairs++)
            {
                var left = pairs == before ? "" : $", about {Plan.Say(lookClock.Elapsed.TotalSeconds / (pairs - before) * (look - pairs))} to the {(look < rules.MostPairs ? "next look" : "end")}";
                Say(string.Create(CultureInfo.InvariantCulture, $"pair {pairs + 1} of {look}{(look < rules.MostPairs ? $" to {rules.MostPairs}" : "")}, {open.Count} of {Format.Count(Cases.Count, "case")} open{left}"));
                foreach (var (one, outcome) in open.Zip(runner.Run(pairs + 1, open, PassesFor(open.Count), baseFolders, headFolders)))
                    logs[one].Add(outcome);
                open = [.. open.Where(one => !HasFailed(one))];
                if (open.Count == 0)
                    break;
                // Which figures a case has is known when it has run, and not only when all pairs have.
                if (pairs == 0)
                    RequireEnoughPairs(rules, Family().Count);
            }
            judge ??= MakeJudge(calibration);
            Look(judge, open);
            open = [.. open.Where(one => judgements.GetValueOrDefault(new GateKey(one.Name, Figure.Throughput)) is { Verdict: GateVerdict.Inconclusive, GivenUp: false })];
            if (open.Count == 0)
                break;
        }
        return ToResult(run, started, clock.Elapsed.TotalSeconds, calibration);
    }

    /// <summary>Closes a case in which a launch failed: more of them would tell nothing, and would put the others out of step.</summary>
    private bool HasFailed(GateCase one)
    {
        if (logs[one].Pairs.Select(pair => pair.Failure).FirstOrDefault(failure => failure is not null) is not { } failure)
            return false;
        foreach (var figure in Figures.All)
            judgements.Remove(new GateKey(one.Name, figure));
        var key = new GateKey(one.Name, Figure.Throughput);
        judgements[key] = NotJudged(key, failure, logs[one].LogCosts(Figure.Throughput).Count);
        return true;
    }

    /// <summary>Refuses a gate whose verdict would not depend on what it measures.</summary>
    /// <param name="rules">The error, and the most pairs.</param>
    /// <param name="figures">How many are judged, as far as is known: each case has one at least.</param>
    /// <exception cref="GateException">So many pairs can call none of them slower.</exception>
    internal static void RequireEnoughPairs(GateRules rules, int figures)
    {
        // Half of the pairs in each order, which is the most that a number of them can say.
        bool IsEnough(int pairs) => ShiftTest.SmallestProbabilityOf(pairs) <= rules.AlphaPerLook / Math.Max(1, figures);
        if (IsEnough(rules.MostPairs))
            return;
        var way = Enumerable.Range(rules.MostPairs, Math.Max(0, GateOptions.MostPairs + 1 - rules.MostPairs)).FirstOrDefault(IsEnough) is > 0 and var enough
            ? $"give --pairs with {enough} or more as the last number, a larger --alpha, or fewer cases"
            : "give a larger --alpha, or fewer cases";
        throw new GateException(string.Create(CultureInfo.InvariantCulture,
            $"{rules.MostPairs} pairs cannot call {(figures == 1 ? "a single figure" : $"any of {figures} figures")} slower at an error of {Format.ErrorRate(rules.Alpha)}, however slow it is; {way}"));
    }

    private GateJudge MakeJudge(Calibration? calibration)
    {
        var family = Family();
        RequireEnoughPairs(rules, family.Count);
        var floors = calibration is null ? [] : NoiseFloors(calibration);
        foreach (var (key, floor) in floors.Where(pair => pair.Key.Figure == Figure.Throughput && pair.Value > rules.LogMargin(Figure.Throughput)))
            doubts.Add(string.Create(CultureInfo.InvariantCulture, $"{key.Case}: by itself this case changes by up to {Math.Exp(floor) - 1:P1} here, more than the margin, and no smaller change of it can be called anything"));
        return new GateJudge(family, rules, floors);
    }

    /// <summary>
    /// The cases that are open get the passes of those that are decided: a launch keeps its length, and starting it does
    /// not become most of what a pair takes.
    /// </summary>
    private int PassesFor(int open) => settings.Passes * Math.Min(MostPassesGrow, Cases.Count / open);

    private List<GateKey> Family() =>
        [.. Cases.SelectMany(one => Figures.All.Where(figure => logs[one].LogCosts(figure).Count > 0).Select(figure => new GateKey(one.Name, figure)))];

    /// <summary>Where settings differ between the sides, the noise floor is the higher of the two cases'.</summary>
    private Dictionary<GateKey, double> NoiseFloors(Calibration calibration)
    {
        var floors = new Dictionary<GateKey, double>();
        foreach (var one in Cases)
        {
            foreach (var figure in Figures.All)
            {
                var known = calibration.NoiseFloors(((string[])[one.Name, one.Base.Id, one.Head.Id]).Distinct().Select(name => new GateKey(name, figure)));
                if (known.Count > 0)
                    floors[new GateKey(one.Name, figure)] = known.Values.Max();
            }
        }
        return floors;
    }

    private void Look(GateJudge judge, IReadOnlyList<GateCase> open)
    {
        var tests = new Dictionary<GateKey, ShiftTest>();
        foreach (var one in open)
        {
            foreach (var figure in Figures.All)
            {
                var key = new GateKey(one.Name, figure);
                var costs = logs[one].LogCosts(figure);
                if (WhyNotJudged(one) is { } reason)
                {
                    if (figure == Figure.Throughput)
                        judgements[key] = NotJudged(key, reason, costs.Count);
                    else
                        judgements.Remove(key);
                }
                else if (costs.Count >= FewestPairs && ShiftTest.OfPairs(logs[one].Pairs, figure) is { } test)
                    tests[key] = test;
            }
        }
        foreach (var judgement in judge.Look(tests))
            judgements[judgement.Key] = judgement;
    }

    /// <summary>Why there is nothing to judge in a case; null if there is.</summary>
    private string? WhyNotJudged(GateCase one)
    {
        var pairs = logs[one].Pairs;
        var discarded = pairs.Where(pair => pair.Discarded is not null).ToArray();
        var usable = logs[one].LogCosts(Figure.Throughput).Count;
        return discarded.Length > MostDiscarded * pairs.Count
            ? string.Create(CultureInfo.InvariantCulture, $"{discarded.Length} of {pairs.Count} pairs do not count: {discarded[^1].Discarded}")
            : usable < FewestPairs ? string.Create(CultureInfo.InvariantCulture, $"{usable} usable pairs are too few")
            : null;
    }

    private Judgement NotJudged(GateKey key, string reason, int pairs) => new()
    {
        Key = key,
        Verdict = GateVerdict.NotJudged,
        Reason = reason,
        Margin = 1 + rules.Margins[key.Figure],
        Pairs = pairs,
    };

    private GateResult ToResult(string run, DateTimeOffset started, double seconds, Calibration? calibration)
    {
        var (first, second) = (FirstRecord(baseSide, log => log.LastBase), FirstRecord(headSide, log => log.LastHead));
        var fingerprint = Fingerprint.Of(first);
        return new GateResult
        {
            Run = run,
            StartedUtc = started,
            Seconds = seconds,
            CommandLine = string.Join(' ', Environment.GetCommandLineArgs().Skip(1)),
            Seed = settings.Seed,
            Base = Info(baseSide, first),
            Head = Info(headSide, second),
            Differences = fingerprint.DifferencesTo(Fingerprint.Of(second)),
            CalibratedUtc = calibration?.MadeUtc,
            Fingerprint = fingerprint,
            Target = RunFacts.Target(first),
            Alpha = rules.Alpha,
            Looks = rules.Looks,
            PassSeconds = settings.PassSeconds,
            Cases = [.. Cases.Select(one => new GateCaseResult
            {
                Name = one.Name,
                Workload = one.Base.Workload.Name,
                Parameters = one.SharedParameters,
                Judgements = [.. Figures.All.Select(figure => judgements.GetValueOrDefault(new GateKey(one.Name, figure))).OfType<Judgement>()],
                Pairs = logs[one].Pairs,
                BaseRecord = logs[one].LastBase,
                HeadRecord = logs[one].LastHead,
            })],
            BaseOnly = baseOnly,
            HeadOnly = headOnly,
            Warnings = [.. Doubts()],
        };
    }

    private RunRecord FirstRecord(GateSide side, Func<CaseLog, RunRecord?> last) =>
        Cases.Select(one => last(logs[one])).OfType<RunRecord>().FirstOrDefault() ?? throw new GateException($"the {side.Role} {side.Name} measured none of the cases");

    private IEnumerable<string> Doubts()
    {
        foreach (var doubt in doubts)
            yield return doubt;
        if (baseOnly.Count + headOnly.Count > 0)
            yield return "a side does not know some of the cases (another revision, other parameters): they are listed, not judged, and no verdict if it is the head that lacks them";
        if (logs.Values.Sum(log => log.Disturbed) is > 0 and var disturbed)
            yield return $"something else used the disk in {Format.Count(disturbed)} of {Format.Count(logs.Values.Sum(log => log.Pairs.Count), "pair")}, which is in the ratios as noise; the last time {logs.Values.Select(log => log.LastDisturbance).Last(why => why is not null)}";
        foreach (var one in Cases)
        {
            var discarded = logs[one].Pairs.Where(pair => pair.Discarded is not null).ToArray();
            if (discarded.Length > 0)
                yield return string.Create(CultureInfo.InvariantCulture, $"{ResultTable.ShortName(one.Base.Workload.Name, one.SharedParameters)}: {discarded.Length} of {logs[one].Pairs.Count} pairs do not count: {discarded[^1].Discarded}");
        }
    }

    private static GateSideInfo Info(GateSide side, RunRecord record) => new(side.Name)
    {
        Version = record.Tool.Version,
        Commit = side.Commit ?? record.Tool.Commit,
        InjectedSlowdown = side.InjectedSlowdown,
    };

    /// <summary>What is known of one case so far.</summary>
    private sealed class CaseLog
    {
        internal List<GatePair> Pairs { get; } = [];

        internal RunRecord? LastBase { get; private set; }

        internal RunRecord? LastHead { get; private set; }

        /// <summary>Pairs in which something else used the disk during a pass of either side.</summary>
        internal int Disturbed { get; private set; }

        /// <summary>What it was, the last time.</summary>
        internal string? LastDisturbance { get; private set; }

        internal void Add((GatePair Pair, RunRecord? Base, RunRecord? Head) outcome)
        {
            Pairs.Add(outcome.Pair);
            var disturbance = new[] { outcome.Base, outcome.Head }.SelectMany(record => record?.Passes ?? []).Select(ForeignTraffic.In).FirstOrDefault(why => why is not null);
            Disturbed += disturbance is null ? 0 : 1;
            LastDisturbance = disturbance ?? LastDisturbance;
            LastBase = outcome.Base ?? LastBase;
            LastHead = outcome.Head ?? LastHead;
        }

        internal IReadOnlyList<double> LogCosts(Figure figure) => [.. Pairs.Select(pair => pair.LogCost(figure)).OfType<double>()];
    }
}
