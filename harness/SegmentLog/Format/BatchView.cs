using System.Buffers.Binary;

namespace Bench.SegmentLog.Format;

/// <summary>Whose clock a batch's timestamps are.</summary>
public enum TimestampType
{
    /// <summary>The producer's, one per record.</summary>
    CreateTime,

    /// <summary>The broker's, one for the whole batch.</summary>
    LogAppendTime,
}

/// <summary>
/// A record batch, magic 2, over its bytes; nothing is copied. Big-endian throughout:
/// <code>
///  0 int64  base offset            21 int16  attributes: bits 0–2 codec, 3 LogAppendTime, 4 transactional,
///  8 int32  length from 12 on                5 control, 6 delete horizon
/// 12 int32  partition leader epoch 23 int32  last offset delta
/// 16 int8   magic = 2              27 int64  base timestamp, or the delete horizon
/// 17 uint32 CRC-32C of [21, end)   35 int64  max timestamp
///                                  43 int64  producer id, 51 int16 its epoch, 53 int32 base sequence
///                                  57 int32  record count, 61 records or one compressed block of them
/// </code>
/// Base offset and leader epoch lie outside the checksum, so a broker can set them without making a new one; for the
/// same reason nothing here can tell a changed offset from a right one.
/// Source: Apache Kafka, <c>DefaultRecordBatch</c>.
/// </summary>
public readonly ref struct BatchView
{
    /// <summary>Bytes before the records.</summary>
    public const int HeaderBytes = 61;

    /// <summary>Bytes of base offset and length, which the length does not count.</summary>
    public const int OverheadBytes = 12;

    /// <summary>Bytes up to and with the magic: the least that tells the format.</summary>
    public const int PrefixBytes = 17;

    /// <summary>The magic of this format.</summary>
    public const byte CurrentMagic = 2;

    internal const int LengthAt = 8;
    internal const int LeaderEpochAt = 12;
    internal const int MagicAt = 16;
    internal const int CrcAt = 17;
    internal const int AttributesAt = 21;
    internal const int LastOffsetDeltaAt = 23;
    internal const int BaseTimestampAt = 27;
    internal const int MaxTimestampAt = 35;
    internal const int ProducerIdAt = 43;
    internal const int ProducerEpochAt = 51;
    internal const int BaseSequenceAt = 53;
    internal const int RecordCountAt = 57;

    internal const int CodecMask = 0x07;
    internal const int LogAppendTimeBit = 0x08;
    internal const int TransactionalBit = 0x10;
    internal const int ControlBit = 0x20;
    internal const int DeleteHorizonBit = 0x40;

    private readonly ReadOnlySpan<byte> bytes;

    /// <summary>A view over at least the header; the records' part needs the whole batch.</summary>
    public BatchView(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes.Length, HeaderBytes);
        this.bytes = bytes;
    }

    /// <summary>Offset of the first record, or of the first that there was before compaction.</summary>
    public long BaseOffset => BinaryPrimitives.ReadInt64BigEndian(bytes);

    /// <summary>Bytes of the whole batch; negative or absurd if damaged.</summary>
    public int SizeBytes => OverheadBytes + BinaryPrimitives.ReadInt32BigEndian(bytes[LengthAt..]);

    /// <summary>Epoch of the leader that wrote it; −1 unknown.</summary>
    public int LeaderEpoch => BinaryPrimitives.ReadInt32BigEndian(bytes[LeaderEpochAt..]);

    /// <summary>The format: 2.</summary>
    public byte Magic => bytes[MagicAt];

    /// <summary>The stored checksum.</summary>
    public uint Crc => BinaryPrimitives.ReadUInt32BigEndian(bytes[CrcAt..]);

    /// <summary>The attributes as they are.</summary>
    public short Attributes => BinaryPrimitives.ReadInt16BigEndian(bytes[AttributesAt..]);

    /// <summary>How the records are compressed; 5 to 7 are none that Kafka knows.</summary>
    public Compression Compression => (Compression)(Attributes & CodecMask);

    /// <summary>Whose clock the timestamps are.</summary>
    public TimestampType TimestampType => (Attributes & LogAppendTimeBit) != 0 ? TimestampType.LogAppendTime : TimestampType.CreateTime;

    /// <summary>Part of a transaction.</summary>
    public bool IsTransactional => (Attributes & TransactionalBit) != 0;

    /// <summary>A marker that ends a transaction, no data.</summary>
    public bool IsControl => (Attributes & ControlBit) != 0;

    /// <summary>Compaction noted when its tombstones may go; the base timestamp is that time.</summary>
    public bool HasDeleteHorizon => (Attributes & DeleteHorizonBit) != 0;

    /// <summary>Last offset minus base offset.</summary>
    public int LastOffsetDelta => BinaryPrimitives.ReadInt32BigEndian(bytes[LastOffsetDeltaAt..]);

    /// <summary>Offset of the last record, or of the last that there was.</summary>
    public long LastOffset => BaseOffset + LastOffsetDelta;

    /// <summary>The offset after it.</summary>
    public long NextOffset => LastOffset + 1;

    /// <summary>What record timestamps are relative to.</summary>
    public long BaseTimestamp => BinaryPrimitives.ReadInt64BigEndian(bytes[BaseTimestampAt..]);

    /// <summary>Largest timestamp, milliseconds since 1970; −1 none.</summary>
    public long MaxTimestamp => BinaryPrimitives.ReadInt64BigEndian(bytes[MaxTimestampAt..]);

    /// <summary>Producer; −1 none.</summary>
    public long ProducerId => BinaryPrimitives.ReadInt64BigEndian(bytes[ProducerIdAt..]);

    /// <summary>Its epoch; −1 none.</summary>
    public short ProducerEpoch => BinaryPrimitives.ReadInt16BigEndian(bytes[ProducerEpochAt..]);

    /// <summary>Sequence number of the first record; −1 none.</summary>
    public int BaseSequence => BinaryPrimitives.ReadInt32BigEndian(bytes[BaseSequenceAt..]);

    /// <summary>Sequence number of the last record; −1 none.</summary>
    public int LastSequence => BaseSequence == -1 ? -1 : AddToSequence(BaseSequence, LastOffsetDelta);

    /// <summary>Records in it; fewer than offsets after compaction.</summary>
    public int RecordCount => BinaryPrimitives.ReadInt32BigEndian(bytes[RecordCountAt..]);

    /// <summary>True if an idempotent producer wrote it.</summary>
    public bool HasProducerId => ProducerId != -1;

    /// <summary>The bytes that the view is over.</summary>
    public ReadOnlySpan<byte> Bytes => bytes;

    /// <summary>The records, compressed or not.</summary>
    public ReadOnlySpan<byte> Payload => bytes[HeaderBytes..SizeBytes];

    /// <summary>The checksum that the bytes have.</summary>
    public uint ComputeCrc() => Crc32C.Compute(bytes[AttributesAt..SizeBytes]);

    /// <summary>Sequence numbers go from 2³¹−1 to 0.</summary>
    internal static int AddToSequence(int sequence, int increment) =>
        sequence > int.MaxValue - increment ? increment - (int.MaxValue - sequence) - 1 : sequence + increment;

    /// <summary>Sets what the broker decides, outside the checksum.</summary>
    internal static void Assign(Span<byte> batch, long baseOffset, int leaderEpoch)
    {
        BinaryPrimitives.WriteInt64BigEndian(batch, baseOffset);
        BinaryPrimitives.WriteInt32BigEndian(batch[LeaderEpochAt..], leaderEpoch);
    }

    /// <summary>Sets the broker's time for the whole batch, which needs a new checksum.</summary>
    internal static void AssignAppendTime(Span<byte> batch, long timestampMs)
    {
        batch[AttributesAt + 1] |= LogAppendTimeBit;
        BinaryPrimitives.WriteInt64BigEndian(batch[MaxTimestampAt..], timestampMs);
        BinaryPrimitives.WriteUInt32BigEndian(batch[CrcAt..], new BatchView(batch).ComputeCrc());
    }
}
