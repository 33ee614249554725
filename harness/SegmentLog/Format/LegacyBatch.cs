namespace Bench.SegmentLog.Format;

/// <summary>
/// Batches of magic 0 and 1, before Kafka 0.11: recognised, so that they are named and refused rather than taken for
/// damage and cut off. <c>offset 8, size 4, crc 4, magic 1, …</c>; the checksum is zlib's CRC-32 of [16, end).
/// </summary>
internal static class LegacyBatch
{
    /// <summary>Bytes of the shortest message after offset and size.</summary>
    internal const int MinSize = 14;

    /// <summary>Where the checksum is.</summary>
    internal const int CrcAt = 12;

    /// <summary>Where what it is over begins.</summary>
    internal const int CheckedFrom = 16;

    /// <summary>The checksum of nothing, before its bits are turned over.</summary>
    internal const uint CrcSeed = uint.MaxValue;

    private static readonly uint[] Table = MakeTable();

    /// <summary>Goes on with a checksum; the result is the last one with its bits turned over.</summary>
    internal static uint AppendCrc(uint crc, ReadOnlySpan<byte> bytes)
    {
        foreach (var one in bytes)
            crc = Table[(byte)(crc ^ one)] ^ (crc >> 8);
        return crc;
    }

    private static uint[] MakeTable()
    {
        var table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++)
                value = (value & 1) != 0 ? (value >> 1) ^ 0xEDB88320 : value >> 1;
            table[i] = value;
        }
        return table;
    }
}
