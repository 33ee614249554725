using System.Globalization;
using System.Text.Json.Nodes;

namespace Bench.Reports.Charts;

/// <summary>
/// Charts over a band of figures that do not matter: estimates as rows (a forest plot, as meta-analyses draw it) and
/// single points. The page's script draws band, whiskers and shapes; an interval that leaves the axis ends in an arrow,
/// so that one case without a useful interval does not squeeze all others.
/// </summary>
internal static class EChartsBand
{
    private const int RowPixels = 40;

    /// <summary>What the ticks of a ratio may be, for an axis that reaches so far to each side.</summary>
    private static readonly (double Reach, double[] Ticks)[] Ladders =
    [
        (1.035, [0.97, 0.98, 0.99, 1, 1.01, 1.02, 1.03]),
        (1.09, [0.92, 0.94, 0.96, 0.98, 1, 1.02, 1.04, 1.06, 1.08]),
        (1.18, [0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.15]),
        (1.35, [0.75, 0.8, 0.9, 1, 1.1, 1.2, 1.3]),
        (1.8, [0.6, 0.8, 1, 1.2, 1.4, 1.6]),
        (2.6, [0.4, 0.5, 0.7, 1, 1.4, 2, 2.5]),
        (6, [0.2, 0.3, 0.5, 0.7, 1, 1.4, 2, 3, 5]),
        (25, [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20]),
    ];

    public static int HeightPixels(Chart chart) => chart.Kind == ChartKind.Forest ? 48 + RowPixels * chart.X.Categories.Count : 200;

    public static JsonObject Forest(Chart chart)
    {
        var axis = RatioAxis(chart.Y, chart, named: true);
        axis["axisLabel"]!["alignMinLabel"] = "left";
        var places = EChartsOptions.RowAxis(chart.X, abovePixels: 9);
        places["splitLine"] = new JsonObject { ["show"] = true, ["interval"] = 0 };
        return new JsonObject
        {
            ["bench"] = new JsonObject { ["x"] = EChartsOptions.Name(chart.Y.Quantity), ["y"] = EChartsOptions.Name(chart.X.Quantity), ["forest"] = true },
            ["animation"] = false,
            ["grid"] = new JsonObject { ["left"] = 4, ["right"] = 66, ["top"] = 4, ["bottom"] = 44, ["outerBoundsMode"] = "none" },
            ["xAxis"] = axis,
            ["yAxis"] = places,
            ["series"] = new JsonArray([BandSeries(chart, rows: true), .. chart.Series.Select(series => (JsonNode)Estimates(chart, series))]),
        };
    }

    public static JsonObject Points(Chart chart)
    {
        var last = chart.Series.SelectMany(series => series.Points).Select(point => point.X).DefaultIfEmpty(1).Max();
        return new JsonObject
        {
            ["bench"] = new JsonObject { ["x"] = EChartsOptions.Name(chart.X.Quantity), ["y"] = EChartsOptions.Name(chart.Y.Quantity) },
            ["animation"] = false,
            ["grid"] = new JsonObject { ["left"] = 4, ["right"] = 8, ["top"] = 8, ["bottom"] = 36 },
            ["xAxis"] = new JsonObject
            {
                ["type"] = "value",
                ["name"] = chart.X.Name,
                ["nameLocation"] = "middle",
                ["nameGap"] = 28,
                ["min"] = 0,
                ["max"] = last + 1,
                ["minInterval"] = 1,
                ["axisLabel"] = new JsonObject { ["hideOverlap"] = true, ["showMinLabel"] = false, ["showMaxLabel"] = false },
                ["axisTick"] = new JsonObject { ["show"] = false },
                ["splitLine"] = new JsonObject { ["show"] = false },
            },
            ["yAxis"] = RatioAxis(chart.Y, chart, named: false),
            ["series"] = new JsonArray([BandSeries(chart, rows: false), .. chart.Series.Select(series => (JsonNode)Scatter(chart, series))]),
        };
    }

