using System.CommandLine;
using System.Globalization;
using Bench.Measure.Running;
using Bench.Workloads;

namespace Bench.Commands;

/// <summary>The options that choose cases; the same for <c>run</c> and <c>list</c>.</summary>
internal sealed class PlanOptions(string defaultProfile = "quick")
{
    private readonly Option<string> profile = new("--profile", "-p") { Description = "How much is measured: quick (3 minutes), standard (half an hour), full (every combination: more than a day), gate (the six cases of 'bench gate'), smoke (seconds, for tests)", HelpName = "NAME", DefaultValueFactory = _ => defaultProfile };
    private readonly Option<string[]> filter = new("--filter", "-f") { Description = "Only cases whose name matches: 'CachePath*', '*Direct*BlockSize=4KiB*'; may be given several times", HelpName = "GLOB", DefaultValueFactory = _ => [] };
    private readonly Option<string[]> set = new("--set", "-s") { Description = "Other values for a parameter: BlockSize=4KiB,64KiB; may be given several times", HelpName = "NAME=VALUE,…", DefaultValueFactory = _ => [] };
    private readonly Option<string[]> named = new("--case", "-c") { Description = "Only this case, by its whole name as 'bench list' prints it, whatever the profile has; may be given several times", HelpName = "NAME", DefaultValueFactory = _ => [] };
    private readonly Option<string?> operations = new("--operations") { Description = "Operations of each pass, one number for each --case (default: as many as --pass-seconds asks for)", HelpName = "N,…" };
    private readonly Option<double?> start = Number.Option("--start", "Where in its file a case begins, as a share of it: 0.5 is the middle", "SHARE");
    private readonly Option<int?> passes = new("--passes") { Description = "Timed passes per case; from 6 on the interval covers 95 %", HelpName = "N" };
    private readonly Option<double?> passSeconds = Number.Option("--pass-seconds", "Length that a pass aims at; the rounds of --steady keep their profile's length", "SECONDS");
    private readonly Option<string?> slowdown = new("--inject-slowdown") { Description = "To test a gate: makes each operation longer by this share of itself, and says so in the records", HelpName = "SHARE" };
    private readonly Option<double?> rate = Number.Option("--rate", "Open loop: so many operations a second, at random moments; latency counts from when an operation was due", "N");
    private readonly Option<string?> latencyTarget = new("--latency-target") { Description = "Look for the highest such rate whose 99th percentile stays within this: 10ms, 500us", HelpName = "TIME" };
    private readonly Option<long?> seed = new("--seed") { Description = "Seed of every random choice; printed and stored", HelpName = "N" };

    /// <summary>All of them.</summary>
    internal IReadOnlyList<Option> Options => [profile, filter, set, named, operations, start, passes, passSeconds, rate, latencyTarget, seed, slowdown];

    internal void AddTo(Command command)
    {
        foreach (var option in Options)
            command.Add(option);
    }

