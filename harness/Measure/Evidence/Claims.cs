using System.Globalization;
using Bench.Disk.Topology;
using Bench.Measure.Passes;
using Bench.Measure.Records;

namespace Bench.Measure.Evidence;

/// <summary>
/// The rules that turn counters into verdicts: pure functions from passes to claims. Each figure is that of the worst
/// pass, so that one good pass cannot hide a bad one.
/// <para>
/// No other tool compares what was asked with what the kernel counted: fio trusts <c>direct=1</c> and
/// <c>invalidate=1</c>, DiskSpd trusts the flags it was given, and cached figures are published as device speed.
/// </para>
/// <para>
/// Two counters watch the device. <c>/proc/self/io</c> is exact for this process, but it stops at the first block
/// device: a loop device that answers from the host file's cache looks like a disk. The counters of the physical
/// disks see through that, but include everybody else's traffic. A claim that bytes <em>came</em> from the device
/// needs both; a claim that they <em>did not</em> rests on the process's own, and the disks' figure informs.
/// </para>
/// </summary>
public static class Claims
{
    /// <summary>Share of the asked bytes that must come from, or go to, the device: 98 %.</summary>
    public const double MostlyFromDevice = 0.98;

    /// <summary>Share of the asked bytes that may come from the device in a warm read: 2 %.</summary>
    public const double HardlyFromDevice = 0.02;

    /// <summary>Residency up to which a file counts as evicted.</summary>
    public const double EvictedResidency = 0.01;

    /// <summary>Residency from which a file counts as cached.</summary>
    public const double CachedResidency = 0.99;

    /// <summary>Cold read: the file was not cached, and the bytes came from the device.</summary>
    public static ClaimRecord Cold(IReadOnlyList<PassRecord> passes) => Judge(
        "cold",
        AtMost("residencyBefore", passes, pass => pass.ResidencyBefore, EvictedResidency),
        AtLeast("processReadBytesPerByte", passes, pass => Share(pass.ProcessReadBytes, pass), MostlyFromDevice),
        AtLeast("deviceReadBytesPerByte", passes, pass => Share(pass.DeviceReadBytes, pass), MostlyFromDevice));

    /// <summary>Warm read: the file was cached, and this process caused no reads.</summary>
    public static ClaimRecord Warm(IReadOnlyList<PassRecord> passes) => Judge(
        "warm",
        AtLeast("residencyBefore", passes, pass => pass.ResidencyBefore, CachedResidency),
        AtMost("processReadBytesPerByte", passes, pass => Share(pass.ProcessReadBytes, pass), HardlyFromDevice),
        Informs("deviceReadBytesPerByte", Worst(passes, pass => Share(pass.DeviceReadBytes, pass), highest: true), "≤ 0.02 unless others use the device"));

    /// <summary>Direct I/O: the flag stands on the descriptor, the cache did not grow, and the bytes moved at the device.</summary>
    /// <param name="passes">The passes.</param>
    /// <param name="flagStands">O_DIRECT as F_GETFL tells it, after the last pass.</param>
    /// <param name="writes">Whether the case writes.</param>
    /// <param name="peakResidencyOfProbe">
    /// What <see cref="Passes.DirectWriteProbe"/> saw in the cache while a direct write ran; of no matter for reads.
    /// Some file systems write through the cache and drop the pages again, and all other figures look direct then.
    /// </param>
    public static ClaimRecord Direct(IReadOnlyList<PassRecord> passes, bool flagStands, bool writes, double? peakResidencyOfProbe)
    {
        var flag = AtLeast("descriptorHasODirect", flagStands ? 1 : 0, 1);
        var growth = AtMost("residencyGrowth", passes, pass => pass.ResidencyAfter - pass.ResidencyBefore, EvictedResidency);
        return writes
            ? Judge(
                "direct", flag, growth,
                AtMost("residencyWithinProbeWrite", peakResidencyOfProbe, EvictedResidency),
                AtLeast("processWriteBytesPerByte", passes, pass => Share(pass.ProcessWriteBytes, pass), MostlyFromDevice),
                AtLeast("deviceWriteBytesPerByte", passes, pass => Share(pass.DeviceWriteBytes, pass), MostlyFromDevice))
            : Judge(
                "direct", flag, growth,
                AtLeast("processReadBytesPerByte", passes, pass => Share(pass.ProcessReadBytes, pass), MostlyFromDevice),
                AtLeast("deviceReadBytesPerByte", passes, pass => Share(pass.DeviceReadBytes, pass), MostlyFromDevice));
    }

