using System.Diagnostics;
using BenchmarkDotNet.Attributes;
using Bench.Disk;
using Bench.Disk.Counters;
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
/// Appending to a log in Kafka's format as a broker does: checksum, offsets, one write, indexes, rolls, flushes. One
/// operation is one batch, from the call until it returns.
/// <para>
/// Kafka's own tool for this (TestLinearWriteSpeed) draws its segment size at random, never flushes, and prints one mean.
/// Here segment size and flush policy are what is swept; append, fsync and roll have a histogram each; and beside the
/// throughput stands what a power loss would take: the most bytes and the longest time that were acknowledged and not
/// durable.
/// </para>
/// <para>
/// Each pass begins with an empty log, whose pages the last one has just given back: page cache over memory that a
/// virtual machine has not touched lately is several times slower, and would be mistaken for the log.
/// </para>
/// </summary>
public class LogAppend : Workload, IWorkload
{
    private readonly List<PartitionLog> logs = [];
    private LogWorker? worker;
    private LogWatch? watch;
    private Producer[] producers = [];
    private string? folder;
    private int folderNumber;
    private readonly List<long?> finalFlushes = [];
    private readonly List<long> engineFlushes = [];
    private long appendedOperations;
    private double? directResidency;
    private double appendsUnderWay;
    private PassMeter.Reading? passBegin;

    /// <summary>Most bytes of a segment.</summary>
    [ParamsSource(nameof(SegmentSizes))]
    public ByteSize SegmentSize { get; set; }

    /// <summary>When records become durable.</summary>
    [ParamsSource(nameof(FlushPolicies))]
    public FlushPolicy FlushPolicy { get; set; }

    /// <summary>How.</summary>
    [ParamsAllValues]
    public FlushMethod FlushMethod { get; set; }

    /// <summary>Most bytes of a batch before compression.</summary>
    [ParamsSource(nameof(BatchSizes))]
    public ByteSize BatchSize { get; set; }

    /// <summary>Bytes of a record's key and value.</summary>
    [ParamsSource(nameof(RecordSizes))]
    public ByteSize RecordSize { get; set; }

    /// <summary>Logs that are appended to in turn.</summary>
    [Params(1, 10, 100, 1000)]
    public int Partitions { get; set; }

    /// <summary>Threads that append.</summary>
    [Params(1, 2, 4, 16)]
    public int Producers { get; set; }

    /// <summary>How the records are compressed.</summary>
    [ParamsAllValues]
    public Compression Compression { get; set; }

    /// <summary>Whether files have their blocks ahead.</summary>
    [ParamsAllValues]
    public Preallocation Preallocation { get; set; }

    /// <summary>How bytes reach the file.</summary>
    [ParamsAllValues]
    public WritePath WritePath { get; set; }

    /// <summary>The segment sizes of the profiles.</summary>
    public static IEnumerable<ByteSize> SegmentSizes => [ByteSize.MiB(64), ByteSize.MiB(1), ByteSize.MiB(8), ByteSize.MiB(16), ByteSize.MiB(128), ByteSize.GiB(1)];

    /// <summary>The flush policies of the profiles.</summary>
    public static IEnumerable<FlushPolicy> FlushPolicies =>
    [
        FlushPolicy.None, FlushPolicy.Roll, new(FlushKind.Interval, 1000), new(FlushKind.Interval, 100), new(FlushKind.Records, 10_000),
        new(FlushKind.Bytes, 16 << 20), new(FlushKind.Bytes, 1 << 20), new(FlushKind.Group, 0), new(FlushKind.Group, 200), FlushPolicy.Each,
    ];

    /// <summary>The batch sizes of the profiles.</summary>
    public static IEnumerable<ByteSize> BatchSizes => [ByteSize.KiB(16), ByteSize.KiB(64), ByteSize.MiB(1)];

    /// <summary>The record sizes of the profiles.</summary>
    public static IEnumerable<ByteSize> RecordSizes => [new(100), ByteSize.KiB(1)];

    /// <inheritdoc/>
    public override string OperationName => "Append";

    /// <inheritdoc/>
    public override bool CanBePaced => true;

