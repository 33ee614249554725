using System.Globalization;
using System.Reflection;
using Bench.Reports.History;
using Bench.TestSupport;
using Npgsql;
using Xunit.Sdk;

namespace Bench.Reports.Tests.History;

/// <summary>The two kinds of store.</summary>
public enum StoreKind
{
    Folder,
    Database,
}

/// <summary>The test with a folder of JSON lines.</summary>
public sealed class FolderStoreAttribute : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[StoreKind.Folder]];
}

/// <summary>The same test with a PostgreSQL database; skipped, with the reason, where there is no PostgreSQL.</summary>
public sealed class DatabaseStoreAttribute : DataAttribute
{
    public DatabaseStoreAttribute() => Skip = new NeedsFactAttribute(PostgresServer.Needs).Skip;

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[StoreKind.Database]];
}

/// <summary>Places for empty stores of both kinds; the server is started when the first one needs it.</summary>
public sealed class StorePlaces : IDisposable
{
    private readonly TestFolder folder = new();
    private readonly Lazy<PostgresServer> server = new(() => new PostgresServer());
    private int made;

    public PostgresServer Server => server.Value;

    /// <summary>The name of a store that nobody has used yet.</summary>
    public string New(StoreKind kind)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"store{Interlocked.Increment(ref made)}");
        if (kind == StoreKind.Folder)
            return folder.File(name);
        Execute("postgres", $"create database {name}");
        return Server.Address(name);
    }

    public void Execute(string database, string sql)
    {
        using var connection = Connection(Server.Address(database));
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }

    public static object? Scalar(string address, string sql)
    {
        using var connection = Connection(address);
        using var command = new NpgsqlCommand(sql, connection);
        return command.ExecuteScalar();
    }

    public static NpgsqlConnection Connection(string address)
    {
        var connection = new NpgsqlConnection(PostgresAddress.Parse(address).ConnectionString);
        connection.Open();
        return connection;
    }

    public void Dispose()
    {
        folder.Dispose();
        if (server.IsValueCreated)
            server.Value.Dispose();
    }
}
