using System.Runtime.InteropServices;

namespace Bench.Disk.Native;

/// <summary>
/// The frame functions of liblz4 under their own names (lz4frame.h). A <c>size_t</c> that
/// <see cref="LZ4F_isError"/> takes for an error is one.
/// </summary>
internal static unsafe partial class Lz4
{
    internal const string Library = "liblz4.so.1";

    [LibraryImport(Library)]
    internal static partial nuint LZ4F_compressFrameBound(nuint srcSize, LZ4F_preferences_t* preferences);

    [LibraryImport(Library)]
    internal static partial nuint LZ4F_compressFrame(
        void* dstBuffer, nuint dstCapacity, void* srcBuffer, nuint srcSize, LZ4F_preferences_t* preferences);

    [LibraryImport(Library)]
    internal static partial nuint LZ4F_createDecompressionContext(void** context, uint version);

    [LibraryImport(Library)]
    internal static partial nuint LZ4F_freeDecompressionContext(void* context);

    [LibraryImport(Library)]
    internal static partial void LZ4F_resetDecompressionContext(void* context);

    /// <summary>Returns how many bytes it would like next, 0 at a frame's end; options may be null.</summary>
    [LibraryImport(Library)]
    internal static partial nuint LZ4F_decompress(
        void* context, void* dstBuffer, nuint* dstSize, void* srcBuffer, nuint* srcSize, void* options);

    [LibraryImport(Library)]
    internal static partial uint LZ4F_isError(nuint code);

    /// <summary>A string that is never freed.</summary>
    [LibraryImport(Library)]
    internal static partial byte* LZ4F_getErrorName(nuint code);

    /// <summary>LZ4F_frameInfo_t (lz4frame.h); its enumerations are ints.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct LZ4F_frameInfo_t
    {
        internal int blockSizeID;
        internal int blockMode;
        internal int contentChecksumFlag;
        internal int frameType;
        internal ulong contentSize;
        internal uint dictID;
        internal int blockChecksumFlag;
    }

    /// <summary>LZ4F_preferences_t (lz4frame.h).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct LZ4F_preferences_t
    {
        internal LZ4F_frameInfo_t frameInfo;
        internal int compressionLevel;
        internal uint autoFlush;
        internal uint favorDecSpeed;
        private readonly uint reserved0;
        private readonly uint reserved1;
        private readonly uint reserved2;
    }
}
