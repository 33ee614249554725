using System.Text.Json.Serialization;
using Bench.Measure;
using Bench.Measure.Records;
using Bench.Reports.Comparison;

namespace Bench.Reports.Gate;

/// <summary>
/// All that a gate run found: <c>gate.json</c> in its folder, and what console table, Markdown, JUnit XML and page are
/// made from. Rates are in bytes per second, times in nanoseconds, effects are ratios of cost, head over base.
/// </summary>
public sealed record GateResult
{
    /// <summary>The schema that this build writes.</summary>
    public const string CurrentSchema = "bench.gate/1";

    /// <summary>The file's name in a gate run's folder.</summary>
    public const string FileName = "gate.json";

    /// <summary>Always <see cref="CurrentSchema"/> in results of this build.</summary>
    public string Schema { get; init; } = CurrentSchema;

    /// <summary>The gate run's name.</summary>
    public required string Run { get; init; }

    /// <summary>When it began.</summary>
    public DateTimeOffset StartedUtc { get; init; }

    /// <summary>Seconds that it took, without building programs.</summary>
    public double Seconds { get; init; }

    /// <summary>The command line, without the program's path.</summary>
    public string CommandLine { get; init; } = "";

    /// <summary>The seed of the order.</summary>
    public long Seed { get; init; }

    /// <summary>What is the base.</summary>
    public required GateSideInfo Base { get; init; }

    /// <summary>What is the head.</summary>
    public required GateSideInfo Head { get; init; }

    /// <summary>True if stored records were compared: no pairs, so drift between the two sides is in the figures.</summary>
    public bool FromRecords { get; init; }

    /// <summary>True if machines or devices differ and the user wanted the comparison all the same.</summary>
    public bool Unlike { get; init; }

    /// <summary>What differs in host, device and software.</summary>
    public IReadOnlyList<TraitDifference> Differences { get; init; } = [];

    /// <summary>When the noise floors and error rates of this machine were measured; null if never.</summary>
    public DateTimeOffset? CalibratedUtc { get; init; }

    /// <summary>Machine and device.</summary>
    public required Fingerprint Fingerprint { get; init; }

    /// <summary>Machine and target in words: "ext4 on vda".</summary>
    public string Target { get; init; } = "";

    /// <summary>The error that the verdicts keep to.</summary>
    public double Alpha { get; init; }

    /// <summary>Numbers of pairs after which was looked.</summary>
    public IReadOnlyList<int> Looks { get; init; } = [];

    /// <summary>Length in seconds that a pass aimed at; 0 for stored runs, which have passes of their own.</summary>
    public double PassSeconds { get; init; }

    /// <summary>The cases that both sides have.</summary>
    public required IReadOnlyList<GateCaseResult> Cases { get; init; }

    /// <summary>Cases that the base alone has.</summary>
    public IReadOnlyList<string> BaseOnly { get; init; } = [];

    /// <summary>Cases that the head alone has.</summary>
    public IReadOnlyList<string> HeadOnly { get; init; } = [];

    /// <summary>
    /// <see cref="BaseOnly"/> where that was not allowed: a head that measures only what it is still good at has not
    /// passed. Empty in a comparison, which fails nothing.
    /// </summary>
    public IReadOnlyList<string> Lost { get; init; } = [];

    /// <summary>What makes the result doubtful, one sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Cases without a partner, with the side that has them.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Unpaired => [.. BaseOnly.Select(name => name + " (base only)"), .. HeadOnly.Select(name => name + " (head only)")];

    /// <summary>All judgements.</summary>
    [JsonIgnore]
    public IEnumerable<Judgement> Judgements => Cases.SelectMany(one => one.Judgements);

    /// <summary>Judgements with a verdict.</summary>
    public int Count(GateVerdict verdict) => Judgements.Count(judgement => judgement.Verdict == verdict);

    /// <summary>0 none slower, 1 slower, 2 a case could not be judged, or the head lacks one, or nothing was shown of any.</summary>
    [JsonIgnore]
    public int ExitCode => Count(GateVerdict.Slower) > 0 ? 1 : Count(GateVerdict.NotJudged) + Lost.Count > 0 || !Judgements.Any(judgement => judgement.Verdict != GateVerdict.Inconclusive) ? 2 : 0;

    /// <summary>The result in one sentence.</summary>
    [JsonIgnore]
    public string Summary => $"{(ExitCode switch { 0 => "passed", 1 => "failed", _ => "could not be judged" })}: {GateWords.Tally(this)}";
}

/// <summary>One side of a gate run.</summary>
/// <param name="Name">As the user named it: a revision, a program, a setting, a target, a run.</param>
public sealed record GateSideInfo(string Name)
{
    /// <summary>The version of bench that measured it.</summary>
    public string? Version { get; init; }

    /// <summary>The commit that this was built from.</summary>
    public string? Commit { get; init; }

    /// <summary>By what share it was made slower on purpose; 0 in every ordinary gate run.</summary>
    public double InjectedSlowdown { get; init; }
}

/// <summary>One case of a gate run.</summary>
public sealed record GateCaseResult
{
    /// <summary>Its name; where settings differ between the sides, without these.</summary>
    public required string Name { get; init; }

