using System.Text;
using Bench.Disk;
using Bench.SegmentLog;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Storage;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.SegmentLog;

public class CompactorTests
{
    [Fact]
    public void The_latest_value_of_each_key_stays_and_offsets_do_not_change()
    {
        for (var seed = 0; seed < 300; seed++)
            Run(seed, transactions: 0, mapBytes: 1 << 20);
    }

    [Fact]
    public void Keys_that_do_not_fit_the_map_take_several_passes()
    {
        for (var seed = 0; seed < 100; seed++)
            Run(seed, transactions: 30, mapBytes: 96);
    }

    [Fact]
    public void Aborted_records_go_and_committed_ones_stay()
    {
        for (var seed = 0; seed < 300; seed++)
            Run(seed, transactions: 50, mapBytes: 1 << 20);
    }

    [Fact]
    public void A_second_compaction_of_a_log_without_transactions_changes_nothing()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var run = new CompactedRun(new MemoryStorage(), seed, transactions: 0, mapBytes: 1 << 20);
            run.Open(clean: false);
            run.Fill();
            run.Log.Compact();
            var before = Logs(run.Storage);
            var report = run.Log.Compact();
            Assert.True(report.BytesBefore == report.BytesAfter && report.RecordsDropped == 0, $"seed {seed}");
            Assert.Equal(before, Logs(run.Storage));
            run.Log.Close();
        }
    }

    [Fact]
    public void A_tombstone_goes_once_its_delete_horizon_has_passed()
    {
        var run = new CompactedRun(new MemoryStorage(), seed: 1, transactions: 0, mapBytes: 1 << 20);
        run.Open(clean: false);
        run.Append("a", "1");
        run.Append("a", null);
        run.Append("b", "2");
        run.Log.Roll();
        Assert.Equal(2, run.Log.Compact().RecordsKept);
        run.Clock.NowMs += 999;
        Assert.Equal(2, run.Log.Compact().RecordsKept);
        run.Clock.NowMs += 1;
        Assert.Equal(1, run.Log.Compact().RecordsKept);
        Assert.Equal(["b=2"], run.Visible().Select(pair => $"{pair.Key}={pair.Value}"));
        run.Log.Close();
    }

    [Fact]
    public void A_crash_at_any_operation_of_a_compaction_loses_no_value()
    {
        for (var seed = 0; seed < 8; seed++)
        {
            var filled = new MemoryStorage();
            var first = new CompactedRun(filled, seed, transactions: seed % 2 * 40, mapBytes: 1 << 20);
            first.Open(clean: false);
            first.Fill();
            first.Log.Close();
            for (var at = 1; ; at++)
            {
                var disk = filled.Clone();
                var crashing = new CrashingStorage(disk);
                var run = new CompactedRun(disk, seed, 0, 1 << 20) { Through = crashing };
                run.Open(clean: true);
                var expected = run.Visible();
                var producers = run.States();
                crashing.Left = at;
                var crashed = false;
                try
                {
                    run.Log.Compact();
                }
                catch (IOException)
                {
                    crashed = true;
                }
                run.Log.Abandon();
                run.Through = disk;
                run.Open(clean: false);
                run.Check(expected, $"seed {seed}, crash at operation {at}");
                Assert.Equal(producers, run.States());
                run.Log.Compact();
                run.Check(expected, $"seed {seed}, compacted after a crash at operation {at}");
                run.Log.Close();
                if (!crashed)
                {
                    Assert.True(at > 20, $"only {at} operations were tried");
                    break;
                }
            }
        }
    }

    [Fact]
    public void A_record_without_a_key_is_refused()
    {
        var run = new CompactedRun(new MemoryStorage(), 1, 0, 1 << 20);
        run.Open(clean: false);
        var builder = new RecordBatchBuilder();
        builder.Append(1, default, "value"u8, NullParts.Key);
        var refused = Assert.Throws<AppendRejectedException>(() => run.Log.Append(builder.Build()));
        Assert.Equal(AppendError.InvalidRecord, refused.Error);
        run.Log.Close();
    }

    [Fact]
    public async Task Readers_beside_a_compaction_see_every_latest_value()
    {
        var run = new CompactedRun(new MemoryStorage(), 5, 30, 1 << 20);
        run.Open(clean: false);
        run.Fill();
        var expected = run.Visible();
        var compacting = Task.Run(() =>
        {
            for (var i = 0; i < 30; i++)
                run.Log.Compact();
        });
        do
            Assert.Equal(expected, run.Visible());
        while (!compacting.IsCompleted);
        await compacting;
        run.Log.Close();
    }

    private static void Run(int seed, int transactions, long mapBytes)
    {
        var run = new CompactedRun(new MemoryStorage(), seed, transactions, mapBytes);
        run.Open(clean: false);
        run.Fill();
        var expected = run.Visible();
        Assert.Equal(run.Model, expected);
        for (var pass = 0; pass < 4; pass++)
        {
            run.Clock.NowMs += 600;
            var producers = run.States();
            var report = run.Log.Compact();
            Assert.True(report.IsComplete);
            run.Check(expected, $"seed {seed}, compaction {pass}");
            if (transactions == 0)
                Assert.Equal(report.CleanedTo == 0 ? 0 : run.LatestBefore(report.CleanedTo), pass == 3 ? run.ValuesBefore(report.CleanedTo) : run.LatestBefore(report.CleanedTo));
            if (pass % 2 == 0)
            {
                run.Log.Close();
                run.Open(clean: true);
            }
            else
            {
                run.Log.Abandon();
                run.Open(clean: false);
            }
            run.Check(expected, $"seed {seed}, opened after compaction {pass}");
            Assert.True(producers == run.States(), $"seed {seed}, producers after compaction {pass}:\n{producers}\n{run.States()}");
        }
        run.Log.Close();
    }

    /// <summary>All batches in order: smaller segments may go together into one.</summary>
    private static string Logs(MemoryStorage storage) => string.Concat(storage.Paths.Where(path => path.EndsWith(".log", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal).Select(path => Convert.ToHexString(storage.Get(path))));
}

