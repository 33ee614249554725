using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Bench.Disk;
using Bench.Disk.Native;
using Bench.Disk.Uring;
using Xunit;

namespace Bench.Harness.Tests.Disk;

public sealed class BlockRingTests : IDisposable
{
    private const int BlockBytes = 4096;
    private const int Blocks = 1000;
    private const int EAGAIN = 11;
    private const int EINVAL = 22;
    private const int EOPNOTSUPP = 95;

    private readonly DataFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<int, bool, bool> Shapes()
    {
        var shapes = new TheoryData<int, bool, bool>();
        foreach (var depth in new[] { 1, 2, 32, 256 })
        {
            shapes.Add(depth, false, true);
            shapes.Add(depth, false, false);
            shapes.Add(depth, true, true);
            shapes.Add(depth, true, false);
        }
        return shapes;
    }

    [IoUringTheory]
    [MemberData(nameof(Shapes))]
    public void EveryBlockIsReadOnceWithItsContent(int depth, bool direct, bool fixedBuffers)
    {
        var truth = DataFolder.Bytes(Blocks * BlockBytes);
        using var file = folder.Make("a", truth.Length, direct ? OpenMode.Direct : OpenMode.Read);
        PageCache.Evict(file);
        using var ring = new BlockRing(file, depth, BlockBytes, fixedBuffers: fixedBuffers);
        // Another user than root may have too small a limit here; then it is said.
        Assert.Equal(fixedBuffers, ring.FixedBuffers || ring.FixedBuffersRefusal is not null);
        var order = Shuffled();
        var blockOf = new int[depth];
        var next = 0;
        var seen = new bool[Blocks];
        for (var slot = 0; slot < depth; slot++)
            ring.PrepareRead(slot, (long)(blockOf[slot] = order[next++]) * BlockBytes);
        while (ring.Pending > 0)
        {
            ring.Submit(1);
            while (ring.TryReap(out var slot, out var bytes))
            {
                Assert.Equal(BlockBytes, bytes);
                Assert.Equal(truth.AsSpan(blockOf[slot] * BlockBytes, BlockBytes), ring.Block(slot));
                Assert.False(seen[blockOf[slot]]);
                seen[blockOf[slot]] = true;
                if (next < Blocks)
                    ring.PrepareRead(slot, (long)(blockOf[slot] = order[next++]) * BlockBytes);
            }
        }
        Assert.DoesNotContain(false, seen);
        if (direct)
            Assert.Equal(0, PageCache.ResidencyOf(file).CachedPages);
    }

    [IoUringTheory]
    [MemberData(nameof(Shapes))]
    public void EveryBlockIsWrittenWithItsContent(int depth, bool direct, bool fixedBuffers)
    {
        var truth = DataFolder.Bytes(Blocks * BlockBytes, seed: 2);
        using var file = DiskFile.Open(folder["a"], OpenMode.Write | OpenMode.Create | (direct ? OpenMode.Direct : OpenMode.Write));
        using var ring = new BlockRing(file, depth, BlockBytes, fixedBuffers: fixedBuffers);
        var order = Shuffled();
        var next = 0;
        void Write(int slot)
        {
            var block = order[next++];
            truth.AsSpan(block * BlockBytes, BlockBytes).CopyTo(ring.Block(slot));
            ring.PrepareWrite(slot, (long)block * BlockBytes);
        }
        for (var slot = 0; slot < depth; slot++)
            Write(slot);
        while (ring.Pending > 0)
        {
            ring.Submit(1);
            while (ring.TryReap(out var slot, out _))
            {
                if (next < Blocks)
                    Write(slot);
            }
        }
        Sync(ring, dataOnly: true);
        Sync(ring, dataOnly: false);
        Assert.Equal(0, PageCache.ResidencyOf(file).DirtyPages ?? 0);
        Assert.Equal(truth, File.ReadAllBytes(folder["a"]));
    }