    /// <inheritdoc/>
    public override string? WhyImpossible() =>
        SegmentSize.Bytes > int.MaxValue ? "SegmentSize goes up to 2GiB less a byte: positions in an index have 31 bits"
        : BatchSize.Bytes > SegmentSize.Bytes ? "BatchSize goes up to SegmentSize"
        : BatchSize.Bytes > 64 << 20 ? "BatchSize goes up to 64MiB"
        : RecordSize.Bytes < 16 || RecordSize.Bytes + 128 > BatchSize.Bytes ? "RecordSize goes from 16B up to what a batch holds"
        : FlushMethod is FlushMethod.DSync or FlushMethod.RwfDSync && FlushPolicy.Kind != FlushKind.Each ? $"FlushMethod={FlushMethod} makes each write durable: it goes with FlushPolicy=each"
        : FlushMethod == FlushMethod.WriteBehind && FlushPolicy.Kind is FlushKind.None or FlushKind.Each or FlushKind.Group ? "FlushMethod=WriteBehind starts the write-back before a flush that comes later; it goes with roll, interval, records and bytes"
        : WritePath == WritePath.IoUring && FlushMethod != FlushMethod.Fdatasync ? "WritePath=IoUring flushes by FlushMethod=Fdatasync"
        : WritePath == WritePath.Direct && FlushMethod is FlushMethod.RwfDSync or FlushMethod.WriteBehind ? "WritePath=Direct flushes by FlushMethod=Fdatasync or DSync"
        : Preallocation != Preallocation.None && Partitions > 10 ? "Preallocation of more than 10 partitions would fill the disk with files that are never used"
        : Partitions > 10_000 || Producers > 256 ? "Partitions goes up to 10000 and Producers up to 256"
        : null;

    /// <inheritdoc/>
    public override CaseEstimate Estimate(RunSettings settings)
    {
        var rate = BytesPerSecond();
        var most = MostBytesPerPass(settings);
        var (batches, passSeconds) = settings.ExpectedPass(rate / BatchSize.Bytes, MostOperations(settings), Producers);
        var bytesPerPass = settings.RatePerSecond > 0 ? batches * BatchSize.Bytes : Math.Clamp(batches * BatchSize.Bytes, Math.Min(FewestOperationsPerPass * BatchSize.Bytes, most), most);
        var seconds = (settings.Passes + 1) * ((settings.RatePerSecond > 0 ? passSeconds : bytesPerPass / rate) + settings.SettleMs / 1000.0 + 0.02 + Partitions * 0.0006
            + (FlushPolicy.Kind is FlushKind.None or FlushKind.Roll ? bytesPerPass / 1.5e9 : 0.01)) + 0.1;
        // Blocks ahead are there twice: of the active segment, and of the next.
        var aheadBytes = 2 * Partitions * Math.Min(Config().BlocksAheadBytes, SegmentSize.Bytes);
        var writtenBytes = Preallocation == Preallocation.Zeroed ? 2 * bytesPerPass + aheadBytes : bytesPerPass;
        return new CaseEstimate(seconds, (long)((FlushPolicy.Kind == FlushKind.None ? 1 : settings.Passes + 1) * writtenBytes), [])
        {
            PeakBytes = most + aheadBytes,
        };
    }

