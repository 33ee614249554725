using System.Diagnostics;
using Bench.Disk;
using Bench.Measure;
using Bench.Measure.Evidence;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Bench.Measure.Running;

namespace Bench.Workloads;

/// <summary>
/// What the workloads over one file share: lay it out, set its cache state before each pass, read the residency
/// around the pass, flush after a pass of buffered writes, and claim what the access promises.
/// </summary>
public abstract class FileWorkload : Workload
{
    private FilePass? pass;
    private string? dataPath;
    private DirectWriteProbe? directWrites;

    /// <inheritdoc/>
    public override string OperationName => Plan.Operation.ToString();

    /// <inheritdoc/>
    public override CaseEstimate Estimate(RunSettings settings)
    {
        var plan = Plan;
        var (operations, passSeconds) = settings.ExpectedPass(NominalRate.BytesPerSecond(plan) / plan.BlockBytes, MostOperations(plan, settings), plan.Threads);
        var bytesPerPass = Math.Max(1, operations) * plan.BlockBytes;
        var seconds = (settings.Passes + 1) * (passSeconds + settings.SettleMs / 1000.0 + PreparationSeconds(plan, settings)) + 0.05;
        var writeBytes = plan.Operation == Operation.Write
            ? (long)((settings.Passes + 1) * Math.Min(Math.Min(bytesPerPass, settings.MaxWriteBytesPerPass), plan.Access == Access.Direct ? double.MaxValue : FileBytes.Bytes))
            : 0;
        return new CaseEstimate(seconds, writeBytes, [(Purpose, FileBytes)]);
    }

    /// <inheritdoc/>
    public override bool CanBePaced => true;

    /// <summary>The file's size.</summary>
    protected abstract ByteSize FileBytes { get; }

    /// <summary>What a pass does to the file at a path.</summary>
    protected abstract FilePassSettings Settings(string path, ulong seed);

    /// <summary>The same before there is a file.</summary>
    private FilePassSettings Plan => Settings("", 0);

    /// <summary>What the file is for: cases with one purpose and size share it.</summary>
    protected virtual string Purpose => Plan.Operation == Operation.Write ? DataFolder.WritePurpose : DataFolder.DataPurpose;

    /// <summary>The path to open the data by, once prepared.</summary>
    protected string DataPath => dataPath ?? throw new InvalidOperationException("The case is not prepared.");

    /// <summary>The pass, once prepared.</summary>
    protected FilePass FilePass => pass ?? throw new InvalidOperationException("The case is not prepared.");

    /// <inheritdoc/>
    /// <remarks>A queue must have been full: a pass of a hard disk at depth 32 takes half a second for that.</remarks>
    protected override long FewestOperationsPerPass => Plan.QueueDepth * Plan.Threads is > 1 and var depth ? 2L * depth : 1;

    /// <inheritdoc/>
    protected override long MostOperationsPerPass => MostOperations(Plan, Run.Settings);

    private long MostOperations(FilePassSettings plan, RunSettings settings)
    {
        // A cold block is cold once. A write pass keeps to the limit of its run, unless its file is small enough
        // that overwriting it in the cache cannot reach the device more often.
        var blocks = IsOncePerPass(plan) ? FileBytes.Bytes / plan.BlockBytes : long.MaxValue;
        var overwritesInCache = plan.Access is not (Access.Direct or Access.Uncached) && FileBytes.Bytes <= settings.MaxWriteBytesPerPass;
        var writes = plan.Operation == Operation.Write && !overwritesInCache
            ? Math.Max(1, settings.MaxWriteBytesPerPass / plan.BlockBytes)
            : long.MaxValue;
        return Math.Min(blocks, writes);
    }

