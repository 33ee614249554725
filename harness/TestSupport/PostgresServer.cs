using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Bench.TestSupport;

/// <summary>
/// A PostgreSQL server of its own in a test folder, on a free port of the loopback interface and a Unix socket; the
/// machine's own server, if it has one, is left alone. PostgreSQL refuses root, so under root it runs as the user
/// <c>postgres</c>, or as <c>nobody</c>.
/// <para>
/// It ends with the test process, whatever ends that: a shell beside it reads a pipe that only this process holds open.
/// (PR_SET_PDEATHSIG would do for a program with one thread; it goes by the thread that started the child.)
/// </para>
/// </summary>
public sealed class PostgresServer : IDisposable
{
    /// <summary>Its superuser.</summary>
    public const string User = "bench";

    /// <summary>The superuser's password: with all that an address has to encode.</summary>
    public const string Password = "s:p@ce/100%?";

    /// <summary>What a test needs for it.</summary>
    public static readonly string[] Needs = ["initdb", "postgres", "setpriv"];

    private readonly TestFolder folder = new();
    private readonly string? user = Environment.IsPrivilegedProcess ? UnprivilegedUser() : null;
    private Process? process;

    /// <summary>Makes a cluster and starts it.</summary>
    public PostgresServer()
    {
        try
        {
            var passwordFile = folder.File("password");
            File.WriteAllText(passwordFile, Password);
            Directory.CreateDirectory(Data);
            Directory.CreateDirectory(Socket);
            if (user is not null)
                Command.Run("chown", "-R", user, folder.FullPath);
            Run("initdb", "-D", Data, "-U", User, "-A", "scram-sha-256", "--pwfile", passwordFile, "-E", "UTF8", "--locale", "C", "--no-sync");
            Start();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The port on 127.0.0.1.</summary>
    public int Port { get; } = FreePort();

    /// <summary>The folder of the Unix socket.</summary>
    public string Socket => folder.File("socket");

    private string Data => folder.File("data");

    /// <summary>The address of one of its databases.</summary>
    public string Address(string database) =>
        string.Create(CultureInfo.InvariantCulture, $"postgres://{User}:{Uri.EscapeDataString(Password)}@127.0.0.1:{Port}/{database}");

    /// <summary>Starts it after a <see cref="Stop"/>; returns when it takes connections.</summary>
    public void Start()
    {
        var ready = Path.Combine(Data, "postmaster.pid");
        // The shell ends the server when the pipe to its standard input is closed; QUIT is the stop without a farewell.
        var command = Unprivileged("sh", "-c", "log=$1; shift; \"$@\" > \"$log\" 2>&1 & server=$!; cat > /dev/null; kill -QUIT $server; wait $server", "sh", LogFile,
            Command.Find("postgres")!, "-D", Data, "-k", Socket, "-h", "127.0.0.1", "-p", Port.ToString(CultureInfo.InvariantCulture), "-c", "fsync=off");
        process = Process.Start(new ProcessStartInfo(Command.Find(command[0])!, command[1..]) { WorkingDirectory = folder.FullPath, RedirectStandardInput = true })!;
        var started = Stopwatch.GetTimestamp();
        while (!(File.Exists(ready) && File.ReadAllText(ready).Contains("ready", StringComparison.Ordinal)))
        {
            if (process.HasExited || Stopwatch.GetElapsedTime(started) > Command.DefaultTimeout)
                throw new InvalidOperationException($"PostgreSQL did not start: {Log()}");
            Thread.Sleep(10);
        }
    }

    /// <summary>Stops it as a crash does: connections break, nothing is written back.</summary>
    public void Stop()
    {
        if (process is null)
            return;
        process.StandardInput.Close();
        if (!process.WaitForExit(Command.DefaultTimeout))
            process.Kill(entireProcessTree: true);
        process.Dispose();
        process = null;
        File.Delete(Path.Combine(Data, "postmaster.pid"));
    }

    /// <summary>Stops it and removes its folder.</summary>
    public void Dispose()
    {
        Stop();
        folder.Dispose();
    }

    private void Run(string program, params string[] arguments)
    {
        var command = Unprivileged([Command.Find(program)!, .. arguments]);
        Command.Run(command[0], command[1..]);
    }

    private string[] Unprivileged(params string[] command) =>
        user is null ? command : ["setpriv", $"--reuid={user}", $"--regid={Command.Run("id", "-g", user).StandardOutput.Trim()}", "--clear-groups", .. command];

    private static string UnprivilegedUser() => Command.TryRun(Command.DefaultTimeout, "id", "-u", "postgres").ExitCode == 0 ? "postgres" : "nobody";

    private string LogFile => Path.Combine(Data, "server.log");

    private string Log() => File.Exists(LogFile) ? File.ReadAllText(LogFile) : "it left no log";

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
