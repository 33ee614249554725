using System.Net;
using System.Net.Sockets;
using Bench.Disk.Native;

namespace Bench.Disk.ZeroCopy;

/// <summary>Pages of a file that sendfile has put into a socket.</summary>
public static unsafe class SentPages
{
    private const int MaskWords = 16;

    /// <summary>
    /// Lets the kernel give up pages that a receiver on this machine has read. A buffer that is read on another processor
    /// than the sender's waits on a list of the sender's processor for its next received packet (skb_attempt_defer_free,
    /// Linux 5.19 on), and holds its page, which no eviction can drop meanwhile, for as long as nothing comes. So each
    /// processor that this process may use gets a datagram. Where there is no loopback device nothing happens.
    /// </summary>
    public static void LetGo()
    {
        var thread = new Thread(SendOnEachProcessor);
        thread.Start();
        thread.Join();
    }

    // On a thread that ends with it: its processor is not to be put back.
    private static void SendOnEachProcessor()
    {
        var allowed = stackalloc ulong[MaskWords];
        if (Libc.sched_getaffinity(0, MaskWords * sizeof(ulong), allowed) < 0)
            return;
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            SendOn(socket, allowed);
        }
        catch (SocketException)
        {
            // Without a loopback device nothing was sent over it either.
        }
    }

    private static void SendOn(Socket socket, ulong* allowed)
    {
        var one = stackalloc ulong[MaskWords];
        for (var processor = 0; processor < MaskWords * 64; processor++)
        {
            var bit = 1UL << (processor % 64);
            if ((allowed[processor / 64] & bit) == 0)
                continue;
            new Span<ulong>(one, MaskWords).Clear();
            one[processor / 64] = bit;
            // Taken away since it was asked: then nothing of ours waits there.
            if (Libc.sched_setaffinity(0, MaskWords * sizeof(ulong), one) == 0)
                socket.SendTo([0], socket.LocalEndPoint!);
        }
    }
}
