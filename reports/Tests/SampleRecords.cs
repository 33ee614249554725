using System.Text.Json.Nodes;
using Bench.Disk.Topology;
using Bench.Measure;
using Bench.Measure.Records;

namespace Bench.Reports.Tests;

/// <summary>
/// Records as a run of the quick profile makes them, from a seed: three families, about sixty cases, some of them
/// contradicted, unproven or failed. The figures are of the size that a virtual disk shows.
/// </summary>
internal sealed partial class SampleRecords(int seed = 1, string run = "20261122-130138-5f3a")
{
    private readonly Random random = new(seed);
    private readonly DateTimeOffset start = new(2026, 11, 22, 13, 1, 38, TimeSpan.Zero);
    private int made;

    /// <summary>How much faster this run's machine is.</summary>
    public double Speed { get; init; } = 1;

    public static HostInfo Host { get; } = new()
    {
        Name = "build-7.example.org",
        OperatingSystem = "Debian GNU/Linux 12 (bookworm)",
        Kernel = "6.18.2-amd64",
        Architecture = "x64",
        Processor = "AMD EPYC 9B14",
        LogicalProcessors = 2,
        NumaNodes = 1,
        LastLevelCacheBytes = 32L << 20,
        MemoryBytes = 24L << 30,
        Virtualization = "kvm",
        Root = true,
        TcpCongestionControl = "bbr",
        TransparentHugePages = "madvise",
        MemlockBytes = 8L << 20,
        Runtime = "10.0.12",
        Warnings = ["This is a virtual machine (kvm): cold here is not cold on the host."],
    };

    public static DeviceTopology Target { get; } = new()
    {
        Folder = "/home/kim/bench data",
        Mount = new MountInfo { MountPoint = "/home", FileSystem = "ext4", Source = "/dev/vda1", Options = "rw,relatime,errors=remount-ro" },
        TotalBytes = 256L << 30,
        FreeBytes = 198L << 30,
        Devices =
        [
            new BlockDevice
            {
                Name = "vda1",
                Kind = BlockDeviceKind.Partition,
                SizeBytes = 256L << 30,
                Below =
                [
                    new BlockDevice
                    {
                        Name = "vda",
                        Kind = BlockDeviceKind.Disk,
                        Number = "253:0",
                        SizeBytes = 257L << 30,
                        Model = "Virtio Block Device",
                        SerialHash = "9f31c4aa02be",
                        Transport = "virtio",
                        Rotational = true,
                        LogicalSectorBytes = 512,
                        PhysicalSectorBytes = 4096,
                        Scheduler = "none",
                        ReadAheadKiB = 128,
                        QueueRequests = 256,
                        WriteCache = "write back",
                    },
                ],
            },
        ],
        Warnings = ["The kernel says that vda rotates; on a virtual disk that is often wrong."],
    };

    public static ToolInfo Tool { get; } = new()
    {
        Version = "0.1.0",
        Commit = "ab8728f",
        CommandLine = "run --target \"/home/kim/bench data\" --profile quick --out results",
        Profile = "quick",
        Seed = 4711,
    };

    /// <summary>All three families.</summary>
    public IReadOnlyList<RunRecord> All() => [.. AccessPattern(), .. CachePath(), .. Transfer()];

