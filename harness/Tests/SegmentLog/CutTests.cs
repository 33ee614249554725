using Bench.SegmentLog;
using Bench.SegmentLog.Format;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>
/// A log that is cut (<see cref="PartitionLog.TruncateTo"/>), and one whose old segments are deleted, while the rest of
/// it goes on: what is left has to be a log as any other.
/// </summary>
public class CutTests
{
    private const string Folder = "/disk/topic-0";

    private readonly FaultyStorage disk = new(1);
    private readonly StepClock clock = new();
    private readonly RecordBatchBuilder builder = new();

    [Fact]
    public void A_cut_before_the_start_offset_takes_it_along()
    {
        var log = Open();
        Append(log, 4);
        log.AdvanceStartOffset(3);
        Assert.True(log.TruncateTo(1));
        Assert.Equal((1, 1, 1), (log.StartOffset, log.EndOffset, log.HighWatermark));
        log.Read(1, 100).Dispose();
        log.Close();
    }

    [Fact]
    public void The_recovery_point_goes_back_to_the_segment_that_was_cut()
    {
        var log = Open();
        for (var i = 0; i < 3; i++)
        {
            Append(log, 2);
            log.Roll();
        }
        log.Flush();
        Assert.Equal(6, log.RecoveryPoint);
        log.TruncateTo(3);
        Assert.Equal(2, log.RecoveryPoint);
        Append(log, 4);
        log.Flush();
        Assert.Equal(2, log.RecoveryPoint);
        log.Close();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_cut_does_not_come_back_behind_new_records(bool flushes)
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var faulty = new FaultyStorage(seed);
            var log = Open(faulty);
            for (var i = 0; i < 4; i++)
            {
                Append(log, 2);
                log.Roll();
            }
            log.Flush();
            log.TruncateTo(1);
            var point = log.RecoveryPoint;
            Append(log, 1);
            if (flushes)
                log.Flush();
            faulty.Stop();
            log.Abandon();
            faulty.CutPower();
            log = Open(faulty, recoveryPoint: point);
            Assert.InRange(log.EndOffset, flushes ? 2 : 1, 2);
            Assert.Equal([0], log.Segments.Select(segment => segment.BaseOffset));
            log.Close();
        }
    }

    [Fact]
    public async Task A_cut_waits_for_the_work_that_a_roll_has_left()
    {
        using var worker = new LogWorker();
        using var gate = new ManualResetEventSlim();
        var log = Open(worker: worker);
        Append(log, 2);
        log.Roll();
        Append(log, 2, producer: 7);
        worker.Post(gate.Wait);
        log.Roll();
        Append(log, 3, producer: 7, sequence: 2);
        // The snapshot from which the producers are to be known again is not there yet.
        var cut = OwnThreads.StartUntilItWaits(() => log.TruncateTo(6));
        gate.Set();
        Assert.True(await cut);
        Assert.Equal(3, log.Producers.Find(7)!.LastSequence);
        log.Close();
    }

    [Fact]
    public async Task Indexes_that_a_roll_has_left_to_write_go_to_no_newer_segment()
    {
        using var worker = new LogWorker();
        using var reached = new ManualResetEventSlim();
        using var gate = new ManualResetEventSlim();
        var log = Open(worker: worker);
        Append(log, 20);
        log.Roll();
        worker.Drain();
        Append(log, 20);
        var blocked = 0;
        disk.BeforeCall = (call, path) =>
        {
            // It holds the segment, and is about to write its index.
            if (path.EndsWith("20.index", StringComparison.Ordinal) && Interlocked.Exchange(ref blocked, -1) == 0)
            {
                reached.Set();
                gate.Wait();
            }
        };
        log.Roll();
        reached.Wait();
        var cut = OwnThreads.StartUntilItWaits(() => log.TruncateTo(19));
        gate.Set();
        await cut;
        disk.BeforeCall = null;
        worker.Drain();
        Assert.False(disk.Exists(Folder + "/00000000000000000020.index"), "the segment is gone, and has an index");
        log.Close();
    }

    [Fact]
    public async Task A_deletion_of_everything_leaves_no_file_without_its_log()
    {
        using var worker = new LogWorker();
        using var gate = new ManualResetEventSlim();
        var log = Open(worker: worker, retentionMs: 10);
        Append(log, 2, producer: 7);
        log.Roll();
        Append(log, 2, producer: 7, sequence: 2);
        clock.NowMs += 1000;
        worker.Drain();
        worker.Post(gate.Wait);
        var deletion = OwnThreads.StartUntilItWaits(log.DeleteOldSegments);
        gate.Set();
        Assert.Equal(2, await deletion);
        worker.Drain();
        log.Close();
        Assert.Equal(["00000000000000000004.index", "00000000000000000004.log", "00000000000000000004.snapshot", "00000000000000000004.timeindex", "leader-epoch-checkpoint"],
            disk.Contents(Folder).Keys);
    }

    [Fact]
    public async Task A_cut_ends_a_compaction()
    {
        var log = Open(cleanup: CleanupPolicy.Compact);
        for (var i = 0; i < 4; i++)
        {
            Append(log, 5);
            log.Roll();
        }
        using var reached = new ManualResetEventSlim();
        using var gate = new ManualResetEventSlim();
        var reads = 0;
        disk.BeforeCall = (call, path) =>
        {
            if (call != "read" || Interlocked.Increment(ref reads) != 2)
                return;
            reached.Set();
            gate.Wait();
        };
        var compaction = OwnThreads.StartUntilItWaits(() => log.Compact());
        reached.Wait();
        var cut = OwnThreads.StartUntilItWaits(() => log.TruncateTo(7));
        gate.Set();
        Assert.True(await cut);
        Assert.False((await compaction).IsComplete);
        disk.BeforeCall = null;
        Assert.Equal(7, log.EndOffset);
        log.Close();
        Assert.Equal(7, FolderCheck.ReadBatches(disk.Contents(Folder)).Count);
        Assert.DoesNotContain(disk.Contents(Folder).Keys, name => name.EndsWith(LogFiles.Cleaned, StringComparison.Ordinal));
    }

    [Fact]
    public void A_length_that_only_the_page_cache_has_is_flushed_before_a_stop_is_clean()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var faulty = new FaultyStorage(seed);
            KillInCut(faulty, batches: 4, to: 0);
            var log = Open(faulty, recoveryPoint: 4);
            Assert.Equal(0, log.EndOffset);
            log.Close();
            faulty.CutPower();
            log = Open(faulty, cleanStop: true);
            Assert.Equal(0, log.EndOffset);
            log.Close();
        }
    }

    /// <summary>The name of the new segment may be durable before the end of the one before is.</summary>
    [Fact]
    public void A_roll_after_a_killed_cut_flushes_what_was_cut_first()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var faulty = new FaultyStorage(seed);
            KillInCut(faulty, batches: 6, to: 3);
            var log = Open(faulty, policy: FlushPolicy.None);
            log.Roll();
            Append(log, 2);
            log.Abandon();
            faulty.CutPower();
            log = Open(faulty);
            Assert.InRange(log.EndOffset, 3, 5);
            log.Close();
            var offsets = FolderCheck.ReadBatches(faulty.Contents(Folder)).Select(batch => batch.BaseOffset).ToArray();
            Assert.Equal(Enumerable.Range(0, offsets.Length).Select(offset => (long)offset), offsets);
        }
    }

    [Fact]
    public void Committed_reading_of_a_transaction_whose_beginning_is_deleted_ends_where_the_log_starts()
    {
        var log = Open(retentionMs: 10);
        Append(log, 1, producer: 7, isTransactional: true);
        log.Roll();
        Append(log, 1);
        Assert.Equal(0, log.LastStableOffset);
        clock.NowMs += 1000;
        Append(log, 1);
        log.Roll();
        Append(log, 1);
        Assert.Equal(1, log.DeleteOldSegments());
        Assert.Equal((1, 1), (log.StartOffset, log.LastStableOffset));
        log.EndTransaction(7, 0, TransactionEnd.Commit, 0, 0);
        Assert.Equal(log.EndOffset, log.LastStableOffset);
        log.Close();
    }

    /// <summary>A snapshot from within a transaction may be all there is, and the transaction compacted away since.</summary>
    [Fact]
    public void A_transaction_of_which_nothing_is_left_is_not_open()
    {
        // Two segments that do not fit one.
        var log = Open(cleanup: CleanupPolicy.Compact, segmentBytes: 1024);
        Append(log, 1, producer: 7, isTransactional: true);
        Append(log, 6, firstKey: 10);
        log.Roll();
        log.EndTransaction(7, 0, TransactionEnd.Abort, 0, 0);
        Append(log, 6, firstKey: 20);
        log.Roll();
        Append(log, 1, producer: 7, sequence: 1);
        log.Roll();
        for (var pass = 0; pass < 3; pass++)
        {
            clock.NowMs += 100_000_000;
            log.Compact();
        }
        log.Flush();
        log.Abandon();
        Assert.DoesNotContain(FolderCheck.ReadBatches(disk.Contents(Folder)), batch => batch.IsControl || batch.IsTransactional);
        // Those that know of its end are lost.
        var within = LogFiles.Name(7, ".snapshot");
        Assert.Contains(within, disk.Contents(Folder).Keys);
        foreach (var name in disk.Contents(Folder).Keys.Where(name => name.EndsWith(".snapshot", StringComparison.Ordinal) && name != within))
            disk.Delete(Folder + "/" + name);
        log = Open(cleanup: CleanupPolicy.Compact, recoveryPoint: 15);
        Assert.Equal(log.EndOffset, log.LastStableOffset);
        log.Close();
    }

    [Theory]
    [InlineData(Preallocation.Zeroed)]
    [InlineData(Preallocation.Fallocate)]
    public void A_segment_has_its_blocks_ahead_from_its_first_append_on(Preallocation preallocation)
    {
        var log = Open(preallocation: preallocation);
        for (var opening = 0; opening < 2; opening++)
        {
            Append(log, 1);
            Assert.InRange(disk.Contents(Folder)["00000000000000000000.log"].Length, (1 << 20) + 1, 2 << 20);
            log.Close();
            // What it had ahead is no part of the log.
            Assert.InRange(disk.Contents(Folder)["00000000000000000000.log"].Length, 1, 1000);
            log = Open(preallocation: preallocation, cleanStop: true);
        }
        log.Close();
    }

    /// <summary>Kills the process between the cut of a flushed log's file and the flush of that.</summary>
    private void KillInCut(FaultyStorage faulty, int batches, long to)
    {
        var log = Open(faulty);
        Append(log, batches);
        log.Flush();
        faulty.BeforeCall = (call, _) =>
        {
            if (call == "fdatasync")
                faulty.Stop();
        };
        log.TruncateTo(to);
        faulty.BeforeCall = null;
        log.Abandon();
        faulty.Restart();
    }

    private PartitionLog Open(FaultyStorage? on = null, LogWorker? worker = null, CleanupPolicy cleanup = CleanupPolicy.Delete, FlushPolicy? policy = null, long retentionMs = -1, long recoveryPoint = 0, bool cleanStop = false, Preallocation preallocation = Preallocation.None, int segmentBytes = 1 << 30) =>
        PartitionLog.Open(Folder,
            new LogConfig
            {
                SegmentBytes = segmentBytes,
                FlushPolicy = policy ?? FlushPolicy.Roll,
                CleanupPolicy = cleanup,
                RetentionMs = retentionMs,
                IndexIntervalBytes = 0,
                FileDeleteDelayMs = 0,
                ProducerIdExpirationMs = long.MaxValue,
                Preallocation = preallocation,
                PreallocationChunkBytes = 1 << 20,
            },
            new LogOpenOptions { Storage = on ?? disk, Clock = clock, Worker = worker ?? LogWorker.AtOnce, RecoveryPoint = recoveryPoint, Gaps = OffsetGaps.Kept, CleanStop = cleanStop });

    private void Append(PartitionLog log, int batches, long producer = -1, int sequence = 0, bool isTransactional = false, int firstKey = 0)
    {
        for (var i = 0; i < batches; i++)
        {
            builder.Begin(producer < 0 ? new BatchSettings() : new BatchSettings { ProducerId = producer, ProducerEpoch = 0, BaseSequence = sequence + i, IsTransactional = isTransactional });
            builder.Append(clock.NowMs, [(byte)(firstKey + i)], new byte[20], NullParts.None);
            log.Append(builder.Build());
        }
    }
}
