using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Bench.Disk;
using Bench.Disk.Topology;
using Bench.Measure.Evidence;
using Bench.Measure.Passes;
using Bench.Measure.Records;

namespace Bench.Measure.Running;

/// <summary>
/// What a run's workloads share. BenchmarkDotNet makes the workloads' instances itself, through constructors without
/// parameters, so this is the one thing that reaches them from aside: set for the length of a run.
/// </summary>
public sealed class RunContext : IDisposable
{
    private static RunContext? current;
    private readonly Dictionary<string, IDisposable> shared = new(StringComparer.Ordinal);

    /// <summary>The run that is going on in this process.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public static RunContext Current =>
        current ?? throw new InvalidOperationException("No run is going on; workloads are run by 'bench run'.");

    /// <summary>The run's name.</summary>
    public required string Run { get; init; }

    /// <summary>How long and how often.</summary>
    public required RunSettings Settings { get; init; }

    /// <summary>Where the data goes.</summary>
    public required DataFolder Data { get; init; }

    /// <summary>The target.</summary>
    public required DeviceTopology Target { get; init; }

    /// <summary>The machine.</summary>
    public required HostInfo Host { get; init; }

    /// <summary>The program.</summary>
    public required ToolInfo Tool { get; init; }

    /// <summary>The user's wish to stop.</summary>
    public required StopSignal Stop { get; init; }

    /// <summary>Program and arguments that start this program again, for a workload that needs a second process.</summary>
    public required IReadOnlyList<string> SelfCommand { get; init; }

    /// <summary>The turns that this run takes with another one; null if it runs by itself.</summary>
    public Turns? Turns { get; init; }

    /// <summary>Told what goes on.</summary>
    public IRunObserver Observer { get; init; } = new SilentObserver();

    /// <summary>What can see the page cache of the target: "cachestat", "mincore" or "nothing".</summary>
    public string ResidencySource { get; internal set; } = "cachestat";

    /// <summary>The case that is running.</summary>
    public CaseScope Case { get; internal set; } = null!;

    /// <summary>Kernel names of the physical disks under the target.</summary>
    public IReadOnlyList<string> PhysicalDisks => [.. Target.PhysicalDisks().Select(disk => disk.Name)];

    /// <summary>Makes this the current run until it is disposed.</summary>
    public RunContext Enter()
    {
        if (Interlocked.CompareExchange(ref current, this, null) is not null)
            throw new InvalidOperationException("A run is going on in this process already.");
        return this;
    }

    /// <summary>Something that several cases use and that is costly to make (a large region of memory): one at a time.</summary>
    /// <param name="slot">What it is for; a new key in the same slot frees the old one first.</param>
    /// <param name="key">Which one.</param>
    /// <param name="make">Makes it.</param>
    public T Shared<T>(string slot, string key, Func<T> make) where T : class, IDisposable
    {
        if (shared.TryGetValue(slot + "/" + key, out var found))
            return (T)found;
        foreach (var old in shared.Keys.Where(k => k.StartsWith(slot + "/", StringComparison.Ordinal)).ToArray())
        {
            shared.Remove(old, out var gone);
            gone?.Dispose();
        }
        var made = make();
        shared[slot + "/" + key] = made;
        return made;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var resource in shared.Values)
            resource.Dispose();
        shared.Clear();
        Interlocked.CompareExchange(ref current, null, this);
    }
}

/// <summary>Everything that one case gathers while it runs; becomes its record.</summary>
public sealed class CaseScope
{
    // .NET's own IOException carries the errno of Linux as its HResult where it has no code of its own for it.
    private const int ENOSPC = 28;
    private const int EDQUOT = 122;

    private readonly Dictionary<string, LatencyHistogram> histograms = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, List<double>> metrics = new(StringComparer.Ordinal);
    private readonly List<IDisposable> owned = [];
    private readonly List<PassRecord> passes = [];
    private readonly List<PassRecord> disturbed = [];
    private string? lastDisturbance;
    private readonly List<string> warnings = [];
    private readonly List<ClaimRecord> claims = [];
    private readonly long started = Stopwatch.GetTimestamp();
    private readonly StopSignal stop;
    private readonly DeviceTopology target;

    internal CaseScope(CaseSpec spec, RunContext context)
    {
        Spec = spec;
        stop = context.Stop;
        target = context.Target;
        Meter = new PassMeter(context.PhysicalDisks, [.. context.Target.Members().Select(member => member.Name)]);
    }

    /// <summary>The case.</summary>
    public CaseSpec Spec { get; }

    /// <summary>Reads the counters.</summary>
    public PassMeter Meter { get; }

    /// <summary>When it began.</summary>
    public DateTimeOffset StartedUtc { get; } = DateTimeOffset.UtcNow;

    /// <summary>Timed passes so far.</summary>
    public IReadOnlyList<PassRecord> Passes => passes;

