using System.Text;
using Bench.Measure.Records;
using Bench.Reports.Answers;
using Bench.Reports.Charts;
using Bench.Reports.Content;

namespace Bench.Reports;

/// <summary>The same report as Markdown (GitHub's flavour): answers, tables, evidence that is not plain, method.</summary>
public static class MarkdownReport
{
    /// <summary>Renders the text. The same records and options give the same text under every culture.</summary>
    /// <param name="records">Of one run or of several; may be empty.</param>
    /// <param name="options">What the reader wants.</param>
    public static string Render(IReadOnlyList<RunRecord> records, ReportOptions options)
    {
        var content = ReportContent.Of(records, options);
        var text = new StringBuilder();
        void Line(string line) => text.Append(line).Append('\n');
        void Block(string block) => text.Append(block).Append("\n\n");
        void List(IEnumerable<string> items)
        {
            foreach (var item in items)
                Line($"- {item}");
            Line("");
        }

        Block($"# {Escape(content.Title)}");
        if (content.Runs.Count == 0)
            Block("There are no records to show.");
        if (content.SharedFacts is { } shared)
            List(RunFacts.Of(shared).Select(fact => $"**{fact.Name}**: {Escape(fact.Text)}"));
        foreach (var run in content.Runs)
        {
            if (run.Label.Full.Length > 0)
                Block($"## {run.Label.Heading}");
            if (content.SharedFacts is null)
                List(RunFacts.Of(run).Select(fact => $"**{fact.Name}**: {Escape(fact.Text)}"));
            Tree(text, content.Under(run), 0);
            Line("");
        }
        if (content.Warnings.Count > 0)
        {
            Block("## Before you read the figures");
            List(content.Warnings.Select(Escape));
        }
        if (content.Problems.Count > 0)
        {
            Block("## Cases that are not proven");
            List(Problem.Of(content.Problems).Select(problem => $"**{problem.Cases[0].StatusMark}** "
                + Escape(string.Join(", ", (problem.NamesAll ? problem.Cases : problem.First).Select(view => view.Name))
                    + (problem.NamesAll || problem.Rest.Length == 0 ? "" : " " + problem.Rest) + problem.Because)));
        }
        if (content.Advice.Targets.Count > 0)
            Block("## What to set");
        if (content.Advice.Between.Count > 0)
            List(content.Advice.Between.Select(Escape));
        foreach (var target in content.Advice.Targets)
        {
            if (target.Label.Full.Length > 0)
                Block($"### {Escape(target.Label.Heading)}");
            foreach (var wish in target.Cards)
            {
                Block($"**{wish.Title}**: {Escape(wish.Sentence)} ({wish.Choice.StatusMark})");
                Block($"```properties\n{string.Join('\n', wish.Settings)}\n```");
                List(wish.AllNotes.Select(Escape));
            }
            foreach (var gap in target.Gaps)
                Block(Escape(gap));
            if (target.Held.Length > 0)
                Block($"Measured with: {Escape(target.Held)}.");
            Write(text, target.Front);
            if (target.Picture is { } picture)
                Write(text, ChartTable.Of(picture));
        }
        if (content.Answers.Count > 0)
        {
            Block("## The answers");
            List(content.Answers.SelectMany(answer => answer.Lines.Select(line =>
                (line.RunLabel.Length == 0 ? "" : $"{line.RunLabel}: ")
                + (line.State == AnswerState.LeftOut ? $"{Escape(answer.Question)} {Escape(line.Sentence)}" : $"**{Escape(line.Sentence)}** ({Escape(line.Detail)})"))));
        }
        foreach (var section in content.Sections)
        {
            Block($"## {Escape(section.Title)}");
            if (section.Lead.Length > 0)
                Block(Escape(section.Lead));
            Write(text, section.Cases);
            foreach (var group in section.Groups)
            {
                Block($"### {Escape(group.Title)}");
                if (group.Text.Length > 0)
                    Block(Escape(group.Text));
                foreach (var chart in group.Charts)
                    Write(text, ChartTable.Of(chart));
            }
            if (section.Views.Count == 0)
                continue;
            Block("### Evidence");
            Write(text, new Table(section.Title, [new Column("Case", Numeric: false), new Column("Claims", Numeric: false), new Column("Evidence", Numeric: false)],
                [.. section.Views.Select(view => new Row([view.Name, Claims(view), view.StatusMark]))]));
        }
        Block("## Method");
        List(MethodText.Of(content).Select(part => $"**{part.Name}**: {Escape(part.Text)}"));
        if (content.Records.Count > 0)
        {
            Block("## Parameters");
            Write(text, content.Parameters);
        }
        return text.ToString().TrimEnd('\n') + "\n";
    }

    private static string Claims(CaseView view) => string.Join("; ", view.Record.Evidence.Claims.Select(claim =>
        $"{claim.Claim} {VerdictWords.Class(claim.Verdict)}" + (claim.Figures.Count == 0 ? "" : " (" + string.Join(", ", claim.Figures.Select(figure =>
            $"{figure.Name} {(figure.Observed is { } observed ? Format.Number(observed) : "not read")}, expected {figure.Expected}")) + ")")));

    private static void Tree(StringBuilder text, TreeNode node, int depth)
    {
        text.Append(' ', depth * 2).Append("- ").Append(Escape(node.Name)).Append(node.Text.Length == 0 ? "" : $": {Escape(node.Text)}").Append('\n');
        foreach (var below in node.Below)
            Tree(text, below, depth + 1);
    }

    internal static void Write(StringBuilder text, Table table)
    {
        text.Append("**").Append(Escape(table.Caption)).Append("**\n\n| ").AppendJoin(" | ", table.Columns.Select(column => Escape(column.Name))).Append(" |\n|")
            .AppendJoin('|', table.Columns.Select(column => column.Numeric ? "---:" : "---")).Append("|\n");
        foreach (var row in table.Rows)
            text.Append("| ").AppendJoin(" | ", row.Cells.Select(Escape)).Append(" |\n");
        text.Append('\n');
    }

    /// <summary>Text that Markdown must take as text: no HTML, no links, no pictures, no table cells, one line.</summary>
    internal static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
            _ = rune.Value switch
            {
                '\\' or '`' or '*' or '_' or '[' or ']' or '|' or '~' or '#' or '!' => escaped.Append('\\').Append((char)rune.Value),
                '<' => escaped.Append("&lt;"),
                '>' => escaped.Append("&gt;"),
                '&' => escaped.Append("&amp;"),
                '\n' or '\t' => escaped.Append(' '),
                (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069) => escaped.Append('\uFFFD'),
                _ when Rune.IsControl(rune) => escaped.Append('\uFFFD'),
                _ => escaped.Append(rune.ToString()),
            };
        return escaped.ToString();
    }
}
