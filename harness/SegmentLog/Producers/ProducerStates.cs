using System.Buffers.Binary;
using System.Globalization;
using Bench.Disk;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Index;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog.Producers;

/// <summary>A transaction that has ended.</summary>
/// <param name="ProducerId">Whose.</param>
/// <param name="FirstOffset">Its first record.</param>
/// <param name="LastOffset">Its marker.</param>
/// <param name="IsAborted">Whether its records are to be left out.</param>
internal readonly record struct EndedTransaction(long ProducerId, long FirstOffset, long LastOffset, bool IsAborted);

/// <summary>Where a batch comes from, which decides what is checked.</summary>
internal enum AppendOrigin
{
    /// <summary>A producer: sequence numbers and epochs must fit.</summary>
    Client,

    /// <summary>A leader's log, or this one's own at recovery: they were checked, and are only noted.</summary>
    Replication,
}

/// <summary>
/// What the log knows of its producers, up to an offset: to refuse repeated and missing batches, to fence old epochs,
/// and to know which transactions are open. Snapshots of it lie beside the segments, one per segment's start, so that
/// opening a log reads only its last segment. Source: Apache Kafka, <c>ProducerStateManager</c>, <c>ProducerAppendInfo</c>.
/// </summary>
public sealed class ProducerStates
{
    private readonly IStorage storage;
    private readonly string folder;
    private readonly long expirationMs;
    private readonly Dictionary<long, ProducerEntry> producers = [];
    private readonly SortedDictionary<long, long> open = [];
    private readonly SortedDictionary<long, long> unreplicated = [];
    private readonly SortedSet<long> snapshots = [];
    private readonly HashSet<long> written = [];
    private long lastSnapshotOffset;

    internal ProducerStates(IStorage storage, string folder, long expirationMs)
    {
        this.storage = storage;
        this.folder = folder;
        this.expirationMs = expirationMs;
        foreach (var name in storage.List(folder))
            if (LogFiles.OffsetOf(name, ProducerSnapshot.Suffix) is { } offset)
                snapshots.Add(offset);
    }

    /// <summary>The producers.</summary>
    public IReadOnlyCollection<ProducerEntry> Producers => producers.Values;

    /// <summary>The offset up to which they are known.</summary>
    public long EndOffset { get; internal set; }

    /// <summary>The offsets of the snapshots on disk.</summary>
    public IReadOnlyCollection<long> Snapshots => snapshots;

    /// <summary>First offset of a transaction that is open, or has ended above the high watermark; −1 none.</summary>
    public long FirstUnstableOffset
    {
        get
        {
            var first = long.MaxValue;
            // One element each, not an enumeration of all.
            foreach (var pair in open)
            {
                first = pair.Key;
                break;
            }
            foreach (var pair in unreplicated)
            {
                first = Math.Min(first, pair.Key);
                break;
            }
            return first == long.MaxValue ? -1 : first;
        }
    }

    internal bool IsEmpty => producers.Count == 0 && unreplicated.Count == 0;

    internal ProducerEntry? Find(long producerId) => producers.GetValueOrDefault(producerId);

    /// <summary>Checks a producer's data batch against what is known; changes nothing.</summary>
    /// <returns>The batch that this one repeats; null if it is new.</returns>
    /// <exception cref="AppendRejectedException">It cannot follow.</exception>
    internal ProducedBatch? Check(BatchView batch)
    {
        if (!producers.TryGetValue(batch.ProducerId, out var known))
            return null;
        var (epoch, sequence) = (batch.ProducerEpoch, batch.BaseSequence);
        if (epoch == known.Epoch && !batch.IsControl && known.Find(sequence, batch.LastSequence) is { } repeated)
            return repeated;
        if (epoch < known.Epoch)
            throw new AppendRejectedException(AppendError.InvalidProducerEpoch, $"producer {batch.ProducerId} writes with epoch {epoch}, and {known.Epoch} was seen");
        if (batch.IsControl)
        {
            if (ControlRecord.Parse(batch) is { } marker && marker.CoordinatorEpoch < known.CoordinatorEpoch)
                throw new AppendRejectedException(AppendError.CoordinatorFenced, $"a marker of coordinator epoch {marker.CoordinatorEpoch}, and {known.CoordinatorEpoch} was seen");
            return null;
        }
        if (epoch != known.Epoch)
        {
            if (sequence != 0 && known.Epoch != -1)
                throw new AppendRejectedException(AppendError.OutOfOrderSequence, $"producer {batch.ProducerId} begins its epoch {epoch} with sequence number {sequence}, not 0");
        }
        else if (known.LastSequence is var last && sequence != last + 1L && !(sequence == 0 && last == int.MaxValue))
        {
            throw new AppendRejectedException(AppendError.OutOfOrderSequence, $"producer {batch.ProducerId} writes sequence number {sequence} after {last}");
        }
        if (known.TransactionFirstOffset >= 0 && !batch.IsTransactional)
            throw new AppendRejectedException(AppendError.InvalidTransactionState, $"producer {batch.ProducerId} has an open transaction and writes outside it");
        return null;
    }