    /// <summary>What was really in force.</summary>
    public JsonObject Effective { get; } = [];

    /// <summary>What happened when within one of the passes (<see cref="TimelineRecorder"/>) or before them (<see cref="TimelineWatch"/>); null if the workload keeps none.</summary>
    public TimelineRecord? Timeline { get; set; }

    /// <summary>The rounds that came before the passes; null if the workload has none.</summary>
    public IReadOnlyList<RoundRecord>? Rounds { get; set; }

    /// <summary>The first failure, as a sentence.</summary>
    public string? Error { get; private set; }

    /// <summary>True if the failure will meet every further case too (no space left): the run ends.</summary>
    public bool Fatal { get; private set; }

    /// <summary>True if the case was broken off by the user.</summary>
    public bool Stopped { get; private set; }

    /// <summary>The histogram of one kind of operation, made at first use.</summary>
    public LatencyHistogram Latency(string operation)
    {
        if (!histograms.TryGetValue(operation, out var histogram))
            histograms[operation] = histogram = new LatencyHistogram();
        return histogram;
    }

    /// <summary>Keeps a timed pass.</summary>
    public void Add(PassRecord pass) => passes.Add(pass);

    /// <summary>Keeps a pass apart that was disturbed and is repeated.</summary>
    /// <param name="pass">The pass.</param>
    /// <param name="why">By what, in words.</param>
    public void AddDisturbed(PassRecord pass, string why)
    {
        disturbed.Add(pass);
        lastDisturbance = why;
    }

    /// <summary>Passes that were disturbed and repeated so far.</summary>
    public int DisturbedPasses => disturbed.Count;

    /// <summary>Keeps a further figure of a pass; one that is no number (nothing divided by nothing) is left out with a warning.</summary>
    public void AddMetric(string name, double value)
    {
        if (!double.IsFinite(value))
        {
            Warn($"{name} of a pass is no number and was left out");
            return;
        }
        if (!metrics.TryGetValue(name, out var values))
            metrics[name] = values = [];
        values.Add(value);
    }

    /// <summary>Keeps a sentence, once.</summary>
    public void Warn(string sentence)
    {
        if (!warnings.Contains(sentence))
            warnings.Add(sentence);
    }

    /// <summary>Keeps a claim.</summary>
    public void Claim(ClaimRecord claim) => claims.Add(Claims.Within(claim, target));

    /// <summary>Hands over something to be disposed when the case ends, however it ends.</summary>
    public T Own<T>(T resource) where T : IDisposable
    {
        owned.Add(resource);
        return resource;
    }

    /// <summary>Notes why the case failed; only the first reason counts.</summary>
    public void Fail(Exception exception)
    {
        // After the user's wish to stop anything may fail (Ctrl-C reaches a child process too); without it, a
        // cancellation is a failure like any other (a time-out of a socket).
        if (Error is null && stop.IsRequested)
            Stopped = true;
        if (Error is not null || Stopped)
            return;
        Error = exception is IOException or PlanException or UnauthorizedAccessException or OutOfMemoryException or NotSupportedException
            ? exception.Message
            : $"{exception.GetType().Name}: {exception.Message}";
        Fatal = exception is DiskException { IsNoSpace: true } || (exception is IOException && exception.HResult is ENOSPC or EDQUOT);
    }

    /// <summary>Frees what the case owned, last first; failures to do so are kept as warnings.</summary>
    internal void Release()
    {
        foreach (var resource in Enumerable.Reverse(owned))
        {
            try
            {
                resource.Dispose();
            }
            catch (Exception exception) when (exception is IOException or InvalidOperationException)
            {
                Warn($"while cleaning up: {exception.Message}");
            }
        }
        owned.Clear();
    }

