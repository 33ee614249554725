using System.Globalization;
using Bench.Disk;
using Bench.SegmentLog;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Index;
using Bench.SegmentLog.Storage;
using Bench.TestSupport;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>A run has found a fault; the message has the seed and the last steps.</summary>
public sealed class ModelFailureException(string message, Exception inner, int stepCount) : Exception(message, inner)
{
    /// <summary>Steps until it was found: the fewer, the easier it is to understand.</summary>
    public int StepCount { get; } = stepCount;
}

/// <summary>A clock that goes when it is told to.</summary>
internal sealed class StepClock : TimeProvider
{
    public long NowMs { get; set; } = 1_700_000_000_000;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(NowMs);
}

/// <summary>
/// One run: random operations on a log over a faulty disk, each held against the model, with crashes in between and a
/// full check of the folder at the end. All of it follows from the seed.
/// </summary>
internal sealed class ModelRun
{
    private const string Folder = "/disk/topic-0";

    private readonly int seed;
    private readonly Random random;
    private readonly FaultyStorage disk;
    private readonly IStorage storage;
    private readonly StepClock clock = new();
    private readonly RecordBatchBuilder builder = new(1024);
    private readonly List<string> trace = [];
    private readonly bool isAlone = Environment.GetEnvironmentVariable("BENCH_MODEL_SEED") is not null;
    private readonly bool withFaults;
    private readonly bool withDeletions;
    private readonly bool withGaps;
    private readonly bool highWatermarkFollows;
    private readonly bool isCompacted;
    private readonly FlushPolicy? onlyPolicy;
    private LogModel model = new();
    private LogConfig config;
    private PartitionLog log = null!;
    private List<ParsedBatch> maybe = [];
    private long durableOffset;
    private long recoveryPoint;
    private long openedAt;
    private long appends;
    private int failuresAtOpen;
    private bool failed;
    private long highWatermark;
    private int newestEpoch;
    private long cleanedTo;
    // What a compaction that did not end has made may come into its place at the next opening.
    private CompactionRules? unfinished;
    // What a cut that did not end has taken may come back with the next power cut, if nothing behind it is durable by then.
    private List<ParsedBatch> cutOff = [];
    private bool isAfterPowerCut;

    /// <summary>A run.</summary>
    /// <param name="seed">Which.</param>
    /// <param name="wrap">Breaks the disk's promises, to see that this is found.</param>
    /// <param name="onlyPolicy">A flush policy for the whole run.</param>
    public ModelRun(int seed, Func<IStorage, IStorage>? wrap = null, FlushPolicy? onlyPolicy = null)
    {
        this.seed = seed;
        this.onlyPolicy = onlyPolicy;
        random = new Random(seed);
        disk = new FaultyStorage(random.Next());
        storage = wrap?.Invoke(disk) ?? disk;
        withFaults = random.Next(3) == 0;
        withDeletions = random.Next(5) == 0;
        withGaps = random.Next(3) == 0;
        highWatermarkFollows = random.Next(4) > 0;
        isCompacted = random.Next(3) == 0;
        config = new LogConfig
        {
            SegmentBytes = 1024 << random.Next(7),
            SegmentMs = Pick(604_800_000L, 5_000),
            IndexIntervalBytes = Pick(0, 64, 512, 4096),
            SegmentIndexBytes = Pick(24, 96, 1024, 10 << 20),
            TimestampType = Pick(TimestampType.CreateTime, TimestampType.CreateTime, TimestampType.LogAppendTime),
            AppendChecks = Pick(AppendChecks.Checksum, AppendChecks.EveryRecord),
            ProducerIdExpirationMs = long.MaxValue,
            PreallocationChunkBytes = Pick(0, 4096, 16384),
            CleanupPolicy = isCompacted ? CleanupPolicy.Compact : CleanupPolicy.Delete,
            CompactionMapBytes = Pick(96L, 1 << 20),
            DeleteRetentionMs = Pick(20L, 500, 24 * 3600 * 1000),
            FileDeleteDelayMs = 0,
        };
        if (withDeletions)
            config = config with { RetentionMs = Pick(-1L, 500, 5000), RetentionBytes = Pick(-1L, 2000, 20_000) };
    }

    /// <summary>How the run sees the last stable offset: a test of the run gives a wrong one.</summary>
    public Func<PartitionLog, long> LastStableOffset { get; init; } = log => log.LastStableOffset;

    /// <summary>How the run compacts, from the offset that is clean: a test of the run does it wrongly.</summary>
    public Func<PartitionLog, long, CompactionReport> Compaction { get; init; } = (log, firstDirty) => log.Compact(firstDirty);

    /// <summary>Whether the disk's flushes do nothing.</summary>
    public bool FlushesLie
    {
        init => disk.FlushesLie = value;
    }

    public int Crashes { get; private set; }

    public int Appends => (int)appends;

    public int FaultsInjected => disk.FailedCalls;

    /// <summary>Runs it.</summary>
    /// <exception cref="ModelFailureException">Something is not as it has to be.</exception>
    public void Run()
    {
        try
        {
            Open(cleanStop: false);
            for (var left = random.Next(10, 250); left > 0; left--)
            {
                clock.NowMs += random.Next(20);
                if (withFaults && random.Next(20) == 0)
                    disk.Faults = random.Next(2) == 0 ? StorageFaults.None : RandomFaults();
                if (failed)
                    Recover();
                else
                    Step();
            }
            disk.Faults = StorageFaults.None;
            if (failed || HasFailed)
                Recover();
            CloseAndCheck();
        }
        catch (Exception exception)
        {
            throw new ModelFailureException(string.Create(CultureInfo.InvariantCulture,
                $"BENCH_MODEL_SEED={seed} finds: {exception.Message}\n{config}\nthe last steps:\n  {string.Join("\n  ", trace.TakeLast(isAlone ? int.MaxValue : 60))}"), exception, trace.Count);
        }
    }

    private bool HasFailed => disk.FailedCalls > failuresAtOpen;

    private T Pick<T>(params ReadOnlySpan<T> from) => from[random.Next(from.Length)];

    private static void Require(bool holds, FormattableString what)
    {
        if (!holds)
            throw new UnsoundException(FormattableString.Invariant(what));
    }

