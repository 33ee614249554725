using Bench.Measure.Records;
using Bench.Reports.Charts;
using Bench.Reports.Content;

namespace Bench.Reports;

/// <summary>The charts of a report as plain values, for renderers outside the page.</summary>
public static class ReportCharts
{
    /// <summary>Every chart of the page, in its order; <see cref="Chart.Id"/> serves as a file name.</summary>
    /// <param name="records">Of one run or of several.</param>
    /// <param name="options">What the reader wants.</param>
    public static IReadOnlyList<Chart> Of(IReadOnlyList<RunRecord> records, ReportOptions options)
    {
        var content = ReportContent.Of(records, options);
        return [.. content.Advice.Targets.Select(target => target.Picture).OfType<Chart>(), .. content.Sections.SelectMany(section => section.Groups).SelectMany(group => group.Charts)];
    }
}
