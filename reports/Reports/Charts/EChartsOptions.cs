using System.Text.Json;
using System.Text.Json.Nodes;
using Bench.Measure.Records;
using Bench.Reports.Content;

namespace Bench.Reports.Charts;

/// <summary>
/// A chart as an ECharts option, as far as JSON can say it. Under <c>bench</c>, at the top and in each series, stands
/// what the page's script completes: the theme's colour by number, the unit of the ticks, and which custom drawing a
/// series needs. Every text that a reader can see is written here, so that figures are formatted in one place.
/// </summary>
public static class EChartsOptions
{
    private const string BarGap = "8%";
    private const string BarCategoryGap = "30%";
    private const int BarPixels = 14;
    private const int RowPixels = 44;
    private const int ReferencePixels = 12;
    private const int CellPixels = 38;

    /// <summary>How far the points of neighbouring series stand apart, as a share of a category: whiskers stay readable.</summary>
    private const double DodgeStep = 0.035;

    /// <summary>The height in pixels that the chart wants: bars grow with their rows.</summary>
    public static int HeightPixels(Chart chart) => chart.Kind switch
    {
        ChartKind.Bars or ChartKind.StackedBars => 48 + chart.X.Categories.Count
            * (RowPixels + (chart.References.Count > 0 ? ReferencePixels : 0) + (BarPixels + 1) * (BarsPerRow(chart) - 1)),
        ChartKind.HeatMap => 48 + CellPixels * chart.Series.Count,
        ChartKind.Timeline => EChartsTimeline.HeightPixels(chart),
        ChartKind.Forest or ChartKind.Points => EChartsBand.HeightPixels(chart),
        ChartKind.Percentiles or ChartKind.Scatter => 300,
        _ => 250,
    };

    /// <summary>
    /// The option as JSON, safe inside a script element: the default encoder writes &lt;, &gt;, &amp; and quotes as
    /// \u003C …, so nothing in it can end one.
    /// </summary>
    public static string Render(Chart chart) => (chart.Kind switch
    {
        ChartKind.HeatMap => HeatMap(chart),
        ChartKind.Timeline => EChartsTimeline.Option(chart),
        ChartKind.Forest => EChartsBand.Forest(chart),
        ChartKind.Points => EChartsBand.Points(chart),
        _ => Plain(chart),
    }).ToJsonString();

    private static JsonObject Plain(Chart chart)
    {
        var rows = chart.Kind is ChartKind.Bars or ChartKind.StackedBars;
        var along = rows ? ValueAxis(chart, chart.Y, named: true) : chart.X.Scale == AxisScale.Category ? PlaceAxis(chart.X) : ValueAxis(chart, chart.X, named: true);
        // Rows begin at the chart's edge, which would cut the first tick's text.
        if (rows)
            along["axisLabel"]!["alignMinLabel"] = "left";
        return new JsonObject
        {
            ["bench"] = new JsonObject { ["x"] = Name((rows ? chart.Y : chart.X).Quantity), ["y"] = Name((rows ? chart.X : chart.Y).Quantity) },
            ["animation"] = false,
            ["grid"] = rows
                ? new JsonObject { ["left"] = 4, ["right"] = 96, ["top"] = 4, ["bottom"] = 44, ["outerBoundsMode"] = "none" }
                : new JsonObject { ["left"] = 4, ["right"] = chart.Kind switch { ChartKind.Percentiles => 34, ChartKind.Scatter => 24, _ => 8 }, ["top"] = 12, ["bottom"] = 36 },
            ["xAxis"] = along,
            // The name of an upright axis stands in the caption, where it can be read without turning the head.
            ["yAxis"] = rows ? RowAxis(chart) : ValueAxis(chart, chart.Y, named: false),
            ["series"] = new JsonArray([.. AllSeries(chart)]),
        };
    }

