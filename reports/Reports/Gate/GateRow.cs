using System.Globalization;
using Bench.Measure;
using Bench.Reports.Comparison;
using Bench.Reports.Content;

namespace Bench.Reports.Gate;

/// <summary>One judgement with the figures behind it: a row of every table of a gate's result.</summary>
/// <param name="Case">The case.</param>
/// <param name="Judgement">The judgement.</param>
/// <param name="Base">The figure on the base: the median of its launches, or that of its record.</param>
/// <param name="Head">The same on the head.</param>
internal sealed record GateRow(GateCaseResult Case, Judgement Judgement, double? Base, double? Head)
{
    public Figure Figure => Judgement.Key.Figure;

    public string BaseText => Format.Value(Figure.Quantity(), Base);

    public string HeadText => Format.Value(Figure.Quantity(), Head);

    public string RatioText => Format.Value(Quantity.CostRatio, Judgement.Ratio);

    /// <summary>"1.021–1.076×", or a dash where the values are too few for any.</summary>
    public string IntervalText => Format.Interval(Quantity.CostRatio, Judgement.Low, Judgement.High);

    /// <summary>The interval's level: "99.86 %".</summary>
    public string LevelText => Judgement is { Low: not null, Level: { } level } ? GateWords.Level(level) : Format.Missing;

    /// <summary>All judgements: slower, then what was not judged or is not decided, then faster and same; the largest change first.</summary>
    public static IReadOnlyList<GateRow> Of(GateResult result) =>
    [
        .. result.Cases.SelectMany(one => one.Judgements.Select(judgement => Of(one, judgement)))
            .OrderBy(row => row.Judgement.Verdict.Rank())
            .ThenByDescending(row => row.Judgement.Ratio is { } ratio ? Math.Abs(Math.Log(ratio)) : 0),
    ];

    /// <summary>The level that all intervals have; null if they have several.</summary>
    public static double? LevelOf(GateResult result) =>
        result.Judgements.Where(judgement => judgement.Low is not null).Select(judgement => judgement.Level).Distinct().ToArray() is [{ } only] ? only : null;

    private static GateRow Of(GateCaseResult one, Judgement judgement)
    {
        var figure = judgement.Key.Figure;
        GatePair[] pairs = [.. one.Pairs.Where(pair => pair.Discarded is null)];
        return pairs.Length > 0
            ? new GateRow(one, judgement, Median(pairs.Select(pair => pair.Base?.Of(figure))), Median(pairs.Select(pair => pair.Head?.Of(figure))))
            : new GateRow(one, judgement, one.BaseRecord is { } before ? Figures.Of(before, figure) : null, one.HeadRecord is { } after ? Figures.Of(after, figure) : null);
    }

    private static double? Median(IEnumerable<double?> values) => MedianInterval.Of(values.OfType<double>())?.Median;
}

/// <summary>A gate's result in words that its table, Markdown, JUnit XML and page share.</summary>
internal static class GateWords
{
    /// <summary>What the verdicts mean, for readers who see them for the first time.</summary>
    public const string Meaning =
        "Ratios are of cost, head over base: 1.10× takes ten percent more time or CPU for the same work. Slower and faster: the change exceeds the margin (and this machine's noise floor, where one was measured), after the correction for all figures. "
        + "Same: shown to lie within the margin. Inconclusive: the values allow none of these. Not judged: a side failed, or its evidence contradicts the case's name.";

    /// <summary>A figure as a heading.</summary>
    public static string Heading(Figure figure) => figure switch
    {
        Figure.Throughput => "Throughput",
        Figure.P99 => "Latency p99",
        _ => "CPU per operation",
    };

    /// <summary>The verdict with the shape that it has in charts: never by colour alone.</summary>
    public static string Marked(GateVerdict verdict) => verdict switch
    {
        GateVerdict.Slower => "▲ slower",
        GateVerdict.Faster => "▼ faster",
        GateVerdict.Same => "● same",
        GateVerdict.Inconclusive => "◇ inconclusive",
        _ => "✗ not judged",
    };

