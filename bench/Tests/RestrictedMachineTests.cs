using Bench.Measure.Records;
using Bench.TestSupport;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>Machines on which something is forbidden that others have.</summary>
public class RestrictedMachineTests
{
    private const string Disabled = "/proc/sys/kernel/io_uring_disabled";

    /// <summary>As on RHEL 9 and in a container with Docker's default profile.</summary>
    [RootFact(Disabled)]
    public void Where_io_uring_is_forbidden_its_cases_are_left_out_and_a_steady_state_is_reached_by_threads()
    {
        using var place = new RunPlace();
        var before = File.ReadAllText(Disabled);
        BenchResult all, steady;
        try
        {
            File.WriteAllText(Disabled, "2");
            all = place.Smoke("--filter", "CachePath*Direct*Operation=Read, Pattern=Random*", "--filter", "Transfer*Hot*Tcp*", "--filter", "LogAppend*FlushPolicy=each*", "--passes", "3").Expect(0);
            steady = BenchProgram.Run(place.Folder, "run", "-p", "smoke", "--target", place.Target, "--out", place.Out + "2", "--json", "--no-report", "--filter", "SteadyState*Operation=Read*", "--passes", "3").Expect(0);
        }
        finally
        {
            File.WriteAllText(Disabled, before);
        }
        Assert.Matches(@"Left out \d+ cases? of io_uring: .*kernel\.io_uring_disabled", all.Error);
        Assert.Equal(["CachePath", "LogAppend", "Transfer"], all.Records.Select(record => record.Workload).Distinct().Order());
        Assert.All(all.Records, record => Assert.DoesNotContain(record.Parameters.Values, value => value is "io_uring" or "IoUring"));
        var record = Assert.Single(steady.Records);
        Assert.Equal("SteadyState", record.Workload);
        Assert.All(record.Passes, pass => Assert.Equal(32, pass.QueueDepthMean!.Value, 0.1));
        Assert.Contains(record.Warnings, warning => warning.StartsWith("32 threads did", StringComparison.Ordinal));
    }

    /// <summary>As in a rescue system or a namespace of its own, where nobody has brought up "lo": each case of a log waited 20 seconds, and failed.</summary>
    [RootFact("unshare")]
    public void Where_loopback_is_down_what_goes_over_it_is_left_out()
    {
        using var place = new RunPlace();
        BenchResult RunAlone(string name, params string[] filters)
        {
            string[] command = ["unshare", "--net", BenchProgram.Path, "run", "-p", "smoke", "--target", place.Target, "--out", Path.Combine(place.Folder, name), "--json", "--no-report", "--passes", "3"];
            using var program = BenchProgram.Start(place.Folder, [.. command, .. filters.SelectMany(filter => new[] { "--filter", filter })], new Dictionary<string, string>());
            return program.WaitForEnd(BenchProgram.DefaultTimeout);
        }

        var all = RunAlone("all", "Transfer*SendFile*", "LogRead*Tail*").Expect(0);
        Assert.Matches(@"Left out \d+ cases of TCP: nothing connects over the loopback interface \(Network is unreachable .*ip link set lo up", all.Error);
        Assert.All(all.Records, record => Assert.Equal(("Transfer", "Unix"), (record.Workload, record.Parameters["Socket"])));
        Assert.NotEmpty(all.Records);

        // Asked for alone it is tried, and fails with its reason at once.
        var alone = RunAlone("alone", "LogRead*Tail*").Expect(1);
        Assert.Contains("ended before it had connected", alone.Error, StringComparison.Ordinal);
    }
}