    /// <summary>Drawn by the page's script, cell by cell: the colours are the theme's, and a contradicted cell is hatched.</summary>
    private static JsonObject HeatMap(Chart chart) => new()
    {
        ["bench"] = new JsonObject { ["x"] = Name(chart.X.Quantity), ["y"] = Name(chart.Y.Quantity) },
        ["animation"] = false,
        ["grid"] = new JsonObject { ["left"] = 4, ["right"] = 4, ["top"] = 4, ["bottom"] = 36 },
        ["xAxis"] = new JsonObject
        {
            ["type"] = "category",
            ["data"] = new JsonArray([.. chart.X.Categories.Select(name => (JsonNode)name)]),
            ["name"] = chart.X.Name,
            ["nameLocation"] = "middle",
            ["nameGap"] = 28,
            ["axisLabel"] = new JsonObject { ["interval"] = 0 },
            ["axisTick"] = new JsonObject { ["show"] = false },
            ["axisLine"] = new JsonObject { ["show"] = false },
        },
        ["yAxis"] = new JsonObject
        {
            ["type"] = "category",
            ["inverse"] = true,
            ["data"] = new JsonArray([.. chart.Series.Select(series => (JsonNode)series.Name)]),
            ["axisLabel"] = new JsonObject { ["interval"] = 0 },
            ["axisTick"] = new JsonObject { ["show"] = false },
            ["axisLine"] = new JsonObject { ["show"] = false },
            ["splitLine"] = new JsonObject { ["show"] = false },
        },
        ["series"] = new JsonArray(new JsonObject
        {
            ["type"] = "custom",
            ["name"] = chart.Y.Name,
            ["bench"] = new JsonObject { ["heat"] = true, ["color"] = chart.Series.Select(series => series.Color).FirstOrDefault() },
            ["encode"] = new JsonObject { ["x"] = 0, ["y"] = 1 },
            ["data"] = new JsonArray([.. chart.Series.SelectMany((series, row) => series.Points.Select(point => (JsonNode)Cell(chart, series, row, point)))]),
        }),
    };

    private static JsonObject Cell(Chart chart, Series series, int row, ChartPoint point)
    {
        var cell = new JsonObject
        {
            ["value"] = new JsonArray(point.X, row, Rounded(point.Y)),
            ["heat"] = Math.Round(Heat(chart.Y, point.Y), 4),
            ["text"] = Mark(point) + Format.Short(chart.Y.Quantity, point.Y),
            ["tip"] = Tip(chart, series, point),
        };
        if (point.Verdict != Verdict.Proven)
            cell["verdict"] = VerdictWords.Class(point.Verdict);
        return cell;
    }

    /// <summary>How much of the colour a figure has, 0 to 1: even from zero, or by powers from the lowest that is not zero.</summary>
    /// <param name="axis">The axis of the figure, with its ends.</param>
    /// <param name="figure">The figure.</param>
    public static double Heat(Axis axis, double figure)
    {
        var (low, high) = (axis.Min ?? 0, axis.Max ?? figure);
        if (high <= 0 || figure <= 0)
            return 0;
        if (axis.Scale != AxisScale.Log)
            return Math.Clamp(figure / high, 0, 1);
        // The lowest figure is not the same as nothing: a tenth is left for zero.
        return high <= low ? 1 : Math.Clamp(0.1 + 0.9 * Math.Log(figure / low) / Math.Log(high / low), 0, 1);
    }

    private static string Mark(ChartPoint point) => point.Verdict switch { Verdict.Contradicted => "✗ ", Verdict.Unproven => "? ", _ => "" };

    private static int BarsPerRow(Chart chart) => chart.Kind == ChartKind.Bars && !chart.HasOneBarPerRow ? chart.Series.Count : 1;

    /// <summary>
    /// Named places on a number line, a half to each side: the points of a category can stand beside each other,
    /// which a category axis does not allow.
    /// </summary>
    private static JsonObject PlaceAxis(Axis axis)
    {
        JsonArray places = [.. Enumerable.Range(0, axis.Categories.Count).Select(place => (JsonNode)place)];
        return new JsonObject
        {
            ["type"] = "value",
            ["name"] = axis.Name,
            ["nameLocation"] = "middle",
            ["nameGap"] = 28,
            ["min"] = -0.5,
            ["max"] = axis.Categories.Count - 0.5,
            ["bench"] = new JsonArray([.. axis.Categories.Select(name => (JsonNode)name)]),
            ["axisLabel"] = new JsonObject { ["customValues"] = places, ["interval"] = 0 },
            ["axisTick"] = new JsonObject { ["show"] = false },
            ["splitLine"] = new JsonObject { ["show"] = false },
        };
    }

    /// <summary>Categories as rows, each named above its bar: long names need no column of their own.</summary>
    private static JsonObject RowAxis(Chart chart) => RowAxis(chart.X, (BarPixels + 1) * BarsPerRow(chart) / 2 + 6);

