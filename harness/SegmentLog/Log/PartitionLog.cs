using System.Diagnostics;
using Bench.Disk;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Index;
using Bench.SegmentLog.Producers;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog;

/// <summary>
/// The log of one partition: a folder of segments in Kafka's format, by Kafka's rules. Any number of threads append, one
/// after the other; any number read, and wait for nobody.
/// <para>
/// What Kafka does on the path of an append, and this does not: it keeps no maps that a flush and a roll must care for
/// (<see cref="OffsetIndex"/>), and it has the next segment's file ready when one is full. What is promised is the same,
/// and one thing more: after a failed write or flush the log takes nothing until it is opened again, because a later
/// flush that succeeds says nothing of what the failed one lost (Rebello et al., "Can Applications Recover from fsync
/// Failures?", USENIX ATC 2020).
/// </para>
/// </summary>
public sealed partial class PartitionLog : IDisposable
{
    private readonly IStorage storage;
    private readonly LogConfig config;
    private readonly TimeProvider clock;
    private readonly ILogObserver? observer;
    private readonly LogWorker worker;
    private readonly LogWorker? ownWorker;
    private readonly bool highWatermarkFollowsEnd;
    private readonly Lock appending = new();
    // Before 'appending', where an append waits for the disk.
    private readonly Turns? turns;
    private readonly LeaderEpochs epochs;
    private readonly ProducerStates producers;
    private Segment[] segments;
    private Segment active;
    private Exception? failure;
    private volatile bool abandoned;
    private bool closed;
    private long endOffset;
    private long highWatermark;
    private long firstUnstableOffset;
    private long startOffset;

    private PartitionLog(string folder, LogConfig config, LogOpenOptions options, LogLoader loader, RecoveryReport recovery)
    {
        Folder = folder;
        this.config = config;
        turns = config.FlushPolicy.Kind == FlushKind.Each ? new Turns() : null;
        storage = options.Storage;
        clock = options.Clock;
        observer = options.Observer;
        worker = options.Worker ?? (ownWorker = new LogWorker());
        highWatermarkFollowsEnd = options.HighWatermarkFollowsEnd;
        epochs = loader.Epochs;
        producers = loader.Producers;
        segments = [.. loader.Segments];
        active = segments[^1];
        startOffset = loader.LogStartOffset;
        endOffset = recovery.LogEndOffset;
        highWatermark = highWatermarkFollowsEnd ? endOffset : startOffset;
        Recovery = recovery;
        producers.ForgetEndedBelow(highWatermark);
        firstUnstableOffset = producers.FirstUnstableOffset;
        // What was found on the disk at a clean stop was flushed then; after an unclean one nobody knows.
        durableOffset = options.CleanStop ? endOffset : recovery.RecoveryPoint;
        foreach (var segment in segments)
        {
            segment.FlushedBytes = options.CleanStop ? segment.SizeBytes : 0;
            // The active one's are behind as soon as it is appended to.
            segment.SideFilesDurable = options.CleanStop && segment != active;
            segment.IsComplete = segment != active;
        }
    }

    private void Begin(bool cleanStop)
    {
        // Here, while there is no reader: one that looked it up beside an append could put the older one back.
        _ = active.Largest;
        PrepareNextSegment();
        // What a recovery found may be in the page cache alone, and the next append promises all before it too.
        if (config.FlushPolicy.IsDurable && !cleanStop)
            Flush();
        if (config.FlushPolicy.Kind == FlushKind.Interval)
            StartFlushTimer();
    }

    /// <summary>The folder, <c>topic-partition</c>.</summary>
    public string Folder { get; }

    /// <summary>What the opening found and did.</summary>
    public RecoveryReport Recovery { get; }

    /// <summary>True if it was closed, and all is durable.</summary>
    public bool IsClosedCleanly { get; private set; }

    /// <summary>The offset that the next record gets.</summary>
    public long EndOffset => Volatile.Read(ref endOffset);

    /// <summary>The first offset that may be read.</summary>
    public long StartOffset => Volatile.Read(ref startOffset);

    /// <summary>The offset before which records are replicated; consumers read up to it.</summary>
    public long HighWatermark => Volatile.Read(ref highWatermark);

    /// <summary>
    /// The offset before which no transaction is open; committed reading goes up to it. Of one whose beginning is deleted
    /// it is the start of the log, as in Kafka.
    /// </summary>
    public long LastStableOffset
    {
        get
        {
            var unstable = Volatile.Read(ref firstUnstableOffset);
            var high = HighWatermark;
            return unstable >= 0 && unstable < high ? Math.Max(unstable, Math.Min(StartOffset, high)) : high;
        }
    }

    /// <summary>The segments, oldest first.</summary>
    public IReadOnlyList<Segment> Segments => Volatile.Read(ref segments);

    /// <summary>The leader epochs.</summary>
    public IReadOnlyList<EpochEntry> Epochs => epochs.Entries;

    /// <summary>What is known of the producers; look at it while nobody appends.</summary>
    public ProducerStates Producers => producers;

    /// <summary>Bytes of log.</summary>
    public long SizeBytes => Volatile.Read(ref segments).Sum(segment => segment.SizeBytes);

