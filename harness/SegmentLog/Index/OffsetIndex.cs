using System.Buffers.Binary;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog.Index;

/// <summary>An offset and the byte in the log file where the batch that holds it, or one before it, begins.</summary>
/// <param name="Offset">Offset.</param>
/// <param name="Position">Byte in the file.</param>
public readonly record struct OffsetPosition(long Offset, int Position);

/// <summary>
/// The sparse offset index of a segment. File: entries of eight bytes, <c>int32 offset − base offset, int32 position</c>,
/// both increasing.
/// <para>
/// Kafka maps the file, ten megabytes ahead, and pays twice: a flush of the log flushes two maps as well (half its
/// time), and a roll has to cut them (2.7 of its 4 ms). Here the index is an array in memory; the file is written when
/// the segment is complete, and an index that is missing or wrong is made again from the log, which it follows from.
/// In memory an entry has the size of its batch too, and the last offset of the one batch between it and the entry before
/// if there is one, because two neighbours then tell most batches' places without a look into the log
/// (<see cref="Around"/>); an index that was read from a file has neither.
/// </para>
/// Source: Apache Kafka, <c>OffsetIndex</c>.
/// </summary>
public sealed class OffsetIndex
{
    /// <summary>Bytes of an entry.</summary>
    public const int EntryBytes = 8;

    private readonly long baseOffset;
    private readonly int maxEntries;
    private readonly PublishedList<Entry> entries;
    // Of the batches since the last entry; below zero where they are not known.
    private int passed;
    private long passedLast;

    internal OffsetIndex(long baseOffset, int maxIndexBytes)
        : this(baseOffset, maxIndexBytes, [])
    {
    }

    private OffsetIndex(long baseOffset, int maxIndexBytes, Entry[] entries)
    {
        this.baseOffset = baseOffset;
        maxEntries = maxIndexBytes / EntryBytes;
        this.entries = new PublishedList<Entry>(entries);
    }

    /// <summary>Entries.</summary>
    public int Count => entries.Count;

    /// <summary>True if the segment has to be rolled.</summary>
    internal bool IsFull => entries.Count >= maxEntries;

    /// <summary>Offset of the last entry; the base offset if there is none.</summary>
    internal long LastOffset => entries.Items is [.., var last] ? baseOffset + last.RelativeOffset : baseOffset;

    /// <summary>The entry at a place.</summary>
    public OffsetPosition this[int at] => Resolve(entries.Items[at]);

