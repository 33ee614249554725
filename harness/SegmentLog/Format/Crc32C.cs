using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Bench.SegmentLog.Format;

/// <summary>
/// CRC-32C (Castagnoli, RFC 3720), the checksum of record batches and producer snapshots: what Java calls
/// <c>java.util.zip.CRC32C</c>.
/// </summary>
/// <remarks>
/// A byte's lowest bit is the highest power (the reflected order), so a 32-bit value has x³¹ in bit 0. A *state* is
/// the checksum before its bits are inverted: the message so far, times x³², modulo P. Three ways to advance it, each
/// faster than the one before and each asking for more of the processor; <see cref="Append"/> takes the best for the
/// length. All constants come from <see cref="Shifts"/>.
/// </remarks>
public static class Crc32C
{
    // Measured in bench/Micro/Crc32CCost: below these lengths what comes after the loop costs more than the loop gains.
    private const int InterleavedFromBytes = 128;
    private const int FoldedFromBytes = 256;

    private const int RegisterBytes = 64;

    /// <summary>Words of one of the three streams, at most: their 12 KiB stay in the first-level cache.</summary>
    private const int StreamMaxWords = 512;

    /// <summary>
    /// Element n is x^(64n−33) mod P, reflected: what a state is multiplied with to be moved over n 8-byte words.
    /// A carry-less product of two reflected values reads as itself times x, for it has a bit less than its register;
    /// the crc32 instruction that reduces it multiplies with x³². So the constant is short of x^(64n) by x³³.
    /// </summary>
    internal static readonly uint[] Shifts = MakeShifts();

    // Fields, which the compiler makes constants of: to put them together for each call costs as much as 256 bytes.
    private static readonly Vector512<ulong> overRound = Fold(4 * RegisterBytes);
    private static readonly Vector512<ulong> overThreeRegisters = Fold(3 * RegisterBytes);
    private static readonly Vector512<ulong> overTwoRegisters = Fold(2 * RegisterBytes);
    private static readonly Vector512<ulong> overRegister = Fold(RegisterBytes);
    private static readonly Vector128<ulong> overThreeParts = Fold(48).GetLower().GetLower();
    private static readonly Vector128<ulong> overTwoParts = Fold(32).GetLower().GetLower();
    private static readonly Vector128<ulong> overPart = Fold(16).GetLower().GetLower();

    /// <summary>The checksum of some bytes; 0 of none.</summary>
    /// <param name="data">The bytes.</param>
    public static uint Compute(ReadOnlySpan<byte> data) => Append(0, data);

    /// <summary>The checksum of what came before with more bytes after it.</summary>
    /// <param name="crc">The finished checksum of what came before; 0 for nothing.</param>
    /// <param name="data">The bytes that follow.</param>
    public static uint Append(uint crc, ReadOnlySpan<byte> data)
    {
        var state = ~crc;
        if (data.Length >= FoldedFromBytes && FoldedIsSupported)
            state = Folded(state, data);
        else if (data.Length >= InterleavedFromBytes && InterleavedIsSupported)
            state = Interleaved(state, data);
        else
            state = ByWords(state, data);
        return ~state;
    }

    /// <summary>The crc32 instruction for 8 bytes and a carry-less multiplication.</summary>
    internal static bool InterleavedIsSupported => Sse42.X64.IsSupported && Pclmulqdq.IsSupported;

    /// <summary>Four carry-less multiplications in one instruction, and the crc32 instruction.</summary>
    internal static bool FoldedIsSupported => Pclmulqdq.V512.IsSupported && Sse42.X64.IsSupported;

