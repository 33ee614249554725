using Bench.SegmentLog.Format;
using Bench.SegmentLog.Index;
using Bench.SegmentLog.Producers;

namespace Bench.SegmentLog;

/// <summary>
/// Follows the transactions of a log while it is cleaned, and decides which batches may go: those of aborted ones at
/// once, a marker once nothing of its transaction was met. Source: Apache Kafka, <c>CleanedTransactionMetadata</c>.
/// </summary>
/// <param name="aborted">The aborted transactions of the range that is gone through.</param>
internal sealed class CleanedTransactions(IEnumerable<AbortedTransaction> aborted)
{
    private readonly Queue<AbortedTransaction> ahead = new(aborted.OrderBy(transaction => transaction.FirstOffset));
    private readonly Dictionary<long, (AbortedTransaction Transaction, bool HasData)> ongoingAborted = [];
    private readonly HashSet<long> ongoingCommitted = [];

    /// <summary>Takes note of a data batch.</summary>
    /// <returns>True if it belongs to a transaction that was aborted.</returns>
    internal bool IsAborted(BatchView batch)
    {
        BeginUpTo(batch.LastOffset);
        if (!batch.IsTransactional)
            return false;
        if (ongoingAborted.TryGetValue(batch.ProducerId, out var ongoing) && batch.BaseOffset <= ongoing.Transaction.LastOffset)
        {
            ongoingAborted[batch.ProducerId] = ongoing with { HasData = true };
            return true;
        }
        ongoingCommitted.Add(batch.ProducerId);
        return false;
    }

    /// <summary>Takes note of a control batch.</summary>
    /// <param name="batch">The whole batch.</param>
    /// <param name="kept">Gets the aborted transaction if its marker stays for its data's sake.</param>
    /// <returns>True if the marker has no data left that needs it.</returns>
    internal bool IsMarkerUnneeded(BatchView batch, TransactionIndex? kept)
    {
        BeginUpTo(batch.LastOffset);
        // What an earlier compaction has left of a marker.
        if (batch.RecordCount == 0)
            return true;
        if (ControlRecord.Parse(batch) is not { } marker)
            return false;
        // An abort ends one too that is not known as aborted any more, because it began before the log does.
        var hadData = ongoingCommitted.Remove(batch.ProducerId);
        if (!marker.IsAbort)
            return !hadData;
        if (!ongoingAborted.Remove(batch.ProducerId, out var ended) || !ended.HasData)
            return true;
        kept?.Add(ended.Transaction);
        return false;
    }

    private void BeginUpTo(long offset)
    {
        while (ahead.TryPeek(out var transaction) && transaction.FirstOffset <= offset)
        {
            ahead.Dequeue();
            if (!ongoingAborted.TryGetValue(transaction.ProducerId, out var before) || before.Transaction.LastOffset < transaction.FirstOffset)
                ongoingAborted[transaction.ProducerId] = (transaction, false);
        }
    }
}