    private void Trace(FormattableString what) => trace.Add(FormattableString.Invariant(what));

    private StorageFaults RandomFaults() => new()
    {
        ReadFails = Pick(0, 0, 0.01),
        WriteFails = Pick(0, 0.02, 0.2),
        FlushFails = Pick(0, 0.02, 0.2),
        NameFails = Pick(0, 0.02, 0.2),
    };

    private void Step()
    {
        switch (random.Next(102))
        {
            case < 35: AppendPlain(); break;
            case < 52: AppendProduced(firstProducer: 100, isTransactional: false); break;
            case < 62: AppendProduced(firstProducer: 200, isTransactional: true); break;
            case < 67: EndTransaction(); break;
            case < 71: AppendAsFollower(); break;
            case < 74: Flush(); break;
            case < 76: Roll(); break;
            case < 85: Read(); break;
            case < 87: FindTimestamp(); break;
            case < 89: WaitFor(); break;
            case < 91: MoveHighWatermark(); break;
            case < 92: Delete(); break;
            case < 94: Compact(); break;
            case < 96: recoveryPoint = Math.Max(recoveryPoint, log.RecoveryPoint); break;
            case < 98: CloseAndOpen(); break;
            case < 100: Crash(Pick(true, true, true, false)); break;
            case < 101: DeleteOldSegments(); break;
            default: Cut(); break;
        }
    }

    private byte[] Build(BatchSettings settings, int records, bool isFollower = false)
    {
        builder.Begin(settings);
        var largest = Pick(16, 100, 700);
        Span<byte> key = stackalloc byte[8];
        Span<byte> value = stackalloc byte[700];
        for (var i = 0; i < records; i++)
        {
            random.NextBytes(key);
            // Few keys, so that they come again.
            if (isCompacted)
                key[..8].Fill((byte)random.Next(9));
            var length = random.Next(largest);
            random.NextBytes(value[..length]);
            // Stop before a batch would not fit a segment.
            if (i > 0 && builder.SizeBytes + length + 80 > config.SegmentBytes)
                break;
            var nulls = random.Next(10) == 0 && (isFollower || !isCompacted) ? NullParts.Key : isCompacted && random.Next(5) == 0 ? NullParts.Value : NullParts.None;
            builder.Append(clock.NowMs + random.Next(-2000, 2000), nulls == NullParts.Key ? default : key[..(isCompacted ? 1 : random.Next(9))], nulls == NullParts.Value ? default : value[..length], nulls);
        }
        return builder.Build().ToArray();
    }

    private int SomeRecords() => Pick(1, 1, 1 + random.Next(5), 1 + random.Next(30));

    private long? AppendTime => config.TimestampType == TimestampType.LogAppendTime ? clock.NowMs : null;

    private int LeaderEpoch => newestEpoch += random.Next(30) == 0 ? 1 : 0;

    private void AppendPlain()
    {
        var bytes = Build(new BatchSettings(), SomeRecords());
        while (random.Next(4) == 0 && Build(new BatchSettings(), SomeRecords()) is var more && bytes.Length + more.Length <= config.SegmentBytes)
            bytes = [.. bytes, .. more];
        var epoch = LeaderEpoch;
        var expected = Expected(bytes, epoch);
        Trace($"append {bytes.Length} bytes in {expected.Count} batches from {model.NextOffset}, epoch {epoch}");
        Append(expected, () => log.Append(bytes, epoch));
    }

    private List<ParsedBatch> Expected(byte[] bytes, int epoch)
    {
        appends++;
        var expected = new List<ParsedBatch>();
        var next = model.NextOffset;
        foreach (var batch in ParsedBatch.ParseAll(bytes, "built"))
        {
            expected.Add(ParsedBatch.Parse(ParsedBatch.Assigned(batch.Bytes, next, epoch, AppendTime), "expected") with { Append = appends });
            next += batch.LastOffsetDelta + 1;
        }
        return expected;
    }

    private void AppendProduced(long firstProducer, bool isTransactional)
    {
        var id = firstProducer + random.Next(3);
        var known = model.Producers.GetValueOrDefault(id);
        var (epoch, sequence, records) = (known?.Epoch ?? 0, known is null ? Pick(0, 5, int.MaxValue - 3) : (int)((known.LastSequence + 1L) & int.MaxValue), SomeRecords());
        var repeated = default(KnownBatch?);
        if (known is not null)
            switch (random.Next(12))
            {
                case 0 when known.Batches.Count > 0:
                    repeated = known.Batches[random.Next(known.Batches.Count)];
                    (sequence, records) = (repeated.Value.FirstSequence, (int)(repeated.Value.LastOffset - repeated.Value.FirstOffset) + 1);
                    break;
                case 1: sequence = (int)((sequence + 1L + random.Next(5)) & int.MaxValue); break;
                case 2 when epoch > 0: epoch--; break;
                case 3: (epoch, sequence) = ((short)(epoch + 1), Pick(0, 0, 0, 7)); break;
                case 4: isTransactional = !isTransactional; break;
            }
        var settings = new BatchSettings { ProducerId = id, ProducerEpoch = epoch, BaseSequence = sequence, IsTransactional = isTransactional };
        byte[] bytes;
        if (repeated is null)
        {
            bytes = Build(settings, records);
        }
        else
        {
            builder.Begin(settings);
            for (var i = 0; i < records; i++)
                builder.Append(clock.NowMs, default, default, isCompacted ? NullParts.None : NullParts.Key);
            bytes = builder.Build().ToArray();
            if (bytes.Length > config.SegmentBytes)
                return;
        }
        var leaderEpoch = LeaderEpoch;
        var expected = Expected(bytes, leaderEpoch);
        Trace($"produce {expected[0]}");
        var last = expected[0].LastSequence;
        if (known is null)
        {
            Append(expected, () => log.Append(bytes, leaderEpoch));
            return;
        }
        var at = epoch == known.Epoch ? known.Batches.FindLastIndex(batch => batch.FirstSequence == sequence && batch.LastSequence == last) : -1;
        var error = epoch < known.Epoch ? AppendError.InvalidProducerEpoch
            : (epoch > known.Epoch ? sequence != 0 : sequence != known.LastSequence + 1L && !(sequence == 0 && known.LastSequence == int.MaxValue)) ? AppendError.OutOfOrderSequence
            : known.TransactionStart >= 0 && !isTransactional ? AppendError.InvalidTransactionState
            : default(AppendError?);
        // A batch that may be known still, and would follow as well: both answers are right.
        if (at >= 0 && at < known.Batches.Count - known.SureBatches && error is null)
            return;
        if (at < 0 && error is null)
        {
            Append(expected, () => log.Append(bytes, leaderEpoch));
            return;
        }
        try
        {
            var result = log.Append(bytes, leaderEpoch);
            // A producer that was forgotten after a deletion may have written a sequence number twice.
            Require(at >= 0 && result.IsDuplicate && known.Batches.Exists(batch => batch.FirstSequence == sequence && batch.LastSequence == last && result.FirstOffset == batch.FirstOffset && result.LastOffset == batch.LastOffset),
                $"{result} for what should be {(at >= 0 ? $"a duplicate of {known.Batches[at]}" : $"refused as {error}")}");
        }
        catch (AppendRejectedException exception) when (exception.Error != AppendError.LogFailed)
        {
            Require((at < 0 || at < known.Batches.Count - known.SureBatches) && exception.Error == error, $"refused as {exception.Error}, and not as {error}, or a duplicate at {at}: {exception.Message}");
        }
        catch (AppendRejectedException exception)
        {
            NoteRefusal(exception);
        }
        Require(log.EndOffset == model.NextOffset, $"a refused append moved the end to {log.EndOffset}");
    }

