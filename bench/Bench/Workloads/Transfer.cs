using System.Diagnostics;
using System.Net.Sockets;
using BenchmarkDotNet.Attributes;
using Bench.Disk;
using Bench.Disk.ZeroCopy;
using Bench.Measure;
using Bench.Measure.Evidence;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Bench.Measure.Running;

namespace Bench.Workloads;

/// <summary>How a file's bytes reach the socket.</summary>
public enum Method
{
    /// <summary>sendfile(2): the socket takes the page cache's pages.</summary>
    SendFile,

    /// <summary>splice(2) through a pipe: likewise, with the pipe between.</summary>
    Splice,

    /// <summary>write(2) from a map of the file: one copy.</summary>
    MmapWrite,

    /// <summary>read(2) and write(2): two copies.</summary>
    ReadWrite,

    /// <summary>io_uring reads and sends, pipelined: two copies, fewer system calls.</summary>
    IoUring,

    /// <summary>read(2) and SslStream: TLS in user space, where zero-copy is lost.</summary>
    Tls,
}

/// <summary>Whether the file is cached before the pass.</summary>
public enum FileCache
{
    /// <summary>All of it.</summary>
    Hot,

    /// <summary>None of it.</summary>
    Cold,
}

/// <summary>
/// Zero-copy against buffered copy: files from the page cache or the disk into a socket, to a receiver in a process of
/// its own. One operation is one file, from the first byte until the receiver has answered that it has the last.
/// <para>
/// The article that everyone quotes (IBM, "Efficient data transfer through zero copy") compares sendfile with read
/// and write through a small buffer and reports time alone; most of its ratio is the choice of buffer. Here the chunk
/// is a parameter, the sender's CPU time per gigabyte stands beside the throughput, and "zero-copy" is proved: the
/// file's page is changed after it was sent and before it is received, and the receiver tells which of the two it got.
/// fio has no sendfile engine at all.
/// </para>
/// </summary>
public class Transfer : Workload, IWorkload
{
    // In the order of preference; reno is open to everybody on every kernel, and without losses as fast.
    internal static readonly string[] CongestionControls = ["cubic", "reno"];
    private DiskFile? file;
    private Receiver? receiver;
    private IRangeSender? sender;
    private AlignedBuffer? tlsBuffer;
    private double? residencyBefore;
    private long cursor;
    private bool? receiverSawChange;

    /// <summary>The way.</summary>
    [ParamsAllValues]
    public Method Method { get; set; }

    /// <summary>Bytes per system call.</summary>
    [ParamsSource(nameof(ChunkSizes))]
    public ByteSize ChunkSize { get; set; }

    /// <summary>Bytes per operation: the length of the file that is sent (a range of the run's data file).</summary>
    [ParamsSource(nameof(FileSizes))]
    public ByteSize FileSize { get; set; }

    /// <summary>Hot or cold.</summary>
    [ParamsAllValues]
    public FileCache Cache { get; set; }

    /// <summary>TCP or Unix.</summary>
    [ParamsAllValues]
    public SocketKind Socket { get; set; }

    /// <summary>The chunk sizes of the full profile.</summary>
    public static IEnumerable<ByteSize> ChunkSizes => [ByteSize.KiB(64), ByteSize.KiB(4), ByteSize.KiB(16), ByteSize.KiB(256), ByteSize.MiB(1)];

    /// <summary>The file sizes of the profiles.</summary>
    public static IEnumerable<ByteSize> FileSizes => [ByteSize.MiB(64), ByteSize.MiB(1), ByteSize.MiB(8), ByteSize.GiB(1)];

    /// <inheritdoc/>
    public override string OperationName => "Send";

    /// <inheritdoc/>
    public override bool CanBePaced => true;

    private DiskFile File => file ?? throw new InvalidOperationException("The case is not prepared.");

    private bool IsZeroCopy => Method is Method.SendFile or Method.Splice;

    /// <inheritdoc/>
    public override string? WhyImpossible() =>
        ChunkSize.Bytes > 1 << 30 ? "ChunkSize goes up to 1GiB"
        : ChunkSize > FileSize ? "ChunkSize goes up to FileSize"
        : FileSize.Bytes > 1L << 40 ? "FileSize goes up to 1TiB"
        : Method == Method.Splice && ChunkSize.Bytes > 1 << 20 ? "a pipe holds 1MiB for ordinary users, so Splice takes chunks up to that"
        : null;

