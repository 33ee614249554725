using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using Bench.Disk;
using Bench.Disk.ZeroCopy;
using Bench.Measure.Running;

namespace Bench.Workloads;

/// <summary>How sender and receiver reach each other.</summary>
public enum SocketKind
{
    /// <summary>TCP over loopback.</summary>
    Tcp,

    /// <summary>A Unix stream socket.</summary>
    Unix,
}

/// <summary>
/// The other end of a transfer, in a process of its own, so that the sender's CPU time is the sender's alone.
/// <para>
/// Protocol: the receiver connects, reads files of a fixed length one after the other and answers each with one byte,
/// as a consumer that asks for the next fetch. It prints one line when connected (<c>ready</c> and the congestion
/// control of its end) and one after the first file (<c>sha256</c> of what arrived), so that a fast transfer of wrong
/// bytes is noticed.
/// </para>
/// </summary>
internal sealed class Receiver : IDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(20);

    private readonly Process process;
    private readonly SslStream? tls;

    private Receiver(Process process, Socket socket, SslStream? tls, string congestionControl)
    {
        this.process = process;
        this.tls = tls;
        Socket = socket;
        CongestionControl = congestionControl;
    }

    /// <summary>The sender's end.</summary>
    internal Socket Socket { get; }

    /// <summary>The stream that encrypts; only with TLS.</summary>
    internal SslStream Tls => tls ?? throw new InvalidOperationException("This transfer has no TLS.");

    /// <summary>Congestion control of the receiver's end; "" for a Unix socket.</summary>
    internal string CongestionControl { get; }

    /// <summary>Starts the process and waits until it has connected.</summary>
    /// <param name="selfCommand">Program and arguments that start this program.</param>
    /// <param name="kind">TCP or Unix.</param>
    /// <param name="useTls">Encrypt with TLS.</param>
    /// <param name="fileBytes">Length of each file.</param>
    /// <param name="congestionControl">For both ends of a TCP connection.</param>
    internal static Receiver Start(IReadOnlyList<string> selfCommand, SocketKind kind, bool useTls, long fileBytes, string congestionControl)
    {
        using var listener = Sockets.Listen(kind, out var address);
        var start = new ProcessStartInfo(selfCommand[0]) { RedirectStandardOutput = true, RedirectStandardInput = true };
        string[] arguments =
        [
            .. selfCommand.Skip(1), "receive", address,
            "--file-bytes", fileBytes.ToString(CultureInfo.InvariantCulture),
            "--congestion-control", congestionControl,
            .. useTls ? ["--tls"] : Array.Empty<string>(),
        ];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        var process = Process.Start(start) ?? throw new IOException("the receiver's process did not start");
        Socket? socket = null;
        try
        {
            var begun = Stopwatch.StartNew();
            while (!listener.Poll(TimeSpan.FromMilliseconds(50), SelectMode.SelectRead))
            {
                if (process.HasExited)
                    throw new IOException("the receiver's process ended before it had connected");
                if (begun.Elapsed > ConnectTimeout)
                    throw new IOException(FormattableString.Invariant($"the receiver's process did not connect within {ConnectTimeout.TotalSeconds} seconds"));
            }
            socket = listener.Accept();
            Sockets.Prepare(socket, kind, congestionControl);
            var tls = useTls ? Encryption.AsServer(socket) : null;
            var ready = process.StandardOutput.ReadLine()?.Split(' ') ?? [];
            if (ready is not ["ready", ..])
                throw new IOException("the receiver's process ended before it was ready");
            return new Receiver(process, socket, tls, ready.ElementAtOrDefault(1) ?? "");
        }
        catch
        {
            socket?.Dispose();
            Stop(process);
            throw;
        }
    }

    /// <summary>Waits for the byte that says a whole file has arrived.</summary>
    /// <exception cref="IOException">The receiver is gone.</exception>
    internal void WaitForAnswer()
    {
        Span<byte> answer = stackalloc byte[1];
        var received = tls is null ? Socket.Receive(answer) : tls.Read(answer);
        if (received != 1)
            throw new IOException("the receiver closed the connection");
    }

    /// <summary>The SHA-256 of the first file, as the receiver saw it.</summary>
    internal string FirstHash() => process.StandardOutput.ReadLine() ?? throw new IOException("the receiver's process ended early");

    public void Dispose()
    {
        tls?.Dispose();
        Socket.Dispose();
        Stop(process);
    }

    private static void Stop(Process process)
    {
        // Its standard input closes, its socket has closed: it ends by itself; otherwise it is ended.
        process.StandardInput.Close();
        if (!process.WaitForExit(2000))
            process.Kill();
        process.WaitForExit();
        process.Dispose();
    }
}

