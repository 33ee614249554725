using Bench.Measure.Passes;
using Bench.Measure.Records;

namespace Bench.Reports.Tests;

/// <summary>
/// The four workloads over the log. Their figures come from a small model of a log on a virtual disk: a copy into the
/// page cache, a flush that costs a round trip and the bytes that it has to write, and a roll that makes a file. A
/// timeline is a walk through that model, recorded by the recorder that the workloads use.
/// </summary>
internal sealed partial class SampleRecords
{
    private const double CacheBytesPerSecond = 1.15e9;
    private const double DiskBytesPerSecond = 620e6;
    private const double FlushSeconds = 0.9e-3;
    private const double RollSeconds = 0.35e-3;
    private const double PassSeconds = 0.4;

    private static readonly string[] Segments = ["1MiB", "16MiB", "128MiB", "1GiB"];
    private static readonly string[] Policies = ["each", "none", "group:500", "bytes:1MiB", "roll", "bytes:16MiB", "interval:100"];

    public IEnumerable<RunRecord> Log() => [.. LogAppend(), .. LogRead(), .. LogRecovery(), .. LogEncode()];

    /// <summary>Of the cases over the log as many as a run of a few minutes has.</summary>
    public IEnumerable<RunRecord> QuickLog() => Log().Where(record => record.Workload switch
    {
        "LogAppend" => record.Parameters["SegmentSize"] != "16MiB" && record.Parameters["FlushPolicy"] is not ("roll" or "bytes:16MiB"),
        "LogRead" => record.Parameters["FetchSize"] == "1MiB",
        "LogRecovery" => record.Parameters["SegmentSize"] == "1GiB",
        _ => record.Parameters["RecordSize"] == "1KiB",
    });

    /// <summary>Plain writes of the sizes of the log's batches, as the cache-path family has them.</summary>
    public IEnumerable<RunRecord> RawWrites() =>
    [
        Path("Write", "BufferedWarm", "Sequential", "64KiB", "psync", 1, 1.9e9 / 65_536), Path("Write", "BufferedWarm", "Sequential", "1MiB", "psync", 1, 2.1e9 / 1_048_576),
        Path("Write", "Direct", "Sequential", "64KiB", "psync", 1, 410e6 / 65_536),
    ];

    public IEnumerable<RunRecord> LogAppend()
    {
        var plain = new Append();
        var grid = from segment in Segments from policy in Policies select plain with { Segment = segment, Policy = policy };
        var sweeps = new[]
        {
            from partitions in new[] { 10, 100, 1000 } from policy in new[] { "none", "bytes:1MiB" } select plain with { Partitions = partitions, Policy = policy },
            from producers in new[] { 4, 16 } from policy in new[] { "each", "group:500" } select plain with { Producers = producers, Policy = policy },
            from batch in new[] { "16KiB", "1MiB" } from policy in new[] { "none", "each" } select plain with { Batch = batch, Policy = policy },
            from preallocation in new[] { "Fallocate", "Zeroed" } select plain with { Preallocation = preallocation, Policy = "each" },
            from path in new[] { "Direct", "IoUring" } select plain with { Path = path, Policy = "bytes:1MiB" },
        }.SelectMany(sweep => sweep);
        foreach (var append in grid.Concat(sweeps))
        {
            var record = LogAppend(append);
            yield return append switch
            {
                { Policy: "each", Segment: "1GiB" } => Contradicted(record, "durable", "deviceFlushesPerPass", 0, "≥ 1", "the disks completed no flush in a pass of 400 flushes"),
                { Policy: "interval:100", Segment: "1MiB" } => Unproven(record, "durable", "the flush count of the disks could not be read"),
                { Path: "IoUring" } => Failed(record, "io_uring_setup: Operation not permitted (EPERM)"),
                _ => record,
            };
        }
    }

    private sealed record Append
    {
        public string Segment { get; init; } = "128MiB";
        public string Policy { get; init; } = "none";
        public string Batch { get; init; } = "64KiB";
        public int Partitions { get; init; } = 1;
        public int Producers { get; init; } = 1;
        public string Preallocation { get; init; } = "None";
        public string Path { get; init; } = "Buffered";
    }

