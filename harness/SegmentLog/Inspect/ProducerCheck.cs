using System.Buffers.Binary;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Index;
using Bench.SegmentLog.Producers;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog.Inspect;

/// <summary>
/// Follows the producers through the log, and holds the transaction indexes and the snapshots against what they did. That
/// is possible as long as it is known what they had done before, and nothing is missing in between.
/// </summary>
internal sealed class ProducerCheck(IStorage storage, string folder, int mostProducers, LogVerifier verifier) : IDisposable
{
    // What the verifier holds of a snapshot.
    private const long MostSnapshotBytes = 64 << 20;

    private readonly Queue<long> snapshots = new();
    private readonly List<(string File, long Position, string Sentence)> differences = [];
    private ProducerStates producers = null!;
    private string? lost;
    private string transactionIndex = "";
    private EntryFile? aborted;
    private long segmentStart;
    private bool followsIndex;

    /// <summary>Begins at the first segment, with its snapshot if there is one.</summary>
    internal void Begin(string[] names, IReadOnlyList<long> segments)
    {
        producers = new ProducerStates(storage, folder, long.MaxValue);
        var first = segments.Count > 0 ? segments[0] : 0;
        foreach (var offset in names.Select(name => LogFiles.OffsetOf(name, ProducerSnapshot.Suffix)).OfType<long>().Order())
            snapshots.Enqueue(offset);
        while (snapshots.TryPeek(out var early) && early < first)
            verifier.Note(LogVerifier.Say($"{LogFiles.Name(snapshots.Dequeue(), ProducerSnapshot.Suffix)} is of before the first segment; the next opening removes it"));
        if (first == 0)
            return;
        if (snapshots.TryPeek(out var offsetOfFirst) && offsetOfFirst == first && Read(first) is { } known)
            producers.Load(known, first);
        else
            Lose($"there is no snapshot of the producers at the first segment, {first}");
        if (snapshots.TryPeek(out var read) && read == first)
            snapshots.Dequeue();
    }

    /// <summary>From here on nobody can tell what the producers did.</summary>
    internal void Lose(string why)
    {
        if (lost is not null)
            return;
        lost = why;
        verifier.Note($"transactions and snapshots from there on are only looked at, not compared: {why}");
    }

    public void Dispose() => aborted?.Dispose();

    internal void BeginSegment(string transactionIndexPath)
    {
        transactionIndex = transactionIndexPath;
        segmentStart = LogFiles.OffsetOf(Path.GetFileName(transactionIndexPath), LogFiles.TransactionIndex) ?? 0;
        aborted = new EntryFile(storage, transactionIndexPath, TransactionIndex.EntryBytes);
        followsIndex = true;
        if (aborted.LengthBytes % TransactionIndex.EntryBytes != 0)
            verifier.Fault(transactionIndexPath, aborted.LengthBytes / TransactionIndex.EntryBytes * TransactionIndex.EntryBytes, LogVerifier.Say($"{aborted.LengthBytes} bytes are no multiple of {TransactionIndex.EntryBytes}"));
    }

    /// <summary>Notes a batch; a snapshot at its first offset tells what was before it.</summary>
    internal void Batch(string path, BatchScanner scanner, bool isSound)
    {
        CompareSnapshots(scanner.Current.BaseOffset);
        if (lost is not null || !scanner.Current.HasProducerId)
            return;
        if (!isSound)
        {
            Lose($"a batch in {Path.GetFileName(path)} is damaged");
            return;
        }
        if (producers.Producers.Count >= mostProducers && producers.Find(scanner.Current.ProducerId) is null)
        {
            Lose(LogVerifier.Say($"there are more than {mostProducers} producers"));
            return;
        }
        try
        {
            if (ProducerReplay.Note(producers, scanner) is not { } ended)
                return;
            if (ended.IsAborted)
                Compare(new AbortedTransaction(ended.ProducerId, ended.FirstOffset, ended.LastOffset, producers.LastStableOffset(ended)));
            producers.Complete(ended);
            producers.ForgetEndedBelow(long.MaxValue);
        }
        catch (CorruptLogException exception)
        {
            verifier.Fault(path, scanner.Position, exception.Reason);
            Lose($"a marker in {Path.GetFileName(path)} is damaged");
        }
    }

    internal void EndSegment(bool isWhole)
    {
        // What is left is of no marker, unless the markers could not be followed.
        while (aborted!.HasEntry)
        {
            if (TryRead(out var entry) && isWhole && lost is null && followsIndex)
                Differ(transactionIndex, aborted.Position, LogVerifier.Say($"no marker in the segment aborts the transaction of producer {entry.ProducerId} from offset {entry.FirstOffset} to {entry.LastOffset}"));
            aborted.Next();
        }
        aborted.Dispose();
    }

