using Bench.Measure.Records;
using Bench.Reports.Charts;
using Bench.Reports.Content;

namespace Bench.Reports.Families;

/// <summary>
/// Charts from cases without knowing the workload: cases are split into facets (small multiples) by the parameters
/// that are named; what varies within a facet beside the X axis makes the series.
/// </summary>
internal static class CaseCharts
{
    /// <summary>Beyond this ratio of highest to lowest a linear axis hides the low figures.</summary>
    public const double LinearRange = 20;

    /// <summary>The facets of some cases, in the order of the records, each with its name in words.</summary>
    public static IEnumerable<(string Name, CaseView[] Cases)> Facets(IEnumerable<CaseView> cases, params string[] parameters) =>
        cases.Where(view => !view.Failed)
            .GroupBy(view => string.Join('\n', parameters.Select(parameter => view[parameter])))
            .Select(group => group.ToArray())
            .Select(group => (Words.Sentence(string.Join(" · ", parameters.Select(parameter => group[0].Say(parameter)).Where(text => text != "-"))), group));

    /// <summary>The parameters that have more than one value among some cases.</summary>
    public static string[] Varying(IReadOnlyCollection<CaseView> cases, params string[] except) =>
        [.. cases.SelectMany(view => view.Record.Parameters.Keys).Distinct()
            .Where(parameter => !except.Contains(parameter))
            .Where(parameter => cases.Select(view => view[parameter]).Distinct().Skip(1).Any())];

    /// <summary>
    /// The parameters that it takes to tell series apart, beside the one along the axis. What follows from the others
    /// is left out (a file size that each access has its own of); what does not follow is kept, even where the axis
    /// would tell the cases apart too, for a line must join cases that differ in nothing but its axis.
    /// </summary>
    public static string[] Telling(IReadOnlyCollection<CaseView> cases, params string[] axis)
    {
        int Groups(IEnumerable<string> parameters) => cases.Select(view => string.Join('\n', parameters.Select(parameter => view[parameter]))).Distinct().Count();
        var chosen = new List<string>();
        foreach (var parameter in Varying(cases, axis))
            if (Groups([.. chosen, parameter]) > Groups(chosen))
                chosen.Add(parameter);
        return [.. chosen];
    }

    /// <summary>The values of one parameter, in order; "None" before all others.</summary>
    public static string[] Values(IEnumerable<CaseView> cases, string parameter) => parameter == FlushPolicy.Parameter
        ? [.. cases.GroupBy(view => view[parameter]).OrderBy(group => group.Min(FlushPolicy.Order)).Select(group => group.Key)]
        : [.. cases.Select(view => view[parameter]).Distinct().OrderBy(value => value != "None").ThenBy(value => Words.Order(value))];

    /// <summary>The cases that have a sibling in the same run which differs in this parameter alone.</summary>
    public static CaseView[] Swept(IReadOnlyCollection<CaseView> cases, string parameter)
    {
        string[] others = [.. cases.SelectMany(view => view.Record.Parameters.Keys).Distinct().Where(name => name != parameter)];
        return [.. cases.Where(view => !view.Failed)
            .GroupBy(view => (view.RunIndex, string.Join('\n', others.Select(name => view[name]))))
            .Where(group => group.Select(view => view[parameter]).Distinct().Skip(1).Any())
            .SelectMany(group => group)];
    }

    /// <summary>
    /// A figure over a parameter: lines if some series has several of its values, else bars. Null if no case has it.
    /// </summary>
    public static Chart? Over(string id, string title, string held, IReadOnlyCollection<CaseView> cases, string parameter,
        CaseFigure shows, SeriesColors colors)
    {
        var shown = cases.Where(view => !view.Failed && shows.Figure(view) is { Median: > 0 }).ToArray();
        if (shown.Length == 0)
            return null;
        var places = Values(shown, parameter);
        var varying = Telling(shown, parameter);
        return !Sweeps(shown, parameter) ? Bars(id, title, held, shown, shows, colors) : Chart(
            id, title, held, shown, shows, ChartKind.Lines,
            new Axis(Words.Sentence(Words.Name(parameter)), Quantity.Number, AxisScale.Category)
            {
                Categories = [.. places.Select(place => Words.Place(parameter, place))],
            },
            [.. shown.GroupBy(view => (Name: NameOf(view, varying), view.RunIndex)).Select(group => new Series(
                SeriesName(group.First(), group.Key.Name),
                [.. group.Select(view => Point(Array.IndexOf(places, view[parameter]), shows, view)).OrderBy(point => point.X)])
            {
                Color = colors[group.Key.Name],
                Variant = group.Key.RunIndex,
            })]);
    }