    /// <summary>The grids of a profile.</summary>
    public static IReadOnlyList<ParameterGrid> Grids(Profile profile)
    {
        var bytes = new FlushPolicy(FlushKind.Bytes, 1 << 20);
        return profile switch
        {
            Profile.Smoke =>
            [
                Grid([ByteSize.MiB(1)], [FlushPolicy.None, FlushPolicy.Roll, bytes, FlushPolicy.Each]),
                Grid([ByteSize.MiB(1)], [new(FlushKind.Interval, 100), new(FlushKind.Records, 1000), new(FlushKind.Group, 0)]).With(nameof(Producers), 4),
                Grid([ByteSize.MiB(1)], [FlushPolicy.Each]).With(nameof(WritePath), WritePath.Direct, WritePath.IoUring),
                Grid([ByteSize.MiB(1)], [FlushPolicy.Each]).With(nameof(FlushMethod), FlushMethod.DSync, FlushMethod.RwfDSync),
                Grid([ByteSize.MiB(1)], [FlushPolicy.Each]).With(nameof(Preallocation), Preallocation.Fallocate, Preallocation.Zeroed),
                Grid([ByteSize.MiB(1)], [FlushPolicy.Roll]).With(nameof(FlushMethod), FlushMethod.WriteBehind).With(nameof(Partitions), 10),
            ],
            Profile.Quick =>
            [
                Grid([ByteSize.MiB(1), ByteSize.MiB(8), ByteSize.MiB(64)], [FlushPolicy.None, FlushPolicy.Roll, bytes, FlushPolicy.Each]),
                Grid([ByteSize.MiB(64)], [FlushPolicy.Each, new(FlushKind.Group, 0)]).With(nameof(Producers), 16),
                Grid([ByteSize.MiB(64)], [FlushPolicy.Each]).With(nameof(Preallocation), Preallocation.Zeroed),
                Grid([ByteSize.MiB(64)], [FlushPolicy.Each]).With(nameof(WritePath), WritePath.Direct, WritePath.IoUring),
                Grid([ByteSize.MiB(64)], [FlushPolicy.None]).With(nameof(Partitions), 100),
            ],
            Profile.Gate => [Grid([ByteSize.MiB(64)], [FlushPolicy.Each])],
            Profile.Standard =>
            [
                Grid([ByteSize.MiB(1), ByteSize.MiB(16), ByteSize.MiB(128)],
                    [FlushPolicy.None, FlushPolicy.Roll, new(FlushKind.Interval, 100), new(FlushKind.Bytes, 16 << 20), bytes, FlushPolicy.Each]),
                Grid([ByteSize.MiB(128)], [FlushPolicy.None, FlushPolicy.Each]).With(nameof(BatchSize), ByteSize.KiB(64), ByteSize.MiB(1)),
                Grid([ByteSize.MiB(128)], [FlushPolicy.Each, new(FlushKind.Group, 0), new(FlushKind.Group, 200)]).With(nameof(Producers), 4, 16),
                Grid([ByteSize.MiB(128)], [FlushPolicy.Each]).With(nameof(Preallocation), Preallocation.Fallocate, Preallocation.Zeroed),
                Grid([ByteSize.MiB(128)], [FlushPolicy.Each]).With(nameof(FlushMethod), FlushMethod.DSync, FlushMethod.RwfDSync),
                Grid([ByteSize.MiB(128)], [FlushPolicy.Each]).With(nameof(WritePath), WritePath.Direct, WritePath.IoUring),
                Grid([ByteSize.MiB(16)], [FlushPolicy.None, FlushPolicy.Each]).With(nameof(Partitions), 10, 100, 1000),
                Grid([ByteSize.MiB(128)], [FlushPolicy.None]).With(nameof(Compression), Compression.Lz4, Compression.Zstd),
            ],
            _ =>
            [
                Grid([.. SegmentSizes], [.. FlushPolicies]).With(nameof(BatchSize), [.. BatchSizes]).With(nameof(RecordSize), [.. RecordSizes])
                    .With(nameof(Producers), 1, 4, 16).With(nameof(Partitions), 1, 10, 100, 1000),
                Grid([.. SegmentSizes], [.. FlushPolicies]).With(nameof(FlushMethod), Enum.GetValues<FlushMethod>()).With(nameof(Preallocation), Enum.GetValues<Preallocation>())
                    .With(nameof(WritePath), Enum.GetValues<WritePath>()),
                Grid([ByteSize.MiB(128)], [FlushPolicy.None, FlushPolicy.Each]).With(nameof(Compression), Enum.GetValues<Compression>()).With(nameof(RecordSize), [.. RecordSizes]),
            ],
        };
    }

    /// <inheritdoc/>
    protected override long MostOperationsPerPass => MostOperations(Run.Settings);

    /// <inheritdoc/>
    /// <remarks>
    /// Of several producers each has four: with fewer operations than producers most of these stand still, and what is
    /// under the name of sixteen has the latency, and the batches of a group commit, of three.
    /// </remarks>
    protected override long FewestOperationsPerPass => Math.Max(Producers > 1 ? 4L * Producers : 1, FewestBytesPerPass / BatchSize.Bytes);

    /// <inheritdoc/>
    protected override void Prepare()
    {
        worker = Case.Own(new LogWorker());
        watch = new LogWatch();
        producers = [.. Enumerable.Range(0, Producers).Select(number => new Producer(this, number))];
        // Of all passes' logs the last one's is enough to look at.
        Case.Own(new Ending(() => CloseLogs(keep: Run.Data.KeepsWritten)));
    }

