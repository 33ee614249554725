using System.Buffers.Binary;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Index;
using Bench.SegmentLog.Producers;

namespace Bench.SegmentLog;

/// <summary>Where an append went.</summary>
/// <param name="FirstOffset">Its first record.</param>
/// <param name="LastOffset">Its last record.</param>
/// <param name="IsDuplicate">True if the producer had written it before: nothing was appended, and these are the offsets of then.</param>
public readonly record struct AppendResult(long FirstOffset, long LastOffset, bool IsDuplicate);

public sealed partial class PartitionLog
{
    private readonly RecordBatchBuilder markers = new(256);
    private long unsavedEpochOffset = -1;

    /// <summary>
    /// Appends batches of a producer as the partition's leader: they get their offsets, the epoch, and by
    /// <see cref="LogConfig.TimestampType"/> their time, written into the caller's memory.
    /// </summary>
    /// <param name="batches">One batch or several, whole.</param>
    /// <param name="leaderEpoch">The leader's epoch.</param>
    /// <returns>Where they went; under <c>each</c> and <c>group</c> they are durable.</returns>
    /// <exception cref="AppendRejectedException">Nothing was appended.</exception>
    public AppendResult Append(Span<byte> batches, int leaderEpoch = 0)
    {
        var info = Inspect(batches, AppendOrigin.Client);
        // As Kafka's produce requests: the sequence numbers of a second batch could not be held against the first's.
        if (info is { HasProducer: true, Batches: > 1 })
            throw Corrupt("an idempotent producer appends one batch at a time");
        AppendResult result;
        long position;
        using var turn = new Turn(turns);
        lock (appending)
        {
            ThrowIfUnusable();
            if (info.HasProducer && producers.Check(new BatchView(batches)) is { } repeated)
                return new AppendResult(repeated.FirstOffset, repeated.LastOffset, IsDuplicate: true);
            var first = endOffset;
            AssignOffsets(batches, first, leaderEpoch, ref info);
            WriteAppend(batches, ref info);
            result = new AppendResult(first, info.LastOffset, IsDuplicate: false);
            position = appendedBytes;
        }
        Acknowledge(position);
        return result;
    }

    /// <summary>Appends batches of the leader's log as they are.</summary>
    /// <param name="batches">One batch or several, whole.</param>
    /// <exception cref="AppendRejectedException">An offset is not after the end of the log, or a batch is damaged.</exception>
    public AppendResult AppendAsFollower(ReadOnlySpan<byte> batches)
    {
        var info = Inspect(batches, AppendOrigin.Replication);
        long position;
        using var turn = new Turn(turns);
        lock (appending)
        {
            ThrowIfUnusable();
            if (info.FirstOffset < endOffset)
                throw new AppendRejectedException(AppendError.UnexpectedOffset, $"the append begins at offset {info.FirstOffset}, and the log ends at {endOffset}");
            WriteAppend(batches, ref info);
            position = appendedBytes;
        }
        Acknowledge(position);
        return new AppendResult(info.FirstOffset, info.LastOffset, IsDuplicate: false);
    }

    /// <summary>Ends a producer's transaction, as its coordinator does.</summary>
    /// <param name="producerId">Whose.</param>
    /// <param name="producerEpoch">Its epoch.</param>
    /// <param name="commit">Committed, or aborted.</param>
    /// <param name="coordinatorEpoch">The coordinator's epoch.</param>
    /// <param name="leaderEpoch">The leader's epoch.</param>
    /// <exception cref="AppendRejectedException">An epoch is older than one seen.</exception>
    public AppendResult EndTransaction(long producerId, short producerEpoch, TransactionEnd commit, int coordinatorEpoch, int leaderEpoch = 0)
    {
        Span<byte> key = stackalloc byte[4];
        Span<byte> value = stackalloc byte[6];
        BinaryPrimitives.WriteInt32BigEndian(key, (int)commit);
        BinaryPrimitives.WriteInt32BigEndian(value[2..], coordinatorEpoch);
        AppendResult result;
        long position;
        using var turn = new Turn(turns);
        lock (appending)
        {
            ThrowIfUnusable();
            markers.Begin(new BatchSettings { ProducerId = producerId, ProducerEpoch = producerEpoch, IsTransactional = true, IsControl = true });
            markers.Append(NowMs, key, value);
            var batch = markers.Build();
            producers.Check(new BatchView(batch));
            var info = Inspect(batch, AppendOrigin.Replication);
            var first = endOffset;
            AssignOffsets(batch, first, leaderEpoch, ref info);
            WriteAppend(batch, ref info);
            result = new AppendResult(first, info.LastOffset, IsDuplicate: false);
            position = appendedBytes;
        }
        Acknowledge(position);
        return result;
    }

