#:property PublishAot=false
#:property RestorePackagesWithLockFile=false
#:property TieredPGO=true
#:property Nullable=enable
#:project ../reports/Reports/Reports.csproj
#:project ../harness/TestSupport/TestSupport.csproj
// How fast a history answers: what scripts/history-speed runs.

using System.Diagnostics;
using System.Globalization;
using System.Text;
using Bench.Measure.Records;
using Bench.Reports.Comparison;
using Bench.Reports.History;
using Bench.TestSupport;
using Npgsql;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
string output = "", commit = "unknown";
int cases = 1_000, runs = 500, points = 1_000_000;
for (var i = 0; i < args.Length; i += 2)
{
    if (i + 1 == args.Length)
        return Wrong($"{args[i]} needs a value");
    switch (args[i])
    {
        case "--out": output = args[i + 1]; break;
        case "--commit": commit = args[i + 1]; break;
        case "--cases" when int.TryParse(args[i + 1], out cases) && cases > 0: break;
        case "--runs" when int.TryParse(args[i + 1], out runs) && runs > 0: break;
        case "--points" when int.TryParse(args[i + 1], out points) && points > 0: break;
        default: return Wrong($"{args[i]} {args[i + 1]} is no option; scripts/history-speed --help lists them");
    }
}

using var folder = new TestFolder();
using var server = new PostgresServer();
var rows = new List<(string What, string Target, string Measured)>();
var begun = DateTimeOffset.UtcNow;
var load = File.ReadAllText("/proc/loadavg").Split(' ')[0];

using (var lines = HistoryStore.Open(folder.File("history")))
{
    rows.Add(($"JSON lines: adding {runs} runs of {cases:N0} cases", "", Seconds(() => Fill(lines, runs, cases))));
    rows.Add(Check("JSON lines", lines));
}
using (var database = PostgresHistory.Open(server.Address("postgres")))
{
    rows.Add(($"PostgreSQL: adding {runs} runs of {cases:N0} cases", "", Seconds(() => Fill(database, runs, cases))));
    rows.Add(Check("PostgreSQL", database));
}
CreateDatabase("million");
var plan = "";
using (var database = PostgresHistory.Open(server.Address("million")))
{
    var all = points / 500;
    rows.Add(($"PostgreSQL: adding {all:N0} runs of 500 cases, {all * 500:N0} points", "", Seconds(() => Fill(database, all, 500))));
    Execute("million", "vacuum analyze");
    foreach (var last in new[] { 50, 500 })
        rows.Add(OneCase(database, last));
    plan = Plan("million", 500);
}

var page = Page();
Console.Out.Write(page);
if (output.Length > 0)
    File.WriteAllText(output, page);
return 0;

(string, string, string) Check(string name, IHistoryStore store)
{
    HistoryCheckResult? result = null;
    string[] names = [];
    var cpu = Environment.CpuUsage.TotalTime;
    var took = Seconds(() =>
    {
        names = [.. store.Cases().Select(one => one.Case)];
        result = HistoryCheck.Of(store.Last(names, 500), Figures.All, 0.05);
    });
    // One case in ten has a step of 10 % in its throughput and p99.
    var right = result!.Changes.Count(change => IsStep(Number(change.Case), change.LastBefore.Run, change.FirstAfter.Run));
    var wrong = result.Changes.Count(change => Number(change.Case) % 10 != 0 || change.Figure == Figure.CpuPerOperation);
    return ($"{name}: check of {names.Length:N0} cases × {runs} runs, all three figures ({result.Judged:N0} series)", "< 30 s",
        $"{took} ({(Environment.CpuUsage.TotalTime - cpu).TotalSeconds:0.0} s of CPU time); {right} of {cases / 10 * 2} steps named within 3 runs, {wrong} changes in series that have none");
}

(string, string, string) OneCase(PostgresHistory store, int last)
{
    var random = new Random(last);
    var times = new List<double>();
    for (var question = 0; question < 300; question++)
    {
        var name = Name(random.Next(500));
        var started = Stopwatch.GetTimestamp();
        var got = store.Last([name], last).Single().Points.Count;
        times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        if (got != Math.Min(last, points / 500))
            throw new InvalidOperationException($"{name} has {got} points");
    }
    times.Sort();
    return ($"PostgreSQL: the last {last} of one case's {points / 500:N0} points", "median < 50 ms", $"median {times[150]:0.00} ms, 95th percentile {times[285]:0.00} ms, of 300 questions");
}

void Fill(IHistoryStore store, int count, int width)
{
    // One generator for all runs: those of neighbouring seeds begin alike.
    var random = new Random(1);
    for (var run = 0; run < count; run++)
        store.Add(MakeRun(run, count, width, random));
}