    private void EndTransaction()
    {
        var open = model.Producers.Where(pair => pair.Value.TransactionStart >= 0).Select(pair => pair.Key).ToArray();
        if (open.Length == 0 && random.Next(4) > 0)
            return;
        var id = open.Length > 0 ? Pick(open) : 200 + random.Next(3);
        var known = model.Producers.GetValueOrDefault(id);
        var end = Pick(TransactionEnd.Commit, TransactionEnd.Abort);
        var epoch = (short)((known?.Epoch ?? 0) + (random.Next(8) == 0 ? 1 : 0));
        var coordinator = Math.Max(0, known?.CoordinatorEpoch ?? 0) + (random.Next(8) == 0 ? 1 : 0);
        var leaderEpoch = LeaderEpoch;
        var marker = ParsedBatch.MakeMarker(id, epoch, (int)end, coordinator, clock.NowMs);
        var expected = Expected(marker, leaderEpoch);
        Trace($"end {expected[0]}");
        if (known is not null && random.Next(10) == 0 && known.CoordinatorEpoch > 0)
        {
            ExpectRejection(AppendError.CoordinatorFenced, () => log.EndTransaction(id, epoch, end, known.CoordinatorEpoch - 1, leaderEpoch));
            return;
        }
        Append(expected, () => log.EndTransaction(id, epoch, end, coordinator, leaderEpoch));
    }

    private void ExpectRejection(AppendError error, Func<AppendResult> append)
    {
        try
        {
            var result = append();
            Require(false, $"{result}, and not refused as {error}");
        }
        catch (AppendRejectedException exception)
        {
            if (exception.Error == AppendError.LogFailed)
                NoteRefusal(exception);
            else
                Require(exception.Error == error, $"refused as {exception.Error}, and not as {error}");
        }
    }

    private void AppendAsFollower()
    {
        var bytes = new List<byte>();
        var next = model.NextOffset;
        var expected = new List<ParsedBatch>();
        appends++;
        var epoch = LeaderEpoch;
        for (var left = random.Next(1, 4); left > 0; left--)
        {
            next += withGaps ? Pick(0, 0, random.Next(50)) : 0;
            var built = Build(new BatchSettings { BaseOffset = next, LeaderEpoch = epoch }, SomeRecords(), isFollower: true);
            if (bytes.Count + built.Length > config.SegmentBytes)
                break;
            bytes.AddRange(built);
            expected.Add(ParsedBatch.Parse(built, "follower") with { Append = appends });
            next = expected[^1].LastOffset + 1;
        }
        if (expected.Count == 0)
            return;
        Trace($"follow {string.Join(", ", expected)}");
        var array = bytes.ToArray();
        if (random.Next(10) == 0 && model.NextOffset > 0)
        {
            var old = ParsedBatch.Assigned(expected[0].Bytes, model.NextOffset - 1, epoch, null);
            ExpectRejection(AppendError.UnexpectedOffset, () => log.AppendAsFollower(old));
        }
        if (!failed)
            Append(expected, () => log.AppendAsFollower(array));
    }

    private void Append(List<ParsedBatch> batches, Func<AppendResult> append)
    {
        try
        {
            var result = append();
            Require(!result.IsDuplicate && result.FirstOffset == batches[0].BaseOffset && result.LastOffset == batches[^1].LastOffset,
                $"{result} for {string.Join(", ", batches)}");
            Add(batches);
            if (config.FlushPolicy.IsDurable)
            {
                durableOffset = model.NextOffset;
                Require(log.DurableOffset == model.NextOffset, $"{config.FlushPolicy} has returned, and durable is {log.DurableOffset} of {model.NextOffset}");
            }
        }
        catch (DiskException exception)
        {
            Trace($"  failed: {exception.Message}");
            Require(HasFailed, $"a failure without one: {exception.Message}");
            NoteFailedAppend(batches);
            MustRefuse();
        }
        catch (AppendRejectedException exception)
        {
            NoteRefusal(exception);
            NoteFailedAppend(batches);
        }
        CheckEnds();
    }

    private void NoteFailedAppend(List<ParsedBatch> batches)
    {
        // Its bytes are in the log and seen by readers, and only the flush failed; or nobody knows how much of it there is.
        if (log.EndOffset > model.NextOffset)
            Add(batches);
        else
            maybe = batches;
        failed = true;
    }

    private void NoteRefusal(AppendRejectedException exception)
    {
        Trace($"  refused: {exception.Message}");
        Require(exception.Error == AppendError.LogFailed && HasFailed, $"refused: {exception.Message}");
        failed = true;
    }

