using System.Reflection;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Parameters;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Bench.Disk;
using Bench.Measure.Records;

namespace Bench.Measure.Running;

/// <summary>How a run ended.</summary>
/// <param name="Records">The records, in order.</param>
/// <param name="Stopped">The user stopped it.</param>
/// <param name="FatalError">One sentence if it could not go on; null otherwise.</param>
public sealed record RunOutcome(IReadOnlyList<RunRecord> Records, bool Stopped, string? FatalError);

/// <summary>
/// Runs cases through BenchmarkDotNet, one record per case, each on disk before the next begins.
/// <para>
/// What BenchmarkDotNet gives: the order of setup, warm-up, passes and clean-up, collections between passes, and a
/// shape that every .NET engineer knows. What it lacks for disks: it starts a process per case (6 to 12 s each),
/// keeps only a time per iteration, crashes the whole run when an in-process benchmark throws, and writes its result
/// once at the end. So it runs in process through <see cref="CaseToolchain"/>, with the Monitoring strategy (no pilot
/// guessing at nanoseconds, outliers kept), and our own record is made beside its measurement.
/// </para>
/// </summary>
public static class RunSession
{
    /// <summary>Runs the cases.</summary>
    /// <param name="cases">The cases, in order.</param>
    /// <param name="context">The run; made current for its length.</param>
    /// <param name="runFolder">Gets the records and BenchmarkDotNet's log.</param>
    public static RunOutcome Execute(IReadOnlyList<CaseSpec> cases, RunContext context, string runFolder)
    {
        using var store = RunStore.Open(runFolder);
        using var log = new StreamLogger(new StreamWriter(Path.Combine(runFolder, "benchmarkdotnet.log")) { AutoFlush = true });
        using var entered = context.Enter();
        context.ResidencySource = PageCache.FindSource(context.Data.Path);
        var executor = new CaseExecutor(context, store, cases.Count);

        var config = ManualConfig.CreateEmpty()
            .AddColumnProvider(BenchmarkDotNet.Columns.DefaultColumnProviders.Instance)
            .AddLogger(log)
            .WithArtifactsPath(runFolder)
            .WithOptions(ConfigOptions.DisableLogFile | ConfigOptions.DisableOptimizationsValidator)
            .AddJob(JobFor(context.Settings, new CaseToolchain(executor)));
        var runs = cases
            .GroupBy(spec => spec.Workload)
            .Select(group => ToRunInfo(group.Key, [.. group], config, executor))
            .ToArray();
        var summaries = BenchmarkRunner.Run(runs);
        executor.RequireRan(summaries);
        return new RunOutcome(executor.Records, executor.Stopped, executor.FatalError);
    }

    private static Job JobFor(RunSettings settings, CaseToolchain toolchain) => Job.Default
        .WithToolchain(toolchain)
        .WithStrategy(RunStrategy.Monitoring)
        .WithInvocationCount(1)
        .WithUnrollFactor(1)
        .WithLaunchCount(1)
        .WithWarmupCount(1)
        .WithIterationCount(settings.Passes)
        .WithId("io");

    private static BenchmarkRunInfo ToRunInfo(WorkloadDescriptor workload, IReadOnlyList<CaseSpec> cases, ManualConfig config, CaseExecutor executor)
    {
        var immutable = ImmutableConfigBuilder.Create(config);
        var job = immutable.GetJobs().Single();
        var descriptor = new Descriptor(
            workload.Type,
            MethodWith<BenchmarkAttribute>(workload.Type)!,
            MethodWith<GlobalSetupAttribute>(workload.Type),
            MethodWith<GlobalCleanupAttribute>(workload.Type),
            MethodWith<IterationSetupAttribute>(workload.Type),
            MethodWith<IterationCleanupAttribute>(workload.Type));
        var benchmarkCases = cases.Select(spec =>
        {
            var parameters = workload.Parameters.Zip(spec.Values, (parameter, value) => new ParameterInstance(
                new ParameterDefinition(parameter.Name, false, [.. parameter.Values], false, parameter.Property.PropertyType, 0),
                value,
                SummaryStyle.Default));
            var benchmarkCase = BenchmarkCase.Create(descriptor, job, new ParameterInstances([.. parameters]), immutable);
            executor.Add(benchmarkCase, spec);
            return benchmarkCase;
        }).ToArray();
        return new BenchmarkRunInfo(benchmarkCases, workload.Type, immutable);
    }

    private static MethodInfo? MethodWith<TAttribute>(Type type) where TAttribute : Attribute =>
        type.GetMethods().SingleOrDefault(method => method.GetCustomAttribute<TAttribute>() is not null);
}
