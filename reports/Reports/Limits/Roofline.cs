using Bench.Measure.Records;
using Bench.Reports.Content;
using Bench.Reports.Families;

namespace Bench.Reports.Limits;

/// <summary>What a case can run against.</summary>
internal enum Resource
{
    /// <summary>Bytes a second that one thread reads from memory in sequence.</summary>
    Memory,

    /// <summary>Bytes a second that the device reads.</summary>
    DeviceRead,

    /// <summary>Bytes a second that the device writes.</summary>
    DeviceWrite,

    /// <summary>Random reads a second of the device.</summary>
    ReadOperations,

    /// <summary>Random writes a second of the device.</summary>
    WriteOperations,

    /// <summary>Flushes a second of a log.</summary>
    Flushes,

    /// <summary>The time of one processor for each thread that works, or of all processors for the process.</summary>
    Processor,
}

/// <summary>A limit that was measured on the same target in the same run.</summary>
/// <param name="Resource">Of what.</param>
/// <param name="PerSecond">How much of it there is in a second.</param>
/// <param name="Source">The case that reached it; null for the processor, which has a second in a second.</param>
internal sealed record Limit(Resource Resource, double PerSecond, CaseView? Source);

/// <summary>What a case takes of each limit.</summary>
/// <param name="View">The case.</param>
/// <param name="Shares">Share of each limit that applies, 0 up to 1 and, of the processor by noise, a little more.</param>
/// <param name="OneAtATime">Whether it waits for a device with one request under way at most.</param>
internal sealed record BoundCase(CaseView View, IReadOnlyDictionary<Resource, double> Shares, bool OneAtATime)
{
    /// <summary>From this share of a limit on a case is bounded by it.</summary>
    public const double Enough = 0.7;

    /// <summary>The limit that it is nearest to.</summary>
    public Resource Nearest { get; } = Shares.MaxBy(share => share.Value).Key;

    /// <summary>Its share of that limit.</summary>
    public double Share => Shares[Nearest];

    /// <summary>What bounds it; null if it is neither at a limit nor waiting for single requests.</summary>
    public string? BoundBy => Share >= Enough ? Roofline.NameOf(Nearest) : OneAtATime ? "waiting for one request at a time" : null;
}

/// <summary>
/// Every case against the limits that were measured beside it, as the roofline model holds a program against a
/// machine's arithmetic and memory (Williams, Waterman and Patterson, 2009).
/// <para>
/// A benchmark's "812 MB/s" says nothing until one knows whether 812 is all there is. fio and its kin leave that to the
/// reader's memory of a data sheet; here the limit is measured in the same run, and what a case takes of it comes from
/// its counters: what the device really read and wrote, not what the case asked for.
/// </para>
/// <para>
/// A resource is a limit where a case was made to find it (direct I/O, sequential memory, a flush for each append). How
/// high it is, is the most that any case took of it, so none goes beyond: on a disk that reads ahead, or that holds a
/// loop device's file in a cache, page-cached reads get more out of it than direct ones of one request.
/// </para>
/// </summary>
internal static class Roofline
{
    /// <summary>The limits of one run on one target; those for which it has no case are missing.</summary>
    public static IReadOnlyList<Limit> LimitsOf(IReadOnlyList<CaseView> cases)
    {
        CaseView[] usable = [.. cases.Where(view => view.Status is CaseStatus.Proven or CaseStatus.Unproven && view.Record.BytesPerSecond is { Median: > 0 })];
        return
        [
            .. Enum.GetValues<Resource>().Where(resource => resource != Resource.Processor && usable.Any(view => Finds(view, resource)))
                .Select(resource => Highest(resource, usable)).OfType<Limit>(),
            new Limit(Resource.Processor, 1, null),
        ];
    }

    /// <summary>Whether a case was made to find a limit.</summary>
    public static bool Finds(CaseView view, Resource resource) => resource switch
    {
        Resource.Memory => view.Record.Workload == AccessPatternFamily.Workload && view["Medium"] == "Memory" && view["Pattern"] == "Sequential" && view["Operation"] == "Read",
        // Not at random: of small blocks that is the limit of operations.
        Resource.DeviceRead => IsDirect(view, "Read") && view["Pattern"] == "Sequential",
        Resource.DeviceWrite => IsDirect(view, "Write") && view["Pattern"] == "Sequential",
        Resource.ReadOperations => IsDirect(view, "Read") && view["Pattern"] == "Random",
        Resource.WriteOperations => IsDirect(view, "Write") && view["Pattern"] == "Random",
        Resource.Flushes => view.Record.Workload == LogAppendFamily.Workload && FlushPolicy.Waits(view),
        _ => false,
    };

