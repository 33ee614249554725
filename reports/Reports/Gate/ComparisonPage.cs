using System.Globalization;
using Bench.Measure.Records;
using Bench.Reports.Charts;
using Bench.Reports.Comparison;
using Bench.Reports.Content;
using Bench.Reports.Html;

namespace Bench.Reports.Gate;

/// <summary>A comparison or a gate run as one self-contained HTML page, in the look and under the policy of the report.</summary>
public static class ComparisonPage
{
    /// <summary>Renders the page. The same result and options give the same text under every culture.</summary>
    /// <param name="result">What was compared.</param>
    /// <param name="options">What the reader wants; the warnings are added to the result's own.</param>
    /// <param name="history">Charts of earlier runs of these cases, if there are any; their ids begin with "history-".</param>
    public static string Render(GateResult result, ReportOptions options, IReadOnlyList<Chart>? history = null)
    {
        var warned = result with { Warnings = [.. options.Warnings, .. result.Warnings] };
        return new Page(options.Anonymous ? GateRedaction.Apply(warned) : warned, options, history ?? []).Write();
    }

    private sealed class Page(GateResult result, ReportOptions options, IReadOnlyList<Chart> history)
    {
        /// <summary>Rows of the first table: a reader of more looks for his case in the charts' tables.</summary>
        private const int MostVerdicts = 60;

        /// <summary>Beyond so many cases the evidence of those that changed nothing stays in the data.</summary>
        private const int MostEvidence = 200;

        private readonly HtmlWriter html = new();
        private readonly GateNames names = new(result);
        private readonly IReadOnlyList<GateRow> rows = GateRow.Of(result);
        private readonly double? level = GateRow.LevelOf(result);
        private readonly Dictionary<string, string> anchors = new(StringComparer.Ordinal);
        private CaseView[] evidence = [];

        public string Write()
        {
            // First of all: every table links into it.
            evidence = [.. Views(1, "base", one => one.BaseRecord), .. Views(2, "head", one => one.HeadRecord)];
            html.Head(Title);
            Header();
            html.Raw("<main id=\"main\">");
            Verdicts();
            foreach (var figure in Figures.All)
                Forests(figure);
            Pairs();
            Latencies();
            History();
            Differences();
            Evidence();
            Method();
            Data();
            html.Raw("</main>");
            html.End(options.Anonymous ? "Host names, serial numbers, paths and addresses were left out of this page and of its data." : "This page is one file and needs no network.");
            return html.ToString();
        }

        private string Title => $"{result.Head.Name} against {result.Base.Name}";

        private string Sentence => result.Cases.Count == 0 ? "No case is in both."
            : result.FromRecords ? $"{Format.Count(result.Cases.Count, "case")} compared: {GateWords.Tally(result)}." : $"{Words.Sentence(result.Summary)}.";

        private IEnumerable<(string Id, string Title)> Contents()
        {
            if (rows.Count > 0)
                yield return ("verdicts", "Verdicts");
            foreach (var figure in Figures.All.Where(figure => rows.Any(row => row.Figure == figure && row.Judgement.Ratio is not null)))
                yield return (Id(figure), GateWords.Heading(figure));
            if (result.Cases.Any(one => one.Pairs.Count > 0))
                yield return ("pairs", "Pairs");
            if (GateTables.Percentiles(result, names) is not null)
                yield return ("latency", "Latency");
            if (history.Count > 0)
                yield return ("history", "History");
            yield return ("differences", "What differs");
            yield return ("evidence", "Evidence");
            yield return ("method", "Method");
        }

        private static string Id(Figure figure) => figure switch { Figure.Throughput => "throughput", Figure.P99 => "p99", _ => "cpu" };

        private void Header()
        {
            html.Bar(Contents());
            html.Element("h1", Title).Element("p", Sentence, "class=\"lead\"");
            html.Notice("warnings", GateWords.Notes(result));
            html.Raw("<section class=\"run\"><div class=\"facts\">");
            Facts("Comparison", ComparisonFacts());
            html.Raw("<div>");
            Facts("Base", SideFacts(result.Base, result.Cases.Select(one => one.BaseRecord)));
            Facts("Head", SideFacts(result.Head, result.Cases.Select(one => one.HeadRecord)));
            html.Raw("</div></div></section></header>");
        }

        private void Facts(string title, IEnumerable<(string Name, string? Text)> facts)
        {
            html.Raw("<div>").Element("h2", title).Raw("<dl>");
            foreach (var (name, text) in facts.Where(fact => !string.IsNullOrEmpty(fact.Text)))
                html.Element("dt", name).Element("dd", text!);
            html.Raw("</dl></div>");
        }