    /// <summary>True if some cases differ in this parameter alone.</summary>
    public static bool Sweeps(IReadOnlyCollection<CaseView> cases, string parameter)
    {
        var varying = Telling(cases, parameter);
        return cases.GroupBy(view => (NameOf(view, varying), view.RunIndex)).Any(group => Values(group, parameter).Length > 1);
    }

    /// <summary>One bar per case, one series per run.</summary>
    public static Chart? Bars(string id, string title, string held, IReadOnlyCollection<CaseView> cases, CaseFigure shows, SeriesColors? colors = null)
    {
        var shown = cases.Where(view => !view.Failed && shows.Figure(view) is { Median: > 0 }).ToArray();
        if (shown.Length == 0)
            return null;
        // Those without the figure too: a bar that is left alone has a name.
        var varying = Telling([.. cases.Where(view => !view.Failed)]);
        var names = shown.Select(view => NameOf(view, varying)).Distinct().ToArray();
        var runs = shown.GroupBy(view => view.RunIndex).ToArray();
        return Chart(id, title, held, shown, shows, ChartKind.Bars,
            new Axis("Case", Quantity.Number, AxisScale.Category) { Categories = [.. names.Select(name => name.Length == 0 ? shown[0].Record.Workload : name)] },
            [.. runs.Select(run => new Series(
                runs.Length == 1 ? shows.AxisName : run.First().RunName,
                [.. run.DistinctBy(view => NameOf(view, varying)).Select(view => Point(Array.IndexOf(names, NameOf(view, varying)), shows, view)).OrderBy(point => point.X)])
            {
                Color = run.Key,
                Variant = run.Key,
            })]);
    }

    /// <summary>
    /// A figure over two parameters: a column for each value of one, a row for each value of the other. Null unless
    /// both have several. It is for the cases of one run that differ in nothing else. The colour is that of the highest
    /// figure: what is good and what costs look different.
    /// </summary>
    public static Chart? HeatMap(string id, string title, string held, IReadOnlyCollection<CaseView> cases, string column, string row, CaseFigure shows, Axis colors, int color)
    {
        var shown = cases.Where(view => !view.Failed && shows.Figure(view) is { Median: >= 0 }).ToArray();
        var (columns, rows) = (Values(shown, column), Values(shown, row));
        if (columns.Length < 2 || rows.Length < 2)
            return null;
        Series[] series = [.. rows.Select(value => new Series(Words.Place(row, value),
            [.. shown.Where(view => view[row] == value).DistinctBy(view => view[column])
                .Select(view => Point(Array.IndexOf(columns, view[column]), shows, view)).OrderBy(point => point.X)]) { Color = color })];
        var cells = series.SelectMany(each => each.Points.Select(point => (Series: each, Point: point))).ToArray();
        var (lowest, highest) = (cells.MinBy(cell => cell.Point.Y), cells.MaxBy(cell => cell.Point.Y));
        var meaning = shows.IntervalMeaning(shown);
        string Where((Series Series, ChartPoint Point) cell) => $"{cell.Series.Name} with {Words.Value(column, columns[(int)cell.Point.X])}";
        return new Chart
        {
            Id = id,
            Title = title,
            Subtitle = string.Join(". ", new[] { held, title == shows.AxisName ? "" : shows.AxisName, colors.Scale == AxisScale.Log ? "Logarithmic colours" : "" }.Where(text => text.Length > 0)),
            Kind = ChartKind.HeatMap,
            X = new Axis(Words.Sentence(Words.Name(column)), Quantity.Number, AxisScale.Category) { Categories = [.. columns.Select(value => Words.Place(column, value))] },
            Y = colors,
            Series = series,
            SeriesMeaning = Words.Sentence(Words.Name(row)),
            IntervalMeaning = meaning,
            Finding = $"{title}: highest {Where(highest)}, {Format.Value(shows.Quantity, highest.Point.Y)}; "
                + $"lowest {Where(lowest)}, {Format.Value(shows.Quantity, lowest.Point.Y)}." + Doubt(series),
        };
    }

