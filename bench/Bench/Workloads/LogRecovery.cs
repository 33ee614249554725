using System.Diagnostics;
using BenchmarkDotNet.Attributes;
using Bench.Disk;
using Bench.Measure;
using Bench.Measure.Evidence;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Bench.Measure.Running;
using Bench.SegmentLog;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Storage;

namespace Bench.Workloads;

/// <summary>
/// Opening a log after a crash: every batch since the recovery point is read and its checksum computed, the indexes and
/// the producers' states are made again. One operation is one opening; bytes are those that it had to check.
/// <para>
/// Kafka has no tool for this; brokers show it at their worst moment. What decides is how much was not flushed: a log
/// that is flushed at each roll checks one segment, one that never is checks everything.
/// </para>
/// </summary>
public class LogRecovery : Workload, IWorkload
{
    private readonly LatencyHistogram untimed = new();
    private string? folder;
    private long recoveryPoint;
    private long endOffset;
    private long checkedBytes;
    private long truncated;

    /// <summary>Segments of the log.</summary>
    [Params(4, 1, 16, 64)]
    public int Segments { get; set; }

    /// <summary>Bytes of a segment.</summary>
    [ParamsSource(nameof(SegmentSizes))]
    public ByteSize SegmentSize { get; set; }

    /// <summary>Bytes at the end of the log that may not have been flushed; up to the whole log.</summary>
    [ParamsSource(nameof(UnflushedSizes))]
    public ByteSize UnflushedBytes { get; set; }

    /// <summary>Whether the files are in the page cache, as after the death of a process, or not, as after a reboot.</summary>
    [ParamsAllValues]
    public FileCache Cache { get; set; }

    /// <summary>The segment sizes of the profiles.</summary>
    public static IEnumerable<ByteSize> SegmentSizes => [ByteSize.MiB(16), ByteSize.MiB(1), ByteSize.MiB(128), ByteSize.GiB(1)];

    /// <summary>The unflushed bytes of the profiles.</summary>
    public static IEnumerable<ByteSize> UnflushedSizes => [ByteSize.MiB(64), ByteSize.MiB(1), ByteSize.MiB(16), ByteSize.MiB(256), ByteSize.GiB(1)];

    /// <inheritdoc/>
    public override string OperationName => "Recover";

    private long LogBytes => Segments * SegmentSize.Bytes;

    /// <inheritdoc/>
    public override string? WhyImpossible() =>
        SegmentSize.Bytes > int.MaxValue || SegmentSize.Bytes < 64 << 10 ? "SegmentSize goes from 64KiB to 2GiB less a byte"
        : UnflushedBytes.Bytes > LogBytes ? "UnflushedBytes goes up to Segments times SegmentSize"
        : Segments > 10_000 ? "Segments goes up to 10000"
        : null;

    /// <inheritdoc/>
    public override CaseEstimate Estimate(RunSettings settings)
    {
        var perOpening = 0.001 + (UnflushedBytes.Bytes + SegmentSize.Bytes) / (Cache == FileCache.Hot ? 5e9 : 1e9);
        return new CaseEstimate(0.2 + LogBytes / 0.8e9 + (settings.Passes + 1) * (Math.Max(settings.PassSeconds, perOpening) + settings.SettleMs / 1000.0 + 0.02), LogBytes, []) { PeakBytes = LogBytes };
    }

    /// <summary>The grids of a profile.</summary>
    public static IReadOnlyList<ParameterGrid> Grids(Profile profile) => profile switch
    {
        Profile.Smoke => [Grid(2, [ByteSize.MiB(1)], [ByteSize.MiB(1)], FileCache.Hot)],
        Profile.Quick =>
        [
            Grid(4, [ByteSize.MiB(16)], [ByteSize.MiB(16), ByteSize.MiB(64)], FileCache.Hot),
            Grid(4, [ByteSize.MiB(16)], [ByteSize.MiB(64)], FileCache.Cold),
        ],
        Profile.Gate => [],
        Profile.Standard =>
        [
            Grid(16, [ByteSize.MiB(16)], [ByteSize.MiB(1), ByteSize.MiB(16), ByteSize.MiB(256)], FileCache.Hot),
            Grid(16, [ByteSize.MiB(16)], [ByteSize.MiB(256)], FileCache.Cold),
            Grid(1, [ByteSize.GiB(1)], [ByteSize.GiB(1)], FileCache.Hot),
        ],
        _ =>
        [
            Grid(1, [.. SegmentSizes], [.. UnflushedSizes], FileCache.Hot),
            Grid(16, [.. SegmentSizes], [.. UnflushedSizes], FileCache.Hot),
            Grid(16, [.. SegmentSizes], [.. UnflushedSizes], FileCache.Cold),
        ],
    };

