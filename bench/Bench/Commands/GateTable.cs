using System.Globalization;
using Bench.Measure.Records;
using Bench.Reports;
using Bench.Reports.Comparison;
using Bench.Reports.Gate;
using Spectre.Console;

namespace Bench.Commands;

/// <summary>The result of a comparison or a gate run on standard output: verdicts, latencies, what differs, what has no partner.</summary>
internal static class GateTable
{
    internal static void Write(GateResult result)
    {
        var console = StandardOutput.Console();
        Verdicts(console, result);
        Latencies(console, result);
        Differences(console, result);
        if (result.Unpaired.Count > 0)
        {
            console.MarkupLine("[bold]Without a partner[/]");
            foreach (var name in result.Unpaired)
                console.WriteLine($"  {name}");
            console.WriteLine();
        }
        foreach (var note in GateWords.Notes(result))
            console.MarkupLine($"[yellow]note[/]  {Markup.Escape(note)}");
    }

    private static void Verdicts(IAnsiConsole console, GateResult result)
    {
        var rows = GateRow.Of(result);
        if (rows.Count == 0)
            return;
        var level = GateRow.LevelOf(result);
        var table = new Table().Border(TableBorder.Simple);
        foreach (var (name, alignment) in new[]
        {
            ("case", Justify.Left), ("figure", Justify.Left), ("base", Justify.Right), ("head", Justify.Right), ("cost", Justify.Right),
            (level is { } one ? $"{GateWords.Level(one)} interval" : "interval", Justify.Right), ("verdict", Justify.Left),
        })
            table.AddColumn(new TableColumn(name) { Alignment = alignment, NoWrap = name is not ("case" or "verdict") });
        foreach (var row in rows)
            table.AddRow(
                Markup.Escape(ResultTable.ShortName(row.Case.Workload, row.Case.Parameters)), row.Figure.Name(), row.BaseText, row.HeadText, row.RatioText,
                row.IntervalText, Verdict(row.Judgement));
        console.Write(table);
        console.WriteLine($"  {GateWords.Reading(result)}\n");
    }

    private static string Verdict(Judgement judgement)
    {
        var words = GateWords.Marked(judgement.Verdict);
        var reason = judgement.Reason is { } text ? $": {Markup.Escape(text)}" : "";
        return judgement.Verdict switch
        {
            GateVerdict.Slower => $"[red]{words}[/]{reason}",
            GateVerdict.Faster => $"[green]{words}[/]{reason}",
            GateVerdict.NotJudged => $"[yellow]{words}[/]{reason}",
            _ => words + reason,
        };
    }

    private static void Latencies(IAnsiConsole console, GateResult result)
    {
        var timed = result.Cases.Where(one => Figures.LatencyOf(one.BaseRecord) is not null && Figures.LatencyOf(one.HeadRecord) is not null).ToArray();
        if (timed.Length == 0)
            return;
        var table = new Table().Border(TableBorder.Simple).Title("[bold]Latency of one launch a side, base → head[/]");
        foreach (var name in new[] { "case", "p50", "p99", "p99.9" })
            table.AddColumn(new TableColumn(name) { Alignment = name == "case" ? Justify.Left : Justify.Right, NoWrap = name != "case" });
        foreach (var one in timed)
        {
            var (before, after) = (Figures.LatencyOf(one.BaseRecord)!, Figures.LatencyOf(one.HeadRecord)!);
            string Both(long count, Func<LatencyRecord, long> value) =>
                $"{(before.Count >= count ? Format.Nanoseconds(value(before)) : Format.Missing)} → {(after.Count >= count ? Format.Nanoseconds(value(after)) : Format.Missing)}";
            table.AddRow(Markup.Escape(ResultTable.ShortName(one.Workload, one.Parameters)), Both(GateTables.FewestForP50, latency => latency.P50), Both(Figures.FewestForP99, latency => latency.P99), Both(GateTables.FewestForP999, latency => latency.P999));
        }
        console.Write(table);
    }

    private static void Differences(IAnsiConsole console, GateResult result)
    {
        if (result.Differences.Count == 0)
            return;
        var table = new Table().Border(TableBorder.Simple).Title("[bold]What differs[/]");
        foreach (var name in new[] { "kind", "what", "base", "head" })
            table.AddColumn(name);
        foreach (var difference in result.Differences)
            table.AddRow(
                difference.Unlike ? $"[yellow]{Kind(difference)}[/]" : Kind(difference), Markup.Escape(difference.Name),
                Markup.Escape(difference.Base ?? Format.Missing), Markup.Escape(difference.Head ?? Format.Missing));
        console.Write(table);
    }

    private static string Kind(TraitDifference difference) => difference.Kind.ToString().ToLower(CultureInfo.InvariantCulture);
}
