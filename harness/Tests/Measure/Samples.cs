using System.Text.Json.Nodes;
using Bench.Disk.Topology;
using Bench.Measure;
using Bench.Measure.Evidence;
using Bench.Measure.Records;

namespace Bench.Harness.Tests.Measure;

/// <summary>A record with every field filled, so that a field that is lost somewhere is missed.</summary>
internal static class Samples
{
    public static HostInfo Host { get; } = new()
    {
        Name = "host.example",
        OperatingSystem = "Debian GNU/Linux 13 (trixie)",
        Kernel = "6.18.2-amd64",
        Architecture = "x64",
        Processor = "EPYC \"9B14\" <48>",
        LogicalProcessors = 4,
        NumaNodes = 1,
        LastLevelCacheBytes = 32L << 20,
        MemoryBytes = 16L << 30,
        CpuGovernor = "performance",
        Virtualization = "kvm",
        Container = "docker",
        Root = true,
        CgroupMemoryLimitBytes = 8L << 30,
        CgroupIoLimits = ["253:0 rbps=1048576"],
        CgroupCpuLimit = 1.5,
        TcpCongestionControl = "cubic",
        TransparentHugePages = "madvise",
        MemlockBytes = 8L << 20,
        Runtime = "10.0.1",
        Warnings = ["this is a virtual machine"],
    };

    public static DeviceTopology Target { get; } = new()
    {
        Folder = "/data/ü folder",
        Mount = new MountInfo { MountPoint = "/data", FileSystem = "ext4", Source = "/dev/md0", Options = "rw,relatime", ReadOnly = false },
        TotalBytes = 1L << 40,
        FreeBytes = 1L << 39,
        DataProfile = "raid1",
        DataState = "degraded",
        Devices =
        [
            new BlockDevice
            {
                Name = "md0",
                Kind = BlockDeviceKind.DeviceMapper,
                Number = "9:0",
                SizeBytes = 1L << 40,
                Level = "raid1",
                ChunkBytes = 512 << 10,
                State = "clean",
                Role = "log",
                BackingFile = "/img",
                BackingFileSystem = "xfs",
                LoopDirectIo = true,
                Below =
                [
                    new BlockDevice
                    {
                        Name = "nvme0n1",
                        Model = "Fast One",
                        SerialHash = "0123456789ab",
                        Firmware = "1.0",
                        Transport = "nvme",
                        Link = "PCIe 4.0 x4 (16 GT/s)",
                        NumaNode = 0,
                        Rotational = false,
                        LogicalSectorBytes = 512,
                        PhysicalSectorBytes = 4096,
                        OptimalIoBytes = 0,
                        Scheduler = "none",
                        ReadAheadKiB = 128,
                        QueueRequests = 1023,
                        MaxRequestKiB = 256,
                        WriteCache = "write back",
                    },
                ],
            },
        ],
        Warnings = ["the array resyncs"],
    };

    public static ToolInfo Tool { get; } = new() { Version = "0.1.0", Commit = "abc1234", CommandLine = "run --target \"/data/ü folder\"", Profile = "quick", Seed = -4711 };

    public static PassRecord Pass { get; } = new()
    {
        StartSeconds = 0.1,
        Seconds = 0.15000000000000002,
        Bytes = long.MaxValue,
        Operations = 123,
        CpuUserSeconds = 0.01,
        CpuSystemSeconds = 0.02,
        ThreadCpuSeconds = 0.025,
        DeviceReadBytes = 1,
        DeviceWriteBytes = 2,
        DeviceFlushes = 3,
        ProcessReadBytes = 4,
        ProcessWriteBytes = 5,
        CallReadBytes = 6,
        CallWriteBytes = 7,
        ResidencyBefore = 0.125,
        ResidencyAfter = 1,
        QueueDepthMean = 31.5,
        DeviceQueueDepthMean = 29.25,
        MajorFaults = 8,
        FlushSeconds = 0.5,
        StealSeconds = 0.03,
        IoPressureSeconds = 0.04,
        ContextSwitches = 9,
    };

    public static RunRecord Record(string id = "CachePath(Access=Direct, BlockSize=4KiB)")
    {
        var histogram = new LatencyHistogram();
        for (var i = 1; i <= 1000; i++)
            histogram.Record(i * 1234);
        return new RunRecord
        {
            Run = "20261122-130138-5f3a",
            Case = id,
            Workload = "CachePath",
            Operation = "Read",
            Parameters = new Dictionary<string, string> { ["Access"] = "Direct", ["BlockSize"] = "4KiB" },
            Effective = new JsonObject { ["descriptorHasODirect"] = true, ["queueDepthMean"] = 31.5, ["nested"] = new JsonObject { ["text"] = "a\nb" } },
            StartedUtc = new DateTimeOffset(2026, 11, 22, 13, 1, 38, 123, TimeSpan.Zero),
            TotalSeconds = 2.5,
            Error = "one sentence\nover two lines, with \u2028 and \"quotes\"",
            Passes = [Pass, Pass with { Seconds = 1.5 }],
            LatencyNs = new Dictionary<string, LatencyRecord> { ["read"] = histogram.ToRecord() },
            BytesPerSecond = new Estimate(2, 1, 3),
            OperationsPerSecond = new Estimate(20.5, 10.25, 1e300),
            Metrics = new Dictionary<string, Estimate> { ["valuesPerSecond"] = new(5, 4, 6) },
            Timeline = new TimelineRecord
            {
                Pass = 1,
                IntervalSeconds = 0.004,
                Points = [new TimelinePoint { StartSeconds = 0, Bytes = 65_536, Operations = 1, P50Ns = 1_000, P99Ns = 2_000, MaxNs = 3_000 }, new TimelinePoint { StartSeconds = 0.004 }],
                Events = [new TimelineEvent { Kind = "flush", StartSeconds = 0.001, Seconds = 0.0021, Bytes = 65_536 }, new TimelineEvent { Kind = "roll", StartSeconds = 0.003, Seconds = 1e-5, Bytes = 1 << 20 }],
                EventsLeftOut = 7,
            },
            Evidence = Claims.Conclude([Claims.QueueDepth([Pass], 32), Claims.Cold([Pass])]),
            Warnings = ["doubtful"],
            Host = Host,
            Target = Target,
            Tool = Tool,
        };
    }
}