    /// <summary>What a case takes of the limits; null if none of them applies.</summary>
    public static BoundCase? Of(CaseView view, IReadOnlyList<Limit> limits)
    {
        if (view.Status is not (CaseStatus.Proven or CaseStatus.Unproven))
            return null;
        var shares = new Dictionary<Resource, double>();
        foreach (var limit in limits)
        {
            if (Demand(view, limit.Resource) is { } demand && demand > 0 && limit.PerSecond > 0)
                shares[limit.Resource] = demand / limit.PerSecond;
        }
        return shares.Count == 0 ? null : new BoundCase(view, shares, Depth(view) <= 1 && !InMemory(view) && view.Record.Workload != LogEncodeFamily.Workload);
    }

    /// <summary>A limit in words.</summary>
    public static string NameOf(Resource resource) => resource switch
    {
        Resource.Memory => "memory bandwidth",
        Resource.DeviceRead => "the device’s read bandwidth",
        Resource.DeviceWrite => "the device’s write bandwidth",
        Resource.ReadOperations => "the device’s random reads a second",
        Resource.WriteOperations => "the device’s random writes a second",
        Resource.Flushes => "flushes a second",
        _ => "the processor",
    };

    /// <summary>How a limit's figure is written.</summary>
    public static Quantity QuantityOf(Resource resource) => resource switch
    {
        Resource.Memory or Resource.DeviceRead or Resource.DeviceWrite => Quantity.BytesPerSecond,
        Resource.ReadOperations or Resource.WriteOperations => Quantity.OperationsPerSecond,
        _ => Quantity.Number,
    };

    private static double? Demand(CaseView view, Resource resource) => resource switch
    {
        // A byte that is delivered has crossed memory once at least; what a device delivers is bounded there.
        Resource.Memory => InMemory(view) ? Bytes(view) : null,
        Resource.DeviceRead => Median(view, pass => pass.DeviceReadBytes / pass.Seconds),
        Resource.DeviceWrite => Median(view, pass => pass.DeviceWriteBytes / pass.Seconds),
        Resource.ReadOperations => IsRandomOnDevice(view, "Read") ? Operations(view) : null,
        Resource.WriteOperations => IsRandomOnDevice(view, "Write") ? Operations(view) : null,
        Resource.Flushes => FlushesPerSecond(view),
        _ => Median(view, pass => Math.Max(pass.ThreadCpuSeconds ?? 0, (pass.CpuUserSeconds + pass.CpuSystemSeconds) / Math.Max(1, view.Record.Host.LogicalProcessors)) / pass.Seconds),
    };

    private static bool IsDirect(CaseView view, string operation) => view.Record.Workload == CachePathFamily.Workload && view["Access"] == "Direct" && view["Operation"] == operation;

    private static bool IsRandomOnDevice(CaseView view, string operation) =>
        view["Pattern"] == "Random" && view["Operation"] == operation && view["Medium"] is "-" or "Disk"
        // A buffered write ends in the page cache, however cold that was.
        && (view["Access"] is "Direct" or "Uncached" || (view["Access"] == "BufferedCold" && operation == "Read"));

    private static bool InMemory(CaseView view) => view["Medium"] == "Memory" || view["Access"] is "BufferedWarm" or "Mmap" || view["Cache"] == "Hot"
        || view["Position"] == "Tail" || FlushPolicy.Kind(view[FlushPolicy.Parameter]) == "none";

    private static double? Bytes(CaseView view) => view.Record.BytesPerSecond?.Median;

    private static double? Operations(CaseView view) => view.Record.OperationsPerSecond?.Median;

    private static double? FlushesPerSecond(CaseView view) =>
        view.Record.Metrics.TryGetValue("flushes", out var flushes) && Median(view, pass => pass.Seconds) is { } seconds && seconds > 0 ? flushes.Median / seconds : null;

    private static double? Median(CaseView view, Func<PassRecord, double?> value) =>
        Measure.MedianInterval.Of(view.Record.Passes.Where(pass => pass.Seconds > 0).Select(value).OfType<double>())?.Median;

    /// <summary>Requests under way at once, as asked for.</summary>
    private static double Depth(CaseView view) => Number(view, "QueueDepth") * Workers(view);

    private static double Workers(CaseView view) => Math.Max(1, Number(view, "Threads")) * Math.Max(1, Number(view, "Producers"));

    private static double Number(CaseView view, string parameter) => Words.Order(view[parameter]) is { Worth: < double.MaxValue and > 0 } order ? order.Worth : 1;

    private static Limit? Highest(Resource resource, IEnumerable<CaseView> cases) =>
        cases.Select(view => (View: view, Value: Demand(view, resource))).Where(one => one.Value > 0).OrderByDescending(one => one.Value).Select(one => new Limit(resource, one.Value!.Value, one.View)).FirstOrDefault();
}
