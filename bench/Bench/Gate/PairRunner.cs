using System.Globalization;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Bench.Measure.Running;
using Bench.Reports.Comparison;
using Bench.Reports.Gate;

namespace Bench.Gate;

/// <summary>
/// Runs pairs of launches: a process of each side, whose passes take turns. Which side has the first turn and which of
/// the two data folders it gets is drawn for each pair (<see cref="PairOrder"/>): neither the place of a file on the disk
/// nor being first can count for one side.
/// </summary>
internal sealed class PairRunner(GateSide baseSide, GateSide headSide, RunSettings settings, TimeSpan turnLimit, string workFolder, StopSignal stop)
{
    private const double GoldenRatio = 0.6180339887498949;

    private static readonly string[] StatesOfTheMachine = ["cold", "warm", "direct", "uncached", "in-memory", "huge-pages", "small-pages", "queue-depth"];

    private readonly PairOrder order = new(settings.Seed);
    private Dictionary<string, long> baseOperations = [];
    private Dictionary<string, long> headOperations = [];

    /// <summary>Why the sides have data files of their own although they could share them; null if all is as it should be.</summary>
    internal string? Unshared { get; private set; }

    /// <summary>The cases that the base alone has.</summary>
    internal IReadOnlyList<string> BaseOnly { get; private set; } = [];

    /// <summary>The cases that the head alone has.</summary>
    internal IReadOnlyList<string> HeadOnly { get; private set; } = [];

    /// <summary>
    /// Lays out the files of both sides, finds how much work a pass has, and sees which cases both programs know,
    /// before the long wait. On one target both sides get the same files wherever their cases want the same of the
    /// cache: two files lie in different places of the disk, and in different pages of memory each time they are read
    /// into it, and of warm reads that was most of what one pair differed by from the next.
    /// </summary>
    /// <param name="cases">The cases.</param>
    /// <param name="baseFolders">The data folders of the base: both, or one where each side has a target of its own.</param>
    /// <param name="headFolders">Those of the head.</param>
    /// <returns>The cases that both sides have.</returns>
    /// <exception cref="GateException">A side cannot run a case, or they have none in common.</exception>
    internal IReadOnlyList<GateCase> Prepare(IReadOnlyList<GateCase> cases, IReadOnlyList<string> baseFolders, IReadOnlyList<string> headFolders)
    {
        var (baseFolder, headFolder) = (baseFolders[0], headFolders[^1]);
        Dictionary<string, long> ofBase, ofHead;
        try
        {
            (ofBase, ofHead) = PrepareBoth(cases);
        }
        catch (GateException exception) when (exception.Refused)
        {
            // Revisions with other parameters have other cases: those that both know are still worth a gate.
            var knowledge = cases.Select(one => (Case: one, Base: Launch.Knows(baseSide, one, turnLimit, stop), Head: Launch.Knows(headSide, one, turnLimit, stop))).ToArray();
            GateCase[] known = [.. knowledge.Where(one => one.Base && one.Head).Select(one => one.Case)];
            if (known.Length == 0 || known.Length == cases.Count)
                throw;
            BaseOnly = [.. knowledge.Where(one => one.Base && !one.Head).Select(one => one.Case.Name)];
            HeadOnly = [.. knowledge.Where(one => one.Head && !one.Base).Select(one => one.Case.Name)];
            cases = known;
            (ofBase, ofHead) = PrepareBoth(cases);
        }
        // A program that spells a case otherwise has measured another one.
        var measured = cases.Select(one => (Case: one, Base: ofBase.ContainsKey(one.Base.Id), Head: ofHead.ContainsKey(one.Head.Id))).ToArray();
        BaseOnly = [.. BaseOnly, .. measured.Where(one => one.Base && !one.Head).Select(one => one.Case.Name)];
        HeadOnly = [.. HeadOnly, .. measured.Where(one => one.Head && !one.Base).Select(one => one.Case.Name)];
        cases = [.. measured.Where(one => one.Base && one.Head).Select(one => one.Case)];
        if (cases.Count == 0)
            throw new GateException($"{baseSide.Name} and {headSide.Name} have no case in common: each names its parameters in another way");
        // The same work for both: the base's. Other settings may make another amount of it sensible.
        baseOperations = ofBase;
        headOperations = ofHead.ToDictionary(pair => pair.Key, pair => ofBase.GetValueOrDefault(pair.Key, pair.Value));
        return cases;

        (Dictionary<string, long> Base, Dictionary<string, long> Head) PrepareBoth(IReadOnlyList<GateCase> those)
        {
            if (baseFolders != headFolders)
                return (PrepareOne(baseSide, those, baseFolder), PrepareOne(headSide, those, headFolder));
            var share = those.All(one => one.SameCacheState);
            var first = PrepareOne(baseSide, those, baseFolder);
            Unshared = share ? DataFolder.ShareFiles(baseFolder, headFolder) : null;
            var second = PrepareOne(headSide, those, headFolder);
            // The sides swap their folders from pair to pair, so each needs the files of both.
            if (share && Unshared is null)
                DataFolder.ShareFiles(headFolder, baseFolder);
            else
            {
                PrepareOne(baseSide, those, headFolder);
                PrepareOne(headSide, those, baseFolder);
            }
            return (first, second);
        }
    }

