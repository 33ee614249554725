using System.Net.Sockets;
using System.Runtime.InteropServices;
using Bench.Disk.Native;
using static Bench.Disk.Native.Constants;

namespace Bench.Disk.ZeroCopy;

/// <summary>
/// Where an <see cref="IRangeSender"/> sends to: a connected, blocking stream socket, or a file opened for writing,
/// which is written from its start on, one send behind the other. Sockets and files convert to it by themselves, and
/// stay their owner's. To end a send from another thread, shut the socket down (<see cref="Socket.Shutdown"/>); closing
/// it under a send would let the kernel give its number to another file.
/// </summary>
public sealed class ByteTarget
{
    // No DangerousAddRef: with one, closing the socket before the sender resets the connection and then waits for ever.
    private readonly SafeSocketHandle? handle;
    private readonly DiskFile? file;

    private ByteTarget(Socket socket)
    {
        if (!socket.Connected)
            throw new ArgumentException("The socket is not connected.", nameof(socket));
        var name = NameOf(socket);
        handle = socket.SafeHandle;
        // .NET makes a descriptor non-blocking for good with its first asynchronous call, whatever Blocking says.
        var flags = DiskException.ThrowIfFailed(Libc.fcntl(Descriptor, F_GETFL, 0), "fcntl", name);
        if ((flags & O_NONBLOCK) != 0)
            throw new ArgumentException("The socket is non-blocking: Blocking must be true, and no asynchronous method may have been called on it.", nameof(socket));
        Name = name;
    }

    private ByteTarget(DiskFile file)
    {
        if (!file.Mode.HasFlag(OpenMode.Write))
            throw new ArgumentException("The file is not open for writing.", nameof(file));
        this.file = file;
        Name = file.Path;
    }

    /// <summary>Asked for once per send: the owner may have closed it since.</summary>
    internal int Descriptor => file is not null ? file.Descriptor
        : handle is { IsClosed: false } ? (int)handle.DangerousGetHandle()
        : throw new ObjectDisposedException(Name);

    internal string Name { get; }

    internal bool IsSocket => handle is not null;

    /// <summary>A socket as a target.</summary>
    public static implicit operator ByteTarget(Socket socket) => new(socket);

    /// <summary>A file as a target.</summary>
    public static implicit operator ByteTarget(DiskFile file) => new(file);

    /// <summary>Writes all bytes. 0, or a negative errno.</summary>
    internal unsafe nint WriteAll(byte* buffer, nint lengthBytes)
    {
        var descriptor = Descriptor;
        while (lengthBytes > 0)
        {
            var done = Libc.write(descriptor, buffer, lengthBytes);
            if (done >= 0)
            {
                buffer += done;
                lengthBytes -= done;
                continue;
            }
            var errno = Marshal.GetLastPInvokeError();
            if (errno != EINTR)
                return -errno;
        }
        return 0;
    }

    private static string NameOf(Socket socket)
    {
        try
        {
            return $"socket {socket.RemoteEndPoint}".TrimEnd();
        }
        catch (SocketException)
        {
            return "socket"; // already reset by its peer
        }
    }

    /// <summary>An exception for a failed move from a file to this target.</summary>
    internal DiskException Failure(string operation, DiskFile source, int errno) =>
        DiskException.FromErrno(operation, $"{source.Path} to {Name}", errno, errno switch
        {
            EPIPE or ECONNRESET when IsSocket => "the receiver has closed the connection",
            EAGAIN when IsSocket => "the receiver took nothing within the socket's send time-out",
            ENOTCONN => "the socket is not connected",
            EXDEV => "source and target are on different file systems",
            _ => null,
        });
}
