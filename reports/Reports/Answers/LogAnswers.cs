using Bench.Reports.Content;
using Bench.Reports.Families;

namespace Bench.Reports.Answers;

/// <summary>
/// What a newcomer asks about a log. Each answer compares two cases that differ in nothing but what is asked about, and
/// stands on the plainest such pair; a contradicted or failed one is not replaced by its neighbour.
/// </summary>
internal static class LogAnswers
{
    /// <summary>Segments of this size are neither rolled all the time nor never in a pass.</summary>
    private const string UsualSegment = "128MiB";

    /// <summary>What a reader must know of a pair of cases to place its figure.</summary>
    private static readonly string[] ConditionParameters = ["SegmentSize", "BatchSize", "Producers"];

    public static AnswerLine FlushEach(IReadOnlyList<CaseView> cases)
    {
        var each = Policy(cases, "each", "appends with a flush of each", null);
        var none = Policy(cases, "none", "appends without a flush", each.Case);
        var line = AnswerBook.Compare(none, each, AnswerBook.BytesPerSecond, Quantity.BytesPerSecond, (ratio, _, under) =>
            $"Without any flush the log takes {ratio} the bytes per second that it takes with a flush of each append ({Conditions(under)})");
        return line.Ratio is null ? line : line with { Detail = line.Detail + AtRisk(none.Case!, each.Case!) };
    }

    public static AnswerLine SegmentSize(IReadOnlyList<CaseView> cases)
    {
        // The policy under which nothing else limits, if it was measured at several sizes.
        var policies = CaseCharts.Values(cases, FlushPolicy.Parameter).Select(policy => (Policy: policy, Pair: LargestAndSmallest(cases, policy))).Where(pair => pair.Pair is not null).ToArray();
        if (policies.Length == 0)
            return AnswerBook.LeftOut("no two segment sizes with the same flush policy");
        AnswerLine Of((CasePick Large, CasePick Small) pair) => AnswerBook.Compare(pair.Large, pair.Small, AnswerBook.BytesPerSecond, Quantity.BytesPerSecond, (ratio, over, under) =>
            $"Segments of {Words.Size(over["SegmentSize"])} give {ratio} the throughput of segments of {Words.Size(under["SegmentSize"])} ({over.Say(FlushPolicy.Parameter)})");
        var line = Of(policies[0].Pair!.Value);
        if (line.Ratio is null)
            return line;
        var others = policies[1..].Select(pair => (pair.Policy, Line: Of(pair.Pair!.Value))).Where(other => other.Line.Ratio is not null)
            .Select(other => $"{Words.Value(FlushPolicy.Parameter, other.Policy)}: {(other.Line.State == AnswerState.NoDifference ? "no difference" : Format.Ratio(other.Line.Ratio!.Value))}").ToArray();
        return others.Length == 0 ? line : line with { Detail = $"{line.Detail}. Other policies: {string.Join(", ", others)}" };
    }

    public static AnswerLine GroupCommit(IReadOnlyList<CaseView> cases)
    {
        // It is for many producers at once, so the most that were measured.
        var group = CasePick.From(cases, "appends with group commit", view => FlushPolicy.Kind(view[FlushPolicy.Parameter]) == "group",
            view => Plainness(view, "Producers") - 1e3 * (Words.Order(view["Producers"]) is { Worth: < 1e6 } producers ? producers.Worth : 1));
        var each = Policy(cases, "each", "appends with a flush of each", group.Case);
        return AnswerBook.Compare(group, each, AnswerBook.BytesPerSecond, Quantity.BytesPerSecond, (ratio, over, _) =>
            $"{Words.Sentence(over.Say(FlushPolicy.Parameter))} takes {ratio} the bytes per second of a flush for each append, both with nothing acknowledged before it is flushed ({Conditions(over)})");
    }

