using Bench.Reports;
using Bench.Reports.Charts;
using Bench.Reports.Gate;

namespace Bench.Commands;

/// <summary>
/// Where a gate's result goes: the table on standard output, <c>gate.json</c> and the page in the gate's folder, the job
/// summary of GitHub if there is one, and JUnit XML where it was asked for. The exit code is the program's own: no pipe
/// is needed to see the verdict.
/// </summary>
internal static class GateOutput
{
    /// <summary>Writes all of it.</summary>
    /// <param name="result">The result.</param>
    /// <param name="folder">The gate run's folder.</param>
    /// <param name="junit">The file for JUnit XML; null for none.</param>
    /// <param name="history">Charts of the cases' history; null for none.</param>
    /// <returns>The exit code.</returns>
    internal static int Write(GateResult result, string folder, string? junit, IReadOnlyList<Chart>? history = null)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, GateResult.FileName), GateJson.Write(result));
        var page = Path.Combine(folder, "index.html");
        File.WriteAllText(page, ComparisonPage.Render(result, new ReportOptions(), history));
        if (junit is not null)
            File.WriteAllText(junit, GateJUnit.Render(result));
        if (Environment.GetEnvironmentVariable("GITHUB_STEP_SUMMARY") is { Length: > 0 } summary)
            File.AppendAllText(summary, GateMarkdown.Render(result));
        GateTable.Write(result);
        Console.Error.WriteLine($"Page     {page}");
        Console.Out.WriteLine($"gate {result.Summary}");
        return result.ExitCode;
    }
}
