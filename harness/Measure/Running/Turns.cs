using System.Net.Sockets;
using Bench.Measure.Passes;

namespace Bench.Measure.Running;

/// <summary>
/// A run that takes turns with another one, pass by pass: before each pass it asks for its turn and waits.
/// <para>
/// Figures of two runs that follow each other differ by what the machine did in between: on a virtual machine by ten
/// percent and more within seconds. hyperfine and BenchmarkDotNet have asked for interleaving for years; both start
/// the next program when the last one is done. Here both processes live side by side and only one measures at a time,
/// so what is compared lies a fraction of a second apart, and each is still a process of its own.
/// </para>
/// <para>
/// The protocol is two letters over a Unix socket: the run writes <see cref="Ready"/>, whoever gives the turns answers
/// with <see cref="Go"/>. A turn lasts until the next <see cref="Ready"/> or the end of the connection, so preparing,
/// flushing and storing a record are within turns too.
/// </para>
/// </summary>
public sealed class Turns : IDisposable
{
    /// <summary>The run waits for its turn.</summary>
    public const byte Ready = (byte)'R';

    /// <summary>It is the run's turn.</summary>
    public const byte Go = (byte)'G';

    /// <summary>What an address without a file begins with.</summary>
    public const string AbstractPrefix = "abstract:";

    private const int LookForStopMicroseconds = 200_000;

    private readonly Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    /// <summary>Connects to who gives the turns.</summary>
    /// <param name="path">Its socket: a path, or <see cref="AbstractPrefix"/> and a name.</param>
    /// <exception cref="PlanException">Nobody listens there.</exception>
    public Turns(string path)
    {
        try
        {
            socket.Connect(EndPoint(path));
        }
        catch (Exception exception) when (exception is SocketException or ArgumentException)
        {
            socket.Dispose();
            throw new PlanException($"--turns {path}: nobody gives turns there ({exception.Message}); 'bench gate' starts its runs with it");
        }
    }

    /// <summary>The address of a socket as it is given on the command line: a path, or <see cref="AbstractPrefix"/> and a name without a file (unix(7)).</summary>
    public static UnixDomainSocketEndPoint EndPoint(string path) => new(path.StartsWith(AbstractPrefix, StringComparison.Ordinal) ? "\0" + path[AbstractPrefix.Length..] : path);

    /// <summary>Asks for the turn and waits for it.</summary>
    /// <param name="stop">Requested too if the other end is gone: without it the run has no sense.</param>
    /// <exception cref="OperationCanceledException">The user wants to stop, or the other end is gone.</exception>
    public void Wait(StopSignal stop)
    {
        Span<byte> letter = [Ready];
        try
        {
            socket.Send(letter);
            while (!socket.Poll(LookForStopMicroseconds, SelectMode.SelectRead))
                stop.ThrowIfRequested();
            if (socket.Receive(letter) == 1 && letter[0] == Go)
                return;
        }
        catch (SocketException)
        {
            // The same as the end of the stream.
        }
        stop.Request();
        stop.ThrowIfRequested();
    }

    /// <inheritdoc/>
    public void Dispose() => socket.Dispose();
}
