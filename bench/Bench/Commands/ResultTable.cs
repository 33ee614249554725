using System.Globalization;
using Bench.Measure.Records;
using Bench.Reports.Comparison;
using Spectre.Console;

namespace Bench.Commands;

/// <summary>The table at the end of a run, on standard output.</summary>
internal static class ResultTable
{
    /// <summary>What is left for the case's name and for its evidence each, or the table is one of broken words.</summary>
    private const int LeastTextColumns = 20;

    internal static void Write(IReadOnlyList<RunRecord> records) => Write(records, StandardOutput.Console());

    internal static void Write(IReadOnlyList<RunRecord> records, IAnsiConsole console)
    {
        if (records.Count == 0)
            return;
        var several = records.Select(record => record.Target.Folder).Distinct().Count() > 1;
        foreach (var group in records.GroupBy(record => record.Workload))
        {
            var table = new Table().Border(TableBorder.Simple).Title($"[bold]{Markup.Escape(group.Key)}[/]");
            if (Needed(group, several) > console.Profile.Width)
            {
                WriteBlocks(console, group, several);
                continue;
            }
            var interval = Reports.Content.PassInterval.Words(group.Where(record => record.Error is null).Select(record => record.Passes.Count).DefaultIfEmpty(0).Min());
            if (several)
                table.AddColumn(new TableColumn("target"));
            foreach (var column in new[] { "case", "MB/s", interval, "op/s", "p50", "p99", "p99.9", "evidence" })
                table.AddColumn(new TableColumn(column) { Alignment = column is "case" or "evidence" ? Justify.Left : Justify.Right, NoWrap = column is not ("case" or "evidence") });
            foreach (var record in group)
                table.AddRow([.. several ? [new Markup(Markup.Escape(record.Target.Folder))] : Array.Empty<Markup>(), .. Cells(record).Select(cell => new Markup(cell))]);
            console.Write(table);
        }
    }

    /// <summary>How wide a table has to be: the six figures do not wrap.</summary>
    private static int Needed(IEnumerable<RunRecord> group, bool several)
    {
        const int padding = 3;
        string[][] rows = [.. group.Select(record => Cells(record).ToArray())];
        return 2 * (LeastTextColumns + padding) + (several ? LeastTextColumns + padding : 0)
            + Enumerable.Range(1, 6).Sum(column => rows.Max(row => row[column].Length) + padding);
    }

    /// <summary>A terminal that is too narrow for the table: each case in lines of its own.</summary>
    private static void WriteBlocks(IAnsiConsole console, IGrouping<string, RunRecord> group, bool several)
    {
        console.MarkupLine($"[bold]{Markup.Escape(group.Key)}[/]");
        foreach (var record in group)
        {
            string[] cells = [.. Cells(record)];
            console.MarkupLine(several ? $"{Markup.Escape(record.Target.Folder)}: {cells[0]}" : cells[0]);
            string[] figures = [.. new[] { $"{cells[1]} MB/s{(cells[2].Length > 0 ? $" ({cells[2]})" : "")}", $"{cells[3]} op/s", $"p50 {cells[4]}", $"p99 {cells[5]}", $"p99.9 {cells[6]}" }.Where((_, index) => cells[index == 0 ? 1 : index + 2].Length > 0)];
            if (figures.Length > 0)
                console.MarkupLine("  " + string.Join(", ", figures));
            console.MarkupLine($"  {cells[^1]}");
        }
    }

    /// <summary>The parameters that tell a case from its neighbours, without those at their usual value.</summary>
    internal static string ShortName(string workload, IReadOnlyDictionary<string, string> parameters)
    {
        var words = parameters
            .Where(pair => pair.Value is not ("-" or "1" or "psync"))
            .Select(pair => pair.Key switch
            {
                "QueueDepth" => $"depth {pair.Value}",
                "Threads" => $"{pair.Value} threads",
                "FileSize" or "WorkingSet" => $"of {pair.Value}",
                "ChunkSize" => $"{pair.Value} chunks",
                "Pages" => $"{pair.Value} pages",
                "SegmentSize" => $"segments of {pair.Value}",
                "BatchSize" => $"batches of {pair.Value}",
                "RecordSize" => $"records of {pair.Value}",
                "FetchSize" => $"fetches of {pair.Value}",
                "FlushPolicy" => $"flush {pair.Value}",
                "Partitions" or "Producers" or "Segments" => $"{pair.Value} {pair.Key.ToLowerInvariant()}",
                "UnflushedBytes" => $"{pair.Value} unflushed",
                "Compression" when pair.Value == "None" => "uncompressed",
                _ => pair.Value,
            })
            .Where(word => word != "None");
        return $"{workload} {string.Join(' ', words)}";
    }

    internal static string Rate(double bytesPerSecond) => bytesPerSecond >= 1e10
        ? string.Create(CultureInfo.InvariantCulture, $"{bytesPerSecond / 1e9:0.0} GB/s")
        : string.Create(CultureInfo.InvariantCulture, $"{Significant(bytesPerSecond / 1e6)} MB/s");

    /// <summary>The case, its figures, its evidence.</summary>
    private static IEnumerable<string> Cells(RunRecord record)
    {
        var name = Markup.Escape(ShortName("", record.Parameters).Trim());
        if (record.Error is { } error)
            return [name, "", "", "", "", "", "", $"[red]failed: {Markup.Escape(error)}[/]"];
        var latency = Figures.LatencyOf(record);
        var bytes = record.BytesPerSecond!;
        return
        [
            name,
            Significant(bytes.Median / 1e6),
            // One pass has no range.
            record.Passes.Count < 2 ? "" : $"{Significant(bytes.Low / 1e6)}–{Significant(bytes.High / 1e6)}",
            Significant(record.OperationsPerSecond!.Median),
            Latency(latency?.P50),
            // As in the report: a percentile that no value lies beyond is the maximum's other name.
            Latency(latency is { Count: >= 100 } ? latency.P99 : null),
            Latency(latency is { Count: >= 1_000 } ? latency.P999 : null),
            Evidence(record.Evidence),
        ];
    }

    private static string Evidence(EvidenceRecord evidence) => evidence.Verdict switch
    {
        Verdict.Proven => $"[green]proven[/] {Markup.Escape(string.Join(", ", evidence.Claims.Select(claim => claim.Claim)))}",
        Verdict.Contradicted => $"[red]contradicted[/] {Markup.Escape(string.Join("; ", evidence.Claims.Where(claim => claim.Verdict == Verdict.Contradicted).Select(claim => $"not {claim.Claim}: {claim.Reason}")))}",
        _ => $"[yellow]unproven[/] {Markup.Escape(string.Join("; ", evidence.Claims.Where(claim => claim.Verdict == Verdict.Unproven).Select(claim => $"{claim.Claim}: {claim.Reason}")))}",
    };

    private static string Latency(long? nanoseconds) => nanoseconds switch
    {
        null => "",
        < 1_000_000 and var ns => string.Create(CultureInfo.InvariantCulture, $"{Significant(ns / 1e3)} µs"),
        < 1_000_000_000 and var ns => string.Create(CultureInfo.InvariantCulture, $"{Significant(ns / 1e6)} ms"),
        { } ns => string.Create(CultureInfo.InvariantCulture, $"{Significant(ns / 1e9)} s"),
    };

    /// <summary>Three significant digits, never in powers of ten.</summary>
    private static string Significant(double value) => value switch
    {
        >= 100 => value.ToString("#,##0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.00", CultureInfo.InvariantCulture),
    };
}
