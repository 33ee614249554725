using Bench.Measure.Running;
using Bench.Reports;
using Bench.Workloads;

namespace Bench.Gate;

/// <summary>A case of both sides.</summary>
/// <param name="Name">What it is called: the case's name where both sides have the same one.</param>
/// <param name="Base">The base's case.</param>
/// <param name="Head">The head's case.</param>
internal sealed record GateCase(string Name, CaseSpec Base, CaseSpec Head)
{
    private static readonly string[] CacheParameters = [nameof(CachePath.Access), nameof(Transfer.Cache), nameof(AccessPattern.Medium)];

    /// <summary>The parameters that both sides share.</summary>
    internal IReadOnlyDictionary<string, string> SharedParameters { get; } =
        Base.Spelled.Where(pair => Head.Spelled.TryGetValue(pair.Key, out var other) && other == pair.Value).ToDictionary();

    /// <summary>
    /// Whether both sides want the same of the page cache: then they can use the same file. Else one would drop what the
    /// other reads, or hold maps of what the other has to drop.
    /// </summary>
    internal bool SameCacheState { get; } =
        CacheParameters.All(name => Base.Spelled.GetValueOrDefault(name) == Head.Spelled.GetValueOrDefault(name));

    /// <summary>
    /// The cases of two sides by what they share. A side has other values for some parameters only, so a partner is the
    /// case that is alike in all others.
    /// </summary>
    /// <param name="baseCases">The base's.</param>
    /// <param name="headCases">The head's.</param>
    /// <param name="differing">Names of the parameters that a side sets.</param>
    /// <exception cref="PlanException">A case has two partners or none.</exception>
    internal static IReadOnlyList<GateCase> Pair(IReadOnlyList<CaseSpec> baseCases, IReadOnlyList<CaseSpec> headCases, IReadOnlyCollection<string> differing)
    {
        string Key(CaseSpec spec) => $"{spec.Workload.Name}({string.Join(", ", spec.Spelled.Where(pair => !differing.Contains(pair.Key, StringComparer.OrdinalIgnoreCase)).Select(pair => $"{pair.Key}={pair.Value}"))})";
        var heads = headCases.ToLookup(Key);
        var cases = new List<GateCase>();
        foreach (var group in baseCases.GroupBy(Key))
        {
            if (group.Count() > 1 || heads[group.Key].Count() != 1)
                throw new PlanException($"{group.Key} has {Format.Count(group.Count(), "case")} in the base and {heads[group.Key].Count()} in the head: give each side one value for a parameter, and the same parameters to both");
            cases.Add(new GateCase(group.Key, group.Single(), heads[group.Key].Single()));
        }
        if (heads.Count != cases.Count)
            throw new PlanException($"{heads.First(group => cases.All(one => one.Name != group.Key)).Key} is in the head only; give the same parameters to both sides");
        return cases;
    }
}

/// <summary>One side of the gate: what is started, where, and with which cases.</summary>
internal sealed record GateSide
{
    /// <summary>Base or head, for messages.</summary>
    internal required string Role { get; init; }

    /// <summary>As the user named it.</summary>
    internal required string Name { get; init; }

    /// <summary>Program and first arguments that start bench.</summary>
    internal required IReadOnlyList<string> Command { get; init; }

    /// <summary>The commit that the program was built from, where the gate built it.</summary>
    internal string? Commit { get; init; }

    /// <summary>By what share it is made slower, in a calibration.</summary>
    internal double InjectedSlowdown { get; init; }

    /// <summary>Its case among those of both.</summary>
    internal CaseSpec CaseOf(GateCase one) => Role == "base" ? one.Base : one.Head;
}