    /// <summary>Looks at the batches; takes no lock, so that several producers' checksums are computed side by side.</summary>
    private AppendInfo Inspect(ReadOnlySpan<byte> batches, AppendOrigin origin)
    {
        var info = new AppendInfo { Largest = new TimestampOffset(-1, -1), LastOffset = -1, LargestEpoch = -1 };
        var rest = batches;
        while (!rest.IsEmpty)
        {
            if (rest.Length < BatchView.HeaderBytes)
                throw Corrupt($"{rest.Length} bytes are too few for a batch");
            var batch = new BatchView(rest);
            var size = batch.SizeBytes;
            if (size < BatchView.HeaderBytes || size > rest.Length)
                throw Corrupt($"a batch says it has {size} bytes, and there are {rest.Length}");
            if (size > config.MaxBatchBytes)
                throw new AppendRejectedException(AppendError.BatchTooLarge, $"a batch has {size} bytes, and at most {config.MaxBatchBytes} are taken");
            if (batch.Magic != BatchView.CurrentMagic)
                throw Corrupt($"a batch has magic {batch.Magic}; only 2 is taken");
            batch = new BatchView(rest[..size]);
            if (batch.ComputeCrc() != batch.Crc)
                throw Corrupt("the checksum of a batch is wrong");
            var (delta, records) = (batch.LastOffsetDelta, batch.RecordCount);
            if (delta < 0 || records < 0)
                throw Corrupt($"a batch says it has {records} records over {delta + 1L} offsets");
            if (origin == AppendOrigin.Client)
            {
                if (batch.IsControl)
                    throw Corrupt("a producer may not write markers");
                if (records == 0 || records != delta + 1)
                    throw Corrupt($"a producer's batch says it has {records} records over {delta + 1L} offsets");
                if (config.CleanupPolicy == CleanupPolicy.Compact || config.AppendChecks == AppendChecks.EveryRecord)
                    CheckRecords(batch);
            }
            else
            {
                var last = batch.LastOffset;
                if (info.Batches > 0 && last <= info.LastOffset)
                    throw new AppendRejectedException(AppendError.UnexpectedOffset, $"offset {last} comes after {info.LastOffset}");
                info.LastOffset = last;
                info.LargestEpoch = Math.Max(info.LargestEpoch, batch.LeaderEpoch);
            }
            if (info.Batches == 0)
                info.FirstOffset = batch.BaseOffset;
            // Relative to the first offset where the leader is still to give it.
            var lastRelative = origin == AppendOrigin.Client ? info.Offsets + delta : batch.LastOffset;
            if (batch.MaxTimestamp > info.Largest.Timestamp)
                info.Largest = new TimestampOffset(batch.MaxTimestamp, lastRelative);
            info.Offsets += delta + 1L;
            info.Records += records;
            info.Batches++;
            info.HasProducer |= batch.HasProducerId;
            rest = rest[size..];
        }
        if (info.Batches == 0)
            throw Corrupt("there is no batch");
        if (batches.Length > config.SegmentBytes)
            throw new AppendRejectedException(AppendError.BatchTooLarge, $"{batches.Length} bytes do not fit a segment of {config.SegmentBytes}");
        return info;
    }

    private void CheckRecords(BatchView batch)
    {
        try
        {
            if (batch.Compression == Compression.None)
            {
                CheckRecords(batch.Payload, batch.RecordCount);
                return;
            }
            using var records = new RecordBuffer();
            RecordCompression.Decompress(batch.Compression, batch.Payload, records, config.MaxDecompressedBytes);
            CheckRecords(records.WrittenSpan, batch.RecordCount);
        }
        catch (Exception exception) when (exception is CorruptLogException or InvalidDataException)
        {
            throw new AppendRejectedException(AppendError.CorruptBatch, exception.Message, exception);
        }
    }

    private void CheckRecords(ReadOnlySpan<byte> records, int count)
    {
        RecordCheck.Check(records, count);
        if (config.CleanupPolicy != CleanupPolicy.Compact)
            return;
        var reader = new RecordReader(records, count);
        while (reader.Next())
            if (reader.Current.IsKeyNull)
                throw new AppendRejectedException(AppendError.InvalidRecord, "a record has no key, and a compacted log keeps the latest of each");
    }

