using System.Runtime.InteropServices;

namespace Bench.Disk.Native;

/// <summary>
/// The functions of libzstd under their own names (zstd.h, zstd_errors.h), of its stable part only. A <c>size_t</c>
/// that <see cref="ZSTD_isError"/> takes for an error is one.
/// </summary>
internal static unsafe partial class Zstd
{
    internal const string Library = "libzstd.so.1";

    [LibraryImport(Library)]
    internal static partial nuint ZSTD_compressBound(nuint srcSize);

    [LibraryImport(Library)]
    internal static partial void* ZSTD_createCCtx();

    [LibraryImport(Library)]
    internal static partial nuint ZSTD_freeCCtx(void* context);

    [LibraryImport(Library)]
    internal static partial nuint ZSTD_compressCCtx(
        void* context, void* dst, nuint dstCapacity, void* src, nuint srcSize, int compressionLevel);

    [LibraryImport(Library)]
    internal static partial void* ZSTD_createDCtx();

    [LibraryImport(Library)]
    internal static partial nuint ZSTD_freeDCtx(void* context);

    /// <summary>Decodes whole frames, one after another, with <c>dst</c> as their window.</summary>
    [LibraryImport(Library)]
    internal static partial nuint ZSTD_decompressDCtx(void* context, void* dst, nuint dstCapacity, void* src, nuint srcSize);

    [LibraryImport(Library)]
    internal static partial uint ZSTD_isError(nuint code);

    [LibraryImport(Library)]
    internal static partial int ZSTD_getErrorCode(nuint code);

    /// <summary>A string that is never freed.</summary>
    [LibraryImport(Library)]
    internal static partial byte* ZSTD_getErrorName(nuint code);
}
