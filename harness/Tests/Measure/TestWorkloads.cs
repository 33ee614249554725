using Bench.Disk;
using Bench.Measure;
using Bench.Measure.Evidence;
using Bench.Measure.Passes;
using Bench.Measure.Running;
using BenchmarkDotNet.Attributes;

namespace Bench.Harness.Tests.Measure;

/// <summary>Where a <see cref="PlannedWorkload"/> fails, and how.</summary>
public enum Plan
{
    [DoesNotApply]
    None,
    FailInPrepare,
    FailInState,
    FailInWarmUp,
    FailInSecondPass,
    FailInConclude,
    FailInCleanUp,
    NoSpace,
    TakeNoTime,
    NoNumber,
    StopInPass,
    FailAfterStop,
    CancelWithoutStop,
}

/// <summary>Operations that do nothing; fails as its parameter says.</summary>
public class PlannedWorkload : Workload, IWorkload
{
    /// <summary>What the instances did, in order; cleared by each test.</summary>
    public static List<string> Log { get; } = [];

    [ParamsAllValues]
    public Plan Plan { get; set; }

    [Params(1, 2, 3)]
    public int Number { get; set; }

    [ParamsSource(nameof(Sizes))]
    public ByteSize Size { get; set; }

    public static IEnumerable<ByteSize> Sizes => [ByteSize.KiB(4), ByteSize.MiB(1)];

    public static IReadOnlyList<ParameterGrid> Grids(Profile profile) => profile switch
    {
        Profile.Smoke => [new ParameterGrid().With(nameof(Number), 1, 2)],
        Profile.Quick =>
        [
            new ParameterGrid().With(nameof(Number), 1, 2).With(nameof(Size), ByteSize.KiB(4), ByteSize.MiB(1)),
            new ParameterGrid().With(nameof(Number), 2, 3),
        ],
        _ => [new ParameterGrid().With(nameof(Plan), Enum.GetValues<Plan>())],
    };

    public override string OperationName => "Nothing";

    public override string? WhyImpossible() => (Number, Size.Bytes) == (3, 1 << 20) ? "three does not go with 1MiB" : null;

    public override CaseEstimate Estimate(RunSettings settings) => new(0.1, 0, [("data", Size)]);

    protected override void Prepare()
    {
        Note("prepare");
        Case.Own(new CleanUp(this));
        if (Plan == Plan.FailInPrepare)
            throw new PlanException("no such thing here");
        if (Plan == Plan.NoSpace)
            throw DiskException.FromErrno("pwrite", "the file", 28);
    }

    protected override void SetState()
    {
        Note("state");
        if (Plan == Plan.FailInState)
            throw new IOException("the cache could not be set");
    }

    protected override PassResult RunOperations(LoopLimit limit, bool timed)
    {
        Note(timed ? "pass" : "warm-up");
        if (Plan == Plan.FailInWarmUp && !timed)
            throw new InvalidOperationException("in the warm-up");
        if (Plan == Plan.FailInSecondPass && timed && Case.Passes.Count == 1)
            throw DiskException.FromErrno("pread", "the file at byte 4096", 5);
        if (Plan is Plan.StopInPass or Plan.FailAfterStop && timed)
        {
            Run.Stop.Request();
            if (Plan == Plan.FailAfterStop)
                throw new IOException("the child process is gone");
        }
        if (Plan == Plan.CancelWithoutStop)
            throw new OperationCanceledException("a time-out of its own");
        var operation = default(Nothing);
        var positions = new SequentialPositions(0, 10, 4096, 0);
        var histogram = timed ? Case.Latency("nothing") : new LatencyHistogram();
        var result = OpLoop.Run(ref operation, ref positions, limit with { Operations = Math.Min(limit.Operations, 100) }, histogram, Run.Stop);
        if (timed)
            Case.AddMetric("cyclesPerByte", Plan == Plan.NoNumber ? double.NaN : 1.5);
        return new PassResult(Plan == Plan.TakeNoTime ? 0 : Math.Max(1, result.ElapsedNs) * 1e-9, result.Operations * 4096, result.Operations);
    }

    protected override void Conclude()
    {
        Note("conclude");
        if (Plan == Plan.FailInConclude)
            throw new IOException("no conclusion");
        Case.Effective["number"] = Number;
        if (Plan == Plan.NoNumber)
            Case.Effective["ratio"] = double.NaN;
        Case.Claim(Claims.Judge("anything", Claims.AtLeast("passes", Case.Passes.Count, 1)));
    }

    private void Note(string what) => Log.Add($"{Number} {what}");

    private readonly struct Nothing : IBlockOperation
    {
        public void Run(long position)
        {
        }
    }

    private sealed class CleanUp(PlannedWorkload owner) : IDisposable
    {
        public void Dispose()
        {
            owner.Note("clean up");
            if (owner.Plan == Plan.FailInCleanUp)
                throw new IOException("it does not close");
        }
    }
}
