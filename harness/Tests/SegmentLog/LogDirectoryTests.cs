using System.Text;
using Bench.Disk;
using Bench.SegmentLog;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Inspect;
using Bench.SegmentLog.Storage;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.SegmentLog;

public class LogDirectoryTests
{
    private const string Root = "/logs";
    private static readonly Guid TopicId = PartitionMetadata.Read(DiskStorage.Instance, Path.Combine(Golden.FullPath, "txn-0"))!.Value;
    private static readonly LogConfig Config = new() { SegmentBytes = 4 << 10, IndexIntervalBytes = 256, RetentionMs = -1, FileDeleteDelayMs = 0 };

    [Fact]
    public void A_clean_stop_leaves_the_files_that_Kafka_leaves()
    {
        var storage = new FaultyStorage(1);
        using (var made = LogDirectory.Open(Root, Config, new LogDirectoryOptions { Storage = storage }))
        {
            Append(made.Create(new TopicPartition("b-with-dashes", 12), TopicId), 40);
            Append(made.Create(new TopicPartition("a", 0)), 7);
            var log = made.Create(new TopicPartition("a", 1));
            Append(log, 60);
            log.AdvanceStartOffset(3);
            made.Close();
        }
        Assert.Equal("0\n3\na 0 7\na 1 60\nb-with-dashes 12 40\n", TextOf(storage, OffsetCheckpoint.RecoveryPoints));
        Assert.Equal("0\n3\na 0 7\na 1 60\nb-with-dashes 12 40\n", TextOf(storage, OffsetCheckpoint.HighWatermarks));
        Assert.Equal("0\n1\na 1 3\n", TextOf(storage, OffsetCheckpoint.LogStarts));
        Assert.Equal("{\"version\":0,\"brokerEpoch\":-1}", TextOf(storage, LogDirectory.CleanStopFile));
        // Kafka's own ends without a line end; whoever made the golden folder put one.
        Assert.Equal(File.ReadAllText(Path.Combine(Golden.FullPath, "txn-0", PartitionMetadata.FileName)).TrimEnd('\n'), TextOf(storage, "b-with-dashes-12/" + PartitionMetadata.FileName));

        using var again = LogDirectory.Open(Root, Config, new LogDirectoryOptions { Storage = storage });
        Assert.True(again.Report.CleanStop);
        Assert.Empty(again.Report.Notes);
        Assert.Equal(["a-0", "a-1", "b-with-dashes-12"], again.Logs.Keys.Select(partition => partition.ToString()).Order(StringComparer.Ordinal));
        Assert.Equal(3, again.Logs[new TopicPartition("a", 1)].StartOffset);
        Assert.Equal(60, again.Logs[new TopicPartition("a", 1)].EndOffset);
        Assert.All(again.Logs.Values, log => Assert.Empty(log.Recovery.Recovered));
        Assert.False(storage.Exists(Path.Combine(Root, LogDirectory.CleanStopFile)));
    }

    [Fact]
    public void A_golden_folder_of_Kafka_is_opened_among_others()
    {
        using var folder = new TestFolder();
        Directory.CreateDirectory(folder.File("d"));
        foreach (var name in (string[])["plain-0", "txn-0"])
            GoldenManifest.Copy(Path.Combine(Golden.FullPath, name), folder.File("d/" + name));
        File.WriteAllText(folder.File("d/" + OffsetCheckpoint.RecoveryPoints), "0\n1\nplain 0 5\n");
        Directory.CreateDirectory(folder.File("d/t-3.0123456789abcdef0123456789abcdef-delete"));
        Directory.CreateDirectory(folder.File("d/__cluster_metadata-0"));
        var config = new LogConfig { RetentionMs = -1 };
        using var directory = LogDirectory.Open(folder.File("d"), config);
        Assert.Empty(directory.Report.Failed);
        Assert.False(directory.Report.CleanStop);
        Assert.Equal(["__cluster_metadata-0", "t-3.0123456789abcdef0123456789abcdef-delete"], directory.Report.Skipped);
        Assert.Equal(2, directory.Logs.Count);
        Assert.All(directory.Logs.Values, log => Assert.True(log.EndOffset > 0));
    }

