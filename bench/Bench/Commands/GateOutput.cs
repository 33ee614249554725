using System.Globalization;
using System.Text.Json;
using Bench.Measure.Records;
using Bench.Reports.Comparison;
using Bench.Reports.Gate;

namespace Bench.Commands;

/// <summary>Where a gate's result goes.</summary>
internal static class GateOutput
{
    /// <summary>Writes all of it.</summary>
    /// <returns>The exit code.</returns>
    internal static int Write(GateResult result, string folder, string? junit)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, GateResult.FileName), JsonSerializer.Serialize(result, RecordJson.Options));
        foreach (var one in result.Cases)
            foreach (var judgement in one.Judgements)
                Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{judgement.Verdict.Words(),-13} {judgement.Key.Figure.Name(),-10} {judgement.Ratio:0.000} ({judgement.Low:0.000} to {judgement.High:0.000}) {judgement.Pairs} pairs  {one.Name} {judgement.Reason}"));
        Console.Out.WriteLine(result.Summary);
        return result.ExitCode;
    }
}