    /// <inheritdoc/>
    protected override void Prepare()
    {
        dataPath = Run.Data.FileOf(FileBytes, CaseSeed, Run.Stop, share => Run.Observer.Preparing($"writing {FileBytes} of random data", share), Purpose);
        pass = Case.Own(new FilePass(Settings(dataPath, CaseSeed) with
        {
            LengthBytes = FileBytes.Bytes,
            StartShare = Run.Settings.StartShare,
            SlowdownShare = Run.Settings.InjectedSlowdown,
        }, Run.Stop));
        if (Plan is { Access: Access.Direct, Operation: Operation.Write })
            directWrites = Run.Shared("direct write probe", Run.Data.Path, () => Run.Data.Device is { } device ? DirectWriteProbe.Over(device) : new DirectWriteProbe(Run.Data.Path));
        if (Run.Data.Device is null && new FileInfo(dataPath) is var info && FilePass.File.AllocatedBytes < info.Length * 0.99)
            Case.Warn("the file system stores the file in less than its length (holes or compression): reads of it are not all device reads");
    }

    /// <inheritdoc/>
    protected override void SetState()
    {
        var plan = Plan;
        if (plan.Operation == Operation.Write)
            FilePass.File.Fdatasync();
        if (plan is { Access: Access.Mmap, Operation: Operation.Write })
            RequireRoomForCopyOnWrite();
        if (plan.Access is Access.BufferedWarm or Access.Mmap)
            WarmUp(plan);
        else
            PageCache.Evict(FilePass.File);
    }

    /// <inheritdoc/>
    protected override PassResult RunOperations(LoopLimit limit, bool timed) =>
        FilePass.Run(limit, Gathering(timed), Pacing);

    /// <inheritdoc/>
    protected override bool CanRepeat => true;

    private readonly LatencyHistogram ofPass = new();

    /// <summary>An empty histogram for the latencies of one pass; those of a timed one are kept when it is.</summary>
    private LatencyHistogram Gathering(bool timed)
    {
        if (!timed)
            return Untimed;
        ofPass.Clear();
        return ofPass;
    }

    /// <inheritdoc/>
    protected override void BeforeCounters() => residencyBefore = PageCache.ResidencyOf(FilePass.File).Share;

    private double? residencyBefore;

    /// <inheritdoc/>
    protected override PassRecord Complete(PassRecord measured)
    {
        var plan = Plan;
        Case.Latency(OperationName.ToLowerInvariant()).Add(ofPass);
        measured = measured with { QueueDepthMean = FilePass.QueueDepthMean, ResidencyBefore = residencyBefore };
        if (plan.Operation == Operation.Read)
            return measured with { ResidencyAfter = PageCache.ResidencyOf(FilePass.File).Share, TouchedResidencyAfter = FilePass.TouchedResidency() };

        // What a power loss would have taken: the time to make the pass durable stands beside its throughput.
        var beforeFlush = Case.Meter.Begin();
        var flushStart = Stopwatch.GetTimestamp();
        FilePass.File.Fdatasync();
        var flushNs = Stopwatch.GetElapsedTime(flushStart).Ticks * 100;
        Case.Latency("fdatasync").Record(flushNs);
        return measured with
        {
            FlushSeconds = flushNs * 1e-9,
            DeviceFlushes = Case.Meter.FlushesSince(beforeFlush),
            ResidencyAfter = PageCache.ResidencyOf(FilePass.File).Share,
            TouchedResidencyAfter = FilePass.TouchedResidency(),
        };
    }

