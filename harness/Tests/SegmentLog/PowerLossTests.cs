using System.Collections.Concurrent;
using System.Globalization;
using Bench.Disk;
using Bench.SegmentLog;
using Bench.SegmentLog.Inspect;
using Bench.TestSupport;
using Xunit;
using Xunit.Abstractions;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>
/// Real power losses: a file system on a loop device is stopped in the middle of appends, comes back with what its
/// journal could save, and the log is opened. Whatever was acknowledged as durable has to be there, and what comes after
/// has to be what was appended, without a gap. <c>BENCH_POWER_CUTS</c> sets the number of cuts of each file system.
/// </summary>
public class PowerLossTests(ITestOutputHelper output)
{
    private const int Producers = 4;

    // What each promises: under each and group every append that has returned, under the others a Flush() that has.
    private static readonly (string Policy, FlushMethod Method, Preallocation Preallocation, WritePath Path)[] Kinds =
    [
        ("each", FlushMethod.Fdatasync, Preallocation.None, WritePath.Buffered),
        ("each", FlushMethod.Fdatasync, Preallocation.Zeroed, WritePath.Buffered),
        ("each", FlushMethod.RwfDSync, Preallocation.Zeroed, WritePath.Buffered),
        ("each", FlushMethod.DSync, Preallocation.Fallocate, WritePath.Buffered),
        ("each", FlushMethod.DSync, Preallocation.Zeroed, WritePath.Direct),
        ("each", FlushMethod.Fdatasync, Preallocation.Fallocate, WritePath.Direct),
        ("each", FlushMethod.Fdatasync, Preallocation.Zeroed, WritePath.IoUring),
        ("group:0", FlushMethod.Fdatasync, Preallocation.Zeroed, WritePath.Buffered),
        ("group:0", FlushMethod.WriteBehind, Preallocation.None, WritePath.Buffered),
        ("group:100", FlushMethod.Fdatasync, Preallocation.Fallocate, WritePath.Direct),
        ("group:0", FlushMethod.Fdatasync, Preallocation.None, WritePath.IoUring),
        ("none", FlushMethod.Fdatasync, Preallocation.None, WritePath.Buffered),
        ("none", FlushMethod.Fdatasync, Preallocation.Zeroed, WritePath.Direct),
        ("roll", FlushMethod.WriteBehind, Preallocation.Zeroed, WritePath.Buffered),
        ("roll", FlushMethod.Fdatasync, Preallocation.Fallocate, WritePath.Buffered),
        ("records:50", FlushMethod.Fdatasync, Preallocation.None, WritePath.Buffered),
        ("bytes:32KiB", FlushMethod.Fdatasync, Preallocation.Zeroed, WritePath.Buffered),
        ("interval:5", FlushMethod.Fdatasync, Preallocation.None, WritePath.Direct),
    ];

    private static int Cuts(int usual) =>
        int.TryParse(Environment.GetEnvironmentVariable("BENCH_POWER_CUTS"), NumberStyles.None, CultureInfo.InvariantCulture, out var cuts) ? cuts : usual;

    [RootFact("mkfs.ext4", "xfs_io", "losetup", "/dev/loop-control")]
    public void Power_cuts_of_an_ext4_lose_nothing_that_was_acknowledged_as_durable()
    {
        using var fileSystem = LoopFileSystem.Ext4(96 << 20, LoopIo.Cached);
        CutAgainAndAgain(fileSystem, Cuts(72), seed: int.Parse(Environment.GetEnvironmentVariable("BENCH_POWER_SEED") ?? "1", null));
    }

    [RootFact("mkfs.xfs", "xfs_io", "losetup", "/dev/loop-control")]
    public void Power_cuts_of_an_xfs_lose_nothing_that_was_acknowledged_as_durable()
    {
        using var fileSystem = LoopFileSystem.Xfs(io: LoopIo.Cached);
        CutAgainAndAgain(fileSystem, Cuts(54), seed: int.Parse(Environment.GetEnvironmentVariable("BENCH_POWER_SEED") ?? "2", null));
    }

    [RootFact(FaultyDisk.Needs)]
    public void A_disk_that_lies_about_flushes_is_named_as_one_that_loses_what_was_acknowledged()
    {
        using var disk = new FaultyDisk(DiskFault.LyingFlush);
        var lost = LossOf(disk);
        Assert.True(lost > 0, "a lying disk lost nothing");
        output.WriteLine(FormattableString.Invariant($"the disk said that its flushes were done, and a power cut lost {lost} records that were acknowledged after them"));
        disk.Fault = DiskFault.VolatileCache;
        Assert.Equal(0, LossOf(disk));
    }