    /// <summary>Notes a batch that is in the log.</summary>
    /// <returns>The transaction that it ended; it is still among the open ones, for <see cref="Complete"/>.</returns>
    internal EndedTransaction? Note(BatchView batch)
    {
        if (!batch.HasProducerId)
            return null;
        ref var slot = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(producers, batch.ProducerId, out _);
        var producer = slot ??= new ProducerEntry(batch.ProducerId);
        if (batch.IsControl)
        {
            // A control batch without records is what compaction has left of one.
            if (batch.RecordCount == 0 || ControlRecord.Parse(batch) is not { } marker)
                return null;
            EndedTransaction? ended = producer.TransactionFirstOffset >= 0
                ? new EndedTransaction(batch.ProducerId, producer.TransactionFirstOffset, batch.BaseOffset, marker.IsAbort)
                : null;
            producer.SetEpoch(batch.ProducerEpoch);
            producer.CoordinatorEpoch = marker.CoordinatorEpoch;
            producer.TransactionFirstOffset = -1;
            producer.LastTimestamp = marker.Timestamp;
            return ended;
        }
        producer.SetEpoch(batch.ProducerEpoch);
        producer.Add(new ProducedBatch(batch.LastSequence, batch.LastOffset, (int)(batch.LastOffset - batch.BaseOffset), batch.MaxTimestamp));
        if (producer.TransactionFirstOffset < 0 && batch.IsTransactional)
        {
            producer.TransactionFirstOffset = batch.BaseOffset;
            open[batch.BaseOffset] = batch.ProducerId;
        }
        return null;
    }

    /// <summary>What is stable once a transaction has ended: up to the first of another one that is open.</summary>
    internal long LastStableOffset(EndedTransaction ended)
    {
        foreach (var (firstOffset, producerId) in open)
            if (producerId != ended.ProducerId)
                return firstOffset;
        return ended.LastOffset + 1;
    }

    /// <summary>Takes an ended transaction from the open ones; it stays unstable until the high watermark passes it.</summary>
    internal void Complete(EndedTransaction ended)
    {
        open.Remove(ended.FirstOffset);
        unreplicated[ended.FirstOffset] = ended.LastOffset;
    }

    /// <summary>The high watermark, or the log's start, has moved.</summary>
    internal void ForgetEndedBelow(long offset)
    {
        while (unreplicated.Count > 0)
        {
            // Ends are not in the order of beginnings.
            long found = -1;
            foreach (var (firstOffset, lastOffset) in unreplicated)
                if (lastOffset < offset)
                {
                    found = firstOffset;
                    break;
                }
            if (found < 0)
                return;
            unreplicated.Remove(found);
        }
    }

    internal bool HasUnreplicated => unreplicated.Count > 0;

    /// <summary>Forgets producers that have not written for long.</summary>
    internal void Expire(long nowMs)
    {
        foreach (var producer in producers.Values.Where(producer => IsExpired(producer, nowMs)).ToArray())
            producers.Remove(producer.ProducerId);
    }

    /// <summary>The bytes of a snapshot at the present end, if there is not one already.</summary>
    internal (string Path, byte[] Bytes)? PrepareSnapshot()
    {
        if (EndOffset <= lastSnapshotOffset)
            return null;
        lastSnapshotOffset = EndOffset;
        snapshots.Add(EndOffset);
        written.Add(EndOffset);
        return (PathOf(EndOffset), ProducerSnapshot.ToBytes(producers.Values));
    }

    /// <summary>Writes a snapshot at the present end, if there is not one already.</summary>
    internal void TakeSnapshot()
    {
        if (PrepareSnapshot() is { } snapshot)
            SmallFile.Write(storage, snapshot.Path, snapshot.Bytes, durably: false);
    }

    /// <summary>Makes the snapshots durable that were written since the log was opened.</summary>
    internal void FlushSnapshots()
    {
        foreach (var offset in written)
        {
            using var file = storage.Open(PathOf(offset), OpenMode.Write);
            file.Fdatasync();
        }
        written.Clear();
    }

    /// <summary>Loads the newest good snapshot within a range, and removes those outside it and bad ones.</summary>
    internal void TruncateAndReload(long logStartOffset, long logEndOffset, long nowMs)
    {
        foreach (var offset in snapshots.Where(offset => offset > logEndOffset || offset <= logStartOffset).ToArray())
            Remove(offset);
        if (logEndOffset == EndOffset)
        {
            ForgetEndedBelow(logStartOffset);
            EndOffset = Math.Max(EndOffset, logStartOffset);
            lastSnapshotOffset = snapshots.Count > 0 ? snapshots.Max : logStartOffset;
            return;
        }
        Clear();
        while (snapshots.Count > 0)
        {
            var newest = snapshots.Max;
            try
            {
                var path = PathOf(newest);
                Load(ProducerSnapshot.Parse(SmallFile.Read(storage, path, ProducerSnapshot.MostBytes), path).Where(producer => !IsExpired(producer, nowMs)), newest);
                return;
            }
            catch (CorruptLogException)
            {
                Clear();
                Remove(newest);
            }
        }
        lastSnapshotOffset = EndOffset = logStartOffset;
    }

