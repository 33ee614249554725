namespace Bench.Harness.Tests.SegmentLog;

/// <summary>A batch that a producer may send again.</summary>
internal readonly record struct KnownBatch(int FirstSequence, int LastSequence, long FirstOffset, long LastOffset);

/// <summary>What the log has to know of a producer after a replay.</summary>
internal sealed class ModelProducer
{
    public short Epoch { get; set; } = -1;

    public int CoordinatorEpoch { get; set; } = -1;

    public long LastTimestamp { get; set; } = -1;

    /// <summary>−1: none is open.</summary>
    public long TransactionStart { get; set; } = -1;

    public List<KnownBatch> Batches { get; } = [];

    /// <summary>The offset of the last batch or marker that told anything of it.</summary>
    public long SeenAt { get; set; } = -1;

    /// <summary>After a reopening only the last batch is sure to be known.</summary>
    public int SureBatches { get; set; }

    public int LastSequence => Batches is [.., var last] ? last.LastSequence : -1;
}

/// <summary>An aborted transaction.</summary>
internal readonly record struct ModelAborted(long ProducerId, long FirstOffset, long LastOffset, long LastStableOffset);

/// <summary>
/// What a log is: a list of batches, and what follows from it. Nothing here is fast, and nothing is taken from the engine.
/// </summary>
internal sealed class LogModel
{
    private readonly List<(long Producer, long First, long Last, long Reopening)> ended = [];
    private long reopenings;

    /// <summary>What is there: of what was appended, what compactions have left.</summary>
    public List<ParsedBatch> Batches { get; } = [];

    /// <summary>What went with its segments, and may come back with them after a power loss.</summary>
    public List<ParsedBatch> Deleted { get; } = [];

    /// <summary>What was appended and not lost; all but the records follows from it.</summary>
    public List<ParsedBatch> History { get; } = [];

    /// <summary>Whether batches have gone or were written anew.</summary>
    public bool IsCompacted { get; private set; }

    /// <summary>Whether the end was cut off after that: with it a producer's last batch may have gone, which compactions keep.</summary>
    public bool HasCutCompacted { get; private set; }

    public SortedDictionary<long, ModelProducer> Producers { get; } = [];

    public List<ModelAborted> Aborted { get; } = [];

    public List<(int Epoch, long Start)> Epochs { get; } = [];

    /// <summary>False once the start was moved back: the epochs before it were forgotten, and some come back from records.</summary>
    public bool KnowsEpochs { get; set; } = true;

    public long NextOffset { get; private set; }

    public long StartOffset { get; set; }

    public void Add(ParsedBatch batch)
    {
        Batches.Add(batch);
        Note(batch);
    }

    /// <summary>A compaction has left these of the batches before an offset.</summary>
    public void Compact(long limit, IEnumerable<ParsedBatch> after)
    {
        var appends = Batches.ToDictionary(batch => batch.BaseOffset, batch => batch.Append);
        var rest = Batches.FindAll(batch => batch.BaseOffset >= limit);
        Batches.Clear();
        Batches.AddRange(after.Select(batch => batch with { Append = appends[batch.BaseOffset] }));
        Batches.AddRange(rest);
        IsCompacted = true;
    }

