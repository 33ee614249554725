using System.Runtime.CompilerServices;
using Bench.Disk;

namespace Bench.Measure.Passes;

/// <summary>Where the next operation goes. Implementations are structs, so that the op loop is compiled for each.</summary>
public interface IPositions
{
    /// <summary>The byte position of the next block; wraps at the end of the range.</summary>
    long Next();
}

/// <summary>Block after block, wrapping at the end.</summary>
/// <param name="firstBlock">First block of the range.</param>
/// <param name="blockCount">Blocks in the range.</param>
/// <param name="blockBytes">Block size.</param>
/// <param name="startBlock">Where to begin, counted from the first block.</param>
public struct SequentialPositions(long firstBlock, long blockCount, long blockBytes, long startBlock) : IPositions
{
    private readonly long start = firstBlock * blockBytes;
    private readonly long end = (firstBlock + blockCount) * blockBytes;
    private long next = (firstBlock + startBlock % blockCount) * blockBytes;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long Next()
    {
        var position = next;
        next += blockBytes;
        if (next >= end)
            next = start;
        return position;
    }
}

/// <summary>
/// Blocks in a random order, each once in a cycle. Several threads share one order, each taking every n-th place.
/// </summary>
/// <param name="order">The order of all blocks.</param>
/// <param name="blockCount">Blocks in the order.</param>
/// <param name="blockBytes">Block size.</param>
/// <param name="startIndex">Place in the order to begin at.</param>
/// <param name="step">Places to advance: the number of threads.</param>
public struct RandomPositions(BlockPermutation order, long blockCount, long blockBytes, long startIndex, int step) : IPositions
{
    private readonly BlockPermutation order = order;
    private long index = startIndex % blockCount;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long Next()
    {
        var position = order[index] * blockBytes;
        index += step;
        if (index >= blockCount)
            index -= blockCount;
        return position;
    }
}
