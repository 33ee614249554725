using System.Globalization;

namespace Bench.Reports.Content;

/// <summary>
/// When a log is flushed, in the spelling of the command line: none, roll, interval:MS, records:N, bytes:N, group:USEC,
/// each. Anything else is kept as it is and comes last.
/// </summary>
internal static class FlushPolicy
{
    public const string Parameter = "FlushPolicy";

    /// <summary>
    /// From what may lose the most to what may lose nothing. Records and bytes are one scale, by what may be unflushed;
    /// group commit and a flush of each append lose nothing that was acknowledged.
    /// </summary>
    /// <param name="policy">As spelled.</param>
    /// <param name="recordBytes">What one record is worth.</param>
    public static (int Rank, double Worth, string Text) Order(string policy, long recordBytes = 1024)
    {
        var (kind, figure) = Split(policy);
        return (kind, figure) switch
        {
            ("none", _) => (0, 0, ""),
            ("roll", _) => (1, 0, ""),
            ("interval", { } ms) => (2, -ms, ""),
            ("records", { } count) => (3, -count * recordBytes, policy),
            ("bytes", { } bytes) => (3, -bytes, policy),
            ("group", { } microseconds) => (4, -microseconds, ""),
            ("each", _) => (5, 0, ""),
            _ => (6, 0, policy),
        };
    }

    /// <summary>The same of a case, with its own record size.</summary>
    public static (int Rank, double Worth, string Text) Order(CaseView view) => Order(view[Parameter], Words.Bytes(view["RecordSize"]) ?? 1024);

    /// <summary>"group:500" is of the kind "group".</summary>
    public static string Kind(string policy) => Split(policy).Kind;

    /// <summary>Whether an append returns only when a flush has: its throughput is then the device's, and else the page cache's.</summary>
    public static bool Waits(CaseView view) => Kind(view[Parameter]) is "each" or "group";

    /// <summary>"bytes:1MiB" is 1,048,576, "interval:100" is 100; null if the policy has no figure.</summary>
    public static double? Amount(string policy) => Split(policy).Figure;

    /// <summary>"bytes:1MiB" is "every 1 MiB".</summary>
    public static string Say(string policy) => Split(policy) switch
    {
        ("none", _) => "no flush",
        ("roll", _) => "at each roll",
        ("interval", { } ms) => $"every {Time(ms * 1e3)}",
        ("records", { } count) => count == 1 ? "each record" : $"every {Format.Count((long)count)} records",
        ("bytes", { } bytes) => $"every {Format.Bytes(bytes)}",
        ("group", { } microseconds) => $"group commit {Time(microseconds)}",
        ("each", _) => "each append",
        _ => policy,
    };

    private static (string Kind, double? Figure) Split(string policy)
    {
        var colon = policy.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
            return (policy, null);
        var text = policy[(colon + 1)..];
        double? figure = Words.Bytes(text);
        if (figure is null && double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number < 1e15)
            figure = number;
        return (policy[..colon], figure);
    }

    /// <summary>A set time, not a measured one: "5 ms", without digits that nobody set.</summary>
    private static string Time(double microseconds) => microseconds switch
    {
        >= 1e6 => $"{Format.Number(microseconds / 1e6)} s",
        >= 1e3 => $"{Format.Number(microseconds / 1e3)} ms",
        _ => $"{Format.Number(microseconds)} µs",
    };
}
