using Bench.Measure.Records;
using Bench.Reports;

namespace Bench.Commands;

/// <summary>The files of a report: the page, the Markdown and, in a build with ScottPlot, the charts as pictures.</summary>
internal static class ReportFiles
{
    /// <summary>Writes them and says where, on standard error.</summary>
    /// <param name="runs">Run folders or files of records.</param>
    /// <param name="page">The HTML file; the rest goes beside it.</param>
    /// <param name="options">What the reader wants.</param>
    /// <exception cref="RecordException">A run that is not there, or a file that holds no records.</exception>
    internal static void Write(IReadOnlyList<string> runs, string page, ReportOptions options)
    {
        foreach (var warning in ReportWriter.Write(runs, page, options))
            Console.Error.WriteLine($"Warning  {warning}");
#if SCOTTPLOT
        var records = runs.SelectMany(run => RunStore.Read(run).Records).ToArray();
        Bench.Reports.StaticImages.StaticCharts.Write(ReportCharts.Of(records, options), Path.Combine(Path.GetDirectoryName(page)!, "charts"));
#endif
        Console.Error.WriteLine($"Report   {page}");
    }
}