    /// <summary>Runs one pair.</summary>
    /// <param name="number">Its number, from 1.</param>
    /// <param name="cases">The cases that are still open.</param>
    /// <param name="passes">Passes of each.</param>
    /// <param name="baseFolders">The data folders of the base; with two, the sides swap them from pair to pair.</param>
    /// <param name="headFolders">Those of the head.</param>
    /// <returns>For each case both records, in order.</returns>
    internal IReadOnlyList<(GatePair Pair, RunRecord? Base, RunRecord? Head)> Run(
        int number, IReadOnlyList<GateCase> cases, int passes, IReadOnlyList<string> baseFolders, IReadOnlyList<string> headFolders)
    {
        var (baseFirst, swapped) = order.Next();
        // Where each side has a target, each has one folder and cannot swap: the place of a file, and its pages in memory,
        // would be the same in every pair, and pass for a difference of the targets however many pairs there are.
        if (baseFolders != headFolders)
            foreach (var folder in (string[])[baseFolders[0], headFolders[^1]])
                DataFolder.RemoveFiles(folder);
        var launched = settings with { Passes = passes };
        // Half a file apart, and elsewhere in each pair: what one side has just read is not what the other reads next.
        var (near, far) = (number * GoldenRatio % 1, (number * GoldenRatio + 0.5) % 1);
        using var turns = new TurnGiver(string.Create(CultureInfo.InvariantCulture, $"bench-{Environment.ProcessId}-{number}-{Guid.NewGuid():N}"), 2, turnLimit);
        using var one = Launch.Start(baseSide, cases, launched with { OperationsPerPass = baseOperations, StartShare = swapped ? far : near },
            swapped ? baseFolders[^1] : baseFolders[0], OutOf(baseSide), turns.AddressOf(0));
        using var other = Launch.Start(headSide, cases, launched with { OperationsPerPass = headOperations, StartShare = swapped ? near : far },
            swapped ? headFolders[0] : headFolders[^1], OutOf(headSide), turns.AddressOf(1));
        var rounds = GiveTurns(turns, baseFirst, one, other);
        var where = string.Create(CultureInfo.InvariantCulture, $"in pair {number}");
        var (bases, heads) = (ByCase(one.Finish(where, turnLimit, stop)), ByCase(other.Finish(where, turnLimit, stop)));
        var outcomes = new List<(GatePair, RunRecord?, RunRecord?)>();
        // Of each case the untimed pass has a round too.
        var roundsPerCase = passes + 1;
        string? outOfStep = null;
        if (rounds != roundsPerCase * cases.Count && cases.All(spec => bases.GetValueOrDefault(spec.Base.Id)?.Error is null && heads.GetValueOrDefault(spec.Head.Id)?.Error is null))
            outOfStep = "the sides did not take their turns in step";
        foreach (var (index, spec) in cases.Index())
        {
            var (first, second) = (bases.GetValueOrDefault(spec.Base.Id), heads.GetValueOrDefault(spec.Head.Id));
            var failure = Failure("base", first) ?? Failure("head", second);
            outcomes.Add((new GatePair
            {
                Number = number,
                // Who has the first turn changes with every round, over the ends of cases too.
                BaseFirst = baseFirst ^ (index * roundsPerCase % 2 == 1),
                Base = first is null ? null : LaunchFigures.Of(first),
                Head = second is null ? null : LaunchFigures.Of(second),
                Failure = failure,
                Discarded = failure ?? NotTheState("base", first) ?? NotTheState("head", second) ?? outOfStep,
            }, first, second));
            // Whoever breaks a case off is ahead of the other from then on.
            outOfStep ??= failure is null ? null : "a case before it failed, and the sides were no longer in step";
        }
        return outcomes;
    }

    private int GiveTurns(TurnGiver turns, bool baseFirst, Launch one, Launch other)
    {
        try
        {
            return turns.GiveAll(lastFirst: !baseFirst, side => (side == 0 ? one : other).HasEnded, between: () => { }, stop);
        }
        catch (HangException hang)
        {
            throw (hang.Run == 0 ? one : other).Hangs(turnLimit);
        }
    }

    private Dictionary<string, long> PrepareOne(GateSide side, IReadOnlyList<GateCase> cases, string folder)
    {
        using var launch = Launch.Start(side, cases, settings with { Passes = 1 }, folder, OutOf(side), turns: null);
        var records = launch.Finish("while its files were laid out", turnLimit, stop);
        if (records.FirstOrDefault(record => record.Error is not null) is { } failed)
            throw new GateException($"the {side.Role} {side.Name} cannot run {failed.Case}: {failed.Error}");
        return records.Where(record => record.Passes.Count > 0).ToDictionary(record => record.Case, record => record.Passes[0].Operations);
    }

    /// <summary>
    /// What one occurrence of is enough not to judge a case: a launch that failed or whose data are wrong. To leave out
    /// such pairs would be to judge a side by its good days.
    /// </summary>
    private static string? Failure(string role, RunRecord? record) =>
        record is null ? $"the {role} has no record of it"
        : record.Error is { } error ? $"the {role} failed: {error}"
        : Contradicted(role, record, claim => !StatesOfTheMachine.Contains(claim));

    /// <summary>A state of cache or memory that the machine did not keep to: now and then that happens to either side.</summary>
    private static string? NotTheState(string role, RunRecord? record) =>
        record?.Evidence.Verdict != Verdict.Contradicted ? null : Contradicted(role, record, StatesOfTheMachine.Contains) ?? $"the {role} is contradicted by its evidence";

    private static string? Contradicted(string role, RunRecord record, Func<string, bool> which)
    {
        ClaimRecord[] claims = [.. record.Evidence.Claims.Where(claim => claim.Verdict == Verdict.Contradicted && which(claim.Claim))];
        return claims.Length > 0 ? $"the {role} is contradicted: {string.Join("; ", claims.Select(claim => $"not {claim.Claim}: {claim.Reason}"))}" : null;
    }

    private static Dictionary<string, RunRecord> ByCase(IReadOnlyList<RunRecord> records) => records.ToDictionary(record => record.Case);

    private string OutOf(GateSide side) => Path.Combine(workFolder, side.Role);
}
