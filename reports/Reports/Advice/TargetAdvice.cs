using Bench.Measure;
using Bench.Measure.Records;
using Bench.Reports.Charts;
using Bench.Reports.Content;
using Bench.Reports.Families;
using Bench.Reports.Statistics;

namespace Bench.Reports.Advice;

/// <summary>What to set for one wish.</summary>
/// <param name="Id">throughput, latency, durability.</param>
/// <param name="Title">The wish in words.</param>
/// <param name="Choice">The case that the advice rests on.</param>
internal sealed record Wish(string Id, string Title, CaseView Choice)
{
    /// <summary>Segment size, policy and figures in a sentence.</summary>
    public required string Sentence { get; init; }

    /// <summary>Kafka's settings.</summary>
    public required IReadOnlyList<KafkaSetting> Settings { get; init; }

    /// <summary>What a power loss takes, from which policies no difference was shown, and where Kafka differs: a sentence each.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>Whether the size of the segments matters under the chosen policy, as a sentence; null if one alone was measured.</summary>
    public string? SegmentSizes { get; init; }

    /// <summary>All that is printed below the settings.</summary>
    public IEnumerable<string> AllNotes => Notes.Append(SegmentSizes).OfType<string>();
}

/// <summary>
/// What to set on one target, from the appends of one run.
/// <para>
/// fio gives figures, and Kafka's documentation advice without any; between the two everybody guesses. Here three wishes
/// are answered from one grid of segment sizes and flush policies, in which nothing else differs. Where the passes of two
/// choices show no difference, the one that loses less in a power failure is advised, and the other is named: a
/// difference that was not shown is no reason to give up safety.
/// </para>
/// </summary>
internal sealed record TargetAdvice
{
    /// <summary>Two latencies this close to each other are alike: that of one run has no interval.</summary>
    public const double AlikeLatency = 1.10;

    /// <summary>
    /// The appends that a wish for latency looks at, as the mean of all of them. A policy that flushes once in a thousand
    /// appends has a 99th percentile that contains no flush, and would win by hiding its stalls behind it.
    /// </summary>
    private const double SlowShare = 0.01;

    /// <summary>And a throughput this far below the best is not alike, however much the passes of the two overlap.</summary>
    private const double AlikeThroughput = 0.90;

    private const int MostNamed = 4;

    private const string LatencyId = "latency";

    /// <summary>So far above the percentile the mean beyond it is worth a word.</summary>
    private const double HiddenStalls = 5;

    /// <summary>The run or target.</summary>
    public required RunLabel Label { get; init; }

    /// <summary>What was the same in all cases of the grid.</summary>
    public required string Held { get; init; }

    /// <summary>The three wishes, as far as there are cases for them.</summary>
    public required IReadOnlyList<Wish> Wishes { get; init; }

    /// <summary>Why there is no advice for durability; null if there is.</summary>
    public string? Missing { get; init; }

    /// <summary>Which choices could not be judged, and why; null if all could.</summary>
    public string? Unflushed { get; init; }

    /// <summary>What is not advised, and why: a sentence each.</summary>
    public IEnumerable<string> Gaps => new[] { Missing, Unflushed }.OfType<string>();

    /// <summary>The wishes as they are printed: those that one choice answers, with the same settings, stand together.</summary>
    public IReadOnlyList<Wish> Cards => [.. Wishes.GroupBy(wish => (wish.Choice, string.Join('\n', wish.Settings))).Select(group => group.First() with
    {
        Title = group.Count() == 1 ? group.First().Title : Together([.. group.Select(wish => wish.Title)]),
        Notes = [.. group.SelectMany(wish => wish.Notes).Distinct()],
        // The wish for latency looks at the throughput too: its sentence names all that the others' name.
        SegmentSizes = (group.FirstOrDefault(wish => wish.Id == LatencyId) ?? group.First()).SegmentSizes,
    })];

    /// <summary>The choices of which none is beaten in throughput, latency and data at risk together.</summary>
    public required Table Front { get; init; }

    /// <summary>All choices by throughput and latency, with those of the front told apart; null with so few that the table says it all.</summary>
    public Chart? Picture { get; init; }

