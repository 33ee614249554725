#:property PublishAot=false
#:property RestorePackagesWithLockFile=false
#:project ../harness/Measure/Measure.csproj
// The same cells through fio and through bench, in pairs: what scripts/compare-with-fio runs once both are there.
//
// A pair is one run of each, one straight after the other, the order changing from pair to pair (ABBA), so that a drift
// of the machine falls on both alike. All cells have their first pair, then all their second, so that a disturbance of
// minutes falls on all cells alike. The sample is the ratio bench / fio of each pair.

using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bench.Measure;
using Bench.Measure.Records;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;

Options options;
try
{
    options = Options.Parse(args);
}
catch (ArgumentException error)
{
    Console.Error.WriteLine($"compare-with-fio: {error.Message}");
    return 2;
}

var cells = Cell.All.Where(cell => options.Cells.Length == 0 || options.Cells.All(word => cell.Words.Contains(word, StringComparer.OrdinalIgnoreCase))).ToList();
if (cells.Count == 0)
{
    Console.Error.WriteLine($"compare-with-fio: no cell has all of: {string.Join(' ', options.Cells)}. A cell is named like: {Cell.All[0].Name}");
    return 2;
}

var stopped = false;
Console.CancelKeyPress += (_, press) =>
{
    // The child in progress has had the signal too and ends; what is measured is still printed.
    press.Cancel = true;
    stopped = true;
};

var failures = new List<string>();
DataFile data;
try
{
    data = DataFile.Make(options, cells[0]);
}
catch (RunFailedException error)
{
    Console.Error.WriteLine($"compare-with-fio: could not make the data file: {error.Message}");
    return stopped ? 130 : 1;
}
var results = cells.ToDictionary(cell => cell, _ => new List<Pair>());
try
{
    var fio = new FioSide(options, data);
    var bench = new BenchSide(options, data);
    var failed = cells.ToDictionary(cell => cell, _ => 0);
    for (var pair = 0; pair < options.Pairs && !stopped; pair++)
    {
        foreach (var cell in cells)
        {
            // A cell that never works costs its time only twice.
            if (stopped || (failed[cell] >= 2 && results[cell].Count == 0))
                continue;
            Console.Error.WriteLine($"pair {pair + 1} of {options.Pairs}: {cell.Name}");
            Side[] order = pair % 2 == 0 ? [fio, bench] : [bench, fio];
            try
            {
                var first = order[0].Run(cell);
                var second = order[1].Run(cell);
                // fio ends well after Ctrl-C, with what it had: a run cut short is no run.
                if (!stopped)
                    results[cell].Add(order[0] == fio ? new Pair(first, second) : new Pair(second, first));
            }
            catch (RunFailedException error) when (!stopped)
            {
                failed[cell]++;
                failures.Add($"{cell.Name}, pair {pair + 1}: {error.Message}");
                Console.Error.WriteLine($"  failed: {error.Message}");
            }
            catch (RunFailedException)
            {
                // Ctrl-C ended the child: no failure of it.
            }
        }
    }
}
finally
{
    data.Remove();
}

var page = Page.Render(options, data.MadeBy, results, failures);
Console.Write(page);
if (options.Out is not null)
{
    Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(options.Out))!);
    File.WriteAllText(options.Out, page);
}
return stopped ? 130 : failures.Count > 0 || results.Values.Any(pairs => pairs.Count == 0) ? 1 : 0;

/// <summary>What the command line says.</summary>
sealed record Options(string Target, int Pairs, int Seconds, string Size, string? Out, string Bench, string[] Cells, string CommandLine)
{
    public const string Usage = "[--target DIR] [--pairs N] [--seconds S] [--size 1GiB] [--out FILE] [--cells 'Direct Random Read 4KiB psync']";

    public long SizeBytes { get; } = ParseSize(Size);

    public static Options Parse(string[] args)
    {
        var options = new Options(".", 10, 2, "1GiB", null, "", [], CommandOf(args));
        for (var i = 0; i < args.Length; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : throw new ArgumentException($"{args[i]} needs a value; the options are {Usage}");
            options = args[i] switch
            {
                "--target" => options with { Target = value },
                "--pairs" => options with { Pairs = Positive(value) },
                "--seconds" => options with { Seconds = Positive(value) },
                "--size" => new Options(options.Target, options.Pairs, options.Seconds, value, options.Out, options.Bench, options.Cells, options.CommandLine),
                "--out" => options with { Out = value },
                "--bench" => options with { Bench = value },
                "--cells" => options with { Cells = value.Split(' ', StringSplitOptions.RemoveEmptyEntries) },
                _ => throw new ArgumentException($"{args[i]} is not an option; the options are {Usage}"),
            };
        }
        return Directory.Exists(options.Target) ? options : throw new ArgumentException($"the target {options.Target} is not a folder");

        static int Positive(string value) =>
            int.TryParse(value, out var number) && number > 0 ? number : throw new ArgumentException($"{value} is not a whole number above 0");
    }