        private IEnumerable<(string Name, string? Text)> ComparisonFacts()
        {
            string? Trait(string name) => result.Fingerprint.Traits.FirstOrDefault(trait => trait.Name == name)?.Value;
            yield return ("Target", result.Target);
            yield return ("Machine", string.Join(" · ", new[] { Trait("processor"), Trait("logical processors") is { } count ? $"{count} logical" : null, Trait("memory"), Trait("kernel") is { } kernel ? $"Linux {kernel}" : null, Trait("virtual machine") is { } hypervisor ? $"virtual ({hypervisor})" : null }.OfType<string>()));
            yield return ("Fingerprint", $"{result.Fingerprint.Hash} (machine and device)");
            yield return ("Error", $"at most {Format.Number(100 * result.Alpha)} % for any false slower, and as much for any false faster, over all figures");
            yield return ("Looks", result.FromRecords ? "one, at stored runs" : $"after {string.Join(", ", result.Looks.Select(pairs => Format.Count(pairs)))} pairs");
            yield return ("Calibrated", result.CalibratedUtc is { } when ? Format.Moment(when) : "not calibrated");
            yield return ("Order", result.FromRecords ? null : $"seed {result.Seed.ToString(CultureInfo.InvariantCulture)}");
            yield return ("Made", $"{Format.Moment(result.StartedUtc)}{(result.Seconds > 0 ? $", in {Format.Seconds(result.Seconds)}" : "")}");
        }

        private static IEnumerable<(string Name, string? Text)> SideFacts(GateSideInfo side, IEnumerable<RunRecord?> records)
        {
            RunRecord[] known = [.. records.OfType<RunRecord>()];
            yield return ("Name", side.Name);
            yield return ("Program", $"bench {side.Version ?? "of unknown version"}{(side.Commit is { } commit ? $" · commit {commit}" : "")}");
            yield return ("Slowed", side.InjectedSlowdown > 0 ? $"by {Format.Percent(side.InjectedSlowdown)}, on purpose" : null);
            if (known.Length > 0)
                yield return ("Measured", $"{Format.Moment(known.Min(record => record.StartedUtc))} · {known[0].Tool.Profile} · seed {known[0].Tool.Seed.ToString(CultureInfo.InvariantCulture)}");
        }

        /// <summary>Last on the page: a launch's names all cases and is the longest text of all.</summary>
        private IEnumerable<(string Name, string? Text)> Commands()
        {
            string? Of(Func<GateCaseResult, RunRecord?> side) => result.Cases.Select(side).OfType<RunRecord>().FirstOrDefault()?.Tool.CommandLine;
            yield return ("Command", result.CommandLine);
            yield return (result.FromRecords ? "The base's command" : "A launch of the base", Of(one => one.BaseRecord));
            yield return (result.FromRecords ? "The head's command" : "A launch of the head", Of(one => one.HeadRecord));
        }

        private void Verdicts()
        {
            if (rows.Count == 0)
                return;
            html.Raw("<section id=\"verdicts\">").Element("h2", "Verdicts");
            GateRow[] telling = [.. rows.Where(row => row.Judgement.Verdict != GateVerdict.Same)];
            html.Element("p", telling.Length == 0 ? "All figures are the same within their margins." : GateWords.Meaning);
            if (telling.Length > 0)
                html.Table(GateTables.Verdicts("What is not the same", [.. telling.Take(MostVerdicts)], level, names, anchors), "table-verdicts");
            if (telling.Length > MostVerdicts)
                html.Element("p", $"and {Format.Count(telling.Length - MostVerdicts)} more, in the tables of their figures.");
            html.Raw("</section>");
        }

        private void Forests(Figure figure)
        {
            var forests = GateCharts.Forests(result, figure, names);
            if (forests.Count == 0)
                return;
            html.Raw($"<section id=\"{Id(figure)}\" class=\"family\">").Element("h2", GateWords.Heading(figure)).Element("p", figure switch
            {
                Figure.Throughput => "Bytes per second; a ratio above one takes longer for the same bytes.",
                Figure.P99 => "The 99th percentile of the latency of the case's own operation.",
                _ => "CPU time of the process per operation, user and system.",
            }, "class=\"lead\"");
            html.Raw("<div class=\"charts one\">");
            foreach (var (chart, shown) in forests)
                html.Figure(chart, GateTables.Judgements(chart.Title, shown, level, names, anchors));
            html.Raw("</div></section>");
        }

