using System.CommandLine;
using Bench.Measure.Records;
using Bench.Measure.Running;
using Bench.Reports;

namespace Bench.Commands;

/// <summary><c>bench report</c>: one or several runs, side by side, as one page.</summary>
internal sealed class ReportCommand : Command
{
    private readonly Argument<string[]> runs = new("RUN") { Description = "Run folders, or files of records", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string?> outFile = new("--out", "-o") { Description = "The HTML file (default: index.html in the first run's folder); report.md goes beside it", HelpName = "FILE" };
    private readonly Option<bool> anonymous = new("--anonymous") { Description = "Leave out host names, serial numbers and paths" };

    internal ReportCommand() : base("report", "One or several runs, side by side, as one HTML page and one Markdown file")
    {
        Add(runs);
        Add(outFile);
        Add(anonymous);
        SetAction(Report);
    }

    private int Report(ParseResult parsed)
    {
        var folders = parsed.GetValue(runs)!;
        if (folders.Contains("") || parsed.GetValue(outFile) is "")
            throw new PlanException("an empty name is no run and no file");
        if (folders.All(folder => RunStore.Read(folder).Records.Count == 0))
            throw new RecordException($"{string.Join(", ", folders)}: no record there; the run ended before its first case did");
        var page = Path.GetFullPath(parsed.GetValue(outFile)
            ?? Path.Combine(Directory.Exists(folders[0]) ? folders[0] : Path.GetDirectoryName(Path.GetFullPath(folders[0]))!, "index.html"));
        foreach (var warning in ReportWriter.Write(folders, page, new ReportOptions { Anonymous = parsed.GetValue(anonymous) }))
            Console.Error.WriteLine($"Warning  {warning}");
        Console.Error.WriteLine($"Report   {page}");
        return ExitCode.Done;
    }
}
