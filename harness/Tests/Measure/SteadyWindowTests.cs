using Bench.Measure.Evidence;
using Bench.Measure.Records;
using Xunit;

namespace Bench.Harness.Tests.Measure;

public class SteadyWindowTests
{
    [Fact]
    public void The_window_is_the_last_five_rounds_and_both_bounds_count()
    {
        Assert.Null(SteadyWindow.Of([100, 100, 100, 100]));
        Assert.True(SteadyWindow.Of([900, 500, 100, 104, 97, 101, 99])!.Value.IsSteady);
        // Up and down by more than a fifth, without a slope.
        var wild = SteadyWindow.Of([100, 115, 90, 115, 100])!.Value;
        Assert.True(wild.Range > 0.2 && wild.Slope < 0.1);
        Assert.False(wild.IsSteady);
        // Within a fifth, and falling all the time.
        var falling = SteadyWindow.Of([108, 104, 100, 96, 92])!.Value;
        Assert.Equal((0.16, 0.16), (Math.Round(falling.Range, 6), Math.Round(falling.Slope, 6)));
        Assert.False(falling.IsSteady);
    }

    [Fact]
    public void Throughput_and_99th_percentile_rest_each_by_themselves()
    {
        RoundRecord[] Rounds(double[] megabytes, long[] p99) => [.. megabytes.Zip(p99, (one, other) => new RoundRecord { Seconds = 1, Bytes = (long)(one * 1e6), Operations = 100, P99Ns = other })];
        Assert.True(SteadyWindow.AreSteady(Rounds([100, 101, 99, 100, 100], [1000, 1010, 1000, 990, 1000])));
        Assert.False(SteadyWindow.AreSteady(Rounds([100, 101, 99, 100, 100], [1000, 1300, 1600, 1900, 2200])));
        Assert.False(SteadyWindow.AreSteady(Rounds([100, 130, 160, 190, 220], [1000, 1010, 1000, 990, 1000])));
        var claim = Claims.Steady(Rounds([100, 130, 160, 190, 220], [1000, 1010, 1000, 990, 1000]));
        Assert.Equal(Verdict.Contradicted, claim.Verdict);
        Assert.Equal(Verdict.Unproven, Claims.Steady([]).Verdict);
    }
}
