using Bench.Disk.Native;
using Microsoft.Win32.SafeHandles;

namespace Bench.Disk.Compression;

/// <summary>
/// The working memory of a codec: a thread keeps one, for making it costs more than decoding a small batch, and it
/// goes with the thread.
/// </summary>
internal abstract unsafe class CodecContext : SafeHandleZeroOrMinusOneIsInvalid
{
    /// <summary>Takes over what the library made.</summary>
    /// <exception cref="OutOfMemoryException">It made nothing.</exception>
    private CodecContext(void* context, string operation) : base(ownsHandle: true)
    {
        if (context is null)
            throw new InsufficientMemoryException($"{operation} found no memory");
        SetHandle((nint)context);
    }

    internal void* Pointer => (void*)handle;

    internal sealed class Lz4Decoder() : CodecContext(Create(), nameof(Lz4.LZ4F_createDecompressionContext))
    {
        private static void* Create()
        {
            void* context = null;
            return Lz4.LZ4F_isError(Lz4.LZ4F_createDecompressionContext(&context, CompressionConstants.LZ4F_VERSION)) == 0 ? context : null;
        }

        protected override bool ReleaseHandle() => Lz4.LZ4F_freeDecompressionContext(Pointer) == 0;
    }

    internal sealed class ZstdEncoder() : CodecContext(Zstd.ZSTD_createCCtx(), nameof(Zstd.ZSTD_createCCtx))
    {
        protected override bool ReleaseHandle() => Zstd.ZSTD_freeCCtx(Pointer) == 0;
    }

    internal sealed class ZstdDecoder() : CodecContext(Zstd.ZSTD_createDCtx(), nameof(Zstd.ZSTD_createDCtx))
    {
        protected override bool ReleaseHandle() => Zstd.ZSTD_freeDCtx(Pointer) == 0;
    }
}
