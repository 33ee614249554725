using Bench.Disk;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Index;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog;

/// <summary>The last that a producer wrote: its data's last offset, −1 if only markers are known; and its epoch.</summary>
internal readonly record struct LastOfProducer(long DataOffset, short Epoch);

/// <summary>
/// Goes through segments that are complete and writes those records anew that are still the latest of their key.
/// Source: Apache Kafka, <c>Cleaner</c> and <c>MemoryRecords.filterTo</c>; stricter in one thing: a batch whose checksum
/// is wrong ends it, for a batch written again would get a right one.
/// </summary>
internal sealed class Compactor : IDisposable
{
    private const int OutputBytes = 1 << 20;

    private readonly IStorage storage;
    private readonly string folder;
    private readonly LogConfig config;
    private readonly long nowMs;
    private readonly Func<bool> isGivenUp;
    private readonly BatchScanner scanner = new();
    private readonly RecordBuffer decompressed = new();
    private readonly BatchRewriter rewriter = new();
    private readonly byte[] output = GC.AllocateUninitializedArray<byte>(OutputBytes);
    private byte[] large = [];

    internal Compactor(IStorage storage, string folder, LogConfig config, long nowMs, Func<bool> isGivenUp)
    {
        this.storage = storage;
        this.folder = folder;
        this.config = config;
        this.nowMs = nowMs;
        this.isGivenUp = isGivenUp;
    }

    internal long RecordsKept { get; private set; }

    internal long RecordsDropped { get; private set; }

    /// <summary>Notes the latest offset of each key from an offset on, until all is read or the map is full.</summary>
    internal OffsetMap MapKeys(IReadOnlyList<Segment> segments, long from, long end, IEnumerable<AbortedTransaction> aborted)
    {
        var map = new OffsetMap(config.CompactionMapBytes, end - from);
        var transactions = new CleanedTransactions(aborted);
        foreach (var segment in segments)
        {
            Begin(segment);
            while (TryNext(segment, out var batch))
            {
                if (batch.LastOffset < from)
                    continue;
                if (batch.IsControl)
                    transactions.IsMarkerUnneeded(batch, null);
                else if (!transactions.IsAborted(batch) && !TryMap(segment, batch, from, map))
                    return map;
                map.LatestOffset = batch.LastOffset;
            }
        }
        map.LatestOffset = end - 1;
        return map;
    }

    /// <summary>Writes what is left of a group of segments into one, in files that are named as not yet complete.</summary>
    internal Segment Clean(IReadOnlyList<Segment> group, OffsetMap map, CleanedTransactions transactions, IReadOnlyDictionary<long, LastOfProducer> producers, long end)
    {
        var path = Path.Combine(folder, LogFiles.Name(group[0].BaseOffset, LogFiles.Log) + LogFiles.Cleaned);
        storage.Delete(path);
        var cleaned = Segment.Create(storage, folder, group[0].BaseOffset, config, storage.Open(path, OpenMode.Write | OpenMode.Create), group[^1].CreatedMs);
        try
        {
            var indexes = new IndexMaker(cleaned.BaseOffset, config);
            var aborted = new TransactionIndex();
            var written = 0L;
            var pending = 0;
            foreach (var segment in group)
            {
                Begin(segment);
                while (TryNext(segment, out var batch))
                {
                    var kept = Filter(segment, batch, map, transactions, aborted, producers, end);
                    if (kept.IsEmpty)
                        continue;
                    if (written + pending + kept.Length > int.MaxValue)
                        throw new InvalidOperationException($"{path} would be larger than an index can tell");
                    indexes.Add(new BatchView(kept));
                    if (pending + kept.Length > output.Length)
                        Write(cleaned.File, ref written, ref pending);
                    if (kept.Length > output.Length)
                    {
                        cleaned.File.Write(kept, written);
                        written += kept.Length;
                        continue;
                    }
                    kept.CopyTo(output.AsSpan(pending));
                    pending += kept.Length;
                }
            }
            Write(cleaned.File, ref written, ref pending);
            indexes.End();
            cleaned.CompleteCleaned(written, indexes, aborted);
            return cleaned;
        }
        catch
        {
            cleaned.Release();
            Discard(cleaned.BaseOffset);
            throw;
        }
    }