    /// <summary>Place in a table: what asks for action first.</summary>
    public static int Rank(this GateVerdict verdict) => verdict switch
    {
        GateVerdict.Slower => 0,
        GateVerdict.NotJudged => 1,
        GateVerdict.Inconclusive => 2,
        GateVerdict.Faster => 3,
        _ => 4,
    };

    /// <summary>"2 slower, 1 faster, 12 same, 5 inconclusive".</summary>
    public static string Tally(GateResult result) => string.Join(", ",
        new[] { GateVerdict.Slower, GateVerdict.Faster, GateVerdict.Same, GateVerdict.Inconclusive, GateVerdict.NotJudged }
            .Select(verdict => (verdict, Count: result.Count(verdict))).Where(part => part.Count > 0 || part.verdict == GateVerdict.Slower)
            .Select(part => $"{(part.Count == 0 ? "none" : Format.Count(part.Count))} {part.verdict.Words()}")
            .Concat(result.Lost.Count == 0 ? [] : [$"{Format.Count(result.Lost.Count, "case")} that the head lacks"]));

    /// <summary>How the verdicts came to be, for a reader who wants to doubt them.</summary>
    public static IReadOnlyList<(string Name, string Text)> Method(GateResult result) =>
    [
        result.FromRecords
            ? ("The sample", "With four launches of a case or more on both sides one value per launch, else one value per pass. Passes of one launch know only what varies within it, and the two runs were measured at different times.")
            : ("The sample", "One value per pair of launches, whose passes took turns close in time and in random order: the logarithm of the head's cost over the base's."),
        ("The ratio", "The estimate of Hodges and Lehmann, with its exact interval from the distribution of Mann and Whitney" + (result.FromRecords ? "." : ", over the pairs of the two orders, so that what being first is worth falls out.")
            + (result.FromRecords ? " It is the interval that decides same." : " Its level is the one at which the verdict was decided, after the corrections.")),
        ("Slower, faster", "The one-sided test of no more than the margin, by Holm's method over all figures of all cases, so that the chance of any false slower is within the error, and the estimate beyond the noise floor of a calibration, where there is one."),
        ("Same", "Two one-sided tests against the margin: shown to lie within it, not merely not refuted."),
        ("Inconclusive", "The values allow none of these. More pairs would, unless the change is of about the size of the margin."),
        ("Not judged", "A side failed, or its counters contradict what the case's name says."),
        ("Units", "MB/s is 10⁶ bytes per second; sizes in KiB, MiB and GiB are binary. Ratios are of cost whichever way the figure is written."),
    ];

    /// <summary>A level as a percentage with the digits that it needs: "95 %", "99.86 %".</summary>
    public static string Level(double level)
    {
        var miss = Math.Max(1e-9, (1 - level) * 100);
        var digits = Math.Clamp((int)Math.Ceiling(-Math.Log10(miss)) + 1, 0, 6);
        return (level * 100).ToString("0." + new string('#', miss >= 0.995 ? 1 : digits), CultureInfo.InvariantCulture) + " %";
    }

    /// <summary>How the columns of a table of verdicts belong together; with the levels of its intervals, if they are several and so not in the heading.</summary>
    public static string Reading(GateResult result)
    {
        var columns = result.FromRecords ? "Base and head are medians; the cost is estimated from all values of both, and need not be the quotient."
            : "Base and head are medians of the launches; the cost is estimated from pairs that took turns, and need not be the quotient.";
        double[] levels = [.. result.Judgements.Where(judgement => judgement.Low is not null).Select(judgement => judgement.Level).OfType<double>()];
        return levels.Length == 0 || GateRow.LevelOf(result) is not null ? columns
            : $"{columns} Each interval has the level at which its verdict was decided, from {Level(levels.Min())} to {Level(levels.Max())}.";
    }

