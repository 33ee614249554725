using System.Numerics;
using System.Runtime.InteropServices;
namespace Bench.SegmentLog.Format;
/// <summary>Stand-in until the fast one is merged.</summary>
public static class Crc32C
{
    /// <summary>CRC.</summary>
    public static uint Compute(ReadOnlySpan<byte> data) => Append(0, data);
    /// <summary>CRC.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> data)
    {
        crc = ~crc;
        foreach (var value in MemoryMarshal.Cast<byte, ulong>(data))
            crc = BitOperations.Crc32C(crc, value);
        foreach (var value in data[(data.Length & ~7)..])
            crc = BitOperations.Crc32C(crc, value);
        return ~crc;
    }
}