    private void Note(ParsedBatch batch)
    {
        History.Add(batch);
        NextOffset = batch.LastOffset + 1;
        if (batch.LeaderEpoch >= 0 && (Epochs.Count == 0 || batch.LeaderEpoch > Epochs[^1].Epoch))
            Epochs.Add((batch.LeaderEpoch, batch.BaseOffset));
        if (batch.ProducerId < 0)
            return;
        // Nothing is left of the transaction that it ended.
        if (batch.IsControl && batch.Records.Length == 0)
            return;
        if (!Producers.TryGetValue(batch.ProducerId, out var producer))
            Producers[batch.ProducerId] = producer = new ModelProducer();
        producer.SeenAt = batch.LastOffset;
        if (producer.Epoch != batch.ProducerEpoch)
        {
            producer.Epoch = batch.ProducerEpoch;
            producer.Batches.Clear();
            producer.SureBatches = 0;
        }
        producer.LastTimestamp = batch.IsControl ? batch.Records[0].Timestamp : batch.MaxTimestamp;
        if (batch.IsControl)
        {
            producer.CoordinatorEpoch = batch.CoordinatorEpoch;
            if (producer.TransactionStart >= 0)
            {
                var (first, marker) = (producer.TransactionStart, batch.BaseOffset);
                producer.TransactionStart = -1;
                if (batch.Marker == 0)
                    Aborted.Add(new ModelAborted(batch.ProducerId, first, marker, FirstOpen() is var open and >= 0 ? open : marker + 1));
                ended.Add((batch.ProducerId, first, marker, reopenings));
            }
            return;
        }
        producer.Batches.Add(new KnownBatch(batch.BaseSequence, batch.LastSequence, batch.BaseOffset, batch.LastOffset));
        if (producer.Batches.Count > 5)
            producer.Batches.RemoveAt(0);
        producer.SureBatches = Math.Min(producer.SureBatches + 1, producer.Batches.Count);
        if (batch.IsTransactional && producer.TransactionStart < 0)
            producer.TransactionStart = batch.BaseOffset;
    }

    /// <summary>Keeps some batches: what a crash has left.</summary>
    /// <param name="kept">Which.</param>
    /// <param name="nextOffset">The least that the log ends at: where an empty segment begins.</param>
    public void Keep(IReadOnlyCollection<ParsedBatch> kept, long nextOffset)
    {
        var epochs = Epochs.ToArray();
        var lost = Batches.Select(batch => batch.BaseOffset).Except(kept.Select(batch => batch.BaseOffset)).ToHashSet();
        // A power loss cuts an end off as well.
        HasCutCompacted |= IsCompacted && lost.Count > 0;
        var end = Math.Max(nextOffset, kept.Select(batch => batch.LastOffset + 1).LastOrDefault());
        var left = History.FindAll(batch => !lost.Contains(batch.BaseOffset) && batch.LastOffset < end);
        Batches.Clear();
        History.Clear();
        Producers.Clear();
        Aborted.Clear();
        Epochs.Clear();
        ended.Clear();
        NextOffset = 0;
        foreach (var batch in left)
            Note(batch);
        Batches.AddRange(kept);
        Deleted.RemoveAll(batch => kept.Any(other => other.BaseOffset == batch.BaseOffset));
        NextOffset = end;
        // An epoch was noted before its first batch, and stays even if that one falls into a gap.
        Epochs.Clear();
        Epochs.AddRange(epochs.Where(epoch => epoch.Start < NextOffset));
    }

    /// <summary>The end is about to be cut off.</summary>
    public void BeginCut() => HasCutCompacted |= IsCompacted;

    /// <summary>The end was cut off; what is known of producers is what a replay of the rest gives.</summary>
    public void CutAt(long offset)
    {
        // What was compacted away behind the cut is no past of what comes now.
        History.RemoveAll(batch => batch.LastOffset >= offset);
        Keep(Batches.FindAll(batch => batch.LastOffset < offset), offset);
        NextOffset = offset;
        // Earlier changes of the folder are durable with this one.
        Deleted.Clear();
        NoteReopening();
    }

    /// <summary>The segments before an offset were deleted.</summary>
    public void DeleteBefore(long offset)
    {
        Deleted.AddRange(Batches.Where(batch => batch.BaseOffset < offset));
        Batches.RemoveAll(batch => batch.BaseOffset < offset);
    }

    /// <summary>The log was opened again.</summary>
    public void NoteReopening()
    {
        reopenings++;
        foreach (var producer in Producers.Values)
            producer.SureBatches = Math.Min(1, producer.Batches.Count);
    }

