using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using Bench.Disk;
using Bench.Measure.Records;
using Bench.Reports.Comparison;
using Npgsql;
using NpgsqlTypes;

namespace Bench.Reports.History;

/// <summary>
/// A history in a PostgreSQL database, for several machines that write to one place: three tables in the schema
/// <c>bench</c>, made and brought up to date when it is opened.
/// <para>
/// A run is added in one transaction, and everything here can be done twice with the result of once; so when the
/// connection is lost, also in the moment of the commit when nobody knows whether it came through, it is done again:
/// nothing is lost and nothing is there twice. Not for several threads at once: each opens its own.
/// </para>
/// </summary>
public sealed class PostgresHistory : IHistoryStore
{
    /// <summary>Pauses before the second and the further attempts: together longer than a server takes to start again.</summary>
    private static readonly TimeSpan[] Pauses = [.. new[] { 0.1, 0.2, 0.4, 0.8, 1.6, 3.2 }.Select(seconds => TimeSpan.FromSeconds(seconds))];

    /// <summary>Cases per question: few round trips, and never a whole history in memory.</summary>
    private const int CasesAtOnce = 50;

    private readonly NpgsqlDataSource source;
    private readonly Dictionary<int, HistoryRun> runs = [];
    private NpgsqlConnection? connection;

    private PostgresHistory(NpgsqlConnectionStringBuilder address)
    {
        Name = PostgresAddress.Name(address);
        source = NpgsqlDataSource.Create(address);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Called within an add, after the points are sent and before the commit: where the tests cut the connection.</summary>
    internal Action? BeforeCommit { get; set; }

    /// <summary>The process of the server that this store talks to.</summary>
    internal int ServerProcess => Connected().ProcessID;

    /// <summary>Opens the history of a database, and makes its tables where they are missing.</summary>
    /// <param name="address"><c>postgres://USER:PASSWORD@HOST:PORT/DATABASE</c>, see <see cref="PostgresAddress"/>.</param>
    /// <exception cref="FormatException">It is no address.</exception>
    /// <exception cref="HistoryException">The database cannot be reached, or a newer bench has migrated it.</exception>
    public static PostgresHistory Open(string address)
    {
        // .NET ends the process at the first use, and the server decides whether that is.
        if (!Sha256.HasOpenSsl)
            throw new HistoryException("a history in PostgreSQL needs OpenSSL (libssl), which is not installed");
        PostgresHistory store;
        try
        {
            store = new PostgresHistory(PostgresAddress.Parse(address));
        }
        catch (ArgumentException exception)
        {
            throw new FormatException($"the address of the database is none: {exception.Message}", exception);
        }
        try
        {
            store.Repeatedly("opened", () => store.Connected(), pauses: 3);
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public AddOutcome Add(RunPoints run) => Repeatedly("written", () => TryAdd(run));

    /// <inheritdoc/>
    public IReadOnlyList<HistoryCase> Cases() => Repeatedly("read", () =>
    {
        using var command = Command("select c.name, count(*)::int from bench.point p join bench.bench_case c on c.id = p.bench_case group by c.name");
        using var rows = command.ExecuteReader();
        var cases = new List<HistoryCase>();
        while (rows.Read())
            cases.Add(new HistoryCase(rows.GetString(0), rows.GetInt32(1)));
        // In the order of .NET's ordinal comparison, whatever the database's collation is.
        return cases.OrderBy(one => one.Case, StringComparer.Ordinal).ToArray();
    });

    /// <inheritdoc/>
    public IEnumerable<CaseHistory> Last(IReadOnlyList<string> cases, int last)
    {
        foreach (var chunk in cases.Chunk(CasesAtOnce))
        {
            var found = Repeatedly("read", () => LastOf(chunk, last));
            foreach (var name in chunk)
                yield return new CaseHistory(name, found.TryGetValue(name, out var points) ? points : []);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        connection?.Dispose();
        source.Dispose();
    }

    /// <summary>The statement by which <see cref="Last"/> asks, for a benchmark that shows its plan.</summary>
    internal const string LastStatement = """
        select c.name, c.workload, p.run, p.verdict, p.bytes_per_second, p.bytes_per_second_low, p.bytes_per_second_high, p.p99_ns, p.cpu_ns_per_operation
        from bench.bench_case c
        cross join lateral (select * from bench.point where bench_case = c.id order by started desc, run desc limit $2) p
        where c.name = any($1)
        order by c.name, p.started, p.run
        """;

    private Dictionary<string, List<PointOfRun>> LastOf(string[] cases, int last)
    {
        var rows = new List<(int Run, HistoryPoint Point)>();
        using (var command = Command(LastStatement))
        {
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = cases });
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = last });
            using var reader = command.ExecuteReader();
            while (reader.Read())
                rows.Add((reader.GetInt32(2), PointOf(reader)));
        }
        ReadRuns([.. rows.Select(row => row.Run).Distinct().Where(id => !runs.ContainsKey(id))]);
        return rows.GroupBy(row => row.Point.Case, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Select(row => new PointOfRun(runs[row.Run], row.Point)).ToList(), StringComparer.Ordinal);
    }

