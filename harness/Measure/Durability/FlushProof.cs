using System.Buffers.Binary;
using Bench.Measure.Running;

namespace Bench.Measure.Durability;

/// <summary>
/// Numbered blocks in a file, each flushed before it is acknowledged: after a power cut they tell whether a flush means
/// what it says.
/// <para>
/// Layout: block n lies at (n mod <see cref="RingBlocks"/>) × <see cref="BlockBytes"/> and is magic (8 bytes), number
/// (8, little-endian), identity of the run (16), then bytes that follow from both. The first round through the ring
/// makes the file longer with each block, the later ones overwrite: both have to last.
/// </para>
/// <para>
/// That a flush was sent can be counted; that the drive did it cannot be seen while the power is on. diskchecker.pl,
/// which PostgreSQL's manual names, asks for a second machine; here anything that survives will do to keep the
/// acknowledgements, another disk or the terminal at the other end of ssh.
/// </para>
/// </summary>
public static class FlushProof
{
    /// <summary>Bytes of a block.</summary>
    public const int BlockBytes = 4096;

    /// <summary>Blocks before the file is overwritten from its start.</summary>
    public const int RingBlocks = 4096;

    private const int NumberAt = 8;
    private const int RunAt = 16;
    private const int FillAt = 32;

    private static ReadOnlySpan<byte> Magic => "BENCHSEQ"u8;

    /// <summary>Where a block lies, in bytes.</summary>
    public static long PositionOf(long number) => number % RingBlocks * BlockBytes;

    /// <summary>Makes a block.</summary>
    /// <param name="block">Its memory.</param>
    /// <param name="run">The run.</param>
    /// <param name="number">Its number, from 0.</param>
    public static void Fill(Span<byte> block, Guid run, long number)
    {
        Magic.CopyTo(block);
        BinaryPrimitives.WriteInt64LittleEndian(block[NumberAt..], number);
        run.TryWriteBytes(block[RunAt..]);
        var state = (ulong)number * 0x9E3779B97F4A7C15 ^ BinaryPrimitives.ReadUInt64LittleEndian(block[RunAt..]);
        RandomBytes.Fill(block[FillAt..BlockBytes], ref state);
    }

    /// <summary>The number of a whole block of a run; null if it is none, or torn.</summary>
    public static long? NumberOf(ReadOnlySpan<byte> block, Guid run)
    {
        if (block.Length < BlockBytes || !block.StartsWith(Magic))
            return null;
        var number = BinaryPrimitives.ReadInt64LittleEndian(block[NumberAt..]);
        if (number < 0)
            return null;
        Span<byte> expected = stackalloc byte[BlockBytes];
        Fill(expected, run, number);
        return block[..BlockBytes].SequenceEqual(expected) ? number : null;
    }

    /// <summary>The acknowledged blocks that are not in the file, in order.</summary>
    /// <param name="file">The file's bytes.</param>
    /// <param name="run">The run.</param>
    /// <param name="acknowledged">The highest number that was acknowledged; all below it were too.</param>
    public static IReadOnlyList<long> Lost(ReadOnlySpan<byte> file, Guid run, long acknowledged)
    {
        var lost = new List<long>();
        for (var number = Math.Max(0, acknowledged - RingBlocks + 1); number <= acknowledged; number++)
        {
            var position = (int)PositionOf(number);
            // A block that was written after it in the same place was not acknowledged, and may have arrived all the same.
            if (position + BlockBytes > file.Length || NumberOf(file.Slice(position, BlockBytes), run) is not { } found || found < number)
                lost.Add(number);
        }
        return lost;
    }
}
