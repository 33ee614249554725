using Bench.Disk.Topology;
using Bench.Measure;
using Bench.Workloads;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>How much memory a case walks through.</summary>
public class WorkingSetTests
{
    private const long Mebibyte = 1 << 20;

    [Theory]
    [InlineData(32, 16, null, 256)]
    [InlineData(64, 16, null, 256)]
    [InlineData(300, 24, null, 1280)]
    [InlineData(1152, 512, null, 4608)]
    // A container's limit counts, and where there is too little memory the profile's size stays: the claim then says so.
    [InlineData(300, 24, 4L, 256)]
    [InlineData(300, 2, null, 256)]
    [InlineData(null, 24, null, 256)]
    public void The_profiles_memory_is_larger_than_the_processors_caches(int? cacheMebibytes, int memoryGibibytes, long? limitGibibytes, int expectedMebibytes)
    {
        var host = new HostProbe().Probe() with
        {
            LastLevelCacheBytes = cacheMebibytes * Mebibyte,
            MemoryBytes = memoryGibibytes * 1024L * Mebibyte,
            CgroupMemoryLimitBytes = limitGibibytes * 1024 * Mebibyte,
        };
        Assert.Equal(ByteSize.MiB(expectedMebibytes), AccessPattern.MemoryBeyond(ByteSize.MiB(256), host));
    }
}