    /// <param name="parsed">The command line.</param>
    /// <param name="furtherSets">Parameters of one side of a gate.</param>
    /// <param name="otherSeed">The seed if none was given; drawn if null.</param>
    /// <param name="steady">Whether those of the steady state come before them.</param>
    /// <exception cref="PlanException">An option has a value that means nothing.</exception>
    internal Plan Read(ParseResult parsed, IReadOnlyList<string>? furtherSets = null, long? otherSeed = null, bool steady = false)
    {
        var name = parsed.GetValue(profile)!;
        if (!Enum.TryParse<Profile>(name, ignoreCase: true, out var chosen) || !Enum.IsDefined(chosen) || char.IsAsciiDigit(name[0]))
            throw new PlanException($"no profile is named '{name}'; there are {string.Join(", ", Enum.GetNames<Profile>().Select(one => one.ToLowerInvariant()))}");
        var settings = RunSettings.Of(chosen, parsed.GetValue(seed) ?? otherSeed ?? Random.Shared.Next(1, int.MaxValue));
        if (parsed.GetValue(passes) is { } count)
            settings = count is >= 1 and <= 10_000 ? settings with { Passes = count } : throw new PlanException("--passes takes 1 to 10000");
        if (parsed.GetValue(passSeconds) is { } seconds)
            settings = seconds is >= 0.001 and <= 3600
                ? settings.WithPassSeconds(seconds)
                : throw new PlanException("--pass-seconds takes 0.001 to 3600");
        settings = Paced(parsed, settings);
        if (parsed.GetValue(slowdown) is { } text)
            settings = settings with { InjectedSlowdown = ReadShare("--inject-slowdown", text, most: 10) };
        var filters = parsed.GetValue(filter)!;
        string[] sets = [.. parsed.GetValue(set)!, .. furtherSets ?? []];
        var names = parsed.GetValue(named)!;
        if (names.Length > 0 && filters.Length + sets.Length > 0)
            throw new PlanException("--case names a case with all its parameters; --filter and --set do not go with it");
        settings = (parsed.GetValue(start) ?? 0) is >= 0 and < 1 and var share ? settings with { StartShare = share } : throw new PlanException("--start takes a share from 0 up to 1, such as 0.5");
        if (parsed.GetValue(operations) is { } counts)
            settings = settings with { OperationsPerPass = ReadOperations(counts, names) };
        var cases = names.Length > 0 ? Catalogue.Named(names) : Catalogue.Choose(chosen, filters, sets, steady);
        if (names.Length == 0 && Catalogue.FilteredOut(chosen, filters, sets) is { } leftOut)
            Console.Error.WriteLine($"Left out {leftOut}");
        if (settings.IsPaced)
        {
            cases = [.. cases.Where(spec => spec.Bind().CanBePaced)];
            if (cases.Count == 0)
                throw new PlanException("none of these cases has an open loop; --rate and --latency-target go with CachePath, AccessPattern on disk, Transfer, LogAppend, and LogRead but at the tail");
        }
        bool IsNamed(string value) => filters.Concat(sets).Concat(names).Any(text => text.Contains(value, StringComparison.OrdinalIgnoreCase));
        return new Plan(cases, settings)
        {
            NamesBlockSizes = names.Length > 0 || sets.Any(text => text.TrimStart().StartsWith(nameof(CachePath.BlockSize), StringComparison.OrdinalIgnoreCase)) || filters.Any(text => text.Contains(nameof(CachePath.BlockSize), StringComparison.OrdinalIgnoreCase)),
            NamesUncached = IsNamed(nameof(Access.Uncached)),
            NamesDontCache = IsNamed(nameof(ReadCache.DontCache)),
        };
    }

    private RunSettings Paced(ParseResult parsed, RunSettings settings)
    {
        var perSecond = parsed.GetValue(rate) ?? 0;
        if (parsed.GetValue(rate) is not (null or (>= 1e-6 and <= 1e9)))
            throw new PlanException("--rate takes operations a second above 0: 0.000001 to 1000000000");
        if (parsed.GetValue(latencyTarget) is not { } text)
            return settings with { RatePerSecond = perSecond };
        if (perSecond > 0)
            throw new PlanException("--latency-target looks for a rate; --rate does not go with it");
        return settings with { LatencyTargetNs = ReadTime("--latency-target", text) };
    }

    /// <summary>Reads "10ms", "500us", "2s" into nanoseconds.</summary>
    /// <exception cref="PlanException">It is none.</exception>
    internal static long ReadTime(string option, string text)
    {
        var (digits, unit) = text.EndsWith("us", StringComparison.Ordinal) ? (text[..^2], 1e3)
            : text.EndsWith("ms", StringComparison.Ordinal) ? (text[..^2], 1e6)
            : text.EndsWith('s') ? (text[..^1], 1e9)
            : ("", 0);
        return double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && value * unit is >= 1e3 and <= 3.6e12
            ? (long)(value * unit)
            : throw new PlanException($"{option} takes a time such as 10ms, 500us or 2s; '{text}' is none");
    }

    private static Dictionary<string, long> ReadOperations(string text, string[] names)
    {
        var counts = text.Split(',', StringSplitOptions.TrimEntries)
            .Select(one => long.TryParse(one, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0 ? count : throw new PlanException($"--operations takes numbers from 1; '{one}' is none")).ToArray();
        if (names.Length == 0)
            throw new PlanException("--operations says how much each --case does; there is no --case");
        // By the name as the catalogue writes it, which the user may have spelled otherwise.
        var cases = Catalogue.Named(names);
        return counts.Length == cases.Count
            ? cases.Zip(counts).ToDictionary(pair => pair.First.Id, pair => pair.Second)
            : throw new PlanException(string.Create(CultureInfo.InvariantCulture, $"--operations takes one number for each --case; there are {counts.Length} and {cases.Count}"));
    }

    /// <summary>Reads "5%" or "0.05": a share above 0.</summary>
    /// <exception cref="PlanException">It is none, or more than the most.</exception>
    internal static double ReadShare(string option, string text, double most)
    {
        var percent = text.EndsWith('%');
        return double.TryParse(percent ? text[..^1].Trim() : text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            && (percent ? value / 100 : value) is > 0 and var share && share <= most
            ? share
            : throw new PlanException(string.Create(CultureInfo.InvariantCulture, $"{option} takes a share above 0 and up to {most}, such as 5% or 0.05; '{text}' is none"));
    }
}
