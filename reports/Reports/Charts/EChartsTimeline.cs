using System.Text.Json.Nodes;
using Bench.Measure.Records;
using Bench.Reports.Content;

namespace Bench.Reports.Charts;

/// <summary>
/// A timeline as an ECharts option: two panels and the lanes of the events, one below the other over the same seconds.
/// </summary>
internal static class EChartsTimeline
{
    private const int Left = 78;
    private const int Right = 24;
    private const int PanelPixels = 92;
    private const int HeadPixels = 22;
    private const int LanePixels = 18;
    private const int LanesTop = 2 * (HeadPixels + PanelPixels) + 14;

    /// <summary>More lines through the panels would hide what they point at.</summary>
    private const int MostRules = 24;

    public static int HeightPixels(Chart chart) => LanesTop + Lanes(chart).Length * LanePixels + 44;

    public static JsonObject Option(Chart chart)
    {
        var lanes = Lanes(chart);
        JsonObject[] grids = [Grid(HeadPixels, PanelPixels), Grid(2 * HeadPixels + PanelPixels, PanelPixels), Grid(LanesTop, Math.Max(1, lanes.Length * LanePixels))];
        JsonObject[] xAxes = [.. grids.Select((_, panel) => SecondsAxis(chart, panel, shown: panel == grids.Length - 1))];
        JsonObject[] yAxes = [PanelAxis(chart, chart.Y, 0), PanelAxis(chart, chart.LowerY ?? chart.Y, 1), LaneAxis(lanes)];
        return new JsonObject
        {
            ["bench"] = new JsonObject { ["x"] = EChartsOptions.Name(chart.X.Quantity), ["y"] = EChartsOptions.Name(chart.Y.Quantity) },
            ["animation"] = false,
            ["grid"] = new JsonArray([.. grids]),
            ["xAxis"] = new JsonArray([.. xAxes]),
            ["yAxis"] = new JsonArray([.. yAxes]),
            ["series"] = new JsonArray([.. chart.Series.Select(series => Steps(chart, series)), .. lanes.Length == 0 ? (JsonNode[])[] : [Events(chart, lanes)]]),
        };
    }

    private static string[] Lanes(Chart chart) => [.. chart.Events.Select(made => made.Kind).Distinct()];

    private static JsonObject Grid(int top, int height) =>
        new() { ["left"] = Left, ["right"] = Right, ["top"] = top, ["height"] = height, ["outerBoundsMode"] = "none" };

    private static JsonObject SecondsAxis(Chart chart, int panel, bool shown)
    {
        var node = EChartsOptions.ValueAxis(chart.X, named: shown, []);
        node["gridIndex"] = panel;
        // Its last tick is where the pass ended, which is no round figure and would stand on its neighbour.
        node["axisLabel"] = new JsonObject { ["show"] = shown, ["hideOverlap"] = true, ["showMaxLabel"] = false, ["margin"] = 8 };
        return node;
    }

    private static JsonObject PanelAxis(Chart chart, Axis axis, int panel)
    {
        var node = EChartsOptions.ValueAxis(axis, named: false, chart.Series.Where(series => series.Panel == panel).SelectMany(series => series.Points).Select(point => point.Y));
        node["gridIndex"] = panel;
        node["unit"] = EChartsOptions.Name(axis.Quantity);
        node["splitNumber"] = 3;
        node["name"] = axis.Name;
        node["nameLocation"] = "end";
        node["nameGap"] = 8;
        node["nameTextStyle"] = new JsonObject { ["align"] = "left" };
        return node;
    }

    private static JsonObject LaneAxis(string[] lanes) => new()
    {
        ["gridIndex"] = 2,
        ["type"] = "category",
        ["inverse"] = true,
        ["data"] = new JsonArray([.. lanes.Select(name => (JsonNode)name)]),
        ["axisLabel"] = new JsonObject { ["interval"] = 0, ["margin"] = 10, ["width"] = Left - 14, ["overflow"] = "truncate" },
        ["axisTick"] = new JsonObject { ["show"] = false },
        ["axisLine"] = new JsonObject { ["show"] = false },
        ["splitLine"] = new JsonObject { ["show"] = false },
    };

    /// <summary>A figure holds for its whole interval, so it is a step, not a slope to the next.</summary>
    private static JsonObject Steps(Chart chart, Series series)
    {
        var spacing = Spacing(chart, series);
        var data = new JsonArray();
        for (var index = 0; index < series.Points.Count; index++)
        {
            var point = series.Points[index];
            data.Add(Pair(point.X, point.Y));
            var next = index + 1 < series.Points.Count ? series.Points[index + 1].X : chart.X.Max ?? point.X;
            // Where an interval has no figure the line ends with the one before it.
            var own = Math.Min(point.X + spacing, next);
            if (next - own > spacing / 2 || index == series.Points.Count - 1)
                data.Add(Pair(index == series.Points.Count - 1 && next - own <= spacing ? next : own, point.Y));
            if (next - own > spacing / 2 && index + 1 < series.Points.Count)
                data.Add(new JsonArray(EChartsOptions.Rounded(own), "-"));
        }
        var bench = new JsonObject { ["color"] = series.Color, ["dash"] = new JsonArray([.. Marks.Dash(series.Variant).Select(length => (JsonNode)length)]) };
        if (series.Points.Any(point => point.Verdict == Verdict.Contradicted))
            bench["verdict"] = VerdictWords.Class(Verdict.Contradicted);
        return new JsonObject
        {
            ["type"] = "line",
            ["name"] = series.Name,
            ["bench"] = bench,
            ["xAxisIndex"] = series.Panel,
            ["yAxisIndex"] = series.Panel,
            ["step"] = "end",
            ["showSymbol"] = false,
            ["silent"] = true,
            ["data"] = data,
        };
    }

    private static JsonObject Events(Chart chart, string[] lanes) => new()
    {
        ["type"] = "custom",
        ["name"] = "events",
        ["bench"] = new JsonObject { ["event"] = true, ["color"] = 2, ["top"] = HeadPixels, ["rules"] = RuledLane(chart, lanes) },
        ["xAxisIndex"] = 2,
        ["yAxisIndex"] = 2,
        ["encode"] = new JsonObject { ["x"] = new JsonArray(0, 2), ["y"] = 1 },
        ["data"] = new JsonArray([.. chart.Events.Select(made => (JsonNode)new JsonObject
        {
            ["value"] = new JsonArray(EChartsOptions.Rounded(made.Start), Array.IndexOf(lanes, made.Kind), EChartsOptions.Rounded(Math.Min(made.Start + made.Length, chart.X.Max ?? double.MaxValue))),
            ["tip"] = made.Text,
        })]),
    };

    /// <summary>The lane whose events are drawn up through the panels: rolls, if they are few. −1 is none.</summary>
    private static int RuledLane(Chart chart, string[] lanes)
    {
        var lane = Array.IndexOf(lanes, "roll");
        return lane >= 0 && chart.Events.Count(made => made.Kind == lanes[lane]) <= MostRules ? lane : -1;
    }

    /// <summary>The length of an interval: latencies have gaps, the throughput of the same run has none.</summary>
    private static double Spacing(Chart chart, Series of)
    {
        Series[] upper = [.. chart.Series.Where(series => series.Panel == 0)];
        var points = (Array.Find(upper, series => series.Name == of.Name) ?? upper[0]).Points;
        return points.Count > 1 ? points[1].X - points[0].X : chart.X.Max ?? 1;
    }

    private static JsonArray Pair(double x, double y) => new(EChartsOptions.Rounded(x), EChartsOptions.Rounded(y));
}
