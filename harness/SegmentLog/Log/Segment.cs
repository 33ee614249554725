using System.Buffers.Binary;
using Bench.Disk;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Index;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog;

/// <summary>Where a batch is.</summary>
/// <param name="Position">Byte in the segment's file.</param>
/// <param name="SizeBytes">Bytes of the batch.</param>
/// <param name="LastOffset">Its last offset.</param>
internal readonly record struct BatchPlace(long Position, int SizeBytes, long LastOffset);

/// <summary>
/// A part of the log in a file of its own, with its indexes. One thread at a time appends; any number read beside it,
/// up to <see cref="SizeBytes"/>, which is published after the bytes are in the file.
/// Source: Apache Kafka, <c>LogSegment</c>.
/// </summary>
public sealed class Segment
{
    // Enough headers for the distance between two index entries, in one call.
    private const int LookupBytes = 8 << 10;

    // Where batches are large, the entry's own header mostly tells where the next one is: reading more is copying for nothing.
    private const int FirstLookupBytes = 512;

    [ThreadStatic]
    private static byte[]? lookupBuffer;

    private readonly IStorage storage;
    private readonly string folder;
    private readonly LogConfig config;
    private readonly Lock loading = new();
    private OffsetIndex? offsets;
    private TimeIndex? times;
    private TransactionIndex? transactions;
    private SegmentWriter? writer;
    private long sizeBytes;
    private long bytesSinceIndexEntry;
    private TimestampOffset largest = new(long.MinValue, -1);
    private int leases = 1;
    private int wasCut;

    private Segment(IStorage storage, string folder, long baseOffset, LogConfig config, IStorageFile file, long sizeBytes, long createdMs)
    {
        this.storage = storage;
        this.folder = folder;
        this.config = config;
        this.sizeBytes = sizeBytes;
        BaseOffset = baseOffset;
        File = file;
        CreatedMs = createdMs;
        RollJitterMs = config.SegmentJitterMs == 0 ? 0 : Random.Shared.NextInt64(Math.Min(config.SegmentJitterMs, config.SegmentMs));
    }

    /// <summary>Offset of the first record, or of where it would be.</summary>
    public long BaseOffset { get; }

    /// <summary>Bytes of log in the file; the file may be longer while it is appended to.</summary>
    public long SizeBytes => Volatile.Read(ref sizeBytes);

    /// <summary>The file.</summary>
    public IStorageFile File { get; }

    /// <summary>When it was made or opened.</summary>
    internal long CreatedMs { get; private set; }

    /// <summary>How much earlier than others it rolls.</summary>
    internal long RollJitterMs { get; }

    /// <summary>The first batch's largest timestamp, from which its age counts; null before it is known.</summary>
    internal long? FirstTimestamp { get; private set; }

    /// <summary>Bytes that are durable.</summary>
    internal long FlushedBytes { get; set; }

    /// <summary>Whether its bytes are durable, and its length too if the file was made shorter.</summary>
    internal bool IsFlushed => FlushedBytes >= SizeBytes && !WasCut;

    /// <summary>Whether the file was made shorter since it was last flushed.</summary>
    internal bool WasCut => Volatile.Read(ref wasCut) != 0;

    /// <summary>The file may have been made shorter, by whoever had it before.</summary>
    internal void MarkCut() => Volatile.Write(ref wasCut, 1);

    /// <summary>Bytes up to which the file has its blocks ahead.</summary>
    internal long AheadBytes { get; set; }

    /// <summary>Whether blocks ahead could not be had: it goes on without.</summary>
    internal bool IsWithoutAhead { get; set; }

    /// <summary>Whether the files beside the log are on the device, so that an opening may rely on them.</summary>
    internal bool SideFilesDurable { get; set; }

    /// <summary>Whether all its files are written, and nothing will be appended.</summary>
    internal bool IsComplete { get; set; }

    /// <summary>The offset index; of a complete segment it is read when it is first asked for.</summary>
    public OffsetIndex Offsets => Volatile.Read(ref offsets) ?? Load().Offsets;

    /// <summary>The time index, likewise.</summary>
    public TimeIndex Times => Volatile.Read(ref times) ?? Load().Times;

    /// <summary>The aborted transactions, likewise.</summary>
    public TransactionIndex Transactions
    {
        get
        {
            if (Volatile.Read(ref transactions) is { } loaded)
                return loaded;
            lock (loading)
            {
                var path = PathOf(LogFiles.TransactionIndex);
                var read = storage.Exists(path) ? TransactionIndex.Load(storage, path, BaseOffset, SizeBytes) : new TransactionIndex();
                Volatile.Write(ref transactions, read);
                return read;
            }
        }
    }