    /// <param name="axis">The rows.</param>
    /// <param name="abovePixels">How far above the middle of its row a name stands.</param>
    internal static JsonObject RowAxis(Axis axis, int abovePixels) => new()
    {
        ["type"] = "category",
        ["inverse"] = true,
        ["data"] = new JsonArray([.. axis.Categories.Select(name => (JsonNode)name)]),
        ["axisLabel"] = new JsonObject
        {
            ["interval"] = 0,
            ["inside"] = true,
            ["align"] = "left",
            ["verticalAlign"] = "bottom",
            ["margin"] = 0,
            ["padding"] = new JsonArray(0, 0, abovePixels, 0),
        },
        ["z"] = 10,
        ["axisTick"] = new JsonObject { ["show"] = false },
        ["splitLine"] = new JsonObject { ["show"] = false },
    };

    private static JsonObject ValueAxis(Chart chart, Axis axis, bool named)
    {
        var points = chart.Series.SelectMany(series => series.Points);
        return ValueAxis(axis, named, ReferenceEquals(axis, chart.X) ? points.Select(point => point.X)
            : points.SelectMany(point => new[] { point.Y, point.Low ?? point.Y, point.High ?? point.Y })
                .Concat(chart.References.Select(reference => reference.Y)));
    }

    internal static JsonObject ValueAxis(Axis axis, bool named, IEnumerable<double> shown)
    {
        var node = new JsonObject
        {
            ["type"] = axis.Scale is AxisScale.Log or AxisScale.Nines ? "log" : "value",
            ["axisLabel"] = new JsonObject { ["hideOverlap"] = true, ["margin"] = 10 },
            ["axisTick"] = new JsonObject { ["show"] = false },
            ["axisLine"] = new JsonObject { ["show"] = false },
            ["splitNumber"] = 5,
        };
        if (named)
        {
            node["name"] = axis.Name;
            node["nameLocation"] = "middle";
            node["nameGap"] = 30;
        }
        if (axis.Min is { } min)
            node["min"] = min;
        if (axis.Max is { } max)
            node["max"] = max;
        if (axis.Scale is AxisScale.Log or AxisScale.Nines)
            Decades(axis, node, [.. shown.Where(figure => figure > 0)]);
        return node;
    }

    /// <summary>
    /// One line and one name for each power of ten, or every second or third of many. ECharts chooses even steps of
    /// the exponent itself, and over ten decades its step is ten.
    /// </summary>
    private static void Decades(Axis axis, JsonObject node, double[] figures)
    {
        if (figures.Length == 0)
            return;
        var first = (int)Math.Floor(Math.Log10(Math.Min(axis.Min ?? double.MaxValue, figures.Min())) + 1e-9);
        var last = Math.Max(first + 1, (int)Math.Ceiling(Math.Log10(figures.Max()) - 1e-9));
        var step = (last - first) switch { <= 8 => 1, <= 16 => 2, _ => 3 };
        var powers = Enumerable.Range(0, (last - first) / step + 1).Select(index => Math.Pow(10, first + index * step)).ToArray();
        node["min"] = Math.Pow(10, first);
        // Bars begin there. By itself ECharts lets them begin at 1: those of less than 100 % went to the left, over their figures.
        node["startValue"] = Math.Pow(10, first);
        node["max"] = Math.Pow(10, last);
        node["axisLabel"]!["customValues"] = new JsonArray([.. powers.Select(power => (JsonNode)power)]);
        node["axisTick"]!["customValues"] = new JsonArray([.. powers.Select(power => (JsonNode)power)]);
    }

    private static IEnumerable<JsonNode> AllSeries(Chart chart)
    {
        var bars = chart.Kind is ChartKind.Bars or ChartKind.StackedBars;
        for (var index = 0; index < chart.Series.Count; index++)
        {
            var series = chart.Series[index];
            var shift = chart.Kind == ChartKind.Lines ? DodgeStep * (index - (chart.Series.Count - 1) / 2.0) : 0;
            yield return bars ? Bar(chart, series) : chart.Kind == ChartKind.Scatter ? Scatter(chart, series, index) : Line(chart, series, shift);
            if (chart.Kind == ChartKind.Lines && series.Points.Any(point => point.Verdict == Verdict.Contradicted))
                yield return Apart(chart, series, shift);
            if (chart.Kind is ChartKind.Bars or ChartKind.Lines || (chart.Kind == ChartKind.StackedBars && index == chart.Series.Count - 1))
                yield return Whiskers(chart, series, index, shift);
        }
        if (chart.References.Count > 0)
            yield return References(chart);
    }