    [Fact]
    public void A_partition_that_cannot_be_opened_is_named_and_keeps_its_recovery_point_and_the_stop_is_not_clean()
    {
        var storage = new FaultyStorage(1);
        using (var made = LogDirectory.Open(Root, Config, new LogDirectoryOptions { Storage = storage }))
        {
            Append(made.Create(new TopicPartition("good", 0), TopicId), 20);
            Append(made.Create(new TopicPartition("bad", 0), TopicId), 20);
        }
        storage.Corrupt(Path.Combine(Root, "bad-0", PartitionMetadata.FileName), 3, 1);
        using (var directory = LogDirectory.Open(Root, Config, new LogDirectoryOptions { Storage = storage }))
        {
            Assert.Equal("bad-0", Assert.Single(directory.Report.Failed).Key.ToString());
            Append(directory.Logs[new TopicPartition("good", 0)], 5);
            directory.Close();
        }
        Assert.Equal("0\n2\nbad 0 20\ngood 0 25\n", TextOf(storage, OffsetCheckpoint.RecoveryPoints));
        Assert.False(storage.Exists(Path.Combine(Root, LogDirectory.CleanStopFile)));
    }

    [Fact]
    public void A_log_that_was_abandoned_by_itself_forbids_the_mark_too()
    {
        var storage = new FaultyStorage(1);
        using (var directory = LogDirectory.Open(Root, Config, new LogDirectoryOptions { Storage = storage }))
        {
            var log = directory.Create(new TopicPartition("t", 0));
            Append(log, 3);
            log.Abandon();
            directory.Close();
        }
        Assert.False(storage.Exists(Path.Combine(Root, LogDirectory.CleanStopFile)));
    }

    [Fact]
    public void A_verification_goes_over_all_partitions_and_the_checkpoints()
    {
        var storage = new FaultyStorage(1);
        using (var directory = LogDirectory.Open(Root, Config, new LogDirectoryOptions { Storage = storage }))
        {
            Append(directory.Create(new TopicPartition("a", 0)), 30);
            Append(directory.Create(new TopicPartition("b", 1)), 50);
        }
        var sound = LogDirectoryVerifier.Verify(Root, new LogVerifierOptions { Storage = storage });
        Assert.Empty(sound.Faults);
        Assert.Equal(80, sound.Records);

        storage.Corrupt(Path.Combine(Root, "b-1", "00000000000000000000.log"), 70, 1);
        storage.Delete(Path.Combine(Root, OffsetCheckpoint.RecoveryPoints));
        SmallWrite(storage, OffsetCheckpoint.RecoveryPoints, "0\n1\na 0 31\n");
        storage.Delete(Path.Combine(Root, OffsetCheckpoint.LogStarts));
        SmallWrite(storage, OffsetCheckpoint.LogStarts, "1\n");
        var faults = LogDirectoryVerifier.Verify(Root, new LogVerifierOptions { Storage = storage }).Faults.Select(fault => fault.ToString()).ToArray();
        Assert.Contains(faults, fault => fault.StartsWith("/logs/b-1/00000000000000000000.log", StringComparison.Ordinal));
        Assert.Contains("/logs/recovery-point-offset-checkpoint at byte 0: the recovery point of a-0 is 31, and its log goes from 0 to 30", faults);
        Assert.Contains("/logs/log-start-offset-checkpoint at byte 0: line 1: only version 0 is known", faults);
    }

    [Fact]
    public void A_log_that_is_being_moved_and_was_not_recovered_forbids_the_mark_of_a_clean_stop()
    {
        var storage = new FaultyStorage(1);
        storage.CreateFolder(Root);
        storage.CreateFolder(Path.Combine(Root, "t-0.0123456789abcdef0123456789abcdef-future"));
        LogDirectory.Open(Root, Config, new LogDirectoryOptions { Storage = storage }).Close();
        Assert.False(storage.Exists(Path.Combine(Root, LogDirectory.CleanStopFile)));
    }

    [Fact]
    public void A_partition_that_is_made_anew_has_nothing_of_its_forerunner()
    {
        var storage = new FaultyStorage(1);
        storage.CreateFolder(Root);
        SmallWrite(storage, OffsetCheckpoint.LogStarts, "0\n1\nt 0 500\n");
        SmallWrite(storage, OffsetCheckpoint.RecoveryPoints, "0\n1\nt 0 900\n");
        using var directory = LogDirectory.Open(Root, Config, new LogDirectoryOptions { Storage = storage });
        Assert.Equal("0\n0\n", TextOf(storage, OffsetCheckpoint.RecoveryPoints));
        var log = directory.Create(new TopicPartition("t", 0));
        Assert.Equal(0, log.StartOffset);
        Assert.Throws<IOException>(() => directory.Create(new TopicPartition("t", 0)));
        Assert.Throws<ArgumentException>(() => directory.Create(new TopicPartition("../t", 0)));
    }

