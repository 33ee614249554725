using System.Globalization;
using System.Text;
using Bench.Reports.Comparison;
using Bench.Reports.Content;

namespace Bench.Reports.Gate;

/// <summary>
/// A gate's result as Markdown for a pull request or the file that <c>GITHUB_STEP_SUMMARY</c> names: one sentence, what
/// to know before the figures, one table with what asks for action first, what differs.
/// </summary>
public static class GateMarkdown
{
    /// <summary>Most rows of the table: a summary is read, and GitHub cuts one above a mebibyte.</summary>
    private const int MostRows = 60;

    /// <summary>Most differences and cases without a partner.</summary>
    private const int MostListed = 20;

    /// <summary>Longest text of a cell.</summary>
    private const int MostCharacters = 200;

    /// <summary>Renders the text. The same result gives the same text under every culture.</summary>
    public static string Render(GateResult result)
    {
        var text = new StringBuilder();
        text.Append("## ").Append(Mark(result)).Append(' ').Append(Cell($"{result.Head.Name} against {result.Base.Name}")).Append("\n\n");
        text.Append("**").Append(Cell(Words.Sentence(result.Summary))).Append("** on ").Append(Cell(result.Target.Length == 0 ? "an unnamed target" : result.Target)).Append(".\n\n");
        foreach (var note in GateWords.Notes(result).Take(MostListed))
            text.Append("> ").Append(Cell(note)).Append("\n>\n");
        if (text[^2] == '>')
            text.Length -= 2;
        text.Append('\n');
        Judgements(text, result);
        List(text, "What differs", [.. result.Differences.OrderByDescending(difference => difference.Unlike).Select(difference => (difference.Unlike ? "✗ not comparable: " : "") + difference)]);
        List(text, "Cases without a partner", result.Unpaired);
        text.Append("<sub>").Append(Cell(GateWords.Meaning.Split(". ", 2)[0], int.MaxValue)).Append(".<br>").Append(Cell(GateWords.Meaning.Split(". ", 2)[1], int.MaxValue)).Append("</sub>\n");
        return text.ToString();
    }

    /// <summary>The text of a gate that came to no result.</summary>
    /// <param name="reason">Why it came to none.</param>
    public static string RenderNone(string reason) => $"## ⚠️ No verdict\n\n**{Cell(Words.Sentence(reason), int.MaxValue)}**\n";

    /// <summary>A sign for the headline that is not colour alone.</summary>
    private static string Mark(GateResult result) => result.ExitCode switch { 0 => "✅", 1 => "❌", _ => "⚠️" };

    private static void Judgements(StringBuilder text, GateResult result)
    {
        var rows = GateRow.Of(result);
        if (rows.Count == 0)
        {
            text.Append("No case is in both.\n\n");
            return;
        }
        var names = new GateNames(result);
        var level = GateRow.LevelOf(result);
        text.Append("| Verdict | Case | Figure | Base | Head | Cost | ").Append(level is { } one ? GateWords.Level(one) + " interval" : "Interval").Append(" |\n|---|---|---|---:|---:|---:|---:|\n");
        foreach (var row in rows.Take(MostRows))
            text.Append("| ").AppendJoin(" | ",
                GateWords.Marked(row.Judgement.Verdict) + (row.Judgement.Reason is { } reason ? $"<br><sub>{Cell(reason)}</sub>" : ""),
                Cell(names[row.Case]), row.Figure.Name(), row.BaseText, row.HeadText, row.RatioText, row.IntervalText).Append(" |\n");
        text.Append('\n');
        text.Append("<sub>").Append(GateWords.Reading(result)).Append("</sub>\n\n");
        if (rows.Count > MostRows)
            text.Append("and ").Append(Format.Count(rows.Count - MostRows)).Append(" more: ").AppendJoin(", ", rows.Skip(MostRows).GroupBy(row => row.Judgement.Verdict)
                .Select(group => $"{Format.Count(group.Count())} {group.Key.Words()}")).Append(".\n\n");
    }

    private static void List(StringBuilder text, string title, IReadOnlyList<string> items)
    {
        if (items.Count == 0)
            return;
        text.Append(CultureInfo.InvariantCulture, $"<details><summary>{title} ({Format.Count(items.Count)})</summary>\n\n");
        foreach (var item in items.Take(MostListed))
            text.Append("- ").Append(Cell(item)).Append('\n');
        if (items.Count > MostListed)
            text.Append(CultureInfo.InvariantCulture, $"- and {Format.Count(items.Count - MostListed)} more\n");
        text.Append("\n</details>\n\n");
    }

    private static string Cell(string text, int mostCharacters = MostCharacters) =>
        MarkdownReport.Escape(text.Length <= mostCharacters ? text : text[..mostCharacters] + "…");
}
