using System.Text.Json;
using System.Text.Json.Serialization;
using Bench.Measure.Records;
using Bench.Measure.Running;
using Bench.Workloads;

namespace Bench.Commands;

/// <summary>
/// What a run set out to do, <c>plan.json</c> in its folder, schema <c>bench.plan/1</c>: whoever was interrupted after
/// nine of ten hours goes on with <c>--resume</c> and loses one case. fio and elbencho begin anew.
/// </summary>
internal sealed record StoredPlan
{
    internal const string FileName = "plan.json";

    private const string CurrentSchema = "bench.plan/1";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Converters = { new JsonStringEnumConverter<Profile>() } };

    /// <summary>Always <see cref="CurrentSchema"/>.</summary>
    public string Schema { get; init; } = CurrentSchema;

    /// <summary>The run's name.</summary>
    public required string Run { get; init; }

    /// <summary>The targets' folders.</summary>
    public required IReadOnlyList<string> Targets { get; init; }

    /// <summary>The profile.</summary>
    public required Profile Profile { get; init; }

    /// <summary>The seed.</summary>
    public required long Seed { get; init; }

    /// <summary>Timed passes of each case.</summary>
    public required int Passes { get; init; }

    /// <summary>The length that a pass aims at.</summary>
    public required double PassSeconds { get; init; }

    /// <summary>Where in its file a case begins.</summary>
    public double StartShare { get; init; }

    /// <summary>Operations a second of an open loop; 0 in a closed one.</summary>
    public double RatePerSecond { get; init; }

    /// <summary>The latency within which the highest rate is looked for; 0 without a search.</summary>
    public long LatencyTargetNs { get; init; }

    /// <summary>The slowdown for the test of a gate.</summary>
    public double InjectedSlowdown { get; init; }

    /// <summary>All cases by name, in order.</summary>
    public required IReadOnlyList<string> Cases { get; init; }

    /// <summary>Keeps a plan.</summary>
    internal static void Write(string runFolder, string run, IReadOnlyList<string> targets, Plan plan) =>
        File.WriteAllText(Path.Combine(runFolder, FileName), JsonSerializer.Serialize(new StoredPlan
        {
            Run = run,
            Targets = targets,
            Profile = plan.Settings.Profile,
            Seed = plan.Settings.Seed,
            Passes = plan.Settings.Passes,
            PassSeconds = plan.Settings.PassSeconds,
            StartShare = plan.Settings.StartShare,
            RatePerSecond = plan.Settings.RatePerSecond,
            LatencyTargetNs = plan.Settings.LatencyTargetNs,
            InjectedSlowdown = plan.Settings.InjectedSlowdown,
            Cases = [.. plan.Cases.Select(spec => spec.Id)],
        }, Json) + "\n");

    /// <summary>The plan of a run.</summary>
    /// <exception cref="PlanException">The folder holds none, or one that this build cannot go on with.</exception>
    internal static StoredPlan Read(string runFolder)
    {
        var path = Path.Combine(runFolder, FileName);
        if (!File.Exists(path))
            throw new PlanException($"{runFolder} holds no run that can be gone on with: there is no {FileName}");
        try
        {
            var stored = JsonSerializer.Deserialize<StoredPlan>(File.ReadAllText(path), Json)!;
            return stored.Schema == CurrentSchema ? stored : throw new PlanException($"{path} is of the schema {stored.Schema}; this build knows {CurrentSchema}");
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new PlanException($"{path} cannot be read: {JsonWords.Of(exception)}");
        }
    }

    /// <summary>The records of the cases that all targets have: a case is compared only where all measured it in turns.</summary>
    internal IReadOnlyList<RunRecord> Whole(IReadOnlyList<RunRecord> earlier)
    {
        if (Targets.Count == 1)
            return earlier;
        var have = earlier.GroupBy(record => record.Case, StringComparer.Ordinal)
            .Where(records => Targets.All(target => records.Any(record => record.Target.Folder == target)))
            .Select(records => records.Key).ToHashSet(StringComparer.Ordinal);
        return [.. earlier.Where(record => have.Contains(record.Case))];
    }

    /// <summary>The cases that have no record yet.</summary>
    /// <param name="earlier">What the run has measured, on all of its targets (<see cref="Whole"/>).</param>
    internal Plan Rest(IReadOnlyList<RunRecord> earlier)
    {
        var settings = RunSettings.Of(Profile, Seed).WithPassSeconds(PassSeconds) with
        {
            Passes = Passes,
            StartShare = StartShare,
            RatePerSecond = RatePerSecond,
            LatencyTargetNs = LatencyTargetNs,
            InjectedSlowdown = InjectedSlowdown,
        };
        var done = earlier.Select(record => record.Case).ToHashSet(StringComparer.Ordinal);
        return new Plan([.. Catalogue.Named(Cases).Where(spec => !done.Contains(settings.NameOf(spec)))], settings) { NamesUncached = true, NamesDontCache = true, NamesBlockSizes = true };
    }
}