    private RunRecord LogAppend(Append append)
    {
        var (batch, segment) = (Words(append.Batch), Words(append.Segment));
        // Acknowledged appends between two flushes; none of it for the policies that wait.
        var flushBytes = append.Policy.Split(':') switch
        {
            ["each"] => batch,
            ["group", _] => batch * Math.Max(1.2, append.Producers * 0.8),
            ["bytes", var size] => Words(size),
            ["interval", var ms] => double.Parse(ms, System.Globalization.CultureInfo.InvariantCulture) / 1e3 * CacheBytesPerSecond * 0.6,
            ["roll"] => segment,
            _ => double.PositiveInfinity,
        };
        var flush = FlushSeconds * (append.Preallocation switch { "Fallocate" => 0.93, "Zeroed" => 0.62, _ => 1 });
        var copy = CacheBytesPerSecond / (1 + 0.25 * Math.Log10(append.Partitions)) * (append.Path == "Direct" ? 0.55 : 1);
        var perByte = 1 / copy + RollSeconds / segment + (double.IsInfinity(flushBytes) ? 0 : flush / flushBytes + 1 / DiskBytesPerSecond * 0.2);
        var rate = 1 / perByte / batch;
        var atRisk = append.Policy.Split(':')[0] is "each" or "group" ? 0 : Math.Min(flushBytes, rate * batch * PassSeconds);
        (string, string)[] parameters =
        [
            ("SegmentSize", append.Segment), ("FlushPolicy", append.Policy), ("FlushMethod", append.Policy == "none" ? "-" : "Fdatasync"), ("BatchSize", append.Batch),
            ("RecordSize", "1KiB"), ("Partitions", FormattableString.Invariant($"{append.Partitions}")), ("Producers", FormattableString.Invariant($"{append.Producers}")),
            ("Compression", "None"), ("Preallocation", append.Preallocation), ("WritePath", append.Path),
        ];
        var record = Make("LogAppend", "Append", parameters, batch, rate, [append.Policy == "none" ? "warm" : "durable"], withLatency: true);
        var flushLatency = (flush + Math.Min(double.IsInfinity(flushBytes) ? 0 : flushBytes, 64e6) / DiskBytesPerSecond) * 1e9;
        var latencies = new Dictionary<string, LatencyRecord> { ["append"] = record.LatencyNs["append"] };
        if (append.Policy != "none")
            latencies["fsync"] = Latency(400, flushLatency);
        latencies["roll"] = Latency(120, RollSeconds * 1e9);
        return record with
        {
            LatencyNs = latencies,
            Metrics = new Dictionary<string, Estimate>
            {
                ["cpuSecondsPerGB"] = Around(0.42),
                ["dataAtRiskBytes"] = Around(atRisk),
                ["dataAtRiskMs"] = Around(atRisk / (rate * batch) * 1e3),
                ["flushes"] = Around(double.IsInfinity(flushBytes) ? 0 : rate * batch * PassSeconds / flushBytes),
                ["rolls"] = Around(rate * batch * PassSeconds / segment),
            },
            Timeline = append is { Partitions: 1, Producers: 1, Batch: "64KiB", Preallocation: "None", Path: "Buffered" }
                ? Walk(batch, segment, copy, flushBytes, flush, record.Passes[2].Seconds) : null,
        };
    }

    /// <summary>One producer through a pass: copy, roll when the segment is full, flush when it is due, and at times a slow copy.</summary>
    private TimelineRecord Walk(long batch, long segment, double copy, double flushBytes, double flush, double seconds)
    {
        var recorder = new TimelineRecorder();
        recorder.Begin(0);
        var (clock, inSegment, unflushed) = (0.0, 0L, 0.0);
        void Event(string kind, double length, long bytes)
        {
            recorder.RecordEvent(kind, (long)(clock * 1e9), (long)(length * 1e9), bytes);
            clock += length;
        }
        while (clock < seconds)
        {
            var began = clock;
            if (inSegment + batch > segment)
            {
                Event("roll", RollSeconds * (0.8 + 0.6 * random.NextDouble()), inSegment);
                inSegment = 0;
            }
            clock += batch / copy * (0.8 + 0.4 * random.NextDouble()) * (random.NextDouble() < 0.002 ? 30 : 1);
            (inSegment, unflushed) = (inSegment + batch, unflushed + batch);
            if (unflushed >= flushBytes)
            {
                Event("flush", (flush + unflushed / DiskBytesPerSecond * 0.2) * (0.8 + 0.5 * random.NextDouble()), (long)unflushed);
                unflushed = 0;
            }
            recorder.RecordOperation((long)(clock * 1e9), (long)((clock - began) * 1e9), batch);
        }
        return recorder.ToRecord(2);
    }

