#:property PublishAot=false
#:property RestorePackagesWithLockFile=false
#:property Nullable=enable
#:package Microsoft.Playwright
#:project ../reports/Reports/Reports.csproj
// What a report of very many cases costs: what scripts/report-speed runs.

using System.Diagnostics;
using System.Globalization;
using Bench.Measure.Records;
using Bench.Reports;
using Microsoft.Playwright;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
string run = "", output = "", commit = "unknown";
var cases = 10_000;
for (var i = 0; i < args.Length; i++)
{
    var value = i + 1 < args.Length ? args[i + 1] : "";
    switch (args[i])
    {
        case "--out": output = value; i++; break;
        case "--commit": commit = value; i++; break;
        case "--cases" when int.TryParse(value, out cases) && cases > 0: i++; break;
        case var other when !other.StartsWith('-') && run.Length == 0: run = other; break;
        default: return Wrong($"'{args[i]} {value}' is no option; scripts/report-speed --help lists them");
    }
}
RunRecord[] real;
try
{
    real = [.. RunStore.Read(run).Records];
}
catch (RecordException exception)
{
    return Wrong(exception.Message);
}
RunRecord[] many = [.. Enumerable.Range(0, cases).Select(number => Again(real[number % real.Length], number / real.Length + 1))];

GC.Collect();
var clock = Stopwatch.StartNew();
var page = HtmlReport.Render(many, new ReportOptions());
var seconds = clock.Elapsed.TotalSeconds;
var file = Path.Combine(Directory.CreateTempSubdirectory("bench-report-speed-").FullName, "page.html");
try
{
    File.WriteAllText(file, page);
    var rows = new List<(string What, string Target, string Measured)>
    {
        ($"making the page of {cases:N0} cases", "under 10 s", $"{seconds:0.0} s"),
        ("most memory", "under 1 GB", $"{PeakBytes() / 1e9:0.00} GB"),
        ("size of the page", "under 20 MB", $"{new FileInfo(file).Length / 1e6:0.0} MB"),
    };
    rows.AddRange(await InBrowser(file));
    var text = $"""
        # What a report of very many cases costs

        `scripts/report-speed`, commit {commit}, {DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC, {Environment.ProcessorCount} processors; {cases:N0} cases made of the {real.Length} of a real run.

        | what | wanted | measured |
        |---|---|---:|
        {string.Join('\n', rows.Select(row => $"| {row.What} | {row.Target} | {row.Measured} |"))}

        """;
    Console.Write(text);
    if (output.Length > 0)
        File.WriteAllText(output, text);
    return 0;
}
finally
{
    Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
}

static RunRecord Again(RunRecord record, int number) => number == 1 ? record : record with
{
    Case = $"{record.Case[..^1]}, Repeat={number})",
    Parameters = new Dictionary<string, string>(record.Parameters) { ["Repeat"] = number.ToString(CultureInfo.InvariantCulture) },
};

static double PeakBytes() =>
    double.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;

// From the event to when the browser has painted what it changed.
static async Task<(string, string, string)[]> InBrowser(string file)
{
    const string painted = """
        action => new Promise(done => {
          const start = performance.now();
          action();
          requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
        })
        """;
    using var playwright = await Playwright.CreateAsync();
    await using var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = Environment.GetEnvironmentVariable("CHROMIUM"), Args = ["--no-sandbox", "--disable-gpu"] });
    var page = await browser.NewPageAsync();
    var clock = Stopwatch.StartNew();
    await page.GotoAsync($"file://{file}");
    await page.WaitForFunctionAsync("document.documentElement.dataset.drawn !== undefined");
    var opened = clock.Elapsed.TotalMilliseconds;
    async Task<string> Median(string action)
    {
        var times = new List<double>();
        for (var i = 0; i < 5; i++)
            times.Add(await page.EvaluateAsync<double>($"({painted})(() => {{ {action} }})"));
        return $"{times.Order().ElementAt(2):0} ms";
    }
    return
    [
        ("opening it", "", $"{opened:0} ms"),
        ("a click: light to dark, or back", "under 200 ms", await Median("document.getElementById('theme').click()")),
        ("a click: the table of one chart", "under 200 ms", await Median("const one = document.querySelector('figure details'); one.open = !one.open")),
        ("another figure along the chosen axes", "under 200 ms", await Median("const select = document.getElementById('explore-figure'); select.selectedIndex = (select.selectedIndex + 1) % 4; select.dispatchEvent(new Event('change'))")),
        ("another workload, with the axes that show the most of it", "under 200 ms", await Median("const one = document.getElementById('explore-workload'); one.selectedIndex = (one.selectedIndex + 1) % one.options.length; one.dispatchEvent(new Event('change'))")),
        ("a jump to another chapter", "under 200 ms", await Median("location.hash = location.hash === '#limits' ? '#method' : '#limits'")),
    ];
}

static int Wrong(string sentence)
{
    Console.Error.WriteLine($"report-speed: {sentence}");
    return 64;
}
