using Bench.Measure.Records;
using Bench.Reports.Content;
using Bench.Reports.Families;
using Bench.Reports.Statistics;

namespace Bench.Reports.Answers;

/// <summary>The questions that a newcomer asks, answered from the records with intervals.</summary>
internal static class AnswerBook
{
    /// <summary>Every question of the families that the runs hold cases of, in the order of the page.</summary>
    public static IReadOnlyList<Answer> Of(IReadOnlyList<RunView> runs)
    {
        var workloads = runs.SelectMany(run => run.Cases).Select(view => view.Record.Workload).ToHashSet();
        return [.. Questions.Where(question => workloads.Contains(question.Workload) && runs.SelectMany(run => run.Cases).Any(question.Concerns)).Select(question => new Answer(
            question.Id, question.Text, question.SectionId,
            [.. runs.Select(run => question.Answer([.. run.Cases.Where(view => view.Record.Workload == question.Workload)]) with { RunLabel = run.Label.Heading })]))];
    }

    private sealed record Question(string Id, string Workload, string SectionId, string Text, Func<IReadOnlyList<CaseView>, AnswerLine> Answer)
    {
        /// <summary>Whether a case raises it: some questions nobody asks of a run that was not about them.</summary>
        public Func<CaseView, bool> Concerns { get; init; } = _ => true;
    }

    private static readonly Question[] Questions =
    [
        new("sequential-random", CachePathFamily.Workload, CachePathFamily.Id, "How much faster is reading in sequence?", SequentialOverRandom),
        new("page-cache-sequential", CachePathFamily.Workload, CachePathFamily.Id, "How much faster than the disk is the page cache, in sequence?",
            cases => CacheOverDisk(cases, "Sequential", "1MiB")),
        new("page-cache-random", CachePathFamily.Workload, CachePathFamily.Id, "How much faster than the disk is the page cache, at random?",
            cases => CacheOverDisk(cases, "Random", "4KiB")),
        new("cold-direct", CachePathFamily.Workload, CachePathFamily.Id, "Does a cold read through the page cache cost anything?", ColdOverDirect),
        new("queue-depth", CachePathFamily.Workload, CachePathFamily.Id, "What does a deep queue give?", QueueDepth),
        new("zero-copy", TransferFamily.Workload, TransferFamily.Id, "What does zero-copy save at the same chunk size?", ZeroCopySameChunk),
        new("zero-copy-best", TransferFamily.Workload, TransferFamily.Id, "What does zero-copy save best against best?", ZeroCopyBest),
        new("tls", TransferFamily.Workload, TransferFamily.Id, "What does TLS cost?", Tls),
        new("values-disk", AccessPatternFamily.Workload, AccessPatternFamily.Id, "How many more values does a disk deliver in sequence?", ValuesSequentialOverRandom),
        new("jacobs", AccessPatternFamily.Workload, AccessPatternFamily.Id, "Is the disk in sequence faster than memory at random?", Jacobs),
        new("log-flush", LogAppendFamily.Workload, LogAppendFamily.Id, "What does flushing every append cost?", LogAnswers.FlushEach),
        new("log-segment", LogAppendFamily.Workload, LogAppendFamily.Id, "Does the segment size matter?", LogAnswers.SegmentSize),
        new("log-group", LogAppendFamily.Workload, LogAppendFamily.Id, "What does group commit give?", LogAnswers.GroupCommit)
            { Concerns = view => FlushPolicy.Kind(view[FlushPolicy.Parameter]) == "group" },
        new("log-preallocation", LogAppendFamily.Workload, LogAppendFamily.Id, "Does preallocating segments help?", LogAnswers.Preallocation)
            { Concerns = view => view["Preallocation"] is not ("None" or "-") },
        new("log-catch-up", LogReadFamily.Workload, LogReadFamily.Id, "What does a catch-up reader do to the writer?", LogAnswers.CatchUp)
            { Concerns = view => view["Position"] == "ColdHistory" && LogReadFamily.WriterP99.Figure(view) is not null },
    ];

    private static AnswerLine SequentialOverRandom(IReadOnlyList<CaseView> cases)
    {
        var sequential = Direct(cases, "Sequential", "1MiB");
        var random = Direct(cases, "Random", "4KiB");
        return Compare(sequential, random, BytesPerSecond, Quantity.BytesPerSecond, (ratio, over, under) =>
            $"Sequential direct reads of {over.Say("BlockSize")} are {ratio} random direct reads of {under.Say("BlockSize")}");
    }