    [IoUringTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void AReadAcrossTheEndGivesTheRestAndBehindItNothing(bool direct)
    {
        var truth = DataFolder.Bytes(2 * BlockBytes + 1000);
        using var file = folder.Make("a", truth.Length, direct ? OpenMode.Direct : OpenMode.Read);
        using var ring = new BlockRing(file, 2, BlockBytes);
        ring.PrepareRead(0, 2 * BlockBytes);
        ring.PrepareRead(1, 4 * BlockBytes);
        var bytesOf = new int[2];
        while (ring.Pending > 0)
        {
            ring.Submit(1);
            while (ring.TryReap(out var slot, out var bytes))
                bytesOf[slot] = bytes;
        }
        Assert.Equal([1000, 0], bytesOf);
        Assert.Equal(truth.AsSpan(2 * BlockBytes), ring.Block(0)[..1000]);
    }

    /// <summary>A FIFO gives what it has: the one file that comes back short on demand.</summary>
    [IoUringFact]
    public void AShortReadIsContinuedInsideTheRing()
    {
        IoUringTests.Fifo(folder["fifo"]);
        using var fifo = DiskFile.Open(folder["fifo"], OpenMode.Write);
        using var writer = new FileStream(folder["fifo"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);
        using var ring = new BlockRing(fifo, 1, BlockBytes);
        var truth = DataFolder.Bytes(3000);
        writer.Write(truth, 0, 1000);
        ring.PrepareRead(0, 0, 96, 3000);
        ring.Submit(1);
        Assert.False(ring.TryReap(out _, out _));
        Assert.Equal(1, ring.Pending);
        writer.Write(truth, 1000, 2000);
        ring.Submit(1);
        Assert.True(ring.TryReap(out var slot, out var bytes));
        Assert.Equal((0, 3000), (slot, bytes));
        Assert.Equal(truth, ring.Block(0).Slice(96, 3000));
    }

    [IoUringFact]
    public void APartOfABlockGoesWhereItWasAsked()
    {
        using var file = folder.Make("a", 3 * BlockBytes, OpenMode.Write);
        using var ring = new BlockRing(file, 1, BlockBytes);
        ring.PrepareRead(0, 5000, 100, 300);
        ring.Submit(1);
        Assert.True(ring.TryReap(out _, out var bytes));
        Assert.Equal(300, bytes);
        Assert.Equal(DataFolder.Bytes(3 * BlockBytes).AsSpan(5000, 300), ring.Block(0).Slice(100, 300));
        ring.PrepareWrite(0, 7, 100, 300);
        ring.Submit(1);
        Assert.True(ring.TryReap(out _, out _));
        Assert.Equal(DataFolder.Bytes(3 * BlockBytes)[5000..5300], File.ReadAllBytes(folder["a"])[7..307]);
        Assert.Throws<ArgumentOutOfRangeException>(() => ring.PrepareRead(0, 0, 1, BlockBytes));
        Assert.Throws<ArgumentOutOfRangeException>(() => ring.PrepareRead(1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => ring.Block(-1));
    }

    [IoUringFact]
    public void AFailedRequestCarriesOperationPathAndErrnoAndFreesItsSlotAlone()
    {
        using var file = folder.Make("a", Blocks * BlockBytes, OpenMode.Direct);
        using var ring = new BlockRing(file, 2, BlockBytes);
        ring.PrepareRead(0, 1);
        ring.PrepareRead(1, BlockBytes);
        ring.Submit(2);
        var failures = new List<DiskException>();
        var good = new List<int>();
        while (ring.Pending > 0)
        {
            try
            {
                while (ring.TryReap(out var slot, out _))
                    good.Add(slot);
            }
            catch (DiskException failure)
            {
                failures.Add(failure);
            }
        }
        var failed = Assert.Single(failures);
        Assert.Equal(("io_uring read", folder["a"] + " at byte 1", EINVAL), (failed.Operation, failed.Path, failed.Errno));
        Assert.Equal([1], good);
        ring.PrepareRead(0, 0);
        ring.Submit(1);
        Assert.True(ring.TryReap(out _, out _));
    }

    [IoUringFact]
    public void FlagsGoWithEveryRequest()
    {
        using var file = DiskFile.Open(folder["a"], OpenMode.Write | OpenMode.Create);
        using (var ring = new BlockRing(file, 1, BlockBytes, CallFlags.DataSync))
        {
            ring.PrepareWrite(0, 0);
            ring.Submit(1);
            Assert.True(ring.TryReap(out _, out _));
            Assert.Equal(0, PageCache.ResidencyOf(file).DirtyPages ?? 0);
        }
        PageCache.Evict(file);
        using (var ring = new BlockRing(file, 1, BlockBytes, CallFlags.NoWait))
        {
            ring.PrepareRead(0, 0);
            ring.Submit(1);
            var failure = Assert.Throws<DiskException>(() => ring.TryReap(out _, out _));
            Assert.Contains(failure.Errno, new[] { EAGAIN, EOPNOTSUPP });
        }
    }

    [IoUringFact]
    public void ASlotHasOneRequestAtATime()
    {
        using var file = folder.Make("a", BlockBytes);
        using var ring = new BlockRing(file, 2, BlockBytes);
        ring.PrepareRead(0, 0);
        Assert.Throws<InvalidOperationException>(() => ring.PrepareRead(0, 0));
        Assert.Throws<InvalidOperationException>(() => ring.PrepareFsync(0));
    }

    [IoUringTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void ShutdownWithRequestsInFlightWaitsForThem(bool direct)
    {
        using var file = folder.Make("a", 64 << 20, direct ? OpenMode.Direct : OpenMode.Read);
        for (var round = 0; round < 5; round++)
        {
            PageCache.Drop(file);
            var ring = new BlockRing(file, 64, 1 << 20);
            for (var slot = 0; slot < 64; slot++)
                ring.PrepareRead(slot, (long)slot << 20);
            Assert.Equal(64, ring.Submit(0));
            Assert.True(ring.InFlight > 0);
            ring.Dispose();
            Assert.Equal(0, ring.Pending);
            Assert.Throws<ObjectDisposedException>(() => ring.PrepareRead(0, 0));
            ring.Dispose();
        }
    }

    [IoUringFact]
    public void ARingThatNobodyDisposedIsFinalizedWithoutHarm()
    {
        using var file = folder.Make("a", 16 << 20, OpenMode.Direct);
        IoUringTests.OnThread(() =>
        {
            var ring = new BlockRing(file, 16, 1 << 20);
            for (var slot = 0; slot < 16; slot++)
                ring.PrepareRead(slot, (long)slot << 20);
            ring.Submit(0);
        });
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    [IoUringFact]
    public void TheLoopAllocatesNothing()
    {
        using var file = folder.Make("a", Blocks * BlockBytes);
        using var ring = new BlockRing(file, 16, BlockBytes);
        // The compiler may allocate on this thread when it replaces a method; the loop itself would in every round.
        var least = long.MaxValue;
        for (var round = 0; round < 10; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Loop(ring, 10_000);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(0, least);
    }

    /// <summary>
    /// On a thread without CAP_IPC_LOCK (root has it) and over the limit the kernel says ENOMEM; the ring must work
    /// all the same. The limit is made small for the while: it holds only for those without the capability.
    /// </summary>
    [IoUringFact]
    public void WithoutEnoughLockedMemoryTheRingSaysSoAndWorks()
    {
        using var file = folder.Make("a", Blocks * BlockBytes, OpenMode.Direct);
        var limit = Prlimit("--memlock", "--output", "SOFT", "--noheadings").Trim();
        Prlimit("--memlock=65536:");
        try
        {
            IoUringTests.OnThread(() =>
            {
                DropCapabilities();
                using var ring = new BlockRing(file, 32, 64 << 10);
                Assert.False(ring.FixedBuffers);
                Assert.Contains("ulimit -l", ring.FixedBuffersRefusal, StringComparison.Ordinal);
                ring.PrepareRead(3, 0);
                ring.Submit(1);
                Assert.True(ring.TryReap(out var slot, out var bytes));
                Assert.Equal((3, 64 << 10), (slot, bytes));
                Assert.Equal(DataFolder.Bytes(Blocks * BlockBytes).AsSpan(0, 64 << 10), ring.Block(3));
            });
        }
        finally
        {
            Prlimit($"--memlock={limit}:");
        }
    }

    private static void Loop(BlockRing ring, int operations)
    {
        for (var slot = 0; slot < ring.QueueDepth; slot++)
            ring.PrepareRead(slot, slot * BlockBytes);
        while (ring.Pending > 0)
        {
            ring.Submit(1);
            while (ring.TryReap(out var slot, out _))
            {
                if (operations-- > 0)
                    ring.PrepareRead(slot, operations % Blocks * BlockBytes);
            }
        }
    }

    private static void Sync(BlockRing ring, bool dataOnly)
    {
        if (dataOnly)
            ring.PrepareFdatasync(0);
        else
            ring.PrepareFsync(0);
        ring.Submit(1);
        Assert.True(ring.TryReap(out var slot, out var bytes));
        Assert.Equal((0, 0), (slot, bytes));
    }

    private static int[] Shuffled()
    {
        var order = Enumerable.Range(0, Blocks).ToArray();
        new Random(7).Shuffle(order);
        return order;
    }

    private static string Prlimit(params string[] arguments)
    {
        var pid = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        using var process = Process.Start(new ProcessStartInfo("prlimit", ["--pid", pid, .. arguments]) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    /// <summary>capset(2) with empty sets: holds for this thread only.</summary>
    private static unsafe void DropCapabilities()
    {
        const uint Version3 = 0x20080522;
        var capset = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 91 : 126;
        var header = stackalloc uint[2] { Version3, 0 };
        var sets = stackalloc uint[6];
        new Span<uint>(sets, 6).Clear();
        Assert.Equal(0, Libc.syscall(capset, (nint)header, (nint)sets, 0, 0, 0, 0));
    }
}