    public IEnumerable<RunRecord> AccessPattern()
    {
        (string Medium, string Pattern, string Block, string Loop, string Pages, double Values)[] cells =
        [
            ("Disk", "Random", "4B", "-", "-", 12.4e3), ("Disk", "Random", "4KiB", "-", "-", 12.9e6), ("Disk", "Random", "64KiB", "-", "-", 96e6),
            ("Disk", "Sequential", "4KiB", "-", "-", 21e6), ("Disk", "Sequential", "64KiB", "-", "-", 141e6), ("Disk", "Sequential", "1MiB", "-", "-", 214e6),
            ("Memory", "Random", "4B", "Independent", "4KiB", 31e6), ("Memory", "Random", "4B", "Independent", "Huge", 48e6),
            ("Memory", "Random", "4B", "Dependent", "4KiB", 2.1e6),
            ("Memory", "Sequential", "1MiB", "Scalar", "4KiB", 3.1e9), ("Memory", "Sequential", "1MiB", "Vector", "4KiB", 7.4e9),
        ];
        foreach (var operation in new[] { "Read", "Write" })
            foreach (var cell in cells)
            {
                if (operation == "Write" && cell is { Loop: "Dependent" })
                    continue;
                var perOperation = Words(cell.Block) / 4;
                var values = cell.Values * (operation == "Write" ? 0.8 : 1);
                yield return Make("AccessPattern", operation,
                    [("Medium", cell.Medium), ("Pattern", cell.Pattern), ("Operation", operation), ("BlockSize", cell.Block), ("Loop", cell.Loop), ("Pages", cell.Pages), ("WorkingSet", cell.Medium == "Disk" ? "1GiB" : "512MiB")],
                    Words(cell.Block), values / perOperation, cell.Medium == "Disk" ? ["direct"] : ["memory"], withLatency: cell.Medium == "Disk",
                    metrics: ("valuesPerSecond", values));
            }
    }

    public IEnumerable<RunRecord> CachePath()
    {
        (string Access, double Random4K, double Sequential1M)[] accesses =
            [("BufferedCold", 9.1e3, 640), ("BufferedWarm", 612e3, 9.6e3), ("Direct", 13.3e3, 820), ("Mmap", 470e3, 6.1e3), ("Uncached", 9.4e3, 655)];
        foreach (var operation in new[] { "Read", "Write" })
            foreach (var (access, random4K, sequential1M) in accesses)
                foreach (var (pattern, block, rate) in new[]
                {
                    ("Sequential", "64KiB", sequential1M * 9), ("Sequential", "1MiB", sequential1M), ("Random", "4KiB", random4K), ("Random", "64KiB", random4K * 0.38),
                })
                {
                    if (operation == "Write" && (access is "BufferedWarm" or "Mmap" || block is "64KiB"))
                        continue;
                    var record = Path(operation, access, pattern, block, "psync", 1, rate * (operation == "Write" ? 1.4 : 1));
                    yield return (operation, access, pattern, block) switch
                    {
                        ("Read", "BufferedCold", "Random", "64KiB") => Contradicted(record, "cold", "deviceReadShare", 0.41, "≥ 0.98", "the devices read 41 % of the bytes asked for; the rest came from memory"),
                        ("Read", "Uncached", "Sequential", _) => Unproven(record, "uncached", "the file system does not know RWF_DONTCACHE, so whether pages were dropped cannot be seen"),
                        ("Write", "Uncached", "Random", _) => Failed(record, "pwritev2 on /home/kim/bench data/.bench-5f3a/file: Operation not supported (EOPNOTSUPP)"),
                        _ => record,
                    };
                }
        foreach (var (depth, rate) in new[] { (1, 12.8e3), (4, 39e3), (16, 58e3), (32, 64e3) })
            yield return Path("Read", "Direct", "Random", "4KiB", "io_uring", depth, rate);
    }

    public IEnumerable<RunRecord> Transfer()
    {
        (string Method, double User, double System, double Rate)[] methods =
            [("SendFile", 0.003, 0.083, 5.7e9), ("Splice", 0.006, 0.086, 5.4e9), ("MmapWrite", 0.010, 0.115, 4.2e9), ("ReadWrite", 0.010, 0.146, 4.1e9), ("IoUring", 0.008, 0.151, 3.9e9), ("Tls", 0.41, 0.19, 1.5e9)];
        foreach (var chunk in new[] { "64KiB", "1MiB" })
            foreach (var (method, user, system, rate) in methods)
            {
                var scale = chunk == "1MiB" ? 0.66 : 1;
                var record = Make("Transfer", "Send", [("Method", method), ("ChunkSize", chunk), ("FileSize", "1GiB"), ("Cache", "Hot"), ("Socket", "Tcp")],
                    Words(chunk), rate / scale / Words(chunk), ["warm", "zero-copy"], withLatency: true, cpuPerGB: (user * scale, system * scale));
                record.Effective["congestionControl"] = "cubic";
                yield return (method, chunk) == ("Splice", "1MiB")
                    ? Contradicted(record, "zero-copy", "userSpaceBytesShare", 1, "≤ 0.01", "every byte passed through user space (/proc/self/io rchar)") : record;
            }
    }