/// <summary>A compacted log in memory, what was written to it, and what it must show.</summary>
internal sealed class CompactedRun(MemoryStorage storage, int seed, int transactions, long mapBytes)
{
    private const string Folder = "/logs/topic-0";
    private readonly Random random = new(seed);
    private readonly RecordBatchBuilder builder = new();
    private readonly Dictionary<long, int> sequences = [];

    public MemoryStorage Storage => storage;

    public IStorage Through { get; set; } = storage;

    public SetClock Clock { get; } = new();

    public PartitionLog Log { get; private set; } = null!;

    public SortedDictionary<string, string?> Model { get; } = new(StringComparer.Ordinal);

    public void Open(bool clean) => Log = PartitionLog.Open(Folder, new LogConfig
    {
        CleanupPolicy = CleanupPolicy.Compact, SegmentBytes = 2048, IndexIntervalBytes = 100, DeleteRetentionMs = 1000, CompactionMapBytes = mapBytes,
        FileDeleteDelayMs = 0, FlushPolicy = FlushPolicy.None, ProducerIdExpirationMs = long.MaxValue,
    }, new LogOpenOptions { Storage = Through, Clock = Clock, Worker = LogWorker.AtOnce, CleanStop = clean });

    public void Append(string key, string? value)
    {
        builder.Begin(new BatchSettings());
        Add(key, value);
        Log.Append(builder.Build());
        Apply([(key, value)]);
    }

