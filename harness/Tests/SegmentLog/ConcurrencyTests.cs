using System.Collections.Concurrent;
using Bench.SegmentLog;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Inspect;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>
/// Eight producers and several readers on a real folder, with segments so small that rolls and preallocation meet
/// appends all the time. A record tells which producer wrote it and as which of its records, so that a reader knows
/// what has to be where. Nothing here depends on how long anything takes.
/// </summary>
public class ConcurrencyTests
{
    private const int Producers = 8;

    public static TheoryData<string, FlushMethod, Preallocation, WritePath, int> Cases => new()
    {
        // Policy, method, preallocation, path, batches of each producer.
        { "none", FlushMethod.Fdatasync, Preallocation.None, WritePath.Buffered, 600 },
        { "none", FlushMethod.WriteBehind, Preallocation.Zeroed, WritePath.Buffered, 600 },
        { "none", FlushMethod.Fdatasync, Preallocation.Fallocate, WritePath.Direct, 300 },
        { "none", FlushMethod.Fdatasync, Preallocation.Zeroed, WritePath.Direct, 300 },
        { "roll", FlushMethod.Fdatasync, Preallocation.Zeroed, WritePath.Buffered, 300 },
        { "records:100", FlushMethod.Fdatasync, Preallocation.None, WritePath.Buffered, 150 },
        { "interval:1", FlushMethod.Fdatasync, Preallocation.Fallocate, WritePath.Buffered, 150 },
        { "group:0", FlushMethod.Fdatasync, Preallocation.Zeroed, WritePath.Buffered, 100 },
        { "group:200", FlushMethod.WriteBehind, Preallocation.None, WritePath.Buffered, 100 },
        { "group:0", FlushMethod.Fdatasync, Preallocation.Zeroed, WritePath.Direct, 100 },
        { "each", FlushMethod.RwfDSync, Preallocation.Zeroed, WritePath.Buffered, 40 },
        { "each", FlushMethod.DSync, Preallocation.Zeroed, WritePath.Direct, 40 },
        { "each", FlushMethod.Fdatasync, Preallocation.None, WritePath.Buffered, 40 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Producers_and_readers_beside_each_other_get_every_record_once_and_where_it_belongs(
        string policy, FlushMethod method, Preallocation preallocation, WritePath path, int batches) => Run(policy, method, preallocation, path, batches);

    [Disk.IoUringTheory]
    [InlineData("none", Preallocation.Zeroed, 300)]
    [InlineData("group:0", Preallocation.Zeroed, 100)]
    [InlineData("each", Preallocation.None, 40)]
    public void Likewise_through_io_uring(string policy, Preallocation preallocation, int batches) => Run(policy, FlushMethod.Fdatasync, preallocation, WritePath.IoUring, batches);

    [Fact]
    public void A_range_that_a_reader_holds_can_be_read_after_the_log_is_closed()
    {
        using var folder = new TestFolder();
        var log = PartitionLog.Open(folder.File("t-0"), Config("none", FlushMethod.Fdatasync, Preallocation.Zeroed, WritePath.Buffered));
        var writer = new TaggedWriter(0);
        for (var i = 0; i < 200; i++)
            writer.Append(log);
        var ranges = new List<LogRange>();
        for (long offset = 0; offset < log.EndOffset; offset += 50)
            ranges.Add(log.Read(offset, 1000));
        log.Close();
        foreach (var range in ranges)
        {
            var bytes = new byte[range.LengthBytes];
            Assert.Equal(bytes.Length, range.CopyTo(bytes));
            Assert.True(TaggedRecords.Seen(bytes).Count > 0);
            range.Dispose();
        }
    }

    [Fact]
    public async Task Logs_that_are_abandoned_together_do_not_wait_for_each_others_epochs()
    {
        using var folder = new TestFolder();
        using var worker = new LogWorker();
        using var gate = new ManualResetEventSlim();
        var logs = Enumerable.Range(0, 3).Select(partition => PartitionLog.Open(
            folder.File($"t-{partition}"), Config("none", FlushMethod.Fdatasync, Preallocation.None, WritePath.Buffered), new LogOpenOptions { Worker = worker })).ToArray();
        var writer = new TaggedWriter(0);
        long EpochBytes(PartitionLog log) => new FileInfo(Path.Combine(log.Folder, "leader-epoch-checkpoint")).Length;

        writer.Append(logs[0]);
        worker.Drain();
        Assert.True(EpochBytes(logs[0]) > 0, "the first append of an epoch has it saved");
        worker.Post(gate.Wait);
        writer.Append(logs[1]);
        writer.Append(logs[2]);
        var abandoning = Task.Run(() => PartitionLog.AbandonAll(logs));
        // Once the first is closed all are abandoned, and it waits for the worker.
        while (!IsClosed(logs[0]))
            await Task.Yield();
        gate.Set();
        await abandoning;
        Assert.Equal([0, 0], logs[1..].Select(EpochBytes));
        Assert.All(logs, log => Assert.True(IsClosed(log)));

        static bool IsClosed(PartitionLog log)
        {
            try
            {
                log.Flush();
                return false;
            }
            catch (ObjectDisposedException)
            {
                return true;
            }
        }
    }

    [Fact]
    public void Producers_that_wait_for_a_flush_each_take_turns()
    {
        using var folder = new TestFolder();
        using var log = PartitionLog.Open(folder.File("t-0"), Config("each", FlushMethod.Fdatasync, Preallocation.None, WritePath.Buffered));
        var order = new ConcurrentDictionary<long, int>();
        using var start = new Barrier(Producers);
        var threads = Enumerable.Range(0, Producers).Select(producer => new Thread(() =>
        {
            var writer = new TaggedWriter(producer);
            start.SignalAndWait();
            for (var i = 0; i < 40; i++)
                order[writer.Append(log)[0].Offset] = producer;
        })).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        // While the first half was appended nobody had ended. A lock that whoever has it takes again has 9 of 10 here.
        int[] half = [.. order.OrderBy(pair => pair.Key).Select(pair => pair.Value).Take(order.Count / 2)];
        var again = half.Zip(half.Skip(1)).Count(pair => pair.First == pair.Second);
        Assert.True(again < half.Length / 4, $"{again} of {half.Length} appends were by the producer of the append before");
    }

    [Fact]
    public async Task A_reader_that_waits_is_woken_by_the_end_of_the_log()
    {
        using var folder = new TestFolder();
        var log = PartitionLog.Open(folder.File("t-0"), Config("none", FlushMethod.Fdatasync, Preallocation.None, WritePath.Buffered));
        var waiting = Task.Run(() => log.WaitFor(0, TimeSpan.FromMinutes(5)));
        log.Close();
        Assert.False(await waiting.WaitAsync(TimeSpan.FromMinutes(1)));
    }

    [Theory]
    [InlineData("group:0", Preallocation.Zeroed)]
    [InlineData("interval:1", Preallocation.None)]
    [InlineData("roll", Preallocation.Fallocate)]
    public async Task Producers_and_readers_beside_compactions_always_find_the_latest_value_of_each_key(string policy, Preallocation preallocation)
    {
        const int Keys = 20, Appends = 400;
        using var folder = new TestFolder();
        var config = Config(policy, FlushMethod.Fdatasync, preallocation, WritePath.Buffered) with { CleanupPolicy = CleanupPolicy.Compact, SegmentBytes = 2048, PreallocationChunkBytes = 1024, FileDeleteDelayMs = 0, CompactionMapBytes = 480 };
        using var log = PartitionLog.Open(folder.File("t-0"), config);
        // Of each key one thread writes: its values rise.
        var written = new int[Keys];
        var producers = Enumerable.Range(0, 2).Select(producer => Task.Factory.StartNew(() =>
        {
            var builder = new RecordBatchBuilder();
            var random = new Random(producer);
            for (var value = 1; value <= Appends; value++)
            {
                var key = random.Next(Keys / 2) * 2 + producer;
                builder.Begin(new BatchSettings());
                builder.Append(value, [(byte)key], BitConverter.GetBytes(value));
                log.Append(builder.Build());
                Volatile.Write(ref written[key], value);
            }
        }, TaskCreationOptions.LongRunning)).ToArray();
        var compactions = Task.Factory.StartNew(() =>
        {
            long cleaned = 0;
            while (!producers.All(producer => producer.IsCompleted))
                cleaned += log.Compact().RecordsDropped;
            return cleaned;
        }, TaskCreationOptions.LongRunning);
        do
        {
            var before = written.Select((_, key) => Volatile.Read(ref written[key])).ToArray();
            var found = LatestValues(log, Keys);
            for (var key = 0; key < Keys; key++)
                Assert.True(found[key] >= before[key], $"key {key} has the value {found[key]}, and had {before[key]} before the read");
            Assert.True(before.All(value => value == 0) || log.FindTimestamp(before.Max())?.Timestamp >= before.Max(), "a record that is the latest of its key is not found by its time");
            log.Flush();
        }
        while (!compactions.IsCompleted);
        await Task.WhenAll(producers);
        Assert.True(await compactions + log.Compact().RecordsDropped > 0, "nothing was compacted");
        Assert.Equal(written, LatestValues(log, Keys));
        log.Close();
        Assert.Empty(LogVerifier.Verify(folder.File("t-0"), new LogVerifierOptions()).Faults);
        using var again = PartitionLog.Open(folder.File("t-0"), config);
        Assert.Equal(written, LatestValues(again, Keys));
    }

    private static int[] LatestValues(PartitionLog log, int keys)
    {
        var found = new int[keys];
        for (var next = log.StartOffset; ;)
        {
            using var range = log.Read(next, 1 << 20);
            if (range.IsEmpty)
                return found;
            var bytes = new byte[range.LengthBytes];
            Assert.Equal(bytes.Length, range.CopyTo(bytes));
            foreach (var batch in ParsedBatch.ParseAll(bytes, "range"))
            {
                foreach (var record in batch.Records)
                    found[record.Key![0]] = BitConverter.ToInt32(record.Value);
                next = batch.LastOffset + 1;
            }
        }
    }

    private static LogConfig Config(string policy, FlushMethod method, Preallocation preallocation, WritePath path) => new()
    {
        FlushPolicy = FlushPolicy.Parse(policy, null),
        FlushMethod = method,
        Preallocation = preallocation,
        WritePath = path,
        SegmentBytes = 128 << 10,
        IndexIntervalBytes = 512,
        PreallocationChunkBytes = 16 << 10,
    };

    private static void Run(string policy, FlushMethod method, Preallocation preallocation, WritePath path, int batches)
    {
        using var folder = new TestFolder();
        var name = folder.File("t-0");
        var log = PartitionLog.Open(name, Config(policy, method, preallocation, path));
        var failures = new ConcurrentQueue<Exception>();
        var acknowledged = new ConcurrentDictionary<long, Tag>();
        var seen = new ConcurrentBag<Dictionary<long, Tag>>();
        var producing = Producers;
        var threads = new List<Thread>();
        for (var p = 0; p < Producers; p++)
        {
            var writer = new TaggedWriter(p);
            Start(() =>
            {
                for (var i = 0; i < batches && failures.IsEmpty; i++)
                {
                    foreach (var (offset, record) in writer.Append(log))
                        acknowledged[offset] = record;
                    if (FlushPolicy.Parse(policy, null).IsDurable && log.DurableOffset <= writer.LastOffset)
                        throw new InvalidOperationException($"{policy} has returned, and {writer.LastOffset} is not durable");
                }
                Interlocked.Decrement(ref producing);
            });
        }
        // Two that follow the tail and must see every offset, and two that look here and there.
        for (var r = 0; r < 2; r++)
            Start(() => FollowTail(log, () => Volatile.Read(ref producing) > 0 && failures.IsEmpty, seen));
        for (var r = 0; r < 2; r++)
        {
            var random = new Random(r);
            Start(() => LookAround(log, random, () => Volatile.Read(ref producing) > 0 && failures.IsEmpty, seen));
        }
        foreach (var thread in threads)
            thread.Join();
        if (failures.TryPeek(out var failure))
            throw new InvalidOperationException(failure.Message, failure);

        var end = log.EndOffset;
        Assert.Equal(acknowledged.Count, end);
        log.Close();
        foreach (var reader in seen)
            foreach (var (offset, record) in reader)
                Assert.Equal(acknowledged[offset], record);
        var stored = TaggedRecords.InFolder(name);
        Assert.Equal(acknowledged.OrderBy(pair => pair.Key), stored.OrderBy(pair => pair.Key));
        // A producer's records are in the order in which it wrote them.
        foreach (var producer in stored.OrderBy(pair => pair.Key).Select(pair => pair.Value).GroupBy(record => record.Producer))
            Assert.Equal(Enumerable.Range(0, producer.Count()), producer.Select(record => record.Number));
        Assert.Empty(LogVerifier.Verify(name, new LogVerifierOptions()).Faults);
        using var again = PartitionLog.Open(name, Config(policy, method, preallocation, path), new LogOpenOptions { CleanStop = true });
        Assert.Equal(end, again.EndOffset);

        void Start(Action act)
        {
            var thread = new Thread(() =>
            {
                try
                {
                    act();
                }
                catch (Exception exception)
                {
                    failures.Enqueue(exception);
                    Interlocked.Decrement(ref producing);
                }
            });
            threads.Add(thread);
            thread.Start();
        }
    }

    private static void FollowTail(PartitionLog log, Func<bool> goesOn, ConcurrentBag<Dictionary<long, Tag>> seen)
    {
        var found = new Dictionary<long, Tag>();
        var buffer = new byte[256 << 10];
        long next = 0;
        while (true)
        {
            var isLast = !goesOn();
            if (!log.WaitFor(next, TimeSpan.FromMilliseconds(20)))
            {
                if (isLast)
                    break;
                continue;
            }
            var before = next;
            using (var range = log.Read(next, 64 << 10))
                foreach (var (offset, record) in TaggedRecords.Seen(buffer.AsSpan(0, range.CopyTo(buffer)), range.LimitOffset))
                {
                    if (offset < next)
                        continue;
                    if (offset != next)
                        throw new InvalidOperationException($"a reader of the tail came from {next} to {offset}");
                    found[next++] = record;
                }
            if (next == before)
                throw new InvalidOperationException($"a read from {next} below the high watermark {log.HighWatermark} gave nothing");
        }
        seen.Add(found);
    }

    private static void LookAround(PartitionLog log, Random random, Func<bool> goesOn, ConcurrentBag<Dictionary<long, Tag>> seen)
    {
        var found = new Dictionary<long, Tag>();
        var buffer = new byte[64 << 10];
        while (goesOn())
        {
            var high = log.HighWatermark;
            if (high == 0)
                continue;
            var offset = random.NextInt64(high);
            using var range = log.Read(offset, 16 << 10);
            var records = TaggedRecords.Seen(buffer.AsSpan(0, range.CopyTo(buffer)), range.LimitOffset);
            if (!records.ContainsKey(offset))
                throw new InvalidOperationException($"offset {offset} is not in the range that was read for it, below the high watermark {high}");
            foreach (var (at, record) in records)
                found[at] = record;
            if (random.Next(50) == 0 && log.FindTimestamp(0) is not { Offset: 0 })
                throw new InvalidOperationException("the first record is not found by its time");
        }
        seen.Add(found);
    }
}