    // As somebody would type it: without --bench, which the bash script adds, and with quotes where a word has spaces.
    private static string CommandOf(string[] args) =>
        string.Join(' ', args.SkipWhile(arg => arg == "--bench").Skip(args is ["--bench", ..] ? 1 : 0)
            .Select(arg => arg.Contains(' ', StringComparison.Ordinal) ? $"'{arg}'" : arg).Prepend("scripts/compare-with-fio"));

    private static long ParseSize(string size)
    {
        foreach (var (unit, shift) in new[] { ("KiB", 10), ("MiB", 20), ("GiB", 30) })
        {
            if (size.EndsWith(unit, StringComparison.Ordinal) && long.TryParse(size[..^3], out var number) && number > 0)
                return number << shift;
        }
        throw new ArgumentException($"{size} is not a size; write 256MiB or 1GiB");
    }
}

/// <summary>One combination of parameters, under bench's names for them.</summary>
sealed record Cell(string Access, string Pattern, string Operation, string BlockSize, string Engine, int QueueDepth)
{
    public static IReadOnlyList<Cell> All { get; } =
    [
        .. from access in new[] { "Direct", "BufferedWarm" }
           from pattern in new[] { "Sequential", "Random" }
           from operation in new[] { "Read", "Write" }
           from block in new[] { "4KiB", "1MiB" }
           from engine in new[] { ("psync", 1), ("io_uring", 32) }
           select new Cell(access, pattern, operation, block, engine.Item1, engine.Item2),
    ];

    public string Name => $"{Access} {Pattern} {Operation} {BlockSize} {Engine} {QueueDepth}";

    public string[] Words => Name.Split(' ');

    public bool IsDirect => Access == "Direct";

    /// <summary>What bench calls the file of such a case.</summary>
    public string Purpose => Operation == "Write" ? "write" : "data";

    public string FioPattern => (Pattern == "Random" ? "rand" : "") + (Operation == "Read" ? "read" : "write");
}

/// <summary>One run of one side.</summary>
sealed record Figures(double Seconds, long Bytes, long Operations, double CpuSeconds, double P50Ns, double P99Ns, Verdict? Verdict)
{
    public double BytesPerSecond => Bytes / Seconds;

    public double CpuMicrosecondsPerOperation => CpuSeconds * 1e6 / Operations;
}

sealed record Pair(Figures Fio, Figures Bench);

/// <summary>A run that gave no figures; the message is one sentence.</summary>
sealed class RunFailedException(string message) : Exception(message);

/// <summary>The one file that both sides read and write: bench makes it, fio is given its name.</summary>
sealed class DataFile
{
    private DataFile(string folder, string path, RunRecord madeBy)
    {
        Folder = folder;
        FullPath = path;
        MadeBy = madeBy;
    }

    public string Folder { get; }

    public string FullPath { get; }

    /// <summary>The record of the run that made it: it says which machine this is.</summary>
    public RunRecord MadeBy { get; }

    public static DataFile Make(Options options, Cell cell)
    {
        var before = Directory.GetDirectories(options.Target, ".bench-*").ToHashSet();
        Console.Error.WriteLine($"making a data file of {options.Size} in {options.Target}");
        var record = BenchSide.Start(options, cell, ["--keep"]);
        var fresh = Directory.GetDirectories(options.Target, ".bench-*").Where(folder => !before.Contains(folder)).ToList();
        if (fresh is not [var made])
            throw new RunFailedException($"bench run --keep left {fresh.Count} new folders in {options.Target}, not 1.");
        var path = Path.Combine(made, $"{cell.Purpose}-{options.Size}.bin");
        if (!File.Exists(path) || new FileInfo(path).Length != options.SizeBytes)
        {
            Directory.Delete(made, recursive: true);
            throw new RunFailedException($"bench run --keep left no {Path.GetFileName(path)} of {options.SizeBytes} bytes in {made}.");
        }
        // bench reads one file and writes another; here both sides and both directions use the same: two names for it.
        foreach (var purpose in new[] { "data", "write" })
        {
            if (purpose != cell.Purpose)
                Child.Run("ln", path, Path.Combine(made, $"{purpose}-{options.Size}.bin"));
        }
        return new DataFile(made, Path.GetFullPath(path), record);
    }

