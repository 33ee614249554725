using Bench.SegmentLog.Index;

namespace Bench.SegmentLog;

/// <summary>What was done to one segment.</summary>
/// <param name="BaseOffset">Which.</param>
/// <param name="SizeBefore">Bytes of its log file before.</param>
/// <param name="SizeAfter">Bytes after.</param>
/// <param name="NextOffset">The offset after its last batch.</param>
/// <param name="Reason">Why it was looked through.</param>
/// <param name="Damage">What was wrong where it was cut; empty if it was not.</param>
public sealed record RecoveredSegment(long BaseOffset, long SizeBefore, long SizeAfter, long NextOffset, string Reason, string Damage)
{
    /// <summary>Bytes that were cut off.</summary>
    public long BytesTruncated => SizeBefore - SizeAfter;
}

/// <summary>What the opening of a log found and did.</summary>
public sealed record RecoveryReport
{
    /// <summary>Whether the last stop was taken for a clean one.</summary>
    public required bool CleanStop { get; init; }

    /// <summary>The offset after the last record.</summary>
    public required long LogEndOffset { get; init; }

    /// <summary>The offset up to which all is durable, as far as it is known.</summary>
    public required long RecoveryPoint { get; init; }

    /// <summary>The base offsets of the segments.</summary>
    public required IReadOnlyList<long> Segments { get; init; }

    /// <summary>Producers that are known.</summary>
    public required int ActiveProducers { get; init; }

    /// <summary>First offset of an open transaction, or of one that ended in the part that was read again; −1 none.</summary>
    public required long FirstUnstableOffset { get; init; }

    /// <summary>The leader epochs.</summary>
    public required IReadOnlyList<EpochEntry> Epochs { get; init; }

    /// <summary>The segments whose batches were all checked.</summary>
    public required IReadOnlyList<RecoveredSegment> Recovered { get; init; }

    /// <summary>Base offsets of whole segments that were removed because one before them was cut.</summary>
    public required IReadOnlyList<long> Removed { get; init; }

    /// <summary>What else was mended, one sentence each.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>Bytes of log that were checked.</summary>
    public long BytesChecked => Recovered.Sum(segment => segment.SizeBefore);

    /// <summary>Bytes of log that were cut off; removed segments are not counted.</summary>
    public long BytesTruncated => Recovered.Sum(segment => segment.BytesTruncated);
}
