using System.Globalization;
using System.Numerics;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bench.Disk.Topology;

namespace Bench.Measure.Records;

/// <summary>Records to JSON and back: one object, one line, UTF-8, invariant figures.</summary>
public static class RecordJson
{
    /// <summary>camelCase names, enums as words, no nulls, no line breaks.</summary>
    public static JsonSerializerOptions Options { get; } = MakeOptions(new FiniteNumber());

    private static readonly JsonSerializerOptions ShortOptions = MakeOptions(new ShortNumber());

    private static JsonSerializerOptions MakeOptions(JsonConverter<double> number)
    {
        var options = new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            WriteIndented = false,
            AllowDuplicateProperties = false,
            RespectNullableAnnotations = true,
        };
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
        options.Converters.Add(number);
        return options;
    }

    /// <summary>JSON has no NaN and no infinity; "1e999" would be read as one.</summary>
    private class FiniteNumber : JsonConverter<double>
    {
        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.GetDouble() is var value && double.IsFinite(value) ? value : throw new JsonException("a number is out of range");

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
        {
            if (!double.IsFinite(value))
                throw new JsonException($"a figure is {value.ToString(CultureInfo.InvariantCulture)}, which is no number");
            WriteFinite(writer, value);
        }

        protected virtual void WriteFinite(Utf8JsonWriter writer, double value) => writer.WriteNumberValue(value);
    }

    /// <summary>Six digits: more than any report shows of a figure.</summary>
    private sealed class ShortNumber : FiniteNumber
    {
        protected override void WriteFinite(Utf8JsonWriter writer, double value) =>
            writer.WriteRawValue(value.ToString("G6", CultureInfo.InvariantCulture), skipInputValidation: true);
    }

    /// <summary>One line, without the line break.</summary>
    /// <exception cref="RecordException">A figure is not a number, or something that must be there is null.</exception>
    public static string Write(RunRecord record) => Write(record, Options);

    /// <summary>The same with six digits of every floating-point figure.</summary>
    /// <exception cref="RecordException">A figure is not a number, or something that must be there is null.</exception>
    public static string WriteShort(RunRecord record) => Write(record, ShortOptions);

    private static string Write(RunRecord record, JsonSerializerOptions options)
    {
        try
        {
            return JsonSerializer.Serialize(record, options);
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException or InvalidOperationException or NotSupportedException)
        {
            throw new RecordException($"the record of {record.Case} cannot be written: {exception.Message}", exception);
        }
    }

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
            var record = document.RootElement.Deserialize<RunRecord>(Options)
                ?? throw new RecordException("it is empty");
            RequireWholeLists(record);
            return record;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or ArgumentException or NotSupportedException or FormatException)
        {
            throw new RecordException($"it is not a valid record: {JsonWords.Of(exception)}", exception);
        }
    }

    /// <summary>The serializer refuses null for a property that must not be null, but not within a list.</summary>
    private static void RequireWholeLists(RunRecord record)
    {
        static bool Whole(IEnumerable<object?> list) => list.All(item => item is not null);
        static bool WholeDevices(IReadOnlyList<BlockDevice> devices) => Whole(devices) && devices.All(device => WholeDevices(device.Below));

        if (!(Whole(record.Parameters.Values) && Whole(record.Passes) && Whole(record.LatencyNs.Values) && Whole(record.Metrics.Values)
            && (record.Timeline is not { } timeline || (Whole(timeline.Points) && Whole(timeline.Events)))
            && Whole(record.Warnings) && Whole(record.Evidence.Claims) && record.Evidence.Claims.All(claim => Whole(claim.Figures))
            && Whole(record.Host.Warnings) && Whole(record.Host.CgroupIoLimits)
            && Whole(record.Target.Warnings) && WholeDevices(record.Target.Devices)))
            throw new RecordException("it is not a valid record: a list has null where a value belongs");
    }

    private static void RequireKnownSchema(JsonElement root)
    {
        const string family = "bench.record/";
        if (!root.TryGetProperty("schema", out var element) || element.ValueKind != JsonValueKind.String
            || element.GetString() is not { } schema || !schema.StartsWith(family, StringComparison.Ordinal)
            || !BigInteger.TryParse(schema.AsSpan(family.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || number < 1)
            throw new RecordException("it has no schema bench.record/N, so it is not a record of bench");

        var known = int.Parse(RunRecord.CurrentSchema.AsSpan(family.Length), CultureInfo.InvariantCulture);
        if (number > known)
            throw new RecordException(
                $"it has the schema {schema}, newer than this bench reads ({RunRecord.CurrentSchema}); use a newer bench");
    }
}

/// <summary>A record or a file of records that cannot be used; the message is a sentence for the user.</summary>
public sealed class RecordException(string message, Exception? inner = null) : Exception(message, inner);
