namespace Bench.Reports.Content;

/// <summary>
/// What the intervals of some cases are worth. The range of n passes holds the median with probability 1 − 2^(1−n);
/// from six passes on an interval of 95 % exists. Nothing is called 95 % that is not.
/// </summary>
internal static class PassInterval
{
    private const double Nominal = 0.95;

    /// <summary>"95 % interval", or what the case with the fewest passes reaches: "94 % interval".</summary>
    public static string Words(IEnumerable<CaseView> cases)
    {
        var fewest = cases.Where(view => !view.Failed).Select(view => view.Record.Passes.Count).DefaultIfEmpty(0).Min();
        return fewest < 2 ? "range" : $"{Format.Percent(Coverage(fewest))} interval";
    }

    /// <summary>The probability that the interval over so many passes holds the median.</summary>
    public static double Coverage(int passes) => Math.Min(Nominal, 1 - Math.Pow(2, 1 - passes));
}