/// <summary>Sockets of a transfer.</summary>
internal static class Sockets
{
    private static int counter;

    /// <summary>A listener on loopback, or on a name in Linux's abstract namespace, which leaves no file behind.</summary>
    internal static Socket Listen(SocketKind kind, out string address)
    {
        if (kind == SocketKind.Tcp)
        {
            var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            tcp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            tcp.Listen(1);
            address = "tcp:" + ((IPEndPoint)tcp.LocalEndPoint!).Port.ToString(CultureInfo.InvariantCulture);
            return tcp;
        }
        var name = string.Create(CultureInfo.InvariantCulture, $"bench-{Environment.ProcessId}-{Interlocked.Increment(ref counter)}");
        var unix = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        unix.Bind(new UnixDomainSocketEndPoint("\0" + name));
        unix.Listen(1);
        address = "unix:" + name;
        return unix;
    }

    /// <summary>Connects to what <see cref="Listen"/> named.</summary>
    /// <exception cref="IOException">Loopback is down.</exception>
    internal static Socket Connect(string address)
    {
        var (kind, name) = address.Split(':', 2) is [var first, var second] ? (first, second) : throw new PlanException($"'{address}' is no address of a transfer");
        if (kind == "unix")
        {
            var unix = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            unix.Connect(new UnixDomainSocketEndPoint("\0" + name));
            return unix;
        }
        var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            tcp.Connect(new IPEndPoint(IPAddress.Loopback, int.Parse(name, CultureInfo.InvariantCulture)));
            return tcp;
        }
        catch (SocketException failure) when (failure.SocketErrorCode is SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.AddressNotAvailable)
        {
            tcp.Dispose();
            throw new IOException($"nothing connects over the loopback interface ({failure.Message}); \"ip link set lo up\" as root brings it up", failure);
        }
    }

    /// <summary>Why nothing connects over loopback here; null if it does. A rescue system may not have brought it up.</summary>
    internal static string? WhyNoTcp()
    {
        try
        {
            using var listener = Listen(SocketKind.Tcp, out var address);
            using var socket = Connect(address);
            return null;
        }
        catch (IOException failure)
        {
            return failure.Message;
        }
    }

    /// <summary>The first congestion control that this user may set on this kernel.</summary>
    /// <exception cref="DiskException">None of them.</exception>
    internal static string FirstUsable(IReadOnlyList<string> names)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        foreach (var name in names.SkipLast(1))
        {
            try
            {
                SocketOptions.SetCongestionControl(socket, name);
                return name;
            }
            catch (DiskException)
            {
                // EPERM: not in tcp_allowed_congestion_control. ENOENT: the kernel has it not, or as a module that only root loads.
            }
        }
        SocketOptions.SetCongestionControl(socket, names[^1]);
        return names[^1];
    }

    /// <summary>
    /// Sets what must be the same on both ends. The congestion control is set because a distribution's default (bbr
    /// on some) paces loopback too and makes every zero-copy method look slow.
    /// </summary>
    internal static void Prepare(Socket socket, SocketKind kind, string congestionControl)
    {
        if (kind != SocketKind.Tcp)
            return;
        socket.NoDelay = true;
        SocketOptions.SetCongestionControl(socket, congestionControl);
    }
}

/// <summary>TLS between the two ends, with a certificate made for the one connection.</summary>
internal static class Encryption
{
    internal static SslStream AsServer(Socket socket)
    {
        using var key = RSA.Create(2048);
        var request = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=bench", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: false));
        stream.AuthenticateAsServer(certificate);
        return stream;
    }

    internal static SslStream AsClient(Socket socket)
    {
#pragma warning disable CA5359 // The other end is this program's own, over loopback: there is nobody to authenticate.
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: false), false, (_, _, _, _) => true);
#pragma warning restore CA5359
        stream.AuthenticateAsClient("bench");
        return stream;
    }
}