    /// <summary>
    /// Whether a recovery may know nothing of an aborted transaction: all its records are deleted or
    /// compacted away, and only its marker is read again.
    /// </summary>
    public bool MayBeForgotten(ModelAborted aborted) => (IsCompacted || aborted.FirstOffset < StartOffset) && !Batches.Exists(batch =>
        batch.ProducerId == aborted.ProducerId && batch.IsTransactional && batch.BaseOffset >= StartOffset && batch.BaseOffset < aborted.LastOffset && batch.BaseOffset >= aborted.FirstOffset);

    /// <summary>Whether what a recovery knows of an aborted transaction may begin at or after an offset.</summary>
    public bool BeginsLater(ModelAborted aborted, long offset) => (IsCompacted || aborted.FirstOffset < StartOffset) && !Batches.Exists(batch =>
        batch.ProducerId == aborted.ProducerId && batch.IsTransactional && batch.BaseOffset >= Math.Max(StartOffset, aborted.FirstOffset) && batch.BaseOffset < Math.Min(aborted.LastOffset, offset));

    /// <summary>
    /// What may be known of a producer after a replay of less than its history: of what is not deleted, or, where what
    /// was compacted away had been kept for a batch that is cut off now, of a snapshot made before and what is left since.
    /// </summary>
    public IEnumerable<ModelProducer?> AfterLoss(long producerId)
    {
        ParsedBatch[] all = [.. History.Where(batch => batch.ProducerId == producerId)];
        ParsedBatch[] left = [.. Batches.Where(batch => batch.ProducerId == producerId)];
        foreach (var from in all.Select(batch => batch.BaseOffset).TakeWhile(offset => offset < StartOffset || HasCutCompacted).Append(StartOffset).Reverse())
            foreach (var snapshot in HasCutCompacted ? all.Select(batch => batch.BaseOffset).Prepend(0).Append(long.MaxValue) : [long.MaxValue])
            {
                var replay = new LogModel();
                foreach (var batch in all.Where(batch => batch.BaseOffset >= from && batch.BaseOffset < snapshot).Concat(left.Where(batch => batch.BaseOffset >= Math.Max(from, snapshot))))
                    replay.Add(batch);
                var known = replay.Producers.GetValueOrDefault(producerId);
                yield return known;
                // A transaction of which nothing is left is no open one.
                if (known is { TransactionStart: >= 0 } && !left.Any(batch => batch is { IsControl: false, IsTransactional: true } && batch.BaseOffset >= known.TransactionStart))
                {
                    known.TransactionStart = -1;
                    yield return known;
                }
            }
    }

    /// <summary>First offset of an open transaction; −1 none.</summary>
    public long FirstOpen() => Producers.Values.Where(producer => producer.TransactionStart >= 0).Select(producer => producer.TransactionStart).DefaultIfEmpty(-1).Min();

    /// <summary>The last stable offset at a high watermark; what ended before the last reopening need not be known any more.</summary>
    public (long Least, long Most) LastStable(long highWatermark)
    {
        var least = FirstOpen() is var open and >= 0 ? Math.Min(Math.Max(open, StartOffset), highWatermark) : highWatermark;
        var most = least;
        foreach (var (_, first, last, reopening) in ended)
            if (last >= highWatermark)
            {
                least = Math.Min(least, Math.Max(first, StartOffset));
                if (reopening == reopenings)
                    most = Math.Min(most, Math.Max(first, StartOffset));
            }
        return (least, most);
    }

    /// <summary>The first record at or after a time.</summary>
    public (long Timestamp, long Offset)? FindTimestamp(long timestampMs)
    {
        foreach (var batch in Batches)
            foreach (var record in batch.Records)
                if (record.Timestamp >= timestampMs && batch.BaseOffset + record.OffsetDelta >= StartOffset)
                    return (record.Timestamp, batch.BaseOffset + record.OffsetDelta);
        return null;
    }
}
