using System.Diagnostics;
using Bench.Measure.Records;
using Bench.TestSupport;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>Somebody else on the disk: seen before the run, seen in a pass, and the pass is done again.</summary>
public class DisturbanceTests
{
    [RootFact("dd")]
    public void Passes_that_others_disturb_are_repeated_and_kept_apart()
    {
        using var place = new RunPlace();
        var file = Path.Combine(place.Folder, "stranger");
        // A process of its own that goes on by itself: what a thread of this one starts again and again may pause while the program starts.
        using var stranger = Process.Start(new ProcessStartInfo("sh", ["-c", $"while :; do dd if=/dev/zero of='{file}' bs=1M count=64 oflag=direct conv=notrunc 2>/dev/null; done"]))!;
        BenchResult result;
        try
        {
            while (!File.Exists(file) || new FileInfo(file).Length < 64 << 20)
                Thread.Sleep(10);
            result = BenchProgram.Run(place.Folder, "run", "-p", "smoke", "--target", place.Target, "--out", place.Out, "--json", "--passes", "4", "--pass-seconds", "0.1",
                "--case", "CachePath(Access=Direct, Operation=Read, Pattern=Random, BlockSize=64KiB, FileSize=64MiB)").Expect(0);
        }
        finally
        {
            stranger.Kill(entireProcessTree: true);
            stranger.WaitForExit();
        }
        var record = Assert.Single(result.Records);
        Assert.Contains(record.Target.Warnings, warning => warning.Contains("in use by others before the run", StringComparison.Ordinal));
        Assert.Equal(4, record.Passes.Count);
        // As often as there are passes, and not for ever.
        Assert.Equal(4, record.DisturbedPasses!.Count);
        Assert.Contains(record.Warnings, warning => warning.StartsWith("4 passes were disturbed and repeated: others moved", StringComparison.Ordinal));
        Assert.Equal(record.Passes.Sum(pass => pass.Operations), record.LatencyNs["read"].Count);
    }
}
