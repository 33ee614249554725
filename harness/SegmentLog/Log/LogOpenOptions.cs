using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog;

/// <summary>Told what a log does besides appending; called in the middle of it, from the thread that does it.</summary>
public interface ILogObserver
{
    /// <summary>Bytes were made durable.</summary>
    /// <param name="startTimestamp">When it began (<see cref="System.Diagnostics.Stopwatch.GetTimestamp"/>).</param>
    /// <param name="endTimestamp">When it ended.</param>
    /// <param name="bytes">Bytes of log that were not durable before.</param>
    void Flushed(long startTimestamp, long endTimestamp, long bytes);

    /// <summary>A new segment was begun within an append.</summary>
    /// <param name="startTimestamp">When that began.</param>
    /// <param name="endTimestamp">When the append went on.</param>
    /// <param name="bytes">Size of the segment before.</param>
    void Rolled(long startTimestamp, long endTimestamp, long bytes);
}

/// <summary>What it means if segments are apart in offsets.</summary>
public enum OffsetGaps
{
    /// <summary>Compaction, or the leader's compaction, has taken what was between them: both are kept, as Kafka keeps them.</summary>
    Kept,

    /// <summary>
    /// A power cut has: this log has every offset. A segment that lost its end just behind a batch looks whole, and only
    /// the next one's first offset tells; after an unclean stop all behind the gap goes, so that a log never has a hole.
    /// </summary>
    Lost,
}

/// <summary>How a log is opened.</summary>
public sealed record LogOpenOptions
{
    /// <summary>The file system.</summary>
    public IStorage Storage { get; init; } = DiskStorage.Instance;

    /// <summary>The clock of retention, rolls by time, and append times.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Does the work that no append waits for; null: the log has one of its own.</summary>
    public LogWorker? Worker { get; init; }

    /// <summary>Told of flushes and rolls.</summary>
    public ILogObserver? Observer { get; init; }

    /// <summary>Whether the log was closed properly; then only the end of its last segment is looked at.</summary>
    public bool CleanStop { get; init; }

    /// <summary>After an unclean stop, the offset before which all was durable.</summary>
    public long RecoveryPoint { get; init; }

    /// <summary>What a gap between segments means to a recovery.</summary>
    public OffsetGaps Gaps { get; init; }

    /// <summary>The offset before which records count as deleted.</summary>
    public long LogStartOffset { get; init; }

    /// <summary>False if a replication protocol moves the high watermark: by itself it follows the end of the log.</summary>
    public bool HighWatermarkFollowsEnd { get; init; } = true;
}