    /// <summary>The same state before each run of either side: nothing dirty, and wholly in the page cache or wholly not.</summary>
    public void Prepare(Cell cell)
    {
        Child.Run("sync", FullPath);
        if (cell.IsDirect)
        {
            Child.Run("dd", $"of={FullPath}", "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none");
        }
        else
        {
            using var file = File.OpenHandle(FullPath);
            var buffer = new byte[1 << 20];
            for (long position = 0, read; (read = RandomAccess.Read(file, buffer, position)) > 0;)
                position += read;
        }
        // Not a disk that still works on the evicted or synced pages; the same on both sides.
        Thread.Sleep(100);
    }

    public void Remove()
    {
        if (Directory.Exists(Folder))
            Directory.Delete(Folder, recursive: true);
    }
}

abstract class Side
{
    public abstract Figures Run(Cell cell);
}

sealed class FioSide(Options options, DataFile data) : Side
{
    private readonly Dictionary<Cell, double> _startCpuSeconds = [];

    public override Figures Run(Cell cell)
    {
        // fio's own usr_cpu and sys_cpu are the job thread's: the kernel's io_uring workers, which do the work of
        // buffered writes, are in the process's time alone, as they are in bench's. So for io_uring the process's time
        // counts, less what the same process takes to do one operation.
        var ofProcess = cell.Engine == "io_uring";
        if (ofProcess && !_startCpuSeconds.ContainsKey(cell))
            _startCpuSeconds[cell] = Enumerable.Range(0, 3).Select(_ => Start(cell, "--number_ios=1").ProcessCpuSeconds).Order().ElementAt(1);

        data.Prepare(cell);
        var (job, processCpuSeconds) = Start(cell, "--time_based", $"--runtime={options.Seconds}");
        var direction = job[cell.Operation == "Read" ? "read" : "write"]!;
        var operations = Number(direction, "total_ios");
        var percentiles = direction["lat_ns"]?["percentile"] ?? throw new RunFailedException("fio gave no latency percentiles.");
        if (operations == 0)
            throw new RunFailedException("fio did no operation.");
        return new Figures(
            Number(direction, "runtime") / 1e3,
            (long)Number(direction, "io_bytes"),
            (long)operations,
            ofProcess ? Math.Max(0, processCpuSeconds - _startCpuSeconds[cell]) : (Number(job, "usr_cpu") + Number(job, "sys_cpu")) / 100 * Number(job, "job_runtime") / 1e3,
            Number(percentiles, "50.000000"),
            Number(percentiles, "99.000000"),
            null);
    }

    // Times the process with the shell's own "time": the only clock of a child's CPU that every machine has.
    private (JsonNode Job, double ProcessCpuSeconds) Start(Cell cell, params string[] length)
    {
        string[] arguments =
        [
            "--name=cell", $"--filename={data.FullPath}", $"--size={options.SizeBytes}", $"--rw={cell.FioPattern}",
            $"--bs={Bytes(cell.BlockSize)}", $"--ioengine={cell.Engine}", $"--iodepth={cell.QueueDepth}",
            $"--direct={(cell.IsDirect ? 1 : 0)}", "--invalidate=0", "--norandommap=0", "--randrepeat=1", "--end_fsync=0",
            "--fallocate=none", "--allow_file_create=0", "--lat_percentiles=1", "--clat_percentiles=0", "--percentile_list=50:99",
            "--output-format=json", .. length,
        ];
        var child = Child.TryRun("bash", ["-c", "TIMEFORMAT='cpu %3U %3S'; time \"$@\"", "time", "fio", .. arguments]);
        var lines = child.StandardError.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (child.ExitCode != 0)
            throw new RunFailedException($"fio ended with {child.ExitCode}: {lines.FirstOrDefault(line => !line.StartsWith("cpu ", StringComparison.Ordinal)) ?? child.StandardOutput.Split('\n')[0]}");
        var cpu = lines.Last(line => line.StartsWith("cpu ", StringComparison.Ordinal)).Split(' ');
        var job = FirstJob(child.StandardOutput);
        if (job is null || Number(job, "error") != 0)
            throw new RunFailedException($"fio reported error {job?["error"]}.");
        return (job, double.Parse(cpu[1], CultureInfo.InvariantCulture) + double.Parse(cpu[2], CultureInfo.InvariantCulture));
    }

