using Bench.Disk;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Index;
using Bench.SegmentLog.Producers;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog;

/// <summary>
/// Opens the files of a log after a clean or an unclean stop, step by step as Kafka's <c>LogLoader</c> does, so that
/// both come to the same log from the same files.
/// <para>
/// It is stricter where Kafka goes on with what nobody can read, and keeps all that Kafka keeps readable:
/// after a clean stop, bytes behind the last whole batch are cut (Kafka appends behind them, or throws); indexes that
/// cannot be those of the log are made again when they are first used (Kafka uses them); a damaged epoch checkpoint or
/// transaction index is taken for a missing one (Kafka does not start). Batches before Kafka 0.11 are refused.
/// After an unclean one, segments are kept behind one that was cut if they begin where it ends now: what went was what
/// the file had ahead, or a part of an append that is not in the next segment either (Kafka deletes them).
/// </para>
/// <para>
/// What it cuts and removes is durable before the log takes appends: else the next power cut could bring it back, in the
/// middle of what was written since.
/// </para>
/// </summary>
internal sealed class LogLoader(IStorage storage, string folder, LogConfig config, LogOpenOptions options, long nowMs)
{
    private const int SectorBytes = 512;

    private readonly SortedList<long, Segment> segments = [];
    private readonly LeaderEpochs epochs = new(storage, folder);
    private readonly List<RecoveredSegment> recovered = [];
    private readonly List<long> removed = [];
    private readonly List<string> notes = [];
    private long recoveryFloor;
    private bool namesChanged;
    private readonly BatchScanner scanner = new();
    private Segment? splitOff;
    private readonly ProducerReplay replay = new(nowMs);

    internal LeaderEpochs Epochs => epochs;

    internal ProducerStates Producers { get; private set; } = null!;

    internal IReadOnlyList<Segment> Segments => [.. segments.Values];

    internal long LogStartOffset { get; private set; }

    /// <summary>Does it.</summary>
    /// <exception cref="CorruptLogException">The log is of a format that is not read here.</exception>
    internal RecoveryReport Load()
    {
        try
        {
            return LoadAll();
        }
        catch (Exception exception)
        {
            if (exception is DiskException)
                NoteFailure(storage, folder);
            foreach (var segment in segments.Values)
                segment.Release();
            throw;
        }
    }

    /// <summary>Leaves word for the next opening, if there is room for a name; not durably: a restart forgets the page cache too.</summary>
    internal static void NoteFailure(IStorage storage, string folder)
    {
        try
        {
            var path = Path.Combine(folder, LogFiles.FlushFailed);
            if (!storage.Exists(path))
                storage.Open(path, OpenMode.Write | OpenMode.Create).Dispose();
        }
        catch (IOException)
        {
            // Whoever opens the log without a restart of the machine reads what the page cache shows.
        }
    }

    private RecoveryReport LoadAll()
    {
        FinishInterruptedWork();
        LoadEpochs();
        LoadSegments();
        var (recoveryPoint, endOffset) = RecoverLog();
        var changed = epochs.TruncateFromEnd(endOffset);
        LogStartOffset = Math.Max(options.LogStartOffset, segments.GetKeyAtIndex(0));
        changed |= epochs.TruncateFromStart(options.LogStartOffset);
        if (changed)
            epochs.Save();
        epochs.CreateFile();
        Producers = new ProducerStates(storage, folder, config.ProducerIdExpirationMs);
        if (!options.CleanStop)
            Producers.RemoveTorn();
        Producers.RemoveStray([.. segments.Keys]);
        replay.Rebuild(Producers, Segments, LogStartOffset, endOffset, options.CleanStop);
        if (namesChanged)
            storage.SyncFolder(folder);
        return new RecoveryReport
        {
            CleanStop = options.CleanStop,
            LogEndOffset = endOffset,
            RecoveryPoint = recoveryPoint,
            Segments = [.. segments.Keys],
            ActiveProducers = Producers.Producers.Count,
            FirstUnstableOffset = Producers.FirstUnstableOffset,
            Epochs = [.. epochs.Entries],
            Recovered = recovered,
            Removed = removed,
            Notes = notes,
        };
    }

    private void LoadEpochs()
    {
        try
        {
            epochs.Load();
        }
        catch (CorruptLogException exception)
        {
            notes.Add($"{LeaderEpochs.FileName} was unreadable and is taken for missing: {exception.Reason}");
            epochs.Clear();
        }
    }