    /// <summary>Takes over the producers of a snapshot.</summary>
    internal void Load(IEnumerable<ProducerEntry> entries, long offset)
    {
        foreach (var producer in entries)
        {
            producers[producer.ProducerId] = producer;
            if (producer.TransactionFirstOffset >= 0)
                open[producer.TransactionFirstOffset] = producer.ProducerId;
        }
        lastSnapshotOffset = EndOffset = offset;
    }

    /// <summary>Takes open transactions, by first offset and producer, for ended ones.</summary>
    internal void ForgetOpen(Func<long, long, bool> hasEnded)
    {
        foreach (var (firstOffset, producerId) in open.Where(transaction => hasEnded(transaction.Key, transaction.Value)).ToArray())
        {
            open.Remove(firstOffset);
            producers[producerId].TransactionFirstOffset = -1;
        }
    }

    /// <summary>Forgets everything, and all snapshots.</summary>
    internal void StartAt(long offset)
    {
        Clear();
        foreach (var snapshot in snapshots.ToArray())
            Remove(snapshot);
        lastSnapshotOffset = 0;
        EndOffset = offset;
    }

    /// <summary>
    /// Removes snapshots that belong to no segment, but for the newest, which is the one of a clean stop; that too if
    /// a segment begins after it.
    /// </summary>
    internal void RemoveStray(IReadOnlyCollection<long> baseOffsets)
    {
        long? newestStray = null;
        foreach (var offset in snapshots.Where(offset => !baseOffsets.Contains(offset)).ToArray())
        {
            if (newestStray is { } older)
                Remove(older);
            newestStray = offset;
        }
        if (newestStray is { } stray && baseOffsets.Count > 0 && stray < baseOffsets.Max())
            Remove(stray);
    }

    /// <summary>
    /// After a crash: removes the snapshots that it has torn, and takes the others for not yet durable, whoever wrote them.
    /// </summary>
    internal void RemoveTorn()
    {
        foreach (var offset in snapshots.ToArray())
        {
            try
            {
                ProducerSnapshot.Parse(SmallFile.Read(storage, PathOf(offset), ProducerSnapshot.MostBytes), PathOf(offset));
                written.Add(offset);
            }
            catch (CorruptLogException)
            {
                Remove(offset);
            }
        }
    }

    /// <summary>Removes the snapshots of segments that are gone.</summary>
    internal void RemoveBefore(long offset)
    {
        foreach (var old in snapshots.Where(snapshot => snapshot < offset).ToArray())
            Remove(old);
    }

    /// <summary>Removes the snapshot of a segment.</summary>
    internal void Remove(long offset)
    {
        written.Remove(offset);
        if (snapshots.Remove(offset))
            storage.Delete(PathOf(offset));
    }

    internal bool HasSnapshot => snapshots.Count > 0;

    private string PathOf(long offset) => Path.Combine(folder, LogFiles.Name(offset, ProducerSnapshot.Suffix));

    private void Clear()
    {
        producers.Clear();
        open.Clear();
        unreplicated.Clear();
    }

    private bool IsExpired(ProducerEntry producer, long nowMs) =>
        producer.TransactionFirstOffset < 0 && nowMs - producer.LastTimestamp >= expirationMs;
}

/// <summary>The marker in a control batch that ends a transaction.</summary>
/// <param name="IsAbort">Aborted, or committed.</param>
/// <param name="CoordinatorEpoch">Epoch of the coordinator that wrote it.</param>
/// <param name="Timestamp">When.</param>
internal readonly record struct ControlRecord(bool IsAbort, int CoordinatorEpoch, long Timestamp)
{
    /// <summary>Reads it: key <c>int16 version, int16 type</c> (0 abort, 1 commit), value <c>int16 version, int32 coordinator epoch</c>.</summary>
    /// <returns>Null if it is a control record of another kind.</returns>
    /// <exception cref="CorruptLogException">It is damaged.</exception>
    internal static ControlRecord? Parse(BatchView batch)
    {
        var reader = new RecordReader(batch.Payload, batch.RecordCount);
        return reader.Next() ? Parse(batch, reader.Current) : null;
    }

    /// <summary>Reads a record of a control batch.</summary>
    internal static ControlRecord? Parse(BatchView batch, RecordView record)
    {
        if (record.Key.Length < 4)
            throw new CorruptLogException(string.Create(CultureInfo.InvariantCulture, $"a control record's key has {record.Key.Length} bytes, not 4"));
        var type = BinaryPrimitives.ReadInt16BigEndian(record.Key[2..]);
        if (type is not (0 or 1))
            return null;
        if (record.Value.Length < 6)
            throw new CorruptLogException(string.Create(CultureInfo.InvariantCulture, $"a transaction marker's value has {record.Value.Length} bytes, not 6"));
        return new ControlRecord(type == 0, BinaryPrimitives.ReadInt32BigEndian(record.Value[2..]),
            batch.TimestampType == TimestampType.LogAppendTime ? batch.MaxTimestamp : batch.BaseTimestamp + record.TimestampDelta);
    }
}
