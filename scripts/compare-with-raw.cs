#:property PublishAot=false
#:property RestorePackagesWithLockFile=false
#:property TieredPGO=true
#:property Nullable=enable
#:project ../harness/SegmentLog/SegmentLog.csproj
#:project ../harness/Measure/Measure.csproj
// The log engine against a C loop of write(2), in pairs: what scripts/compare-with-raw runs.

using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Bench.Disk;
using Bench.Disk.Topology;
using Bench.Measure;
using Bench.SegmentLog;
using Bench.SegmentLog.Format;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
string raw = "", target = ".", only = "", output = "", commit = "unknown";
var pairs = 10;
for (var i = 0; i < args.Length; i += 2)
{
    if (i + 1 == args.Length)
        return Wrong($"{args[i]} needs a value");
    switch (args[i])
    {
        case "--raw": raw = args[i + 1]; break;
        case "--target": target = args[i + 1]; break;
        case "--only": only = args[i + 1]; break;
        case "--out": output = args[i + 1]; break;
        case "--commit": commit = args[i + 1]; break;
        case "--pairs" when int.TryParse(args[i + 1], out pairs) && pairs > 0: break;
        default: return Wrong($"{args[i]} {args[i + 1]} is no option; scripts/compare-with-raw --help lists them");
    }
}
if (!Directory.Exists(target))
    return Wrong($"the target {target} is no folder");

using var place = new Place(target);
var engine = new Engine(place);
var loop = new RawLoop(raw, place);
var rows = new List<Row>();
const int Total = 512 << 20;

// First: ext4 looks long for a free inode where files were deleted in the last minutes.
Alone("the append that meets a roll, p99 of the roll's share", "ms", -0.3, "4", engine.RollP99);
foreach (var (size, kafka) in new[] { (16 << 10, 0.94), (64 << 10, 0.92), (1 << 20, 0.79) })
    Against($"append, never flushed, {Kib(size)} batches", size, Total, new LogConfig { FlushPolicy = FlushPolicy.None }, flushEvery: 0, target: 0.95, kafka);
foreach (var (size, kafka) in new[] { (16 << 10, 0.38), (64 << 10, 0.35), (1 << 20, 0.42) })
    Against($"append with every record checked, {Kib(size)} batches", size, Total, new LogConfig { FlushPolicy = FlushPolicy.None, AppendChecks = AppendChecks.EveryRecord }, flushEvery: 0, target: 2 * kafka, kafka);
foreach (var (size, kafka) in new[] { (16 << 10, 0.56), (64 << 10, 0.54) })
{
    Against($"each, {Kib(size)} batches", size, size * 1000, new LogConfig { FlushPolicy = FlushPolicy.Each }, flushEvery: 1, target: 0.95, kafka);
    // Longer: the first blocks of the next segment are made ahead too, whether it comes to be used or not.
    Against($"each, zeroed ahead, {Kib(size)} batches", size, size * 4000, new LogConfig { FlushPolicy = FlushPolicy.Each, Preallocation = Preallocation.Zeroed }, flushEvery: 1, target: 1, null);
}
Pairwise("group:200 with 16 producers over each with one, 16 KiB", 6, null,
    () => engine.Append(16 << 10, (16 << 10) * 8000, new LogConfig { FlushPolicy = new FlushPolicy(FlushKind.Group, 200) }, producers: 16),
    () => engine.Append(16 << 10, (16 << 10) * 1000, new LogConfig { FlushPolicy = FlushPolicy.Each }));
Pairwise("64 KiB batches, 16 MiB segments over 1 GiB segments", 0.9, 0.34,
    () => engine.Append(64 << 10, Total, new LogConfig { FlushPolicy = FlushPolicy.None, SegmentBytes = 16 << 20 }),
    () => engine.Append(64 << 10, Total, new LogConfig { FlushPolicy = FlushPolicy.None, SegmentBytes = 1 << 30 }));
