using System.Globalization;
using Bench.Measure;
using Bench.Measure.Passes;
using Bench.Measure.Running;

namespace Bench.Commands;

/// <summary>The cases of a run with what they will cost: the same figures for <c>list</c> and before a <c>run</c>.</summary>
internal sealed class Plan
{
    // A middling disk's rate of laying out files; see NominalRate.
    private const double LayoutBytesPerSecond = 1e9;

    internal Plan(IReadOnlyList<CaseSpec> cases, RunSettings settings)
    {
        Cases = cases;
        Settings = settings;
        // A search for a rate has trials of the length of a pass before the passes.
        var trials = settings.LatencyTargetNs > 0 ? 1 + RateSearch.UsualTrials / (settings.Passes + 1.0) : 1;
        Estimates = [.. cases.Select(spec => spec.Bind().Estimate(settings)).Select(one =>
            one with { Seconds = one.Seconds * trials, WriteBytes = (long)Math.Min(long.MaxValue / 2, one.WriteBytes * trials) })];
        Files = [.. Estimates.SelectMany(estimate => estimate.Files).Distinct()];
        LayoutBytes = Sum(Files.Select(file => file.Size.Bytes));
        PeakBytes = Sum([LayoutBytes, Estimates.Select(estimate => estimate.PeakBytes).DefaultIfEmpty(0).Max()]);
        WriteBytes = Sum([LayoutBytes, .. Estimates.Select(estimate => estimate.WriteBytes)]);
        Seconds = 1 + LayoutBytes / LayoutBytesPerSecond + Estimates.Sum(estimate => estimate.Seconds);
    }

    internal IReadOnlyList<CaseSpec> Cases { get; }

    internal RunSettings Settings { get; }

    internal IReadOnlyList<CaseEstimate> Estimates { get; }

    internal IReadOnlyList<(string Purpose, ByteSize Size)> Files { get; }

    /// <summary>Bytes of the files that are laid out.</summary>
    internal long LayoutBytes { get; }

    /// <summary>Most bytes at once, the files and what a case makes for itself: what must fit on the target.</summary>
    internal long PeakBytes { get; }

    /// <summary>The same where two plans use one folder, in turns.</summary>
    internal static long PeakBytesOf(Plan one, Plan other) =>
        Sum([Sum(one.Files.Union(other.Files).Select(file => file.Size.Bytes)), Math.Max(one.PeakBytes - one.LayoutBytes, other.PeakBytes - other.LayoutBytes)]);

    /// <summary>Bytes that will be written in all.</summary>
    internal long WriteBytes { get; }

    /// <summary>Time in seconds.</summary>
    internal double Seconds { get; }

    /// <summary>The plan without the cases that a target cannot do, unless nothing would be left.</summary>
    internal Plan Without(Func<CaseSpec, bool> impossible) =>
        Cases.Where(spec => !impossible(spec)).ToArray() is { Length: > 0 } left && left.Length < Cases.Count ? Of(left) : this;

    /// <summary>The plan with further cases, each after those of its kind.</summary>
    internal Plan With(Func<IReadOnlyList<CaseSpec>, IReadOnlyList<CaseSpec>> further) => Of(further(Cases));

    /// <summary>Other cases with the same settings, chosen in the same way.</summary>
    private Plan Of(IReadOnlyList<CaseSpec> cases) => new(cases, Settings) { NamesUncached = NamesUncached, NamesDontCache = NamesDontCache, NamesBlockSizes = NamesBlockSizes };

    /// <summary>Whether the user chose the block sizes, or single cases.</summary>
    internal bool NamesBlockSizes { get; init; }

    /// <summary>Whether the user asked for uncached access by name, rather than for whatever the profile has.</summary>
    internal bool NamesUncached { get; init; }

    /// <summary>The same of consumers that read past the cache.</summary>
    internal bool NamesDontCache { get; init; }

    /// <summary>Absurd sizes add up to the largest number, which fits on no disk and is refused as such.</summary>
    private static long Sum(IEnumerable<long> bytes) => bytes.Aggregate(0L, (sum, one) => one > long.MaxValue - sum ? long.MaxValue : sum + one);

    internal static string Say(double seconds) => seconds < 100
        ? string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s")
        : seconds < 7200 ? string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0.#} min")
        : string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0.#} h");

    internal static string SayBytes(long bytes) => bytes < 1L << 30
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0} MiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1073741824.0:0.0} GiB");
}
