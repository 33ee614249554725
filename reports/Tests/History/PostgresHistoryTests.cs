using System.Globalization;
using Bench.Reports.History;
using Bench.TestSupport;
using Npgsql;
using Xunit;

namespace Bench.Reports.Tests.History;

/// <summary>What a database adds: lost connections, a server that stops, migrations, addresses.</summary>
public sealed class PostgresHistoryTests(StorePlaces places) : IClassFixture<StorePlaces>
{
    private sealed class DatabaseFactAttribute : FactAttribute
    {
        public DatabaseFactAttribute() => Skip = new NeedsFactAttribute(PostgresServer.Needs).Skip;
    }

    [DatabaseFact]
    public void A_connection_that_is_killed_in_the_middle_of_an_add_loses_and_doubles_nothing()
    {
        var address = places.New(StoreKind.Database);
        using var store = PostgresHistory.Open(address);
        store.Add(SampleHistory.Run(1));
        var kills = 0;
        store.BeforeCommit = () =>
        {
            if (kills++ < 3)
                Assert.Equal(true, StorePlaces.Scalar(address, $"select pg_terminate_backend({store.ServerProcess}, 10000)"));
        };
        Assert.Equal(AddOutcome.Added, store.Add(SampleHistory.Run(2)));
        Assert.Equal(4, kills);
        AssertWhole(address, runs: 2);
    }

    [DatabaseFact]
    public void A_connection_that_is_killed_between_two_adds_is_opened_again()
    {
        var address = places.New(StoreKind.Database);
        using var store = PostgresHistory.Open(address);
        for (var day = 0; day < 5; day++)
        {
            store.Add(SampleHistory.Run(day));
            StorePlaces.Scalar(address, $"select pg_terminate_backend({store.ServerProcess}, 10000)");
            Assert.Equal(3, store.Cases().Count);
            StorePlaces.Scalar(address, $"select pg_terminate_backend({store.ServerProcess}, 10000)");
            Assert.Equal(day + 1, store.Last([SampleHistory.Case(0)], 100).Single().Points.Count);
        }
        AssertWhole(address, runs: 5);
    }

    [DatabaseFact]
    public void A_server_that_starts_again_between_the_attempts_has_the_run_once()
    {
        var address = places.New(StoreKind.Database);
        using var store = PostgresHistory.Open(address);
        store.Add(SampleHistory.Run(1));
        Task? restart = null;
        store.BeforeCommit = () =>
        {
            if (restart is not null)
                return;
            places.Server.Stop();
            restart = Task.Run(places.Server.Start);
        };
        Assert.Equal(AddOutcome.Added, store.Add(SampleHistory.Run(2)));
        Assert.NotNull(restart);
        restart.GetAwaiter().GetResult();
        AssertWhole(address, runs: 2);
    }

    [DatabaseFact]
    public void A_commit_whose_answer_was_lost_is_found_there()
    {
        var address = places.New(StoreKind.Database);
        using var store = PostgresHistory.Open(address);
        var committed = false;
        store.BeforeCommit = () =>
        {
            // As if the commit had come through and its answer had not: another has committed the same.
            if (committed)
                return;
            committed = true;
            StorePlaces.Scalar(address, $"select pg_terminate_backend({store.ServerProcess}, 10000)");
            using var other = PostgresHistory.Open(address);
            other.Add(SampleHistory.Run(1));
        };
        Assert.Equal(AddOutcome.AlreadyThere, store.Add(SampleHistory.Run(1)));
        AssertWhole(address, runs: 1);
    }

