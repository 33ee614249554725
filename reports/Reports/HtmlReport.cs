using System.Globalization;
using System.IO.Compression;
using System.Text;
using Bench.Measure.Records;
using Bench.Reports.Answers;
using Bench.Reports.Charts;
using Bench.Reports.Content;
using Bench.Reports.Html;

namespace Bench.Reports;

/// <summary>Records to one self-contained HTML page: text, tables, charts, the records themselves, no network.</summary>
public static class HtmlReport
{
    /// <summary>Renders the page. The same records and options give the same text under every culture.</summary>
    /// <param name="records">Of one run or of several; may be empty.</param>
    /// <param name="options">What the reader wants.</param>
    public static string Render(IReadOnlyList<RunRecord> records, ReportOptions options) =>
        new Page(ReportContent.Of(records, options), options).Write();

    private sealed class Page(ReportContent content, ReportOptions options)
    {
        private readonly HtmlWriter html = new();

        public string Write()
        {
            Head();
            Header();
            html.Raw("<main id=\"main\">");
            Warnings();
            Problems();
            Answers();
            foreach (var section in content.Sections)
                Family(section);
            Method();
            Parameters();
            html.Raw("</main>");
            Footer();
            return html.ToString();
        }

        private string Title => content.Runs.Count == 0 ? "Bench: no cases"
            : string.Join(" and ", content.Runs.Select(run => RunFacts.Target(run.First)).Distinct());

        private void Head()
        {
            html.Raw("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
                .Raw($"<meta http-equiv=\"Content-Security-Policy\" content=\"{PageAssets.ContentSecurityPolicy}\">")
                .Raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">")
                .Raw("<meta name=\"referrer\" content=\"no-referrer\">")
                .Element("title", $"{Title} – Bench")
                .Raw("<style>").Raw(PageAssets.Style).Raw("</style></head>\n<body>")
                .Raw("<a class=\"skip\" href=\"#main\">Skip to the results</a>");
        }

        private void Header()
        {
            html.Raw("<header class=\"page\"><div class=\"bar\"><p class=\"mark\">Bench</p><nav aria-label=\"Contents\"><ul>");
            foreach (var (id, title) in Contents())
                html.Raw($"<li><a href=\"#{id}\">").Text(title).Raw("</a></li>");
            html.Raw("</ul></nav><button id=\"theme\" type=\"button\" hidden>Dark</button></div>");
            html.Element("h1", Title);
            if (content.Runs.Count == 0)
                html.Element("p", "There are no records to show.", "class=\"lead\"");
            foreach (var run in content.Runs)
                Run(run);
            html.Raw("</header>");
        }

        private IEnumerable<(string Id, string Title)> Contents()
        {
            if (content.Answers.Count > 0)
                yield return ("answers", "Answers");
            foreach (var section in content.Sections)
                yield return (section.Id, section.Title);
            yield return ("method", "Method");
            yield return ("parameters", "Parameters");
        }

        private void Run(RunView run)
        {
            html.Raw("<section class=\"run\">");
            if (run.Label.Length > 0)
                html.Element("h2", $"Run {run.Label}");
            html.Raw("<p class=\"lead\">").Text(Tally(run.Cases)).Raw("</p><div class=\"facts\"><dl>");
            foreach (var (name, text) in RunFacts.Of(run))
                html.Element("dt", name).Element("dd", text, name == "Command" ? "class=\"code\"" : "");
            html.Raw("</dl><div class=\"tree\"><p>Under the target folder</p><ul>");
            Tree(TopologyTree.Of(run.First.Target));
            html.Raw("</ul></div></div></section>");
        }

        private void Tree(TreeNode node)
        {
            html.Raw("<li>").Element("b", node.Name).Text(node.Text.Length == 0 ? "" : " " + node.Text);
            if (node.Below.Count > 0)
            {
                html.Raw("<ul>");
                foreach (var below in node.Below)
                    Tree(below);
                html.Raw("</ul>");
            }
            html.Raw("</li>");
        }

        private void Warnings()
        {
            if (content.Warnings.Count == 0)
                return;
            html.Raw("<section id=\"warnings\" class=\"notice\"><h2>Before you read the figures</h2><ul>");
            foreach (var warning in content.Warnings)
                html.Element("li", warning);
            html.Raw("</ul></section>");
        }

