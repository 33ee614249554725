using System.Globalization;
using System.Runtime.InteropServices;
using Xunit;

namespace Bench.TestSupport;

/// <summary>
/// A fact that needs programs (<c>"mkfs.xfs"</c>), files (<c>"/dev/fuse"</c>) or libraries (<c>"libzstd.so.1"</c>);
/// skipped, with what is missing as the reason, where one is not there.
/// </summary>
public sealed class NeedsFactAttribute : FactAttribute
{
    /// <summary>A fact with these needs.</summary>
    /// <param name="needs">Names of programs, full paths of files and devices, or sonames of libraries.</param>
    public NeedsFactAttribute(params string[] needs) => Skip = Requirements.Missing(needs);
}

/// <summary>A theory with the needs of a <see cref="NeedsFactAttribute"/>.</summary>
public sealed class NeedsTheoryAttribute : TheoryAttribute
{
    /// <summary>A theory with these needs.</summary>
    /// <param name="needs">Names of programs, full paths of files and devices, or sonames of libraries.</param>
    public NeedsTheoryAttribute(params string[] needs) => Skip = Requirements.Missing(needs);
}

/// <summary>A fact that needs root with the right to mount, and beyond it what a <see cref="NeedsFactAttribute"/> names.</summary>
public sealed class RootFactAttribute : FactAttribute
{
    /// <summary>A fact with these needs, and root.</summary>
    /// <param name="needs">Names of programs, full paths of files and devices, or sonames of libraries.</param>
    public RootFactAttribute(params string[] needs) => Skip = Requirements.MissingRoot() ?? Requirements.Missing(needs);
}

/// <summary>A theory with the needs of a <see cref="RootFactAttribute"/>.</summary>
public sealed class RootTheoryAttribute : TheoryAttribute
{
    /// <summary>A theory with these needs, and root.</summary>
    /// <param name="needs">Names of programs, full paths of files and devices, or sonames of libraries.</param>
    public RootTheoryAttribute(params string[] needs) => Skip = Requirements.MissingRoot() ?? Requirements.Missing(needs);
}

internal static class Requirements
{
    private const int CapSysAdmin = 21;

    public static string? Missing(string[] needs)
    {
        var missing = needs.Where(need => !IsHere(need)).ToArray();
        return missing.Length == 0 ? null : $"needs {string.Join(", ", missing)}, which is not here";
    }

    // Where the libraries lie depends on the architecture and the distribution: the loader knows.
    private static bool IsHere(string need) =>
        need.Contains(".so.", StringComparison.Ordinal) ? NativeLibrary.TryLoad(need, out _) : Command.Find(need) is not null;

    // Root alone is not enough: a container's root may lack the capability to mount.
    public static string? MissingRoot()
    {
        if (!Environment.IsPrivilegedProcess)
            return "needs root: sudo scripts/test";
        var line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("CapEff:", StringComparison.Ordinal));
        var capabilities = ulong.Parse(line["CapEff:".Length..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return (capabilities >> CapSysAdmin & 1) == 1 ? null : "needs the capability to mount (CAP_SYS_ADMIN), which this container's root lacks";
    }
}
