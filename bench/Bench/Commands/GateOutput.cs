using Bench.Measure.Running;
using Bench.Reports;
using Bench.Reports.Charts;
using Bench.Reports.Gate;

namespace Bench.Commands;

/// <summary>
/// Where a gate's result goes: the table on standard output, <c>gate.json</c> and the page in the gate's folder, the job
/// summary of GitHub if there is one, and JUnit XML where it was asked for. The exit code is the program's own: no pipe
/// is needed to see the verdict. It is the verdict's whatever becomes of the files: a build that fails because something
/// is slower may not end as one that could not be judged because a folder was full.
/// </summary>
internal static class GateOutput
{
    /// <summary>Sees to it, before anything is measured, that the file for JUnit XML can be written.</summary>
    /// <param name="junit">The file; null for none.</param>
    /// <exception cref="PlanException">It cannot be.</exception>
    internal static void Check(string? junit)
    {
        if (junit is null)
            return;
        OutputPath.RequireFile("--junit", junit);
        try
        {
            // The result of the commit before would pass for this one's if this gate is killed. Anything else that is there
            // is left alone until the end: it may be a pipe, which has no length.
            if (File.Exists(junit) && new FileInfo(junit).Length > 0 && File.ReadLines(junit).First().StartsWith('<'))
                File.Delete(junit);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new PlanException($"--junit {junit} cannot be written: {exception.Message}");
        }
    }

    /// <summary>Writes all of it, what a person waits for first.</summary>
    /// <param name="result">The result.</param>
    /// <param name="folder">The gate run's folder.</param>
    /// <param name="junit">The file for JUnit XML; null for none.</param>
    /// <param name="history">Charts of the cases' history; null for none.</param>
    /// <returns>The exit code.</returns>
    internal static int Write(GateResult result, string folder, string? junit, IReadOnlyList<Chart>? history = null)
    {
        Keep("table", "standard output", _ =>
        {
            GateTable.Write(result);
            Console.Out.WriteLine($"gate {result.Summary}");
        }, makesFolder: false);
        Keep("result", Path.Combine(folder, GateResult.FileName), file => File.WriteAllText(file, GateJson.Write(result)));
        var page = Path.Combine(folder, "index.html");
        if (Keep("page", page, file => File.WriteAllText(file, ComparisonPage.Render(result, new ReportOptions(), history))))
            Console.Error.WriteLine($"Page     {page}");
        ForServers(junit, () => GateMarkdown.Render(result), () => GateJUnit.Render(result));
        return result.ExitCode;
    }

    /// <summary>Says where a server looks for a result that there is none, and why: a missing file says nothing there.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="junit">The file for JUnit XML; null for none.</param>
    internal static void WriteNone(string reason, string? junit) => ForServers(junit, () => GateMarkdown.RenderNone(reason), () => GateJUnit.RenderNone(reason));

    private static void ForServers(string? junit, Func<string> markdown, Func<string> xml)
    {
        if (Environment.GetEnvironmentVariable("GITHUB_STEP_SUMMARY") is { Length: > 0 } summary)
            Keep("job summary", summary, file => File.AppendAllText(file, markdown()), makesFolder: false);
        if (junit is not null)
            Keep("JUnit XML", junit, file => File.WriteAllText(file, xml()));
    }

    /// <summary>Writes a file and makes its folder, if it is one that the user named; one that cannot be written is a warning. True if it is written.</summary>
    private static bool Keep(string what, string file, Action<string> write, bool makesFolder = true)
    {
        try
        {
            if (makesFolder)
                Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
            write(file);
            return true;
        }
        // A figure that JSON has no word for (infinite) comes of a record that nobody measured.
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or System.Text.Json.JsonException)
        {
            Console.Error.WriteLine($"Warning  the {what} is not in {file}: {exception.Message}");
            return false;
        }
    }
}