    /// <summary>
    /// One scale of colours for heat maps of a figure that stand beside each other: the same colour is the same figure on
    /// every target. By powers if the figures are far apart.
    /// </summary>
    public static Axis HeatScale(IEnumerable<CaseView> cases, CaseFigure shows)
    {
        // A contradicted figure has no colour, so it must not stretch the scale of the others.
        double[] sound = [.. cases.Where(view => view.Status is CaseStatus.Proven or CaseStatus.Unproven).Select(view => shows.Figure(view)?.Median).OfType<double>().Where(figure => figure >= 0)];
        var (above, most) = (sound.Where(figure => figure > 0).DefaultIfEmpty(0).Min(), sound.DefaultIfEmpty(0).Max());
        var log = above > 0 && most / above > LinearRange;
        return new Axis(shows.AxisName, shows.Quantity, log ? AxisScale.Log : AxisScale.Linear) { Min = log ? above : 0, Max = most };
    }

    /// <summary>Latency of one kind of operation (the case's own if none is given) over percentiles, one curve per case. Null if no case has a distribution.</summary>
    public static Chart? Percentiles(string id, string title, string held, IReadOnlyCollection<CaseView> cases, SeriesColors? colors = null, string? kind = null)
    {
        LatencyRecord? Of(CaseView view) => kind is null ? view.Latency : view.LatencyOf(kind);
        var shown = cases.Where(view => !view.Failed && Of(view) is { Count: > 1 }).ToArray();
        if (shown.Length == 0)
            return null;
        var varying = Telling(shown);
        var names = shown.Select(view => NameOf(view, varying)).Distinct().ToArray();
        Series[] series = [.. shown.Select(view => new Series(
            SeriesName(view, NameOf(view, varying) is { Length: > 0 } name ? name : kind ?? view.Record.Operation.ToLowerInvariant()),
            [.. LatencyCurve.Of(Of(view)!).Where(point => point.Nanoseconds > 0).Select(point =>
                new ChartPoint(point.Nines, point.Nanoseconds, view.Record.Evidence.Verdict) { Note = Note(view) })])
        {
            Color = colors?[NameOf(view, varying)] ?? Array.IndexOf(names, NameOf(view, varying)),
            Variant = view.RunIndex,
        })];
        var slowest = shown.MaxBy(view => Of(view)!.P99)!;
        return new Chart
        {
            Id = id,
            Title = title,
            Subtitle = held.Length == 0 ? "Latency" : $"Latency. {held}",
            Kind = ChartKind.Percentiles,
            X = new Axis("Share of operations at or below", Quantity.Nines, AxisScale.Nines) { Min = 1 },
            Y = new Axis("Latency", Quantity.Nanoseconds, AxisScale.Log),
            Series = series,
            Finding = $"{title}: latency percentiles of {shown.Length} cases. Median "
                + $"{Span(Quantity.Nanoseconds, shown.Select(view => (double)Of(view)!.P50))}, 99th percentile "
                + $"{Span(Quantity.Nanoseconds, shown.Select(view => (double)Of(view)!.P99))}"
                + (shown.Length > 1 ? $"; the slowest at p99 is {SeriesName(slowest, NameOf(slowest, varying))}." : ".") + Doubt(series),
        };
    }