    private static JsonNode? FirstJob(string output)
    {
        try
        {
            // Notes of fio may stand before the JSON.
            return JsonNode.Parse(output[Math.Max(0, output.IndexOf('{', StringComparison.Ordinal))..])?["jobs"]?[0];
        }
        catch (JsonException error)
        {
            throw new RunFailedException($"fio printed no JSON ({error.Message}).");
        }
    }

    // A figure that is not there is a failure, never a zero.
    private static double Number(JsonNode node, string name) =>
        node[name] is JsonValue value && value.TryGetValue(out double number) ? number : throw new RunFailedException($"fio gave no {name}.");

    private static long Bytes(string size) => size switch
    {
        "4KiB" => 4096,
        "1MiB" => 1 << 20,
        _ => throw new ArgumentOutOfRangeException(nameof(size), size, null),
    };
}

sealed class BenchSide(Options options, DataFile data) : Side
{
    public override Figures Run(Cell cell)
    {
        data.Prepare(cell);
        var record = Start(options, cell, ["--reuse", data.Folder]);
        if (record.Passes is not [var pass])
            throw new RunFailedException($"bench's record has {record.Passes.Count} passes, not 1.");
        if (!record.LatencyNs.TryGetValue(cell.Operation.ToLowerInvariant(), out var latency))
            throw new RunFailedException($"bench's record has no latency of {cell.Operation}.");
        if (pass.Operations == 0)
            throw new RunFailedException("bench did no operation.");
        return new Figures(pass.Seconds, pass.Bytes, pass.Operations, pass.CpuUserSeconds + pass.CpuSystemSeconds, latency.P50, latency.P99, record.Evidence.Verdict);
    }

    /// <summary>Runs one case and returns its record.</summary>
    public static RunRecord Start(Options options, Cell cell, string[] further)
    {
        var output = Directory.CreateTempSubdirectory("compare-with-fio-");
        try
        {
            string[] arguments =
            [
                "run", "--target", options.Target, "--filter", "CachePath*",
                "--set", $"Access={cell.Access}", "--set", $"Pattern={cell.Pattern}", "--set", $"Operation={cell.Operation}",
                "--set", $"BlockSize={cell.BlockSize}", "--set", $"Engine={cell.Engine}", "--set", $"QueueDepth={cell.QueueDepth}",
                "--set", "Threads=1", "--set", $"FileSize={options.Size}", "--passes", "1", "--pass-seconds", $"{options.Seconds}",
                "--json", "--out", output.FullName, .. further,
            ];
            var child = options.Bench.EndsWith(".dll", StringComparison.Ordinal)
                ? Child.TryRun("dotnet", [options.Bench, .. arguments])
                : Child.TryRun(options.Bench, arguments);
            var records = child.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            if (child.ExitCode != 0 || records.Length != 1)
                throw new RunFailedException($"bench ended with {child.ExitCode} and {records.Length} records: {child.StandardError.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault()}");
            var record = RecordJson.Read(records[0]);
            return record.Error is { } error ? throw new RunFailedException($"bench: {error}") : record;
        }
        catch (RecordException error)
        {
            throw new RunFailedException($"what bench printed is no record: {error.Message}");
        }
        finally
        {
            output.Delete(recursive: true);
        }
    }
}

static class Child
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(10);

    public static void Run(string program, params string[] arguments)
    {
        var child = TryRun(program, arguments);
        if (child.ExitCode != 0)
            throw new RunFailedException($"{program} ended with {child.ExitCode}: {child.StandardError.Trim()}");
    }

    public static (int ExitCode, string StandardOutput, string StandardError) TryRun(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["LC_ALL"] = "C";
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            throw new RunFailedException($"{program} could not be started: {error.Message}.");
        }
        using (process)
        {
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(Timeout))
            {
                process.Kill(entireProcessTree: true);
                throw new RunFailedException($"{program} did not end within {Timeout.TotalMinutes} minutes.");
            }
            return (process.ExitCode, output.Result, error.Result);
        }
    }
}

static class Page
{
    private const double LeastThroughputRatio = 0.97;
    private const double MostCpuRatio = 1.10;

