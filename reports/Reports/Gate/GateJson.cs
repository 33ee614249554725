using System.Text.Json;
using Bench.Measure.Records;

namespace Bench.Reports.Gate;

/// <summary>A gate's result as JSON: <c>gate.json</c>, field by field in <c>GATE-RESULT.md</c>.</summary>
public static class GateJson
{
    /// <summary>One object on one line, without the line break.</summary>
    public static string Write(GateResult result) => JsonSerializer.Serialize(result, RecordJson.Options);

    /// <summary>Reads the file of a gate run.</summary>
    /// <exception cref="RecordException">It cannot be read, or is not the result of a gate.</exception>
    public static GateResult ReadFile(string file)
    {
        try
        {
            return Read(File.ReadAllText(file));
        }
        catch (Exception exception) when (exception is RecordException or IOException or UnauthorizedAccessException)
        {
            throw new RecordException($"{file}: {exception.Message}", exception);
        }
    }

    /// <summary>Reads it back.</summary>
    /// <exception cref="RecordException">It is not the result of a gate, or of a newer schema.</exception>
    public static GateResult Read(string text)
    {
        try
        {
            var result = JsonSerializer.Deserialize<GateResult>(text, RecordJson.Options) ?? throw new RecordException("it is empty");
            return result.Schema == GateResult.CurrentSchema ? result
                : throw new RecordException($"it has the schema {result.Schema}, and this bench reads {GateResult.CurrentSchema}");
        }
        catch (JsonException exception)
        {
            throw new RecordException($"it is not the result of a gate: {JsonWords.Of(exception)}", exception);
        }
    }
}
