using System.Globalization;
using System.Text.Json.Nodes;
using BenchmarkDotNet.Attributes;
using Bench.Disk.Counters;
using Bench.Measure.Evidence;
using Bench.Measure.Passes;
using Bench.Measure.Records;

namespace Bench.Measure.Running;

/// <summary>What a case will cost, as far as it can be told before.</summary>
/// <param name="Seconds">Time, without laying out its file.</param>
/// <param name="WriteBytes">Bytes that its passes write to the device.</param>
/// <param name="Files">Files that it needs: purpose and size.</param>
public sealed record CaseEstimate(double Seconds, long WriteBytes, IReadOnlyList<(string Purpose, ByteSize Size)> Files)
{
    /// <summary>Most bytes that it has on the target at once beside those files; they are gone when it ends.</summary>
    public long PeakBytes { get; init; }
}

/// <summary>What one pass did.</summary>
/// <param name="Seconds">Length of the timed part.</param>
/// <param name="Bytes">Bytes moved.</param>
/// <param name="Operations">Operations done.</param>
public readonly record struct PassResult(double Seconds, long Bytes, long Operations)
{
    /// <summary>CPU time, in seconds, of the busiest of the threads that did them, if that is not the calling one; else 0.</summary>
    public double ThreadCpuSeconds { get; init; }
}

/// <summary>
/// Base of all workloads: an ordinary BenchmarkDotNet class whose iteration is one pass. A workload lists its
/// parameters as properties with BenchmarkDotNet's attributes and says how to prepare a case, how to set the cache
/// before a pass, what a pass does, and what the case claims.
/// <para>
/// The first call of <see cref="Pass"/> is BenchmarkDotNet's warm-up: it runs for the length that a pass aims at and
/// so finds the amount of work; each later call does exactly that amount.
/// </para>
/// </summary>
public abstract class Workload
{
    private const long FewestOperationsOfTrial = 300;

    /// <summary>
    /// How many times as long as a pass what it leaves behind may take. Half a second of appends to the cache of a
    /// hard disk, flushed as segments roll, was one and a half minutes of flushes after each pass.
    /// </summary>
    private const double MostBacklog = 10;

    // Of the passes of an open loop: see Pacing.
    private readonly List<(long ScheduledNs, long EndedNs)> paced = [];
    private long operationsPerPass;
    private double ratePerSecond;

    /// <summary>The run.</summary>
    protected static RunContext Run => RunContext.Current;

    /// <summary>The case.</summary>
    protected static CaseScope Case => RunContext.Current.Case;

    /// <summary>Seed of this case.</summary>
    protected static ulong CaseSeed => Case.Spec.SeedFrom(Run.Settings.Seed);

    /// <summary>Number of timed passes done; −1 before and in the warm-up.</summary>
    protected int PassIndex { get; private set; } = -2;

    /// <summary>What one operation is, for the record.</summary>
    public abstract string OperationName { get; }

    /// <summary>Whether a pass that others disturbed can be done again: what it has gathered is kept in <see cref="Complete"/> only.</summary>
    protected virtual bool CanRepeat => false;

    /// <summary>Whether its operations can be due at moments of their own (<see cref="Passes.Pacing"/>).</summary>
    public virtual bool CanBePaced => false;

    /// <summary>When the operations of this pass are due; null in a closed loop.</summary>
    protected Pacing? Pacing { get; private set; }

    /// <summary>Gets what is not kept.</summary>
    protected LatencyHistogram Untimed { get; } = new();

    /// <summary>Why this combination of parameters has no meaning; null if it has one.</summary>
    public virtual string? WhyImpossible() => null;

    /// <summary>Time and bytes.</summary>
    public abstract CaseEstimate Estimate(RunSettings settings);

    /// <summary>Once per case: files, memory, connections.</summary>
    protected abstract void Prepare();

    /// <summary>Before each pass: the state of the cache.</summary>
    protected virtual void SetState() { }

    /// <summary>Just before the counters of a timed pass are read, after the pause: what has to be seen then.</summary>
    protected virtual void BeforeCounters() { }

    /// <summary>Before the first pass, in its first call: work that the passes are to find done, however long it takes.</summary>
    protected virtual void BringToState() { }

    /// <summary>After the warm-up: has done what its operations have left to be done behind them, which each pass waits for too. Returns the seconds that took.</summary>
    protected virtual double SettleBacklog() => 0;

    /// <summary>The timed part of a pass.</summary>
    /// <param name="limit">When to end: in the warm-up a time, later a number of operations.</param>
    /// <param name="timed">False in the warm-up: latencies are not kept.</param>
    protected abstract PassResult RunOperations(LoopLimit limit, bool timed);