    private void Add(List<ParsedBatch> batches)
    {
        foreach (var batch in batches)
            model.Add(batch);
        if (highWatermarkFollows)
            highWatermark = model.NextOffset;
    }

    private void MustRefuse()
    {
        failed = true;
        try
        {
            log.Append(Build(new BatchSettings(), 1));
        }
        catch (AppendRejectedException exception) when (exception.Error == AppendError.LogFailed)
        {
            return;
        }
        Require(false, $"an append was taken after a failed one");
    }

    private void CheckEnds()
    {
        Require(log.EndOffset == model.NextOffset, $"the log ends at {log.EndOffset}, and should at {model.NextOffset}");
        Require(log.HighWatermark == highWatermark, $"the high watermark is {log.HighWatermark}, and should be {highWatermark}");
        var (least, most) = model.LastStable(highWatermark);
        var stable = LastStableOffset(log);
        Require(stable >= least && stable <= most, $"the last stable offset is {stable}, and should be {least}..{most}");
        Require(log.DurableOffset <= model.NextOffset, $"durable is {log.DurableOffset}, behind the end {model.NextOffset}");
        durableOffset = Math.Max(durableOffset, log.DurableOffset);
        if (failed)
            return;
        var since = model.Batches.Where(batch => batch.BaseOffset >= Math.Max(openedAt, log.DurableOffset)).ToArray();
        Require(config.FlushPolicy.Kind != FlushKind.Records || since.Sum(batch => batch.Records.Length) < config.FlushPolicy.Value, $"{config.FlushPolicy}, and {since.Length} batches are not flushed");
        Require(config.FlushPolicy.Kind != FlushKind.Bytes || since.Sum(batch => batch.Bytes.Length) < config.FlushPolicy.Value, $"{config.FlushPolicy}, and {since.Sum(batch => batch.Bytes.Length)} bytes are not flushed");
    }

    private void Flush() => Try("flush", () =>
    {
        log.Flush();
        durableOffset = model.NextOffset;
        Require(log.DurableOffset == model.NextOffset, $"flushed, and durable is {log.DurableOffset} of {model.NextOffset}");
    });

    private void Roll() => Try("roll", log.Roll);

    private void Try(string what, Action act)
    {
        Trace($"{what}");
        TryOnDisk(act);
        CheckEnds();
    }

    /// <summary>Whether it was done: a disk that fails makes the log refuse everything until it is opened again.</summary>
    private bool TryOnDisk(Action act)
    {
        try
        {
            act();
            return true;
        }
        catch (DiskException exception)
        {
            Trace($"  failed: {exception.Message}");
            Require(HasFailed, $"a failure without one: {exception.Message}");
            MustRefuse();
        }
        catch (AppendRejectedException exception)
        {
            NoteRefusal(exception);
        }
        return false;
    }

    private void Read()
    {
        var end = model.NextOffset;
        var offset = random.NextInt64(model.StartOffset, end + 1);
        var isolation = Pick(ReadIsolation.LogEnd, ReadIsolation.HighWatermark, ReadIsolation.Committed);
        var most = Pick(1, 500, 5000, 1 << 20);
        try
        {
            CheckRead(offset, isolation, most);
            var to = random.NextInt64(offset, end + 1);
            CheckAborted(offset, to);
            try
            {
                log.Read(random.Next(2) == 0 ? end + 1 : model.StartOffset - 1, 1).Dispose();
                Require(false, $"a read outside the log gave no error");
            }
            catch (OffsetOutOfRangeException)
            {
            }
        }
        catch (DiskException) when (HasFailed)
        {
        }
        catch (Exception exception) when (exception is UnsoundException or CorruptLogException && HasFailed && HasFailedInBackground())
        {
            // After a failed flush the page cache may show what the device has.
        }
    }

    private bool HasFailedInBackground()
    {
        disk.Faults = StorageFaults.None;
        Flush();
        return failed;
    }

    private void CheckRead(long offset, ReadIsolation isolation, int most)
    {
        var limit = isolation switch { ReadIsolation.LogEnd => log.EndOffset, ReadIsolation.HighWatermark => highWatermark, _ => log.LastStableOffset };
        using var range = log.Read(offset, most, isolation);
        var bytes = new byte[range.LengthBytes];
        Require(range.CopyTo(bytes) == bytes.Length, $"the range of {bytes.Length} bytes is not there");
        var at = model.Batches.FindIndex(batch => batch.LastOffset >= offset);
        if (offset >= limit || at < 0 || model.Batches[at].LastOffset >= limit)
        {
            Require(bytes.Length == 0, $"a read from {offset} up to {limit} gave {bytes.Length} bytes");
            return;
        }
        var next = log.Segments.Select(segment => segment.BaseOffset).Where(other => other > model.Batches[at].BaseOffset).DefaultIfEmpty(long.MaxValue).Min();
        if (isolation == ReadIsolation.Committed)
            CheckAborted(range.Aborted, offset, Math.Min(limit, next));
        var expected = model.Batches[at..].TakeWhile(batch => batch.LastOffset < limit && batch.BaseOffset < next).SelectMany(batch => batch.Bytes).Take(Math.Max(most, model.Batches[at].Bytes.Length)).ToArray();
        Require(bytes.AsSpan().SequenceEqual(expected), $"a read from {offset} of {most} bytes up to {limit} ({isolation}) gave {bytes.Length} bytes, and not the {expected.Length} expected: they differ from byte {bytes.AsSpan().CommonPrefixLength(expected)} on");
    }

    private void CheckAborted(long from, long to) => CheckAborted(log.AbortedTransactions(from, to), from, to);

    private void CheckAborted(IReadOnlyList<AbortedTransaction> all, long from, long to)
    {
        var found = all.Select(aborted => (aborted.ProducerId, aborted.LastOffset)).ToArray();
        var expected = model.Aborted.Where(aborted => aborted.LastOffset >= from && aborted.FirstOffset < to)
            .Where(aborted => found.Contains((aborted.ProducerId, aborted.LastOffset)) || !model.MayBeForgotten(aborted))
            .Where(aborted => found.Contains((aborted.ProducerId, aborted.LastOffset)) || !model.BeginsLater(aborted, to))
            .Select(aborted => (aborted.ProducerId, aborted.LastOffset)).ToArray();
        Require(found.SequenceEqual(expected), $"aborted in [{from}, {to}) are {string.Join(", ", found)}, and should be {string.Join(", ", expected)}");
    }

