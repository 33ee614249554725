using System.Buffers.Binary;
using Bench.SegmentLog;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Inspect;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>A sound folder has no faults; each kind of damage is told with its file and place.</summary>
public class LogVerifierTests
{
    /// <summary>The file that a damaged golden folder is faulty in.</summary>
    public static TheoryData<string, string> DamagedFolders => new()
    {
        { "tail-cut-mid-batch", "00000000000000000092.log" },
        { "tail-cut-10B-of-header", "00000000000000000092.log" },
        { "tail-cut-61B-header-only", "00000000000000000092.log" },
        { "flip-record-byte", "00000000000000000092.log" },
        { "flip-crc-byte", "00000000000000000092.log" },
        { "flip-leader-epoch-byte", "00000000000000000092.log" },
        { "flip-magic-to-1", "00000000000000000092.log" },
        { "flip-magic-to-3", "00000000000000000092.log" },
        { "length-too-big", "00000000000000000092.log" },
        { "length-zero", "00000000000000000092.log" },
        { "garbage-tail-100B", "00000000000000000092.log" },
        { "zero-tail-4096B", "00000000000000000092.log" },
        { "middle-segment-flip-record-byte", "00000000000000000024.log" },
        { "missing-index-last", "00000000000000000092.index" },
        { "missing-index-middle", "00000000000000000024.index" },
        { "missing-all-indexes", "00000000000000000044.index" },
        { "index-garbage-middle", "00000000000000000024.index" },
        { "timeindex-garbage-middle", "00000000000000000024.timeindex" },
        { "last-snapshot-corrupt", "00000000000000000109.snapshot" },
        { "epoch-checkpoint-missing", "leader-epoch-checkpoint" },
    };

    [Theory]
    [InlineData("plain-0")]
    [InlineData("codecs-0")]
    [InlineData("txn-0")]
    [InlineData("base-0")]
    [InlineData("damaged/none-0")]
    public void What_Kafka_wrote_has_no_faults(string folder)
    {
        var found = LogVerifier.Verify(Path.Combine(Golden.FullPath, folder), new LogVerifierOptions());
        Assert.Empty(found.Faults);
        Assert.Empty(found.Notes);
        Assert.True(found.Records > 0);
    }

    [Theory]
    [MemberData(nameof(DamagedFolders))]
    public void Damage_is_told_with_its_file(string name, string file)
    {
        var found = LogVerifier.Verify(Path.Combine(Golden.FullPath, "damaged", name + "-0"), new LogVerifierOptions());
        Assert.Contains(found.Faults, fault => Path.GetFileName(fault.File) == file);
        Assert.All(found.Faults, fault => Assert.True(fault.Position >= 0 && fault.Sentence.Length > 0));
    }

    [Fact]
    public void What_a_recovery_leaves_has_no_faults()
    {
        foreach (var folder in Directory.GetDirectories(Path.Combine(Golden.FullPath, "damaged"), "*-0"))
        {
            var storage = GoldenManifest.Load(folder);
            using (var log = PartitionLog.Open("/log", GoldenManifest.Open("base-0").Config, new LogOpenOptions { Storage = storage, Clock = GoldenManifest.Clock, Worker = LogWorker.AtOnce }))
                log.Close();
            var faults = LogVerifier.Verify("/log", new LogVerifierOptions { Storage = storage }).Faults;
            // Kafka does not notice a changed magic or leader epoch, and so neither does a recovery that is to come to the same.
            if (!folder.EndsWith("flip-magic-to-3-0", StringComparison.Ordinal) && !folder.EndsWith("flip-leader-epoch-byte-0", StringComparison.Ordinal))
                Assert.True(faults.Count == 0, $"{folder}: {string.Join("; ", faults)}");
        }
    }

