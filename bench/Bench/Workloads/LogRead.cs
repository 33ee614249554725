using System.Diagnostics;
using BenchmarkDotNet.Attributes;
using Bench.Disk;
using Bench.Disk.ZeroCopy;
using Bench.Measure;
using Bench.Measure.Evidence;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Bench.Measure.Running;
using Bench.SegmentLog;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Storage;

namespace Bench.Workloads;

/// <summary>Where a reader of a log is.</summary>
public enum LogPosition
{
    /// <summary>At its end: each fetch takes what has just been appended, in step with the writer.</summary>
    Tail,

    /// <summary>Far behind, in order, nothing of it cached: a consumer that catches up.</summary>
    ColdHistory,

    /// <summary>Anywhere, looked up by offset.</summary>
    RandomByOffset,

    /// <summary>Anywhere, looked up by time.</summary>
    RandomByTime,
}

/// <summary>Whether somebody appends meanwhile.</summary>
public enum WriterBeside
{
    /// <summary>Nobody.</summary>
    None,

    /// <summary>A producer, at a steady rate, to another log on the same disk; its latency is what one wants to know.</summary>
    Steady,
}

/// <summary>What the reader does with the cache.</summary>
public enum ReadCache
{
    /// <summary>Nothing: what it reads stays, and pushes out what others use.</summary>
    Keep,

    /// <summary>It gives up the pages that it has sent (posix_fadvise, DONTNEED).</summary>
    DropBehind,

    /// <summary>It reads with RWF_DONTCACHE; there is no such sendfile.</summary>
    DontCache,
}

/// <summary>
/// Consumers of a log: one operation is one fetch, from the look-up until the receiver, a process of its own, has all of
/// it. Beside it may stand a producer, appending to another log at a steady rate, whose latency counts from the moment at
/// which each append was due: what does a consumer that catches up do to those who write?
/// </summary>
public class LogRead : Workload, IWorkload
{
    private const int BatchBytes = 16 << 10;
    private const int SegmentBytes = 16 << 20;

    // For the estimate before a run: a fetch from the cache of a middling machine, to a socket.
    private const double NominalBytesPerSecond = 1e9;

    private readonly Dictionary<string, IRangeSender> senders = new(StringComparer.Ordinal);
    private History history = null!;
    private PartitionLog? tail;
    private LogBatches? tailBatches;
    private LogWorker? worker;
    private SteadyWriter? writer;
    private Receiver? receiver;
    private AlignedBuffer? buffer;
    private BlockPermutation order;
    private long cursor;
    private double? residencyBefore;

    /// <summary>Where the reader is.</summary>
    [ParamsAllValues]
    public LogPosition Position { get; set; }

    /// <summary>Most bytes of a fetch; it is filled as far as whole batches of 16KiB go.</summary>
    [ParamsSource(nameof(FetchSizes))]
    public ByteSize FetchSize { get; set; }

    /// <summary>How the bytes reach the socket.</summary>
    [Params(Method.SendFile, Method.ReadWrite)]
    public Method Method { get; set; }

    /// <summary>Whether somebody appends meanwhile.</summary>
    [ParamsAllValues]
    public WriterBeside Writer { get; set; }

    /// <summary>What the reader does with the cache.</summary>
    [ParamsAllValues]
    public ReadCache Cache { get; set; }

    /// <summary>The fetch sizes of the profiles; 1MiB is Kafka's max.partition.fetch.bytes.</summary>
    public static IEnumerable<ByteSize> FetchSizes => [ByteSize.MiB(1), ByteSize.KiB(16), ByteSize.KiB(64), ByteSize.MiB(8)];

    /// <inheritdoc/>
    public override string OperationName => "Fetch";

    /// <inheritdoc/>
    /// <remarks>At the tail a fetch is due when something has been appended, and at no other moment.</remarks>
    public override bool CanBePaced => Position != LogPosition.Tail;

    private bool IsCold => Position == LogPosition.ColdHistory;