    /// <summary>The record of what was gathered.</summary>
    internal RunRecord ToRecord(RunContext context, string operation)
    {
        NoteDoubts(context);
        NoteTemperature(context.Target);
        if (context.Settings.InjectedSlowdown > 0)
        {
            Effective[InjectedSlowdown.EffectiveKey] = context.Settings.InjectedSlowdown;
            Warn(string.Create(CultureInfo.InvariantCulture, $"made {context.Settings.InjectedSlowdown:P0} slower on purpose, to test the gate: no figure of this machine"));
        }
        // A rate needs a length: a pass below the clock's grain has none.
        var rated = passes.Where(pass => pass.Seconds > 0 && double.IsFinite(pass.Seconds)).ToArray();
        if (rated.Length < passes.Count)
            Warn(string.Create(CultureInfo.InvariantCulture, $"{passes.Count - rated.Length} of {passes.Count} passes took no measurable time and have no rate"));
        return new RunRecord
        {
            Run = context.Run,
            Case = context.Settings.NameOf(Spec),
            Workload = Spec.Workload.Name,
            Operation = operation,
            Parameters = context.Settings.IsPaced ? new Dictionary<string, string>(Spec.Spelled) { ["Rate"] = context.Settings.PaceText } : Spec.Spelled,
            Effective = Effective,
            StartedUtc = StartedUtc,
            TotalSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds,
            Error = Error,
            Passes = passes,
            DisturbedPasses = disturbed.Count > 0 ? disturbed : null,
            LatencyNs = histograms.Where(pair => pair.Value.Count > 0).ToDictionary(pair => pair.Key, pair => pair.Value.ToRecord()),
            BytesPerSecond = MedianInterval.Of(rated.Select(pass => pass.Bytes / pass.Seconds)),
            OperationsPerSecond = MedianInterval.Of(rated.Select(pass => pass.Operations / pass.Seconds)),
            Metrics = metrics.ToDictionary(pair => pair.Key, pair => MedianInterval.Of(pair.Value)!),
            Timeline = Timeline,
            Rounds = Rounds,
            Evidence = Claims.Conclude(Error is null ? claims : []),
            Warnings = warnings,
            Host = context.Host,
            Target = context.Target,
            Tool = context.Tool,
        };
    }

    /// <summary>The warmest disk as the case ends: a drive that throttles is slower than it was, and nothing else says so.</summary>
    private void NoteTemperature(DeviceTopology target)
    {
        var warm = target.PhysicalDisks().Select(disk => (disk.Name, Health: DriveHealth.ReadTemperature(disk.Name))).Where(disk => disk.Health.TemperatureCelsius is not null).ToArray();
        if (warm.Length == 0)
            return;
        var (name, warmest) = warm.MaxBy(disk => disk.Health.TemperatureCelsius);
        Effective["temperatureCelsius"] = Math.Round(warmest.TemperatureCelsius!.Value, 1);
        if (warmest.IsHot)
            Warn(string.Create(CultureInfo.InvariantCulture, $"{name} is at {warmest.TemperatureCelsius:F0} °C, above the {warmest.WarningCelsius:F0} °C from which it warns: it may have slowed itself down"));
    }

    private void NoteDoubts(RunContext context)
    {
        if (Error is not null || passes.Count == 0)
            return;
        if (passes.Count < MedianInterval.FewestForNominal)
            Warn(string.Create(CultureInfo.InvariantCulture,
                $"{passes.Count} passes: the interval is their whole range and covers less than 95 %"));
        // A gate compares short passes with each other, and many of them.
        if (context.Settings.Profile is not (Profile.Smoke or Profile.Gate) && passes.Min(pass => pass.Seconds) is var shortest and < 0.095)
            Warn(string.Create(CultureInfo.InvariantCulture,
                $"the shortest pass took {shortest * 1000:F0} ms, less than the 100 ms that mean something: the file or the write limit is small for this device, or it was faster than in the warm-up"));
        if (disturbed.Count > 0)
            Warn(string.Create(CultureInfo.InvariantCulture, $"{(disturbed.Count == 1 ? "1 pass was" : $"{disturbed.Count} passes were")} disturbed and repeated: {lastDisturbance}"));
        foreach (var why in passes.Select(ForeignTraffic.In).OfType<string>().Take(1))
            Warn($"a pass that counts was disturbed: {why}");
        foreach (var doubt in ArrayBalance.Doubts(passes))
            Warn(doubt);
        var steal = passes.Sum(pass => pass.StealSeconds ?? 0) / passes.Sum(pass => pass.Seconds);
        if (steal > 0.02)
            Warn(string.Create(CultureInfo.InvariantCulture, $"the hypervisor took {steal:P0} of a processor away during the passes"));
    }
}

/// <summary>Told what a run does; called from the thread that measures, never within a pass.</summary>
public interface IRunObserver
{
    /// <summary>A case begins.</summary>
    /// <param name="spec">The case.</param>
    /// <param name="index">Its number, from 0.</param>
    /// <param name="count">Cases in the run.</param>
    void CaseStarted(CaseSpec spec, int index, int count);

    /// <summary>What the case is doing outside its passes, with the share done where it is known.</summary>
    void Preparing(string what, double? share);

    /// <summary>A timed pass ended.</summary>
    void PassEnded(PassRecord pass);

    /// <summary>A case ended and its record is on disk.</summary>
    void CaseEnded(RunRecord record);
}

/// <summary>Says nothing.</summary>
public sealed class SilentObserver : IRunObserver
{
    /// <inheritdoc/>
    public void CaseStarted(CaseSpec spec, int index, int count) { }

    /// <inheritdoc/>
    public void Preparing(string what, double? share) { }

    /// <inheritdoc/>
    public void PassEnded(PassRecord pass) { }

    /// <inheritdoc/>
    public void CaseEnded(RunRecord record) { }
}