    /// <summary>The advice for a run; null if it has no two flush policies to choose from.</summary>
    public static TargetAdvice? Of(RunView run)
    {
        CaseView[] usable = [.. run.Cases.Where(view => view.Record.Workload == LogAppendFamily.Workload && view.Status is CaseStatus.Proven or CaseStatus.Unproven && Choice.Of(view) is not null)];
        string[] telling = LogCases.Varying(usable, "SegmentSize", FlushPolicy.Parameter);
        var grid = LogCases.Facets(usable, telling).Select(facet => facet.Cases)
            .OrderByDescending(cases => cases.Select(view => view[FlushPolicy.Parameter]).Distinct().Count() * cases.Select(view => view["SegmentSize"]).Distinct().Count())
            .ThenBy(cases => cases.Max(view => LogCases.Distance(view))).FirstOrDefault();
        if (grid is null)
            return null;
        string[] unflushed = [.. grid.Where(FlushedNothing).Select(view => Choice.Of(view)!.Name)];
        grid = [.. grid.Where(view => !FlushedNothing(view))];
        if (grid.Select(view => view[FlushPolicy.Parameter]).Distinct().Count() < 2)
            return null;
        Choice[] choices = [.. grid.Select(view => Choice.Of(view)!)];
        var held = LogCases.Held(grid, ["BatchSize", "RecordSize", "Partitions", "Producers", "Preallocation", "WritePath"]);
        Wish[] wishes = [.. new[] { Throughput(choices), Latency(choices), Durability(choices) }.OfType<Wish>()];
        return new TargetAdvice
        {
            Label = run.Label,
            Held = held,
            Wishes = wishes,
            Missing = Array.Exists(choices, choice => choice.LosesNothing) ? null
                : choices.FirstOrDefault(choice => choice.WaitsForFlush) is { } unproven
                    ? $"For durability nothing is advised: it was not shown that a flush reaches the device ({unproven.View.Reason})."
                    : "For durability nothing is advised: no case waits for a flush before it acknowledges.",
            Unflushed = unflushed.Length == 0 ? null : $"Not among the choices, because passes ended before a flush did: {string.Join("; ", unflushed)}.",
            Front = FrontOf(choices),
            Picture = PictureOf(run, choices, [.. wishes.Select(wish => wish.Choice)], held),
        };
    }

    /// <summary>
    /// A device so slow, or passes so short, that some have met no flush: their throughput and data at risk are those of
    /// the cache, and not of the policy, and the case has a warning that says so.
    /// </summary>
    private static bool FlushedNothing(CaseView view) =>
        FlushPolicy.Kind(view[FlushPolicy.Parameter]) != "none" && view.Record.Metrics.TryGetValue("flushes", out var flushes) && flushes.Low == 0;

    /// <summary>The mean of the slowest hundredth of a case's appends, in nanoseconds.</summary>
    internal static double SlowestOf(CaseView view) => LatencyHistogram.Parse(view.Latency!.Histogram).MeanOfSlowest(SlowShare);

    private static Wish Throughput(Choice[] choices)
    {
        var alike = AlikeInThroughput(choices);
        return Make("throughput", "For throughput", Safest(alike).MaxBy(choice => choice.SegmentBytes)!, choices, alike);
    }

    private static Wish Latency(Choice[] choices)
    {
        var lowest = choices.Min(choice => choice.SlowNs);
        Choice[] alike = [.. choices.Where(choice => choice.SlowNs <= lowest * AlikeLatency)];
        // Here the throughput tells segment sizes apart before their number does: it has an interval, and advice that
        // another beats in both figures is none.
        return Make(LatencyId, "For latency", AlikeInThroughput(Safest(alike)).MaxBy(choice => choice.SegmentBytes)!, choices, alike);
    }

    private static Wish? Durability(Choice[] choices)
    {
        Choice[] safe = [.. choices.Where(choice => choice.LosesNothing)];
        if (safe.Length == 0)
            return null;
        var alike = AlikeInThroughput(safe);
        return Make("durability", "For durability", alike.OrderBy(choice => choice.SlowNs).ThenByDescending(choice => choice.SegmentBytes).First(), choices, alike);
    }