// Noise of 5 % on each figure; in every tenth case throughput and p99 get worse by 10 % in the last fifth of the runs.
RunPoints MakeRun(int number, int count, int width, Random random)
{
    var started = new DateTimeOffset(2024, 1, 1, 0, 0, 0, TimeSpan.Zero).AddHours(8 * number);
    double Noise() => Math.Exp(0.05 * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
    var made = Enumerable.Range(0, width).Select(index =>
    {
        var (speed, noise) = (index % 10 == 0 && number >= count * 4 / 5 ? 0.9 : 1, Noise());
        return new HistoryPoint
        {
            Case = Name(index),
            Workload = "CachePath",
            Verdict = Verdict.Proven,
            BytesPerSecond = new Estimate(1e8 * speed * noise, 0.97e8 * speed * noise, 1.03e8 * speed * noise),
            P99Ns = Math.Round(1e6 / speed * Noise()),
            CpuNsPerOperation = 1700 * Noise(),
        };
    }).OrderBy(point => point.Case, StringComparer.Ordinal).ToArray();
    return new RunPoints(new HistoryRun
    {
        Run = $"{started:yyyyMMdd-HHmmss}-{number:x4}",
        StartedUtc = started,
        ToolVersion = "0.1.0",
        Commit = $"{number:x40}",
        Profile = "standard",
        Target = "ext4 on a disk",
        Points = made.Length,
        Traits = [.. Enumerable.Range(0, 40).Select(trait => new Trait($"trait {trait}", "as ever", TraitKind.Machine))],
    }, made);
}

static string Name(int index) => $"CachePath(Access=Direct,Operation=Read,Pattern=Random,BlockSize={4 << index % 8}KiB,Engine=io_uring,QueueDepth={1 << index % 6},Threads=1,FileSize={index}MiB)";

static int Number(string name) => int.Parse(name.AsSpan(name.LastIndexOf('=') + 1, name.LastIndexOf("MiB", StringComparison.Ordinal) - name.LastIndexOf('=') - 1), NumberStyles.None, CultureInfo.InvariantCulture);

bool IsStep(int index, string before, string after)
{
    static int Of(string run) => int.Parse(run.AsSpan(run.LastIndexOf('-') + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    return index % 10 == 0 && (Math.Abs(Of(before) - (runs * 4 / 5 - 1)) <= 3 || Math.Abs(Of(after) - runs * 4 / 5) <= 3);
}

static string Seconds(Action act)
{
    var started = Stopwatch.GetTimestamp();
    act();
    return $"{Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s";
}

void CreateDatabase(string name) => Execute("postgres", $"create database {name}");

void Execute(string database, string sql)
{
    using var connection = new NpgsqlConnection(PostgresAddress.Parse(server.Address(database)).ConnectionString);
    connection.Open();
    using var command = new NpgsqlCommand(sql, connection);
    command.ExecuteNonQuery();
}

string Plan(string database, int last)
{
    using var connection = new NpgsqlConnection(PostgresAddress.Parse(server.Address(database)).ConnectionString);
    connection.Open();
    using var command = new NpgsqlCommand("explain (analyze, costs off, buffers) " + PostgresHistory.LastStatement, connection);
    command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [Name(7)] });
    command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = last });
    var text = new StringBuilder();
    using var reader = command.ExecuteReader();
    while (reader.Read())
        text.Append(reader.GetString(0)).Append('\n');
    return text.ToString();
}

string Page()
{
    var text = new StringBuilder();
    text.Append("# How fast a history answers\n\n");
    text.Append(CultureInfo.InvariantCulture, $"`scripts/history-speed`, {begun:yyyy-MM-dd HH:mm} UTC, commit {commit}, {Environment.ProcessorCount} processors, .NET {Environment.Version}, load {load} at the start. Times are by the wall clock; the page cache holds what was just written.\n\n");
    text.Append("| what | wanted | measured |\n|---|---|---|\n");
    foreach (var (what, target, measured) in rows)
        text.Append(CultureInfo.InvariantCulture, $"| {what} | {target} | {measured} |\n");
    text.Append("\nEach figure has 5 % of noise; in every tenth case throughput and p99 get worse by 10 % in the last fifth of the runs.\n");
    text.Append(CultureInfo.InvariantCulture, $"\nThe plan of one case's last 500 points out of {points:N0} (`explain (analyze, costs off, buffers)`):\n\n```\n{plan}```\n");
    return text.ToString();
}

static int Wrong(string message)
{
    Console.Error.WriteLine($"history-speed: {message}");
    return 64;
}
