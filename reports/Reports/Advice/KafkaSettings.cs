using System.Globalization;
using Bench.Reports.Content;

namespace Bench.Reports.Advice;

/// <summary>A broker's or a topic's property.</summary>
/// <param name="Name">As in <c>server.properties</c>.</param>
/// <param name="Value">Its value; null to leave it at its default.</param>
internal sealed record KafkaSetting(string Name, string? Value)
{
    public override string ToString() => Value is null ? $"# {Name}: default" : $"{Name}={Value}";
}

/// <summary>
/// A case of ours in Kafka's words (Kafka 3.x and 4.x: <c>LogConfig</c>, <c>UnifiedLog.append</c>, <c>LogManager.flushDirtyLogs</c>).
/// Kafka counts messages, not bytes, and always flushes a segment in the background after its roll.
/// </summary>
internal static class KafkaSettings
{
    /// <summary>Kafka's own: 1 GiB.</summary>
    public const long DefaultSegmentBytes = 1 << 30;

    private const string SegmentBytes = "log.segment.bytes";
    private const string FlushMessages = "log.flush.interval.messages";
    private const string FlushMs = "log.flush.interval.ms";
    private const string FlushSchedulerMs = "log.flush.scheduler.interval.ms";

    /// <summary>Segment size and flush policy as settings.</summary>
    /// <param name="view">The case.</param>
    /// <param name="segmentBytes">The segment size; null to leave it at Kafka's.</param>
    public static IReadOnlyList<KafkaSetting> Of(CaseView view, long? segmentBytes) =>
        [new KafkaSetting(SegmentBytes, segmentBytes?.ToString(CultureInfo.InvariantCulture)), .. Flush(view)];

    /// <summary>What Kafka does otherwise than the policy that was measured; null if nothing.</summary>
    public static string? Difference(CaseView view) => FlushPolicy.Kind(view[FlushPolicy.Parameter]) switch
    {
        "none" => "Kafka flushes each segment after its roll all the same, in the background: the figures of a flush at each roll are the nearer ones where both were measured.",
        "group" => "Kafka has no group commit: with these settings it flushes for each batch by itself, at the figures of a flush of each append.",
        "bytes" => $"Kafka counts messages: the number is {Format.Bytes(FlushPolicy.Amount(view[FlushPolicy.Parameter]) ?? 0)} in {view.Say("RecordSize")}.",
        _ => null,
    };

    private static IEnumerable<KafkaSetting> Flush(CaseView view)
    {
        var policy = view[FlushPolicy.Parameter];
        string Text(double value) => Math.Max(1, Math.Round(value)).ToString("0", CultureInfo.InvariantCulture);
        return (FlushPolicy.Kind(policy), FlushPolicy.Amount(policy)) switch
        {
            ("none" or "roll", _) => [new(FlushMessages, null), new(FlushMs, null)],
            ("interval", { } ms) => [new(FlushMs, Text(ms)), new(FlushSchedulerMs, Text(ms))],
            ("records", { } records) => [new(FlushMessages, Text(records))],
            ("bytes", { } bytes) => [new(FlushMessages, Text(bytes / (Words.Bytes(view["RecordSize"]) ?? 1024)))],
            ("group" or "each", _) => [new(FlushMessages, "1")],
            _ => [],
        };
    }
}
