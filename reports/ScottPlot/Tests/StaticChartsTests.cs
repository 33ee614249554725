using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Bench.Measure.Records;
using Bench.Reports.Charts;
using Bench.Reports.Gate;
using Bench.Reports.Html;
using Bench.Reports.Tests;
using Bench.TestSupport;
using ScottPlot;
using SkiaSharp;
using Xunit;

namespace Bench.Reports.StaticImages.Tests;

/// <summary>Every chart of a report as pictures: drawn for real, decoded, and looked into.</summary>
public sealed partial class StaticChartsTests : IDisposable
{
    private static readonly IReadOnlyList<RunRecord> Sample = [.. new SampleRecords().Everything()];
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>Of one run, of several, and of a gate, so that no kind of chart is left out.</summary>
    private static IReadOnlyList<Chart> Charts { get; } =
    [
        .. ReportCharts.Of(Sample, new ReportOptions()),
        .. ReportCharts.Of([.. Sample.Select(record => record with { Target = record.Target with { Folder = "/mnt/a" } }), .. Sample.Select(record => record with { Target = record.Target with { Folder = "/mnt/b" } })], new ReportOptions())
            .Where(chart => chart.Id.StartsWith("log-append-overlaid", StringComparison.Ordinal)),
        .. GateCharts.Forests(SampleResults.Gate(), Comparison.Figure.Throughput, new GateNames(SampleResults.Gate())).Select(one => one.Chart),
        .. GateCharts.Pairs(SampleResults.Gate(), new GateNames(SampleResults.Gate())).Charts.Select(one => one.Chart),
    ];

    [Fact]
    public void Every_kind_of_chart_is_among_those_drawn() =>
        Assert.Equal(Enum.GetValues<ChartKind>(), Charts.Select(chart => chart.Kind).Distinct().Order());

