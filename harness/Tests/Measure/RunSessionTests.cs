using Bench.Measure;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Bench.Measure.Running;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.Measure;

/// <summary>Tests of the one run that a process can have: never two at a time.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class OneRunAtATime
{
    public const string Name = "run";
}

/// <summary>Whole runs of small workloads through BenchmarkDotNet.</summary>
[Collection(OneRunAtATime.Name)]
public sealed class RunSessionTests : IDisposable
{
    private readonly TestFolder folder = new();
    private readonly StopSignal stop = new();
    private readonly Watch watch;

    public RunSessionTests()
    {
        watch = new Watch(this);
        PlannedWorkload.Log.Clear();
    }

    public void Dispose() => folder.Dispose();

    private string RunFolder => folder.File("out");

    /// <summary>Notes what it is told, and what was on disk at that moment.</summary>
    private sealed class Watch(RunSessionTests test) : IRunObserver
    {
        public List<string> Events { get; } = [];

        public List<int> RecordsOnDisk { get; } = [];

        public Action<RunRecord>? OnCaseEnded { get; set; }

        public void CaseStarted(CaseSpec spec, int index, int count)
        {
            Events.Add($"start {index} of {count}");
            RecordsOnDisk.Add(RunStore.Read(test.RunFolder).Records.Count);
        }

        public void Preparing(string what, double? share)
        {
        }

        public void PassEnded(PassRecord pass) => Events.Add("pass");

        public void CaseEnded(RunRecord record)
        {
            Events.Add("end");
            Assert.Equal(record.Case, RunStore.Read(test.RunFolder).Records[^1].Case);
            OnCaseEnded?.Invoke(record);
        }
    }

    /// <summary>Cases with these plans, numbered 1, 2, 3, … so that the log tells them apart.</summary>
    private RunOutcome Execute(params Plan[] plans)
    {
        var workload = WorkloadDescriptor.Of<PlannedWorkload>();
        return Execute([.. plans.Select((plan, i) => new CaseSpec(workload, [plan, i + 1, ByteSize.KiB(4)]))]);
    }

    private RunOutcome Execute(IReadOnlyList<CaseSpec> cases, string? runFolder = null)
    {
        using var data = DataFolder.Create(folder.FullPath, "20261122-130138-5f3a", keep: false);
        var context = new RunContext
        {
            Run = "20261122-130138-5f3a",
            Settings = RunSettings.Of(Profile.Smoke, seed: 4711) with { SettleMs = 0 },
            Data = data,
            Target = Samples.Target with { Devices = [] },
            Host = Samples.Host,
            Tool = Samples.Tool,
            Stop = stop,
            SelfCommand = [],
            Observer = watch,
        };
        try
        {
            return RunSession.Execute(cases, context, runFolder ?? RunFolder);
        }
        finally
        {
            // However the session ended, it must not block the next one.
            Assert.Throws<InvalidOperationException>(() => RunContext.Current);
        }
    }

    private IReadOnlyList<RunRecord> Stored() => RunStore.Read(RunFolder).Records;

    [Fact]
    public void EachCaseLeavesARecordBeforeTheNextBegins()
    {
        var outcome = Execute(Plan.None, Plan.None, Plan.None);
        Assert.False(outcome.Stopped);
        Assert.Null(outcome.FatalError);
        Assert.Equal([0, 1, 2], watch.RecordsOnDisk);
        Assert.Equal(["start 0 of 3", "pass", "pass", "end"], watch.Events[..4]);
        Assert.Equal(outcome.Records.Select(RecordJson.Write), Stored().Select(RecordJson.Write));

        var record = Stored()[1];
        Assert.Equal("PlannedWorkload(Plan=-, Number=2, Size=4KiB)", record.Case);
        Assert.Equal(("PlannedWorkload", "Nothing", "20261122-130138-5f3a"), (record.Workload, record.Operation, record.Run));
        Assert.Equal(["-", "2", "4KiB"], record.Parameters.Values);
        Assert.Equal(2, record.Passes.Count);
        Assert.Equal(record.Passes.Sum(pass => pass.Operations), record.LatencyNs["nothing"].Count);
        Assert.True(record.BytesPerSecond is { Low: > 0 } rate && rate.Low <= rate.Median && rate.Median <= rate.High);
        Assert.Equal(1.5, record.Metrics["cyclesPerByte"].Median);
        Assert.Equal(Verdict.Proven, record.Evidence.Verdict);
        Assert.Equal(2, record.Effective["number"]!.GetValue<int>());
        Assert.Null(record.Error);
        Assert.Contains(record.Warnings, warning => warning.StartsWith("2 passes: the interval", StringComparison.Ordinal));
        Assert.True(record.TotalSeconds > 0 && record.Passes[0].StartSeconds <= record.Passes[1].StartSeconds);
    }

