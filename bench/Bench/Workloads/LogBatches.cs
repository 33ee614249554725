using Bench.SegmentLog.Format;

namespace Bench.Workloads;

/// <summary>
/// The batches that a producer sends over and over: built before a pass, so that what is measured is what a broker does
/// with them. Enough of them that they do not all stay in a core's nearest cache.
/// </summary>
internal sealed class LogBatches
{
    private const int PoolBytes = 1 << 20;
    private const int KeyBytes = 8;

    private readonly byte[][] batches;
    private int next;

    /// <summary>Builds them.</summary>
    /// <param name="batchBytes">Most bytes of a batch before compression: it is filled as far as whole records go.</param>
    /// <param name="recordBytes">Bytes of key and value of a record.</param>
    /// <param name="compression">How the records are compressed.</param>
    /// <param name="seed">Of the content.</param>
    internal LogBatches(int batchBytes, int recordBytes, Compression compression, ulong seed)
    {
        var random = new Random((int)(seed ^ (seed >> 32)));
        var record = new byte[recordBytes];
        var builder = new RecordBatchBuilder(batchBytes + recordBytes);
        var count = Math.Clamp(PoolBytes / batchBytes, 2, 64);
        batches = new byte[count][];
        for (var i = 0; i < count; i++)
        {
            builder.Begin(new BatchSettings { Compression = compression });
            var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
            do
            {
                Fill(random, record);
                builder.Append(now, record.AsSpan(0, KeyBytes), record.AsSpan(KeyBytes));
            }
            while (builder.SizeBytes + RecordBatchBuilder.SizeOf(0, builder.Count, record.AsSpan(0, KeyBytes), record.AsSpan(KeyBytes)) <= batchBytes);
            RecordsPerBatch = builder.Count;
            // Pinned: an append must not wait for the garbage collector to have moved them.
            var built = builder.Build();
            batches[i] = GC.AllocateUninitializedArray<byte>(built.Length, pinned: true);
            built.CopyTo(batches[i]);
        }
        MeanBytes = batches.Average(batch => batch.Length);
    }

    /// <summary>Records in each batch.</summary>
    internal int RecordsPerBatch { get; }

    /// <summary>Bytes of a batch, on average: compressed ones differ.</summary>
    internal double MeanBytes { get; }

    /// <summary>The next batch; the append writes its offsets into it.</summary>
    internal Span<byte> Next()
    {
        if (++next == batches.Length)
            next = 0;
        return batches[next];
    }

    /// <summary>Letters of a small alphabet in words that come again: compressible about as text is, and the same for every codec.</summary>
    private static void Fill(Random random, Span<byte> record)
    {
        for (var at = 0; at < record.Length;)
        {
            var word = Words[random.Next(Words.Length)].AsSpan();
            var taken = Math.Min(word.Length, record.Length - at);
            word[..taken].CopyTo(record[at..]);
            at += taken;
            if (at < record.Length)
                record[at++] = (byte)random.Next(256);
        }
    }

    private static readonly byte[][] Words = MakeWords();

    private static byte[][] MakeWords()
    {
        var random = new Random(20260101);
        var words = new byte[512][];
        for (var i = 0; i < words.Length; i++)
        {
            words[i] = new byte[random.Next(3, 9)];
            foreach (ref var letter in words[i].AsSpan())
                letter = (byte)random.Next('a', 'z' + 1);
        }
        return words;
    }
}