    private void FindTimestamp()
    {
        var time = clock.NowMs + random.Next(-10_000, 3_000);
        try
        {
            var found = log.FindTimestamp(time);
            var expected = model.FindTimestamp(time);
            Require(found?.Offset == expected?.Offset && found?.Timestamp == expected?.Timestamp, $"time {time} is at {found}, and should be at {expected}");
        }
        catch (DiskException) when (HasFailed)
        {
        }
    }

    private void WaitFor()
    {
        Require(!log.WaitFor(highWatermark, TimeSpan.Zero), $"a wait for {highWatermark} ended");
        Require(highWatermark == 0 || log.WaitFor(highWatermark - 1, TimeSpan.Zero), $"a wait for {highWatermark - 1} did not end");
    }

    private void MoveHighWatermark()
    {
        if (highWatermarkFollows)
            return;
        var to = random.NextInt64(highWatermark, model.NextOffset + 1);
        Trace($"high watermark {to}");
        log.AdvanceHighWatermark(to);
        highWatermark = to;
        CheckEnds();
    }

    private void Delete()
    {
        if (!withDeletions)
            return;
        var to = Math.Min(model.LastStable(highWatermark).Least, highWatermark);
        if (to <= model.StartOffset)
            return;
        // What is noted as the start has to be there after a crash.
        to = Math.Min(random.NextInt64(model.StartOffset + 1, to + 1), durableOffset);
        if (to <= model.StartOffset)
            return;
        Trace($"delete before {to}");
        try
        {
            log.AdvanceStartOffset(to);
        }
        catch (DiskException) when (HasFailed)
        {
        }
        model.StartOffset = to;
        Require(log.StartOffset == to, $"the log starts at {log.StartOffset}, and should at {to}");
    }

    /// <summary>Deletes by size, by age and by the start offset.</summary>
    private void DeleteOldSegments()
    {
        var before = log.Segments.ToArray();
        var (count, start) = WhatToDelete(before);
        Trace($"delete old segments of {before.Length}, start {log.StartOffset}, high watermark {highWatermark}");
        TryOnDisk(() =>
        {
            var deleted = log.DeleteOldSegments();
            Require(deleted == count, $"{deleted} segments were deleted, and should be {count}");
            Require(log.StartOffset == start, $"the log starts at {log.StartOffset}, and should at {start}");
            Require(log.Segments.Count == Math.Max(1, before.Length - count), $"{log.Segments.Count} segments are left of {before.Length}, and {count} went");
            Trace($"  {count} went, the log starts at {start}");
        });
        Require(log.StartOffset >= model.StartOffset && log.StartOffset <= start, $"the log starts at {log.StartOffset}, and should at {model.StartOffset} to {start}");
        model.StartOffset = log.StartOffset;
        model.DeleteBefore(log.Segments[0].BaseOffset);
        CheckEnds();
    }

    /// <summary>How many of the segments go, and where the log starts then.</summary>
    private (int Count, long Start) WhatToDelete(Segment[] before)
    {
        long End(int at) => at + 1 < before.Length ? before[at + 1].BaseOffset : model.NextOffset;
        ParsedBatch[] Of(int at) => [.. model.Batches.Where(batch => batch.BaseOffset >= before[at].BaseOffset && batch.BaseOffset < End(at))];
        long Size(int at) => Of(at).Sum(batch => (long)batch.Bytes.Length);
        long Newest(int at) => Of(at) is { Length: > 0 } batches ? batches.Max(batch => batch.MaxTimestamp) : before[at].CreatedMs;
        bool MayGo(int at) => at < before.Length && End(at) <= highWatermark && (at + 1 < before.Length || Size(at) > 0);
        var count = 0;
        if (!isCompacted && config.RetentionMs >= 0)
            while (MayGo(count) && clock.NowMs - Newest(count) > config.RetentionMs)
                count++;
        if (!isCompacted && config.RetentionBytes >= 0)
        {
            var excess = Enumerable.Range(count, before.Length - count).Sum(Size) - config.RetentionBytes;
            while (MayGo(count) && excess >= Size(count))
                excess -= Size(count++);
        }
        long Start() => count == 0 ? model.StartOffset : Math.Max(model.StartOffset, count < before.Length ? before[count].BaseOffset : model.NextOffset);
        while (MayGo(count) && count + 1 < before.Length && End(count) <= Start())
            count++;
        return (count, Start());
    }

