using System.Text;
using Bench.Disk;
using Bench.Measure.Records;
using Bench.Reports.Comparison;

namespace Bench.Reports.History;

/// <summary>
/// The points of one case that can stand in one line: measured under one profile in one kind of place. When several
/// machines write to one history, their figures alternate, and a change point in the mixture would say nothing.
/// <para>
/// A kind of place is the processor, the memory, the file system and the models and sizes of the devices. What changes
/// under a line while it stays where it is, such as kernel, firmware, scheduler, mount options or limits, does not
/// begin a new one: it is named as what changed. Serial numbers do not either: a cloud gives every machine a new one.
/// </para>
/// </summary>
/// <param name="Case">The case.</param>
/// <param name="Profile">The profile.</param>
/// <param name="Place">Six hexadecimal digits, equal for equal kinds of place.</param>
/// <param name="Points">In order of time, the oldest first.</param>
public sealed record HistoryLine(string Case, string Profile, string Place, IReadOnlyList<PointOfRun> Points)
{
    private static readonly HashSet<string> PlaceTraits = new(StringComparer.Ordinal)
    {
        "architecture", "processor", "logical processors", "NUMA nodes", "memory", "virtual machine", "container", "file system", "data profile",
    };

    private static readonly HashSet<string> DeviceTraits = new(StringComparer.Ordinal) { "kind", "size", "model", "transport", "level", "chunk in bytes" };

    /// <summary>The lines of a case, the one that is measured most first.</summary>
    public static IReadOnlyList<HistoryLine> Of(CaseHistory history)
    {
        var places = new Dictionary<HistoryRun, string>(ReferenceEqualityComparer.Instance);
        string Place(HistoryRun run) => places.TryGetValue(run, out var known) ? known : places[run] = PlaceOf(run);
        return
        [
            .. history.Points.GroupBy(point => (point.Run.Profile, Place: Place(point.Run)))
                .Select(group => new HistoryLine(history.Case, group.Key.Profile, group.Key.Place, [.. group]))
                .OrderByDescending(line => line.Points.Count),
        ];
    }

    /// <summary>The kind of place where a run was measured, as six hexadecimal digits.</summary>
    public static string PlaceOf(HistoryRun run)
    {
        // "device 1: model" is the model of the first device from above.
        var traits = run.Traits.Where(trait => PlaceTraits.Contains(trait.Name)
            || (trait.Kind == TraitKind.Device && trait.Name.Split(": ") is [_, var name] && DeviceTraits.Contains(name)));
        return Convert.ToHexStringLower(Sha256.Of(Encoding.UTF8.GetBytes(string.Join('\n', traits.Select(trait => $"{trait.Name}={trait.Value}")))))[..6];
    }

    /// <summary>The last points that change points are looked for in: those that have the figure and are not contradicted.</summary>
    /// <param name="figure">The figure.</param>
    public IReadOnlyList<PointOfRun> Usable(Figure figure) =>
        [.. Points.Where(point => point.Point.Verdict != Verdict.Contradicted && point.Point.Of(figure) > 0).TakeLast(ChangePoints.MostValues)];
}
