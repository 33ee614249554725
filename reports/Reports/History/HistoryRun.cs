using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Bench.Measure.Records;
using Bench.Reports.Comparison;
using Bench.Reports.Content;

namespace Bench.Reports.History;

/// <summary>A history, or something for it, that cannot be used; the message is a sentence for the user.</summary>
public sealed class HistoryException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// One run as a history keeps it: when, by which build, and where. Schema <c>bench.history/1</c>; <c>HISTORY.md</c>
/// beside this file says it field by field.
/// </summary>
public sealed partial record HistoryRun
{
    /// <summary>The schema that this build writes. A newer one is refused.</summary>
    public const string CurrentSchema = "bench.history/1";

    /// <summary>Always <see cref="CurrentSchema"/> in runs of this build.</summary>
    [JsonPropertyOrder(-1)]
    public string Schema { get; init; } = CurrentSchema;

    /// <summary>The run's name, unique in a history.</summary>
    public required string Run { get; init; }

    /// <summary>When its first case began, in whole milliseconds.</summary>
    public required DateTimeOffset StartedUtc { get; init; }

    /// <summary>Version of bench.</summary>
    public required string ToolVersion { get; init; }

    /// <summary>The commit that bench was built from; null if unknown.</summary>
    public string? Commit { get; init; }

    /// <summary>The profile: quick, standard, full, smoke.</summary>
    public required string Profile { get; init; }

    /// <summary>File system and disks in words.</summary>
    public required string Target { get; init; }

    /// <summary>Number of its points: without it a file that lost its end would look whole.</summary>
    public required int Points { get; init; }

    /// <summary>The fingerprint of the place.</summary>
    public required IReadOnlyList<Trait> Traits { get; init; }

    /// <summary>The fingerprint.</summary>
    [JsonIgnore]
    public Fingerprint Fingerprint => new(Traits);

    /// <summary>Whether a name can be a run's: it is a file's name too.</summary>
    internal static bool IsName(string name) => NamePattern().IsMatch(name);

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\z")]
    private static partial Regex NamePattern();
}

/// <summary>One case of one run: its figures, and whether it did what its name says.</summary>
public sealed record HistoryPoint
{
    /// <summary>Workload and parameters, as in the record.</summary>
    public required string Case { get; init; }

    /// <summary>The workload's class.</summary>
    public required string Workload { get; init; }

    /// <summary>The verdict of the evidence. A contradicted point is kept and shown, and no change point rests on it.</summary>
    public required Verdict Verdict { get; init; }

    /// <summary>Bytes per second over the passes; null if there is none.</summary>
    public Estimate? BytesPerSecond { get; init; }

    /// <summary>The 99th percentile of the latency of the case's own operation; null if there is none.</summary>
    public double? P99Ns { get; init; }

    /// <summary>CPU time of the process per operation; null if there is none.</summary>
    public double? CpuNsPerOperation { get; init; }

    /// <summary>The value of a figure: bytes per second, or nanoseconds; null if there is none.</summary>
    public double? Of(Figure figure) => figure switch
    {
        Figure.Throughput => BytesPerSecond?.Median,
        Figure.P99 => P99Ns,
        _ => CpuNsPerOperation,
    };
}

/// <summary>A run with its points.</summary>
/// <param name="Run">The run.</param>
/// <param name="Points">One per case, in the order of the cases' names.</param>
public sealed record RunPoints(HistoryRun Run, IReadOnlyList<HistoryPoint> Points)
{
    /// <summary>Cases of the records that have no figure and are not among the points.</summary>
    public int FailedCases { get; init; }

    /// <summary>What a history keeps of some records: a run for each run, and of a run over several targets one for each of them, named <c>RUN.1</c>, <c>RUN.2</c>, ….</summary>
    /// <exception cref="HistoryException">There is nothing to keep, or the records must not be in a history.</exception>
    public static IReadOnlyList<RunPoints> Each(IReadOnlyList<RunRecord> records) =>
    [
        .. records.GroupBy(record => record.Run, StringComparer.Ordinal).SelectMany(run => run.GroupBy(record => record.Target.Folder, StringComparer.Ordinal).ToArray() switch
        {
            [var only] => [Of([.. only])],
            var targets => targets.Select((target, index) => Of([.. target.Select(record => record with { Run = FormattableString.Invariant($"{run.Key}.{index + 1}") })])),
        }),
    ];

    /// <summary>What a history keeps of the records of one run on one target.</summary>
    /// <exception cref="HistoryException">There is nothing to keep, or the records must not be in a history.</exception>
    public static RunPoints Of(IReadOnlyList<RunRecord> records)
    {
        if (records.Count == 0)
            throw new HistoryException("the run has no record: it ended before its first case did");
        var first = records[0];
        if (!HistoryRun.IsName(first.Run))
            throw new HistoryException($"'{first.Run}' is no name of a run: letters, digits, '-', '_' and '.' only");
        if (records.FirstOrDefault(record => record.Effective.ContainsKey(Measure.Passes.InjectedSlowdown.EffectiveKey)) is { } slowed)
            throw new HistoryException($"{slowed.Case} of the run {first.Run} was measured with an injected slowdown, which is for proving the gate; it does not belong into a history");
        if (records.GroupBy(record => record.Case, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new HistoryException($"the run {first.Run} has {twice.Key} twice");

        HistoryPoint[] points = [.. records.Where(record => record.Error is null && record.Passes.Count > 0).Select(Point).OrderBy(point => point.Case, StringComparer.Ordinal)];
        if (points.Length == 0)
            throw new HistoryException($"every case of the run {first.Run} failed; there is no figure to keep");
        var run = new HistoryRun
        {
            Run = first.Run,
            StartedUtc = DateTimeOffset.FromUnixTimeMilliseconds(records.Min(record => record.StartedUtc).ToUnixTimeMilliseconds()),
            ToolVersion = first.Tool.Version,
            Commit = first.Tool.Commit,
            Profile = first.Tool.Profile,
            Target = RunFacts.Target(first),
            Points = points.Length,
            Traits = Fingerprint.Of(first).Traits,
        };
        return new RunPoints(run, points) { FailedCases = records.Count - points.Length };
    }

    private static HistoryPoint Point(RunRecord record) => new()
    {
        Case = record.Case,
        Workload = record.Workload,
        Verdict = record.Evidence.Verdict,
        BytesPerSecond = Figures.Of(record, Figure.Throughput) is null ? null : record.BytesPerSecond! with { Unknown = null },
        P99Ns = Figures.Of(record, Figure.P99),
        CpuNsPerOperation = Figures.Of(record, Figure.CpuPerOperation),
    };
}

/// <summary>A point with the run that it belongs to.</summary>
/// <param name="Run">The run.</param>
/// <param name="Point">The point.</param>
public sealed record PointOfRun(HistoryRun Run, HistoryPoint Point);