    public static AnswerLine Preallocation(IReadOnlyList<CaseView> cases)
    {
        // Where each append waits for a flush, the file's growth is flushed with it; there it would show.
        var with = CasePick.From(cases, "appends into preallocated segments", view => view["Preallocation"] is not ("None" or "-"),
            view => Plainness(view, "Preallocation") + (view["Preallocation"] == "Fallocate" ? 0 : 0.5) - FlushPolicy.Order(view).Rank * 10);
        var without = CasePick.From(cases, "appends into segments that grow", view => view["Preallocation"] is "None" or "-" && (with.Case is null || LogCases.DifferOnlyIn(view, with.Case, "Preallocation")));
        return AnswerBook.Compare(with, without, AnswerBook.BytesPerSecond, Quantity.BytesPerSecond, (ratio, over, _) =>
            $"Preallocated segments ({over.Say("Preallocation")}) give {ratio} the throughput of segments that grow ({over.Say(FlushPolicy.Parameter)}, {Conditions(over)})");
    }

    public static AnswerLine CatchUp(IReadOnlyList<CaseView> cases)
    {
        var near = CasePick.Near("FetchSize", "1MiB");
        bool HasWriter(CaseView view) => view["Writer"] is not ("None" or "-");
        var cold = CasePick.From(cases, "a writer beside a reader of cold history", view => view["Position"] == "ColdHistory" && HasWriter(view), near);
        var tail = CasePick.From(cases, "the same writer beside a reader of cached records",
            view => view["Position"] is "Tail" or "RandomByOffset" && HasWriter(view) && (cold.Case is null || LogCases.DifferOnlyIn(view, cold.Case, "Position")));
        return AnswerBook.CompareFigures(cold, tail, LogReadFamily.WriterP99, (ratio, over, _) =>
            $"Beside a reader that catches up, the writer’s 99th percentile is {ratio} what it is beside a reader of cached records ({over.Say("Method")}, {over.Say("FetchSize")})");
    }

    /// <summary>The plainest case of a policy, or the one that differs from another in the policy alone.</summary>
    private static CasePick Policy(IReadOnlyList<CaseView> cases, string kind, string wanted, CaseView? like) =>
        CasePick.From(cases, wanted, view => FlushPolicy.Kind(view[FlushPolicy.Parameter]) == kind && (like is null || LogCases.DifferOnlyIn(view, like, FlushPolicy.Parameter)), view => Plainness(view));

    private static (CasePick Large, CasePick Small)? LargestAndSmallest(IReadOnlyList<CaseView> cases, string policy)
    {
        CaseView[] candidates = [.. cases.Where(view => view[FlushPolicy.Parameter] == policy && Words.Bytes(view["SegmentSize"]) is not null)];
        var plainest = candidates.GroupBy(view => string.Join('\n', view.Record.Parameters.Where(pair => pair.Key != "SegmentSize").Select(pair => pair.Value)))
            .Where(group => group.Select(view => view["SegmentSize"]).Distinct().Skip(1).Any()).MinBy(group => LogCases.Distance(group.First()));
        if (plainest is null)
            return null;
        var sizes = CaseCharts.Values(plainest, "SegmentSize");
        CasePick Of(string size) => CasePick.From(plainest, $"appends to segments of {Words.Size(size)} ({Words.Value(FlushPolicy.Parameter, policy)})", view => view["SegmentSize"] == size);
        return (Of(sizes[^1]), Of(sizes[0]));
    }

    private static double Plainness(CaseView view, params string[] except) =>
        LogCases.Distance(view, except) + CasePick.Near("SegmentSize", UsualSegment)(view) / 64 is var distance && distance < 1e6 ? distance : 1e6;

    private static string Conditions(CaseView view) => string.Join(", ",
        ConditionParameters.Select(view.Say).Where(text => text != "-"));

    /// <summary>What a power failure would take of both, if it was measured.</summary>
    private static string AtRisk(CaseView none, CaseView each) =>
        none.Record.Metrics.TryGetValue("dataAtRiskBytes", out var much) && each.Record.Metrics.TryGetValue("dataAtRiskBytes", out var little)
            ? $"; at risk is all of a pass, here {Format.Value(Quantity.Bytes, much.Median)}, against {Format.Value(Quantity.Bytes, little.Median)}" : "";
}