    /// <summary>
    /// Cuts the end off; sometimes the process is killed in it. The points to recover from are noted anew afterwards, and
    /// after an opening, as <see cref="LogDirectory"/> does it.
    /// </summary>
    private void Cut()
    {
        var from = log.Segments[0].BaseOffset;
        if (model.NextOffset <= from)
            return;
        var places = model.Batches.Where(batch => batch.BaseOffset >= from).Select(batch => batch.BaseOffset).ToArray();
        // Mostly a little, where a follower's log differs from its leader's.
        var to = places.Length == 0 || random.Next(10) == 0 ? random.NextInt64(Math.Max(0, from - 3), model.NextOffset)
            : random.Next(2) == 0 ? places[^random.Next(1, Math.Min(4, places.Length) + 1)] : Pick(places);
        // What is appended behind a part of a batch leaves a gap before it.
        if (!withGaps && !isCompacted && model.Batches.Find(batch => batch.BaseOffset < to && batch.LastOffset >= to) is { } within)
            to = within.BaseOffset;
        // The start goes with it, and until that is noted a recovery would begin behind the end.
        var movesStart = to < model.StartOffset;
        if (movesStart && withFaults)
            return;
        var dies = !movesStart && random.Next(4) == 0;
        var stepsLeft = dies ? random.Next(25) : int.MaxValue;
        var isDead = false;
        Trace($"cut to {to}, of {log.StartOffset} to {model.NextOffset}");
        disk.BeforeCall = (_, _) =>
        {
            if (isDead || stepsLeft-- > 0)
                return;
            isDead = true;
            disk.Stop();
        };
        // Until it has returned, what it cuts may be there or not.
        durableOffset = Math.Min(durableOffset, to);
        cleanedTo = Math.Min(cleanedTo, to);
        model.BeginCut();
        var isDone = TryOnDisk(() =>
        {
            try
            {
                var hasCut = log.TruncateTo(to);
                Require(hasCut || isDead, $"nothing was cut");
            }
            catch (Exception exception) when (isDead && exception is not UnsoundException)
            {
                // It reads again what was never written.
            }
        });
        disk.BeforeCall = null;
        if (!isDone)
            return;
        if (isDead)
        {
            Trace($"  killed in it");
            cutOff = model.Batches.FindAll(batch => batch.LastOffset >= to);
            Crash(Pick(true, false));
            return;
        }
        model.StartOffset = Math.Min(model.StartOffset, to);
        model.CutAt(to);
        model.KnowsEpochs &= !movesStart;
        highWatermark = Math.Min(highWatermark, to);
        openedAt = Math.Min(openedAt, to);
        Require(log.StartOffset == model.StartOffset, $"the log starts at {log.StartOffset}, and should at {model.StartOffset}");
        CheckProducers();
        CheckEnds();
        CheckAborted(model.StartOffset, model.NextOffset);
        if (random.Next(4) == 0)
            Crash(Pick(true, false));
        else
            recoveryPoint = Math.Min(recoveryPoint, log.RecoveryPoint);
    }

    /// <summary>
    /// Compacts, with reads at some of its steps; sometimes the process is killed at one. A step is a call of the disk: what
    /// is read just before it, another thread could read.
    /// </summary>
    private void Compact()
    {
        if (!isCompacted)
            return;
        var limit = log.Segments.SkipLast(1).Select(segment => segment.BaseOffset).Append(log.Segments[^1].BaseOffset).Last(offset => offset <= Math.Max(log.LastStableOffset, log.Segments[0].BaseOffset));
        var firstDirty = random.Next(3) == 0 ? cleanedTo : 0;
        var rules = new CompactionRules(model, limit, firstDirty, clock.NowMs, config.DeleteRetentionMs);
        var dies = random.Next(4) == 0;
        var stepsLeft = dies ? random.Next(60) : int.MaxValue;
        var (isDead, hasThrown, scansLeft) = (false, false, 8);
        Trace($"compact to {limit}, keys from {firstDirty}");
        disk.BeforeCall = (call, _) =>
        {
            if (isDead || call == "read")
                return;
            if (stepsLeft-- == 0)
            {
                isDead = true;
                disk.Stop();
                return;
            }
            // A small map takes many passes.
            if (random.Next(6) > 0 || scansLeft-- <= 0)
                return;
            var faults = disk.Faults;
            disk.Faults = StorageFaults.None;
            CheckScan(rules);
            disk.Faults = faults;
        };
        var passes = 0;
        try
        {
            var report = Compaction(log, firstDirty);
            passes = report.IsComplete && !isDead ? report.Passes : 0;
            Require(isDead || limit == log.Segments[0].BaseOffset || (report.IsComplete && report.CleanedTo == limit), $"compacted to {report.CleanedTo}, and should be to {limit}");
            Trace($"  {report.RecordsDropped} records went, {report.Passes} passes");
            cleanedTo = report.IsComplete ? Math.Max(cleanedTo, report.CleanedTo) : cleanedTo;
        }
        catch (DiskException exception)
        {
            Trace($"  failed: {exception.Message}");
            Require(isDead || HasFailed, $"a failure without one: {exception.Message}");
            hasThrown = true;
        }
        catch (AppendRejectedException exception)
        {
            if (!isDead)
                NoteRefusal(exception);
        }
        catch (CorruptLogException) when (isDead)
        {
            // It reads again what was never written.
        }
        finally
        {
            disk.BeforeCall = null;
        }
        if (isDead)
        {
            Trace($"  killed in it");
            unfinished = rules;
            Crash(Pick(true, false));
            return;
        }
        var faultsNow = disk.Faults;
        disk.Faults = StorageFaults.None;
        // Tells whether the log goes on, as it does where only new files could not be written.
        if (hasThrown)
            Flush();
        // After a failed flush the page cache may show what the device has, which is less; nothing was compacted then.
        unfinished = failed && log.DurableOffset >= limit ? rules : null;
        if (!failed)
            model.Compact(rules.Limit, CheckScan(rules, passes));
        disk.Faults = faultsNow;
        CheckEnds();
    }

    /// <summary>Holds all that is compacted, as it is now, against the rules, and what readers get against it.</summary>
    private List<ParsedBatch> CheckScan(CompactionRules rules, int passes = 0)
    {
        var there = new List<ParsedBatch>();
        foreach (var segment in log.Segments.TakeWhile(segment => segment.BaseOffset < rules.Limit))
        {
            var bytes = new byte[segment.SizeBytes];
            segment.File.Read(bytes, 0);
            there.AddRange(ParsedBatch.ParseAll(bytes, segment.File.Path));
        }
        rules.Check(there, passes);
        var next = log.StartOffset;
        foreach (var batch in there.Where(batch => batch.LastOffset >= log.StartOffset && batch.LastOffset < log.HighWatermark))
        {
            using var range = log.Read(next, 1);
            var bytes = new byte[range.LengthBytes];
            Require(range.CopyTo(bytes) == bytes.Length && bytes.AsSpan().SequenceEqual(batch.Bytes), $"beside a compaction, a read from {next} gave {bytes.Length} bytes, and not {batch}");
            next = batch.LastOffset + 1;
        }
        return there;
    }

    private void TakeUnfinished(List<ParsedBatch> found)
    {
        if (unfinished is not { } rules)
            return;
        unfinished = null;
        var compacted = found.FindAll(batch => batch.BaseOffset < rules.Limit && !model.Deleted.Exists(deleted => deleted.BaseOffset == batch.BaseOffset));
        try
        {
            rules.Check(compacted, passes: 0);
        }
        catch (UnsoundException exception)
        {
            // It had not got so far that what it needs was durable: what is there is as it is without it.
            Trace($"  {exception.Message}");
            return;
        }
        model.Compact(rules.Limit, compacted);
    }

