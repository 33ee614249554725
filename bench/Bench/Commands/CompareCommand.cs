using System.CommandLine;
using Bench.Measure.Records;
using Bench.Measure.Running;
using Bench.Reports;
using Bench.Reports.Comparison;
using Bench.Reports.Gate;

namespace Bench.Commands;

/// <summary>
/// <c>bench compare</c>: two stored runs, case by case. It shows and never fails a build, as users of criterion and of
/// BenchmarkDotNet's comparers expect; the exit status that fails one is <c>bench gate</c>'s.
/// </summary>
internal sealed class CompareCommand : Command
{
    private readonly Argument<string> baseRun = new("BASE") { Description = "The run to compare with: a folder, or a file of records" };
    private readonly Argument<string> headRun = new("HEAD") { Description = "The run that is asked about" };
    private readonly Option<bool> unlike = new("--unlike") { Description = "Compare runs of unlike machines or devices too; marked everywhere" };
    private readonly Option<string?> outFile = new("--out", "-o") { Description = "Also write the comparison as one HTML page (default: the table on standard output alone)", HelpName = "FILE" };
    private readonly Option<bool> json = new("--json") { Description = "One JSON object instead of the table: bench.gate/1, as in a gate's gate.json" };
    private readonly Option<bool> anonymous = new("--anonymous") { Description = "Leave out host names, serial numbers and paths, in page and JSON" };

    internal CompareCommand() : base("compare", "Two runs, case by case: ratios, verdicts, what differs; exit status 0 whatever the verdicts, 2 if the runs cannot be compared")
    {
        Add(baseRun);
        Add(headRun);
        Add(unlike);
        Add(outFile);
        Add(json);
        Add(anonymous);
        SetAction(Compare);
    }

    private int Compare(ParseResult parsed)
    {
        var (first, second) = (parsed.GetValue(baseRun)!, parsed.GetValue(headRun)!);
        if (first.Length == 0 || second.Length == 0)
            throw new PlanException("an empty name is no run");
        if (parsed.GetValue(outFile) is { } wanted)
            OutputPath.RequireFile("--out", wanted, first, second);
        try
        {
            var result = Read(parsed, first, second);
            if (parsed.GetValue(anonymous))
                result = GateRedaction.Apply(result);
            if (parsed.GetValue(json))
                Console.Out.WriteLine(GateJson.Write(result));
            else
                WriteTable(result);
            if (parsed.GetValue(outFile) is { } file)
                WritePage(result, Path.GetFullPath(file), new ReportOptions { Anonymous = parsed.GetValue(anonymous) });
            return ExitCode.Done;
        }
        catch (RecordException exception)
        {
            Console.Error.WriteLine($"bench: {exception.Message}");
            return ExitCode.CannotJudge;
        }
        catch (UnlikeRunsException exception)
        {
            Console.Error.WriteLine($"bench: {exception.Message}; --unlike compares them all the same, and marks it");
            return ExitCode.CannotJudge;
        }
    }

    private GateResult Read(ParseResult parsed, string first, string second)
    {
        var (baseRecords, baseWarnings) = RunStore.Read(first);
        var (headRecords, headWarnings) = RunStore.Read(second);
        var result = RunComparison.Of(new ComparedRun(first, baseRecords), new ComparedRun(second, headRecords), new ComparisonOptions
        {
            Unlike = parsed.GetValue(unlike),
            NowUtc = DateTimeOffset.UtcNow,
            CommandLine = string.Join(' ', Environment.GetCommandLineArgs().Skip(1)),
        });
        if (result.Cases.Count == 0)
            throw new RecordException($"{first} and {second} have no case in common, so there is nothing to compare ('bench list' names the cases of a plan)");
        return result with { Warnings = [.. baseWarnings, .. headWarnings, .. result.Warnings] };
    }

    private static void WriteTable(GateResult result)
    {
        GateTable.Write(result);
        Console.Out.WriteLine(GateWords.Tally(result));
    }

    private static void WritePage(GateResult result, string path, ReportOptions options)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, ComparisonPage.Render(result, options));
        Console.Error.WriteLine($"Page     {path}");
    }
}