    /// <summary>Buffered write into the page cache: no O_DIRECT, and what was written is cached afterwards.</summary>
    /// <param name="passes">The passes.</param>
    /// <param name="flagStands">O_DIRECT as F_GETFL tells it.</param>
    /// <param name="startsCached">Whether the pages were to be cached before (overwriting) or not (fresh pages).</param>
    public static ClaimRecord BufferedWrite(IReadOnlyList<PassRecord> passes, bool flagStands, bool startsCached) => Judge(
        startsCached ? "warm" : "cold",
        AtMost("descriptorHasODirect", flagStands ? 1 : 0, 0),
        startsCached
            ? AtLeast("residencyBefore", passes, pass => pass.ResidencyBefore, CachedResidency)
            : AtMost("residencyBefore", passes, pass => pass.ResidencyBefore, EvictedResidency),
        AtMost("processReadBytesPerByte", passes, pass => Share(pass.ProcessReadBytes, pass), HardlyFromDevice),
        Informs("deviceWriteBytesPerByteWithinPass", Worst(passes, pass => Share(pass.DeviceWriteBytes, pass), highest: true), "what reached the device before the flush"));

    /// <summary>
    /// Uncached buffered I/O (RWF_DONTCACHE): the bytes moved at the device, and what the pass touched is not cached.
    /// What the kernel has read ahead beyond the pass's last block stays until it is asked for: that only informs.
    /// </summary>
    public static ClaimRecord Uncached(IReadOnlyList<PassRecord> passes, bool writes) => Judge(
        "uncached",
        AtMost("touchedResidencyAfter", passes, pass => pass.TouchedResidencyAfter, HardlyFromDevice),
        Informs("residencyAfter", Worst(passes, pass => pass.ResidencyAfter, highest: true), "with what was read ahead and not asked for"),
        writes
            ? AtLeast("processWriteBytesPerByte", passes, pass => Share(pass.ProcessWriteBytes, pass), MostlyFromDevice)
            : AtLeast("processReadBytesPerByte", passes, pass => Share(pass.ProcessReadBytes, pass), MostlyFromDevice),
        writes
            ? Informs("deviceWriteBytesPerByteWithinPass", Worst(passes, pass => Share(pass.DeviceWriteBytes, pass), highest: false), "what reached the device before the flush")
            : AtLeast("deviceReadBytesPerByte", passes, pass => Share(pass.DeviceReadBytes, pass), MostlyFromDevice));

    /// <summary>
    /// Durable: the flush after each pass reached the device. Where the kernel says that the device writes through,
    /// no flush is sent and none is needed.
    /// </summary>
    /// <param name="passes">The passes, each followed by one fdatasync.</param>
    /// <param name="writeCaches">The disks' write-cache modes as sysfs names them; null where unknown.</param>
    public static ClaimRecord Durable(IReadOnlyList<PassRecord> passes, IReadOnlyList<string?> writeCaches)
    {
        if (writeCaches.Count > 0 && writeCaches.All(mode => mode == "write through"))
            return Judge("durable", Informs("deviceFlushesPerPass", Worst(passes, pass => pass.DeviceFlushes, highest: false), "none needed: the device writes through"));
        return Judge("durable", AtLeast("deviceFlushesPerPass", passes, pass => pass.DeviceFlushes, 1));
    }

