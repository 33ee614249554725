using Bench.Disk;
using Xunit;

namespace Bench.Harness.Tests.Disk;

public sealed class DiskFileTests : IDisposable
{
    private const int ENOENT = 2;
    private const int EAGAIN = 11;
    private const int EBADF = 9;
    private const int EEXIST = 17;
    private const int EINVAL = 22;
    private const int EOPNOTSUPP = 95;

    private readonly DataFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void WhatIsWrittenAtAPositionIsReadThere()
    {
        using var file = DiskFile.Open(folder["a"], OpenMode.Write | OpenMode.Create);
        var bytes = DataFolder.Bytes(10_007);
        file.Write(bytes, 12_345);
        var read = new byte[bytes.Length];
        Assert.Equal(read.Length, file.Read(read, 12_345));
        Assert.Equal(bytes, read);
        Assert.Equal(12_345 + bytes.Length, file.LengthBytes);
        Assert.False(file.IsDirect);
    }

    [Fact]
    public void AReadAcrossTheEndGivesTheRestAndBehindItNothing()
    {
        using var file = folder.Make("a", 5000);
        Assert.Equal(1000, file.Read(new byte[4096], 4000));
        Assert.Equal(0, file.Read(new byte[4096], 5000));
    }

    [Fact]
    public void DirectReadsAndWritesGoPastTheCache()
    {
        using var file = folder.Make("a", 1 << 20, OpenMode.Write | OpenMode.Direct);
        Assert.True(file.IsDirect);
        PageCache.Evict(file);
        using var buffer = new AlignedBuffer(256 << 10);
        Assert.Equal(buffer.LengthBytes, file.Read(buffer.Span, 256 << 10));
        Assert.Equal(DataFolder.Bytes(1 << 20).AsSpan(256 << 10, 256 << 10), buffer.Span);
        DataFolder.Bytes(buffer.LengthBytes, seed: 2).CopyTo(buffer.Span);
        file.Write(buffer.Span, 0);
        Assert.Equal(0, PageCache.ResidencyOf(file).CachedPages);
        Assert.Equal(DataFolder.Bytes(buffer.LengthBytes, seed: 2), File.ReadAllBytes(folder["a"])[..buffer.LengthBytes]);
    }

    [Fact]
    public void DirectAlignmentIsToldAndMisalignedIsEINVAL()
    {
        using var file = folder.Make("a", 1 << 20, OpenMode.Read | OpenMode.Direct);
        var alignment = file.DirectIoAlignment;
        Assert.InRange(alignment.PositionBytes, 512, 4096);
        Assert.InRange(alignment.MemoryBytes, 1, 4096);
        using var buffer = new AlignedBuffer(8192);
        var failure = Assert.Throws<DiskException>(() => file.Read(buffer.Span[..4096], 1));
        Assert.Equal(EINVAL, failure.Errno);
        Assert.True(failure.IsUnsupported);
    }

