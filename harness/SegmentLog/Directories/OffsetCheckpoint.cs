using System.Globalization;
using System.Text;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog;

/// <summary>
/// A file with an offset for each of a log directory's partitions: lines <c>0</c> (version), the count, and one
/// <c>topic partition offset</c> each. Source: Apache Kafka, <c>OffsetCheckpointFile</c>.
/// </summary>
public static class OffsetCheckpoint
{
    /// <summary>The offsets before which all was durable.</summary>
    public const string RecoveryPoints = "recovery-point-offset-checkpoint";

    /// <summary>The first offsets that may be read.</summary>
    public const string LogStarts = "log-start-offset-checkpoint";

    /// <summary>The high watermarks.</summary>
    public const string HighWatermarks = "replication-offset-checkpoint";

    // A hundred thousand partitions with long names.
    private const int MostBytes = 32 << 20;

    /// <summary>Reads a file; nothing is in one that is not there.</summary>
    /// <exception cref="CorruptLogException">It is none of this format.</exception>
    public static IReadOnlyDictionary<TopicPartition, long> Read(IStorage storage, string path)
    {
        var found = new Dictionary<TopicPartition, long>();
        if (!storage.Exists(path))
            return found;
        var text = Encoding.UTF8.GetString(SmallFile.Read(storage, path, MostBytes));
        // Kafka makes the file empty, and writes it later.
        if (text.Length == 0)
            return found;
        CorruptLogException Wrong(int line, string reason) => new(path, 0, string.Create(CultureInfo.InvariantCulture, $"line {line + 1}: {reason}"));
        string[] lines = [.. text.Split('\n').Select(line => line.TrimEnd('\r'))];
        if (lines[0] != "0")
            throw Wrong(0, "only version 0 is known");
        var entries = lines[^1].Length == 0 ? lines.Length - 3 : lines.Length - 2;
        if (lines.Length < 2 || !int.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count != entries)
            throw Wrong(1, "it is not the number of the lines that follow");
        for (var i = 2; i < 2 + count; i++)
        {
            var words = lines[i].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length != 3 || !int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var partition)
                || !long.TryParse(words[2], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var offset))
                throw Wrong(i, "an entry is a topic, a partition and an offset");
            found[new TopicPartition(words[0], partition)] = offset;
        }
        return found;
    }

    /// <summary>Writes a file: the old one or the new one is there, whatever happens.</summary>
    public static void Write(IStorage storage, string path, IEnumerable<KeyValuePair<TopicPartition, long>> offsets)
    {
        var lines = offsets.OrderBy(entry => entry.Key.Topic, StringComparer.Ordinal).ThenBy(entry => entry.Key.Partition).ToArray();
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"0\n{lines.Length}\n");
        foreach (var ((topic, partition), offset) in lines)
            text.Append(CultureInfo.InvariantCulture, $"{topic} {partition} {offset}\n");
        SmallFile.Replace(storage, path, Encoding.UTF8.GetBytes(text.ToString()));
    }
}
