using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Bench.Disk;
using Bench.Disk.Counters;
using Bench.Disk.Topology;
using Bench.Gate;
using Bench.Measure;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Bench.Measure.Running;
using Bench.Reports;
using Bench.Reports.Comparison;
using Bench.Workloads;

namespace Bench.Commands;

/// <summary><c>bench run</c>: measures, keeps a record of each case, writes the report.</summary>
internal sealed class RunCommand : Command
{
    private readonly PlanOptions planOptions = new();
    private readonly Option<string[]> target = new("--target", "-t") { Description = "The folder whose file system is measured (default: this folder's); several take turns, pass by pass", HelpName = "DIR", DefaultValueFactory = _ => ["."] };
    private readonly Option<string?> outFolder = new("--out", "-o") { Description = "Where records and report go (default: reports/out/<run>)", HelpName = "DIR" };
    private readonly Option<bool> json = new("--json") { Description = "Standard output carries the records, one JSON object a line, and nothing else" };
    private readonly Option<bool> keep = new("--keep") { Description = "Leave the data files on the target, and say where" };
    private readonly Option<string?> reuse = new("--reuse") { Description = "Use the data files that an earlier run kept", HelpName = "DIR" };
    private readonly Option<bool> steady = new("--steady") { Description = "First fill what space there is, twice, and go on with random I/O until the drive is in a steady state; fills the drive and takes hours on a large one" };
    private readonly Option<string?> resume = new("--resume") { Description = "Go on with an interrupted run: its folder, and no other choice of cases or target", HelpName = "DIR" };
    private readonly Option<string?> maxWrite = new("--max-write") { Description = "Refuse a plan that writes more than this: 20GiB", HelpName = "SIZE" };
    private readonly Option<string?> raw = new("--raw") { Description = "Measure a block device itself, and write over all that is on it, instead of a folder; cases of direct I/O only", HelpName = "DEV" };
    private readonly Option<string?> rawModel = new("--raw-model") { Description = "The model's name of the device given to --raw, to show that it is the one that is meant", HelpName = "NAME" };
    private readonly Option<bool> noReport = new("--no-report") { Description = "Write the records only" };

    private readonly Option<string?> turns = new("--turns") { Description = "Take turns with another run, pass by pass, as the one who listens on this socket says", HelpName = "SOCKET", Hidden = true };

    internal RunCommand() : base("run", "Measure, prove what was measured, and write the report")
    {
        Add(target);
        planOptions.AddTo(this);
        Add(outFolder);
        Add(json);
        Add(keep);
        Add(reuse);
        Add(steady);
        Add(resume);
        Add(maxWrite);
        Add(raw);
        Add(rawModel);
        Add(noReport);
        Add(turns);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        if (parsed.GetValue(raw) is { } device)
            return RunRaw(parsed, device);
        if (parsed.GetValue(rawModel) is not null)
            throw new PlanException("--raw-model goes with --raw");
        var job = parsed.GetValue(resume) is { } folder ? Resumed(parsed, folder) : new Job(planOptions.Read(parsed, steady: parsed.GetValue(steady)), parsed.GetValue(target)!, NewRunName());
        if (job is { Folder: { } finished, Plan.Cases.Count: 0 })
        {
            Console.Error.WriteLine("Nothing is left to measure");
            ReportFiles.Write([finished], Path.Combine(finished, "index.html"), new ReportOptions());
            return ExitCode.Done;
        }
        return job.Targets is [var only] ? RunOne(parsed, job, only) : RunSeveral(parsed, job);
    }

    /// <summary>What is to be done, from the command line or from the folder of an interrupted run.</summary>
    /// <param name="Plan">The cases.</param>
    /// <param name="Targets">The targets' folders.</param>
    /// <param name="Run">The run's name.</param>
    private sealed record Job(Plan Plan, IReadOnlyList<string> Targets, string Run)
    {
        /// <summary>The folder of a run that is gone on with; null of a new one.</summary>
        internal string? Folder { get; init; }