    /// <inheritdoc/>
    public override CaseEstimate Estimate(RunSettings settings)
    {
        var perFile = FileSize.Bytes / (Method == Method.Tls ? 0.8e9 : Cache == FileCache.Cold ? 1e9 : ChunkSize.Bytes < 16384 ? 1.2e9 : 3e9);
        var most = Cache == FileCache.Cold ? Math.Max(1, DataBytes(settings.Profile).Bytes / FileSize.Bytes) : long.MaxValue;
        var perPass = Math.Max(settings.ExpectedPass(1 / perFile, most).Seconds, perFile);
        return new CaseEstimate(
            0.5 + FileSize.Bytes / 0.5e9 + (settings.Passes + 1) * (perPass + settings.SettleMs / 1000.0 + 0.03),
            0,
            [(DataFolder.DataPurpose, DataBytes(settings.Profile))]);
    }

    /// <summary>The grids of a profile.</summary>
    public static IReadOnlyList<ParameterGrid> Grids(Profile profile) => profile switch
    {
        Profile.Smoke =>
        [
            Grid([.. Enum.GetValues<Method>()], [ByteSize.KiB(64)], ByteSize.MiB(1), FileCache.Hot, SocketKind.Tcp),
            Grid([Method.SendFile, Method.ReadWrite], [ByteSize.KiB(64)], ByteSize.MiB(1), FileCache.Cold, SocketKind.Unix),
        ],
        Profile.Quick =>
        [
            Grid([.. Enum.GetValues<Method>()], [ByteSize.KiB(64)], ByteSize.MiB(64), FileCache.Hot, SocketKind.Tcp),
            Grid([Method.SendFile, Method.ReadWrite], [ByteSize.KiB(4), ByteSize.MiB(1)], ByteSize.MiB(64), FileCache.Hot, SocketKind.Tcp),
            Grid([Method.SendFile, Method.ReadWrite], [ByteSize.KiB(64)], ByteSize.MiB(64), FileCache.Hot, SocketKind.Unix),
            Grid([Method.SendFile, Method.ReadWrite], [ByteSize.KiB(64)], ByteSize.MiB(64), FileCache.Cold, SocketKind.Tcp),
        ],
        Profile.Gate => [Grid([Method.SendFile], [ByteSize.KiB(64)], ByteSize.MiB(64), FileCache.Hot, SocketKind.Tcp)],
        Profile.Standard =>
        [
            .. Enum.GetValues<SocketKind>().Select(socket =>
                Grid([.. Enum.GetValues<Method>()], [ByteSize.KiB(4), ByteSize.KiB(64), ByteSize.MiB(1)], ByteSize.MiB(64), FileCache.Hot, socket)),
            Grid([Method.SendFile, Method.Splice, Method.ReadWrite], [ByteSize.KiB(64)], ByteSize.MiB(1), FileCache.Hot, SocketKind.Tcp),
            Grid([Method.SendFile, Method.ReadWrite], [ByteSize.KiB(64), ByteSize.MiB(1)], ByteSize.MiB(64), FileCache.Cold, SocketKind.Tcp),
        ],
        _ =>
        [
            new ParameterGrid()
                .With(nameof(Method), Enum.GetValues<Method>())
                .With(nameof(ChunkSize), [.. ChunkSizes])
                .With(nameof(FileSize), ByteSize.MiB(1), ByteSize.MiB(64), ByteSize.GiB(1))
                .With(nameof(Cache), Enum.GetValues<FileCache>())
                .With(nameof(Socket), Enum.GetValues<SocketKind>()),
        ],
    };

    /// <inheritdoc/>
    protected override long MostOperationsPerPass => Cache == FileCache.Cold ? FileCount : long.MaxValue;

    private long FileCount => Math.Max(1, File.LengthBytes / FileSize.Bytes);

    /// <inheritdoc/>
    protected override void Prepare()
    {
        // .NET ends the process at the first use.
        if (Method == Method.Tls && !Sha256.HasOpenSsl)
            throw new PlanException("TLS needs OpenSSL (libssl), which is not installed");
        var size = DataBytes(Run.Settings.Profile);
        var path = Run.Data.FileOf(size, CaseSeed, Run.Stop, share => Run.Observer.Preparing($"writing {size} of random data", share));
        file = Case.Own(DiskFile.Open(path, OpenMode.Read));
        var congestionControl = Sockets.FirstUsable(CongestionControls);
        if (Socket == SocketKind.Tcp && congestionControl != CongestionControls[0])
            Case.Warn($"this user may not set the congestion control {CongestionControls[0]} (tcp_allowed_congestion_control); {congestionControl} was used");
        receiverSawChange = ZeroCopyProbe.Run(Run.Data.Path, Method, (int)Math.Min(ChunkSize.Bytes, 4096), Socket, congestionControl);
        receiver = Case.Own(Receiver.Start(Run.SelfCommand, Socket, Method == Method.Tls, FileSize.Bytes, congestionControl));
        if (Method == Method.Tls)
            tlsBuffer = Case.Own(new AlignedBuffer((int)ChunkSize.Bytes));
        else
            sender = Case.Own(Senders.Make(Method, file, receiver.Socket, (int)ChunkSize.Bytes));
        VerifyContent();
        cursor = (long)(Run.Settings.StartShare * FileCount);
    }

