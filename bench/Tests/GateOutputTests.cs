using Bench.Commands;
using Bench.Disk.Topology;
using Bench.Gate;
using Bench.Measure.Records;
using Bench.Measure.Running;
using Bench.Reports.Gate;
using Bench.TestSupport;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>Where a gate's result goes, and that a file which cannot be written takes no verdict with it.</summary>
public sealed class GateOutputTests : IDisposable
{
    private const int Slower = 1;

    private readonly TestFolder folder = new();

    [Fact]
    public void JUnit_xml_goes_into_a_folder_that_does_not_exist_yet()
    {
        var result = Gate([], "--junit", "out/junit/gate.xml").Expect(Slower);
        Assert.StartsWith("gate failed: 1 slower", result.OutputLines[^1], StringComparison.Ordinal);
        Assert.Contains("<failure", File.ReadAllText(folder.File("out/junit/gate.xml")), StringComparison.Ordinal);
        Assert.DoesNotContain("Warning", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_cannot_be_written_is_a_warning_and_the_verdict_stands()
    {
        // A disk that is full.
        var result = Gate(new() { ["GITHUB_STEP_SUMMARY"] = "/dev/full" }, "--junit", "/dev/full").Expect(Slower);
        Assert.StartsWith("gate failed: 1 slower", result.OutputLines[^1], StringComparison.Ordinal);
        Assert.Contains("▲ slower", result.Output, StringComparison.Ordinal);
        Assert.Contains("Warning  the job summary is not in /dev/full: ", result.Error, StringComparison.Ordinal);
        Assert.Contains("Warning  the JUnit XML is not in /dev/full: ", result.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(folder.File("gate/gate.json")));
    }

    [Fact]
    public void A_standard_output_without_room_takes_no_verdict_with_it()
    {
        string[] gate = ["sh", "-c", "exec \"$0\" \"$@\" > /dev/full", BenchProgram.Path, "gate", "--uncalibrated", "--base", Stored("base", 1e8), "--head", Stored("head", 1e8), "--out", "gate"];
        using var program = BenchProgram.Start(folder.FullPath, gate, new Dictionary<string, string> { ["GITHUB_STEP_SUMMARY"] = "" });
        // Not the 1 of something slower.
        var result = program.WaitForEnd(BenchProgram.DefaultTimeout).Expect(0);
        Assert.Contains("Warning  the table is not in standard output: No space left on device", result.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(folder.File("gate/gate.json")));
    }

    [Fact]
    public void A_job_summary_is_written_though_the_xml_cannot_be()
    {
        var result = Gate(new() { ["GITHUB_STEP_SUMMARY"] = folder.File("summary.md") }, "--junit", "/dev/full").Expect(Slower);
        Assert.StartsWith("## ", File.ReadAllText(folder.File("summary.md")), StringComparison.Ordinal);
        Assert.Single(result.Error.Split('\n'), line => line.StartsWith("Warning", StringComparison.Ordinal));
    }

    [Fact]
    public void A_stored_run_keeps_its_own_page()
    {
        var (first, second) = (Stored("base", 1e8), Stored("head", 1e8));
        var result = BenchProgram.Run(folder.FullPath, ["gate", "--base", first, "--head", second, "--uncalibrated", "--out", first]).Expect(64);
        Assert.Contains("holds a run, whose page a gate would replace", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder.FullPath, first, GateResult.FileName)));
    }

    [Theory]
    [InlineData("--pairs", "8")]
    [InlineData("--filter", "zzz*")]
    [InlineData("--inject-slowdown", "0.2")]
    [InlineData("--base-set", "FlushPolicy=each")]
    [InlineData("--base-target", ".")]
    public void What_says_how_to_measure_is_an_error_with_stored_runs(string option, string value)
    {
        var result = BenchProgram.Run(folder.FullPath, ["gate", "--base", Stored("base", 1e8), "--head", Stored("head", 1e8), "--uncalibrated", "--out", "gate", option, value]).Expect(64);
        Assert.Contains($"{option} is for runs that are still to be made", result.Error, StringComparison.Ordinal);
    }