    /// <summary>The largest timestamp and the last offset of the batch that has it; −1 none.</summary>
    internal TimestampOffset Largest
    {
        get
        {
            if (largest.Timestamp == long.MinValue)
                largest = Times.Last;
            return largest;
        }
    }

    internal bool KnowsLargest => largest.Timestamp != long.MinValue;

    /// <summary>Makes an empty segment, from a file that was made ahead if there is one.</summary>
    internal static Segment Create(IStorage storage, string folder, long baseOffset, LogConfig config, IStorageFile file, long nowMs) =>
        new(storage, folder, baseOffset, config, file, 0, nowMs)
        {
            offsets = new OffsetIndex(baseOffset, config.SegmentIndexBytes),
            times = new TimeIndex(baseOffset, config.SegmentIndexBytes),
            transactions = new TransactionIndex(),
        };

    /// <summary>Opens a segment that is there; its indexes are read when they are asked for.</summary>
    internal static Segment Open(IStorage storage, string folder, long baseOffset, LogConfig config, long nowMs, OpenMode mode, string suffix = "")
    {
        var file = storage.Open(System.IO.Path.Combine(folder, LogFiles.Name(baseOffset, LogFiles.Log) + suffix), mode);
        return new Segment(storage, folder, baseOffset, config, file, file.LengthBytes, nowMs);
    }

    /// <summary>The path of one of its files.</summary>
    internal string PathOf(string suffix) => System.IO.Path.Combine(folder, LogFiles.Name(BaseOffset, suffix));

    /// <summary>Holds the files open for a reader; false if they are gone.</summary>
    internal bool TryAcquire()
    {
        var held = Volatile.Read(ref leases);
        while (held > 0)
        {
            var seen = Interlocked.CompareExchange(ref leases, held + 1, held);
            if (seen == held)
                return true;
            held = seen;
        }
        return false;
    }

    /// <summary>Lets go; the last one closes the file.</summary>
    internal void Release()
    {
        if (Interlocked.Decrement(ref leases) > 0)
            return;
        writer?.Dispose();
        File.Dispose();
    }

    /// <summary>Whether the offset can be told in 31 bits from the base.</summary>
    internal bool Holds(long offset) => offset - BaseOffset is >= 0 and <= int.MaxValue;

    /// <summary>Whether these bytes go into a new segment instead.</summary>
    internal bool MustRoll(int incomingBytes, long largestTimestamp, long lastOffset, long nowMs)
    {
        var size = sizeBytes;
        return size > config.SegmentBytes - incomingBytes
            || (size > 0 && AgeMs(nowMs, largestTimestamp) > config.SegmentMs - RollJitterMs)
            || Offsets.IsFull || Times.IsFull || !Holds(lastOffset);
    }

    /// <summary>Appends whole batches.</summary>
    /// <param name="bytes">The batches.</param>
    /// <param name="lastOffset">The last one's last offset.</param>
    /// <param name="batchLargest">The largest timestamp and the last offset of the first batch that has it.</param>
    /// <param name="durably">They are durable when it returns.</param>
    internal void Append(ReadOnlySpan<byte> bytes, long lastOffset, TimestampOffset batchLargest, bool durably)
    {
        if (writer is null)
        {
            IsComplete = false;
            writer = SegmentWriter.Create(storage, File, sizeBytes, config);
        }
        var position = sizeBytes;
        if (durably)
            writer.WriteDurably(bytes, position);
        else
            writer.Write(bytes, position);
        if (position == 0)
            FirstTimestamp = batchLargest.Timestamp;
        if (batchLargest.Timestamp > Largest.Timestamp)
            largest = batchLargest;
        // The first append is never indexed, and one append makes one entry at most.
        var isOne = new BatchView(bytes).SizeBytes == bytes.Length;
        if (bytesSinceIndexEntry > config.IndexIntervalBytes)
        {
            Offsets.Add(lastOffset, (int)position, isOne ? bytes.Length : 0);
            Times.Add(Largest, completes: false);
            bytesSinceIndexEntry = 0;
        }
        else
        {
            Offsets.Pass(lastOffset, isOne);
        }
        bytesSinceIndexEntry += bytes.Length;
        Volatile.Write(ref sizeBytes, position + bytes.Length);
    }

    /// <summary>Adds the entry that tells the largest timestamp of a segment that is complete.</summary>
    internal void AddLastTimestamp()
    {
        if (KnowsLargest)
            Times.Add(Largest, completes: true);
    }

