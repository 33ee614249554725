using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Bench.Measure.Records;

namespace Bench.Reports.History;

/// <summary>A run of a history as lines of JSON: the run, then one line for each of its points.</summary>
internal static class HistoryJson
{
    private const string Family = "bench.history/";

    /// <summary>All lines, each with its line feed; equal for equal runs.</summary>
    public static string Write(RunPoints run)
    {
        var text = new StringBuilder();
        text.Append(JsonSerializer.Serialize(run.Run, RecordJson.Options)).Append('\n');
        foreach (var point in run.Points)
            text.Append(JsonSerializer.Serialize(point, RecordJson.Options)).Append('\n');
        return text.ToString();
    }

    /// <summary>The first line.</summary>
    /// <exception cref="HistoryException">It is none, or of a newer schema.</exception>
    public static HistoryRun ReadRun(ReadOnlySpan<byte> line) => Guarded(line, static line =>
    {
        RequireKnownSchema(line);
        var run = JsonSerializer.Deserialize<HistoryRun>(line, RecordJson.Options) ?? throw new HistoryException("it is empty");
        return run.Traits.All(trait => trait is { Name: not null, Value: not null }) ? run : throw new HistoryException("a trait has no name or no value");
    });

    /// <summary>One of the further lines.</summary>
    /// <exception cref="HistoryException">It is no point.</exception>
    public static HistoryPoint ReadPoint(ReadOnlySpan<byte> line) =>
        Guarded(line, static line => JsonSerializer.Deserialize<HistoryPoint>(line, RecordJson.Options) ?? throw new HistoryException("it is empty"));

    private delegate T Reader<T>(ReadOnlySpan<byte> line);

    private static T Guarded<T>(ReadOnlySpan<byte> line, Reader<T> read)
    {
        try
        {
            return read(line);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or ArgumentException or NotSupportedException or FormatException)
        {
            throw new HistoryException($"it is no valid line of a history: {JsonWords.Of(exception)}", exception);
        }
    }

    private static void RequireKnownSchema(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        using var document = JsonDocument.ParseValue(ref reader);
        if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("schema", out var element)
            || element.ValueKind != JsonValueKind.String || element.GetString() is not { } schema || !schema.StartsWith(Family, StringComparison.Ordinal)
            || !BigInteger.TryParse(schema.AsSpan(Family.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < 1)
            throw new HistoryException($"it has no schema {Family}N, so it is no run of a history");
        if (number > int.Parse(HistoryRun.CurrentSchema.AsSpan(Family.Length), CultureInfo.InvariantCulture))
            throw new HistoryException($"it has the schema {schema}, newer than this bench reads ({HistoryRun.CurrentSchema}); use a newer bench");
    }
}
