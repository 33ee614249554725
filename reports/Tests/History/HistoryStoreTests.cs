using Bench.Measure.Records;
using Bench.Reports.History;
using Xunit;

namespace Bench.Reports.Tests.History;

/// <summary>What both stores promise.</summary>
public sealed class HistoryStoreTests(StorePlaces places) : IClassFixture<StorePlaces>
{
    [Theory, FolderStore, DatabaseStore]
    public void What_was_added_comes_back_in_every_figure(StoreKind kind)
    {
        var name = places.New(kind);
        var run = SampleHistory.Run(7, cases: 10);
        using (var store = HistoryStore.Open(name))
            Assert.Equal(AddOutcome.Added, store.Add(run));
        using var again = HistoryStore.Open(name);
        Assert.Equal(run.Points.Select(point => new HistoryCase(point.Case, 1)), again.Cases());
        var points = again.Last([.. run.Points.Select(point => point.Case)], 5).SelectMany(one => one.Points).ToArray();
        Assert.Equal(run.Text(), new RunPoints(points[0].Run, [.. points.Select(point => point.Point)]).Text());
    }

    [Theory, FolderStore, DatabaseStore]
    public void Adding_a_run_again_adds_nothing_and_says_so(StoreKind kind)
    {
        using var store = HistoryStore.Open(places.New(kind));
        Assert.Equal(AddOutcome.Added, store.Add(SampleHistory.Run(1)));
        Assert.Equal(AddOutcome.AlreadyThere, store.Add(SampleHistory.Run(1)));
        Assert.Equal(AddOutcome.AlreadyThere, store.Add(SampleHistory.Run(1)));
        Assert.All(store.Cases(), one => Assert.Equal(1, one.Points));
    }

    [Theory, FolderStore, DatabaseStore]
    public void A_run_of_the_same_name_with_other_figures_is_refused_and_changes_nothing(StoreKind kind)
    {
        using var store = HistoryStore.Open(places.New(kind));
        var run = SampleHistory.Run(1);
        store.Add(run);
        RunPoints[] others =
        [
            SampleHistory.Run(1, bytesPerSecond: _ => 5e8), SampleHistory.Run(1, cases: 4), SampleHistory.Run(1, kernel: "6.12.2"), SampleHistory.Run(1, verdict: Verdict.Contradicted),
            run with { Run = run.Run with { StartedUtc = run.Run.StartedUtc.AddYears(3) } },
        ];
        foreach (var other in others)
            Assert.Contains("with other figures", Assert.Throws<HistoryException>(() => store.Add(other)).Message, StringComparison.Ordinal);
        Assert.Equal(3, store.Cases().Count);
        Assert.Equal(1e8 + 1, Assert.Single(store.Last([SampleHistory.Case(0)], 9).Single().Points).Point.BytesPerSecond!.Median);
    }

    [Theory, FolderStore, DatabaseStore]
    public void The_last_points_of_a_case_come_in_order_of_time_whatever_the_order_of_adding(StoreKind kind)
    {
        using var store = HistoryStore.Open(places.New(kind));
        foreach (var day in new[] { 5, 1, 9, 3, 400, 2 })
            store.Add(SampleHistory.Run(day, cases: day == 9 ? 1 : 2));
        string[] Days(int number, int last) => [.. store.Last([SampleHistory.Case(number)], last).Single().Points.Select(point => $"{(point.Run.StartedUtc - SampleHistory.Begin).TotalDays:0}")];
        Assert.Equal(["1", "2", "3", "5", "9", "400"], Days(0, 10));
        Assert.Equal(["9", "400"], Days(0, 2));
        Assert.Equal(["5", "400"], Days(1, 2));
        Assert.Equal([6, 5], store.Cases().Select(one => one.Points));
    }

    [Theory, FolderStore, DatabaseStore]
    public void Many_cases_are_answered_in_the_order_asked_and_unknown_ones_are_empty(StoreKind kind)
    {
        using var store = HistoryStore.Open(places.New(kind));
        store.Add(SampleHistory.Run(1, cases: 20));
        store.Add(SampleHistory.Run(2, cases: 20));
        string[] asked = [.. Enumerable.Range(0, 120).Select(number => number % 6 == 5 ? $"unknown {number}" : SampleHistory.Case(number % 20))];
        var answered = store.Last(asked, 1).ToArray();
        Assert.Equal(asked, answered.Select(one => one.Case));
        Assert.All(answered, one => Assert.Equal(one.Case.StartsWith("unknown", StringComparison.Ordinal) ? 0 : 1, one.Points.Count));
    }

    [Theory, FolderStore, DatabaseStore]
    public async Task Writers_at_once_lose_nothing_and_add_nothing_twice(StoreKind kind)
    {
        var name = places.New(kind);
        const int Writers = 4, Runs = 12;
        // Each adds all runs, in an order of its own, the first ones into a store that does not exist yet.
        var outcomes = await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Factory.StartNew(() =>
        {
            using var store = HistoryStore.Open(name);
            var order = Enumerable.Range(0, Runs).ToArray();
            new Random(writer).Shuffle(order);
            return order.Select(day => (day, Outcome: store.Add(SampleHistory.Run(day, cases: 5 + day % 3)))).ToArray();
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        Assert.All(outcomes.SelectMany(one => one).GroupBy(one => one.day), run => Assert.Single(run, one => one.Outcome == AddOutcome.Added));
        using var store = HistoryStore.Open(name);
        Assert.Equal(Runs, store.Cases().Max(one => one.Points));
        Assert.Equal(Enumerable.Range(0, Runs).Sum(day => 5 + day % 3), store.Cases().Sum(one => one.Points));
    }

    [Theory, FolderStore, DatabaseStore]
    public void Two_machines_and_two_profiles_are_lines_of_their_own(StoreKind kind)
    {
        using var store = HistoryStore.Open(places.New(kind));
        for (var day = 0; day < 12; day++)
            store.Add(SampleHistory.Run(day, processor: day % 3 == 0 ? "Xeon" : "EPYC", profile: day == 11 ? "standard" : "quick", kernel: $"6.12.{day}"));
        var lines = HistoryLine.Of(store.Last([SampleHistory.Case(0)], 500).Single());
        Assert.Equal([("quick", 7), ("quick", 4), ("standard", 1)], lines.Select(line => (line.Profile, line.Points.Count)));
        Assert.NotEqual(lines[0].Place, lines[1].Place);
        Assert.Equal(lines[0].Place, lines[2].Place);
    }
}
