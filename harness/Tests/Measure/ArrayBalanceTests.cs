using Bench.Measure.Evidence;
using Bench.Measure.Records;
using Xunit;

namespace Bench.Harness.Tests.Measure;

public class ArrayBalanceTests
{
    [Fact]
    public void A_member_whose_requests_take_twice_as_long_is_named()
    {
        var doubt = Assert.Single(ArrayBalance.Doubts([Pass(("sda", 64, 1000, 2), ("sdb", 64, 1000, 2.2), ("sdc", 64, 1000, 9), ("sdd", 64, 1000, 1.9))]));
        Assert.Equal("the member sdc of the array is slower than the others: a request takes it 9.0 ms, the others 2.0 ms; the array waits for its slowest member", doubt);
    }

    [Fact]
    public void An_even_array_raises_no_doubt_nor_does_one_disk_or_none()
    {
        Assert.Empty(ArrayBalance.Doubts([Pass(("sda", 64, 1000, 2), ("sdb", 60, 950, 2.6))]));
        Assert.Empty(ArrayBalance.Doubts([Pass(("sda", 64, 1000, 2))]));
        Assert.Empty(ArrayBalance.Doubts([new PassRecord { Seconds = 1 }]));
    }

    [Fact]
    public void A_few_requests_or_differences_below_the_counters_grain_say_nothing()
    {
        Assert.Empty(ArrayBalance.Doubts([Pass(("sda", 1, 40, 2), ("sdb", 1, 40, 9))]));
        Assert.Empty(ArrayBalance.Doubts([Pass(("sda", 64, 1000, 0.1), ("sdb", 64, 1000, 0.3))]));
    }

    [Fact]
    public void Work_that_one_member_does_alone_is_told_over_all_passes()
    {
        var doubt = Assert.Single(ArrayBalance.Doubts([Pass(("sda", 10, 200, 2), ("sdb", 0, 0, 0)), Pass(("sda", 10, 200, 2), ("sdb", 2, 30, 2))]));
        Assert.Equal("the load is uneven: sda moved 91 % of the bytes of 2 members", doubt.Replace("91%", "91 %", StringComparison.Ordinal));
    }

    private static PassRecord Pass(params (string Name, long MiB, long Requests, double Ms)[] members) => new()
    {
        Seconds = 1,
        Members = [.. members.Select(member => new MemberRecord { Name = member.Name, ReadBytes = member.MiB << 20, Requests = member.Requests, RequestSeconds = member.Requests * member.Ms / 1e3 })],
    };
}