Alone("building batches of 100-byte records, 64 KiB", "GB/s", 2.5, "1.0–1.5, append included", Engine.Build);
Alone("building and appending, 64 KiB batches of 100-byte records", "GB/s", 2.5, "1.17", () => engine.BuildAndAppend(64 << 10, Total) / 1e9);
Alone("recovery, warm, 512 MiB in 64 KiB batches", "GB/s", 5, "3.3–4.7", engine.Recover);
Alone("offset look-up in an index of 131,072 entries", "ns", -1000, "", engine.LookUpIndex);
Alone("the exact batch of an offset, 512 MiB in 4 KiB batches", "µs", -2, "3", engine.FindBatch);
Alone("opening 1,000 partitions after a clean stop", "s", -1, "", engine.OpenMany);
Alone("bytes allocated per append, 16 KiB", "B", 0, "", engine.AllocatedPerAppend);

var table = Table();
Console.Write(table);
if (output.Length > 0)
{
    // What somebody wrote below the table stays.
    var old = File.Exists(output) ? File.ReadAllText(output) : "";
    var said = old.IndexOf("\n## ", StringComparison.Ordinal);
    File.WriteAllText(output, Heading() + table + (said < 0 ? "" : old[said..]));
}
return 0;

void Against(string name, int batch, long total, LogConfig config, int flushEvery, double target, double? kafka) => Pairwise(name, target, kafka,
    () => engine.Append(batch, total, config),
    () => loop.Append(engine.BytesOf(batch), total / batch, flushEvery));

// Both sides give bytes per second.
void Pairwise(string name, double target, double? kafka, Func<double> ours, Func<double> theirs)
{
    if (!name.Contains(only, StringComparison.OrdinalIgnoreCase))
        return;
    Console.Error.WriteLine(name);
    ours();
    theirs();
    var (left, right) = (new List<double>(), new List<double>());
    for (var pair = 0; pair < pairs; pair++)
    {
        if (pair % 2 == 0)
            left.Add(ours());
        right.Add(theirs());
        if (pair % 2 != 0)
            left.Add(ours());
    }
    var ratio = MedianInterval.Of(left.Zip(right, (a, b) => a / b))!;
    rows.Add(new Row(name, $"{Median(left) / 1e6:0} / {Median(right) / 1e6:0} MB/s", $"{ratio.Median:0.00} ({ratio.Low:0.00}–{ratio.High:0.00})",
        $"≥ {target:0.00}", kafka is { } share ? $"{share:0.00}" : "", ratio.Low >= target ? "held" : ratio.High < target ? "missed" : "open"));
    Console.Error.WriteLine("  " + rows[^1]);
}

// A target below zero is an upper bound.
void Alone(string name, string unit, double target, string kafka, Func<double> measure)
{
    if (!name.Contains(only, StringComparison.OrdinalIgnoreCase))
        return;
    Console.Error.WriteLine(name);
    measure();
    var interval = MedianInterval.Of(Enumerable.Range(0, pairs).Select(_ => measure()))!;
    var atMost = target <= 0;
    var bound = Math.Abs(target);
    rows.Add(new Row(name, "", $"{Say(interval.Median)} {unit} ({Say(interval.Low)}–{Say(interval.High)})", $"{(atMost ? "≤" : "≥")} {bound:0.##} {unit}", kafka,
        (atMost ? interval.High <= bound : interval.Low >= bound) ? "held" : (atMost ? interval.Low > bound : interval.High < bound) ? "missed" : "open"));
    Console.Error.WriteLine("  " + rows[^1]);
}

string Heading()
{
    var host = new HostProbe().Probe();
    return $"""
        # The log engine against a loop of write(2)

            scripts/compare-with-raw --pairs {pairs} --out reports/engine-speed.md

        {DateTime.UtcNow:yyyy-MM-dd}, {host.LogicalProcessors} × {host.Processor}, {host.MemoryBytes / (double)(1 << 30):0} GiB, {host.Virtualization ?? "no hypervisor seen"}, {host.OperatingSystem}, Linux {host.Kernel}, {new DriveInfo(place.Folder).DriveFormat}; commit {commit}.

        Of two sides, {pairs} pairs of runs, the order changing, and the median of their ratios; of one, the median of {pairs} runs. In brackets the exact 95 % interval of the median.
        *held*: the whole interval is at the target or better; *missed*: none of it; *open*: the target is within. Kafka's figures are those of its own classes over the same loop, measured once on a machine of this kind.


        """;
}