    [Fact]
    public void ACaseGoesThroughPreparationWarmUpPassesAndCleanUp()
    {
        Execute(Plan.None);
        // The warm-up comes in parts; what matters is what is between what.
        var log = PlannedWorkload.Log.Select(line => line[2..]).ToList();
        Assert.Equal("prepare", log[0]);
        Assert.Equal("state", log[1]);
        Assert.Equal(["pass", "state", "pass", "conclude", "clean up"], log[^5..]);
        Assert.All(log[2..^6], what => Assert.Equal("warm-up", what));
        Assert.Equal("state", log[^6]);
    }

    [Theory]
    [InlineData(Plan.FailInPrepare, "no such thing here", 0)]
    [InlineData(Plan.FailInState, "the cache could not be set", 0)]
    [InlineData(Plan.FailInWarmUp, "InvalidOperationException: in the warm-up", 0)]
    [InlineData(Plan.FailInSecondPass, "pread the file at byte 4096: the device reported an I/O error (EIO)", 1)]
    [InlineData(Plan.FailInConclude, "no conclusion", 2)]
    [InlineData(Plan.CancelWithoutStop, "OperationCanceledException: a time-out of its own", 0)]
    public void ACaseThatFailsFailsAloneWithItsSentence(Plan plan, string sentence, int passes)
    {
        var outcome = Execute(Plan.None, plan, Plan.None);
        Assert.Equal((false, null), (outcome.Stopped, outcome.FatalError));
        var records = Stored();
        Assert.Equal([null, sentence, null], records.Select(record => record.Error));
        Assert.Equal(passes, records[1].Passes.Count);
        // What failed proves nothing, whatever it had claimed by then.
        Assert.Equal((Verdict.Unproven, 0), (records[1].Evidence.Verdict, records[1].Evidence.Claims.Count));
        Assert.Equal(2, records[2].Passes.Count);
        Assert.Single(PlannedWorkload.Log, "2 clean up");
        Assert.Single(PlannedWorkload.Log, "3 conclude");
    }

    [Fact]
    public void AFailedCleanUpIsAWarningNotAFailure()
    {
        var record = Assert.Single(Execute(Plan.FailInCleanUp).Records);
        Assert.Null(record.Error);
        Assert.Contains(record.Warnings, warning => warning.Contains("it does not close", StringComparison.Ordinal));
    }

    [Fact]
    public void AFullDiskEndsTheRunAndKeepsTheRecords()
    {
        var outcome = Execute(Plan.None, Plan.NoSpace, Plan.None);
        Assert.Contains("ENOSPC", outcome.FatalError, StringComparison.Ordinal);
        Assert.False(outcome.Stopped);
        Assert.Equal([null, outcome.FatalError], Stored().Select(record => record.Error));
        Assert.DoesNotContain("3 prepare", PlannedWorkload.Log);
    }

    [Theory]
    [InlineData(Plan.StopInPass)]
    [InlineData(Plan.FailAfterStop)]
    public void AStopInTheMiddleKeepsTheEarlierRecordsAndNoHalfOne(Plan plan)
    {
        var outcome = Execute(Plan.None, plan, Plan.None);
        Assert.True(outcome.Stopped);
        Assert.Null(outcome.FatalError);
        Assert.Equal(["PlannedWorkload(Plan=-, Number=1, Size=4KiB)"], Stored().Select(record => record.Case));
        Assert.Single(PlannedWorkload.Log, "2 clean up");
        Assert.DoesNotContain("3 prepare", PlannedWorkload.Log);
    }

    [Fact]
    public void AStopBetweenCasesKeepsTheRecordOfTheLast()
    {
        watch.OnCaseEnded = _ => stop.Request();
        var outcome = Execute(Plan.None, Plan.None);
        Assert.True(outcome.Stopped);
        Assert.Single(Stored());
    }

    [Fact]
    public void AStopBeforeTheFirstCaseLeavesAnEmptyRun()
    {
        stop.Request();
        Assert.True(Execute(Plan.None).Stopped);
        Assert.Empty(Stored());
        Assert.Empty(PlannedWorkload.Log);
    }

    [Fact]
    public void APassThatTakesNoTimeHasNoRate()
    {
        var record = Assert.Single(Execute(Plan.TakeNoTime).Records);
        Assert.Null(record.Error);
        Assert.Null(record.BytesPerSecond);
        Assert.Null(record.OperationsPerSecond);
        Assert.Equal(2, Assert.Single(Stored()).Passes.Count);
        Assert.Contains("2 of 2 passes took no measurable time and have no rate", record.Warnings);
    }

