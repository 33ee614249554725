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
        "Pages" => value == "Huge" ? "huge pages" : value == "-" ? value : $"{Size(value)} pages",
        _ when Bytes(value) is not null => Size(value),
        "Engine" => value,
        _ => value,
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

    /// <summary>The first letter large.</summary>
    public static string Sentence(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];

    private static string Lower(string value) => value.ToLowerInvariant();

    [GeneratedRegex("^([0-9]{1,12})(|Ki|Mi|Gi|Ti)B$")]
    private static partial Regex SizePattern();

    [GeneratedRegex("(?<=[a-z])([A-Z])")]
    private static partial Regex CamelHump();
}