    [Fact]
    public void ErrorsCarryOperationPathPositionAndErrno()
    {
        var missing = Assert.Throws<DiskException>(() => DiskFile.Open(folder["missing"], OpenMode.Read));
        Assert.Equal(("open", folder["missing"], ENOENT), (missing.Operation, missing.Path, missing.Errno));
        Assert.Contains("ENOENT", missing.Message, StringComparison.Ordinal);

        using var file = folder.Make("a", 100);
        var there = Assert.Throws<DiskException>(() => DiskFile.Open(folder["a"], OpenMode.Write | OpenMode.Create));
        Assert.Equal(EEXIST, there.Errno);

        var readOnly = Assert.Throws<DiskException>(() => file.Write(new byte[10], 42));
        Assert.Equal(("write", EBADF), (readOnly.Operation, readOnly.Errno));
        Assert.Equal(folder["a"] + " at byte 42", readOnly.Path);
        Assert.Contains(readOnly.Path, readOnly.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ALinkIsAnotherNameAndNeverOverAnotherFile()
    {
        folder.Make("a", 100).Dispose();
        folder.Make("b", 7).Dispose();
        Assert.True(DiskFile.TryLink(folder["a"], folder["c"]));
        Assert.False(DiskFile.TryLink(folder["b"], folder["c"]));
        Assert.Equal(100, new FileInfo(folder["c"]).Length);
        Assert.Equal(ENOENT, Assert.Throws<DiskException>(() => DiskFile.TryLink(folder["missing"], folder["d"])).Errno);
    }

    [Theory]
    [InlineData(OpenMode.DataSync, CallFlags.None)]
    [InlineData(OpenMode.Write, CallFlags.DataSync)]
    public void ADataSyncWriteLeavesNothingDirty(OpenMode mode, CallFlags flags)
    {
        using var file = DiskFile.Open(folder["a"], OpenMode.Write | OpenMode.Create | mode);
        var bytes = DataFolder.Bytes(100_000);
        file.Write(bytes, 0, flags);
        var residency = PageCache.ResidencyOf(file);
        Assert.Equal(0, residency.DirtyPages ?? 0);
        Assert.Equal(residency.Pages, residency.CachedPages);
        Assert.Equal(bytes, File.ReadAllBytes(folder["a"]));
    }

    [Fact]
    public void AnUncachedReadLeavesNothingBehindWhereThereIsSuchARead()
    {
        using var file = folder.Make("a", 1 << 20);
        PageCache.Evict(file);
        var buffer = new byte[1 << 20];
        try
        {
            file.Read(buffer, 0, CallFlags.DontCache);
        }
        catch (DiskException unsupported) when (unsupported.Errno == EOPNOTSUPP)
        {
            return; // before Linux 6.14, or a file system without it
        }
        Assert.Equal(DataFolder.Bytes(1 << 20), buffer);
        Assert.InRange(PageCache.ResidencyOf(file).Share!.Value, 0, 0.05);
    }

    [Fact]
    public void AReadThatMustNotWaitFailsOnAColdFileAndReadsAWarmOne()
    {
        using var file = folder.Make("a", 1 << 20);
        PageCache.Evict(file);
        var failure = Assert.Throws<DiskException>(() => file.Read(new byte[4096], 512 << 10, CallFlags.NoWait));
        Assert.Contains(failure.Errno, new[] { EAGAIN, EOPNOTSUPP });
        if (failure.Errno == EOPNOTSUPP)
            return;
        PageCache.Warm(file, 0, 1 << 20);
        Assert.Equal(4096, file.Read(new byte[4096], 512 << 10, CallFlags.NoWait));
    }

    [Fact]
    public void AllocatedBlocksCountAndTruncateGivesThemBack()
    {
        using var file = DiskFile.Open(folder["a"], OpenMode.Write | OpenMode.Create);
        file.Allocate(0, 4 << 20, keepSize: true);
        Assert.Equal(0, file.LengthBytes);
        Assert.InRange(file.AllocatedBytes, 4 << 20, 5 << 20);
        file.Allocate(0, 4 << 20);
        Assert.Equal(4 << 20, file.LengthBytes);
        file.Truncate(4096);
        Assert.Equal(4096, file.LengthBytes);
        Assert.InRange(file.AllocatedBytes, 0, 1 << 20);
    }

    [Fact]
    public void EveryKindOfFlushEndsWell()
    {
        using var file = DiskFile.Open(folder["a"], OpenMode.Write | OpenMode.Create);
        file.Write(DataFolder.Bytes(1 << 20), 0);
        file.SyncRange(0, 1 << 20, wait: false);
        file.SyncRange(0, 1 << 20, wait: true);
        file.Fdatasync();
        file.Fsync();
        file.SyncFileSystem();
        Assert.Equal(0, PageCache.ResidencyOf(file).DirtyPages ?? 0);
    }

    [Fact]
    public void AClosedFileSaysSo()
    {
        var file = folder.Make("a", 100);
        file.Dispose();
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.Read(new byte[1], 0));
    }
}