    private void AssignOffsets(Span<byte> batches, long first, int leaderEpoch, ref AppendInfo info)
    {
        var appendTime = config.TimestampType == TimestampType.LogAppendTime ? NowMs : -1;
        var next = first;
        var rest = batches;
        while (!rest.IsEmpty)
        {
            var batch = new BatchView(rest);
            var size = batch.SizeBytes;
            var delta = batch.LastOffsetDelta;
            BatchView.Assign(rest, next, leaderEpoch);
            if (appendTime >= 0)
                BatchView.AssignAppendTime(rest[..size], appendTime);
            if (appendTime >= 0 && next == first)
                info.Largest = new TimestampOffset(appendTime, delta);
            next += delta + 1L;
            rest = rest[size..];
        }
        info.FirstOffset = first;
        info.LastOffset = next - 1;
        info.LargestEpoch = leaderEpoch;
        info.Largest = info.Largest with { Offset = first + info.Largest.Offset };
    }

    /// <summary>Under the lock: into the file, the indexes and the producers' states, then visible.</summary>
    private void WriteAppend(ReadOnlySpan<byte> bytes, ref AppendInfo info)
    {
        try
        {
            if (info.LargestEpoch > epochs.Latest)
                AssignEpochs(bytes);
            if (active.MustRoll(bytes.Length, info.Largest.Timestamp, info.LastOffset, active.FirstTimestamp is >= 0 ? 0 : NowMs))
                Roll(info.FirstOffset);
            var durably = config.FlushPolicy.Kind == FlushKind.Each;
            var segment = active;
            if (config.Preallocation != Preallocation.None)
                StayBehindZeros(segment, bytes.Length);
            if (durably)
                AppendDurably(segment, bytes, ref info);
            else
                segment.Append(bytes, info.LastOffset, info.Largest, durably: false);
        }
        catch (Exception exception)
        {
            // The file may hold a part of the bytes, or all; only a recovery can tell.
            Fail(exception);
            throw;
        }
        appendedBytes += bytes.Length;
        recordsSinceFlush += info.Records;
        if (info.HasProducer)
            NoteProducers(bytes);
        producers.EndOffset = info.LastOffset + 1;
        NoteRisk();
        PublishEnd(info.LastOffset + 1);
        if (highWatermarkFollowsEnd)
            SetHighWatermark(info.LastOffset + 1);
        if (config.FlushMethod == FlushMethod.WriteBehind)
            WriteBehind();
        WakeReaders();
    }

    /// <summary>
    /// Notes new epochs; the file is written in the background. Kafka writes it here, with two flushes. It follows from
    /// the log, so a recovery from before the first record of an epoch finds it again, and until the file is on the disk
    /// the recovery point stays there.
    /// </summary>
    private void AssignEpochs(ReadOnlySpan<byte> bytes)
    {
        var first = -1L;
        for (var rest = bytes; !rest.IsEmpty; rest = rest[new BatchView(rest).SizeBytes..])
            if (new BatchView(rest) is var batch && epochs.Assign(batch.LeaderEpoch, batch.BaseOffset) && first < 0)
                first = batch.BaseOffset;
        if (first < 0)
            return;
        Interlocked.CompareExchange(ref unsavedEpochOffset, first, -1);
        var text = epochs.ToText();
        var latest = epochs.Latest;
        PostCounted(() => SaveEpochs(text, latest));
    }

    private void SaveEpochs(string text, int latest)
    {
        if (failure is not null || abandoned)
            return;
        try
        {
            epochs.Save(text);
            // Another epoch may have come since; its own save follows.
            if (epochs.Latest == latest)
                Volatile.Write(ref unsavedEpochOffset, -1);
        }
        catch (Exception exception)
        {
            Fail(exception);
        }
    }

    private void NoteProducers(ReadOnlySpan<byte> bytes)
    {
        for (var rest = bytes; !rest.IsEmpty; rest = rest[new BatchView(rest).SizeBytes..])
        {
            var batch = new BatchView(rest[..new BatchView(rest).SizeBytes]);
            if (!batch.HasProducerId || producers.Note(batch) is not { } ended)
                continue;
            if (ended.IsAborted)
            {
                active.Transactions.Add(new AbortedTransaction(ended.ProducerId, ended.FirstOffset, ended.LastOffset, producers.LastStableOffset(ended)));
            }
            producers.Complete(ended);
        }
        Volatile.Write(ref firstUnstableOffset, producers.FirstUnstableOffset);
    }

    private static AppendRejectedException Corrupt(string reason) => new(AppendError.CorruptBatch, reason);

    private struct AppendInfo
    {
        internal long FirstOffset;
        internal long LastOffset;
        internal TimestampOffset Largest;
        internal long Offsets;
        internal long Records;
        internal int Batches;
        internal int LargestEpoch;
        internal bool HasProducer;
    }
}

/// <summary>How a transaction ends; the numbers are those of the markers on disk.</summary>
public enum TransactionEnd
{
    /// <summary>Its records are to be left out.</summary>
    Abort = 0,

    /// <summary>Its records count.</summary>
    Commit = 1,
}
