using System.Diagnostics;
using System.IO.Compression;
using Bench.Disk;
using Bench.Disk.Uring;
using Bench.Measure;
using Bench.Measure.Passes;
using Bench.Measure.Running;
using Bench.TestSupport;
using Xunit;
using TestData = Bench.Harness.Tests.Disk.DataFolder;

namespace Bench.Harness.Tests.Measure;

/// <summary>Passes over a small real file by every access, engine and number of threads.</summary>
public sealed class FilePassTests : IDisposable
{
    private const int BlockBytes = 4096;
    private const int Blocks = 509;

    private readonly TestFolder folder = new();
    private readonly StopSignal stop = new();
    private readonly LatencyHistogram histogram = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<Access, Engine, int, Pattern> Ways()
    {
        var ways = new TheoryData<Access, Engine, int, Pattern>();
        foreach (var access in Enum.GetValues<Access>())
            foreach (var engine in Enum.GetValues<Engine>())
                foreach (var threads in new[] { 1, 3 })
                    foreach (var pattern in Enum.GetValues<Pattern>())
                        if ((access, engine) != (Access.Mmap, Engine.io_uring) && (engine == Engine.psync || IoUring.WhyUnavailable() is null))
                            ways.Add(access, engine, threads, pattern);
        return ways;
    }

    private string MakeFile(int blocks = Blocks)
    {
        var path = folder.File("data");
        using var file = DiskFile.Open(path, OpenMode.Write | OpenMode.Create);
        file.Write(TestData.Bytes(blocks * BlockBytes), 0);
        file.Fsync();
        return path;
    }

    private FilePass Open(string path, Access access, Engine engine, int threads, Pattern pattern, Operation operation, int blockBytes = BlockBytes)
    {
        var pass = new FilePass(
            new FilePassSettings
            {
                Path = path,
                Access = access,
                Operation = operation,
                Pattern = pattern,
                BlockBytes = blockBytes,
                Engine = engine,
                QueueDepth = engine == Engine.io_uring ? 8 : 1,
                Threads = threads,
                Seed = 77,
            },
            stop);
        if (access == Access.Mmap)
            pass.Map();
        return pass;
    }

    /// <summary>A kernel or file system without RWF_DONTCACHE; the test then has nothing to say.</summary>
    private static bool LacksAccess(Access access, DiskException exception) => access == Access.Uncached && exception.IsUnsupported;

