using Bench.Measure.Records;
using Bench.Reports.Families;

namespace Bench.Reports.Content;

/// <summary>The table of all cases of a family: parameters that differ, figures, verdict.</summary>
internal static class CaseTable
{
    public static Table Of(string caption, IReadOnlyList<CaseView> cases)
    {
        var parameters = CaseCharts.Varying(cases);
        var fixedOnes = cases.SelectMany(view => view.Record.Parameters.Keys).Distinct().Except(parameters)
            .Select(parameter => cases[0].Say(parameter)).Where(text => text != "-").ToArray();
        var metrics = cases.SelectMany(view => view.Record.Metrics.Keys).Distinct().ToArray();
        var runs = cases.Select(view => view.RunLabel).Distinct().Skip(1).Any();
        var anyBytes = cases.Any(view => view.Record.BytesPerSecond is { Median: > 0 });
        var anyLatency = cases.Any(view => view.Latency is not null);

        var columns = new List<(Column Column, Func<CaseView, string> Cell)>();
        void Text(string name, Func<CaseView, string> cell) => columns.Add((new Column(name, Numeric: false), cell));
        void Figure(string name, Func<CaseView, string> cell) =>
            columns.Add((new Column(name, Numeric: true), view => view.Failed ? Format.Missing : cell(view)));

        if (runs)
            Text(CaseView.RunColumn(cases), view => view.RunLabel);
        foreach (var parameter in parameters)
            Text(Words.Sentence(Words.Name(parameter)), view => ParameterCell(parameter, view));
        if (parameters.Length == 0 && !runs)
            Text("Case", view => view.Record.Workload);
        // Before the figures, so that it is on the screen however wide the table is.
        columns.Add((new Column("Evidence", Numeric: false) { Verdict = true }, view => view.StatusMark));
        foreach (var metric in metrics)
        {
            var (name, quantity) = Metric(metric);
            Figure(name, view => Format.Short(quantity, view.Record.Metrics.GetValueOrDefault(metric)?.Median));
        }
        if (anyBytes)
        {
            Figure("Throughput", view => Format.Value(Quantity.BytesPerSecond, view.Record.BytesPerSecond?.Median));
            Figure(Words.Sentence(PassInterval.Words(cases)), view => view.HasInterval ? Format.Interval(Quantity.BytesPerSecond, view.Record.BytesPerSecond?.Low, view.Record.BytesPerSecond?.High) : Format.Missing);
        }
        Figure("IOPS", view => view.Record.OperationsPerSecond is { } iops ? Format.Scaled(iops.Median) : Format.Missing);
        if (anyLatency)
        {
            Figure("p50", view => Nanoseconds(view, 2, latency => latency.P50));
            Figure("p99", view => Nanoseconds(view, 100, latency => latency.P99));
            Figure("p99.9", view => Nanoseconds(view, 1_000, latency => latency.P999));
            Figure("max", view => Nanoseconds(view, 1, latency => latency.Max));
        }
        // What else was timed beside the operation itself: flushes, rolls, the writer beside a reader.
        foreach (var kind in cases.SelectMany(view => view.OtherLatencies).Distinct())
            Figure($"{kind} p99", view => view.LatencyOf(kind) is { Count: >= 100 } latency ? Format.Nanoseconds(latency.P99) : Format.Missing);
        Figure("CPU/op", view => CpuPerOperation(view.Record.Passes));
        var suffix = fixedOnes.Length == 0 ? "" : $" ({string.Join(", ", fixedOnes)})";
        return new Table(caption + suffix, [.. columns.Select(column => column.Column)],
            [.. cases.Select(view => new Row([.. columns.Select(column => column.Cell(view))], view.StatusClass, view.Anchor))]);
    }

    /// <summary>A metric's name in words and how it is written.</summary>
    public static (string Name, Quantity Quantity) Metric(string name) => name switch
    {
        "valuesPerSecond" => ("Values/s", Quantity.ValuesPerSecond),
        "cpuSecondsPerGB" => ("CPU s/GB", Quantity.CpuSecondsPerGB),
        "cpuUserSecondsPerGB" => ("user", Quantity.CpuSecondsPerGB),
        "cpuSystemSecondsPerGB" => ("system", Quantity.CpuSecondsPerGB),
        "dataAtRiskBytes" => ("At risk", Quantity.Bytes),
        "dataAtRiskMs" => ("At risk for", Quantity.Milliseconds),
        "recordsPerSecond" => ("Records/s", Quantity.Number),
        "rolls" => ("Rolls", Quantity.Number),
        "flushes" => ("Flushes in the pass", Quantity.Number),
        "writerP99Ns" => ("Writer p99", Quantity.Nanoseconds),
        "recoverySeconds" => ("Recovery", Quantity.Seconds),
        _ => (name, Quantity.Number),
    };

    private static string ParameterCell(string parameter, CaseView view) =>
        view[parameter] == "-" ? Format.Missing : Words.Place(parameter, view[parameter]);

    private static string Nanoseconds(CaseView view, long atLeast, Func<LatencyRecord, long> value) =>
        view.Latency is { } latency && latency.Count >= atLeast ? Format.Nanoseconds(value(latency)) : Format.Missing;

    private static string CpuPerOperation(IReadOnlyList<PassRecord> passes)
    {
        var operations = passes.Sum(pass => pass.Operations);
        return operations == 0 ? Format.Missing
            : Format.Nanoseconds(passes.Sum(pass => pass.CpuUserSeconds + pass.CpuSystemSeconds) / operations * 1e9);
    }
}