    private static JsonObject Bar(Chart chart, Series series) => new()
    {
        ["type"] = "bar",
        ["name"] = series.Name,
        ["stack"] = chart.Kind == ChartKind.StackedBars || chart.HasOneBarPerRow ? "all" : null,
        ["bench"] = new JsonObject { ["color"] = series.Color },
        ["barCategoryGap"] = BarCategoryGap,
        ["barGap"] = BarGap,
        ["barWidth"] = BarPixels,
        ["data"] = new JsonArray([.. series.Points.Select(point => Item(chart, series, point, point.Y, point.X))]),
    };

    /// <summary>The same for bars and for their whiskers, which have to find the bar's middle.</summary>
    private static JsonObject Layout => new() { ["barCategoryGap"] = BarCategoryGap, ["barGap"] = BarGap, ["barWidth"] = BarPixels };

    private static JsonObject Line(Chart chart, Series series, double shift) => new()
    {
        ["type"] = "line",
        ["name"] = series.Name,
        ["bench"] = new JsonObject { ["color"] = series.Color, ["dash"] = new JsonArray([.. Marks.Dash(series.Variant).Select(length => (JsonNode)length)]) },
        ["symbol"] = "path://" + Marks.Shape(series.Color),
        ["symbolSize"] = chart.Kind == ChartKind.Percentiles ? 6 : 9,
        ["showAllSymbol"] = chart.Kind == ChartKind.Lines,
        ["connectNulls"] = false,
        // A contradicted point is no part of the line: it stands apart, crossed out (see Apart).
        ["data"] = new JsonArray([.. series.Points.Select(point => point.Verdict == Verdict.Contradicted && chart.Kind == ChartKind.Lines
            ? new JsonObject { ["value"] = new JsonArray(Rounded(point.X + shift), "-") }
            // A percentile curve has many points; only the whole nines and the maximum are marked, and can be asked.
            : chart.Kind == ChartKind.Percentiles && !IsDecade(point.X) && point != series.Points[^1] ? (JsonNode)new JsonArray(Rounded(point.X), Rounded(point.Y))
            : Item(chart, series, point, point.X + shift, point.Y))]),
    };

    /// <summary>Points that nothing joins; the page's script places their names, and one that would lie over another or over a point is left to the tip.</summary>
    /// <param name="chart">The chart.</param>
    /// <param name="series">The series.</param>
    /// <param name="place">Its place in the legend: what is named first lies on top.</param>
    private static JsonObject Scatter(Chart chart, Series series, int place) => new()
    {
        ["type"] = "scatter",
        ["name"] = series.Name,
        ["bench"] = new JsonObject { ["color"] = series.Color },
        ["symbol"] = "path://" + Marks.Shape(series.Mark ?? series.Color),
        ["symbolSize"] = 11,
        ["z"] = 20 - place,
        ["label"] = new JsonObject { ["show"] = !series.Unnamed, ["position"] = "right", ["formatter"] = "{b}" },
        ["data"] = new JsonArray([.. series.Points.Select(point =>
        {
            var item = Item(chart, series, point, point.X, point.Y);
            item["name"] = point.Name ?? "";
            if (point.IsForemost)
                item["foremost"] = true;
            return (JsonNode)item;
        })]),
    };

    private static JsonObject Apart(Chart chart, Series series, double shift) => new()
    {
        ["type"] = "scatter",
        ["name"] = series.Name,
        ["bench"] = new JsonObject { ["color"] = series.Color },
        ["data"] = new JsonArray([.. series.Points
            .Where(point => point.Verdict == Verdict.Contradicted)
            .Select(point => Item(chart, series, point, point.X + shift, point.Y))]),
    };

    private static JsonObject Whiskers(Chart chart, Series series, int index, double shift)
    {
        var bars = chart.Kind is ChartKind.Bars or ChartKind.StackedBars;
        var stacked = chart.Kind == ChartKind.StackedBars;
        var bench = new JsonObject { ["color"] = series.Color, ["rows"] = bars, ["overBar"] = bars };
        if (bars)
        {
            bench["count"] = BarsPerRow(chart);
            bench["index"] = BarsPerRow(chart) == 1 ? 0 : index;
            bench["layout"] = Layout;
        }
        var points = bars ? series.Points : [.. series.Points.Where(point => point.Low is not null)];
        return new JsonObject
        {
            ["type"] = "custom",
            // In a stack the whisker is the total's: it stays when a part is hidden.
            ["name"] = stacked ? "together" : series.Name,
            ["bench"] = bench,
            ["silent"] = true,
            ["z"] = 5,
            ["encode"] = bars
                ? new JsonObject { ["x"] = new JsonArray(1, 2, 3), ["y"] = 0 }
                : new JsonObject { ["x"] = 0, ["y"] = new JsonArray(1, 2, 3) },
            ["data"] = new JsonArray([.. points.Select(point =>
            {
                var total = stacked ? chart.Series.Sum(each => each.Points.First(other => other.X == point.X).Y) : point.Y;
                var item = new JsonObject { ["value"] = new JsonArray(Rounded(point.X + shift), Rounded(total), point.Low is { } low ? Rounded(low) : "-", point.High is { } high ? Rounded(high) : "-") };
                if (bars)
                    item["text"] = Mark(point) + Label(chart, point, total);
                return (JsonNode)item;
            })]),
        };
    }