    /// <inheritdoc/>
    protected override void SetState()
    {
        CloseLogs(keep: false);
        OpenLogs();
    }

    /// <inheritdoc/>
    protected override void BeforeCounters()
    {
        worker!.Drain();
        passBegin = Case.Meter.Begin();
    }

    /// <inheritdoc/>
    protected override PassResult RunOperations(LoopLimit limit, bool timed)
    {
        // The warm-up runs in parts and reads no state before each.
        watch!.Begin(timed ? Case : null, producers[0].Timeline);
        foreach (var log in logs)
            log.ResetDataAtRisk();
        var shares = new Shares(limit, Run.Stop);
        var start = new Start(Producers);
        var threads = new Thread[Producers - 1];
        for (var i = 0; i < threads.Length; i++)
        {
            var producer = producers[i + 1];
            threads[i] = new Thread(() => producer.Run(shares, start, Pacing)) { IsBackground = true, Name = $"producer {i + 1}" };
            threads[i].Start();
        }
        producers[0].Run(shares, start, Pacing);
        foreach (var thread in threads)
            thread.Join();
        // First: a producer that was stopped in its wait has failed of that.
        Run.Stop.ThrowIfRequested();
        if (shares.Failure is { } failure)
            throw new IOException($"an append failed: {failure.Message}", failure);
        var (operations, bytes) = (producers.Sum(producer => producer.Operations), producers.Sum(producer => producer.Bytes));
        var endNs = producers.Max(producer => producer.EndNs);
        // A producer of a closed loop is within an append from the start until nothing is left for it.
        appendsUnderWay = producers.Sum(producer => (double)(producer.EndNs - start.Timestamp)) / (endNs - start.Timestamp);
        foreach (var producer in producers)
        {
            if (producer.Part is { } part)
                Pacing!.Add(part);
            if (!timed)
                producer.AddTo(Untimed);
        }
        appendedOperations += operations;
        watch.End();
        return new PassResult((endNs - start.Timestamp) * 1e-9, bytes, operations) { ThreadCpuSeconds = producers.Max(producer => producer.CpuSeconds) };
    }

    /// <inheritdoc/>
    protected override PassRecord Complete(PassRecord measured)
    {
        if (Producers > 1 && Pacing is null)
            measured = measured with { QueueDepthMean = appendsUnderWay };
        var risks = logs.ConvertAll(log => log.DataAtRisk);
        var gigabytes = measured.Bytes / 1e9;
        Case.AddMetric("recordsPerSecond", measured.Operations * producers[0].Batches.RecordsPerBatch / measured.Seconds);
        Case.AddMetric("cpuSecondsPerGB", (measured.CpuUserSeconds + measured.CpuSystemSeconds) / gigabytes);
        Case.AddMetric("dataAtRiskBytes", risks.Sum(risk => risk.Bytes));
        Case.AddMetric("dataAtRiskMs", risks.Max(risk => risk.Duration).TotalMilliseconds);
        Case.AddMetric("flushes", watch!.Flushes);
        Case.AddMetric("rolls", watch.Rolls);
        engineFlushes.Add(watch.Flushes);
        if (FlushPolicy.Kind != FlushKind.None && watch.Flushes == 0)
            Case.Warn("the policy flushed nothing within a pass: the passes are too short to show what it costs");
        foreach (var producer in producers)
            producer.AddTo(Case.Latency("append"));
        foreach (var producer in producers[1..])
            producers[0].Timeline.Add(producer.Timeline);
        // The last pass's stays: one is enough to see what a roll and a flush do, and the record stays small.
        Case.Timeline = producers[0].Timeline.ToRecord(PassIndex);
        if (WritePath == WritePath.Direct && logs[0].Segments[^1] is { File: DiskStorageFile file })
            directResidency = Math.Max(directResidency ?? 0, PageCache.ResidencyOf(file.File).Share ?? 0);

        // What is left to make durable stands beside the pass: throughput into the cache is one thing, durability another.
        // Of what is never flushed one pass tells that; the others are deleted before they reach the device.
        if (FlushPolicy.Kind == FlushKind.None && PassIndex < Run.Settings.Passes - 1)
            return measured;
        var seconds = MakeDurable();
        // From the pass's start: under 'interval' the timer may have left nothing to flush.
        finalFlushes.Add(Case.Meter.FlushesSince(passBegin!));
        return measured with { FlushSeconds = seconds };
    }