    [DatabaseFact]
    public async Task Many_that_open_an_empty_database_at_once_migrate_it_once()
    {
        var address = places.New(StoreKind.Database);
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => PostgresHistory.Open(address).Dispose())));
        Assert.Equal(PostgresSchema.Version, Convert.ToInt32(StorePlaces.Scalar(address, "select count(*) from bench.migration"), CultureInfo.InvariantCulture));
        using var store = PostgresHistory.Open(address);
        Assert.Empty(store.Cases());
    }

    [DatabaseFact]
    public void A_database_that_a_newer_bench_has_migrated_is_refused()
    {
        var address = places.New(StoreKind.Database);
        PostgresHistory.Open(address).Dispose();
        StorePlaces.Scalar(address, "insert into bench.migration (version) values (99)");
        var message = Assert.Throws<HistoryException>(() => PostgresHistory.Open(address)).Message;
        Assert.Contains("migrated by a newer bench (to version 99", message, StringComparison.Ordinal);
        AssertTellsNoPassword(message);
    }

    [DatabaseFact]
    public void A_user_who_may_only_read_can_ask()
    {
        var address = places.New(StoreKind.Database);
        using (var store = PostgresHistory.Open(address))
            store.Add(SampleHistory.Run(1));
        StorePlaces.Scalar(address, "create role reader login password 'r'; grant usage on schema bench to reader; grant select on all tables in schema bench to reader");
        var builder = PostgresAddress.Parse(address);
        using var reader = PostgresHistory.Open($"postgresql://reader:r@{builder.Host}:{builder.Port}/{builder.Database}");
        Assert.Equal(3, reader.Cases().Count);
        Assert.Contains("permission denied", Assert.Throws<HistoryException>(() => reader.Add(SampleHistory.Run(2))).Message, StringComparison.Ordinal);
    }

    [DatabaseFact]
    public void A_Unix_socket_is_a_host_too()
    {
        var database = PostgresAddress.Parse(places.New(StoreKind.Database)).Database;
        var address = $"postgres:///{database}?host={places.Server.Socket}&port={places.Server.Port}&user={PostgresServer.User}&password={Uri.EscapeDataString(PostgresServer.Password)}";
        using var store = PostgresHistory.Open(address);
        Assert.Equal(AddOutcome.Added, store.Add(SampleHistory.Run(1)));
        Assert.Equal($"postgres:///{database}?host={places.Server.Socket}", store.Name);
    }

    [DatabaseFact]
    public void A_wrong_password_and_a_missing_database_are_sentences_at_once()
    {
        var builder = PostgresAddress.Parse(places.New(StoreKind.Database));
        var wrong = Assert.Throws<HistoryException>(() => PostgresHistory.Open($"postgres://{PostgresServer.User}:wrong-{Uri.EscapeDataString(PostgresServer.Password)}@{builder.Host}:{builder.Port}/{builder.Database}"));
        Assert.Contains("password authentication failed", wrong.Message, StringComparison.Ordinal);
        AssertTellsNoPassword(wrong.Message);
        var missing = Assert.Throws<HistoryException>(() => PostgresHistory.Open(places.Server.Address("nowhere")));
        Assert.Contains("\"nowhere\" does not exist", missing.Message, StringComparison.Ordinal);
        AssertTellsNoPassword(missing.Message);
    }

    [Fact]
    public void A_server_that_is_not_there_is_a_sentence()
    {
        var message = Assert.Throws<HistoryException>(() => PostgresHistory.Open("postgres://kim:sec%40ret@127.0.0.1:1/bench")).Message;
        Assert.StartsWith("postgres://127.0.0.1:1/bench cannot be opened: ", message, StringComparison.Ordinal);
        Assert.DoesNotContain("ret", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("postgres://kim@db.example.org/bench", "db.example.org", 5432, "kim", null, "bench")]
    [InlineData("postgresql://kim:p%40s%3As%2F%25@db:6000/my%20base?sslmode=verify-full", "db", 6000, "kim", "p@s:s/%", "my base")]
    [InlineData("postgres://kim:p@ss@db/bench", "db", 5432, "kim", "p@ss", "bench")]
    [InlineData("POSTGRES://kim@[::1]:99/bench?application_name=ci", "::1", 99, "kim", null, "bench")]
    [InlineData("postgres:///bench?host=/run/postgresql&user=kim", "/run/postgresql", 5432, "kim", null, "bench")]
    public void An_address_is_read_as_libpq_reads_it(string address, string host, int port, string user, string? password, string database)
    {
        Assert.True(PostgresAddress.Is(address));
        var connection = PostgresAddress.Parse(address);
        Assert.Equal((host, port, user, password, database), (connection.Host, connection.Port, connection.Username, connection.Password, connection.Database));
    }

    [Theory]
    [InlineData("postgres://kim:secret@db:port/bench", "a port that is none")]
    [InlineData("postgres://kim:sec/ret@db/bench", "a port that is none")]
    [InlineData("postgres://kim:secret@db/bench?sslmode=perhaps", "verify-full")]
    [InlineData("postgres://kim:secret@db/bench?colour=blue", "'colour', which is unknown")]
    [InlineData("mysql://kim:secret@db/bench", "'mysql' is no kind of store")]
    [InlineData(" ", "the store is empty")]
    public void What_is_no_address_is_refused_without_repeating_it(string address, string told)
    {
        var message = Assert.Throws<FormatException>(() => HistoryStore.Open(address)).Message;
        Assert.Contains(told, message, StringComparison.Ordinal);
        Assert.DoesNotContain("sec", message, StringComparison.Ordinal);
    }

    private static void AssertTellsNoPassword(string message)
    {
        Assert.DoesNotContain(PostgresServer.Password, message, StringComparison.Ordinal);
        Assert.DoesNotContain(Uri.EscapeDataString(PostgresServer.Password), message, StringComparison.Ordinal);
    }

    /// <summary>Every run with all of its points, and none twice.</summary>
    private static void AssertWhole(string address, int runs)
    {
        Assert.Equal((long)runs, StorePlaces.Scalar(address, "select count(*) from bench.run"));
        Assert.Equal(0L, StorePlaces.Scalar(address, "select count(*) from bench.run r where points <> (select count(*) from bench.point p where p.run = r.id)"));
    }
}
