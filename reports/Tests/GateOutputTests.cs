using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using Bench.Measure.Records;
using Bench.Reports.Charts;
using Bench.Reports.Comparison;
using Bench.Reports.Gate;
using Xunit;

namespace Bench.Reports.Tests;

public partial class GateOutputTests
{
    private static readonly GateResult Sample = SampleResults.Gate();
    private static readonly ReportOptions Plain = new();

    [Fact]
    public void The_sample_has_every_verdict() =>
        Assert.All(Enum.GetValues<GateVerdict>(), verdict => Assert.True(Sample.Count(verdict) > 0, $"no {verdict} among {GateWords.Tally(Sample)}"));

    [Theory]
    [InlineData("de-DE")]
    [InlineData("ko-KR")]
    [InlineData("tr-TR")]
    [InlineData("ar-SA")]
    public void Every_culture_gives_the_same_bytes(string name)
    {
        var culture = CultureInfo.GetCultureInfo(name);
        Assert.False(culture.EnglishName.StartsWith("Invariant", StringComparison.Ordinal), "ICU is missing: this test would prove nothing");
        static string All() => string.Join('\n', new[] { SampleResults.Gate(), SampleResults.Records() }.SelectMany(result => new[]
        {
            ComparisonPage.Render(result, Plain), GateMarkdown.Render(result), GateJUnit.Render(result), GateJson.Write(result),
        }));
        var expected = All();
        var before = (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture);
        try
        {
            (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture) = (culture, culture);
            Assert.Equal(expected, All());
        }
        finally
        {
            (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture) = before;
        }
    }

    [Fact]
    public void What_asks_for_action_comes_first()
    {
        var ranks = GateRow.Of(Sample).Select(row => row.Judgement.Verdict.Rank()).ToArray();
        Assert.Equal(ranks.Order(), ranks);
        Assert.Equal(GateVerdict.Slower, GateRow.Of(Sample)[0].Judgement.Verdict);
    }

    [Fact]
    public void The_markdown_names_each_verdict_in_words_and_counts_what_it_leaves_out()
    {
        var text = GateMarkdown.Render(Sample);
        Assert.Contains("▲ slower", text, StringComparison.Ordinal);
        Assert.Contains("◇ inconclusive", text, StringComparison.Ordinal);
        Assert.Equal(2 + 1, TableLine().Count(GateMarkdown.Render(SampleResults.Gate(1, 5))));
        var large = GateMarkdown.Render(SampleResults.Gate(60, 10));
        Assert.Equal(60 + 2, TableLine().Count(large));
        Assert.Matches(@"and \d+ more: ", large);
        Assert.True(large.Length < 64 << 10);
    }

    [Fact]
    public void Intervals_of_several_levels_say_so_and_of_one_have_it_in_the_heading()
    {
        Assert.Matches(@"\| Interval \|\n[\s\S]*Each interval has the level at which its verdict was decided, from \d+(\.\d+)? % to 99\.\d+ %\.", GateMarkdown.Render(Sample));
        var one = GateMarkdown.Render(SampleResults.Records());
        Assert.Contains("| 95 % interval |", one, StringComparison.Ordinal);
        Assert.DoesNotContain("Each interval", one, StringComparison.Ordinal);
        Assert.Contains("need not be the quotient", one, StringComparison.Ordinal);
    }

    [Fact]
    public void A_p99_that_is_shown_and_not_judged_says_why()
    {
        static bool Says(GateResult result) => GateWords.Notes(result).Any(note => note.Contains("is shown and not judged: a launch has one", StringComparison.Ordinal));
        GateCaseResult[] without = [.. Sample.Cases.Select(one => one with { Judgements = [.. one.Judgements.Where(judgement => judgement.Key.Figure != Figure.P99)] })];
        Assert.False(Says(Sample with { FromRecords = true }));
        Assert.True(Says(Sample with { FromRecords = true, Cases = without }));
        // Pairs judge every p99 that has operations enough to be shown.
        Assert.False(Says(Sample with { Cases = without }));
    }

