using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using Bench.SegmentLog;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Inspect;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>
/// Random bytes and mutated golden folders: opening, reading, showing and verifying them gives a result or a
/// <see cref="CorruptLogException"/> with file and position, and takes no more memory than a bound.
/// BENCH_SOAK_MUTATIONS says how many; each has a seed of its own, which a failure tells.
/// </summary>
public class HostileFolderTests
{
    private const int MutationsOnCi = 100_000;
    private const int MostDecompressedBytes = 1 << 20;

    // The folder in memory, what is decompressed in it, and the buffers of scans.
    private const long MostBytesAllocated = 48 << 20;

    private static readonly byte[][] Batches = [.. ((string[])["plain-0", "codecs-0", "txn-0"]).SelectMany(Golden.Batches).Where(batch => batch.Length < 4000), .. Golden.Batches("legacy-0").Take(3)];
    private static readonly MemoryStorage[] Folders =
        [.. ((string[])["base-0", "txn-0", "plain-0", "codecs-0", "legacy-0", "damaged/zero-tail-4096B-0", "damaged/index-garbage-middle-0"]).Select(name => GoldenManifest.Load(Path.Combine(Golden.FullPath, name)))];
    private static readonly LogConfig Config = GoldenManifest.Open("base-0").Config with { FlushPolicy = FlushPolicy.None, MaxDecompressedBytes = MostDecompressedBytes };

    [Fact]
    public void Any_content_gives_a_result_or_is_named_with_file_and_position()
    {
        var count = Environment.GetEnvironmentVariable("BENCH_SOAK_MUTATIONS") is { } soak ? long.Parse(soak, CultureInfo.InvariantCulture) : MutationsOnCi;
        var first = Environment.GetEnvironmentVariable("BENCH_SEED") is { } given ? long.Parse(given, CultureInfo.InvariantCulture) : 20251125;
        OwnThreads.For(count, i =>
        {
            Try(first + i);
            return true;
        });
    }

