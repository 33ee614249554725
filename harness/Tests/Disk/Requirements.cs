using Bench.Disk.Uring;
using Xunit;

namespace Bench.Harness.Tests.Disk;

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