    /// <summary>The three families over files and the four over the log.</summary>
    public IReadOnlyList<RunRecord> Everything() => [.. All(), .. RawWrites(), .. Log()];

    /// <summary>A case of a family that this build has no section for.</summary>
    public RunRecord Other(string workload, params (string, string)[] parameters) =>
        Make(workload, "Append", parameters, 1 << 16, 2_000 * (1 + random.NextDouble()), ["durable"], withLatency: true);

    public RunRecord Path(string operation, string access, string pattern, string block, string engine, int depth, double operationsPerSecond, int threads = 1)
    {
        var record = Make("CachePath", operation,
            [("Access", access), ("Operation", operation), ("Pattern", pattern), ("BlockSize", block), ("Engine", engine),
                ("QueueDepth", FormattableString.Invariant($"{depth}")), ("Threads", FormattableString.Invariant($"{threads}")), ("FileSize", "1GiB")],
            Words(block), operationsPerSecond, [access switch { "BufferedCold" => "cold", "BufferedWarm" or "Mmap" => "warm", "Direct" => "direct", _ => "uncached" }],
            withLatency: true, depth: depth);
        record.Effective["access"] = access;
        record.Effective["queueDepthMean"] = depth - 0.04 * (depth - 1);
        return record;
    }

    public RunRecord Make(string workload, string operation, (string Name, string Value)[] parameters, long blockBytes, double operationsPerSecond,
        string[] claims, bool withLatency, double depth = 1, (double User, double System)? cpuPerGB = null, params (string Name, double Value)[] metrics)
    {
        operationsPerSecond *= Speed;
        PassRecord[] passes = [.. Enumerable.Range(0, 5).Select(index =>
        {
            var operations = (long)Math.Max(20, operationsPerSecond * 0.3);
            var seconds = operations / (operationsPerSecond * (0.95 + 0.1 * random.NextDouble()));
            var bytes = operations * blockBytes;
            var cpu = cpuPerGB is { } perGB ? (perGB.User * bytes / 1e9 * (0.97 + 0.06 * random.NextDouble()), perGB.System * bytes / 1e9 * (0.97 + 0.06 * random.NextDouble()))
                : (operations * 0.4e-6, operations * 1.3e-6);
            return new PassRecord
            {
                StartSeconds = 0.4 + index * 0.35,
                Seconds = seconds,
                Bytes = bytes,
                Operations = operations,
                CpuUserSeconds = cpu.Item1,
                CpuSystemSeconds = cpu.Item2,
                DeviceReadBytes = bytes,
                DeviceWriteBytes = 4096 * index,
                DeviceFlushes = 0,
                ResidencyBefore = 0,
                ResidencyAfter = 0,
                QueueDepthMean = depth,
                StealSeconds = 0.01,
            };
        })];
        var all = new Dictionary<string, Estimate>();
        foreach (var (name, value) in metrics)
            all[name] = Estimated(passes.Select(pass => pass.Operations / pass.Seconds * value * Speed / operationsPerSecond));
        if (cpuPerGB is not null)
        {
            all["cpuSecondsPerGB"] = Estimated(passes.Select(pass => (pass.CpuUserSeconds + pass.CpuSystemSeconds) / pass.Bytes * 1e9));
            all["cpuUserSecondsPerGB"] = Estimated(passes.Select(pass => pass.CpuUserSeconds / pass.Bytes * 1e9));
            all["cpuSystemSecondsPerGB"] = Estimated(passes.Select(pass => pass.CpuSystemSeconds / pass.Bytes * 1e9));
        }
        return new RunRecord
        {
            Run = run,
            Case = workload + "(" + string.Join(",", parameters.Select(pair => $"{pair.Name}={pair.Value}")) + ")",
            Workload = workload,
            Operation = operation,
            Parameters = parameters.ToDictionary(pair => pair.Name, pair => pair.Value),
            StartedUtc = start.AddSeconds(2.5 * made++),
            TotalSeconds = 2.4,
            Passes = passes,
            LatencyNs = withLatency ? new Dictionary<string, LatencyRecord> { [operation.ToLowerInvariant()] = Latency(passes.Sum(pass => pass.Operations), depth / operationsPerSecond * 1e9) } : [],
            BytesPerSecond = Estimated(passes.Select(pass => pass.Bytes / pass.Seconds)),
            OperationsPerSecond = Estimated(passes.Select(pass => pass.Operations / pass.Seconds)),
            Metrics = all,
            Evidence = new EvidenceRecord
            {
                Verdict = Verdict.Proven,
                Claims = [.. claims.Select(claim => new ClaimRecord
                {
                    Claim = claim,
                    Verdict = Verdict.Proven,
                    Figures = [new FigureRecord { Name = "deviceReadShare", Observed = 0.9998, Expected = "≥ 0.98", Holds = true }, new FigureRecord { Name = "residencyBefore", Observed = 0, Expected = "≤ 0.001", Holds = true }],
                })],
            },
            Host = Host,
            Target = Target,
            Tool = Tool,
        };
    }

