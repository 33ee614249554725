using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Bench.Measure.Records;
using Bench.Reports.Content;
using Microsoft.Playwright;
using Xunit;

namespace Bench.Reports.Tests;

/// <summary>One Chromium for all tests of this file.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("bench-page-").FullName;
    private IPlaywright? playwright;
    private IBrowser? browser;

    public async Task InitializeAsync()
    {
        if (!File.Exists(ChromiumFactAttribute.Executable))
            return;
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = ChromiumFactAttribute.Executable,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }

    public async Task DisposeAsync()
    {
        if (browser is not null)
            await browser.DisposeAsync();
        playwright?.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Opens a report from a file, as a reader does.</summary>
    public Task<OpenPage> Open(IReadOnlyList<RunRecord> records, int width = 1440, ColorScheme scheme = ColorScheme.Light, bool anonymous = false) =>
        Open(HtmlReport.Render(records, new ReportOptions { Anonymous = anonymous }), width, scheme);

    /// <summary>Opens a page that is made already.</summary>
    public async Task<OpenPage> Open(string html, int width = 1440, ColorScheme scheme = ColorScheme.Light)
    {
        var file = Path.Combine(folder, $"{Guid.NewGuid():N}.html");
        File.WriteAllText(file, html, new UTF8Encoding(false));
        var context = await browser!.NewContextAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = width, Height = 900 }, ColorScheme = scheme, AcceptDownloads = true });
        var page = await context.NewPageAsync();
        var open = new OpenPage(page, $"file://{file}");
        await page.AddInitScriptAsync("window.violations = []; addEventListener('securitypolicyviolation', e => window.violations.push(e.violatedDirective + ' ' + e.blockedURI));");
        await page.GotoAsync(open.Address);
        await page.WaitForFunctionAsync("document.documentElement.dataset.drawn !== undefined");
        return open;
    }
}

/// <summary>A page with what it said and asked for.</summary>
public sealed class OpenPage : IAsyncDisposable
{
    public OpenPage(IPage page, string address)
    {
        (Page, Address) = (page, address);
        page.Console += (_, message) => Complaints.Add($"{message.Type}: {message.Text}");
        page.PageError += (_, error) => Complaints.Add($"error: {error}");
        page.Dialog += (_, dialog) => Complaints.Add($"dialog: {dialog.Message}");
        page.Request += (_, request) => Requests.Add(request.Url);
    }

    public IPage Page { get; }

    public string Address { get; }

    public List<string> Complaints { get; } = [];

    public List<string> Requests { get; } = [];

    public async ValueTask DisposeAsync() => await Page.Context.DisposeAsync();
}

public sealed partial class BrowserTests(Chromium chromium) : IClassFixture<Chromium>
{
    private static readonly IReadOnlyList<RunRecord> Sample = new SampleRecords().Everything();

    /// <summary>Half as many charts, for what is the same with few of them.</summary>
    private static readonly IReadOnlyList<RunRecord> Small = new SampleRecords().All();

    [ChromiumFact]
    public async Task Every_chart_draws_and_nothing_leaves_the_file()
    {
        await using var open = await chromium.Open(Sample);
        var plots = await open.Page.Locator(".plot").CountAsync();
        Assert.InRange(plots, 50, 120);
        Assert.Empty(await open.Page.EvaluateAsync<string[]>(EmptyCharts));
        Assert.Empty(open.Complaints);
        Assert.Equal([open.Address], open.Requests);
        Assert.Empty(await open.Page.EvaluateAsync<string[]>("window.violations"));
    }

