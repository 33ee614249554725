namespace Bench.SegmentLog.Format;

/// <summary>One record, over the bytes of its batch; nothing is copied.</summary>
public readonly ref struct RecordView
{
    /// <summary>Its timestamp minus the batch's base timestamp.</summary>
    public long TimestampDelta { get; init; }

    /// <summary>Its offset minus the batch's base offset.</summary>
    public int OffsetDelta { get; init; }

    /// <summary>True if there is no key, which is not the same as an empty one.</summary>
    public bool IsKeyNull { get; init; }

    /// <summary>The key.</summary>
    public ReadOnlySpan<byte> Key { get; init; }

    /// <summary>True if there is no value: in a compacted topic the key is deleted.</summary>
    public bool IsValueNull { get; init; }

    /// <summary>The value.</summary>
    public ReadOnlySpan<byte> Value { get; init; }

    /// <summary>Headers.</summary>
    public int HeaderCount { get; init; }

    /// <summary>The headers' bytes, checked; <see cref="HeaderReader"/> goes through them.</summary>
    public ReadOnlySpan<byte> HeaderBytes { get; init; }

    /// <summary>The whole record, length and all.</summary>
    public ReadOnlySpan<byte> Bytes { get; init; }

    /// <summary>Goes through the headers.</summary>
    public HeaderReader Headers => new(HeaderBytes, HeaderCount);
}

/// <summary>Goes through the headers of a record.</summary>
public ref struct HeaderReader
{
    private readonly ReadOnlySpan<byte> bytes;
    private int left;
    private int at;

    internal HeaderReader(ReadOnlySpan<byte> bytes, int count)
    {
        this.bytes = bytes;
        left = count;
    }

    /// <summary>The name, UTF-8.</summary>
    public ReadOnlySpan<byte> Key { get; private set; }

    /// <summary>The value.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>True if there is no value.</summary>
    public bool IsValueNull { get; private set; }

    /// <summary>Goes to the next.</summary>
    public bool Next()
    {
        if (left == 0)
            return false;
        left--;
        Key = RecordReader.Bytes(bytes, ref at, "a header's name", out var noKey);
        if (noKey)
            throw new CorruptLogException("a header has no name");
        Value = RecordReader.Bytes(bytes, ref at, "a header's value", out var noValue);
        IsValueNull = noValue;
        return true;
    }
}

/// <summary>
/// Goes through the records of a batch, uncompressed:
/// <code>
/// varint length of what follows; int8 attributes; varlong timestamp delta; varint offset delta;
/// varint key length (−1 null), key; varint value length (−1 null), value;
/// varint header count; each header: varint name length, name, varint value length (−1 null), value
/// </code>
/// Every length is held against the bytes that are there. Records must fill the bytes exactly.
/// Source: Apache Kafka, <c>DefaultRecord</c>.
/// </summary>
public ref struct RecordReader
{
    private readonly ReadOnlySpan<byte> records;
    private int left;
    private int at;

    /// <summary>A reader over uncompressed records.</summary>
    /// <param name="records">Their bytes.</param>
    /// <param name="count">How many the batch's header says there are.</param>
    public RecordReader(ReadOnlySpan<byte> records, int count)
    {
        // The shortest record has seven bytes.
        if (count < 0 || count > records.Length / 7)
            throw new CorruptLogException($"a batch says it has {count} records in {records.Length} bytes");
        this.records = records;
        left = count;
    }

    /// <summary>The record.</summary>
    public RecordView Current { get; private set; }

    /// <summary>Goes to the next.</summary>
    /// <exception cref="CorruptLogException">It is damaged, or bytes are left after the last.</exception>
    public bool Next()
    {
        if (left == 0)
        {
            if (at != records.Length)
                throw new CorruptLogException($"{records.Length - at} bytes are left after a batch's last record");
            return false;
        }
        left--;
        var start = at;
        var length = Varint.Read32(records, ref at);
        if (length < 0 || length > records.Length - at)
            throw new CorruptLogException($"a record of {length} bytes has {records.Length - at} left");
        var body = records.Slice(at, length);
        at += length;

        var position = 1;
        if (length == 0)
            throw new CorruptLogException("a record is empty");
        var timestampDelta = Varint.Read64(body, ref position);
        var offsetDelta = Varint.Read32(body, ref position);
        var key = Bytes(body, ref position, "a key", out var isKeyNull);
        var value = Bytes(body, ref position, "a value", out var isValueNull);
        var headerCount = Varint.Read32(body, ref position);
        var headers = body[position..];
        if (headerCount < 0 || headerCount > headers.Length / 2)
            throw new CorruptLogException($"a record says it has {headerCount} headers in {headers.Length} bytes");
        if (headerCount == 0 ? headers.Length > 0 : !HeadersFit(headers, headerCount))
            throw new CorruptLogException("bytes are left after a record's last field");
        Current = new RecordView
        {
            TimestampDelta = timestampDelta,
            OffsetDelta = offsetDelta,
            IsKeyNull = isKeyNull,
            Key = key,
            IsValueNull = isValueNull,
            Value = value,
            HeaderCount = headerCount,
            HeaderBytes = headers,
            Bytes = records[start..at],
        };
        return true;
    }

    internal static ReadOnlySpan<byte> Bytes(ReadOnlySpan<byte> from, scoped ref int at, string what, out bool isNull)
    {
        var length = Varint.Read32(from, ref at);
        isNull = length < 0;
        if (length <= 0)
            return default;
        if (length > from.Length - at)
            throw new CorruptLogException($"{what} of {length} bytes has {from.Length - at} left");
        at += length;
        return from.Slice(at - length, length);
    }

    private static bool HeadersFit(ReadOnlySpan<byte> headers, int count)
    {
        var at = 0;
        for (var i = 0; i < count; i++)
        {
            Bytes(headers, ref at, "a header's name", out var noKey);
            if (noKey)
                throw new CorruptLogException("a header has no name");
            Bytes(headers, ref at, "a header's value", out _);
        }
        return at == headers.Length;
    }
}
