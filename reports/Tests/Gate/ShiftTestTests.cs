using Bench.Reports.Gate;
using Xunit;

namespace Bench.Reports.Tests.Gate;

public sealed class ShiftTestTests
{
    [Fact]
    public void What_being_first_is_worth_falls_out_of_the_pairs()
    {
        // A change of 0.1, and 0.5 for being second.
        var test = ShiftTest.OfPairs([0.61, 0.60, 0.59, 0.60], [-0.41, -0.40, -0.39, -0.40]);
        Assert.Equal(0.1, test.Estimate, 12);
        Assert.Equal(8, test.Count);
        // All of one above all of the other once the change is taken off: one arrangement of C(8, 4) = 70.
        Assert.Equal(1.0 / 70, test.ProbabilityIfAtMost(0.05), 12);
        Assert.Equal(1, test.ProbabilityIfAtLeast(0.05), 12);
        Assert.Equal((0.09, 0.11), (Math.Round(test.Interval(1.0 / 70).Low, 12), Math.Round(test.Interval(1.0 / 70).High, 12)));
    }

    [Fact]
    public void The_textbook_example_comes_out_as_in_the_textbook()
    {
        // Hollander, Wolfe and Chicken, table 4.1: water transfer through placental membranes at term and at 12 to 26
        // weeks. W = 30, one-sided P = 0.1272; the estimate of the difference is 0.305.
        double[] early = [1.15, 0.88, 0.90, 0.74, 1.21];
        double[] term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
        var test = ShiftTest.OfSamples(early, term);
        Assert.Equal(0.305, test.Estimate, 3);
        Assert.Equal(0.1272, test.ProbabilityIfAtMost(0), 4);
    }

    [Fact]
    public void The_interval_excludes_a_shift_exactly_if_its_probability_is_small_enough()
    {
        var random = new Random(4711);
        double[] Values() => [.. Enumerable.Range(0, random.Next(3, 10)).Select(_ => random.NextDouble() - 0.4)];
        for (var round = 0; round < 300; round++)
        {
            var test = ShiftTest.OfPairs(Values(), Values());
            foreach (var miss in new[] { 0.05, 0.01, 0.002 })
            {
                var (low, high) = test.Interval(miss);
                foreach (var shift in new[] { -0.2, -0.05, 0, 0.05, 0.2 })
                {
                    Assert.Equal(low > shift, test.ProbabilityIfAtMost(shift) <= miss);
                    Assert.Equal(high < shift, test.ProbabilityIfAtLeast(shift) <= miss);
                }
            }
        }
    }

    [Fact]
    public void Two_samples_are_tested_by_the_distribution_of_Mann_and_Whitney()
    {
        // All of one above all of the other: one arrangement of C(8, 4) = 70.
        var test = ShiftTest.OfSamples([1, 2, 3, 4], [11, 12, 13, 14]);
        Assert.Equal(10, test.Estimate, 12);
        Assert.Equal(1.0 / 70, test.ProbabilityIfAtMost(0), 12);
        Assert.Equal(1, test.ProbabilityIfAtLeast(0), 12);
    }

    [Fact]
    public void Too_few_pairs_have_no_interval()
    {
        var (low, high) = ShiftTest.OfPairs([0.1, 0.1], [0.1]).Interval(0.01);
        Assert.Equal((double.NegativeInfinity, double.PositiveInfinity), (low, high));
    }

    [Fact]
    public void Equal_differences_are_no_proof_of_a_shift_of_their_size()
    {
        var test = ShiftTest.OfPairs([.. Enumerable.Repeat(0.05, 10)], [.. Enumerable.Repeat(0.05, 10)]);
        Assert.Equal(1, test.ProbabilityIfAtMost(0.05), 12);
        Assert.True(test.ProbabilityIfAtMost(0.0499) < 1e-5);
    }
}