    private void CloseAndOpen()
    {
        Trace($"close and open");
        try
        {
            log.Close();
        }
        catch (Exception exception) when (exception is DiskException or AppendRejectedException)
        {
            Trace($"  failed: {exception.Message}");
            Require(HasFailed, $"a failure without one: {exception.Message}");
            failed = true;
            disk.Faults = StorageFaults.None;
            Crash(Pick(true, false));
            return;
        }
        durableOffset = model.NextOffset;
        if (random.Next(2) == 0)
        {
            Trace($"cut after the close");
            disk.CutPower();
        }
        Open(cleanStop: true);
    }

    /// <summary>The log has failed: as a user does it, or as the machine does.</summary>
    private void Recover()
    {
        disk.Faults = StorageFaults.None;
        if (random.Next(3) == 0)
        {
            try
            {
                log.Close();
                Require(!failed, $"a failed log was closed as if it were clean");
            }
            catch (Exception exception) when (exception is DiskException or AppendRejectedException or ObjectDisposedException)
            {
            }
        }
        Crash(Pick(true, false));
    }

    private void Crash(bool cutsPower)
    {
        Crashes++;
        // Where not even the note of a failure could be made, only a restart of the machine is safe.
        cutsPower |= failed && !disk.Exists(Folder + "/" + LogFiles.FlushFailed);
        Trace($"{(cutsPower ? "power cut" : "kill")}, durable {durableOffset} of {model.NextOffset}, recovery point {recoveryPoint}");
        disk.Stop();
        log.Abandon();
        if (cutsPower)
            disk.CutPower();
        else
            disk.Restart();
        isAfterPowerCut = cutsPower;
        Open(cleanStop: false);
    }

    private void Open(bool cleanStop)
    {
        config = config with { FlushPolicy = onlyPolicy ?? RandomPolicy() };
        config = config with
        {
            Preallocation = Pick(Preallocation.None, Preallocation.Fallocate, Preallocation.Zeroed),
            WritePath = Pick(WritePath.Buffered, WritePath.Buffered, WritePath.Direct),
        };
        config = config with
        {
            FlushMethod = config.FlushPolicy.Kind != FlushKind.Each ? Pick(FlushMethod.Fdatasync, FlushMethod.WriteBehind)
                : config.WritePath == WritePath.Direct ? Pick(FlushMethod.Fdatasync, FlushMethod.DSync)
                : Pick(FlushMethod.Fdatasync, FlushMethod.DSync, FlushMethod.RwfDSync, FlushMethod.WriteBehind),
        };
        Trace($"open {(cleanStop ? "after a clean stop" : "and recover")}: {config.FlushPolicy}, {config.FlushMethod}, {config.Preallocation}, {config.WritePath}");
        failed = false;
        failuresAtOpen = disk.FailedCalls;
        try
        {
            log = PartitionLog.Open(Folder, config, new LogOpenOptions
            {
                Storage = storage,
                Clock = clock,
                Worker = LogWorker.AtOnce,
                CleanStop = cleanStop,
                RecoveryPoint = recoveryPoint,
                LogStartOffset = model.StartOffset,
                Gaps = withGaps || isCompacted ? OffsetGaps.Kept : OffsetGaps.Lost,
                HighWatermarkFollowsEnd = highWatermarkFollows,
            });
        }
        catch (DiskException exception) when (HasFailed)
        {
            Trace($"  failed: {exception.Message}");
            disk.Faults = StorageFaults.None;
            disk.Stop();
            if (random.Next(2) == 0 || !disk.Exists(Folder + "/" + LogFiles.FlushFailed))
            {
                isAfterPowerCut = true;
                disk.CutPower();
            }
            else
            {
                disk.Restart();
            }
            // Whoever could not open it cleanly does not take the stop for a clean one again.
            Open(cleanStop: false);
            return;
        }
        foreach (var done in log.Recovery.Recovered.Where(done => done.BytesTruncated > 0))
            Trace($"  segment {done.BaseOffset} was cut from {done.SizeBefore} to {done.SizeAfter} bytes, to offset {done.NextOffset}: {done.Damage}");
        if (log.Recovery.Removed.Count > 0)
            Trace($"  segments {string.Join(", ", log.Recovery.Removed)} were removed");
        foreach (var note in log.Recovery.Notes)
            Trace($"  {note}");
        var faults = disk.Faults;
        disk.Faults = StorageFaults.None;
        CheckOpened(cleanStop);
        disk.Faults = faults;
    }

    private FlushPolicy RandomPolicy() => random.Next(7) switch
    {
        0 => FlushPolicy.None,
        1 => FlushPolicy.Roll,
        2 => new FlushPolicy(FlushKind.Records, Pick(1, 10, 100)),
        3 => new FlushPolicy(FlushKind.Bytes, Pick(1, 1000, 10_000)),
        4 => new FlushPolicy(FlushKind.Group),
        _ => FlushPolicy.Each,
    };