    private static Choice[] AlikeInThroughput(Choice[] choices)
    {
        var best = choices.MaxBy(choice => choice.BytesPerSecond)!;
        return [.. choices.Where(choice => choice.IsAlike(best, choices.Length - 1))];
    }

    /// <summary>Of choices that are alike those that lose least: one policy, in its segment sizes. The largest of them is the fewest files.</summary>
    private static Choice[] Safest(Choice[] alike) =>
        [.. alike.GroupBy(choice => (choice.LosesNothing, Order: FlushPolicy.Order(choice.View)))
            .OrderByDescending(group => group.Key.LosesNothing).ThenByDescending(group => group.Key.Order).First()];

    private static Wish Make(string id, string title, Choice chosen, Choice[] choices, Choice[] alike)
    {
        // The same policy in other segment sizes: does the size matter?
        Choice[] sizes = [.. choices.Where(choice => choice.Policy == chosen.Policy).OrderBy(choice => choice.SegmentBytes)];
        Choice[] alikeSizes = [.. sizes.Where(choice => choice.IsAlike(chosen, sizes.Length - 1) && (id != LatencyId || choice.SlowNs <= chosen.SlowNs * AlikeLatency))];
        var free = sizes.Length > 1 && alikeSizes.Length == sizes.Length;
        var others = alike.Where(choice => choice.Policy != chosen.Policy).Select(choice => choice.View.Say(FlushPolicy.Parameter)).Distinct().ToArray();
        return new Wish(id, title, chosen.View)
        {
            Sentence = $"{Words.Sentence(chosen.View.Say(FlushPolicy.Parameter))}, segments of {Words.Size(chosen.View["SegmentSize"])}: {Format.Value(Quantity.BytesPerSecond, chosen.BytesPerSecond)}, 99th percentile {Format.Nanoseconds(chosen.P99Ns)}, slowest hundredth {Format.Nanoseconds(chosen.SlowNs)}",
            Settings = KafkaSettings.Of(chosen.View, free ? null : chosen.SegmentBytes),
            Notes =
            [
                chosen.AtRisk,
                .. chosen.SlowNs > chosen.P99Ns * HiddenStalls ? (string[])["The slowest hundredth is the mean of the slowest appends; the 99th percentile does not contain their stalls."] : [],
                .. chosen.Lasting is { } lasting ? [lasting] : Array.Empty<string>(),
                .. others.Length == 0 ? [] : (string[])[$"No difference in {(id == LatencyId ? "latency" : "throughput")} was shown to {string.Join(", ", others.Take(MostNamed))}{(others.Length > MostNamed ? $" and {Format.Count(others.Length - MostNamed)} more" : "")}, which may lose more."],
                .. KafkaSettings.Difference(chosen.View) is { } difference ? [difference] : Array.Empty<string>(),
            ],
            SegmentSizes = sizes.Length == 1 ? null : free
                ? $"The segment size makes no difference here under this policy ({Words.Size(sizes[0].View["SegmentSize"])} to {Words.Size(sizes[^1].View["SegmentSize"])}): leave it at Kafka’s {Format.Bytes(KafkaSettings.DefaultSegmentBytes)}, or take the size that retention wants."
                : Sizes(chosen, sizes, alikeSizes, id == LatencyId ? "throughput or latency" : "throughput"),
        };
    }

    /// <summary>Which other sizes differ from the chosen one, and from which no difference was shown.</summary>
    private static string Sizes(Choice chosen, Choice[] sizes, Choice[] alike, string figure)
    {
        string[] like = [.. alike.Where(choice => choice != chosen).Select(choice => Words.Size(choice.View["SegmentSize"]))];
        var other = sizes.Except(alike).Select(choice => $"{Words.Size(choice.View["SegmentSize"])} ({Format.Value(Quantity.BytesPerSecond, choice.BytesPerSecond)}, slowest hundredth {Format.Nanoseconds(choice.SlowNs)})");
        return $"Segment sizes that differ from it in {figure}: {string.Join(", ", other)}.{(like.Length == 0 ? "" : $" No difference was shown to {string.Join(", ", like)}.")}";
    }

    /// <summary>"For throughput" and "For latency" are "For throughput and latency".</summary>
    private static string Together(string[] titles)
    {
        const string first = "For ";
        string[] wishes = [.. titles.Select(title => title.StartsWith(first, StringComparison.Ordinal) ? title[first.Length..] : title)];
        return $"{first}{string.Join(", ", wishes[..^1])} and {wishes[^1]}";
    }

