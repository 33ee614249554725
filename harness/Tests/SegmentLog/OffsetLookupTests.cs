using Bench.SegmentLog;
using Bench.SegmentLog.Format;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.SegmentLog;

public class OffsetLookupTests
{
    /// <summary>Batches far smaller and larger than the index's interval, one and several to an append.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Every_offset_leads_to_its_own_batch_whether_the_index_was_just_made_or_read_from_a_file(int seed)
    {
        var random = new Random(seed);
        var storage = new MemoryStorage();
        var config = new LogConfig { SegmentBytes = 64 << 10, IndexIntervalBytes = 1 << 10, RetentionMs = -1 };
        var batchOf = new List<long>();
        using (var log = PartitionLog.Open("/t-0", config, new LogOpenOptions { Storage = storage, CleanStop = true }))
        {
            for (var append = 0; append < 300; append++)
            {
                var bytes = new List<byte>();
                for (var batch = random.Next(4) == 0 ? 3 : 1; batch > 0; batch--)
                {
                    var builder = new RecordBatchBuilder();
                    builder.Begin(new BatchSettings());
                    for (var records = random.Next(1, 8); records > 0; records--)
                    {
                        builder.Append(append, default, new byte[random.Next(random.Next(3) == 0 ? 2000 : 50)], NullParts.Key);
                        batchOf.Add(batchOf.Count - builder.Count + 1);
                    }
                    bytes.AddRange(builder.Build());
                }
                log.Append(bytes.ToArray());
            }
            AssertFound(log, batchOf);
            log.Close();
        }
        using var reopened = PartitionLog.Open("/t-0", config, new LogOpenOptions { Storage = storage, CleanStop = true });
        AssertFound(reopened, batchOf);
        reopened.Abandon();
        using var recovered = PartitionLog.Open("/t-0", config, new LogOpenOptions { Storage = storage });
        AssertFound(recovered, batchOf);
    }

    private static void AssertFound(PartitionLog log, List<long> batchOf)
    {
        Assert.True(log.Segments.Count > 2);
        var header = new byte[BatchView.HeaderBytes];
        for (var offset = 0; offset < batchOf.Count; offset++)
        {
            using var range = log.Read(offset, 1);
            range.CopyTo(header);
            Assert.Equal(batchOf[offset], new BatchView(header).BaseOffset);
            Assert.Equal(new BatchView(header).SizeBytes, range.LengthBytes);
        }
    }
}