    private static void Try(long seed)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            var random = new Random((int)(seed ^ (seed >> 32)));
            var storage = random.Next(16) == 0 ? MutatedFolder(random) : MutatedBatches(random);
            ShowAndVerify(storage);
            OpenAndRead(storage, random);
            // What came of it, too; it is a sound log mostly.
            if (random.Next(4) == 0)
                ShowAndVerify(storage);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"BENCH_SEED={seed} BENCH_SOAK_MUTATIONS=1 shows it again", exception);
        }
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < MostBytesAllocated, $"BENCH_SEED={seed} BENCH_SOAK_MUTATIONS=1 allocates {allocated} bytes");
    }

    private static void ShowAndVerify(MemoryStorage storage)
    {
        NamedOrNothing(() =>
        {
            foreach (var damage in LogDump.Write("/log", Stream.Null, new LogDumpOptions { Storage = storage, Format = DumpFormat.Json, Records = true, MaxBatchBytes = MostDecompressedBytes }))
                AssertNamed(damage);
        });
        NamedOrNothing(() =>
        {
            foreach (var fault in LogVerifier.Verify("/log", new LogVerifierOptions { Storage = storage, MaxBatchBytes = MostDecompressedBytes }).Faults)
                Assert.True(fault.File.StartsWith("/log/", StringComparison.Ordinal) && fault.Position >= 0 && fault.Sentence.Length > 0, fault.ToString());
        });
    }

    private static void OpenAndRead(MemoryStorage storage, Random random)
    {
        NamedOrNothing(() =>
        {
            var options = new LogOpenOptions { Storage = storage, Clock = GoldenManifest.Clock, CleanStop = random.Next(2) == 0, Worker = LogWorker.AtOnce };
            using var log = PartitionLog.Open("/log", Config, options);
            foreach (var segment in log.Segments)
            {
                NamedOrNothing(() => segment.Find(segment.BaseOffset + random.Next(30)));
                NamedOrNothing(() => log.FindTimestamp(segment, 1700000000000 + random.Next(300), segment.BaseOffset));
            }
            if (log.StartOffset <= log.EndOffset)
            {
                NamedOrNothing(() => log.Read(log.StartOffset, 1 << 20).Dispose());
                NamedOrNothing(() => log.AbortedTransactions(log.StartOffset, log.EndOffset));
            }
            NamedOrNothing(() => log.FindTimestamp(1700000000000));
            log.Close();
            // It is opened: whatever is in the folder now, all of it is told.
            if (random.Next(4) != 0)
                return;
            using var json = new Utf8JsonWriter(Stream.Null);
            RecoveryCopy.Write(json, log.Recovery, storage, "/log");
        });
    }

    private static void NamedOrNothing(Action action)
    {
        try
        {
            action();
        }
        catch (CorruptLogException exception)
        {
            AssertNamed(exception);
        }
    }

    private static void AssertNamed(CorruptLogException exception) =>
        Assert.True(exception.File.StartsWith("/log/", StringComparison.Ordinal) && exception.Position >= 0 && exception.Reason.Length > 0, exception.ToString());

    /// <summary>A segment of one to four batches, one of them mutated, or of random bytes.</summary>
    private static MemoryStorage MutatedBatches(Random random)
    {
        var log = new List<byte>();
        var count = random.Next(1, 5);
        var wrong = random.Next(count);
        for (var i = 0; i < count; i++)
        {
            var batch = Batches[random.Next(Batches.Length)].ToArray();
            if (i == wrong)
                batch = random.Next(20) == 0 ? RandomBytes(random, random.Next(200)) : Mutate(batch, random);
            else if (random.Next(2) == 0)
                BinaryPrimitives.WriteInt64BigEndian(batch, i * 10);
            log.AddRange(batch);
        }
        var storage = new MemoryStorage();
        storage.Put("/log/00000000000000000000.log", [.. log]);
        if (random.Next(2) == 0)
            storage.Put("/log/00000000000000000000.index", []);
        if (random.Next(4) == 0)
            storage.Put("/log/00000000000000000000.timeindex", RandomBytes(random, 12 * random.Next(3)));
        return storage;
    }

    /// <summary>Changes a few bytes, often ones that mean much; half of the time the checksum is made right again, so that what is behind it is reached.</summary>
    private static byte[] Mutate(byte[] batch, Random random)
    {
        for (var changes = random.Next(1, 5); changes > 0; changes--)
        {
            var at = random.Next(3) == 0 ? random.Next(Math.Min(batch.Length, 75)) : random.Next(batch.Length);
            switch (random.Next(5))
            {
                case 0:
                    batch[at] = (byte)random.Next(256);
                    break;
                case 1:
                    batch[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    batch[at] = random.Next(2) == 0 ? (byte)0 : (byte)255;
                    break;
                case 3 when batch.Length > 64:
                    batch.AsSpan(at, Math.Min(random.Next(1, 9), batch.Length - at)).Fill((byte)random.Next(256));
                    break;
                default:
                    var length = Math.Max(20, batch.Length + random.Next(-20, 20));
                    Array.Resize(ref batch, length);
                    if (random.Next(2) == 0)
                        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(8), length - 12);
                    break;
            }
        }
        if (batch.Length > 61 && random.Next(2) == 0)
        {
            var said = BinaryPrimitives.ReadInt32BigEndian(batch.AsSpan(8)) + 12L;
            BinaryPrimitives.WriteUInt32BigEndian(batch.AsSpan(17), Crc32C.Compute(batch.AsSpan(21..(int)Math.Clamp(said, 21, batch.Length))));
        }
        return batch;
    }

    private static MemoryStorage MutatedFolder(Random random)
    {
        var storage = Folders[random.Next(Folders.Length)].Clone();
        string[] paths = [.. storage.Paths.Order(StringComparer.Ordinal)];
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var path = paths[random.Next(paths.Length)];
            if (!storage.Exists(path))
                continue;
            var bytes = storage.Get(path);
            switch (random.Next(9))
            {
                case 0:
                    storage.Delete(path);
                    break;
                case 1:
                    storage.Put(path, bytes[..random.Next(bytes.Length + 1)]);
                    break;
                case 2:
                    storage.Put(path, [.. bytes, .. RandomBytes(random, random.Next(300))]);
                    break;
                case 3:
                    storage.Put(path, RandomBytes(random, random.Next(bytes.Length + 100)));
                    break;
                case 4:
                    // Another file's content, or another file's name.
                    storage.Put(path, storage.Get(storage.Paths.ElementAt(random.Next(storage.Paths.Count()))).ToArray());
                    break;
                case 5:
                    storage.Rename(path, path + (random.Next(3) switch { 0 => LogFiles.Swap, 1 => LogFiles.Cleaned, _ => LogFiles.Deleted }));
                    break;
                case 6:
                    var name = Path.GetFileName(path);
                    storage.Rename(path, "/log/" + random.Next(200).ToString("D20", CultureInfo.InvariantCulture) + Path.GetExtension(name));
                    break;
                default:
                    if (bytes.Length > 0)
                        storage.Put(path, Mutate(bytes.Length < 20 ? [.. bytes, .. new byte[20]] : bytes, random));
                    break;
            }
        }
        return storage;
    }

    private static byte[] RandomBytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
