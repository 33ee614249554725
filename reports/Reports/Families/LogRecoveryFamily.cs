using Bench.Reports.Charts;
using Bench.Reports.Content;

namespace Bench.Reports.Families;

/// <summary>Opening a log after a crash: how long it takes, and how fast it checks.</summary>
internal static class LogRecoveryFamily
{
    public const string Workload = "LogRecovery";
    public const string Id = "log-recovery";

    private static readonly string[] Parameters = ["UnflushedBytes", "Segments", "SegmentSize"];

    private static CaseFigure Recovery { get; } = CaseFigure.Metric("recoverySeconds", "Time until the log is open", Quantity.Seconds);

    private static CaseFigure Checked { get; } = CaseFigure.Throughput with { AxisName = "Log checked per second" };

    public static Section Build(IReadOnlyList<CaseView> cases)
    {
        var swept = Parameters.Where(parameter => CaseCharts.Swept(cases, parameter).Length > 0).ToArray();
        return new Section(Id, "Opening the log after a crash",
            "What was not known to be flushed is read and checked before the log takes the next append. The rest is opened by its indexes.")
        {
            Groups = Section.GroupsOf(
                new ChartGroup("Recovery time", "", swept.Length == 0 ? Section.Drawn([CaseCharts.Bars($"{Id}-time", "All cases", "", cases, Recovery)])
                    : Over(cases, swept, "time", Recovery)),
                new ChartGroup("Checking speed", "", Section.Drawn([CaseCharts.Bars($"{Id}-checked", "All cases", "", cases, Checked)]))),
            Cases = CaseTable.Of("All recovery cases", cases),
            Views = cases,
        };
    }

    private static IReadOnlyList<Chart> Over(IReadOnlyList<CaseView> cases, string[] parameters, string id, CaseFigure shows) =>
        Section.Drawn(parameters.Select(parameter => CaseCharts.Over($"{Id}-{id}-{parameter.ToLowerInvariant()}", $"By {Words.Name(parameter)}", "",
            CaseCharts.Swept(cases, parameter), parameter, shows, new SeriesColors())));
}
