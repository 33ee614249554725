using Bench.Measure.Evidence;
using Bench.Measure.Records;
using Bench.TestSupport;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>A drive that is filled and brought to rest before anything is measured.</summary>
public class SteadyStateTests
{
    [RootFact("mkfs.ext4", "losetup", "/dev/loop-control")]
    public void A_small_drive_is_filled_twice_and_comes_to_rest_before_the_other_cases()
    {
        using var disk = LoopFileSystem.Ext4(400 << 20);
        using var place = new RunPlace(disk.MountPath);
        BenchProgram.Run(place.Folder, "run", "-p", "smoke", "--steady", "--target", place.Target, "--out", place.Out, "--filter", "CachePath*Direct*Operation=Write, Pattern=Random*psync*").Expect(0);
        var records = RunStore.Read(place.Out).Records;
        Assert.Equal(["SteadyState", "SteadyState", "CachePath"], records.Select(record => record.Workload));
        Assert.Equal(["Write", "Read"], records.Take(2).Select(record => record.Operation));
        Assert.All(records.Take(2), record =>
        {
            Assert.InRange(record.Rounds!.Count, 5, 25);
            Assert.All(record.Rounds, round => Assert.True(round.Bytes > 0 && round.P99Ns > 0));
            Assert.InRange((double)record.Effective["filledShare"]!, 0.5, 0.9);
            // The whole way in tenths of a second, and nothing of it lost.
            Assert.Equal(TimelineRecord.BeforePasses, record.Timeline!.Pass);
            Assert.Equal(record.Rounds.Sum(round => round.Operations), record.Timeline.Points.Sum(point => point.Operations));
            Assert.Equal(SteadyWindow.AreSteady(record.Rounds) ? ["steady"] : [], record.Timeline.Events.Select(made => made.Kind));
            // It ends where it rests, or at the limit; and says which.
            Assert.True(SteadyWindow.AreSteady(record.Rounds) || record.Rounds.Count == 25);
            Assert.Equal(SteadyWindow.AreSteady(record.Rounds) ? Verdict.Proven : Verdict.Contradicted, record.Claim("steady").Verdict);
        });
        Assert.Null(records[2].Rounds);
        Assert.Contains("The whole way", File.ReadAllText(Path.Combine(place.Out, "index.html")), StringComparison.Ordinal);
        Assert.Contains("To a steady state", File.ReadAllText(Path.Combine(place.Out, "report.md")), StringComparison.Ordinal);
        Assert.Empty(place.DataFolders);
    }

    /// <summary>Who wants to know only how a drive comes to rest.</summary>
    [RootFact("mkfs.ext4", "losetup", "/dev/loop-control")]
    public void The_steady_state_alone_is_what_a_filter_for_it_chooses()
    {
        using var disk = LoopFileSystem.Ext4(200 << 20);
        using var place = new RunPlace(disk.MountPath);
        string[] run = ["run", "-p", "quick", "--target", place.Target, "--out", place.Out, "--filter"];
        Assert.Contains("no case of the profile quick matches", BenchProgram.Run(place.Folder, [.. run, "SteadyState*"]).Expect(64).Error, StringComparison.Ordinal);
        foreach (var other in (string[])["Staedy*", "SteadyState*BlockSize=64KiB*"])
            Assert.Contains("no case of the profile quick matches", BenchProgram.Run(place.Folder, [.. run, other, "--steady"]).Expect(64).Error, StringComparison.Ordinal);
        // Its rounds are of five seconds, so it ends where the plan is told: two cases, which fill the disk and more.
        Assert.Matches(@"the plan writes about \d+(\.\d)? GiB", BenchProgram.Run(place.Folder, [.. run, "SteadyState*", "--steady", "--max-write", "64MiB"]).Expect(64).Error);
    }

    [RootFact("mkfs.ext4", "losetup", "/dev/loop-control")]
    public void A_run_that_goes_on_after_its_steady_state_says_that_the_drive_has_room_again()
    {
        using var disk = LoopFileSystem.Ext4(400 << 20);
        using var place = new RunPlace(disk.MountPath);
        BenchProgram.Run(place.Folder, "run", "-p", "smoke", "--steady", "--target", place.Target, "--out", place.Out, "--no-report", "--filter", "CachePath*Direct*Operation=Read, Pattern=Random*psync*").Expect(0);
        var lines = File.ReadAllLines(place.RecordsFile);
        File.WriteAllLines(place.RecordsFile, lines.Take(2));
        var result = BenchProgram.Run(place.Folder, "run", "--resume", place.Out).Expect(0);
        Assert.Contains("met a drive with room", result.Error, StringComparison.Ordinal);
        var records = RunStore.Read(place.Out).Records;
        Assert.DoesNotContain(records[1].Target.Warnings, warning => warning.Contains("met a drive with room", StringComparison.Ordinal));
        Assert.All(records.Skip(2), record => Assert.Contains(record.Target.Warnings, warning => warning.Contains("met a drive with room", StringComparison.Ordinal)));
        Assert.Contains("met a drive with room", File.ReadAllText(Path.Combine(place.Out, "report.md")), StringComparison.Ordinal);
    }

    [RootFact("mkfs.ext4", "losetup", "/dev/loop-control")]
    public void Where_there_is_no_room_to_fill_it_is_refused()
    {
        using var disk = LoopFileSystem.Ext4(64 << 20);
        using var place = new RunPlace(disk.MountPath);
        var result = BenchProgram.Run(place.Folder, "run", "-p", "smoke", "--steady", "--target", place.Target, "--out", place.Out, "--filter", "CachePath*BufferedWarm*").Expect(64);
        Assert.Contains("no room", result.Error, StringComparison.Ordinal);
    }
}