    /// <inheritdoc/>
    public override string? WhyImpossible() =>
        Method is not (Method.SendFile or Method.ReadWrite) ? "Method is SendFile or ReadWrite"
        : FetchSize.Bytes < BatchBytes || FetchSize.Bytes > 16 << 20 ? "FetchSize goes from 16KiB to 16MiB"
        : Cache == ReadCache.DontCache && Method == Method.SendFile ? "sendfile cannot read past the cache: Cache=DontCache goes with Method=ReadWrite"
        : Cache != ReadCache.Keep && !IsCold ? "Cache=DropBehind and DontCache are for Position=ColdHistory; the others read what is cached"
        : Position == LogPosition.Tail && Writer != WriterBeside.None ? "a reader at the tail is in step with its own writer; Writer=None"
        : null;

    /// <inheritdoc/>
    public override CaseEstimate Estimate(RunSettings settings)
    {
        var bytesPerSecond = Position == LogPosition.Tail ? 0.8e9 : Writer == WriterBeside.Steady ? SteadyWriter.BytesPerSecond : 0;
        var most = IsCold ? Math.Max(1, History.SizeOf(settings.Profile).Bytes / FetchSize.Bytes) : long.MaxValue;
        var passSeconds = settings.ExpectedPass(NominalBytesPerSecond / FetchSize.Bytes, most).Seconds;
        var writtenBytes = (long)((settings.Passes + 1) * passSeconds * bytesPerSecond);
        return new CaseEstimate(0.7 + (settings.Passes + 1) * (passSeconds + settings.SettleMs / 1000.0 + 0.03), writtenBytes,
            Position == LogPosition.Tail ? [] : [(History.Purpose, History.SizeOf(settings.Profile))])
        {
            PeakBytes = Position == LogPosition.Tail ? Math.Min(writtenBytes, (settings.Passes + 1) * settings.MaxWriteBytesPerPass) : writtenBytes,
        };
    }

    /// <summary>The grids of a profile.</summary>
    public static IReadOnlyList<ParameterGrid> Grids(Profile profile)
    {
        Method[] both = [Method.SendFile, Method.ReadWrite];
        return profile switch
        {
            Profile.Smoke =>
            [
                Grid(Enum.GetValues<LogPosition>(), [ByteSize.KiB(64)], both),
                Grid([LogPosition.ColdHistory], [ByteSize.KiB(64)], both).With(nameof(Writer), WriterBeside.Steady).With(nameof(Cache), Enum.GetValues<ReadCache>()),
            ],
            Profile.Quick =>
            [
                Grid([LogPosition.Tail, LogPosition.ColdHistory, LogPosition.RandomByOffset, LogPosition.RandomByTime], [ByteSize.MiB(1)], [Method.SendFile]),
                Grid([LogPosition.ColdHistory], [ByteSize.MiB(1)], [Method.ReadWrite]),
                Grid([LogPosition.RandomByOffset, LogPosition.ColdHistory], [ByteSize.MiB(1)], [Method.SendFile]).With(nameof(Writer), WriterBeside.Steady),
            ],
            Profile.Gate => [],
            Profile.Standard =>
            [
                Grid(Enum.GetValues<LogPosition>(), [ByteSize.KiB(16), ByteSize.MiB(1)], both),
                Grid([LogPosition.ColdHistory, LogPosition.RandomByOffset], [ByteSize.MiB(1)], both).With(nameof(Writer), WriterBeside.Steady),
                Grid([LogPosition.ColdHistory], [ByteSize.MiB(1)], both).With(nameof(Writer), WriterBeside.Steady).With(nameof(Cache), ReadCache.DropBehind, ReadCache.DontCache),
            ],
            _ =>
            [
                Grid(Enum.GetValues<LogPosition>(), [.. FetchSizes], both).With(nameof(Writer), Enum.GetValues<WriterBeside>()).With(nameof(Cache), Enum.GetValues<ReadCache>()),
            ],
        };
    }

