using System.Buffers.Binary;
using Bench.Disk;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Index;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog.Inspect;

/// <summary>The entries of an index file, one after the other, through a small buffer whatever the file's length.</summary>
internal sealed class EntryFile : IDisposable
{
    private const int MostBytesAhead = 16 << 10;
    private readonly IStorageFile? file;
    private readonly byte[] buffer;
    private readonly int entryBytes;
    private long bufferStart;
    private int buffered;

    internal EntryFile(IStorage storage, string path, int entryBytes)
    {
        Path = path;
        this.entryBytes = entryBytes;
        file = storage.Exists(path) ? storage.Open(path, OpenMode.Read) : null;
        LengthBytes = file?.LengthBytes ?? 0;
        buffer = new byte[MostBytesAhead / entryBytes * entryBytes];
        Fill();
    }

    internal string Path { get; }

    internal bool Exists => file is not null;

    internal long LengthBytes { get; }

    /// <summary>Byte of the current entry.</summary>
    internal long Position { get; private set; }

    internal bool HasEntry => Position - bufferStart + entryBytes <= buffered;

    internal ReadOnlySpan<byte> Entry => buffer.AsSpan((int)(Position - bufferStart), entryBytes);

    internal void Next()
    {
        Position += entryBytes;
        if (!HasEntry)
            Fill();
    }

    /// <summary>True if nothing but zeros is left: a file that was made ahead and not cut.</summary>
    internal bool IsRestZero()
    {
        if (file is null)
            return false;
        var piece = new byte[MostBytesAhead];
        var at = Position;
        for (int read; (read = file.Read(piece, at)) > 0; at += read)
            if (piece.AsSpan(0, read).ContainsAnyExcept((byte)0))
                return false;
        return at > Position;
    }

    public void Dispose() => file?.Dispose();

    private void Fill()
    {
        bufferStart = Position;
        buffered = file?.Read(buffer, Position) ?? 0;
    }
}

/// <summary>Holds an offset index against the batches as they come.</summary>
internal sealed class OffsetIndexCheck : IDisposable
{
    private readonly LogVerifier verifier;
    private readonly EntryFile entries;
    private readonly long baseOffset;
    private long pendingOffset = -1;
    private long pendingPosition;
    private long lastOffset = -1;
    private OffsetPosition before;
    private bool ended;

    internal OffsetIndexCheck(LogVerifier verifier, IStorage storage, string path, long baseOffset)
    {
        this.verifier = verifier;
        this.baseOffset = baseOffset;
        entries = new EntryFile(storage, path, OffsetIndex.EntryBytes);
        before = new OffsetPosition(baseOffset - 1, 0);
        if (!entries.Exists)
            verifier.Fault(path, 0, "the offset index is missing");
        else if (entries.LengthBytes % OffsetIndex.EntryBytes != 0)
            verifier.Fault(path, entries.LengthBytes / OffsetIndex.EntryBytes * OffsetIndex.EntryBytes, LogVerifier.Say($"{entries.LengthBytes} bytes are no multiple of {OffsetIndex.EntryBytes}"));
    }

    /// <summary>
    /// An entry points at where an append begins, and has the last offset of the append: of this batch or of a later one.
    /// </summary>
    internal void Batch(long position, BatchView batch)
    {
        while (!ended && TryRead(out var entry) && entry.Position <= position)
        {
            if (pendingOffset >= 0)
                verifier.Fault(entries.Path, pendingPosition, LogVerifier.Say($"no batch ends at offset {pendingOffset}"));
            pendingOffset = -1;
            if (entry.Position < position)
                verifier.Fault(entries.Path, entries.Position, LogVerifier.Say($"an entry points to byte {entry.Position}, where no batch begins"));
            else if (entry.Offset <= lastOffset)
                verifier.Fault(entries.Path, entries.Position, LogVerifier.Say($"an entry says offset {entry.Offset} is at byte {position}, and it is before that"));
            else
                (pendingOffset, pendingPosition) = (entry.Offset, entries.Position);
            before = entry;
            entries.Next();
        }
        lastOffset = batch.LastOffset;
        if (pendingOffset < 0 || lastOffset < pendingOffset)
            return;
        if (lastOffset > pendingOffset)
            verifier.Fault(entries.Path, pendingPosition, LogVerifier.Say($"no batch ends at offset {pendingOffset}"));
        pendingOffset = -1;
    }

    internal void End(long logBytes, bool isWhole)
    {
        // Behind damage nobody knows where batches begin.
        if (!isWhole)
            return;
        if (pendingOffset >= 0)
            verifier.Fault(entries.Path, pendingPosition, LogVerifier.Say($"no batch ends at offset {pendingOffset}"));
        if (!ended && TryRead(out var entry))
            verifier.Fault(entries.Path, entries.Position, LogVerifier.Say($"an entry points to byte {entry.Position} of a log of {logBytes} bytes"));
    }