    private static AnswerLine CacheOverDisk(IReadOnlyList<CaseView> cases, string pattern, string block)
    {
        var direct = Direct(cases, pattern, block);
        var size = direct.Case?["BlockSize"] ?? block;
        var warm = CasePick.From(cases, $"warm {Words.Value("Pattern", pattern)} reads of {Words.Size(size)}",
            view => IsSingle(view, "BufferedWarm", pattern) && view["BlockSize"] == size, Plainest);
        return Compare(warm, direct, BytesPerSecond, Quantity.BytesPerSecond, (ratio, over, _) =>
            $"For {over.Say("Pattern")} reads of {over.Say("BlockSize")}, the page cache is {ratio} the disk");
    }

    private static AnswerLine ColdOverDirect(IReadOnlyList<CaseView> cases)
    {
        var direct = Direct(cases, "Sequential", "1MiB");
        var size = direct.Case?["BlockSize"] ?? "1MiB";
        var cold = CasePick.From(cases, $"cold sequential reads of {Words.Size(size)}",
            view => IsSingle(view, "BufferedCold", "Sequential") && view["BlockSize"] == size, Plainest);
        return Compare(cold, direct, BytesPerSecond, Quantity.BytesPerSecond, (ratio, over, _) =>
            $"Cold sequential reads of {over.Say("BlockSize")} through the page cache are {ratio} direct ones");
    }

    private static AnswerLine QueueDepth(IReadOnlyList<CaseView> cases)
    {
        bool Fits(CaseView view) => view["Access"] == "Direct" && view["Operation"] == "Read" && view["Pattern"] == "Random" && view["Threads"] is "1" or "-";
        var block = CasePick.Near("BlockSize", "4KiB");
        var deep = CasePick.From(cases, "random direct reads of 4 KiB at a queue depth over 1",
            view => Fits(view) && view["Access"] == "Direct" && Depth(view) > 1, view => block(view) * 1e6 - Depth(view));
        // The same engine where it ran at depth 1; otherwise what ran at depth 1.
        var shallow = CasePick.From(cases, "random direct reads of 4 KiB at queue depth 1",
            view => Fits(view) && view["Access"] == "Direct" && Depth(view) == 1 && (deep.Case is null || view["BlockSize"] == deep.Case["BlockSize"]),
            view => view["Engine"] == deep.Case?["Engine"] ? 0 : 1);
        return Compare(deep, shallow, pass => pass.Operations / pass.Seconds, Quantity.OperationsPerSecond, (ratio, over, under) =>
            $"Queue depth {over["QueueDepth"]} ({over["Engine"]}) gives {ratio} the IOPS of depth 1"
            + (over["Engine"] == under["Engine"] ? "" : $" ({under["Engine"]})") + $", random direct reads of {over.Say("BlockSize")}");
    }

    private static AnswerLine ZeroCopySameChunk(IReadOnlyList<CaseView> cases)
    {
        var zero = Sent(cases, "SendFile", CasePick.Near("ChunkSize", "64KiB"));
        var copy = zero.Case is null ? Sent(cases, "ReadWrite", null) : Like(cases, zero.Case, "ReadWrite");
        return Saving(zero, copy, (saving, over, _) =>
            $"sendfile takes {saving} CPU per GB than read + write at the same chunk size of {over.Say("ChunkSize")}");
    }

    private static AnswerLine ZeroCopyBest(IReadOnlyList<CaseView> cases)
    {
        var zero = Sent(cases, "SendFile", Cheapest);
        var copy = Sent(cases, "ReadWrite", Cheapest);
        return Saving(zero, copy, (saving, over, under) =>
            $"Best against best, sendfile ({over.Say("ChunkSize")}) takes {saving} CPU per GB than read + write ({under.Say("ChunkSize")})");
    }

    private static AnswerLine Tls(IReadOnlyList<CaseView> cases)
    {
        var tls = Sent(cases, "Tls", Cheapest);
        var zero = Sent(cases, "SendFile", Cheapest);
        return Compare(tls, zero, CpuPerGB, Quantity.CpuSecondsPerGB, (ratio, over, under) =>
            $"TLS ({over.Say("ChunkSize")}) takes {ratio} the CPU per GB of sendfile ({under.Say("ChunkSize")}), best against best");
    }

    private static AnswerLine ValuesSequentialOverRandom(IReadOnlyList<CaseView> cases)
    {
        var sequential = CasePick.From(cases, "sequential reads from disk", view => Cell(view, "Disk", "Sequential"), CasePick.Near("BlockSize", "1MiB"));
        var random = CasePick.From(cases, "random reads of 4 B from disk", view => Cell(view, "Disk", "Random"), CasePick.Near("BlockSize", "4B"));
        return CompareValues(sequential, random, (ratio, _, _) =>
            $"In sequence the disk delivers {ratio} the 4-byte values per second that it does at random (2009: 168,000× on disk, 21,900× on SSD)");
    }

