using System.Globalization;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog;

/// <summary>The names of the files of a partition's folder: the base offset in twenty digits and what it is.</summary>
public static class LogFiles
{
    private const int OffsetDigits = 20;

    /// <summary>The records.</summary>
    public const string Log = ".log";

    /// <summary>The offset index.</summary>
    public const string OffsetIndex = ".index";

    /// <summary>The time index.</summary>
    public const string TimeIndex = ".timeindex";

    /// <summary>The aborted transactions.</summary>
    public const string TransactionIndex = ".txnindex";

    /// <summary>To be removed.</summary>
    public const string Deleted = ".deleted";

    /// <summary>Made by a compaction that has not ended.</summary>
    public const string Cleaned = ".cleaned";

    /// <summary>Made by a compaction that has ended, and not yet in its place.</summary>
    public const string Swap = ".swap";

    /// <summary>A file for the next segment, made ahead; Kafka takes no notice of the name.</summary>
    public const string Prepared = "next-segment.prepared";

    /// <summary>
    /// Empty: a write or flush has failed since the machine started. Until then the page cache may show what the device
    /// does not have, so the next opening reads from the device; Kafka takes no notice of the name.
    /// </summary>
    public const string FlushFailed = "flush-failed";

    /// <summary>The name of a file.</summary>
    public static string Name(long baseOffset, string suffix) => baseOffset.ToString("D20", CultureInfo.InvariantCulture) + suffix;

    /// <summary>The base offset of a file with a suffix; null if the name is another, or has not twenty digits.</summary>
    public static long? OffsetOf(string name, string suffix) =>
        name.Length == OffsetDigits + suffix.Length && name.EndsWith(suffix, StringComparison.Ordinal)
        && long.TryParse(name.AsSpan(0, OffsetDigits), NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            ? offset
            : null;

    /// <summary>Folders with the names of a segment's files: Kafka passes over them, and with them over what they hide.</summary>
    public static IEnumerable<string> Misnamed(IStorage storage, string folder) =>
        storage.ListFolders(folder).Where(name => name.IndexOf('.', StringComparison.Ordinal) is 20 && OffsetOf(name[..20], "") is not null).Select(name => Path.Combine(folder, name)).Order(StringComparer.Ordinal);

    /// <summary>The base offsets of the segments of a folder, in order.</summary>
    public static IReadOnlyList<long> Segments(IStorage storage, string folder) =>
        [.. storage.List(folder).Select(name => OffsetOf(name, Log)).OfType<long>().Order()];
}