    public static string Render(Options options, RunRecord made, IReadOnlyDictionary<Cell, List<Pair>> results, List<string> failures)
    {
        var page = new StringBuilder();
        void Line(FormattableString text) => page.Append(FormattableString.Invariant(text)).Append('\n');

        Line($"# The same work through fio and through bench");
        Line($"");
        Line($"    {options.CommandLine}");
        Line($"");
        Line($"{DateTime.UtcNow:yyyy-MM-dd}, {Machine(made)}; {Child.TryRun("fio", ["--version"]).StandardOutput.Trim()}, bench {made.Tool.Version}{(made.Tool.Commit is { } commit ? $" of commit {commit}" : "")}.");
        Line($"");
        Line($"Per cell, up to {options.Pairs} pairs of runs of {options.Seconds} s on the same file of {options.Size}, in changing order; fio with its random map, and its total latency.");
        Line($"A ratio is the median over pairs of bench / fio, with the exact 95 % interval of that median (below {MedianInterval.FewestForNominal} pairs the whole range, which covers less).");
        Line($"Target: throughput at least {LeastThroughputRatio:0.00} of fio's, CPU per operation at most {MostCpuRatio:0.00} of fio's. *met*: the median is there; *missed*: the whole interval is beyond; *open*: the median is not there, but the interval reaches it.");
        Line($"CPU is user and system time: of the process during the pass for bench; for fio of the job (psync), or of the process less its start (io_uring), because fio's own figure leaves out the kernel's io_uring workers.");
        Line($"");
        Line($"| cell | pairs | throughput, bench / fio | | CPU per operation, bench / fio | |");
        Line($"|---|---:|---:|---|---:|---|");
        foreach (var (cell, pairs) in results)
        {
            if (pairs.Count == 0)
            {
                Line($"| {cell.Name} | 0 | – | no figures | – | no figures |");
                continue;
            }
            var throughput = Estimate(pairs.Select(pair => pair.Bench.BytesPerSecond / pair.Fio.BytesPerSecond));
            var cpu = Estimate(pairs.Select(pair => pair.Bench.CpuMicrosecondsPerOperation / pair.Fio.CpuMicrosecondsPerOperation));
            Line($"| {cell.Name} | {pairs.Count} | {Spell(throughput)} | {Met(throughput.Median >= LeastThroughputRatio, throughput.High < LeastThroughputRatio)} | {Spell(cpu)} | {Met(cpu.Median <= MostCpuRatio, cpu.Low > MostCpuRatio)} |");
        }
        Line($"");
        Line($"Medians of each side's runs, fio / bench; latency in µs; the evidence is bench's verdict on its own runs.");
        Line($"");
        Line($"| cell | MB/s | operations/s | CPU µs per operation | latency p50 | latency p99 | evidence |");
        Line($"|---|---:|---:|---:|---:|---:|---|");
        foreach (var (cell, pairs) in results.Where(result => result.Value.Count > 0))
        {
            string Both(Func<Figures, double> figure, string format) =>
                string.Join(" / ", new[] { pairs.Select(pair => pair.Fio), pairs.Select(pair => pair.Bench) }
                    .Select(side => Estimate(side.Select(figure)).Median.ToString(format, CultureInfo.InvariantCulture)));
            var evidence = string.Join(", ", pairs.GroupBy(pair => pair.Bench.Verdict.ToString()!.ToLowerInvariant()).OrderByDescending(group => group.Count()).Select(group => $"{group.Key} {group.Count()}"));
            Line($"| {cell.Name} | {Both(f => f.BytesPerSecond / 1e6, "0.0")} | {Both(f => f.Operations / f.Seconds, "0")} | {Both(f => f.CpuMicrosecondsPerOperation, "0.00")} | {Both(f => f.P50Ns / 1e3, "0.0")} | {Both(f => f.P99Ns / 1e3, "0.0")} | {evidence} |");
        }
        if (failures.Count > 0)
        {
            Line($"");
            Line($"Runs that failed; their pairs are left out:");
            Line($"");
            failures.ForEach(failure => Line($"- {failure}"));
        }
        return page.ToString();
    }

    private static string Machine(RunRecord record)
    {
        var host = record.Host;
        var disks = string.Join(" + ", record.Target.PhysicalDisks().Select(disk => disk.Model ?? disk.Name));
        return FormattableString.Invariant($"{host.LogicalProcessors} × {host.Processor}, {host.MemoryBytes / (double)(1 << 30):0} GiB, {host.Virtualization ?? "no hypervisor seen"}, {host.OperatingSystem}, Linux {host.Kernel}, {record.Target.Mount.FileSystem} on {disks}");
    }

    private static Estimate Estimate(IEnumerable<double> values) => MedianInterval.Of(values)!;

    private static string Spell(Estimate ratio) => FormattableString.Invariant($"{ratio.Median:0.000} [{ratio.Low:0.000}, {ratio.High:0.000}]");

    private static string Met(bool medianIsThere, bool intervalIsBeyond) => medianIsThere ? "met" : intervalIsBeyond ? "missed" : "open";
}
