using System.Globalization;
using Bench.Commands;
using Bench.Disk.Topology;
using Bench.Measure.Records;
using Bench.Measure.Running;
using Bench.Reports.Comparison;

namespace Bench.Gate;

/// <summary>
/// A gate's place on a target: a data folder of its own, and in it one for each launch of a pair. The outer one belongs
/// to the gate's process and is removed with all that is in it, at the latest by the next start of bench after a crash;
/// the inner ones are kept from launch to launch, so that all of them read and write the same blocks.
/// </summary>
internal sealed class GateArea : IDisposable
{
    private readonly DataFolder outer;

    private GateArea(DataFolder outer, DeviceTopology topology, IReadOnlyList<string> folders, IReadOnlyList<string> neighbours)
    {
        this.outer = outer;
        Neighbours = neighbours;
        Topology = topology;
        Folders = folders;
    }

    /// <summary>The target's devices.</summary>
    internal DeviceTopology Topology { get; }

    /// <summary>The data folders.</summary>
    internal IReadOnlyList<string> Folders { get; }

    /// <summary>Data folders of other runs that were at work on this target when it was made.</summary>
    internal IReadOnlyList<string> Neighbours { get; }

    /// <summary>Machine and device of a target: what a calibration belongs to.</summary>
    /// <exception cref="PlanException">The target cannot be written.</exception>
    internal static Fingerprint FingerprintOf(string target) =>
        Fingerprint.Of(new HostProbe().Probe(), new TopologyProbe().Probe(TargetFolder.Check(target)), ToolVersion.Version);

    /// <summary>Makes it.</summary>
    /// <param name="target">The folder whose file system is measured.</param>
    /// <param name="run">The gate run's name.</param>
    /// <param name="folders">How many data folders.</param>
    /// <param name="peakBytes">Most bytes in one of them.</param>
    /// <exception cref="PlanException">It cannot be written, or has no room.</exception>
    internal static GateArea Make(string target, string run, int folders, long peakBytes)
    {
        var folder = TargetFolder.Check(target);
        var topology = new TopologyProbe().Probe(folder);
        foreach (var removed in DataFolder.RemoveLeftovers(folder, shared: TargetFolder.IsShared(topology.Mount)))
            Console.Error.WriteLine($"Removed what an interrupted run had left: {removed}");
        topology = new TopologyProbe().Probe(folder);
        TargetFolder.CheckSpace(folder, topology, peakBytes > long.MaxValue / folders ? long.MaxValue : peakBytes * folders);
        var neighbours = DataFolder.Living(folder);
        var outer = DataFolder.Create(folder, run, keep: false);
        try
        {
            var inner = new List<string>();
            for (var i = 0; i < folders; i++)
            {
                // As a run's folder is called, with a number for the four random digits.
                using var data = DataFolder.Create(outer.Path, run[..^4] + (i + 1).ToString("x4", CultureInfo.InvariantCulture), keep: true);
                inner.Add(data.Path);
            }
            return new GateArea(outer, topology, inner, neighbours);
        }
        catch
        {
            outer.Dispose();
            throw;
        }
    }

    public void Dispose() => outer.Dispose();
}