string Table()
{
    var text = new StringBuilder();
    text.AppendLine("| what | engine / other | ratio or figure (95 % interval of the median) | target | Kafka | verdict |");
    text.AppendLine("|---|---|---|---|---|---|");
    foreach (var row in rows)
        text.AppendLine(CultureInfo.InvariantCulture, $"| {row.Name} | {row.Both} | {row.Figure} | {row.Target} | {row.Kafka} | {row.Verdict} |");
    return text.ToString();
}

static int Wrong(string sentence)
{
    Console.Error.WriteLine($"compare-with-raw: {sentence}");
    return 64;
}

static string Say(double value) => value >= 100 ? $"{value:0}" : value >= 1 ? $"{value:0.00}" : $"{value:0.0000}";

static string Kib(int bytes) => bytes >= 1 << 20 ? $"{bytes >> 20} MiB" : $"{bytes >> 10} KiB";

static double Median(List<double> values) => MedianInterval.Of(values)!.Median;

sealed record Row(string Name, string Both, string Figure, string Target, string Kafka, string Verdict);

/// <summary>A folder of ours under the target, removed at the end.</summary>
sealed class Place : IDisposable
{
    private static readonly byte[] Block = new byte[1 << 20];
    private int number;

    public Place(string target)
    {
        Folder = Path.Combine(Path.GetFullPath(target), $".compare-with-raw-{Environment.ProcessId}");
        Directory.CreateDirectory(Folder);
        Console.CancelKeyPress += (_, _) => Dispose();
    }

    public string Folder { get; }

    public string Next() => Path.Combine(Folder, $"log-{number++}");

    /// <summary>Writes and removes so many bytes: the memory behind the page cache is then there.</summary>
    public void Touch(long bytes)
    {
        var path = Path.Combine(Folder, "touch");
        using (var file = DiskFile.Open(path, OpenMode.Write | OpenMode.Create))
            for (long at = 0; at < bytes; at += Block.Length)
                file.Write(Block, at);
        File.Delete(path);
    }

    public void Dispose()
    {
        if (Directory.Exists(Folder))
            Directory.Delete(Folder, recursive: true);
    }
}

/// <summary>The C loop.</summary>
sealed class RawLoop(string program, Place place)
{
    /// <summary>Bytes per second.</summary>
    public double Append(int batchBytes, long batches, int flushEvery)
    {
        place.Touch(batchBytes * batches);
        using var process = Process.Start(new ProcessStartInfo(program, [place.Next(), $"{batchBytes}", $"{batches}", $"{flushEvery}", "0"]) { RedirectStandardOutput = true })!;
        var seconds = double.Parse(process.StandardOutput.ReadToEnd(), CultureInfo.InvariantCulture);
        process.WaitForExit();
        return process.ExitCode == 0 ? batchBytes * batches / seconds : throw new IOException("raw-append failed");
    }
}

/// <summary>The engine, in this process.</summary>
sealed class Engine(Place place)
{
    private readonly Dictionary<int, byte[][]> batches = [];
    private PartitionLog? history;

    public int BytesOf(int batchBytes) => Batches(batchBytes)[0].Length;

    /// <summary>Bytes per second of one log that is appended to.</summary>
    public double Append(int batchBytes, long total, LogConfig config, int producers = 1)
    {
        var size = BytesOf(batchBytes);
        var count = total / batchBytes;
        place.Touch(size * count);
        var folder = place.Next();
        double seconds;
        using (var worker = new LogWorker())
        {
            var log = PartitionLog.Open(folder, config with { MaxBatchBytes = 4 << 20, RetentionMs = -1 }, new LogOpenOptions { Worker = worker, CleanStop = true });
            worker.Drain();
            long left = count;
            var sources = Enumerable.Range(0, producers).Select(number => producers == 1 ? Batches(batchBytes) : [.. Batches(batchBytes).Select(batch => batch.ToArray())]).ToArray();
            var start = Stopwatch.GetTimestamp();
            // Full speed from the first batch on: a loop that runs once per measurement is not compiled well otherwise.
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            void Produce(byte[][] source)
            {
                for (var i = 0; producers == 1 ? i < count : Interlocked.Decrement(ref left) >= 0; i++)
                    log.Append(source[i % source.Length]);
            }
            var threads = sources[1..].Select(source => new Thread(() => Produce(source))).ToArray();
            foreach (var thread in threads)
                thread.Start();
            Produce(sources[0]);
            foreach (var thread in threads)
                thread.Join();
            seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            log.Abandon();
        }
        Directory.Delete(folder, recursive: true);
        return size * count / seconds;
    }