    /// <summary>Makes the log durable.</summary>
    internal void Flush()
    {
        var size = SizeBytes;
        var cut = Interlocked.Exchange(ref wasCut, 0);
        try
        {
            File.Fdatasync();
        }
        catch
        {
            Volatile.Write(ref wasCut, cut);
            throw;
        }
        FlushedBytes = Math.Max(FlushedBytes, size);
    }

    /// <summary>Closes the writer and cuts what the file has ahead: nothing will be appended.</summary>
    internal void EndWriting()
    {
        writer?.Dispose();
        writer = null;
        if (File.LengthBytes > sizeBytes)
            Cut(sizeBytes);
    }

    /// <summary>Ends the writing, and writes the indexes.</summary>
    /// <param name="durably">
    /// All is on the device when it returns, except for the names of new files. The length too: zeros behind the last
    /// batch of a segment that is not the last would look like damage.
    /// </param>
    internal void Complete(bool durably)
    {
        EndWriting();
        if (durably && !IsFlushed)
            Flush();
        WriteIndexes(durably);
        IsComplete = true;
    }

    /// <summary>Ends a segment that a compaction has written: all its files are durable, under the names of ones that are not complete.</summary>
    internal void CompleteCleaned(long newSizeBytes, IndexMaker indexes, TransactionIndex aborted)
    {
        Volatile.Write(ref sizeBytes, newSizeBytes);
        SetIndexes(indexes.Offsets, indexes.Times, aborted, indexes.Largest);
        WriteCleaned(LogFiles.OffsetIndex, indexes.Offsets.ToBytes());
        WriteCleaned(LogFiles.TimeIndex, indexes.Times.ToBytes());
        if (aborted.Count > 0)
            WriteCleaned(LogFiles.TransactionIndex, aborted.ToBytes());
        File.Fdatasync();
        FlushedBytes = newSizeBytes;
        SideFilesDurable = true;
        IsComplete = true;

        void WriteCleaned(string suffix, byte[] bytes)
        {
            storage.Delete(PathOf(suffix) + LogFiles.Cleaned);
            WriteSide(suffix + LogFiles.Cleaned, bytes, durably: true);
        }
    }

    /// <summary>Renames its files, and lets the open one know its name.</summary>
    internal void Rename(string from, string to)
    {
        File.RenameTo(PathOf(LogFiles.Log) + to);
        Rename(storage, folder, BaseOffset, from, to);
    }

    /// <summary>Writes the index files, those that are in memory.</summary>
    internal void WriteIndexes(bool durably)
    {
        if (offsets is { } offsetIndex)
            WriteSide(LogFiles.OffsetIndex, offsetIndex.ToBytes(), durably);
        if (times is { } timeIndex)
            WriteSide(LogFiles.TimeIndex, timeIndex.ToBytes(), durably);
        if (transactions is { } aborted && (aborted.Count > 0 || storage.Exists(PathOf(LogFiles.TransactionIndex))))
            WriteSide(LogFiles.TransactionIndex, aborted.ToBytes(), durably);
    }

    /// <summary>
    /// Finds the first batch whose last offset is at an offset or after it, from the index entry before it on.
    /// </summary>
    /// <returns>Null if there is none.</returns>
    internal BatchPlace? Find(long offset)
    {
        var known = Offsets.Around(offset);
        // An entry is there a moment before its batch counts.
        return known.Exact is { } place && place.Position + place.SizeBytes <= SizeBytes ? place : Scan(known.From, offset);
    }

    /// <summary>The largest timestamp of the batches from a place on.</summary>
    internal TimestampOffset LargestFrom(long position)
    {
        var found = new TimestampOffset(-1, -1);
        var scanner = new BatchScanner(64 << 10);
        scanner.Begin(File, position, SizeBytes, ScanDepth.Headers);
        while (scanner.Next() == ScanStep.Batch)
            if (scanner.Current.MaxTimestamp > found.Timestamp)
                found = new TimestampOffset(scanner.Current.MaxTimestamp, scanner.Current.LastOffset);
        return found;
    }

    /// <summary>The offset after the last batch; the base offset if there is none.</summary>
    /// <param name="endBytes">Where the last batch ends: less than the file if something is behind it.</param>
    internal long NextOffset(out long endBytes)
    {
        var scanner = new BatchScanner(64 << 10);
        var next = BaseOffset;
        scanner.Begin(File, Offsets.Count == 0 ? 0 : Offsets[Offsets.Count - 1].Position, SizeBytes, ScanDepth.Headers);
        while (scanner.Next() == ScanStep.Batch)
            next = scanner.Current.NextOffset;
        if (scanner.SteppedOverOffset >= 0)
            next = scanner.SteppedOverOffset + 1;
        if (scanner.IsLegacy)
            throw new CorruptLogException(File.Path, scanner.Position, scanner.Reason) { IsLegacy = true };
        endBytes = scanner.Position;
        return next;
    }

