using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Bench.Measure.Records;
using Bench.Measure.Running;
using Bench.Reports;
using Bench.Reports.Comparison;
using Bench.Reports.History;
using Bench.Workloads;
using Spectre.Console;

namespace Bench.Commands;

/// <summary><c>bench history</c>: runs kept for good, and the runs since which a figure is another.</summary>
internal sealed class HistoryCommand : Command
{
    internal const string StoreVariable = "BENCH_HISTORY";

    internal HistoryCommand() : base("history", "Keeps runs in a folder or a PostgreSQL database, and finds the run since which a figure is another")
    {
        Add(new AddCommand());
        Add(new ShowCommand());
        Add(new CheckCommand());
    }

    internal static Option<string?> StoreOption() => new("--store")
    {
        Description = $"A folder, or postgres://USER@HOST/DATABASE (default: {StoreVariable}, else {HistoryStore.DefaultName})",
        HelpName = "STORE",
    };

    /// <summary>The store that is meant.</summary>
    internal static string NameOf(string? given) => given ?? (Environment.GetEnvironmentVariable(StoreVariable) is { Length: > 0 } name ? name : HistoryStore.DefaultName);

    private static Option<bool> JsonOption() => new("--json") { Description = "One JSON object a line" };

    private static Option<int> LastOption(int count) => new("--last", "-n") { Description = $"At most so many runs of a case, the last ones (default: {count.ToString(CultureInfo.InvariantCulture)})", HelpName = "N", DefaultValueFactory = _ => count };

