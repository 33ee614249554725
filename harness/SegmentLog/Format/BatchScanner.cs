using System.Buffers.Binary;
using System.Numerics;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog.Format;

/// <summary>How a scan looks at each batch.</summary>
internal enum ScanDepth
{
    /// <summary>Lengths only: to find a place.</summary>
    Headers,

    /// <summary>The checksum too.</summary>
    Checksums,
}

/// <summary>What a scan came to.</summary>
internal enum ScanStep
{
    /// <summary>A batch.</summary>
    Batch,

    /// <summary>The end: nothing is left, or a batch that is not whole, which Kafka's reader too takes for the end.</summary>
    End,

    /// <summary>Something that is no batch.</summary>
    Corrupt,
}

/// <summary>
/// Goes through the batches of a file in order, through one buffer that never grows: a batch that does not fit has its
/// checksum computed in pieces. What ends a scan is Kafka's reader's rule (<c>FileLogInputStream</c>): 17 bytes or less
/// are a clean end, a size below 14 is damage, a batch past the end of the file is a clean end. Who only looks for a place
/// steps over a batch whose magic or size is that of none, as that reader does: what is behind it can still be read.
/// </summary>
internal sealed class BatchScanner
{
    /// <summary>Half of a core's cache, so that a batch is still near when its checksum is computed.</summary>
    internal const int BufferBytes = 512 << 10;

    // What looking for a place reads at a time: it touches little of each batch.
    private const int HeadersBytes = 8 << 10;

    private readonly int bufferBytes;
    private byte[] buffer = [];
    private IStorageFile file = null!;
    private ScanDepth depth;
    private long end;
    private long bufferStart;
    private int buffered;
    private long position;
    private int size;
    private int damagedSize;
    private byte[]? legacyPiece;

