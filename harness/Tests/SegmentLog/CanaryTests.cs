using Bench.SegmentLog;
using Xunit;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>Broken logs, which the model test has to find: else its silence would mean nothing.</summary>
public class CanaryTests
{
    private const int Seeds = 300;

    [Theory]
    [InlineData(Breakage.LogFlushSwallowed, "is lost")]
    [InlineData(Breakage.FolderFlushSwallowed, "is lost")]
    [InlineData(Breakage.IndexOffByOne, ".index: offset")]
    [InlineData(Breakage.TimeIndexOffByOne, ".timeindex: time")]
    [InlineData(Breakage.TruncationSwallowed, ".log at byte")]
    [InlineData(Breakage.WriteChanged, "byte")]
    [InlineData(Breakage.CompactedOffsetMoved, "compaction: ")]
    [InlineData(Breakage.CompactedAbortLost, "aborted in")]
    public void A_disk_that_breaks_a_promise_is_found(Breakage breakage, string message) =>
        IsFound(message, seed => new ModelRun(seed, disk => new BrokenStorage(disk, breakage), FlushPolicy.Each));

    [Fact]
    public void A_disk_that_lies_about_flushes_is_found_as_a_loss() =>
        IsFound("was durable", seed => new ModelRun(seed, onlyPolicy: FlushPolicy.Each) { FlushesLie = true });

    [Fact]
    public void A_last_stable_offset_that_passes_an_open_transaction_is_found() =>
        IsFound("last stable offset", seed => new ModelRun(seed) { LastStableOffset = log => log.HighWatermark });

    [Fact]
    public void A_compaction_that_takes_too_much_for_clean_is_found_as_one_that_leaves_old_values() =>
        IsFound("compaction: ", seed => new ModelRun(seed) { Compaction = (log, _) => log.Compact(log.EndOffset) });

    /// <summary>A breakage shows in several ways; one of the first seeds has to show it in the one that is meant.</summary>
    private static void IsFound(string message, Func<int, ModelRun> run)
    {
        var found = new List<string>();
        for (var seed = 1; seed <= Seeds; seed++)
        {
            try
            {
                run(seed).Run();
            }
            catch (ModelFailureException exception)
            {
                found.Add(exception.InnerException!.Message);
                if (found[^1].Contains(message, StringComparison.Ordinal))
                    return;
            }
        }
        Assert.Fail($"'{message}' was not found in {Seeds} runs, but: {string.Join("\n", found.Take(5))}");
    }
}