    /// <inheritdoc/>
    protected override void Prepare()
    {
        folder = Removal.Fresh(Path.Combine(Run.Data.Path, FormattableString.Invariant($"recover-{CaseSeed & 0xFFFFFFFF:x8}-0")));
        var batches = new LogBatches(64 << 10, 1 << 10, Compression.None, CaseSeed);
        using (var log = PartitionLog.Open(folder, Config(), new LogOpenOptions { CleanStop = true }))
        {
            while (log.SizeBytes + batches.MeanBytes * 2 < LogBytes)
            {
                Run.Stop.ThrowIfRequested();
                log.Append(batches.Next());
                if (log.EndOffset % 4096 < batches.RecordsPerBatch)
                    Run.Observer.Preparing($"writing a log of {new ByteSize(LogBytes)}", (double)log.SizeBytes / LogBytes);
            }
            log.Close();
            endOffset = log.EndOffset;
            recoveryPoint = PointBefore(log);
        }
        Case.Own(new Removal(folder));
    }

    /// <inheritdoc/>
    protected override void SetState()
    {
        foreach (var file in Directory.EnumerateFiles(folder!, "*" + LogFiles.Log))
        {
            using var opened = DiskFile.Open(file, OpenMode.Read);
            if (Cache == FileCache.Hot)
                PageCache.Warm(opened, 0, opened.LengthBytes);
            else
                PageCache.Evict(opened);
        }
    }

    /// <inheritdoc/>
    protected override void BeforeCounters() => residencyBefore = Residency();

    private double? residencyBefore;

    /// <inheritdoc/>
    protected override long MostOperationsPerPass => Cache == FileCache.Cold ? 1 : long.MaxValue;

    /// <inheritdoc/>
    protected override PassResult RunOperations(LoopLimit limit, bool timed)
    {
        var histogram = timed ? Case.Latency("recover") : untimed;
        var slowdown = new InjectedSlowdown(Run.Settings.InjectedSlowdown);
        var start = Stopwatch.GetTimestamp();
        var last = start;
        long done = 0, bytes = 0;
        while (done < limit.Operations && last - start < limit.DeadlineNs)
        {
            Run.Stop.ThrowIfRequested();
            var log = PartitionLog.Open(folder!, Config(), new LogOpenOptions { RecoveryPoint = recoveryPoint, Worker = LogWorker.AtOnce });
            var now = slowdown.After(last, Stopwatch.GetTimestamp());
            histogram.Record(now - last);
            (checkedBytes, truncated) = (log.Recovery.BytesChecked, truncated + log.Recovery.BytesTruncated);
            if (log.EndOffset != endOffset)
                throw new IOException($"the log ends at {log.EndOffset} after the recovery, and ended at {endOffset} before");
            log.Abandon();
            bytes += checkedBytes;
            done++;
            // Closing the files is not part of opening them.
            start += Stopwatch.GetTimestamp() - now;
            last = Stopwatch.GetTimestamp();
        }
        return new PassResult((last - start) * 1e-9, bytes, done);
    }

    /// <inheritdoc/>
    protected override PassRecord Complete(PassRecord measured)
    {
        Case.AddMetric("recoverySeconds", measured.Seconds / measured.Operations);
        return measured with { ResidencyBefore = residencyBefore, ResidencyAfter = Residency() };
    }

    /// <inheritdoc/>
    protected override void Conclude()
    {
        Case.Claim(Cache == FileCache.Hot ? Claims.Warm(Case.Passes) : Claims.Cold(Case.Passes));
        Case.Claim(Claims.ReadBack(endOffset, endOffset, truncated));
        Case.Effective["bytesChecked"] = checkedBytes;
        Case.Effective["logBytes"] = LogBytes;
    }

    private LogConfig Config() => new() { SegmentBytes = (int)SegmentSize.Bytes, FlushPolicy = FlushPolicy.None, RetentionMs = -1 };

    /// <summary>The offset from which so many bytes are left.</summary>
    private long PointBefore(PartitionLog log)
    {
        var left = UnflushedBytes.Bytes;
        foreach (var segment in log.Segments.Reverse())
        {
            left -= segment.SizeBytes;
            // A recovery goes through whole segments.
            if (left <= 0)
                return segment.BaseOffset;
        }
        return 0;
    }

    /// <summary>Share of the bytes to be checked that is cached.</summary>
    private double? Residency()
    {
        double cached = 0, all = 0;
        foreach (var path in Directory.EnumerateFiles(folder!, "*" + LogFiles.Log))
        {
            if (LogFiles.OffsetOf(Path.GetFileName(path), LogFiles.Log) is not { } offset || offset < recoveryPoint)
                continue;
            using var file = DiskFile.Open(path, OpenMode.Read);
            if (PageCache.ResidencyOf(file).Share is not { } share)
                return null;
            cached += share * file.LengthBytes;
            all += file.LengthBytes;
        }
        return all == 0 ? null : cached / all;
    }

    private static ParameterGrid Grid(int segments, ByteSize[] sizes, ByteSize[] unflushed, FileCache cache) => new ParameterGrid()
        .With(nameof(Segments), segments)
        .With(nameof(SegmentSize), sizes)
        .With(nameof(UnflushedBytes), unflushed)
        .With(nameof(Cache), cache);
}

/// <summary>Removes a folder of a case, unless the user keeps the data.</summary>
internal sealed class Removal(string folder) : IDisposable
{
    public void Dispose()
    {
        if (!RunContext.Current.Data.KeepsWritten && Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    /// <summary>A folder's name, without what an earlier run over the same data may have kept there.</summary>
    internal static string Fresh(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        return folder;
    }
}
