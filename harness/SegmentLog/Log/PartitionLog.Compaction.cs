using Bench.SegmentLog.Index;

namespace Bench.SegmentLog;

public sealed partial class PartitionLog
{
    private readonly Lock compacting = new();
    private int cutsWaiting;

    /// <summary>
    /// Keeps the latest value of each key in the segments before the active one and before the first open transaction,
    /// and drops the records of aborted transactions; offsets stay. A deletion (a key without value) stays for
    /// <see cref="LogConfig.DeleteRetentionMs"/> after the first time it is met. Runs beside appends and readers: only the
    /// change of the files' names holds an append up. Source: Apache Kafka, <c>LogCleaner</c>, <c>LocalLog.replaceSegments</c>.
    /// </summary>
    /// <param name="firstDirtyOffset">What an earlier compaction has cleaned up to; keys before it are not read again.</param>
    /// <exception cref="InvalidOperationException">The log's <see cref="LogConfig.CleanupPolicy"/> is another.</exception>
    /// <exception cref="Format.CorruptLogException">A batch is damaged; what was cleaned before it is in place.</exception>
    public CompactionReport Compact(long firstDirtyOffset = 0)
    {
        if (config.CleanupPolicy != CleanupPolicy.Compact)
            throw new InvalidOperationException($"{Folder} is not compacted: its cleanup policy is {config.CleanupPolicy}");
        lock (compacting)
        {
            // The indexes of old segments are written in the background, to the names that new ones will have.
            worker.Drain();
            var report = new CompactionReport();
            var (segments, end, last) = Cleanable();
            if (segments.Length == 0)
                return report;
            // A value that takes another's place must be durable before that goes, and so must the batch that a producer
            // goes on from: it is mostly in the active segment.
            Flush();
            using var compactor = new Compactor(storage, Folder, config, NowMs, () => Volatile.Read(ref closed) || Volatile.Read(ref cutsWaiting) > 0);
            try
            {
                var dirty = Math.Max(firstDirtyOffset, Math.Max(segments[0].BaseOffset, StartOffset));
                report.SegmentsBefore = segments.Length;
                report.BytesBefore = segments.Sum(segment => segment.SizeBytes);
                do
                    dirty = CleanOnce(compactor, dirty, end, last, report);
                while (dirty < end);
                report.IsComplete = true;
                report.CleanedTo = end;
            }
            catch (OperationCanceledException)
            {
                // What was swapped in is sound; the rest is as it was.
            }
            var after = Segments.TakeWhile(segment => segment.BaseOffset < end).ToArray();
            report.SegmentsAfter = after.Length;
            report.BytesAfter = after.Sum(segment => segment.SizeBytes);
            report.RecordsDropped = compactor.RecordsDropped;
            return report;
        }
    }

    private long CleanOnce(Compactor compactor, long dirty, long end, Dictionary<long, LastOfProducer> last, CompactionReport report)
    {
        Segment[] all;
        lock (appending)
        {
            ThrowIfUnusable();
            all = [.. segments.TakeWhile(segment => segment.BaseOffset < end)];
        }
        if (all.Length == 0 || !TryAcquireAll(all))
            throw new OperationCanceledException("segments were deleted");
        try
        {
            var map = compactor.MapKeys([.. all.SkipWhile((_, at) => at + 1 < all.Length && all[at + 1].BaseOffset <= dirty)], dirty, end, AbortedTransactions(dirty, end));
            var next = map.LatestOffset + 1;
            var keptBefore = compactor.RecordsKept;
            var transactions = new CleanedTransactions(AbortedTransactions(all[0].BaseOffset, end));
            foreach (var group in Group([.. all.TakeWhile(segment => segment.BaseOffset < next)], end))
            {
                // Read now, while the names are theirs: readers that hold one ask for them later.
                foreach (var segment in group)
                    _ = (segment.Offsets, segment.Times, segment.Transactions);
                var cleaned = compactor.Clean(group, map, transactions, last, end);
                if (!TryReplace(group, cleaned))
                {
                    cleaned.Release();
                    compactor.Discard(cleaned.BaseOffset);
                    throw new OperationCanceledException("segments were deleted, or the log was closed");
                }
            }
            report.Passes++;
            report.RecordsKept = compactor.RecordsKept - keptBefore;
            return next;
        }
        finally
        {
            foreach (var segment in all)
                segment.Release();
        }
    }

    private (Segment[] Segments, long End, Dictionary<long, LastOfProducer> Last) Cleanable()
    {
        lock (appending)
        {
            ThrowIfUnusable();
            var stable = FloorOf(segments, LastStableOffset);
            var count = Math.Clamp(stable, 0, segments.Length - 1);
            // One whose indexes are still to be written is not complete.
            var complete = Array.FindIndex(segments, segment => !segment.IsComplete);
            if (complete >= 0)
                count = Math.Min(count, complete);
            var last = producers.Producers.ToDictionary(producer => producer.ProducerId, producer => new LastOfProducer(producer.LastBatch?.LastOffset ?? -1, producer.Epoch));
            return (segments[..count], segments[count].BaseOffset, last);
        }
    }

    private static bool TryAcquireAll(Segment[] all)
    {
        for (var i = 0; i < all.Length; i++)
        {
            if (all[i].TryAcquire())
                continue;
            while (--i >= 0)
                all[i].Release();
            return false;
        }
        return true;
    }

    /// <summary>Segments that go into one: within its size, its indexes' sizes, and the offsets that it can tell.</summary>
    private IEnumerable<Segment[]> Group(Segment[] all, long end)
    {
        for (var first = 0; first < all.Length;)
        {
            long bytes = 0, offsets = 0, times = 0;
            var next = first;
            while (next < all.Length)
            {
                var segment = all[next];
                bytes += segment.SizeBytes;
                offsets += (long)segment.Offsets.Count * OffsetIndex.EntryBytes;
                times += (long)segment.Times.Count * TimeIndex.EntryBytes;
                var last = (next + 1 < all.Length ? all[next + 1].BaseOffset : end) - 1;
                if (next > first && (bytes > config.SegmentBytes || offsets > config.SegmentIndexBytes || times > config.SegmentIndexBytes
                    || (segment.SizeBytes > 0 && last - all[first].BaseOffset > int.MaxValue)))
                    break;
                next++;
            }
            yield return all[first..next];
            first = next;
        }
    }

    /// <summary>
    /// Gives a cleaned segment the place of others. Each step is one that an opening completes or takes back
    /// (<see cref="LogLoader"/>): before the new files are all named <c>.swap</c> the old ones count, and from then on the new.
    /// </summary>
    private bool TryReplace(Segment[] old, Segment cleaned)
    {
        lock (appending)
        {
            var at = Array.IndexOf(segments, old[0]);
            if (closed || failure is not null || at < 0 || !segments.AsSpan(at).StartsWith(old))
                return false;
            try
            {
                cleaned.Rename(LogFiles.Cleaned, LogFiles.Swap);
                storage.SyncFolder(Folder);
                foreach (var segment in old)
                    Segment.Rename(storage, Folder, segment.BaseOffset, "", LogFiles.Deleted);
                cleaned.Rename(LogFiles.Swap, "");
                storage.SyncFolder(Folder);
            }
            catch (Exception exception)
            {
                // Which names there are, only an opening can tell.
                Fail(exception);
                throw;
            }
            Volatile.Write(ref segments, [.. segments[..at], cleaned, .. segments[(at + old.Length)..]]);
            foreach (var segment in old)
            {
                if (segment != old[0])
                    producers.Remove(segment.BaseOffset);
                Retire(segment);
            }
            return true;
        }
    }
}
