using Xunit;

namespace Bench.Reports.Tests;

/// <summary>A test that needs a real Chromium; skipped with a reason where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ChromiumFactAttribute : FactAttribute
{
    /// <summary>Debian's place, or what <c>CHROMIUM</c> says.</summary>
    public static string Executable { get; } = Environment.GetEnvironmentVariable("CHROMIUM") ?? "/usr/bin/chromium";

    public ChromiumFactAttribute()
    {
        if (!File.Exists(Executable))
            Skip = $"needs a Chromium at {Executable} (apt-get install chromium, or set CHROMIUM)";
    }
}