        private void Pairs()
        {
            var (charts, leftOut) = GateCharts.Pairs(result, names);
            var discarded = GateTables.Discarded(result, names);
            if (charts.Count == 0 && discarded is null)
                return;
            html.Raw("<section id=\"pairs\" class=\"family\">").Element("h2", "Pairs")
                .Element("p", "Each point is one pair of launches: the head's cost over the base's. Points that climb or fall together are drift of the machine; two clouds by their order are an effect of who goes first.", "class=\"lead\"")
                .Raw("<div class=\"charts\">");
            foreach (var (chart, row) in charts)
                html.Figure(chart, GateTables.Pairs(row, $"{chart.Title}: {row.Figure.Name()}"));
            html.Raw("</div>");
            if (leftOut > 0)
                html.Element("p", $"The pairs of {Format.Count(leftOut)} more figures are in the data below.");
            if (discarded is not null)
                html.Table(discarded, "table-discarded");
            html.Raw("</section>");
        }

        private void Latencies()
        {
            if (GateTables.Percentiles(result, names) is not { } table)
                return;
            html.Raw("<section id=\"latency\" class=\"family\">").Element("h2", "Latency side by side");
            var curves = GateCharts.Curves(result, names);
            if (curves.Count > 0)
            {
                html.Raw("<div class=\"charts\">");
                foreach (var chart in curves)
                    html.Figure(chart, ChartTable.Of(chart));
                html.Raw("</div>");
            }
            html.Table(table, "table-latency");
            html.Raw("</section>");
        }

        private void History()
        {
            if (history.Count == 0)
                return;
            html.Raw("<section id=\"history\" class=\"family\">").Element("h2", "History").Raw("<div class=\"charts\">");
            foreach (var chart in history)
                html.Figure(chart, ChartTable.Of(chart));
            html.Raw("</div></section>");
        }

        private void Differences()
        {
            html.Raw("<section id=\"differences\">").Element("h2", "What differs");
            if (result.Differences.Count == 0)
                html.Element("p", "Nothing in machine, device, software and settings.");
            else
                html.Table(GateTables.Differences(result), "table-differences");
            if (result.Unpaired.Count > 0)
            {
                html.Element("h3", "Cases without a partner").Raw("<ul>");
                foreach (var name in result.Unpaired)
                    html.Element("li", name);
                html.Raw("</ul>");
            }
            html.Raw("</section>");
        }

        private void Evidence()
        {
            html.Raw("<section id=\"evidence\">").Element("h2", "Evidence");
            var records = result.Cases.Sum(one => (one.BaseRecord is null ? 0 : 1) + (one.HeadRecord is null ? 0 : 1));
            if (records == 0)
                html.Element("p", "The result holds no record.");
            if (evidence.Length < records)
                html.Element("p", $"Of so many cases only what is not proven is shown; the evidence of the other {Format.Count(records - evidence.Length)} records is in the data below.");
            html.EvidenceOf(evidence).Raw("</section>");
        }

        /// <summary>The evidence of one side that is shown; a row of a table links to the head's, or to the base's where there is no other.</summary>
        private IEnumerable<CaseView> Views(int side, string label, Func<GateCaseResult, RunRecord?> record)
        {
            foreach (var (place, one) in result.Cases.Index())
            {
                if (record(one) is not { } found)
                    continue;
                var view = new CaseView(found, side - 1, new Content.RunLabel(label, label), place, names.Telling(one.Workload));
                if (view.Status == CaseStatus.Proven && result.Cases.Count > MostEvidence)
                    continue;
                anchors[one.Name] = view.Anchor;
                yield return view;
            }
        }

        private void Method()
        {
            html.Raw("<section id=\"method\">").Element("h2", "Method").Raw("<dl class=\"method\">");
            foreach (var (name, text) in GateWords.Method(result))
                html.Element("dt", name).Element("dd", text);
            foreach (var (name, text) in Commands().Where(command => !string.IsNullOrEmpty(command.Text)))
                html.Element("dt", name).Element("dd", text!, "class=\"code\"");
            html.Raw("</dl></section>");
        }

        private void Data() => html.Raw("<section id=\"parameters\">").Element("h2", "Data")
            .Raw("<p>Every figure of this page is in one JSON object. ").Data(GateResult.FileName, [GateJson.Write(result)]).Raw("</p></section>");
    }
}
