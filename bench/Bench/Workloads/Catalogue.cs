using System.Text.RegularExpressions;
using Bench.Measure;
using Bench.Measure.Running;

namespace Bench.Workloads;

/// <summary>All workloads, and the choice of cases from them.</summary>
public static class Catalogue
{
    /// <summary>The workloads, in the order in which they run.</summary>
    public static IReadOnlyList<WorkloadDescriptor> All { get; } =
    [
        WorkloadDescriptor.Of<AccessPattern>(),
        WorkloadDescriptor.Of<CachePath>(),
        WorkloadDescriptor.Of<Transfer>(),
        WorkloadDescriptor.Of<LogAppend>(),
        WorkloadDescriptor.Of<LogRead>(),
        WorkloadDescriptor.Of<LogRecovery>(),
        WorkloadDescriptor.Of<LogEncode>(),
        WorkloadDescriptor.Of<SteadyState>(),
    ];

    /// <summary>The cases of a profile that the user asked for.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="filters">Globs over the case's name, <c>CachePath*Direct*</c>; none means all.</param>
    /// <param name="settings">Pairs <c>Name=value,value</c>.</param>
    /// <param name="steady">Whether the cases of <see cref="SteadyState"/> come before them in any case: a filter that wants only these then chooses none.</param>
    /// <exception cref="PlanException">A name or value is unknown, or nothing is left.</exception>
    public static IReadOnlyList<CaseSpec> Choose(Profile profile, IReadOnlyList<string> filters, IReadOnlyList<string> settings, bool steady = false)
    {
        var overrides = ParseSettings(settings);
        var globs = filters.Select(ToRegex).ToArray();
        var cases = new List<CaseSpec>();
        PlanException? refusal = FilteredOut(profile, filters, settings) is { } leftOut ? new PlanException($"nothing is left to measure: {leftOut}") : null;
        // A workload that lacks a parameter that is set is not what the user asked for.
        foreach (var workload in All.Where(workload => overrides.Keys.All(name => workload.Parameters.Any(parameter => parameter.Name == name))))
        {
            try
            {
                cases.AddRange(workload.Cases(profile, overrides).Where(spec => globs.Length == 0 || globs.Any(glob => glob.IsMatch(spec.Id))));
            }
            catch (PlanException exception)
            {
                // Only a pity if no other workload takes the values; and then the one that was asked for says why.
                if (refusal is null || filters.Any(filter => filter.StartsWith(workload.Name, StringComparison.OrdinalIgnoreCase)))
                    refusal = exception;
            }
        }
        // Of any size: how large the file will be is known when the target is.
        var wantsOnlySteady = steady && refusal is null && SteadyState.CasesOf(ByteSize.MiB(64)).Any(spec => globs.Any(glob => glob.IsMatch(spec.Id)));
        if (cases.Count > 0 || wantsOnlySteady)
            return cases;
        throw refusal ?? new PlanException(
            $"no case of the profile {profile.ToString().ToLowerInvariant()} matches; 'bench list' shows them all, and the workloads are {string.Join(", ", All.Select(workload => workload.Name))}");
    }

    /// <summary>Workloads of which a filter wants cases, and which a setting leaves out since they lack the parameter: a sentence, null if there is none.</summary>
    public static string? FilteredOut(Profile profile, IReadOnlyList<string> filters, IReadOnlyList<string> settings)
    {
        string[] names = [.. ParseSettings(settings).Keys];
        var globs = filters.Select(ToRegex).ToArray();
        string[] lacking = [.. All.Where(workload => workload.Cases(profile, new Dictionary<string, IReadOnlyList<string>>()).Any(spec => globs.Any(glob => glob.IsMatch(spec.Id))))
            .Select(workload => (workload.Name, Lacks: names.Where(name => workload.Parameters.All(parameter => parameter.Name != name)).ToArray()))
            .Where(one => one.Lacks.Length > 0).Select(one => $"{one.Name} has no {string.Join(", ", one.Lacks)}")];
        return lacking.Length == 0 ? null : $"{string.Join("; ", lacking)}, and --set chooses the cases that have it";
    }

    /// <summary>Cases by their names, <c>CachePath(Access=Direct, BlockSize=4KiB)</c>; a parameter that is not named has its first value.</summary>
    /// <param name="names">As <c>bench list</c> and records spell them.</param>
    /// <exception cref="PlanException">A name is none, or names a combination that has no meaning.</exception>
    public static IReadOnlyList<CaseSpec> Named(IReadOnlyList<string> names) => [.. names.Select(Named).DistinctBy(spec => spec.Id)];

    private static CaseSpec Named(string name)
    {
        var open = name.IndexOf('(', StringComparison.Ordinal);
        if (open < 0 || !name.EndsWith(')'))
            throw new PlanException($"'{name}' is no case's name; they look like Workload(Name=value, Name=value), and 'bench list' prints them");
        var workload = All.FirstOrDefault(one => string.Equals(one.Name, name[..open].Trim(), StringComparison.OrdinalIgnoreCase))
            ?? throw new PlanException($"'{name}': no workload is named {name[..open].Trim()}; there are {string.Join(", ", All.Select(one => one.Name))}");
        var values = workload.Parameters.Select(parameter => parameter.Values[0]).ToArray();
        foreach (var pair in name[(open + 1)..^1].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var (key, value) = pair.IndexOf('=', StringComparison.Ordinal) is var at and > 0 ? (pair[..at].Trim(), pair[(at + 1)..].Trim()) : (pair, "");
            var index = workload.Parameters.Index().Where(one => string.Equals(one.Item.Name, key, StringComparison.OrdinalIgnoreCase)).Select(one => one.Index).DefaultIfEmpty(-1).First();
            if (index < 0)
                throw new PlanException($"'{name}': {workload.Name} has no parameter {key}; it has {string.Join(", ", workload.Parameters.Select(one => one.Name))}");
            values[index] = workload.Parameters[index].Parse(value);
        }
        var spec = new CaseSpec(workload, values);
        return spec.Bind().WhyImpossible() is { } reason ? throw new PlanException($"'{name}' is not possible: {reason}") : spec;
    }

    private static Dictionary<string, IReadOnlyList<string>> ParseSettings(IReadOnlyList<string> settings)
    {
        var parsed = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var setting in settings)
        {
            var (name, values) = setting.IndexOf('=', StringComparison.Ordinal) is var at and > 0
                ? (setting[..at].Trim(), setting[(at + 1)..].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                : throw new PlanException($"--set takes Name=value,value; '{setting}' is none");
            if (values.Length == 0)
                throw new PlanException($"--set {name}= has no value");
            var known = All.SelectMany(workload => workload.Parameters).FirstOrDefault(parameter => string.Equals(parameter.Name, name, StringComparison.OrdinalIgnoreCase));
            name = known?.Name ?? throw new PlanException(
                $"no parameter is named {name}; there are {string.Join(", ", All.SelectMany(workload => workload.Parameters).Select(parameter => parameter.Name).Distinct())}");
            parsed[name] = parsed.TryGetValue(name, out var earlier) ? [.. earlier, .. values] : values;
        }
        return parsed;
    }

    /// <summary>A glob over the whole name; * and ? as in a shell; without any, it is looked for anywhere in the name.</summary>
    internal static Regex ToRegex(string glob)
    {
        var pattern = Regex.Escape(glob).Replace("\\*", ".*", StringComparison.Ordinal).Replace("\\?", ".", StringComparison.Ordinal);
        var anchored = glob.AsSpan().IndexOfAny('*', '?') >= 0 ? $"^{pattern}$" : pattern;
        return new Regex(anchored, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
    }
}
