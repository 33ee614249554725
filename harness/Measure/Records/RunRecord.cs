using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Bench.Disk.Topology;

namespace Bench.Measure.Records;

/// <summary>
/// The result of one case: one JSON object on one line, schema <c>bench.record/1</c>. Field names carry their units
/// and mean the same in every version of the schema; <c>RECORD.md</c> beside this project says it field by field.
/// Fields that this build does not know are kept (<see cref="Unknown"/>) when a file is written again.
/// </summary>
public sealed record RunRecord
{
    /// <summary>The schema that this build writes. A record with a higher number after the slash is refused.</summary>
    public const string CurrentSchema = "bench.record/1";

    /// <summary>Always <see cref="CurrentSchema"/> in records of this build.</summary>
    public string Schema { get; init; } = CurrentSchema;

    /// <summary>The run's name: start in UTC and four random hexadecimal digits, <c>20261122-130138-5f3a</c>.</summary>
    public required string Run { get; init; }

    /// <summary>Workload and parameters in one string: unique in a run on one target, equal for equal cases of different runs and targets.</summary>
    public required string Case { get; init; }

    /// <summary>The workload's class: AccessPattern, CachePath, Transfer, …</summary>
    public required string Workload { get; init; }

    /// <summary>What one operation is: Read, Write, Send, …</summary>
    public required string Operation { get; init; }

    /// <summary>The parameters as requested, in the workload's order: name to spelling.</summary>
    public required IReadOnlyDictionary<string, string> Parameters { get; init; }

    /// <summary>What was really in force where it can differ: access, queue depth achieved, congestion control, …</summary>
    public JsonObject Effective { get; init; } = [];

    /// <summary>When the case began (preparation included).</summary>
    public DateTimeOffset StartedUtc { get; init; }

    /// <summary>Seconds that the case took in all: preparation, warm-up and passes.</summary>
    public double TotalSeconds { get; init; }

    /// <summary>One sentence if the case failed; then there may be no passes. Null if it ran.</summary>
    public string? Error { get; init; }

    /// <summary>The timed passes, in order.</summary>
    public IReadOnlyList<PassRecord> Passes { get; init; } = [];

    /// <summary>Passes that others disturbed on the disks and that were repeated; they are in no figure. Null if there was none.</summary>
    public IReadOnlyList<PassRecord>? DisturbedPasses { get; init; }

    /// <summary>Latency per kind of operation (read, write, send, fsync, …) over all timed passes.</summary>
    public IReadOnlyDictionary<string, LatencyRecord> LatencyNs { get; init; } = new Dictionary<string, LatencyRecord>();

    /// <summary>Bytes per second over passes; null if there was no pass.</summary>
    public Estimate? BytesPerSecond { get; init; }

    /// <summary>Operations per second over passes; null if there was no pass.</summary>
    public Estimate? OperationsPerSecond { get; init; }

    /// <summary>Further figures over passes, by name with unit: valuesPerSecond, cpuSecondsPerGB, …</summary>
    public IReadOnlyDictionary<string, Estimate> Metrics { get; init; } = new Dictionary<string, Estimate>();

    /// <summary>What happened when within one of the passes, or on the way to a steady state; null if the workload keeps no timeline.</summary>
    public TimelineRecord? Timeline { get; init; }

    /// <summary>The rounds that brought the device to a steady state, before the passes; null in other cases.</summary>
    public IReadOnlyList<RoundRecord>? Rounds { get; init; }

    /// <summary>Whether the case did what its name says.</summary>
    public required EvidenceRecord Evidence { get; init; }

    /// <summary>What makes the figures doubtful, one sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The machine.</summary>
    public required HostInfo Host { get; init; }

    /// <summary>The target folder's mount and devices.</summary>
    public required DeviceTopology Target { get; init; }

    /// <summary>The program that measured.</summary>
    public required ToolInfo Tool { get; init; }

    /// <summary>Fields that this build does not know.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }

    /// <summary>The same case as one that failed: no figures, nothing claimed.</summary>
    internal RunRecord AsFailed(string error) => this with
    {
        Error = error,
        Passes = [],
        LatencyNs = new Dictionary<string, LatencyRecord>(),
        BytesPerSecond = null,
        OperationsPerSecond = null,
        Metrics = new Dictionary<string, Estimate>(),
        Timeline = null,
        Rounds = null,
        Effective = [],
        Evidence = new EvidenceRecord { Verdict = Verdict.Unproven },
    };
}

