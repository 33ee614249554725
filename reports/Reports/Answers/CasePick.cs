using Bench.Reports.Content;

namespace Bench.Reports.Answers;

/// <summary>
/// The case that an answer stands on, or the sentence that says why there is none. A case that is contradicted or
/// failed is never replaced by its neighbour: the answer is left out instead.
/// </summary>
internal sealed record CasePick(CaseView? Case, string Reason)
{
    /// <summary>Picks among the cases that fit, the first of those that are preferred most.</summary>
    /// <param name="cases">The cases of one run.</param>
    /// <param name="wanted">What is looked for, in words.</param>
    /// <param name="fits">Whether a case is of the kind.</param>
    /// <param name="preference">Smaller is better.</param>
    public static CasePick From(IEnumerable<CaseView> cases, string wanted, Func<CaseView, bool> fits, Func<CaseView, double>? preference = null)
    {
        var all = cases.Where(fits).ToArray();
        if (all.Length == 0)
            return new CasePick(null, $"no case of {wanted}");
        var best = preference is null ? 0 : all.Min(preference);
        var candidates = preference is null ? all : [.. all.Where(view => preference(view) == best)];
        if (candidates.FirstOrDefault(view => view.Status is CaseStatus.Proven or CaseStatus.Unproven) is { } usable)
            return new CasePick(usable, "");
        var spoiled = candidates[0];
        return new CasePick(null, spoiled.Failed ? $"{wanted} failed" : $"{wanted} is contradicted ({spoiled.Reason})");
    }

    /// <summary>Distance of a size parameter from the size that one would choose; no distance if it is that size.</summary>
    public static Func<CaseView, double> Near(string parameter, string size)
    {
        var target = Math.Log2(Words.Bytes(size)!.Value);
        return view => Words.Bytes(view[parameter]) is { } bytes and > 0 ? Math.Abs(Math.Log2(bytes) - target) : double.MaxValue;
    }
}
