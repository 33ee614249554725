using Bench.Measure.Evidence;
using Bench.Measure.Records;
using Xunit;

namespace Bench.Harness.Tests.Measure;

public class ForeignTrafficTests
{
    private const long MB = 1_000_000;

    [Fact]
    public void What_the_disks_read_beyond_a_reading_pass_and_all_that_they_wrote_is_others()
    {
        Assert.Null(ForeignTraffic.In(Pass(own: (100, 0), device: (101, 1))));
        Assert.Equal("others moved 40 MB on the disks beside the 100 MB of the pass", ForeignTraffic.In(Pass(own: (100, 0), device: (110, 30))));
    }

    [Fact]
    public void Of_a_writing_pass_only_reads_are_told_apart()
    {
        // Journal and second copies are its own.
        Assert.Null(ForeignTraffic.In(Pass(own: (0, 100), device: (1, 260))));
        Assert.NotNull(ForeignTraffic.In(Pass(own: (0, 100), device: (30, 100))));
    }

    [Fact]
    public void A_pass_from_the_cache_or_without_counters_is_disturbed_by_nothing_on_the_disks()
    {
        Assert.Null(ForeignTraffic.In(Pass(own: (0, 0), device: (500, 500))));
        Assert.Null(ForeignTraffic.In(new PassRecord { Seconds = 1, Bytes = 100 * MB, ProcessReadBytes = 100 * MB }));
    }

    [Fact]
    public void A_trickle_is_no_disturbance() => Assert.Null(ForeignTraffic.In(Pass(own: (10, 0), device: (13, 0))));

    private static PassRecord Pass((long Read, long Written) own, (long Read, long Written) device) => new()
    {
        Seconds = 1,
        Bytes = (own.Read + own.Written == 10 ? 10 : 100) * MB,
        ProcessReadBytes = own.Read * MB,
        ProcessWriteBytes = own.Written * MB,
        DeviceReadBytes = device.Read * MB,
        DeviceWriteBytes = device.Written * MB,
    };
}
