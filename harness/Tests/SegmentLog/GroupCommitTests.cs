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
