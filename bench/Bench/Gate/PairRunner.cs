using System.Globalization;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Bench.Measure.Running;
using Bench.Reports.Gate;

namespace Bench.Gate;

/// <summary>
/// Runs pairs of launches: a process of each side, whose passes take turns. Which side has the first turn and which of
/// the two data folders it gets is drawn for each pair (<see cref="PairOrder"/>): neither the place of a file on the disk
/// nor being first can count for one side.
/// </summary>
internal sealed class PairRunner(GateSide baseSide, GateSide headSide, RunSettings settings, string workFolder, StopSignal stop)
{
    private readonly PairOrder order = new(settings.Seed);
    private Dictionary<string, long> baseOperations = [];
    private Dictionary<string, long> headOperations = [];

    /// <summary>
    /// Lays out the files of both sides, finds how much work a pass has, and sees that both programs know all cases,
    /// before the long wait. On one target
    /// both sides get the same files wherever their cases want the same of the cache: two files lie in different places
    /// of the disk, and in different pages of memory each time they are read into it, and of warm reads that was most of
    /// what one pair differed by from the next.
    /// </summary>
    /// <param name="cases">The cases.</param>
    /// <param name="baseFolders">The data folders of the base: both, or one where each side has a target of its own.</param>
    /// <param name="headFolders">Those of the head.</param>
    /// <returns>Why the sides have files of their own although they could share them; null if all is as it should be.</returns>
    internal string? Prepare(IReadOnlyList<GateCase> cases, IReadOnlyList<string> baseFolders, IReadOnlyList<string> headFolders)
    {
        var shortest = settings with { Passes = 1 };
        var found = new Dictionary<GateSide, Dictionary<string, long>>();
        string? unshared = null;
        foreach (var (side, folder) in ((GateSide, string)[])[(baseSide, baseFolders[0]), (headSide, headFolders[^1])])
        {
            if (side == headSide && baseFolders == headFolders && cases.All(one => one.SameCacheState))
                unshared = DataFolder.ShareFiles(baseFolders[0], folder);
            using var launch = Launch.Start(side, cases, shortest, folder, OutOf(side), turns: null);
            var records = launch.Finish("while its files were laid out", stop);
            if (records.FirstOrDefault(record => record.Error is not null) is { } failed)
                throw new GateException($"the {side.Role} {side.Name} cannot run {failed.Case}: {failed.Error}");
            found[side] = records.Where(record => record.Passes.Count > 0).ToDictionary(record => record.Case, record => record.Passes[0].Operations);
        }
        // The same work for both: the base's. Other settings may make another amount of it sensible.
        baseOperations = found[baseSide];
        headOperations = found[headSide].ToDictionary(pair => pair.Key, pair => baseOperations.GetValueOrDefault(pair.Key, pair.Value));
        return unshared;
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
        using var turns = new TurnGiver(string.Create(CultureInfo.InvariantCulture, $"bench-{Environment.ProcessId}-{number}-{Guid.NewGuid():N}"));
        using var one = Launch.Start(baseSide, cases, settings with { Passes = passes, OperationsPerPass = baseOperations }, swapped ? baseFolders[^1] : baseFolders[0], OutOf(baseSide), turns.AddressOf(0));
        using var other = Launch.Start(headSide, cases, settings with { Passes = passes, OperationsPerPass = headOperations }, swapped ? headFolders[0] : headFolders[^1], OutOf(headSide), turns.AddressOf(1));
        turns.GiveAll(baseFirst ? 0 : 1, side => (side == 0 ? one : other).HasEnded, stop);
        var where = string.Create(CultureInfo.InvariantCulture, $"in pair {number}");
        var (bases, heads) = (ByCase(one.Finish(where, stop)), ByCase(other.Finish(where, stop)));
        return [.. cases.Select(spec =>
        {
            var (first, second) = (bases.GetValueOrDefault(spec.Base.Id), heads.GetValueOrDefault(spec.Head.Id));
            return (new GatePair
            {
                Number = number,
                BaseFirst = baseFirst,
                Base = first is null ? null : LaunchFigures.Of(first),
                Head = second is null ? null : LaunchFigures.Of(second),
                Discarded = WhyNot("base", first) ?? WhyNot("head", second),
            }, first, second);
        })];
    }

    /// <summary>Why a launch does not count; null if it does.</summary>
    private static string? WhyNot(string role, RunRecord? record) =>
        record is null ? $"the {role} has no record of it"
        : record.Error is { } error ? $"the {role} failed: {error}"
        : record.Evidence.Verdict == Verdict.Contradicted ? $"the {role} is contradicted: {string.Join("; ", record.Evidence.Claims.Where(claim => claim.Verdict == Verdict.Contradicted).Select(claim => $"not {claim.Claim}: {claim.Reason}"))}"
        : null;

    private static Dictionary<string, RunRecord> ByCase(IReadOnlyList<RunRecord> records) => records.ToDictionary(record => record.Case);

    private string OutOf(GateSide side) => Path.Combine(workFolder, side.Role);
}