    /// <inheritdoc/>
    protected override void SetState()
    {
        if (Cache == FileCache.Cold)
        {
            // A map of the file would keep its pages; MmapWrite maps only within Send.
            PageCache.Evict(File);
            return;
        }
        if (PageCache.ResidencyOf(File).Share is null or < 1)
            PageCache.Warm(File, 0, File.LengthBytes);
    }

    /// <inheritdoc/>
    protected override void BeforeCounters() => residencyBefore = PageCache.ResidencyOf(File).Share;

    /// <inheritdoc/>
    protected override PassResult RunOperations(LoopLimit limit, bool timed)
    {
        var histogram = timed ? Case.Latency("send") : Untimed;
        if (Pacing is { } pacing)
        {
            var (sending, files) = (new Sending(this), new SequentialPositions(0, FileCount, FileSize.Bytes, cursor % FileCount));
            var paced = PacedLoop.Run(ref sending, ref files, limit, pacing, histogram, Run.Stop);
            cursor += paced.Operations;
            return new PassResult(paced.ElapsedNs * 1e-9, paced.Operations * FileSize.Bytes, paced.Operations);
        }
        var slowdown = new InjectedSlowdown(Run.Settings.InjectedSlowdown);
        var start = Stopwatch.GetTimestamp();
        var last = start;
        long done = 0;
        while (done < limit.Operations && last - start < limit.DeadlineNs)
        {
            Run.Stop.ThrowIfRequested();
            SendOne(cursor++ % FileCount * FileSize.Bytes);
            var now = slowdown.After(last, Stopwatch.GetTimestamp());
            histogram.Record(now - last);
            last = now;
            done++;
        }
        return new PassResult((last - start) * 1e-9, done * FileSize.Bytes, done);
    }

    /// <inheritdoc/>
    protected override PassRecord Complete(PassRecord measured)
    {
        var gigabytes = measured.Bytes / 1e9;
        Case.AddMetric("cpuUserSecondsPerGB", measured.CpuUserSeconds / gigabytes);
        Case.AddMetric("cpuSystemSecondsPerGB", measured.CpuSystemSeconds / gigabytes);
        Case.AddMetric("cpuSecondsPerGB", (measured.CpuUserSeconds + measured.CpuSystemSeconds) / gigabytes);
        return measured with { ResidencyBefore = residencyBefore, ResidencyAfter = PageCache.ResidencyOf(File).Share };
    }

    /// <inheritdoc/>
    protected override void Conclude()
    {
        Case.Claim(Cache == FileCache.Cold ? Claims.Cold(Case.Passes) : Claims.Warm(Case.Passes));
        Case.Claim(Claims.ZeroCopy(receiverSawChange, IsZeroCopy, Case.Passes));
        Case.Effective["contentVerified"] = true;
        Case.Effective["residencySource"] = Run.ResidencySource;
        Case.Effective["dataFileBytes"] = File.LengthBytes;
        if (Socket == SocketKind.Tcp)
        {
            Case.Effective["congestionControl"] = SocketOptions.GetCongestionControl(receiver!.Socket);
            Case.Effective["receiverCongestionControl"] = receiver.CongestionControl;
        }
        if (sender is SpliceSender splice)
            Case.Effective["pipeBytes"] = splice.PipeBytes;
        if (sender is IoUringSender ring)
            Case.Effective["fixedBuffers"] = ring.FixedBuffers;
        if (Method == Method.Tls)
        {
            Case.Effective["tlsProtocol"] = receiver!.Tls.SslProtocol.ToString();
            Case.Effective["tlsCipherSuite"] = receiver.Tls.NegotiatedCipherSuite.ToString();
        }
    }

    private static ByteSize DataBytes(Profile profile) => profile switch
    {
        Profile.Smoke => ByteSize.MiB(8),
        Profile.Gate => ByteSize.MiB(256),
        Profile.Quick => ByteSize.GiB(1),
        _ => ByteSize.GiB(4),
    };

