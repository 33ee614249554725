using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Bench.Disk;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog;

/// <summary>How a log directory is opened.</summary>
public sealed record LogDirectoryOptions
{
    /// <summary>The file system.</summary>
    public IStorage Storage { get; init; } = DiskStorage.Instance;

    /// <summary>The clock of all logs.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Told of the flushes and rolls of all logs.</summary>
    public ILogObserver? Observer { get; init; }

    /// <summary>Partitions that are opened or closed at a time: Kafka's <c>num.recovery.threads.per.data.dir</c>.</summary>
    public int Parallelism { get; init; } = Environment.ProcessorCount;

    /// <summary>False if a replication protocol moves the high watermarks; they begin where the checkpoint has them.</summary>
    public bool HighWatermarkFollowsEnd { get; init; } = true;

    /// <summary>What a gap between segments means to a recovery.</summary>
    public OffsetGaps Gaps { get; init; }
}

/// <summary>What the opening of a log directory found and did.</summary>
/// <param name="CleanStop">Whether the last stop was a clean one.</param>
/// <param name="Duration">How long it took.</param>
/// <param name="Failed">Partitions that could not be opened, and why; the others are open.</param>
/// <param name="Skipped">Folders that were left alone: of partitions that are being moved or deleted, of Kafka's own metadata, or of other names.</param>
/// <param name="Notes">What was mended, one sentence each.</param>
public sealed record LogDirectoryReport(
    bool CleanStop, TimeSpan Duration, IReadOnlyDictionary<TopicPartition, Exception> Failed, IReadOnlyList<string> Skipped, IReadOnlyList<string> Notes);

/// <summary>
/// A folder with the logs of many partitions and the files that a broker keeps beside them: the checkpoints of recovery
/// points, log starts and high watermarks, the mark of a clean stop, and the lock. Its parts are opened and closed side by
/// side, and share one <see cref="LogWorker"/>.
/// <para>
/// What Kafka promises rests on an order, and is kept here: the mark of a clean stop is gone, durably, before anything is
/// opened, and comes back last, when every log is closed and every checkpoint written; a recovery point is never after
/// what is durable. Kafka takes the whole directory offline when one partition cannot be opened; here that one is named
/// in <see cref="Report"/>, the others are open, and the next stop is not marked as clean. Source: Apache Kafka,
/// <c>LogManager</c>.
/// </para>
/// </summary>
public sealed class LogDirectory : IDisposable
{
    /// <summary>The mark of a clean stop.</summary>
    public const string CleanStopFile = ".kafka_cleanshutdown";

    /// <summary>The lock, Kafka's too.</summary>
    public const string LockFile = ".lock";

    // No broker's: a controller that asks for the last one's epoch takes the stop for an unclean one.
    private static readonly byte[] CleanStopContent = Encoding.ASCII.GetBytes("""{"version":0,"brokerEpoch":-1}""");
    private const string KafkaMetadata = "__cluster_metadata-0";

    private readonly IStorage storage;
    private readonly LogConfig config;
    private readonly LogDirectoryOptions options;
    private readonly IDisposable held;
    private readonly LogWorker worker = new();
    private readonly ConcurrentDictionary<TopicPartition, PartitionLog> logs = new();
    private readonly Lock checkpointing = new();
    private Checkpoints found = Checkpoints.None;
    private bool mayMarkCleanStop;
    private bool closed;

    private LogDirectory(string folder, LogConfig config, LogDirectoryOptions options, IDisposable held)
    {
        Folder = folder;
        this.config = config;
        this.options = options;
        this.held = held;
        storage = options.Storage;
    }

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>What the opening found and did; each log has its own report too.</summary>
    public LogDirectoryReport Report { get; private set; } = null!;

    /// <summary>The logs.</summary>
    public IReadOnlyDictionary<TopicPartition, PartitionLog> Logs => logs;

    /// <summary>Opens a log directory, or makes one where there is no folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="config">Settings of every log.</param>
    /// <param name="options">How.</param>
    /// <exception cref="IOException">Somebody else has it open, or the folder cannot be read or written.</exception>
    public static LogDirectory Open(string folder, LogConfig config, LogDirectoryOptions? options = null)
    {
        config.Validate();
        options ??= new LogDirectoryOptions();
        folder = Path.GetFullPath(folder);
        options.Storage.CreateFolder(folder);
        var held = options.Storage.TryLock(Path.Combine(folder, LockFile))
            ?? throw new IOException($"{folder} is in use by a broker or another process; stop that, or give another folder");
        var directory = new LogDirectory(folder, config, options, held);
        try
        {
            directory.Load();
            // A recovery may have cut a log before the point that is noted for it: what is appended there next would be
            // passed over by the next recovery. And a partition that is made anew must not find its forerunner's.
            directory.Checkpoint();
            return directory;
        }
        catch
        {
            directory.Abandon();
            throw;
        }
    }