    /// <summary>What a reader has to know before any figure, one sentence each.</summary>
    public static IReadOnlyList<string> Notes(GateResult result)
    {
        var notes = new List<string>();
        foreach (var (side, name) in new[] { (result.Base, "base"), (result.Head, "head") })
            if (side.InjectedSlowdown > 0)
                notes.Add($"The {name} was made {Format.Percent(side.InjectedSlowdown)} slower on purpose, to test the gate: its figures are not those of the program.");
        if (result.Unlike)
            notes.Add($"Base and head are from unlike machines or devices ({string.Join(", ", result.Differences.Where(difference => difference.Unlike).Select(difference => difference.Name))}): the ratios show how these differ as much as what changed between the runs.");
        if (result.FromRecords)
            notes.Add("Stored runs were compared, not pairs of launches: whatever the machine did differently between the two runs is in the ratios, so the verdicts promise less than those of a gate that runs both sides in turns.");
        else if (result.CalibratedUtc is null)
            notes.Add("This machine was not calibrated: its noise floors and the gate's error rates on it are not known.");
        if (result.FromRecords && UnjudgedP99(result) is > 0 and var unjudged)
            notes.Add($"The p99 of {Format.Count(unjudged, "case")} is shown and not judged: a launch has one, and a verdict takes several launches a side.");
        notes.AddRange(result.Warnings.Select(warning => Words.Sentence(warning.TrimEnd('.')) + "."));
        return notes;
    }

    /// <summary>Cases with a verdict whose latencies are in the tables, but not among the verdicts.</summary>
    private static int UnjudgedP99(GateResult result) => result.Cases.Count(one =>
        Figures.LatencyOf(one.BaseRecord) is { Count: >= Figures.FewestForP99 } && Figures.LatencyOf(one.HeadRecord) is { Count: >= Figures.FewestForP99 }
        && one.Judgements.Any(judgement => judgement.Verdict != GateVerdict.NotJudged) && one.Judgements.All(judgement => judgement.Key.Figure != Figure.P99));
}

/// <summary>Names of cases for people: the parameters that tell a case from the others of its workload, in words.</summary>
internal sealed class GateNames
{
    private readonly Dictionary<string, string> names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string[]> tellings = new(StringComparer.Ordinal);

    /// <summary>The names of all cases of a result.</summary>
    public GateNames(GateResult result)
    {
        foreach (var group in result.Cases.GroupBy(one => one.Workload))
        {
            GateCaseResult[] cases = [.. group];
            var telling = Telling(cases);
            tellings[group.Key] = telling;
            foreach (var one in cases)
                names[one.Name] = string.Join(" · ", telling.Select(parameter => Say(one, parameter)).Where(text => text != "-").Prepend(one.Workload));
        }
        // Two that read alike keep the names that tell them apart.
        foreach (var alike in names.GroupBy(pair => pair.Value, pair => pair.Key).Where(group => group.Skip(1).Any()).SelectMany(group => group).ToArray())
            names[alike] = alike;
    }

    /// <summary>The parameters that tell a workload's cases apart.</summary>
    public IReadOnlyList<string> Telling(string workload) => tellings.GetValueOrDefault(workload, []);

    /// <summary>The name of a case.</summary>
    public string this[GateCaseResult one] => names[one.Name];

    /// <summary>The first parameters that it takes; what follows from these is left out, as in the report. All of a single case.</summary>
    private static string[] Telling(GateCaseResult[] cases)
    {
        int Groups(IEnumerable<string> parameters) => cases.Select(one => string.Join('\n', parameters.Select(parameter => one.Parameters.GetValueOrDefault(parameter, "-")))).Distinct().Count();
        string[] all = [.. cases.SelectMany(one => one.Parameters.Keys).Distinct()];
        var chosen = new List<string>();
        foreach (var parameter in all)
            if (Groups([.. chosen, parameter]) > Groups(chosen))
                chosen.Add(parameter);
        return cases.Length == 1 ? all : [.. chosen];
    }

    private static string Say(GateCaseResult one, string parameter) =>
        (parameter, one.Parameters.GetValueOrDefault(parameter, "-")) switch
        {
            ("Loop" or "Pages", "None") => "-",
            var (_, value) => Words.Value(parameter, value),
        };
}
