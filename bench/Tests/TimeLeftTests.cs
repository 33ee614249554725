using Bench.Commands;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>How long a run still takes.</summary>
public class TimeLeftTests
{
    [Theory]
    // As planned; at half the pace; so little done that nothing can be told yet; and a pace that nothing keeps up.
    [InlineData(50, 50, 50)]
    [InlineData(50, 100, 100)]
    [InlineData(4, 100, 96)]
    [InlineData(10, 1000, 360)]
    [InlineData(120, 100, 0)]
    public void The_rest_of_the_plan_is_corrected_by_how_the_run_has_gone(double doneSeconds, double elapsedSeconds, double expectedSeconds) =>
        Assert.Equal(expectedSeconds, new TimeLeft(100).Seconds(doneSeconds, elapsedSeconds), 6);
}