    /// <summary>GB/s of batches that are built and not appended.</summary>
    public static double Build()
    {
        var builder = new RecordBatchBuilder(64 << 10);
        var record = new byte[100];
        long bytes = 0;
        var start = Stopwatch.GetTimestamp();
        while (bytes < 1L << 30)
            bytes += BuildOne(builder, record, 64 << 10).Length;
        return bytes / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9;
    }

    /// <summary>Bytes per second of batches that are built and appended.</summary>
    public double BuildAndAppend(int batchBytes, long total)
    {
        place.Touch(total);
        var folder = place.Next();
        var builder = new RecordBatchBuilder(batchBytes);
        var record = new byte[100];
        var log = PartitionLog.Open(folder, new LogConfig { FlushPolicy = FlushPolicy.None, RetentionMs = -1 }, new LogOpenOptions { CleanStop = true });
        long bytes = 0;
        var start = Stopwatch.GetTimestamp();
        while (bytes < total)
        {
            var batch = BuildOne(builder, record, batchBytes);
            log.Append(batch);
            bytes += batch.Length;
        }
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        log.Abandon();
        Directory.Delete(folder, recursive: true);
        return bytes / seconds;
    }

    /// <summary>GB/s of a recovery of cached segments.</summary>
    public double Recover()
    {
        var folder = Path.Combine(place.Folder, "recovery");
        var config = new LogConfig { FlushPolicy = FlushPolicy.None, SegmentBytes = 128 << 20, RetentionMs = -1 };
        if (!Directory.Exists(folder))
            Fill(folder, config, 64 << 10, 512L << 20).Dispose();
        var start = Stopwatch.GetTimestamp();
        var log = PartitionLog.Open(folder, config, new LogOpenOptions { Worker = LogWorker.AtOnce });
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        log.Abandon();
        return log.Recovery.BytesChecked / seconds / 1e9;
    }

    /// <summary>Nanoseconds of a look-up in an offset index.</summary>
    public double LookUpIndex()
    {
        var index = History().Segments[0].Offsets;
        var random = new Random(1);
        var offsets = new long[4096];
        var end = History().EndOffset;
        foreach (ref var offset in offsets.AsSpan())
            offset = random.NextInt64(end);
        long sum = 0;
        var start = Stopwatch.GetTimestamp();
        for (var round = 0; round < 100; round++)
            foreach (var offset in offsets)
                sum += index.Lookup(offset).Position;
        GC.KeepAlive(sum);
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / (100.0 * offsets.Length);
    }

    /// <summary>Microseconds until the batch of an offset is known.</summary>
    public double FindBatch()
    {
        var log = History();
        var random = new Random(2);
        var end = log.EndOffset;
        const int count = 100_000;
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
        {
            using var range = log.Read(random.NextInt64(end), 1);
            GC.KeepAlive(range.LengthBytes);
        }
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / count;
    }

    /// <summary>Seconds to open a log directory of a thousand partitions that was closed properly.</summary>
    public double OpenMany()
    {
        var folder = Path.Combine(place.Folder, "many");
        var config = new LogConfig { FlushPolicy = FlushPolicy.None, RetentionMs = -1 };
        if (!Directory.Exists(folder))
        {
            using var made = LogDirectory.Open(folder, config);
            for (var i = 0; i < 1000; i++)
            {
                var log = made.Create(new TopicPartition("many", i));
                for (var batch = 0; batch < 20; batch++)
                    log.Append(Batches(16 << 10)[batch % 16]);
            }
            made.Close();
        }
        var start = Stopwatch.GetTimestamp();
        var directory = LogDirectory.Open(folder, config);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (!directory.Report.CleanStop || directory.Logs.Count != 1000)
            throw new IOException("the log directory was not as it was closed");
        directory.Close();
        return seconds;
    }