    /// <summary>Tells the differences: faults, or in a log with gaps no more than that they cannot be told.</summary>
    internal void End(long endOffset, bool hasGaps)
    {
        CompareSnapshots(endOffset);
        while (snapshots.TryDequeue(out var after))
            verifier.Fault(PathOf(after), 0, LogVerifier.Say($"the snapshot is of offset {after}, and the log ends at {endOffset}"));
        if (differences.Count > 0 && hasGaps)
            verifier.Note(LogVerifier.Say($"{differences.Count} entries of transaction indexes and snapshots cannot be held against the log, from which records were removed"));
        else
            foreach (var (file, position, sentence) in differences)
                verifier.Fault(file, position, sentence);
    }

    private void Compare(AbortedTransaction expected)
    {
        if (!followsIndex)
            return;
        if (!aborted!.HasEntry)
        {
            Differ(transactionIndex, aborted.LengthBytes, LogVerifier.Say($"the transaction of producer {expected.ProducerId} that was aborted at offset {expected.LastOffset} is missing"));
            followsIndex = false;
            return;
        }
        if (TryRead(out var entry) && entry != expected)
        {
            Differ(transactionIndex, aborted.Position, LogVerifier.Say($"an entry is {Tell(entry)}, and by the log it is {Tell(expected)}"));
            // One that is missing or too many would make all that follow look wrong.
            followsIndex = entry.LastOffset == expected.LastOffset;
        }
        aborted.Next();

        static string Tell(AbortedTransaction entry) =>
            LogVerifier.Say($"producer {entry.ProducerId} from {entry.FirstOffset} to {entry.LastOffset} with last stable offset {entry.LastStableOffset}");
    }

    private bool TryRead(out AbortedTransaction entry)
    {
        var bytes = aborted!.Entry;
        entry = new AbortedTransaction(
            BinaryPrimitives.ReadInt64BigEndian(bytes[2..]), BinaryPrimitives.ReadInt64BigEndian(bytes[10..]),
            BinaryPrimitives.ReadInt64BigEndian(bytes[18..]), BinaryPrimitives.ReadInt64BigEndian(bytes[26..]));
        if (BinaryPrimitives.ReadInt16BigEndian(bytes) is var version and not 0)
            verifier.Fault(transactionIndex, aborted.Position, LogVerifier.Say($"an entry has version {version}, and only 0 is known"));
        else if (entry.LastOffset < segmentStart || entry.FirstOffset > entry.LastOffset)
            verifier.Fault(transactionIndex, aborted.Position, LogVerifier.Say($"a transaction from offset {entry.FirstOffset} to {entry.LastOffset} in the index of segment {segmentStart}"));
        else
            return true;
        return false;
    }

    private void CompareSnapshots(long upTo)
    {
        while (snapshots.TryPeek(out var offset) && offset <= upTo)
        {
            snapshots.Dequeue();
            if (Read(offset) is { } entries && lost is null)
                Compare(offset, entries);
        }
    }

    /// <summary>A producer that the snapshot has must be as the log says; one that it has not may have expired.</summary>
    private void Compare(long offset, List<ProducerEntry> entries)
    {
        var path = PathOf(offset);
        var seen = new HashSet<long>();
        foreach (var entry in entries)
        {
            if (!seen.Add(entry.ProducerId))
                Differ(path, 0, LogVerifier.Say($"producer {entry.ProducerId} is in the snapshot twice"));
            else if (producers.Find(entry.ProducerId) is not { } known)
                Differ(path, 0, LogVerifier.Say($"producer {entry.ProducerId} is in the snapshot and not in the log"));
            else if (Tell(entry, entry.CoordinatorEpoch) is var told && Tell(known, entry.CoordinatorEpoch == -1 ? -1 : known.CoordinatorEpoch) is var expected && told != expected)
                Differ(path, 0, LogVerifier.Say($"producer {entry.ProducerId} is {told} in the snapshot, and {expected} in the log"));
        }
        foreach (var producer in producers.Producers)
            if (producer.TransactionFirstOffset >= 0 && !seen.Contains(producer.ProducerId))
                Differ(path, 0, LogVerifier.Say($"producer {producer.ProducerId} has a transaction open and is not in the snapshot"));

        static string Tell(ProducerEntry producer, int coordinatorEpoch) => LogVerifier.Say(
            $"at epoch {producer.Epoch}, sequence {producer.LastSequence}, offset {producer.LastBatch?.LastOffset ?? -1}, time {producer.LastTimestamp}, coordinator epoch {coordinatorEpoch}, transaction from {producer.TransactionFirstOffset}");
    }

    private List<ProducerEntry>? Read(long offset)
    {
        try
        {
            return ProducerSnapshot.Parse(SmallFile.Read(storage, PathOf(offset), MostSnapshotBytes), PathOf(offset));
        }
        catch (CorruptLogException exception)
        {
            verifier.Fault(PathOf(offset), Math.Max(0, exception.Position), exception.Reason);
            return null;
        }
    }

    private void Differ(string file, long position, string sentence)
    {
        if (differences.Count < 1000)
            differences.Add((file, position, sentence));
    }

    private string PathOf(long offset) => Path.Combine(folder, LogFiles.Name(offset, ProducerSnapshot.Suffix));
}
