using Bench.Measure;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Xunit;

namespace Bench.Harness.Tests.Measure;

public class TimelineWatchTests
{
    [Fact]
    public void All_that_a_loop_records_is_seen_once_over_the_seconds_in_which_it_was()
    {
        var loop = new LatencyHistogram();
        using var watch = new TimelineWatch(loop, bytesPerOperation: 4096);
        long recorded = 0;
        for (var round = 0; round < 3; round++)
        {
            watch.Clear();
            var end = watch.Seconds + 0.35;
            while (watch.Seconds < end)
            {
                // The second round is a hundred times as slow.
                for (var i = 0; i < 100; i++, recorded++)
                    loop.Record(round == 1 ? 1_000_000 : 10_000);
                Thread.Yield();
            }
        }
        watch.Mark("steady", 0.7, 0.35);
        var timeline = watch.Stop();
        Assert.Equal((TimelineRecord.BeforePasses, 0.1), (timeline.Pass, timeline.IntervalSeconds));
        Assert.Equal(recorded, timeline.Points.Sum(point => point.Operations));
        Assert.All(timeline.Points, point => Assert.Equal(4096 * point.Operations, point.Bytes));
        // At the beginning of the third round it looked, however late the thread is.
        Assert.InRange(timeline.Points.Count, 8, TimelineRecorder.MaximumPoints);
        // The slow round lies between the fast ones, and is not 0.79 % beside what it was.
        var slow = timeline.Points.Where(point => point.MaxNs > 100_000).ToArray();
        Assert.NotEmpty(slow);
        Assert.All(slow, point => Assert.InRange(point.MaxNs!.Value, 1_000_000, 1_007_900));
        Assert.True(timeline.Points[0].MaxNs < 10_100 && slow[0].StartSeconds >= 0.2);
        Assert.Equal("steady", Assert.Single(timeline.Events).Kind);
    }

    [Fact]
    public void Of_a_long_way_neighbours_are_merged_and_nothing_is_lost()
    {
        var loop = new LatencyHistogram();
        using var watch = new TimelineWatch(loop, bytesPerOperation: 1, lookSeconds: 0.01);
        for (var i = 1; i <= 200; i++)
        {
            loop.Record(i);
            Thread.Sleep(10);
        }
        var timeline = watch.Stop();
        // Twice as long at least: the sleeps are longer than asked for where the machine is busy.
        var doublings = Math.Log2(timeline.IntervalSeconds / 0.01);
        Assert.True(doublings >= 1 && Math.Abs(doublings - Math.Round(doublings)) < 1e-9, $"intervals of {timeline.IntervalSeconds} s");
        Assert.InRange(timeline.Points.Count, TimelineRecorder.MaximumPoints / 2, TimelineRecorder.MaximumPoints);
        Assert.Equal(200, timeline.Points.Sum(point => point.Operations));
        Assert.All(timeline.Points, (point, index) => Assert.Equal(index * timeline.IntervalSeconds, point.StartSeconds, 1e-9));
    }
}
