using Bench.Disk;
using Xunit;

namespace Bench.Harness.Tests.Measure;

public sealed class BlockPermutationTests
{
    private static void AssertPermutation(long count, ulong seed)
    {
        var order = new BlockPermutation(count, seed);
        var seen = new ulong[(count + 63) / 64];
        for (long i = 0; i < count; i++)
        {
            var block = order[i];
            Assert.True(block >= 0 && block < count, $"{block} of {count}");
            ref var word = ref seen[block >> 6];
            Assert.True((word >> (int)(block & 63) & 1) == 0, $"{block} of {count} comes twice (seed {seed})");
            word |= 1UL << (int)(block & 63);
        }
    }

    [Fact]
    public void EachBlockComesOnceForEveryCountUpToAThousand()
    {
        for (var count = 1; count <= 1000; count++)
        {
            for (ulong seed = 0; seed < 5; seed++)
                AssertPermutation(count, seed * 0x1234567);
        }
    }

    [Theory]
    [InlineData((1 << 20) - 1)]
    [InlineData(1 << 20)]
    [InlineData((1 << 20) + 1)]
    [InlineData(3_000_017)]
    [InlineData(262_144)]
    public void EachBlockComesOnceInALargeFile(long count) => AssertPermutation(count, 4711);

    [Fact]
    public void HugeCountsStayInRange()
    {
        foreach (var count in new[] { (1L << 40) + 7, 1L << 62, long.MaxValue })
        {
            var order = new BlockPermutation(count, 3);
            var seen = new HashSet<long>();
            for (var i = 0; i < 1000; i++)
            {
                var block = order[count - 1 - i];
                Assert.True(block >= 0 && block < count);
                Assert.True(seen.Add(block));
            }
        }
    }

    [Fact]
    public void NoBlocksAreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new BlockPermutation(0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new BlockPermutation(-5, 1));
    }

    [Fact]
    public void TheSameSeedGivesTheSameOrderAndEachSeedAnother()
    {
        static string Order(ulong seed)
        {
            var order = new BlockPermutation(1000, seed);
            return string.Join(',', Enumerable.Range(0, 1000).Select(i => order[i]));
        }

        Assert.Equal(Order(42), Order(42));
        var orders = Enumerable.Range(0, 200).Select(seed => Order((ulong)seed)).ToHashSet();
        Assert.Equal(200, orders.Count);
    }

    /// <summary>
    /// The file in 64 parts, the order in 64 stretches: each stretch visits each part about equally. Chi-square over
    /// the cells; a random permutation's has mean 63² and deviation √(2·63²) ≈ 89. Six deviations either way.
    /// </summary>
    [Theory]
    [InlineData(1 << 16)]
    [InlineData(100_000)]
    [InlineData(262_144)]
    [InlineData(1_000_003)]
    public void EveryStretchOfTheOrderCoversTheWholeFile(int count)
    {
        const int bins = 64;
        foreach (var seed in new ulong[] { 1, 2, 3, 1000, ulong.MaxValue })
        {
            var order = new BlockPermutation(count, seed);
            var cells = new int[bins, bins];
            for (long i = 0; i < count; i++)
                cells[i * bins / count, order[i] * bins / count]++;
            var expected = (double)count / (bins * bins);
            var chi = cells.Cast<int>().Sum(cell => (cell - expected) * (cell - expected) / expected);
            Assert.True(chi < 3969 + 6 * 89, $"chi-square {chi:F0} of {count} blocks with seed {seed}: some stretches keep to a part of the file");
        }
    }

    /// <summary>A random order of n blocks has about one pair of neighbours in a row, ascending; read-ahead must find nothing.</summary>
    [Theory]
    [InlineData(1000)]
    [InlineData(65_536)]
    [InlineData(1_000_003)]
    public void ThereAreNoSequentialRuns(int count)
    {
        foreach (var seed in new ulong[] { 1, 2, 3, 4711 })
        {
            var order = new BlockPermutation(count, seed);
            int run = 1, longest = 1, pairs = 0;
            for (var i = 1; i < count; i++)
            {
                var step = order[i] - order[i - 1];
                run = step is 1 or -1 ? run + 1 : 1;
                pairs += step is 1 or -1 ? 1 : 0;
                longest = Math.Max(longest, run);
            }
            Assert.True(longest <= 3, $"a run of {longest} blocks in a row with seed {seed}");
            Assert.True(pairs <= 20, $"{pairs} neighbours in a row with seed {seed}");
        }
    }

    /// <summary>Steps from block to block must not be few fixed ones: a prefetcher, or a disk's elevator, would learn them.</summary>
    [Fact]
    public void TheStepsAreOfManySizes()
    {
        const int count = 262_144;
        foreach (var seed in new ulong[] { 1, 2, 3, 4711 })
        {
            var order = new BlockPermutation(count, seed);
            var steps = new Dictionary<long, int>();
            for (var i = 1; i < count; i++)
                steps[order[i] - order[i - 1]] = steps.GetValueOrDefault(order[i] - order[i - 1]) + 1;
            Assert.True(steps.Values.Max() < count / 500, $"one step makes {steps.Values.Max()} of {count} with seed {seed}");
        }
    }
}
