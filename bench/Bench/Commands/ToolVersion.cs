using System.Reflection;

namespace Bench.Commands;

/// <summary>Version and commit that were built in.</summary>
internal static class ToolVersion
{
    // The SDK appends the commit to the informational version: 0.1.0+9f3c….
    private static readonly string[] Parts =
        (typeof(ToolVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0").Split('+');

    internal static string Version => Parts[0];

    internal static string? Commit => Parts.Length > 1 ? Parts[1] : null;
}
