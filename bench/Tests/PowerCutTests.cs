using Bench.TestSupport;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>A drive that says "flushed" and has not is caught, an honest one is proven: on a disk that loses its cache.</summary>
public class PowerCutTests
{
    [RootTheory(FaultyDisk.Needs)]
    [InlineData(DiskFault.LyingFlush, 1, "contradicted")]
    [InlineData(DiskFault.VolatileCache, 0, "proven")]
    public void What_was_acknowledged_is_looked_for_after_the_power_was_cut(DiskFault fault, int exitCode, string verdict)
    {
        using var disk = new FaultyDisk(fault);
        using var place = new RunPlace(disk.MountPath);
        var acks = Path.Combine(place.Folder, "acks");
        using (var writer = BenchProgram.Start(place.Folder, "powercut", "write", "--target", disk.MountPath, "--acks", acks))
        {
            writer.WaitUntil(() => File.Exists(acks) && new FileInfo(acks).Length > 1500, "some hundred acknowledgements");
            writer.Signal("KILL");
            writer.WaitForEnd(BenchProgram.DefaultTimeout);
        }
        disk.CutPower();
        var result = BenchProgram.Run(place.Folder, "powercut", "check", "--target", disk.MountPath, "--acks", acks).Expect(exitCode);
        Assert.StartsWith(verdict, result.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(disk.MountPath, ".bench-powercut")));
    }

    [Fact]
    public void Wrong_use_is_one_sentence_and_writes_nothing()
    {
        using var place = new RunPlace();
        foreach (var (sentence, arguments) in new (string, string[])[]
        {
            ("is on the disk that is tried", ["write", "--target", place.Target, "--acks", Path.Combine(place.Folder, "acks")]),
            ("there is no folder", ["write", "--target", place.Target, "--acks", Path.Combine(place.Folder, "nowhere", "acks")]),
            ("there is no such file", ["check", "--target", place.Target, "--acks", Path.Combine(place.Folder, "acks")]),
            ("does not exist", ["check", "--target", place.Target + "-not", "--acks", "acks"]),
        })
            Assert.Contains(sentence, BenchProgram.Run(place.Folder, ["powercut", .. arguments]).Expect(64).Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(place.Target));
    }
}
