namespace Bench.SegmentLog.Format;

/// <summary>How the records of a batch are compressed: bits 0–2 of its attributes (Kafka's <c>CompressionType</c>).</summary>
public enum Compression : byte
{
    /// <summary>Not at all.</summary>
    None = 0,

    /// <summary>RFC 1952.</summary>
    Gzip = 1,

    /// <summary>Snappy blocks in the framing of Java's <c>SnappyOutputStream</c>.</summary>
    Snappy = 2,

    /// <summary>The LZ4 frame format.</summary>
    Lz4 = 3,

    /// <summary>RFC 8878.</summary>
    Zstd = 4,
}
