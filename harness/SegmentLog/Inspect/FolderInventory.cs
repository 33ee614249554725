using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Bench.Disk;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Index;
using Bench.SegmentLog.Producers;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog.Inspect;

/// <summary>
/// What is in a partition's folder, as JSON: every file with its size and SHA-256, every index entry, the leader epochs,
/// and the producers of every snapshot. Files are shown as they are; a snapshot that is none says so.
/// </summary>
internal static class FolderInventory
{
    private const int PieceBytes = 64 << 10;

    /// <summary>Writes one object.</summary>
    /// <exception cref="DiskException">A file cannot be read.</exception>
    internal static void Write(Utf8JsonWriter json, IStorage storage, string folder)
    {
        string[] names = [.. storage.List(folder).Order(StringComparer.Ordinal)];
        json.WriteStartObject();
        json.WriteStartObject("files");
        foreach (var name in names)
        {
            var (sizeBytes, sha256) = Hash(storage, Path.Combine(folder, name));
            json.WriteStartObject(name);
            json.WriteNumber("size", sizeBytes);
            json.WriteString("sha256", sha256);
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.WriteStartArray("segments");
        foreach (var baseOffset in LogFiles.Segments(storage, folder))
            WriteSegment(json, storage, folder, baseOffset, names);
        json.WriteEndArray();
        WriteEpochs(json, storage, folder, names);
        json.WriteStartArray("producerSnapshots");
        foreach (var name in names)
            if (LogFiles.OffsetOf(name, ProducerSnapshot.Suffix) is not null)
                WriteSnapshot(json, storage, folder, name);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteSegment(Utf8JsonWriter json, IStorage storage, string folder, long baseOffset, string[] names)
    {
        json.WriteStartObject();
        json.WriteNumber("baseOffset", baseOffset);
        using (var log = storage.Open(Path.Combine(folder, LogFiles.Name(baseOffset, LogFiles.Log)), OpenMode.Read))
            json.WriteNumber("logSize", log.LengthBytes);
        WriteIndex("offsetIndex", LogFiles.OffsetIndex, OffsetIndex.EntryBytes, entry =>
        {
            json.WriteStartArray();
            json.WriteNumberValue(baseOffset + BinaryPrimitives.ReadInt32BigEndian(entry));
            json.WriteNumberValue(BinaryPrimitives.ReadInt32BigEndian(entry[4..]));
            json.WriteEndArray();
        });
        WriteIndex("timeIndex", LogFiles.TimeIndex, TimeIndex.EntryBytes, entry =>
        {
            json.WriteStartArray();
            json.WriteNumberValue(BinaryPrimitives.ReadInt64BigEndian(entry));
            json.WriteNumberValue(baseOffset + BinaryPrimitives.ReadInt32BigEndian(entry[8..]));
            json.WriteEndArray();
        });
        WriteIndex("txnIndex", LogFiles.TransactionIndex, TransactionIndex.EntryBytes, entry =>
        {
            json.WriteStartObject();
            json.WriteNumber("version", BinaryPrimitives.ReadInt16BigEndian(entry));
            json.WriteNumber("producerId", BinaryPrimitives.ReadInt64BigEndian(entry[2..]));
            json.WriteNumber("firstOffset", BinaryPrimitives.ReadInt64BigEndian(entry[10..]));
            json.WriteNumber("lastOffset", BinaryPrimitives.ReadInt64BigEndian(entry[18..]));
            json.WriteNumber("lastStableOffset", BinaryPrimitives.ReadInt64BigEndian(entry[26..]));
            json.WriteEndObject();
        });
        json.WriteEndObject();

        void WriteIndex(string property, string suffix, int entryBytes, EntryAction action)
        {
            var name = LogFiles.Name(baseOffset, suffix);
            if (!names.Contains(name))
                return;
            using var file = storage.Open(Path.Combine(folder, name), OpenMode.Read);
            json.WriteStartObject(property);
            json.WriteNumber("size", file.LengthBytes);
            json.WriteStartArray("entries");
            var piece = new byte[PieceBytes / entryBytes * entryBytes];
            for (long at = 0; file.Read(piece, at) is var read && read >= entryBytes; at += piece.Length)
            {
                for (var i = 0; i + entryBytes <= read; i += entryBytes)
                    action(piece.AsSpan(i, entryBytes));
                json.Flush();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
    }

    private static void WriteEpochs(Utf8JsonWriter json, IStorage storage, string folder, string[] names)
    {
        string? text = null;
        try
        {
            if (names.Contains(LeaderEpochs.FileName))
                text = Encoding.UTF8.GetString(SmallFile.Read(storage, Path.Combine(folder, LeaderEpochs.FileName), LeaderEpochs.MostBytes));
        }
        catch (CorruptLogException)
        {
            // Too large to be one, and told by the recovery.
        }
        json.WriteString("leaderEpochCheckpoint", text);
    }

    private static void WriteSnapshot(Utf8JsonWriter json, IStorage storage, string folder, string name)
    {
        var path = Path.Combine(folder, name);
        json.WriteStartObject();
        json.WriteString("file", name);
        using (var file = storage.Open(path, OpenMode.Read))
            json.WriteNumber("size", file.LengthBytes);
        List<ProducerEntry> producers;
        try
        {
            producers = ProducerSnapshot.Parse(SmallFile.Read(storage, path, ProducerSnapshot.MostBytes), path);
        }
        catch (CorruptLogException exception)
        {
            // One that the opening did not need: it stays.
            json.WriteNull("entries");
            json.WriteString("damage", exception.Reason);
            json.WriteEndObject();
            return;
        }
        json.WriteStartArray("entries");
        foreach (var producer in producers)
        {
            json.WriteStartObject();
            json.WriteNumber("producerId", producer.ProducerId);
            json.WriteNumber("epoch", producer.Epoch);
            json.WriteNumber("lastSequence", producer.LastSequence);
            json.WriteNumber("lastOffset", producer.LastBatch?.LastOffset ?? -1);
            json.WriteNumber("offsetDelta", producer.LastBatch?.OffsetDelta ?? 0);
            json.WriteNumber("timestamp", producer.LastTimestamp);
            json.WriteNumber("coordinatorEpoch", producer.CoordinatorEpoch);
            json.WriteNumber("currentTxnFirstOffset", producer.TransactionFirstOffset);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private delegate void EntryAction(ReadOnlySpan<byte> entry);

    private static (long SizeBytes, string Sha256) Hash(IStorage storage, string path)
    {
        using var file = storage.Open(path, OpenMode.Read);
        using var hash = new Sha256();
        var piece = new byte[PieceBytes];
        long at = 0;
        for (int read; (read = file.Read(piece, at)) > 0; at += read)
            hash.Append(piece.AsSpan(0, read));
        return (at, Convert.ToHexStringLower(hash.Finish()));
    }
}
