using System.Buffers.Binary;
using Bench.SegmentLog.Format;

namespace Bench.SegmentLog.Producers;

/// <summary>
/// The file <c>&lt;offset&gt;.snapshot</c>: what was known of the producers when the log ended at that offset.
/// <code>
/// 0 int16 version = 1, 2 uint32 CRC-32C of [6, end), 6 int32 count, then 46 bytes each:
/// int64 producer id, int16 epoch, int32 last sequence, int64 last offset, int32 offset delta, int64 timestamp,
/// int32 coordinator epoch, int64 first offset of the open transaction (−1 none)
/// </code>
/// The order of the entries means nothing. Source: Apache Kafka, <c>ProducerStateManager</c>.
/// </summary>
internal static class ProducerSnapshot
{
    internal const string Suffix = ".snapshot";
    internal const int MostBytes = 512 << 20;

    private const int HeaderBytes = 10;
    private const int CheckedFrom = 6;
    private const int EntryBytes = 46;

    internal static byte[] ToBytes(IReadOnlyCollection<ProducerEntry> producers)
    {
        var bytes = new byte[HeaderBytes + producers.Count * EntryBytes];
        BinaryPrimitives.WriteInt16BigEndian(bytes, 1);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(CheckedFrom), producers.Count);
        var at = HeaderBytes;
        foreach (var producer in producers)
        {
            var to = bytes.AsSpan(at, EntryBytes);
            at += EntryBytes;
            var last = producer.LastBatch;
            BinaryPrimitives.WriteInt64BigEndian(to, producer.ProducerId);
            BinaryPrimitives.WriteInt16BigEndian(to[8..], producer.Epoch);
            BinaryPrimitives.WriteInt32BigEndian(to[10..], last?.LastSequence ?? -1);
            BinaryPrimitives.WriteInt64BigEndian(to[14..], last?.LastOffset ?? -1);
            BinaryPrimitives.WriteInt32BigEndian(to[22..], last?.OffsetDelta ?? 0);
            BinaryPrimitives.WriteInt64BigEndian(to[26..], producer.LastTimestamp);
            BinaryPrimitives.WriteInt32BigEndian(to[34..], producer.CoordinatorEpoch);
            BinaryPrimitives.WriteInt64BigEndian(to[38..], producer.TransactionFirstOffset);
        }
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(2), Crc32C.Compute(bytes.AsSpan(CheckedFrom)));
        return bytes;
    }

    /// <exception cref="CorruptLogException">The bytes are no snapshot.</exception>
    internal static List<ProducerEntry> Parse(ReadOnlySpan<byte> bytes, string path)
    {
        if (bytes.Length < HeaderBytes)
            throw new CorruptLogException(path, 0, $"a snapshot of {bytes.Length} bytes");
        if (BinaryPrimitives.ReadInt16BigEndian(bytes) is var version and not 1)
            throw new CorruptLogException(path, 0, $"a snapshot of version {version}; only 1 is known");
        var count = BinaryPrimitives.ReadInt32BigEndian(bytes[CheckedFrom..]);
        if (count < 0 || HeaderBytes + (long)count * EntryBytes > bytes.Length)
            throw new CorruptLogException(path, CheckedFrom, $"{count} producers in {bytes.Length} bytes");
        if (BinaryPrimitives.ReadUInt32BigEndian(bytes[2..]) != Crc32C.Compute(bytes[CheckedFrom..]))
            throw new CorruptLogException(path, 2, "the checksum of the snapshot is wrong");
        var producers = new List<ProducerEntry>(count);
        for (var i = 0; i < count; i++)
        {
            var from = bytes.Slice(HeaderBytes + i * EntryBytes, EntryBytes);
            var producer = new ProducerEntry(BinaryPrimitives.ReadInt64BigEndian(from)) { Epoch = BinaryPrimitives.ReadInt16BigEndian(from[8..]) };
            var timestamp = BinaryPrimitives.ReadInt64BigEndian(from[26..]);
            if (BinaryPrimitives.ReadInt64BigEndian(from[14..]) is var lastOffset and >= 0)
                producer.Add(new ProducedBatch(BinaryPrimitives.ReadInt32BigEndian(from[10..]), lastOffset, BinaryPrimitives.ReadInt32BigEndian(from[22..]), timestamp));
            producer.LastTimestamp = timestamp;
            producer.CoordinatorEpoch = BinaryPrimitives.ReadInt32BigEndian(from[34..]);
            var transaction = BinaryPrimitives.ReadInt64BigEndian(from[38..]);
            producer.TransactionFirstOffset = transaction >= 0 ? transaction : -1;
            producers.Add(producer);
        }
        return producers;
    }
}
