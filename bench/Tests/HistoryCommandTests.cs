using System.Globalization;
using System.Text.Json.Nodes;
using Bench.Disk.Topology;
using Bench.Measure.Records;
using Bench.TestSupport;
using Xunit;

namespace Bench.Program.Tests;

/// <summary><c>bench history</c> as a user types it, over a folder and over a database.</summary>
public sealed class HistoryCommandTests : IDisposable
{
    private const int CannotJudge = 2, WrongUse = 64;
    private const string CaseName = "CachePath(Access=Direct,BlockSize=4KiB)";

    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Runs_are_added_once_shown_and_checked()
    {
        for (var day = 0; day < 30; day++)
            MakeRun(day, day < 20 ? 1e8 : 8e7, kernel: day < 20 ? "6.12.1" : "6.12.9");
        var added = Bench(["history", "add", .. Enumerable.Range(0, 30).Select(RunFolder)]).Expect(0);
        Assert.Equal(30, added.OutputLines.Count);
        Assert.Equal("added 20260101-120000-0000, 2 cases; 1 that failed left out", added.OutputLines[0]);
        Assert.True(Directory.Exists(folder.File("reports/history/2026")));
        Assert.Equal("there already: 20260121-120000-0014, 2 cases; 1 that failed left out", Assert.Single(Bench("history", "add", RunFolder(20)).Expect(0).OutputLines));

        var shown = Bench("history", "show", CaseName, "--last", "12").Expect(0);
        var change = Assert.Single(shown.OutputLines, line => line.Contains("slower: throughput −20", StringComparison.Ordinal));
        Assert.Contains("2026-01-21 12:00 UTC", change, StringComparison.Ordinal);
        Assert.Contains("commit20", change, StringComparison.Ordinal);
        Assert.Equal(12, shown.OutputLines.Count(line => line.Contains("12:00 UTC", StringComparison.Ordinal)));

        var check = Bench("history", "check", "--figure", "throughput").Expect(1);
        Assert.Contains("slower: throughput −20", check.Output, StringComparison.Ordinal);
        Assert.Contains("first run after: 20260121-120000-0014 (2026-01-21 12:00 UTC, commit commit20)", check.Output, StringComparison.Ordinal);
        Assert.Contains("last run before: 20260120-120000-0013 (2026-01-20 12:00 UTC, commit commit19)", check.Output, StringComparison.Ordinal);
        Assert.Contains("changed: kernel: 6.12.1 → 6.12.9", check.Output, StringComparison.Ordinal);
        Assert.Contains("2 changes in 2 cases, 2 of them slower until now", check.Error, StringComparison.Ordinal);
        // With a wider margin it is none; a share is one, with or without the sign.
        foreach (var wider in new[] { "30%", "0.3" })
            Assert.Equal("", Bench("history", "check", "--margin", wider).Expect(0).Output);
        foreach (var narrower in new[] { "10%", "0.1", "0" })
            Assert.Contains("slower: throughput −20", Bench("history", "check", "--margin", narrower).Expect(1).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_is_one_object_a_line()
    {
        for (var day = 0; day < 30; day++)
            MakeRun(day, day < 20 ? 1e8 : 1.3e8);
        Bench(["history", "add", "--store", folder.File("store"), .. Enumerable.Range(0, 30).Select(RunFolder)]).Expect(0);
        var environment = new Dictionary<string, string> { ["BENCH_HISTORY"] = folder.File("store") };
        var changes = BenchProgram.Run(folder.FullPath, environment, "history", "check", "--json", "--figure", "throughput").Expect(0).OutputLines.Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal(2, changes.Length);
        Assert.Equal(("throughput", false, "20260121-120000-0014"), ((string)changes[0]["change"]!["figure"]!, (bool)changes[0]["change"]!["slower"]!, (string)changes[0]["change"]!["firstAfter"]!["run"]!));
        var points = BenchProgram.Run(folder.FullPath, environment, "history", "show", CaseName, "--json", "-n", "3").Expect(0).OutputLines.Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal([CaseName, CaseName, CaseName], points.Select(point => (string)point["point"]!["case"]!));
        Assert.Equal("bench.history/1", (string)points[0]["run"]!["schema"]!);
    }

    [Fact]
    public void A_glob_that_matches_several_cases_lists_them_and_one_that_matches_none_says_so()
    {
        MakeRun(1, 1e8);
        Bench("history", "add", RunFolder(1)).Expect(0);
        Assert.Equal(2, Bench("history", "show").Expect(0).OutputLines.Count);
        var listed = Bench("history", "show", "Cache*").Expect(0);
        Assert.Equal(["     1  " + CaseName, "     1  CachePath(Access=Direct,BlockSize=64KiB)"], listed.OutputLines.Order());
        Assert.Contains("2 cases match", listed.Error, StringComparison.Ordinal);
        Assert.Contains("2026-01-02", Bench("history", "show", "*64KiB*").Expect(0).Output, StringComparison.Ordinal);
        Refused(CannotJudge, "no case of the history matches 'Nothing*'", "history", "show", "Nothing*");
        Refused(CannotJudge, "no case there that matches", "history", "check", "-f", "Nothing*");
    }

    [Fact]
    public void A_check_of_too_few_runs_says_that_it_could_not_judge()
    {
        MakeRun(1, 1e8);
        Bench("history", "add", RunFolder(1)).Expect(0);
        var check = Bench("history", "check").Expect(CannotJudge);
        Assert.Equal("", check.Output);
        Assert.Contains("fewer than 10 usable runs", check.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"schema\":\"bench.record/2\"}\n", "newer than this bench reads")]
    [InlineData("not JSON\n", "line 1")]
    [InlineData("{\"schema\":\"bench.record/1\"}\n", "line 1")]
    [InlineData("", "no record")]
    [InlineData("{\"schema\":\"bench.rec", "torn")]
    public void Broken_records_leave_the_history_as_it_was(string records, string told)
    {
        MakeRun(1, 1e8);
        Directory.CreateDirectory(folder.File("broken"));
        File.WriteAllText(Path.Combine(folder.File("broken"), RunStore.FileName), records);
        Refused(CannotJudge, told, "history", "add", RunFolder(1), folder.File("broken"));
        Assert.False(Directory.Exists(folder.File("reports")));
    }

    [Fact]
    public void A_torn_run_a_slowed_one_and_a_run_of_other_figures_are_refused()
    {
        MakeRun(1, 1e8);
        Bench("history", "add", RunFolder(1)).Expect(0);
        File.AppendAllText(Path.Combine(RunFolder(1), RunStore.FileName), "{\"schema\":");
        Refused(CannotJudge, "torn", "history", "add", RunFolder(1));
        MakeRun(1, 2e8);
        Refused(CannotJudge, "with other figures", "history", "add", RunFolder(1));
        MakeRun(2, 2e8, slowed: true);
        Refused(CannotJudge, "injected slowdown", "history", "add", RunFolder(2));
        Refused(CannotJudge, "no run there", "history", "add", folder.File("missing"));
        Assert.Single(Directory.GetFiles(folder.File("reports/history"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void A_store_that_is_broken_missing_or_out_of_reach_is_one_sentence()
    {
        Refused(CannotJudge, "no history there", "history", "check");
        Refused(CannotJudge, "no history there", "history", "show", "--store", folder.File("missing"));
        Refused(CannotJudge, "postgres://127.0.0.1:1/bench cannot be opened", "history", "check", "--store", "postgres://kim:secret@127.0.0.1:1/bench");
        var year = Directory.CreateDirectory(folder.File("store/2026")).FullName;
        File.WriteAllText(Path.Combine(year, "20260101-120000-0000.jsonl"), "{\"schema\":\"bench.history/7\"}\n");
        Refused(CannotJudge, "20260101-120000-0000.jsonl, line 1: it has the schema bench.history/7, newer", "history", "check", "--store", folder.File("store"));
    }

    [Theory]
    [InlineData("is no command of bench history; there are add, show, check", "history", "delete")]
    [InlineData("'mysql' is no kind of store", "history", "check", "--store", "mysql://x/y")]
    [InlineData("the store is empty", "history", "check", "--store", "")]
    [InlineData("a port that is none", "history", "check", "--store", "postgres://kim:secret@host:http/db")]
    [InlineData("--last takes 1 to 500", "history", "check", "--last", "501")]
    [InlineData("--last takes 1 to", "history", "show", "--last", "0")]
    [InlineData("throughput, p99, CPU", "history", "check", "--figure", "speed")]
    [InlineData("--margin takes a share", "history", "check", "--margin", "much")]
    [InlineData("--margin takes a share", "history", "check", "--margin", "-5%")]
    [InlineData("--margin takes a share", "history", "show", "--margin", "5")]
    [InlineData("an empty name is no run", "history", "add", "")]
    [InlineData("Required argument 'RUN' missing", "history", "add")]
    public void Wrong_use_is_refused(string told, params string[] arguments)
    {
        MakeRun(1, 1e8);
        Bench("history", "add", RunFolder(1)).Expect(0);
        var result = Refused(WrongUse, told, arguments);
        Assert.DoesNotContain("secret", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_programs_that_add_at_once_add_each_run_once()
    {
        for (var day = 0; day < 6; day++)
            MakeRun(day, 1e8);
        AddFromTwoPrograms(folder.File("store"));
    }

    [NeedsFact("initdb", "postgres", "setpriv")]
    public void A_database_does_the_same()
    {
        for (var day = 0; day < 6; day++)
            MakeRun(day, 1e8);
        using var server = new PostgresServer();
        AddFromTwoPrograms(server.Address("postgres"));
        // The password may come from the environment.
        var address = string.Create(CultureInfo.InvariantCulture, $"postgres://{PostgresServer.User}@127.0.0.1:{server.Port}/postgres");
        var shown = BenchProgram.Run(folder.FullPath, new Dictionary<string, string> { ["PGPASSWORD"] = PostgresServer.Password, ["BENCH_HISTORY"] = address }, "history", "show", CaseName).Expect(0);
        Assert.Equal(6, shown.OutputLines.Count(line => line.Contains("12:00 UTC", StringComparison.Ordinal)));
        server.Stop();
        Assert.DoesNotContain("s:p@ce", Refused(CannotJudge, "cannot be opened", "history", "check", "--store", server.Address("postgres")).Error, StringComparison.Ordinal);
    }

    private void AddFromTwoPrograms(string store)
    {
        string[] runs = [.. Enumerable.Range(0, 6).Select(RunFolder)];
        string[] command = ["history", "add", "--store", store];
        BenchResult[] results;
        using (var first = BenchProgram.Start(folder.FullPath, [.. command, .. runs]))
        using (var second = BenchProgram.Start(folder.FullPath, [.. command, .. runs.Reverse()]))
            results = [first.WaitForEnd(BenchProgram.DefaultTimeout).Expect(0), second.WaitForEnd(BenchProgram.DefaultTimeout).Expect(0)];
        Assert.Equal(6, results.SelectMany(result => result.OutputLines).Count(line => line.StartsWith("added ", StringComparison.Ordinal)));
        Assert.All(Bench("history", "show", "--store", store).Expect(0).OutputLines, line => Assert.StartsWith("     6  ", line, StringComparison.Ordinal));
    }

    private BenchResult Bench(params string[] arguments) => BenchProgram.Run(folder.FullPath, arguments);

    private BenchResult Refused(int exitCode, string told, params string[] arguments)
    {
        var result = Bench(arguments).Expect(exitCode);
        Assert.Contains(told, result.Error, StringComparison.Ordinal);
        Assert.StartsWith("bench: ", result.Error, StringComparison.Ordinal);
        Assert.Equal("", result.Output);
        return result;
    }

    private string RunFolder(int day) => folder.File(string.Create(CultureInfo.InvariantCulture, $"run{day}"));

    private void MakeRun(int day, double bytesPerSecond, string kernel = "6.12.1", bool slowed = false)
    {
        // A little noise, the same for the same day.
        bytesPerSecond *= 1 + 0.002 * (day * 7 % 5);
        RunRecord[] records =
        [
            Record(day, "4KiB", bytesPerSecond, kernel),
            Record(day, "64KiB", bytesPerSecond * 2, kernel),
            Record(day, "1MiB", bytesPerSecond, kernel) with { Error = "it broke", Passes = [], BytesPerSecond = null, OperationsPerSecond = null },
        ];
        if (slowed)
            records[1].Effective["injectedSlowdown"] = 0.1;
        Directory.CreateDirectory(RunFolder(day));
        File.WriteAllLines(Path.Combine(RunFolder(day), RunStore.FileName), records.Select(RecordJson.Write));
    }

    private static RunRecord Record(int day, string blockSize, double bytesPerSecond, string kernel) => new()
    {
        Run = string.Create(CultureInfo.InvariantCulture, $"{new DateTime(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc).AddDays(day):yyyyMMdd-HHmmss}-{day:x4}"),
        Case = $"CachePath(Access=Direct,BlockSize={blockSize})",
        Workload = "CachePath",
        Operation = "Read",
        Parameters = new Dictionary<string, string> { ["BlockSize"] = blockSize },
        StartedUtc = new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero).AddDays(day),
        Passes = [new PassRecord { Seconds = 1, Bytes = (long)bytesPerSecond, Operations = 1000, CpuUserSeconds = 0.1 }],
        BytesPerSecond = new Estimate(bytesPerSecond, bytesPerSecond * 0.99, bytesPerSecond * 1.01),
        OperationsPerSecond = new Estimate(1000, 990, 1010),
        Evidence = new EvidenceRecord { Verdict = Verdict.Proven },
        Host = new HostInfo { Kernel = kernel, Processor = "EPYC", Architecture = "x64" },
        Target = new DeviceTopology { Folder = "/mnt", Mount = new MountInfo { MountPoint = "/mnt", FileSystem = "ext4", Source = "/dev/vda1", Options = "rw" } },
        Tool = new ToolInfo { Version = "0.1.0", Commit = string.Create(CultureInfo.InvariantCulture, $"commit{day}"), CommandLine = "run", Profile = "quick" },
    };
}