    private void CheckOpened(bool cleanStop)
    {
        var found = FolderCheck.ReadBatches(disk.Contents(Folder));
        TakeUnfinished(found);
        List<ParsedBatch> candidates = [.. model.Deleted, .. model.Batches, .. maybe];
        if (cutOff is [var first, ..] && durableOffset <= first.BaseOffset && !model.Batches.Contains(first) && found.Exists(batch => batch.BaseOffset == first.BaseOffset && batch.Bytes.AsSpan().SequenceEqual(first.Bytes)))
        {
            model.Keep([.. model.Batches.TakeWhile(batch => batch.BaseOffset < first.BaseOffset)], first.BaseOffset);
            maybe = cutOff;
            // Of those that began with what was compacted away.
            model.KnowsEpochs &= !model.IsCompacted;
            candidates = [.. model.Deleted, .. model.Batches, .. maybe];
        }
        var kept = new List<ParsedBatch>();
        var at = 0;
        foreach (var batch in found)
        {
            // A deletion is durable some time, and the oldest go first.
            while (at < model.Deleted.Count && candidates[at].BaseOffset < batch.BaseOffset)
                at++;
            // Where offsets may be missing, a segment that lost its end just behind a batch cannot be told from a gap.
            if ((withGaps || isCompacted) && !cleanStop && log.Segments.Any(segment => segment.BaseOffset <= batch.BaseOffset && segment.BaseOffset > (kept.Count == 0 ? -1 : kept[^1].BaseOffset)))
                while (at < candidates.Count && candidates[at].BaseOffset < batch.BaseOffset && candidates[at].LastOffset >= durableOffset)
                    at++;
            Require(at < candidates.Count, $"{batch} was never appended");
            Require(batch.Bytes.AsSpan().SequenceEqual(candidates[at].Bytes), $"{batch} is there, and {candidates[at]} should be");
            kept.Add(candidates[at++]);
        }
        // Of a log that ends before its start nothing is kept.
        while (at < candidates.Count && (at < model.Deleted.Count || candidates[at].LastOffset < Math.Min(log.Segments[0].BaseOffset, model.StartOffset)))
            at++;
        if (at < candidates.Count)
            Require(candidates[at].LastOffset >= durableOffset, $"{candidates[at]} was durable, up to {durableOffset}, and is lost");
        if (cleanStop)
            Require(at == candidates.Count, $"{candidates.Count - at} batches were closed cleanly, and are not there");
        cutOff = isAfterPowerCut ? [] : cutOff.FindAll(batch => !found.Exists(other => other.BaseOffset == batch.BaseOffset));
        isAfterPowerCut = false;
        if (candidates.Count > found.Count || maybe.Count > 0)
            Trace($"  {found.Count} of {candidates.Count} batches are there");
        foreach (var batch in maybe)
            model.Add(batch);
        maybe = [];
        model.Keep(kept, log.Segments[^1].BaseOffset);
        model.NoteReopening();
        openedAt = model.NextOffset;
        // A cut within a batch or a gap ends the log there, until it is opened again.
        durableOffset = Math.Min(durableOffset, model.NextOffset);
        if (recoveryPoint > model.NextOffset)
            recoveryPoint = log.RecoveryPoint;
        highWatermark = highWatermarkFollows ? model.NextOffset : Math.Min(model.StartOffset, model.NextOffset);
        CheckProducers();
        CheckEnds();
        if (config.FlushPolicy.IsDurable)
            Require(log.DurableOffset == model.NextOffset, $"{config.FlushPolicy}, and after opening durable is {log.DurableOffset} of {model.NextOffset}");
        CheckAborted(model.StartOffset, model.NextOffset);
        Require(log.StartOffset == model.StartOffset, $"the log starts at {log.StartOffset}, and should at {model.StartOffset}");
        var offset = model.StartOffset;
        while (offset < model.NextOffset)
        {
            CheckRead(offset, ReadIsolation.LogEnd, 1 << 20);
            offset = log.Segments.Select(segment => segment.BaseOffset).Where(other => other > offset).DefaultIfEmpty(model.NextOffset).Min();
        }
    }

    private void CheckProducers()
    {
        foreach (var (id, expected) in model.Producers.ToArray())
        {
            // Of a marker whose records are compacted away a replay gets an entry that knows nothing, as in Kafka.
            var found = log.Producers.Find(id) is { Epoch: >= 0 } entry ? entry : null;
            if (found is not null && Same(found, expected))
                continue;
            // Markers without data and largest times of records go.
            if (model.IsCompacted && found is not null && GoesOn(found, expected))
            {
                (expected.CoordinatorEpoch, expected.LastTimestamp) = (found.CoordinatorEpoch, found.LastTimestamp);
                continue;
            }
            var less = model.StartOffset == 0 && !model.HasCutCompacted ? [] : model.AfterLoss(id).Where(one => found is null ? one is null : one is not null && (model.IsCompacted ? GoesOn(found, one) : Same(found, one))).Take(1).ToArray();
            Require(less.Length > 0, $"producer {id} is {(found is null ? $"unknown" : Text(found))}, and should be {expected.Epoch}, {expected.LastSequence}, {expected.TransactionStart}, {expected.CoordinatorEpoch}, {expected.LastTimestamp}");
            if (less[0] is not { } known)
            {
                model.Producers.Remove(id);
                continue;
            }
            known.SureBatches = Math.Min(1, known.Batches.Count);
            if (model.IsCompacted)
                (known.CoordinatorEpoch, known.LastTimestamp) = (found!.CoordinatorEpoch, found.LastTimestamp);
            model.Producers[id] = known;
        }
        Require(log.Producers.Producers.Count(producer => producer.Epoch >= 0) == model.Producers.Count, $"{log.Producers.Producers.Count} producers are known, and {model.Producers.Count} are there");
    }

    private static bool Same(Bench.SegmentLog.Producers.ProducerEntry found, ModelProducer expected) =>
        GoesOn(found, expected) && found.CoordinatorEpoch == expected.CoordinatorEpoch && found.LastTimestamp == expected.LastTimestamp;

    private static bool GoesOn(Bench.SegmentLog.Producers.ProducerEntry found, ModelProducer expected) =>
        found.Epoch == expected.Epoch && found.LastSequence == expected.LastSequence && found.TransactionFirstOffset == expected.TransactionStart
        && (expected.Batches.Count == 0 || found.LastBatch?.LastOffset == expected.Batches[^1].LastOffset);

    private static FormattableString Text(Bench.SegmentLog.Producers.ProducerEntry found) =>
        $"{found.Epoch}, {found.LastSequence}, {found.TransactionFirstOffset}, {found.CoordinatorEpoch}, {found.LastTimestamp}";

    private void CloseAndCheck()
    {
        Trace($"close and check");
        log.Close();
        durableOffset = model.NextOffset;
        FolderCheck.Closed(disk.Contents(Folder), model, config.IndexIntervalBytes, config.SegmentIndexBytes);
        if (random.Next(2) == 0)
        {
            Trace($"cut after the close");
            disk.CutPower();
        }
        Open(cleanStop: true);
        log.Close();
        FolderCheck.Closed(disk.Contents(Folder), model, config.IndexIntervalBytes, config.SegmentIndexBytes);
    }
}