    private static Choice[] OnFront(Choice[] choices) =>
        [.. choices.Where(choice => !Array.Exists(choices, other => other.Beats(choice))).OrderByDescending(choice => choice.BytesPerSecond)];

    /// <summary>
    /// The third figure, what a power loss takes, is one of three kinds rather than an axis: nothing, up to a bound, and
    /// without a bound or not known. A surface in three dimensions would be turned for long and read by nobody.
    /// </summary>
    private static Chart? PictureOf(RunView run, Choice[] choices, CaseView[] advised, string held)
    {
        const int fewest = 4;
        if (choices.Length < fewest)
            return null;
        var front = OnFront(choices);
        Series Those(string name, int color, Func<Choice, bool> are) =>
            new(name, [.. choices.Where(are).OrderBy(choice => choice.BytesPerSecond).Select(choice => choice.ToPoint() with { IsForemost = advised.Contains(choice.View) })]) { Color = color };
        Series[] series =
        [
            .. new[]
            {
                Those("Loses nothing that was acknowledged", 2, choice => front.Contains(choice) && choice.Risk == 0),
                Those("Loses up to a bound", 0, choice => front.Contains(choice) && choice.Risk is > 0 and < double.PositiveInfinity),
                Those("Loses without a bound, or not known", 1, choice => front.Contains(choice) && double.IsPositiveInfinity(choice.Risk)),
                Those("Beaten in all three by another", 6, choice => !front.Contains(choice)) with { Unnamed = true },
            }.Where(each => each.Points.Count > 0),
        ];
        Axis AxisOf(string name, Quantity quantity, Func<Choice, double> figure)
            => choices.Max(figure) / choices.Min(figure) > CaseCharts.LinearRange ? new Axis(name, quantity, AxisScale.Log) : new Axis(name, quantity, AxisScale.Linear) { Min = 0 };
        return new Chart
        {
            Id = FormattableString.Invariant($"settings-front-{run.Index + 1}"),
            Title = run.Label.Short.Length == 0 ? "Throughput, slow appends and what a power loss takes" : $"{run.Label.Short}: throughput, slow appends and what a power loss takes",
            Subtitle = string.Join(". ", new[] { "Upwards: mean of the slowest hundredth of appends, less is better. To the right: more throughput", held }.Where(text => text.Length > 0)),
            Kind = ChartKind.Scatter,
            X = AxisOf("Throughput", Quantity.BytesPerSecond, choice => choice.BytesPerSecond),
            Y = AxisOf("Slowest hundredth", Quantity.Nanoseconds, choice => choice.SlowNs),
            Series = series,
            SeriesMeaning = "A power loss",
            NameMeaning = "Choice",
            Finding = $"{Format.Count(front.Length)} of {Format.Count(choices.Length)} choices of flush and segment size are beaten by no other in throughput, slow appends and data at risk together: "
                + string.Join(", ", front.Select(choice => choice.Name)) + ".",
        };
    }

    private static Table FrontOf(Choice[] choices)
    {
        var front = OnFront(choices);
        return new Table("Choices that nothing beats in throughput, slow appends and data at risk together",
            [new Column("Flush", Numeric: false), new Column("Segments", Numeric: true), new Column("Throughput", Numeric: true), new Column("p99", Numeric: true), new Column("Slowest hundredth", Numeric: true), new Column("At risk", Numeric: true), new Column("At risk for", Numeric: true)],
            [.. front.Select(choice => new Row(
            [
                choice.View.Say(FlushPolicy.Parameter), Words.Size(choice.View["SegmentSize"]), Format.Value(Quantity.BytesPerSecond, choice.BytesPerSecond), Format.Nanoseconds(choice.P99Ns), Format.Nanoseconds(choice.SlowNs),
                choice.LosesNothing ? "nothing" : choice.WaitsForFlush ? "not known" : Format.Value(Quantity.Bytes, choice.AtRiskBytes), choice.WaitsForFlush ? "" : Format.Value(Quantity.Milliseconds, choice.AtRiskMs),
            ]))]);
    }

