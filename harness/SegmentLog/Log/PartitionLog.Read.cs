using Bench.SegmentLog.Format;
using Bench.SegmentLog.Index;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog;

/// <summary>Up to where a reader may read.</summary>
public enum ReadIsolation
{
    /// <summary>Everything: a follower.</summary>
    LogEnd,

    /// <summary>Up to the high watermark: a consumer.</summary>
    HighWatermark,

    /// <summary>Up to the last stable offset: a consumer that reads committed records alone.</summary>
    Committed,
}

/// <summary>An offset that the log does not have.</summary>
public sealed class OffsetOutOfRangeException(string message) : Exception(message);

/// <summary>
/// A part of a segment that a reader gets: a range of a file, which can be read, or sent with sendfile(2) without passing
/// through this process. The file stays open until it is disposed, whatever becomes of the segment.
/// </summary>
public readonly struct LogRange : IDisposable
{
    private readonly Segment? segment;

    private readonly IReadOnlyList<AbortedTransaction>? aborted;

    internal LogRange(Segment segment, long position, int lengthBytes, long nextOffset, IReadOnlyList<AbortedTransaction>? aborted)
    {
        this.segment = segment;
        this.aborted = aborted;
        Position = position;
        LengthBytes = lengthBytes;
        LimitOffset = nextOffset;
    }

    /// <summary>The file; null if the range is empty.</summary>
    public IStorageFile? File => segment?.File;

    /// <summary>First byte: where the batch that holds the offset begins.</summary>
    public long Position { get; }

    /// <summary>Bytes; the last batch may be cut, as Kafka's consumers expect.</summary>
    public int LengthBytes { get; }

    /// <summary>The offset up to which the isolation lets read.</summary>
    public long LimitOffset { get; }

    /// <summary>
    /// Under <see cref="ReadIsolation.Committed"/>, the transactions whose records are to be left out, in the order of their
    /// ends; some may begin behind the range. They are of the same moment as the bytes: a compaction drops both together,
    /// so that those of another call may belong to other bytes.
    /// </summary>
    public IReadOnlyList<AbortedTransaction> Aborted => aborted ?? [];

    /// <summary>True if there is nothing to read yet.</summary>
    public bool IsEmpty => LengthBytes == 0;

    /// <summary>Copies the bytes.</summary>
    /// <returns>How many.</returns>
    public int CopyTo(Span<byte> buffer) => IsEmpty ? 0 : File!.Read(buffer[..Math.Min(buffer.Length, LengthBytes)], Position);

    /// <inheritdoc/>
    public void Dispose() => segment?.Release();
}

public sealed partial class PartitionLog
{
    private readonly object tail = new();
    private int waiting;
    private long endVersion;
    private long endBytes;
    private Segment? endSegment;