    [Theory]
    [InlineData("00000000000000000092.log", 20, "the checksum of a batch is")]
    [InlineData("00000000000000000044.index", 7, "where no batch begins")]
    [InlineData("00000000000000000044.index", 3, "no batch ends at offset|before that|comes after")]
    [InlineData("00000000000000000044.timeindex", 7, "the largest timestamp is|comes after")]
    [InlineData("00000000000000000044.timeindex", 11, "the largest timestamp is|comes after")]
    [InlineData("00000000000000000044.txnindex", 9, "and by the log it is producer")]
    [InlineData("00000000000000000044.txnindex", 1, "has version")]
    [InlineData("00000000000000000064.snapshot", 100, "the checksum of the snapshot is wrong")]
    [InlineData("partition.metadata", 8, "version: 0")]
    [InlineData("leader-epoch-checkpoint", 4, "epoch")]
    public void One_wrong_byte_is_told(string name, int position, string sentence)
    {
        var storage = GoldenManifest.Load(GoldenManifest.Open("base-0").Folder);
        var bytes = storage.Get("/log/" + name);
        bytes[position] ^= 1;
        storage.Put("/log/" + name, bytes);
        var found = LogVerifier.Verify("/log", new LogVerifierOptions { Storage = storage });
        Assert.Contains(found.Faults, fault => sentence.Split('|').Any(part => fault.Sentence.Contains(part, StringComparison.Ordinal)));
    }

    [Fact]
    public void A_snapshot_that_tells_of_another_log_is_told()
    {
        var storage = GoldenManifest.Load(GoldenManifest.Open("base-0").Folder);
        var bytes = storage.Get("/log/00000000000000000064.snapshot");
        bytes[10 + 13] ^= 1;
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(2), Crc32C.Compute(bytes.AsSpan(6)));
        storage.Put("/log/00000000000000000064.snapshot", bytes);
        var fault = Assert.Single(LogVerifier.Verify("/log", new LogVerifierOptions { Storage = storage }).Faults);
        Assert.Equal("/log/00000000000000000064.snapshot", fault.File);
        Assert.Contains("in the log", fault.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_segment_that_is_missing_in_the_middle_and_a_repeated_batch_are_told()
    {
        var golden = GoldenManifest.Open("base-0");
        var storage = GoldenManifest.Load(golden.Folder);
        foreach (var suffix in (string[])[".log", ".index", ".timeindex", ".txnindex"])
            storage.Delete("/log/00000000000000000044" + suffix);
        Assert.Contains(LogVerifier.Verify("/log", new LogVerifierOptions { Storage = storage }).Faults, fault => fault.Sentence.Contains("offsets 44 to 63 are missing", StringComparison.Ordinal));

        storage = GoldenManifest.Load(golden.Folder);
        var last = Golden.Batches("base-0").Last();
        storage.Put("/log/00000000000000000092.log", [.. storage.Get("/log/00000000000000000092.log"), .. last]);
        Assert.Contains(LogVerifier.Verify("/log", new LogVerifierOptions { Storage = storage }).Faults, fault => fault.Sentence.Contains("the one before it goes up to 109", StringComparison.Ordinal));
    }

    [Fact]
    public void Files_that_an_opening_cleans_up_are_notes()
    {
        var storage = GoldenManifest.Load(GoldenManifest.Open("base-0").Folder);
        foreach (var name in (string[])["00000000000000000000.log.deleted", "00000000000000000024.log.cleaned", "00000000000000000024.index.swap", LogFiles.Prepared])
            storage.Put("/log/" + name, [1, 2, 3]);
        var found = LogVerifier.Verify("/log", new LogVerifierOptions { Storage = storage });
        Assert.Empty(found.Faults);
        Assert.Equal(4, found.Notes.Count);
    }

    [Fact]
    public void Faults_without_end_take_no_memory_without_end()
    {
        var storage = GoldenManifest.Load(GoldenManifest.Open("base-0").Folder);
        var bytes = new byte[8 << 20];
        new Random(1).NextBytes(bytes);
        storage.Put("/log/00000000000000000044.txnindex", bytes);
        var found = LogVerifier.Verify("/log", new LogVerifierOptions { Storage = storage, MostFaults = 10 });
        Assert.Equal(10, found.Faults.Count);
        Assert.True(found.FaultCount > 1000);
    }
}
