using Bench.Measure.Records;

namespace Bench.Reports.Content;

/// <summary>What a case claims, what was seen, what it should be, and what that makes of the claim.</summary>
internal static class EvidenceTable
{
    private static readonly Column[] Columns = [new("Claim", Numeric: false), new("Figure", Numeric: false), new("Observed", Numeric: true),
        new("Expected", Numeric: false), new("Holds", Numeric: false), new("Verdict", Numeric: false) { Verdict = true }];

    public static Table Of(CaseView view) => new($"Evidence of {view.Name}", Columns, [.. view.Record.Evidence.Claims.SelectMany(Rows)]);

    /// <summary>The passes, one line of figures per counter: what the medians above were made of.</summary>
    public static IEnumerable<string> PassLines(CaseView view)
    {
        var passes = view.Record.Passes;
        if (passes.Count == 0)
            yield break;
        yield return $"Passes: {Format.Count(passes.Count)}, of {Format.Bytes(passes[0].Bytes)} and {Format.Count(passes[0].Operations)} operations each; "
            + $"seconds {Each(passes, pass => pass.Seconds)}";
        string[] counters =
        [
            Shown("device read MB", passes, pass => pass.DeviceReadBytes / 1e6),
            Shown("device written MB", passes, pass => pass.DeviceWriteBytes / 1e6),
            Shown("device flushes", passes, pass => pass.DeviceFlushes),
            Shown("residency before", passes, pass => pass.ResidencyBefore),
            Shown("residency after", passes, pass => pass.ResidencyAfter),
            Shown("mean depth", passes, pass => pass.QueueDepthMean),
            Shown("mean depth at the device", passes, pass => pass.DeviceQueueDepthMean),
            Shown("major faults", passes, pass => pass.MajorFaults),
            Shown("flush seconds", passes, pass => pass.FlushSeconds),
            Shown("steal seconds", passes, pass => pass.StealSeconds),
        ];
        if (string.Join("; ", counters.Where(text => text.Length > 0)) is { Length: > 0 } line)
            yield return $"Counters per pass: {line}";
    }

    private static IEnumerable<Row> Rows(ClaimRecord claim)
    {
        var verdict = VerdictWords.Marked(claim.Verdict);
        if (claim.Figures.Count == 0)
            return [new Row([claim.Claim, Format.Missing, Format.Missing, Format.Missing, Format.Missing, verdict], VerdictWords.Class(claim.Verdict))];
        return claim.Figures.Select(figure => new Row(
        [
            claim.Claim, figure.Name, figure.Observed is { } observed ? Format.Number(observed) : "not read", figure.Expected,
            figure.Holds switch { true => "yes", false => "no", null => figure.Informs ? "informs" : "not read" }, verdict,
        ], VerdictWords.Class(claim.Verdict)));
    }

    private static string Shown(string name, IReadOnlyList<PassRecord> passes, Func<PassRecord, double?> value) =>
        passes.All(pass => value(pass) is null) ? "" : $"{name} {Each(passes, value)}";

    private static string Each(IReadOnlyList<PassRecord> passes, Func<PassRecord, double?> value)
    {
        var figures = passes.Select(pass => value(pass) is { } figure ? Format.Significant(figure) : Format.Missing).ToArray();
        return figures.Distinct().Skip(1).Any() ? string.Join(", ", figures) : $"{figures[0]} each";
    }
}
