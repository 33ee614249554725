using System.Globalization;
using System.IO.Compression;
using System.Text;
using Bench.Measure.Records;
using Bench.Reports.Charts;
using Bench.Reports.Content;

namespace Bench.Reports.Html;

/// <summary>What the report and the comparison share: head and end of a page, charts, tables, evidence, the data.</summary>
internal static class HtmlParts
{
    private const int MostOpenRows = 400;

    /// <summary>All before the header: the policy, the style, the title.</summary>
    public static void Head(this HtmlWriter html, string title) =>
        html.Raw("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
            .Raw($"<meta http-equiv=\"Content-Security-Policy\" content=\"{PageAssets.ContentSecurityPolicy}\">")
            .Raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">")
            .Raw("<meta name=\"referrer\" content=\"no-referrer\">")
            .Element("title", $"{title} – Bench")
            .Raw("<style>").Raw(PageAssets.Style).Raw("</style></head>\n<body>")
            .Raw("<a class=\"skip\" href=\"#main\">Skip to the results</a>");

    /// <summary>The beginning of the header, which its caller closes: name, contents, light and dark.</summary>
    public static void Bar(this HtmlWriter html, IEnumerable<(string Id, string Title)> contents)
    {
        html.Raw("<header class=\"page\"><div class=\"bar\"><p class=\"mark\">Bench</p><nav aria-label=\"Contents\"><ul>");
        foreach (var (id, title) in contents)
            html.Raw($"<li><a href=\"#{id}\">").Text(title).Raw("</a></li>");
        html.Raw("</ul></nav><button id=\"theme\" type=\"button\" hidden>Dark</button></div>");
    }

    /// <summary>What makes figures doubtful; nothing if there is nothing.</summary>
    public static void Notice(this HtmlWriter html, string id, IReadOnlyList<string> sentences)
    {
        if (sentences.Count == 0)
            return;
        html.Raw($"<section id=\"{id}\" class=\"notice\"><h2>Before you read the figures</h2><ul>");
        foreach (var sentence in sentences)
            html.Element("li", sentence);
        html.Raw("</ul></section>");
    }

    /// <summary>The end of the page, with the script.</summary>
    public static void End(this HtmlWriter html, string text) =>
        html.Raw("<footer>").Element("p", text)
            .Raw("<noscript><p>The charts need scripts; the tables hold the same figures.</p></noscript></footer><span id=\"probe\" hidden></span><script>")
            .Raw(PageAssets.Script).Raw("</script></body></html>\n");

    /// <summary>Lines of JSON to take along: a link that works without script, and buttons with it.</summary>
    /// <param name="html">The page.</param>
    /// <param name="name">The file's name: letters, digits, points.</param>
    /// <param name="lines">Its lines.</param>
    public static HtmlWriter Data(this HtmlWriter html, string name, IEnumerable<string> lines) =>
        html.Raw($"<span class=\"save\"><button id=\"save\" type=\"button\" hidden>Save {name}</button> <button id=\"copy\" type=\"button\" hidden>Copy</button> ")
            .Raw($"<a id=\"records\" download=\"{name}.gz\" href=\"data:application/gzip;base64,{Compressed(lines)}\">{name}.gz</a> <span id=\"said\" role=\"status\"></span></span>");

