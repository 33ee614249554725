using Bench.SegmentLog.Format;

namespace Bench.SegmentLog;

/// <summary>How closely an append looks at what it is given.</summary>
public enum AppendChecks
{
    /// <summary>Header and checksum of each batch.</summary>
    Checksum,

    /// <summary>Each record as well, decompressed if it must be.</summary>
    EveryRecord,
}

/// <summary>What becomes of old segments.</summary>
public enum CleanupPolicy
{
    /// <summary>They are deleted by age and size.</summary>
    Delete,

    /// <summary>Only the last value of each key is kept.</summary>
    Compact,
}

/// <summary>Settings of a log, with Kafka's defaults and, in brackets, Kafka's names.</summary>
public sealed record LogConfig
{
    /// <summary>Most bytes of a segment [segment.bytes].</summary>
    public int SegmentBytes { get; init; } = 1 << 30;

    /// <summary>Most time that a segment is appended to [segment.ms].</summary>
    public long SegmentMs { get; init; } = 7L * 24 * 3600 * 1000;

    /// <summary>How much less than that, chosen at random per segment, so that logs do not all roll at once [segment.jitter.ms].</summary>
    public long SegmentJitterMs { get; init; }

    /// <summary>Bytes of log between index entries [index.interval.bytes].</summary>
    public int IndexIntervalBytes { get; init; } = 4096;

    /// <summary>Most bytes of an index; a segment whose index is full is rolled [segment.index.bytes].</summary>
    public int SegmentIndexBytes { get; init; } = 10 << 20;

    /// <summary>Most bytes of a batch [max.message.bytes].</summary>
    public int MaxBatchBytes { get; init; } = 1048588;

    /// <summary>Whose clock the timestamps are [message.timestamp.type].</summary>
    public TimestampType TimestampType { get; init; }

    /// <summary>How closely an append looks.</summary>
    public AppendChecks AppendChecks { get; init; }

    /// <summary>When records become durable.</summary>
    public FlushPolicy FlushPolicy { get; init; } = FlushPolicy.Roll;

    /// <summary>How.</summary>
    public FlushMethod FlushMethod { get; init; }

    /// <summary>Whether files have their blocks ahead [preallocate].</summary>
    public Preallocation Preallocation { get; init; }

    /// <summary>Bytes that are preallocated at a time; 0 is what suits the kind. Tests make it small, so that it happens often.</summary>
    internal int PreallocationChunkBytes { get; init; }

    /// <summary>Bytes that a segment gets ahead at a time, and the next one has before it begins; 0 without preallocation.</summary>
    public int BlocksAheadBytes => Preallocation == Preallocation.None ? 0 : PreallocationChunkBytes > 0 ? PreallocationChunkBytes : Preallocation == Preallocation.Zeroed ? 8 << 20 : 64 << 20;

    /// <summary>How bytes reach the file.</summary>
    public WritePath WritePath { get; init; }

    /// <summary>Age at which a segment may be deleted; −1 never [retention.ms].</summary>
    public long RetentionMs { get; init; } = 7L * 24 * 3600 * 1000;

    /// <summary>Size of the log above which its oldest segments are deleted; −1 any size [retention.bytes].</summary>
    public long RetentionBytes { get; init; } = -1;

    /// <summary>Time between the renaming and the removal of a deleted segment's files [file.delete.delay.ms].</summary>
    public long FileDeleteDelayMs { get; init; } = 60_000;

    /// <summary>What becomes of old segments [cleanup.policy].</summary>
    public CleanupPolicy CleanupPolicy { get; init; }

    /// <summary>Time that a compacted log keeps a deletion visible [delete.retention.ms].</summary>
    public long DeleteRetentionMs { get; init; } = 24L * 3600 * 1000;

    /// <summary>Most memory that the keys of a compaction take; if they need more, it goes through the log several times [log.cleaner.dedupe.buffer.size].</summary>
    public long CompactionMapBytes { get; init; } = 128 << 20;

    /// <summary>Time without a batch after which a producer is forgotten [producer.id.expiration.ms].</summary>
    public long ProducerIdExpirationMs { get; init; } = 24L * 3600 * 1000;

    /// <summary>Most bytes that a batch may have once decompressed: what a hostile one can make a reader allocate.</summary>
    public int MaxDecompressedBytes { get; init; } = 256 << 20;

    /// <exception cref="ArgumentOutOfRangeException">A value means nothing.</exception>
    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(SegmentBytes, 1024);
        ArgumentOutOfRangeException.ThrowIfNegative(IndexIntervalBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(SegmentIndexBytes, 2 * Index.TimeIndex.EntryBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxBatchBytes, BatchView.HeaderBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(SegmentJitterMs);
        ArgumentOutOfRangeException.ThrowIfLessThan(CompactionMapBytes, 4 * OffsetMap.EntryBytes);
        if (FlushMethod is FlushMethod.DSync or FlushMethod.RwfDSync && FlushPolicy.Kind != FlushKind.Each)
            throw new ArgumentException($"{FlushMethod} makes each write durable, which is the policy each, not {FlushPolicy}");
        if (WritePath == WritePath.IoUring && FlushMethod is not FlushMethod.Fdatasync)
            throw new ArgumentException($"the io_uring path flushes by fdatasync, not by {FlushMethod}");
    }
}
