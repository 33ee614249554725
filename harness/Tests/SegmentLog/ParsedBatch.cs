using System.Buffers.Binary;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>The bytes are no sound log: what a check of a folder throws.</summary>
public sealed class UnsoundException(string message) : Exception(message);

/// <summary>A record; its offset counts from its batch's.</summary>
internal readonly record struct ParsedRecord(int OffsetDelta, long Timestamp, byte[]? Key, byte[]? Value);

/// <summary>
/// A batch, read anew from the format's description and not with the engine's code, so that a mistake there is not made
/// here as well. Uncompressed batches alone.
/// </summary>
internal sealed record ParsedBatch
{
    public const int HeaderBytes = 61;

    private static readonly uint[] CrcTable = MakeCrcTable();

    public required byte[] Bytes { get; init; }

    public required ParsedRecord[] Records { get; init; }

    /// <summary>0 abort, 1 commit, −1 no marker.</summary>
    public required int Marker { get; init; }

    public required int CoordinatorEpoch { get; init; }

    /// <summary>Which append it came with: an index has one entry at most for each.</summary>
    public long Append { get; init; } = -1;

    public long BaseOffset => BinaryPrimitives.ReadInt64BigEndian(Bytes);

    public int LeaderEpoch => BinaryPrimitives.ReadInt32BigEndian(Bytes.AsSpan(12));

    public int Attributes => BinaryPrimitives.ReadInt16BigEndian(Bytes.AsSpan(21));

    public int LastOffsetDelta => BinaryPrimitives.ReadInt32BigEndian(Bytes.AsSpan(23));

    public long LastOffset => BaseOffset + LastOffsetDelta;

    public long MaxTimestamp => BinaryPrimitives.ReadInt64BigEndian(Bytes.AsSpan(35));

    public long ProducerId => BinaryPrimitives.ReadInt64BigEndian(Bytes.AsSpan(43));

    public short ProducerEpoch => BinaryPrimitives.ReadInt16BigEndian(Bytes.AsSpan(51));

    public int BaseSequence => BinaryPrimitives.ReadInt32BigEndian(Bytes.AsSpan(53));

    public int LastSequence => (int)((BaseSequence + (long)LastOffsetDelta) & int.MaxValue);

    public bool IsTransactional => (Attributes & 0x10) != 0;

    public bool IsControl => (Attributes & 0x20) != 0;

    public long BaseTimestamp => BinaryPrimitives.ReadInt64BigEndian(Bytes.AsSpan(27));

    /// <summary>When a compaction may drop its deletions, or the marker that it is; null none.</summary>
    public long? DeleteHorizonMs => (Attributes & 0x40) != 0 ? BaseTimestamp : null;

    public override string ToString() => FormattableString.Invariant(
        $"[{BaseOffset}..{LastOffset}] {Bytes.Length} B, producer {ProducerId}/{ProducerEpoch} from {BaseSequence}, {(Marker == 0 ? "abort" : Marker == 1 ? "commit" : IsTransactional ? "transactional" : "plain")}");