    /// <summary>The first file is compared whole: a transfer of wrong bytes is no transfer.</summary>
    private void VerifyContent()
    {
        SendOne(0);
        using var hash = new Sha256();
        using var buffer = new AlignedBuffer(1 << 20);
        for (long position = 0; position < FileSize.Bytes;)
        {
            var read = File.Read(buffer.Span[..(int)Math.Min(buffer.LengthBytes, FileSize.Bytes - position)], position);
            hash.Append(buffer.Span[..read]);
            position += read;
        }
        if (receiver!.FirstHash() != Convert.ToHexStringLower(hash.Finish()))
            throw new IOException($"{Method} delivered other bytes than the file holds");
    }

    private void SendOne(long position)
    {
        if (sender is not null)
            sender.Send(position, FileSize.Bytes);
        else
            SendEncrypted(position);
        receiver!.WaitForAnswer();
    }

    private readonly struct Sending(Transfer owner) : IBlockOperation
    {
        public void Run(long position) => owner.SendOne(position);
    }

    private void SendEncrypted(long position)
    {
        for (var left = FileSize.Bytes; left > 0;)
        {
            var read = File.Read(tlsBuffer!.Span[..(int)Math.Min(tlsBuffer.LengthBytes, left)], position);
            receiver!.Tls.Write(tlsBuffer.Span[..read]);
            position += read;
            left -= read;
        }
    }

    private static ParameterGrid Grid(Method[] methods, ByteSize[] chunks, ByteSize fileSize, FileCache cache, SocketKind socket) => new ParameterGrid()
        .With(nameof(Method), methods)
        .With(nameof(ChunkSize), chunks)
        .With(nameof(FileSize), fileSize)
        .With(nameof(Cache), cache)
        .With(nameof(Socket), socket);
}

/// <summary>The sender of a method.</summary>
internal static class Senders
{
    internal static IRangeSender Make(Method method, DiskFile file, Socket socket, int chunkBytes) => method switch
    {
        Method.SendFile => new SendFileSender(file, socket, chunkBytes),
        Method.Splice => new SpliceSender(file, socket, chunkBytes),
        Method.MmapWrite => new MmapWriteSender(file, socket, chunkBytes),
        Method.ReadWrite => new ReadWriteSender(file, socket, chunkBytes),
        Method.IoUring => new IoUringSender(file, socket, chunkBytes),
        _ => throw new ArgumentOutOfRangeException(nameof(method), method, "TLS has no sender of its own."),
    };
}

/// <summary>
/// Finds out whether a method hands the page cache's own pages to the socket: sends one page of old bytes, overwrites
/// it in the file, and only then receives. Old bytes mean that they had been copied when the call returned; new ones
/// that the socket held the page itself. Nothing that a kernel counts tells this: sendfile(2) is in rchar and wchar
/// like a read and a write.
/// </summary>
internal static class ZeroCopyProbe
{
    private const int PageBytes = 4096;

    /// <summary>Whether the receiver saw the change; false for TLS, which sends what it has encrypted elsewhere.</summary>
    internal static bool Run(string folder, Method method, int chunkBytes, SocketKind kind, string congestionControl)
    {
        if (method == Method.Tls)
            return false;
        var path = Path.Combine(folder, "zero-copy-probe.bin");
        System.IO.File.Delete(path);
        using var file = DiskFile.Open(path, OpenMode.Write | OpenMode.Create);
        try
        {
            file.Write(Page(1), 0);
            // A page under write-back could be held still (stable pages); written back, it can be changed.
            file.Fsync();
            using var listener = Sockets.Listen(kind, out var address);
            using var receiving = Sockets.Connect(address);
            using var sending = listener.Accept();
            Sockets.Prepare(sending, kind, congestionControl);
            using (var sender = Senders.Make(method, file, sending, chunkBytes))
                sender.Send(0, PageBytes);
            file.Write(Page(2), 0);
            var received = new byte[PageBytes];
            for (var got = 0; got < PageBytes;)
            {
                var count = receiving.Receive(received.AsSpan(got));
                if (count == 0)
                    throw new IOException("the probe for zero-copy lost its connection");
                got += count;
            }
            return received.Contains((byte)2);
        }
        finally
        {
            System.IO.File.Delete(path);
        }
    }

    private static byte[] Page(byte value)
    {
        var page = new byte[PageBytes];
        page.AsSpan().Fill(value);
        return page;
    }
}
