using Bench.SegmentLog;
using Bench.SegmentLog.Format;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>Appends that share a flush.</summary>
public class GroupCommitTests
{
    private const string Folder = "/disk/topic-0";

    /// <summary>A group whose records the flush before has taken along needs none, and tells of none.</summary>
    [Fact]
    public void Each_flush_that_is_told_is_one_of_the_file()
    {
        var disk = new FaultyStorage(1);
        var (calls, appended) = (0, 0);
        var told = new FlushCounter();
        var log = PartitionLog.Open(Folder, new LogConfig { FlushPolicy = new FlushPolicy(FlushKind.Group) }, new LogOpenOptions { Storage = disk, Observer = told, Worker = LogWorker.AtOnce });
        disk.BeforeCall = (call, path) =>
        {
            // A leader that is about to flush waits for those who write: they join the next group, and it takes them along.
            Thread.SpinWait(call == "fdatasync" ? 20_000 : 5000);
            if (call == "fdatasync" && path.EndsWith(".log", StringComparison.Ordinal))
                Interlocked.Increment(ref calls);
        };
        told.Count = 0;
        OwnThreads.For(8, _ =>
        {
            var builder = new RecordBatchBuilder();
            for (var i = 0; i < 500; i++)
            {
                builder.Begin(new BatchSettings());
                builder.Append(0, default, new byte[20], NullParts.Key);
                var result = log.Append(builder.Build());
                Assert.True(log.DurableOffset > result.LastOffset);
                Interlocked.Increment(ref appended);
            }
            return true;
        }, threads: 8);
        Assert.Equal(4000, appended);
        Assert.Equal(calls, told.Count);
        disk.BeforeCall = null;
        log.Close();
    }

    /// <summary>What a flush is to make durable is at risk until it has: while it is queued, and while it runs.</summary>
    [Theory]
    [InlineData(FlushKind.Roll)]
    [InlineData(FlushKind.Bytes)]
    public void What_a_flush_under_way_has_not_made_durable_yet_is_still_at_risk(FlushKind kind)
    {
        var disk = new FaultyStorage(1);
        var policy = kind == FlushKind.Roll ? new FlushPolicy(kind) : new FlushPolicy(kind, 1);
        using var log = PartitionLog.Open(Folder, new LogConfig { FlushPolicy = policy, SegmentBytes = 1024 }, new LogOpenOptions { Storage = disk, Worker = LogWorker.AtOnce });
        var seen = TimeSpan.Zero;
        // The first one is compiled on its way, which counts as time at risk.
        Append(log);
        log.ResetDataAtRisk();
        disk.BeforeCall = (call, path) =>
        {
            if (call != "fdatasync" || !path.EndsWith(".log", StringComparison.Ordinal) || seen != TimeSpan.Zero)
                return;
            var before = log.DataAtRisk.Duration;
            Thread.Sleep(20);
            seen = log.DataAtRisk.Duration;
            Assert.True(seen >= before + TimeSpan.FromMilliseconds(20));
        };
        while (seen == TimeSpan.Zero)
            Append(log);
        disk.BeforeCall = null;
        Assert.True(log.DataAtRisk.Duration >= seen);
        log.Flush();
        log.ResetDataAtRisk();
        Assert.Equal(TimeSpan.Zero, log.DataAtRisk.Duration);

        static void Append(PartitionLog log)
        {
            var builder = new RecordBatchBuilder();
            builder.Begin(new BatchSettings());
            builder.Append(0, default, new byte[200], NullParts.Key);
            log.Append(builder.Build());
        }
    }

    private sealed class FlushCounter : ILogObserver
    {
        private int count;

        public int Count
        {
            get => Volatile.Read(ref count);
            set => Volatile.Write(ref count, value);
        }

        public void Flushed(long startTimestamp, long endTimestamp, long bytes) => Interlocked.Increment(ref count);

        public void Rolled(long startTimestamp, long endTimestamp, long bytes)
        {
        }
    }
}
