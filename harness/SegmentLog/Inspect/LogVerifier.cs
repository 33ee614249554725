using System.Globalization;
using System.Text;
using Bench.Disk;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Index;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog.Inspect;

/// <summary>Something in a partition's folder that is not as it has to be.</summary>
/// <param name="File">Path of the file.</param>
/// <param name="Position">Byte in it.</param>
/// <param name="Sentence">What is wrong, without a full stop.</param>
public sealed record LogFault(string File, long Position, string Sentence)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{File} at byte {Position}: {Sentence}");
}

/// <summary>What a verification found.</summary>
public sealed record LogVerification
{
    /// <summary>The faults, in the order of the log; no more than <see cref="LogVerifierOptions.MostFaults"/>.</summary>
    public required IReadOnlyList<LogFault> Faults { get; init; }

    /// <summary>All faults, also those that were too many to be listed.</summary>
    public required long FaultCount { get; init; }

    /// <summary>What is worth knowing and no fault, one sentence each.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>The offset after the last batch; of a log directory 0.</summary>
    public required long EndOffset { get; init; }

    /// <summary>Segments looked at.</summary>
    public required int Segments { get; init; }

    /// <summary>Batches looked at.</summary>
    public required long Batches { get; init; }

    /// <summary>Records looked at.</summary>
    public required long Records { get; init; }

    /// <summary>Bytes of log looked at.</summary>
    public required long Bytes { get; init; }
}

/// <summary>How a verification goes about it.</summary>
public sealed record LogVerifierOptions
{
    /// <summary>The file system.</summary>
    public IStorage Storage { get; init; } = DiskStorage.Instance;

    /// <summary>Most bytes that a batch may have, compressed or not, for its records to be looked at.</summary>
    public int MaxBatchBytes { get; init; } = 256 << 20;

    /// <summary>Most producers that are followed through the log; with more of them, transactions and snapshots are not compared.</summary>
    public int MostProducers { get; init; } = 1_000_000;

    /// <summary>Most faults, and most notes, that are listed.</summary>
    public int MostFaults { get; init; } = 1000;
}

/// <summary>
/// Looks at everything in a partition's folder, and writes nothing: checksums and records; that offsets increase within
/// and between segments and stay with the file's name; that index entries point at batches and agree with them; that the
/// transaction index, the producer snapshots and the leader epochs follow from the log.
/// <para>
/// What a sound log may have for good reasons is no fault: offsets that compaction has taken out, producers that have
/// expired, files that wait for their removal. Where gaps make it impossible to tell what transactions and producers
/// there were, those are not compared, and a note says so.
/// </para>
/// </summary>
public sealed class LogVerifier : IDisposable
{
    private readonly string folder;
    private readonly LogVerifierOptions options;
    private readonly IStorage storage;
    private readonly List<LogFault> faults = [];
    private readonly List<string> notes = [];
    private readonly RecordBuffer decompressed = new();
    private readonly List<EpochEntry> epochs = [];
    private readonly List<(string File, long From, long To)> holes = [];
    private readonly ProducerCheck producers;
    private byte[] large = [];
    private bool epochsKnown;
    private int epochAt;
    private int latestEpoch = -1;
    private bool hasGaps;
    private long faultCount;
    private long batchCount;
    private long recordCount;
    private long byteCount;

    private LogVerifier(string folder, LogVerifierOptions options)
    {
        this.folder = folder;
        this.options = options;
        storage = options.Storage;
        producers = new ProducerCheck(storage, folder, options.MostProducers, this);
    }

    /// <summary>Looks at a folder.</summary>
    /// <param name="folder">The partition's folder.</param>
    /// <param name="options">How.</param>
    /// <exception cref="CorruptLogException">The log is of a format that is not read here.</exception>
    /// <exception cref="DiskException">A file cannot be read.</exception>
    public static LogVerification Verify(string folder, LogVerifierOptions options)
    {
        using var verifier = new LogVerifier(folder, options);
        return verifier.Verify();
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        decompressed.Dispose();
        producers.Dispose();
    }