    /// <inheritdoc/>
    protected override void Conclude()
    {
        var plan = Plan;
        var passes = Case.Passes;
        var writes = plan.Operation == Operation.Write;
        var direct = FilePass.File.IsDirect;
        Case.Claim(plan.Access switch
        {
            Access.Direct => Claims.Direct(passes, direct, writes, directWrites?.PeakResidency),
            Access.Uncached => Claims.Uncached(passes, writes),
            Access.BufferedCold when !writes => Claims.Cold(passes),
            Access.BufferedWarm or Access.Mmap when !writes => Claims.Warm(passes),
            _ => Claims.BufferedWrite(passes, direct, startsCached: plan.Access != Access.BufferedCold),
        });
        if (directWrites?.PeakResidency > Claims.EvictedResidency && Run.Target.Mount.FileSystem == "btrfs")
            Case.Warn("btrfs takes direct writes of a file with checksums through the page cache; in a folder with chattr +C, which turns its checksums off, they are direct");
        if (writes)
            Case.Claim(Claims.Durable(passes, [.. Run.Target.PhysicalDisks().Select(disk => disk.WriteCache)]));
        // In an open loop the depth is the most there may be, and how deep the queue gets is the device's answer.
        if (plan.QueueDepth * plan.Threads > 1 && Pacing is null)
            Case.Claim(Claims.QueueDepth(passes, plan.QueueDepth * plan.Threads, plan is { Access: Access.Direct, Pattern: Pattern.Random }));

        var alignment = FilePass.File.DirectIoAlignment;
        Case.Effective["descriptorHasODirect"] = direct;
        Case.Effective["residencySource"] = Run.ResidencySource;
        Case.Effective["directIoAlignmentBytes"] = alignment.Told ? alignment.PositionBytes : null;
        Case.Effective["queueDepthMean"] = Math.Round(passes.Average(one => one.QueueDepthMean ?? 0), 2);
        Case.Effective["operationsPerPass"] = passes[0].Operations;
        Case.Effective["readAheadAdvice"] = direct ? null : plan.Pattern == Pattern.Random ? "random" : "sequential";
        if (plan.Engine == Engine.io_uring)
        {
            Case.Effective["ringSetup"] = FilePass.RingSetup;
            Case.Effective["fixedBuffers"] = FilePass.FixedBuffers;
            if (FilePass.FixedBuffersRefusal is { } refusal)
                Case.Warn($"io_uring without registered buffers: {refusal}");
        }
        if (FilePass.MapPopulated == false)
            Case.Warn("the kernel cannot fill page tables ahead (MADV_POPULATE_READ): the passes include page faults");
    }

    private static bool IsOncePerPass(FilePassSettings plan) =>
        plan.Access is Access.BufferedCold or Access.Uncached || plan is { Access: Access.Direct, Operation: Operation.Read };

    private static double PreparationSeconds(FilePassSettings plan, RunSettings settings) =>
        plan.Operation == Operation.Write ? 0.1
        : settings.Profile == Profile.Smoke ? 0.005
        : plan.Access is Access.BufferedWarm or Access.Mmap ? 0.02 : 0.03;

    /// <summary>
    /// A write into a map has no way to fail: where the file system must find new room for every block (btrfs) and has
    /// none, the kernel sends SIGBUS, and the run is gone. So the case fails here, while it can still say why.
    /// </summary>
    private void RequireRoomForCopyOnWrite()
    {
        // What the file system says is free is behind what others are writing just now.
        if (Run.Target.Mount.FileSystem == "btrfs" && new DriveInfo(Run.Data.Path).AvailableFreeSpace < 2 * FileBytes.Bytes + (64 << 20))
            throw new PlanException($"writing a map of {FileBytes} on a copy-on-write file system takes as much free space again and 64 MiB to spare, and there is less");
    }

    private void WarmUp(FilePassSettings plan)
    {
        var file = FilePass.File;
        // More than once: pages that RWF_DONTCACHE has read ahead and left are dropped when they are read.
        for (var attempt = 0; attempt < 3 && PageCache.ResidencyOf(file).Share is null or < 1; attempt++)
        {
            Run.Observer.Preparing("reading the file into the cache", null);
            PageCache.Warm(file, 0, FileBytes.Bytes);
        }
        if (plan.Access == Access.Mmap)
            FilePass.Map();
    }
}

/// <summary>
/// Rates of a middling machine, for the estimate of time and bytes before a run; no figure in a result depends on
/// them. Where a device is far from them, the limits of the run (pass length, most bytes written) hold the estimate.
/// </summary>
internal static class NominalRate
{
    internal static double BytesPerSecond(FilePassSettings plan)
    {
        var cached = plan.Access is Access.BufferedWarm or Access.Mmap
            || plan is { Access: Access.BufferedCold, Operation: Operation.Write };
        var bandwidth = cached ? 5e9 : 1.2e9;
        var overheadSeconds = cached ? 1e-6
            : plan.Engine == Engine.io_uring ? 70e-6 / Math.Min(16, plan.QueueDepth * plan.Threads)
            : plan.Pattern == Pattern.Sequential && plan.Access != Access.Direct ? 3e-6
            : 70e-6 / plan.Threads;
        return plan.BlockBytes / (overheadSeconds + plan.BlockBytes / bandwidth);
    }
}
