using Bench.Reports.Families;

namespace Bench.Reports.Content;

/// <summary>How the figures came to be, for a reader who wants to doubt them.</summary>
internal static class MethodText
{
    /// <summary>How long the passes are, from the passes.</summary>
    private static string Length(ReportContent content)
    {
        double[] lengths = [.. content.Records.SelectMany(record => record.Passes).Select(pass => pass.Seconds).Order()];
        return lengths.Length == 0 ? "" : $" (here half of them took {Format.Seconds(lengths[lengths.Length / 2])} or longer)";
    }

    public static IReadOnlyList<(string Name, string Text)> Of(ReportContent content)
    {
        var counts = content.Records.Where(record => record.Passes.Count > 0).GroupBy(record => record.Passes.Count).OrderBy(group => group.Key)
            .Select(group => $"{Format.Count(group.Count())} with {Format.Count(group.Key)} passes ({Format.Significant(100 * PassInterval.Coverage(group.Key))} %)").ToArray();
        return
        [
            ("A pass", $"One pass is a fixed amount of work{Length(content)}. Before it, the files are real (allocated, random content) and the cache is in the state that the case names; "
                + "after it, the counters of the process, of the page cache and of the device are read again. One pass runs unmeasured first."),
            ("The sample", "One value per pass, never one per operation: operations within a pass depend on each other. The figure shown is the median over the passes."),
            ("The interval", "Throughout, the exact interval of the median from order statistics, 95 % where the passes suffice. Few passes cannot reach 95 %; then it is the whole range, whose coverage is 1 − 2¹⁻ⁿ"
                + (counts.Length == 0 ? "." : $". Cases here: {string.Join(", ", counts)}.")),
            ("Ratios", "The Hodges–Lehmann estimate, the median of the ratios of every pass of one case to every pass of the other, with its exact interval from the Mann–Whitney distribution. "
                + "An interval that includes 1 is called no difference. It does not cover drift between cases that ran minutes apart."),
            ("Latency", "From a histogram with at most 1 % relative error over all measured passes of the case. A percentile is shown only if the operations suffice to have one beyond it."),
            .. content.Records.Any(record => record.Workload == LogAppendFamily.Workload) ? ((string, string)[])[
                ("Data at risk", "What was acknowledged to a producer and not yet flushed: a crash of the machine may take it, a crash of the program alone does not. The figure of a pass is its highest.")] : [],
            .. content.Records.Any(record => record.Timeline is not null) ? ((string, string)[])[
                ("Timelines", "One pass, or all rounds to a steady state, cut into equal intervals. An operation belongs to the interval in which it ended; its percentiles are at most 6.25 % above the truth, the slowest is exact. The rounds were watched from another thread ten times a second, so that they are no other loop than the passes. Of many flushes or rolls the longest are shown.")] : [],
            ("Units", "MB/s is 10⁶ bytes per second, as fio prints it; sizes in KiB, MiB and GiB are binary. CPU per operation and per GB is user and system time of the measuring process."
                + (content.Records.Any(record => record.Parameters.ContainsKey("Rate")) ? " At an offered rate it contains the waiting for the next arrival, which does not sleep when that is near: it is no cost of the operation." : "")),
            ("Proven", "The counters show that the case did what its name says, for instance that a cold read came from the device and not from memory."),
            ("Unproven", "Something needed to show it could not be read here, or the case claims nothing. The figure may be right."),
            ("Contradicted", "The counters show the opposite. The figure is shown, crossed out in charts, and no answer stands on it."),
        ];
    }
}
