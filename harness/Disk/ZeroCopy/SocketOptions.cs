using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Bench.Disk.Native;
using static Bench.Disk.Native.Constants;

namespace Bench.Disk.ZeroCopy;

/// <summary>Options of sockets that .NET has no name for.</summary>
public static unsafe class SocketOptions
{
    /// <summary>Longest name of a congestion control, its end mark included (TCP_CA_NAME_MAX, linux/tcp.h of the kernel).</summary>
    private const int NameMaxBytes = 16;

    /// <summary>
    /// Sets a TCP socket's congestion control (tcp(7), TCP_CONGESTION). Set it on both ends: with bbr, which paces,
    /// loopback is several times slower than with cubic.
    /// </summary>
    /// <exception cref="DiskException">ENOENT if the kernel has not this one; EOPNOTSUPP if it is no TCP socket.</exception>
    public static void SetCongestionControl(Socket socket, string name)
    {
        var bytes = Encoding.ASCII.GetBytes(name);
        fixed (byte* pointer = bytes)
            Check(Libc.setsockopt(Descriptor(socket), IPPROTO_TCP, TCP_CONGESTION, pointer, (uint)bytes.Length), "setsockopt", name);
        GC.KeepAlive(socket);
    }

    /// <summary>The congestion control in force ("cubic", "bbr", "reno").</summary>
    /// <exception cref="DiskException">EOPNOTSUPP if it is no TCP socket.</exception>
    public static string GetCongestionControl(Socket socket)
    {
        var bytes = stackalloc byte[NameMaxBytes];
        uint length = NameMaxBytes;
        Check(Libc.getsockopt(Descriptor(socket), IPPROTO_TCP, TCP_CONGESTION, bytes, &length), "getsockopt", "");
        GC.KeepAlive(socket);
        return Encoding.ASCII.GetString(bytes, (int)length).TrimEnd('\0');
    }

    private static int Descriptor(Socket socket) => (int)socket.SafeHandle.DangerousGetHandle();

    private static void Check(int result, string operation, string name)
    {
        if (result >= 0)
            return;
        var errno = Marshal.GetLastPInvokeError();
        throw DiskException.FromErrno(operation, $"TCP_CONGESTION {name}".TrimEnd(), errno, errno switch
        {
            ENOENT => "see /proc/sys/net/ipv4/tcp_available_congestion_control",
            EPERM => "see /proc/sys/net/ipv4/tcp_allowed_congestion_control",
            _ => null,
        });
    }
}