    /// <summary>
    /// Durable appends: in each pass the device completed a flush for each that the log asked for, or the share of it
    /// that logs on one file system may have together, whose journal commits for all who wait.
    /// </summary>
    /// <param name="passes">The passes.</param>
    /// <param name="flushes">Flushes that the log asked for, per pass.</param>
    /// <param name="least">Least device flushes per flush of the log.</param>
    /// <param name="writeCaches">The disks' write-cache modes as sysfs names them; null where unknown.</param>
    /// <param name="mayUseFua">The kernel may write with FUA instead of a flush, which no counter shows.</param>
    public static ClaimRecord EachFlushed(IReadOnlyList<PassRecord> passes, IReadOnlyList<long> flushes, double least, IReadOnlyList<string?> writeCaches, bool mayUseFua)
    {
        var ratios = passes.Zip(flushes, (pass, asked) => asked == 0 ? null : pass.DeviceFlushes / (double)asked).ToArray();
        double? worst = ratios.Length == 0 || ratios.Contains(null) ? null : ratios.Min();
        if (writeCaches.Count > 0 && writeCaches.All(mode => mode == "write through"))
            return Judge("durable", Informs("deviceFlushesPerFlush", worst, "none needed: the device writes through"));
        var claim = Judge("durable", AtLeast("deviceFlushesPerFlush", worst, 0.98 * least));
        return claim.Verdict == Verdict.Contradicted && mayUseFua
            ? claim with { Verdict = Verdict.Unproven, Reason = "the kernel may have written with FUA, which no counter shows" }
            : claim;
    }

    /// <summary>Durable after the pass: a flush of it, or the one that follows it, reached the device.</summary>
    /// <param name="deviceFlushes">Flushes that the device completed from the pass's start to the end of the flush that follows it, per pass.</param>
    /// <param name="writeCaches">The disks' write-cache modes as sysfs names them; null where unknown.</param>
    public static ClaimRecord FlushedAfter(IReadOnlyList<long?> deviceFlushes, IReadOnlyList<string?> writeCaches)
    {
        double? worst = deviceFlushes.Count == 0 || deviceFlushes.Contains(null) ? null : deviceFlushes.Min();
        return writeCaches.Count > 0 && writeCaches.All(mode => mode == "write through")
            ? Judge("durable", Informs("deviceFlushesPerPass", worst, "none needed: the device writes through"))
            : Judge("durable", AtLeast("deviceFlushesPerPass", worst, 1));
    }

    /// <summary>A log that is written past the page cache: its pages are not in it, and its bytes moved at the disk within the pass.</summary>
    public static ClaimRecord DirectLog(IReadOnlyList<PassRecord> passes, double? residency) => Judge(
        "direct",
        AtMost("residencyAfter", residency, EvictedResidency),
        AtLeast("processWriteBytesPerByte", passes, pass => Share(pass.ProcessWriteBytes, pass), MostlyFromDevice),
        AtLeast("deviceWriteBytesPerByte", passes, pass => Share(pass.DeviceWriteBytes, pass), MostlyFromDevice));

    /// <summary>What was written is a log: read back as after a crash, every checksum is right and no record is missing.</summary>
    /// <param name="recordsRead">Records that are there.</param>
    /// <param name="recordsAppended">Records that were acknowledged.</param>
    /// <param name="bytesCut">Bytes that the recovery had to cut off before the end.</param>
    public static ClaimRecord ReadBack(long recordsRead, long recordsAppended, long bytesCut) => Judge(
        "read-back",
        AtLeast("recordsReadPerRecordAppended", recordsAppended == 0 ? null : recordsRead / (double)recordsAppended, 1),
        AtMost("bytesCut", bytesCut, 0));

    /// <summary>
    /// Queue depth: the mean number of operations in flight is near the requested one, and of direct random requests,
    /// which nothing merges or caches, a fifth of it at least was in the disks' queues on average. (Not more: where a
    /// processor cannot keep up, requests wait for it rather than for the disk.) fio's distribution of depths is taken as
    /// requests are submitted, so that the end of a job, when none is any more, is not in it; a mean over time has it.
    /// Where a disk does one request after the other, that end is as long as the depth, and of few slow requests it is
    /// most of the pass: what is asked for is the mean that is left then (<see cref="MeanWithEnd"/>).
    /// </summary>
    /// <param name="passes">The passes.</param>
    /// <param name="requested">Depth × threads.</param>
    /// <param name="directRandom">Whether each request must reach a disk by itself.</param>
    public static ClaimRecord QueueDepth(IReadOnlyList<PassRecord> passes, int requested, bool directRandom = false)
    {
        var operations = passes.Select(pass => pass.Operations).DefaultIfEmpty(0).Min();
        var expected = MeanWithEnd(requested, operations);
        return Judge(
            "queue-depth",
            AtLeast("queueDepthMean", passes, pass => pass.QueueDepthMean, 0.9 * expected),
            directRandom
                ? AtLeast("deviceQueueDepthMean", MedianInterval.Of(passes.Select(pass => pass.DeviceQueueDepthMean ?? double.NaN))?.Median, 0.2 * expected)
                : Informs("deviceQueueDepthMean", Worst(passes, pass => pass.DeviceQueueDepthMean, highest: false), "what the disks saw"));
    }