    private int BatchesPerFetch => Math.Max(1, (int)(FetchSize.Bytes / history.BatchBytes));

    private long FetchBytes => (long)BatchesPerFetch * history.BatchBytes;

    /// <inheritdoc/>
    protected override long MostOperationsPerPass => IsCold ? Math.Max(1, history.Batches / BatchesPerFetch - 1)
        : Position == LogPosition.Tail ? Math.Max(1, Run.Settings.MaxWriteBytesPerPass / FetchBytes)
        : long.MaxValue;

    /// <inheritdoc/>
    protected override void Prepare()
    {
        var size = Position == LogPosition.Tail ? new ByteSize(SegmentBytes) : History.SizeOf(Run.Settings.Profile);
        history = Run.Shared("log history", size.ToString(), () => new History(size));
        worker = Case.Own(new LogWorker());
        var congestionControl = Sockets.FirstUsable(Transfer.CongestionControls);
        receiver = Case.Own(Receiver.Start(Run.SelfCommand, SocketKind.Tcp, useTls: false, FetchBytes, congestionControl));
        buffer = Case.Own(new AlignedBuffer((int)Math.Min(FetchBytes, 1 << 20)));
        order = new BlockPermutation(Math.Max(1, history.Batches - BatchesPerFetch), CaseSeed);
        Case.Effective["congestionControl"] = congestionControl;
        Case.Own(new Ending(this));
        if (Position == LogPosition.Tail)
            tailBatches = new LogBatches(BatchBytes, 100, Compression.None, CaseSeed);
        if (Writer == WriterBeside.Steady)
            writer = Case.Own(new SteadyWriter(Removal.Fresh(Path.Combine(Run.Data.Path, FormattableString.Invariant($"beside-{CaseSeed & 0xFFFFFFFF:x8}-0"))), worker, CaseSeed));
        // The first fetch says that the receiver has what the log holds.
        if (Position != LogPosition.Tail)
            VerifyContent();
    }

    /// <inheritdoc/>
    protected override void SetState()
    {
        if (Position == LogPosition.Tail)
        {
            ReopenTail();
            return;
        }
        if (!IsCold)
        {
            foreach (var file in history.Files.Where(file => PageCache.ResidencyOf(file).Share is null or < 1))
                PageCache.Warm(file, 0, file.LengthBytes);
            return;
        }
        foreach (var file in history.Files)
            PageCache.Evict(file);
    }

    /// <inheritdoc/>
    protected override void BeforeCounters()
    {
        residencyBefore = Position == LogPosition.Tail ? null : history.Residency();
        worker!.Drain();
    }

    /// <inheritdoc/>
    protected override PassResult RunOperations(LoopLimit limit, bool timed)
    {
        var fetches = timed ? Case.Latency("fetch") : Untimed;
        writer?.Begin();
        var result = Pacing is null ? RunClosed(limit, fetches, timed) : RunPaced(limit, fetches, Pacing);
        writer?.End(timed ? Case.Latency("append") : null);
        return new PassResult(result.ElapsedNs * 1e-9, result.Operations * FetchBytes, result.Operations);
    }

    private LoopResult RunClosed(LoopLimit limit, LatencyHistogram fetches, bool timed)
    {
        var appends = timed ? Case.Latency("append") : Untimed;
        var slowdown = new InjectedSlowdown(Run.Settings.InjectedSlowdown);
        var start = Stopwatch.GetTimestamp();
        var last = start;
        long done = 0;
        while (done < limit.Operations && last - start < limit.DeadlineNs)
        {
            Run.Stop.ThrowIfRequested();
            if (Position == LogPosition.Tail)
                last = AppendForTail(appends, last);
            FetchOne(NextOffset());
            var now = slowdown.After(last, Stopwatch.GetTimestamp());
            fetches.Record(now - last);
            last = now;
            done++;
        }
        return new LoopResult(done, last - start);
    }