    /// <summary>Eight bytes at a time; the instructions of x64 and arm64 where they exist, a table where they do not.</summary>
    internal static uint ByWords(uint state, ReadOnlySpan<byte> data)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(data);
        foreach (var word in words)
            state = BitOperations.Crc32C(state, word);
        // Each step waits for the one before: at most three of them, not seven.
        var rest = data[(words.Length * sizeof(ulong))..];
        if ((rest.Length & sizeof(uint)) != 0)
        {
            state = BitOperations.Crc32C(state, MemoryMarshal.Read<uint>(rest));
            rest = rest[sizeof(uint)..];
        }
        if ((rest.Length & sizeof(ushort)) != 0)
        {
            state = BitOperations.Crc32C(state, MemoryMarshal.Read<ushort>(rest));
            rest = rest[sizeof(ushort)..];
        }
        return rest.IsEmpty ? state : BitOperations.Crc32C(state, rest[0]);
    }

    /// <summary>
    /// The crc32 instruction takes three cycles but can begin in each: three neighbouring streams at once, then the
    /// first two states are moved over what follows them and all are added.
    /// </summary>
    internal static uint Interleaved(uint state, ReadOnlySpan<byte> data)
    {
        while (data.Length >= 3 * sizeof(ulong))
        {
            var words = Math.Min(data.Length / (3 * sizeof(ulong)), StreamMaxWords);
            var streamBytes = words * sizeof(ulong);
            ref var first = ref MemoryMarshal.GetReference(data);
            ref var second = ref Unsafe.Add(ref first, streamBytes);
            ref var third = ref Unsafe.Add(ref second, streamBytes);
            ulong a = state, b = 0, c = 0;
            for (nint at = 0; at < streamBytes; at += sizeof(ulong))
            {
                a = Sse42.X64.Crc32(a, Word(ref first, at));
                b = Sse42.X64.Crc32(b, Word(ref second, at));
                c = Sse42.X64.Crc32(c, Word(ref third, at));
            }
            // The crc32 instruction is linear: one of them reduces the sum of the two products.
            var moved = Multiply(a, Shifts[2 * words]) ^ Multiply(b, Shifts[words]);
            state = (uint)(Sse42.X64.Crc32(0, moved) ^ c);
            data = data[(3 * streamBytes)..];
        }
        return ByWords(state, data);
    }

    /// <summary>
    /// Sixteen 128-bit sums in four registers, each moved over the 256 bytes that the four hold and added to the next
    /// ones; at the end all are moved onto the last and reduced (Gopal and others, "Fast CRC Computation for Generic
    /// Polynomials Using PCLMULQDQ Instruction", Intel 2009).
    /// </summary>
    internal static uint Folded(uint state, ReadOnlySpan<byte> data)
    {
        const int Register = RegisterBytes;
        const int Round = 4 * Register;
        if (data.Length < Round)
            return ByWords(state, data);

        ref var bytes = ref MemoryMarshal.GetReference(data);
        nint at = Round, end = data.Length;
        // Advancing a state over a message is advancing 0 over the message with the state added to its first 4 bytes.
        var a = Load(ref bytes, 0) ^ Vector512.CreateScalar((ulong)state);
        var b = Load(ref bytes, Register);
        var c = Load(ref bytes, 2 * Register);
        var d = Load(ref bytes, 3 * Register);
        for (; at <= end - Round; at += Round)
        {
            a = Move(a, overRound) ^ Load(ref bytes, at);
            b = Move(b, overRound) ^ Load(ref bytes, at + Register);
            c = Move(c, overRound) ^ Load(ref bytes, at + 2 * Register);
            d = Move(d, overRound) ^ Load(ref bytes, at + 3 * Register);
        }
        d ^= Move(a, overThreeRegisters) ^ Move(b, overTwoRegisters) ^ Move(c, overRegister);
        for (; at <= end - Register; at += Register)
            d = Move(d, overRegister) ^ Load(ref bytes, at);

        // The 128-bit parts of the last register, each onto the last one.
        var sum = d.GetUpper().GetUpper()
            ^ Move(d.GetLower().GetLower(), overThreeParts)
            ^ Move(d.GetLower().GetUpper(), overTwoParts)
            ^ Move(d.GetUpper().GetLower(), overPart);
        var reduced = Sse42.X64.Crc32(Sse42.X64.Crc32(0, sum[0]), sum[1]);
        return ByWords((uint)reduced, data[(int)at..]);
    }

    /// <summary>
    /// What moves each 128 bits over so many bytes: the lower half, which stands 64 bits before the upper, has 64 bits
    /// further to go. Here too the product of two reflected values reads as itself times x, and a 32-bit constant in a
    /// 64-bit half as itself times x³²: the same x³³ that <see cref="Shifts"/> leaves out.
    /// </summary>
    private static Vector512<ulong> Fold(int bytes)
    {
        var words = bytes / sizeof(ulong);
        return Vector512.Create(Vector256.Create(Vector128.Create(Shifts[words + 1], (ulong)Shifts[words])));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Move(Vector512<ulong> value, Vector512<ulong> fold) =>
        Pclmulqdq.V512.CarrylessMultiply(value, fold, 0x00) ^ Pclmulqdq.V512.CarrylessMultiply(value, fold, 0x11);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Move(Vector128<ulong> value, Vector128<ulong> fold) =>
        Pclmulqdq.CarrylessMultiply(value, fold, 0x00) ^ Pclmulqdq.CarrylessMultiply(value, fold, 0x11);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Load(ref byte bytes, nint at) =>
        Vector512.LoadUnsafe(ref bytes, (nuint)at).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Word(ref byte bytes, nint at) => Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref bytes, at));

    /// <summary>The carry-less product of two 32-bit values.</summary>
    private static ulong Multiply(ulong a, uint b) =>
        Pclmulqdq.CarrylessMultiply(Vector128.CreateScalar(a), Vector128.CreateScalar((ulong)b), 0x00).ToScalar();

    private static uint[] MakeShifts()
    {
        // For n = 1 it is x³¹, whose reflection is 1. Eight zero bytes advance a state by x⁶⁴. Element 0 is never used.
        var shifts = new uint[2 * StreamMaxWords + 1];
        shifts[1] = 1;
        for (var words = 2; words < shifts.Length; words++)
            shifts[words] = BitOperations.Crc32C(shifts[words - 1], 0UL);
        return shifts;
    }
}
