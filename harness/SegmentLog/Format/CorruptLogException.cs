using System.Globalization;

namespace Bench.SegmentLog.Format;

/// <summary>
/// Bytes that are no log of Kafka's format, with the file and the place: the only exception that reading a log of any
/// content throws, besides those of the disk.
/// </summary>
public sealed class CorruptLogException : IOException
{
    /// <summary>Something is wrong in memory; the file is not known yet.</summary>
    internal CorruptLogException(string reason)
        : this("", -1, reason)
    {
    }

    /// <summary>Something is wrong at a place.</summary>
    /// <param name="file">Path of the file.</param>
    /// <param name="position">Byte in it.</param>
    /// <param name="reason">What is wrong, without a full stop.</param>
    public CorruptLogException(string file, long position, string reason)
        : base(file.Length == 0 ? reason : string.Create(CultureInfo.InvariantCulture, $"{file} at byte {position}: {reason}"))
    {
        File = file;
        Position = position;
        Reason = reason;
    }

    /// <summary>Path of the file.</summary>
    public string File { get; }

    /// <summary>Byte in the file.</summary>
    public long Position { get; }

    /// <summary>What is wrong.</summary>
    public string Reason { get; }

    /// <summary>True if it is a batch of a format before Kafka 0.11, which is whole but not read here.</summary>
    public bool IsLegacy { get; init; }

    /// <summary>The same with its place, if it has none yet.</summary>
    internal CorruptLogException At(string file, long position) => File.Length > 0 ? this : new(file, position, Reason) { IsLegacy = IsLegacy };
}
