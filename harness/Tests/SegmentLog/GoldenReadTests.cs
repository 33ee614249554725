using System.Text.Json;
using Bench.SegmentLog;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Index;
using Bench.SegmentLog.Inspect;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>What Kafka wrote is read as Kafka reads it.</summary>
public class GoldenReadTests
{
    public static TheoryData<string> Folders => ["plain-0", "codecs-0", "txn-0", "base-0"];

    public static TheoryData<string> TransactionalFolders => ["txn-0", "base-0"];

    [Theory]
    [MemberData(nameof(Folders))]
    public void Every_batch_and_record_reads_as_in_the_manifest(string name)
    {
        var golden = GoldenManifest.Open(name);
        IReadOnlyList<CorruptLogException>? damages = null;
        var lines = GoldenManifest.Lines(to => damages = LogDump.Write(golden.Folder, to, new LogDumpOptions { Format = DumpFormat.Json, Records = true }));
        Assert.Empty(damages!);
        var expected = golden.Segments.SelectMany(segment => segment.GetProperty("batches").EnumerateArray().Select(batch => (Segment: segment.GetProperty("baseOffset").GetInt64(), Batch: batch))).ToArray();
        Assert.Equal(expected.Length, lines.Length);
        foreach (var ((segment, batch), line) in expected.Zip(lines))
        {
            Assert.Equal(segment, line.GetProperty("segment").GetInt64());
            GoldenManifest.AssertSame(batch, WithoutSegment(line), FormattableString.Invariant($"{name} segment {segment} batch {batch.GetProperty("baseOffset")}"));
        }
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Every_index_entry_checkpoint_and_snapshot_reads_as_in_the_manifest(string name)
    {
        var golden = GoldenManifest.Open(name);
        using var log = Open(golden);
        foreach (var (expected, segment) in golden.Segments.Zip(log.Segments))
        {
            Assert.Equal(expected.GetProperty("baseOffset").GetInt64(), segment.BaseOffset);
            Assert.Equal(expected.GetProperty("logSize").GetInt64(), segment.SizeBytes);
            Assert.Equal(Pairs(expected.GetProperty("offsetIndex")), Enumerable.Range(0, segment.Offsets.Count).Select(i => (segment.Offsets[i].Offset, (long)segment.Offsets[i].Position)));
            Assert.Equal(Pairs(expected.GetProperty("timeIndex")), Enumerable.Range(0, segment.Times.Count).Select(i => (segment.Times[i].Timestamp, segment.Times[i].Offset)));
            var aborted = expected.TryGetProperty("txnIndex", out var index) ? index.GetProperty("entries").EnumerateArray().Select(Aborted) : [];
            Assert.Equal(aborted, Enumerable.Range(0, segment.Transactions.Count).Select(i => segment.Transactions[i]));
        }
        var inventory = GoldenManifest.Written(json => FolderInventory.Write(json, Bench.SegmentLog.Storage.DiskStorage.Instance, golden.Folder));
        Assert.Equal(golden.Root.GetProperty("leaderEpochCheckpoint").GetString(), inventory.GetProperty("leaderEpochCheckpoint").GetString());
        AssertSameSnapshots(golden.Root.GetProperty("producerSnapshots"), inventory.GetProperty("producerSnapshots"), name);
        foreach (var (expected, segment) in golden.Segments.Zip(inventory.GetProperty("segments").EnumerateArray()))
            foreach (var property in (string[])["offsetIndex", "timeIndex", "txnIndex"])
                if (expected.TryGetProperty(property, out var kafkas))
                    GoldenManifest.AssertSame(kafkas, segment.GetProperty(property), $"{name}.{property}");
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Every_look_up_by_offset_finds_what_Kafka_finds(string name)
    {
        var golden = GoldenManifest.Open(name);
        using var log = Open(golden);
        foreach (var expected in golden.Root.GetProperty("offsetLookups").EnumerateArray())
        {
            var offset = expected.GetProperty("offset").GetInt64();
            var segment = SegmentOf(log, expected);
            var entry = segment.Offsets.Lookup(offset);
            Assert.Equal(Pair(expected.GetProperty("indexEntry")), (entry.Offset, (long)entry.Position));
            var place = segment.Find(offset);
            if (expected.GetProperty("position").ValueKind == JsonValueKind.Null)
            {
                Assert.Null(place);
                continue;
            }
            Assert.Equal(new BatchPlace(expected.GetProperty("position").GetInt64(), expected.GetProperty("size").GetInt32(), expected.GetProperty("batchLastOffset").GetInt64()), place);
            using var range = log.Read(offset, 1, ReadIsolation.LogEnd);
            Assert.Equal(place!.Value.Position, range.Position);
            Assert.Equal(place.Value.SizeBytes, range.LengthBytes);
        }
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Every_look_up_by_timestamp_finds_what_Kafka_finds(string name)
    {
        var golden = GoldenManifest.Open(name);
        using var log = Open(golden);
        foreach (var expected in golden.Root.GetProperty("timestampLookups").EnumerateArray())
        {
            var timestamp = expected.GetProperty("timestamp").GetInt64();
            var segment = SegmentOf(log, expected);
            var entry = segment.Times.Lookup(timestamp);
            Assert.Equal(Pair(expected.GetProperty("timeIndexEntry")), (entry.Timestamp, entry.Offset));
            var found = log.FindTimestamp(segment, timestamp, segment.BaseOffset);
            if (expected.GetProperty("found").ValueKind == JsonValueKind.Null)
                Assert.Null(found);
            else
                Assert.Equal(Pair(expected.GetProperty("found")), (found!.Value.Timestamp, found.Value.Offset));
        }
    }

    [Theory]
    [MemberData(nameof(TransactionalFolders))]
    public void Every_look_up_of_aborted_transactions_finds_what_Kafka_finds(string name)
    {
        var golden = GoldenManifest.Open(name);
        using var log = Open(golden);
        foreach (var expected in golden.Root.GetProperty("abortedTxnLookups").EnumerateArray())
        {
            List<AbortedTransaction>? found = null;
            var isComplete = SegmentOf(log, expected).Transactions.Collect(expected.GetProperty("fetchOffset").GetInt64(), expected.GetProperty("upperBound").GetInt64(), ref found);
            Assert.Equal(expected.GetProperty("aborted").EnumerateArray().Select(Pair), (found ?? []).Select(aborted => (aborted.ProducerId, aborted.FirstOffset)));
            Assert.Equal(expected.GetProperty("isComplete").GetBoolean(), isComplete);
        }
    }

    [Theory]
    [InlineData(LastStop.Clean)]
    [InlineData(LastStop.Unclean)]
    public void A_log_from_before_Kafka_0_11_is_named_and_refused(LastStop stop)
    {
        var golden = GoldenManifest.Open("legacy-0");
        var storage = GoldenManifest.Load(golden.Folder);
        var refused = Assert.Throws<CorruptLogException>(() =>
            PartitionLog.Open("/log", golden.Config, new LogOpenOptions { Storage = storage, Clock = GoldenManifest.Clock, CleanStop = stop == LastStop.Clean, Worker = LogWorker.AtOnce }));
        AssertNamed(refused);
        // Nothing of it was taken for damage.
        Assert.Equal(File.ReadAllBytes(Path.Combine(golden.Folder, "00000000000000000000.log")), storage.Get("/log/00000000000000000000.log"));
        AssertNamed(Assert.Throws<CorruptLogException>(() => LogDump.Write(golden.Folder, Stream.Null, new LogDumpOptions())));
        AssertNamed(Assert.Throws<CorruptLogException>(() => LogVerifier.Verify(golden.Folder, new LogVerifierOptions())));
        using var place = new TestFolder();
        AssertNamed(Assert.Throws<CorruptLogException>(() => RecoveryCopy.Recover(golden.Folder, place.File("copy"), golden.Config, stop, GoldenManifest.Clock, Stream.Null)));
        Assert.False(Directory.Exists(place.File("copy")));

        static void AssertNamed(CorruptLogException refused)
        {
            Assert.True(refused.IsLegacy);
            Assert.Contains("before Kafka 0.11", refused.Message, StringComparison.Ordinal);
            Assert.EndsWith("00000000000000000000.log", refused.File, StringComparison.Ordinal);
        }
    }

    internal static void AssertSameSnapshots(JsonElement expected, JsonElement actual, string where)
    {
        Assert.Equal(expected.EnumerateArray().Select(snapshot => snapshot.GetProperty("file").GetString()), actual.EnumerateArray().Select(snapshot => snapshot.GetProperty("file").GetString()));
        foreach (var (kafkas, ours) in expected.EnumerateArray().Zip(actual.EnumerateArray()))
        {
            Assert.Equal(kafkas.GetProperty("size").GetInt64(), ours.GetProperty("size").GetInt64());
            // Their order is not defined.
            foreach (var (one, other) in ByProducer(kafkas).Zip(ByProducer(ours)))
                GoldenManifest.AssertSame(one, other, $"{where} {kafkas.GetProperty("file")}");
        }

        static IEnumerable<JsonElement> ByProducer(JsonElement snapshot) => snapshot.GetProperty("entries").EnumerateArray().OrderBy(entry => entry.GetProperty("producerId").GetInt64());
    }

    private static PartitionLog Open(GoldenManifest golden) =>
        PartitionLog.Open("/log", golden.Config, new LogOpenOptions { Storage = GoldenManifest.Load(golden.Folder), Clock = GoldenManifest.Clock, CleanStop = true, Worker = LogWorker.AtOnce });

    private static Segment SegmentOf(PartitionLog log, JsonElement lookup) => log.Segments.Single(segment => segment.BaseOffset == lookup.GetProperty("segment").GetInt64());

    private static JsonElement WithoutSegment(JsonElement line) => GoldenManifest.Written(json =>
    {
        json.WriteStartObject();
        foreach (var property in line.EnumerateObject().Where(property => property.Name != "segment"))
            property.WriteTo(json);
        json.WriteEndObject();
    });

    private static (long, long) Pair(JsonElement pair) => (pair[0].GetInt64(), pair[1].GetInt64());

    private static IEnumerable<(long, long)> Pairs(JsonElement index) => index.GetProperty("entries").EnumerateArray().Select(Pair);

    private static AbortedTransaction Aborted(JsonElement entry) => new(
        entry.GetProperty("producerId").GetInt64(), entry.GetProperty("firstOffset").GetInt64(), entry.GetProperty("lastOffset").GetInt64(), entry.GetProperty("lastStableOffset").GetInt64());
}