    [Fact]
    public void A_killed_process_loses_nothing_that_it_acknowledged()
    {
        using var folder = new TestFolder();
        var truth = new Dictionary<long, Tag>();
        var random = new Random(3);
        foreach (var (policy, preallocation, path) in ((string, Preallocation, WritePath)[])[
            ("none", Preallocation.None, WritePath.Buffered), ("none", Preallocation.Zeroed, WritePath.Direct), ("roll", Preallocation.Fallocate, WritePath.Buffered),
            ("group:0", Preallocation.Zeroed, WritePath.Buffered), ("each", Preallocation.Zeroed, WritePath.Buffered), ("none", Preallocation.Zeroed, WritePath.Buffered)])
        {
            var name = folder.File("t-0");
            var numbers = Enumerable.Range(0, LogWriterProcess.Producers).Select(producer => truth.Values.Count(tag => tag.Producer == producer));
            var acknowledged = LogWriterProcess.RunAndKill(name, policy, preallocation, path, numbers, random.Next(200, 3000));
            Assert.True(acknowledged.Count >= 200, $"the process died by itself, after {acknowledged.Count} acknowledgements");
            using var log = PartitionLog.Open(name, new LogConfig { SegmentBytes = 256 << 10 }, new LogOpenOptions { Gaps = OffsetGaps.Lost });
            log.Close();
            truth = Check(name, truth, acknowledged, log.EndOffset, $"{policy}, {preallocation}, {path}");
            output.WriteLine(FormattableString.Invariant($"{policy}: {acknowledged.Count} acknowledged, {truth.Count} there"));
        }
    }

    private void CutAgainAndAgain(LoopFileSystem fileSystem, int cuts, int seed)
    {
        var random = new Random(seed);
        var truth = new Dictionary<long, Tag>();
        var folders = 0;
        var name = Path.Combine(fileSystem.MountPath, "t-0");
        long acknowledgedInAll = 0, lost = 0, recoveryPoint = 0;
        for (var cut = 0; cut < cuts; cut++)
        {
            var kind = Kinds[cut % Kinds.Length];
            var config = new LogConfig
            {
                FlushPolicy = FlushPolicy.Parse(kind.Policy, null),
                FlushMethod = kind.Method,
                Preallocation = kind.Preallocation,
                WritePath = kind.Path,
                SegmentBytes = 32 << random.Next(10, 14),
                IndexIntervalBytes = 512,
                PreallocationChunkBytes = 16 << 10,
            };
            var what = string.Create(CultureInfo.InvariantCulture, $"cut {cut} (seed {seed}): {kind}");
            var log = PartitionLog.Open(name, config, new LogOpenOptions { Gaps = OffsetGaps.Lost, RecoveryPoint = recoveryPoint });
            // What the opening found is what the last cut left; closed logs are checked, and this one is written to at once.
            using var probe = DiskFile.Open(Path.Combine(fileSystem.MountPath, string.Create(CultureInfo.InvariantCulture, $"probe-{cut}")), OpenMode.Write | OpenMode.Create);
            var run = new Run(log, probe, truth, cut);
            Thread.Sleep(random.Next(2, 60));
            fileSystem.CutPower(random.Next(2) == 0 ? JournalAtCut.Lost : JournalAtCut.Written);
            var (durable, end) = run.Join();
            recoveryPoint = run.RecoveryPoint;
            log.Abandon();
            probe.Dispose();
            fileSystem.Remount();

            using (var again = PartitionLog.Open(name, config, new LogOpenOptions { Gaps = OffsetGaps.Lost, RecoveryPoint = recoveryPoint }))
            {
                again.Close();
                var appended = truth.Concat(run.Acknowledged).ToDictionary();
                truth = Check(name, truth, run.Acknowledged.Where(pair => pair.Key < durable).ToDictionary(), again.EndOffset, what);
                foreach (var (offset, tag) in truth)
                    Assert.True(!appended.TryGetValue(offset, out var known) ? run.InFlight.Contains(tag) : known == tag, $"{what}: offset {offset} is {tag}, and was acknowledged as {known}");
                recoveryPoint = again.RecoveryPoint;
            }
            acknowledgedInAll += run.Acknowledged.Count;
            lost += Math.Max(0, end - truth.Count);
            if (truth.Count > 20_000)
            {
                Directory.Delete(name, recursive: true);
                name = Path.Combine(fileSystem.MountPath, string.Create(CultureInfo.InvariantCulture, $"t-{++folders}"));
                truth = [];
                recoveryPoint = 0;
            }
        }
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{cuts} cuts, {acknowledgedInAll} records acknowledged, {lost} of them not durable and lost"));
        Assert.True(lost > 0 || cuts < Kinds.Length, "no cut lost anything: these are no power cuts");
    }

