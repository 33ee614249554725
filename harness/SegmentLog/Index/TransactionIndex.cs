using System.Buffers.Binary;
using Bench.Disk;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog.Index;

/// <summary>A transaction that was aborted.</summary>
/// <param name="ProducerId">Whose.</param>
/// <param name="FirstOffset">Its first record.</param>
/// <param name="LastOffset">Its marker.</param>
/// <param name="LastStableOffset">The last stable offset once it had ended.</param>
public readonly record struct AbortedTransaction(long ProducerId, long FirstOffset, long LastOffset, long LastStableOffset);

/// <summary>
/// The aborted transactions of a segment, in the order of their ends. File: entries of 34 bytes, <c>int16 version 0,
/// int64 producer id, int64 first offset, int64 last offset, int64 last stable offset</c>; it is made at the first abort.
/// Source: Apache Kafka, <c>TransactionIndex</c>, <c>AbortedTxn</c>.
/// </summary>
public sealed class TransactionIndex
{
    /// <summary>Bytes of an entry.</summary>
    public const int EntryBytes = 34;

    private readonly PublishedList<AbortedTransaction> entries;

    internal TransactionIndex(params AbortedTransaction[] entries) => this.entries = new PublishedList<AbortedTransaction>(entries);

    /// <summary>Entries.</summary>
    public int Count => entries.Count;

    /// <summary>The entry at a place.</summary>
    public AbortedTransaction this[int at] => entries.Items[at];

    /// <summary>Adds an entry.</summary>
    internal void Add(AbortedTransaction aborted) => entries.Add(aborted);

    /// <summary>Takes off the entries that end at an offset or later.</summary>
    internal void TruncateTo(long offset)
    {
        var keep = 0;
        foreach (var entry in entries.Items)
        {
            if (entry.LastOffset >= offset)
                break;
            keep++;
        }
        entries.Truncate(keep);
    }

    /// <summary>Takes what a reader of [from, to) has to leave out.</summary>
    /// <returns>True if later segments need not be asked.</returns>
    internal bool Collect(long from, long to, ref List<AbortedTransaction>? into)
    {
        foreach (var entry in entries.Items)
        {
            if (entry.LastOffset >= from && entry.FirstOffset < to)
                (into ??= []).Add(entry);
            if (entry.LastStableOffset >= to)
                return true;
        }
        return false;
    }

    /// <summary>The file's content.</summary>
    internal byte[] ToBytes()
    {
        var from = entries.Items;
        var bytes = new byte[from.Length * EntryBytes];
        for (var i = 0; i < from.Length; i++)
            Write(bytes.AsSpan(i * EntryBytes), from[i]);
        return bytes;
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="CorruptLogException">An entry has another version, or ends before the segment begins, or there are more than there are batches.</exception>
    internal static TransactionIndex Load(IStorage storage, string path, long baseOffset, long logBytes)
    {
        var bytes = SmallFile.Read(storage, path, logBytes / BatchView.HeaderBytes * EntryBytes + EntryBytes);
        // A part of an entry at the end is what a crash leaves of an append to the file; Kafka takes no notice of it either.
        var entries = new AbortedTransaction[bytes.Length / EntryBytes];
        for (var i = 0; i < entries.Length; i++)
        {
            var from = bytes.AsSpan(i * EntryBytes);
            if (BinaryPrimitives.ReadInt16BigEndian(from) is var version and not 0)
                throw new CorruptLogException(path, (long)i * EntryBytes, $"an entry has version {version}, and only 0 is known");
            entries[i] = new AbortedTransaction(
                BinaryPrimitives.ReadInt64BigEndian(from[2..]), BinaryPrimitives.ReadInt64BigEndian(from[10..]),
                BinaryPrimitives.ReadInt64BigEndian(from[18..]), BinaryPrimitives.ReadInt64BigEndian(from[26..]));
            if (entries[i].LastOffset < baseOffset)
                throw new CorruptLogException(path, (long)i * EntryBytes, $"a transaction ends at {entries[i].LastOffset}, before the segment begins");
        }
        return new TransactionIndex(entries);
    }

    private static void Write(Span<byte> to, AbortedTransaction aborted)
    {
        BinaryPrimitives.WriteInt16BigEndian(to, 0);
        BinaryPrimitives.WriteInt64BigEndian(to[2..], aborted.ProducerId);
        BinaryPrimitives.WriteInt64BigEndian(to[10..], aborted.FirstOffset);
        BinaryPrimitives.WriteInt64BigEndian(to[18..], aborted.LastOffset);
        BinaryPrimitives.WriteInt64BigEndian(to[26..], aborted.LastStableOffset);
    }
}
