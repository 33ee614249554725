using Bench.Measure.Records;
using Bench.Reports.Charts;
using ScottPlot;
using ScottPlot.TickGenerators;
using SkiaSharp;

namespace Bench.Reports.StaticImages;

/// <summary>
/// The report's charts as images through ScottPlot 5.1. ScottPlot has no logarithmic axis: figures are drawn as
/// powers of ten, with ticks that name what they stand for, which is how its own cookbook does it.
/// </summary>
public static class StaticCharts
{
    internal const int WidthPixels = 900;
    private const double BarThickness = 0.36;

    /// <summary>The page's light palette (Okabe and Ito's hues, darkened to a contrast of 4.5 on white).</summary>
    internal static readonly Color[] Palette =
    [
        Color.FromHex("#0068A8"), Color.FromHex("#B34E00"), Color.FromHex("#007A5A"), Color.FromHex("#A03D78"),
        Color.FromHex("#7A5F00"), Color.FromHex("#1F7391"), Color.FromHex("#4A4F55"),
    ];

    private static readonly MarkerShape[] Filled =
    [
        MarkerShape.FilledCircle, MarkerShape.FilledSquare, MarkerShape.FilledTriangleUp, MarkerShape.FilledDiamond,
        MarkerShape.FilledTriangleDown, MarkerShape.Cross, MarkerShape.OpenCircleWithDot,
    ];

    /// <summary>The same as outlines: a filled shape has no line of its own in ScottPlot.</summary>
    private static readonly MarkerShape[] Open =
    [
        MarkerShape.OpenCircle, MarkerShape.OpenSquare, MarkerShape.OpenTriangleUp, MarkerShape.OpenDiamond,
        MarkerShape.OpenTriangleDown, MarkerShape.Cross, MarkerShape.OpenCircle,
    ];

    /// <summary>A sans-serif that is installed: where ScottPlot's own choice is missing, the system gives whatever it has, also a serif.</summary>
    private static readonly string Family = new[] { "DejaVu Sans", "Liberation Sans", "Noto Sans", "Open Sans", "Arial", "Helvetica" }
        .FirstOrDefault(SKFontManager.Default.FontFamilies.ToHashSet(StringComparer.OrdinalIgnoreCase).Contains) ?? Fonts.Sans;

    /// <summary>As many letters as a line of a title holds.</summary>
    private const int LineLetters = 108;

    /// <summary>Not every font has the page's ballot cross.</summary>
    private const string CrossMark = "× ";

    private static readonly Color Ink = Color.FromHex("#1B1F23");
    internal static readonly Color Contradicted = Color.FromHex("#B3261E");
    private static readonly Color Paper = Color.FromHex("#FFFFFF");

