namespace Bench.Reports.Content;

/// <summary>
/// What the intervals of some cases are worth. The range of n passes holds the median with probability 1 − 2^(1−n);
/// from six passes on an interval of 95 % exists. Nothing is called 95 % that is not.
/// </summary>
public static class PassInterval
{
    private const double Nominal = 0.95;

    /// <summary>"95 % interval", or what the case with the fewest passes reaches: "94 % interval".</summary>
    internal static string Words(IEnumerable<CaseView> cases) => Words(cases.Where(view => !view.Failed).Select(view => view.Record.Passes.Count).DefaultIfEmpty(0).Min());

    /// <summary>Likewise of so many passes; "range" where they are too few for any.</summary>
    public static string Words(int passes) => passes < 2 ? "range" : $"{Format.Percent(Coverage(passes))} interval";

    /// <summary>The probability that the interval over so many passes holds the median.</summary>
    public static double Coverage(int passes) => Math.Min(Nominal, 1 - Math.Pow(2, 1 - passes));
}
