using BenchmarkDotNet.Characteristics;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;
using BenchmarkDotNet.Toolchains.Parameters;
using BenchmarkDotNet.Toolchains.Results;
using BenchmarkDotNet.Validators;
using Bench.Measure.Records;

namespace Bench.Measure.Running;

/// <summary>
/// A toolchain that builds nothing and runs in this process. The stock in-process toolchain fails the whole run with
/// a null reference when one benchmark throws, because it has no artifacts to speak of; this one has empty ones.
/// </summary>
internal sealed class CaseToolchain(IExecutor executor) : IToolchain
{
    public string Name => "bench";

    public bool IsInProcess => true;

    public IGenerator Generator { get; } = new NothingToGenerate();

    public IBuilder Builder { get; } = new NothingToBuild();

    public IExecutor Executor { get; } = executor;

    public IEnumerable<ValidationError> Validate(BenchmarkCase benchmarkCase, IResolver resolver) => [];

    private sealed class NothingToGenerate : IGenerator
    {
        public GenerateResult GenerateProject(BuildPartition buildPartition, ILogger logger, string rootArtifactsFolderPath) =>
            GenerateResult.Success(ArtifactsPaths.Empty, []);
    }

    private sealed class NothingToBuild : IBuilder
    {
        public BuildResult Build(GenerateResult generateResult, BuildPartition buildPartition, ILogger logger) =>
            BuildResult.Success(generateResult);
    }
}

/// <summary>Runs one case after the other and makes a record of each.</summary>
internal sealed class CaseExecutor(RunContext context, RunStore store, int caseCount) : IExecutor
{
    // The stock limit is five minutes; a case on a slow disk may take longer, and the user can stop it.
    private readonly InProcessNoEmitExecutor inner = new(TimeSpan.FromDays(7), logOutput: true);
    private readonly Dictionary<BenchmarkCase, CaseSpec> specs = [];
    private readonly List<RunRecord> records = [];
    private int started;

    public IReadOnlyList<RunRecord> Records => records;

    public bool Stopped { get; private set; }

    public string? FatalError { get; private set; }

    public void Add(BenchmarkCase benchmarkCase, CaseSpec spec) => specs.Add(benchmarkCase, spec);

    public ExecuteResult Execute(ExecuteParameters executeParameters)
    {
        var spec = specs[executeParameters.BenchmarkCase];
        Stopped |= context.Stop.IsRequested;
        if (Stopped || FatalError is not null)
            return NotRun();

        var scope = context.Case = new CaseScope(spec, context);
        context.Observer.CaseStarted(spec, started++, caseCount);
        ExecuteResult result;
        try
        {
            result = inner.Execute(executeParameters);
        }
        catch (Exception exception)
        {
            scope.Fail(exception);
            result = NotRun();
        }
        finally
        {
            // BenchmarkDotNet skips the clean-up of a benchmark that threw.
            scope.Release();
        }
        if (scope.Stopped)
        {
            Stopped = true;
            return result;
        }
        if (scope.Passes.Count == 0 && scope.Error is null)
            scope.Fail(new InvalidOperationException("the case ended without a pass; see benchmarkdotnet.log"));
        if (scope.Fatal)
            FatalError = scope.Error;
        Keep(scope, spec.Bind().OperationName);
        return result;
    }

    private void Keep(CaseScope scope, string operation)
    {
        var record = scope.ToRecord(context, operation);
        try
        {
            try
            {
                store.Append(record);
            }
            catch (RecordException exception)
            {
                // A figure that is no number: without the passes the case can still be told, and the run goes on.
                record = record.AsFailed(exception.Message);
                store.Append(record);
            }
        }
        catch (IOException exception)
        {
            // Without a place for the records there is no point in measuring on.
            FatalError = $"the record could not be stored: {exception.Message}";
            return;
        }
        records.Add(record);
        context.Observer.CaseEnded(record);
    }

    /// <summary>BenchmarkDotNet says nothing when a filter or a validator leaves no case; a run without one is an error.</summary>
    public void RequireRan(IReadOnlyCollection<Summary> summaries)
    {
        if (started > 0 || Stopped)
            return;
        var reasons = summaries.SelectMany(summary => summary.ValidationErrors).Select(error => error.Message).Distinct();
        throw new InvalidOperationException($"BenchmarkDotNet ran no case: {string.Join("; ", reasons)}");
    }

    private static ExecuteResult NotRun() => new(true, -1, default, [], [], [], 0);
}