    internal void Fault(string file, long position, string sentence)
    {
        if (faultCount++ < options.MostFaults)
            faults.Add(new LogFault(file, position, sentence));
    }

    internal void Note(string sentence)
    {
        if (notes.Count < options.MostFaults)
            notes.Add(sentence);
    }

    private LogVerification Verify()
    {
        string[] names = [.. storage.List(folder).Order(StringComparer.Ordinal)];
        LookAtNames(names);
        LoadEpochs(names);
        LookAtPartitionMetadata(names);
        var segments = LogFiles.Segments(storage, folder);
        producers.Begin(names, segments);
        var end = segments.Count > 0 ? segments[0] : 0;
        for (var i = 0; i < segments.Count; i++)
        {
            var path = PathOf(segments[i], LogFiles.Log);
            if (i > 0 && segments[i] < end)
                Fault(path, 0, Say($"the segment's name is {segments[i]}, and the one before it goes up to {end}"));
            else if (i > 0 && segments[i] > end)
                holes.Add((path, end, segments[i]));
            end = LookAtSegment(segments[i], Math.Max(end, segments[i]), i == segments.Count - 1);
        }
        TellHoles();
        TellEpochsAfter(end);
        producers.End(end, hasGaps);
        return new LogVerification
        {
            Faults = faults,
            FaultCount = faultCount,
            Notes = notes,
            EndOffset = end,
            Segments = segments.Count,
            Batches = batchCount,
            Records = recordCount,
            Bytes = byteCount,
        };
    }

    private void LookAtNames(string[] names)
    {
        foreach (var path in LogFiles.Misnamed(storage, folder))
            Fault(path, 0, "it is a folder, and has the name of a segment's file");
        foreach (var name in names)
        {
            if (name == LogFiles.Prepared)
                Note($"{name} was made ahead for the next segment; the next opening removes it");
            else if (name == LogFiles.FlushFailed)
                Note($"{name}: a write or flush has failed; the next opening after an unclean stop reads from the device");
            else if (name.EndsWith(LogFiles.Deleted, StringComparison.Ordinal))
                Note($"{name} waits for its removal");
            else if (name.EndsWith(LogFiles.Cleaned, StringComparison.Ordinal))
                Note($"{name} is of a compaction that has not ended; the next opening removes it");
            else if (name.EndsWith(LogFiles.Swap, StringComparison.Ordinal))
                Note($"{name} is of a compaction that has ended; the next opening puts it in its place");
            else if (name.EndsWith(".tmp", StringComparison.Ordinal))
                Note($"{name} was being written");
            foreach (var kind in (string[])[LogFiles.OffsetIndex, LogFiles.TimeIndex, LogFiles.TransactionIndex])
                if (LogFiles.OffsetOf(name, kind) is { } offset && Array.BinarySearch(names, LogFiles.Name(offset, LogFiles.Log), StringComparer.Ordinal) < 0)
                    Fault(Path.Combine(folder, name), 0, "it has no log");
        }
    }

    private void LoadEpochs(string[] names)
    {
        var path = Path.Combine(folder, LeaderEpochs.FileName);
        if (!names.Contains(LeaderEpochs.FileName))
            return;
        try
        {
            epochs.AddRange(LeaderEpochs.Parse(SmallFile.Read(storage, path, LeaderEpochs.MostBytes), path));
            epochsKnown = true;
        }
        catch (CorruptLogException exception)
        {
            Fault(path, Math.Max(0, exception.Position), exception.Reason);
            return;
        }
        for (var i = 1; i < epochs.Count; i++)
            if (epochs[i].Epoch <= epochs[i - 1].Epoch || epochs[i].StartOffset <= epochs[i - 1].StartOffset)
            {
                Fault(path, 0, Say($"epoch {epochs[i].Epoch} from offset {epochs[i].StartOffset} on comes after epoch {epochs[i - 1].Epoch} from {epochs[i - 1].StartOffset} on"));
                epochsKnown = false;
                return;
            }
    }

    private void LookAtPartitionMetadata(string[] names)
    {
        if (!names.Contains(PartitionMetadata.FileName))
            return;
        try
        {
            PartitionMetadata.Read(storage, folder);
        }
        catch (CorruptLogException exception)
        {
            Fault(Path.Combine(folder, PartitionMetadata.FileName), exception.Position, exception.Reason);
        }
    }

