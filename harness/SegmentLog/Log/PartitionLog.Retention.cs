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
        var deleted = 0;
        while (true)
        {
            WaitForBackground();
            lock (appending)
            {
                ThrowIfUnusable();
                if (HasBackgroundWork)
                    continue;
                try
                {
                    deleted += DeleteByPolicy();
                }
                catch (Exception exception)
                {
                    // Which names there are, only an opening can tell.
                    Fail(exception);
                    throw;
                }
                // All of it may go, and what the roll has left to do needs the names.
                if (!HasBackgroundWork)
                    return deleted;
            }
        }
    }

    private int DeleteByPolicy()
    {
        if (config.CleanupPolicy == CleanupPolicy.Compact)
            return DeleteFirst((segment, next) => next is { } end && end <= startOffset);
        var now = NowMs;
        var deleted = config.RetentionMs < 0 ? 0 : DeleteFirst((segment, _) => now - (segment.Largest.Timestamp is >= 0 and var largest ? largest : segment.CreatedMs) > config.RetentionMs);
        var excess = config.RetentionBytes < 0 ? 0 : segments.Sum(segment => segment.SizeBytes) - config.RetentionBytes;
        deleted += DeleteFirst((segment, _) => excess - segment.SizeBytes >= 0 && (excess -= segment.SizeBytes) >= 0 && config.RetentionBytes >= 0);
        return deleted + DeleteFirst((segment, next) => next is { } end && end <= startOffset);
    }

    /// <summary>
    /// Cuts the log at an offset, as a follower does whose leader has less; the records from there on are gone, and do not
    /// come back after a power loss: behind what is appended next, nobody could tell them from its own. A compaction ends
    /// before its time. The caller notes <see cref="RecoveryPoint"/> and <see cref="StartOffset"/> anew before it appends.
    /// Source: Apache Kafka, <c>UnifiedLog.truncateTo</c>; <c>LogManager.truncateTo</c> for the compaction.
    /// </summary>
    /// <returns>False if the log ends there or before.</returns>
    public bool TruncateTo(long offset)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        Interlocked.Increment(ref cutsWaiting);
        try
        {
            lock (compacting)
                while (true)
                {
                    // Indexes that are still to be written, to names that are about to be free, and a snapshot that may be
                    // needed. Not under the locks: that work may need them.
                    WaitForBackground();
                    lock (flushing)
                    lock (appending)
                        if (!HasBackgroundWork)
                            return Truncate(offset);
                }
        }
        finally
        {
            Interlocked.Decrement(ref cutsWaiting);
        }
    }

    private bool Truncate(long offset)
    {
        ThrowIfUnusable();
        if (offset >= endOffset)
            return false;
        WaitForClaim();
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

    private void CutAt(long offset)
    {
        var kept = segments.Where(segment => segment.BaseOffset <= offset).ToArray();
        var gone = segments[kept.Length..];
        active = kept[^1];
        // Its files are soon behind the log, and it is appended to again.
        active.SideFilesDurable = false;
        active.IsComplete = false;
        Volatile.Write(ref segments, kept);
        // The names before the length: a crash in between leaves no hole.
        DeleteFromEnd(gone);
        active.TruncateTo(offset, NowMs);
        if (!active.IsFlushed)
            active.Flush();
        Volatile.Write(ref startOffset, Math.Min(startOffset, offset));
        SetEnd(offset);
        new ProducerReplay(NowMs).Rebuild(producers, kept, startOffset, offset, reloadFromCleanStop: false);
        producers.ForgetEndedBelow(highWatermark);
        Volatile.Write(ref firstUnstableOffset, producers.FirstUnstableOffset);
        // Snapshots of what is gone must not come back either.
        SyncChangedFolder();
    }

    /// <summary>All segments are after the offset: the log is empty, and begins there.</summary>
    private void StartAt(long offset)
    {
        var gone = segments;
        var (file, aheadBytes) = TakePrepared(offset);
        active = Segment.Create(storage, Folder, offset, config, file, NowMs);
        active.AheadBytes = aheadBytes;
        Volatile.Write(ref segments, [active]);
        DeleteFromEnd(gone);
        Volatile.Write(ref startOffset, offset);
        epochs.Clear();
        epochs.Save();
        SetEnd(offset);
        producers.StartAt(offset);
        Volatile.Write(ref firstUnstableOffset, -1);
        SyncChangedFolder();
        PrepareNextSegment();
    }

    /// <summary>The last one first: a crash in between leaves a beginning of the log.</summary>
    private void DeleteFromEnd(Segment[] gone)
    {
        if (gone.Length == 0)
            return;
        for (var i = gone.Length - 1; i >= 0; i--)
            Delete(gone[i]);
        SyncChangedFolder();
    }

    private void SyncChangedFolder()
    {
        Interlocked.Increment(ref folderChanged);
        SyncFolderIfNew();
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
        {
            Roll(endOffset);
            // With a thread for it, the roll is not done yet; the caller comes again.
            if (HasBackgroundWork)
                return 0;
        }
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