    /// <summary>gzip in Base64 of some lines: letters that stand anywhere in a page.</summary>
    private static string Compressed(IEnumerable<string> lines)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.SmallestSize, leaveOpen: true))
            foreach (var line in lines)
                gzip.Write(Encoding.UTF8.GetBytes(line + "\n"));
        return Convert.ToBase64String(bytes.ToArray());
    }

    /// <summary>A chart with its legend, its option for the script, and its figures as a table.</summary>
    /// <param name="html">The page.</param>
    /// <param name="chart">The chart.</param>
    /// <param name="table">Its figures.</param>
    /// <param name="packed">Whether the option is compressed: an eighth of the size, unpacked by the page when the chart comes near.</param>
    public static void Figure(this HtmlWriter html, Chart chart, Table table, bool packed = false)
    {
        html.Raw("<figure class=\"chart\"><figcaption>").Element("b", chart.Title);
        if (chart.Subtitle.Length > 0)
            html.Raw(" ").Element("span", chart.Subtitle);
        html.Raw("</figcaption>");
        html.Legend(chart);
        html.Raw($"<div class=\"plot\" id=\"{chart.Id}\" role=\"img\" style=\"height:{EChartsOptions.HeightPixels(chart).ToString(CultureInfo.InvariantCulture)}px\" aria-label=\"")
            .Text(chart.Finding).Raw($"\"></div><script type=\"application/{(packed ? "gzip" : "json")}\" id=\"{chart.Id}-option\">")
            .Raw(packed ? Compressed([EChartsOptions.Render(chart)]) : EChartsOptions.Render(chart))
            .Raw("</script><details class=\"data\"><summary>Table</summary>");
        html.Table(table, $"{chart.Id}-table");
        html.Raw("</details></figure>");
    }

    /// <summary>Written as HTML: it wraps at any width, follows the theme and prints, which a drawn legend does not.</summary>
    private static void Legend(this HtmlWriter html, Chart chart)
    {
        var verdicts = chart.Series.SelectMany(series => series.Points).Select(point => point.Verdict).ToHashSet();
        var doubted = verdicts.Contains(Verdict.Contradicted) || verdicts.Contains(Verdict.Unproven);
        var heat = chart.Kind == ChartKind.HeatMap;
        if (chart.Band is { } band)
        {
            html.BandLegend(chart, band);
            return;
        }
        if (chart.Series.Count < 2 && !doubted && !heat)
            return;
        html.Raw("<ul class=\"legend\" aria-hidden=\"true\">");
        if (heat)
            // By powers, nothing at all is below the lowest figure: the palest cell.
            html.Raw("<li>").Text(chart.Y.Scale == AxisScale.Log && chart.Series.Any(series => series.Points.Any(point => point.Y == 0)) ? $"{Format.Short(chart.Y.Quantity, 0)}, then " : "")
                .Text(Format.Short(chart.Y.Quantity, chart.Y.Min))
                .Raw(string.Create(CultureInfo.InvariantCulture, $" <span class=\"ramp s{chart.Series[0].Color % Marks.Colors}\"></span> "))
                .Text(Format.Short(chart.Y.Quantity, chart.Y.Max)).Raw("</li>");
        // What stands in both panels of a timeline is named once.
        foreach (var series in chart.Series.Count < 2 || heat ? [] : chart.Series.DistinctBy(series => (series.Name, series.Color)))
            html.Raw(string.Create(CultureInfo.InvariantCulture, $"<li><svg class=\"s{series.Color % Marks.Colors}\" width=\"{(IsBar(chart) || chart.Kind == ChartKind.Scatter ? 14 : 30)}\" height=\"12\">"))
                .Raw(Sign(chart, series)).Raw("</svg>").Text(series.Name).Raw("</li>");
        if (verdicts.Contains(Verdict.Contradicted))
            html.Raw($"<li class=\"contradicted\"><span class=\"verdict\">{(chart.Kind == ChartKind.Timeline ? "dotted: ✗" : "✗")} contradicted</span></li>");
        if (verdicts.Contains(Verdict.Unproven))
            html.Raw($"<li class=\"unproven\"><span class=\"verdict\">{(heat || chart.Kind == ChartKind.Timeline ? "?" : "hollow:")} unproven</span></li>");
        html.Raw("</ul>");
    }

    /// <summary>A chart over a band: the shapes, the band, its lines.</summary>
    private static void BandLegend(this HtmlWriter html, Chart chart, Band band)
    {
        html.Raw("<ul class=\"legend\" aria-hidden=\"true\">");
        foreach (var series in chart.Series)
            html.Raw(string.Create(CultureInfo.InvariantCulture, $"<li><svg class=\"s{series.Color % Marks.Colors}{(series.Hollow ? " hollow" : "")}\" width=\"14\" height=\"14\"><path transform=\"translate(1 1)\" d=\"{Marks.Shape(series.Mark ?? series.Color)}\"/></svg>"))
                .Text(series.Name).Raw("</li>");
        html.Raw("<li><span class=\"band\"></span>").Text(band.Text).Raw("</li>");
        if (band.Estimate is not null)
            html.Raw("<li><svg class=\"estimate\" width=\"24\" height=\"12\"><line x1=\"0\" x2=\"24\" y1=\"6\" y2=\"6\"/></svg>").Text(band.EstimateText).Raw("</li>");
        html.Raw("</ul>");
    }

    private static bool IsBar(Chart chart) => chart.Kind is ChartKind.Bars or ChartKind.StackedBars;

    private static string Sign(Chart chart, Series series)
    {
        if (IsBar(chart))
            return "<path d=\"M0 0H14V12H0Z\"/>";
        if (chart.Kind == ChartKind.Scatter)
            return $"<path transform=\"translate(1 0)\" d=\"{Marks.Shape(series.Mark ?? series.Color)}\"/>";
        var dash = string.Join(' ', Marks.Dash(series.Variant).Select(length => length.ToString(CultureInfo.InvariantCulture)));
        return $"<line x1=\"0\" x2=\"30\" y1=\"6\" y2=\"6\"{(dash.Length == 0 ? "" : $" stroke-dasharray=\"{dash}\"")}/>"
            + (chart.Kind == ChartKind.Timeline ? "" : $"<path transform=\"translate(10.5 1.5) scale(.75)\" d=\"{Marks.Shape(series.Color)}\"/>");
    }

    /// <summary>A table that scrolls sideways where it is wider than the page.</summary>
    public static void Table(this HtmlWriter html, Table table, string id)
    {
        // A browser lays out what it shows; what is folded away costs it nothing.
        var folded = table.Rows.Count > MostOpenRows;
        if (folded)
            html.Raw("<details class=\"data\"><summary>").Text($"{table.Caption}: {Format.Count(table.Rows.Count)} rows").Raw("</summary>");
        html.Raw($"<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"").Text(table.Caption).Raw($"\"><table id=\"{id}\">")
            .Element("caption", table.Caption).Raw("<thead><tr>");
        // Figures are most of a row and mostly its end: where all that follows are figures, the first says so for the others.
        var figuresFrom = table.Columns.Count - table.Columns.Reverse().TakeWhile(column => column.Numeric).Count();
        string? ClassOf(int index) => table.Columns[index] is var column && index > figuresFrom ? null
            : index == figuresFrom ? "f" : column.Numeric ? "n" : column.Verdict ? "verdict" : column.Wraps ? "why" : null;
        string[] classes = [.. table.Columns.Select((_, index) => ClassOf(index) is { } name ? $" class={name}" : "")];
        foreach (var (index, column) in table.Columns.Index())
            html.Element("th", column.Name, "scope=col" + (column.Numeric ? classes[index] : ""));
        html.Raw("</tr></thead><tbody>");
        // Cells and rows end where the next begins (HTML, "Optional tags"), and words need no quotes: a thirteenth of a large page.
        foreach (var row in table.Rows)
        {
            html.Raw(row.Class is null ? "<tr>" : $"<tr class={row.Class}>");
            for (var index = 0; index < row.Cells.Count; index++)
            {
                var column = table.Columns[index];
                html.Raw(index == 0 ? "<th scope=row" : "<td").Raw(classes[index]).Raw(">");
                if (column.Verdict && row.Link is { } link)
                    html.Raw($"<a href=\"#{link}\">").Text(row.Cells[index]).Raw("</a>");
                else
                    html.Text(row.Cells[index]);
            }
        }
        html.Raw("</tbody></table></div>");
        if (folded)
            html.Raw("</details>");
    }

    /// <summary>The evidence of cases: what is not proven first, the proven ones behind one line.</summary>
    public static HtmlWriter EvidenceOf(this HtmlWriter html, IReadOnlyList<CaseView> views)
    {
        html.Raw("<div class=\"evidence\">");
        foreach (var view in views.Where(view => view.Status != CaseStatus.Proven).OrderByDescending(view => view.Status))
            html.Evidence(view);
        // The proven ones are the rule: one line until somebody asks.
        CaseView[] proven = [.. views.Where(view => view.Status == CaseStatus.Proven)];
        if (proven.Length > 0)
        {
            html.Raw("<details class=\"proven\"><summary><span class=\"verdict\">✓ proven</span> ").Text(proven.Length == 1 ? "One case" : $"{Format.Count(proven.Length)} cases").Raw("</summary>");
            foreach (var view in proven)
                html.Evidence(view);
            html.Raw("</details>");
        }
        return html.Raw("</div>");
    }

    private static void Evidence(this HtmlWriter html, CaseView view)
    {
        html.Raw($"<details class=\"{view.StatusClass}\" id=\"{view.Anchor}\"><summary><span class=\"verdict\">").Text(view.StatusMark).Raw("</span> ").Text(view.Name).Raw("</summary>");
        if (view.Record.Error is { } error)
            html.Raw("<p><b>Error:</b> ").Text(error).Raw("</p>");
        if (view.Record.Evidence.Claims.Count > 0)
            html.Table(EvidenceTable.Of(view), $"{view.Anchor}-claims");
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
}