    /// <summary>What is in the folder, after everything about it has been checked.</summary>
    private static Dictionary<long, Tag> Check(string folder, Dictionary<long, Tag> before, Dictionary<long, Tag> durable, long endOffset, string what)
    {
        var found = TaggedRecords.InFolder(folder);
        Assert.True(found.Count == endOffset && found.ContainsKey(0) == endOffset > 0 && found.Keys.All(offset => offset < endOffset), $"{what}: {found.Count} records up to offset {endOffset}");
        foreach (var (offset, tag) in before.Concat(durable))
            Assert.True(found.TryGetValue(offset, out var there) && there == tag, $"{what}: offset {offset} was durable as {tag}, and {(there == default ? "is lost" : $"is {there}")}; the log ends at {endOffset}");
        foreach (var producer in found.OrderBy(pair => pair.Key).Select(pair => pair.Value).GroupBy(tag => tag.Producer))
            Assert.Equal(Enumerable.Range(0, producer.Count()), producer.Select(tag => tag.Number));
        var faults = LogVerifier.Verify(folder, new LogVerifierOptions()).Faults;
        Assert.True(faults.Count == 0, $"{what}: {string.Join("; ", faults.Take(5))}");
        return found;
    }

    private static long LossOf(FaultyDisk disk)
    {
        var name = Path.Combine(disk.MountPath, FormattableString.Invariant($"t-{disk.Fault}"));
        var config = new LogConfig { FlushPolicy = FlushPolicy.Each, SegmentBytes = 64 << 10 };
        var log = PartitionLog.Open(name, config);
        var writer = new TaggedWriter(0);
        for (var i = 0; i < 50; i++)
            writer.Append(log);
        log.Abandon();
        disk.CutPower();
        using var again = PartitionLog.Open(name, config);
        return writer.LastOffset + 1 - again.EndOffset;
    }

    /// <summary>
    /// Producers that append until the file system fails. An acknowledgement counts as one before the cut if the file
    /// system takes a write after it. Without that a cut in forty of an ext4 loses the last one, whatever wrote it: a
    /// flush that meets the cut finds its transaction neither running nor committing, and takes that for committed
    /// (jbd2_complete_transaction, Linux 6.18). A machine that has lost its power tells nobody of such a flush.
    /// </summary>
    private sealed class Run
    {
        private readonly List<Thread> threads = [];
        private readonly PartitionLog log;
        private readonly DiskFile probe;
        private long durable;
        private long recoveryPoint;
        private volatile bool hasFailed;

        public Run(PartitionLog log, DiskFile probe, Dictionary<long, Tag> truth, int seed)
        {
            this.log = log;
            this.probe = probe;
            durable = log.DurableOffset;
            var isDurable = seed % Kinds.Length < Array.FindLastIndex(Kinds, kind => FlushPolicy.Parse(kind.Policy, null).IsDurable) + 1;
            for (var p = 0; p < Producers; p++)
            {
                var writer = new TaggedWriter(p, seed, truth.Values.Count(tag => tag.Producer == p));
                Start(() =>
                {
                    var written = writer.Append(log);
                    foreach (var (offset, tag) in written)
                        Acknowledged[offset] = tag;
                    if (isDurable)
                        Raise(written[^1].Offset + 1);
                }, () => writer.Last);
            }
            Start(() =>
            {
                var point = log.RecoveryPoint;
                Raise(log.DurableOffset);
                Volatile.Write(ref recoveryPoint, Math.Max(recoveryPoint, point));
                if (!isDurable && log.EndOffset % 3 == 0)
                {
                    var end = log.EndOffset;
                    log.Flush();
                    Raise(end);
                }
                Thread.Sleep(1);
            }, () => []);
        }

        public ConcurrentDictionary<long, Tag> Acknowledged { get; } = new();

        public ConcurrentBag<Tag> InFlight { get; } = [];

        public long RecoveryPoint => recoveryPoint;

        /// <summary>Waits until all have failed.</summary>
        public (long Durable, long End) Join()
        {
            foreach (var thread in threads)
                thread.Join();
            return (durable, log.EndOffset);
        }

        private void Start(Action step, Func<Tag[]> inFlight)
        {
            var thread = new Thread(() =>
            {
                try
                {
                    while (!hasFailed)
                        step();
                }
                catch (Exception exception) when (exception is DiskException or AppendRejectedException { Error: AppendError.LogFailed })
                {
                    hasFailed = true;
                    foreach (var tag in inFlight())
                        InFlight.Add(tag);
                }
            });
            threads.Add(thread);
            thread.Start();
        }

        private void Raise(long to)
        {
            probe.Write([1], 0);
            for (var seen = Volatile.Read(ref durable); to > seen;)
            {
                var found = Interlocked.CompareExchange(ref durable, to, seen);
                if (found == seen)
                    return;
                seen = found;
            }
        }
    }
}
