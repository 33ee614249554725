using System.Runtime.InteropServices;

namespace Bench.Disk.Native;

/// <summary>The C functions of libsnappy under their own names (snappy-c.h). Each returns a snappy_status, or a size.</summary>
internal static unsafe partial class Snappy
{
    internal const string Library = "libsnappy.so.1";

    [LibraryImport(Library)]
    internal static partial nuint snappy_max_compressed_length(nuint source_length);

    /// <summary><c>compressed_length</c> is the room on the way in and the length on the way out.</summary>
    [LibraryImport(Library)]
    internal static partial int snappy_compress(byte* input, nuint input_length, byte* compressed, nuint* compressed_length);

    /// <summary>Reads the length that the block begins with, and nothing else of it.</summary>
    [LibraryImport(Library)]
    internal static partial int snappy_uncompressed_length(byte* compressed, nuint compressed_length, nuint* result);

    /// <summary><c>uncompressed_length</c> is the room on the way in and the length on the way out.</summary>
    [LibraryImport(Library)]
    internal static partial int snappy_uncompress(
        byte* compressed, nuint compressed_length, byte* uncompressed, nuint* uncompressed_length);
}