        /// <summary>What that run has measured.</summary>
        internal IReadOnlyList<RunRecord> Earlier { get; init; } = [];

        /// <summary>Its records of cases that only some targets have: all measure them again, in turns, and they would be there twice.</summary>
        internal int Partial { get; init; }

        /// <summary>What the rest of the run is not as its beginning was; null if it is.</summary>
        internal string? Warning => Earlier.Any(IsSteady) && !Plan.Cases.Any(spec => spec.Workload.Type == typeof(SteadyState))
            ? "The run was interrupted after its steady state, and the file that filled the drive is gone: the cases that were measured since then met a drive with room." : null;

        private static bool IsSteady(RunRecord record) => record.Workload == nameof(SteadyState);
    }

    private Job Resumed(ParseResult parsed, string folder)
    {
        // What was begun is gone on with as it was: a choice now would make two halves of it.
        if (planOptions.Options.Concat([target, outFolder, reuse, turns, steady, raw]).FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } other)
            throw new PlanException($"--resume goes on with what was begun; {other.Name} does not go with it");
        if (folder.Length == 0)
            throw new PlanException("--resume is empty; give the folder of a run");
        folder = Path.GetFullPath(folder);
        var stored = StoredPlan.Read(folder);
        IReadOnlyList<RunRecord> earlier = File.Exists(Path.Combine(folder, RunStore.FileName)) ? RunStore.Read(folder).Records : [];
        foreach (var targetFolder in stored.Targets)
        {
            if (earlier.FirstOrDefault(record => record.Target.Folder == targetFolder) is not { } first)
                continue;
            var unlike = Fingerprint.Of(first).DifferencesTo(GateArea.FingerprintOf(targetFolder)).Where(difference => difference.Unlike).ToArray();
            if (unlike.Length > 0)
                throw new PlanException($"{folder} was begun on another machine or device ({string.Join("; ", unlike.Take(3).Select(difference => difference.ToString()))})");
        }
        var whole = stored.Whole(earlier);
        return new Job(stored.Rest(whole), stored.Targets, stored.Run) { Folder = folder, Earlier = whole, Partial = earlier.Count - whole.Count };
    }

    /// <summary>Refuses what wears a drive more than its owner wants.</summary>
    private void CheckWrites(ParseResult parsed, Plan plan)
    {
        if (parsed.GetValue(maxWrite) is not { } text)
            return;
        if (!ByteSize.TryParse(text, out var most))
            throw new PlanException($"--max-write takes a size such as 20GiB; '{text}' is none");
        if (plan.WriteBytes > most.Bytes)
            throw new PlanException($"the plan writes about {Plan.SayBytes(plan.WriteBytes)} to a target, more than --max-write {text}; a smaller profile, --filter or shorter passes write less");
    }

    private int RunOne(ParseResult parsed, Job job, string given)
    {
        var plan = job.Plan;
        var reused = parsed.GetValue(reuse);
        // A folder that somebody has prepared has nothing left over beside it but what is his.
        var topology = reused is null ? MadeReady(given) : new TopologyProbe().Probe(TargetFolder.Check(given));
        var folder = topology.Folder;
        // Counters and topology are the target's: data on another disk would be measured with the wrong evidence.
        if (reused is { Length: > 0 } && Path.TrimEndingDirectorySeparator(Path.GetFullPath(reused)) == folder)
            throw new PlanException($"{reused} is the target itself; --reuse takes the folder in it that a run with --keep has left (.bench-…)");
        if (reused is { Length: > 0 } && Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(reused))) != folder)
            throw new PlanException($"{reused} is not in the target {folder}; give the folder above it as --target");
        // A launch of a gate does not look: it would cost each of them half a second.
        if (reused is null)
            topology = LookedAt(topology);
        if (job.Warning is { } warning)
            topology = topology with { Warnings = [.. topology.Warnings, warning] };
        plan = WithSteady(parsed, WithStripes(plan, [topology]), [topology]);
        CheckWrites(parsed, plan);
        if (reused is null)
            TargetFolder.CheckSpace(folder, topology, plan.PeakBytes);

        var run = job.Run;
        var runFolder = job.Folder ?? RunFolder(parsed, run);
        var data = reused is null ? DataFolder.Create(folder, run, parsed.GetValue(keep)) : DataFolder.Reuse(reused, run);
        return Execute(parsed, job with { Plan = plan }, topology, data, runFolder, resumable: true);
    }

    /// <summary>One target that is a device: what a case can do without files is done on its first bytes, or on all of it.</summary>
    private int RunRaw(ParseResult parsed, string given)
    {
        if (new Option[] { target, keep, reuse, resume, turns }.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } other)
            throw new PlanException($"--raw measures a device in the place of a folder; {other.Name} does not go with it");
        var plan = planOptions.Read(parsed, steady: parsed.GetValue(steady));
        static bool Fits(CaseSpec spec) => spec.Workload.Type == typeof(SteadyState) || spec.Workload.Type == typeof(CachePath) && spec.Values.Contains(Access.Direct);
        if (!plan.Cases.Any(Fits) && !parsed.GetValue(steady))
            throw new PlanException("none of the chosen cases is for a device: those of direct I/O are (CachePath with Access=Direct, and SteadyState)");
        using var device = RawDevice.Take(given, parsed.GetValue(rawModel));
        var topology = LookedAt(device.Topology);
        plan = WithStripes(plan.With(cases => [.. cases.Where(Fits)]), [topology]);
        if (parsed.GetValue(steady))
            plan = plan.With(cases => [.. SteadyState.CasesOf(new ByteSize(topology.TotalBytes >> 20 << 20)), .. cases]);
        if (plan.Files.Select(file => file.Size).Max() is var largest && largest.Bytes > topology.TotalBytes)
            throw new PlanException($"{device.Path} has {Plan.SayBytes(topology.TotalBytes)} and the largest case takes {largest}; use a smaller profile or --set FileSize");
        CheckWrites(parsed, plan);
        var run = NewRunName();
        var runFolder = RunFolder(parsed, run);
        // Who the run is has to be somewhere; the next one on a device removes what a crash has left of it.
        var scratch = Path.TrimEndingDirectorySeparator(Path.GetTempPath());
        DataFolder.RemoveLeftovers(scratch);
        var data = DataFolder.ForDevice(scratch, run, device.Held);
        return Execute(parsed, new Job(plan, [device.Path], run), topology, data, runFolder, resumable: false);
    }

    private int Execute(ParseResult parsed, Job job, DeviceTopology topology, DataFolder data, string runFolder, bool resumable)
    {
        var (plan, run) = (job.Plan, job.Run);
        using var ending = new RunEnding(data, runFolder, writeReport: !parsed.GetValue(noReport)) { StopsAtOnce = parsed.GetValue(turns) is null };
        MakeOutFolder(runFolder);
        plan = ImpossibleCases.LeftOut(plan, data.Path);
        if (job.Folder is null && resumable)
            StoredPlan.Write(runFolder, run, [topology.Folder], plan);
        using var turn = parsed.GetValue(turns) is { } socket ? new Turns(socket) : null;
        var toStandardOutput = parsed.GetValue(json);
        var context = new RunContext
        {
            Run = run,
            Settings = plan.Settings,
            Data = data,
            Target = topology,
            Host = new HostProbe().Probe(),
            Tool = Tool(plan),
            Stop = ending.Stop,
            SelfCommand = SelfCommand(),
            Turns = turn,
            Observer = new RunProgress(plan, toStandardOutput),
        };

        SayTarget(topology);
        SayPlan(plan, context.Host.Warnings, targets: 1);
        if (turn is null)
            SayDrives(plan, [topology]);
        var outcome = ((RunProgress)context.Observer).Show(() => RunSession.Execute(plan.Cases, context, runFolder));
        // A launch of a gate has no reader, and making the table was a seventh of its time on the processor.
        var outputError = toStandardOutput ? ((RunProgress)context.Observer).OutputError
            : turn is null ? TryWriteTable([.. job.Earlier, .. outcome.Records])
            : null;
        return Finish(ending, outcome, outputError);
    }

    private int RunSeveral(ParseResult parsed, Job job)
    {
        var plan = job.Plan;
        if (parsed.GetValue(reuse) is not null || parsed.GetValue(turns) is not null || plan.Settings.OperationsPerPass.Count > 0)
            throw new PlanException("--reuse and --operations go with one --target");
        DeviceTopology[] topologies = [.. job.Targets.Select(MadeReady)];
        if (topologies.GroupBy(topology => topology.Folder).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new PlanException($"the target {twice.Key} is given twice");
        plan = WithSteady(parsed, WithStripes(plan, topologies), topologies);
        CheckWrites(parsed, plan);
        // Several folders may share one file system's space.
        foreach (var group in topologies.GroupBy(topology => topology.Mount.MountPoint))
            TargetFolder.CheckSpace(group.First().Folder, group.First(), plan.PeakBytes > long.MaxValue / group.Count() ? long.MaxValue : plan.PeakBytes * group.Count());
        var run = job.Run;
        var runFolder = job.Folder ?? RunFolder(parsed, run);
        using var ending = new RunEnding(data: null, runFolder, writeReport: !parsed.GetValue(noReport));
        MakeOutFolder(runFolder);
        foreach (var topology in topologies)
        {
            // Left out on all: the targets take turns case by case.
            using var data = DataFolder.Create(topology.Folder, run, keep: false);
            plan = ImpossibleCases.LeftOut(plan, data.Path);
        }
        if (job.Folder is null)
            StoredPlan.Write(runFolder, run, [.. topologies.Select(topology => topology.Folder)], plan);
        foreach (var topology in topologies)
            SayTarget(topology);
        foreach (var shared in topologies.GroupBy(topology => topology.Mount.MountPoint).Where(group => group.Count() > 1))
            Console.Error.WriteLine($"Warning  {string.Join(" and ", shared.Select(topology => topology.Folder))} lie on one file system: what is compared is a disk with itself.");
        if (job.Warning is { } warning)
            Console.Error.WriteLine($"Warning  {warning}");
        SayPlan(plan, new HostProbe().Probe().Warnings, topologies.Length);
        SayDrives(plan, topologies);
        if (job.Partial > 0)
        {
            RunStore.Rewrite(runFolder, job.Earlier);
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Removed what only some of the targets had measured ({job.Partial} of {job.Partial + job.Earlier.Count} records); all of them measure these cases again"));
        }
        var toStandardOutput = parsed.GetValue(json);
        string? told = null;
        var number = 0;
        var timeLeft = new TimeLeft(plan.Seconds * topologies.Length);
        var doneSeconds = 0.0;
        var estimates = plan.Cases.Zip(plan.Estimates).ToDictionary(pair => plan.Settings.NameOf(pair.First), pair => pair.Second.Seconds);
        var outcome = new TargetsRun(plan, topologies, run, Tool(plan), runFolder, parsed.GetValue(keep), ending.Stop)
        {
            CaseEnded = (record, index) =>
            {
                if (toStandardOutput)
                    told ??= RunProgress.TryTell(record);
                doneSeconds += estimates.GetValueOrDefault(record.Case);
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"[{++number}/{plan.Cases.Count * topologies.Length}{(timeLeft.IsTelling(doneSeconds) ? $", {timeLeft.Say(doneSeconds)} left" : "")}] {topologies[index].Folder}: {ResultTable.ShortName(record.Workload, record.Parameters)}: {RunProgress.Outcome(record)}"));
            },
        }.Execute();
        return Finish(ending, outcome, toStandardOutput ? told : TryWriteTable([.. job.Earlier, .. outcome.Records]));
    }

    /// <summary>The target with a warning if its disks are in use before anything has begun.</summary>
    private static DeviceTopology LookedAt(DeviceTopology topology)
    {
        const double lookSeconds = 0.5, busyBytesPerSecond = 1e6;
        string[] disks = [.. topology.PhysicalDisks().Select(disk => disk.Name)];
        if (DiskCounters.ReadSum(disks) is not { } before)
            return topology;
        Thread.Sleep(TimeSpan.FromSeconds(lookSeconds));
        if (DiskCounters.ReadSum(disks) - before is not { } moved || (moved.ReadBytes + moved.WriteBytes) / lookSeconds < busyBytesPerSecond)
            return topology;
        return topology with
        {
            Warnings = [.. topology.Warnings, string.Create(CultureInfo.InvariantCulture,
                $"{string.Join(", ", disks)}: in use by others before the run began ({moved.ReadBytes / lookSeconds / 1e6:0.#} MB/s read, {moved.WriteBytes / lookSeconds / 1e6:0.#} MB/s written), and figures of the device include them.")],
        };
    }

    /// <summary>What is under a target, checked and free of leftovers.</summary>
    private static DeviceTopology MadeReady(string given)
    {
        var folder = TargetFolder.Check(given);
        foreach (var removed in DataFolder.RemoveLeftovers(folder, shared: TargetFolder.IsShared(new TopologyProbe().Probe(folder).Mount)))
            Console.Error.WriteLine($"Removed what an interrupted run had left: {removed}");
        return new TopologyProbe().Probe(folder);
    }

    private string RunFolder(ParseResult parsed, string run)
    {
        if (parsed.GetValue(outFolder) is "")
            throw new PlanException("--out is empty; give a folder");
        var runFolder = Path.GetFullPath(parsed.GetValue(outFolder) ?? Path.Combine("reports", "out", run));
        return File.Exists(Path.Combine(runFolder, RunStore.FileName)) ? throw new PlanException($"{runFolder} holds a run already; give another --out") : runFolder;
    }

    private static ToolInfo Tool(Plan plan) => new()
    {
        Version = ToolVersion.Version,
        Commit = ToolVersion.Commit,
        CommandLine = string.Join(' ', Environment.GetCommandLineArgs().Skip(1)),
        Profile = plan.Settings.Profile.ToString().ToLowerInvariant(),
        Seed = plan.Settings.Seed,
    };

    private static int Finish(RunEnding ending, RunOutcome outcome, string? outputError)
    {
        var exitCode = ending.Finish(outcome);
        if (outputError is null)
            return exitCode;
        Console.Error.WriteLine($"bench: standard output could not be written: {outputError}");
        return exitCode == ExitCode.Done ? ExitCode.Failed : exitCode;
    }

    /// <summary>A name for a run, a gate run or a calibration: now in UTC and four random hexadecimal digits.</summary>
    internal static string NewRunName() => DateTime.UtcNow.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)
        + "-" + Random.Shared.Next(0x10000).ToString("x4", CultureInfo.InvariantCulture);

    private static string? TryWriteTable(IReadOnlyList<RunRecord> records)
    {
        try
        {
            ResultTable.Write(records);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception.Message;
        }
    }

    private static void SayTarget(DeviceTopology topology)
    {
        var disks = topology.PhysicalDisks();
        var on = disks.Count == 0 ? "no block device" : string.Join(", ", disks.Select(disk => disk.Model is { Length: > 0 } model ? $"{disk.Name} ({model})" : disk.Name));
        Console.Error.WriteLine($"Target   {topology.Folder}: {topology.Mount.FileSystem} on {on}");
        foreach (var warning in topology.Warnings)
            Console.Error.WriteLine($"Warning  {warning}");
    }

    private static void SayPlan(Plan plan, IReadOnlyList<string> hostWarnings, int targets)
    {
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Plan     {Format.Count(plan.Cases.Count, "case")}{(targets > 1 ? $" on each of {targets} targets" : "")}, about {Plan.Say(plan.Seconds * targets)}, {Plan.SayBytes(plan.WriteBytes)} written{(targets > 1 ? " on each" : "")}; seed {plan.Settings.Seed}"));
        foreach (var warning in hostWarnings)
            Console.Error.WriteLine($"Warning  {warning}");
    }

    /// <summary>What the run costs each drive, and how warm it is, where the drive says so. Of an array each drive takes a part of it.</summary>
    private static void SayDrives(Plan plan, IReadOnlyList<DeviceTopology> targets)
    {
        foreach (var disk in targets.SelectMany(target => target.PhysicalDisks()).Select(disk => disk.Name).Distinct())
            if (DriveHealth.Read(disk).Told(plan.WriteBytes * targets.Count(target => target.PhysicalDisks().Any(one => one.Name == disk)), Plan.SayBytes) is { } told)
                Console.Error.WriteLine($"Drive    {disk}: {told}");
    }

    /// <summary>The cases of the steady state before all others, on a file as large as every target has room for beside theirs.</summary>
    private Plan WithSteady(ParseResult parsed, Plan plan, IReadOnlyList<DeviceTopology> targets)
    {
        const long least = 64 << 20, slack = 16 << 20;
        if (!parsed.GetValue(steady))
            return plan;
        var room = targets.Min(target => target.FreeBytes - target.TotalBytes / 10 - plan.PeakBytes - slack);
        if (room < least)
            throw new PlanException($"--steady fills the target, and beside what the other cases take and the tenth that stays free there is no room: {Plan.SayBytes(Math.Max(0, room))}");
        return plan.With(cases => [.. SteadyState.CasesOf(new ByteSize(room >> 20 << 20)), .. cases]);
    }

    /// <summary>Block sizes around the stripes of the targets' arrays, unless the user chose the sizes.</summary>
    private static Plan WithStripes(Plan plan, IReadOnlyList<DeviceTopology> targets)
    {
        if (plan.NamesBlockSizes)
            return plan;
        foreach (var stripe in targets.Select(ArrayLayout.Of).OfType<ArrayLayout>().Select(layout => layout.StripeBytes).Distinct())
            plan = plan.With(cases => CachePath.WithStripes(cases, stripe));
        return plan;
    }

    private static void MakeOutFolder(string runFolder)
    {
        try
        {
            Directory.CreateDirectory(runFolder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new PlanException($"the results' folder {runFolder} cannot be made: {exception.Message}; give another --out");
        }
    }

    /// <summary>How to start this program again: the program itself, or dotnet with the assembly.</summary>
    internal static string[] SelfCommand()
    {
        var process = Environment.ProcessPath!;
        return Path.GetFileNameWithoutExtension(process) == "dotnet"
            ? [process, Path.GetFullPath(Environment.GetCommandLineArgs()[0])]
            : [process];
    }
}