    /// <summary>Writes each chart as <c>id.png</c> and <c>id.svg</c>.</summary>
    /// <param name="charts">The charts; see <see cref="ReportCharts"/>.</param>
    /// <param name="folder">Made if missing.</param>
    public static void Write(IEnumerable<Chart> charts, string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var chart in charts)
        {
            using var plot = Draw(chart);
            // Beside what the page gives the plot: title, axis and legend.
            var height = EChartsOptions.HeightPixels(chart) + (chart.Series.Count > 1 ? 190 : 120);
            plot.SavePng(Path.Combine(folder, chart.Id + ".png"), WidthPixels, height);
            plot.SaveSvg(Path.Combine(folder, chart.Id + ".svg"), WidthPixels, height);
        }
    }

    /// <summary>The chart as a ScottPlot plot.</summary>
    public static Plot Draw(Chart chart)
    {
        var plot = new Plot();
        var rows = chart.Kind is ChartKind.Bars or ChartKind.StackedBars or ChartKind.Forest;
        plot.Title(string.Join('\n', Wrapped(chart.Title).Concat(Wrapped(chart.Subtitle))));
        plot.Axes.Title.Label.Bold = false;
        plot.Axes.Title.Label.FontSize = 14;
        plot.Axes.Title.FullFigureCenter = true;
        plot.Font.Set(Family);
        plot.XLabel(rows ? chart.Y.Name : chart.X.Name);
        plot.YLabel(rows ? "" : chart.Kind == ChartKind.HeatMap ? chart.SeriesMeaning : chart.Y.Name);
        switch (chart.Kind)
        {
            case ChartKind.HeatMap:
                Cells(plot, chart);
                return plot;
            case ChartKind.Timeline:
                Timeline(plot, chart);
                break;
            case ChartKind.Bars or ChartKind.StackedBars:
                Bars(plot, chart);
                Ticks(plot, chart, rows);
                break;
            case ChartKind.Forest or ChartKind.Points:
                OverBand(plot, chart, rows);
                break;
            case ChartKind.Scatter:
                Scatter(plot, chart);
                Ticks(plot, chart, rows);
                break;
            default:
                Lines(plot, chart);
                Ticks(plot, chart, rows);
                break;
        }
        // Beside the data, not on them.
        if (chart.Series.Count > 1)
        {
            foreach (var series in chart.Series.DistinctBy(series => (series.Name, series.Color)))
                plot.Legend.ManualItems.Add(Named(chart, series));
            plot.Legend.Orientation = Orientation.Horizontal;
            plot.ShowLegend(Edge.Bottom);
        }
        return plot;
    }

    /// <summary>Lines of words, none too long.</summary>
    private static IEnumerable<string> Wrapped(string text)
    {
        var line = "";
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + word.Length >= LineLetters)
            {
                yield return line;
                line = "";
            }
            line += line.Length == 0 ? word : " " + word;
        }
        if (line.Length > 0)
            yield return line;
    }

    /// <summary>A series in the legend: by hand, because bars and marks have none that carry its name.</summary>
    private static LegendItem Named(Chart chart, Series series)
    {
        var color = Palette[series.Color % Palette.Length];
        var item = new LegendItem { LabelText = series.Name, LineColor = color };
        if (chart.Kind is ChartKind.Bars or ChartKind.StackedBars)
            item.LineWidth = 8;
        else
        {
            item.LineWidth = chart.Kind is ChartKind.Forest or ChartKind.Points or ChartKind.Scatter ? 0 : 2;
            item.LinePattern = Dash(series);
            if (chart.Kind != ChartKind.Timeline)
            {
                item.MarkerShape = (series.Hollow ? Open : Filled)[Marks.ShapeNumber(series.Mark ?? series.Color)];
                item.MarkerFillColor = item.MarkerLineColor = color;
                item.MarkerSize = 8;
            }
        }
        return item;
    }

    private static LinePattern Dash(Series series) => Marks.Dash(series.Variant) is { Count: > 0 } dash ? new LinePattern([.. dash.Select(length => (float)length)], 0, "") : LinePattern.Solid;

    /// <summary>A rectangle and a text a cell; a contradicted one is paper with a dashed border and a cross of two strokes.</summary>
    private static void Cells(Plot plot, Chart chart)
    {
        const double half = 0.48;
        for (var row = 0; row < chart.Series.Count; row++)
        {
            var y = chart.Series.Count - 1 - row;
            foreach (var point in chart.Series[row].Points)
            {
                var contradicted = point.Verdict == Verdict.Contradicted;
                var heat = EChartsOptions.Heat(chart.Y, point.Y);
                var cell = plot.Add.Rectangle(point.X - half, point.X + half, y - half, y + half);
                cell.FillColor = contradicted ? Paper : Mixed(Palette[chart.Series[row].Color % Palette.Length], 0.07 + 0.93 * heat);
                cell.LineColor = contradicted ? Contradicted : Paper;
                cell.LinePattern = contradicted ? LinePattern.Dashed : LinePattern.Solid;
                cell.LineWidth = 1.5f;
                if (contradicted)
                {
                    Stroke(plot, point.X - half, y - half, point.X + half, y + half, Contradicted, 0.75f);
                    Stroke(plot, point.X - half, y + half, point.X + half, y - half, Contradicted, 0.75f);
                }
                var mark = point.Verdict switch { Verdict.Contradicted => CrossMark, Verdict.Unproven => "? ", _ => "" };
                var text = plot.Add.Text(mark + Format.Short(chart.Y.Quantity, point.Y), point.X, y);
                // Above about half of the colour white is read better than ink.
                text.LabelFontColor = contradicted ? Contradicted : heat > 0.5 ? Paper : Ink;
                text.LabelFontSize = 12;
                text.LabelAlignment = Alignment.MiddleCenter;
            }
        }
        plot.Axes.Bottom.TickGenerator = Places(chart.X.Categories);
        plot.Axes.Left.TickGenerator = new NumericManual(Enumerable.Range(0, chart.Series.Count).Select(row => (double)(chart.Series.Count - 1 - row)).ToArray(), [.. chart.Series.Select(series => series.Name)]);
        plot.Axes.SetLimits(-0.5, chart.X.Categories.Count - 0.5, -0.5, chart.Series.Count - 0.5);
        plot.HideGrid();
    }

    /// <summary>
    /// Throughput by the left axis in the upper half, latency by the right one in the lower half, and a line for each event:
    /// one plot where the page has panels.
    /// </summary>
    private static void Timeline(Plot plot, Chart chart)
    {
        foreach (var series in chart.Series)
        {
            var upper = series.Panel == 0;
            var axis = upper || chart.LowerY is null ? chart.Y : chart.LowerY;
            var line = plot.Add.Scatter(series.Points.Select(point => point.X).ToArray(), series.Points.Select(point => Length(axis, point.Y)).ToArray());
            var contradicted = series.Points.Any(point => point.Verdict == Verdict.Contradicted);
            line.LineColor = Palette[series.Color % Palette.Length];
            line.LineWidth = upper ? 2 : 1;
            line.LinePattern = contradicted ? LinePattern.Dotted : Dash(series);
            line.MarkerSize = 0;
            line.ConnectStyle = ConnectStyle.StepHorizontal;
            if (!upper)
                line.Axes.YAxis = plot.Axes.Right;
            // The colour tells the series apart, so the cross stands at its beginning.
            if (contradicted)
            {
                var cross = plot.Add.Marker(series.Points[0].X, Length(axis, series.Points[0].Y), MarkerShape.Eks, 11);
                cross.MarkerLineColor = Contradicted;
                cross.MarkerLineWidth = 2;
                if (!upper)
                    cross.Axes.YAxis = plot.Axes.Right;
            }
        }
        string[] kinds = [.. chart.Events.Select(made => made.Kind).Distinct()];
        foreach (var made in chart.Events)
        {
            var line = plot.Add.VerticalLine(made.Start);
            line.LineColor = Palette[(4 + Array.IndexOf(kinds, made.Kind)) % Palette.Length];
            line.LineWidth = 0.75f;
            line.LinePattern = LinePattern.Dotted;
        }
        var highest = chart.Series.Where(series => series.Panel == 0).SelectMany(series => series.Points).Max(point => point.Y);
        plot.Axes.SetLimitsX(chart.X.Min ?? 0, chart.X.Max ?? chart.Series.SelectMany(series => series.Points).Max(point => point.X));
        plot.Axes.SetLimitsY(-highest, highest * 1.05);
        var half = Ladder(highest);
        plot.Axes.Left.TickGenerator = new NumericManual(half, [.. half.Select(figure => Format.Short(chart.Y.Quantity, figure))]);
        double[] below = [.. chart.Series.Where(series => series.Panel == 1).SelectMany(series => series.Points).Where(point => point.Y > 0).Select(point => point.Y)];
        if (chart.LowerY is not { } latency || below.Length == 0)
            return;
        plot.Axes.Right.Label.Text = latency.Name;
        Powers(plot.Axes.Right, latency, below);
        var (low, high) = (Math.Floor(Length(latency, below.Min())), Math.Ceiling(Length(latency, below.Max()) + 1e-9));
        plot.Axes.SetLimitsY(low, high + (high - low) * 1.05, plot.Axes.Right);
    }

    /// <summary>Round figures from zero up to a highest one, four or so.</summary>
    private static double[] Ladder(double highest)
    {
        var step = Math.Pow(10, Math.Floor(Math.Log10(highest)));
        step = (highest / step) switch { < 2 => step / 2, < 5 => step, _ => step * 2 };
        return [.. Enumerable.Range(0, (int)(highest / step) + 1).Select(rung => rung * step)];
    }

    /// <summary>The band and the line of no change, then estimates as rows with their intervals, or single points.</summary>
    private static void OverBand(Plot plot, Chart chart, bool rows)
    {
        var places = chart.X.Categories.Count;
        var end = rows ? places - 0.4 : chart.Series.SelectMany(series => series.Points).Select(point => point.X).DefaultIfEmpty(1).Max() + 1;
        var start = rows ? -0.6 : 0;
        if (chart.Band is { } band)
        {
            var (low, high, none) = (Length(chart.Y, band.Low), Length(chart.Y, band.High), Length(chart.Y, band.Line));
            var area = rows ? plot.Add.Rectangle(low, high, start, end) : plot.Add.Rectangle(start, end, low, high);
            area.FillColor = Mixed(Ink, 0.1);
            area.LineWidth = 0;
            Across(none, 1);
            if (band.Estimate is { } estimate)
                Across(Length(chart.Y, estimate), 1.5f);
        }
        foreach (var series in chart.Series)
        {
            var color = Palette[series.Color % Palette.Length];
            foreach (var point in series.Points)
            {
                var (x, y) = rows ? (Length(chart.Y, point.Y), Row(chart, (int)point.X)) : (point.X, Length(chart.Y, point.Y));
                if (rows)
                    Whisker(plot, chart, point, y, horizontal: true);
                var mark = plot.Add.Marker(x, y, (series.Hollow ? Open : Filled)[Marks.ShapeNumber(series.Mark ?? series.Color)], 10);
                mark.MarkerFillColor = color;
                mark.MarkerLineColor = color;
                mark.MarkerLineWidth = 1.5f;
            }
        }
        if (rows)
            plot.Axes.Left.TickGenerator = new NumericManual(Enumerable.Range(0, places).Select(place => Row(chart, place)).ToArray(), [.. chart.X.Categories]);
        IAxis figures = rows ? plot.Axes.Bottom : plot.Axes.Left;
        double[] ratios = [0.1, 0.2, 0.5, 0.8, 0.9, 0.95, 1, 1.05, 1.1, 1.2, 1.5, 2, 5, 10];
        figures.TickGenerator = new NumericManual([.. ratios.Select(ratio => Length(chart.Y, ratio))], [.. ratios.Select(ratio => Format.Short(chart.Y.Quantity, ratio))]);

        void Across(double at, float width) => Stroke(plot, rows ? at : start, rows ? start : at, rows ? at : end, rows ? end : at, Ink, width);
    }

    /// <summary>Points with their names, where these do not lie on each other; a contradicted one is a cross, an unproven one hollow.</summary>
    private static void Scatter(Plot plot, Chart chart)
    {
        var points = chart.Series.SelectMany(series => series.Points).ToArray();
        double[] xs = [.. points.Select(point => Length(chart.X, point.X))], ys = [.. points.Select(point => Length(chart.Y, point.Y))];
        // A name is about a quarter of the plot wide and a twentieth of it high.
        var (width, height) = (Math.Max(xs.Max() - xs.Min(), double.Epsilon) * 0.25, Math.Max(ys.Max() - ys.Min(), double.Epsilon) * 0.06);
        var named = new List<(double X, double Y)>();
        // What is named first lies on top, and has the first choice of a place for its names.
        foreach (var series in chart.Series.Reverse())
        {
            var color = Palette[series.Color % Palette.Length];
            foreach (var point in series.Points)
            {
                var contradicted = point.Verdict == Verdict.Contradicted;
                var (x, y) = (Length(chart.X, point.X), Length(chart.Y, point.Y));
                var mark = plot.Add.Marker(x, y, contradicted ? MarkerShape.Eks : (point.Verdict == Verdict.Proven ? Filled : Open)[Marks.ShapeNumber(series.Mark ?? series.Color)], 10);
                mark.MarkerFillColor = color;
                mark.MarkerLineColor = contradicted ? Contradicted : color;
                mark.MarkerLineWidth = 1.5f;
            }
        }
        foreach (var point in chart.Series.SelectMany(series => series.Points.Where(point => point.IsForemost || !series.Unnamed)).OrderByDescending(point => point.IsForemost))
        {
            var (x, y) = (Length(chart.X, point.X), Length(chart.Y, point.Y));
            if (point.Name is null || (!point.IsForemost && named.Any(other => Math.Abs(other.X - x) < width && Math.Abs(other.Y - y) < height)))
                continue;
            named.Add((x, y));
            Note(plot, "   " + point.Name, x, y, Ink);
        }
        Limits(plot, chart, xs, ys);
    }

    /// <summary>From where the axes are to begin to beyond the last point, with room for what is written beside it.</summary>
    private static void Limits(Plot plot, Chart chart, double[] xs, double[] ys)
    {
        var left = chart.X.Min is { } begin ? Length(chart.X, begin) : xs.Min() - (xs.Max() - xs.Min()) * 0.08;
        var bottom = chart.Y.Min is { } lowest ? Length(chart.Y, lowest) : ys.Min() - (ys.Max() - ys.Min()) * 0.08;
        plot.Axes.SetLimits(left, xs.Max() + (xs.Max() - left) * 0.22, bottom, ys.Max() + (ys.Max() - bottom) * 0.08);
    }

    private static Color Mixed(Color color, double share) => new(
        (byte)Math.Round(Paper.R + (color.R - Paper.R) * share), (byte)Math.Round(Paper.G + (color.G - Paper.G) * share), (byte)Math.Round(Paper.B + (color.B - Paper.B) * share));

    private static NumericManual Places(IReadOnlyList<string> names) =>
        new(Enumerable.Range(0, names.Count).Select(place => (double)place).ToArray(), [.. names]);

    private static void Bars(Plot plot, Chart chart)
    {
        var beginning = Length(chart.Y, chart.Y.Min ?? 0);
        var ends = new double[chart.X.Categories.Count];
        var sums = new double[chart.X.Categories.Count];
        for (var index = 0; index < chart.Series.Count; index++)
        {
            var series = chart.Series[index];
            var stacked = chart.Kind == ChartKind.StackedBars;
            var offset = stacked || chart.HasOneBarPerRow ? 0 : (index - (chart.Series.Count - 1) / 2.0) * BarThickness;
            foreach (var point in series.Points)
            {
                var row = (int)point.X;
                var from = stacked ? sums[row] : 0;
                sums[row] = from + point.Y;
                var at = Row(chart, row) - offset;
                var contradicted = point.Verdict == Verdict.Contradicted;
                plot.Add.Bar(new Bar
                {
                    Position = at,
                    ValueBase = from == 0 ? beginning : Length(chart.Y, from),
                    Value = Length(chart.Y, from + point.Y),
                    Size = BarThickness * 0.9,
                    Orientation = Orientation.Horizontal,
                    FillColor = contradicted ? Paper : Palette[series.Color % Palette.Length],
                    LineColor = contradicted ? Contradicted : Palette[series.Color % Palette.Length],
                    LinePattern = contradicted ? LinePattern.Dashed : LinePattern.Solid,
                    LineWidth = 1.5f,
                });
                ends[row] = Math.Max(ends[row], point.High ?? sums[row]);
                if (!stacked || index == chart.Series.Count - 1)
                {
                    Whisker(plot, chart, point, at, horizontal: true);
                    Label(plot, chart, point, sums[row], at);
                }
            }
        }
        foreach (var reference in chart.References)
        {
            var (x, y) = (Length(chart.Y, reference.Y), Row(chart, (int)reference.X));
            Stroke(plot, x, y - 0.42, x, y + 0.2, Ink, 2);
            // Two on one row: the lower one's text goes left, as in the page.
            var left = chart.References.Any(other => other.X == reference.X && other.Y > reference.Y);
            Note(plot, left ? $"{reference.Text} {Format.Scaled(reference.Y)} " : $" {reference.Text} {Format.Scaled(reference.Y)}", x, y - 0.34, Ink, left);
        }
        var high = ends.Append(beginning).Max();
        plot.Axes.SetLimits(beginning, Length(chart.Y, high) + (Length(chart.Y, high) - beginning) * 0.2, -0.6, chart.X.Categories.Count - 0.4);
    }

    private static void Lines(Plot plot, Chart chart)
    {
        foreach (var series in chart.Series)
        {
            var color = Palette[series.Color % Palette.Length];
            // A contradicted point is no part of the line, as in the page.
            ChartPoint[] sound = [.. series.Points.Where(point => point.Verdict != Verdict.Contradicted)];
            if (sound.Length > 0)
            {
                var line = plot.Add.Scatter(sound.Select(point => Length(chart.X, point.X)).ToArray(), sound.Select(point => Length(chart.Y, point.Y)).ToArray());
                line.LineColor = color;
                line.LineWidth = 2;
                line.LinePattern = Dash(series);
                line.MarkerShape = (sound.All(point => point.Verdict == Verdict.Unproven) ? Open : Filled)[Marks.ShapeNumber(series.Color)];
                line.MarkerSize = chart.Kind == ChartKind.Percentiles ? 4 : 8;
                line.MarkerLineColor = color;
                line.MarkerFillColor = color;
            }
            foreach (var point in series.Points)
            {
                if (point.Verdict == Verdict.Contradicted)
                {
                    var cross = plot.Add.Marker(Length(chart.X, point.X), Length(chart.Y, point.Y), MarkerShape.Eks, 11);
                    cross.MarkerLineColor = Contradicted;
                    cross.MarkerLineWidth = 2;
                }
                if (chart.Kind == ChartKind.Lines)
                    Whisker(plot, chart, point, Length(chart.X, point.X), horizontal: false);
            }
        }
        double[] ys = [.. chart.Series.SelectMany(series => series.Points).SelectMany(point => new[] { point.Y, point.High ?? point.Y, point.Low ?? point.Y }).Where(figure => figure > 0 || chart.Y.Scale == AxisScale.Linear).Select(figure => Length(chart.Y, figure))];
        var low = chart.Y.Min is { } lowest ? Length(chart.Y, lowest) : ys.Min();
        plot.Axes.SetLimitsY(low, ys.Max() + Math.Max(ys.Max() - low, double.Epsilon) * 0.06);
        if (chart.X.Scale == AxisScale.Category)
            plot.Axes.SetLimitsX(-0.5, chart.X.Categories.Count - 0.5);
    }

    private static void Whisker(Plot plot, Chart chart, ChartPoint point, double at, bool horizontal)
    {
        if (point.Low is not { } lowest || point.High is not { } highest || lowest <= 0 && chart.Y.Scale == AxisScale.Log)
            return;
        const double cap = 0.05;
        var (low, high) = (Length(chart.Y, lowest), Length(chart.Y, highest));
        if (horizontal)
        {
            Stroke(plot, low, at, high, at, Ink, 1.25f);
            Stroke(plot, low, at - cap, low, at + cap, Ink, 1.25f);
            Stroke(plot, high, at - cap, high, at + cap, Ink, 1.25f);
        }
        else
        {
            Stroke(plot, at, low, at, high, Ink, 1.25f);
            Stroke(plot, at - cap / 2, low, at + cap / 2, low, Ink, 1.25f);
            Stroke(plot, at - cap / 2, high, at + cap / 2, high, Ink, 1.25f);
        }
    }

    private static void Label(Plot plot, Chart chart, ChartPoint point, double figure, double at)
    {
        var mark = point.Verdict switch { Verdict.Contradicted => CrossMark, Verdict.Unproven => "? ", _ => "" };
        Note(plot, "  " + mark + Format.Short(chart.Y.Quantity, figure), Length(chart.Y, Math.Max(figure, point.High ?? figure)), at,
            point.Verdict == Verdict.Contradicted ? Contradicted : Ink);
    }

    private static void Note(Plot plot, string text, double x, double y, Color color, bool left = false)
    {
        var note = plot.Add.Text(text, x, y);
        note.LabelFontColor = color;
        note.LabelFontSize = 12;
        note.LabelAlignment = left ? Alignment.MiddleRight : Alignment.MiddleLeft;
    }

    private static void Stroke(Plot plot, double x1, double y1, double x2, double y2, Color color, float width)
    {
        var line = plot.Add.Line(x1, y1, x2, y2);
        line.LineColor = color;
        line.LineWidth = width;
    }

    private static void Ticks(Plot plot, Chart chart, bool rows)
    {
        if (rows)
        {
            var places = Enumerable.Range(0, chart.X.Categories.Count).ToArray();
            plot.Axes.Left.TickGenerator = new NumericManual(places.Select(place => Row(chart, place)).ToArray(), [.. chart.X.Categories]);
            Powers(plot.Axes.Bottom, chart.Y, chart.Series.SelectMany(series => series.Points).Select(point => point.High ?? point.Y).Append(chart.Y.Min ?? 1));
            return;
        }
        if (chart.X.Scale == AxisScale.Category)
            plot.Axes.Bottom.TickGenerator = Places(chart.X.Categories);
        else
            Powers(plot.Axes.Bottom, chart.X, chart.Series.SelectMany(series => series.Points).Select(point => point.X));
        Powers(plot.Axes.Left, chart.Y, chart.Series.SelectMany(series => series.Points).Select(point => point.Y));
    }

    /// <summary>One tick a power of ten, named as what it stands for; a linear axis keeps its own ticks, with the unit.</summary>
    private static void Powers(IAxis axis, Axis shown, IEnumerable<double> figures)
    {
        if (shown.Scale == AxisScale.Linear)
            axis.TickGenerator = new NumericAutomatic { LabelFormatter = figure => Format.Short(shown.Quantity, figure) };
        double[] lengths = [.. figures.Where(figure => figure > 0).Select(figure => Length(shown, figure))];
        if (shown.Scale is not (AxisScale.Log or AxisScale.Nines) || lengths.Length == 0)
            return;
        var first = (int)Math.Floor(lengths.Min());
        double[] powers = [.. Enumerable.Range(first, (int)Math.Ceiling(lengths.Max()) - first + 1).Select(power => (double)power)];
        axis.TickGenerator = new NumericManual(powers, [.. powers.Select(power => Format.Short(shown.Quantity, Math.Pow(10, power)))]);
    }

    /// <summary>Rows count from the top.</summary>
    private static double Row(Chart chart, int row) => chart.X.Categories.Count - 1 - row;

    private static double Length(Axis axis, double figure) =>
        axis.Scale is AxisScale.Log or AxisScale.Nines ? Math.Log10(Math.Max(figure, double.Epsilon)) : figure;
}