    /// <inheritdoc/>
    protected override double SettleBacklog() => FlushPolicy.Kind == FlushKind.None ? 0 : MakeDurable();

    /// <summary>Flushes what is left to flush; what the policy has begun in the background is a part of it. Returns the seconds that took.</summary>
    private double MakeDurable()
    {
        var start = Stopwatch.GetTimestamp();
        if (!worker!.Drain(() => Run.Stop.IsRequested))
            Run.Stop.ThrowIfRequested();
        foreach (var log in logs)
        {
            Run.Stop.ThrowIfRequested();
            log.Flush();
        }
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <inheritdoc/>
    protected override void Conclude()
    {
        var writeCaches = Run.Target.PhysicalDisks().Select(disk => disk.WriteCache).ToArray();
        Case.Claim(FlushPolicy.IsDurable
            // Logs on one file system can share a flush: the journal commits for all who wait.
            ? Claims.EachFlushed(Case.Passes, engineFlushes, 1.0 / Math.Min(Partitions, Producers), writeCaches, mayUseFua: WritePath == WritePath.Direct && FlushMethod == FlushMethod.DSync)
            : Claims.FlushedAfter(finalFlushes, writeCaches));
        if (WritePath == WritePath.Direct)
            Case.Claim(Claims.DirectLog(Case.Passes, directResidency));
        var batches = producers[0].Batches;
        Case.Effective["batchBytes"] = Math.Round(batches.MeanBytes);
        Case.Effective["recordsPerBatch"] = batches.RecordsPerBatch;
        Case.Effective["operationsPerPass"] = Case.Passes[0].Operations;
        Case.Claim(ReadBack());
    }

    /// <summary>Reads the last pass's logs back as after a crash: each batch's checksum, and no record missing.</summary>
    private ClaimRecord ReadBack()
    {
        long read = 0, appended = 0, cut = 0;
        // What is read here is deleted next, unless it is kept, so nothing of it has to be durable: the flushes of a thousand
        // logs' closing take a hard disk three minutes.
        var readOnce = Config() with { FlushPolicy = FlushPolicy.None, FlushMethod = FlushMethod.Fdatasync };
        foreach (var log in logs)
        {
            appended += log.EndOffset;
            Run.Stop.ThrowIfRequested();
            log.Abandon();
            var again = PartitionLog.Open(log.Folder, readOnce, new LogOpenOptions { Worker = LogWorker.AtOnce });
            read += again.EndOffset;
            // Zeros ahead of the end are no loss; a batch before the end would be.
            cut += again.EndOffset < log.EndOffset ? again.Recovery.BytesTruncated : 0;
            if (Run.Data.KeepsWritten)
                again.Dispose();
            else
                again.Abandon();
        }
        return Claims.ReadBack(read, appended, cut);
    }

    private LogConfig Config() => new()
    {
        SegmentBytes = (int)SegmentSize.Bytes,
        FlushPolicy = FlushPolicy,
        FlushMethod = FlushMethod,
        Preallocation = Preallocation,
        WritePath = WritePath,
        MaxBatchBytes = (int)Math.Max(1048588, 2 * BatchSize.Bytes),
        RetentionMs = -1,
    };

    private void OpenLogs()
    {
        folder = Removal.Fresh(Path.Combine(Run.Data.Path, FormattableString.Invariant($"log-{CaseSeed & 0xFFFFFF:x6}-{folderNumber++}")));
        var folders = Enumerable.Range(0, Partitions).Select(partition => Path.Combine(folder, FormattableString.Invariant($"append-{partition}"))).ToArray();
        // Their names are made durable once: a log that makes its own folder does it for itself, and a thousand such flushes
        // before each pass are a minute on a hard disk.
        DiskStorage.Instance.CreateFolder(folder);
        foreach (var log in folders)
            Directory.CreateDirectory(log);
        DiskStorage.Instance.SyncFolder(folder);
        foreach (var log in folders)
        {
            Run.Stop.ThrowIfRequested();
            logs.Add(PartitionLog.Open(log, Config(), new LogOpenOptions { Worker = worker, Observer = watch, CleanStop = true }));
        }
        worker!.Drain();
    }

    private void CloseLogs(bool keep)
    {
        // Closing makes all of it durable, for which nobody waits who has pressed Ctrl-C.
        if (keep && !Run.Stop.IsRequested)
            foreach (var log in logs)
                log.Dispose();
        else
            PartitionLog.AbandonAll(logs);
        logs.Clear();
        if (!keep && folder is not null && Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    /// <summary>A pass without a flush would have the cache's throughput under the policy's name: it has four, however long these take, as far as the write limit allows.</summary>
    private long FewestBytesPerPass => FlushPolicy.Kind switch
    {
        FlushKind.Bytes => 4 * FlushPolicy.Value,
        FlushKind.Records => 4 * FlushPolicy.Value * RecordSize.Bytes,
        _ => 0,
    };

    private long MostBytesPerPass(RunSettings settings) =>
        // What is never flushed hardly reaches the device before it is deleted; a pass of it would be too short to mean anything.
        FlushPolicy.Kind == FlushKind.None && settings.Profile != Profile.Smoke ? 2 * settings.MaxWriteBytesPerPass : settings.MaxWriteBytesPerPass;

    private long MostOperations(RunSettings settings) => Math.Max(1, MostBytesPerPass(settings) / BatchSize.Bytes);

    private double BytesPerSecond()
    {
        var flushSeconds = 250e-6;
        var writing = BatchSize.Bytes / 1.8e9 + 3e-6;
        var flushing = FlushPolicy.Kind switch
        {
            FlushKind.Each => (flushSeconds + BatchSize.Bytes / 1e9) / (Partitions > 1 ? Math.Min(4, Producers) : 1),
            FlushKind.Group => (flushSeconds + FlushPolicy.Value * 1e-6 + BatchSize.Bytes / 1e9) / Producers,
            FlushKind.Bytes => Math.Min(1, BatchSize.Bytes / (double)FlushPolicy.Value) * flushSeconds + BatchSize.Bytes / 1.2e9,
            FlushKind.None => 0,
            _ => BatchSize.Bytes / 1.2e9,
        };
        return BatchSize.Bytes / (writing + flushing);
    }

    private static ParameterGrid Grid(ByteSize[] segmentSizes, FlushPolicy[] policies) => new ParameterGrid()
        .With(nameof(SegmentSize), segmentSizes)
        .With(nameof(FlushPolicy), policies);

    /// <summary>One thread's side: its batches, its partitions, its histogram.</summary>
    private sealed class Producer
    {
        private readonly LogAppend owner;
        private readonly int number;
        private readonly LatencyHistogram latency = new();

        internal Producer(LogAppend owner, int number)
        {
            this.owner = owner;
            this.number = number;
            Batches = new LogBatches((int)owner.BatchSize.Bytes, (int)owner.RecordSize.Bytes, owner.Compression, CaseSeed + (ulong)number);
        }

        internal LogBatches Batches { get; }

        internal TimelineRecorder Timeline { get; } = new();

        internal long Operations { get; private set; }

        internal long Bytes { get; private set; }

        internal long EndNs { get; private set; }

        internal void AddTo(LatencyHistogram histogram) => histogram.Add(latency);

        /// <summary>CPU time of its thread over the last pass.</summary>
        internal double CpuSeconds { get; private set; }

        /// <summary>Its part of the open loop of the last pass; null in a closed one.</summary>
        internal Pacing? Part { get; private set; }

        internal void Run(Shares shares, Start start, Pacing? pacing)
        {
            Part = pacing?.PartOf(owner.Producers, number);
            var arrivals = Part is null ? default : new Arrivals(Part.PerSecond, Part.Seed);
            latency.Clear();
            (Operations, Bytes) = (0, 0);
            var logs = owner.logs;
            var partition = number % logs.Count;
            var step = Math.Max(1, Math.Min(owner.Producers, logs.Count));
            var slowdown = new InjectedSlowdown(RunContext.Current.Settings.InjectedSlowdown);
            var cpu = CpuUsage.OfThread();
            var last = start.Wait();
            var (begun, due) = (last, last);
            Timeline.Begin(last);
            try
            {
                while (shares.TakeOne(last - start.Timestamp))
                {
                    var batch = Batches.Next();
                    // Without a pace an append is due when the one before it has ended.
                    if (Part is not null)
                        last = WaitForTurn(ref arrivals, begun, Workload.Run.Stop, out due);
                    logs[partition].Append(batch);
                    var now = slowdown.After(last, Stopwatch.GetTimestamp());
                    if (Part is not null)
                    {
                        Part.Service.Record(now - last);
                        last = due;
                    }
                    latency.Record(now - last);
                    Timeline.RecordOperation(now, now - last, batch.Length);
                    last = now;
                    Operations++;
                    Bytes += batch.Length;
                    partition += step;
                    if (partition >= logs.Count)
                        partition = number % logs.Count;
                }
            }
            catch (Exception exception)
            {
                shares.Fail(exception);
            }
            EndNs = last;
            CpuSeconds = (CpuUsage.OfThread() - cpu).Seconds;
            Part?.Ended(due - begun, last - begun);
        }

        private static long WaitForTurn(ref Arrivals arrivals, long begun, StopSignal stop, out long due)
        {
            due = begun + arrivals.NextNs();
            return Pause.Until(due, stop);
        }
    }

    /// <summary>
    /// The operations of a pass, given out one by one: eight at a time left a pass of a slow disk to three of sixteen
    /// producers, and was no faster where an append takes two microseconds (24 pairs, median ratio 1.005).
    /// </summary>
    private sealed class Shares(LoopLimit limit, StopSignal stop)
    {
        private long taken;
        private Exception? failure;

        internal Exception? Failure => failure;

        internal bool TakeOne(long elapsedNs) =>
            failure is null && !stop.IsRequested && elapsedNs < limit.DeadlineNs && Interlocked.Increment(ref taken) <= limit.Operations;

        internal void Fail(Exception exception) => Interlocked.CompareExchange(ref failure, exception, null);
    }

    /// <summary>Where all threads wait for the last, so that none begins before the others are there.</summary>
    private sealed class Start(int threads)
    {
        private int arrived;
        private long timestamp;

        internal long Timestamp => Volatile.Read(ref timestamp);

        internal long Wait()
        {
            Interlocked.Increment(ref arrived);
            for (var spin = new SpinWait(); Volatile.Read(ref arrived) < threads;)
                spin.SpinOnce();
            var now = Stopwatch.GetTimestamp();
            var first = Interlocked.CompareExchange(ref timestamp, now, 0);
            return first == 0 ? now : first;
        }
    }

    private sealed class Ending(Action act) : IDisposable
    {
        public void Dispose() => act();
    }
}

/// <summary>Takes what logs tell of their flushes and rolls into a case's histograms and timeline.</summary>
internal sealed class LogWatch : ILogObserver
{
    private readonly Lock recording = new();
    private TimelineRecorder? timeline;
    private LatencyHistogram? flushLatency;
    private LatencyHistogram? rollLatency;

    /// <summary>Flushes in the pass.</summary>
    internal long Flushes { get; private set; }

    /// <summary>Rolls in the pass.</summary>
    internal long Rolls { get; private set; }

    /// <summary>Begins a pass; without a case nothing is kept of it.</summary>
    internal void Begin(CaseScope? scope, TimelineRecorder events)
    {
        lock (recording)
        {
            timeline = events;
            flushLatency = scope?.Latency("fsync");
            rollLatency = scope?.Latency("roll");
            (Flushes, Rolls) = (0, 0);
        }
    }

    /// <summary>Ends it: what comes later is not part of it.</summary>
    internal void End()
    {
        lock (recording)
            flushLatency = rollLatency = null;
    }

    public void Flushed(long startTimestamp, long endTimestamp, long bytes)
    {
        lock (recording)
        {
            if (flushLatency is null)
                return;
            Flushes++;
            flushLatency.Record(endTimestamp - startTimestamp);
            timeline!.RecordEvent("flush", startTimestamp, endTimestamp - startTimestamp, bytes);
        }
    }

    public void Rolled(long startTimestamp, long endTimestamp, long bytes)
    {
        lock (recording)
        {
            if (rollLatency is null)
                return;
            Rolls++;
            rollLatency.Record(endTimestamp - startTimestamp);
            timeline!.RecordEvent("roll", startTimestamp, endTimestamp - startTimestamp, bytes);
        }
    }
}
