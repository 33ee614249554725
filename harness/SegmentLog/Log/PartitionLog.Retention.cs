using Bench.SegmentLog.Producers;

namespace Bench.SegmentLog;

public sealed partial class PartitionLog
{
    /// <summary>
    /// Deletes the oldest segments that are before the start offset, too old, or over the size that the log may have:
    /// their files are renamed to <c>.deleted</c> at once and removed after
    /// <see cref="LogConfig.FileDeleteDelayMs"/>. Readers that hold a range of one keep it. Source: Apache Kafka,
    /// <c>UnifiedLog.deleteOldSegments</c>.
    /// </summary>
    /// <returns>How many.</returns>
    public int DeleteOldSegments()
    {
        lock (appending)
        {
            ThrowIfUnusable();
            if (config.CleanupPolicy == CleanupPolicy.Compact)
                return DeleteFirst((segment, next) => next is { } end && end <= startOffset);
            var now = NowMs;
            var deleted = config.RetentionMs < 0 ? 0 : DeleteFirst((segment, _) => now - (segment.Largest.Timestamp is >= 0 and var largest ? largest : segment.CreatedMs) > config.RetentionMs);
            var excess = config.RetentionBytes < 0 ? 0 : segments.Sum(segment => segment.SizeBytes) - config.RetentionBytes;
            deleted += DeleteFirst((segment, _) => excess - segment.SizeBytes >= 0 && (excess -= segment.SizeBytes) >= 0 && config.RetentionBytes >= 0);
            return deleted + DeleteFirst((segment, next) => next is { } end && end <= startOffset);
        }
    }

    /// <summary>
    /// Cuts the log at an offset, as a follower does whose leader has less; the records from there on are gone.
    /// </summary>
    /// <returns>False if the log ends there or before.</returns>
    public bool TruncateTo(long offset)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        // Work on segments that are about to go must have ended; appends wait for the lock.
        lock (flushing)
        lock (appending)
        {
            ThrowIfUnusable();
            if (offset >= endOffset)
                return false;
            WaitForClaim();
            cuts++;
            try
            {
                if (offset < segments[0].BaseOffset)
                    StartAt(offset);
                else
                    CutAt(offset);
            }
            catch (Exception exception)
            {
                Fail(exception);
                throw;
            }
            return true;
        }
    }

    private void CutAt(long offset)
    {
        var kept = segments.Where(segment => segment.BaseOffset <= offset).ToArray();
        var gone = segments[kept.Length..];
        active = kept[^1];
        Volatile.Write(ref segments, kept);
        foreach (var segment in gone)
            Delete(segment);
        active.TruncateTo(offset, NowMs);
        SetEnd(offset);
        new ProducerReplay(NowMs).Rebuild(producers, kept, startOffset, offset, reloadFromCleanStop: false);
        producers.ForgetEndedBelow(highWatermark);
        Volatile.Write(ref firstUnstableOffset, producers.FirstUnstableOffset);
    }

    /// <summary>All segments are after the offset: the log is empty, and begins there.</summary>
    private void StartAt(long offset)
    {
        var gone = segments;
        var (file, aheadBytes) = TakePrepared(offset);
        active = Segment.Create(storage, Folder, offset, config, file, NowMs);
        active.AheadBytes = aheadBytes;
        Volatile.Write(ref folderChanged, 1);
        Volatile.Write(ref segments, [active]);
        foreach (var segment in gone)
            Delete(segment);
        Volatile.Write(ref startOffset, offset);
        SetEnd(offset);
        producers.StartAt(offset);
        Volatile.Write(ref firstUnstableOffset, -1);
        PrepareNextSegment();
    }

    private void SetEnd(long offset)
    {
        PublishEnd(offset);
        Volatile.Write(ref highWatermark, Math.Min(highWatermark, offset));
        Volatile.Write(ref durableOffset, Math.Min(durableOffset, offset));
        if (epochs.TruncateFromEnd(offset))
            epochs.Save();
    }

    /// <summary>Deletes the oldest segments as long as a condition holds; the last one only if it has something, which goes into no new one.</summary>
    private int DeleteFirst(Func<Segment, long?, bool> condition)
    {
        var count = 0;
        while (count < segments.Length)
        {
            var segment = segments[count];
            long? next = count + 1 < segments.Length ? segments[count + 1].BaseOffset : null;
            // Not what is not replicated yet, and of an empty log nothing.
            if ((next ?? endOffset) > highWatermark || (next is null && segment.SizeBytes == 0) || !condition(segment, next))
                break;
            count++;
        }
        if (count == 0)
            return 0;
        if (count == segments.Length)
            Roll(endOffset);
        var gone = segments[..count];
        Volatile.Write(ref startOffset, Math.Max(startOffset, segments[count].BaseOffset));
        Volatile.Write(ref segments, segments[count..]);
        foreach (var segment in gone)
            Delete(segment);
        if (epochs.TruncateFromStart(startOffset))
            epochs.Save();
        producers.ForgetEndedBelow(startOffset);
        Volatile.Write(ref firstUnstableOffset, producers.FirstUnstableOffset);
        return count;
    }

    /// <summary>Takes a segment's files out of the log; the names are free at once.</summary>
    private void Delete(Segment segment)
    {
        Segment.Rename(storage, Folder, segment.BaseOffset, "", LogFiles.Deleted);
        producers.Remove(segment.BaseOffset);
        Retire(segment);
    }

    /// <summary>Lets go of a segment whose files were renamed, and has them removed later.</summary>
    private void Retire(Segment segment)
    {
        segment.Release();
        if (config.FileDeleteDelayMs <= 0)
            worker.Post(() => RemoveDeleted(segment));
        else
            worker.PostLater(() => RemoveDeleted(segment), config.FileDeleteDelayMs);
    }

    private void RemoveDeleted(Segment segment)
    {
        try
        {
            Segment.Delete(storage, Folder, segment.BaseOffset, LogFiles.Deleted);
        }
        catch (IOException)
        {
            // The next opening removes them.
        }
    }
}
