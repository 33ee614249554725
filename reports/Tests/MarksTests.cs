using System.Text.Json;
using Bench.Measure.Records;
using Bench.Reports.Charts;
using Xunit;

namespace Bench.Reports.Tests;

/// <summary>What tells the series of a chart apart.</summary>
public class MarksTests
{
    [Fact]
    public void Eight_runs_have_a_dash_each() => Assert.Equal(8, Enumerable.Range(0, 8).Select(run => string.Join(' ', Marks.Dash(run))).Distinct().Count());

    [Fact]
    public void As_many_series_as_a_chart_ever_has_differ_in_colour_or_shape()
    {
        const int many = 49;
        var chart = new Chart
        {
            Id = "many", Title = "Many", Finding = "", Kind = ChartKind.Lines,
            X = new Axis("Block size", Quantity.Number, AxisScale.Category) { Categories = ["4 KiB"] },
            Y = new Axis("Throughput", Quantity.BytesPerSecond, AxisScale.Linear),
            Series = [.. Enumerable.Range(0, many).Select(number => new Series($"series {number}", [new ChartPoint(0, number + 1, Verdict.Proven)]) { Color = number })],
        };
        using var option = JsonDocument.Parse(EChartsOptions.Render(chart));
        var looks = option.RootElement.GetProperty("series").EnumerateArray().Where(series => series.GetProperty("type").GetString() == "line")
            .Select(series => (series.GetProperty("bench").GetProperty("color").GetInt32() % Marks.Colors, series.GetProperty("symbol").GetString())).ToArray();
        Assert.Equal(many, looks.Length);
        Assert.Equal(many, looks.Distinct().Count());
    }
}
