using System.CommandLine;
using System.Globalization;
using Bench.Disk.Topology;
using Bench.Gate;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Bench.Measure.Running;
using Bench.Reports;
using Bench.Reports.Charts;
using Bench.Reports.Comparison;
using Bench.Reports.Gate;
using Bench.Reports.History;

namespace Bench.Commands;

/// <summary><c>bench gate</c>: base against head, a verdict per case and one exit code.</summary>
internal sealed class GateCommand : Command
{
    private readonly Option<string?> baseName = new("--base") { Description = "The base: a git revision of bench, a folder with its source, a published program, or a stored run (default: this program)", HelpName = "X" };
    private readonly Option<string?> headName = new("--head") { Description = "The head, likewise; '.' is this folder with what is not committed", HelpName = "Y" };
    private readonly Option<string[]> baseSet = new("--base-set") { Description = "A parameter's value for the base alone: FlushPolicy=each", HelpName = "NAME=VALUE", DefaultValueFactory = _ => [] };
    private readonly Option<string[]> headSet = new("--head-set") { Description = "The same for the head", HelpName = "NAME=VALUE", DefaultValueFactory = _ => [] };
    private readonly Option<string?> baseTarget = new("--base-target") { Description = "The base's target, where each side has its own", HelpName = "DIR" };
    private readonly Option<string?> headTarget = new("--head-target") { Description = "The head's", HelpName = "DIR" };
    private readonly Option<string> target = new("--target", "-t") { Description = "The folder whose file system is measured (default: this folder's)", HelpName = "DIR", DefaultValueFactory = _ => "." };
    private readonly Option<string?> outFolder = new("--out", "-o") { Description = "Where result and page go (default: reports/out/gate-<run>)", HelpName = "DIR" };
    private readonly Option<string?> junit = new("--junit") { Description = "Also write JUnit XML", HelpName = "FILE" };
    private readonly Option<string?> store = HistoryCommand.StoreOption();
    private readonly Option<bool> unlike = new("--unlike") { Description = "Compare although machines or devices differ; marked as such" };
    private readonly Option<bool> uncalibrated = new("--uncalibrated") { Description = "Judge without a calibration of this machine: no noise floor, no known error rates" };
    private readonly Option<bool> allowMissing = new("--allow-missing") { Description = "Cases that the base has and the head lacks are only listed; else they end the gate with 2" };
    private readonly PlanOptions planOptions = new(defaultProfile: "gate");
    private readonly GateOptions gateOptions = new();

    internal GateCommand() : base("gate", "Base against head: faster, same, slower or inconclusive, and an exit code (0 none slower, 1 slower, 2 not judged)")
    {
        foreach (var option in (Option[])[baseName, headName, baseSet, headSet, baseTarget, headTarget, target])
            Add(option);
        planOptions.AddTo(this);
        gateOptions.AddTo(this);
        store.Description = $"Whose history of each case the page shows. {store.Description}";
        foreach (var option in (Option[])[outFolder, junit, store, unlike, uncalibrated, allowMissing])
            Add(option);
        SetAction(parsed =>
        {
            GateOutput.Check(parsed.GetValue(junit));
            return GateEnding.Guard("gate", stop => Run(parsed, stop), failed: reason => GateOutput.WriteNone(reason, parsed.GetValue(junit)));
        });
    }

    private int Run(ParseResult parsed, StopSignal stop)
    {
        var rules = gateOptions.Read(parsed);
        var run = RunCommand.NewRunName();
        var named = parsed.GetValue(outFolder) ?? Path.Combine("reports", "out", "gate-" + run);
        OutputPath.RequireFolder("--out", named);
        var folder = Path.GetFullPath(named);
        if (File.Exists(Path.Combine(folder, GateResult.FileName)))
            throw new PlanException($"{folder} holds a gate run already; give another --out");
        // A run has a page of the same name there.
        if (File.Exists(Path.Combine(folder, RunStore.FileName)))
            throw new PlanException($"{folder} holds a run, whose page a gate would replace; give another --out");
        var result = IsRecords(parsed.GetValue(baseName)) || IsRecords(parsed.GetValue(headName))
            ? JudgeRecords(parsed, rules)
            : RunPairs(parsed, run, folder, rules, stop);
        result = result with { Lost = parsed.GetValue(allowMissing) ? [] : result.BaseOnly };
        return GateOutput.Write(result, folder, parsed.GetValue(junit), History(parsed, result, rules));
    }

