namespace Bench.Reports.Content;

/// <summary>
/// Cases that are not proven for one reason. Every failed and every contradicted case is named, those behind the first few
/// when asked for; of the unproven ones, which can be half a run where root is missing, only the first few, since each is
/// marked in every table and chart.
/// </summary>
internal sealed record Problem(IReadOnlyList<CaseView> Cases, string? Reason)
{
    private const int MostFirst = 3;

    /// <summary>The cases that are named at once. One alone is never left behind: its name takes no more room than its mention.</summary>
    public IEnumerable<CaseView> First => Cases.Take(Cases.Count == MostFirst + 1 ? Cases.Count : MostFirst);

    /// <summary>The other ones.</summary>
    public IReadOnlyList<CaseView> Further => [.. Cases.Skip(First.Count())];

    /// <summary>"and 9 more", or nothing.</summary>
    public string Rest => Further.Count > 0 ? $"and {Format.Count(Further.Count)} more" : "";

    /// <summary>Whether the other ones are named too.</summary>
    public bool NamesAll => Cases[0].Status != CaseStatus.Unproven;

    /// <summary>": the reason", or nothing.</summary>
    public string Because => Reason is null ? "" : $": {Reason}";

    /// <summary>The worst first.</summary>
    public static IEnumerable<Problem> Of(IEnumerable<CaseView> cases) =>
        cases.GroupBy(view => (view.Status, view.Reason)).OrderByDescending(group => group.Key.Status).Select(group => new Problem([.. group], group.Key.Reason));
}