    /// <summary>
    /// Mean requests in flight over a pass that fills its queue at once, keeps it full, and empties it at the end, where
    /// each request takes its turn: of N operations the last D − 1 end with D − 1, …, 1 in flight, so D × (1 − (D − 1) / 2N).
    /// Fewer than D have never filled it, and nothing is left off for them.
    /// </summary>
    private static double MeanWithEnd(int depth, long operations) => operations < depth ? depth : depth * (1 - (depth - 1) / (2.0 * operations));

    /// <summary>Steady state: throughput and the 99th percentile of the last five rounds rest.</summary>
    /// <param name="rounds">All rounds, in order.</param>
    public static ClaimRecord Steady(IReadOnlyList<RoundRecord> rounds)
    {
        var throughput = SteadyWindow.Of(rounds.Select(round => round.Bytes / round.Seconds));
        var p99 = SteadyWindow.Of(rounds.Select(round => (double)round.P99Ns));
        return Judge(
            "steady",
            AtMost("throughputRange", throughput?.Range, SteadyWindow.MostRange),
            AtMost("throughputSlope", throughput?.Slope, SteadyWindow.MostSlope),
            AtMost("p99Range", p99?.Range, SteadyWindow.MostRange),
            AtMost("p99Slope", p99?.Slope, SteadyWindow.MostSlope));
    }

    /// <summary>
    /// An open loop: the case kept up with the rate that was offered. All passes together: a case that falls behind does so
    /// in each of them, and that the machine stood still at the end of one is no backlog of the device. The least of them
    /// stands beside it, so that a pass that fell behind is seen among those that did not.
    /// </summary>
    /// <param name="passes"><see cref="Pacing.ScheduledNs"/> and <see cref="Pacing.EndedNs"/> of each pass.</param>
    /// <param name="p99PerTarget">
    /// Of a rate that was looked for: the 99th percentile of all passes over the target; null of a rate that was given. The
    /// search has seen the rate hold three times, and the passes may yet show that it does not.
    /// </param>
    public static ClaimRecord Rate(IReadOnlyList<(long ScheduledNs, long EndedNs)> passes, double? p99PerTarget = null) => Judge(
        "rate",
        [
            AtLeast("offeredRateKept", Pacing.Share(passes.Sum(pass => pass.ScheduledNs), passes.Sum(pass => pass.EndedNs)), Pacing.LeastKeptUp),
            Informs("offeredRateKeptLeast", passes.Min(pass => Pacing.Share(pass.ScheduledNs, pass.EndedNs)), "of the pass that kept up least"),
            .. p99PerTarget is { } share ? [AtMost("p99PerTarget", share, 1)] : Array.Empty<FigureRecord>(),
        ]);

