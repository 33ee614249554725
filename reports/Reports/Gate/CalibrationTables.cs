using System.Globalization;
using System.Text;
using Bench.Measure;
using Bench.Reports.Comparison;
using Bench.Reports.Content;
using Bench.Reports.Statistics;

namespace Bench.Reports.Gate;

/// <summary>
/// What a calibration found, as tables: the gate's verdicts where the truth is known, case by case too; what each case
/// does by itself; and what other tools' rules would have said of the same launches.
/// </summary>
internal static class CalibrationTables
{
    private const int FewestForPercent = 20;

    /// <summary>All of them, in the order in which they are shown.</summary>
    /// <param name="calibration">What is stored.</param>
    /// <param name="results">The gate runs that it was made from.</param>
    public static IReadOnlyList<Table> Of(Calibration calibration, IReadOnlyList<GateResult> results) =>
        [Verdicts(calibration), ByCase(results), Others(results), Floors(calibration)];

    /// <summary>The tables as Markdown: <c>calibration.md</c> in the calibration's folder.</summary>
    /// <param name="calibration">What is stored.</param>
    /// <param name="results">The gate runs that it was made from.</param>
    public static string Markdown(Calibration calibration, IReadOnlyList<GateResult> results)
    {
        var text = new StringBuilder();
        text.Append("Measured ").Append(MarkdownReport.Escape(Format.Moment(results.Min(result => result.StartedUtc)))).Append(" to ").Append(MarkdownReport.Escape(Format.Moment(results.Max(result => result.StartedUtc))))
            .Append(" on ").Append(MarkdownReport.Escape(results[0].Target)).Append(": ").Append(Format.Count(results.Count)).Append(" gate runs in ")
            .Append(MarkdownReport.Escape(Format.Seconds(results.Sum(result => result.Seconds)))).Append(", ")
            .Append(Format.Count(results.Sum(result => result.Cases.Sum(one => one.Pairs.Count)))).Append(" pairs of launches of a case; ")
            .Append(calibration.Passes.ToString(CultureInfo.InvariantCulture)).Append(" passes of ").Append(calibration.PassSeconds.ToString(CultureInfo.InvariantCulture)).Append(" s; looks after ")
            .AppendJoin(", ", results[0].Looks).Append(" pairs; alpha ").Append(Format.Percent(results[0].Alpha)).Append(".\n\n");
        foreach (var table in Of(calibration, results))
            MarkdownReport.Write(text, table);
        return text.ToString();
    }

    private static Table Verdicts(Calibration calibration) => new("The gate's verdicts where the truth is known",
        [Left("head"), Left("figure"), Right("gate runs"), Right("judgements"), Right("slower"), Right("faster"), Right("same"), Right("inconclusive"), Right("slower, of the conclusive"), Right("95 % interval"), Right("pairs, median")],
        [.. calibration.Rows.Select(row => new Row(
        [
            Head(row.Slowdown), row.Figure.Name(), Format.Count(row.Runs), Format.Count(row.Judgements),
            Share(row.Slower, row.Judgements), Share(row.Faster, row.Judgements), Share(row.Same, row.Judgements), Share(row.Inconclusive, row.Judgements),
            row.Judgements == row.Inconclusive ? Format.Missing : Format.Percent((double)row.Slower / (row.Judgements - row.Inconclusive)),
            row.Judgements == row.Inconclusive ? Format.Missing : Interval(row.Slower, row.Judgements - row.Inconclusive),
            row.PairsMedian.ToString("0", CultureInfo.InvariantCulture),
        ]))]);

    private static Table ByCase(IReadOnlyList<GateResult> results) => new("Throughput, case by case",
        [Left("case"), Left("head"), Right("judgements"), Right("slower"), Right("faster"), Right("same"), Right("inconclusive"), Right("cost, median"), Right("pairs, median")],
        [.. results.SelectMany(result => result.Cases.Select(one => (one.Name, result.Head.InjectedSlowdown, Judgement: one.Judgements.FirstOrDefault(judgement => judgement.Key.Figure == Figure.Throughput))))
            .Where(one => one.Judgement is { Verdict: not GateVerdict.NotJudged })
            .GroupBy(one => (one.Name, one.InjectedSlowdown)).OrderBy(group => group.Key.Name, StringComparer.Ordinal).ThenBy(group => group.Key.InjectedSlowdown)
            .Select(group =>
            {
                Judgement[] all = [.. group.Select(one => one.Judgement!)];
                string Of(GateVerdict verdict) => Format.Count(all.Count(judgement => judgement.Verdict == verdict));
                return new Row(
                [
                    group.Key.Name, Head(group.Key.InjectedSlowdown), Format.Count(all.Length),
                    Of(GateVerdict.Slower), Of(GateVerdict.Faster), Of(GateVerdict.Same), Of(GateVerdict.Inconclusive),
                    Format.Ratio(MedianInterval.Of(all.Select(judgement => judgement.Ratio ?? 1))!.Median),
                    MedianInterval.Of(all.Select(judgement => (double)judgement.Pairs))!.Median.ToString("0", CultureInfo.InvariantCulture),
                ]);
            })]);

    private static Table Others(IReadOnlyList<GateResult> results)
    {
        double[] slowdowns = [.. results.Select(result => result.Head.InjectedSlowdown).Distinct().Order()];
        string Alarms(double slowdown, Func<GateCaseResult, bool> alarms)
        {
            GateCaseResult[] cases = [.. results.Where(result => result.Head.InjectedSlowdown == slowdown).SelectMany(result => result.Cases).Where(one => one.Pairs.Count > 0)];
            return Share(cases.Count(alarms), cases.Length);
        }
        return new Table("Cases called slower, by this gate and by other tools' rules on the same launches (throughput)",
            [Left("rule"), .. slowdowns.Select(slowdown => Right(Head(slowdown)))],
            [
                new Row(["bench gate", .. slowdowns.Select(slowdown => Alarms(slowdown, one => one.Judgements.Any(judgement => judgement is { Key.Figure: Figure.Throughput, Verdict: GateVerdict.Slower })))]),
                .. OtherRules.All.Select(rule => new Row([rule.Name, .. slowdowns.Select(slowdown => Alarms(slowdown, one => rule.Alarms(one.Pairs)))])),
            ]);
    }

    private static Table Floors(Calibration calibration) => new("What each case does by itself",
        [Left("case"), Left("figure"), Right("noise floor"), Right("spread of a pair"), Right("A/A runs")],
        [.. calibration.Cases.SelectMany(one => one.NoiseFloors.Select(floor => new Row(
            [one.Name, floor.Key.Name(), Percent(floor.Value - 1), Percent(one.PairSpread[floor.Key]), Format.Count(one.Runs)])))]);

    private static string Head(double slowdown) => slowdown == 0 ? "the same (A/A)" : (slowdown * 100).ToString("0.#", CultureInfo.InvariantCulture) + " % slower";

    /// <summary>Few judgements are no percentage.</summary>
    private static string Share(int count, int of) => of == 0 ? Format.Missing
        : of < FewestForPercent ? $"{Format.Count(count)} of {Format.Count(of)}" : $"{Format.Count(count)} ({Format.Percent((double)count / of)})";

    private static string Interval(int count, int of)
    {
        var (low, high) = Estimators.ShareInterval(count, of);
        return $"{Percent(low)} to {Percent(high)}";
    }

    private static string Percent(double share) => (share * 100).ToString("0.0", CultureInfo.InvariantCulture) + " %";

    private static Column Left(string name) => new(name, Numeric: false);

    private static Column Right(string name) => new(name, Numeric: true);
}
