using Bench.Disk.Uring;
using Xunit;

namespace Bench.Harness.Tests.Disk;

/// <summary>A test that needs a C compiler and the kernel's headers.</summary>
public sealed class CompilerFactAttribute : FactAttribute
{
    public CompilerFactAttribute()
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        if (!folders.Any(folder => File.Exists(Path.Combine(folder, "cc"))))
            Skip = "There is no C compiler (cc) here.";
    }
}

/// <summary>A test that needs io_uring.</summary>
public sealed class IoUringFactAttribute : FactAttribute
{
    public IoUringFactAttribute() => Skip = IoUring.WhyUnavailable();
}

/// <summary>Tests that need io_uring.</summary>
public sealed class IoUringTheoryAttribute : TheoryAttribute
{
    public IoUringTheoryAttribute() => Skip = IoUring.WhyUnavailable();
}
