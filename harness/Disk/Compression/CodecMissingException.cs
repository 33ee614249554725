using System.Runtime.InteropServices;

namespace Bench.Disk.Compression;

/// <summary>A codec was used whose library this machine does not have. Bench needs it for that codec only.</summary>
public sealed class CodecMissingException : NotSupportedException
{
    private CodecMissingException(string message) : base(message)
    {
    }

    /// <summary>Loads the library of a codec, or throws. Cheap once it has been loaded.</summary>
    /// <param name="loaded">Whether it has been.</param>
    /// <param name="codec">Name of the codec.</param>
    /// <param name="library">Its soname.</param>
    /// <param name="package">Debian's package of it.</param>
    internal static void ThrowIfMissing(ref bool loaded, string codec, string library, string package)
    {
        if (loaded)
            return;
        // Never freed: the functions are bound to it for as long as the process lives.
        loaded = NativeLibrary.TryLoad(library, out _);
        if (!loaded)
            throw new CodecMissingException(
                $"{codec} needs the library {library}, which this machine does not have; on Debian and Ubuntu: apt-get install {package}");
    }
}