    public void Dispose() => entries.Dispose();

    private bool TryRead(out OffsetPosition entry)
    {
        entry = default;
        if (!entries.HasEntry)
        {
            ended = true;
            return false;
        }
        entry = new OffsetPosition(baseOffset + BinaryPrimitives.ReadInt32BigEndian(entries.Entry), BinaryPrimitives.ReadInt32BigEndian(entries.Entry[4..]));
        if (entry.Offset > before.Offset && entry.Position > before.Position)
            return true;
        ended = true;
        if (entry.Position == 0 && entry.Offset == baseOffset && entries.IsRestZero())
            verifier.Note(LogVerifier.Say($"{System.IO.Path.GetFileName(entries.Path)} is not cut to its entries: after byte {entries.Position} it is zeros, as a stop that is not clean leaves it"));
        else
            verifier.Fault(entries.Path, entries.Position, LogVerifier.Say($"an entry of offset {entry.Offset} at byte {entry.Position} comes after one of offset {before.Offset} at byte {before.Position}"));
        return false;
    }
}

/// <summary>Holds a time index against the batches as they come.</summary>
internal sealed class TimeIndexCheck : IDisposable
{
    private readonly LogVerifier verifier;
    private readonly EntryFile entries;
    private readonly long baseOffset;
    private TimestampOffset before;
    private long largest = -1;
    private bool ended;

    internal TimeIndexCheck(LogVerifier verifier, IStorage storage, string path, long baseOffset)
    {
        this.verifier = verifier;
        this.baseOffset = baseOffset;
        entries = new EntryFile(storage, path, TimeIndex.EntryBytes);
        before = new TimestampOffset(-1, baseOffset);
        if (!entries.Exists)
            verifier.Fault(path, 0, "the time index is missing");
        else if (entries.LengthBytes % TimeIndex.EntryBytes != 0)
            verifier.Fault(path, entries.LengthBytes / TimeIndex.EntryBytes * TimeIndex.EntryBytes, LogVerifier.Say($"{entries.LengthBytes} bytes are no multiple of {TimeIndex.EntryBytes}"));
    }

    /// <summary>An entry has the largest timestamp up to the batch that holds its offset; which of its offsets depends on the broker's version.</summary>
    internal void Batch(BatchView batch)
    {
        largest = Math.Max(largest, batch.MaxTimestamp);
        while (!ended && TryRead(out var entry) && entry.Offset <= batch.LastOffset)
        {
            if (entry.Timestamp != largest)
                verifier.Fault(entries.Path, entries.Position, LogVerifier.Say($"an entry says that up to offset {entry.Offset} the largest timestamp is {entry.Timestamp}, and it is {largest}"));
            before = entry;
            entries.Next();
        }
    }

    internal void End(bool isWhole, bool isLast)
    {
        if (!isWhole)
            return;
        if (!ended && TryRead(out var entry))
            verifier.Fault(entries.Path, entries.Position, LogVerifier.Say($"an entry is of offset {entry.Offset}, which is after the segment's end"));
        else if (entries.Exists && !isLast && before.Timestamp < largest)
            verifier.Fault(entries.Path, entries.Position, LogVerifier.Say($"no entry tells the largest timestamp of the segment, {largest}"));
    }

    public void Dispose() => entries.Dispose();

    private bool TryRead(out TimestampOffset entry)
    {
        entry = default;
        if (!entries.HasEntry)
        {
            ended = true;
            return false;
        }
        entry = new TimestampOffset(BinaryPrimitives.ReadInt64BigEndian(entries.Entry), baseOffset + BinaryPrimitives.ReadInt32BigEndian(entries.Entry[8..]));
        if (entry.Timestamp > before.Timestamp && entry.Offset >= before.Offset)
        {
            // Timestamp 0 at the first offset is an entry only if a record says so.
            if (entry.Timestamp != 0 || entry.Offset != baseOffset || !entries.IsRestZero())
                return true;
        }
        ended = true;
        if (entry.Timestamp == 0 && entry.Offset == baseOffset && entries.IsRestZero())
            verifier.Note(LogVerifier.Say($"{System.IO.Path.GetFileName(entries.Path)} is not cut to its entries: after byte {entries.Position} it is zeros, as a stop that is not clean leaves it"));
        else
            verifier.Fault(entries.Path, entries.Position, LogVerifier.Say($"an entry of timestamp {entry.Timestamp} at offset {entry.Offset} comes after one of {before.Timestamp} at {before.Offset}"));
        return false;
    }
}
