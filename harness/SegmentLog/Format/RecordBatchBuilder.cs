using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Bench.SegmentLog.Format;

/// <summary>Which parts of a record are null rather than empty.</summary>
[Flags]
public enum NullParts
{
    /// <summary>Neither.</summary>
    None = 0,

    /// <summary>There is no key.</summary>
    Key = 1,

    /// <summary>There is no value.</summary>
    Value = 2,
}

/// <summary>A header of a record.</summary>
/// <param name="Name">UTF-8.</param>
/// <param name="Value">Null is not the same as empty.</param>
public readonly record struct RecordHeader(ReadOnlyMemory<byte> Name, ReadOnlyMemory<byte>? Value);

/// <summary>What a batch's header says besides what its records decide.</summary>
public readonly record struct BatchSettings
{
    /// <summary>Settings of a plain batch.</summary>
    public BatchSettings()
    {
    }

    /// <summary>Of the first record; a leader sets its own.</summary>
    public long BaseOffset { get; init; }

    /// <summary>Epoch of the leader; −1 unknown.</summary>
    public int LeaderEpoch { get; init; } = -1;

    /// <summary>How the records are compressed.</summary>
    public Compression Compression { get; init; }

    /// <summary>The codec's level; 0 is its default.</summary>
    public int CompressionLevel { get; init; }

    /// <summary>The broker's time for all records; null if each has its own.</summary>
    public long? LogAppendTimeMs { get; init; }

    /// <summary>Producer; −1 none.</summary>
    public long ProducerId { get; init; } = -1;

    /// <summary>Its epoch.</summary>
    public short ProducerEpoch { get; init; } = -1;

    /// <summary>Sequence number of the first record.</summary>
    public int BaseSequence { get; init; } = -1;

    /// <summary>Part of a transaction.</summary>
    public bool IsTransactional { get; init; }

    /// <summary>A marker.</summary>
    public bool IsControl { get; init; }
}

/// <summary>
/// Builds batches into one buffer that is used again and again: nothing is allocated per record or per batch, except
/// by the codecs. Kafka's builder writes through a stream of streams and pays 25 to 60 % of its append for it.
/// </summary>
public sealed class RecordBatchBuilder
{
    // Length, attributes, timestamp, offset, two lengths, header count.
    private const int MostFieldBytes = 5 * Varint.MaxBytes32 + Varint.MaxBytes64 + 1;

    private readonly ArrayBufferWriter<byte> compressed = new();
    private byte[] buffer;
    private BatchSettings settings;
    private int length;
    private int count;
    private int lastDelta;
    private long baseTimestamp;
    private long maxTimestamp;

    /// <summary>A builder with room for so many bytes; it grows when more are appended.</summary>
    public RecordBatchBuilder(int capacityBytes = 64 << 10)
    {
        buffer = GC.AllocateUninitializedArray<byte>(Math.Max(capacityBytes, BatchView.HeaderBytes), pinned: true);
        Begin(new BatchSettings());
    }

    /// <summary>Bytes so far, uncompressed, with the header.</summary>
    public int SizeBytes => length;

    /// <summary>Records so far.</summary>
    public int Count => count;

    /// <summary>Starts a new batch.</summary>
    public void Begin(BatchSettings newSettings)
    {
        settings = newSettings;
        length = BatchView.HeaderBytes;
        count = 0;
        lastDelta = -1;
        baseTimestamp = maxTimestamp = -1;
    }

    /// <summary>Bytes that a record would add, to know whether a batch of a certain size is full.</summary>
    public static int SizeOf(long timestampDelta, int offsetDelta, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, NullParts nulls = NullParts.None)
    {
        var body = 1 + Varint.SizeOf(timestampDelta) + Varint.SizeOf(offsetDelta)
            + Varint.SizeOf((nulls & NullParts.Key) != 0 ? -1 : key.Length) + key.Length
            + Varint.SizeOf((nulls & NullParts.Value) != 0 ? -1 : value.Length) + value.Length + 1;
        return Varint.SizeOf(body) + body;
    }

    /// <summary>Appends a record with the next offset.</summary>
    /// <param name="timestampMs">Milliseconds since 1970.</param>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="nulls">Which of the two are null.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(long timestampMs, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, NullParts nulls = NullParts.None) =>
        Append(lastDelta + 1, timestampMs, key, value, nulls, default);