    private static AnswerLine Jacobs(IReadOnlyList<CaseView> cases)
    {
        var sequential = CasePick.From(cases, "sequential reads from disk", view => Cell(view, "Disk", "Sequential"), CasePick.Near("BlockSize", "1MiB"));
        var random = CasePick.From(cases, "random independent reads from memory", view => Cell(view, "Memory", "Random") && view["Loop"] is "Independent" or "-",
            view => (view["Pages"] is "4KiB" or "-" ? 0 : 100) + CasePick.Near("BlockSize", "4B")(view));
        var line = CompareValues(sequential, random, (ratio, _, under) =>
            $"sequential disk reads deliver {ratio} the values per second of random memory reads ({under.Say("Pages")})");
        return line.State switch
        {
            AnswerState.LeftOut => line,
            AnswerState.NoDifference => line with { Sentence = $"Jacobs’ claim is not decided here: {line.Sentence}" },
            _ when line.Ratio!.Low > 1 => line with { Sentence = $"Jacobs’ claim holds here: {line.Sentence} (2009: 1.45×)" },
            _ => line with { Sentence = $"Jacobs’ claim does not hold here: {line.Sentence} (2009: 1.45×)" },
        };
    }

    private static CasePick Direct(IReadOnlyList<CaseView> cases, string pattern, string block)
    {
        var near = CasePick.Near("BlockSize", block);
        return CasePick.From(cases, $"{Words.Value("Pattern", pattern)} direct reads of {Words.Size(block)} at depth 1",
            view => IsSingle(view, "Direct", pattern), view => near(view) * 10 + Plainest(view));
    }

    private static bool IsSingle(CaseView view, string access, string pattern) =>
        view["Access"] == access && view["Operation"] == "Read" && view["Pattern"] == pattern
        && view["QueueDepth"] is "1" or "-" && IsOneThread(view);

    private static bool IsOneThread(CaseView view) => view["Threads"] is "1" or "-";

    private static double Plainest(CaseView view) => view["Engine"] is "psync" or "-" ? 0 : 1;

    private static double Depth(CaseView view) => Words.Order(view["QueueDepth"]) is { Worth: < double.MaxValue } depth ? depth.Worth : 0;

    private static bool Cell(CaseView view, string medium, string pattern) =>
        view["Medium"] == medium && view["Pattern"] == pattern && view["Operation"] == "Read";

    /// <summary>Hot over TCP where there is a choice: the case in which the method matters most.</summary>
    private static CasePick Sent(IReadOnlyList<CaseView> cases, string method, Func<CaseView, double>? preference) =>
        CasePick.From(cases, $"{Words.Value("Method", method)} of a hot file over TCP", view => view["Method"] == method && view["Cache"] == "Hot" && view["Socket"] == "Tcp",
            preference is null ? null : view => preference(view) - 1e-3 * Math.Log2(Words.Bytes(view["FileSize"]) ?? 1));

    private static CasePick Like(IReadOnlyList<CaseView> cases, CaseView other, string method) =>
        CasePick.From(cases, $"{Words.Value("Method", method)} with chunks of {other.Say("ChunkSize")}", view => view["Method"] == method
            && CaseCharts.Varying([view, other], "Method").Length == 0);

    /// <summary>By CPU per GB; a case without a trustworthy figure comes last.</summary>
    private static double Cheapest(CaseView view) =>
        view.Status is CaseStatus.Proven or CaseStatus.Unproven && view.Record.Metrics.TryGetValue("cpuSecondsPerGB", out var cpu) ? cpu.Median : 1e9;

    internal static double BytesPerSecond(PassRecord pass) => pass.Bytes / pass.Seconds;

    private static double CpuPerGB(PassRecord pass) => (pass.CpuUserSeconds + pass.CpuSystemSeconds) / pass.Bytes * 1e9;

    internal static AnswerLine Compare(CasePick over, CasePick under, Func<PassRecord, double> value, Quantity quantity, Func<string, CaseView, CaseView, string> sentence) =>
        Answered(over, under, view => view.PerPass(value), quantity, ratio => Format.Ratio(ratio.Value), ratio => Format.RatioInterval(ratio.Low, ratio.High), sentence);

    /// <summary>
    /// By 4-byte values. A pass records operations; as each operation of a case moves the same number of values, the
    /// case's own ratio of the two turns one into the other.
    /// </summary>
    private static AnswerLine CompareValues(CasePick over, CasePick under, Func<string, CaseView, CaseView, string> sentence) =>
        Answered(over, under, view =>
            CaseFigure.Values.Figure(view) is { } values && view.Record.OperationsPerSecond is { Median: > 0 } operations
                ? view.PerPass(pass => pass.Operations / pass.Seconds * values.Median / operations.Median) : [],
            Quantity.ValuesPerSecond, ratio => Format.Ratio(ratio.Value), ratio => Format.RatioInterval(ratio.Low, ratio.High), sentence);