    /// <summary>Reads one batch from the start of bytes, every field checked.</summary>
    public static ParsedBatch Parse(ReadOnlySpan<byte> from, string where)
    {
        if (from.Length < HeaderBytes)
            throw new UnsoundException($"{where}: {from.Length} bytes are no batch");
        var size = 12 + BinaryPrimitives.ReadInt32BigEndian(from[8..]);
        if (size < HeaderBytes || size > from.Length)
            throw new UnsoundException($"{where}: a batch of {size} bytes, and there are {from.Length}");
        var bytes = from[..size];
        if (bytes[16] != 2)
            throw new UnsoundException($"{where}: magic {bytes[16]}");
        var crc = Crc(bytes[21..]);
        if (crc != BinaryPrimitives.ReadUInt32BigEndian(bytes[17..]))
            throw new UnsoundException($"{where}: the checksum is wrong");
        var count = BinaryPrimitives.ReadInt32BigEndian(bytes[57..]);
        var attributes = BinaryPrimitives.ReadInt16BigEndian(bytes[21..]);
        var baseTimestamp = BinaryPrimitives.ReadInt64BigEndian(bytes[27..]);
        var maxTimestamp = BinaryPrimitives.ReadInt64BigEndian(bytes[35..]);
        var isAppendTime = (attributes & 0x08) != 0;
        if ((attributes & 7) != 0)
            throw new UnsoundException($"{where}: the model's batches are not compressed");
        var records = new ParsedRecord[count];
        var (marker, coordinatorEpoch, at, lastDelta) = (-1, -1, HeaderBytes, -1);
        for (var i = 0; i < count; i++)
        {
            var length = Varint(bytes, ref at);
            var end = at + length;
            at++;
            var timestampDelta = Varint(bytes, ref at);
            var delta = Varint(bytes, ref at);
            if (delta <= lastDelta)
                throw new UnsoundException($"{where}: record {i} has offset {delta}, after {lastDelta}");
            lastDelta = delta;
            var key = Field(bytes, ref at);
            var value = Field(bytes, ref at);
            records[i] = new ParsedRecord(delta, isAppendTime ? maxTimestamp : baseTimestamp + timestampDelta, key, value);
            if (Varint(bytes, ref at) != 0 || at != end)
                throw new UnsoundException($"{where}: record {i} does not end where it says");
            if ((attributes & 0x20) != 0)
            {
                marker = BinaryPrimitives.ReadInt16BigEndian(key.AsSpan(2));
                coordinatorEpoch = BinaryPrimitives.ReadInt32BigEndian(value.AsSpan(2));
            }
        }
        if (at != size || lastDelta > BinaryPrimitives.ReadInt32BigEndian(bytes[23..]))
            throw new UnsoundException($"{where}: the records do not fill the batch");
        return new ParsedBatch { Bytes = bytes.ToArray(), Records = records, Marker = marker, CoordinatorEpoch = coordinatorEpoch };
    }

    /// <summary>All batches of a file, which has nothing else.</summary>
    public static List<ParsedBatch> ParseAll(ReadOnlySpan<byte> from, string where, long append = -1)
    {
        var found = new List<ParsedBatch>();
        for (var at = 0; at < from.Length; at += found[^1].Bytes.Length)
            found.Add(Parse(from[at..], FormattableString.Invariant($"{where} at byte {at}")) with { Append = append });
        return found;
    }

    /// <summary>The batch as a leader stores it.</summary>
    public static byte[] Assigned(ReadOnlySpan<byte> from, long baseOffset, int leaderEpoch, long? appendTime)
    {
        var bytes = from.ToArray();
        BinaryPrimitives.WriteInt64BigEndian(bytes, baseOffset);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(12), leaderEpoch);
        if (appendTime is { } time)
        {
            bytes[22] |= 0x08;
            BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(35), time);
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(17), Crc(bytes.AsSpan(21)));
        }
        return bytes;
    }

    /// <summary>The marker that ends a transaction: 78 bytes.</summary>
    public static byte[] MakeMarker(long producerId, short producerEpoch, int type, int coordinatorEpoch, long timestampMs)
    {
        var bytes = new byte[78];
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(8), 66);
        bytes[16] = 2;
        bytes[22] = 0x30;
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(27), timestampMs);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(35), timestampMs);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(43), producerId);
        BinaryPrimitives.WriteInt16BigEndian(bytes.AsSpan(51), producerEpoch);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(53), -1);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(57), 1);
        // Zigzag: 32 = length 16, 0 attributes, deltas 0, 8 = key of 4, 12 = value of 6, no headers.
        ReadOnlySpan<byte> record = [32, 0, 0, 0, 8, 0, 0, 0, (byte)type, 12, 0, 0, 0, 0, 0, 0, 0];
        record.CopyTo(bytes.AsSpan(61));
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(61 + 12), coordinatorEpoch);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(17), Crc(bytes.AsSpan(21)));
        return bytes;
    }

    public static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var one in bytes)
            crc = CrcTable[(byte)(crc ^ one)] ^ (crc >> 8);
        return ~crc;
    }

    private static byte[]? Field(ReadOnlySpan<byte> from, ref int at)
    {
        var length = Varint(from, ref at);
        if (length < 0)
            return null;
        at += length;
        return from.Slice(at - length, length).ToArray();
    }

    private static int Varint(ReadOnlySpan<byte> from, ref int at)
    {
        uint value = 0;
        for (var shift = 0; ; shift += 7)
        {
            value |= (uint)(from[at] & 0x7F) << shift;
            if (from[at++] < 0x80)
                return (int)(value >> 1) ^ -(int)(value & 1);
        }
    }

    private static uint[] MakeCrcTable()
    {
        var table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++)
                value = (value & 1) != 0 ? (value >> 1) ^ 0x82F63B78 : value >> 1;
            table[i] = value;
        }
        return table;
    }
}
