using System.Globalization;
using Npgsql;

namespace Bench.Reports.History;

/// <summary>The tables of a history, and how a database gets them: numbered steps, each applied once.</summary>
internal static class PostgresSchema
{
    /// <summary>
    /// Never changed once released; a new one goes to the end. Case names have a table of their own, because an index
    /// over a hundred letters a million times would be larger than the figures. A point repeats its run's time, so that
    /// one index gives the last points of a case in order.
    /// </summary>
    private static readonly string[] Migrations =
    [
        """
        create table bench.run (
            id integer generated always as identity primary key,
            run text not null unique,
            started timestamptz not null,
            tool_version text not null,
            commit text,
            profile text not null,
            target text not null,
            points integer not null,
            traits jsonb not null,
            added timestamptz not null default now()
        );
        create table bench.bench_case (
            id integer generated always as identity primary key,
            name text not null unique,
            workload text not null
        );
        create table bench.point (
            run integer not null references bench.run,
            bench_case integer not null references bench.bench_case,
            started timestamptz not null,
            verdict text not null check (verdict in ('proven', 'unproven', 'contradicted')),
            bytes_per_second double precision,
            bytes_per_second_low double precision,
            bytes_per_second_high double precision,
            p99_ns double precision,
            cpu_ns_per_operation double precision,
            primary key (run, bench_case)
        );
        create index point_of_case on bench.point (bench_case, started desc, run desc);
        """,
    ];

    /// <summary>Any number that other programs are unlikely to lock by: "bench" in ASCII.</summary>
    private const long MigrationLock = 0x62656E6368;

    /// <summary>The number of migrations that this build knows.</summary>
    public static int Version => Migrations.Length;

    /// <summary>Brings a database to this build's version; takes no lock if it is there already.</summary>
    /// <exception cref="HistoryException">A newer bench has migrated it.</exception>
    public static void Migrate(NpgsqlConnection connection, string name)
    {
        if (Applied(connection, name) == Version)
            return;
        using var transaction = connection.BeginTransaction();
        Execute(connection, $"select pg_advisory_xact_lock({MigrationLock.ToString(CultureInfo.InvariantCulture)})");
        Execute(connection, "create schema if not exists bench");
        Execute(connection, "create table if not exists bench.migration (version integer primary key, applied timestamptz not null default now())");
        // Another may have done it while this one waited for the lock.
        for (var version = Applied(connection, name); version < Version; version++)
        {
            Execute(connection, Migrations[version]);
            Execute(connection, $"insert into bench.migration (version) values ({(version + 1).ToString(CultureInfo.InvariantCulture)})");
        }
        transaction.Commit();
    }

    private static int Applied(NpgsqlConnection connection, string name)
    {
        if (Scalar(connection, "select to_regclass('bench.migration')::text") is not string)
            return 0;
        var applied = Scalar(connection, "select max(version) from bench.migration") as int? ?? 0;
        return applied <= Version ? applied : throw new HistoryException(string.Create(CultureInfo.InvariantCulture,
            $"{name} was migrated by a newer bench (to version {applied}, and this one knows {Version}); use a newer bench"));
    }

    private static object? Scalar(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection);
        return command.ExecuteScalar();
    }

    private static void Execute(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }
}
