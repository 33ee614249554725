using Xunit;

namespace Bench.Reports.Tests;

/// <summary>A test that needs a real Chromium; skipped with a reason where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ChromiumFactAttribute : FactAttribute
{
    /// <summary>Debian's place, or what <c>CHROMIUM</c> says.</summary>
    public static string Executable { get; } = Environment.GetEnvironmentVariable("CHROMIUM") ?? "/usr/bin/chromium";

    /// <summary>Why a test cannot run here; null if it can.</summary>
    public static string? Missing { get; } =
        File.Exists(Executable) ? null : $"needs a Chromium at {Executable} (apt-get install chromium, or set CHROMIUM)";

    public ChromiumFactAttribute() => Skip = Missing;
}

/// <summary>The same for a test with several sets of data.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ChromiumTheoryAttribute : TheoryAttribute
{
    public ChromiumTheoryAttribute() => Skip = ChromiumFactAttribute.Missing;
}
