using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using Bench.TestSupport;
using Xunit;
using Xunit.Abstractions;

namespace Bench.Harness.Tests.SegmentLog;

public class ModelTests(ITestOutputHelper output)
{
    /// <summary>
    /// <c>BENCH_MODEL_SEED</c> runs one seed, as a failure prints it; <c>BENCH_MODEL_RUNS</c> runs so many from a random
    /// one on, as <c>scripts/soak</c> does. Otherwise they are always the same, so that CI does not fail by chance.
    /// </summary>
    private static (int First, int Count) Seeds(int usual)
    {
        if (Number("BENCH_MODEL_SEED") is { } seed)
            return (seed, 1);
        return Number("BENCH_MODEL_RUNS") is { } runs ? (Random.Shared.Next(1 << 30), runs) : (1, usual);
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    [Fact]
    public void Random_operations_faults_and_crashes_leave_a_log_that_agrees_with_the_model()
    {
        var (first, count) = Seeds(3000);
        output.WriteLine(FormattableString.Invariant($"seeds {first} to {first + count - 1L}"));
        long crashes = 0, appends = 0, faults = 0, runs = 0;
        var failures = new ConcurrentBag<ModelFailureException>();
        OwnThreads.For(count, i =>
        {
            var run = new ModelRun(first + (int)i);
            try
            {
                run.Run();
            }
            catch (ModelFailureException exception)
            {
                failures.Add(exception);
            }
            Interlocked.Add(ref crashes, run.Crashes);
            Interlocked.Add(ref appends, run.Appends);
            Interlocked.Add(ref faults, run.FaultsInjected);
            Interlocked.Increment(ref runs);
            return failures.Count < 100;
        });
        output.WriteLine(FormattableString.Invariant($"{runs} runs, {appends} appends, {crashes} crashes, {faults} faults"));
        // One of each kind: what differs in figures only is one fault.
        var kinds = failures.GroupBy(failure => Regex.Replace(failure.InnerException!.Message, "[0-9]+", "N")).OrderByDescending(kind => kind.Count()).ToArray();
        Assert.True(failures.IsEmpty, string.Join("\n\n", kinds.Select(kind => FormattableString.Invariant($"{kind.Count()} of {runs} runs, for example {kind.MinBy(failure => failure.StepCount)!.Message}\n{kind.First().InnerException!.StackTrace}"))));
    }
}
