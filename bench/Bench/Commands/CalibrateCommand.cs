using System.CommandLine;
using System.Globalization;
using Bench.Gate;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Bench.Measure.Running;
using Bench.Reports;
using Bench.Reports.Comparison;
using Bench.Reports.Gate;
using Spectre.Console;

namespace Bench.Commands;

/// <summary><c>bench calibrate</c>: this program against itself, as it is and with a known slowdown.</summary>
internal sealed class CalibrateCommand : Command
{
    private readonly Option<string> target = new("--target", "-t") { Description = "The folder whose file system is measured (default: this folder's)", HelpName = "DIR", DefaultValueFactory = _ => "." };
    private readonly Option<string> slowdowns = new("--slowdowns") { Description = "Slowdowns that are injected to see whether they are found", HelpName = "SHARE,…", DefaultValueFactory = _ => "5%,10%,20%" };
    private readonly Option<int?> runs = new("--runs") { Description = "Gate runs of each kind (default: as many as give 50 judgements)", HelpName = "N" };
    private readonly Option<int?> plainRuns = new("--plain-runs") { Description = "Gate runs of this program against itself (default: as --runs)", HelpName = "N" };
    private readonly Option<string?> outFolder = new("--out", "-o") { Description = "Where the gate runs go (default: reports/out/calibration-<run>); one that was interrupted is gone on with", HelpName = "DIR" };
    private readonly PlanOptions planOptions = new(defaultProfile: "gate");
    private readonly GateOptions gateOptions = new();

    internal CalibrateCommand() : base("calibrate", "Measure what this machine does by itself, and how often the gate is right here: the gate wants it once")
    {
        Add(target);
        planOptions.AddTo(this);
        gateOptions.AddTo(this);
        Add(slowdowns);
        Add(runs);
        Add(plainRuns);
        Add(outFolder);
        SetAction(parsed => GateEnding.Guard("calibrate", stop => Run(parsed, stop)));
    }

    private int Run(ParseResult parsed, StopSignal stop)
    {
        var rules = gateOptions.Read(parsed);
        var plan = planOptions.Read(parsed);
        if (plan.Settings.IsPaced)
            throw new PlanException("a gate compares closed loops; --rate and --latency-target do not go with calibrate");
        GateSession.RequireEnoughPairs(rules, plan.Cases.Count);
        if (plan.Settings.InjectedSlowdown > 0)
            throw new PlanException("calibrate makes the head slower by itself; give the shares with --slowdowns");
        var shares = parsed.GetValue(slowdowns)!.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(text => PlanOptions.ReadShare("--slowdowns", text, most: 10)).ToArray();
        var count = parsed.GetValue(runs) ?? (Calibration.FewestJudgements + plan.Cases.Count - 1) / plan.Cases.Count;
        var plainCount = parsed.GetValue(plainRuns) ?? count;
        if (count is < 1 or > 10_000 || plainCount is < 1 or > 10_000)
            throw new PlanException("--runs and --plain-runs take 1 to 10000");
        var name = RunCommand.NewRunName();
        var folder = Path.GetFullPath(parsed.GetValue(outFolder) ?? Path.Combine("reports", "out", "calibration-" + name));
        Directory.CreateDirectory(folder);
        // All A/A runs first: the noise floors are theirs, and the runs with a slowdown are judged with them.
        var plain = new List<GateResult>();
        var kinds = shares.Prepend(0.0).SelectMany(share => Enumerable.Range(1, share == 0 ? plainCount : count).Select(number => (share, number))).ToArray();
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Calibrate {kinds.Length} gate runs of {Format.Count(plan.Cases.Count, "case")}, at least {Plan.Say(kinds.Length * GateCommand.PairSeconds(plan, plan) * rules.Looks[0])}; {folder}"));
        var results = new List<GateResult>();
        foreach (var (share, number) in kinds)
        {
            var calibration = share == 0 ? null : Calibration.Of(plain, plan.Settings.Passes, plan.Settings.PassSeconds);
            var result = OneRun(parsed, plan, rules, folder, share, number, calibration, stop);
            results.Add(result);
            if (share == 0)
                plain.Add(result);
        }
        var made = Calibration.Of(results, plan.Settings.Passes, plan.Settings.PassSeconds);
        Console.Error.WriteLine($"Calibration  {made.Write(parsed.GetValue(gateOptions.Calibrations)!)}");
        var page = Path.Combine(folder, "calibration.md");
        File.WriteAllText(page, CalibrationTables.Markdown(made, results));
        Console.Error.WriteLine($"Tables   {page}");
        Show(made, results);
        if (made.Doubt is { } doubt)
            Console.Error.WriteLine($"Warning  {doubt}");
        return ExitCode.Done;
    }

