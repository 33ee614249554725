using System.Buffers;
using System.Buffers.Binary;

namespace Bench.SegmentLog.Format;

/// <summary>
/// Writes a batch again with some of its records: offsets, producer, sequence numbers, and the last offset stay, so that
/// nothing but gaps tells of those that went. Source: Apache Kafka, <c>MemoryRecords.buildRetainedRecordsInto</c>.
/// </summary>
internal sealed class BatchRewriter : IDisposable
{
    private readonly RecordBuffer records = new();
    private readonly RecordBuffer batch = new();
    private readonly byte[] header = new byte[BatchView.HeaderBytes];
    private long baseTimestamp;
    private long maxTimestamp;
    private int count;

    /// <summary>Starts a batch.</summary>
    internal void Begin()
    {
        records.Clear();
        maxTimestamp = baseTimestamp = -1;
        count = 0;
    }

    /// <summary>Takes over a record of a batch.</summary>
    /// <param name="original">The batch.</param>
    /// <param name="record">Its record.</param>
    /// <param name="deleteHorizonMs">The delete horizon that the new batch will have, which timestamps then count from.</param>
    internal void Add(BatchView original, RecordView record, long? deleteHorizonMs)
    {
        var timestamp = original.TimestampType == TimestampType.LogAppendTime ? original.MaxTimestamp : original.BaseTimestamp + record.TimestampDelta;
        if (count == 0)
            baseTimestamp = deleteHorizonMs ?? timestamp;
        count++;
        maxTimestamp = Math.Max(maxTimestamp, timestamp);
        if (timestamp - baseTimestamp == record.TimestampDelta)
        {
            records.Write(record.Bytes);
            return;
        }
        // Length, attributes and time are written again; all from the offset delta on is as it was.
        var at = 0;
        Varint.Read32(record.Bytes, ref at);
        var attributes = record.Bytes[at++];
        Varint.Read64(record.Bytes, ref at);
        var rest = record.Bytes[at..];
        var length = 1 + Varint.SizeOf(timestamp - baseTimestamp) + rest.Length;
        var room = records.GetSpan(Varint.MaxBytes32 + 1 + Varint.MaxBytes64 + rest.Length);
        ref var start = ref room[0];
        ref var to = ref Varint.Write(ref start, length);
        to = attributes;
        to = ref System.Runtime.CompilerServices.Unsafe.Add(ref to, 1);
        to = ref Varint.Write(ref to, timestamp - baseTimestamp);
        var written = (int)System.Runtime.CompilerServices.Unsafe.ByteOffset(ref start, ref to);
        rest.CopyTo(room[written..]);
        records.Advance(written + rest.Length);
    }

    /// <summary>Completes the batch.</summary>
    /// <returns>Its bytes, good until the next.</returns>
    internal ReadOnlySpan<byte> End(BatchView original, long? deleteHorizonMs)
    {
        original.Bytes[..BatchView.HeaderBytes].CopyTo(header);
        var attributes = original.Attributes & ~BatchView.DeleteHorizonBit | (deleteHorizonMs is null ? 0 : BatchView.DeleteHorizonBit);
        var max = original.TimestampType == TimestampType.LogAppendTime ? original.MaxTimestamp : maxTimestamp;
        return Write(original.Compression, attributes, max);
    }

    /// <summary>The header alone: it keeps the last sequence number of a producer, or the last offset of what was cleaned.</summary>
    internal ReadOnlySpan<byte> Empty(BatchView original)
    {
        Begin();
        original.Bytes[..BatchView.HeaderBytes].CopyTo(header);
        return Write(Compression.None, original.Attributes & ~(BatchView.CodecMask | BatchView.DeleteHorizonBit), original.MaxTimestamp);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        records.Dispose();
        batch.Dispose();
    }

    private ReadOnlySpan<byte> Write(Compression codec, int attributes, long max)
    {
        batch.Clear();
        batch.Write(header);
        if (count > 0)
            RecordCompression.Compress(codec, records.WrittenSpan, batch, RecordCompression.DefaultLevel(codec));
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(BatchView.LengthAt), batch.WrittenBytes - BatchView.OverheadBytes);
        BinaryPrimitives.WriteInt16BigEndian(header.AsSpan(BatchView.AttributesAt), (short)attributes);
        BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(BatchView.BaseTimestampAt), baseTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(BatchView.MaxTimestampAt), max);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(BatchView.RecordCountAt), count);
        var crc = Crc32C.Append(Crc32C.Compute(header.AsSpan(BatchView.AttributesAt)), batch.WrittenSpan[BatchView.HeaderBytes..]);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(BatchView.CrcAt), crc);
        header.CopyTo(System.Runtime.InteropServices.MemoryMarshal.AsMemory(batch.WrittenMemory).Span);
        return batch.WrittenSpan;
    }
}