    /// <summary>The workload.</summary>
    public required string Workload { get; init; }

    /// <summary>The parameters that both sides share.</summary>
    public required IReadOnlyDictionary<string, string> Parameters { get; init; }

    /// <summary>A verdict for each figure that it has.</summary>
    public required IReadOnlyList<Judgement> Judgements { get; init; }

    /// <summary>The pairs of launches, in order; empty if stored records were compared.</summary>
    public IReadOnlyList<GatePair> Pairs { get; init; } = [];

    /// <summary>A record of the base for the latency percentiles and the evidence: its last launch.</summary>
    public RunRecord? BaseRecord { get; init; }

    /// <summary>The same of the head.</summary>
    public RunRecord? HeadRecord { get; init; }
}

/// <summary>Two launches whose passes took turns.</summary>
public sealed record GatePair
{
    private const int RunInRounds = 2;
    private const int FewestRoundsForRunIn = 8;

    /// <summary>Its number, from 1.</summary>
    public required int Number { get; init; }

    /// <summary>True if the base had the first turn of the case.</summary>
    public required bool BaseFirst { get; init; }

    /// <summary>The base's figures.</summary>
    public LaunchFigures? Base { get; init; }

    /// <summary>The head's figures.</summary>
    public LaunchFigures? Head { get; init; }

    /// <summary>Why the pair does not count: a launch that failed or whose evidence contradicts the case's name; null if it counts.</summary>
    public string? Discarded { get; init; }

    /// <summary>A failure that leaves the whole case without a verdict, not only this pair: a launch that failed, wrong data.</summary>
    public string? Failure { get; init; }

    /// <summary>
    /// The logarithm of the ratio of cost, head over base, positive if the head is worse; null if a side lacks the figure.
    /// Of throughput and CPU it is the median over the rounds, each of which has a pass of either side: what the machine
    /// did to a round, it did to both, and the ratio of two medians could be that of two different moments. The first
    /// rounds are left out: who comes first fills tables and caches for the other (of the first appends the one
    /// who began was 3 to 10 % slower). Of p99 it is the ratio of the launches'.
    /// </summary>
    public double? LogCost(Figure figure)
    {
        if (Discarded is not null || Base?.Of(figure) is not { } first || Head?.Of(figure) is not { } second)
            return null;
        var (before, after) = (Base.PassesOf(figure), Head.PassesOf(figure));
        var log = before.Count > 0 && before.Count == after.Count
            ? MedianInterval.Of(before.Zip(after, (one, other) => Math.Log(other / one)).Skip(before.Count < FewestRoundsForRunIn ? 0 : RunInRounds))!.Median
            : Math.Log(second / first);
        return figure.HigherIsBetter() ? -log : log;
    }
}

/// <summary>The figures of one launch.</summary>
/// <param name="BytesPerSecond">Median over its passes.</param>
/// <param name="P99Ns">Over all its passes; null where there is none.</param>
/// <param name="CpuNsPerOperation">Median over its passes.</param>
/// <param name="PassBytesPerSecond">Each pass, in order.</param>
/// <param name="PassCpuNsPerOperation">Each pass, in order; empty if one has none.</param>
public sealed record LaunchFigures(
    double BytesPerSecond, double? P99Ns, double? CpuNsPerOperation, IReadOnlyList<double> PassBytesPerSecond, IReadOnlyList<double> PassCpuNsPerOperation)
{
    /// <summary>A figure.</summary>
    public double? Of(Figure figure) => figure switch
    {
        Figure.Throughput => BytesPerSecond,
        Figure.P99 => P99Ns,
        _ => CpuNsPerOperation,
    };

    /// <summary>A figure pass by pass; empty if it has no passes of its own.</summary>
    internal IReadOnlyList<double> PassesOf(Figure figure) => figure switch
    {
        Figure.Throughput => PassBytesPerSecond,
        Figure.CpuPerOperation => PassCpuNsPerOperation,
        _ => [],
    };

    /// <summary>The figures of a record; null if it has no throughput.</summary>
    public static LaunchFigures? Of(RunRecord record) => Figures.Of(record, Figure.Throughput) is not { } rate ? null
        : new LaunchFigures(rate, Figures.Of(record, Figure.P99), Figures.Of(record, Figure.CpuPerOperation),
            Passes(record, pass => pass.Bytes / pass.Seconds),
            Passes(record, pass => (pass.CpuUserSeconds + pass.CpuSystemSeconds) * 1e9 / pass.Operations));

    /// <summary>All passes, or none if one has no such figure: a gap would shift the rounds against each other.</summary>
    private static double[] Passes(RunRecord record, Func<PassRecord, double> value)
    {
        double[] values = [.. record.Passes.Select(value)];
        return Array.TrueForAll(values, one => one > 0 && double.IsFinite(one)) ? values : [];
    }
}

/// <summary>Verdicts in words.</summary>
public static class GateVerdicts
{
    /// <summary>The word, as it is written everywhere.</summary>
    public static string Words(this GateVerdict verdict) => verdict switch
    {
        GateVerdict.NotJudged => "not judged",
        _ => verdict.ToString().ToLowerInvariant(),
    };
}