    private LoopResult RunPaced(LoopLimit limit, LatencyHistogram fetches, Pacing pacing)
    {
        var (fetch, offsets) = (new Fetch(this), new Fetch(this));
        return PacedLoop.Run(ref fetch, ref offsets, limit, pacing, fetches, Run.Stop);
    }

    /// <inheritdoc/>
    protected override PassRecord Complete(PassRecord measured)
    {
        Case.AddMetric("cpuSecondsPerGB", (measured.CpuUserSeconds + measured.CpuSystemSeconds) / (measured.Bytes / 1e9));
        if (writer is { Latency: { Count: > 0 } latency })
            Case.AddMetric("writerP99Ns", latency.ValueAtPercentile(99));
        return measured with { ResidencyBefore = residencyBefore, ResidencyAfter = Position == LogPosition.Tail ? null : history.Residency() };
    }

    /// <inheritdoc/>
    protected override void Conclude()
    {
        Case.Effective["fetchBytes"] = FetchBytes;
        Case.Effective["batchBytes"] = history.BatchBytes;
        if (Position == LogPosition.Tail)
        {
            Case.Claim(Claims.FromCache(Case.Passes));
            return;
        }
        Case.Effective["historyBytes"] = history.SizeBytes;
        Case.Claim(IsCold ? Claims.Cold(Case.Passes) : Claims.Warm(Case.Passes));
    }

    private long AppendForTail(LatencyHistogram appends, long last)
    {
        for (var i = 0; i < BatchesPerFetch; i++)
        {
            tail!.Append(tailBatches!.Next());
            var now = Stopwatch.GetTimestamp();
            appends.Record(now - last);
            last = now;
        }
        return last;
    }

    private long NextOffset() => Position switch
    {
        LogPosition.Tail => tail!.EndOffset - (long)BatchesPerFetch * history.RecordsPerBatch,
        LogPosition.ColdHistory => Advance(),
        _ => order[cursor++ % Math.Max(1, history.Batches - BatchesPerFetch)] * history.RecordsPerBatch,
    };

    private void FetchOne(long offset)
    {
        var log = Position == LogPosition.Tail ? tail! : history.Log;
        var records = history.RecordsPerBatch;
        if (Position == LogPosition.Tail && !log.WaitFor(offset, TimeSpan.FromSeconds(10)))
            throw new IOException("what was appended did not become visible");
        if (Position == LogPosition.RandomByTime)
            offset = log.FindTimestamp(history.TimeOf(offset))?.Offset ?? throw new IOException($"the log has no record of the time of offset {offset}");
        for (var left = FetchBytes; left > 0;)
        {
            using var range = log.Read(offset, (int)left);
            if (range.IsEmpty)
                throw new IOException($"the log has nothing at offset {offset}");
            var length = Math.Min(left, range.LengthBytes);
            Send(range, length);
            left -= length;
            offset += length / history.BatchBytes * records;
        }
        receiver!.WaitForAnswer();
    }

    /// <summary>The next part of the history; each pass goes on where the last one ended, and no part comes twice in one.</summary>
    private long Advance()
    {
        if (cursor + BatchesPerFetch > history.Batches)
            cursor = 0;
        var offset = cursor * history.RecordsPerBatch;
        cursor += BatchesPerFetch;
        return offset;
    }

    private void Send(LogRange range, long length)
    {
        var file = ((DiskStorageFile)range.File!).File;
        if (Cache == ReadCache.DontCache)
        {
            for (long at = 0; at < length;)
            {
                var read = file.Read(buffer!.Span[..(int)Math.Min(buffer.LengthBytes, length - at)], range.Position + at, CallFlags.DontCache);
                SendAll(buffer.Span[..read]);
                at += read;
            }
            return;
        }
        if (!senders.TryGetValue(file.Path, out var sender))
            senders[file.Path] = sender = Senders.Make(Method, file, receiver!.Socket, buffer!.LengthBytes);
        sender.Send(range.Position, length);
        if (Cache == ReadCache.DropBehind)
            file.AdviseDone(range.Position, length);
    }

