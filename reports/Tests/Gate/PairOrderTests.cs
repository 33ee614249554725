using Bench.Reports.Gate;
using Xunit;

namespace Bench.Reports.Tests.Gate;

public sealed class PairOrderTests
{
    [Fact]
    public void Of_every_four_pairs_each_combination_comes_once()
    {
        var order = new PairOrder(7);
        for (var block = 0; block < 50; block++)
            Assert.Equal(4, Enumerable.Range(0, 4).Select(_ => order.Next()).Distinct().Count());
    }

    [Fact]
    public void A_seed_gives_one_order_and_seeds_give_different_ones()
    {
        (bool, bool)[] Take(long seed)
        {
            var order = new PairOrder(seed);
            return [.. Enumerable.Range(0, 40).Select(_ => order.Next())];
        }
        Assert.Equal(Take(7), Take(7));
        Assert.NotEqual(Take(7), Take(8));
    }
}