    /// <summary>A scanner with a buffer of its own, no larger than what it scans.</summary>
    /// <param name="bufferBytes">Most bytes of it.</param>
    internal BatchScanner(int bufferBytes = BufferBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bufferBytes, BatchView.HeaderBytes + 1024);
        this.bufferBytes = bufferBytes;
    }

    /// <summary>Starts at a place.</summary>
    internal void Begin(IStorageFile newFile, long start, long newEnd, ScanDepth newDepth)
    {
        file = newFile;
        depth = newDepth;
        end = newEnd;
        position = start;
        size = 0;
        bufferStart = start;
        buffered = 0;
        Reserve((int)Math.Clamp(newEnd - start, BatchView.HeaderBytes, newDepth == ScanDepth.Headers ? Math.Min(HeadersBytes, bufferBytes) : bufferBytes));
    }

    /// <summary>Where the current batch begins; after an end or damage, where that is.</summary>
    internal long Position => position;

    /// <summary>Bytes of the current batch.</summary>
    internal int SizeBytes => size;

    /// <summary>What is wrong where the scan stopped.</summary>
    internal string Reason { get; private set; } = "";

    /// <summary>True if the scan stopped at a sound batch of a format before Kafka 0.11.</summary>
    internal bool IsLegacy { get; private set; }

    /// <summary>The batch's header; its records are in <see cref="TryGetWhole"/>.</summary>
    internal BatchView Current => new(buffer.AsSpan((int)(position - bufferStart), BatchView.HeaderBytes));

    /// <summary>The whole batch, if it fits the buffer.</summary>
    internal bool TryGetWhole(out BatchView batch)
    {
        batch = default;
        if (size > bufferBytes || !Fill(size))
            return false;
        batch = new BatchView(buffer.AsSpan((int)(position - bufferStart), size));
        return true;
    }

    /// <summary>The base offset of the batch that was stepped over last, if nothing came after it; else −1.</summary>
    internal long SteppedOverOffset { get; private set; }

    /// <summary>
    /// Takes a batch whose checksum or magic was wrong for the current one all the same: its length, if that is right,
    /// leads to the next. False if the scan stopped at something else.
    /// </summary>
    internal bool TryStepOver()
    {
        size = damagedSize >= BatchView.HeaderBytes ? damagedSize : 0;
        return size > 0;
    }

    /// <summary>Goes to the next batch.</summary>
    internal ScanStep Next()
    {
        position += size;
        SteppedOverOffset = -1;
        while (true)
        {
            var step = LookAtNext();
            if (step != ScanStep.Corrupt || depth != ScanDepth.Headers || IsLegacy || damagedSize == 0)
            {
                if (step == ScanStep.Batch)
                    SteppedOverOffset = -1;
                return step;
            }
            SteppedOverOffset = BinaryPrimitives.ReadInt64BigEndian(buffer.AsSpan((int)(position - bufferStart)));
            position += damagedSize;
        }
    }

    private ScanStep LookAtNext()
    {
        size = 0;
        damagedSize = 0;
        Reason = "";
        IsLegacy = false;
        var left = end - position;
        if (left <= BatchView.PrefixBytes)
        {
            Reason = left == 0 ? "" : $"{left} bytes are left, too few for a batch";
            return ScanStep.End;
        }
        if (!Fill((int)Math.Min(left, BatchView.HeaderBytes)))
            return FileEnded();
        var prefix = buffer.AsSpan((int)(position - bufferStart));
        var length = BinaryPrimitives.ReadInt32BigEndian(prefix[BatchView.LengthAt..]);
        if (length < LegacyBatch.MinSize)
            return Damaged($"a batch says it has {length} bytes, fewer than any has");
        if (length > left - BatchView.OverheadBytes)
        {
            Reason = $"a batch of {(long)length + BatchView.OverheadBytes} bytes has {left} left";
            return ScanStep.End;
        }
        var whole = BatchView.OverheadBytes + length;
        // Java's bytes have a sign: 128 and more are below 2 as well.
        if ((sbyte)prefix[BatchView.MagicAt] < BatchView.CurrentMagic)
        {
            damagedSize = whole;
            return Legacy(prefix[BatchView.MagicAt], whole);
        }
        if (whole < BatchView.HeaderBytes)
        {
            damagedSize = whole;
            return Damaged($"a batch says it has {whole} bytes, fewer than its header");
        }
        if (depth == ScanDepth.Checksums)
        {
            var stored = BinaryPrimitives.ReadUInt32BigEndian(prefix[BatchView.CrcAt..]);
            if (ComputeCrc(whole) is not { } computed)
                return FileEnded();
            if (stored != computed)
            {
                damagedSize = whole;
                return Damaged($"the checksum of a batch is {computed:x8}, and it says {stored:x8}");
            }
        }
        size = whole;
        return ScanStep.Batch;
    }

    private uint? ComputeCrc(int whole)
    {
        if (whole <= bufferBytes)
            return Fill(whole) ? Crc32C.Compute(buffer.AsSpan((int)(position - bufferStart) + BatchView.AttributesAt, whole - BatchView.AttributesAt)) : null;
        uint crc = 0;
        for (long at = BatchView.AttributesAt; at < whole;)
        {
            var piece = (int)Math.Min(buffer.Length, whole - at);
            if (file.Read(buffer.AsSpan(0, piece), position + at) < piece)
                return null;
            crc = Crc32C.Append(crc, buffer.AsSpan(0, piece));
            at += piece;
        }
        // The header again, which the last piece has overwritten.
        bufferStart = position;
        buffered = 0;
        return Fill(BatchView.HeaderBytes) ? crc : null;
    }

    /// <summary>Has bytes from the position on in the buffer, reading ahead as far as it goes.</summary>
    private bool Fill(int wanted)
    {
        var from = position - bufferStart;
        if (from + wanted <= buffered)
            return true;
        var kept = (int)Math.Max(0, buffered - from);
        if (kept > 0)
            buffer.AsSpan((int)from, kept).CopyTo(buffer);
        Reserve(wanted);
        var ahead = depth == ScanDepth.Headers ? Math.Max(wanted, HeadersBytes) : buffer.Length;
        var more = (int)Math.Min(Math.Min(ahead, buffer.Length) - kept, end - position - kept);
        var read = more > 0 ? file.Read(buffer.AsSpan(kept, more), position + kept) : 0;
        bufferStart = position;
        buffered = kept + read;
        return buffered >= wanted;
    }

    /// <summary>Has room for so many bytes; what is in the buffer stays at its place.</summary>
    private void Reserve(int bytes)
    {
        if (bytes <= buffer.Length)
            return;
        var larger = GC.AllocateUninitializedArray<byte>(Math.Min(bufferBytes, (int)BitOperations.RoundUpToPowerOf2((uint)bytes)), pinned: true);
        buffer.CopyTo(larger, 0);
        buffer = larger;
    }

    private ScanStep Legacy(byte magic, int whole)
    {
        IsLegacy = magic < BatchView.CurrentMagic && IsSoundLegacy(whole);
        return Damaged(IsLegacy ? $"a batch of magic {magic}, a format before Kafka 0.11 that is not read here" : $"a batch says it has magic {magic}, and its checksum is wrong");
    }

    private bool IsSoundLegacy(int whole)
    {
        var stored = BinaryPrimitives.ReadUInt32BigEndian(buffer.AsSpan((int)(position - bufferStart) + LegacyBatch.CrcAt));
        var crc = LegacyBatch.CrcSeed;
        for (long at = LegacyBatch.CheckedFrom; at < whole;)
        {
            var piece = legacyPiece ??= new byte[64 << 10];
            var read = file.Read(piece.AsSpan(0, (int)Math.Min(piece.Length, whole - at)), position + at);
            if (read == 0)
                return false;
            crc = LegacyBatch.AppendCrc(crc, piece.AsSpan(0, read));
            at += read;
        }
        return ~crc == stored;
    }

    private ScanStep FileEnded() => Damaged("the file ended within a batch; something else shortened it");

    private ScanStep Damaged(string reason)
    {
        Reason = reason;
        return ScanStep.Corrupt;
    }
}
