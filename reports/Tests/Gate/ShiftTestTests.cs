using Bench.Reports.Gate;
using Xunit;

namespace Bench.Reports.Tests.Gate;

public sealed class ShiftTestTests
{
    // Hollander, Wolfe and Chicken, table 3.1: depression factors of nine patients before and after a tranquilizer.
    private static readonly double[] Hamilton = [-0.952, 0.147, -1.022, -0.430, -0.620, -0.590, -0.490, 0.080, -0.010];

    [Fact]
    public void The_textbook_example_comes_out_as_in_the_textbook()
    {
        var test = ShiftTest.OfPairs(Hamilton);
        Assert.Equal(-0.46, test.Estimate, 2);
        // T⁺ = 5 of 45, P(T⁺ ≥ 40) = 10/512 = 0.0195.
        Assert.Equal(10.0 / 512, test.ProbabilityIfAtLeast(0), 12);
        // The 96 % interval of the book, from the sixth smallest and largest averages.
        var (low, high) = test.Interval(0.0195313);
        Assert.Equal(-0.786, low, 3);
        Assert.Equal(-0.010, high, 3);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(12)]
    public void The_signed_rank_distribution_is_that_of_all_signs(int count)
    {
        var counted = new double[count * (count + 1) / 2 + 1];
        for (var signs = 0; signs < 1 << count; signs++)
            counted[Enumerable.Range(1, count).Where(rank => (signs >> (rank - 1) & 1) == 1).Sum()]++;
        Assert.Equal(counted.Select(number => number / (1 << count)), ShiftTest.SignedRankProbabilities(count), Near);
    }

    [Fact]
    public void The_interval_excludes_a_shift_exactly_if_its_probability_is_small_enough()
    {
        var random = new Random(4711);
        for (var round = 0; round < 300; round++)
        {
            var test = ShiftTest.OfPairs([.. Enumerable.Range(0, random.Next(6, 20)).Select(_ => random.NextDouble() - 0.4)]);
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
        var (low, high) = ShiftTest.OfPairs([0.1, 0.1, 0.1]).Interval(0.01);
        Assert.Equal((double.NegativeInfinity, double.PositiveInfinity), (low, high));
    }

    [Fact]
    public void Equal_differences_are_no_proof_of_a_shift_of_their_size()
    {
        var test = ShiftTest.OfPairs([.. Enumerable.Repeat(0.05, 20)]);
        Assert.Equal(1, test.ProbabilityIfAtMost(0.05), 12);
        Assert.True(test.ProbabilityIfAtMost(0.0499) < 1e-5);
    }

    private static IEqualityComparer<double> Near { get; } = EqualityComparer<double>.Create((one, other) => Math.Abs(one - other) < 1e-12, _ => 0);
}