    /// <summary>What is known of these cases from before. A gate without a history, or whose history cannot be read, is a gate all the same.</summary>
    private IReadOnlyList<Chart> History(ParseResult parsed, GateResult result, GateRules rules)
    {
        var name = HistoryCommand.NameOf(parsed.GetValue(store));
        if (parsed.GetValue(store) is null && name == HistoryStore.DefaultName && !Directory.Exists(name))
            return [];
        try
        {
            using var history = HistoryStore.Open(name);
            return HistoryCharts.Of(history.Last([.. result.Cases.Select(one => one.BaseRecord?.Case ?? one.Name)], ChangePoints.MostValues), rules.Margins[Figure.Throughput]);
        }
        catch (Exception exception) when (exception is HistoryException or FormatException)
        {
            Console.Error.WriteLine($"Warning  the page has no history: {exception.Message}");
            return [];
        }
    }

    private GateResult JudgeRecords(ParseResult parsed, GateRules rules)
    {
        var (first, second) = (parsed.GetValue(baseName), parsed.GetValue(headName));
        foreach (var (option, name) in new[] { ("--base", first), ("--head", second) })
            if (!IsRecords(name))
                throw new PlanException($"a stored run is compared with a stored run, and {option} {(name is null ? "is missing" : $"{name} is none (no {RunStore.FileName} there)")}");
        // They have been measured: what says how is an error here, and not left unheard.
        var measuring = Options.Except([baseName, headName, outFolder, junit, store, unlike, uncalibrated, allowMissing, .. gateOptions.OfJudging])
            .FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false });
        if (measuring is not null)
            throw new PlanException($"stored runs are judged as they are, case by case; {measuring.Name} is for runs that are still to be made");
        var (baseRecords, baseWarnings) = RunStore.Read(first!);
        var (headRecords, headWarnings) = RunStore.Read(second!);
        var calibration = baseRecords.Count == 0 ? null : Calibration.Read(parsed.GetValue(gateOptions.Calibrations)!, Fingerprint.Of(baseRecords[0]));
        if (calibration is null && !parsed.GetValue(uncalibrated))
            throw new GateException("the machine of these runs has no calibration, so nobody knows what it does by itself; run 'bench calibrate' there once, or give --uncalibrated");
        try
        {
            var result = RunComparison.Of(new ComparedRun(first!, baseRecords), new ComparedRun(second!, headRecords), new ComparisonOptions
            {
                Rules = rules,
                Unlike = parsed.GetValue(unlike),
                NowUtc = DateTimeOffset.UtcNow,
                CommandLine = string.Join(' ', Environment.GetCommandLineArgs().Skip(1)),
                NoiseFloors = calibration?.NoiseFloors(baseRecords.SelectMany(record => Figures.All.Select(figure => new GateKey(record.Case, figure))).Distinct()) ?? [],
                CalibratedUtc = calibration?.MadeUtc,
            });
            return result with { Warnings = [.. baseWarnings, .. headWarnings, .. calibration?.Doubt is { } doubt ? [doubt] : Array.Empty<string>(), .. result.Warnings] };
        }
        catch (UnlikeRunsException exception)
        {
            throw new GateException($"{exception.Message}; --unlike compares them all the same, and marks it", exception);
        }
    }

    private GateResult RunPairs(ParseResult parsed, string run, string folder, GateRules rules, StopSignal stop)
    {
        var (first, second) = (parsed.GetValue(baseName), parsed.GetValue(headName));
        var (baseSets, headSets) = (parsed.GetValue(baseSet)!, parsed.GetValue(headSet)!);
        var targets = (Base: parsed.GetValue(baseTarget), Head: parsed.GetValue(headTarget));
        if (first is null && second is null && baseSets.Length + headSets.Length == 0 && targets.Base is null && targets.Head is null)
            throw new PlanException("what is compared? give --base and --head, --base-set and --head-set, or --base-target and --head-target; 'bench calibrate' compares a program with itself");
        if (targets.Base is null != targets.Head is null)
            throw new PlanException("--base-target and --head-target go together");
        if (targets.Base is not null && TargetFolder.Check(targets.Base) == TargetFolder.Check(targets.Head!))
            throw new PlanException($"--base-target and --head-target are one folder, {targets.Base}; two sides on one target are compared by turns on the same files with --target");

        var basePlan = planOptions.Read(parsed, baseSets);
        var headPlan = planOptions.Read(parsed, headSets, basePlan.Settings.Seed);
        if (basePlan.Settings.IsPaced)
            throw new PlanException("a gate compares closed loops; --rate and --latency-target do not go with it");
        var cases = GateCase.Pair(basePlan.Cases, headPlan.Cases, [.. baseSets.Concat(headSets).Select(set => set.Split('=')[0].Trim())]);
        GateSession.RequireEnoughPairs(rules, cases.Count);
        // On one target each folder holds the files of both sides, which swap them.
        var peak = Plan.PeakBytesOf(basePlan, headPlan);
        var calibration = RequireCalibration(parsed, targets.Base ?? parsed.GetValue(target)!, cases, basePlan.Settings, rules);

        using var work = new WorkFolder(folder);
        using var baseProgram = GateProgram.Resolve("base", first, stop);
        using var headProgram = GateProgram.Resolve("head", second, stop);
        using var baseArea = GateArea.Make(targets.Base ?? parsed.GetValue(target)!, run, targets.Base is null ? 2 : 1, peak);
        using var headArea = targets.Head is { } other ? GateArea.Make(other, RunCommand.NewRunName(), 1, peak) : null;
        RequireAlike(parsed, baseArea.Topology, headArea?.Topology);
        var session = new GateSession(
            baseProgram.Side("base", NameOf(first, baseSets, targets.Base)),
            headProgram.Side("head", NameOf(second, headSets, targets.Head)) with { InjectedSlowdown = headPlan.Settings.InjectedSlowdown },
            cases, basePlan.Settings, rules, stop)
        {
            TurnLimit = gateOptions.ReadTurnLimit(parsed),
            Neighbours = [.. baseArea.Neighbours, .. headArea?.Neighbours ?? []],
            Say = line => Console.Error.WriteLine($"Gate     {line}"),
        };
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Gate     {Format.Count(cases.Count, "case")}, {SayRange(rules, pairs => pairs.ToString(CultureInfo.InvariantCulture))} pairs of launches, about {SayRange(rules, pairs => Plan.Say(PairSeconds(basePlan, headPlan) * pairs))}; seed {basePlan.Settings.Seed}"));
        var result = session.Execute(run, work.Path, baseArea.Folders, (headArea ?? baseArea).Folders, calibration);
        return result with { Unlike = result.Differences.Any(difference => difference.Unlike) };
    }

    /// <summary>What is said of the fewest and of the most pairs; once, where these are the same.</summary>
    private static string SayRange(GateRules rules, Func<int, string> say) =>
        rules.Looks[0] == rules.MostPairs ? say(rules.MostPairs) : $"{say(rules.Looks[0])} to {say(rules.MostPairs)}";

    /// <summary>What one pair takes: a start each, of which most is the compiler's, and both sides' cases. What it really takes is said after the first.</summary>
    internal static double PairSeconds(Plan one, Plan other) => 3 + one.Estimates.Concat(other.Estimates).Sum(estimate => estimate.Seconds);

    private Calibration? RequireCalibration(ParseResult parsed, string targetFolder, IReadOnlyList<GateCase> cases, RunSettings settings, GateRules rules)
    {
        var fingerprint = GateArea.FingerprintOf(targetFolder);
        if (parsed.GetValue(uncalibrated))
            return null;
        var calibration = Calibration.Read(parsed.GetValue(gateOptions.Calibrations)!, fingerprint);
        if (calibration is null)
            throw new GateException($"this machine and target ({fingerprint.Hash}) have no calibration, so nobody knows what they do by themselves; run 'bench calibrate' once, or give --uncalibrated");
        if (calibration.Passes != settings.Passes || calibration.PassSeconds != settings.PassSeconds)
            throw new GateException(string.Create(CultureInfo.InvariantCulture, $"the calibration was made with {calibration.Passes} passes of {calibration.PassSeconds} s; calibrate with the passes of this gate, or give --uncalibrated"));
        if (!calibration.Looks.SequenceEqual(rules.Looks))
            throw new GateException($"the calibration was made with looks after {string.Join(", ", calibration.Looks)} pairs; calibrate with the --pairs of this gate, or give --uncalibrated");
        var known = calibration.Cases.Select(one => one.Name).ToHashSet(StringComparer.Ordinal);
        // With other settings on a side, each side is a calibrated case or the two of them have no name of their own.
        if (cases.FirstOrDefault(one => !known.Contains(one.Name) && !(known.Contains(one.Base.Id) && known.Contains(one.Head.Id))) is { } missing)
            throw new GateException($"{missing.Name} was not calibrated here; run 'bench calibrate' with the cases of this gate, or give --uncalibrated");
        return calibration;
    }

    private void RequireAlike(ParseResult parsed, DeviceTopology first, DeviceTopology? second)
    {
        if (second is null || parsed.GetValue(unlike))
            return;
        var host = new HostProbe().Probe();
        var differences = Fingerprint.Of(host, first, ToolVersion.Version).DifferencesTo(Fingerprint.Of(host, second, ToolVersion.Version)).Where(difference => difference.Unlike).ToArray();
        if (differences.Length > 0)
            throw new GateException($"the targets are not alike ({string.Join("; ", differences.Take(4).Select(difference => difference.ToString()))}); give --unlike to compare them all the same");
    }

    private static bool IsRecords(string? name) =>
        name is not null && (File.Exists(Path.Combine(name, RunStore.FileName)) || (File.Exists(name) && name.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase)));

    private static string NameOf(string? program, string[] sets, string? target) =>
        string.Join(" ", new[] { program, string.Join(", ", sets), target }.Where(part => !string.IsNullOrEmpty(part))) is { Length: > 0 } name ? name : "this program";
}
