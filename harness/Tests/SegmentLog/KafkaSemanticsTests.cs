using System.Buffers.Binary;
using Bench.SegmentLog;
using Bench.SegmentLog.Format;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>What Kafka's loader does with damage that the golden folders do not have; read off its sources.</summary>
public class KafkaSemanticsTests
{
    [Fact]
    public void A_last_batch_with_too_large_an_offset_gets_a_segment_of_its_own_and_no_later_segment_goes()
    {
        var storage = Base();
        var log = storage.Get("/log/00000000000000000044.log");
        var (position, batch) = Last(log);
        BinaryPrimitives.WriteInt32BigEndian(log.AsSpan(position), 1);
        storage.Put("/log/00000000000000000044.log", log);
        var far = (1L << 32) + BinaryPrimitives.ReadInt64BigEndian(batch);
        using var opened = Open(storage, cleanStop: false);
        Assert.Equal([0, 24, 44, 64, 92, far], opened.Recovery.Segments);
        Assert.Equal(0, opened.Recovery.BytesTruncated);
        Assert.Equal(far + 1, opened.EndOffset);
        Assert.Equal(log[..position], storage.Get("/log/00000000000000000044.log"));
        Assert.Equal(log[position..], storage.Get($"/log/{far:D20}.log"));
    }

    [Fact]
    public void After_a_clean_stop_a_batch_of_a_wrong_magic_hides_no_batch_behind_it()
    {
        var storage = Base();
        var log = storage.Get("/log/00000000000000000092.log");
        // The first batch behind the last index entry.
        var position = BinaryPrimitives.ReadInt32BigEndian(storage.Get("/log/00000000000000000092.index").AsSpan(^4..));
        var next = position + 12 + BinaryPrimitives.ReadInt32BigEndian(log.AsSpan(position + 8));
        log[next + 16] = 1;
        storage.Put("/log/00000000000000000092.log", log);
        using var opened = Open(storage, cleanStop: true);
        Assert.Equal(109, opened.EndOffset);
        Assert.Equal(log, storage.Get("/log/00000000000000000092.log"));
        using var range = opened.Read(108, 1, ReadIsolation.LogEnd);
        Assert.Equal(Last(log).Position, range.Position);
    }

    [Fact]
    public void A_batch_of_a_negative_magic_is_damage_as_in_Java()
    {
        var storage = Base();
        var log = storage.Get("/log/00000000000000000092.log");
        var position = Last(log).Position;
        log[position + 16] = 0x82;
        storage.Put("/log/00000000000000000092.log", log);
        using var opened = Open(storage, cleanStop: false);
        Assert.Equal(position, storage.Get("/log/00000000000000000092.log").Length);
    }

    [Fact]
    public void A_segment_that_is_missing_in_the_middle_leaves_a_hole()
    {
        var storage = Base();
        storage.Delete("/log/00000000000000000044.log");
        using var opened = Open(storage, cleanStop: false);
        Assert.Equal([0, 24, 64, 92], opened.Recovery.Segments);
        Assert.Equal(109, opened.EndOffset);
        Assert.DoesNotContain(storage.Paths, path => path.Contains("00000000000000000044", StringComparison.Ordinal));
        using var range = opened.Read(50, 1, ReadIsolation.LogEnd);
        Assert.EndsWith("00000000000000000064.log", range.File!.Path, StringComparison.Ordinal);
    }

    [Fact]
    public void A_last_batch_that_is_there_twice_stays()
    {
        var storage = Base();
        var log = storage.Get("/log/00000000000000000092.log");
        storage.Put("/log/00000000000000000092.log", [.. log, .. Last(log).Batch]);
        using var opened = Open(storage, cleanStop: false);
        Assert.Equal(log.Length + Last(log).Batch.Length, storage.Get("/log/00000000000000000092.log").Length);
        Assert.Equal(109, opened.EndOffset);
    }

    [Fact]
    public void A_part_of_an_entry_at_the_end_of_a_transaction_index_is_no_reason_to_recover()
    {
        var storage = Base();
        storage.Put("/log/00000000000000000044.txnindex", [.. storage.Get("/log/00000000000000000044.txnindex"), 0, 0, 7]);
        using var opened = Open(storage, cleanStop: true);
        Assert.Empty(opened.Recovery.Recovered);
        Assert.Equal(2, opened.Segments[2].Transactions.Count);
    }

    [Fact]
    public void Epochs_that_do_not_increase_push_out_those_before_them()
    {
        var storage = Base();
        storage.Put("/log/leader-epoch-checkpoint", "0\n3\n5 0\n4 65\n7 81\n"u8.ToArray());
        using var opened = Open(storage, cleanStop: true);
        Assert.Equal([new(4, 65), new(7, 81)], opened.Epochs);
    }

    [Fact]
    public void Names_that_Kafka_does_not_write_take_no_part()
    {
        var storage = Base();
        storage.Put("/log/5.log", [1]);
        storage.Put("/log/000000000000000000005.log", [1]);
        storage.Put("/log/notes.index", [1]);
        using var opened = Open(storage, cleanStop: false);
        Assert.Equal([0, 24, 44, 64, 92], opened.Recovery.Segments);
        Assert.Equal(new byte[] { 1 }, storage.Get("/log/5.log"));
    }

    [Fact]
    public void A_large_legacy_batch_is_told_by_its_checksum_and_not_by_its_magic()
    {
        var garbage = new byte[2 << 20];
        BinaryPrimitives.WriteInt32BigEndian(garbage.AsSpan(8), (1 << 20) - 12);
        garbage[16] = 1;
        var storage = Base();
        var log = storage.Get("/log/00000000000000000092.log");
        storage.Put("/log/00000000000000000092.log", [.. log, .. garbage]);
        using var opened = Open(storage, cleanStop: false);
        Assert.Equal(log, storage.Get("/log/00000000000000000092.log"));
    }

    private static MemoryStorage Base() => GoldenManifest.Load(GoldenManifest.Open("base-0").Folder);

    private static PartitionLog Open(MemoryStorage storage, bool cleanStop) => PartitionLog.Open("/log", GoldenManifest.Open("base-0").Config,
        new LogOpenOptions { Storage = storage, Clock = GoldenManifest.Clock, CleanStop = cleanStop, Worker = LogWorker.AtOnce });

    private static (int Position, byte[] Batch) Last(byte[] log)
    {
        var at = 0;
        while (true)
        {
            var size = new BatchView(log.AsSpan(at)).SizeBytes;
            if (at + size == log.Length)
                return (at, log[at..]);
            at += size;
        }
    }
}