    private void SendAll(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[receiver!.Socket.Send(bytes)..];
    }

    private void VerifyContent()
    {
        var (position, keep) = (Position, cursor);
        (Position, cursor) = (LogPosition.ColdHistory, 0);
        FetchOne(NextOffset());
        (Position, cursor) = (position, keep);
        if (receiver!.FirstHash() != history.HashOf(FetchBytes))
            throw new IOException($"{Method} delivered other bytes than the log holds");
    }

    private void ReopenTail()
    {
        CloseTail();
        tail = PartitionLog.Open(Path.Combine(Run.Data.Path, FormattableString.Invariant($"tail-{CaseSeed & 0xFFFFFFFF:x8}-0")),
            new LogConfig { SegmentBytes = 64 << 20, FlushPolicy = FlushPolicy.None, RetentionMs = -1 }, new LogOpenOptions { CleanStop = true, Worker = worker });
    }

    private void CloseTail()
    {
        foreach (var path in senders.Keys.Where(path => tail is not null && path.StartsWith(tail.Folder, StringComparison.Ordinal)).ToArray())
        {
            senders[path].Dispose();
            senders.Remove(path);
        }
        if (tail is null)
            return;
        if (Run.Data.KeepsWritten)
        {
            tail.Dispose();
        }
        else
        {
            tail.Abandon();
            Directory.Delete(tail.Folder, recursive: true);
        }
        tail = null;
    }

    private static ParameterGrid Grid(LogPosition[] positions, ByteSize[] sizes, Method[] methods) => new ParameterGrid()
        .With(nameof(Position), positions)
        .With(nameof(FetchSize), sizes)
        .With(nameof(Method), methods);

    /// <summary>Where the next fetch of an open loop begins, and the fetch.</summary>
    private readonly struct Fetch(LogRead owner) : IBlockOperation, IPositions
    {
        public long Next() => owner.NextOffset();

        public void Run(long position) => owner.FetchOne(position);
    }

    private sealed class Ending(LogRead owner) : IDisposable
    {
        public void Dispose()
        {
            owner.CloseTail();
            foreach (var sender in owner.senders.Values)
                sender.Dispose();
            owner.senders.Clear();
        }
    }

    /// <summary>A log of many segments, written once for all cases of a run: batches of one length, a millisecond apart.</summary>
    private sealed class History : IDisposable
    {
        internal const string Purpose = "log";
        private readonly LogWorker worker = new();
        private readonly Removal removal;

        internal History(ByteSize size)
        {
            var folder = Removal.Fresh(Path.Combine(Run.Data.Path, $"history-{size}-0"));
            removal = new Removal(folder);
            var batches = new LogBatches(LogRead.BatchBytes, 100, Compression.None, (ulong)Run.Settings.Seed);
            BatchBytes = (int)batches.MeanBytes;
            RecordsPerBatch = batches.RecordsPerBatch;
            var clock = new StepClock();
            var config = new LogConfig { SegmentBytes = SegmentBytes, FlushPolicy = FlushPolicy.None, RetentionMs = -1, TimestampType = TimestampType.LogAppendTime };
            Log = PartitionLog.Open(folder, config, new LogOpenOptions { CleanStop = true, Worker = worker, Clock = clock });
            while (SizeBytes + BatchBytes <= size.Bytes)
            {
                if (Batches % 1024 == 0)
                {
                    Run.Stop.ThrowIfRequested();
                    Run.Observer.Preparing($"writing a log of {size}", (double)SizeBytes / size.Bytes);
                }
                clock.NowMs++;
                Log.Append(batches.Next());
                Batches++;
                SizeBytes += BatchBytes;
            }
            Log.Flush();
            worker.Drain();
            Files = [.. Log.Segments.Select(segment => ((DiskStorageFile)segment.File).File)];
        }

        internal PartitionLog Log { get; }

        internal IReadOnlyList<DiskFile> Files { get; }

        internal int BatchBytes { get; }

        internal int RecordsPerBatch { get; }

        internal long Batches { get; private set; }

