using Bench.Reports.Content;

namespace Bench.Reports.Families;

/// <summary>
/// What the families and the answers of the log share: which cases belong together where a parameter does not apply to
/// all of them, and which of them is the plainest.
/// </summary>
internal static class LogCases
{
    /// <summary>What one would choose without a reason: the value that a parameter has where it is not the subject.</summary>
    private static readonly (string Parameter, string Value)[] PlainValues =
    [
        ("FlushMethod", "Fdatasync"), ("Compression", "None"), ("Preallocation", "None"), ("WritePath", "Buffered"), ("Partitions", "1"), ("Producers", "1"),
        ("BatchSize", "64KiB"), ("RecordSize", "1KiB"),
    ];

    /// <summary>
    /// Facets as <see cref="CaseCharts.Facets"/> has them, but a case to which a parameter does not apply ("no flush"
    /// has no flush method) is in each facet that it agrees with.
    /// </summary>
    public static IEnumerable<(string Name, CaseView[] Cases)> Facets(IReadOnlyCollection<CaseView> cases, params string[] parameters)
    {
        CaseView[] shown = [.. cases.Where(view => !view.Failed)];
        // The fullest first: a case with a "-" founds a facet only if none takes it in.
        var founders = new List<CaseView>();
        foreach (var view in shown.OrderBy(view => parameters.Count(parameter => view[parameter] == "-")))
            if (!founders.Any(founder => Agree(founder, view, parameters)))
                founders.Add(view);
        return founders.OrderBy(founder => Array.IndexOf(shown, founder)).Select(founder => (
            Words.Sentence(CaseCharts.NameOf(founder, parameters)), shown.Where(view => Agree(founder, view, parameters)).ToArray()));
    }

    /// <summary>The parameters that have more than one value among the cases to which they apply.</summary>
    public static string[] Varying(IReadOnlyCollection<CaseView> cases, params string[] except) =>
        [.. CaseCharts.Varying(cases, except).Where(parameter => cases.Select(view => view[parameter]).Where(value => value != "-").Distinct().Skip(1).Any())];

    /// <summary>True if both agree in these parameters, where they apply to both.</summary>
    public static bool Agree(CaseView one, CaseView other, IEnumerable<string> parameters) =>
        parameters.All(parameter => one[parameter] == other[parameter] || one[parameter] == "-" || other[parameter] == "-");

    /// <summary>True if two cases differ in nothing but these parameters, where the others apply to both.</summary>
    public static bool DifferOnlyIn(CaseView one, CaseView other, params string[] parameters) =>
        Agree(one, other, one.Record.Parameters.Keys.Union(other.Record.Parameters.Keys).Except(parameters));

    /// <summary>How far a case is from the plainest one; smaller is plainer.</summary>
    public static double Distance(CaseView view, params string[] except) => PlainValues
        .Where(plain => !except.Contains(plain.Parameter))
        .Sum(plain => view[plain.Parameter] is var value && (value == plain.Value || value == "-") ? 0
            : Words.Bytes(value) is { } bytes and > 0 && Words.Bytes(plain.Value) is { } wanted ? Math.Abs(Math.Log2((double)bytes / wanted)) / 64
            : 1.0);

    /// <summary>What is the same in all of them, of some parameters and as far as it tells anything.</summary>
    public static string Held(IReadOnlyList<CaseView> cases, IEnumerable<string> parameters) => Words.Sentence(string.Join(", ",
        parameters.Where(parameter => cases.Select(view => view[parameter]).Distinct().Count() == 1).Select(cases[0].Say).Where(text => text != "-")));

    /// <summary>The size in the middle of those that there are: the lower one of two.</summary>
    public static string MiddleSize(IEnumerable<CaseView> cases, string parameter) =>
        CaseCharts.Values(cases, parameter) is { Length: > 0 } sizes ? sizes[(sizes.Length - 1) / 2] : "-";
}