        private void Problems()
        {
            if (content.Problems.Count == 0)
                return;
            html.Raw("<section id=\"problems\" class=\"notice\"><h2>Cases that are not proven</h2><ul class=\"problems\">");
            foreach (var problem in Problem.Of(content.Problems))
            {
                html.Raw($"<li class=\"{problem.Cases[0].StatusClass}\"><b class=\"verdict\">").Text(problem.Cases[0].StatusMark).Raw("</b> ");
                for (var index = 0; index < problem.Named; index++)
                    html.Raw($"{(index == 0 ? "" : ", ")}<a href=\"#{problem.Cases[index].Anchor}\">").Text(problem.Cases[index].Name).Raw("</a>");
                html.Text(problem.Rest + (problem.Reason is { } reason ? $": {reason}" : "")).Raw("</li>");
            }
            html.Raw("</ul></section>");
        }

        private void Answers()
        {
            if (content.Answers.Count == 0)
                return;
            html.Raw("<section id=\"answers\"><h2>The answers</h2><ul class=\"answers\">");
            foreach (var answer in content.Answers.Where(answer => answer.Lines.Any(line => line.State != AnswerState.LeftOut)))
            {
                html.Raw($"<li id=\"answer-{answer.Id}\">");
                foreach (var line in answer.Lines.Where(line => line.State != AnswerState.LeftOut))
                {
                    html.Raw($"<div class=\"answer {(line.State == AnswerState.NoDifference ? "same" : "differs")}\"><p class=\"headline\" aria-hidden=\"true\">").Text(line.Headline)
                        .Raw($"</p><p class=\"sentence\"><a href=\"#{answer.SectionId}\">").Text(RunPrefix(line) + line.Sentence).Raw("</a></p>")
                        .Element("p", line.Detail, "class=\"detail\"").Raw("</div>");
                }
                html.Raw("</li>");
            }
            html.Raw("</ul>");
            var leftOut = content.Answers.SelectMany(answer => answer.Lines.Where(line => line.State == AnswerState.LeftOut).Select(line => (answer, line))).ToArray();
            if (leftOut.Length > 0)
            {
                html.Raw("<h3>Not answered here</h3><ul class=\"leftout\">");
                foreach (var (answer, line) in leftOut)
                    html.Raw($"<li id=\"leftout-{answer.Id}\">").Text($"{RunPrefix(line)}{answer.Question} {line.Sentence}").Raw("</li>");
                html.Raw("</ul>");
            }
            html.Raw("</section>");
        }

        private static string RunPrefix(AnswerLine line) => line.RunLabel.Length == 0 ? "" : $"Run {line.RunLabel}: ";

        private void Family(Section section)
        {
            html.Raw($"<section id=\"{section.Id}\" class=\"family\">").Element("h2", section.Title);
            if (section.Lead.Length > 0)
                html.Element("p", section.Lead, "class=\"lead\"");
            foreach (var group in section.Groups)
            {
                html.Element("h3", group.Title);
                if (group.Text.Length > 0)
                    html.Element("p", group.Text);
                html.Raw($"<div class=\"charts{(group.Charts.Count == 1 ? " one" : "")}\">");
                foreach (var chart in group.Charts)
                    Figure(chart);
                html.Raw("</div>");
            }
            html.Raw("<h3>Figures</h3>");
            Table(section.Cases, $"table-{section.Id}");
            html.Raw("<h3>Evidence</h3><div class=\"evidence\">");
            foreach (var view in section.Views.Where(view => view.Status != CaseStatus.Proven).OrderByDescending(view => view.Status))
                Evidence(view);
            // The proven ones are the rule: one line until somebody asks.
            CaseView[] proven = [.. section.Views.Where(view => view.Status == CaseStatus.Proven)];
            if (proven.Length > 0)
            {
                html.Raw("<details class=\"proven\"><summary><span class=\"verdict\">✓ proven</span> ").Text(proven.Length == 1 ? "One case" : $"{Format.Count(proven.Length)} cases").Raw("</summary>");
                foreach (var view in proven)
                    Evidence(view);
                html.Raw("</details>");
            }
            html.Raw("</div></section>");
        }

