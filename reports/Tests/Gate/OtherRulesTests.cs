using Bench.Reports.Gate;
using Xunit;

namespace Bench.Reports.Tests.Gate;

/// <summary>The rules of other tools that the gate is held against: they say what those tools would.</summary>
public sealed class OtherRulesTests
{
    [Theory]
    [InlineData("github-action-benchmark, 200 %", 1.9, false)]
    [InlineData("github-action-benchmark, 200 %", 2.2, true)]
    [InlineData("github-action-benchmark, 110 %", 1.05, false)]
    [InlineData("github-action-benchmark, 110 %", 1.2, true)]
    [InlineData("criterion, 1 % noise threshold", 1.0, false)]
    [InlineData("criterion, 1 % noise threshold", 1.05, true)]
    [InlineData("Mann–Whitney at 0.05, passes", 1.05, true)]
    [InlineData("Mann–Whitney at 0.05, passes", 0.9, false)]
    [InlineData("Mann–Whitney at 0.05, launches", 1.05, true)]
    [InlineData("Mann–Whitney at 0.05, launches", 1.0, false)]
    public void Each_rule_alarms_where_its_tool_would(string rule, double cost, bool alarms)
    {
        var random = new Random(3);
        LaunchFigures Launch(double slower)
        {
            double[] passes = [.. Enumerable.Range(0, 6).Select(_ => 1e9 / slower * (1 + 0.01 * (random.NextDouble() - 0.5)))];
            return new LaunchFigures(passes.Order().ElementAt(3), null, null, passes, []);
        }
        GatePair[] pairs = [.. Enumerable.Range(1, 20).Select(number => new GatePair { Number = number, BaseFirst = number % 2 == 0, Base = Launch(1), Head = Launch(cost) })];
        Assert.Equal(alarms, OtherRules.All.Single(one => one.Name == rule).Alarms(pairs));
        // A pair that does not count raises nothing.
        Assert.False(OtherRules.All.Single(one => one.Name == rule).Alarms([.. pairs.Select(pair => pair with { Discarded = "contradicted" })]));
    }
}