    private static HistoryPoint PointOf(NpgsqlDataReader reader)
    {
        double? Figure(int column) => reader.IsDBNull(column) ? null : reader.GetDouble(column);
        return new HistoryPoint
        {
            Case = reader.GetString(0),
            Workload = reader.GetString(1),
            Verdict = Enum.Parse<Verdict>(reader.GetString(3), ignoreCase: true),
            BytesPerSecond = Figure(4) is { } median ? new Estimate(median, Figure(5) ?? median, Figure(6) ?? median) : null,
            P99Ns = Figure(7),
            CpuNsPerOperation = Figure(8),
        };
    }

    /// <summary>Reads runs that are not known yet; they never change.</summary>
    private void ReadRuns(int[] ids)
    {
        if (ids.Length == 0)
            return;
        using var command = Command("select id, run, started, tool_version, commit, profile, target, points, traits::text from bench.run where id = any($1)");
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = ids });
        using var reader = command.ExecuteReader();
        while (reader.Read())
            runs[reader.GetInt32(0)] = new HistoryRun
            {
                Run = reader.GetString(1),
                StartedUtc = reader.GetFieldValue<DateTimeOffset>(2),
                ToolVersion = reader.GetString(3),
                Commit = reader.IsDBNull(4) ? null : reader.GetString(4),
                Profile = reader.GetString(5),
                Target = reader.GetString(6),
                Points = reader.GetInt32(7),
                Traits = JsonSerializer.Deserialize<Trait[]>(reader.GetString(8), RecordJson.Options) ?? [],
            };
    }

    private AddOutcome TryAdd(RunPoints run)
    {
        using var transaction = Connected().BeginTransaction();
        // Waits for another who adds the same run, and then finds it there.
        if (InsertRun(run.Run) is not { } id)
            return HistoryJson.Write(Stored(run.Run.Run)) == HistoryJson.Write(run) ? AddOutcome.AlreadyThere
                : throw new HistoryException($"{Name} holds the run {run.Run.Run} with other figures; a run is never changed");
        InsertCases(run.Points);
        InsertPoints(id, run);
        BeforeCommit?.Invoke();
        transaction.Commit();
        return AddOutcome.Added;
    }

    private int? InsertRun(HistoryRun run)
    {
        using var command = Command("""
            insert into bench.run (run, started, tool_version, commit, profile, target, points, traits) values ($1, $2, $3, $4, $5, $6, $7, $8)
            on conflict (run) do nothing returning id
            """);
        foreach (object? value in new object?[] { run.Run, run.StartedUtc.ToUniversalTime(), run.ToolVersion, run.Commit, run.Profile, run.Target, run.Points })
            command.Parameters.Add(value is null ? new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text } : new NpgsqlParameter { Value = value });
        command.Parameters.Add(new NpgsqlParameter { Value = JsonSerializer.Serialize(run.Traits, RecordJson.Options), NpgsqlDbType = NpgsqlDbType.Jsonb });
        return command.ExecuteScalar() as int?;
    }

    /// <summary>In the order of their names, so that two writers never wait for each other crosswise; and only those that are new, for each try takes a number.</summary>
    private void InsertCases(IReadOnlyList<HistoryPoint> points)
    {
        using var command = Command("""
            insert into bench.bench_case (name, workload)
            select name, workload from unnest($1, $2) as new (name, workload)
            where not exists (select from bench.bench_case known where known.name = new.name)
            order by name collate "C" on conflict (name) do nothing
            """);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. points.Select(point => point.Case)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. points.Select(point => point.Workload)] });
        command.ExecuteNonQuery();
    }

    private void InsertPoints(int id, RunPoints run)
    {
        using var command = Command("""
            insert into bench.point (run, bench_case, started, verdict, bytes_per_second, bytes_per_second_low, bytes_per_second_high, p99_ns, cpu_ns_per_operation)
            select $1, c.id, $2, new.verdict, new.median, new.low, new.high, new.p99, new.cpu
            from unnest($3, $4, $5, $6, $7, $8, $9) as new (name, verdict, median, low, high, p99, cpu) join bench.bench_case c on c.name = new.name
            """);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = id });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = run.Run.StartedUtc.ToUniversalTime() });
        void AddColumn<T>(Func<HistoryPoint, T> value) => command.Parameters.Add(new NpgsqlParameter<T[]> { TypedValue = [.. run.Points.Select(value)] });
        AddColumn(point => point.Case);
        AddColumn(point => point.Verdict.ToString().ToLowerInvariant());
        AddColumn(point => point.BytesPerSecond?.Median);
        AddColumn(point => point.BytesPerSecond?.Low);
        AddColumn(point => point.BytesPerSecond?.High);
        AddColumn(point => point.P99Ns);
        AddColumn(point => point.CpuNsPerOperation);
        var inserted = command.ExecuteNonQuery();
        if (inserted != run.Points.Count)
            throw new HistoryException(string.Create(CultureInfo.InvariantCulture, $"{Name} took {inserted} of {run.Points.Count} points of the run {run.Run.Run}; nothing was added"));
    }

    private RunPoints Stored(string run)
    {
        using var command = Command("""
            select c.name, c.workload, p.run, p.verdict, p.bytes_per_second, p.bytes_per_second_low, p.bytes_per_second_high, p.p99_ns, p.cpu_ns_per_operation, r.id
            from bench.run r left join bench.point p on p.run = r.id left join bench.bench_case c on c.id = p.bench_case where r.run = $1
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = run });
        var points = new List<HistoryPoint>();
        var id = 0;
        using (var reader = command.ExecuteReader())
        {
            while (reader.Read())
            {
                id = reader.GetInt32(9);
                if (!reader.IsDBNull(0))
                    points.Add(PointOf(reader));
            }
        }
        ReadRuns([id]);
        return new RunPoints(runs[id], [.. points.OrderBy(point => point.Case, StringComparer.Ordinal)]);
    }

    private NpgsqlCommand Command(string sql) => new(sql, Connected());

    private NpgsqlConnection Connected()
    {
        if (connection is { FullState: System.Data.ConnectionState.Open })
            return connection;
        connection?.Dispose();
        connection = null;
        var opened = source.OpenConnection();
        try
        {
            PostgresSchema.Migrate(opened, Name);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
        return connection = opened;
    }

    /// <summary>Does something that may be done twice, again after a lost connection, until it is done or the pauses are over. An opening waits for less: a wrong address should be told soon.</summary>
    private T Repeatedly<T>(string what, Func<T> act, int pauses = int.MaxValue)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return act();
            }
            catch (Exception exception) when (exception is NpgsqlException or SocketException or IOException or TimeoutException or InvalidOperationException)
            {
                // Whatever is left of it: a broken connection, or one within a transaction.
                connection?.Dispose();
                connection = null;
                if (attempt >= Math.Min(pauses, Pauses.Length) || !IsPassing(exception))
                    throw new HistoryException($"{Name} cannot be {what}: {Words(exception)}", exception);
                Thread.Sleep(Pauses[attempt]);
            }
        }
    }

    /// <summary>A lost connection, a server that stops or starts, a deadlock: not a wrong password, and not a missing table.</summary>
    private static bool IsPassing(Exception exception) => exception is PostgresException { SqlState: var state }
        // 08: connection; 57P01 to 57P03: shutdown and start; 40: serialization and deadlock; 53300: too many connections; 25P03: idle in transaction too long.
        ? state.StartsWith("08", StringComparison.Ordinal) || state is "57P01" or "57P02" or "57P03" or "40001" or "40P01" or "53300" or "25P03"
        : exception is not (InvalidOperationException or NpgsqlException { InnerException: SocketException { SocketErrorCode: SocketError.HostNotFound } });

    private static string Words(Exception exception) => exception is PostgresException server ? $"{server.MessageText} ({server.SqlState})"
        : exception.InnerException is { } inner ? $"{exception.Message.TrimEnd('.')} ({inner.Message})" : exception.Message;
}