    /// <summary>
    /// Takes back what counters cannot prove on this target: the physical disks' counters include everybody's
    /// traffic, and below a loop device that reads its file through the host's cache, or with barriers off, it is easy
    /// for a neighbour's bytes or flushes to fill them.
    /// </summary>
    /// <param name="claim">A claim as the counters have it.</param>
    /// <param name="target">What lies under the file.</param>
    /// <returns>The claim, or the same as unproven with the reason.</returns>
    public static ClaimRecord Within(ClaimRecord claim, DeviceTopology target)
    {
        if (claim.Verdict != Verdict.Proven)
            return claim;
        var cachedLoop = target.Devices.SelectMany(device => device.All()).FirstOrDefault(device => device.LoopDirectIo == false);
        if (cachedLoop is not null && (claim.Claim is "cold" or "direct" or "uncached" or "durable"))
            return Doubted($"{cachedLoop.Name} reads its backing file through the cache (direct I/O off), so the disks' counters cannot tell this case's bytes from others'");
        var options = target.Mount.Options.Split(',');
        var noFlush = options.FirstOrDefault(option => option is "nobarrier" or "barrier=0" or "volatile");
        return noFlush is not null && claim.Claim == "durable"
            ? Doubted($"the file system is mounted with {noFlush}, which sends no flush; the flush that was seen is another's")
            : claim;

        ClaimRecord Doubted(string reason) => claim with { Verdict = Verdict.Unproven, Reason = reason };
    }

    /// <summary>How many times the last-level cache a region is that counts as main memory: STREAM's rule.</summary>
    public const long RegionPerLastLevelCache = 4;

    /// <summary>Memory only: nothing was read from storage, no page fault waited, and the region does not fit the caches.</summary>
    /// <param name="passes">The passes.</param>
    /// <param name="regionBytes">Size of the region.</param>
    /// <param name="lastLevelCacheBytes">Size of the last-level cache; null if unknown.</param>
    public static ClaimRecord InMemory(IReadOnlyList<PassRecord> passes, long regionBytes, long? lastLevelCacheBytes) => Judge(
        "in-memory",
        AtMost("processReadBytesPerByte", passes, pass => Share(pass.ProcessReadBytes, pass), 0),
        AtMost("majorFaults", passes, pass => pass.MajorFaults, 0),
        AtLeast("regionPerLastLevelCache", lastLevelCacheBytes is > 0 ? (double)regionBytes / lastLevelCacheBytes : null, RegionPerLastLevelCache));

    /// <summary>Work in memory whose result was looked at: nothing was read from storage, and what came out is right.</summary>
    public static ClaimRecord NoStorage(IReadOnlyList<PassRecord> passes, bool resultIsRight) => Judge(
        "in-memory",
        AtMost("processReadBytesPerByte", passes, pass => Share(pass.ProcessReadBytes, pass), 0),
        AtMost("majorFaults", passes, pass => pass.MajorFaults, 0),
        AtLeast("resultIsRight", resultIsRight ? 1 : 0, 1));

    /// <summary>Read from the cache: this process caused hardly any of the bytes to be read from storage.</summary>
    public static ClaimRecord FromCache(IReadOnlyList<PassRecord> passes) => Judge(
        "warm",
        AtMost("processReadBytesPerByte", passes, pass => Share(pass.ProcessReadBytes, pass), HardlyFromDevice));

    /// <summary>The pages that back the region are of the kind that was asked for.</summary>
    public static ClaimRecord PageSize(double? hugeShare, bool huge) => Judge(
        huge ? "huge-pages" : "small-pages",
        huge ? AtLeast("hugePageShare", hugeShare, 0.95) : AtMost("hugePageShare", hugeShare, 0.01));

    /// <summary>
    /// Zero-copy or not: the file's page was changed after it was sent and before it was received. If the receiver
    /// got the changed bytes, the socket held the page itself; if it got the old ones, they had been copied.
    /// </summary>
    /// <param name="receiverSawChange">What the probe found; null if it could not run.</param>
    /// <param name="zeroCopy">What the method promises.</param>
    /// <param name="passes">The passes, for the CPU figure.</param>
    public static ClaimRecord ZeroCopy(bool? receiverSawChange, bool zeroCopy, IReadOnlyList<PassRecord> passes)
    {
        double? shared = receiverSawChange is { } saw ? saw ? 1 : 0 : null;
        return Judge(
            zeroCopy ? "zero-copy" : "copied",
            zeroCopy ? AtLeast("socketSharesPage", shared, 1) : AtMost("socketSharesPage", shared, 0),
            Informs(
                "cpuSecondsPerGB",
                Worst(passes, pass => pass.Bytes == 0 ? null : (pass.CpuUserSeconds + pass.CpuSystemSeconds) / (pass.Bytes / 1e9), highest: true),
                "sender's CPU, user and system"));
    }

