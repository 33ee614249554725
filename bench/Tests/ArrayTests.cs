using Bench.Measure.Records;
using Bench.TestSupport;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>Real arrays over disks of a known rate: that they scale is seen, and what keeps them from it is named.</summary>
public class ArrayTests
{
    private const int LegMegabytes = 40;

    private static readonly string[] SequentialReads =
        ["--case", "CachePath(Access=Direct, Operation=Read, Pattern=Sequential, BlockSize=1MiB, Engine=io_uring, QueueDepth=8, FileSize=64MiB)", "--pass-seconds", "0.5", "--passes", "6"];

    /// <summary>Both in one run, in turns: a ratio, and no absolute figure.</summary>
    [RootFact(FaultyDisk.Needs, "mkfs.btrfs")]
    public void RAID_0_over_four_disks_reads_in_sequence_three_and_a_half_times_as_fast_as_one_of_them()
    {
        using var array = new TestArray("raid0", 4, LegMegabytes);
        using var leg = new FaultyDisk();
        leg.SetRate(LegMegabytes);
        using var place = new RunPlace();
        BenchProgram.Run(place.Folder, ["run", "-p", "smoke", "--target", array.MountPath, "--target", leg.MountPath, "--out", place.Out, .. SequentialReads]).Expect(0);
        var records = RunStore.Read(place.Out).Records;
        Assert.Equal([array.MountPath, leg.MountPath], records.Select(record => record.Target.Folder));
        var ratio = records[0].BytesPerSecond!.Median / records[1].BytesPerSecond!.Median;
        Assert.True(ratio is >= 3.5 and < 4.6, $"the array is {ratio:0.00} times its leg: {records[0].BytesPerSecond} and {records[1].BytesPerSecond}");
        Assert.All(records, record => Assert.Equal(Verdict.Proven, Assert.Single(record.Evidence.Claims, claim => claim.Claim == "direct").Verdict));
        Assert.All(records[0].Passes, pass => Assert.Equal(4, pass.Members!.Count));
        Assert.All(records[1].Passes, pass => Assert.Null(pass.Members));
        // Each member carried its quarter.
        var moved = records[0].Passes.SelectMany(pass => pass.Members!).GroupBy(member => member.Name).Select(member => (double)member.Sum(one => one.ReadBytes)).ToArray();
        Assert.True(moved.Max() < 1.2 * moved.Min());
        Assert.DoesNotContain(records[0].Warnings, warning => warning.Contains("slower than the others", StringComparison.Ordinal) || warning.Contains("uneven", StringComparison.Ordinal));
    }

    [RootFact(FaultyDisk.Needs, "mkfs.btrfs")]
    public void A_slow_disk_of_an_array_is_named_in_record_and_report()
    {
        using var array = new TestArray("raid0", 4, LegMegabytes);
        array.Slow(3, LegMegabytes / 4);
        using var place = new RunPlace();
        BenchProgram.Run(place.Folder, ["run", "-p", "smoke", "--target", array.MountPath, "--out", place.Out, .. SequentialReads]).Expect(0);
        var record = Assert.Single(RunStore.Read(place.Out).Records);
        Assert.StartsWith($"the member {array.DeviceOf(3)} of the array is slower", Assert.Single(record.Warnings, warning => warning.Contains("slower than the others", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains($"The member {array.DeviceOf(3)} of the array is slower", File.ReadAllText(Path.Combine(place.Out, "report.md")), StringComparison.Ordinal);
    }

    [RootTheory(FaultyDisk.Needs, "mkfs.btrfs")]
    [InlineData("raid1", 2, null)]
    [InlineData("raid10", 4, "128KiB")]
    [InlineData("raid5", 3, "128KiB")]
    public void Every_level_is_measured_with_block_sizes_around_its_stripe(string level, int legs, string? stripe)
    {
        using var array = new TestArray(level, legs, 400);
        using var place = new RunPlace();
        BenchProgram.Run(place.Folder, "run", "-p", "smoke", "--target", array.MountPath, "--out", place.Out, "--filter", "CachePath*Access=Direct*Pattern=Sequential*psync*").Expect(0);
        var records = RunStore.Read(place.Out).Records;
        Assert.All(records, record => Assert.Equal((level, legs), (record.Target.DataProfile, record.Passes[0].Members!.Count)));
        var sizes = records.Where(record => record.Has("Operation", "Read")).Select(record => record.Parameters["BlockSize"]).ToHashSet();
        if (stripe is null)
            Assert.DoesNotContain("128KiB", sizes);
        else
            Assert.Superset(new HashSet<string> { "64KiB", "128KiB", "256KiB" }, sizes);
    }
}
