namespace Bench.Reports.Content;

/// <summary>
/// Cases that are not proven for one reason. Every failed and every contradicted case is named; of the unproven ones,
/// which can be half a run where root is missing, the first few, since each is marked in every table and chart.
/// </summary>
internal sealed record Problem(IReadOnlyList<CaseView> Cases, string? Reason)
{
    private const int UnprovenNamed = 3;

    /// <summary>How many of the cases are named.</summary>
    public int Named => Cases[0].Status == CaseStatus.Unproven ? Math.Min(Cases.Count, UnprovenNamed) : Cases.Count;

    /// <summary>" and 9 more", or nothing.</summary>
    public string Rest => Named < Cases.Count ? $" and {Format.Count(Cases.Count - Named)} more" : "";

    /// <summary>The worst first.</summary>
    public static IEnumerable<Problem> Of(IEnumerable<CaseView> cases) =>
        cases.GroupBy(view => (view.Status, view.Reason)).OrderByDescending(group => group.Key.Status).Select(group => new Problem([.. group], group.Key.Reason));
}