    /// <summary>As far as estimates and band reach and somewhat further; whiskers may leave it.</summary>
    internal static (double Min, double Max) Range(Chart chart)
    {
        double[] shown = [.. chart.Series.SelectMany(series => series.Points).Select(point => point.Y), .. chart.Band is { } band ? new[] { band.Low, band.High, band.Line, band.Estimate ?? band.Line } : []];
        var (low, high) = (Math.Log(shown.Min()), Math.Log(shown.Max()));
        // Whiskers count as far as a half more than all estimates together.
        var spare = 0.5 * Math.Max(high - low, 0.02);
        var ends = chart.Series.SelectMany(series => series.Points).SelectMany(point => new[] { point.Low, point.High }).OfType<double>().Where(end => end > 0).Select(end => Math.Log(end)).ToArray();
        low = Math.Max(low - spare, ends.Append(low).Min());
        high = Math.Min(high + spare, ends.Append(high).Max());
        var margin = 0.04 * (high - low);
        return (Math.Exp(low - margin), Math.Exp(high + margin));
    }

    private static JsonObject RatioAxis(Axis axis, Chart chart, bool named)
    {
        var (min, max) = Range(chart);
        var reach = Math.Max(max, 1 / min);
        var ladder = Ladders.FirstOrDefault(step => reach <= step.Reach).Ticks
            ?? [.. Enumerable.Range(-12, 25).Select(power => Math.Pow(10, power))];
        double[] ticks = [.. ladder.Where(tick => tick >= min && tick <= max)];
        var node = EChartsOptions.ValueAxis(axis with { Min = null, Max = null, Scale = AxisScale.Linear }, named, []);
        node["type"] = "log";
        node["min"] = EChartsOptions.Rounded(min);
        node["max"] = EChartsOptions.Rounded(max);
        node["axisLabel"]!["customValues"] = new JsonArray([.. ticks.Select(tick => (JsonNode)tick)]);
        node["axisTick"]!["customValues"] = new JsonArray([.. ticks.Select(tick => (JsonNode)tick)]);
        return node;
    }

    private static JsonObject BandSeries(Chart chart, bool rows)
    {
        var band = chart.Band ?? throw new InvalidOperationException($"the chart {chart.Id} has no band");
        return new JsonObject
        {
            ["type"] = "custom",
            ["name"] = band.Text,
            ["bench"] = new JsonObject { ["band"] = true, ["rows"] = rows, ["color"] = 6 },
            ["silent"] = true,
            ["z"] = 1,
            ["encode"] = rows ? new JsonObject { ["x"] = new JsonArray(0, 1) } : new JsonObject { ["y"] = new JsonArray(0, 1) },
            ["data"] = new JsonArray(new JsonObject
            {
                ["value"] = new JsonArray(EChartsOptions.Rounded(band.Low), EChartsOptions.Rounded(band.High), band.Line, band.Estimate is { } estimate ? EChartsOptions.Rounded(estimate) : "-"),
            }),
        };
    }

    private static JsonObject Estimates(Chart chart, Series series) => new()
    {
        ["type"] = "custom",
        ["name"] = series.Name,
        ["bench"] = new JsonObject { ["forest"] = true, ["color"] = series.Color, ["mark"] = Marks.Shape(series.Mark ?? series.Color), ["hollow"] = series.Hollow },
        ["z"] = 5,
        ["encode"] = new JsonObject { ["x"] = new JsonArray(1, 2, 3), ["y"] = 0 },
        ["data"] = new JsonArray([.. series.Points.Select(point => (JsonNode)new JsonObject
        {
            ["value"] = new JsonArray(point.X, EChartsOptions.Rounded(point.Y), End(point.Low), End(point.High)),
            ["text"] = Format.Short(chart.Y.Quantity, point.Y),
            ["tip"] = EChartsOptions.Tip(chart, series, point),
        })]),
    };

    private static JsonNode End(double? figure) => figure is { } value && double.IsFinite(value) ? EChartsOptions.Rounded(value) : "-";

    private static JsonObject Scatter(Chart chart, Series series) => new()
    {
        ["type"] = "scatter",
        ["name"] = series.Name,
        ["bench"] = new JsonObject { ["color"] = series.Color, ["hollow"] = series.Hollow },
        ["symbol"] = "path://" + Marks.Shape(series.Mark ?? series.Color),
        ["symbolSize"] = 9,
        ["z"] = 5,
        ["data"] = new JsonArray([.. series.Points.Select(point => (JsonNode)new JsonObject
        {
            ["value"] = new JsonArray(point.X, EChartsOptions.Rounded(point.Y)),
            ["tip"] = string.Create(CultureInfo.InvariantCulture, $"{chart.X.Name} {point.X}, {series.Name}\n{Format.Value(chart.Y.Quantity, point.Y)}{(point.Note is { } note ? "\n" + note : "")}"),
        })]),
    };
}
