using System.Text;
using System.Text.Json;
using Bench.Measure.Records;
using Bench.Reports.Charts;
using Bench.Reports.Content;
using Bench.Reports.Families;

namespace Bench.Reports.Html;

/// <summary>
/// The part of the page in which a reader chooses the axes: any parameter along, any other one as series, all else held.
/// bench-fio draws the pairs that its author thought of (fio-plot #67); the chapters above do the same, and this does
/// not. The page's script draws it from the data written here, in which every figure is text already.
/// </summary>
internal static class Explorer
{
    private static readonly (string Name, string Unit, Func<CaseView, double?> Value, Quantity Quantity)[] Shown =
    [
        ("Throughput", "bytesPerSecond", view => view.Record.BytesPerSecond?.Median, Quantity.BytesPerSecond),
        ("Operations per second", "operationsPerSecond", view => view.Record.OperationsPerSecond?.Median, Quantity.OperationsPerSecond),
        ("Median latency", "nanoseconds", view => view.Latency is { Count: >= 2 } latency ? latency.P50 : null, Quantity.Nanoseconds),
        ("99th percentile of latency", "nanoseconds", view => view.Latency is { Count: >= 100 } latency ? latency.P99 : null, Quantity.Nanoseconds),
    ];

    /// <summary>Whether there is anything to choose: a workload two of whose parameters vary.</summary>
    public static bool HasChoice(IReadOnlyList<RunView> runs) => Workloads(runs).Any();

    /// <summary>Writes the controls' place and the data.</summary>
    public static void Write(HtmlWriter html, IReadOnlyList<RunView> runs)
    {
        html.Raw("<section id=\"explore\" class=\"family\" hidden><h2>Choose the axes</h2><p class=\"lead\">Any parameter along, any other one as series; what remains is held at the value that is chosen for it.</p>")
            .Raw("<form id=\"explore-form\" class=\"explore\"></form><p id=\"explore-said\" class=\"detail\" role=\"status\"></p><ul id=\"explore-legend\" class=\"legend\"></ul>")
            .Raw("<div id=\"explore-plot\" class=\"explored\" role=\"img\" aria-label=\"\"></div><script type=\"application/json\" id=\"explore-data\">")
            .Raw(Data(runs)).Raw("</script></section>");
    }

    private static IEnumerable<(string Name, CaseView[] Cases, string[] Parameters)> Workloads(IReadOnlyList<RunView> runs) =>
        runs.SelectMany(run => run.Cases).Where(view => !view.Failed).GroupBy(view => view.Record.Workload)
            .Select(group => (group.Key, Cases: group.ToArray()))
            .Select(one => (one.Key, one.Cases, CaseCharts.Varying(one.Cases)))
            .Where(one => one.Item3.Length >= 2);

    /// <summary>JSON that is safe in a script element: the default encoder escapes what could end one.</summary>
    private static string Data(IReadOnlyList<RunView> runs)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteStartArray("runs");
            foreach (var run in runs)
                json.WriteStringValue(run.Label.Full);
            json.WriteEndArray();
            json.WriteStartArray("shapes");
            foreach (var series in Enumerable.Range(0, Marks.Pairs))
                json.WriteStringValue(Marks.Shape(series));
            json.WriteEndArray();
            json.WriteStartArray("dashes");
            foreach (var run in Enumerable.Range(0, Marks.Runs))
                JsonSerializer.Serialize(json, Marks.Dash(run));
            json.WriteEndArray();
            json.WriteStartArray("figures");
            foreach (var (name, unit, _, _) in Shown)
            {
                json.WriteStartObject();
                json.WriteString("name", name);
                json.WriteString("unit", unit);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartArray("workloads");
            foreach (var (name, cases, parameters) in Workloads(runs))
                Workload(json, name, cases, parameters);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    private static void Workload(Utf8JsonWriter json, string name, CaseView[] cases, string[] parameters)
    {
        string[][] values = [.. parameters.Select(parameter => CaseCharts.Values(cases, parameter))];
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteStartArray("parameters");
        foreach (var (parameter, its) in parameters.Zip(values))
        {
            json.WriteStartObject();
            json.WriteString("name", Words.Sentence(Words.Name(parameter)));
            // "no flush" has no flush method: such a case goes with any of them.
            json.WriteNumber("free", Array.IndexOf(its, "-"));
            json.WriteStartArray("values");
            foreach (var value in its)
                json.WriteStringValue(value == "-" ? "does not apply" : Words.Place(parameter, value));
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("cases");
        foreach (var view in cases)
        {
            // Run, verdict, places of the parameters' values, and for each figure its value and text.
            json.WriteStartArray();
            json.WriteNumberValue(view.RunIndex);
            json.WriteStringValue(VerdictWords.Class(view.Record.Evidence.Verdict));
            json.WriteStartArray();
            foreach (var (parameter, its) in parameters.Zip(values))
                json.WriteNumberValue(Array.IndexOf(its, view[parameter]));
            json.WriteEndArray();
            foreach (var (_, _, value, quantity) in Shown)
            {
                if (value(view) is { } figure && figure > 0 && double.IsFinite(figure))
                {
                    json.WriteNumberValue(Rounded(figure));
                    json.WriteStringValue(Format.Value(quantity, figure));
                }
                else
                {
                    json.WriteNullValue();
                    json.WriteNullValue();
                }
            }
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>As many digits as a screen has.</summary>
    private static double Rounded(double value)
    {
        var scale = Math.Pow(10, 4 - Math.Ceiling(Math.Log10(value)));
        return Math.Round(value * scale) / scale;
    }
}