/// <summary>
/// The end of a run, whatever brings it: all cases done, a failure, or Ctrl-C. Ctrl-C and SIGTERM ask the loops to
/// stop; should one hang in a system call on a sick disk, the data is removed and the report written from here after
/// 1.5 seconds, because the user was promised the prompt back within two.
/// </summary>
internal sealed class RunEnding : IDisposable
{
    private const int OneWishMs = 300;

    // A run over several targets has to wait for the ends of theirs.
    private const int PatienceMs = 1500;
    private const int PatienceWithSeveralMs = 6000;

    private readonly DataFolder? data;
    private readonly string runFolder;
    private readonly bool writeReport;
    private readonly PosixSignalRegistration[] registrations;
    private int finishing;
    private long firstSignalMs;

    internal RunEnding(DataFolder? data, string runFolder, bool writeReport)
    {
        this.data = data;
        this.runFolder = runFolder;
        this.writeReport = writeReport;
        registrations = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }.Select(signal => PosixSignalRegistration.Create(signal, OnSignal))];
    }

    internal StopSignal Stop { get; } = new();

    /// <summary>
    /// Whether a second wish to stop ends the process at once. Not where another process gives the turns: a terminal's
    /// Ctrl-C reaches both, and then that one asks too; the data would be left behind.
    /// </summary>
    internal bool StopsAtOnce { get; init; } = true;

    /// <summary>Removes the data, writes the report, says where everything is.</summary>
    /// <returns>The exit code.</returns>
    internal int Finish(RunOutcome outcome)
    {
        // The other thread has given the loops up already and ends the process: two endings would tread on each other.
        if (Interlocked.Exchange(ref finishing, 1) != 0)
            Thread.Sleep(Timeout.Infinite);
        RemoveData();
        if (data is { Keep: true })
            Console.Error.WriteLine($"Data     kept in {data.Path}");
        if (outcome.FatalError is { } fatal)
            Console.Error.WriteLine($"bench: the run ended early: {fatal}");
        // Of several targets a case alone does not say which.
        var several = outcome.Records.Select(record => record.Target.Folder).Distinct().Skip(1).Any();
        string NameOf(RunRecord record) => several ? $"{record.Case} on {record.Target.Folder}" : record.Case;
        foreach (var failed in outcome.Records.Where(record => record.Error is not null && record.Error != outcome.FatalError))
            Console.Error.WriteLine($"Failed   {NameOf(failed)}: {failed.Error}");
        foreach (var record in outcome.Records.Where(record => record.Evidence.Verdict == Verdict.Contradicted))
            foreach (var claim in record.Evidence.Claims.Where(claim => claim.Verdict == Verdict.Contradicted))
                Console.Error.WriteLine($"Contradicted  {NameOf(record)}: not {claim.Claim}: {claim.Reason}");
        if (outcome.Stopped)
            Console.Error.WriteLine($"Stopped; the {outcome.Records.Count} finished cases are kept");
        WriteReport(outcome.Records.Count);
        return outcome.Stopped ? ExitCode.Interrupted
            : outcome.FatalError is not null || outcome.Records.Any(record => record.Error is not null) ? ExitCode.Failed
            : ExitCode.Done;
    }

    public void Dispose()
    {
        foreach (var registration in registrations)
            registration.Dispose();
        RemoveData();
    }

    private void OnSignal(PosixSignalContext signal)
    {
        signal.Cancel = true;
        // Who presses twice does not want to wait; the next start removes what is left. But timeout(1) sends its signal to
        // the process and then to its group, which is one wish.
        var now = Environment.TickCount64;
        var first = Interlocked.CompareExchange(ref firstSignalMs, now, 0);
        if (first != 0)
        {
            if (StopsAtOnce && now - first > OneWishMs)
                ProcessEnd.Now(ExitCode.Interrupted);
            return;
        }
        Stop.Request();
        var thread = new Thread(() =>
        {
            Thread.Sleep(data is null ? PatienceWithSeveralMs : PatienceMs);
            if (Interlocked.Exchange(ref finishing, 1) != 0)
                return;
            try
            {
                RemoveData();
                var (records, _) = RunStore.Read(runFolder);
                Console.Error.WriteLine($"Stopped while a system call hung; the {records.Count} finished cases are kept");
                WriteReport(records.Count);
            }
            finally
            {
                ProcessEnd.Now(ExitCode.Interrupted);
            }
        })
        { IsBackground = true };
        thread.Start();
    }

    private void RemoveData()
    {
        try
        {
            data?.Dispose();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"bench: {data!.Path} could not be removed: {exception.Message}");
        }
    }

    private void WriteReport(int recordCount)
    {
        Console.Error.WriteLine($"Records  {Path.Combine(runFolder, RunStore.FileName)}");
        if (recordCount == 0 || !writeReport)
            return;
        ReportFiles.Write([runFolder], Path.Combine(runFolder, "index.html"), new ReportOptions());
    }
}
