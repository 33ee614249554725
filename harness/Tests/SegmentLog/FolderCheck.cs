using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>
/// The full check of a log's folder, from the bytes of its files alone: every batch, every index entry, the snapshots
/// against a replay. It shares no code with the engine.
/// </summary>
internal sealed class FolderCheck
{
    private readonly SortedDictionary<string, byte[]> files;

    private FolderCheck(SortedDictionary<string, byte[]> files)
    {
        this.files = files;
        foreach (var name in files.Keys.Where(name => name.EndsWith(".log", StringComparison.Ordinal)))
            BaseOffsets.Add(long.Parse(name.AsSpan(0, 20), CultureInfo.InvariantCulture));
    }

    public List<long> BaseOffsets { get; } = [];

    public List<ParsedBatch> Batches { get; } = [];

    /// <summary>The batches of a folder's log files, in order; anything else in them is a fault.</summary>
    public static List<ParsedBatch> ReadBatches(SortedDictionary<string, byte[]> files)
    {
        var check = new FolderCheck(files);
        check.ReadLogs();
        return check.Batches;
    }

    /// <summary>Checks a folder whose log was closed.</summary>
    /// <param name="files">Its files.</param>
    /// <param name="model">What has to be in it.</param>
    /// <param name="indexIntervalBytes">The distance of index entries.</param>
    /// <param name="indexBytes">Most bytes of an index.</param>
    public static void Closed(SortedDictionary<string, byte[]> files, LogModel model, int indexIntervalBytes, int indexBytes)
    {
        var check = new FolderCheck(files);
        check.ReadLogs();
        check.Names();
        check.Same(model);
        foreach (var baseOffset in check.BaseOffsets)
            check.Indexes(baseOffset, model, indexIntervalBytes, indexBytes);
        check.Snapshots(model);
        check.Epochs(model);
    }

    private static string Name(long offset, string suffix) => offset.ToString("D20", CultureInfo.InvariantCulture) + suffix;

    private static void Require(bool holds, FormattableString what)
    {
        if (!holds)
            throw new UnsoundException(FormattableString.Invariant(what));
    }

    private void ReadLogs()
    {
        long next = 0;
        for (var i = 0; i < BaseOffsets.Count; i++)
        {
            var name = Name(BaseOffsets[i], ".log");
            Require(BaseOffsets[i] >= next, $"{name} begins before the end of the one before, which is {next}");
            foreach (var batch in ParsedBatch.ParseAll(files[name], name))
            {
                Require(batch.BaseOffset >= Math.Max(next, BaseOffsets[i]), $"{name}: {batch} is out of order, after {next}");
                next = batch.LastOffset + 1;
                Batches.Add(batch);
            }
            next = Math.Max(next, BaseOffsets[i]);
        }
    }

    private void Names()
    {
        foreach (var name in files.Keys)
        {
            if (name == "leader-epoch-checkpoint")
                continue;
            var dot = name.IndexOf('.', StringComparison.Ordinal);
            Require(dot == 20 && name[dot..] is ".log" or ".index" or ".timeindex" or ".txnindex" or ".snapshot", $"{name} has no place here");
            var offset = long.Parse(name.AsSpan(0, 20), CultureInfo.InvariantCulture);
            Require(name[dot..] == ".snapshot" || BaseOffsets.Contains(offset), $"{name} belongs to no segment");
        }
    }

    private void Same(LogModel model)
    {
        var from = model.Batches.FindIndex(batch => batch.LastOffset >= (BaseOffsets.Count == 0 ? 0 : BaseOffsets[0]));
        var expected = from < 0 ? [] : model.Batches[from..];
        for (var i = 0; i < Math.Max(expected.Count, Batches.Count); i++)
        {
            Require(i < Batches.Count, $"{(i < expected.Count ? expected[i] : null)} is lost");
            Require(i < expected.Count, $"{(i < Batches.Count ? Batches[i] : null)} was never appended");
            Require(Batches[i].Bytes.AsSpan().SequenceEqual(expected[i].Bytes), $"{Batches[i]} should be {expected[i]}, byte for byte");
            Batches[i] = Batches[i] with { Append = expected[i].Append };
        }
    }