    /// <summary>A server that finds no file keeps the result of the commit before, or takes the job for one without tests.</summary>
    [Fact]
    public void Where_there_is_no_verdict_the_servers_files_say_why()
    {
        var result = BenchProgram.Run(folder.FullPath, new Dictionary<string, string> { ["GITHUB_STEP_SUMMARY"] = folder.File("summary.md") },
            ["gate", "--base", Stored("base", 1e8), "--head", Stored("head", 1e8), "--out", "gate", "--junit", "gate.xml"]).Expect(2);
        const string Reason = "the machine of these runs has no calibration";
        Assert.Contains($"bench: gate: {Reason}", result.Error, StringComparison.Ordinal);
        Assert.Contains("## ⚠️ No verdict", File.ReadAllText(folder.File("summary.md")), StringComparison.Ordinal);
        Assert.Contains(Reason[4..], File.ReadAllText(folder.File("summary.md")), StringComparison.Ordinal);
        var suite = System.Xml.Linq.XDocument.Load(folder.File("gate.xml")).Root!.Element("testsuite")!;
        Assert.Equal(("1", "1"), (suite.Attribute("tests")!.Value, suite.Attribute("errors")!.Value));
        Assert.StartsWith(Reason, Assert.Single(suite.Elements("testcase")).Element("error")!.Attribute("message")!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_it_was_asked_for_wrongly_no_result_of_the_gate_before_stays()
    {
        File.WriteAllText(folder.File("gate.xml"), "<?xml version=\"1.0\"?>\n<testsuites/>");
        var (first, second) = (Stored("base", 1e8), Stored("head", 1e8));
        BenchProgram.Run(folder.FullPath, ["gate", "--base", first, "--head", second, "--uncalibrated", "--out", first, "--junit", "gate.xml"]).Expect(64);
        Assert.Contains("holds a run", System.Xml.Linq.XDocument.Load(folder.File("gate.xml")).Descendants("error").Single().Attribute("message")!.Value, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/proc/none")]
    [InlineData("file")]
    [InlineData("file/deeper")]
    [InlineData("")]
    public void A_folder_that_cannot_be_written_is_refused_before_anything_is_read(string path)
    {
        File.WriteAllText(folder.File("file"), "kept");
        var result = BenchProgram.Run(folder.FullPath, ["gate", "--base", "none", "--head", "none", "--uncalibrated", "--out", path]).Expect(64);
        Assert.StartsWith(path.Length == 0 ? "bench: --out is empty; give a folder" : $"bench: --out {path} cannot be written: ", Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.Equal("kept", File.ReadAllText(folder.File("file")));
    }

    [Fact]
    public void A_job_summary_has_its_folder_from_the_server_that_reads_it()
    {
        var result = Gate(new() { ["GITHUB_STEP_SUMMARY"] = folder.File("none/summary.md") }).Expect(Slower);
        Assert.Contains("Warning  the job summary is not in ", result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.File("none")));
    }

    [Theory]
    [InlineData("--base", "--head")]
    [InlineData("--head", "--base")]
    public void A_folder_without_a_run_beside_a_stored_one_is_named(string option, string other)
    {
        Directory.CreateDirectory(folder.File("empty"));
        var result = BenchProgram.Run(folder.FullPath, ["gate", option, "empty", other, Stored("run", 1e8), "--uncalibrated", "--out", "gate"]).Expect(64);
        Assert.Contains($"{option} empty is none (no {RunStore.FileName} there)", result.Error, StringComparison.Ordinal);
        Assert.Contains($"{option} is missing", BenchProgram.Run(folder.FullPath, ["gate", other, "run", "--uncalibrated", "--out", "gate"]).Expect(64).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_gates_do_not_write_into_one_folder_and_what_a_killed_one_left_is_removed()
    {
        Directory.CreateDirectory(folder.File("gate/launches/head"));
        File.WriteAllText(folder.File("gate/launches/head/records.jsonl"), "left");
        using (new WorkFolder(folder.File("gate")))
        {
            Assert.False(Directory.Exists(folder.File("gate/launches/head")));
            Assert.Contains("another bench is at work in", Assert.Throws<PlanException>(() => new WorkFolder(folder.File("gate"))).Message, StringComparison.Ordinal);
            Assert.True(Directory.Exists(folder.File("gate/launches")));
        }
        Assert.False(Directory.Exists(folder.File("gate/launches")));
        new WorkFolder(folder.File("new")).Dispose();
        Assert.False(Directory.Exists(folder.File("new")));
    }

    [Fact]
    public void A_file_that_cannot_be_run_is_no_side()
    {
        File.WriteAllText(folder.File("text"), "text");
        var result = BenchProgram.Run(folder.FullPath, ["gate", "--base", BenchProgram.Path, "--head", "text", "--uncalibrated", "--out", "gate"]).Expect(64);
        Assert.Contains("--head text is a file that cannot be run", result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.File("gate")));
    }

    [Fact]
    public void A_check_before_the_measurement_makes_nothing()
    {
        GateOutput.Check(null);
        GateOutput.Check(folder.File("a/b/gate.xml"));
        Assert.Empty(Directory.GetFileSystemEntries(folder.FullPath));
        // What is there is overwritten at the end, and not before; but nobody is to find the result of the gate before.
        File.WriteAllText(folder.File("last.xml"), "<?xml version=\"1.0\"?>\n<testsuites/>");
        GateOutput.Check(folder.File("last.xml"));
        Assert.False(File.Exists(folder.File("last.xml")));
        File.WriteAllText(folder.File("old.xml"), "old");
        GateOutput.Check(folder.File("old.xml"));
        Assert.Equal("old", File.ReadAllText(folder.File("old.xml")));
    }

    [Fact]
    public void A_check_refuses_what_cannot_become_a_file()
    {
        File.WriteAllText(folder.File("file"), "kept");
        foreach (var junit in new[] { folder.File("file/gate.xml"), folder.File("file/deeper/gate.xml"), folder.FullPath, "/proc/gate.xml", "/proc/none/gate.xml", "" })
            Assert.StartsWith("--junit " + (junit.Length == 0 ? "is empty" : junit), Assert.Throws<PlanException>(() => GateOutput.Check(junit)).Message, StringComparison.Ordinal);
        Assert.Equal("kept", File.ReadAllText(folder.File("file")));
    }

    public void Dispose() => folder.Dispose();

    /// <summary>A gate over two stored runs, the second of which has half the throughput.</summary>
    private BenchResult Gate(Dictionary<string, string> environment, params string[] arguments)
    {
        // The tests may themselves run in a job of GitHub's, whose summary is not meant.
        environment.TryAdd("GITHUB_STEP_SUMMARY", "");
        return BenchProgram.Run(folder.FullPath, environment, ["gate", "--uncalibrated", "--base", Stored("base", 1e8), "--head", Stored("head", 5e7), "--out", "gate", .. arguments]);
    }

    /// <summary>A run in a folder of its own; its name.</summary>
    private string Stored(string run, double bytesPerSecond)
    {
        Directory.CreateDirectory(folder.File(run));
        File.WriteAllText(Path.Combine(folder.File(run), RunStore.FileName), RecordJson.Write(Record(run, bytesPerSecond)) + "\n");
        return run;
    }

    private static RunRecord Record(string run, double bytesPerSecond) => new()
    {
        Run = run,
        Case = "CachePath(Access=Direct,BlockSize=4KiB)",
        Workload = "CachePath",
        Operation = "Read",
        Parameters = new Dictionary<string, string> { ["BlockSize"] = "4KiB" },
        // A little noise, the same in every run.
        Passes = [.. Enumerable.Range(0, 16).Select(pass => new PassRecord { Seconds = 1, Bytes = (long)(bytesPerSecond * (1 + 0.002 * (pass * 7 % 5))), Operations = 1000 })],
        BytesPerSecond = new Estimate(bytesPerSecond, bytesPerSecond * 0.99, bytesPerSecond * 1.01),
        OperationsPerSecond = new Estimate(1000, 990, 1010),
        Evidence = new EvidenceRecord { Verdict = Verdict.Proven },
        Host = new HostInfo { Kernel = "6.12.1", Processor = "EPYC", Architecture = "x64" },
        Target = new DeviceTopology { Folder = "/mnt", Mount = new MountInfo { MountPoint = "/mnt", FileSystem = "ext4", Source = "/dev/vda1", Options = "rw" } },
        Tool = new ToolInfo { Version = "0.1.0", CommandLine = "run", Profile = "quick" },
    };
}