    /// <summary>After each timed pass, with its counters: may add what only this workload knows.</summary>
    protected virtual PassRecord Complete(PassRecord measured) => measured;

    /// <summary>After the last pass: claims and what was really in force.</summary>
    protected abstract void Conclude();

    /// <summary>Most operations in one pass: the file's blocks where none may come twice, or the write limit.</summary>
    protected virtual long MostOperationsPerPass => long.MaxValue;

    /// <summary>Fewest operations in one pass, however slow they are.</summary>
    protected virtual long FewestOperationsPerPass => 1;

    /// <summary>BenchmarkDotNet calls it once per case.</summary>
    [GlobalSetup]
    public void SetUpCase() => Guard(Prepare);

    /// <summary>BenchmarkDotNet calls it before each pass.</summary>
    [IterationSetup]
    public void SetUpPass() => Guard(() =>
    {
        Run.Stop.ThrowIfRequested();
        Run.Turns?.Wait(Run.Stop);
        SetState();
        Thread.Sleep(Run.Settings.SettleMs);
    });

    /// <summary>One pass.</summary>
    [Benchmark]
    public void Pass() => Guard(() =>
    {
        PassIndex++;
        if (PassIndex < 0)
        {
            BringToState();
            FindAmountOfWork();
        }
        else
            MeasurePass();
    });

    /// <summary>BenchmarkDotNet calls it after the last pass.</summary>
    [GlobalCleanup]
    public void TearDownCase() => Guard(() =>
    {
        if (Case.Error is null && Case.Passes.Count > 0)
            Conclude();
        if (Case.Error is null && ratePerSecond > 0 && Case.Passes.Count > 0)
        {
            var targetNs = Run.Settings.LatencyTargetNs;
            Case.Claim(Claims.Rate(paced, targetNs > 0 ? (double)Case.Latency(OperationName.ToLowerInvariant()).ValueAtPercentile(99) / targetNs : null));
            if (Pacing.WhyShort(paced, Case.Latency("service").ValueAtPercentile(99)) is { } why)
                Case.Warn(why);
            Case.Effective["ratePerSecond"] = ratePerSecond;
            Case.Effective["arrivals"] = "poisson";
        }
    });

    /// <summary>The amount of work of a pass: what was given, what the offered rate has in the time, or what the case does in it.</summary>
    private void FindAmountOfWork()
    {
        var targetSeconds = Run.Settings.PassSeconds;
        var most = MostOperationsPerPass;
        if (Run.Settings.OperationsPerPass.TryGetValue(Case.Spec.Id, out var given))
        {
            operationsPerPass = Math.Clamp(given, 1, most);
            RunOperations(new LoopLimit(operationsPerPass, long.MaxValue), timed: false);
            return;
        }
        if (Run.Settings.IsPaced)
        {
            ratePerSecond = Run.Settings.LatencyTargetNs > 0 ? HighestRate(Run.Settings.LatencyTargetNs) : Run.Settings.RatePerSecond;
            operationsPerPass = Run.Settings.OperationsAt(ratePerSecond, most);
            Try(ratePerSecond, operationsPerPass, 0);
            return;
        }
        var (rate, done) = BestRate(most, targetSeconds);
        operationsPerPass = (long)Math.Clamp(Math.Ceiling(rate * targetSeconds), Math.Min(FewestOperationsPerPass, most), most);
        var backlogSeconds = SettleBacklog() * operationsPerPass / Math.Max(1, done);
        var bearable = MostBacklog * targetSeconds;
        if (backlogSeconds <= bearable)
            return;
        operationsPerPass = (long)Math.Clamp(operationsPerPass * (bearable / backlogSeconds), Math.Min(FewestOperationsPerPass, most), most);
        Case.Warn(string.Create(CultureInfo.InvariantCulture, $"the passes are shorter than {targetSeconds:0.###} s: one so long would leave work behind that takes the device {backlogSeconds:0} s"));
    }

    /// <summary>
    /// Operations a second of a closed loop. Runs for the length that a pass aims at, in four parts, and takes the
    /// fastest part's rate: the first has the compiler and cold tables in it, and a disturbed one would make every pass
    /// too short.
    /// </summary>
    /// <returns>The rate, and the operations done in all.</returns>
    private (double PerSecond, long Operations) BestRate(long most, double targetSeconds)
    {
        const int parts = 4;
        long done = 0;
        double bestRate = 0;
        for (var part = 0; part < parts && done < most; part++)
        {
            var result = RunOperations(new LoopLimit(most - done, (long)(targetSeconds / parts * 1e9)), timed: false);
            done += result.Operations;
            bestRate = Math.Max(bestRate, result.Operations / Math.Max(result.Seconds, 1e-9));
        }
        return (bestRate, done);
    }