    public void Fill()
    {
        var count = random.Next(20, 80);
        for (var i = 0; i < count; i++)
        {
            var isTransaction = random.Next(100) < transactions;
            var producer = isTransaction || random.Next(4) == 0 ? random.Next(3) : -1L;
            var all = new List<(string, string?)>();
            for (var batches = isTransaction ? random.Next(1, 4) : 1; batches > 0; batches--)
            {
                var sequence = sequences.GetValueOrDefault(producer);
                builder.Begin(new BatchSettings
                {
                    Compression = random.Next(3) == 0 ? (Compression)random.Next(1, 5) : Compression.None,
                    ProducerId = producer, ProducerEpoch = (short)(producer < 0 ? -1 : 0), BaseSequence = producer < 0 ? -1 : sequence, IsTransactional = isTransaction,
                });
                var records = random.Next(1, 6);
                for (var r = 0; r < records; r++)
                {
                    var value = random.Next(5) == 0 ? null : new string((char)('a' + random.Next(26)), random.Next(60));
                    all.Add(($"k{random.Next(15)}", value));
                    Add(all[^1].Item1, value);
                }
                sequences[producer] = sequence + records;
                Log.Append(builder.Build());
            }
            var aborts = isTransaction && random.Next(2) == 0;
            if (isTransaction)
                Log.EndTransaction(producer, 0, aborts ? TransactionEnd.Abort : TransactionEnd.Commit, 0);
            if (!aborts)
                Apply(all);
            Clock.NowMs += random.Next(10);
        }
        if (random.Next(2) == 0)
            Log.Roll();
    }

    /// <summary>The latest value of each key, as a consumer of committed records sees it; deleted keys are not there.</summary>
    public SortedDictionary<string, string?> Visible()
    {
        var found = new SortedDictionary<string, string?>(StringComparer.Ordinal);
        foreach (var (key, value, _) in Records())
            if (value is null)
                found.Remove(key);
            else
                found[key] = value;
        return found;
    }

    public int LatestBefore(long offset) => Records().Where(record => record.Offset < offset && record.Value is not null).GroupBy(record => record.Key).Count(
        group => Records().Last(record => record.Offset < offset && record.Key == group.Key).Value is not null);

    public int ValuesBefore(long offset) => Records().Count(record => record.Offset < offset && record.Value is not null);

    /// <summary>What the next append of each producer is held against.</summary>
    public string States() => string.Join('\n', Log.Producers.Producers.OrderBy(producer => producer.ProducerId)
        .Select(producer => $"{producer.ProducerId} epoch {producer.Epoch} last {producer.LastSequence} open {producer.TransactionFirstOffset}"));

    /// <summary>The values, and every file against the others.</summary>
    public void Check(SortedDictionary<string, string?> expected, string where)
    {
        Assert.True(expected.SequenceEqual(Visible()), $"{where}: the values changed");
        Assert.True(Log.FindTimestamp(0) is not null || Log.EndOffset == 0, where);
        var before = -1L;
        foreach (var segment in Log.Segments)
        {
            Assert.True(segment.BaseOffset > before || before < 0, $"{where}: segments overlap at {segment.BaseOffset}");
            var bytes = new byte[segment.SizeBytes];
            Assert.Equal(bytes.Length, segment.File.Read(bytes, 0));
            Assert.True(storage.Get(segment.File.Path).AsSpan(0, bytes.Length).SequenceEqual(bytes), $"{where}: the file has another name");
            var starts = new Dictionary<int, long>();
            for (var at = 0; at < bytes.Length;)
            {
                var batch = new BatchView(bytes.AsSpan(at));
                batch = new BatchView(bytes.AsSpan(at, batch.SizeBytes));
                Assert.True(batch.Crc == batch.ComputeCrc(), $"{where}: checksum at {at} of {segment.BaseOffset}");
                Assert.True(batch.BaseOffset > before && batch.LastOffset >= batch.BaseOffset, $"{where}: offset {batch.BaseOffset} after {before}");
                before = batch.LastOffset;
                starts[at] = batch.LastOffset;
                at += batch.SizeBytes;
            }
            for (var i = 0; i < segment.Offsets.Count; i++)
                Assert.True(starts.TryGetValue(segment.Offsets[i].Position, out var last) && last <= segment.Offsets[i].Offset, $"{where}: index entry {i} of {segment.BaseOffset}");
        }
        Assert.DoesNotContain(storage.Paths, path => path.EndsWith(LogFiles.Cleaned, StringComparison.Ordinal) || path.EndsWith(LogFiles.Swap, StringComparison.Ordinal));
    }

    private void Add(string key, string? value) =>
        builder.Append(Clock.NowMs, Encoding.UTF8.GetBytes(key), value is null ? default : Encoding.UTF8.GetBytes(value), value is null ? NullParts.Value : NullParts.None);

