using System.CommandLine;
using System.Runtime.InteropServices;
using Bench.Disk;
using Bench.Disk.ZeroCopy;
using Bench.Workloads;

namespace Bench.Commands;

/// <summary>The receiving process of a transfer; started by the Transfer workload, of no use by hand.</summary>
internal sealed class ReceiveCommand : Command
{
    private readonly Argument<string> address = new("ADDRESS");
    private readonly Option<long> fileBytes = new("--file-bytes") { Required = true };
    private readonly Option<string> congestionControl = new("--congestion-control") { Required = true };
    private readonly Option<bool> tls = new("--tls");

    internal ReceiveCommand() : base("receive", "The receiving process of a transfer")
    {
        Hidden = true;
        Add(address);
        Add(fileBytes);
        Add(congestionControl);
        Add(tls);
        SetAction(Receive);
    }

    private int Receive(ParseResult parsed)
    {
        // A terminal sends Ctrl-C to this process too; the sender decides when to end, and closes the connection.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = true);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => signal.Cancel = true);
        var name = parsed.GetValue(address)!;
        var kind = name.StartsWith("tcp:", StringComparison.Ordinal) ? SocketKind.Tcp : SocketKind.Unix;
        using var socket = Sockets.Connect(name);
        Sockets.Prepare(socket, kind, parsed.GetValue(congestionControl)!);
        using var encrypted = parsed.GetValue(tls) ? Encryption.AsClient(socket) : null;
        Console.Out.WriteLine($"ready {(kind == SocketKind.Tcp ? SocketOptions.GetCongestionControl(socket) : "")}");

        var buffer = new byte[1 << 20];
        using var hash = new Sha256();
        var length = parsed.GetValue(fileBytes);
        for (var file = 0L; ; file++)
        {
            for (var left = length; left > 0;)
            {
                var wanted = buffer.AsSpan(0, (int)Math.Min(buffer.Length, left));
                var received = encrypted is null ? socket.Receive(wanted) : encrypted.Read(wanted);
                if (received == 0)
                    return ExitCode.Done;
                if (file == 0)
                    hash.Append(wanted[..received]);
                left -= received;
            }
            if (file == 0)
                Console.Out.WriteLine(Convert.ToHexStringLower(hash.Finish()));
            if (encrypted is null)
                socket.Send([1]);
            else
                encrypted.Write([1]);
        }
    }
}
