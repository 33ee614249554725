using System.Globalization;
using System.Text.RegularExpressions;

namespace Bench.Reports.Content;

/// <summary>Parameter values as a reader would say them. What it does not know stays as it is.</summary>
internal static partial class Words
{
    private static readonly string[] Multiples = ["", "Ki", "Mi", "Gi", "Ti"];

    /// <summary>"Access", "BufferedWarm" is "buffered, warm"; "QueueDepth", "32" is "depth 32".</summary>
    public static string Value(string parameter, string value) => parameter switch
    {
        "Access" => value switch
        {
            "BufferedCold" => "buffered, cold",
            "BufferedWarm" => "buffered, warm",
            "Direct" => "direct",
            "Mmap" => "mmap",
            "Uncached" => "uncached",
            _ => value,
        },
        "Method" => value switch
        {
            "SendFile" => "sendfile",
            "Splice" => "splice",
            "MmapWrite" => "mmap + write",
            "ReadWrite" => "read + write",
            "IoUring" => "io_uring",
            "Tls" => "TLS",
            _ => value,
        },
        "Medium" or "Pattern" or "Operation" or "Loop" or "Cache" => Lower(value),
        "Socket" => value switch { "Tcp" => "TCP", "Unix" => "Unix socket", _ => value },
        "QueueDepth" => $"depth {value}",
        "Threads" => value == "1" ? "1 thread" : $"{value} threads",
        "FileSize" => $"file {Size(value)}",
        "WorkingSet" => $"over {Size(value)}",
        FlushPolicy.Parameter => FlushPolicy.Say(value),
        "FlushMethod" => value switch { "Fdatasync" => "fdatasync", "DSync" => "O_DSYNC", "RwfDSync" => "RWF_DSYNC", "WriteBehind" => "write-behind", _ => value },
        "SegmentSize" => Suffixed(Size(value), "segments"),
        "Segments" => Counted(value, "segment"),
        "UnflushedBytes" => Suffixed(Size(value), "unflushed"),
        "BatchSize" => Prefixed("batches of", Size(value)),
        "RecordSize" => Prefixed("records of", Size(value)),
        "FetchSize" => Prefixed("fetches of", Size(value)),
        "Partitions" => Counted(value, "partition"),
        "Producers" => Counted(value, "producer"),
        "Compression" => value switch { "None" => "uncompressed", "Lz4" => "LZ4", "Gzip" or "Snappy" or "Zstd" => Lower(value), _ => value },
        "Preallocation" => value switch { "None" => "not preallocated", "Fallocate" => "fallocate", "Zeroed" => "zeroed ahead", _ => value },
        "WritePath" => value switch { "Buffered" or "Direct" => Lower(value), "IoUring" => "io_uring", _ => value },
        "Position" => value switch { "Tail" => "tail", "ColdHistory" => "cold history", "RandomByOffset" => "random by offset", "RandomByTime" => "random by time", _ => value },
        "Writer" => value switch { "None" => "no writer", "-" => value, _ => $"{Lower(value)} writer beside it" },
        "Step" => value == "Crc" ? "CRC" : Lower(value),
        "Pages" => value == "Huge" ? "huge pages" : value == "-" ? value : $"{Size(value)} pages",
        _ when Bytes(value) is not null => Size(value),
        "Engine" => value,
        _ => value,
    };

    /// <summary>The same where the parameter's name stands beside it, on an axis or over a column: "32" instead of "depth 32".</summary>
    public static string Place(string parameter, string value) => parameter switch
    {
        "QueueDepth" or "Threads" or "Partitions" or "Producers" or "Segments" => value,
        "FileSize" or "WorkingSet" or "Pages" or "SegmentSize" or "BatchSize" or "RecordSize" or "FetchSize" or "UnflushedBytes" => Size(value),
        "Compression" or "Preallocation" or "Writer" when value == "None" => "none",
        _ => Value(parameter, value),
    };

    /// <summary>A parameter's name in words: "BlockSize" is "block size".</summary>
    public static string Name(string parameter) => Lower(CamelHump().Replace(parameter, " $1"));

    /// <summary>"64KiB" is "64 KiB".</summary>
    public static string Size(string value) => Bytes(value) is { } bytes ? Format.Bytes(bytes) : value;

    /// <summary>The bytes of "4B", "64KiB", "1GiB"; null if it is no size.</summary>
    public static long? Bytes(string? value)
    {
        if (value is null || SizePattern().Match(value) is not { Success: true } match)
            return null;
        var power = Array.IndexOf(Multiples, match.Groups[2].Value);
        return long.TryParse(match.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && power >= 0 ? count << (10 * power) : null;
    }

    /// <summary>What orders values of a parameter: sizes and numbers by what they are worth, words by themselves.</summary>
    public static (double Worth, string Text) Order(string value) =>
        Bytes(value) is { } bytes ? (bytes, "")
        : double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? (number, "")
        : (double.MaxValue, value);

    /// <summary>The first letter large; but a path is written as it is.</summary>
    public static string Sentence(string text) =>
        text.Length == 0 || text.AsSpan(0, text.IndexOf(' ') is > 0 and var end ? end : text.Length).Contains('/') ? text : char.ToUpperInvariant(text[0]) + text[1..];

    private static string Counted(string value, string one) => value switch { "-" => value, "1" => $"1 {one}", _ => $"{value} {one}s" };

    private static string Prefixed(string words, string value) => value == "-" ? value : $"{words} {value}";

    private static string Suffixed(string value, string words) => value == "-" ? value : $"{value} {words}";

    private static string Lower(string value) => value.ToLowerInvariant();

    [GeneratedRegex("^([0-9]{1,12})(|Ki|Mi|Gi|Ti)B$")]
    private static partial Regex SizePattern();

    [GeneratedRegex("(?<=[a-z])([A-Z])")]
    private static partial Regex CamelHump();
}
