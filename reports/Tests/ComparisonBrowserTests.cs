using Bench.Reports.Gate;
using Microsoft.Playwright;
using Xunit;

namespace Bench.Reports.Tests;

public sealed class ComparisonBrowserTests(Chromium chromium) : IClassFixture<Chromium>
{
    private static readonly GateResult Sample = SampleResults.Gate();
    private static readonly string Page = ComparisonPage.Render(Sample, new ReportOptions());

    [ChromiumTheory]
    [InlineData(1440, ColorScheme.Light)]
    [InlineData(1440, ColorScheme.Dark)]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task Every_chart_draws_with_a_mark_per_figure_and_nothing_leaves_the_file(int width, ColorScheme scheme)
    {
        await using var open = await chromium.Open(Page, width, scheme);
        var faults = await open.Page.EvaluateAsync<string[]>("""
            [...document.querySelectorAll('.plot')].flatMap(plot => {
              const svg = plot.querySelector('svg');
              const option = JSON.parse(document.getElementById(plot.id + '-option').textContent);
              if (!svg || svg.getBoundingClientRect().width < 200) return [`${plot.id}: no drawing`];
              if (!option.series.some(series => series.bench.band)) return [];
              const marks = option.series.filter(series => !series.bench.band).reduce((sum, series) => sum + series.data.length, 0);
              const frame = plot.getBoundingClientRect();
              // A shape of the size of a mark, within the chart.
              const drawn = [...svg.querySelectorAll('path')].map(path => path.getBoundingClientRect())
                .filter(box => box.width > 6 && box.width < 15 && box.height > 6 && box.height < 15 && box.left >= frame.left - 1 && box.right <= frame.right + 1);
              return drawn.length >= marks ? [] : [`${plot.id}: ${drawn.length} marks for ${marks} figures`];
            })
            """);
        Assert.True(faults.Length == 0, string.Join("\n", faults.Take(20)));
        Assert.Empty(open.Complaints);
        Assert.Equal([open.Address], open.Requests);
        Assert.Empty(await open.Page.EvaluateAsync<string[]>("window.violations"));
        Assert.True(await open.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways");
    }

    [ChromiumTheory]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(1440, ColorScheme.Dark)]
    public async Task Texts_of_a_forest_can_be_read_and_do_not_lie_on_each_other(int width, ColorScheme scheme)
    {
        await using var open = await chromium.Open(Page, width, scheme);
        var faults = await open.Page.EvaluateAsync<string[]>("""
            [...document.querySelectorAll('.plot[id^=forest]')].flatMap(plot => {
              const frame = plot.getBoundingClientRect();
              const texts = [...plot.querySelectorAll('text')].filter(text => text.textContent.trim()).map(text => ({ text: text.textContent, box: text.getBoundingClientRect() }));
              const outside = texts.filter(({ box }) => box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1).map(({ text }) => `${plot.id}: '${text}' leaves the chart`);
              const met = texts.flatMap((a, i) => texts.slice(i + 1).filter(b => a.box.left < b.box.right - 1 && b.box.left < a.box.right - 1 && a.box.top < b.box.bottom - 4 && b.box.top < a.box.bottom - 4)
                .map(b => `${plot.id}: '${a.text}' on '${b.text}'`));
              return [...outside, ...met];
            })
            """);
        Assert.True(faults.Length == 0, string.Join("\n", faults.Take(20)));
    }

    [ChromiumFact]
    public async Task The_line_of_no_change_stands_where_the_axis_says_one()
    {
        await using var open = await chromium.Open(Page);
        // The tick's text is centred on its place, and so is the line.
        var distance = await open.Page.EvaluateAsync<double>("""
            (() => {
              const plot = document.getElementById('forest-throughput-1');
              const tick = [...plot.querySelectorAll('text')].find(text => text.textContent === '1×').getBoundingClientRect();
              const lines = [...plot.querySelectorAll('path')].map(path => path.getBoundingClientRect()).filter(box => box.height > 200 && box.width < 3);
              return Math.min(...lines.map(line => Math.abs((line.left + line.right) / 2 - (tick.left + tick.right) / 2)));
            })()
            """);
        Assert.InRange(distance, 0, 2);
    }

    [ChromiumFact]
    public async Task The_data_can_be_saved_under_their_name()
    {
        await using var open = await chromium.Open(Page);
        var download = await open.Page.RunAndWaitForDownloadAsync(() => open.Page.Locator("#save").ClickAsync());
        Assert.Equal("gate.json", download.SuggestedFilename);
        Assert.Equal(GateJson.Write(Sample), (await File.ReadAllTextAsync(await download.PathAsync())).TrimEnd('\n'));
    }

    [ChromiumFact]
    public async Task Hostile_names_run_nothing()
    {
        await using var open = await chromium.Open(ComparisonPage.Render(GateOutputTests.Spoilt(SampleResults.Gate(6, 10)), new ReportOptions { Warnings = [Hostile.Text] }));
        Assert.Equal("undefined", await open.Page.EvaluateAsync<string>("typeof window.hacked"));
        Assert.Equal(0, await open.Page.Locator("img").CountAsync());
        Assert.Empty(open.Complaints);
        Assert.Empty(await open.Page.EvaluateAsync<string[]>("window.violations"));
        Assert.Equal([open.Address], open.Requests);
    }

    [ChromiumFact]
    public async Task The_page_of_stored_runs_has_no_pairs_and_draws_its_charts()
    {
        await using var open = await chromium.Open(ComparisonPage.Render(SampleResults.Records(), new ReportOptions()));
        Assert.Equal(0, await open.Page.Locator("#pairs").CountAsync());
        Assert.True(await open.Page.Locator(".plot svg").CountAsync() >= 2);
        Assert.Empty(open.Complaints);
    }
}