    /// <summary>Removes what a deletion or a compaction has left, and completes a compaction that only had to be renamed.</summary>
    private void FinishInterruptedWork()
    {
        var minCleaned = long.MaxValue;
        var swaps = new List<string>();
        foreach (var name in storage.List(folder))
        {
            if (name == LogFiles.Prepared || name.EndsWith(".tmp", StringComparison.Ordinal))
                Remove(name, "");
            else if (name.EndsWith(LogFiles.Deleted, StringComparison.Ordinal))
                Remove(name, "");
            else if (name.EndsWith(LogFiles.Cleaned, StringComparison.Ordinal))
            {
                if (OffsetBefore(name) is { } offset)
                    minCleaned = Math.Min(minCleaned, offset);
                Remove(name, "the compaction that made it had not ended");
            }
            else if (name.EndsWith(LogFiles.Swap, StringComparison.Ordinal))
                swaps.Add(name);
        }
        // A compaction that was making new files had not begun to replace old ones of the same offsets.
        foreach (var name in swaps.Where(name => OffsetBefore(name) >= minCleaned).ToArray())
        {
            Remove(name, "the compaction that made it had not ended");
            swaps.Remove(name);
        }
        CompleteSwap(swaps);
    }

    private void CompleteSwap(List<string> swaps)
    {
        var (from, to) = (long.MaxValue, long.MinValue);
        foreach (var name in swaps)
        {
            if (LogFiles.OffsetOf(name, LogFiles.Log + LogFiles.Swap) is not { } offset)
                continue;
            var segment = Segment.Open(storage, folder, offset, config, nowMs, OpenMode.Read, LogFiles.Swap);
            scanner.Begin(segment.File, 0, segment.SizeBytes, ScanDepth.Headers);
            var next = offset;
            while (scanner.Next() == ScanStep.Batch)
                next = scanner.Current.NextOffset;
            segment.Release();
            (from, to) = (Math.Min(from, offset), Math.Max(to, next));
        }
        foreach (var name in storage.List(folder))
            if (!name.EndsWith(LogFiles.Swap, StringComparison.Ordinal) && OffsetBefore(name) is { } offset && offset >= from && offset < to)
                Remove(name, "a compacted segment takes its place");
        foreach (var name in swaps)
            storage.Rename(Path.Combine(folder, name), Path.Combine(folder, name[..^LogFiles.Swap.Length]));
    }

    private void LoadSegments()
    {
        var names = storage.List(folder).Order(StringComparer.Ordinal).ToArray();
        recoveryFloor = names.Select(name => LogFiles.OffsetOf(name, LogFiles.Log)).OfType<long>()
            .Where(offset => offset <= options.RecoveryPoint).DefaultIfEmpty(long.MinValue).Max();
        foreach (var name in names)
        {
            foreach (var kind in (string[])[LogFiles.OffsetIndex, LogFiles.TimeIndex, LogFiles.TransactionIndex])
                if (LogFiles.OffsetOf(name, kind) is { } orphan && !storage.Exists(Path.Combine(folder, LogFiles.Name(orphan, LogFiles.Log))))
                    Remove(name, "it has no log");
            if (LogFiles.OffsetOf(name, LogFiles.Log) is not { } baseOffset)
                continue;
            var segment = Segment.Open(storage, folder, baseOffset, config, nowMs, OpenMode.Write);
            // Those that are recovered anyway wait for it: one before them may end in what only that will cut.
            if (IsUnflushed(baseOffset))
            {
                segments.Add(baseOffset, segment);
                continue;
            }
            string? reason = null;
            if (!storage.Exists(segment.PathOf(LogFiles.OffsetIndex)))
                reason = "its offset index is missing";
            else
                try
                {
                    _ = segment.Transactions;
                }
                catch (CorruptLogException exception)
                {
                    reason = $"its transaction index is damaged: {exception.Reason}";
                }
            try
            {
                // Not among the segments yet: what its producers did before it is in those.
                if (reason is not null)
                    RecoverSegment(segment, reason);
            }
            catch
            {
                segment.Release();
                throw;
            }
            segments.Add(baseOffset, segment);
            if (TakeSplitOff() is { } misfit)
                RecoverSegment(misfit, "its batch did not fit the segment that it was in");
        }
    }

    /// <summary>Takes a segment that a recovery has made among the others.</summary>
    private Segment? TakeSplitOff()
    {
        if (splitOff is not { } made)
            return null;
        splitOff = null;
        segments.Add(made.BaseOffset, made);
        return made;
    }

