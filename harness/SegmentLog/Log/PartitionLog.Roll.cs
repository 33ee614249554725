using Bench.Disk;
using Bench.SegmentLog.Producers;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog;

public sealed partial class PartitionLog
{
    /// <summary>Where a segment ended: what is durable once it is.</summary>
    private readonly record struct RollEnd(long Offset, long AppendedBytes);

    private readonly object background = new();
    private int backgroundWork;

    private static readonly byte[] Zeros = new byte[1 << 20];

    private readonly object ahead = new();
    private IStorageFile? prepared;
    private long preparedAheadBytes;
    private bool preparing;
    // The folder of a log that was just opened may have a new file, or lack one that a recovery removed.
    private int folderChanged = 1;
    private long claimFrom = -1;
    private bool extending;

    /// <summary>Begins a new segment at the end of the log, as a full one does.</summary>
    public void Roll()
    {
        lock (appending)
        {
            ThrowIfUnusable();
            try
            {
                if (active.SizeBytes > 0)
                    Roll(endOffset);
            }
            catch (Exception exception)
            {
                Fail(exception);
                throw;
            }
        }
    }

    /// <summary>
    /// Under the lock of appends. A rename of a file that is ready, and a look at the producers; the rest is done later.
    /// Kafka opens a file and maps two here, and cuts two maps of the old segment: 4 ms.
    /// </summary>
    private void Roll(long firstOffset)
    {
        var start = observer is null ? 0 : Ticks;
        var old = active;
        WaitForClaim();
        old.AddLastTimestamp();
        if (firstOffset > endOffset)
        {
            // Offsets are missing between the two. A recovery that found zeros behind the old segment's last batch could
            // not tell this from a loss, so they go before the new one begins; without a gap it can (LogLoader).
            old.EndWriting();
            if (config.FlushPolicy.Kind == FlushKind.Each && !old.IsFlushed)
                old.Flush();
        }
        // Whoever was killed in a cut of it has left more of it on the device, perhaps: behind a new segment's beginning.
        if (old.WasCut)
            old.Flush();
        var (file, aheadBytes) = TakePrepared(Math.Max(firstOffset, endOffset));
        var segment = Segment.Create(storage, Folder, Math.Max(firstOffset, endOffset), config, file, NowMs);
        segment.AheadBytes = aheadBytes;
        Interlocked.Increment(ref folderChanged);
        producers.EndOffset = Math.Max(producers.EndOffset, segment.BaseOffset);
        var snapshot = producers.PrepareSnapshot();
        active = segment;
        Volatile.Write(ref segments, [.. segments, segment]);
        // Under 'roll' what is at risk now is safe once this segment is flushed; under the others its clock goes on.
        if (config.FlushPolicy.Kind == FlushKind.Roll)
            LeaveRiskToFlush();
        var end = new RollEnd(segment.BaseOffset, appendedBytes);
        PostCounted(() => CompleteSegment(old, snapshot, end));
        PrepareNextSegment();
        observer?.Rolled(start, Ticks, old.SizeBytes);
    }

    /// <summary>Work that a cut or a deletion must not meet: it writes to names of the log.</summary>
    private void PostCounted(Action work)
    {
        lock (background)
            backgroundWork++;
        worker.Post(() =>
        {
            try
            {
                work();
            }
            finally
            {
                lock (background)
                {
                    backgroundWork--;
                    Monitor.PulseAll(background);
                }
            }
        });
    }

    /// <summary>Under the lock of appends: no more comes meanwhile.</summary>
    private bool HasBackgroundWork
    {
        get
        {
            lock (background)
                return backgroundWork > 0;
        }
    }

    private void WaitForBackground()
    {
        lock (background)
            while (backgroundWork > 0)
                Monitor.Wait(background);
    }

    /// <summary>In the background: the old segment's indexes and the snapshot, and under <c>roll</c> its flush.</summary>
    private void CompleteSegment(Segment old, (string Path, byte[] Bytes)? snapshot, RollEnd end)
    {
        if (failure is not null || abandoned || !old.TryAcquire())
            return;
        try
        {
            var durably = config.FlushPolicy.Kind != FlushKind.None;
            if (snapshot is { } bytes)
                SmallFile.Write(storage, bytes.Path, bytes.Bytes, durably);
            old.EndWriting();
            // All up to this one: those that a recovery found may never have been flushed. No lock of the appends here:
            // one of them may be waiting for work of this thread.
            if (config.FlushPolicy.Kind == FlushKind.Roll)
                lock (flushing)
                    if (!old.IsFlushed)
                        FlushSegments([.. Volatile.Read(ref segments).Where(segment => segment.BaseOffset <= old.BaseOffset && !segment.IsFlushed)],
                            end.Offset, end.AppendedBytes);
            old.Complete(durably);
            if (!durably)
                return;
            // An opening that finds the offset index takes its neighbours for there: the names first.
            Interlocked.Increment(ref folderChanged);
            SyncFolderIfNew();
            old.SideFilesDurable = true;
        }
        catch (Exception exception)
        {
            Fail(exception);
        }
        finally
        {
            old.Release();
        }
    }

