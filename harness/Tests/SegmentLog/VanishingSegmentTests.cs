using System.Text;
using Bench.SegmentLog;
using Bench.SegmentLog.Format;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>
/// A segment goes, by a deletion or a compaction, while a flush or a reader is between two of its steps. The step is a
/// call of the disk, so each of these is the same every time.
/// </summary>
public class VanishingSegmentTests
{
    private readonly FaultyStorage disk = new(1);
    private readonly StepClock clock = new();
    private readonly RecordBatchBuilder builder = new();

    [Fact]
    public void A_flush_goes_on_if_the_next_segment_is_deleted_beside_it()
    {
        var log = Open(CleanupPolicy.Delete);
        Fill(log);
        Once("fdatasync", () =>
        {
            log.AdvanceStartOffset(log.Segments[2].BaseOffset);
            Assert.Equal(2, log.DeleteOldSegments());
        });
        log.Flush();
        Assert.Equal(log.EndOffset, log.DurableOffset);
        Append(log, "d", -1);
        log.Close();
    }

    [Fact]
    public void A_flush_goes_on_if_the_next_segment_is_compacted_beside_it()
    {
        var log = Open(CleanupPolicy.Compact);
        Fill(log);
        Once("fdatasync", () => Assert.Equal(1, log.Compact().SegmentsAfter));
        log.Flush();
        Assert.Equal(log.EndOffset, log.DurableOffset);
        Append(log, "d", -1);
        log.Close();
    }

    [Fact]
    public void A_look_up_by_time_finds_what_a_compaction_moves_beside_it()
    {
        var log = Open(CleanupPolicy.Compact);
        var time = clock.NowMs += 1000;
        Append(log, "a", -1);
        log.Roll();
        clock.NowMs -= 500;
        Append(log, "b", -1);
        log.Roll();
        Append(log, "c", -1);
        // The first record is late enough, and deleted: the search reads its segment, and goes on.
        log.AdvanceStartOffset(1);
        Once("read", () => Assert.Equal(1, log.Compact().SegmentsAfter));
        Assert.Equal(1, log.FindTimestamp(time - 500)?.Offset);
        log.Close();
    }

    [Fact]
    public void A_committed_read_has_the_aborted_transactions_of_its_own_bytes()
    {
        var log = Open(CleanupPolicy.Compact);
        Append(log, "a", 7);
        log.EndTransaction(7, 0, TransactionEnd.Abort, 0);
        // What the producer goes on from stays; so its first batch can go.
        Append(log, "b", 7, sequence: 1);
        log.EndTransaction(7, 0, TransactionEnd.Commit, 0);
        log.Roll();
        using var before = log.Read(0, 1 << 20, ReadIsolation.Committed);
        // In the middle of this read the records go, and then their marker's entry.
        Once("read", () =>
        {
            log.Compact();
            log.Compact();
        });
        using var beside = log.Read(0, 1 << 20, ReadIsolation.Committed);
        Assert.Empty(log.AbortedTransactions(0, log.EndOffset));
        Assert.Equal(0, Assert.Single(before.Aborted).FirstOffset);
        Assert.Equal(["a", "b"], Keys(before));
        Assert.Empty(beside.Aborted);
        Assert.Equal(["b"], Keys(beside));
        log.Close();
    }

    [Fact]
    public void A_read_of_a_closed_log_ends()
    {
        var log = Open(CleanupPolicy.Delete);
        Fill(log);
        log.Close();
        Assert.Throws<ObjectDisposedException>(() => log.Read(0, 1));
        Assert.Throws<ObjectDisposedException>(() => log.FindTimestamp(0));
    }

    private PartitionLog Open(CleanupPolicy cleanup) => PartitionLog.Open("/disk/topic-0", new LogConfig { CleanupPolicy = cleanup, FlushPolicy = FlushPolicy.None, FileDeleteDelayMs = 0 },
        new LogOpenOptions { Storage = disk, Clock = clock, Worker = LogWorker.AtOnce });

    private void Fill(PartitionLog log)
    {
        foreach (var key in (string[])["a", "b", "c"])
        {
            if (log.EndOffset > 0)
                log.Roll();
            Append(log, key, -1);
        }
    }

    private void Append(PartitionLog log, string key, long producer, int sequence = 0)
    {
        builder.Begin(producer < 0 ? new BatchSettings() : new BatchSettings { ProducerId = producer, ProducerEpoch = 0, BaseSequence = sequence, IsTransactional = true });
        builder.Append(clock.NowMs, Encoding.ASCII.GetBytes(key), "value"u8);
        log.Append(builder.Build());
    }

    /// <summary>Does something before the next call of a kind.</summary>
    private void Once(string call, Action act) => disk.BeforeCall = (next, _) =>
    {
        if (next != call)
            return;
        disk.BeforeCall = null;
        act();
    };

    private static List<string> Keys(LogRange range)
    {
        var bytes = new byte[range.LengthBytes];
        Assert.Equal(bytes.Length, range.CopyTo(bytes));
        return [.. ParsedBatch.ParseAll(bytes, "range").Where(batch => !batch.IsControl).SelectMany(batch => batch.Records).Select(record => Encoding.ASCII.GetString(record.Key!))];
    }
}
