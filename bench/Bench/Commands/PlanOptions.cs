using System.CommandLine;
using Bench.Measure.Running;
using Bench.Workloads;

namespace Bench.Commands;

/// <summary>The options that choose cases; the same for <c>run</c> and <c>list</c>.</summary>
internal sealed class PlanOptions
{
    private readonly Option<string> profile = new("--profile", "-p") { Description = "How much is measured: quick (3 minutes), standard (half an hour), full (every combination: more than a day), smoke (seconds, for tests)", HelpName = "NAME", DefaultValueFactory = _ => "quick" };
    private readonly Option<string[]> filter = new("--filter", "-f") { Description = "Only cases whose name matches: 'CachePath*', '*Direct*4KiB*'; may be given several times", HelpName = "GLOB", DefaultValueFactory = _ => [] };
    private readonly Option<string[]> set = new("--set", "-s") { Description = "Other values for a parameter: BlockSize=4KiB,64KiB; may be given several times", HelpName = "NAME=VALUE,…", DefaultValueFactory = _ => [] };
    private readonly Option<int?> passes = new("--passes") { Description = "Timed passes per case; from 6 on the interval covers 95 %", HelpName = "N" };
    private readonly Option<double?> passSeconds = new("--pass-seconds") { Description = "Length that a pass aims at", HelpName = "SECONDS" };
    private readonly Option<long?> seed = new("--seed") { Description = "Seed of every random choice; printed and stored", HelpName = "N" };

    internal void AddTo(Command command)
    {
        command.Add(profile);
        command.Add(filter);
        command.Add(set);
        command.Add(passes);
        command.Add(passSeconds);
        command.Add(seed);
    }

    /// <exception cref="PlanException">An option has a value that means nothing.</exception>
    internal Plan Read(ParseResult parsed)
    {
        var name = parsed.GetValue(profile)!;
        if (!Enum.TryParse<Profile>(name, ignoreCase: true, out var chosen) || !Enum.IsDefined(chosen) || char.IsAsciiDigit(name[0]))
            throw new PlanException($"no profile is named '{name}'; there are {string.Join(", ", Enum.GetNames<Profile>().Select(one => one.ToLowerInvariant()))}");
        var settings = RunSettings.Of(chosen, parsed.GetValue(seed) ?? Random.Shared.Next(1, int.MaxValue));
        if (parsed.GetValue(passes) is { } count)
            settings = count is >= 1 and <= 10_000 ? settings with { Passes = count } : throw new PlanException("--passes takes 1 to 10000");
        if (parsed.GetValue(passSeconds) is { } seconds)
            settings = seconds is >= 0.001 and <= 3600
                ? settings with { PassSeconds = seconds, MaxWriteBytesPerPass = (long)(settings.MaxWriteBytesPerPass * Math.Max(1, seconds / settings.PassSeconds)) }
                : throw new PlanException("--pass-seconds takes 0.001 to 3600");
        var filters = parsed.GetValue(filter)!;
        var sets = parsed.GetValue(set)!;
        return new Plan(Catalogue.Choose(chosen, filters, sets), settings)
        {
            NamesUncached = filters.Concat(sets).Any(text => text.Contains(nameof(Access.Uncached), StringComparison.OrdinalIgnoreCase)),
        };
    }
}
