using Bench.Measure.Records;
using Bench.Reports.Gate;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>Two runs of the program, compared by the program.</summary>
public sealed class CompareCommandTests : IClassFixture<CompareCommandTests.TwoRuns>
{
    private const int CannotJudge = 2;

    private readonly TwoRuns runs;

    public CompareCommandTests(TwoRuns runs) => this.runs = runs;

    /// <summary>Two cases, measured twice.</summary>
    public sealed class TwoRuns : IDisposable
    {
        internal RunPlace First { get; } = new();

        internal RunPlace Second { get; } = new();

        public TwoRuns()
        {
            foreach (var place in new[] { First, Second })
                BenchProgram.Run(place.Folder, "run", "-p", "smoke", "--target", First.Target, "--out", place.Out, "--no-report", "--filter", "CachePath*Direct*Read*Sequential*").Expect(0);
        }

        public void Dispose()
        {
            First.Dispose();
            Second.Dispose();
        }
    }

    [Fact]
    public void Two_runs_give_a_table_with_a_verdict_per_figure_and_exit_status_0()
    {
        var result = BenchProgram.Run(runs.First.Folder, "compare", runs.First.Out, runs.Second.Out).Expect(0);
        var records = RunStore.Read(runs.First.Out).Records;
        Assert.NotEmpty(records);
        Assert.Equal(records.Count, result.OutputLines.Count(line => line.Contains(" throughput ", StringComparison.Ordinal)));
        Assert.Contains("Stored runs were compared", result.Output, StringComparison.Ordinal);
        Assert.Contains("Latency of one launch a side, base → head", result.Output, StringComparison.Ordinal);
        Assert.Contains("none slower", result.OutputLines[^1], StringComparison.Ordinal);
        Assert.Equal("", result.Error);
        Assert.False(File.Exists(Path.Combine(runs.First.Folder, "page.html")));
    }

    [Fact]
    public void Json_is_one_object_that_reads_back_and_the_page_goes_where_it_is_wanted()
    {
        var page = Path.Combine(runs.First.Folder, "pages", "page.html");
        var result = BenchProgram.Run(runs.First.Folder, "compare", runs.First.RecordsFile, runs.Second.RecordsFile, "--json", "-o", page).Expect(0);
        var compared = GateJson.Read(Assert.Single(result.OutputLines));
        Assert.True(compared.FromRecords);
        Assert.Equal(runs.Second.RecordsFile, compared.Head.Name);
        Assert.StartsWith("<!DOCTYPE html>", File.ReadAllText(page), StringComparison.Ordinal);
        Assert.Contains(page, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Anonymous_output_holds_no_path()
    {
        var page = Path.Combine(runs.First.Folder, "anonymous.html");
        var result = BenchProgram.Run(runs.First.Folder, "compare", runs.First.Out, runs.Second.Out, "--json", "--anonymous", "-o", page).Expect(0);
        Assert.DoesNotContain(runs.First.Folder, result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(runs.First.Folder, File.ReadAllText(page), StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_run_twice_is_refused() => Refused("the same run", runs.First.Out, runs.First.RecordsFile);

    [Fact]
    public void A_run_that_is_not_there_is_refused() => Refused("no run there", runs.First.Out, Path.Combine(runs.First.Folder, "missing"));

    [Theory]
    [InlineData("", "no record")]
    [InlineData("{\"schema\":\"bench.record/2\"}\n", "newer than this bench reads")]
    [InlineData("not JSON\n{}\n", "line 1")]
    public void A_broken_run_is_refused(string text, string told)
    {
        using var broken = new RunPlace();
        Directory.CreateDirectory(broken.Out);
        File.WriteAllText(broken.RecordsFile, text);
        Refused(told, runs.First.Out, broken.Out);
        Refused(told, broken.Out, runs.First.Out);
    }

    [Fact]
    public void A_torn_last_line_is_left_out_with_a_note()
    {
        using var torn = new RunPlace();
        Directory.CreateDirectory(torn.Out);
        var text = File.ReadAllText(runs.Second.RecordsFile);
        File.WriteAllText(torn.RecordsFile, text + text[..200]);
        Assert.Contains("the last line is torn", BenchProgram.Run(torn.Folder, "compare", runs.First.Out, torn.Out).Expect(0).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Runs_without_a_case_in_common_are_refused()
    {
        using var other = new RunPlace();
        using (var store = RunStore.Open(other.Out))
            foreach (var record in RunStore.Read(runs.Second.Out).Records)
                store.Append(record with { Case = "Another" + record.Case });
        Refused("no case in common", runs.First.Out, other.Out);
    }

    [Fact]
    public void Unlike_machines_need_a_word_and_are_marked()
    {
        using var other = new RunPlace();
        using (var store = RunStore.Open(other.Out))
            foreach (var record in RunStore.Read(runs.Second.Out).Records)
                store.Append(record with { Host = record.Host with { Kernel = "2.6.32" } });
        Refused("--unlike", runs.First.Out, other.Out);
        Refused("2.6.32", runs.First.Out, other.Out);
        var result = BenchProgram.Run(other.Folder, "compare", runs.First.Out, other.Out, "--unlike").Expect(0);
        Assert.Contains("unlike machines or devices (kernel)", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("compare")]
    [InlineData("compare", "one")]
    [InlineData("compare", "one", "two", "three")]
    [InlineData("compare", "one", "two", "--frobnicate")]
    [InlineData("compare", "", "two")]
    [InlineData("compare", "one", "two", "--out", ".")]
    [InlineData("compare", "one", "two", "--out", "/proc/none/page.html")]
    public void Wrong_use_is_64(params string[] arguments)
    {
        var result = BenchProgram.Run(runs.First.Folder, arguments).Expect(64);
        Assert.StartsWith("bench: ", result.Error, StringComparison.Ordinal);
        Assert.Equal("", result.Output);
    }

    private void Refused(string told, string first, string second)
    {
        var result = BenchProgram.Run(runs.First.Folder, "compare", first, second).Expect(CannotJudge);
        Assert.Contains(told, Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.StartsWith("bench: ", result.Error, StringComparison.Ordinal);
        Assert.Equal("", result.Output);
    }
}
