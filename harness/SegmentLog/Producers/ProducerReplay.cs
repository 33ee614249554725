using Bench.SegmentLog.Format;

namespace Bench.SegmentLog.Producers;

/// <summary>
/// Knows the producers of a log at an offset again: from the newest snapshot before it and the batches since, step by
/// step as Kafka's <c>UnifiedLog.rebuildProducerState</c>, so that the same snapshots are taken on the way.
/// </summary>
internal sealed class ProducerReplay(long nowMs)
{
    private readonly BatchScanner scanner = new();

    /// <summary>Rebuilds.</summary>
    /// <param name="producers">Gets the states.</param>
    /// <param name="segments">The segments, oldest first.</param>
    /// <param name="logStartOffset">Where the log starts.</param>
    /// <param name="endOffset">At which offset.</param>
    /// <param name="reloadFromCleanStop">The log was closed properly: if there is no snapshot, there were no producers.</param>
    /// <exception cref="CorruptLogException">A transaction's marker is damaged; Kafka does not open such a log either.</exception>
    internal void Rebuild(ProducerStates producers, IReadOnlyList<Segment> segments, long logStartOffset, long endOffset, bool reloadFromCleanStop)
    {
        var snapshotAt = segments.TakeLast(2).Select(segment => segment.BaseOffset).Append(endOffset).ToArray();
        if (!producers.HasSnapshot && reloadFromCleanStop)
        {
            foreach (var offset in snapshotAt)
            {
                producers.EndOffset = offset;
                producers.TakeSnapshot();
            }
            return;
        }
        var wasEmptyAndPast = producers.IsEmpty && producers.EndOffset >= endOffset;
        producers.TruncateAndReload(logStartOffset, endOffset, nowMs);
        producers.ForgetOpen((firstOffset, producerId) => !IsThere(segments, firstOffset, producerId, producers.EndOffset));
        if (endOffset > producers.EndOffset && !wasEmptyAndPast)
        {
            var floor = segments.LastOrDefault(segment => segment.BaseOffset <= endOffset);
            foreach (var segment in From(segments, producers.EndOffset).Where(segment => segment.BaseOffset < endOffset).ToArray())
            {
                var start = Math.Max(Math.Max(segment.BaseOffset, producers.EndOffset), logStartOffset);
                producers.EndOffset = start;
                if (snapshotAt.Contains(segment.BaseOffset))
                    producers.TakeSnapshot();
                var end = segment == floor ? segment.Find(endOffset)?.Position ?? segment.SizeBytes : segment.SizeBytes;
                if (segment.Find(start) is { } first)
                    Replay(producers, segment, first.Position, end);
            }
        }
        producers.EndOffset = endOffset;
        producers.TakeSnapshot();
    }

    /// <summary>Segments that hold offsets from one on.</summary>
    internal static IEnumerable<Segment> From(IReadOnlyList<Segment> segments, long offset)
    {
        var floor = segments.LastOrDefault(segment => segment.BaseOffset <= offset)?.BaseOffset ?? long.MinValue;
        return segments.Where(segment => segment.BaseOffset >= floor);
    }

    /// <summary>Notes a scanner's batch: of data the header says it all, of a marker the record does.</summary>
    internal static EndedTransaction? Note(ProducerStates producers, BatchScanner scanner)
    {
        if (!scanner.Current.IsControl)
            return producers.Note(scanner.Current);
        return scanner.TryGetWhole(out var whole) ? producers.Note(whole) : throw new CorruptLogException("a marker is larger than any");
    }

    /// <summary>
    /// Whether anything is left of a transaction that a snapshot has as open. If not, a compaction has taken it out of the
    /// log since, with its marker, and nothing would ever end it. (In Kafka it stays open, and holds the last stable offset.)
    /// </summary>
    private bool IsThere(IReadOnlyList<Segment> segments, long firstOffset, long producerId, long endOffset)
    {
        if (segments.Count == 0 || firstOffset < segments[0].BaseOffset)
            return true;
        foreach (var segment in From(segments, firstOffset).Where(segment => segment.BaseOffset < endOffset))
        {
            if (segment.Find(firstOffset) is not { } place)
                continue;
            scanner.Begin(segment.File, place.Position, segment.SizeBytes, ScanDepth.Headers);
            // Mostly it is the first: what is open is not compacted.
            while (scanner.Next() == ScanStep.Batch && scanner.Current.BaseOffset < endOffset)
                if (scanner.Current.ProducerId == producerId && scanner.Current is { IsTransactional: true, IsControl: false })
                    return true;
        }
        return false;
    }

    private void Replay(ProducerStates producers, Segment segment, long from, long to)
    {
        scanner.Begin(segment.File, from, to, ScanDepth.Headers);
        try
        {
            while (scanner.Next() == ScanStep.Batch)
                if (scanner.Current.HasProducerId && Note(producers, scanner) is { } ended)
                    producers.Complete(ended);
        }
        catch (CorruptLogException exception)
        {
            throw exception.At(segment.File.Path, scanner.Position);
        }
    }
}
