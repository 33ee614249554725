using Bench.Measure.Records;

namespace Bench.Reports.Content;

/// <summary>What became of a case, from best to worst.</summary>
internal enum CaseStatus
{
    Proven,
    Unproven,
    Contradicted,
    Failed,
}

/// <summary>One record with what every part of a report asks of it.</summary>
internal sealed class CaseView(RunRecord record, int runIndex, RunLabel runLabel, int place, IReadOnlyList<string> telling)
{
    public RunRecord Record { get; } = record;

    public int RunIndex { get; } = runIndex;

    /// <summary>"A", "raid0"; empty if the report shows one run on one target.</summary>
    public string RunLabel { get; } = runLabel.Short ?? "";

    /// <summary>The same in a sentence or a legend: "run A", "raid0".</summary>
    public string RunName { get; } = runLabel.Full ?? "";

    /// <summary>The same where a title begins with it: "Run A"; a target's name stays as it was given.</summary>
    public string RunHeading { get; } = runLabel.Full is null ? "" : runLabel.Heading;

    /// <summary>What a column of labels is called.</summary>
    public static string RunColumn(IEnumerable<CaseView> cases) => cases.All(view => view.RunName == view.RunLabel) ? "Target" : "Run";

    /// <summary>Id of the case's evidence in the page.</summary>
    public string Anchor { get; } = FormattableString.Invariant($"case-{runIndex + 1}-{place + 1}");

    public CaseStatus Status { get; } =
        record.Error is not null || record.Passes.Count == 0 ? CaseStatus.Failed
        : record.Evidence.Verdict switch
        {
            Verdict.Proven => CaseStatus.Proven,
            Verdict.Contradicted => CaseStatus.Contradicted,
            _ => CaseStatus.Unproven,
        };

    public bool Failed => Status == CaseStatus.Failed;

    /// <summary>Whether its figures have an interval; of one pass the ends would be the figure itself.</summary>
    public bool HasInterval => Record.Passes.Count > 1;

    /// <summary>The parameter as requested; "-" if the case has none of that name or it does not apply.</summary>
    public string this[string parameter] => !Record.Parameters.TryGetValue(parameter, out var value) ? "-" : (parameter, value) switch
    {
        ("Loop" or "Pages", "None") => "-",
        ("Pages", "Small") => "4KiB",
        _ => value,
    };

    /// <summary>The parameter in words.</summary>
    public string Say(string parameter) => Words.Value(parameter, this[parameter]);

    /// <summary>The parameters that tell it from the other cases of its workload in words, and the run where there are several.</summary>
    public string Name => RunLabel is { Length: > 0 } label ? $"{label} · {NameInRun}" : NameInRun;

    /// <summary>The same without the run.</summary>
    public string NameInRun => string.Join(" · ", telling.Select(Say).Where(text => text is not ("-" or "")).Prepend(Record.Workload));

    /// <summary>The verdict with its mark, or that the case failed.</summary>
    public string StatusMark => Failed ? "— failed" : VerdictWords.Marked(Record.Evidence.Verdict);

    public string StatusClass => Failed ? "failed" : VerdictWords.Class(Record.Evidence.Verdict);

    /// <summary>Why the case is not proven, in one text; null if it is.</summary>
    public string? Reason =>
        Record.Error ?? (Record.Passes.Count == 0 ? "It has no timed pass."
        : Join(Record.Evidence.Claims.Where(claim => claim.Verdict == Record.Evidence.Verdict && claim.Verdict != Verdict.Proven)
            .Select(claim => $"{claim.Claim}: {claim.Reason ?? "no reason was recorded"}")));

    /// <summary>Latency of the operation that the case is about: its own kind, or the first.</summary>
    public LatencyRecord? Latency => OwnKind is { } kind ? Record.LatencyNs[kind] : null;

    /// <summary>The kinds of operation that were timed beside its own.</summary>
    public IEnumerable<string> OtherLatencies => Record.LatencyNs.Keys.Where(kind => kind != OwnKind);

    /// <summary>Latency of one kind of operation; null if none was timed.</summary>
    public LatencyRecord? LatencyOf(string kind) => Record.LatencyNs.GetValueOrDefault(kind);

    private string? OwnKind =>
        Record.LatencyNs.Keys.FirstOrDefault(kind => string.Equals(kind, Record.Operation, StringComparison.OrdinalIgnoreCase))
        ?? Record.LatencyNs.Keys.FirstOrDefault();

    /// <summary>One value per pass.</summary>
    public IReadOnlyList<double> PerPass(Func<PassRecord, double> value) => [.. Record.Passes.Select(value)];

    /// <summary>
    /// Bytes a second until all of a pass was durable, one for each pass after which what was left was flushed: all, or of a
    /// policy that never flushes the last.
    /// </summary>
    public IReadOnlyList<double> RatesUntilDurable =>
        [.. Record.Passes.Where(pass => pass.FlushSeconds is not null).Select(pass => pass.Bytes / (pass.Seconds + pass.FlushSeconds!.Value))];

    private static string? Join(IEnumerable<string> texts) => string.Join("; ", texts) is { Length: > 0 } text ? text : null;
}
