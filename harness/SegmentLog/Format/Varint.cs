using System.Runtime.CompilerServices;

namespace Bench.SegmentLog.Format;

/// <summary>Variable-length integers as in protocol buffers: seven bits a byte, lowest first, zigzag for signs.</summary>
internal static class Varint
{
    /// <summary>Most bytes of a 32-bit value.</summary>
    internal const int MaxBytes32 = 5;

    /// <summary>Most bytes of a 64-bit value.</summary>
    internal const int MaxBytes64 = 10;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static uint ZigZag(int value) => (uint)((value << 1) ^ (value >> 31));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong ZigZag(long value) => (ulong)((value << 1) ^ (value >> 63));

    /// <summary>Bytes that a value takes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int SizeOf(int value) => (38 - System.Numerics.BitOperations.LeadingZeroCount(ZigZag(value) | 1)) / 7;

    /// <summary>Bytes that a value takes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int SizeOf(long value) => (70 - System.Numerics.BitOperations.LeadingZeroCount(ZigZag(value) | 1)) / 7;

    /// <summary>Writes a value where there is room for the longest.</summary>
    /// <returns>The place after it.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ref byte Write(ref byte to, int value)
    {
        var rest = ZigZag(value);
        while (rest > 0x7F)
        {
            to = (byte)(rest | 0x80);
            to = ref Unsafe.Add(ref to, 1);
            rest >>= 7;
        }
        to = (byte)rest;
        return ref Unsafe.Add(ref to, 1);
    }

    /// <summary>Writes a value where there is room for the longest.</summary>
    /// <returns>The place after it.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ref byte Write(ref byte to, long value)
    {
        var rest = ZigZag(value);
        while (rest > 0x7F)
        {
            to = (byte)(rest | 0x80);
            to = ref Unsafe.Add(ref to, 1);
            rest >>= 7;
        }
        to = (byte)rest;
        return ref Unsafe.Add(ref to, 1);
    }

    /// <summary>Reads a value and advances.</summary>
    /// <exception cref="CorruptLogException">It is longer than five bytes, or the bytes end in it.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Read32(ReadOnlySpan<byte> from, scoped ref int at)
    {
        // Nearly all are one byte.
        if ((uint)at < (uint)from.Length && from[at] is var first and < 0x80)
        {
            at++;
            return (first >> 1) ^ -(first & 1);
        }
        return Read32Slow(from, ref at);
    }

    /// <summary>Reads a value and advances.</summary>
    /// <exception cref="CorruptLogException">It is longer than ten bytes, or the bytes end in it.</exception>
    internal static long Read64(ReadOnlySpan<byte> from, scoped ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            if (shift > 63)
                throw new CorruptLogException("a varlong is longer than ten bytes");
            if ((uint)at >= (uint)from.Length)
                throw new CorruptLogException("the bytes end within a varlong");
            var next = from[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return (long)(value >> 1) ^ -(long)(value & 1);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Read32Slow(ReadOnlySpan<byte> from, scoped ref int at)
    {
        uint value = 0;
        for (var shift = 0; ; shift += 7)
        {
            if (shift > 28)
                throw new CorruptLogException("a varint is longer than five bytes");
            if ((uint)at >= (uint)from.Length)
                throw new CorruptLogException("the bytes end within a varint");
            var next = from[at++];
            value |= (uint)(next & 0x7F) << shift;
            if (next < 0x80)
                return (int)(value >> 1) ^ -(int)(value & 1);
        }
    }
}