    public IEnumerable<RunRecord> LogRead()
    {
        foreach (var (position, rate, writerP99) in new[] { ("Tail", 4.1e9, 210e3), ("ColdHistory", 760e6, 3.4e6), ("RandomByOffset", 96e6, 420e3), ("RandomByTime", 61e6, 450e3) })
            foreach (var method in new[] { "SendFile", "ReadWrite" })
                foreach (var (fetch, share) in new[] { ("64KiB", 0.55), ("1MiB", 1.0) })
                    foreach (var writer in new[] { "None", "Buffered" })
                    {
                        if (writer == "Buffered" && fetch == "64KiB")
                            continue;
                        var record = Make("LogRead", "Fetch", [("Position", position), ("FetchSize", fetch), ("Method", method), ("Writer", writer)], Words(fetch),
                            rate * share * (method == "SendFile" ? 1 : 0.71) * (writer == "None" ? 1 : 0.86) / Words(fetch), [position == "ColdHistory" ? "cold" : "warm"], withLatency: true,
                            cpuPerGB: method == "SendFile" ? (0.004, 0.09) : (0.02, 0.19));
                        if (writer == "Buffered")
                            record = record with
                            {
                                LatencyNs = new Dictionary<string, LatencyRecord>(record.LatencyNs) { ["append"] = Latency(9_000, writerP99 * 0.4) },
                                Metrics = new Dictionary<string, Estimate>(record.Metrics) { ["writerP99Ns"] = Around(writerP99 * (method == "SendFile" ? 1 : 1.2)) },
                            };
                        yield return (position, method, writer, fetch) == ("ColdHistory", "ReadWrite", "None", "1MiB")
                            ? Contradicted(record, "cold", "residencyBefore", 0.37, "≤ 0.01", "37 % of the file was in the page cache before the pass") : record;
                    }
    }

    public IEnumerable<RunRecord> LogRecovery()
    {
        foreach (var segment in new[] { "16MiB", "1GiB" })
            foreach (var unflushed in new[] { "0B", "16MiB", "256MiB" })
            {
                var bytes = Math.Max(Words(unflushed), 64 << 10);
                var seconds = 0.004 + (segment == "16MiB" ? 0.009 : 0.001) + bytes / 1.3e9;
                var record = Make("LogRecovery", "Recover", [("Segments", "16"), ("SegmentSize", segment), ("UnflushedBytes", unflushed)], bytes, 1 / seconds, ["cold"], withLatency: false);
                yield return record with { Metrics = new Dictionary<string, Estimate> { ["recoverySeconds"] = Around(seconds) } };
            }
    }

    public IEnumerable<RunRecord> LogEncode()
    {
        foreach (var size in new[] { "100B", "1KiB" })
            foreach (var (step, compression, rate) in new[]
            {
                ("Encode", "None", 3.2e9), ("Decode", "None", 4.4e9), ("Crc", "None", 17e9), ("Compress", "Gzip", 61e6), ("Compress", "Snappy", 610e6), ("Compress", "Lz4", 720e6),
                ("Compress", "Zstd", 420e6), ("Decompress", "Gzip", 390e6), ("Decompress", "Lz4", 3.1e9), ("Decompress", "Snappy", 2.2e9), ("Decompress", "Zstd", 1.3e9),
            })
                yield return Make("LogEncode", step, [("Step", step), ("RecordSize", size), ("Compression", compression)], 1 << 16,
                    rate * (size == "100B" ? 0.6 : 1) / (1 << 16), ["in-memory"], withLatency: false);
    }

    private Estimate Around(double value) => Estimated(Enumerable.Range(0, 5).Select(_ => value * (0.96 + 0.08 * random.NextDouble())));
}
