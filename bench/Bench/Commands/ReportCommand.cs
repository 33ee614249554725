using System.CommandLine;
using System.Globalization;
using Bench.Measure;
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

    private readonly Option<string?> names = new("--names") { Description = "What to call the runs, or the targets of one run, in their order: \"64 KiB chunks,512 KiB chunks\"", HelpName = "NAME,…" };

    private readonly Option<string?> percentiles = new("--percentiles") { Description = "Also write each case's latencies as HdrHistogram percentile text, in µs, into this folder", HelpName = "DIR" };

    internal ReportCommand() : base("report", "One or several runs, side by side, as one HTML page and one Markdown file")
    {
        Add(runs);
        Add(outFile);
        Add(anonymous);
        Add(names);
        Add(percentiles);
        SetAction(Report);
    }

    private int Report(ParseResult parsed)
    {
        var folders = parsed.GetValue(runs)!;
        if (folders.Contains(""))
            throw new PlanException("an empty name is no run");
        if (parsed.GetValue(outFile) is { } wanted)
            OutputPath.RequireFile("--out", wanted, folders);
        if (parsed.GetValue(percentiles) is { } wantedFolder)
            OutputPath.RequireFolder("--percentiles", wantedFolder);
        if (folders.All(folder => RunStore.Read(folder).Records.Count == 0))
            throw new RecordException($"{string.Join(", ", folders)}: no record there; the run ended before its first case did");
        var page = Path.GetFullPath(parsed.GetValue(outFile)
            ?? Path.Combine(Directory.Exists(folders[0]) ? folders[0] : Path.GetDirectoryName(Path.GetFullPath(folders[0]))!, "index.html"));
        ReportFiles.Write(folders, page, new ReportOptions
        {
            Anonymous = parsed.GetValue(anonymous),
            Names = parsed.GetValue(names)?.Split(',', StringSplitOptions.TrimEntries) ?? [],
        });
        if (parsed.GetValue(percentiles) is { } into)
            WritePercentiles(folders, Directory.CreateDirectory(into).FullName);
        return ExitCode.Done;
    }

    /// <summary>One file per case and kind of operation, named after both, for HdrHistogram's plotter and its kin.</summary>
    private static void WritePercentiles(IReadOnlyList<string> folders, string into)
    {
        var count = 0;
        foreach (var record in folders.SelectMany(folder => RunStore.Read(folder).Records))
        {
            foreach (var (operation, latency) in record.LatencyNs)
            {
                var name = string.Concat($"{record.Run} {record.Case} {operation}".Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '=' or '.' ? letter : '_'));
                File.WriteAllText(Path.Combine(into, name + ".hgrm"), LatencyHistogram.Parse(latency.Histogram).ToPercentileText());
                count++;
            }
        }
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Latency  {count} files in {into}"));
    }
}
