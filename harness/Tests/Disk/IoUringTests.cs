using System.Diagnostics;
using System.Net.Sockets;
using Bench.Disk;
using Bench.Disk.Native;
using Bench.Disk.Uring;
using Xunit;

namespace Bench.Harness.Tests.Disk;

public sealed class IoUringTests : IDisposable
{
    private readonly DataFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>Each choice of setup flags, the plainest too, so that old kernels' way is tested on new ones.</summary>
    [IoUringTheory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void RequestsComeBackWithTheirDataUnderEverySetup(int firstChoice)
    {
        using var ring = new IoUring(8, firstChoice);
        for (var round = 0; round < 100; round++)
        {
            for (var i = 0; i < 8; i++)
                ring.PrepareNop((ulong)(round * 8 + i));
            Assert.Equal(8, ring.Unsubmitted);
            Assert.Equal(8, ring.Submit(8));
            for (var i = 0; i < 8; i++)
            {
                Assert.True(ring.TryReap(out var userData, out var result));
                Assert.Equal(((ulong)(round * 8 + i), 0), (userData, result));
            }
            Assert.False(ring.TryReap(out _, out _));
            Assert.Equal(0, ring.InFlight);
        }
    }

    [IoUringFact]
    public void MoreThanTheEntriesCannotBePrepared()
    {
        using var ring = new IoUring(2);
        ring.PrepareNop(1);
        ring.PrepareNop(2);
        Assert.Throws<InvalidOperationException>(() => ring.PrepareNop(3));
        Assert.Equal(2, ring.Submit(2));
        ring.PrepareNop(3);
    }

    [IoUringTheory]
    [InlineData(0)]
    [InlineData(2)]
    public void NothingIsLostWhenTheCompletionQueueOverflows(int firstChoice)
    {
        using var ring = new IoUring(4, firstChoice);
        var sent = 0UL;
        for (var batch = 0; batch < 16; batch++)
        {
            for (var i = 0; i < 4; i++)
                ring.PrepareNop(sent++);
            ring.Submit();
        }
        Assert.True(ring.InFlight > ring.CompletionEntries, "The queue did not overflow.");
        for (var expected = 0UL; expected < sent; expected++)
        {
            if (!ring.TryReap(out var userData, out _))
            {
                ring.Submit(1);
                Assert.True(ring.TryReap(out userData, out _));
            }
            Assert.Equal(expected, userData);
        }
        Assert.Equal(0, ring.InFlight);
    }

    [IoUringFact]
    public void WaitingForMoreThanIsInFlightIsWaitingForAll()
    {
        using var ring = new IoUring(4);
        Assert.Equal(0, ring.Submit(3));
        ring.PrepareNop(1);
        Assert.Equal(1, ring.Submit(100));
    }

    [IoUringFact]
    public void LinkedRequestsEndInOrder()
    {
        using var ring = new IoUring(4);
        ring.PrepareNop(1, link: true);
        ring.PrepareNop(2, link: true);
        ring.PrepareNop(3);
        ring.Submit(3);
        for (var expected = 1UL; expected <= 3; expected++)
        {
            Assert.True(ring.TryReap(out var userData, out _));
            Assert.Equal(expected, userData);
        }
    }

    [IoUringFact]
    public void ARingIsMadeOnOneThreadAndUsedOnAnotherButNotOnTwo()
    {
        using var ring = new IoUring(4);
        OnThread(() =>
        {
            ring.PrepareNop(1);
            Assert.Equal(1, ring.Submit(1));
            Assert.True(ring.TryReap(out _, out _));
        });
        ring.PrepareNop(2);
        if (ring.HasOwnerThread)
            Assert.Throws<InvalidOperationException>(() => ring.Submit(1));
        else
            Assert.Equal(1, ring.Submit(1));
    }

    [IoUringTheory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void ShutdownCancelsARequestThatWouldNeverEnd(int firstChoice)
    {
        using var pair = new SocketPair(folder["socket"]);
        using var buffer = new AlignedBuffer(4096);
        var ring = new IoUring(4, firstChoice);
        Receive(ring, pair.Receiver, buffer);
        ring.Submit();
        Assert.Equal(1, ring.InFlight);
        Assert.False(ring.TryReap(out _, out _));
        var clock = Stopwatch.StartNew();
        ring.Dispose();
        Assert.Equal(0, ring.InFlight);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 5);
        Assert.Throws<ObjectDisposedException>(() => ring.PrepareNop(1));
        Assert.Throws<ObjectDisposedException>(() => ring.Submit());
        Assert.Throws<ObjectDisposedException>(() => ring.TryReap(out _, out _));
    }

    [IoUringFact]
    public void ShutdownOnAnotherThreadLeavesTheMemoryAlone()
    {
        using var pair = new SocketPair(folder["socket"]);
        var buffer = new AlignedBuffer(4096);
        var ring = new IoUring(4);
        OnThread(() =>
        {
            Receive(ring, pair.Receiver, buffer);
            ring.Submit();
        });
        var owned = ring.HasOwnerThread;
        ring.Dispose();
        Assert.Equal(owned && ring.InFlight > 0, owned);
        ring.Dispose();
    }

    [IoUringFact]
    public void UnsubmittedRequestsAreForgottenAtShutdown()
    {
        var ring = new IoUring(4);
        ring.PrepareNop(1);
        ring.Dispose();
        Assert.Equal((0, 0), (ring.InFlight, ring.Unsubmitted));
    }

    [IoUringFact]
    public void BytesGoThroughASocketAndAPipeOfTheKernelWithSplice()
    {
        using var pair = new SocketPair(folder["socket"]);
        using var file = folder.Make("a", 10_000);
        using var ring = new IoUring(4);
        Fifo(folder["fifo"]);
        using var pipe = DiskFile.Open(folder["fifo"], OpenMode.Write);
        ring.PrepareSplice(file.Descriptor, 100, pipe.Descriptor, -1, 5000, 0, 0, 1);
        ring.Submit(1);
        Assert.True(ring.TryReap(out _, out var intoPipe));
        Assert.Equal(5000, intoPipe);
        ring.PrepareSplice(pipe.Descriptor, -1, (int)pair.Sender.SafeHandle.DangerousGetHandle(), -1, 5000, 0, 0, 2);
        ring.Submit(1);
        Assert.True(ring.TryReap(out _, out var intoSocket));
        Assert.Equal(5000, intoSocket);
        var received = new byte[5000];
        for (var done = 0; done < received.Length;)
            done += pair.Receiver.Receive(received.AsSpan(done));
        Assert.Equal(DataFolder.Bytes(10_000)[100..5100], received);
    }

    internal static void Fifo(string path)
    {
        using var process = Process.Start("mkfifo", [path]);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    internal static void OnThread(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(action));
        thread.Start();
        thread.Join();
        if (failure is not null)
            throw new InvalidOperationException("Failed on the other thread.", failure);
    }

    private static unsafe void Receive(IoUring ring, Socket socket, AlignedBuffer buffer) => ring.PrepareSocket(
        Constants.IORING_OP_RECV, (int)socket.SafeHandle.DangerousGetHandle(), 0, buffer.Pointer, buffer.LengthBytes, 0, 1);
}