    /// <returns>The offset after its last batch.</returns>
    private long LookAtSegment(long baseOffset, long end, bool isLast)
    {
        using var file = storage.Open(PathOf(baseOffset, LogFiles.Log), OpenMode.Read);
        using var offsets = new OffsetIndexCheck(this, storage, PathOf(baseOffset, LogFiles.OffsetIndex), baseOffset);
        using var times = new TimeIndexCheck(this, storage, PathOf(baseOffset, LogFiles.TimeIndex), baseOffset);
        producers.BeginSegment(PathOf(baseOffset, LogFiles.TransactionIndex));
        var scanner = new BatchScanner();
        var isFirst = true;
        var isWhole = true;
        byteCount += file.LengthBytes;
        scanner.Begin(file, 0, file.LengthBytes, ScanDepth.Checksums);
        while (true)
        {
            var step = scanner.Next();
            if (scanner.IsLegacy)
                throw new CorruptLogException(file.Path, scanner.Position, scanner.Reason) { IsLegacy = true };
            if (step != ScanStep.Batch)
            {
                if (scanner.Reason.Length > 0)
                    Fault(file.Path, scanner.Position, scanner.Reason);
                if (step == ScanStep.End)
                    break;
                producers.Lose($"{LogFiles.Name(baseOffset, LogFiles.Log)} is damaged");
                if (!scanner.TryStepOver())
                {
                    isWhole = false;
                    break;
                }
            }
            batchCount++;
            var batch = scanner.Current;
            var position = scanner.Position;
            if (step == ScanStep.Batch && batch.Magic != BatchView.CurrentMagic)
                Fault(file.Path, position, Say($"a batch says it has magic {batch.Magic}; it is outside the checksum, and only 2 is known"));
            if (isFirst && batch.BaseOffset < baseOffset)
                Fault(file.Path, position, Say($"the first batch begins at offset {batch.BaseOffset}, before the file's name"));
            else if (batch.BaseOffset < end)
                Fault(file.Path, position, Say($"a batch begins at offset {batch.BaseOffset}, and the one before it goes up to {end}"));
            else if (batch.BaseOffset > end && !isFirst)
                hasGaps = true;
            if (batch.LastOffset - baseOffset is < 0 or > int.MaxValue)
                Fault(file.Path, position, Say($"a batch ends at offset {batch.LastOffset}, which does not fit a segment from {baseOffset}"));
            isFirst = false;
            offsets.Batch(position, batch);
            times.Batch(batch);
            LookAtEpoch(file.Path, position, batch);
            if (step == ScanStep.Batch)
            {
                var isSound = LookAtRecords(file, scanner);
                producers.Batch(file.Path, scanner, isSound);
            }
            // One that is far off is one fault, and not one for each after it.
            end = batch.NextOffset;
        }
        offsets.End(file.LengthBytes, isWhole);
        times.End(isWhole, isLast);
        producers.EndSegment(isWhole);
        return end;
    }

    private void LookAtEpoch(string path, long position, BatchView batch)
    {
        var epoch = batch.LeaderEpoch;
        if (epoch < 0)
            return;
        if (epoch < latestEpoch)
            Fault(path, position, Say($"a batch of leader epoch {epoch} comes after one of epoch {latestEpoch}"));
        latestEpoch = epoch;
        if (!epochsKnown)
            return;
        while (epochAt + 1 < epochs.Count && epochs[epochAt + 1].StartOffset <= batch.BaseOffset)
            epochAt++;
        // A checkpoint that begins later says nothing of what was before.
        if (epochs.Count == 0)
            Fault(path, position, Say($"a batch has leader epoch {epoch}, and {LeaderEpochs.FileName} has none"));
        else if (epochs[epochAt].StartOffset <= batch.BaseOffset && epochs[epochAt].Epoch != epoch)
            Fault(path, position, Say($"a batch at offset {batch.BaseOffset} has leader epoch {epoch}, and by {LeaderEpochs.FileName} it is of epoch {epochs[epochAt].Epoch}"));
        if (epochs.Count == 0)
            epochsKnown = false;
    }

