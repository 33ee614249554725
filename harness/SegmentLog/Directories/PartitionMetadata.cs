using System.Buffers.Text;
using System.Text;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog;

/// <summary>
/// A partition's topic id; file <c>partition.metadata</c>: lines <c>version: 0</c> and <c>topic_id: </c> with the sixteen
/// bytes in URL-safe base64. Source: Apache Kafka, <c>PartitionMetadataFile</c>.
/// </summary>
public static class PartitionMetadata
{
    /// <summary>The file's name.</summary>
    public const string FileName = "partition.metadata";

    private const string VersionLine = "version: 0";
    private const string IdStart = "topic_id: ";
    private const int MostBytes = 4096;
    private const int IdLetters = 22;

    /// <summary>The topic's id; null if there is no file.</summary>
    /// <exception cref="CorruptLogException">It is none of this format.</exception>
    public static Guid? Read(IStorage storage, string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!storage.Exists(path))
            return null;
        string[] lines = [.. Encoding.UTF8.GetString(SmallFile.Read(storage, path, MostBytes)).Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0)];
        if (lines.Length != 2 || lines[0] != VersionLine)
            throw new CorruptLogException(path, 0, "it is not 'version: 0' and a topic's id");
        var bytes = new byte[16];
        var id = lines[1].StartsWith(IdStart, StringComparison.Ordinal) ? lines[1][IdStart.Length..] : "";
        if (id.Length != IdLetters || !Base64Url.IsValid(id) || !Base64Url.TryDecodeFromChars(id, bytes, out var length) || length != bytes.Length)
            throw new CorruptLogException(path, lines[0].Length + 1, "there is no topic's id: 22 letters of URL-safe base64");
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>Writes it, durably.</summary>
    public static void Write(IStorage storage, string folder, Guid topicId) =>
        SmallFile.Replace(storage, Path.Combine(folder, FileName),
            Encoding.ASCII.GetBytes($"{VersionLine}\n{IdStart}{Base64Url.EncodeToString(topicId.ToByteArray(bigEndian: true))}"));
}