    /// <summary>Cuts the log from an offset on.</summary>
    /// <returns>Bytes that were cut.</returns>
    internal long TruncateTo(long offset, long nowMs)
    {
        var place = Find(offset);
        Offsets.TruncateTo(offset);
        Times.TruncateTo(offset);
        Transactions.TruncateTo(offset);
        var cut = 0L;
        if (place is { } from)
        {
            cut = SizeBytes - from.Position;
            SetSize(from.Position);
        }
        if (SizeBytes == 0)
        {
            CreatedMs = nowMs;
            FirstTimestamp = null;
        }
        bytesSinceIndexEntry = 0;
        largest = Times.Last;
        if (LargestFrom(Offsets.Lookup(largest.Offset).Position) is var later && later.Timestamp > largest.Timestamp)
            largest = later;
        return cut;
    }

    /// <summary>Sets the length of log and file, and what was flushed of it.</summary>
    internal void SetSize(long newSizeBytes)
    {
        writer?.Dispose();
        writer = null;
        Cut(newSizeBytes);
        Volatile.Write(ref sizeBytes, newSizeBytes);
        FlushedBytes = Math.Min(FlushedBytes, newSizeBytes);
        AheadBytes = 0;
    }

    private void Cut(long lengthBytes)
    {
        File.Truncate(lengthBytes);
        // After the fact, so that a flush that ran beside it is not taken for one that came after.
        Volatile.Write(ref wasCut, 1);
    }

    /// <summary>Takes over indexes that a recovery has made.</summary>
    internal void SetIndexes(OffsetIndex newOffsets, TimeIndex newTimes, TransactionIndex newTransactions, TimestampOffset newLargest)
    {
        Volatile.Write(ref offsets, newOffsets);
        Volatile.Write(ref times, newTimes);
        Volatile.Write(ref transactions, newTransactions);
        largest = newLargest;
    }

    /// <summary>The largest timestamp before a position, for a reader by time.</summary>
    internal long FirstBatchTimestamp()
    {
        if (FirstTimestamp is null && SizeBytes > 0)
        {
            var scanner = new BatchScanner(64 << 10);
            scanner.Begin(File, 0, SizeBytes, ScanDepth.Headers);
            if (scanner.Next() == ScanStep.Batch)
                FirstTimestamp = scanner.Current.MaxTimestamp;
        }
        return FirstTimestamp ?? -1;
    }

    /// <summary>Renames all its files from one suffix to another; those that are not there are none.</summary>
    internal static void Rename(IStorage storage, string folder, long baseOffset, string from, string to)
    {
        foreach (var kind in (string[])[LogFiles.Log, LogFiles.OffsetIndex, LogFiles.TimeIndex, LogFiles.TransactionIndex])
        {
            var path = System.IO.Path.Combine(folder, LogFiles.Name(baseOffset, kind));
            if (storage.Exists(path + from))
                storage.Rename(path + from, path + to);
        }
    }

    /// <summary>Removes all its files with a suffix.</summary>
    internal static void Delete(IStorage storage, string folder, long baseOffset, string suffix)
    {
        foreach (var kind in (string[])[LogFiles.OffsetIndex, LogFiles.TimeIndex, LogFiles.TransactionIndex, LogFiles.Log])
            storage.Delete(System.IO.Path.Combine(folder, LogFiles.Name(baseOffset, kind)) + suffix);
    }

    private long AgeMs(long nowMs, long largestTimestamp) =>
        FirstBatchTimestamp() is var first and >= 0 ? largestTimestamp - first : nowMs - CreatedMs;

