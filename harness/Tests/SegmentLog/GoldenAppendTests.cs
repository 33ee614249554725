using System.Buffers.Binary;
using System.Text.Json;
using Bench.SegmentLog;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Inspect;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>The appends that made the golden folders make the same files here, byte for byte.</summary>
public class GoldenAppendTests
{
    public static TheoryData<string> Folders => ["plain-0", "txn-0", "base-0"];

    public static TheoryData<string> LeadersFolders => ["txn-0", "base-0"];

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_batch_built_of_its_records_has_Kafkas_bytes(string name)
    {
        foreach (var batch in Golden.Batches(name).Where(batch => Golden.Codec(batch) == Compression.None))
            Assert.Equal(batch, Rebuild(batch));
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_followers_appends_make_Kafkas_files(string name)
    {
        var golden = GoldenManifest.Open(name);
        var storage = new MemoryStorage();
        using (var log = Open(storage, golden, GoldenManifest.Clock))
        {
            foreach (var (rolls, bytes) in Appends(golden))
            {
                if (rolls)
                    log.Roll();
                log.AppendAsFollower(bytes);
            }
            log.Close();
        }
        AssertSameFiles(golden, storage);
    }

    [Theory]
    [MemberData(nameof(LeadersFolders))]
    public void A_leaders_appends_and_markers_make_Kafkas_files(string name)
    {
        var golden = GoldenManifest.Open(name);
        var storage = new MemoryStorage();
        var clock = new ManualClock(0);
        using (var log = Open(storage, golden, clock))
        {
            foreach (var (json, original) in golden.Batches.Zip(Golden.Batches(name)))
            {
                var epoch = json.GetProperty("partitionLeaderEpoch").GetInt32();
                clock.NowMs = json.GetProperty("maxTimestamp").GetInt64();
                if (json.GetProperty("control").GetBoolean())
                {
                    var marker = json.GetProperty("records")[0];
                    log.EndTransaction(json.GetProperty("producerId").GetInt64(), json.GetProperty("producerEpoch").GetInt16(),
                        marker.GetProperty("marker").GetString() == "ABORT" ? TransactionEnd.Abort : TransactionEnd.Commit, marker.GetProperty("coordinatorEpoch").GetInt32(), epoch);
                    continue;
                }
                // As a producer sends it: without offset and epoch.
                var bytes = original.ToArray();
                BinaryPrimitives.WriteInt64BigEndian(bytes, 0);
                BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(12), -1);
                var result = log.Append(bytes, epoch);
                Assert.False(result.IsDuplicate);
            }
            log.Close();
        }
        AssertSameFiles(golden, storage);
    }

    /// <summary>What went in at once, and whether a new segment was begun before it for a reason that the manifest does not tell.</summary>
    private static IEnumerable<(bool Rolls, byte[] Bytes)> Appends(GoldenManifest golden)
    {
        // plain-0 has a batch larger than a segment may be, and one append of three batches.
        var rollsByItself = golden.Name != "plain-0";
        var batches = new Queue<byte[]>(Golden.Batches(golden.Name));
        var isFirst = true;
        foreach (var segment in golden.Segments)
        {
            var rolls = !rollsByItself && !isFirst;
            foreach (var batch in segment.GetProperty("batches").EnumerateArray())
            {
                var bytes = batches.Dequeue();
                if (golden.Name == "plain-0" && batch.GetProperty("baseOffset").GetInt64() is 1049 or 1051)
                    continue;
                if (golden.Name == "plain-0" && batch.GetProperty("baseOffset").GetInt64() == 1047)
                    bytes = [.. bytes, .. batches.ElementAt(0), .. batches.ElementAt(1)];
                yield return (rolls, bytes);
                rolls = false;
                isFirst = false;
            }
        }
    }

    private static PartitionLog Open(MemoryStorage storage, GoldenManifest golden, TimeProvider clock)
    {
        var config = golden.Config with { FlushPolicy = FlushPolicy.None };
        if (golden.Name == "plain-0")
            config = config with { SegmentBytes = 1 << 20 };
        return PartitionLog.Open("/log", config, new LogOpenOptions { Storage = storage, Clock = clock, CleanStop = true, Worker = LogWorker.AtOnce });
    }

    private static void AssertSameFiles(GoldenManifest golden, MemoryStorage storage)
    {
        var expected = Directory.GetFiles(golden.Folder).Select(path => Path.GetFileName(path)).Where(name => name != "partition.metadata" && !name.EndsWith(".snapshot", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToArray();
        var ours = storage.Paths.Select(path => Path.GetFileName(path)).Where(name => !name.EndsWith(".snapshot", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(expected, ours);
        foreach (var name in expected)
            Assert.True(File.ReadAllBytes(Path.Combine(golden.Folder, name)).AsSpan().SequenceEqual(storage.Get("/log/" + name)), $"{name} has other bytes");
        var inventory = GoldenManifest.Written(json => FolderInventory.Write(json, storage, "/log"));
        GoldenReadTests.AssertSameSnapshots(golden.Root.GetProperty("producerSnapshots"), inventory.GetProperty("producerSnapshots"), golden.Name);
        Assert.Empty(LogVerifier.Verify("/log", new LogVerifierOptions { Storage = storage }).Faults);
    }

    private static byte[] Rebuild(byte[] original)
    {
        var batch = new BatchView(original);
        var builder = new RecordBatchBuilder(64);
        builder.Begin(new BatchSettings
        {
            BaseOffset = batch.BaseOffset,
            LeaderEpoch = batch.LeaderEpoch,
            LogAppendTimeMs = batch.TimestampType == TimestampType.LogAppendTime ? batch.MaxTimestamp : null,
            ProducerId = batch.ProducerId,
            ProducerEpoch = batch.ProducerEpoch,
            BaseSequence = batch.BaseSequence,
            IsTransactional = batch.IsTransactional,
            IsControl = batch.IsControl,
        });
        var reader = new RecordReader(batch.Payload, batch.RecordCount);
        while (reader.Next())
        {
            var record = reader.Current;
            var headers = new List<RecordHeader>();
            var from = record.Headers;
            while (from.Next())
                headers.Add(new RecordHeader(from.Key.ToArray(), from.IsValueNull ? null : (ReadOnlyMemory<byte>?)from.Value.ToArray()));
            var nulls = (record.IsKeyNull ? NullParts.Key : 0) | (record.IsValueNull ? NullParts.Value : 0);
            builder.Append(record.OffsetDelta, batch.BaseTimestamp + record.TimestampDelta, record.Key, record.Value, nulls, headers.ToArray());
        }
        return builder.Build().ToArray();
    }
}