    private static AnswerLine Saving(CasePick over, CasePick under, Func<string, CaseView, CaseView, string> sentence) =>
        Answered(over, under, view => view.PerPass(CpuPerGB), Quantity.CpuSecondsPerGB,
            ratio => ratio.Value <= 1 ? $"{Format.Percent(1 - ratio.Value)} less" : $"{Format.Percent(ratio.Value - 1)} more",
            ratio => ratio.Value <= 1 ? $"{Format.Percent(1 - ratio.High)} to {Format.Percent(1 - ratio.Low)} less" : $"{Format.Percent(ratio.Low - 1)} to {Format.Percent(ratio.High - 1)} more",
            sentence);

    /// <summary>
    /// By a figure that the record keeps over all passes, not pass by pass. The ends of both intervals against each
    /// other make an interval that is wider than it need be, and covers at least what both cover together (Bonferroni).
    /// </summary>
    internal static AnswerLine CompareFigures(CasePick over, CasePick under, CaseFigure figure, Func<string, CaseView, CaseView, string> sentence)
    {
        if (over.Case is not { } first || under.Case is not { } second)
            return MissingCases(over, under);
        if (figure.Figure(first) is not { Low: > 0 } one || figure.Figure(second) is not { Low: > 0 } other)
            return LeftOut("a case without a figure");
        var coverage = PassInterval.Coverage(first.Record.Passes.Count) + PassInterval.Coverage(second.Record.Passes.Count) - 1;
        return Line(first, second, new RatioEstimate(one.Median / other.Median, one.Low / other.High, one.High / other.Low, Math.Max(0, coverage)),
            $"{Against(figure.Quantity, one.Median, other.Median)}; ", ratio => Format.Ratio(ratio.Value), ratio => Format.RatioInterval(ratio.Low, ratio.High), sentence);
    }

    private static AnswerLine Answered(CasePick over, CasePick under, Func<CaseView, IReadOnlyList<double>> values, Quantity quantity,
        Func<RatioEstimate, string> figure, Func<RatioEstimate, string> interval, Func<string, CaseView, CaseView, string> sentence)
    {
        if (over.Case is not { } first || under.Case is not { } second)
            return MissingCases(over, under);
        var (firstValues, secondValues) = (values(first), values(second));
        if (PassRatio.Of(firstValues, secondValues) is not { } ratio)
            return LeftOut("a pass without a figure");
        // Said with it, for the ratio need not be that of the two medians beside it: a case that ran at two speeds has either.
        return Line(first, second, ratio, $"medians {Against(quantity, Median(firstValues), Median(secondValues))}; ratio of all pairs of passes, ", figure, interval, sentence);
    }

    private static AnswerLine Line(CaseView first, CaseView second, RatioEstimate ratio, string figures,
        Func<RatioEstimate, string> figure, Func<RatioEstimate, string> interval, Func<string, CaseView, CaseView, string> sentence)
    {
        var coverage = ratio.Coverage >= 0.95 ? "95 %" : Format.Percent(ratio.Coverage);
        var unproven = new[] { first, second }.Where(view => view.Status == CaseStatus.Unproven).Select(view => view.Reason).ToArray();
        var detail = $"{figures}{coverage} interval {interval(ratio)}"
            + (unproven.Length == 0 ? "" : $"; unproven: {string.Join("; ", unproven.Distinct())}");
        return ratio.IncludesOne
            ? new AnswerLine("", AnswerState.NoDifference, "no difference", $"No difference shown here: {Lower(sentence(figure(ratio), first, second))}, but the interval includes 1", detail, ratio)
            : new AnswerLine("", AnswerState.Differs, figure(ratio), sentence(figure(ratio), first, second), detail, ratio);
    }

    private static string Against(Quantity quantity, double first, double second) => $"{Format.Value(quantity, first)} against {Format.Value(quantity, second)}";

    private static AnswerLine MissingCases(CasePick over, CasePick under) =>
        LeftOut(string.Join(" and ", new[] { over.Reason, under.Reason }.Where(reason => reason.Length > 0)));

    internal static AnswerLine LeftOut(string reason) => new("", AnswerState.LeftOut, "", $"Left out: {reason}.", "", null);

    private static double Median(IReadOnlyList<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>The first letter small, unless the word is a name or an abbreviation.</summary>
    private static string Lower(string sentence) =>
        sentence.Length > 1 && char.IsLower(sentence[1]) && !sentence.StartsWith("Jacobs", StringComparison.Ordinal) ? char.ToLowerInvariant(sentence[0]) + sentence[1..] : sentence;
}