    [Fact]
    public void The_xml_has_a_test_per_figure_and_says_what_became_of_it()
    {
        var suite = Parsed(GateJUnit.Render(Sample)).Root!.Element("testsuite")!;
        Assert.Equal(Sample.Judgements.Count(), suite.Elements("testcase").Count());
        Assert.Equal(Sample.Count(GateVerdict.Slower), suite.Descendants("failure").Count());
        Assert.Equal(Sample.Count(GateVerdict.NotJudged), suite.Descendants("error").Count());
        Assert.Equal(Sample.Count(GateVerdict.Inconclusive), suite.Descendants("skipped").Count());
        foreach (var (name, count) in new[] { ("tests", Sample.Judgements.Count()), ("failures", Sample.Count(GateVerdict.Slower)), ("errors", Sample.Count(GateVerdict.NotJudged)), ("skipped", Sample.Count(GateVerdict.Inconclusive)) })
            Assert.Equal(count, (int)suite.Attribute(name)!);
        Assert.Equal(suite.Elements("testcase").Count(), suite.Elements("testcase").Select(test => (string)test.Attribute("name")!).Distinct().Count());
        Assert.StartsWith("<?xml version=\"1.0\" encoding=\"utf-8\"?>", GateJUnit.Render(Sample), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void A_result_without_cases_passes_nowhere()
    {
        var empty = Sample with { Cases = [] };
        Assert.Single(Parsed(GateJUnit.Render(empty)).Descendants("error"));
        Assert.Contains("No case is in both.", GateMarkdown.Render(empty), StringComparison.Ordinal);
        Assert.Contains("No case is in both.", ComparisonPage.Render(empty, Plain), StringComparison.Ordinal);
    }

    [Fact]
    public void Text_from_outside_stays_text()
    {
        var hostile = Spoilt(Sample);
        var page = ComparisonPage.Render(hostile, new ReportOptions { Warnings = [Hostile.Text] });
        Assert.DoesNotContain("<img", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<!--", page[page.IndexOf("<body>", StringComparison.Ordinal)..page.LastIndexOf("<script>", StringComparison.Ordinal)], StringComparison.Ordinal);
        Assert.DoesNotContain("\u202E", page, StringComparison.Ordinal);
        Assert.Contains("&lt;/script&gt;&lt;img src=x onerror=window.hacked=1&gt;&quot;&#39;&amp;", page, StringComparison.Ordinal);
        Assert.Equal(1 + JsonBlock().Count(page), ScriptTag().Count(page));
        foreach (Match block in JsonBlock().Matches(page))
            JsonDocument.Parse(block.Groups[1].Value).Dispose();

        var markdown = GateMarkdown.Render(hostile);
        Assert.DoesNotContain("<img", markdown, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("[x](", markdown, StringComparison.Ordinal);
        Assert.DoesNotContain("\u202E", markdown, StringComparison.Ordinal);
        Assert.All(TableLine().Matches(markdown).Cast<Match>(), line => Assert.Equal(8, Regex.Count(line.Value, @"(?<!\\)\|")));

        var xml = GateJUnit.Render(hostile);
        Assert.Equal(Sample.Judgements.Count() + hostile.Lost.Count, Parsed(xml).Descendants("testcase").Count());
        Assert.DoesNotContain("\u0007", xml, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", xml, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("]]", Parsed(xml).Descendants("testcase").First().Attribute("name")!.Value, StringComparison.Ordinal);
        Assert.Contains("]]>", string.Concat(Parsed(xml).Descendants("system-out").Select(element => element.Value)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_has_a_forest_per_figure_and_the_pairs_of_each_judgement()
    {
        var page = ComparisonPage.Render(Sample, Plain);
        foreach (var id in new[] { "forest-throughput-1", "forest-p99-1", "forest-cpu-1", "pairs-1", "pairs-40" })
            Assert.Contains($"id=\"{id}\"", page, StringComparison.Ordinal);
        Assert.Equal(page.Split("id=\"").Skip(1).Select(part => part[..part.IndexOf('"', StringComparison.Ordinal)]).GroupBy(id => id).Where(group => group.Skip(1).Any()).Select(group => group.Key), []);
        Assert.Contains("Failed: ", page, StringComparison.Ordinal);
        Assert.Equal(GateJson.Write(Sample), HtmlReportTests.Embedded(page).TrimEnd('\n'));
    }

    [Fact]
    public void Every_link_within_the_page_leads_somewhere()
    {
        foreach (var result in new[] { Sample, SampleResults.Records(), SampleResults.Gate(210, 4) })
        {
            var page = ComparisonPage.Render(result, Plain);
            var body = page[page.IndexOf("<body>", StringComparison.Ordinal)..page.LastIndexOf("<script>", StringComparison.Ordinal)];
            Assert.All(InnerLink().Matches(body).Select(match => match.Groups[1].Value).Distinct(), id => Assert.Contains($" id=\"{id}\"", body, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_forest_of_many_cases_is_several_charts_from_slower_to_faster()
    {
        var result = SampleResults.Gate(90, 10);
        var forests = GateCharts.Forests(result, Figure.Throughput, new GateNames(result));
        Assert.Equal(3, forests.Count);
        var ratios = forests.SelectMany(forest => forest.Rows).Select(row => row.Judgement.Ratio!.Value).ToArray();
        Assert.Equal(ratios.OrderDescending(), ratios);
        Assert.Equal(89, ratios.Length);
        Assert.All(forests, forest => Assert.True(forest.Chart.X.Categories.Count <= 40));
        Assert.All(forests, forest => JsonDocument.Parse(EChartsOptions.Render(forest.Chart)).Dispose());
    }

    [Fact]
    public void One_useless_interval_does_not_squeeze_the_others()
    {
        var result = SampleResults.Gate(6, 12);
        var (chart, _) = GateCharts.Forests(result, Figure.Throughput, new GateNames(result))[0];
        var wide = chart with { Series = [.. chart.Series.Select((series, index) => index > 0 ? series : series with { Points = [series.Points[0] with { Low = 1e-3, High = null }, .. series.Points.Skip(1)] })] };
        var (min, max) = EChartsBand.Range(wide);
        Assert.InRange(min, 0.6, 0.96);
        Assert.InRange(max, 1.05, 1.6);
    }

    [Fact]
    public void An_anonymous_page_names_nobody()
    {
        var records = SampleResults.Records();
        var page = ComparisonPage.Render(records with { Base = new GateSideInfo("/home/kim/bench data/before") }, new ReportOptions { Anonymous = true });
        // Without the compressed data, in which any three letters can stand.
        var all = Regex.Replace(page, "base64,[^\"]+", "") + HtmlReportTests.Embedded(page);
        foreach (var secret in new[] { "kim", "build-7", "9f31c4aa02be", "/dev/vda1" })
            Assert.DoesNotContain(secret, all, StringComparison.Ordinal);
        Assert.Contains("were left out of this page", page, StringComparison.Ordinal);
        var named = GateRedaction.Apply(records with { Base = new GateSideInfo("runs/kim"), Head = new GateSideInfo("a"), CommandLine = "compare runs/kim a --anonymous" });
        Assert.Equal(("base", "a", "compare base a --anonymous"), (named.Base.Name, named.Head.Name, named.CommandLine));
    }

    [Fact]
    public void What_weakens_a_verdict_stands_before_the_figures()
    {
        var doubtful = SampleResults.Records() with { Unlike = true, Head = new GateSideInfo("after") { InjectedSlowdown = 0.1 }, Differences = [new TraitDifference("kernel", "5", "6", TraitKind.Machine)] };
        foreach (var text in new[] { ComparisonPage.Render(doubtful, Plain), GateMarkdown.Render(doubtful), GateJUnit.Render(doubtful) })
        {
            Assert.Contains("slower on purpose", text, StringComparison.Ordinal);
            Assert.Contains("unlike machines or devices (kernel)", text, StringComparison.Ordinal);
            Assert.Contains("Stored runs were compared", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Json_comes_back_as_it_went()
    {
        foreach (var result in new[] { Sample, SampleResults.Records() })
            Assert.Equal(GateJson.Write(result), GateJson.Write(GateJson.Read(GateJson.Write(result))));
        Assert.Throws<RecordException>(() => GateJson.Read("{}"));
        Assert.Contains("reads bench.gate/1", Assert.Throws<RecordException>(() => GateJson.Read(GateJson.Write(Sample with { Schema = "bench.gate/2" }))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(typeof(GateResult))]
    [InlineData(typeof(GateSideInfo))]
    [InlineData(typeof(GateCaseResult))]
    [InlineData(typeof(Judgement))]
    [InlineData(typeof(GatePair))]
    [InlineData(typeof(LaunchFigures))]
    [InlineData(typeof(TraitDifference))]
    [InlineData(typeof(Fingerprint))]
    public void Each_field_has_its_row_and_each_row_its_field(Type type)
    {
        using var stream = typeof(GateOutputTests).Assembly.GetManifestResourceStream("GATE-RESULT.md")!;
        using var reader = new StreamReader(stream);
        var section = Regex.Match(reader.ReadToEnd(), $@"^## [^\n]*\(`{type.Name}`\)\n(.*?)(?=^## |\z)", RegexOptions.Multiline | RegexOptions.Singleline);
        Assert.True(section.Success, $"GATE-RESULT.md has no section on {type.Name}");
        var rows = FieldRow().Matches(section.Groups[1].Value).SelectMany(match => FieldName().Matches(match.Groups[1].Value).Select(name => name.Groups[1].Value));
        var fields = type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.GetCustomAttribute<JsonIgnoreAttribute>() is null).Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name));
        Assert.Equal(fields.Order(StringComparer.Ordinal), rows.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_gate_that_shows_nothing_or_whose_head_lost_a_case_has_not_passed()
    {
        GateResult With(params GateVerdict[] verdicts) => SampleResults.Gate() with
        {
            Lost = [],
            Cases = [.. verdicts.Select((verdict, index) => SampleResults.Gate().Cases[0] with
            {
                Judgements = [new Judgement { Key = new GateKey($"case {index}", Figure.Throughput), Verdict = verdict, Margin = 1.05 }],
            })],
        };
        Assert.Equal(0, With(GateVerdict.Same, GateVerdict.Inconclusive).ExitCode);
        Assert.Equal(2, With(GateVerdict.Inconclusive, GateVerdict.Inconclusive).ExitCode);
        Assert.StartsWith("could not be judged: none slower, 2 inconclusive", With(GateVerdict.Inconclusive, GateVerdict.Inconclusive).Summary, StringComparison.Ordinal);
        Assert.Equal(2, With().ExitCode);
        Assert.Equal(2, (With(GateVerdict.Same) with { Lost = ["gone"] }).ExitCode);
        Assert.Equal(1, (With(GateVerdict.Slower) with { Lost = ["gone"] }).ExitCode);
    }

    /// <summary>The result with every text from outside trying to break out.</summary>
    internal static GateResult Spoilt(GateResult result) => result with
    {
        Base = new GateSideInfo("base " + Hostile.Text),
        Head = new GateSideInfo("head " + Hostile.Text) { Version = Hostile.Text, Commit = Hostile.Text },
        CommandLine = Hostile.Text,
        Target = Hostile.Text,
        BaseOnly = [Hostile.Text],
        HeadOnly = [Hostile.Text],
        Lost = [Hostile.Text],
        Differences = [new TraitDifference(Hostile.Text, Hostile.Text, Hostile.Text, TraitKind.Device)],
        Warnings = [Hostile.Text],
        Cases = [.. result.Cases.Select(one => one with
        {
            Name = one.Name + Hostile.Text,
            Workload = Hostile.Text,
            Parameters = one.Parameters.ToDictionary(pair => pair.Key + Hostile.Text, pair => pair.Value + Hostile.Text),
            Judgements = [.. one.Judgements.Select(judgement => judgement with { Key = judgement.Key with { Case = one.Name + Hostile.Text }, Reason = Hostile.Text })],
            Pairs = [.. one.Pairs.Select(pair => pair with { Discarded = pair.Number == 3 ? Hostile.Text : null })],
            BaseRecord = Hostile.Of(one.BaseRecord!),
            HeadRecord = Hostile.Of(one.HeadRecord!),
        })],
    };

    private static XDocument Parsed(string xml)
    {
        using var reader = XmlReader.Create(new StringReader(xml), new XmlReaderSettings { CheckCharacters = true, DtdProcessing = DtdProcessing.Prohibit });
        return XDocument.Load(reader);
    }

    [GeneratedRegex("<script type=\"application/json\"[^>]*>(.*?)</script>", RegexOptions.Singleline)]
    private static partial Regex JsonBlock();

    [GeneratedRegex("<script[ >]", RegexOptions.IgnoreCase)]
    private static partial Regex ScriptTag();

    [GeneratedRegex("href=\"#([^\"]+)\"")]
    private static partial Regex InnerLink();

    [GeneratedRegex("^\\|.*\\|$", RegexOptions.Multiline)]
    private static partial Regex TableLine();

    [GeneratedRegex(@"^\| ((?:`\w+`(?:, )?)+) \|", RegexOptions.Multiline)]
    private static partial Regex FieldRow();

    [GeneratedRegex(@"`(\w+)`")]
    private static partial Regex FieldName();
}
