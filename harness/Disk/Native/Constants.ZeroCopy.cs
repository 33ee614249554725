namespace Bench.Disk.Native;

/// <summary>Sockets and pipes. The numbers are the same on x64 and arm64.</summary>
internal static partial class Constants
{
    internal const int O_NONBLOCK = 0x800;
    internal const int F_GETPIPE_SZ = 1032;

    internal const uint SPLICE_F_MOVE = 1;
    internal const uint SPLICE_F_MORE = 4;

    internal const int MSG_WAITALL = 0x100;
    internal const int MSG_NOSIGNAL = 0x4000;

    internal const int IPPROTO_TCP = 6;
    internal const int TCP_CONGESTION = 13;

    internal const int EXDEV = 18;
    internal const int ENOTCONN = 107;
}