    [Fact]
    public void Every_chart_is_a_picture_of_its_size_in_its_colours_and_an_svg_with_its_words()
    {
        StaticCharts.Write(Charts, folder.FullPath);
        if (Environment.GetEnvironmentVariable("BENCH_SAMPLE_PAGES") is { Length: > 0 } looked)
            StaticCharts.Write(Charts, looked);
        Assert.Equal(Charts.SelectMany(chart => new[] { $"{chart.Id}.png", $"{chart.Id}.svg" }).Order(StringComparer.Ordinal), Directory.GetFiles(folder.FullPath).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal));
        var faults = new List<string>();
        foreach (var chart in Charts)
        {
            using var picture = SKBitmap.Decode(Path.Combine(folder.FullPath, $"{chart.Id}.png"));
            if (picture.Width != StaticCharts.WidthPixels || picture.Height < 200)
                faults.Add($"{chart.Id}: {picture.Width} × {picture.Height}");
            var seen = ColoursOf(picture);
            foreach (var series in chart.Series.Where(series => series.Points.Any(point => point.Verdict == Verdict.Proven)))
            {
                var wanted = StaticCharts.Palette[series.Color % StaticCharts.Palette.Length];
                // A cell's colour is a mixture, and a line below others may be hidden; a bar and a mark are of the colour itself.
                if (chart.Kind is ChartKind.Bars or ChartKind.StackedBars or ChartKind.Scatter or ChartKind.Forest && !seen.Contains((wanted.R, wanted.G, wanted.B)))
                    faults.Add($"{chart.Id}: nothing in the colour of '{series.Name}'");
            }
            if (chart.Series.SelectMany(series => series.Points).Any(point => point.Verdict == Verdict.Contradicted) && !seen.Contains((StaticCharts.Contradicted.R, StaticCharts.Contradicted.G, StaticCharts.Contradicted.B)))
                faults.Add($"{chart.Id}: nothing in the colour of what is contradicted");
            var words = Words(chart.Id);
            foreach (var text in TextsOf(chart).Where(text => !words.Contains(Plain(text), StringComparison.Ordinal)))
                faults.Add($"{chart.Id}: '{text}' is not in the svg");
        }
        Assert.True(faults.Count == 0, string.Join('\n', faults.Take(40)));
    }

    [Fact]
    public void The_colours_are_those_of_the_page()
    {
        var page = Light().Matches(PageAssets.Style).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value.ToUpperInvariant());
        Assert.Equal(StaticCharts.Palette.Select(Hex), Enumerable.Range(0, StaticCharts.Palette.Length).Select(number => page[$"series-{number.ToString(CultureInfo.InvariantCulture)}"]));
        Assert.Equal(Hex(StaticCharts.Contradicted), page["contradicted"]);
        static string Hex(Color color) => $"#{color.R:X2}{color.G:X2}{color.B:X2}";
    }

    [Fact]
    public void A_figure_twice_as_high_is_a_bar_that_ends_further_right()
    {
        // A picture that draws all bars alike would pass everything above.
        var chart = Charts.First(chart => chart.Kind == ChartKind.Bars && chart.X.Categories.Count > 1 && chart.Series.Count == 1);
        var bare = chart with { Series = [new Series("one", [new ChartPoint(0, 100, Verdict.Proven), new ChartPoint(1, 200, Verdict.Proven)])], X = chart.X with { Categories = ["low", "high"] }, Y = new Axis("Throughput", Quantity.BytesPerSecond, AxisScale.Linear) { Min = 0 }, References = [] };
        StaticCharts.Write([bare], folder.FullPath);
        using var picture = SKBitmap.Decode(Path.Combine(folder.FullPath, $"{bare.Id}.png"));
        var colour = StaticCharts.Palette[0];
        int[] ends = [.. Enumerable.Range(0, picture.Height).Select(y => Enumerable.Range(0, picture.Width).LastOrDefault(x => picture.GetPixel(x, y) is var pixel && (pixel.Red, pixel.Green, pixel.Blue) == (colour.R, colour.G, colour.B), -1)).Where(end => end >= 0)];
        var start = Enumerable.Range(0, picture.Width).First(x => Enumerable.Range(0, picture.Height).Any(y => picture.GetPixel(x, y) is var pixel && (pixel.Red, pixel.Green, pixel.Blue) == (colour.R, colour.G, colour.B)));
        Assert.Equal(2, ends.Distinct().Count(end => ends.Count(other => other == end) > 5));
        Assert.Equal(2.0, (ends.Max() - start) / (double)(ends.Min() - start), 1);
    }

    /// <summary>The program that is built with the renderer writes the pictures beside the page.</summary>
    [Fact]
    public void The_program_built_with_it_writes_them_beside_the_page()
    {
        var build = Command.TryRun(TimeSpan.FromMinutes(8), "dotnet", "build", Path.Combine(Repository.Root, "bench", "Bench"), "-c", "Release", "-p:ScottPlot=true",
            "--artifacts-path", folder.File("built"), "--nologo", "-v", "quiet");
        Assert.True(build.ExitCode == 0, build.StandardOutput + build.StandardError);
        var run = folder.Folder("run");
        File.WriteAllLines(Path.Combine(run, RunStore.FileName), Sample.Select(RecordJson.Write));
        Command.Run(folder.File("built/bin/Bench/release/bench"), "report", run, "-o", Path.Combine(run, "index.html"));
        Assert.Equal(ReportCharts.Of(Sample, new ReportOptions()).SelectMany(chart => new[] { $"{chart.Id}.png", $"{chart.Id}.svg" }).Order(StringComparer.Ordinal),
            Directory.GetFiles(Path.Combine(run, "charts")).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal));
    }

    private static HashSet<(byte R, byte G, byte B)> ColoursOf(SKBitmap picture) => [.. picture.Pixels.Select(pixel => (pixel.Red, pixel.Green, pixel.Blue))];

    /// <summary>What a reader must find: title, axes, and what the series are.</summary>
    private static IEnumerable<string> TextsOf(Chart chart)
    {
        yield return chart.Title;
        yield return chart.Kind is ChartKind.Bars or ChartKind.StackedBars or ChartKind.Forest ? chart.Y.Name : chart.X.Name;
        if (chart.Series.Count > 1 && chart.Kind != ChartKind.HeatMap)
            foreach (var series in chart.Series)
                yield return series.Name;
        foreach (var category in chart.X.Categories)
            yield return category;
    }

    private string Words(string id) => Plain(string.Concat(XDocument.Load(Path.Combine(folder.FullPath, $"{id}.svg")).Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value)));

    /// <summary>Without white space, which the renderer sets as it likes.</summary>
    private static string Plain(string text) => string.Concat(text.Where(letter => !char.IsWhiteSpace(letter)));

    [GeneratedRegex("--([a-z0-9-]+): ?light-dark\\((#[0-9a-f]{6}), ?(#[0-9a-f]{6})\\)")]
    private static partial Regex Light();
}
