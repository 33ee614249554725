using System.Globalization;
using Npgsql;

namespace Bench.Reports.History;

/// <summary>
/// A database's address as libpq writes it: <c>postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=require</c>. What is
/// left out comes from PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE, the password also from <c>~/.pgpass</c>. A
/// host that is a folder is a Unix socket's: <c>postgres:///bench?host=/run/postgresql</c>. No message repeats a
/// password.
/// </summary>
public static class PostgresAddress
{
    /// <summary>True if the text is meant as one.</summary>
    public static bool Is(string text) =>
        text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase);

    /// <summary>The connection that an address stands for.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    internal static NpgsqlConnectionStringBuilder Parse(string address)
    {
        var rest = address[(address.IndexOf("://", StringComparison.Ordinal) + 3)..];
        var (main, query) = Split(rest, rest.IndexOf('?', StringComparison.Ordinal));
        var (authority, database) = Split(main, main.IndexOf('/', StringComparison.Ordinal));
        // The last @: a password should have its own percent-encoded, and often has not.
        var at = authority.LastIndexOf('@');
        var (user, password) = at < 0 ? ("", "") : Split(authority[..at], authority[..at].IndexOf(':', StringComparison.Ordinal));
        var (host, port) = HostAndPort(authority[(at + 1)..]);

        var connection = new NpgsqlConnectionStringBuilder
        {
            Host = Host(Decoded(host)),
            Port = Port(port.Length > 0 ? port : Environment.GetEnvironmentVariable("PGPORT") ?? "5432"),
            ApplicationName = "bench",
            // One connection that is opened again when it is lost: a pool would hand out another broken one.
            Pooling = false,
            Timeout = 10,
        };
        if (user.Length > 0)
            connection.Username = Decoded(user);
        if (password.Length > 0)
            connection.Password = Decoded(password);
        if ((database.Length > 0 ? Decoded(database) : Environment.GetEnvironmentVariable("PGDATABASE")) is { Length: > 0 } name)
            connection.Database = name;
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (key, value) = Split(pair, pair.IndexOf('=', StringComparison.Ordinal));
            Set(connection, Decoded(key), Decoded(value));
        }
        return connection;
    }

    /// <summary>The address without user and password.</summary>
    internal static string Name(NpgsqlConnectionStringBuilder connection) => connection.Host!.StartsWith('/')
        ? $"postgres:///{connection.Database}?host={connection.Host}"
        : string.Create(CultureInfo.InvariantCulture, $"postgres://{connection.Host}:{connection.Port}/{connection.Database}");

    private static void Set(NpgsqlConnectionStringBuilder connection, string key, string value)
    {
        switch (key)
        {
            case "host": connection.Host = Host(value); break;
            case "port": connection.Port = Port(value); break;
            case "user": connection.Username = value; break;
            case "password": connection.Password = value; break;
            case "dbname": connection.Database = value; break;
            case "options": connection.Options = value; break;
            case "application_name": connection.ApplicationName = value; break;
            case "sslrootcert": connection.RootCertificate = value; break;
            case "connect_timeout": connection.Timeout = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? Math.Clamp(seconds, 1, 1024) : throw new FormatException($"connect_timeout={value} is no number of seconds"); break;
            case "sslmode": connection.SslMode = Enum.TryParse<SslMode>(value.Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out var mode) && Enum.IsDefined(mode) ? mode
                    : throw new FormatException($"sslmode={value} is unknown; there are disable, allow, prefer, require, verify-ca, verify-full"); break;
            default: throw new FormatException($"the address of the database has the parameter '{key}', which is unknown; there are host, port, user, password, dbname, options, application_name, sslmode, sslrootcert, connect_timeout");
        }
    }

    private static string Host(string given) => given.Length > 0 ? given : Environment.GetEnvironmentVariable("PGHOST") is { Length: > 0 } host ? host : "localhost";

    private static int Port(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536
        ? port : throw new FormatException("the address of the database has a port that is none (1 to 65535); a ':' or '/' in a password is written %3A or %2F");

    private static (string Host, string Port) HostAndPort(string text)
    {
        // An IPv6 address stands in brackets, for its own colons.
        var colon = text.LastIndexOf(':');
        var (host, port) = colon > text.LastIndexOf(']') ? (text[..colon], text[(colon + 1)..]) : (text, "");
        return (host.Trim('[', ']'), port);
    }

    private static (string First, string Second) Split(string text, int at) => at < 0 ? (text, "") : (text[..at], text[(at + 1)..]);

    private static string Decoded(string text) => Uri.UnescapeDataString(text);
}
