using Bench.Disk;
using Bench.Measure.Passes;
using Xunit;

namespace Bench.Harness.Tests.Measure;

public sealed class PositionsTests
{
    private static long[] Take<T>(ref T positions, int count) where T : struct, IPositions
    {
        var taken = new long[count];
        for (var i = 0; i < count; i++)
            taken[i] = positions.Next();
        return taken;
    }

    [Fact]
    public void SequentialGoesBlockAfterBlockAndWrapsAtTheEndOfItsRange()
    {
        var positions = new SequentialPositions(firstBlock: 10, blockCount: 3, blockBytes: 4096, startBlock: 0);
        Assert.Equal([40960, 45056, 49152, 40960, 45056, 49152, 40960], Take(ref positions, 7));
    }

    [Fact]
    public void SequentialGoesOnWhereThePassBeforeEnded()
    {
        var positions = new SequentialPositions(10, 3, 4096, startBlock: 5);
        Assert.Equal([49152, 40960], Take(ref positions, 2));
        var beyondInt = new SequentialPositions(1L << 33, 2, 4096, (1L << 40) + 1);
        Assert.Equal([(1L << 45) + 4096, 1L << 45], Take(ref beyondInt, 2));
    }

    [Fact]
    public void OneBlockIsItsOwnCycle()
    {
        var sequential = new SequentialPositions(0, 1, 512, 0);
        Assert.Equal([0, 0, 0], Take(ref sequential, 3));
        var random = new RandomPositions(new BlockPermutation(1, 1), 1, 512, 0, 1);
        Assert.Equal([0, 0, 0], Take(ref random, 3));
    }

    /// <summary>Threads that take every n-th place, as many each as FilePass gives them: together each block once.</summary>
    [Theory]
    [InlineData(1000, 1)]
    [InlineData(1000, 3)]
    [InlineData(1000, 7)]
    [InlineData(8, 8)]
    [InlineData(13, 8)]
    public void ThreadsTogetherTakeEachBlockOncePerCycle(int blocks, int threads)
    {
        var order = new BlockPermutation(blocks, 9);
        foreach (var start in new long[] { 0, 1, blocks - 1, 5L * blocks + 3 })
        {
            var taken = new List<long>();
            for (var thread = 0; thread < threads; thread++)
            {
                var positions = new RandomPositions(order, blocks, 4096, start * threads + thread, threads);
                taken.AddRange(Take(ref positions, blocks / threads + (thread < blocks % threads ? 1 : 0)));
            }
            Assert.Equal(Enumerable.Range(0, blocks).Select(block => block * 4096L), taken.Order());
        }
    }
}