    [Fact]
    public void A_directory_is_open_once()
    {
        using var folder = new TestFolder();
        using (LogDirectory.Open(folder.File("d"), Config))
        {
            var exception = Assert.Throws<IOException>(() => LogDirectory.Open(folder.File("d"), Config));
            Assert.Contains("is in use", exception.Message, StringComparison.Ordinal);
        }
        using var again = LogDirectory.Open(folder.File("d"), Config);
        Assert.True(again.Report.CleanStop);
    }

    [Theory]
    [InlineData("t-0", "t", 0)]
    [InlineData("my-topic-with-dashes-12", "my-topic-with-dashes", 12)]
    [InlineData("a.b_c-7", "a.b_c", 7)]
    [InlineData("t--1", "t-", 1)]
    [InlineData("t", null, 0)]
    [InlineData("t-", null, 0)]
    [InlineData("-1", null, 0)]
    [InlineData("t-x", null, 0)]
    [InlineData("t-01", null, 0)]
    [InlineData("t-+1", null, 0)]
    [InlineData("t-99999999999", null, 0)]
    [InlineData("t t-1", null, 0)]
    [InlineData("t-0.0123456789abcdef0123456789abcdef-delete", null, 0)]
    [InlineData("t-0.0123456789abcdef0123456789abcdef-future", null, 0)]
    [InlineData("t-0.0123456789abcdef0123456789abcdef-stray", null, 0)]
    public void A_folder_is_a_partitions_by_its_name(string name, string? topic, int partition)
    {
        TopicPartition? expected = topic is null ? null : new TopicPartition(topic, partition);
        Assert.Equal(expected, TopicPartition.OfFolder(name));
    }

