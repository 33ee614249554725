using System.Runtime.CompilerServices;

namespace Bench.SegmentLog.Producers;

/// <summary>One batch that a producer wrote.</summary>
/// <param name="LastSequence">Sequence number of its last record.</param>
/// <param name="LastOffset">Offset of its last record.</param>
/// <param name="OffsetDelta">Last offset minus first.</param>
/// <param name="Timestamp">Its largest timestamp.</param>
public readonly record struct ProducedBatch(int LastSequence, long LastOffset, int OffsetDelta, long Timestamp)
{
    /// <summary>Offset of its first record.</summary>
    public long FirstOffset => LastOffset - OffsetDelta;

    /// <summary>Sequence number of its first record; they go from 2³¹−1 to 0.</summary>
    public int FirstSequence => LastSequence < OffsetDelta ? int.MaxValue - (OffsetDelta - LastSequence) + 1 : LastSequence - OffsetDelta;
}

/// <summary>
/// What the log knows of one idempotent or transactional producer: its epoch, its last five batches, and where its open
/// transaction begins. Source: Apache Kafka, <c>ProducerStateEntry</c>.
/// </summary>
public sealed class ProducerEntry
{
    /// <summary>Batches remembered, to know a repeated one: as many as a producer may have in flight.</summary>
    public const int BatchesKept = 5;

    private Ring batches;
    private int first;

    internal ProducerEntry(long producerId) => ProducerId = producerId;

    /// <summary>The producer.</summary>
    public long ProducerId { get; }

    /// <summary>Its epoch; −1 none seen.</summary>
    public short Epoch { get; internal set; } = -1;

    /// <summary>Epoch of the coordinator that last ended a transaction of it; −1 none.</summary>
    public int CoordinatorEpoch { get; internal set; } = -1;

    /// <summary>Time of its last batch or marker; −1 none.</summary>
    public long LastTimestamp { get; internal set; } = -1;

    /// <summary>First offset of its open transaction; −1 none.</summary>
    public long TransactionFirstOffset { get; internal set; } = -1;

    /// <summary>Batches remembered.</summary>
    public int BatchCount { get; private set; }

    /// <summary>The last batch; null if none is remembered.</summary>
    public ProducedBatch? LastBatch => BatchCount == 0 ? null : batches[(first + BatchCount - 1) % BatchesKept];

    /// <summary>Sequence number of its last record; −1 none.</summary>
    public int LastSequence => LastBatch?.LastSequence ?? -1;

    internal void SetEpoch(short epoch)
    {
        if (Epoch == epoch)
            return;
        BatchCount = 0;
        Epoch = epoch;
    }

    internal void Add(ProducedBatch batch)
    {
        if (BatchCount == BatchesKept)
            first = (first + 1) % BatchesKept;
        else
            BatchCount++;
        batches[(first + BatchCount - 1) % BatchesKept] = batch;
        LastTimestamp = batch.Timestamp;
    }

    internal ProducedBatch? Find(int firstSequence, int lastSequence)
    {
        for (var i = 0; i < BatchCount; i++)
            if (batches[(first + i) % BatchesKept] is var batch && batch.FirstSequence == firstSequence && batch.LastSequence == lastSequence)
                return batch;
        return null;
    }

    [InlineArray(BatchesKept)]
    private struct Ring
    {
        private ProducedBatch element;
    }
}