        private void Figure(Chart chart)
        {
            html.Raw("<figure class=\"chart\"><figcaption>").Element("b", chart.Title);
            if (chart.Subtitle.Length > 0)
                html.Raw(" ").Element("span", chart.Subtitle);
            html.Raw("</figcaption>");
            Legend(chart);
            html.Raw($"<div class=\"plot\" id=\"{chart.Id}\" role=\"img\" style=\"height:{EChartsOptions.HeightPixels(chart).ToString(CultureInfo.InvariantCulture)}px\" aria-label=\"")
                .Text(chart.Finding).Raw($"\"></div><script type=\"application/json\" id=\"{chart.Id}-option\">").Raw(EChartsOptions.Render(chart))
                .Raw("</script><details class=\"data\"><summary>Table</summary>");
            Table(ChartTable.Of(chart), $"{chart.Id}-table");
            html.Raw("</details></figure>");
        }

        /// <summary>Written as HTML: it wraps at any width, follows the theme and prints, which a drawn legend does not.</summary>
        private void Legend(Chart chart)
        {
            var verdicts = chart.Series.SelectMany(series => series.Points).Select(point => point.Verdict).ToHashSet();
            var doubted = verdicts.Contains(Verdict.Contradicted) || verdicts.Contains(Verdict.Unproven);
            var heat = chart.Kind == ChartKind.HeatMap;
            if (chart.Series.Count < 2 && !doubted && !heat)
                return;
            html.Raw("<ul class=\"legend\" aria-hidden=\"true\">");
            if (heat)
                html.Raw("<li>").Text(Format.Short(chart.Y.Quantity, chart.Y.Min))
                    .Raw(string.Create(CultureInfo.InvariantCulture, $" <span class=\"ramp s{chart.Series[0].Color % Marks.Colors}\"></span> "))
                    .Text(Format.Short(chart.Y.Quantity, chart.Y.Max)).Raw("</li>");
            foreach (var series in chart.Series.Count < 2 || heat ? [] : chart.Series)
                html.Raw(string.Create(CultureInfo.InvariantCulture, $"<li><svg class=\"s{series.Color % Marks.Colors}\" width=\"{(IsBar(chart) ? 14 : 30)}\" height=\"12\">"))
                    .Raw(Sign(chart, series)).Raw("</svg>").Text(series.Name).Raw("</li>");
            if (verdicts.Contains(Verdict.Contradicted))
                html.Raw("<li class=\"contradicted\"><span class=\"verdict\">✗ contradicted</span></li>");
            if (verdicts.Contains(Verdict.Unproven))
                html.Raw($"<li class=\"unproven\"><span class=\"verdict\">{(heat || chart.Kind == ChartKind.Timeline ? "?" : "hollow:")} unproven</span></li>");
            html.Raw("</ul>");
        }

        private static bool IsBar(Chart chart) => chart.Kind is ChartKind.Bars or ChartKind.StackedBars;

