using System.Net;
using System.Net.Sockets;

namespace Bench.Harness.Tests.Disk;

/// <summary>Two connected, blocking stream sockets: over a path a Unix pair, without one over TCP on loopback.</summary>
public sealed class SocketPair : IDisposable
{
    public SocketPair(string? path = null)
    {
        EndPoint address = path is null ? new IPEndPoint(IPAddress.Loopback, 0) : new UnixDomainSocketEndPoint(path);
        var protocol = path is null ? ProtocolType.Tcp : ProtocolType.Unspecified;
        using var listener = new Socket(address.AddressFamily, SocketType.Stream, protocol);
        listener.Bind(address);
        listener.Listen();
        Sender = new Socket(address.AddressFamily, SocketType.Stream, protocol);
        Sender.Connect(path is null ? listener.LocalEndPoint! : address);
        Receiver = listener.Accept();
    }

    public Socket Sender { get; }

    public Socket Receiver { get; }

    public void Dispose()
    {
        Sender.Dispose();
        Receiver.Dispose();
    }
}