        internal long SizeBytes { get; private set; }

        internal static ByteSize SizeOf(Profile profile) => profile switch
        {
            Profile.Smoke => ByteSize.MiB(40),
            Profile.Quick or Profile.Gate => ByteSize.MiB(512),
            _ => ByteSize.GiB(2),
        };

        internal long TimeOf(long offset) => StepClock.StartMs + 1 + offset / RecordsPerBatch;

        internal double? Residency()
        {
            double cached = 0;
            foreach (var file in Files)
            {
                if (PageCache.ResidencyOf(file).Share is not { } share)
                    return null;
                cached += share * file.LengthBytes;
            }
            return cached / Files.Sum(file => file.LengthBytes);
        }

        /// <summary>SHA-256 of the first bytes, as the receiver computes it.</summary>
        internal string HashOf(long bytes)
        {
            using var hash = new Sha256();
            var buffer = new byte[1 << 20];
            foreach (var file in Files)
                for (long position = 0; bytes > 0;)
                {
                    var read = file.Read(buffer.AsSpan(0, (int)Math.Min(buffer.Length, bytes)), position);
                    if (read == 0)
                        break;
                    hash.Append(buffer.AsSpan(0, read));
                    position += read;
                    bytes -= read;
                }
            return Convert.ToHexStringLower(hash.Finish());
        }

        public void Dispose()
        {
            // What is kept is to be a sound log.
            if (Run.Data.KeepsWritten)
                Log.Dispose();
            else
                Log.Abandon();
            worker.Dispose();
            removal.Dispose();
        }

        private sealed class StepClock : TimeProvider
        {
            internal const long StartMs = 1_700_000_000_000;

            internal long NowMs { get; set; } = StartMs;

            public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(NowMs);
        }
    }

    /// <summary>
    /// A producer that appends at a steady rate. Each append's latency counts from when it was due, so that a stall is seen
    /// by all that had to wait for it and not by one.
    /// </summary>
    private sealed class SteadyWriter : IDisposable
    {
        internal const double BytesPerSecond = AppendsPerSecond * LogRead.BatchBytes;
        private const int AppendsPerSecond = 2000;

        private readonly PartitionLog log;
        private readonly LogBatches batches;
        private readonly Removal removal;
        private Thread? thread;
        private Exception? failure;
        private volatile bool ending;

        internal SteadyWriter(string folder, LogWorker worker, ulong seed)
        {
            removal = new Removal(folder);
            batches = new LogBatches(LogRead.BatchBytes, 100, Compression.None, seed);
            // Kafka's default: a flush when a segment is complete.
            log = PartitionLog.Open(folder, new LogConfig { SegmentBytes = SegmentBytes, FlushPolicy = FlushPolicy.Roll, RetentionMs = -1 }, new LogOpenOptions { CleanStop = true, Worker = worker });
        }

        internal LatencyHistogram Latency { get; } = new();

        internal void Begin()
        {
            Latency.Clear();
            ending = false;
            thread = new Thread(Write) { IsBackground = true, Name = "writer beside" };
            thread.Start();
        }

        internal void End(LatencyHistogram? into)
        {
            ending = true;
            thread!.Join();
            thread = null;
            if (failure is not null)
                throw new IOException($"the writer beside failed: {failure.Message}", failure);
            into?.Add(Latency);
        }

        private void Write()
        {
            try
            {
                var start = Stopwatch.GetTimestamp();
                for (long i = 0; !ending; i++)
                {
                    var due = start + i * Stopwatch.Frequency / AppendsPerSecond;
                    while (Stopwatch.GetTimestamp() < due)
                        Thread.Yield();
                    log.Append(batches.Next());
                    Latency.Record(Stopwatch.GetTimestamp() - due);
                }
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        }

        public void Dispose()
        {
            ending = true;
            thread?.Join();
            if (Run.Data.KeepsWritten)
                log.Dispose();
            else
                log.Abandon();
            removal.Dispose();
        }
    }
}