    private void TellEpochsAfter(long end)
    {
        var path = Path.Combine(folder, LeaderEpochs.FileName);
        if (epochsKnown)
            foreach (var entry in epochs.Where(entry => entry.StartOffset > end))
                Fault(path, 0, Say($"epoch {entry.Epoch} begins at offset {entry.StartOffset}, and the log ends at {end}"));
        else if (latestEpoch >= 0 && !storage.Exists(path))
            Fault(path, 0, "it is missing, and the batches have leader epochs");
    }

    /// <summary>A log without any other gap has lost a segment; in one with gaps, compaction may have emptied its end.</summary>
    private void TellHoles()
    {
        foreach (var (path, from, to) in holes)
            if (hasGaps)
                Note(Say($"offsets {from} to {to - 1} are missing before {Path.GetFileName(path)}, in a log that has other gaps"));
            else
                Fault(path, 0, Say($"offsets {from} to {to - 1} are missing before this segment, in a log that has no other gaps"));
        hasGaps |= holes.Count > 0;
    }

    /// <returns>Whether the records are sound.</returns>
    private bool LookAtRecords(IStorageFile file, BatchScanner scanner)
    {
        try
        {
            if (!scanner.TryGetWhole(out var batch))
                batch = ReadLarge(file, scanner);
            var payload = batch.Payload;
            if (batch.Compression != Compression.None)
            {
                decompressed.Clear();
                RecordCompression.Decompress(batch.Compression, payload, decompressed, options.MaxBatchBytes);
                payload = decompressed.WrittenSpan;
            }
            LookAtRecords(batch, payload);
            return true;
        }
        catch (CorruptLogException exception)
        {
            Fault(file.Path, scanner.Position, exception.Reason);
        }
        catch (InvalidDataException exception)
        {
            Fault(file.Path, scanner.Position, exception.Message);
        }
        return false;
    }

    private void LookAtRecords(BatchView batch, ReadOnlySpan<byte> records)
    {
        if (batch.LastOffsetDelta < 0)
            throw new CorruptLogException($"a batch says its last offset is {batch.LastOffsetDelta} after its first");
        var reader = new RecordReader(records, batch.RecordCount);
        var before = -1;
        var largest = -1L;
        while (reader.Next())
        {
            recordCount++;
            var record = reader.Current;
            if (record.OffsetDelta <= before || record.OffsetDelta > batch.LastOffsetDelta)
                throw new CorruptLogException($"a record has offset delta {record.OffsetDelta} after {before}, in a batch that goes up to {batch.LastOffsetDelta}");
            before = record.OffsetDelta;
            largest = Math.Max(largest, batch.BaseTimestamp + record.TimestampDelta);
        }
        if (batch.RecordCount <= batch.LastOffsetDelta)
            hasGaps = true;
        // With the broker's time there is one for all; an empty batch keeps that of the records it had.
        if (batch.RecordCount > 0 && batch.TimestampType == TimestampType.CreateTime && largest != batch.MaxTimestamp)
            throw new CorruptLogException(Say($"a batch says its largest timestamp is {batch.MaxTimestamp}, and that of its records is {largest}"));
    }

    private BatchView ReadLarge(IStorageFile file, BatchScanner scanner)
    {
        var size = scanner.SizeBytes;
        if (size > options.MaxBatchBytes)
            throw new CorruptLogException($"a batch of {size} bytes, and the records of at most {options.MaxBatchBytes} are looked at");
        if (large.Length < size)
            large = GC.AllocateUninitializedArray<byte>(size);
        if (file.Read(large.AsSpan(0, size), scanner.Position) < size)
            throw new CorruptLogException("the file ended within a batch; something else shortened it");
        return new BatchView(large.AsSpan(0, size));
    }

    internal string PathOf(long baseOffset, string suffix) => Path.Combine(folder, LogFiles.Name(baseOffset, suffix));

    internal static string Say(FormattableString text) => FormattableString.Invariant(text);
}