    /// <summary>The figure at the end of a bar; of a spread, both its ends.</summary>
    private static string Label(Chart chart, ChartPoint point, double figure) =>
        point.Low == figure ? Format.Interval(chart.Y.Quantity, point.Low, point.High) : Format.Short(chart.Y.Quantity, figure);

    private static JsonObject References(Chart chart) => new()
    {
        ["type"] = "custom",
        ["name"] = "reference",
        ["bench"] = new JsonObject { ["reference"] = true, ["color"] = 0 },
        ["z"] = 6,
        ["encode"] = new JsonObject { ["x"] = 1, ["y"] = 0 },
        ["data"] = new JsonArray([.. chart.References.Select(reference => (JsonNode)new JsonObject
        {
            ["value"] = new JsonArray(reference.X, reference.Y),
            ["text"] = $"{reference.Text} {Format.Scaled(reference.Y)}",
            // Two on one row: the lower one's text goes left, the higher one's right, so that they never meet.
            ["side"] = chart.References.Any(other => other.X == reference.X && other.Y < reference.Y) ? "right" : "left",
            ["tip"] = $"{reference.Text}: {Format.Value(chart.Y.Quantity, reference.Y)}",
        })]),
    };

    private static JsonObject Item(Chart chart, Series series, ChartPoint point, double first, double second)
    {
        var item = new JsonObject { ["value"] = new JsonArray(Rounded(first), Rounded(second)), ["tip"] = Tip(chart, series, point) };
        if (point.Verdict != Verdict.Proven)
            item["verdict"] = VerdictWords.Class(point.Verdict);
        return item;
    }

    /// <summary>Six digits are more than a pixel; what a reader sees of a figure is in texts that were made from all of them.</summary>
    internal static double Rounded(double value)
    {
        if (value == 0 || !double.IsFinite(value))
            return 0;
        var digits = 5 - (int)Math.Floor(Math.Log10(Math.Abs(value)));
        return digits >= 0 ? Math.Round(value, Math.Min(digits, 15)) : Math.Round(value / Math.Pow(10, -digits)) * Math.Pow(10, -digits);
    }

    private static bool IsDecade(double figure) => Math.Abs(Math.Log10(figure) - Math.Round(Math.Log10(figure))) < 1e-6;

    internal static string Tip(Chart chart, Series series, ChartPoint point)
    {
        if (chart.Kind == ChartKind.Scatter)
            return string.Join('\n', new[]
            {
                point.Name, series.Name, $"{chart.X.Name}: {Format.Value(chart.X.Quantity, point.X)}", $"{chart.Y.Name}: {Format.Value(chart.Y.Quantity, point.Y)}",
                VerdictWords.Marked(point.Verdict), point.Note,
            }.Where(line => line is { Length: > 0 }));
        var place = chart.X.Scale == AxisScale.Category ? chart.X.Categories[(int)point.X] : Format.Value(chart.X.Quantity, point.X);
        var lines = new List<string> { chart.Series.Count > 1 ? $"{series.Name}, {place}" : place, Format.Value(chart.Y.Quantity, point.Y) };
        if (point.Low is not null)
            lines.Add($"{chart.IntervalMeaning}: {Format.Interval(chart.Y.Quantity, point.Low, point.High)}");
        if (chart.Kind != ChartKind.Percentiles || point.Verdict != Verdict.Proven)
            lines.Add(VerdictWords.Marked(point.Verdict));
        if (point.Note is { } note)
            lines.Add(note);
        return string.Join('\n', lines);
    }

    internal static string Name(Quantity quantity) => JsonNamingPolicy.CamelCase.ConvertName(quantity.ToString());
}
