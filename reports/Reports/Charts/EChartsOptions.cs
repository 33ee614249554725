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
    private const string BarCategoryGap = "46%";
    private const string BarGap = "8%";
    private const int BarMaxPixels = 14;
    private const int RowPixels = 40;
    private const int RowWithReferencePixels = 52;

    /// <summary>The height in pixels that the chart wants: bars grow with their rows.</summary>
    public static int HeightPixels(Chart chart) => chart.Kind switch
    {
        ChartKind.Bars or ChartKind.StackedBars =>
            76 + chart.X.Categories.Count * (chart.References.Count > 0 ? RowWithReferencePixels
                : RowPixels + 13 * (chart.Kind == ChartKind.Bars ? Math.Max(0, chart.Series.Count - 1) : 0)),
        ChartKind.Percentiles => 340,
        _ => 300,
    };

    /// <summary>The option as JSON, safe inside a script element.</summary>
    public static string Render(Chart chart)
    {
        var rows = chart.Kind is ChartKind.Bars or ChartKind.StackedBars;
        var option = new JsonObject
        {
            ["bench"] = new JsonObject { ["x"] = Name((rows ? chart.Y : chart.X).Quantity), ["y"] = Name((rows ? chart.X : chart.Y).Quantity) },
            ["animation"] = false,
            ["grid"] = rows
                ? new JsonObject { ["left"] = 4, ["right"] = 84, ["top"] = chart.Series.Count > 1 ? 34 : 8, ["bottom"] = 44, ["outerBoundsMode"] = "none" }
                : new JsonObject { ["left"] = 8, ["right"] = 24, ["top"] = LegendPixels(chart), ["bottom"] = 34 },
            ["legend"] = Legend(chart),
            ["xAxis"] = rows ? ValueAxis(chart.Y, vertical: false) : chart.X.Scale == AxisScale.Category ? CategoryAxis(chart.X) : ValueAxis(chart.X, vertical: false),
            ["yAxis"] = rows ? RowAxis(chart.X) : ValueAxis(chart.Y, vertical: true),
            ["series"] = new JsonArray([.. AllSeries(chart)]),
        };
        // The default encoder writes <, >, & and quotes as \u003C …: nothing in it can end a script element.
        return option.ToJsonString();
    }

    private static double LegendPixels(Chart chart) => chart.Series.Count > 1 ? 30 + 22 * ((chart.Series.Count - 1) / 3) + 14 : 26;

    private static JsonObject Legend(Chart chart) => new()
    {
        ["show"] = chart.Series.Count > 1,
        ["left"] = 0,
        ["top"] = 0,
        ["itemWidth"] = chart.Kind is ChartKind.Bars or ChartKind.StackedBars ? 14 : 26,
        ["itemHeight"] = 10,
        ["itemGap"] = 14,
        ["data"] = new JsonArray([.. chart.Series.Select(series => (JsonNode)series.Name)]),
    };

    private static JsonObject CategoryAxis(Axis axis) => new()
    {
        ["type"] = "category",
        ["name"] = axis.Name,
        ["nameLocation"] = "middle",
        ["nameGap"] = 28,
        ["data"] = new JsonArray([.. axis.Categories.Select(name => (JsonNode)name)]),
        ["axisLabel"] = new JsonObject { ["interval"] = 0 },
        ["axisTick"] = new JsonObject { ["show"] = false },
        ["splitLine"] = new JsonObject { ["show"] = false },
    };

    /// <summary>Categories as rows, each named above its bar: long names need no column of their own.</summary>
    private static JsonObject RowAxis(Axis axis) => new()
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
        },
        ["z"] = 10,
        ["axisTick"] = new JsonObject { ["show"] = false },
        ["splitLine"] = new JsonObject { ["show"] = false },
    };

    private static JsonObject ValueAxis(Axis axis, bool vertical)
    {
        var node = new JsonObject
        {
            ["type"] = axis.Scale is AxisScale.Log or AxisScale.Nines ? "log" : "value",
            ["name"] = axis.Name,
            ["nameLocation"] = vertical ? "end" : "middle",
            ["nameGap"] = vertical ? 12 : 28,
            ["axisLabel"] = new JsonObject { ["hideOverlap"] = true },
            ["axisTick"] = new JsonObject { ["show"] = false },
            ["splitNumber"] = 5,
        };
        if (vertical)
            node["nameTextStyle"] = new JsonObject { ["align"] = "left", ["padding"] = new JsonArray(0, 0, 0, -28) };
        if (axis.Min is { } min)
            node["min"] = min;
        return node;
    }

    private static IEnumerable<JsonNode> AllSeries(Chart chart)
    {
        var bars = chart.Kind is ChartKind.Bars or ChartKind.StackedBars;
        for (var index = 0; index < chart.Series.Count; index++)
        {
            var series = chart.Series[index];
            yield return bars ? Bar(chart, series) : Line(chart, series);
            if (!bars && series.Points.Any(point => point.Verdict == Verdict.Contradicted))
                yield return Apart(chart, series);
            if (chart.Kind is ChartKind.Bars or ChartKind.Lines || (chart.Kind == ChartKind.StackedBars && index == chart.Series.Count - 1))
                yield return Whiskers(chart, series, index);
        }
        if (chart.References.Count > 0)
            yield return References(chart);
    }

    private static JsonObject Bar(Chart chart, Series series) => new()
    {
        ["type"] = "bar",
        ["name"] = series.Name,
        ["stack"] = chart.Kind == ChartKind.StackedBars ? "all" : null,
        ["bench"] = new JsonObject { ["color"] = series.Color, ["variant"] = series.Variant },
        ["barCategoryGap"] = BarCategoryGap,
        ["barGap"] = BarGap,
        ["barMaxWidth"] = BarMaxPixels,
        ["data"] = new JsonArray([.. series.Points.Select(point => Item(chart, series, point, point.Y, point.X))]),
    };

    /// <summary>The same for bars and for their whiskers, which have to find the bar's middle.</summary>
    private static JsonObject Layout => new() { ["barCategoryGap"] = BarCategoryGap, ["barGap"] = BarGap, ["barMaxWidth"] = BarMaxPixels };

    private static JsonObject Line(Chart chart, Series series) => new()
    {
        ["type"] = "line",
        ["name"] = series.Name,
        ["bench"] = new JsonObject { ["color"] = series.Color, ["variant"] = series.Variant },
        ["symbolSize"] = chart.Kind == ChartKind.Percentiles ? 5 : 8,
        ["showAllSymbol"] = chart.Kind == ChartKind.Lines,
        ["connectNulls"] = false,
        // A contradicted point is no part of the line: it stands apart, crossed out (see Apart).
        ["data"] = new JsonArray([.. series.Points.Select(point => point.Verdict == Verdict.Contradicted && chart.Kind == ChartKind.Lines
            ? new JsonObject { ["value"] = new JsonArray(point.X, "-") }
            : Item(chart, series, point, point.X, point.Y))]),
    };

    private static JsonObject Apart(Chart chart, Series series) => new()
    {
        ["type"] = "scatter",
        ["name"] = series.Name,
        ["bench"] = new JsonObject { ["color"] = series.Color },
        ["data"] = new JsonArray([.. series.Points
            .Where((point, index) => point.Verdict == Verdict.Contradicted && (chart.Kind == ChartKind.Lines || index % 6 == 0))
            .Select(point => Item(chart, series, point, point.X, point.Y))]),
    };

    private static JsonObject Whiskers(Chart chart, Series series, int index)
    {
        var bars = chart.Kind is ChartKind.Bars or ChartKind.StackedBars;
        var stacked = chart.Kind == ChartKind.StackedBars;
        var bench = new JsonObject { ["color"] = series.Color, ["rows"] = bars, ["overBar"] = bars };
        if (bars)
        {
            bench["count"] = stacked ? 1 : chart.Series.Count;
            bench["index"] = stacked ? 0 : index;
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
                var item = new JsonObject { ["value"] = new JsonArray(point.X, total, point.Low is { } low ? low : "-", point.High is { } high ? high : "-") };
                if (bars)
                    item["text"] = point.Verdict switch
                    {
                        Verdict.Contradicted => "✗ " + Format.Value(chart.Y.Quantity, total),
                        Verdict.Unproven => "? " + Format.Value(chart.Y.Quantity, total),
                        _ => Format.Value(chart.Y.Quantity, total),
                    };
                return (JsonNode)item;
            })]),
        };
    }

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
        var item = new JsonObject { ["value"] = new JsonArray(first, second), ["tip"] = Tip(chart, series, point) };
        if (point.Verdict != Verdict.Proven)
            item["verdict"] = VerdictWords.Class(point.Verdict);
        return item;
    }

    private static string Tip(Chart chart, Series series, ChartPoint point)
    {
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

    private static string Name(Quantity quantity) => JsonNamingPolicy.CamelCase.ConvertName(quantity.ToString());
}
