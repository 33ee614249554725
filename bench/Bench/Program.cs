using Bench.Disk.Topology;
using Bench.Measure.Passes;
using Bench.Measure.Running;
using Bench.Workloads;

var target = args[0];
var settings = RunSettings.Of(Enum.Parse<Profile>(args[1], true), 1);
var run = DateTime.UtcNow.ToString("yyyyMMdd-HHmmss", System.Globalization.CultureInfo.InvariantCulture) + "-abcd";
using var data = DataFolder.Create(target, run, false);
var context = new RunContext { Run = run, Settings = settings, Data = data, Target = new TopologyProbe().Probe(target), Host = new HostProbe().Probe(),
    Tool = new() { Version = "0", CommandLine = "", Profile = "x" }, Stop = new StopSignal(), SelfCommand = [] };
var outcome = RunSession.Execute(WorkloadDescriptor.Of<CachePath>().Cases(settings.Profile, new Dictionary<string, IReadOnlyList<string>>()), context, "/tmp/runout");
foreach (var r in outcome.Records)
    Console.WriteLine($"{r.TotalSeconds:F2}s {r.Case} {r.BytesPerSecond?.Median / 1e6:F0} MB/s {r.OperationsPerSecond?.Median:F0} IOPS {r.Evidence.Verdict} {r.Error} {string.Join(" | ", r.Evidence.Claims.Select(c => c.Claim + ":" + c.Reason))} W:{string.Join(";", r.Warnings)}");
return 0;