    /// <summary>Makes a partition.</summary>
    /// <param name="partition">Which; there must be none.</param>
    /// <param name="topicId">Its topic's id, if it has one.</param>
    /// <exception cref="ArgumentException">Kafka would not take the name.</exception>
    /// <exception cref="IOException">It is there already, or cannot be made.</exception>
    public PartitionLog Create(TopicPartition partition, Guid? topicId = null)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        if (!partition.IsLegal)
            throw new ArgumentException($"'{partition}' is no partition's name: up to 249 letters, digits, dots, dashes and underlines, a dash, and a number", nameof(partition));
        var folder = PathOf(partition.ToString());
        if (storage.ListFolders(Folder).Contains(partition.ToString()))
            throw new IOException($"{folder} exists");
        storage.CreateFolder(folder);
        if (topicId is { } id)
            PartitionMetadata.Write(storage, folder, id);
        return OpenLog(partition, cleanStop: true, Checkpoints.None);
    }

    /// <summary>
    /// Cuts a log at an offset, as a follower does whose leader has less. Nothing may be appended to it until this has
    /// returned: the recovery point that is noted for it may be after the cut until then.
    /// </summary>
    public void Truncate(TopicPartition partition, long offset)
    {
        if (logs[partition].TruncateTo(offset))
            Checkpoint();
    }

    /// <summary>Notes how far each log is durable, where it starts, and its high watermark; a broker does so every minute or five seconds.</summary>
    public void Checkpoint()
    {
        lock (checkpointing)
        {
            var (points, starts, high) = found.Of(Report.Failed.Keys);
            foreach (var (partition, log) in logs)
            {
                points[partition] = log.RecoveryPoint;
                // As Kafka: the first segment tells it otherwise.
                if (log.StartOffset > log.Segments[0].BaseOffset)
                    starts[partition] = log.StartOffset;
                high[partition] = log.HighWatermark;
            }
            OffsetCheckpoint.Write(storage, PathOf(OffsetCheckpoint.RecoveryPoints), points);
            OffsetCheckpoint.Write(storage, PathOf(OffsetCheckpoint.LogStarts), starts);
            OffsetCheckpoint.Write(storage, PathOf(OffsetCheckpoint.HighWatermarks), high);
        }
    }

    /// <summary>Closes every log, writes the checkpoints, and marks the stop as a clean one.</summary>
    /// <exception cref="IOException">A log could not be closed cleanly; the next opening recovers all of them.</exception>
    public void Close()
    {
        if (closed)
            return;
        closed = true;
        try
        {
            var failed = new ConcurrentDictionary<TopicPartition, Exception>();
            EachOf(logs.Keys, partition =>
            {
                try
                {
                    logs[partition].Close();
                }
                catch (Exception exception) when (exception is IOException or AppendRejectedException)
                {
                    failed[partition] = exception;
                }
            });
            Checkpoint();
            if (!failed.IsEmpty)
            {
                var (partition, exception) = failed.MinBy(failure => failure.Key.ToString());
                throw new IOException($"{failed.Count} of {logs.Count} partitions of {Folder} were not closed cleanly, {partition} because: {exception.Message}", exception);
            }
            // Not if somebody has abandoned one of them by itself.
            if (mayMarkCleanStop && logs.Values.All(log => log.IsClosedCleanly))
                SmallFile.Replace(storage, PathOf(CleanStopFile), CleanStopContent);
        }
        finally
        {
            LetGo();
        }
    }

    /// <summary>Lets go of everything as a killed process does: the next opening is one after an unclean stop.</summary>
    public void Abandon()
    {
        if (closed)
            return;
        closed = true;
        PartitionLog.AbandonAll(logs.Values);
        LetGo();
    }

    /// <summary>Closes it; a failure to do so cleanly is not told: call <see cref="Close"/> to know.</summary>
    public void Dispose()
    {
        try
        {
            Close();
        }
        catch (IOException)
        {
            // The files are closed, and the next opening recovers.
        }
    }

    private void Load()
    {
        var start = Stopwatch.GetTimestamp();
        var notes = new List<string>();
        var mark = PathOf(CleanStopFile);
        var cleanStop = storage.Exists(mark);
        storage.Delete(mark);
        // Also if it is not there: its removal may be newer than the last flush of the folder.
        storage.SyncFolder(Folder);
        found = new Checkpoints(ReadCheckpoint(OffsetCheckpoint.RecoveryPoints, notes), ReadCheckpoint(OffsetCheckpoint.LogStarts, notes), ReadCheckpoint(OffsetCheckpoint.HighWatermarks, notes));

        var names = storage.ListFolders(Folder).Order(StringComparer.Ordinal).Select(name => (Name: name, Partition: name == KafkaMetadata ? null : TopicPartition.OfFolder(name))).ToArray();
        var failed = new ConcurrentDictionary<TopicPartition, Exception>();
        EachOf(names.Select(name => name.Partition).OfType<TopicPartition>(), partition =>
        {
            try
            {
                OpenLog(partition, cleanStop, found);
            }
            catch (IOException exception)
            {
                failed[partition] = exception;
            }
        });
        string[] skipped = [.. names.Where(name => name.Partition is null).Select(name => name.Name)];
        // A log that is being moved was not looked at here: a mark would say that it needs no recovery.
        mayMarkCleanStop = failed.IsEmpty && (cleanStop || !skipped.Any(name => name.EndsWith("-future", StringComparison.Ordinal)));
        Report = new LogDirectoryReport(cleanStop, Stopwatch.GetElapsedTime(start), failed, skipped, notes);
    }

    private PartitionLog OpenLog(TopicPartition partition, bool cleanStop, Checkpoints noted)
    {
        var folder = PathOf(partition.ToString());
        _ = PartitionMetadata.Read(storage, folder);
        var log = PartitionLog.Open(folder, config, new LogOpenOptions
        {
            Storage = storage,
            Clock = options.Clock,
            Observer = options.Observer,
            Worker = worker,
            CleanStop = cleanStop,
            RecoveryPoint = Math.Max(0, noted.Points.GetValueOrDefault(partition)),
            LogStartOffset = Math.Max(0, noted.Starts.GetValueOrDefault(partition)),
            HighWatermarkFollowsEnd = options.HighWatermarkFollowsEnd,
            Gaps = options.Gaps,
        });
        if (!options.HighWatermarkFollowsEnd)
            log.AdvanceHighWatermark(noted.High.GetValueOrDefault(partition));
        logs[partition] = log;
        return log;
    }

    private IReadOnlyDictionary<TopicPartition, long> ReadCheckpoint(string name, List<string> notes)
    {
        try
        {
            return OffsetCheckpoint.Read(storage, PathOf(name));
        }
        catch (CorruptLogException exception)
        {
            // As Kafka: nothing is lost by recovering more.
            notes.Add($"{exception.Message}; it was taken for an empty one");
            return new Dictionary<TopicPartition, long>();
        }
    }

    private void EachOf(IEnumerable<TopicPartition> partitions, Action<TopicPartition> work) =>
        Parallel.ForEach(partitions, new ParallelOptions { MaxDegreeOfParallelism = options.Parallelism }, work);

    private void LetGo()
    {
        worker.Dispose();
        held.Dispose();
    }

    private string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>What was noted when the directory was opened.</summary>
    private sealed record Checkpoints(
        IReadOnlyDictionary<TopicPartition, long> Points, IReadOnlyDictionary<TopicPartition, long> Starts, IReadOnlyDictionary<TopicPartition, long> High)
    {
        internal static Checkpoints None { get; } = new(new Dictionary<TopicPartition, long>(), new Dictionary<TopicPartition, long>(), new Dictionary<TopicPartition, long>());

        /// <summary>Of those partitions alone, which are not open and keep what they have.</summary>
        internal (Dictionary<TopicPartition, long> Points, Dictionary<TopicPartition, long> Starts, Dictionary<TopicPartition, long> High) Of(IEnumerable<TopicPartition> partitions)
        {
            var kept = partitions.ToHashSet();
            Dictionary<TopicPartition, long> Keep(IReadOnlyDictionary<TopicPartition, long> all) => all.Where(entry => kept.Contains(entry.Key)).ToDictionary();
            return (Keep(Points), Keep(Starts), Keep(High));
        }
    }
}
