using Bench.Measure.Records;
using Bench.Reports.Advice;
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
        private readonly HashSet<string> evident = [.. content.Sections.SelectMany(content.Evident).Select(view => view.Anchor)];

        public string Write()
        {
            html.Head(content.Title);
            Header();
            html.Raw("<main id=\"main\">");
            html.Notice("warnings", content.Warnings);
            Problems();
            WhatToSet();
            Answers();
            foreach (var section in content.Sections)
                Family(section);
            if (Explorer.HasChoice(content.Runs))
                Explorer.Write(html, content.Runs);
            Method();
            Parameters();
            html.Raw("</main>");
            Footer();
            return html.ToString();
        }

        private void Header()
        {
            html.Bar(Contents());
            html.Element("h1", content.Title);
            if (content.Runs.Count == 0)
                html.Element("p", "There are no records to show.", "class=\"lead\"");
            if (content.SharedFacts is { } shared)
            {
                html.Raw("<section class=\"run\"><div class=\"facts\">");
                Facts(shared);
                html.Raw("</div></section><div class=\"targets\">");
                foreach (var run in content.Runs)
                    Target(run);
                html.Raw("</div>");
            }
            else
            {
                foreach (var run in content.Runs)
                    Run(run);
            }
            html.Raw("</header>");
        }

        private IEnumerable<(string Id, string Title)> Contents()
        {
            if (content.Advice.Targets.Count > 0)
                yield return ("settings", "What to set");
            if (content.Answers.Count > 0)
                yield return ("answers", "Answers");
            foreach (var section in content.Sections)
                yield return (section.Id, section.Title);
            if (Explorer.HasChoice(content.Runs))
                yield return ("explore", "Choose the axes");
            yield return ("method", "Method");
            yield return ("parameters", "Parameters");
        }

        private void Run(RunView run)
        {
            html.Raw("<section class=\"run\">");
            if (run.Label.Full.Length > 0)
                html.Element("h2", run.Label.Heading);
            html.Raw("<p class=\"lead\">").Text(Tally(run.Cases)).Raw("</p><div class=\"facts\">");
            Facts(run);
            Under(run);
            html.Raw("</div></section>");
        }

        /// <summary>One of several targets of a run: machine and command stand above them all.</summary>
        private void Target(RunView run)
        {
            html.Raw("<section class=\"run\">").Element("h2", run.Label.Heading).Element("p", Tally(run.Cases), "class=\"lead\"");
            Under(run);
            html.Raw("</section>");
        }

        private void Facts(RunView run)
        {
            html.Raw("<dl>");
            foreach (var (name, text) in RunFacts.Of(run))
                html.Element("dt", name).Element("dd", text, name == "Command" ? "class=\"code\"" : "");
            html.Raw("</dl>");
        }

        private void Under(RunView run)
        {
            html.Raw("<div class=\"tree\"><p>Under the target folder</p><ul>");
            Tree(content.Under(run));
            html.Raw("</ul></div>");
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

        private void Problems()
        {
            if (content.Problems.Count == 0)
                return;
            html.Raw("<section id=\"problems\" class=\"notice\"><h2>Cases that are not proven</h2><ul class=\"problems\">");
            foreach (var problem in Problem.Of(content.Problems))
            {
                html.Raw($"<li class=\"{problem.Cases[0].StatusClass}\"><b class=\"verdict\">").Text(problem.Cases[0].StatusMark).Raw("</b> ");
                Links(problem.First);
                var hidden = problem.NamesAll && problem.Further.Count > 0;
                html.Text((hidden || problem.Rest.Length == 0 ? "" : " " + problem.Rest) + problem.Because);
                if (hidden)
                {
                    html.Raw("<details><summary>").Text(problem.Rest).Raw("</summary>");
                    Links(problem.Further);
                    html.Raw("</details>");
                }
                html.Raw("</li>");
            }
            html.Raw("</ul></section>");
        }

        private void Links(IEnumerable<CaseView> cases)
        {
            foreach (var (index, view) in cases.Index())
                html.Raw(index == 0 ? "" : ", ").Raw(LinkTo(view)).Text(view.Name).Raw("</a>");
        }

        /// <summary>The beginning of a link to a case's evidence; it leads nowhere where that is not written.</summary>
        private string LinkTo(CaseView view) => evident.Contains(view.Anchor) ? $"<a href=\"#{view.Anchor}\">" : "<a>";

        private void WhatToSet()
        {
            if (content.Advice.Targets.Count == 0)
                return;
            html.Raw("<section id=\"settings\"><h2>What to set</h2>");
            if (content.Advice.Between.Count > 0)
            {
                html.Raw("<ul class=\"between\">");
                foreach (var sentence in content.Advice.Between)
                    html.Element("li", sentence);
                html.Raw("</ul>");
            }
            foreach (var (index, target) in content.Advice.Targets.Index())
            {
                if (target.Label.Full.Length > 0)
                    html.Element("h3", target.Label.Heading);
                html.Raw("<ul class=\"wishes\">");
                foreach (var wish in target.Cards)
                    Wish(wish, index + 1);
                html.Raw("</ul>");
                foreach (var gap in target.Gaps)
                    html.Element("p", gap);
                if (target.Held.Length > 0)
                    html.Element("p", $"Measured with: {target.Held}.", "class=\"detail\"");
                if (target.Picture is { } picture)
                {
                    html.Raw("<div class=\"charts one\">");
                    html.Figure(picture, ChartTable.Of(picture), packed: content.IsLarge);
                    html.Raw("</div>");
                }
                html.Raw("<details class=\"data\"><summary>The choices worth having</summary>");
                html.Table(target.Front, FormattableString.Invariant($"table-front-{index + 1}"));
                html.Raw("</details>");
            }
            html.Raw("</section>");
        }

        private void Wish(Wish wish, int target)
        {
            html.Raw(FormattableString.Invariant($"<li id=\"wish-{wish.Id}-{target}\">")).Element(content.Advice.Targets[target - 1].Label.Full.Length > 0 ? "h4" : "h3", wish.Title);
            html.Raw("<pre class=\"code\">").Text(string.Join('\n', wish.Settings)).Raw("</pre>");
            html.Raw($"<p class=\"sentence\">{LinkTo(wish.Choice)}").Text(wish.Sentence).Raw($"</a> <span class=\"{wish.Choice.StatusClass}\"><span class=\"verdict\">").Text(wish.Choice.StatusMark).Raw("</span></span></p>");
            foreach (var note in wish.AllNotes)
                html.Element("p", note, "class=\"detail\"");
            html.Raw("</li>");
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

        private static string RunPrefix(AnswerLine line) => line.RunLabel.Length == 0 ? "" : $"{line.RunLabel}: ";

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
                    html.Figure(chart, ChartTable.Of(chart), packed: content.IsLarge);
                html.Raw("</div>");
            }
            html.Raw("<h3>Figures</h3>");
            // What is not written has nothing to lead to.
            html.Table(section.Cases with { Rows = [.. section.Cases.Rows.Select(row => row.Link is { } link && !evident.Contains(link) ? row with { Link = null } : row)] }, $"table-{section.Id}");
            var views = content.Evident(section);
            if (views.Count > 0)
                html.Raw("<h3>Evidence</h3>").EvidenceOf(views);
            if (views.Count < section.Views.Count)
                html.Element("p", $"The evidence of the other {Format.Count(section.Views.Count - views.Count, "case")} is in the records.", "class=\"detail\"");
            html.Raw("</section>");
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
                html.Raw("<p>Every figure of this page comes from these records, one JSON object a line. ")
                    .Data("records.jsonl", content.CarriedRecords.Select(record => content.IsLarge ? RecordJson.WriteShort(record) : RecordJson.Write(record))).Raw("</p>");
                if (content.IsLarge)
                    html.Element("p", "There are so many that they are here with six digits of each figure, and without their histograms, timelines and the counters of each pass; the run’s folder has them whole.");
            }
            if (content.Records.Count > 0 && !content.IsLarge)
            {
                html.Raw("<details><summary>All cases as requested and as they ran</summary>");
                html.Table(content.Parameters, "table-parameters");
                html.Raw("</details>");
            }
            html.Raw("</section>");
        }

        private void Footer() => html.End(options.Anonymous
            ? "Host names, serial numbers, paths and addresses were left out of this report and of its records." : "This page is one file and needs no network.");

        private static string Tally(IReadOnlyList<CaseView> cases)
        {
            var counts = Enum.GetValues<CaseStatus>().Select(status => (status, Count: cases.Count(view => view.Status == status))).Where(pair => pair.Count > 0);
            return $"{Format.Count(cases.Count, "case")}: "
                + string.Join(", ", counts.Select(pair => $"{Format.Count(pair.Count)} {pair.status.ToString().ToLowerInvariant()}")) + ".";
        }
    }
}
