using Bench.Disk;
using Bench.Disk.Native;
using Bench.Disk.ZeroCopy;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.Disk;

public sealed class PageCacheTests : IDisposable
{
    private const int FileBytes = 4 << 20;
    private readonly DataFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void EvictionEmptiesTheCacheEvenOfDirtyPagesAndWarmingFillsIt()
    {
        using var file = folder.Make("a", FileBytes, OpenMode.Write);
        file.Write(DataFolder.Bytes(FileBytes, seed: 2), 0);
        PageCache.Evict(file);
        Assert.Equal(0, PageCache.ResidencyOf(file).CachedPages);
        PageCache.Warm(file, 0, FileBytes);
        var warm = PageCache.ResidencyOf(file);
        Assert.Equal(1, warm.Share);
        Assert.Equal(FileBytes / Environment.SystemPageSize, warm.Pages);
    }

    [RootFact]
    public void TheWholeSystemsCacheCanBeDropped()
    {
        using var file = folder.Make("a", FileBytes, OpenMode.Write);
        PageCache.Warm(file, 0, FileBytes);
        file.Fsync();
        PageCache.DropWholeSystem();
        Assert.InRange(PageCache.ResidencyOf(file).Share!.Value, 0, 0.1);
    }

    [Fact]
    public void WhatCanSeeTheCacheIsFoundOutAndLeavesNothing()
    {
        Assert.Contains(PageCache.FindSource(folder["."]), new[] { "cachestat", "mincore" });
        Assert.Empty(Directory.GetFiles(folder["."]));
    }

    [Fact]
    public void CachestatAndMincoreAgree()
    {
        using var file = folder.Make("a", FileBytes);
        file.AdviseAccess(random: true); // no read-ahead
        PageCache.Evict(file);
        PageCache.Warm(file, 1 << 20, 1 << 20);
        foreach (var (position, lengthBytes) in new[] { (0L, (long)FileBytes), (1L << 20, 1L << 20), ((1L << 20) - 5000, 10_000L), (3L << 20, 1L) })
        {
            var byMincore = PageCache.ByMincore(file, position, lengthBytes);
            if (PageCache.ByCachestat(file, position, lengthBytes) is not { } byCachestat)
                return; // before Linux 6.5
            Assert.Equal((byMincore.Pages, byMincore.CachedPages), (byCachestat.Pages, byCachestat.CachedPages));
        }
        Assert.Equal(256, PageCache.ByMincore(file, 1 << 20, 1 << 20).CachedPages * Environment.SystemPageSize / 4096);
    }

    [Fact]
    public void AnEmptyRangeHasNoPages()
    {
        using var file = folder.Make("a", 0);
        Assert.Equal(0, PageCache.ResidencyOf(file).Pages);
        Assert.Equal(0, PageCache.ResidencyOf(file).Share);
    }

    [Fact]
    public void ADirectDescriptorCannotWarm()
    {
        using var file = folder.Make("a", 4096, OpenMode.Read | OpenMode.Direct);
        Assert.Throws<ArgumentException>(() => PageCache.Warm(file, 0, 4096));
    }

    [Fact]
    public void AMapShowsTheFileHoldsItsPagesAndCarriesWritesBack()
    {
        using var file = folder.Make("a", FileBytes, OpenMode.Write);
        using (var map = new MappedFile(file, random: false))
        {
            Assert.Equal(FileBytes, map.LengthBytes);
            unsafe
            {
                Assert.Equal(DataFolder.Bytes(FileBytes), new Span<byte>(map.Pointer, FileBytes));
                map.Pointer[77] ^= 0xff;
            }
            map.Sync();
            PageCache.Evict(file);
            Assert.True(PageCache.ResidencyOf(file).CachedPages > 0, "The kernel dropped mapped pages.");
        }
        PageCache.Evict(file);
        Assert.Equal(0, PageCache.ResidencyOf(file).CachedPages);
        Assert.Equal(DataFolder.Bytes(FileBytes)[77] ^ 0xff, File.ReadAllBytes(folder["a"])[77]);
    }

    /// <summary>Without asking them back, buffers read on another processor keep the last pages for as long as it gets no packet.</summary>
    [Fact]
    public void PagesThatASocketHasHadAreDroppedToo()
    {
        using var file = folder.Make("a", FileBytes);
        for (var attempt = 0; attempt < 10; attempt++)
        {
            using (var pair = new SocketPair())
            using (var sender = new SendFileSender(file, pair.Sender, 65_536))
            {
                var receiver = OnProcessor(1, () =>
                {
                    var buffer = new byte[65_536];
                    for (var left = FileBytes; left > 0;)
                        left -= pair.Receiver.Receive(buffer);
                });
                OnProcessor(0, () => sender.Send(0, FileBytes)).Join();
                receiver.Join();
            }
            PageCache.Evict(file);
            Assert.Equal(0, PageCache.ResidencyOf(file).CachedPages);
        }
    }

    private static unsafe Thread OnProcessor(int processor, Action action)
    {
        var thread = new Thread(() =>
        {
            var mask = 1UL << processor;
            // Where there is no such processor the thread stays where it is, and the test shows less.
            _ = Libc.sched_setaffinity(0, sizeof(ulong), &mask);
            action();
        });
        thread.Start();
        return thread;
    }

    [Fact]
    public void AClosedMapSaysSo()
    {
        using var file = folder.Make("a", 4096);
        var map = new MappedFile(file, random: true);
        map.Dispose();
        map.Dispose();
        Assert.Throws<ObjectDisposedException>(map.Sync);
    }
}