    /// <summary>One cell of the grid.</summary>
    private sealed record Choice(CaseView View, double BytesPerSecond, double P99Ns, double SlowNs, double AtRiskBytes, double AtRiskMs)
    {
        public string Policy { get; } = View[FlushPolicy.Parameter];

        public long SegmentBytes { get; } = Words.Bytes(View["SegmentSize"]) ?? 0;

        /// <summary>Nothing is acknowledged before it is flushed.</summary>
        public bool WaitsForFlush { get; } = FlushPolicy.Waits(View);

        /// <summary>And the flush is shown to reach the device.</summary>
        public bool LosesNothing => WaitsForFlush && View.Status == CaseStatus.Proven;

        /// <summary>A case with all the figures of a choice; null if one is missing.</summary>
        public static Choice? Of(CaseView view) =>
            view.Record.BytesPerSecond is { Median: > 0 } rate && view.Latency is { Count: >= 100 } latency
            && view.Record.Metrics.TryGetValue("dataAtRiskBytes", out var bytes) && view.Record.Metrics.TryGetValue("dataAtRiskMs", out var ms)
                ? new Choice(view, rate.Median, latency.P99, SlowestOf(view), bytes.Median, ms.Median) : null;

        public string AtRisk => LosesNothing ? "A power loss takes nothing that was acknowledged, if the drive’s own flush is honest (‘bench powercut’ tries it)."
            : WaitsForFlush ? $"What a power loss takes is not known: it was not shown that a flush reaches the device ({View.Reason})."
            : FlushPolicy.Kind(Policy) is "none"
                ? $"A power loss takes what the kernel has not written back yet, up to half a minute of it; in a pass of {Format.Seconds(View.Record.Passes[0].Seconds)} that was {Format.Value(Quantity.Bytes, AtRiskBytes)}. Replicas on other machines are what Kafka relies on then."
                : $"A power loss takes up to {Format.Value(Quantity.Bytes, AtRiskBytes)} or {Format.Value(Quantity.Milliseconds, AtRiskMs)} of what was acknowledged.";

        /// <summary>What the device makes of a throughput that is the page cache's; null where nothing is left to be flushed, or it was not timed.</summary>
        public string? Lasting => WaitsForFlush || View.RatesUntilDurable is not { Count: > 0 } rates ? null
            : $"Counted until all of it is durable: {Format.Value(Quantity.BytesPerSecond, MedianInterval.Of(rates)!.Median)}.";

        /// <summary>
        /// No difference between the passes' throughput was shown. The best of many is the best by luck too, so each of the
        /// comparisons with it has its part of the error only (Bonferroni).
        /// </summary>
        public bool IsAlike(Choice best, int comparisons) => ReferenceEquals(this, best)
            || PassRatio.Of(Rates, best.Rates, 1 - (1 - PassRatio.UsualCoverage) / Math.Max(1, comparisons)) is { IncludesOne: true, Value: >= AlikeThroughput };

        /// <summary>At least as good in all three, and better in one.</summary>
        public bool Beats(Choice other) => BytesPerSecond >= other.BytesPerSecond && SlowNs <= other.SlowNs && Risk <= other.Risk
            && (BytesPerSecond > other.BytesPerSecond || SlowNs < other.SlowNs || Risk < other.Risk);

        /// <summary>Flush and segment size in short.</summary>
        public string Name { get; } = $"{View.Say(FlushPolicy.Parameter)}, {Words.Size(View["SegmentSize"])}";

        /// <summary>Its place in the picture.</summary>
        public ChartPoint ToPoint() => new(BytesPerSecond, SlowNs, View.Record.Evidence.Verdict) { Name = Name, Note = string.Join('\n', new[] { AtRisk, CaseCharts.Note(View) }.Where(text => text is not null)) };

        /// <summary>Bytes. Without a flush the figure is that of a pass's length: the kernel's write-back is the only bound.</summary>
        public double Risk => LosesNothing ? 0 : WaitsForFlush || FlushPolicy.Kind(Policy) == "none" ? double.PositiveInfinity : AtRiskBytes;

        private IReadOnlyList<double> Rates => View.PerPass(pass => pass.Bytes / pass.Seconds);
    }
}