/// <summary>
/// One timed pass: a fixed amount of work. Counters are differences over the pass; a counter that could not be read
/// is null.
/// </summary>
public sealed record PassRecord
{
    /// <summary>Seconds from the start of the case to the start of the pass.</summary>
    public double StartSeconds { get; init; }

    /// <summary>Length of the timed part in seconds.</summary>
    public double Seconds { get; init; }

    /// <summary>Bytes that the operations moved.</summary>
    public long Bytes { get; init; }

    /// <summary>Operations done.</summary>
    public long Operations { get; init; }

    /// <summary>CPU time of the process in user mode.</summary>
    public double CpuUserSeconds { get; init; }

    /// <summary>CPU time of the process in the kernel.</summary>
    public double CpuSystemSeconds { get; init; }

    /// <summary>
    /// CPU time of the busiest of the threads that did the operations. The process's own includes what stands beside them:
    /// flushes in the background, a writer beside the readers, io_uring's workers.
    /// </summary>
    public double? ThreadCpuSeconds { get; init; }

    /// <summary>Bytes that the physical disks under the target read (whole machine).</summary>
    public long? DeviceReadBytes { get; init; }

    /// <summary>Bytes that the physical disks under the target wrote (whole machine).</summary>
    public long? DeviceWriteBytes { get; init; }

    /// <summary>Flush requests that the physical disks completed: in a read pass over the pass, in a write pass over the fdatasync that follows it.</summary>
    public long? DeviceFlushes { get; init; }

    /// <summary>Bytes that this process caused to be read from storage (<c>/proc/self/io</c> read_bytes).</summary>
    public long? ProcessReadBytes { get; init; }

    /// <summary>Bytes that this process caused to be sent to storage (write_bytes).</summary>
    public long? ProcessWriteBytes { get; init; }

    /// <summary>Bytes that read calls returned (rchar).</summary>
    public long? CallReadBytes { get; init; }

    /// <summary>Bytes passed to write calls (wchar).</summary>
    public long? CallWriteBytes { get; init; }

    /// <summary>Share of the file's pages in the page cache before the pass, 0 to 1.</summary>
    public double? ResidencyBefore { get; init; }

    /// <summary>The same after the pass.</summary>
    public double? ResidencyAfter { get; init; }

    /// <summary>Cached share of the part of the file that the pass touched: read-ahead beyond its last block is left out.</summary>
    public double? TouchedResidencyAfter { get; init; }

    /// <summary>Mean number of operations in flight.</summary>
    public double? QueueDepthMean { get; init; }

    /// <summary>
    /// Mean number of requests in the queues of the physical disks (whole machine; 1 ms grain): what iostat calls
    /// aqu-sz. Beside <see cref="QueueDepthMean"/> it shows how much of the asked depth reached the device.
    /// </summary>
    public double? DeviceQueueDepthMean { get; init; }

    /// <summary>Page faults that waited for storage.</summary>
    public long? MajorFaults { get; init; }

    /// <summary>Seconds of the fdatasync that follows a pass of buffered writes; not part of <see cref="Seconds"/>.</summary>
    public double? FlushSeconds { get; init; }

    /// <summary>CPU time that the hypervisor gave to others, all processors, in seconds.</summary>
    public double? StealSeconds { get; init; }

    /// <summary>Time in which some task of the machine waited for I/O (<c>/proc/pressure/io</c>, some).</summary>
    public double? IoPressureSeconds { get; init; }

    /// <summary>Voluntary and involuntary context switches of the process.</summary>
    public long? ContextSwitches { get; init; }

    /// <summary>What each member of the array under the target did (whole machine); null where there is no array.</summary>
    public IReadOnlyList<MemberRecord>? Members { get; init; }

    /// <summary>Fields that this build does not know.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary>One round on the way to a steady state.</summary>
public sealed record RoundRecord
{
    /// <summary>Its length.</summary>
    public double Seconds { get; init; }

    /// <summary>Bytes moved.</summary>
    public long Bytes { get; init; }

    /// <summary>Operations done.</summary>
    public long Operations { get; init; }

    /// <summary>The 99th percentile of their latency, in nanoseconds.</summary>
    public long P99Ns { get; init; }

    /// <summary>Fields that this build does not know.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary>One member of an array within a pass, from its <c>/sys/class/block/NAME/stat</c>.</summary>
public sealed record MemberRecord
{
    /// <summary>Kernel name: sda1, nvme0n1, loop3.</summary>
    public required string Name { get; init; }

    /// <summary>Bytes read from it.</summary>
    public long ReadBytes { get; init; }