    /// <summary>The highest rate whose 99th percentile stays within a target.</summary>
    private double HighestRate(long targetNs)
    {
        var most = BestRate(MostOperationsPerPass, Run.Settings.PassSeconds).PerSecond;
        var number = 0UL;
        var fewest = Math.Min(FewestOperationsOfTrial, MostOperationsPerPass);
        var least = fewest / Run.Settings.LongestTrialSeconds;
        var (found, trials) = RateSearch.Find(least, most, targetNs, rate =>
        {
            Run.Observer.Preparing(string.Create(CultureInfo.InvariantCulture, $"trying {rate:0} operations a second"), null);
            SetState();
            Thread.Sleep(Run.Settings.SettleMs);
            return Try(rate, Math.Clamp((long)(rate * Run.Settings.PacedPassSeconds), fewest, MostOperationsPerPass), ++number);
        });
        Case.Effective["rateTrials"] = new JsonArray([.. trials.Select(trial => (JsonNode)new JsonObject
        {
            ["ratePerSecond"] = Math.Round(trial.PerSecond, 1), ["p99Ns"] = trial.P99Ns, ["keptUp"] = Math.Round(trial.KeptUp, 4), ["held"] = trial.Holds(targetNs),
        })]);
        if (RateSearch.Contradiction(trials, targetNs) is { } contradiction)
            Case.Warn(contradiction);
        // The pass that follows begins as every other does.
        SetState();
        if (found is { } rate)
            return rate;
        var last = trials[^1];
        var why = last.IsHopeless(targetNs)
            ? string.Create(CultureInfo.InvariantCulture, $", and the fastest operation alone took {last.FastestNs / 1e6:0.####} ms")
            : "";
        throw new PlanException(string.Create(CultureInfo.InvariantCulture,
            $"no rate holds a 99th percentile of {targetNs / 1e6} ms: at {last.PerSecond:0.#} operations a second it was {last.P99Ns / 1e6:0.###} ms{why}"));
    }

    private RateTrial Try(double rate, long operations, ulong number)
    {
        Pacing = new Pacing(rate, CaseSeed + 0x51ED * number);
        Untimed.Clear();
        RunOperations(new LoopLimit(operations, long.MaxValue), timed: false);
        return new RateTrial(rate, Untimed.ValueAtPercentile(99), Pacing.KeptUp, Pacing.Service.Min);
    }

    private void MeasurePass()
    {
        while (true)
        {
            var measured = RunTimed();
            // In a run that takes turns a pass more would put the sides out of step.
            if (CanRepeat && Run.Turns is null && Case.DisturbedPasses < Run.Settings.Passes && ForeignTraffic.In(measured) is { } why)
            {
                Case.AddDisturbed(measured, why);
                SetState();
                Thread.Sleep(Run.Settings.SettleMs);
                continue;
            }
            if (Pacing is { } pacing)
            {
                paced.Add((pacing.ScheduledNs, pacing.EndedNs));
                Case.Latency("service").Add(pacing.Service);
            }
            var pass = Complete(measured);
            Case.Add(pass);
            Run.Observer.PassEnded(pass);
            return;
        }
    }

    /// <summary>One pass with its counters.</summary>
    private PassRecord RunTimed()
    {
        if (ratePerSecond > 0)
            Pacing = new Pacing(ratePerSecond, CaseSeed + 0xA5A5 * (ulong)(PassIndex + 1));
        BeforeCounters();
        var begin = Case.Meter.Begin();
        var ownBegin = CpuUsage.OfThread();
        var result = RunOperations(new LoopLimit(operationsPerPass, long.MaxValue), timed: true);
        var own = CpuUsage.OfThread() - ownBegin;
        var end = Case.Meter.End();
        return Case.Meter.Between(begin, end, result.Seconds, result.Bytes, result.Operations) with
        {
            ThreadCpuSeconds = Math.Max(own.Seconds, result.ThreadCpuSeconds),
        };
    }

    /// <summary>Keeps the reason of a failure: BenchmarkDotNet would print it into its log and go on.</summary>
    private static void Guard(Action action)
    {
        try
        {
            action();
        }
        catch (Exception exception)
        {
            // Ctrl-C on a terminal reaches a second process of the case too: its end is the user's wish, and no failure.
            Case.Fail(Run.Stop.IsRequested ? new OperationCanceledException("stopped by the user", exception) : exception);
            throw;
        }
    }
}