    /// <summary>Milliseconds that a roll adds to the append that meets it, the 99th percentile of 300 rolls.</summary>
    public double RollP99()
    {
        var folder = place.Next();
        var watch = new Rolls();
        var log = PartitionLog.Open(folder, new LogConfig { FlushPolicy = FlushPolicy.None, SegmentBytes = 8 << 20, RetentionMs = -1 }, new LogOpenOptions { CleanStop = true, Observer = watch });
        for (var i = 0; watch.Seconds.Count < 300; i++)
            log.Append(Batches(64 << 10)[i % 16]);
        log.Abandon();
        // Their room is needed, their names stay until the end: see the order of the rows.
        foreach (var path in Directory.EnumerateFiles(folder))
            File.Open(path, FileMode.Truncate).Dispose();
        return watch.Seconds.Order().ElementAt(297) * 1e3;
    }

    /// <summary>Bytes that the garbage collector is asked for per append, without rolls.</summary>
    public double AllocatedPerAppend()
    {
        var folder = place.Next();
        var log = PartitionLog.Open(folder, new LogConfig { FlushPolicy = FlushPolicy.None, RetentionMs = -1 }, new LogOpenOptions { CleanStop = true });
        var source = Batches(16 << 10);
        for (var i = 0; i < 1100; i++)
            log.Append(source[i % source.Length]);
        // The index's array has just grown: it doubles, so that a growth is no cost per append.
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 500; i++)
            log.Append(source[i % source.Length]);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        log.Abandon();
        Directory.Delete(folder, recursive: true);
        return allocated / 500.0;
    }

    private PartitionLog History() => history ??= Fill(Path.Combine(place.Folder, "history"), new LogConfig { FlushPolicy = FlushPolicy.None, IndexIntervalBytes = 4000, RetentionMs = -1 }, 4 << 10, 512L << 20);

    private PartitionLog Fill(string folder, LogConfig config, int batchBytes, long bytes)
    {
        var log = PartitionLog.Open(folder, config, new LogOpenOptions { CleanStop = true });
        var source = Batches(batchBytes);
        for (var i = 0; log.SizeBytes < bytes; i++)
            for (var batch = 0; batch < 64; batch++)
                log.Append(source[(i * 64 + batch) % source.Length]);
        return log;
    }

    private byte[][] Batches(int batchBytes)
    {
        if (batches.TryGetValue(batchBytes, out var made))
            return made;
        var random = new Random(batchBytes);
        var builder = new RecordBatchBuilder(batchBytes);
        var record = new byte[100];
        // As many as the C loop has: what a core's cache holds of them must be the same.
        made = new byte[Math.Max(2, (1 << 20) / batchBytes)][];
        for (var i = 0; i < made.Length; i++)
        {
            random.NextBytes(record);
            var built = BuildOne(builder, record, batchBytes);
            made[i] = GC.AllocateUninitializedArray<byte>(built.Length, pinned: true);
            built.CopyTo(made[i]);
        }
        return batches[batchBytes] = made;
    }

    private static Span<byte> BuildOne(RecordBatchBuilder builder, byte[] record, int batchBytes)
    {
        builder.Begin(new BatchSettings());
        do
            builder.Append(1_700_000_000_000, record.AsSpan(0, 8), record.AsSpan(8));
        while (builder.SizeBytes + 112 <= batchBytes);
        return builder.Build();
    }

    private sealed class Rolls : ILogObserver
    {
        public List<double> Seconds { get; } = [];

        public void Flushed(long startTimestamp, long endTimestamp, long bytes)
        {
        }

        public void Rolled(long startTimestamp, long endTimestamp, long bytes) => Seconds.Add(Stopwatch.GetElapsedTime(startTimestamp, endTimestamp).TotalSeconds);
    }
}
