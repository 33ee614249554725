using System.Numerics;
using System.Runtime.CompilerServices;

namespace Bench.Disk;

/// <summary>
/// A seeded random order of 0 … n−1 that visits each once, computed without a table.
/// <para>
/// fio keeps a bitmap of the blocks it has touched ("random map"), which costs memory and, towards the end of a
/// cycle, time; sampling with repeats (its <c>norandommap</c>) rereads cached blocks and never reaches about 37 % of
/// the file in one cycle. Here the block number is the image of a counter under a bijection of k bits, the smallest
/// k with 2^k ≥ n: three rounds of odd multiplication and xor-shift, each invertible; images ≥ n are fed in again
/// ("cycle walking", Black and Rogaway 2002), fewer than two rounds on average. About 5 ns a number.
/// </para>
/// </summary>
public readonly struct BlockPermutation
{
    private readonly ulong count;
    private readonly ulong mask;
    private readonly int shift;
    private readonly ulong multiplier1;
    private readonly ulong multiplier2;
    private readonly ulong multiplier3;
    private readonly ulong addend;

    /// <summary>A random order.</summary>
    /// <param name="count">n, at least 1.</param>
    /// <param name="seed">Equal seeds give equal orders.</param>
    public BlockPermutation(long count, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        this.count = (ulong)count;
        var bits = Math.Max(1, 64 - BitOperations.LeadingZeroCount((ulong)count - 1));
        mask = bits == 64 ? ulong.MaxValue : (1UL << bits) - 1;
        shift = Math.Max(1, (bits + 1) / 2);
        multiplier1 = SplitMix64(ref seed) | 1;
        multiplier2 = SplitMix64(ref seed) | 1;
        multiplier3 = SplitMix64(ref seed) | 1;
        addend = SplitMix64(ref seed);
    }

    /// <summary>The block at a place of the order.</summary>
    /// <param name="index">0 … n−1.</param>
    public long this[long index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            var value = (ulong)index;
            do
            {
                value = (value + addend) * multiplier1 & mask;
                value ^= value >> shift;
                value = value * multiplier2 & mask;
                value ^= value >> shift;
                value = value * multiplier3 & mask;
                value ^= value >> shift;
            }
            while (value >= count);
            return (long)value;
        }
    }

    /// <summary>The next number of SplitMix64 (Steele, Lea and Flood 2014), used to spread a seed.</summary>
    public static ulong SplitMix64(ref ulong state)
    {
        state += 0x9E3779B97F4A7C15;
        var z = state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