    private (long RecoveryPoint, long EndOffset) RecoverLog()
    {
        if (!options.CleanStop)
            RecoverUnflushed();
        if (segments.Count == 0)
        {
            var file = storage.Open(Path.Combine(folder, LogFiles.Name(options.LogStartOffset, LogFiles.Log)), OpenMode.Write | OpenMode.Create);
            segments.Add(options.LogStartOffset, Segment.Create(storage, folder, options.LogStartOffset, config, file, nowMs));
        }
        var last = segments.GetValueAtIndex(segments.Count - 1);
        var endOffset = last.NextOffset(out var endBytes);
        if (endBytes < last.SizeBytes)
        {
            notes.Add(FormattableString.Invariant($"{last.SizeBytes - endBytes} bytes behind the last whole batch of segment {last.BaseOffset} were cut, though the stop was clean"));
            last.SetSize(endBytes);
        }
        if (endOffset < options.LogStartOffset)
        {
            notes.Add(FormattableString.Invariant($"all segments were removed: they end at {endOffset}, and the log starts at {options.LogStartOffset}"));
            foreach (var segment in segments.Values.ToArray())
                RemoveSegment(segment);
            epochs.Clear();
            epochs.Save();
            return RecoverLog();
        }
        return (options.CleanStop ? endOffset : Math.Min(options.RecoveryPoint, endOffset), endOffset);
    }

    private void RecoverUnflushed()
    {
        var unflushed = ProducerReplay.From(Segments, options.RecoveryPoint).ToList();
        var failure = Path.Combine(folder, LogFiles.FlushFailed);
        if (storage.Exists(failure))
        {
            notes.Add("a write or flush had failed: what was not durable then was read from the device again");
            foreach (var segment in unflushed)
                segment.File.DropCache();
            storage.Delete(failure);
        }
        for (var i = 0; i < unflushed.Count; i++)
        {
            var done = RecoverSegment(unflushed[i], "the stop was not clean");
            if (TakeSplitOff() is { } misfit)
                unflushed.Insert(unflushed.FindLastIndex(segment => segment.BaseOffset < misfit.BaseOffset) + 1, misfit);
            if (i == unflushed.Count - 1 || !IsLoss(done, unflushed[i + 1].BaseOffset))
                continue;
            foreach (var later in unflushed[(i + 1)..])
                RemoveSegment(later);
            break;
        }
        foreach (var segment in segments.Values.Where(segment => segment.WasCut))
            segment.Flush();
        // A process that was killed in a cut, or in a recovery, may have left a length that only the page cache has: before
        // anything is called durable, it is flushed. Of the segments before the recovery point, only the last was cut.
        foreach (var segment in segments.Values.Where(segment => segment.BaseOffset >= recoveryFloor).Append(segments.Values.LastOrDefault()))
            segment?.MarkCut();
        // Snapshots that lie behind what is there now are gone as well.
        namesChanged = true;
    }

    private bool IsLoss(RecoveredSegment segment, long nextBaseOffset)
    {
        if (segment.NextOffset == nextBaseOffset)
            return false;
        if (segment.BytesTruncated == 0)
            notes.Add(FormattableString.Invariant($"offsets {segment.NextOffset} to {nextBaseOffset - 1} are missing between segments {segment.BaseOffset} and {nextBaseOffset}"));
        return segment.BytesTruncated > 0 || options.Gaps == OffsetGaps.Lost;
    }

    /// <summary>Checks every batch of a segment, cuts it at the first damage, and makes all that follows from it again.</summary>
    private RecoveredSegment RecoverSegment(Segment segment, string reason)
    {
        var producers = new ProducerStates(storage, folder, config.ProducerIdExpirationMs);
        replay.Rebuild(producers, Segments, options.LogStartOffset, segment.BaseOffset, reloadFromCleanStop: false);
        var indexes = new IndexMaker(segment.BaseOffset, config);
        var aborted = new TransactionIndex();
        var before = segment.SizeBytes;
        var next = segment.BaseOffset;
        var newEpochs = false;
        var damage = "";
        scanner.Begin(segment.File, 0, before, ScanDepth.Checksums);
        while (scanner.Next() is var step)
        {
            if (step != ScanStep.Batch)
            {
                damage = scanner.Reason;
                break;
            }
            var batch = scanner.Current;
            if (batch.BaseOffset < next && LacksFirstSector(batch.BaseOffset))
            {
                damage = FormattableString.Invariant($"a batch begins at offset {batch.BaseOffset}, and the one before it ends at {next}: its first sector was not written");
                break;
            }
            if (!segment.Holds(batch.LastOffset))
            {
                if (scanner.Position + scanner.SizeBytes == before && TrySplitOff(segment, batch))
                {
                    before = scanner.Position;
                    segment.SetSize(before);
                    break;
                }
                damage = FormattableString.Invariant($"a batch ends at offset {batch.LastOffset}, which does not fit a segment from {segment.BaseOffset}");
                break;
            }
            try
            {
                if (batch.HasProducerId && ProducerReplay.Note(producers, scanner) is { } ended)
                    End(producers, aborted, ended);
            }
            catch (CorruptLogException exception)
            {
                damage = exception.Reason;
                break;
            }
            indexes.Add(batch);
            if (batch.LeaderEpoch > epochs.Latest)
                newEpochs |= epochs.Assign(batch.LeaderEpoch, batch.BaseOffset);
            next = batch.NextOffset;
            producers.EndOffset = next;
        }
        if (scanner.IsLegacy)
            throw new CorruptLogException(segment.File.Path, scanner.Position, scanner.Reason) { IsLegacy = true };
        indexes.End();
        var after = scanner.Position;
        if (after < before)
            segment.SetSize(after);
        segment.SetIndexes(indexes.Offsets, indexes.Times, aborted, indexes.Largest);
        segment.WriteIndexes(durably: false);
        if (newEpochs)
            epochs.Save();
        producers.TakeSnapshot();
        var done = new RecoveredSegment(segment.BaseOffset, before, after, next, reason, damage);
        recovered.RemoveAll(earlier => earlier.BaseOffset == segment.BaseOffset && earlier.BytesTruncated == 0);
        recovered.Add(done);
        return done;
    }

