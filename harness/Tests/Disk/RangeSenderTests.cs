using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using Bench.Disk;
using Bench.Disk.Uring;
using Bench.Disk.ZeroCopy;
using Xunit;

namespace Bench.Harness.Tests.Disk;

public sealed class RangeSenderTests : IDisposable
{
    private const int FileBytes = 3 * (1 << 20) + 4321;
    private const int EINTR = 4;
    private const int EIO = 5;
    private const int EAGAIN = 11;
    private const int EPIPE = 32;
    private const int ECONNRESET = 104;

    private static readonly string[] Methods = ["SendFile", "Splice", "MmapWrite", "ReadWrite", "IoUring"];

    private readonly DataFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string> EveryMethod() => [.. Available()];

    public static TheoryData<string, bool, int> EveryMethodTransportAndChunk()
    {
        var cases = new TheoryData<string, bool, int>();
        foreach (var method in Available())
        {
            foreach (var chunkBytes in new[] { 4096, 10_007, 65_536, 1 << 20, 8 << 20 })
            {
                cases.Add(method, false, chunkBytes);
                cases.Add(method, true, chunkBytes);
            }
        }
        return cases;
    }

    [Theory]
    [MemberData(nameof(EveryMethodTransportAndChunk))]
    public async Task EveryMethodDeliversTheBytesOverTcpAndUnixSockets(string method, bool unix, int chunkBytes)
    {
        using var pair = new SocketPair(unix ? folder["socket"] : null);
        using var source = folder.Make("a", FileBytes);
        using var sender = Make(method, source, pair.Sender, chunkBytes);
        Assert.Equal(chunkBytes, sender.ChunkBytes);
        var truth = DataFolder.Bytes(FileBytes);
        // One sender serves several ranges: an unaligned one, one across the end, none, all.
        (long Position, long LengthBytes)[] ranges = [(12_345, 1_000_003), (FileBytes - 100, 5000), (FileBytes, 10), (0, FileBytes)];
        using var expected = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (position, lengthBytes) in ranges)
            expected.AppendData(truth, (int)position, (int)Math.Min(lengthBytes, FileBytes - position));
        var received = Task.Run(() => HashAll(pair.Receiver));
        foreach (var (position, lengthBytes) in ranges)
            Assert.Equal(Math.Min(lengthBytes, FileBytes - position), sender.Send(position, lengthBytes));
        pair.Sender.Shutdown(SocketShutdown.Send);
        Assert.Equal(expected.GetHashAndReset(), await received);
    }

    [Theory]
    [MemberData(nameof(EveryMethod))]
    public void EveryMethodCopiesFileToFile(string method)
    {
        using var source = folder.Make("a", FileBytes);
        using var target = DiskFile.Open(folder["b"], OpenMode.Write | OpenMode.Create);
        using var sender = Make(method, source, target, 65_536);
        Assert.Equal(100_000, sender.Send(0, 100_000));
        Assert.Equal(FileBytes - 100_000, sender.Send(100_000, FileBytes));
        Assert.Equal(DataFolder.Bytes(FileBytes), File.ReadAllBytes(folder["b"]));
    }

    [Fact]
    public void CopyFileRangeKeepsThePosition()
    {
        using var source = folder.Make("a", FileBytes);
        using var target = DiskFile.Open(folder["b"], OpenMode.Write | OpenMode.Create);
        using var sender = new CopyFileRangeSender(source, target, 65_536);
        Assert.Equal(FileBytes - 200_001, sender.Send(200_001, FileBytes));
        Assert.Equal(200_001, sender.Send(0, 200_001));
        Assert.Equal(0, sender.Send(FileBytes, 1));
        Assert.Equal(DataFolder.Bytes(FileBytes), File.ReadAllBytes(folder["b"]));
    }

    [Theory]
    [MemberData(nameof(EveryMethod))]
    public void AClosedReceiverIsAClearException(string method)
    {
        using var source = folder.Make("a", FileBytes);
        foreach (var path in new[] { null, folder["socket"] })
        {
            using var pair = new SocketPair(path);
            using var sender = Make(method, source, pair.Sender, 65_536);
            pair.Receiver.LingerState = new LingerOption(true, 0);
            pair.Receiver.Close();
            var failure = Assert.Throws<DiskException>(() => sender.Send(0, FileBytes));
            Assert.Contains(failure.Errno, new[] { EPIPE, ECONNRESET });
            Assert.Contains("receiver has closed", failure.Message, StringComparison.Ordinal);
            Assert.Contains(folder["a"], failure.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(EveryMethod))]
    public async Task AReceiverThatClosesInTheMiddleEndsTheSend(string method)
    {
        using var source = folder.Make("a", FileBytes);
        using var pair = new SocketPair();
        pair.Sender.SendBufferSize = 65_536;
        pair.Receiver.ReceiveBufferSize = 65_536;
        using var sender = Make(method, source, pair.Sender, 1 << 20);
        var receiver = Task.Run(() =>
        {
            pair.Receiver.Receive(new byte[1000]);
            pair.Receiver.LingerState = new LingerOption(true, 0);
            pair.Receiver.Close();
        });
        var failure = Assert.Throws<DiskException>(() =>
        {
            for (var i = 0; i < 1000; i++)
                sender.Send(0, FileBytes);
        });
        Assert.Contains(failure.Errno, new[] { EPIPE, ECONNRESET });
        await receiver;
    }

    [Theory]
    [InlineData("SendFile")]
    [InlineData("Splice")]
    [InlineData("MmapWrite")]
    [InlineData("ReadWrite")]
    public void ASendTimeoutEndsASendThatNobodyReceives(string method)
    {
        using var source = folder.Make("a", FileBytes);
        using var pair = new SocketPair(folder["socket"]);
        pair.Sender.SendTimeout = 200;
        using var sender = Make(method, source, pair.Sender, 1 << 20);
        var clock = Stopwatch.StartNew();
        var failure = Assert.Throws<DiskException>(() => sender.Send(0, FileBytes));
        Assert.Equal(EAGAIN, failure.Errno);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.1, 10);
    }

    [Fact]
    public async Task ANonBlockingSocketIsRefused()
    {
        using var source = folder.Make("a", 100);
        using var pair = new SocketPair();
        new SendFileSender(source, pair.Sender, 4096).Dispose();
        await pair.Receiver.SendAsync(new byte[1]);
        await pair.Sender.ReceiveAsync(new byte[1]);
        Assert.True(pair.Sender.Blocking);
        Assert.Throws<ArgumentException>(() => new SendFileSender(source, pair.Sender, 4096));
        using var unconnected = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.Throws<ArgumentException>(() => new SendFileSender(source, unconnected, 4096));
    }

    [Fact]
    public void AReadOnlyTargetIsRefused()
    {
        using var source = folder.Make("a", 100);
        using var target = folder.Make("b", 100);
        Assert.Throws<ArgumentException>(() => new SendFileSender(source, target, 4096));
    }

    [Fact]
    public void AClosedSenderSaysSoAndLeavesTheSocketOpen()
    {
        using var source = folder.Make("a", 100);
        using var pair = new SocketPair();
        var sender = new SpliceSender(source, pair.Sender, 4096);
        sender.Dispose();
        sender.Dispose();
        Assert.Throws<ObjectDisposedException>(() => sender.Send(0, 100));
        Assert.Equal(1, pair.Sender.Send(new byte[1]));
    }

    /// <summary>Holding a reference to its handle would make .NET reset the connection and wait for ever.</summary>
    [Theory]
    [MemberData(nameof(EveryMethod))]
    public void ASocketMayBeClosedBeforeItsSender(string method)
    {
        using var source = folder.Make("a", FileBytes);
        using var pair = new SocketPair();
        using var sender = Make(method, source, pair.Sender, 4096);
        Assert.Equal(10_000, sender.Send(0, 10_000));
        pair.Sender.Close();
        var received = 0;
        int some;
        while ((some = pair.Receiver.Receive(new byte[4096])) > 0)
            received += some;
        Assert.Equal(10_000, received);
        Assert.Throws<ObjectDisposedException>(() => sender.Send(0, 1));
    }

    [Theory]
    [MemberData(nameof(EveryMethod))]
    public async Task AShutdownFromAnotherThreadEndsASendThatNobodyReceives(string method)
    {
        using var source = folder.Make("a", FileBytes);
        using var pair = new SocketPair(folder["socket"]);
        using var sender = Make(method, source, pair.Sender, 1 << 20);
        var shutdown = Task.Run(async () =>
        {
            await Task.Delay(200);
            pair.Sender.Shutdown(SocketShutdown.Both);
        });
        Assert.Equal(EPIPE, Assert.Throws<DiskException>(() => sender.Send(0, FileBytes)).Errno);
        await shutdown;
    }

    [Fact]
    public void ThePipeHasRoomForTheChunk()
    {
        using var source = folder.Make("a", 100);
        using var pair = new SocketPair();
        using var sender = new SpliceSender(source, pair.Sender, 512 << 10);
        Assert.Equal(512 << 10, sender.PipeBytes);
    }

    [Fact]
    public void ChunksAreCutContinuedAfterShortResultsAndRepeatedAfterEINTR()
    {
        var call = new ScriptedCall([100, 30, -EINTR, 70, 50]);
        Assert.Equal(250, ChunkLoop.Run(ref call, 1000, 250, 100));
        Assert.Equal([(1000, 100), (1100, 100), (1130, 100), (1130, 100), (1200, 50)], call.Seen);

        call = new ScriptedCall([100, 0]);
        Assert.Equal(100, ChunkLoop.Run(ref call, 0, 250, 100));

        call = new ScriptedCall([100, -EIO]);
        Assert.Equal(-EIO, ChunkLoop.Run(ref call, 0, 250, 100));
    }

    [Fact]
    public void CongestionControlIsSetAndReadBack()
    {
        using var pair = new SocketPair();
        SocketOptions.SetCongestionControl(pair.Sender, "reno");
        Assert.Equal("reno", SocketOptions.GetCongestionControl(pair.Sender));
        // Other users than root may choose only from the allowed ones.
        var choice = Environment.IsPrivilegedProcess ? "available" : "allowed";
        if (File.ReadAllText($"/proc/sys/net/ipv4/tcp_{choice}_congestion_control").Contains("cubic", StringComparison.Ordinal))
        {
            SocketOptions.SetCongestionControl(pair.Receiver, "cubic");
            Assert.Equal("cubic", SocketOptions.GetCongestionControl(pair.Receiver));
        }
        var unknown = Assert.Throws<DiskException>(() => SocketOptions.SetCongestionControl(pair.Sender, "nosuch"));
        Assert.Contains("nosuch", unknown.Message, StringComparison.Ordinal);
        using var unix = new SocketPair(folder["socket"]);
        Assert.True(Assert.Throws<DiskException>(() => SocketOptions.GetCongestionControl(unix.Sender)).IsUnsupported);
    }

    private struct ScriptedCall(int[] script) : IChunkCall
    {
        private int calls;

        public List<(long Position, nint LengthBytes)> Seen { get; } = [];

        public nint Invoke(long position, nint lengthBytes)
        {
            Seen.Add((position, lengthBytes));
            return script[calls++];
        }
    }

    private static string[] Available() =>
        IoUring.WhyUnavailable() is null ? Methods : [.. Methods.Where(method => method != "IoUring")];

    private static IRangeSender Make(string method, DiskFile source, ByteTarget target, int chunkBytes) => method switch
    {
        "SendFile" => new SendFileSender(source, target, chunkBytes),
        "Splice" => new SpliceSender(source, target, chunkBytes),
        "MmapWrite" => new MmapWriteSender(source, target, chunkBytes),
        "ReadWrite" => new ReadWriteSender(source, target, chunkBytes),
        "IoUring" => new IoUringSender(source, target, chunkBytes),
        _ => throw new ArgumentOutOfRangeException(nameof(method)),
    };

    private static byte[] HashAll(Socket socket)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[100_000];
        int received;
        while ((received = socket.Receive(buffer)) > 0)
            hash.AppendData(buffer, 0, received);
        return hash.GetHashAndReset();
    }
}