    public static RunRecord Contradicted(RunRecord record, string claim, string figure, double observed, string expected, string reason) => record with
    {
        Evidence = new EvidenceRecord
        {
            Verdict = Verdict.Contradicted,
            Claims = [new ClaimRecord { Claim = claim, Verdict = Verdict.Contradicted, Reason = reason, Figures = [new FigureRecord { Name = figure, Observed = observed, Expected = expected, Holds = false }] }],
        },
    };

    public static RunRecord Unproven(RunRecord record, string claim, string reason) => record with
    {
        Evidence = new EvidenceRecord
        {
            Verdict = Verdict.Unproven,
            Claims = [new ClaimRecord { Claim = claim, Verdict = Verdict.Unproven, Reason = reason, Figures = [new FigureRecord { Name = "residencyAfter", Observed = null, Expected = "≤ 0.01" }] }],
        },
        Warnings = ["RWF_DONTCACHE was refused; plain buffered calls were used instead."],
    };

    public static RunRecord Failed(RunRecord record, string error) => record with
    {
        Error = error,
        Passes = [],
        LatencyNs = new Dictionary<string, LatencyRecord>(),
        BytesPerSecond = null,
        OperationsPerSecond = null,
        Metrics = new Dictionary<string, Estimate>(),
        Evidence = new EvidenceRecord { Verdict = Verdict.Unproven },
    };

    /// <summary>A skewed distribution with a slow second hump, recorded in a real histogram.</summary>
    private LatencyRecord Latency(long count, double mean)
    {
        var histogram = new LatencyHistogram();
        var tail = 0.002 + 0.01 * random.NextDouble();
        var slow = 5 + 8 * random.NextDouble();
        for (var index = 0; index < Math.Min(count, 20_000); index++)
        {
            var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            histogram.Record((long)(mean * 0.88 * Math.Exp(0.25 * normal) * (random.NextDouble() < tail ? slow * Math.Exp(0.5 * Math.Abs(normal)) : 1)));
        }
        return histogram.ToRecord();
    }

    /// <summary>Median and range, as the order statistics of five passes give them.</summary>
    private static Estimate Estimated(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return new Estimate(sorted[sorted.Length / 2], sorted[0], sorted[^1]);
    }

    private static long Words(string size) => Bench.Reports.Content.Words.Bytes(size)!.Value;
}