    /// <summary>The verdict on a case: the worst of its claims; unproven if it claims nothing.</summary>
    public static EvidenceRecord Conclude(IReadOnlyList<ClaimRecord> claims) => new()
    {
        Claims = claims,
        Verdict = claims.Count == 0 ? Verdict.Unproven : claims.Max(claim => claim.Verdict),
    };

    /// <summary>A claim from its figures: contradicted if one does not hold, unproven if one is unread, else proven.</summary>
    public static ClaimRecord Judge(string claim, params FigureRecord[] figures)
    {
        var broken = figures.Where(figure => figure.Holds == false).ToArray();
        var unread = figures.Where(figure => figure.Observed is null && figure.Holds is null && !figure.Informs).ToArray();
        return new ClaimRecord
        {
            Claim = claim,
            Figures = figures,
            Verdict = broken.Length > 0 ? Verdict.Contradicted : unread.Length > 0 ? Verdict.Unproven : Verdict.Proven,
            Reason = broken.Length > 0
                ? string.Join("; ", broken.Select(figure => string.Create(CultureInfo.InvariantCulture,
                    $"{figure.Name} is {figure.Observed:0.####}, expected {figure.Expected}")))
                : unread.Length > 0
                    ? $"could not be read: {string.Join(", ", unread.Select(figure => figure.Name))}"
                    : null,
        };
    }

    /// <summary>A figure that must reach a bound.</summary>
    public static FigureRecord AtLeast(string name, double? observed, double bound) => new()
    {
        Name = name,
        Observed = Read(observed),
        Expected = string.Create(CultureInfo.InvariantCulture, $"≥ {bound:0.####}"),
        Holds = Read(observed) is { } value ? value >= bound : null,
    };

    /// <summary>A figure that must not pass a bound.</summary>
    public static FigureRecord AtMost(string name, double? observed, double bound) => new()
    {
        Name = name,
        Observed = Read(observed),
        Expected = string.Create(CultureInfo.InvariantCulture, $"≤ {bound:0.####}"),
        Holds = Read(observed) is { } value ? value <= bound : null,
    };

    /// <summary>A figure that decides nothing.</summary>
    public static FigureRecord Informs(string name, double? observed, string meaning) =>
        new() { Name = name, Observed = Read(observed), Expected = meaning, Informs = true };

    /// <summary>A figure that must reach a bound in every pass: the worst pass decides.</summary>
    private static FigureRecord AtLeast(string name, IReadOnlyList<PassRecord> passes, Func<PassRecord, double?> figure, double bound) =>
        AtLeast(name, WorstRead(passes, figure, highest: false) is { } read && read < bound ? read : Worst(passes, figure, highest: false), bound);

    /// <summary>A figure that must not pass a bound in any pass.</summary>
    private static FigureRecord AtMost(string name, IReadOnlyList<PassRecord> passes, Func<PassRecord, double?> figure, double bound) =>
        AtMost(name, WorstRead(passes, figure, highest: true) is { } read && read > bound ? read : Worst(passes, figure, highest: true), bound);

    /// <summary>What is no number was not read.</summary>
    private static double? Read(double? observed) => observed is { } value && double.IsFinite(value) ? value : null;

    private static double? Share(long? counted, PassRecord pass) =>
        counted is { } bytes && pass.Bytes > 0 ? (double)bytes / pass.Bytes : null;

    /// <summary>The worst over passes; null if any pass lacks it: an unread pass could be the bad one.</summary>
    private static double? Worst(IReadOnlyList<PassRecord> passes, Func<PassRecord, double?> figure, bool highest) =>
        passes.All(pass => Read(figure(pass)) is not null) ? WorstRead(passes, figure, highest) : null;

    /// <summary>
    /// The worst of the passes that have it: if that one is outside the bound, the claim is contradicted whatever the
    /// unread passes were.
    /// </summary>
    private static double? WorstRead(IReadOnlyList<PassRecord> passes, Func<PassRecord, double?> figure, bool highest)
    {
        var values = passes.Select(pass => Read(figure(pass))).Where(value => value is not null);
        return highest ? values.Max() : values.Min();
    }
}
