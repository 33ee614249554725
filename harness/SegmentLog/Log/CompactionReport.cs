namespace Bench.SegmentLog;

/// <summary>What a compaction did.</summary>
public sealed record CompactionReport
{
    /// <summary>The offset before which the log was cleaned; all before it is the latest of its key.</summary>
    public long CleanedTo { get; internal set; }

    /// <summary>Times that it was gone through: more than once if its keys do not fit the memory that they may take.</summary>
    public int Passes { get; internal set; }

    /// <summary>Bytes of the segments that were cleaned, before.</summary>
    public long BytesBefore { get; internal set; }

    /// <summary>Bytes of the segments that took their place.</summary>
    public long BytesAfter { get; internal set; }

    /// <summary>Segments before.</summary>
    public int SegmentsBefore { get; internal set; }

    /// <summary>Segments after.</summary>
    public int SegmentsAfter { get; internal set; }

    /// <summary>Records that are left; markers count.</summary>
    public long RecordsKept { get; internal set; }

    /// <summary>Records that went.</summary>
    public long RecordsDropped { get; internal set; }

    /// <summary>False if it was given up because the log was closed or cut meanwhile; the log is sound, and some of it may be cleaned.</summary>
    public bool IsComplete { get; internal set; }
}