    [Disk.IoUringTheory]
    [InlineData(Operation.Read, 1)]
    [InlineData(Operation.Write, 1)]
    [InlineData(Operation.Read, 3)]
    public void ARingAtAnOfferedRateCountsLatencyFromWhenARequestWasDue(Operation operation, int threads)
    {
        using var pass = Open(MakeFile(), Access.Direct, Engine.io_uring, threads, Pattern.Random, operation);
        var pacing = new Pacing(3000, 5);
        var result = pass.Run(new LoopLimit(300, long.MaxValue), histogram, pacing);
        Assert.Equal((300, 300, 300), (result.Operations, histogram.Count, pacing.Service.Count));
        // A tenth of a second of arrivals takes no less, however fast the disk.
        Assert.True(result.Seconds > 0.05, $"{result.Seconds} s");
        Assert.True(histogram.ValueAtPercentile(50) >= pacing.Service.ValueAtPercentile(50));
        Assert.True(pass.QueueDepthMean < 8 * threads);

        // All due at once: the queue is full, and what waits for a slot has waited since it was due.
        histogram.Clear();
        var flood = new Pacing(1e9, 5);
        pass.Run(new LoopLimit(300, long.MaxValue), histogram, flood);
        Assert.True(flood.KeptUp < 0.1, $"{flood.KeptUp}");
        Assert.True(histogram.ValueAtPercentile(90) > 2 * flood.Service.ValueAtPercentile(50));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void AReadPassDoesWhatItSays(Access access, Engine engine, int threads, Pattern pattern)
    {
        using var pass = Open(MakeFile(), access, engine, threads, pattern, Operation.Read);
        Assert.Equal(Blocks, pass.BlockCount);
        Assert.Equal(access == Access.Direct, pass.File.IsDirect);
        try
        {
            var result = pass.Run(new LoopLimit(1000, long.MaxValue), histogram);
            Assert.Equal((1000, 1000L * BlockBytes), (result.Operations, result.Bytes));
        }
        catch (DiskException exception) when (LacksAccess(access, exception))
        {
            return;
        }
        Assert.Equal(1000, histogram.Count);
        Assert.InRange(pass.QueueDepthMean, 0.01, 8 * threads);
        Assert.Equal(engine == Engine.io_uring, pass.RingSetup.Length > 0);
        // Registered buffers are asked for with direct I/O alone: they slow a copy to the page cache.
        Assert.Equal(engine == Engine.io_uring && access == Access.Direct, pass.FixedBuffers || pass.FixedBuffersRefusal is not null);
    }

    /// <summary>A write pass over the whole file touches each block: none of the old content is left, and no two blocks are equal.</summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public void AWritePassOverTheFileWritesEachBlockOnceAndNoTwoAlike(Access access, Engine engine, int threads, Pattern pattern)
    {
        var path = MakeFile();
        var old = BlocksOf(path);
        using (var pass = Open(path, access, engine, threads, pattern, Operation.Write))
        {
            try
            {
                for (var round = 0; round < 2; round++)
                {
                    Assert.Equal(Blocks, pass.Run(new LoopLimit(Blocks, long.MaxValue), histogram).Operations);
                    pass.File.Fdatasync();
                    var written = BlocksOf(path);
                    Assert.Equal(Blocks, written.Distinct().Count());
                    Assert.Empty(written.Intersect(old));
                    old = written;
                }
            }
            catch (DiskException exception) when (LacksAccess(access, exception))
            {
                return;
            }
        }
        Assert.Equal(2 * Blocks, histogram.Count);
        Assert.Equal((long)Blocks * BlockBytes, new FileInfo(path).Length);
        Assert.True(CompressedShare(path) > 0.99);
    }

    /// <summary>
    /// More than 4096 random writes: a stamp of position plus counter meets itself there (a block 4096 writes later and
    /// one block earlier), and a deduplicating device would have less to write than it is credited with.
    /// </summary>
    [Theory]
    [InlineData(Engine.psync)]
    [InlineData(Engine.io_uring)]
    public void ManyRandomWritesNeverMakeTwoEqualBlocks(Engine engine)
    {
        if (engine == Engine.io_uring && IoUring.WhyUnavailable() is not null)
            return;
        const int blocks = 16_384;
        var path = MakeFile(blocks);
        using var pass = Open(path, Access.BufferedWarm, engine, 1, Pattern.Random, Operation.Write);
        pass.Run(new LoopLimit(blocks, long.MaxValue), histogram);
        Assert.Equal(blocks, BlocksOf(path).Distinct().Count());
    }

    [Fact]
    public void ABlockThatEndsWithinAStampsFourKibibytesIsNotWrittenBeyond()
    {
        // 4100 bytes: the second stamp would need bytes 4096 to 4104.
        var path = MakeFile();
        using var pass = Open(path, Access.BufferedWarm, Engine.psync, 1, Pattern.Sequential, Operation.Write, blockBytes: 4100);
        pass.Run(new LoopLimit(pass.BlockCount, long.MaxValue), histogram);
        var bytes = File.ReadAllBytes(path);
        // Blocks that the content comes round for: only their stamps differ.
        var again = BlockSource.BlocksFor(4100) * 4100;
        Assert.NotEqual(bytes[..8], bytes[again..(again + 8)]);
        Assert.Equal(bytes[8..4100], bytes[(again + 8)..(again + 4100)]);
    }

    /// <summary>What a cold random pass reads comes once: a block read twice would be served from the cache.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(8)]
    public void AColdRandomPassReadsNoBlockTwice(int threads)
    {
        using var pass = Open(MakeFile(), Access.BufferedCold, Engine.psync, threads, Pattern.Random, Operation.Read);
        foreach (var operations in new[] { 1, 100, 250, Blocks })
        {
            PageCache.Evict(pass.File);
            pass.Run(new LoopLimit(operations, long.MaxValue), histogram);
            // Random advice, so the kernel reads nothing ahead: as many pages as different blocks.
            Assert.Equal(operations, PageCache.ResidencyOf(pass.File).CachedPages);
        }
    }

    /// <summary>Each lane reads its own part; a pass over the file reads each block, though the parts are not equal.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    public void ASequentialPassOfSeveralThreadsReadsTheWholeFile(int threads)
    {
        using var pass = Open(MakeFile(), Access.BufferedCold, Engine.psync, threads, Pattern.Sequential, Operation.Read);
        for (var round = 0; round < 3; round++)
        {
            PageCache.Evict(pass.File);
            pass.Run(new LoopLimit(Blocks, long.MaxValue), histogram);
            Assert.Equal(Blocks, PageCache.ResidencyOf(pass.File).CachedPages);
        }
    }

    [Fact]
    public void APassGoesOnWhereTheLastOneEnded()
    {
        var path = MakeFile();
        using var pass = Open(path, Access.BufferedCold, Engine.psync, 1, Pattern.Random, Operation.Read);
        PageCache.Evict(pass.File);
        for (var round = 1; round <= 5; round++)
        {
            pass.Run(new LoopLimit(100, long.MaxValue), histogram);
            Assert.Equal(round * 100, PageCache.ResidencyOf(pass.File).CachedPages);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void TheDeadlineEndsAPassOfEveryThread(int threads)
    {
        using var pass = Open(MakeFile(), Access.BufferedWarm, Engine.psync, threads, Pattern.Random, Operation.Read);
        var began = Stopwatch.GetTimestamp();
        var result = pass.Run(new LoopLimit(long.MaxValue, 5_000_000), histogram);
        Assert.True(result.Seconds >= 0.005);
        // The busiest of its own threads: never more than one thread can have in that time. On one thread it is the caller's.
        Assert.InRange(result.ThreadCpuSeconds, threads == 1 ? 0 : 1e-6, threads == 1 ? 0 : Stopwatch.GetElapsedTime(began).TotalSeconds + 1e-3);
        Assert.Equal(result.Operations, histogram.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void AStopEndsAPassOfEveryThread(int threads)
    {
        using var pass = Open(MakeFile(), Access.BufferedWarm, Engine.psync, threads, Pattern.Random, Operation.Read);
        stop.Request();
        Assert.Throws<OperationCanceledException>(() => pass.Run(new LoopLimit(long.MaxValue, long.MaxValue), histogram));
    }

    [Theory]
    [InlineData(Engine.psync, 1)]
    [InlineData(Engine.psync, 3)]
    [InlineData(Engine.io_uring, 1)]
    public void AFileThatIsCutMeanwhileFailsThePassWithASentence(Engine engine, int threads)
    {
        if (engine == Engine.io_uring && IoUring.WhyUnavailable() is not null)
            return;
        var path = MakeFile();
        using var pass = Open(path, Access.BufferedWarm, engine, threads, Pattern.Random, Operation.Read);
        using (var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            file.SetLength(10 * BlockBytes);
        var failure = Assert.Throws<DiskException>(() => pass.Run(new LoopLimit(Blocks, long.MaxValue), histogram));
        Assert.Contains("the file ended within the block", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BlocksThatDoNotSuitTheFileAreRefusedBeforeThePass()
    {
        var path = MakeFile();
        Assert.Contains("direct I/O", Assert.Throws<PlanException>(() => Open(path, Access.Direct, Engine.psync, 1, Pattern.Random, Operation.Read, blockBytes: 1000)).Message, StringComparison.Ordinal);
        Assert.Contains("fewer blocks", Assert.Throws<PlanException>(() => Open(path, Access.BufferedWarm, Engine.psync, 3, Pattern.Random, Operation.Read, blockBytes: 1 << 20)).Message, StringComparison.Ordinal);
        Assert.Throws<DiskException>(() => Open(folder.File("nothing"), Access.BufferedWarm, Engine.psync, 1, Pattern.Random, Operation.Read));
    }

    [Fact]
    public void APassOverAMapThatWasNotMadeIsAnErrorOfTheCaller()
    {
        using var pass = new FilePass(
            new FilePassSettings { Path = MakeFile(), Access = Access.Mmap, Operation = Operation.Read, Pattern = Pattern.Random, BlockBytes = BlockBytes, Seed = 1 }, stop);
        Assert.Throws<InvalidOperationException>(() => pass.Run(new LoopLimit(1, long.MaxValue), histogram));
    }

    private static string[] BlocksOf(string path) =>
        [.. File.ReadAllBytes(path).Chunk(BlockBytes).Select(block => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(block)))];

    internal static double CompressedShare(string path)
    {
        var bytes = File.ReadAllBytes(path);
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            gzip.Write(bytes);
        return (double)packed.Length / bytes.Length;
    }
}