    private static void Show(Calibration made, IReadOnlyList<GateResult> results)
    {
        var console = StandardOutput.Console();
        foreach (var table in CalibrationTables.Of(made, results))
        {
            var shown = new Table().Border(TableBorder.Simple).Title($"[bold]{Markup.Escape(table.Caption)}[/]");
            foreach (var column in table.Columns)
                shown.AddColumn(new TableColumn(Markup.Escape(column.Name)) { Alignment = column.Numeric ? Justify.Right : Justify.Left });
            foreach (var row in table.Rows)
                shown.AddRow([.. row.Cells.Select(cell => new Markup(Markup.Escape(cell)))]);
            console.Write(shown);
        }
    }

    /// <summary>A gate run of an interrupted calibration, if it is one of this calibration.</summary>
    private GateResult Same(GateResult earlier, string file, ParseResult parsed, Plan plan, GateRules rules)
    {
        var difference = earlier.Fingerprint.Hash != GateArea.FingerprintOf(parsed.GetValue(target)!).Hash ? "machine or target"
            : !earlier.Looks.SequenceEqual(rules.Looks) || earlier.Alpha != rules.Alpha ? "--pairs or --alpha"
            : earlier.Judgements.Any(judgement => judgement.Margin != 1 + rules.Margins[judgement.Key.Figure]) ? "--margin or --margin-p99"
            : !earlier.Cases.Select(one => one.Name).SequenceEqual(plan.Cases.Select(spec => spec.Id)) ? "cases"
            : earlier.Cases.SelectMany(one => one.Pairs).Select(pair => pair.Base?.PassBytesPerSecond.Count ?? 0).FirstOrDefault(count => count > 0) is var passes && passes != plan.Settings.Passes ? "--passes"
            : earlier.PassSeconds > 0 && earlier.PassSeconds != plan.Settings.PassSeconds ? "--pass-seconds"
            : null;
        return difference is null ? earlier : throw new PlanException($"{file} is of another calibration (another {difference}); give another --out");
    }

    private GateResult OneRun(ParseResult parsed, Plan plan, GateRules rules, string folder, double share, int number, Calibration? calibration, StopSignal stop)
    {
        var kind = share == 0 ? "aa" : string.Create(CultureInfo.InvariantCulture, $"slow{share * 100:0.#}");
        var runFolder = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{kind}-{number:000}"));
        var file = Path.Combine(runFolder, GateResult.FileName);
        if (File.Exists(file))
            return Same(GateJson.ReadFile(file), file, parsed, plan, rules);
        var settings = plan.Settings with { Seed = plan.Settings.Seed + number * 1000L + (long)(share * 1000) };
        var cases = plan.Cases.Select(spec => new GateCase(spec.Id, spec, spec)).ToArray();
        var run = RunCommand.NewRunName();
        using var area = GateArea.Make(parsed.GetValue(target)!, run, 2, plan.PeakBytes);
        using var work = new WorkFolder(runFolder);
        var side = new GateSide { Role = "base", Name = "this program", Command = RunCommand.SelfCommand() };
        var session = new GateSession(side, side with { Role = "head", InjectedSlowdown = share }, cases, settings, rules, stop)
        {
            TurnLimit = gateOptions.ReadTurnLimit(parsed),
            Neighbours = area.Neighbours,
            Say = line => Console.Error.WriteLine($"{kind} {number}: {line}"),
        };
        var result = session.Execute(run, work.Path, area.Folders, area.Folders, calibration);
        result = result with { Cases = [.. result.Cases.Select(one => one with { BaseRecord = null, HeadRecord = null })] };
        File.WriteAllText(file + ".new", GateJson.Write(result));
        File.Move(file + ".new", file);
        // Its exit code would be that of a gate; here every verdict is a result.
        Console.Error.WriteLine($"{kind} {number}: {GateWords.Tally(result)}");
        foreach (var warning in result.Warnings)
            Console.Error.WriteLine($"Warning  {warning}");
        return result;
    }
}
