using System.Buffers.Binary;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog.Index;

/// <summary>A timestamp and an offset up to which none is larger.</summary>
/// <param name="Timestamp">Milliseconds since 1970; −1 none.</param>
/// <param name="Offset">The last offset of the earliest batch with that timestamp.</param>
public readonly record struct TimestampOffset(long Timestamp, long Offset);

/// <summary>
/// The sparse time index of a segment. File: entries of twelve bytes, <c>int64 timestamp, int32 offset − base offset</c>;
/// timestamps increase strictly, offsets do not fall. Kept in memory as <see cref="OffsetIndex"/> is, for the same reason.
/// Source: Apache Kafka, <c>TimeIndex</c>.
/// </summary>
public sealed class TimeIndex
{
    /// <summary>Bytes of an entry.</summary>
    public const int EntryBytes = 12;

    private readonly long baseOffset;
    private readonly int maxEntries;
    private readonly PublishedList<Entry> entries;

    internal TimeIndex(long baseOffset, int maxIndexBytes)
        : this(baseOffset, maxIndexBytes, [])
    {
    }

    private TimeIndex(long baseOffset, int maxIndexBytes, Entry[] entries)
    {
        this.baseOffset = baseOffset;
        maxEntries = maxIndexBytes / EntryBytes;
        this.entries = new PublishedList<Entry>(entries);
    }

    /// <summary>Entries.</summary>
    public int Count => entries.Count;

    /// <summary>True if the segment has to be rolled: the last slot is kept for the entry that completes a segment.</summary>
    internal bool IsFull => entries.Count >= maxEntries - 1;

    /// <summary>The last entry; none is −1 at the base offset.</summary>
    internal TimestampOffset Last => entries.Items is [.., var last] ? Resolve(last) : new(-1, baseOffset);

    /// <summary>The entry at a place.</summary>
    public TimestampOffset this[int at] => Resolve(entries.Items[at]);

    /// <summary>The last entry whose timestamp is at or before one; −1 at the base offset if there is none.</summary>
    public TimestampOffset Lookup(long timestamp)
    {
        var found = entries.Items;
        int low = 0, high = found.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            if (found[middle].Timestamp <= timestamp)
                low = middle + 1;
            else
                high = middle - 1;
        }
        return high < 0 ? new TimestampOffset(-1, baseOffset) : Resolve(found[high]);
    }

    /// <summary>Adds an entry if its timestamp is larger than the last.</summary>
    /// <param name="entry">The largest timestamp so far and where it is.</param>
    /// <param name="completes">The segment is complete: the slot that is kept may be used.</param>
    internal void Add(TimestampOffset entry, bool completes)
    {
        if (entry.Timestamp > Last.Timestamp && (entries.Count == 0 || entry.Offset >= Last.Offset) && entries.Count < (completes ? maxEntries : maxEntries - 1))
            entries.Add(new Entry(entry.Timestamp, (int)(entry.Offset - baseOffset)));
    }

    /// <summary>Takes off the entries from an offset on.</summary>
    internal void TruncateTo(long offset)
    {
        var keep = 0;
        foreach (var entry in entries.Items)
        {
            if (baseOffset + entry.RelativeOffset >= offset)
                break;
            keep++;
        }
        entries.Truncate(keep);
    }

    /// <summary>The file's content.</summary>
    internal byte[] ToBytes()
    {
        var from = entries.Items;
        var bytes = GC.AllocateUninitializedArray<byte>(from.Length * EntryBytes);
        for (var i = 0; i < from.Length; i++)
        {
            BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(i * EntryBytes), from[i].Timestamp);
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(i * EntryBytes + 8), from[i].RelativeOffset);
        }
        return bytes;
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="CorruptLogException">Its length is no multiple of an entry's, or its entries do not increase.</exception>
    internal static TimeIndex Load(IStorage storage, string path, long baseOffset, int maxIndexBytes, long logBytes)
    {
        var bytes = SmallFile.Read(storage, path, Math.Max(maxIndexBytes, logBytes / BatchView.HeaderBytes * EntryBytes + 2 * EntryBytes));
        if (bytes.Length % EntryBytes != 0)
            throw new CorruptLogException(path, bytes.Length, $"{bytes.Length} bytes are no multiple of {EntryBytes}");
        var entries = new Entry[bytes.Length / EntryBytes];
        var before = new Entry(long.MinValue, 0);
        for (var i = 0; i < entries.Length; i++)
        {
            var entry = entries[i] = new Entry(
                BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(i * EntryBytes)), BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(i * EntryBytes + 8)));
            if (entry.Timestamp <= before.Timestamp || entry.RelativeOffset < before.RelativeOffset)
                throw new CorruptLogException(path, (long)i * EntryBytes, "entries do not increase");
            before = entry;
        }
        return new TimeIndex(baseOffset, maxIndexBytes, entries);
    }

    private TimestampOffset Resolve(Entry entry) => new(entry.Timestamp, baseOffset + entry.RelativeOffset);

    private readonly record struct Entry(long Timestamp, int RelativeOffset);
}
