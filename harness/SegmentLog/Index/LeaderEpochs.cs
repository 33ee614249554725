using System.Globalization;
using System.Text;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog.Index;

/// <summary>A leader's epoch and the first offset that it wrote.</summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="StartOffset">Its first offset.</param>
public readonly record struct EpochEntry(int Epoch, long StartOffset);

/// <summary>
/// The leader epochs of a partition; file <c>leader-epoch-checkpoint</c>: lines <c>0</c> (version), the count, and one
/// <c>epoch startOffset</c> each, both increasing. Source: Apache Kafka, <c>LeaderEpochFileCache</c>.
/// </summary>
public sealed class LeaderEpochs
{
    /// <summary>The file's name.</summary>
    public const string FileName = "leader-epoch-checkpoint";

    /// <summary>Most bytes of the file: a hundred thousand leaders. Its lines take many times that in memory.</summary>
    internal const int MostBytes = 2 << 20;

    private readonly IStorage storage;
    private readonly string path;
    private readonly List<EpochEntry> entries = [];

    internal LeaderEpochs(IStorage storage, string folder)
    {
        this.storage = storage;
        path = Path.Combine(folder, FileName);
    }

    /// <summary>The entries.</summary>
    public IReadOnlyList<EpochEntry> Entries => entries;

    /// <summary>The last epoch; −1 if there is none.</summary>
    public int Latest => entries is [.., var last] ? last.Epoch : -1;

    /// <summary>Reads the file, if there is one.</summary>
    /// <exception cref="CorruptLogException">It is none of this format.</exception>
    internal void Load()
    {
        entries.Clear();
        if (storage.Exists(path))
            foreach (var entry in Parse(SmallFile.Read(storage, path, MostBytes), path))
                Assign(entry.Epoch, entry.StartOffset);
    }

    /// <summary>Notes that an epoch begins at an offset; later epochs and offsets than that were never so.</summary>
    /// <returns>True if that was news.</returns>
    internal bool Assign(int epoch, long startOffset)
    {
        if (epoch < 0 || startOffset < 0 || (entries is [.., var last] && epoch == last.Epoch && startOffset >= last.StartOffset))
            return false;
        // Both increase, so those that go are the last ones.
        var keep = entries.Count;
        while (keep > 0 && (entries[keep - 1].Epoch >= epoch || entries[keep - 1].StartOffset >= startOffset))
            keep--;
        entries.RemoveRange(keep, entries.Count - keep);
        entries.Add(new EpochEntry(epoch, startOffset));
        return true;
    }

    /// <summary>Forgets the epochs that begin at an offset or later.</summary>
    internal bool TruncateFromEnd(long endOffset) => entries.RemoveAll(entry => entry.StartOffset >= endOffset) > 0;

    /// <summary>Lets the epoch that holds the start offset begin there, and forgets those before it.</summary>
    internal bool TruncateFromStart(long startOffset)
    {
        var at = entries.FindLastIndex(entry => entry.StartOffset <= startOffset);
        if (at < 0 || (at == 0 && entries[0].StartOffset == startOffset))
            return false;
        entries[at] = entries[at] with { StartOffset = startOffset };
        entries.RemoveRange(0, at);
        return true;
    }

    /// <summary>Forgets all.</summary>
    internal void Clear() => entries.Clear();

    /// <summary>Writes the file, durably.</summary>
    internal void Save() => Save(ToText());

    /// <summary>Writes a content that <see cref="ToText"/> gave earlier.</summary>
    internal void Save(string text) => SmallFile.Replace(storage, path, Encoding.ASCII.GetBytes(text));

    /// <summary>The file's content.</summary>
    internal string ToText()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"0\n{entries.Count}\n");
        foreach (var entry in entries)
            text.Append(CultureInfo.InvariantCulture, $"{entry.Epoch} {entry.StartOffset}\n");
        return text.ToString();
    }

    /// <summary>Makes an empty file if there is none, as Kafka does.</summary>
    internal void CreateFile()
    {
        if (!storage.Exists(path))
            SmallFile.Write(storage, path, [], durably: false);
    }

    /// <summary>The entries of a file, in its order.</summary>
    /// <exception cref="CorruptLogException">It is none of this format.</exception>
    internal static List<EpochEntry> Parse(byte[] bytes, string path)
    {
        // A file that was made and never written.
        if (bytes.Length == 0)
            return [];
        CorruptLogException Wrong(int line, string reason) => new(path, 0, $"line {line + 1}: {reason}");
        var lines = Encoding.UTF8.GetString(bytes).Split('\n');
        if (lines.Length < 2 || lines[0].Trim() != "0")
            throw Wrong(0, "only version 0 is known");
        if (!int.TryParse(lines[1].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count > lines.Length - 2)
            throw Wrong(1, "the number of entries is none, or more than there are lines");
        var found = new List<EpochEntry>();
        for (var i = 2; i < 2 + count; i++)
        {
            var words = lines[i].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length != 2 || !int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
                || !long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var start))
                throw Wrong(i, "an entry is an epoch and an offset");
            found.Add(new EpochEntry(epoch, start));
        }
        if (lines[(2 + count)..].Any(line => line.Trim().Length > 0))
            throw Wrong(2 + count, "more lines than the number of entries");
        return found;
    }
}
