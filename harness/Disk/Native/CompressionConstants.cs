namespace Bench.Disk.Native;

/// <summary>Constants of lz4frame.h, zstd_errors.h and snappy-c.h.</summary>
internal static class CompressionConstants
{
    internal const int LZ4F_VERSION = 100;
    internal const int LZ4F_max64KB = 4;
    internal const int LZ4F_blockIndependent = 1;

    internal const int ZSTD_error_dstSize_tooSmall = 70;

    internal const int SNAPPY_OK = 0;
}