    /// <summary>
    /// The range from the batch that holds an offset on. Takes no lock, and waits for no append.
    /// </summary>
    /// <param name="offset">First offset wanted; at the end of the log the range is empty.</param>
    /// <param name="maxBytes">Most bytes; the first batch comes whole even if it is larger.</param>
    /// <param name="isolation">Up to where.</param>
    /// <exception cref="OffsetOutOfRangeException">The offset is before the start or after the end.</exception>
    public LogRange Read(long offset, int maxBytes, ReadIsolation isolation = ReadIsolation.HighWatermark)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxBytes);
        var end = ReadEnd();
        var limit = isolation switch { ReadIsolation.LogEnd => end.Offset, ReadIsolation.HighWatermark => HighWatermark, _ => LastStableOffset };
        var first = StartOffset;
        if (offset < first || offset > end.Offset)
            throw new OffsetOutOfRangeException($"offset {offset} is outside the log, which goes from {first} to {end.Offset}");
        if (offset >= limit)
            return default;
        while (true)
        {
            if (TryRead(Volatile.Read(ref segments), offset, maxBytes, isolation, end, limit, out var range))
                return range;
            ThrowIfClosed();
            if (offset < StartOffset)
                throw new OffsetOutOfRangeException($"offset {offset} was deleted meanwhile; the log starts at {StartOffset}");
        }
    }

    /// <returns>False if a segment was deleted or replaced between the look at the list and now.</returns>
    private bool TryRead(Segment[] all, long offset, int maxBytes, ReadIsolation isolation, LogEnd end, long limit, out LogRange range)
    {
        range = default;
        for (var at = FloorOf(all, offset); at < all.Length; at++)
        {
            if (at < 0)
                return false;
            var segment = all[at];
            if (segment.BaseOffset >= limit)
                return true;
            if (!segment.TryAcquire())
                return false;
            var isGiven = false;
            try
            {
                // Where compaction has left nothing from here to the segment's end, the next one has it.
                if (segment.Find(offset) is not { } place)
                    continue;
                var size = segment.SizeBytes;
                var next = at + 1 < all.Length ? all[at + 1].BaseOffset : long.MaxValue;
                if (limit == end.Offset && segment == end.Segment)
                    size = end.Bytes;
                else if (next > limit)
                    size = segment.Find(limit)?.Position ?? size;
                var aborted = default(List<AbortedTransaction>);
                if (isolation == ReadIsolation.Committed)
                    CollectAborted(all, at, offset, Math.Min(limit, next), ref aborted);
                // The files of one that went meanwhile have other names: its transactions look like none.
                if (isolation == ReadIsolation.Committed && !ReferenceEquals(all, Volatile.Read(ref segments)))
                    return false;
                range = new LogRange(segment, place.Position, (int)Math.Min(size - place.Position, Math.Max(maxBytes, place.SizeBytes)), limit, aborted);
                isGiven = true;
                return true;
            }
            finally
            {
                if (!isGiven)
                    segment.Release();
            }
        }
        return true;
    }

    /// <summary>The list of a closed log stays, and its segments are gone: looking again would not end.</summary>
    private void ThrowIfClosed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref closed), this);

    /// <summary>
    /// The end of the log and where it is in its segment, as they were at one moment: a reader up to the end need not look
    /// for it. Two figures and a reference cannot be written at once, so a version is made odd while they change.
    /// </summary>
    private LogEnd ReadEnd()
    {
        for (var spin = new SpinWait(); ; spin.SpinOnce(sleep1Threshold: -1))
        {
            var before = Volatile.Read(ref endVersion);
            var end = new LogEnd(Volatile.Read(ref endOffset), Volatile.Read(ref endBytes), Volatile.Read(ref endSegment));
            if ((before & 1) == 0 && Volatile.Read(ref endVersion) == before)
                return end;
        }
    }

    /// <summary>Under the lock of appends.</summary>
    private void PublishEnd(long offset)
    {
        Interlocked.Increment(ref endVersion);
        Volatile.Write(ref endSegment, active);
        Volatile.Write(ref endBytes, active.SizeBytes);
        Volatile.Write(ref endOffset, offset);
        Volatile.Write(ref endVersion, endVersion + 1);
    }

    private readonly record struct LogEnd(long Offset, long Bytes, Segment? Segment);

    /// <summary>
    /// The transactions that were aborted in a range of offsets, as of now. A reader of committed records takes those that
    /// come with its bytes, <see cref="LogRange.Aborted"/>.
    /// </summary>
    /// <param name="from">First offset.</param>
    /// <param name="to">The offset after the last.</param>
    public IReadOnlyList<AbortedTransaction> AbortedTransactions(long from, long to)
    {
        while (true)
        {
            var all = Volatile.Read(ref segments);
            var found = default(List<AbortedTransaction>);
            CollectAborted(all, Math.Max(0, FloorOf(all, from)), from, to, ref found);
            if (ReferenceEquals(all, Volatile.Read(ref segments)))
                return found ?? [];
        }
    }

    private static void CollectAborted(Segment[] all, int first, long from, long to, ref List<AbortedTransaction>? into)
    {
        for (var at = first; at < all.Length; at++)
            if (all[at].Transactions.Collect(from, to, ref into))
                return;
    }

    /// <summary>The first record whose timestamp is at a time or after it.</summary>
    /// <param name="timestampMs">Milliseconds since 1970.</param>
    /// <returns>Its timestamp and offset; null if all are older.</returns>
    public TimestampOffset? FindTimestamp(long timestampMs)
    {
        while (true)
        {
            if (TryFindTimestamp(Volatile.Read(ref segments), timestampMs, StartOffset, out var found))
                return found;
            ThrowIfClosed();
        }
    }

    /// <returns>False if a segment was deleted or replaced between the look at the list and now: another has its records.</returns>
    private bool TryFindTimestamp(Segment[] all, long timestampMs, long first, out TimestampOffset? found)
    {
        found = null;
        foreach (var segment in all)
        {
            if (!segment.TryAcquire())
                return false;
            try
            {
                if (segment.Largest.Timestamp >= timestampMs && (found = FindTimestamp(segment, timestampMs, first)) is not null)
                    return true;
            }
            finally
            {
                segment.Release();
            }
        }
        return true;
    }

    /// <summary>Waits until there are records from an offset on; an append wakes it.</summary>
    /// <param name="offset">The offset of the record that is waited for.</param>
    /// <param name="timeout">How long.</param>
    /// <returns>False if the time is up or the log was closed.</returns>
    public bool WaitFor(long offset, TimeSpan timeout)
    {
        if (HighWatermark > offset)
            return true;
        var deadline = Environment.TickCount64 + (long)Math.Min(timeout.TotalMilliseconds, int.MaxValue);
        lock (tail)
        {
            Volatile.Write(ref waiting, waiting + 1);
            try
            {
                // The append publishes before it looks whether anybody waits, and this looks again after it has said so.
                Interlocked.MemoryBarrier();
                while (HighWatermark <= offset)
                {
                    var left = deadline - Environment.TickCount64;
                    if (closed || left <= 0 || !Monitor.Wait(tail, (int)left))
                        return HighWatermark > offset;
                }
                return true;
            }
            finally
            {
                waiting--;
            }
        }
    }

    private void WakeReaders()
    {
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref waiting) > 0)
            WakeAll();
    }

    private void WakeAll()
    {
        lock (tail)
            Monitor.PulseAll(tail);
    }

    internal TimestampOffset? FindTimestamp(Segment segment, long timestampMs, long fromOffset)
    {
        var entry = segment.Times.Lookup(timestampMs);
        var scanner = new BatchScanner();
        scanner.Begin(segment.File, segment.Offsets.Lookup(Math.Max(entry.Offset, fromOffset)).Position, segment.SizeBytes, ScanDepth.Headers);
        while (scanner.Next() == ScanStep.Batch)
        {
            if (scanner.Current.MaxTimestamp < timestampMs)
                continue;
            if (scanner.SizeBytes > config.MaxDecompressedBytes)
                throw new CorruptLogException(segment.File.Path, scanner.Position, $"a batch of {scanner.SizeBytes} bytes, and at most {config.MaxDecompressedBytes} are read");
            var bytes = new byte[scanner.SizeBytes];
            if (segment.File.Read(bytes, scanner.Position) != bytes.Length)
                break;
            try
            {
                if (FindTimestamp(bytes, timestampMs, fromOffset) is { } found)
                    return found;
            }
            catch (CorruptLogException exception)
            {
                throw exception.At(segment.File.Path, scanner.Position);
            }
            catch (InvalidDataException exception)
            {
                throw new CorruptLogException(segment.File.Path, scanner.Position, exception.Message);
            }
        }
        return null;
    }

    private TimestampOffset? FindTimestamp(byte[] bytes, long timestampMs, long fromOffset)
    {
        var batch = new BatchView(bytes);
        using var decompressed = new RecordBuffer();
        ReadOnlySpan<byte> records = batch.Payload;
        if (batch.Compression != Compression.None)
        {
            RecordCompression.Decompress(batch.Compression, batch.Payload, decompressed, config.MaxDecompressedBytes);
            records = decompressed.WrittenSpan;
        }
        var reader = new RecordReader(records, batch.RecordCount);
        while (reader.Next())
        {
            var timestamp = batch.TimestampType == TimestampType.LogAppendTime ? batch.MaxTimestamp : batch.BaseTimestamp + reader.Current.TimestampDelta;
            var offset = batch.BaseOffset + reader.Current.OffsetDelta;
            if (timestamp >= timestampMs && offset >= fromOffset)
                return new TimestampOffset(timestamp, offset);
        }
        return null;
    }

    /// <summary>The last segment that begins at or before an offset; −1 if none does.</summary>
    private static int FloorOf(Segment[] all, long offset)
    {
        int low = 0, high = all.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            if (all[middle].BaseOffset <= offset)
                low = middle + 1;
            else
                high = middle - 1;
        }
        return high;
    }
}
