using System.Globalization;
using Bench.Reports.Comparison;
using Bench.Reports.Gate;
using Spectre.Console;

namespace Bench.Commands;

/// <summary>The tables of a calibration, on standard output: what the gate said where the truth was known, and the noise floors.</summary>
internal static class CalibrationTable
{
    internal static void Write(Calibration calibration)
    {
        var console = StandardOutput.Console();
        var rates = new Table().Border(TableBorder.Simple).Title("[bold]Verdicts where the truth is known[/]");
        foreach (var column in new[] { "head", "figure", "gate runs", "judgements", "slower", "faster", "same", "inconclusive", "pairs" })
            rates.AddColumn(new TableColumn(column) { Alignment = column is "head" or "figure" ? Justify.Left : Justify.Right });
        foreach (var row in calibration.Rows)
            rates.AddRow(
                row.Slowdown == 0 ? "the same (A/A)" : string.Create(CultureInfo.InvariantCulture, $"{row.Slowdown:0.#%} slower"), row.Figure.Name(),
                Count(row.Runs), Count(row.Judgements), Share(row.Slower, row), Share(row.Faster, row), Share(row.Same, row), Share(row.Inconclusive, row),
                row.PairsMedian.ToString("0", CultureInfo.InvariantCulture));
        console.Write(rates);

        var floors = new Table().Border(TableBorder.Simple).Title("[bold]What each case does by itself[/]");
        foreach (var column in new[] { "case", "figure", "noise floor", "spread of a pair", "A/A runs" })
            floors.AddColumn(new TableColumn(column) { Alignment = column is "case" or "figure" ? Justify.Left : Justify.Right, NoWrap = column != "case" });
        foreach (var one in calibration.Cases)
            foreach (var (figure, floor) in one.NoiseFloors)
                floors.AddRow(Markup.Escape(one.Name), figure.Name(), Percent(floor - 1), Percent(one.PairSpread[figure]), Count(one.Runs));
        console.Write(floors);
    }

    private static string Count(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Share(int number, CalibrationRow row) => string.Create(CultureInfo.InvariantCulture, $"{number} ({(double)number / row.Judgements:P0})");

    private static string Percent(double share) => share.ToString("P1", CultureInfo.InvariantCulture);
}
