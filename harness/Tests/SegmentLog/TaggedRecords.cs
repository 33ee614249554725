using System.Buffers.Binary;
using Bench.SegmentLog;
using Bench.SegmentLog.Format;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>Which producer wrote a record, and as which of its records.</summary>
internal readonly record struct Tag(int Producer, int Number);

/// <summary>Records whose bytes tell who wrote them, so that whoever finds one knows what it has to be.</summary>
internal static class TaggedRecords
{
    /// <summary>The records of the whole batches of some bytes, by offset; every byte is checked.</summary>
    /// <param name="bytes">Batches; the last may be cut, as a read may end anywhere.</param>
    /// <param name="limit">The offset that none may reach.</param>
    public static Dictionary<long, Tag> Seen(ReadOnlySpan<byte> bytes, long limit = long.MaxValue)
    {
        var found = new Dictionary<long, Tag>();
        while (bytes.Length >= ParsedBatch.HeaderBytes && 12 + BinaryPrimitives.ReadInt32BigEndian(bytes[8..]) is var size && size <= bytes.Length)
        {
            var batch = ParsedBatch.Parse(bytes, "read");
            if (batch.LastOffset >= limit)
                throw new UnsoundException($"{batch} is behind the limit, {limit}");
            Add(batch, found);
            bytes = bytes[size..];
        }
        return found;
    }

    /// <summary>The records of a closed log's folder, by offset.</summary>
    public static Dictionary<long, Tag> InFolder(string folder)
    {
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles())
            files[file.Name] = File.ReadAllBytes(file.FullName);
        var found = new Dictionary<long, Tag>();
        foreach (var batch in FolderCheck.ReadBatches(files))
            Add(batch, found);
        return found;
    }

    /// <summary>What the rest of a record's bytes are.</summary>
    public static byte Filler(Tag tag) => (byte)(tag.Producer * 37 + tag.Number + 1);

    private static void Add(ParsedBatch batch, Dictionary<long, Tag> found)
    {
        var reader = new RecordReader(new BatchView(batch.Bytes).Payload, batch.Records.Length);
        while (reader.Next())
        {
            var value = reader.Current.Value;
            var tag = new Tag(BinaryPrimitives.ReadInt32BigEndian(value), BinaryPrimitives.ReadInt32BigEndian(value[4..]));
            if (value[8..].ContainsAnyExcept(Filler(tag)))
                throw new UnsoundException($"the bytes of {tag} in {batch} are not what was written");
            found.Add(batch.BaseOffset + reader.Current.OffsetDelta, tag);
        }
    }
}

/// <summary>An idempotent producer of <see cref="TaggedRecords"/>; its sequence numbers are those of the records.</summary>
internal sealed class TaggedWriter(int producer, int seed = 0, int number = 0)
{
    private readonly Random random = new(seed * 1000 + producer + 1);
    private readonly RecordBatchBuilder builder = new();

    public long LastOffset { get; private set; }

    /// <summary>The records that were last given to the log, whether it took them or not.</summary>
    public Tag[] Last { get; private set; } = [];

    /// <summary>Appends a batch of some records.</summary>
    public (long Offset, Tag Tag)[] Append(PartitionLog log)
    {
        builder.Begin(new BatchSettings { ProducerId = producer, ProducerEpoch = 0, BaseSequence = number });
        Last = [.. Enumerable.Range(number, random.Next(1, 6)).Select(next => new Tag(producer, next))];
        number += Last.Length;
        Span<byte> value = stackalloc byte[1500];
        foreach (var tag in Last)
        {
            var length = 8 + random.Next(random.Next(3) == 0 ? 1490 : 100);
            BinaryPrimitives.WriteInt32BigEndian(value, tag.Producer);
            BinaryPrimitives.WriteInt32BigEndian(value[4..], tag.Number);
            value[8..length].Fill(TaggedRecords.Filler(tag));
            builder.Append(1000 + tag.Number, default, value[..length], NullParts.Key);
        }
        var result = log.Append(builder.Build());
        LastOffset = result.LastOffset;
        return [.. Last.Select((tag, at) => (result.FirstOffset + at, tag))];
    }
}