    [Theory]
    [InlineData("1\n0\n", "line 1")]
    [InlineData("0\n", "line 2")]
    [InlineData("0", "line 2")]
    [InlineData("0\n2\nt 0 1\n", "line 2")]
    [InlineData("0\n0\nt 0 1\n", "line 2")]
    [InlineData("0\n-1\n", "line 2")]
    [InlineData("0\n1\nt 0\n", "line 3")]
    [InlineData("0\n1\nt x 1\n", "line 3")]
    [InlineData("0\n1\nt 0 99999999999999999999\n", "line 3")]
    public void A_damaged_checkpoint_is_named_and_taken_for_an_empty_one(string content, string place)
    {
        var storage = new FaultyStorage(1);
        storage.CreateFolder(Root);
        SmallWrite(storage, OffsetCheckpoint.RecoveryPoints, content);
        var path = Path.Combine(Root, OffsetCheckpoint.RecoveryPoints);
        var exception = Assert.Throws<CorruptLogException>(() => OffsetCheckpoint.Read(storage, path));
        Assert.Equal(path, exception.File);
        Assert.StartsWith(place, exception.Reason, StringComparison.Ordinal);
        using var directory = LogDirectory.Open(Root, Config, new LogDirectoryOptions { Storage = storage });
        Assert.Contains(place, Assert.Single(directory.Report.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Any_bytes_are_a_checkpoint_or_a_damaged_one()
    {
        var random = new Random(4);
        var storage = new MemoryStorage();
        var read = 0;
        for (var round = 0; round < 3000; round++)
        {
            var bytes = Encoding.UTF8.GetBytes("0\n2\nt 0 15\nother-topic 3 99\n");
            for (var changes = random.Next(1, 3); changes > 0; changes--)
                bytes[random.Next(bytes.Length)] = random.Next(2) == 0 ? (byte)random.Next(256) : (byte)('0' + random.Next(10));
            storage.Delete("/c");
            using (var file = storage.Open("/c", OpenMode.Write | OpenMode.Create))
                file.Write(bytes.AsSpan(0, random.Next(4) == 0 ? random.Next(bytes.Length) : bytes.Length), 0);
            try
            {
                OffsetCheckpoint.Read(storage, "/c");
                read++;
            }
            catch (CorruptLogException)
            {
                // What it is for.
            }
        }
        Assert.InRange(read, 100, 2900);
    }

    /// <summary>
    /// A broker's life, and a power cut before each of its calls in turn: what was acknowledged as durable is there, and a
    /// stop is taken for a clean one only if nothing of what was appended is missing.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_power_cut_at_any_call_loses_nothing_durable_and_makes_no_stop_a_clean_one(int seed)
    {
        var calls = Life(seed, cutAt: int.MaxValue, out var wasClean);
        Assert.True(calls > 200, $"{calls} calls");
        Assert.True(wasClean);
        for (var cutAt = 1; cutAt <= calls; cutAt += seed)
            Life(seed, cutAt, out _);
    }

    private static int Life(int seed, int cutAt, out bool wasClean)
    {
        var storage = new FaultyStorage(seed);
        var calls = 0;
        storage.BeforeCall = (_, _) =>
        {
            if (Interlocked.Increment(ref calls) == cutAt)
                storage.Stop();
        };
        var config = Config with { FlushPolicy = FlushPolicy.Each };
        var options = new LogDirectoryOptions { Storage = storage, Parallelism = 1, Gaps = OffsetGaps.Lost };
        TopicPartition[] partitions = [new("t", 0), new("t", 1), new("u", 0)];
        var durable = new Dictionary<TopicPartition, long>();
        var appended = new Dictionary<TopicPartition, long>();
        var random = new Random(seed);
        // A process that has lost its disk is told here: its calls do nothing.
        void Live()
        {
            if (calls >= cutAt)
                throw new IOException("the power is off");
        }

        try
        {
            for (var life = 0; life < 3; life++)
            {
                using var directory = LogDirectory.Open(Root, config, options);
                foreach (var partition in partitions[..(life + 1)])
                {
                    if (!directory.Logs.TryGetValue(partition, out var log))
                        log = directory.Create(partition, TopicId);
                    for (var i = 0; i < 30; i++)
                    {
                        appended[partition] = Math.Max(appended.GetValueOrDefault(partition), log.EndOffset + 1);
                        Append(log, 1);
                        Live();
                        durable[partition] = log.EndOffset;
                    }
                }
                if (life == 1)
                {
                    var cut = random.Next(10, 50);
                    // Until it has returned it may be cut or not.
                    durable[partitions[0]] = Math.Min(durable[partitions[0]], cut);
                    directory.Truncate(partitions[0], cut);
                    Append(directory.Logs[partitions[0]], 1);
                    Live();
                    durable[partitions[0]] = cut + 1;
                }
                directory.Checkpoint();
                if (life != 1)
                    directory.Close();
                else
                    directory.Abandon();
            }
        }
        catch (IOException) when (calls >= cutAt)
        {
            // The disk is gone.
        }
        storage.BeforeCall = null;
        storage.CutPower();
        using var after = LogDirectory.Open(Root, config, options);
        Assert.Empty(after.Report.Failed);
        wasClean = after.Report.CleanStop;
        foreach (var (partition, end) in durable)
        {
            var found = after.Logs.TryGetValue(partition, out var log) ? log.EndOffset : -1;
            Assert.True(found >= end, $"seed {seed}, cut at call {cutAt}: {partition} ends at {found}, and was durable up to {end}");
            Assert.True(found <= appended[partition]);
            if (!wasClean)
                continue;
            // Nothing was looked at: then nothing may be wrong.
            Assert.Empty(log!.Recovery.Recovered);
            Assert.Empty(log.Recovery.Notes);
        }
        foreach (var log in after.Logs.Values)
        {
            long next = 0;
            while (next < log.EndOffset)
            {
                using var range = log.Read(next, 1);
                var bytes = new byte[range.LengthBytes];
                range.CopyTo(bytes);
                var batch = new BatchView(bytes);
                Assert.Equal(next, batch.BaseOffset);
                Assert.Equal(batch.Crc, batch.ComputeCrc());
                next = batch.LastOffset + 1;
            }
        }
        return calls;
    }

    private static void Append(PartitionLog log, int batches)
    {
        var builder = new RecordBatchBuilder();
        for (var i = 0; i < batches; i++)
        {
            builder.Begin(new BatchSettings());
            builder.Append(1000 + i, default, new byte[100], NullParts.Key);
            log.Append(builder.Build());
        }
    }

    private static string TextOf(FaultyStorage storage, string name)
    {
        var path = Path.Combine(Root, name);
        return Encoding.UTF8.GetString(storage.Contents(Path.GetDirectoryName(path)!)[Path.GetFileName(path)]);
    }

    private static void SmallWrite(FaultyStorage storage, string name, string content)
    {
        using var file = storage.Open(Path.Combine(Root, name), OpenMode.Write | OpenMode.Create);
        file.Write(Encoding.UTF8.GetBytes(content), 0);
    }
}
