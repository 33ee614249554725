namespace Bench.Harness.Tests.SegmentLog;

/// <summary>
/// What a compaction may leave of a log, and what it has to, from the batches that were there before. A record goes if a
/// later one has its key, if it has none, if its transaction was aborted, or if it is a deletion whose time is over; every
/// other stays, at its offset. Batches stay without records where a producer goes on from them. A marker stays as long as
/// a batch of its transaction does. Source: Apache Kafka, <c>Cleaner</c>, <c>CleanedTransactionMetadata</c>.
/// </summary>
internal sealed class CompactionRules
{
    private readonly List<ParsedBatch> before;
    private readonly Dictionary<long, ModelAborted> abortedOf = [];
    private readonly Dictionary<long, List<long>> dataOf = [];
    private readonly Dictionary<string, long> latest = new(StringComparer.Ordinal);
    private readonly HashSet<long> lastOfProducer = [];
    private readonly long startOffset;
    private readonly long nowMs;
    private readonly long horizonMs;

    /// <summary>Takes note of a log before it is compacted.</summary>
    /// <param name="model">The log.</param>
    /// <param name="limit">Where it is compacted to: the beginning of a segment.</param>
    /// <param name="firstDirtyOffset">Where keys are read from.</param>
    /// <param name="nowMs">The time.</param>
    /// <param name="deleteRetentionMs">How long deletions stay.</param>
    public CompactionRules(LogModel model, long limit, long firstDirtyOffset, long nowMs, long deleteRetentionMs)
    {
        this.nowMs = nowMs;
        Limit = limit;
        startOffset = model.StartOffset;
        horizonMs = nowMs + deleteRetentionMs;
        before = model.Batches.FindAll(batch => batch.BaseOffset < limit);
        foreach (var batch in before)
        {
            if (batch.IsTransactional && !batch.IsControl)
                foreach (var aborted in model.Aborted.Where(one => one.ProducerId == batch.ProducerId && one.FirstOffset <= batch.BaseOffset && batch.BaseOffset < one.LastOffset))
                    abortedOf[batch.BaseOffset] = aborted;
            if (batch.IsControl)
            {
                var last = model.History.FindLast(other => other.IsControl && other.ProducerId == batch.ProducerId && other.BaseOffset < batch.BaseOffset)?.BaseOffset ?? -1;
                dataOf[batch.BaseOffset] = [.. before.Where(other => !other.IsControl && other.IsTransactional && other.ProducerId == batch.ProducerId && other.BaseOffset > last && other.BaseOffset < batch.BaseOffset).Select(other => other.BaseOffset)];
            }
            else if (!abortedOf.ContainsKey(batch.BaseOffset))
                foreach (var record in batch.Records.Where(record => record.Key is not null && batch.BaseOffset + record.OffsetDelta >= Math.Max(firstDirtyOffset, startOffset)))
                    latest[Convert.ToHexString(record.Key!)] = batch.BaseOffset + record.OffsetDelta;
            if (batch.ProducerId >= 0 && model.Producers.TryGetValue(batch.ProducerId, out var producer)
                && (producer.Batches.Count > 0 ? producer.Batches[^1].LastOffset == batch.LastOffset : batch.IsControl && batch.ProducerEpoch == producer.Epoch))
                lastOfProducer.Add(batch.BaseOffset);
        }
    }

    /// <summary>The offset before which it is compacted.</summary>
    public long Limit { get; }

    /// <summary>Holds what is there now against them.</summary>
    /// <param name="after">The batches before the limit.</param>
    /// <param name="passes">How often a compaction that has ended went through; 0: it may have come to any point.</param>
    public void Check(IReadOnlyList<ParsedBatch> after, int passes)
    {
        var found = after.ToDictionary(batch => batch.BaseOffset);
        Require(after.Zip(after.Skip(1)).All(pair => pair.First.LastOffset < pair.Second.BaseOffset), $"offsets do not increase");
        foreach (var old in before)
        {
            found.Remove(old.BaseOffset, out var now);
            if (now is not null && (passes == 0 || old.LastOffset < startOffset) && now.Bytes.AsSpan().SequenceEqual(old.Bytes))
                continue;
            if (old.IsControl)
                CheckMarker(old, now, after, passes);
            else
                CheckData(old, now, passes);
            Require(now is not null || (!lastOfProducer.Contains(old.BaseOffset) && old.LastOffset + 1 != Limit), $"{old} has gone, and its producer goes on from it, or it ends what was compacted");
        }
        Require(found.Count == 0, $"{found.Values.FirstOrDefault()} was never appended");
    }