    /// <summary>The last entry at or before an offset; the segment's start if there is none.</summary>
    public OffsetPosition Lookup(long offset)
    {
        var found = entries.Items;
        var relative = offset - baseOffset;
        int low = 0, high = found.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            if (found[middle].RelativeOffset <= relative)
                low = middle + 1;
            else
                high = middle - 1;
        }
        return high < 0 ? new OffsetPosition(baseOffset, 0) : Resolve(found[high]);
    }

    /// <summary>What the entries around an offset tell of the first batch whose last offset is at it or after it.</summary>
    internal IndexedPlace Around(long offset)
    {
        var found = entries.Items;
        var relative = offset - baseOffset;
        int low = 0, high = found.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (found[middle].RelativeOffset < relative)
                low = middle + 1;
            else
                high = middle;
        }
        // The batch is behind that of the entry before, and no later than that of the entry from here on.
        var from = low == 0 ? 0 : found[low - 1].Position + found[low - 1].SizeBytes;
        if (low == found.Length)
            return new IndexedPlace(from, null);
        var next = found[low];
        // An offset before the segment has a negative distance: its batch is the first.
        if (next.Between >= 0 && next.Between >= relative)
            return new IndexedPlace(from, new BatchPlace(from, next.Position - from, baseOffset + next.Between));
        if (next.RelativeOffset == relative || (next.Between >= 0 && next.Between < relative))
            from = next.Position;
        return new IndexedPlace(from, next.SizeBytes > 0 && next.Position == from ? new BatchPlace(from, next.SizeBytes, baseOffset + next.RelativeOffset) : null);
    }

    /// <summary>The first entry at or after a position; null if there is none.</summary>
    internal OffsetPosition? FirstFrom(long position)
    {
        var found = entries.Items;
        int low = 0, high = found.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (found[middle].Position < position)
                low = middle + 1;
            else
                high = middle;
        }
        return low == found.Length ? null : Resolve(found[low]);
    }

    /// <summary>Takes note of batches that get no entry.</summary>
    /// <param name="lastOffset">The last one's last offset.</param>
    /// <param name="isOne">Whether it is one batch.</param>
    internal void Pass(long lastOffset, bool isOne)
    {
        passed = passed == 0 && isOne ? 1 : -1;
        passedLast = lastOffset;
    }

    /// <summary>Adds an entry, if the offset is larger than the last and there is room.</summary>
    /// <param name="offset">The batch's last offset.</param>
    /// <param name="position">Where it begins.</param>
    /// <param name="sizeBytes">Its size; 0 where there are several batches up to the offset.</param>
    internal void Add(long offset, int position, int sizeBytes)
    {
        if (IsFull || (entries.Count > 0 && offset <= LastOffset))
        {
            Pass(offset, sizeBytes > 0);
            return;
        }
        entries.Add(new Entry((int)(offset - baseOffset), position, sizeBytes, passed == 1 ? (int)(passedLast - baseOffset) : NoneBetween));
        // Behind several batches it is not known where a next one begins.
        passed = sizeBytes > 0 ? 0 : -1;
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
        passed = -1;
    }

    /// <summary>The file's content.</summary>
    internal byte[] ToBytes()
    {
        var from = entries.Items;
        var bytes = GC.AllocateUninitializedArray<byte>(from.Length * EntryBytes);
        for (var i = 0; i < from.Length; i++)
        {
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(i * EntryBytes), from[i].RelativeOffset);
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(i * EntryBytes + 4), from[i].Position);
        }
        return bytes;
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="CorruptLogException">
    /// Its length is no multiple of an entry's, or its entries do not increase, or one points past the log: the index
    /// of another log, or garbage.
    /// </exception>
    internal static OffsetIndex Load(IStorage storage, string path, long baseOffset, int maxIndexBytes, long logBytes)
    {
        // No more than one entry per batch, whatever the file's length says.
        var bytes = SmallFile.Read(storage, path, Math.Max(maxIndexBytes, logBytes / BatchView.HeaderBytes * EntryBytes + EntryBytes));
        if (bytes.Length % EntryBytes != 0)
            throw new CorruptLogException(path, bytes.Length, $"{bytes.Length} bytes are no multiple of {EntryBytes}");
        var entries = new Entry[bytes.Length / EntryBytes];
        var before = new Entry(-1, -1, 0, NoneBetween);
        for (var i = 0; i < entries.Length; i++)
        {
            var entry = entries[i] = new Entry(
                BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(i * EntryBytes)), BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(i * EntryBytes + 4)), 0, NoneBetween);
            if (entry.RelativeOffset <= before.RelativeOffset || entry.Position <= before.Position)
                throw new CorruptLogException(path, (long)i * EntryBytes, "entries do not increase");
            if (entry.Position >= logBytes)
                throw new CorruptLogException(path, (long)i * EntryBytes, $"an entry points to byte {entry.Position} of a log of {logBytes} bytes");
            before = entry;
        }
        return new OffsetIndex(baseOffset, maxIndexBytes, entries) { passed = -1 };
    }

    private OffsetPosition Resolve(Entry entry) => new(baseOffset + entry.RelativeOffset, entry.Position);

    private const int NoneBetween = -1;

    private readonly record struct Entry(int RelativeOffset, int Position, int SizeBytes, int Between);
}

/// <summary>Where a batch is, as far as an index knows.</summary>
/// <param name="From">It begins here or later.</param>
/// <param name="Exact">The batch, if the index alone tells it.</param>
internal readonly record struct IndexedPlace(long From, BatchPlace? Exact);
