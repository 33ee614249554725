using System.Globalization;

namespace Bench.Harness.Tests.Measure;

/// <summary>Another culture for this thread, for as long as it is in use; "" is the invariant one.</summary>
internal sealed class CultureScope : IDisposable
{
    private readonly CultureInfo before = CultureInfo.CurrentCulture;

    public CultureScope(string name)
    {
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(name);
        // A runtime without ICU would make every culture invariant, and these tests could not fail.
        Assert(name is not "de-DE" || 1.5.ToString(CultureInfo.CurrentCulture) == "1,5");
    }

    public void Dispose() => CultureInfo.CurrentCulture = before;

    private static void Assert(bool known) => Xunit.Assert.True(known, "this runtime knows no cultures");
}