    /// <summary>Removes the files of a segment that will not take its place; what cannot be removed, the next opening does.</summary>
    internal void Discard(long baseOffset)
    {
        try
        {
            Segment.Delete(storage, folder, baseOffset, LogFiles.Cleaned);
        }
        catch (IOException)
        {
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        decompressed.Dispose();
        rewriter.Dispose();
    }

    private void Write(IStorageFile file, ref long written, ref int pending)
    {
        file.Write(output.AsSpan(0, pending), written);
        written += pending;
        pending = 0;
    }

    /// <summary>What is left of a batch: its own bytes, new ones, or none.</summary>
    private ReadOnlySpan<byte> Filter(
        Segment segment, BatchView batch, OffsetMap map, CleanedTransactions transactions, TransactionIndex aborted, IReadOnlyDictionary<long, LastOfProducer> producers, long end)
    {
        var isUnneeded = batch.IsControl ? transactions.IsMarkerUnneeded(batch, aborted) : transactions.IsAborted(batch);
        var isLast = IsLastOfProducer(batch, producers);
        // Markers wait for their delete horizon as tombstones do. One that a producer's epoch rests on keeps its record:
        // Kafka empties it, and what it is kept for is lost, since an empty marker tells an opening nothing.
        var dropsRecords = isUnneeded && (!batch.IsControl || (!isLast && batch.HasDeleteHorizon && batch.BaseTimestamp <= nowMs));
        var total = batch.RecordCount;
        var kept = 0;
        var hasTombstones = false;
        if (!dropsRecords && total > 0)
        {
            var reader = new RecordReader(Records(segment, batch), total);
            while (reader.Next())
                if (IsKept(batch, reader.Current, map))
                {
                    kept++;
                    hasTombstones |= reader.Current.IsValueNull;
                }
        }
        RecordsKept += kept;
        RecordsDropped += total - kept;
        if (kept == 0)
            return isLast || batch.NextOffset == end ? (total == 0 ? batch.Bytes : rewriter.Empty(batch)) : default;
        var setsHorizon = !batch.HasDeleteHorizon && (hasTombstones || (isUnneeded && batch.IsControl));
        if (kept == total && !setsHorizon)
            return batch.Bytes;
        return Rewrite(batch, map, setsHorizon ? nowMs + config.DeleteRetentionMs : batch.HasDeleteHorizon ? batch.BaseTimestamp : null);
    }

    private ReadOnlySpan<byte> Rewrite(BatchView batch, OffsetMap map, long? deleteHorizonMs)
    {
        rewriter.Begin();
        var reader = new RecordReader(batch.Compression == Compression.None ? batch.Payload : decompressed.WrittenSpan, batch.RecordCount);
        while (reader.Next())
            if (IsKept(batch, reader.Current, map))
                rewriter.Add(batch, reader.Current, deleteHorizonMs);
        return rewriter.End(batch, deleteHorizonMs);
    }

    private bool IsKept(BatchView batch, RecordView record, OffsetMap map)
    {
        var offset = batch.BaseOffset + record.OffsetDelta;
        if (batch.IsControl || offset > map.LatestOffset)
            return true;
        return !record.IsKeyNull && offset >= map[record.Key]
            && (!record.IsValueNull || !batch.HasDeleteHorizon || nowMs < batch.BaseTimestamp);
    }

    /// <summary>
    /// A producer that is known goes on from its last sequence number, which is in this batch; if it has written no data
    /// in its epoch, the marker with the epoch stays, so that older ones are still refused.
    /// </summary>
    private static bool IsLastOfProducer(BatchView batch, IReadOnlyDictionary<long, LastOfProducer> producers) =>
        batch.HasProducerId && producers.TryGetValue(batch.ProducerId, out var last)
        && (last.DataOffset >= 0 ? batch.LastOffset == last.DataOffset : batch.IsControl && batch.ProducerEpoch == last.Epoch);

    private bool TryMap(Segment segment, BatchView batch, long from, OffsetMap map)
    {
        var reader = new RecordReader(Records(segment, batch), batch.RecordCount);
        while (reader.Next())
        {
            var offset = batch.BaseOffset + reader.Current.OffsetDelta;
            if (reader.Current.IsKeyNull || offset < from)
                continue;
            if (!map.TryPut(reader.Current.Key, offset))
                return false;
            map.LatestOffset = offset;
        }
        return true;
    }

    private ReadOnlySpan<byte> Records(Segment segment, BatchView batch)
    {
        if (batch.Compression == Compression.None || batch.RecordCount == 0)
            return batch.Payload;
        decompressed.Clear();
        try
        {
            RecordCompression.Decompress(batch.Compression, batch.Payload, decompressed, config.MaxDecompressedBytes);
        }
        catch (InvalidDataException exception)
        {
            throw new CorruptLogException(segment.File.Path, scanner.Position, exception.Message);
        }
        return decompressed.WrittenSpan;
    }

    private void Begin(Segment segment) => scanner.Begin(segment.File, 0, segment.SizeBytes, ScanDepth.Checksums);

    private bool TryNext(Segment segment, out BatchView batch)
    {
        batch = default;
        if (isGivenUp())
            throw new OperationCanceledException("the log was closed, or is to be cut");
        if (scanner.Next() != ScanStep.Batch)
            return scanner.Position == segment.SizeBytes ? false : throw new CorruptLogException(segment.File.Path, scanner.Position, scanner.Reason);
        if (scanner.TryGetWhole(out batch))
            return true;
        if (large.Length < scanner.SizeBytes)
            large = GC.AllocateUninitializedArray<byte>(scanner.SizeBytes);
        if (segment.File.Read(large.AsSpan(0, scanner.SizeBytes), scanner.Position) < scanner.SizeBytes)
            throw new CorruptLogException(segment.File.Path, scanner.Position, "the file ended within a batch");
        batch = new BatchView(large.AsSpan(0, scanner.SizeBytes));
        return true;
    }
}
