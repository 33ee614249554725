using Bench.Measure.Records;
using Bench.Reports.Advice;
using Bench.Reports.Answers;
using Bench.Reports.Families;
using Bench.Reports.Limits;

namespace Bench.Reports.Content;

/// <summary>All that a report says, before it is HTML or Markdown: both renderers write the same content.</summary>
internal sealed record ReportContent
{
    public required IReadOnlyList<RunView> Runs { get; init; }

    /// <summary>From so many cases on a page keeps what can be read of so many, and the records have the rest.</summary>
    private const int Many = 1500;

    // Charts of a kind. Each costs a page of very many cases some 70 KB and its browser a part of every redrawing.
    private const int MostCharts = 24, MostChartsOfMany = 8;

    // Of what is not proven, a chapter; what is said of hundreds is said of the cause, above.
    private const int MostEvidenceOfMany = 100;

    /// <summary>Whether evidence and parameters of proven cases are left to the records.</summary>
    public bool IsLarge => Records.Count > Many;

    /// <summary>The cases of a chapter whose evidence is written: all, and of very many the worst.</summary>
    public IReadOnlyList<CaseView> Evident(Section section) => !IsLarge ? section.Views
        : [.. section.Views.Where(view => view.Status != CaseStatus.Proven).OrderByDescending(view => view.Status).Take(MostEvidenceOfMany)];

    /// <summary>
    /// The records as they go into the page; of very many without histograms, timelines and the counters of each pass,
    /// which are most of them. The claims keep the counters of the worst pass.
    /// </summary>
    public IEnumerable<RunRecord> CarriedRecords => !IsLarge ? Records : Records.Select(record => record with
    {
        Timeline = null,
        Passes = [.. record.Passes.Select(pass => new PassRecord
        {
            StartSeconds = pass.StartSeconds, Seconds = pass.Seconds, Bytes = pass.Bytes, Operations = pass.Operations, CpuUserSeconds = pass.CpuUserSeconds, CpuSystemSeconds = pass.CpuSystemSeconds, ThreadCpuSeconds = pass.ThreadCpuSeconds,
        })],
        DisturbedPasses = null,
        LatencyNs = record.LatencyNs.ToDictionary(pair => pair.Key, pair => pair.Value with { Histogram = "" }),
    });

    /// <summary>Of one run over several targets: all its cases together, for what is the same for all; null otherwise.</summary>
    public RunView? SharedFacts => Runs.Count > 1 && Runs.All(run => run.Name == Runs[0].Name)
        ? new RunView(0, default, Runs[0].Name) { Cases = [.. Runs.SelectMany(run => run.Cases)] } : null;

    /// <summary>Whether the reader has named the runs or targets; what they are called themselves is not needed then.</summary>
    public required bool Named { get; init; }

    /// <summary>Whether names of folders were left out.</summary>
    public required bool Anonymous { get; init; }

    /// <summary>What the report is of: the reader's names, or file system and disk of each target.</summary>
    public string Title
    {
        get
        {
            string[] names = [.. Named ? Runs.Select(run => run.Label.Full) : Runs.Select(run => RunFacts.Target(run.First)).Distinct()];
            return names.Length == 0 ? "Bench: no cases" : names.Length == 1 ? names[0] : $"{string.Join(", ", names[..^1])} and {names[^1]}";
        }
    }

    /// <summary>What lies under a run's target; where its folder is left out, under the name that it was given instead.</summary>
    public TreeNode Under(RunView run)
    {
        var tree = TopologyTree.Of(run.First.Target);
        return Named && Anonymous ? tree with { Name = run.Label.Full } : tree;
    }

    /// <summary>The records as they may be shown: redacted if that was asked for.</summary>
    public required IReadOnlyList<RunRecord> Records { get; init; }

    /// <summary>What makes figures doubtful, each once.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Cases that failed or are contradicted or unproven.</summary>
    public required IReadOnlyList<CaseView> Problems { get; init; }

    /// <summary>What to set on each target.</summary>
    public required AdviceBook Advice { get; init; }

    public required IReadOnlyList<Answer> Answers { get; init; }

    public required IReadOnlyList<Section> Sections { get; init; }

    /// <summary>All cases with requested and effective parameters.</summary>
    public required Table Parameters { get; init; }

    public static ReportContent Of(IReadOnlyList<RunRecord> records, ReportOptions options)
    {
        var (shown, readWarnings) = options.Anonymous ? Redaction.Apply(records, options.Warnings) : (records, options.Warnings);
        var runs = RunView.Of(shown, options.Names);
        CaseView[] cases = [.. runs.SelectMany(run => run.Cases)];
        return new ReportContent
        {
            Runs = runs,
            Named = options.Names.Count > 1,
            Anonymous = options.Anonymous,
            Records = shown,
            Warnings = AllWarnings(readWarnings, cases),
            Problems = [.. cases.Where(view => view.Status != CaseStatus.Proven).OrderByDescending(view => view.Status)],
            Advice = AdviceBook.Of(runs),
            Answers = AnswerBook.Of(runs),
            Sections = [.. Families(cases).Concat(LimitsSection.Of(runs) is { } limits ? [limits] : []).Select(section => section.WithMost(shown.Count > Many ? MostChartsOfMany : MostCharts))],
            Parameters = ParameterTable.Of(cases),
        };
    }

    private static IEnumerable<Section> Families(IReadOnlyList<CaseView> cases)
    {
        var number = 0;
        // The known families first and in a fixed order; the rest as the records bring them.
        string[] known = [SteadyStateFamily.Workload, AccessPatternFamily.Workload, CachePathFamily.Workload, TransferFamily.Workload,
            LogAppendFamily.Workload, LogReadFamily.Workload, LogRecoveryFamily.Workload, LogEncodeFamily.Workload];
        var groups = cases.GroupBy(view => view.Record.Workload).OrderBy(group => (uint)Array.IndexOf(known, group.Key));
        foreach (var group in groups)
        {
            CaseView[] family = [.. group];
            yield return group.Key switch
            {
                SteadyStateFamily.Workload => SteadyStateFamily.Build(family),
                AccessPatternFamily.Workload => AccessPatternFamily.Build(family),
                CachePathFamily.Workload => CachePathFamily.Build(family),
                TransferFamily.Workload => TransferFamily.Build(family),
                LogAppendFamily.Workload => LogAppendFamily.Build(family, cases),
                LogReadFamily.Workload => LogReadFamily.Build(family),
                LogRecoveryFamily.Workload => LogRecoveryFamily.Build(family),
                LogEncodeFamily.Workload => LogEncodeFamily.Build(family),
                _ => GenericFamily.Build(group.Key, ++number, family),
            };
        }
    }

    /// <summary>The machine's and the target's first; then those of cases, with how many cases each concerns.</summary>
    private static IReadOnlyList<string> AllWarnings(IReadOnlyList<string> ofReading, IReadOnlyList<CaseView> cases)
    {
        var general = cases.SelectMany(view => view.Record.Host.Warnings.Concat(view.Record.Target.Warnings));
        return [.. ofReading.Concat(general).Concat(DriftCheck.Of(cases)).Concat(WarningDigest.Of(cases)).Distinct()];
    }
}