    private void CheckMarker(ParsedBatch old, ParsedBatch? now, IReadOnlyList<ParsedBatch> after, int passes)
    {
        if (old.Records.Length == 0)
        {
            Require(now is null || now.Bytes.AsSpan().SequenceEqual(old.Bytes), $"{now} was {old}");
            Require(now is null || IsKeptEmpty(old), $"{old} has nothing left, and is there");
            return;
        }
        if (now is not null && now.Bytes.AsSpan().SequenceEqual(old.Bytes))
        {
            Require(passes != 1 || old.LastOffset < startOffset || dataOf[old.BaseOffset].Count > 0 || old.DeleteHorizonMs > nowMs || (old.DeleteHorizonMs is not null && lastOfProducer.Contains(old.BaseOffset)), $"{old} has no data and no horizon, or one that has passed");
            return;
        }
        Require(!after.Any(batch => batch.BaseOffset >= startOffset && dataOf[old.BaseOffset].Contains(batch.BaseOffset)), $"{old} changed, or has gone, though data of its transaction are there");
        if (now is { Records.Length: > 0 })
        {
            Require(old.DeleteHorizonMs is null && now.DeleteHorizonMs == horizonMs, $"{now} has the horizon {now.DeleteHorizonMs}, and had {old.DeleteHorizonMs}");
            CheckHeader(old, now);
            CheckRecords(old, now, old.Records);
            return;
        }
        Require(!lastOfProducer.Contains(old.BaseOffset), $"{old} has gone, and its producer's epoch rests on it");
        Require(old.DeleteHorizonMs <= nowMs, $"{old} has gone, and its horizon {old.DeleteHorizonMs} has not passed");
        if (now is not null)
            CheckEmpty(old, now, passes);
    }

    private void CheckData(ParsedBatch old, ParsedBatch? now, int passes)
    {
        var kept = Array.FindAll(old.Records, record => IsKept(old, record));
        if (now is null or { Records.Length: 0 })
        {
            Require(kept.Length == 0 || old.LastOffset < startOffset, $"{kept.Length} records of {old} have gone: the first is {kept.FirstOrDefault().OffsetDelta}");
            if (now is not null)
                CheckEmpty(old, now, passes);
            return;
        }
        // What was deleted is seen by nobody, and an aborted transaction that began there may be forgotten. One that has not
        // ended has not come to all.
        bool IsThere(ParsedRecord record) => now.Records.Any(other => other.OffsetDelta == record.OffsetDelta);
        if (old.BaseOffset < startOffset)
            kept = Array.FindAll(old.Records, IsThere);
        else if (passes == 0)
            kept = Array.FindAll(old.Records, record => IsKept(old, record) || IsThere(record));
        CheckHeader(old, now);
        CheckRecords(old, now, kept);
        // Of several passes a later one may drop the deletion for which an earlier one has set the horizon.
        var hasDeletions = (passes == 1 ? kept : old.Records).Any(record => record.Value is null);
        var horizon = old.DeleteHorizonMs ?? (hasDeletions ? horizonMs : null);
        Require(now.DeleteHorizonMs == horizon || (passes != 1 && now.DeleteHorizonMs is null && !kept.Any(record => record.Value is null)), $"{now} has the horizon {now.DeleteHorizonMs}, and should have {horizon}");
        if (now.Bytes.AsSpan().SequenceEqual(old.Bytes))
            return;
        Require(kept.Length < old.Records.Length || now.DeleteHorizonMs != old.DeleteHorizonMs, $"{now} was written anew for nothing");
        Require(now.MaxTimestamp == ((old.Attributes & 8) != 0 ? old.MaxTimestamp : kept.Max(record => record.Timestamp)), $"{now} has the largest time {now.MaxTimestamp}");
    }

    private bool IsKept(ParsedBatch batch, ParsedRecord record)
    {
        if (abortedOf.ContainsKey(batch.BaseOffset) || record.Key is null)
            return false;
        return batch.BaseOffset + record.OffsetDelta >= latest.GetValueOrDefault(Convert.ToHexString(record.Key), -1)
            && (record.Value is not null || batch.DeleteHorizonMs is not { } horizon || nowMs < horizon);
    }

    private bool IsKeptEmpty(ParsedBatch old) => lastOfProducer.Contains(old.BaseOffset) || old.LastOffset + 1 == Limit;

    private void CheckEmpty(ParsedBatch old, ParsedBatch now, int passes)
    {
        Require(IsKeptEmpty(old), $"{now} has no records, and nobody needs it");
        CheckHeader(old, now);
        // Of several passes an earlier one may have dropped the record with the largest time.
        Require(now.DeleteHorizonMs is null && (now.MaxTimestamp == old.MaxTimestamp || (passes != 1 && now.MaxTimestamp < old.MaxTimestamp)), $"{now} of {old} has a horizon, or another time");
    }

    private static void CheckHeader(ParsedBatch old, ParsedBatch now) => Require(
        now.LastOffset == old.LastOffset && now.LeaderEpoch == old.LeaderEpoch && now.ProducerId == old.ProducerId && now.ProducerEpoch == old.ProducerEpoch
        && now.BaseSequence == old.BaseSequence && (now.Attributes & ~0x40) == (old.Attributes & ~0x40), $"{now} was {old}");

    private static void CheckRecords(ParsedBatch old, ParsedBatch now, ParsedRecord[] kept)
    {
        Require(now.Records.Length == kept.Length, $"{now} has {now.Records.Length} records of {old.Records.Length}, and should have {kept.Length}");
        foreach (var (record, expected) in now.Records.Zip(kept))
            Require(record.OffsetDelta == expected.OffsetDelta && record.Timestamp == expected.Timestamp && Same(record.Key, expected.Key) && Same(record.Value, expected.Value),
                $"{now} has a record at {record.OffsetDelta}, {record.Timestamp}, that is not the one at {expected.OffsetDelta}, {expected.Timestamp}");
    }

    private static bool Same(byte[]? one, byte[]? other) => one is null ? other is null : other is not null && one.AsSpan().SequenceEqual(other);

    private static void Require(bool holds, FormattableString what)
    {
        if (!holds)
            throw new UnsoundException(FormattableString.Invariant($"compaction: {FormattableString.Invariant(what)}"));
    }
}