    /// <summary>Appends a record with any later offset and headers.</summary>
    /// <param name="offsetDelta">Offset minus the batch's base offset; larger than the last.</param>
    /// <param name="timestampMs">Milliseconds since 1970.</param>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="nulls">Which of the two are null.</param>
    /// <param name="headers">Headers.</param>
    public void Append(int offsetDelta, long timestampMs, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, NullParts nulls, ReadOnlySpan<RecordHeader> headers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(offsetDelta, lastDelta);
        if (count == 0)
            baseTimestamp = timestampMs;
        var timestampDelta = timestampMs - baseTimestamp;
        var isKeyNull = (nulls & NullParts.Key) != 0;
        var isValueNull = (nulls & NullParts.Value) != 0;
        var headerBytes = headers.IsEmpty ? 0 : SizeOf(headers);
        var body = 1 + Varint.SizeOf(timestampDelta) + Varint.SizeOf(offsetDelta)
            + Varint.SizeOf(isKeyNull ? -1 : key.Length) + key.Length
            + Varint.SizeOf(isValueNull ? -1 : value.Length) + value.Length
            + Varint.SizeOf(headers.Length) + headerBytes;
        Reserve(body + MostFieldBytes);

        ref var start = ref MemoryMarshal.GetArrayDataReference(buffer);
        ref var to = ref Unsafe.Add(ref start, length);
        to = ref Varint.Write(ref to, body);
        to = 0;
        to = ref Unsafe.Add(ref to, 1);
        to = ref Varint.Write(ref to, timestampDelta);
        to = ref Varint.Write(ref to, offsetDelta);
        to = ref WriteBytes(ref to, key, isKeyNull);
        to = ref WriteBytes(ref to, value, isValueNull);
        to = ref Varint.Write(ref to, headers.Length);
        foreach (ref readonly var header in headers)
        {
            to = ref WriteBytes(ref to, header.Name.Span, isNull: false);
            to = ref WriteBytes(ref to, header.Value.GetValueOrDefault().Span, header.Value is null);
        }
        length = (int)Unsafe.ByteOffset(ref start, ref to);
        count++;
        lastDelta = offsetDelta;
        maxTimestamp = Math.Max(maxTimestamp, timestampMs);
    }

    /// <summary>Completes the batch.</summary>
    /// <returns>Its bytes, in memory that the next <see cref="Begin"/> takes over; they may be patched in place by an append.</returns>
    public Span<byte> Build()
    {
        var batch = settings.Compression == Compression.None ? buffer.AsSpan(0, length) : Compress();
        var attributes = (int)settings.Compression
            | (settings.LogAppendTimeMs is null ? 0 : BatchView.LogAppendTimeBit)
            | (settings.IsTransactional ? BatchView.TransactionalBit : 0)
            | (settings.IsControl ? BatchView.ControlBit : 0);
        BinaryPrimitives.WriteInt64BigEndian(batch, settings.BaseOffset);
        BinaryPrimitives.WriteInt32BigEndian(batch[BatchView.LengthAt..], batch.Length - BatchView.OverheadBytes);
        BinaryPrimitives.WriteInt32BigEndian(batch[BatchView.LeaderEpochAt..], settings.LeaderEpoch);
        batch[BatchView.MagicAt] = BatchView.CurrentMagic;
        BinaryPrimitives.WriteInt16BigEndian(batch[BatchView.AttributesAt..], (short)attributes);
        BinaryPrimitives.WriteInt32BigEndian(batch[BatchView.LastOffsetDeltaAt..], lastDelta);
        BinaryPrimitives.WriteInt64BigEndian(batch[BatchView.BaseTimestampAt..], baseTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(batch[BatchView.MaxTimestampAt..], settings.LogAppendTimeMs ?? maxTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(batch[BatchView.ProducerIdAt..], settings.ProducerId);
        BinaryPrimitives.WriteInt16BigEndian(batch[BatchView.ProducerEpochAt..], settings.ProducerEpoch);
        BinaryPrimitives.WriteInt32BigEndian(batch[BatchView.BaseSequenceAt..], settings.BaseSequence);
        BinaryPrimitives.WriteInt32BigEndian(batch[BatchView.RecordCountAt..], count);
        BinaryPrimitives.WriteUInt32BigEndian(batch[BatchView.CrcAt..], Crc32C.Compute(batch[BatchView.AttributesAt..]));
        return batch;
    }

    private Span<byte> Compress()
    {
        compressed.ResetWrittenCount();
        compressed.GetSpan(BatchView.HeaderBytes)[..BatchView.HeaderBytes].Clear();
        compressed.Advance(BatchView.HeaderBytes);
        RecordCompression.Compress(settings.Compression, buffer.AsSpan(BatchView.HeaderBytes, length - BatchView.HeaderBytes), compressed,
            settings.CompressionLevel == 0 ? RecordCompression.DefaultLevel(settings.Compression) : settings.CompressionLevel);
        // The writer's memory is an array of its own, and nobody else holds it.
        return MemoryMarshal.AsMemory(compressed.WrittenMemory).Span;
    }

    private void Reserve(int more)
    {
        if (more > buffer.Length - length)
        {
            var larger = GC.AllocateUninitializedArray<byte>((int)Math.Min(Array.MaxLength, Math.Max((long)buffer.Length * 2, (long)length + more)), pinned: true);
            buffer.AsSpan(0, length).CopyTo(larger);
            buffer = larger;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref byte WriteBytes(ref byte to, ReadOnlySpan<byte> bytes, bool isNull)
    {
        to = ref Varint.Write(ref to, isNull ? -1 : bytes.Length);
        Unsafe.CopyBlockUnaligned(ref to, ref MemoryMarshal.GetReference(bytes), (uint)bytes.Length);
        return ref Unsafe.Add(ref to, bytes.Length);
    }

    private static int SizeOf(ReadOnlySpan<RecordHeader> headers)
    {
        var bytes = 0;
        foreach (ref readonly var header in headers)
        {
            var value = header.Value.GetValueOrDefault();
            bytes += Varint.SizeOf(header.Name.Length) + header.Name.Length + Varint.SizeOf(header.Value is null ? -1 : value.Length) + value.Length;
        }
        return bytes;
    }
}