    /// <summary>Opens a log, or makes one where there is no folder.</summary>
    /// <param name="folder">The partition's folder.</param>
    /// <param name="config">Settings.</param>
    /// <param name="options">How; by default as after an unclean stop, with every batch checked.</param>
    /// <exception cref="CorruptLogException">The log is of a format that is not read here.</exception>
    /// <exception cref="DiskException">A file cannot be read or written.</exception>
    public static PartitionLog Open(string folder, LogConfig config, LogOpenOptions? options = null)
    {
        config.Validate();
        options ??= new LogOpenOptions();
        folder = Path.GetFullPath(folder);
        options.Storage.CreateFolder(folder);
        var loader = new LogLoader(options.Storage, folder, config, options, options.Clock.GetUtcNow().ToUnixTimeMilliseconds());
        var log = new PartitionLog(folder, config, options, loader, loader.Load());
        try
        {
            log.Begin(options.CleanStop);
            return log;
        }
        catch
        {
            log.Abandon();
            throw;
        }
    }

    /// <summary>Moves the high watermark, as a replication protocol does.</summary>
    public void AdvanceHighWatermark(long offset)
    {
        lock (appending)
            SetHighWatermark(Math.Min(offset, endOffset));
    }

    /// <summary>Deletes the records before an offset, as Kafka's DeleteRecords does: segments go once all of them is before it.</summary>
    public void AdvanceStartOffset(long offset)
    {
        lock (appending)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, highWatermark);
            if (offset <= startOffset)
                return;
            Volatile.Write(ref startOffset, offset);
            if (epochs.TruncateFromStart(offset))
                epochs.Save();
            producers.ForgetEndedBelow(offset);
        }
    }

    /// <summary>
    /// Makes everything durable, writes the indexes and a producer snapshot, and closes the files. The caller may then
    /// note the stop as a clean one; if it throws, it was none.
    /// </summary>
    public void Close()
    {
        if (!StopBackground())
            return;
        // A flush may still be at it.
        lock (flushing)
        lock (appending)
        {
            try
            {
                if (failure is not null)
                    throw new AppendRejectedException(AppendError.LogFailed, $"{Folder} was not closed cleanly: {failure.Message}", failure);
                active.AddLastTimestamp();
                active.Complete(durably: true);
                producers.TakeSnapshot();
                producers.FlushSnapshots();
                foreach (var segment in segments)
                {
                    if (!segment.IsFlushed)
                        segment.Flush();
                    // The active segment's have just been written.
                    if (!segment.SideFilesDurable && segment != active)
                        segment.WriteIndexes(durably: true);
                }
                storage.SyncFolder(Folder);
                foreach (var segment in segments)
                    segment.SideFilesDurable = true;
                durableOffset = endOffset;
                IsClosedCleanly = true;
            }
            catch (IOException exception)
            {
                Fail(exception);
                throw;
            }
            finally
            {
                ReleaseFiles();
            }
        }
    }

    /// <summary>
    /// Lets go of the files without making anything durable or complete: what a killed process leaves. The next opening
    /// is one after an unclean stop.
    /// </summary>
    public void Abandon()
    {
        abandoned = true;
        if (!StopBackground())
            return;
        lock (flushing)
        lock (appending)
            ReleaseFiles();
    }

    /// <summary>
    /// Abandons several: with one worker for all of them, <see cref="Abandon"/> of the first would wait until the others'
    /// flushes in the background are done, which nobody needs any more (of a thousand new logs on a hard disk, a minute).
    /// </summary>
    /// <param name="logs">The logs.</param>
    public static void AbandonAll(IEnumerable<PartitionLog> logs)
    {
        PartitionLog[] all = [.. logs];
        foreach (var log in all)
            log.abandoned = true;
        foreach (var log in all)
            log.Abandon();
    }

    /// <summary>Closes the log; a failure to do so cleanly is not told: call <see cref="Close"/> to know.</summary>
    public void Dispose()
    {
        try
        {
            Close();
        }
        catch (Exception exception) when (exception is IOException or AppendRejectedException)
        {
            // The files are closed, and the next opening recovers.
        }
    }

    /// <summary>From here on nothing is appended, and what the background had to do is done.</summary>
    /// <returns>False if the log was closed before.</returns>
    private bool StopBackground()
    {
        lock (appending)
        {
            if (closed)
                return false;
            closed = true;
        }
        // A compaction notices, and ends.
        lock (compacting)
        {
        }
        if (flushTimer is not null)
        {
            using var ended = new ManualResetEvent(false);
            if (flushTimer.Dispose(ended))
                ended.WaitOne();
        }
        WaitForClaim();
        worker.Drain();
        ownWorker?.Dispose();
        return true;
    }

    private void ReleaseFiles()
    {
        foreach (var segment in segments)
            segment.Release();
        DropPrepared();
        WakeAll();
    }

    private void SetHighWatermark(long offset)
    {
        if (offset <= highWatermark)
            return;
        Volatile.Write(ref highWatermark, offset);
        if (!producers.HasUnreplicated)
            return;
        producers.ForgetEndedBelow(offset);
        Volatile.Write(ref firstUnstableOffset, producers.FirstUnstableOffset);
    }

    private long NowMs => clock.GetUtcNow().ToUnixTimeMilliseconds();

    private void ThrowIfUnusable()
    {
        ObjectDisposedException.ThrowIf(closed, this);
        if (failure is not null)
            throw new AppendRejectedException(AppendError.LogFailed,
                $"{Folder} takes nothing until it is opened again, because a write or flush failed: {failure.Message}", failure);
    }

    private void Fail(Exception exception)
    {
        if (Interlocked.CompareExchange(ref failure, exception, null) is null)
            LogLoader.NoteFailure(storage, Folder);
    }

    private static long Ticks => Stopwatch.GetTimestamp();
}