    /// <summary>Does something with the store; what is wrong with it, with records or with the database is one sentence and exit status 2.</summary>
    private static int With(string? given, Func<IHistoryStore, int> act)
    {
        try
        {
            using var store = HistoryStore.Open(NameOf(given));
            return act(store);
        }
        catch (FormatException exception)
        {
            throw new PlanException(exception.Message);
        }
        catch (Exception exception) when (exception is HistoryException or RecordException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"bench: {exception.Message}");
            return ExitCode.CannotJudge;
        }
    }

    private static int Positive(int value, string option, int most) => value >= 1 && value <= most ? value
        : throw new PlanException(string.Create(CultureInfo.InvariantCulture, $"{option} takes 1 to {most}; {value} is none of them"));

    private static string RunWords(HistoryRun run) => $"{run.Run} ({Format.Moment(run.StartedUtc)}{(run.Commit is { } commit ? $", commit {ShortCommit(commit)}" : "")})";

    private static string ShortCommit(string commit) => commit.Length > 10 ? commit[..10] : commit;

    private static string Percent(double ratio) => (ratio - 1).ToString("+0.0 %;−0.0 %", CultureInfo.InvariantCulture);

    /// <summary><c>bench history add</c>.</summary>
    private sealed class AddCommand : Command
    {
        private readonly Argument<string[]> runs = new("RUN") { Description = "Run folders, or files of records", Arity = ArgumentArity.OneOrMore };
        private readonly Option<string?> store = StoreOption();

        internal AddCommand() : base("add", "Adds runs; a run that is there already is not added again")
        {
            Add(runs);
            Add(store);
            SetAction(parsed => With(parsed.GetValue(store), opened => AddRuns(parsed.GetValue(runs)!, opened)));
        }

        private static int AddRuns(string[] folders, IHistoryStore store)
        {
            if (folders.Contains(""))
                throw new PlanException("an empty name is no run");
            // All are read before the first is added: a broken one leaves the history as it was.
            foreach (var run in folders.SelectMany(Read).ToArray())
            {
                var outcome = store.Add(run);
                Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{(outcome == AddOutcome.Added ? "added" : "there already:")} {run.Run.Run}, {Format.Count(run.Points.Count, "case")}{(run.FailedCases > 0 ? $"; {run.FailedCases} that failed left out" : "")}"));
            }
            return ExitCode.Done;
        }

        private static IEnumerable<RunPoints> Read(string path)
        {
            var (records, warnings) = RunStore.Read(path);
            if (warnings.Count > 0)
                throw new RecordException($"{warnings[0]}; a history takes whole runs only");
            if (records.Count == 0)
                throw new RecordException($"{path}: no record there; the run ended before its first case did");
            try
            {
                return RunPoints.Each(records);
            }
            catch (HistoryException exception)
            {
                throw new HistoryException($"{path}: {exception.Message}", exception);
            }
        }
    }

    /// <summary><c>bench history show</c>.</summary>
    private sealed class ShowCommand : Command
    {
        private readonly Argument<string?> name = new("CASE") { Description = "A case, or a glob such as '*Direct*=4KiB*'; none lists all cases", Arity = ArgumentArity.ZeroOrOne };
        private readonly Option<string?> store = StoreOption();
        private readonly Option<int> last = LastOption(50);
        private readonly Option<string> margin = MarginOption();
        private readonly Option<bool> json = JsonOption();

        internal ShowCommand() : base("show", "The last runs of a case, with the changes marked")
        {
            Add(name);
            Add(last);
            Add(margin);
            Add(store);
            Add(json);
            SetAction(parsed => With(parsed.GetValue(store), opened => Show(parsed, opened)));
        }

        private int Show(ParseResult parsed, IHistoryStore store)
        {
            var (asked, count, share) = (parsed.GetValue(name), Positive(parsed.GetValue(last), "--last", 100_000), MarginOf(parsed.GetValue(margin)!));
            var matching = Matching(store.Cases(), asked);
            if (asked is null || matching.Count > 1)
                return List(matching, asked, parsed.GetValue(json));
            // Changes are looked for as check looks for them, however few runs are shown.
            foreach (var line in HistoryLine.Of(store.Last([matching[0].Case], Math.Max(count, ChangePoints.MostValues)).Single()))
            {
                var changes = Figures.All.SelectMany(figure => HistoryCheck.Changes(line, figure, share)).ToLookup(change => change.FirstAfter.Run);
                var points = line.Points.TakeLast(count).ToArray();
                if (parsed.GetValue(json))
                    foreach (var point in points)
                        Console.Out.WriteLine(JsonSerializer.Serialize(new { line.Profile, line.Place, point.Run, point.Point, Changes = changes[point.Run.Run] }, RecordJson.Options));
                else
                    WriteTable(line, points, changes);
            }
            return ExitCode.Done;
        }

        /// <summary>The case of that name, else those that the glob matches.</summary>
        private static IReadOnlyList<HistoryCase> Matching(IReadOnlyList<HistoryCase> cases, string? asked)
        {
            if (asked is null)
                return cases;
            if (cases.FirstOrDefault(one => one.Case == asked) is { } exact)
                return [exact];
            var glob = Catalogue.ToRegex(asked);
            HistoryCase[] matching = [.. cases.Where(one => glob.IsMatch(one.Case))];
            return matching.Length > 0 ? matching : throw new HistoryException($"no case of the history matches '{asked}'; 'bench history show' lists them all");
        }

        private static int List(IReadOnlyList<HistoryCase> cases, string? asked, bool json)
        {
            foreach (var one in cases)
                Console.Out.WriteLine(json ? JsonSerializer.Serialize(one, RecordJson.Options) : string.Create(CultureInfo.InvariantCulture, $"{one.Points,6}  {one.Case}"));
            if (asked is not null)
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{cases.Count} cases match '{asked}'; name one to see its runs"));
            return ExitCode.Done;
        }

        private static void WriteTable(HistoryLine line, PointOfRun[] points, ILookup<string, HistoryChange> changes)
        {
            var table = new Table().Border(TableBorder.Simple).Title($"[bold]{Markup.Escape(line.Case)}[/], profile {Markup.Escape(line.Profile)}, {Markup.Escape(points[^1].Run.Target)} (place {line.Place})");
            foreach (var column in new[] { "begun", "run", "commit", "throughput", "95 % interval", "p99", "CPU/op", "evidence", "change" })
                table.AddColumn(new TableColumn(column) { Alignment = column is "throughput" or "95 % interval" or "p99" or "CPU/op" ? Justify.Right : Justify.Left, NoWrap = true });
            foreach (var (run, point) in points)
                table.AddRow(
                [
                    .. new[]
                    {
                        Format.Moment(run.StartedUtc), run.Run, run.Commit is { } commit ? ShortCommit(commit) : Format.Missing,
                        Format.Value(Quantity.BytesPerSecond, point.BytesPerSecond?.Median), Format.Interval(Quantity.BytesPerSecond, point.BytesPerSecond?.Low, point.BytesPerSecond?.High),
                        Format.Value(Quantity.Nanoseconds, point.P99Ns), Format.Value(Quantity.Nanoseconds, point.CpuNsPerOperation),
                        point.Verdict.ToString().ToLowerInvariant(),
                    }.Select(text => new Markup(Markup.Escape(text))),
                    new Markup(string.Join(", ", changes[run.Run].Select(change => $"[{(change.Slower ? "red" : "green")}]{(change.Slower ? "slower" : "faster")}: {change.Figure.Name()} {Percent(change.Ratio)}[/]"))),
                ]);
            StandardOutput.Console().Write(table);
        }
    }

    private static Option<string> MarginOption() => new("--margin") { Description = "The smallest change that counts, 5% or 0.05 (default: 5%); 0 for every change", HelpName = "SHARE", DefaultValueFactory = _ => "5%" };

    /// <summary>
    /// A share as everywhere, or none: what the tests are sure of counts then, however small. No more than all of it: 5
    /// would else be a margin of 500 %, within which nothing is ever slower.
    /// </summary>
    private static double MarginOf(string text) => text is "0" or "0%" ? 0 : PlanOptions.ReadShare("--margin", text, most: 1);

    /// <summary><c>bench history check</c>.</summary>
    private sealed class CheckCommand : Command
    {
        private readonly Option<string?> store = StoreOption();
        private readonly Option<int> last = LastOption(ChangePoints.MostValues);
        private readonly Option<string[]> figures = new("--figure") { Description = "throughput, p99 or CPU; may be given several times (default: all)", HelpName = "FIGURE", DefaultValueFactory = _ => [] };
        private readonly Option<string[]> filter = new("--filter", "-f") { Description = "Only cases whose name matches", HelpName = "GLOB", DefaultValueFactory = _ => [] };
        private readonly Option<string> margin = MarginOption();
        private readonly Option<bool> json = JsonOption();

        internal CheckCommand() : base("check", "Every change of a figure, with the first run after it; exit status 1 if a figure is slower now than before its last change")
        {
            Add(last);
            Add(figures);
            Add(filter);
            Add(margin);
            Add(store);
            Add(json);
            SetAction(parsed => With(parsed.GetValue(store), opened => Check(parsed, opened)));
        }

        private int Check(ParseResult parsed, IHistoryStore store)
        {
            var (count, share) = (Positive(parsed.GetValue(last), "--last", ChangePoints.MostValues), MarginOf(parsed.GetValue(margin)!));
            var chosen = FiguresOf(parsed.GetValue(figures)!);
            var globs = parsed.GetValue(filter)!.Select(Catalogue.ToRegex).ToArray();
            string[] cases = [.. store.Cases().Select(one => one.Case).Where(name => globs.Length == 0 || globs.Any(glob => glob.IsMatch(name)))];
            if (cases.Length == 0)
                throw new HistoryException($"{store.Name}: no case there{(globs.Length > 0 ? " that matches" : "")}");

            var result = HistoryCheck.Of(store.Last(cases, count), chosen, share);
            foreach (var change in result.Changes)
                Console.Out.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(new { Change = change, change.Differences }, RecordJson.Options) : Words(change));
            Console.Error.WriteLine(Summary(result, cases.Length));
            return result.SlowerNow > 0 ? ExitCode.Failed : result.Judged == 0 ? ExitCode.CannotJudge : ExitCode.Done;
        }

        private static IReadOnlyList<Figure> FiguresOf(string[] names)
        {
            Figure[] chosen = [.. names.SelectMany(name => name.Split(',', StringSplitOptions.TrimEntries)).Select(name =>
                Figures.All.Cast<Figure?>().FirstOrDefault(figure => string.Equals(figure!.Value.Name(), name, StringComparison.OrdinalIgnoreCase))
                ?? throw new PlanException($"--figure has no value '{name}'; there are {string.Join(", ", Figures.All.Select(figure => figure.Name()))}"))];
            return chosen.Length > 0 ? [.. chosen.Distinct()] : Figures.All;
        }

        private static string Words(HistoryChange change)
        {
            var quantity = change.Figure.Quantity();
            var text = string.Create(CultureInfo.InvariantCulture, $"""
                {(change.Slower ? "slower" : "faster")}{(change.Newest ? "" : " for a time")}: {change.Figure.Name()} {Percent(change.Ratio)} of {change.Case}, profile {change.Profile}
                    {Format.Value(quantity, change.Before)} in {change.RunsBefore} runs, {Format.Value(quantity, change.After)} in the {change.RunsAfter} since
                    first run after: {RunWords(change.FirstAfter)}
                    last run before: {RunWords(change.LastBefore)}
                """);
            return change.Differences.Count == 0 ? text + "\n    between them nothing differs in machine, device and software"
                : text + string.Concat(change.Differences.Select(difference => $"\n    changed: {difference}"));
        }

        private static string Summary(HistoryCheckResult result, int cases) => string.Create(CultureInfo.InvariantCulture,
            $"{Format.Count(result.Changes.Count, "change")} in {Format.Count(cases, "case")}, {result.SlowerNow} of them slower until now{(result.TooFew > 0 ? $"; {result.TooFew} figures have fewer than {ChangePoints.FewestValues} usable runs and were not judged" : "")}");
    }
}
