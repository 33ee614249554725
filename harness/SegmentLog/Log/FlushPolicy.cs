using System.Globalization;

namespace Bench.SegmentLog;

/// <summary>When the log makes its records durable.</summary>
public enum FlushKind
{
    /// <summary>Never before the log is closed: the operating system writes back when it likes.</summary>
    None,

    /// <summary>Each segment once it is complete, in the background: Kafka's default.</summary>
    Roll,

    /// <summary>At a fixed interval, in the background: Kafka's <c>log.flush.interval.ms</c>.</summary>
    Interval,

    /// <summary>The append that completes a number of records: Kafka's <c>log.flush.interval.messages</c>.</summary>
    Records,

    /// <summary>The append that completes a number of bytes; Kafka has no such setting.</summary>
    Bytes,

    /// <summary>Appends wait for a flush that they share.</summary>
    Group,

    /// <summary>Each append has its own flush before it returns: Kafka with <c>log.flush.interval.messages=1</c>.</summary>
    Each,
}

/// <summary>
/// A flush policy: a kind and its number. Spelled <c>none</c>, <c>roll</c>, <c>interval:MS</c>, <c>records:N</c>,
/// <c>bytes:N</c> (with KiB, MiB, GiB), <c>group:USEC</c>, <c>each</c>.
/// </summary>
/// <param name="Kind">When.</param>
/// <param name="Value">Milliseconds, records, bytes or microseconds, as the kind has it; else 0.</param>
public readonly record struct FlushPolicy(FlushKind Kind, long Value = 0) : IFormattable, IParsable<FlushPolicy>
{
    private static readonly (string Unit, long Bytes)[] Units = [("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10), ("B", 1)];

    /// <summary>Never before the end.</summary>
    public static FlushPolicy None { get; } = new(FlushKind.None);

    /// <summary>At each roll.</summary>
    public static FlushPolicy Roll { get; } = new(FlushKind.Roll);

    /// <summary>Each append.</summary>
    public static FlushPolicy Each { get; } = new(FlushKind.Each);

    /// <summary>True if an append that has returned is durable.</summary>
    public bool IsDurable => Kind is FlushKind.Each or FlushKind.Group;

    /// <summary>Reads a spelling.</summary>
    public static bool TryParse(string text, out FlushPolicy policy)
    {
        policy = default;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var (name, number) = colon < 0 ? (text, "") : (text[..colon], text[(colon + 1)..]);
        FlushKind? kind = name.ToLowerInvariant() switch
        {
            "none" => FlushKind.None,
            "roll" => FlushKind.Roll,
            "each" => FlushKind.Each,
            "interval" => FlushKind.Interval,
            "records" => FlushKind.Records,
            "bytes" => FlushKind.Bytes,
            "group" => FlushKind.Group,
            _ => null,
        };
        if (kind is not { } known)
            return false;
        if (known is FlushKind.None or FlushKind.Roll or FlushKind.Each)
        {
            policy = new FlushPolicy(known);
            return colon < 0;
        }
        var factor = 1L;
        if (known == FlushKind.Bytes)
            foreach (var (unit, bytes) in Units)
                if (number.EndsWith(unit, StringComparison.OrdinalIgnoreCase))
                {
                    number = number[..^unit.Length];
                    factor = bytes;
                    break;
                }
        if (!long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value) || value > int.MaxValue || (value == 0 && known != FlushKind.Group))
            return false;
        policy = new FlushPolicy(known, value * factor);
        return true;
    }

    /// <inheritdoc/>
    public static bool TryParse(string? s, IFormatProvider? provider, out FlushPolicy result) => TryParse(s ?? "", out result);

    /// <inheritdoc/>
    public static FlushPolicy Parse(string s, IFormatProvider? provider) => TryParse(s, out var policy) ? policy
        : throw new FormatException($"'{s}' is no flush policy; there are none, roll, interval:MS, records:N, bytes:N, group:USEC and each");

    /// <summary>The spelling.</summary>
    public override string ToString() => Kind switch
    {
        FlushKind.None => "none",
        FlushKind.Roll => "roll",
        FlushKind.Each => "each",
        FlushKind.Interval => string.Create(CultureInfo.InvariantCulture, $"interval:{Value}"),
        FlushKind.Records => string.Create(CultureInfo.InvariantCulture, $"records:{Value}"),
        FlushKind.Group => string.Create(CultureInfo.InvariantCulture, $"group:{Value}"),
        _ => SpellBytes(),
    };

    /// <inheritdoc/>
    public string ToString(string? format, IFormatProvider? formatProvider) => ToString();

    private string SpellBytes()
    {
        foreach (var (unit, bytes) in Units)
            if (Value % bytes == 0)
                return string.Create(CultureInfo.InvariantCulture, $"bytes:{Value / bytes}{(bytes == 1 ? "" : unit)}");
        return "";
    }
}

/// <summary>How a flush reaches the device.</summary>
public enum FlushMethod
{
    /// <summary>fdatasync(2) after the write.</summary>
    Fdatasync,

    /// <summary>The file is opened with O_DSYNC: the write is the flush.</summary>
    DSync,

    /// <summary>pwritev2(2) with RWF_DSYNC: the write is the flush, where one is wanted.</summary>
    RwfDSync,

    /// <summary>sync_file_range(2) starts the write-back early, fdatasync(2) ends it.</summary>
    WriteBehind,
}

/// <summary>Whether a segment's file has its blocks before they are written.</summary>
public enum Preallocation
{
    /// <summary>No: each flush commits the new length and blocks as well.</summary>
    None,

    /// <summary>fallocate(2): it has blocks, and a flush still commits that they are written now.</summary>
    Fallocate,

    /// <summary>Zeros are written ahead in the background, so that a flush commits data alone.</summary>
    Zeroed,
}

/// <summary>How bytes reach the file.</summary>
public enum WritePath
{
    /// <summary>Through the page cache: Kafka's way.</summary>
    Buffered,

    /// <summary>O_DIRECT: whole blocks, the last one written again with each append.</summary>
    Direct,

    /// <summary>io_uring; where a flush is wanted it is linked to the write.</summary>
    IoUring,
}