    [Fact]
    public void AFigureThatIsNoNumberFailsItsCaseAloneAndIsNotWritten()
    {
        var outcome = Execute(Plan.NoNumber, Plan.None);
        Assert.Null(outcome.FatalError);
        Assert.Contains("cannot be written", Stored()[0].Error, StringComparison.Ordinal);
        Assert.Equal(Verdict.Unproven, Stored()[0].Evidence.Verdict);
        Assert.Contains("cyclesPerByte of a pass is no number and was left out", Stored()[0].Warnings);
        Assert.Null(Stored()[1].Error);
        Assert.DoesNotContain("NaN", File.ReadAllText(Path.Combine(RunFolder, RunStore.FileName)).Replace("is NaN, which", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [RootFact]
    public void WithoutAPlaceForTheRecordsTheRunEndsWithASentence()
    {
        using var small = new TmpfsMount(32 << 10);
        var workload = WorkloadDescriptor.Of<PlannedWorkload>();
        watch.OnCaseEnded = null;
        var quiet = Enumerable.Range(1, 50).Select(i => new CaseSpec(workload, [Plan.None, i, ByteSize.KiB(4)])).ToArray();
        using var data = DataFolder.Create(folder.FullPath, "20261122-130138-5f3b", keep: false);
        using var filler = new FileStream(Path.Combine(small.MountPath, "filler"), FileMode.Create);
        filler.Write(new byte[20 << 10]);
        filler.Flush();
        var context = new RunContext
        {
            Run = "20261122-130138-5f3b",
            Settings = RunSettings.Of(Profile.Smoke, seed: 1) with { SettleMs = 0 },
            Data = data,
            Target = Samples.Target with { Devices = [] },
            Host = Samples.Host,
            Tool = Samples.Tool,
            Stop = stop,
            SelfCommand = [],
        };
        var store = folder.Folder("small");
        File.CreateSymbolicLink(Path.Combine(store, RunStore.FileName), Path.Combine(small.MountPath, RunStore.FileName));
        File.WriteAllText(Path.Combine(small.MountPath, RunStore.FileName), "");
        var outcome = RunSession.Execute(quiet, context, store);
        Assert.Contains("could not be stored", outcome.FatalError, StringComparison.Ordinal);
        Assert.InRange(outcome.Records.Count, 0, 49);
        Assert.Equal(outcome.Records.Count, RunStore.Read(store).Records.Count);
    }

    [Fact]
    public void TwoRunsAtATimeAreRefused()
    {
        using var data = DataFolder.Create(folder.FullPath, "20261122-130138-5f3c", keep: false);
        using var running = new RunContext
        {
            Run = "other",
            Settings = RunSettings.Of(Profile.Smoke, 1),
            Data = data,
            Target = Samples.Target,
            Host = Samples.Host,
            Tool = Samples.Tool,
            Stop = stop,
            SelfCommand = [],
        }.Enter();
        Assert.Throws<InvalidOperationException>(() => new RunContext
        {
            Run = "second",
            Settings = running.Settings,
            Data = data,
            Target = Samples.Target,
            Host = Samples.Host,
            Tool = Samples.Tool,
            Stop = stop,
            SelfCommand = [],
        }.Enter());
        Assert.Same(running, RunContext.Current);
    }

    [Fact]
    public void SharedResourcesAreMadeOncePerKeyAndFreedForTheNext()
    {
        using var data = DataFolder.Create(folder.FullPath, "20261122-130138-5f3d", keep: false);
        var made = new List<Resource>();
        Resource Make()
        {
            made.Add(new Resource());
            return made[^1];
        }
        using (var context = new RunContext
        {
            Run = "shared",
            Settings = RunSettings.Of(Profile.Smoke, 1),
            Data = data,
            Target = Samples.Target,
            Host = Samples.Host,
            Tool = Samples.Tool,
            Stop = stop,
            SelfCommand = [],
        }.Enter())
        {
            var first = context.Shared("memory", "1", Make);
            Assert.Same(first, context.Shared("memory", "1", Make));
            context.Shared("socket", "1", Make);
            context.Shared("memory", "2", Make);
            Assert.Equal([true, false, false], made.Select(resource => resource.Disposed));
        }
        Assert.All(made, resource => Assert.True(resource.Disposed));
    }

    private sealed class Resource : IDisposable
    {
        public bool Disposed { get; private set; }

        public void Dispose() => Disposed = true;
    }
}