    /// <summary>Bytes written to it.</summary>
    public long WriteBytes { get; init; }

    /// <summary>Read and write requests that it completed.</summary>
    public long Requests { get; init; }

    /// <summary>Sum over its requests of their time in the queue and on the device, in seconds.</summary>
    public double RequestSeconds { get; init; }

    /// <summary>Fields that this build does not know.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary>Latency of one kind of operation in nanoseconds.</summary>
public sealed record LatencyRecord
{
    /// <summary>Operations recorded.</summary>
    public long Count { get; init; }

    /// <summary>Smallest.</summary>
    public long Min { get; init; }

    /// <summary>Mean.</summary>
    public double Mean { get; init; }

    /// <summary>Median.</summary>
    public long P50 { get; init; }

    /// <summary>90th percentile.</summary>
    public long P90 { get; init; }

    /// <summary>99th percentile.</summary>
    public long P99 { get; init; }

    /// <summary>99.9th percentile.</summary>
    public long P999 { get; init; }

    /// <summary>99.99th percentile.</summary>
    public long P9999 { get; init; }

    /// <summary>99.999th percentile.</summary>
    public long P99999 { get; init; }

    /// <summary>Largest, exact.</summary>
    public long Max { get; init; }

    /// <summary>The whole histogram in the text form that <c>LatencyHistogram.Parse</c> reads.</summary>
    public string Histogram { get; init; } = "";

    /// <summary>Fields that this build does not know.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary>A median over passes with its interval.</summary>
/// <param name="Median">The median of the passes.</param>
/// <param name="Low">Lower end of the 95 % interval of the median.</param>
/// <param name="High">Upper end.</param>
public sealed record Estimate(double Median, double Low, double High)
{
    /// <summary>Fields that this build does not know.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary>What became of a claim.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Verdict>))]
public enum Verdict
{
    /// <summary>The counters show it.</summary>
    [JsonStringEnumMemberName("proven")]
    Proven,

    /// <summary>Something needed could not be read, or nothing is claimed.</summary>
    [JsonStringEnumMemberName("unproven")]
    Unproven,

    /// <summary>The counters show the opposite.</summary>
    [JsonStringEnumMemberName("contradicted")]
    Contradicted,
}

/// <summary>The verdict on a case: the worst of its claims.</summary>
public sealed record EvidenceRecord
{
    /// <summary>contradicted if any claim is, else unproven if any claim is, else proven. A record without one is refused: proven is not a default.</summary>
    public required Verdict Verdict { get; init; }

    /// <summary>The claims, one for each property that the case's name promises.</summary>
    public IReadOnlyList<ClaimRecord> Claims { get; init; } = [];

    /// <summary>Fields that this build does not know.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary>One property that a case promises, with what was seen.</summary>
public sealed record ClaimRecord
{
    /// <summary>cold, warm, direct, durable, zero-copy, queue-depth, …</summary>
    public required string Claim { get; init; }

    /// <summary>The verdict on it.</summary>
    public required Verdict Verdict { get; init; }

    /// <summary>The figures that decide it.</summary>
    public IReadOnlyList<FigureRecord> Figures { get; init; } = [];

    /// <summary>In words: what contradicts it, or what could not be read. Null when proven.</summary>
    public string? Reason { get; init; }

    /// <summary>Fields that this build does not know.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary>One figure of a claim.</summary>
public sealed record FigureRecord
{
    /// <summary>Name, with unit where it has one.</summary>
    public required string Name { get; init; }

    /// <summary>What was seen: the worst pass; null if it could not be read.</summary>
    public double? Observed { get; init; }

    /// <summary>What the claim asks for, in words: "≥ 0.98".</summary>
    public required string Expected { get; init; }

    /// <summary>Whether the observed value is as expected; null if unread, or if the figure only informs.</summary>
    public bool? Holds { get; init; }

    /// <summary>True if the figure is shown for its worth and decides nothing.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Informs { get; init; }

    /// <summary>Fields that this build does not know.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary>The program that made a record.</summary>
public sealed record ToolInfo
{
    /// <summary>Version of bench.</summary>
    public required string Version { get; init; }

    /// <summary>The commit it was built from; null if unknown.</summary>
    public string? Commit { get; init; }

    /// <summary>The command line, without the program's path.</summary>
    public required string CommandLine { get; init; }

    /// <summary>The profile: quick, standard, full, smoke.</summary>
    public required string Profile { get; init; }

    /// <summary>The seed of every random choice in the run.</summary>
    public long Seed { get; init; }

    /// <summary>Fields that this build does not know.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}