    /// <summary>
    /// Gives a segment's last batch a segment of its own, where its offset is too large to be told from the base offset,
    /// as Kafka splits a segment that has outgrown its indexes (KAFKA-6264).
    /// </summary>
    private bool TrySplitOff(Segment segment, BatchView batch)
    {
        var path = Path.Combine(folder, LogFiles.Name(batch.BaseOffset, LogFiles.Log));
        if (batch.BaseOffset <= segment.BaseOffset || batch.LastOffset < batch.BaseOffset || batch.LastOffset == long.MaxValue || segments.ContainsKey(batch.BaseOffset) || storage.Exists(path))
            return false;
        using (var file = storage.Open(path, OpenMode.Write | OpenMode.Create))
        {
            // Durable before it is cut off the old one.
            var piece = new byte[Math.Min(scanner.SizeBytes, 1 << 20)];
            for (var at = 0; at < scanner.SizeBytes; at += piece.Length)
                file.Write(piece.AsSpan(0, segment.File.Read(piece.AsSpan(0, Math.Min(piece.Length, scanner.SizeBytes - at)), scanner.Position + at)), at);
            file.Fdatasync();
        }
        storage.SyncFolder(folder);
        notes.Add(FormattableString.Invariant($"the last batch of segment {segment.BaseOffset} has a segment of its own now: it begins at offset {batch.BaseOffset}"));
        splitOff = Segment.Open(storage, folder, batch.BaseOffset, config, nowMs, OpenMode.Write);
        return true;
    }

    private static void End(ProducerStates producers, TransactionIndex aborted, EndedTransaction ended)
    {
        if (ended.IsAborted)
            aborted.Add(new AbortedTransaction(ended.ProducerId, ended.FirstOffset, ended.LastOffset, producers.LastStableOffset(ended)));
        producers.Complete(ended);
    }

    private bool IsUnflushed(long baseOffset) => !options.CleanStop && baseOffset >= recoveryFloor;

    /// <summary>
    /// The base offset lies outside the checksum. Of a batch whose first bytes end a sector that did not reach the device
    /// they are 0, and the length and all the rest may be right: a sound checksum, and an offset that falls. (Of one that
    /// is there twice the offset falls too; Kafka keeps it, and so does this.)
    /// </summary>
    private bool LacksFirstSector(long baseOffset)
    {
        var inFirst = SectorBytes - (int)(scanner.Position % SectorBytes);
        return inFirst < BatchView.LeaderEpochAt && (inFirst >= sizeof(long) ? baseOffset == 0 : baseOffset >>> (64 - 8 * inFirst) == 0);
    }

    private void RemoveSegment(Segment segment)
    {
        segments.Remove(segment.BaseOffset);
        segment.Release();
        Segment.Delete(storage, folder, segment.BaseOffset, "");
        storage.Delete(Path.Combine(folder, LogFiles.Name(segment.BaseOffset, ProducerSnapshot.Suffix)));
        removed.Add(segment.BaseOffset);
        namesChanged = true;
    }

    private void Remove(string name, string why)
    {
        storage.Delete(Path.Combine(folder, name));
        namesChanged |= why.Length > 0;
        if (why.Length > 0)
            notes.Add($"{name} was removed: {why}");
    }

    /// <summary>The number before the first dot of a name.</summary>
    private static long? OffsetBefore(string name) =>
        name.IndexOf('.', StringComparison.Ordinal) is var dot and > 0 ? LogFiles.OffsetOf(name[..dot], "") : null;
}