    private BatchPlace? Scan(long from, long offset)
    {
        var buffer = lookupBuffer ??= GC.AllocateUninitializedArray<byte>(LookupBytes);
        var position = from;
        var end = SizeBytes;
        var bufferStart = 0L;
        var buffered = 0;
        var wanted = FirstLookupBytes;
        while (end - position >= BatchView.HeaderBytes)
        {
            if (position - bufferStart is var at && (buffered == 0 || at + BatchView.HeaderBytes > buffered))
            {
                bufferStart = position;
                buffered = File.Read(buffer.AsSpan(0, (int)Math.Min(wanted, end - position)), position);
                if (buffered < BatchView.HeaderBytes)
                    return null;
                at = 0;
            }
            var header = buffer.AsSpan((int)at, BatchView.HeaderBytes);
            var length = BinaryPrimitives.ReadInt32BigEndian(header[BatchView.LengthAt..]);
            if (length < LegacyBatch.MinSize)
                throw new CorruptLogException(File.Path, position, $"a batch says it has {length} bytes");
            if (length > end - position - BatchView.OverheadBytes)
                return null;
            if ((sbyte)header[BatchView.MagicAt] < BatchView.CurrentMagic || length < BatchView.HeaderBytes - BatchView.OverheadBytes)
            {
                position = StepOver(position, end);
                continue;
            }
            var lastOffset = BinaryPrimitives.ReadInt64BigEndian(header) + BinaryPrimitives.ReadInt32BigEndian(header[BatchView.LastOffsetDeltaAt..]);
            if (lastOffset >= offset)
                return new BatchPlace(position, BatchView.OverheadBytes + length, lastOffset);
            position += BatchView.OverheadBytes + length;
            wanted = length < LookupBytes / 4 ? LookupBytes : FirstLookupBytes;
        }
        return null;
    }

    /// <summary>The place behind what is no batch of this format: damage, unless it is a sound batch of an older one.</summary>
    private long StepOver(long position, long end)
    {
        var scanner = new BatchScanner(64 << 10);
        scanner.Begin(File, position, end, ScanDepth.Headers);
        var step = scanner.Next();
        if (scanner.IsLegacy)
            throw new CorruptLogException(File.Path, scanner.Position, scanner.Reason) { IsLegacy = true };
        // Before an end or damage there may be less than a header.
        return step == ScanStep.Batch ? scanner.Position : end;
    }

    private void WriteSide(string suffix, byte[] bytes, bool durably) => SmallFile.Write(storage, PathOf(suffix), bytes, durably);

    /// <summary>
    /// Reads the index files. One that is missing, not whole or impossible is made again from the log: it says nothing
    /// that the log does not.
    /// </summary>
    private (OffsetIndex Offsets, TimeIndex Times) Load()
    {
        lock (loading)
        {
            if (offsets is { } readOffsets && times is { } readTimes)
                return (readOffsets, readTimes);
            OffsetIndex? newOffsets = null;
            TimeIndex? newTimes = null;
            try
            {
                if (storage.Exists(PathOf(LogFiles.OffsetIndex)) && storage.Exists(PathOf(LogFiles.TimeIndex)))
                {
                    newOffsets = OffsetIndex.Load(storage, PathOf(LogFiles.OffsetIndex), BaseOffset, config.SegmentIndexBytes, SizeBytes);
                    newTimes = TimeIndex.Load(storage, PathOf(LogFiles.TimeIndex), BaseOffset, config.SegmentIndexBytes, SizeBytes);
                }
            }
            catch (CorruptLogException)
            {
                newOffsets = null;
                newTimes = null;
            }
            if (newOffsets is null || newTimes is null)
                (newOffsets, newTimes) = Rebuild();
            Volatile.Write(ref times, newTimes);
            Volatile.Write(ref offsets, newOffsets);
            return (newOffsets, newTimes);
        }
    }

    private (OffsetIndex Offsets, TimeIndex Times) Rebuild()
    {
        var made = new IndexMaker(BaseOffset, config);
        var scanner = new BatchScanner();
        scanner.Begin(File, 0, SizeBytes, ScanDepth.Headers);
        while (scanner.Next() == ScanStep.Batch)
            made.Add(scanner.Current);
        made.End();
        return (made.Offsets, made.Times);
    }
}

/// <summary>Makes the indexes of a segment from its batches, an entry per batch where the interval has passed, as Kafka's recovery does.</summary>
internal sealed class IndexMaker(long baseOffset, LogConfig config)
{
    private long validBytes;
    private long lastEntryAt;

    internal OffsetIndex Offsets { get; } = new(baseOffset, config.SegmentIndexBytes);

    internal TimeIndex Times { get; } = new(baseOffset, config.SegmentIndexBytes);

    internal TimestampOffset Largest { get; private set; } = new(-1, baseOffset);

    internal void Add(BatchView batch)
    {
        if (batch.MaxTimestamp > Largest.Timestamp)
            Largest = new TimestampOffset(batch.MaxTimestamp, batch.LastOffset);
        if (validBytes - lastEntryAt > config.IndexIntervalBytes)
        {
            Offsets.Add(batch.LastOffset, (int)validBytes, batch.SizeBytes);
            Times.Add(Largest, completes: false);
            lastEntryAt = validBytes;
        }
        else
        {
            Offsets.Pass(batch.LastOffset, isOne: true);
        }
        validBytes += batch.SizeBytes;
    }

    internal void End() => Times.Add(Largest, completes: true);
}
