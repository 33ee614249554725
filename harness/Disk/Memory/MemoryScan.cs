using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Bench.Disk.Memory;

/// <summary>
/// The loops behind the memory cells of Jacobs' figure (ACM Queue 2009): 4-byte values read from, or written to, a
/// region larger than the caches. Each returns a checksum of what it touched, so that nothing can be optimised away
/// and a test can check it.
/// <para>
/// "Random memory access" has two answers fifteen-fold apart: independent addresses, which the processor overlaps,
/// and dependent ones (a linked list), which it cannot. A figure that does not say which is worth nothing, so both
/// have a name here.
/// </para>
/// <para>
/// Compiled fully at once: the compiler's first, quick code for a loop is three times slower, and would be what the first
/// passes measure.
/// </para>
/// </summary>
public static unsafe class MemoryScan
{
    /// <summary>Sums values in order, one at a time.</summary>
    /// <param name="region">The memory.</param>
    /// <param name="firstValue">Index of the first value.</param>
    /// <param name="valueCount">Values to read.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static ulong ReadScalar(MemoryRegion region, long firstValue, long valueCount)
    {
        var at = region.Values + Checked(region, firstValue, valueCount);
        var end = at + valueCount;
        ulong sum = 0;
        while (at < end)
            sum += *at++;
        return sum;
    }

    /// <summary>Sums values in order with the widest vectors of the processor, four accumulators.</summary>
    /// <inheritdoc cref="ReadScalar"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static ulong ReadVector(MemoryRegion region, long firstValue, long valueCount)
    {
        var at = region.Values + Checked(region, firstValue, valueCount);
        var end = at + valueCount;
        return Vector512.IsHardwareAccelerated ? Sum512(at, end) : Sum256(at, end);
    }

    /// <summary>Writes values in order, one at a time.</summary>
    /// <inheritdoc cref="ReadScalar"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static ulong WriteScalar(MemoryRegion region, long firstValue, long valueCount)
    {
        var start = region.Values + Checked(region, firstValue, valueCount);
        // The index, with the top bit clear as the region promises. Not a constant: a constant fill is turned into
        // vector code by some compilers, and "scalar" would be untrue.
        for (long i = 0; i < valueCount; i++)
            start[i] = (uint)i & 0x7FFFFFFF;
        return (ulong)valueCount;
    }

    /// <summary>Writes values in order with vectors.</summary>
    /// <inheritdoc cref="ReadScalar"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static ulong WriteVector(MemoryRegion region, long firstValue, long valueCount)
    {
        var at = region.Values + Checked(region, firstValue, valueCount);
        var end = at + valueCount;
        var value = Vector256.Create(firstValue & 0x7FFFFFFF, firstValue & 0x7FFFFFFF, 0, 0).AsUInt32();
        for (; at + Vector256<uint>.Count <= end; at += Vector256<uint>.Count)
            value.Store(at);
        for (; at < end; at++)
            *at = 0;
        return (ulong)valueCount;
    }

    /// <summary>Reads blocks at random places; the addresses do not depend on what was read.</summary>
    /// <param name="region">The memory.</param>
    /// <param name="order">The order of the region's blocks.</param>
    /// <param name="firstIndex">First place in the order.</param>
    /// <param name="blockCount">Blocks to read.</param>
    /// <param name="blockValues">Values in a block: 1 for Jacobs' cell.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static ulong ReadIndependent(MemoryRegion region, in BlockPermutation order, long firstIndex, long blockCount, long blockValues)
    {
        var values = region.Values;
        ulong sum = 0;
        if (blockValues == 1)
        {
            for (var i = firstIndex; i < firstIndex + blockCount; i++)
                sum += values[order[i]];
            return sum;
        }
        for (var i = firstIndex; i < firstIndex + blockCount; i++)
        {
            var at = values + order[i] * blockValues;
            sum += Sum256(at, at + blockValues);
        }
        return sum;
    }

    /// <summary>
    /// Reads blocks at random places, each address made from the value read before: the region's values have their
    /// top bit clear, so adding it changes nothing, but the processor has to wait to know.
    /// </summary>
    /// <inheritdoc cref="ReadIndependent"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static ulong ReadDependent(MemoryRegion region, in BlockPermutation order, long firstIndex, long blockCount, long blockValues)
    {
        var values = region.Values;
        ulong sum = 0;
        uint last = 0;
        for (var i = firstIndex; i < firstIndex + blockCount; i++)
        {
            var at = values + order[i] * blockValues + (last >> 31);
            last = *at;
            sum += last;
            for (var j = 1; j < blockValues; j++)
                sum += at[j];
        }
        return sum;
    }

    /// <summary>Writes blocks at random places.</summary>
    /// <inheritdoc cref="ReadIndependent"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static ulong WriteIndependent(MemoryRegion region, in BlockPermutation order, long firstIndex, long blockCount, long blockValues)
    {
        var values = region.Values;
        for (var i = firstIndex; i < firstIndex + blockCount; i++)
        {
            var at = values + order[i] * blockValues;
            for (var j = 0; j < blockValues; j++)
                at[j] = (uint)i & 0x7FFFFFFF;
        }
        return (ulong)(blockCount * blockValues);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static ulong Sum512(uint* at, uint* end)
    {
        Vector512<ulong> a = default, b = default;
        for (; at + 32 <= end; at += 32)
        {
            var x = Vector512.Load(at);
            var y = Vector512.Load(at + 16);
            // Values are 31 bits: the sum of two fits 32 without overflow.
            var (low, high) = Vector512.Widen(x + y);
            a += low;
            b += high;
        }
        return Vector512.Sum(a + b) + Tail(at, end);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static ulong Sum256(uint* at, uint* end)
    {
        Vector256<ulong> a = default, b = default;
        for (; at + 16 <= end; at += 16)
        {
            var (low, high) = Vector256.Widen(Vector256.Load(at) + Vector256.Load(at + 8));
            a += low;
            b += high;
        }
        return Vector256.Sum(a + b) + Tail(at, end);
    }

    private static ulong Tail(uint* at, uint* end)
    {
        ulong sum = 0;
        while (at < end)
            sum += *at++;
        return sum;
    }

    private static long Checked(MemoryRegion region, long firstValue, long valueCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstValue);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstValue + valueCount, region.ValueCount);
        return firstValue;
    }
}