    /// <summary>Has the next segment's file made ahead, with its first blocks.</summary>
    private void PrepareNextSegment()
    {
        if (preparing || prepared is not null)
            return;
        preparing = true;
        worker.Post(() =>
        {
            IStorageFile? file = null;
            long aheadBytes = 0;
            try
            {
                if (failure is null)
                {
                    var path = Path.Combine(Folder, LogFiles.Prepared);
                    storage.Delete(path);
                    file = storage.Open(path, OpenMode.Write | OpenMode.Create);
                    aheadBytes = Extend(file, 0, Math.Min(config.BlocksAheadBytes, config.SegmentBytes));
                }
            }
            catch (Exception exception) when (exception is IOException)
            {
                // A roll makes its own file then, and tells what is wrong with the disk if it still is.
                file?.Dispose();
                file = null;
            }
            lock (ahead)
            {
                prepared = file;
                preparedAheadBytes = aheadBytes;
                preparing = false;
            }
        });
    }

    private (IStorageFile File, long AheadBytes) TakePrepared(long baseOffset)
    {
        var path = Path.Combine(Folder, LogFiles.Name(baseOffset, LogFiles.Log));
        IStorageFile? file;
        long aheadBytes;
        lock (ahead)
        {
            (file, aheadBytes) = (prepared, preparedAheadBytes);
            (prepared, preparedAheadBytes) = (null, 0);
        }
        // Segments that fill faster than files are made, or a disk that was full: an empty one, here and now.
        if (file is null)
        {
            storage.Delete(path);
            return (storage.Open(path, OpenMode.Write | OpenMode.Create), 0);
        }
        try
        {
            file.RenameTo(path);
        }
        catch
        {
            file.Dispose();
            throw;
        }
        return (file, aheadBytes);
    }

    private void DropPrepared()
    {
        lock (ahead)
        {
            prepared?.Dispose();
            prepared = null;
        }
        try
        {
            storage.Delete(Path.Combine(Folder, LogFiles.Prepared));
        }
        catch (IOException)
        {
            // The next opening removes it.
        }
    }

    /// <summary>Gives a file blocks in a range.</summary>
    /// <returns>Where they end.</returns>
    private long Extend(IStorageFile file, long from, long to)
    {
        if (to <= from || config.Preallocation == Preallocation.None)
            return from;
        if (config.Preallocation == Preallocation.Fallocate)
        {
            file.Allocate(from, to - from);
            return to;
        }
        for (var at = from; at < to; at += Zeros.Length)
            file.Write(Zeros.AsSpan(0, (int)Math.Min(Zeros.Length, to - at)), at);
        // Now, so that no later flush has the blocks and the length to commit. Appends past the page cache would have to
        // take each page of it out again.
        if (config.WritePath == WritePath.Direct)
            file.DropCache();
        else
            file.Fdatasync();
        return to;
    }

    /// <summary>
    /// Under the lock of appends: an append must not run into the range that zeros are being written to, and when half of
    /// the ready blocks are used, more are made.
    /// </summary>
    private void StayBehindZeros(Segment segment, int incomingBytes)
    {
        var size = segment.SizeBytes;
        if (Volatile.Read(ref claimFrom) is var claimed and >= 0 && size + incomingBytes > claimed)
            WaitForClaim();
        if (Volatile.Read(ref extending) || segment.IsWithoutAhead || segment.AheadBytes >= config.SegmentBytes || segment.AheadBytes - size > config.BlocksAheadBytes / 2)
            return;
        var from = Math.Max(segment.AheadBytes, size + incomingBytes);
        // Whole pages: the page at the border belongs to the appends.
        from = (from + 4095) & ~4095L;
        var to = Math.Min(from + config.BlocksAheadBytes, config.SegmentBytes);
        if (to <= from)
            return;
        Volatile.Write(ref extending, true);
        Volatile.Write(ref claimFrom, from);
        // Not by the worker: the append that waits for the zeros holds the lock that the worker's next flush may need.
        if (ReferenceEquals(worker, LogWorker.AtOnce))
            ExtendAhead(segment, from, to);
        else
            ThreadPool.UnsafeQueueUserWorkItem(_ => ExtendAhead(segment, from, to), null);
    }

    private void ExtendAhead(Segment segment, long from, long to)
    {
        try
        {
            if (failure is null && segment.TryAcquire())
                try
                {
                    segment.AheadBytes = Extend(segment.File, from, to);
                }
                finally
                {
                    segment.Release();
                }
        }
        catch (Exception exception)
        {
            // No room ahead says nothing of the appends, which find out for themselves; a failed flush does.
            if (exception is not DiskException { IsNoSpace: true })
                Fail(exception);
            segment.IsWithoutAhead = true;
        }
        lock (ahead)
        {
            Volatile.Write(ref claimFrom, -1);
            Volatile.Write(ref extending, false);
            Monitor.PulseAll(ahead);
        }
    }

    private void WaitForClaim()
    {
        lock (ahead)
            while (claimFrom >= 0)
                Monitor.Wait(ahead);
    }
}