        private static string Sign(Chart chart, Series series)
        {
            if (IsBar(chart))
                return "<path d=\"M0 0H14V12H0Z\"/>";
            var dash = string.Join(' ', Marks.Dash(series.Variant).Select(length => length.ToString(CultureInfo.InvariantCulture)));
            return $"<line x1=\"0\" x2=\"30\" y1=\"6\" y2=\"6\"{(dash.Length == 0 ? "" : $" stroke-dasharray=\"{dash}\"")}/>"
                + (chart.Kind == ChartKind.Timeline ? "" : $"<path transform=\"translate(10.5 1.5) scale(.75)\" d=\"{Marks.Shape(series.Color)}\"/>");
        }

        private void Table(Table table, string id)
        {
            html.Raw($"<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"").Text(table.Caption).Raw($"\"><table id=\"{id}\">")
                .Element("caption", table.Caption).Raw("<thead><tr>");
            foreach (var column in table.Columns)
                html.Element("th", column.Name, column.Numeric ? "scope=\"col\" class=\"n\"" : "scope=\"col\"");
            html.Raw("</tr></thead><tbody>");
            foreach (var row in table.Rows)
            {
                html.Raw(row.Class is null ? "<tr>" : $"<tr class=\"{row.Class}\">");
                for (var index = 0; index < row.Cells.Count; index++)
                {
                    var column = table.Columns[index];
                    var tag = index == 0 ? "th" : "td";
                    var attributes = (index == 0 ? " scope=\"row\"" : "") + (column.Numeric ? " class=\"n\"" : column.Verdict ? " class=\"verdict\"" : "");
                    html.Raw($"<{tag}{attributes}>");
                    if (column.Verdict && row.Link is { } link)
                        html.Raw($"<a href=\"#{link}\">").Text(row.Cells[index]).Raw("</a>");
                    else
                        html.Text(row.Cells[index]);
                    html.Raw($"</{tag}>");
                }
                html.Raw("</tr>");
            }
            html.Raw("</tbody></table></div>");
        }

        private void Evidence(CaseView view)
        {
            html.Raw($"<details class=\"{view.StatusClass}\" id=\"{view.Anchor}\"><summary><span class=\"verdict\">").Text(view.StatusMark).Raw("</span> ").Text(view.Name).Raw("</summary>");
            if (view.Record.Error is { } error)
                html.Raw("<p><b>Error:</b> ").Text(error).Raw("</p>");
            if (view.Record.Evidence.Claims.Count > 0)
                Table(EvidenceTable.Of(view), $"{view.Anchor}-claims");
            else
                html.Raw("<p>No claim was checked.</p>");
            foreach (var claim in view.Record.Evidence.Claims.Where(claim => claim.Reason is not null))
                html.Raw("<p><b>").Text(Words.Sentence(claim.Claim)).Raw(":</b> ").Text(claim.Reason!).Raw("</p>");
            foreach (var line in EvidenceTable.PassLines(view))
                html.Element("p", line, "class=\"passes\"");
            foreach (var warning in view.Record.Warnings)
                html.Raw("<p><b>Warning:</b> ").Text(warning).Raw("</p>");
            html.Raw("</details>");
        }

        private void Method()
        {
            html.Raw("<section id=\"method\"><h2>Method</h2><dl class=\"method\">");
            foreach (var (name, text) in MethodText.Of(content))
                html.Element("dt", name).Element("dd", text);
            html.Raw("</dl></section>");
        }

        private void Parameters()
        {
            html.Raw("<section id=\"parameters\"><h2>Parameters and records</h2>");
            if (content.Records.Count > 0)
            {
                html.Raw("<p>Every figure of this page comes from these records, one JSON object a line. <span class=\"save\">")
                    .Raw("<button id=\"save\" type=\"button\" hidden>Save records.jsonl</button> <button id=\"copy\" type=\"button\" hidden>Copy</button> ")
                    .Raw($"<a id=\"records\" download=\"records.jsonl.gz\" href=\"data:application/gzip;base64,{Compressed(content.Records)}\">records.jsonl.gz</a> <span id=\"said\" role=\"status\"></span></span></p>");
                html.Raw("<details><summary>All cases as requested and as they ran</summary>");
                Table(content.Parameters, "table-parameters");
                html.Raw("</details>");
            }
            html.Raw("</section>");
        }

        private void Footer() =>
            html.Raw("<footer>").Element("p", options.Anonymous ? "Host names, serial numbers, paths and addresses were left out of this report and of its records." : "This page is one file and needs no network.")
                .Raw("<noscript><p>The charts need scripts; the tables hold the same figures.</p></noscript></footer><span id=\"probe\" hidden></span><script>")
                .Raw(PageAssets.Script).Raw("</script></body></html>\n");

        private static string Tally(IReadOnlyList<CaseView> cases)
        {
            var counts = Enum.GetValues<CaseStatus>().Select(status => (status, Count: cases.Count(view => view.Status == status))).Where(pair => pair.Count > 0);
            return $"{Format.Count(cases.Count)} {(cases.Count == 1 ? "case" : "cases")}: "
                + string.Join(", ", counts.Select(pair => $"{Format.Count(pair.Count)} {pair.status.ToString().ToLowerInvariant()}")) + ".";
        }

        private static string Compressed(IReadOnlyList<RunRecord> records)
        {
            using var bytes = new MemoryStream();
            using (var gzip = new GZipStream(bytes, CompressionLevel.SmallestSize, leaveOpen: true))
                foreach (var record in records)
                    gzip.Write(Encoding.UTF8.GetBytes(RecordJson.Write(record) + "\n"));
            return Convert.ToBase64String(bytes.ToArray());
        }
    }
}
