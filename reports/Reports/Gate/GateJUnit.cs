using System.Globalization;
using System.Text;
using System.Xml;
using Bench.Reports.Comparison;

namespace Bench.Reports.Gate;

/// <summary>
/// A gate's result as JUnit XML, in the part of it that GitHub's actions, GitLab and Jenkins all read: one suite, one
/// test a case and figure; <c>failure</c> is slower, <c>error</c> not judged, <c>skipped</c> inconclusive. Names are the
/// cases' own, not shortened: a server keeps a test's history by its name.
/// </summary>
public static class GateJUnit
{
    /// <summary>Renders the document. The same result gives the same text under every culture.</summary>
    public static string Render(GateResult result)
    {
        var rows = GateRow.Of(result);
        return Document($"bench: {result.Head.Name} against {result.Base.Name}", xml => Totals(xml, result, rows.Count), xml =>
        {
            xml.WriteAttributeString("timestamp", result.StartedUtc.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture));
            Properties(xml, result);
            foreach (var row in rows)
                Test(xml, row);
            foreach (var name in result.Lost)
                Missing(xml, name, "the base has this case and the head does not");
            if (rows.Count + result.Lost.Count == 0)
                Missing(xml, "cases in both", "no case is in both: nothing was judged");
            xml.WriteElementString("system-out", Allowed(string.Join('\n', [result.Summary, .. GateWords.Notes(result), .. result.Differences.Select(difference => $"differs: {difference}"), .. result.Unpaired.Select(name => $"without a partner: {name}")])));
        });
    }

    /// <summary>The document of a gate that came to no result: one test, which is in error.</summary>
    /// <param name="reason">Why it came to none.</param>
    public static string RenderNone(string reason) => Document("bench", xml => Totals(xml, 1, 0, 1, 0, 0), xml => Missing(xml, "gate", reason));

    private static string Document(string suite, Action<XmlWriter> totals, Action<XmlWriter> content)
    {
        using var text = new Utf8Text();
        using (var xml = XmlWriter.Create(text, new XmlWriterSettings { Indent = true, NewLineChars = "\n", NewLineHandling = NewLineHandling.Entitize }))
        {
            xml.WriteStartElement("testsuites");
            totals(xml);
            xml.WriteStartElement("testsuite");
            xml.WriteAttributeString("name", Allowed(suite));
            totals(xml);
            content(xml);
            xml.WriteEndElement();
            xml.WriteEndElement();
        }
        return text.ToString();
    }

    private static void Totals(XmlWriter xml, GateResult result, int count) => Totals(xml, Math.Max(1, count + result.Lost.Count), result.Count(GateVerdict.Slower),
        count + result.Lost.Count == 0 ? 1 : result.Count(GateVerdict.NotJudged) + result.Lost.Count, result.Count(GateVerdict.Inconclusive), result.Seconds);

    private static void Totals(XmlWriter xml, int tests, int failures, int errors, int skipped, double seconds)
    {
        void Number(string name, int value) => xml.WriteAttributeString(name, value.ToString(CultureInfo.InvariantCulture));
        Number("tests", tests);
        Number("failures", failures);
        Number("errors", errors);
        Number("skipped", skipped);
        xml.WriteAttributeString("time", seconds.ToString("0.###", CultureInfo.InvariantCulture));
    }

    private static void Properties(XmlWriter xml, GateResult result)
    {
        xml.WriteStartElement("properties");
        foreach (var (name, value) in new (string, string?)[]
        {
            ("run", result.Run), ("base", result.Base.Commit ?? result.Base.Version), ("head", result.Head.Commit ?? result.Head.Version), ("fingerprint", result.Fingerprint.Hash),
            ("target", result.Target), ("alpha", result.Alpha.ToString(CultureInfo.InvariantCulture)), ("unlike", result.Unlike ? "true" : null), ("fromRecords", result.FromRecords ? "true" : null),
        })
        {
            if (value is null)
                continue;
            xml.WriteStartElement("property");
            xml.WriteAttributeString("name", name);
            xml.WriteAttributeString("value", Allowed(value));
            xml.WriteEndElement();
        }
        xml.WriteEndElement();
    }

    private static void Test(XmlWriter xml, GateRow row)
    {
        xml.WriteStartElement("testcase");
        xml.WriteAttributeString("classname", Allowed(row.Case.Workload));
        xml.WriteAttributeString("name", Allowed($"{row.Case.Name} {row.Figure.Name()}"));
        xml.WriteAttributeString("time", "0");
        var figures = $"{row.Judgement.Verdict.Words()}: cost {row.RatioText}, {(row.Judgement.Level is { } level ? GateWords.Level(level) + " interval " : "interval ")}{row.IntervalText}, base {row.BaseText}, head {row.HeadText}";
        var message = row.Judgement.Reason is { } reason ? $"{row.Judgement.Verdict.Words()}: {reason}" : figures;
        switch (row.Judgement.Verdict)
        {
            case GateVerdict.Slower:
                Outcome(xml, "failure", message, "slower", figures);
                break;
            case GateVerdict.NotJudged:
                Outcome(xml, "error", message, "not judged", message);
                break;
            case GateVerdict.Inconclusive:
                xml.WriteStartElement("skipped");
                xml.WriteAttributeString("message", Allowed(row.Judgement.Reason is null ? figures : $"{message} ({figures})"));
                xml.WriteEndElement();
                break;
            default:
                xml.WriteElementString("system-out", Allowed(figures));
                break;
        }
        xml.WriteEndElement();
    }

    /// <summary>A suite without a test would pass everywhere.</summary>
    private static void Missing(XmlWriter xml, string name, string message)
    {
        xml.WriteStartElement("testcase");
        xml.WriteAttributeString("classname", "bench");
        xml.WriteAttributeString("name", Allowed(name));
        xml.WriteAttributeString("time", "0");
        Outcome(xml, "error", message, "not judged", message);
        xml.WriteEndElement();
    }

    private static void Outcome(XmlWriter xml, string element, string message, string type, string text)
    {
        xml.WriteStartElement(element);
        xml.WriteAttributeString("message", Allowed(message));
        xml.WriteAttributeString("type", type);
        xml.WriteString(Allowed(text));
        xml.WriteEndElement();
    }

    /// <summary>What XML 1.0 can hold, without the characters that turn the direction of text around.</summary>
    private static string Allowed(string text)
    {
        var allowed = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            allowed.Append(rune.Value switch
            {
                '\n' or '\t' => rune.ToString(),
                (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069) or 0xFFFE or 0xFFFF => "\uFFFD",
                _ when Rune.IsControl(rune) => "\uFFFD",
                _ => rune.ToString(),
            });
        return allowed.ToString();
    }

    /// <summary>The document says UTF-8, which is how it is written to a file; a plain StringWriter would make it say UTF-16.</summary>
    private sealed class Utf8Text() : StringWriter(CultureInfo.InvariantCulture)
    {
        public override Encoding Encoding => new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
    }
}
