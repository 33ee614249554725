using Bench.Reports.History;
using Bench.TestSupport;
using Xunit;

namespace Bench.Reports.Tests.History;

public sealed class JsonLinesHistoryTests : IDisposable
{
    private readonly TestFolder folder = new();

    private string Store => folder.File("history");

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_run_is_one_file_of_readable_lines_in_the_folder_of_its_year()
    {
        var file = AddOne();
        Assert.Equal(Path.Combine(Store, "2026", "20260102-120000-0001.jsonl"), file);
        var lines = File.ReadAllLines(file);
        Assert.Equal(4, lines.Length);
        Assert.StartsWith("{\"schema\":\"bench.history/1\",\"run\":\"20260102-120000-0001\",", lines[0], StringComparison.Ordinal);
        Assert.Contains("Größe='0'", string.Join('\n', lines[1..]), StringComparison.Ordinal);
        Assert.Equal([Path.Combine(Store, "2026")], Directory.GetFileSystemEntries(Store));
        // As any file of this user, whatever his umask: a server's other users read what the folder lets them read.
        File.WriteAllText(folder.File("any"), "");
        Assert.Equal(File.GetUnixFileMode(folder.File("any")), File.GetUnixFileMode(file));
    }

    [Fact]
    public void A_file_that_is_cut_anywhere_is_refused_with_file_and_line()
    {
        var file = AddOne();
        var bytes = File.ReadAllBytes(file);
        for (var length = 0; length < bytes.Length; length += 1 + length / 40)
        {
            File.WriteAllBytes(file, bytes[..length]);
            using var store = new JsonLinesHistory(Store);
            var cut = bytes.AsSpan(0, length).Count((byte)'\n') + 1;
            foreach (var ask in new Action[] { () => store.Cases(), () => _ = store.Last([SampleHistory.Case(0)], 5).ToArray(), () => store.Add(SampleHistory.Run(1)) })
                Assert.StartsWith($"{file}, line {cut}: ", Assert.Throws<HistoryException>(ask).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(1, "bench.history/1", "bench.history/2", "newer than this bench reads (bench.history/1); use a newer bench")]
    [InlineData(1, "bench.history/1", "bench.history/99999999999999999999", "newer than this bench reads")]
    [InlineData(1, "bench.history/1", "bench.record/1", "no schema bench.history/N")]
    [InlineData(1, "\"points\":3", "\"points\":2", "has 2 points, and 3 are here", 4)]
    [InlineData(1, "0102-120000", "0102-130000", "a file has the name of its run")]
    [InlineData(2, "\"proven\"", "\"likely\"", "no valid line")]
    [InlineData(2, "\"case\"", "\"kase\"", "no valid line")]
    [InlineData(3, "{", "", "no valid line")]
    [InlineData(4, "}", "}}", "no valid line")]
    public void A_broken_or_newer_line_is_refused_with_file_and_line(int line, string old, string replacement, string told, int toldLine = 0)
    {
        var file = AddOne();
        var lines = File.ReadAllLines(file);
        Assert.Contains(old, lines[line - 1], StringComparison.Ordinal);
        lines[line - 1] = lines[line - 1].Replace(old, replacement, StringComparison.Ordinal);
        File.WriteAllLines(file, lines);
        using var store = new JsonLinesHistory(Store);
        var message = Assert.Throws<HistoryException>(() => store.Cases()).Message;
        // The parser counts from 0 within the line, beside the file's own number.
        Assert.DoesNotContain("LineNumber", message, StringComparison.Ordinal);
        Assert.StartsWith($"{file}, line {(toldLine > 0 ? toldLine : line)}: ", message, StringComparison.Ordinal);
        Assert.Contains(told, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void What_a_killed_writer_leaves_is_not_read_and_goes_after_a_day()
    {
        AddOne();
        var (old, fresh) = (Path.Combine(Store, ".adding-old"), Path.Combine(Store, ".adding-fresh"));
        File.WriteAllText(old, "{\"schema\":\"ben");
        File.WriteAllText(fresh, "");
        File.SetLastWriteTimeUtc(old, DateTime.UtcNow.AddDays(-2));
        using var store = new JsonLinesHistory(Store);
        Assert.Equal(3, store.Cases().Count);
        store.Add(SampleHistory.Run(2));
        Assert.Equal((false, true), (File.Exists(old), File.Exists(fresh)));
    }

    [Fact]
    public void A_folder_that_is_none_or_not_there_is_a_sentence()
    {
        File.WriteAllText(folder.File("file"), "kept");
        using var missing = new JsonLinesHistory(Store);
        Assert.Contains("no history there", Assert.Throws<HistoryException>(() => missing.Cases()).Message, StringComparison.Ordinal);
        using var file = new JsonLinesHistory(folder.File("file"));
        Assert.Contains("cannot be added", Assert.Throws<HistoryException>(() => file.Add(SampleHistory.Run(1))).Message, StringComparison.Ordinal);
        Assert.Equal("kept", File.ReadAllText(folder.File("file")));
    }

    [NeedsFact("git")]
    public void Two_branches_that_each_added_runs_merge_without_a_conflict()
    {
        var repository = folder.Folder("repository");
        void Git(params string[] arguments) => Command.Run("git", ["-C", repository, "-c", "user.name=test", "-c", "user.email=test@example.org", .. arguments]);
        using var store = new JsonLinesHistory(Path.Combine(repository, "history"));
        void Commit(int day)
        {
            store.Add(SampleHistory.Run(day));
            Git("add", "-A");
            Git("commit", "-q", "-m", $"run {day}");
        }
        Git("init", "-q", "-b", "main");
        Commit(1);
        Git("checkout", "-q", "-b", "other");
        Commit(2);
        Commit(4);
        Git("checkout", "-q", "main");
        Commit(3);
        // The same run on both branches is the same file.
        Commit(4);
        Git("merge", "-q", "-m", "both", "other");
        Assert.All(store.Cases(), one => Assert.Equal(4, one.Points));
        Assert.Equal("", Command.Run("git", "-C", repository, "status", "--porcelain").StandardOutput);
    }

    private string AddOne()
    {
        using var store = new JsonLinesHistory(Store);
        store.Add(SampleHistory.Run(1));
        return Assert.Single(Directory.GetFiles(Store, "*", SearchOption.AllDirectories));
    }
}