    private void Apply(IEnumerable<(string Key, string? Value)> records)
    {
        foreach (var (key, value) in records)
            if (value is null)
                Model.Remove(key);
            else
                Model[key] = value;
    }

    private List<(string Key, string? Value, long Offset)> Records()
    {
        var found = new List<(string, string?, long)>();
        var next = Log.StartOffset;
        var aborted = Log.AbortedTransactions(0, long.MaxValue);
        while (true)
        {
            using var range = Log.Read(next, 1 << 20, ReadIsolation.Committed);
            if (range.IsEmpty)
                return found;
            var bytes = new byte[range.LengthBytes];
            range.CopyTo(bytes);
            for (var at = 0; at < bytes.Length;)
            {
                var batch = new BatchView(bytes.AsSpan(at));
                batch = new BatchView(bytes.AsSpan(at, batch.SizeBytes));
                at += batch.SizeBytes;
                next = batch.NextOffset;
                var (id, first) = (batch.ProducerId, batch.BaseOffset);
                if (batch.IsControl || batch.RecordCount == 0 || (batch.IsTransactional && aborted.Any(one => one.ProducerId == id && one.FirstOffset <= first && first <= one.LastOffset)))
                    continue;
                var records = batch.Compression == Compression.None ? batch.Payload.ToArray() : Codecs.Decompress(batch.Compression, batch.Payload);
                var reader = new RecordReader(records, batch.RecordCount);
                while (reader.Next())
                    found.Add((Encoding.UTF8.GetString(reader.Current.Key), reader.Current.IsValueNull ? null : Encoding.UTF8.GetString(reader.Current.Value), batch.BaseOffset + reader.Current.OffsetDelta));
            }
        }
    }
}

internal sealed class SetClock : TimeProvider
{
    public long NowMs { get; set; } = 1_700_000_000_000;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(NowMs);
}

/// <summary>Does a number of changes more, then none: what a killed process has done.</summary>
internal sealed class CrashingStorage(IStorage disk) : IStorage
{
    public int Left { get; set; } = int.MaxValue;

    public IStorageFile Open(string path, OpenMode mode)
    {
        if (mode.HasFlag(OpenMode.Create))
            Count();
        return new CrashingFile(this, disk.Open(path, mode));
    }

    public bool Exists(string path) => disk.Exists(path);

    public IReadOnlyList<string> List(string folder) => disk.List(folder);

    public IReadOnlyList<string> ListFolders(string folder) => disk.ListFolders(folder);

    public IDisposable? TryLock(string path) => disk.TryLock(path);

    public void CreateFolder(string folder) => disk.CreateFolder(folder);

    public void Rename(string from, string to)
    {
        Count();
        disk.Rename(from, to);
    }

    public void Delete(string path)
    {
        Count();
        disk.Delete(path);
    }

    public void SyncFolder(string folder)
    {
        Count();
        disk.SyncFolder(folder);
    }

    private void Count()
    {
        if (Left != int.MaxValue && --Left < 0)
            throw new IOException("the process was killed");
    }

    private sealed class CrashingFile(CrashingStorage storage, IStorageFile file) : IStorageFile
    {
        public string Path => file.Path;

        public long LengthBytes => file.LengthBytes;

        public int Read(Span<byte> buffer, long position) => file.Read(buffer, position);

        public void Write(ReadOnlySpan<byte> bytes, long position)
        {
            storage.Count();
            file.Write(bytes, position);
        }

        public void WriteDurably(ReadOnlySpan<byte> bytes, long position) => Write(bytes, position);

        public void Fdatasync()
        {
            storage.Count();
            file.Fdatasync();
        }

        public void DropCache() => file.DropCache();

        public void StartWriteBack(long position, long lengthBytes) => file.StartWriteBack(position, lengthBytes);

        public void Allocate(long position, long lengthBytes) => file.Allocate(position, lengthBytes);

        public void Truncate(long lengthBytes)
        {
            storage.Count();
            file.Truncate(lengthBytes);
        }

        public void RenameTo(string path)
        {
            storage.Count();
            file.RenameTo(path);
        }

        public void Dispose() => file.Dispose();
    }
}