    private void Indexes(long baseOffset, LogModel model, int interval, int indexBytes)
    {
        var end = BaseOffsets.Where(other => other > baseOffset).DefaultIfEmpty(long.MaxValue).Min();
        var batches = Batches.Where(batch => batch.BaseOffset >= baseOffset && batch.BaseOffset < end).ToArray();
        OffsetIndex(baseOffset, batches, interval, indexBytes);
        TimeIndex(baseOffset, batches, indexBytes);
        TransactionIndex(baseOffset, end, model);
    }

    private void OffsetIndex(long baseOffset, ParsedBatch[] batches, int interval, int indexBytes)
    {
        var name = Name(baseOffset, ".index");
        Require(files.TryGetValue(name, out var bytes), $"{name} is missing");
        Require(bytes!.Length % 8 == 0 && bytes.Length <= indexBytes / 8 * 8, $"{name} has {bytes.Length} bytes");
        var positions = new Dictionary<long, int>();
        long position = 0;
        for (var i = 0; i < batches.Length; position += batches[i++].Bytes.Length)
            positions[position] = i;
        long lastPosition = 0;
        for (var at = 0; at < bytes.Length; at += 8)
        {
            var offset = baseOffset + BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(at));
            var entry = BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(at + 4));
            Require(positions.TryGetValue(entry, out var first), $"{name}: byte {entry} is not where a batch begins");
            // Of the batch there, or, for an append of several, of its last.
            var last = first;
            while (last + 1 < batches.Length && batches[first].Append >= 0 && batches[last + 1].Append == batches[first].Append)
                last++;
            Require(offset == batches[first].LastOffset || offset == batches[last].LastOffset, $"{name}: offset {offset} at byte {entry}, where {batches[first]} is");
            Require(entry - lastPosition > interval, $"{name}: byte {entry} is too near to {lastPosition} for an interval of {interval}");
            lastPosition = entry;
        }
    }

    private void TimeIndex(long baseOffset, ParsedBatch[] batches, int indexBytes)
    {
        var name = Name(baseOffset, ".timeindex");
        Require(files.TryGetValue(name, out var bytes), $"{name} is missing");
        Require(bytes!.Length % 12 == 0 && bytes.Length <= indexBytes / 12 * 12, $"{name} has {bytes.Length} bytes");
        var before = long.MinValue;
        for (var at = 0; at < bytes.Length; at += 12)
        {
            var timestamp = BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(at));
            var offset = baseOffset + BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(at + 8));
            var first = batches.FirstOrDefault(batch => batch.MaxTimestamp >= timestamp);
            Require(first?.MaxTimestamp == timestamp && first.LastOffset == offset, $"{name}: time {timestamp} at offset {offset}, and the first that old is {first}, {first?.MaxTimestamp}");
            Require(timestamp > before, $"{name}: {timestamp} comes after {before}");
            before = timestamp;
        }
        if (batches.Length > 0)
            Require(before == batches.Max(batch => batch.MaxTimestamp), $"{name} ends with {before}, not with the segment's largest time {batches.Max(batch => batch.MaxTimestamp)}: {string.Join(", ", batches.Select(batch => FormattableString.Invariant($"{batch.LastOffset} at {batch.MaxTimestamp}")))}");
    }

    private void TransactionIndex(long baseOffset, long end, LogModel model)
    {
        var name = Name(baseOffset, ".txnindex");
        var expected = model.Aborted.Where(aborted => aborted.LastOffset >= baseOffset && aborted.LastOffset < end && aborted.LastOffset >= model.StartOffset).ToArray();
        var bytes = files.GetValueOrDefault(name, []);
        Require(bytes.Length % 34 == 0, $"{name} has {bytes.Length} bytes");
        var found = new List<ModelAborted>();
        for (var at = 0; at < bytes.Length; at += 34)
        {
            Require(BinaryPrimitives.ReadInt16BigEndian(bytes.AsSpan(at)) == 0, $"{name}: version");
            found.Add(new ModelAborted(BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(at + 2)), BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(at + 10)),
                BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(at + 18)), BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(at + 26))));
        }
        if (model.StartOffset > 0 || model.IsCompacted)
        {
            // A recovery after a deletion or a compaction reads less, and may know less of what the missing records began.
            var ends = found.Where(aborted => aborted.LastOffset >= model.StartOffset).Select(aborted => (aborted.ProducerId, aborted.LastOffset)).ToArray();
            var must = expected.Where(aborted => ends.Contains((aborted.ProducerId, aborted.LastOffset)) || !model.MayBeForgotten(aborted));
            Require(ends.SequenceEqual(must.Select(aborted => (aborted.ProducerId, aborted.LastOffset))), $"{name} has {string.Join(", ", found)}, and should have {string.Join(", ", expected)}");
            return;
        }
        Require(found.SequenceEqual(expected), $"{name} has {string.Join(", ", found)}, and should have {string.Join(", ", expected)}");
    }

    private void Snapshots(LogModel model)
    {
        // Deleted and compacted records leave less to replay, and a snapshot made before may know more: then the model's rules for
        // what an opened log knows hold, which the run checks on the open log.
        foreach (var name in files.Keys.Where(name => name.EndsWith(".snapshot", StringComparison.Ordinal)))
        {
            var offset = long.Parse(name.AsSpan(0, 20), CultureInfo.InvariantCulture);
            Require(offset <= model.NextOffset, $"{name} lies behind the end of the log, {model.NextOffset}");
            var found = ReadSnapshot(name, files[name]);
            if (model.StartOffset > 0 || model.IsCompacted)
                continue;
            var replay = new LogModel();
            foreach (var batch in model.History.TakeWhile(batch => batch.LastOffset < offset))
                replay.Add(batch);
            Require(found.Count == replay.Producers.Count, $"{name} has {found.Count} producers, and should have {replay.Producers.Count}");
            foreach (var (id, producer) in replay.Producers)
            {
                var last = producer.Batches.Count > 0 ? producer.Batches[^1] : default(KnownBatch?);
                var expected = (producer.Epoch, producer.LastSequence, last?.LastOffset ?? -1, (int)(last is { } b ? b.LastOffset - b.FirstOffset : 0),
                    producer.LastTimestamp, producer.CoordinatorEpoch, producer.TransactionStart);
                Require(found.TryGetValue(id, out var seen) && seen == expected, $"{name}: producer {id} is {(found.TryGetValue(id, out var is1) ? is1 : null)}, and should be {expected}");
            }
        }
    }

    private static Dictionary<long, (short Epoch, int Sequence, long LastOffset, int Delta, long Timestamp, int Coordinator, long Start)> ReadSnapshot(string name, byte[] bytes)
    {
        Require(bytes.Length >= 10 && BinaryPrimitives.ReadInt16BigEndian(bytes) == 1, $"{name} is no snapshot");
        Require(BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(2)) == ParsedBatch.Crc(bytes.AsSpan(6)), $"{name}: the checksum is wrong");
        var count = BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(6));
        Require(bytes.Length == 10 + count * 46, $"{name} has {bytes.Length} bytes for {count} producers");
        var found = new Dictionary<long, (short, int, long, int, long, int, long)>();
        for (var i = 0; i < count; i++)
        {
            var from = bytes.AsSpan(10 + i * 46);
            found[BinaryPrimitives.ReadInt64BigEndian(from)] = (BinaryPrimitives.ReadInt16BigEndian(from[8..]), BinaryPrimitives.ReadInt32BigEndian(from[10..]),
                BinaryPrimitives.ReadInt64BigEndian(from[14..]), BinaryPrimitives.ReadInt32BigEndian(from[22..]), BinaryPrimitives.ReadInt64BigEndian(from[26..]),
                BinaryPrimitives.ReadInt32BigEndian(from[34..]), BinaryPrimitives.ReadInt64BigEndian(from[38..]));
        }
        return found;
    }

    private void Epochs(LogModel model)
    {
        // Of an empty log a recovery may know the epoch of what was before it.
        if (!model.KnowsEpochs || model.NextOffset == model.StartOffset)
            return;
        var text = new StringBuilder();
        var expected = model.Epochs.ToList();
        if (expected.FindLastIndex(epoch => epoch.Start <= model.StartOffset) is var at and >= 0)
        {
            expected[at] = (expected[at].Epoch, Math.Max(expected[at].Start, model.StartOffset));
            expected.RemoveRange(0, at);
        }
        expected.RemoveAll(epoch => epoch.Start >= model.NextOffset);
        text.Append(CultureInfo.InvariantCulture, $"0\n{expected.Count}\n");
        foreach (var (epoch, start) in expected)
            text.Append(CultureInfo.InvariantCulture, $"{epoch} {start}\n");
        var found = files.TryGetValue("leader-epoch-checkpoint", out var bytes) ? Encoding.ASCII.GetString(bytes) : "0\n0\n";
        Require(found == text.ToString(), $"leader-epoch-checkpoint has {found.Replace('\n', ',')} and should have {text.ToString().Replace('\n', ',')}");
    }
}