    [ChromiumTheory]
    [InlineData(1280)]
    [InlineData(390)]
    public async Task No_word_of_a_chart_leaves_its_picture(int width)
    {
        await using var open = await chromium.Open(Sample);
        await open.Page.SetViewportSizeAsync(width, 900);
        await open.Page.EvaluateAsync("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
        Assert.Empty(await open.Page.EvaluateAsync<string[]>("""
            () => [...document.querySelectorAll('.plot svg')].flatMap(svg => {
              const picture = svg.getBoundingClientRect();
              return [...svg.querySelectorAll('text')].filter(text => {
                const box = text.getBoundingClientRect();
                return box.left < picture.left - 1 || box.right > picture.right + 1;
              }).map(text => `${svg.closest('.plot').id}: ${text.textContent}`);
            })
            """));
    }

    [ChromiumFact]
    public async Task A_very_large_page_packs_the_options_of_its_charts_and_shows_the_same()
    {
        RunRecord[] many = [.. Enumerable.Range(1, 1 + 1800 / Small.Count).SelectMany(number => Small.Select(record => number == 1 ? record : record with
        {
            Case = $"{record.Case[..^1]}, Repeat={number})",
            Parameters = new Dictionary<string, string>(record.Parameters) { ["Repeat"] = $"{number}" },
        }))];
        var html = HtmlReport.Render(many, new ReportOptions());
        Assert.Contains("<script type=\"application/gzip\" id=", html, StringComparison.Ordinal);
        Assert.DoesNotMatch("<script type=\"application/json\" id=\"[^\"]*-option\"", html);
        await using var open = await chromium.Open(html);
        // The evidence of the worst hundred of a chapter, and no link to what is not written.
        Assert.Equal(100, await open.Page.EvaluateAsync<int>("Math.max(...[...document.querySelectorAll('.evidence')].map(cases => cases.children.length))"));
        Assert.Empty(await open.Page.EvaluateAsync<string[]>("[...document.querySelectorAll('a[href^=\"#\"]')].map(link => link.getAttribute('href')).filter(href => !document.getElementById(href.slice(1)))"));
        await Assertions.Expect(open.Page.Locator("script[type='application/gzip']")).ToHaveCountAsync(0);
        // On the screen only what has come near it; on paper all.
        await open.Page.Locator(".plot").First.ScrollIntoViewIfNeededAsync();
        await Assertions.Expect(open.Page.Locator(".plot").First.Locator("svg")).ToBeVisibleAsync();
        Assert.InRange(await open.Page.Locator(".plot svg").CountAsync(), 1, await open.Page.Locator(".plot").CountAsync() - 1);
        // What is far from the screen is neither laid out nor coloured, and a jump past it lands where it should.
        Assert.False(await open.Page.EvaluateAsync<bool>("[...document.querySelectorAll('figure.chart')].at(-1).firstElementChild.checkVisibility({ contentVisibilityAuto: true })"));
        await open.Page.EvaluateAsync("location.hash = '#method'");
        await open.Page.WaitForFunctionAsync("document.getElementById('method').getBoundingClientRect().top < innerHeight && document.getElementById('method').getBoundingClientRect().bottom > 0");
        await open.Page.EvaluateAsync("document.documentElement.scrollTop = 0");
        await open.Page.EmulateMediaAsync(new PageEmulateMediaOptions { Media = Media.Print });
        await open.Page.EvaluateAsync("dispatchEvent(new Event('beforeprint'))");
        Assert.Empty(await open.Page.EvaluateAsync<string[]>(EmptyCharts));
        Assert.True(await open.Page.EvaluateAsync<bool>("[...document.querySelectorAll('figure.chart')].every(figure => figure.firstElementChild.checkVisibility({ contentVisibilityAuto: true }))"));
        Assert.Empty(open.Complaints);
        Assert.Empty(await open.Page.EvaluateAsync<string[]>("window.violations"));
    }

    [ChromiumFact]
    public async Task The_page_cannot_reach_the_network_even_if_it_wanted_to()
    {
        await using var open = await chromium.Open(Small.Take(1).ToArray());
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = FormattableString.Invariant($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/");
        Assert.Equal("blocked", await open.Page.EvaluateAsync<string>("url => fetch(url).then(() => 'sent', () => 'blocked')", address));
        await open.Page.EvaluateAsync("url => document.body.append(Object.assign(new Image(), { src: url }))", address);
        await open.Page.EvaluateAsync("document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.hacked = 3' }))");
        await open.Page.WaitForFunctionAsync("window.violations.length >= 3");
        Assert.False(listener.Pending(), "a request left the page");
        Assert.Equal("undefined", await open.Page.EvaluateAsync<string>("typeof window.hacked"));
    }

    [ChromiumFact]
    public async Task Tables_match_the_records()
    {
        await using var open = await chromium.Open(Sample);
        var places = new Dictionary<string, int>();
        for (var index = 0; index < Sample.Count; index++)
        {
            var record = Sample[index];
            var family = record.Workload switch
            {
                "CachePath" => "cache-path", "Transfer" => "transfer", "LogAppend" => "log-append", "LogRead" => "log-read", "LogRecovery" => "log-recovery", "LogEncode" => "log-encode",
                _ => "access-pattern",
            };
            var cells = await open.Page.EvaluateAsync<Dictionary<string, string>>("""
                ([table, anchor]) => {
                  const row = document.querySelector(`#${table} a[href="#${anchor}"]`).closest('tr');
                  const heads = [...document.querySelectorAll(`#${table} thead th`)].map(head => head.textContent);
                  return Object.fromEntries([...row.children].map((cell, at) => [heads[at], cell.textContent]));
                }
                """, new[] { $"table-{family}", FormattableString.Invariant($"case-1-{index + 1}") });
            if (record.Error is not null)
            {
                Assert.Equal(("— failed", Format.Missing), (cells["Evidence"], cells["Throughput"]));
                continue;
            }
            Assert.Equal(Format.BytesPerSecond(record.BytesPerSecond!.Median), cells["Throughput"]);
            Assert.Equal(Format.Interval(Quantity.BytesPerSecond, record.BytesPerSecond.Low, record.BytesPerSecond.High), cells["94 % interval"]);
            Assert.Equal(Format.Scaled(record.OperationsPerSecond!.Median), cells["IOPS"]);
            if (cells.TryGetValue("p50", out var median))
                Assert.Equal(record.LatencyNs.GetValueOrDefault(record.Operation.ToLowerInvariant()) is { } latency ? Format.Nanoseconds(latency.P50) : Format.Missing, median);
            else
                Assert.Empty(record.LatencyNs);
            Assert.EndsWith(record.Evidence.Verdict.ToString().ToLowerInvariant(), cells["Evidence"], StringComparison.Ordinal);
            if (record.Metrics.TryGetValue("valuesPerSecond", out var values))
                Assert.Equal(Format.Scaled(values.Median), cells["Values/s"]);
            if (record.Metrics.TryGetValue("cpuSecondsPerGB", out var cpu))
                Assert.Equal(Format.Significant(cpu.Median), cells["CPU s/GB"]);
            if (record.Metrics.TryGetValue("dataAtRiskBytes", out var risk))
                Assert.Equal(Format.Bytes(Math.Round(risk.Median)), cells["At risk"]);
            if (record.Metrics.TryGetValue("recoverySeconds", out var recovery))
                Assert.Equal(Format.Seconds(recovery.Median), cells["Recovery"]);
            if (record.LatencyNs.TryGetValue("fsync", out var fsync))
                Assert.Equal(Format.Nanoseconds(fsync.P99), cells["fsync p99"]);
        }
    }

    [ChromiumFact]
    public async Task Hostile_text_runs_nothing()
    {
        await using var open = await chromium.Open([.. Sample.Select(record => Hostile.Of(record)), .. Sample.Take(3).Select(record => Hostile.Of(record, keepWorkload: false))]);
        Assert.Equal("undefined", await open.Page.EvaluateAsync<string>("typeof window.hacked"));
        Assert.Equal(0, await open.Page.Locator("img").CountAsync());
        Assert.Empty(open.Complaints);
        Assert.Equal([open.Address], open.Requests);
        await open.Page.Locator(".plot svg path").First.HoverAsync(new LocatorHoverOptions { Force = true });
        Assert.Equal("undefined", await open.Page.EvaluateAsync<string>("typeof window.hacked"));
        Assert.Equal(await open.Page.Locator(".plot").CountAsync(), await open.Page.Locator(".plot > div > svg").CountAsync());
    }

    [ChromiumFact]
    public async Task A_reader_chooses_the_axes()
    {
        await using var open = await chromium.Open(Sample);
        Task<string> Label() => open.Page.EvaluateAsync<string>("document.getElementById('explore-plot').getAttribute('aria-label')");
        async Task Choose(string id, string text)
        {
            var value = await open.Page.EvaluateAsync<string?>("([id, text]) => [...document.getElementById(`explore-${id}`).options].find(option => option.text === text)?.value ?? null", new[] { id, text });
            await open.Page.SelectOptionAsync($"#explore-{id}", value ?? throw new InvalidOperationException($"there is no choice '{text}'"));
        }
        await Choose("workload", "LogAppend");
        await Choose("along", "Segment size");
        await Choose("by", "Flush policy");
        // What is held at first is what most cases have: those of the grid.
        var each = Sample.First(record => record.Workload == "LogAppend" && record.Parameters["FlushPolicy"] == "each" && record.Parameters["SegmentSize"] == "128MiB" && record.Parameters["BatchSize"] == "64KiB" && record.Parameters["Producers"] == "1");
        var label = await Label();
        Assert.Matches($@"each append: .*128 MiB {Regex.Escape(Format.BytesPerSecond(each.BytesPerSecond!.Median))}", label);
        Assert.Contains("throughput along segment size", label, StringComparison.Ordinal);
        Assert.True(await open.Page.Locator("#explore-plot svg path").CountAsync() >= 7);
        Assert.Equal(7, await open.Page.Locator("#explore-legend li svg").CountAsync());

        await Choose("figure", "99th percentile of latency");
        Assert.Contains(Format.Nanoseconds(each.LatencyNs["append"].P99), await Label(), StringComparison.Ordinal);
        // Nothing is on both axes.
        await Choose("along", "Flush policy");
        Assert.Equal("-1", await open.Page.EvaluateAsync<string>("document.getElementById('explore-by').value"));
        await Choose("by", "Flush policy");
        Assert.NotEqual("Flush policy", await open.Page.EvaluateAsync<string>("document.getElementById('explore-along').selectedOptions[0].text"));
        // Another workload brings its own parameters.
        await Choose("workload", "CachePath");
        await Choose("along", "Block size");
        Assert.Contains("along block size", await Label(), StringComparison.Ordinal);
        Assert.Empty(open.Complaints);
    }

    [ChromiumFact]
    public async Task The_axes_begin_with_most_cases_and_no_choice_leads_to_none()
    {
        await using var open = await chromium.Open(Sample);
        var faults = await open.Page.EvaluateAsync<string[]>("""
            (() => {
              const faults = [];
              const get = id => document.getElementById(`explore-${id}`);
              const set = (select, value) => { select.value = value; select.dispatchEvent(new Event('change')); };
              const shown = () => +/^(\d+) of/.exec(get('said').textContent)[1];
              const held = () => [...document.querySelectorAll('#explore-form select[id^=explore-held]')];
              for (const one of [...get('workload').options]) {
                set(get('workload'), one.value);
                const first = shown(), by = get('by').value, along = get('along').value;
                for (const x of [...get('along').options].map(option => option.value))
                  for (const series of [...get('by').options].map(option => option.value).filter(value => value !== '-1' && value !== x)) {
                    set(get('along'), x);
                    set(get('by'), series);
                    if (shown() > first) faults.push(`${one.text}: ${shown()} cases where ${first} are shown at first`);
                  }
                set(get('along'), along);
                set(get('by'), by);
                for (const kind of [...get('figure').options].filter(option => !option.disabled).map(option => option.value)) {
                  set(get('figure'), kind);
                  if (!shown()) faults.push(`${one.text}: no case with figure ${kind}`);
                  for (const id of held().map(select => select.id))
                    for (const value of [...document.getElementById(id).options].map(option => option.value)) {
                      const select = document.getElementById(id);
                      set(select, value);
                      if (select.value !== value) faults.push(`${one.text}: ${id} did not stay at ${value}`);
                      if (!shown()) faults.push(`${one.text}: no case with ${id} ${value}`);
                    }
                }
              }
              return faults;
            })()
            """);
        Assert.True(faults.Length == 0, string.Join("\n", faults.Take(20)));
    }

    [ChromiumFact]
    public async Task The_axes_that_a_reader_chooses_have_the_marks_of_the_other_charts()
    {
        RunRecord[] two = [.. Sample, .. Sample.Select(record => record with { Run = "20261123-000000-0002" }), .. Sample.Select(record => record with { Run = "20261124-000000-0003" })];
        await using var open = await chromium.Open(two);
        await open.Page.SelectOptionAsync("#explore-workload", new SelectOptionValue { Label = "LogAppend" });
        await open.Page.SelectOptionAsync("#explore-by", new SelectOptionValue { Label = "Flush policy" });
        var legend = await open.Page.EvaluateAsync<string[]>("[...document.querySelectorAll('#explore-legend li svg')].map(sign => sign.outerHTML)");
        // Seven policies in three runs: each line is like no other.
        Assert.Equal(21, legend.Length);
        Assert.Equal(21, legend.Distinct().Count());
        Assert.Equal(2, await open.Page.Locator("#explore-legend li.contradicted, #explore-legend li.unproven").CountAsync());
        // No upright line but those of the axis: it has none.
        Assert.Equal(0, await open.Page.EvaluateAsync<int>("[...document.querySelectorAll('#explore-plot path')].map(path => /^M([\\d.]+) [\\d.]+L([\\d.]+) [\\d.]+$/.exec(path.getAttribute('d'))).filter(ends => ends && ends[1] === ends[2]).length"));
        // A contradicted point stands apart: no line has a corner there.
        var crosses = await open.Page.EvaluateAsync<int[]>("""
            (() => {
              const red = document.body.appendChild(Object.assign(document.createElement('i'), { style: 'color: var(--contradicted)' }));
              const paths = [...document.querySelectorAll('#explore-plot path')];
              const crosses = paths.filter(path => getComputedStyle(path).stroke === getComputedStyle(red).color).map(path => path.getBoundingClientRect());
              const corners = paths.filter(path => path.getAttribute('fill') === 'none').flatMap(path => [...path.getAttribute('d').matchAll(/[ML]([\d.]+)[ ,]([\d.]+)/g)]
                .map(([, x, y]) => new DOMPoint(x, y).matrixTransform(path.getScreenCTM())));
              red.remove();
              const isAt = (box, corner) => Math.hypot(corner.x - box.x - box.width / 2, corner.y - box.y - box.height / 2) < 2;
              return [crosses.length, crosses.filter(box => corners.some(corner => isAt(box, corner))).length, corners.length];
            })()
            """);
        Assert.True(crosses is [> 0, 0, > 0], string.Join(", ", crosses));
    }

    [ChromiumFact]
    public async Task The_name_of_what_is_advised_is_in_the_picture()
    {
        foreach (var width in new[] { 390, 1440 })
        {
            await using var open = await chromium.Open(Sample, width);
            var faults = await open.Page.EvaluateAsync<string[]>("""
                [...document.querySelectorAll('.plot')].flatMap(plot => {
                  const option = JSON.parse(document.getElementById(plot.id + '-option').textContent);
                  const advised = option.series.filter(series => series.type === 'scatter').flatMap(series => series.data).filter(item => item.foremost).map(item => item.name);
                  const said = [...plot.querySelectorAll('text')].map(text => text.textContent);
                  return option.series.some(series => series.label) && !advised.length ? [`${plot.id}: nothing is advised`] : advised.filter(name => !said.includes(name));
                })
                """);
            Assert.True(faults.Length == 0, string.Join("\n", faults));
        }
    }

    [ChromiumFact]
    public async Task Bars_of_less_than_a_hundred_per_cent_begin_where_the_others_do()
    {
        // Far apart, so that the axis is logarithmic: those below 1 began at 1 and went to the left, over their own figures.
        RunRecord[] records = [.. Sample.Select(record => record.Workload == "LogAppend" && record.Parameters["FlushPolicy"] == "each"
            ? record with { Passes = [.. record.Passes.Select(pass => pass with { Seconds = pass.Seconds * 1000 })] } : record)];
        await using var open = await chromium.Open(records);
        var begins = await open.Page.EvaluateAsync<double[]>("""
            (() => {
              const plot = document.getElementById('log-append-limit-1');
              const option = JSON.parse(document.getElementById(plot.id + '-option').textContent);
              if (option.xAxis.type !== 'log') throw new Error('the axis is even');
              return [...plot.querySelectorAll('path')].filter(path => path.getAttribute('stroke') === null && path.getBBox().height > 5 && path.getBBox().width > 5 && !['none', null].includes(path.getAttribute('fill')))
                .map(path => Math.round(path.getBBox().x));
            })()
            """);
        Assert.True(begins.Length >= 4, $"{begins.Length} bars");
        Assert.Single(begins.Distinct());
    }

    [ChromiumFact]
    public async Task The_system_s_dark_mode_is_followed()
    {
        await using var light = await chromium.Open(Small);
        await using var dark = await chromium.Open(Small, scheme: ColorScheme.Dark);
        Assert.Equal(("rgb(255, 255, 255)", "rgb(21, 24, 27)"), (await Paper(light), await Paper(dark)));
        Assert.NotEqual(await FirstInk(light), await FirstInk(dark));
    }

    [ChromiumFact]
    public async Task The_keyboard_alone_switches_the_colours_and_the_charts_follow()
    {
        await using var open = await chromium.Open(Small);
        var before = await FirstInk(open);
        await open.Page.Keyboard.PressAsync("Tab");
        Assert.Equal("Skip to the results", await open.Page.EvaluateAsync<string>("document.activeElement.textContent"));
        for (var presses = 0; presses < 30 && await open.Page.EvaluateAsync<string>("document.activeElement.id") != "theme"; presses++)
            await open.Page.Keyboard.PressAsync("Tab");
        Assert.NotEqual("none", await open.Page.EvaluateAsync<string>("getComputedStyle(document.activeElement).outlineStyle"));
        await open.Page.Keyboard.PressAsync("Enter");
        Assert.Equal("rgb(21, 24, 27)", await Paper(open));
        Assert.NotEqual(before, await FirstInk(open));
        await open.Page.Keyboard.PressAsync("Space");
        Assert.Equal("rgb(255, 255, 255)", await Paper(open));
        Assert.Equal(before, await FirstInk(open));
        Assert.Empty(open.Complaints);
    }

    [ChromiumFact]
    public async Task No_width_scrolls_the_page_sideways()
    {
        RunRecord[] records = [.. Sample, .. new SampleRecords(2, "20261123-090000-77aa").All()];
        foreach (var width in new[] { 390, 768, 1440 })
        {
            await using var open = await chromium.Open(records, width);
            await open.Page.EvaluateAsync("document.querySelectorAll('details').forEach(details => details.open = true)");
            Assert.Equal(width, await open.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        }
    }

    [ChromiumFact]
    public async Task A_reader_who_does_not_see_gets_headings_findings_and_tables()
    {
        await using var open = await chromium.Open(Sample);
        var faults = await open.Page.EvaluateAsync<string[]>("""
            (() => {
              const faults = [];
              let last = 0;
              for (const heading of document.querySelectorAll('h1, h2, h3, h4')) {
                const level = +heading.tagName[1];
                if (level > last + 1) faults.push(`heading jumps: ${heading.textContent}`);
                last = level;
              }
              if (document.querySelectorAll('h1').length !== 1) faults.push('not one h1');
              for (const plot of document.querySelectorAll('.plot')) {
                if (plot.getAttribute('role') !== 'img' || !/\d/.test(plot.getAttribute('aria-label'))) faults.push(`no finding: ${plot.id}`);
                if (!plot.parentElement.querySelector('table')) faults.push(`no table: ${plot.id}`);
              }
              for (const table of document.querySelectorAll('table')) {
                if (!table.caption || !table.caption.textContent) faults.push(`no caption: ${table.id}`);
                if ([...table.querySelectorAll('th')].some(head => !head.scope)) faults.push(`no scope: ${table.id}`);
              }
              const ids = [...document.querySelectorAll('[id]')].map(element => element.id);
              if (new Set(ids).size !== ids.length) faults.push('an id twice');
              for (const link of document.querySelectorAll('a[href^="#"]'))
                if (!document.getElementById(link.getAttribute('href').slice(1))) faults.push(`leads nowhere: ${link.href}`);
              if (document.documentElement.lang !== 'en') faults.push('no language');
              return faults;
            })()
            """);
        Assert.True(faults.Length == 0, string.Join("\n", faults));
    }

    [ChromiumFact]
    public async Task A_link_to_evidence_opens_it()
    {
        await using var open = await chromium.Open(Small);
        await open.Page.Locator("#table-cache-path a[href^='#case-1-']").Last.ClickAsync();
        var target = open.Page.Locator(await open.Page.EvaluateAsync<string>("location.hash"));
        await Assertions.Expect(target.Locator("table")).ToBeVisibleAsync();
    }

    [ChromiumFact]
    public async Task The_button_saves_the_records_as_they_are()
    {
        await using var open = await chromium.Open(Small);
        var download = await open.Page.RunAndWaitForDownloadAsync(() => open.Page.Locator("#save").ClickAsync());
        Assert.Equal("records.jsonl", download.SuggestedFilename);
        Assert.Equal(Small.Select(RecordJson.Write), File.ReadAllLines(await download.PathAsync()));
        var compressed = await open.Page.RunAndWaitForDownloadAsync(() => open.Page.Locator("#records").ClickAsync());
        Assert.Equal("records.jsonl.gz", compressed.SuggestedFilename);
        Assert.Empty(open.Complaints);
    }

    [ChromiumFact]
    public async Task Print_shows_everything_and_no_controls()
    {
        await using var light = await chromium.Open(Small);
        await using var open = await chromium.Open(Small, scheme: ColorScheme.Dark);
        var onScreen = await FirstInk(open);
        await open.Page.EvaluateAsync("dispatchEvent(new Event('beforeprint'))");
        await open.Page.EmulateMediaAsync(new PageEmulateMediaOptions { Media = Media.Print });
        Assert.Equal(0, await open.Page.Locator("details:not([open])").CountAsync());
        await Assertions.Expect(open.Page.Locator("#theme")).ToBeHiddenAsync();
        Assert.Equal(await FirstInk(light), await FirstInk(open));
        Assert.Equal(680, await open.Page.EvaluateAsync<int>("document.querySelector('.plot svg').getBoundingClientRect().width"));
        Assert.NotEmpty(await light.Page.PdfAsync());
        await open.Page.EmulateMediaAsync(new PageEmulateMediaOptions { Media = Media.Screen });
        await open.Page.EvaluateAsync("dispatchEvent(new Event('afterprint'))");
        Assert.Equal(onScreen, await FirstInk(open));
        Assert.True(await open.Page.Locator("details:not([open])").CountAsync() > 10);
    }

    [ChromiumFact]
    public async Task A_contradicted_point_says_so_when_asked()
    {
        await using var open = await chromium.Open(Small);
        var options = await open.Page.EvaluateAsync<string[]>("[...document.querySelectorAll('.plot')].map(plot => document.getElementById(plot.id + '-option').textContent)");
        Assert.Contains(options, option => Tip().IsMatch(option));
        await Assertions.Expect(open.Page.Locator("tr.contradicted").First).ToContainTextAsync("✗ contradicted");
    }

    [ChromiumTheory]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(1440, ColorScheme.Light)]
    [InlineData(1440, ColorScheme.Dark)]
    public async Task Every_cell_of_a_heat_map_is_coloured_by_its_figure_and_can_be_read(int width, ColorScheme scheme)
    {
        await using var open = await chromium.Open(Sample, width, scheme);
        var faults = await open.Page.EvaluateAsync<string[]>("""
            (() => {
              const faults = [];
              const channels = text => text.match(/[\d.]+/g).slice(0, 3).map(Number);
              const hex = text => text.startsWith('#') ? text.slice(1).replace(/^(.)(.)(.)$/, '$1$1$2$2$3$3').match(/../g).map(part => parseInt(part, 16)) : channels(text);
              const light = colour => hex(colour).map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
              const contrast = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
              const within = (box, x, y) => x > box.left && x < box.right && y > box.top && y < box.bottom;
              for (const plot of document.querySelectorAll('.plot')) {
                const data = JSON.parse(document.getElementById(plot.id + '-option').textContent).series.filter(series => series.bench.heat).flatMap(series => series.data);
                if (!data.length) continue;
                const cells = [...plot.querySelectorAll('path[fill^="rgb"], path[fill^="#"]')].map(path => ({ fill: path.getAttribute('fill'), box: path.getBoundingClientRect() })).filter(cell => cell.box.height > 20 && cell.box.width > 20);
                if (cells.length !== data.length) faults.push(`${plot.id}: ${cells.length} cells for ${data.length} figures`);
                const shown = [...plot.querySelectorAll('text')].map(text => ({ text: text.textContent, fill: text.getAttribute('fill'), box: text.getBoundingClientRect() }));
                let read = 0;
                for (const text of shown) {
                  const cell = cells.find(cell => within(cell.box, (text.box.left + text.box.right) / 2, (text.box.top + text.box.bottom) / 2));
                  if (!cell) continue;
                  read++;
                  if (text.box.left < cell.box.left - 1 || text.box.right > cell.box.right + 1) faults.push(`${plot.id}: '${text.text}' is wider than its cell`);
                  if (contrast(text.fill, cell.fill) < 4.4) faults.push(`${plot.id}: '${text.text}' on ${cell.fill} has a contrast of ${contrast(text.fill, cell.fill)}`);
                }
                if (read < data.length) faults.push(`${plot.id}: ${read} texts in ${data.length} cells`);
              }
              return faults;
            })()
            """);
        Assert.True(faults.Length == 0, string.Join("\n", faults.Take(20)));
    }

    [ChromiumTheory]
    [InlineData(390)]
    [InlineData(1440)]
    public async Task No_text_of_a_heat_map_timeline_or_named_point_lies_on_another(int width)
    {
        await using var open = await chromium.Open(Sample, width);
        var faults = await open.Page.EvaluateAsync<string[]>("""
            [...document.querySelectorAll('.plot')].flatMap(plot => {
              const option = JSON.parse(document.getElementById(plot.id + '-option').textContent);
              if (!Array.isArray(option.grid) && !option.series.some(series => series.bench.heat || series.label?.show)) return [];
              const frame = plot.getBoundingClientRect();
              const texts = [...plot.querySelectorAll('text')].filter(text => text.textContent.trim()).map(text => ({ text: text.textContent, box: text.getBoundingClientRect() }));
              const outside = texts.filter(({ box }) => box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1).map(({ text }) => `${plot.id}: '${text}' leaves the chart`);
              const met = texts.flatMap((a, i) => texts.slice(i + 1).filter(b => a.box.left < b.box.right - 1 && b.box.left < a.box.right - 1 && a.box.top < b.box.bottom - 3 && b.box.top < a.box.bottom - 3)
                .map(b => `${plot.id}: '${a.text}' on '${b.text}'`));
              return [...outside, ...met];
            })
            """);
        Assert.True(faults.Length == 0, string.Join("\n", faults.Take(20)));
    }

    [ChromiumFact]
    public async Task A_timeline_has_its_lines_and_a_mark_for_each_event()
    {
        await using var open = await chromium.Open(Sample);
        var faults = await open.Page.EvaluateAsync<string[]>("""
            [...document.querySelectorAll('.plot')].flatMap(plot => {
              const option = JSON.parse(document.getElementById(plot.id + '-option').textContent);
              if (!Array.isArray(option.grid)) return [];
              const events = option.series.filter(series => series.bench.event).flatMap(series => series.data);
              const marks = [...plot.querySelectorAll('path')].filter(path => path.getAttribute('fill-opacity') === '0.8' && path.getAttribute('fill') !== 'none');
              const lines = [...plot.querySelectorAll('path')].filter(path => path.getAttribute('stroke-width') === '1.5' && path.getAttribute('fill') === 'none');
              return [
                ...marks.length === events.length ? [] : [`${plot.id}: ${marks.length} marks for ${events.length} events`],
                ...lines.length >= option.series.filter(series => series.type === 'line').length ? [] : [`${plot.id}: ${lines.length} lines`],
              ];
            })
            """);
        Assert.True(faults.Length == 0, string.Join("\n", faults));
    }

    /// <summary>Marks, not only axes: each chart has at least one path per series of its option.</summary>
    private const string EmptyCharts = """
        [...document.querySelectorAll('.plot')].filter(plot => {
          const svg = plot.querySelector('svg');
          const series = JSON.parse(document.getElementById(plot.id + '-option').textContent).series;
          return !svg || svg.getBoundingClientRect().width < 200 || svg.querySelectorAll('path').length < series.length || !svg.querySelector('text');
        }).map(plot => plot.id)
        """;

    private static Task<string> Paper(OpenPage open) => open.Page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor");

    private static Task<string> FirstInk(OpenPage open) =>
        open.Page.EvaluateAsync<string>("[...document.querySelectorAll('.plot svg text')].map(text => text.getAttribute('fill')).find(fill => fill)");

    [GeneratedRegex("\"tip\":\"[^\"]*contradicted[^\"]*\"")]
    private static partial Regex Tip();
}