    /// <summary>A point with what contradicts it.</summary>
    public static ChartPoint Point(int x, CaseFigure shows, CaseView view)
    {
        var figure = shows.Figure(view)!;
        var isRange = shows.Spread is not null || view.HasInterval;
        return new ChartPoint(x, figure.Median, view.Record.Evidence.Verdict) { Low = isRange ? figure.Low : null, High = isRange ? figure.High : null, Note = Note(view) };
    }

    /// <summary>What a reader must know of a case that is not proven.</summary>
    public static string? Note(CaseView view) => view.Status == CaseStatus.Proven ? null : view.Reason;

    /// <summary>Completes a chart: axis scale by the range of its figures, subtitle and finding.</summary>
    public static Chart Chart(string id, string title, string held, IEnumerable<CaseView> cases, CaseFigure shows, ChartKind kind, Axis x, IReadOnlyList<Series> series,
        bool logarithmic = false, double? min = null)
    {
        var points = series.SelectMany(each => each.Points.Select(point => (Series: each, Point: point))).ToArray();
        var meaning = shows.IntervalMeaning(cases);
        var lowest = points.MinBy(each => each.Point.Y);
        var highest = points.MaxBy(each => each.Point.Y);
        var log = logarithmic || highest.Point.Y / lowest.Point.Y > (kind == ChartKind.Bars ? 100 : LinearRange);
        string Where((Series Series, ChartPoint Point) at) =>
            series.Count > 1 && kind == ChartKind.Lines ? $"{at.Series.Name}, {x.Categories[(int)at.Point.X]}" : x.Categories[(int)at.Point.X];
        return new Chart
        {
            Id = id,
            Title = title,
            Subtitle = string.Join(". ", new[] { held, shows.AxisName + (log ? ", logarithmic axis" : ""), $"Whiskers: {meaning}" }.Where(text => text.Length > 0)),
            Kind = kind,
            X = x,
            Y = new Axis(shows.AxisName, shows.Quantity, log ? AxisScale.Log : AxisScale.Linear) { Min = min ?? (log ? Decade(lowest.Point.Y) : 0) },
            Series = series,
            IntervalMeaning = meaning,
            Finding = (points.Length == 1
                ? $"{title}: {Where(highest)} {Format.Value(shows.Quantity, highest.Point.Y)}."
                : $"{title}: highest {Where(highest)} with {Format.Value(shows.Quantity, highest.Point.Y)}, "
                    + $"lowest {Where(lowest)} with {Format.Value(shows.Quantity, lowest.Point.Y)}.") + Doubt(series),
        };
    }

    /// <summary>The series' name with its run where there are several.</summary>
    public static string SeriesName(CaseView view, string name) =>
        view.RunLabel.Length == 0 ? (name.Length == 0 ? view.Record.Workload : name) : name.Length == 0 ? view.RunName : $"{view.RunLabel}: {name}";

    /// <summary>A case by the parameters that tell it from its neighbours.</summary>
    public static string NameOf(CaseView view, IEnumerable<string> varying) =>
        string.Join(" · ", varying.Select(view.Say).Where(text => text != "-"));

    private static string Doubt(IReadOnlyList<Series> series)
    {
        var contradicted = series.Sum(each => each.Points.Select(point => point.Verdict).Contains(Verdict.Contradicted) ? 1 : 0);
        return contradicted == 0 ? "" : FormattableString.Invariant($" {contradicted} of {series.Count} series hold contradicted figures, which are crossed out.");
    }

    private static string Span(Quantity quantity, IEnumerable<double> values)
    {
        var all = values.ToArray();
        return all.Length == 1 ? Format.Value(quantity, all[0]) : $"{Format.Value(quantity, all.Min())} to {Format.Value(quantity, all.Max())}";
    }

    /// <summary>The power of ten below a figure, with room so that the lowest bar is still a bar.</summary>
    private static double Decade(double lowest)
    {
        var decade = Math.Pow(10, Math.Floor(Math.Log10(lowest)));
        return lowest / decade < 1.5 ? decade / 10 : decade;
    }
}
