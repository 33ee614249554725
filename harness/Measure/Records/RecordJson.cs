using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bench.Measure.Records;

/// <summary>Records to JSON and back: one object, one line, UTF-8, invariant figures.</summary>
public static class RecordJson
{
    /// <summary>camelCase names, enums as words, no nulls, no line breaks.</summary>
    public static JsonSerializerOptions Options { get; } = MakeOptions();

    private static JsonSerializerOptions MakeOptions()
    {
        var options = new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            WriteIndented = false,
            AllowDuplicateProperties = false,
        };
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase));
        return options;
    }

    /// <summary>One line, without the line break.</summary>
    public static string Write(RunRecord record) => JsonSerializer.Serialize(record, Options);

    /// <summary>Reads one line.</summary>
    /// <exception cref="RecordException">Not JSON, a field missing or of the wrong kind, or a newer schema.</exception>
    public static RunRecord Read(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new RecordException("it is not a JSON object");
            RequireKnownSchema(document.RootElement);
            return document.RootElement.Deserialize<RunRecord>(Options)
                ?? throw new RecordException("it is empty");
        }
        catch (JsonException exception)
        {
            throw new RecordException($"it is not a valid record: {exception.Message}", exception);
        }
        catch (InvalidOperationException exception)
        {
            throw new RecordException($"it is not a valid record: {exception.Message}", exception);
        }
    }

    private static void RequireKnownSchema(JsonElement root)
    {
        const string family = "bench.record/";
        if (!root.TryGetProperty("schema", out var element) || element.GetString() is not { } schema
            || !schema.StartsWith(family, StringComparison.Ordinal)
            || !int.TryParse(schema.AsSpan(family.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            throw new RecordException("it has no schema bench.record/N, so it is not a record of bench");

        var known = int.Parse(RunRecord.CurrentSchema.AsSpan(family.Length), CultureInfo.InvariantCulture);
        if (number > known)
            throw new RecordException(
                $"it has the schema {schema}, newer than this bench reads ({RunRecord.CurrentSchema}); use a newer bench");
    }
}

/// <summary>A record or a file of records that cannot be used; the message is a sentence for the user.</summary>
public sealed class RecordException(string message, Exception? inner = null) : Exception(message, inner);
