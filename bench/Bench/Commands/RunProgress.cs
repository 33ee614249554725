using System.Diagnostics;
using System.Globalization;
using Bench.Measure.Records;
using Bench.Measure.Running;
using Spectre.Console;

namespace Bench.Commands;

/// <summary>
/// Progress on standard error: a bar on a terminal, a line per case elsewhere. It draws only between passes, from the
/// thread that measures, so that no drawing costs CPU time within a pass.
/// </summary>
internal sealed class RunProgress(Plan plan, bool recordsToStandardOutput) : IRunObserver
{
    private readonly IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
    private readonly TimeLeft timeLeft = new(plan.Seconds);
    private ProgressContext? context;
    private ProgressTask? bar;
    private double doneSeconds;
    private int index;
    private int passes;
    private string name = "";
    private string rate = "";
    private long lastDrawn;

    /// <summary>Runs the work with the bar on the terminal.</summary>
    internal RunOutcome Show(Func<RunOutcome> work)
    {
        if (!console.Profile.Capabilities.Interactive || Console.IsErrorRedirected)
            return work();
        return console.Progress()
            .AutoRefresh(false)
            .AutoClear(true)
            .Columns(new ProgressBarColumn { Width = 24 }, new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(progress =>
            {
                context = progress;
                bar = progress.AddTask("starting", maxValue: plan.Seconds);
                return work();
            });
    }

    public void CaseStarted(CaseSpec spec, int index, int count)
    {
        this.index = index;
        passes = 0;
        name = ResultTable.ShortName(spec.Workload.Name, spec.Spelled);
        rate = "";
        Draw("", force: true);
    }

    public void Preparing(string what, double? share) =>
        Draw(share is { } done ? string.Create(CultureInfo.InvariantCulture, $"{what} {done:P0}") : what, force: share is null or >= 1);

    public void PassEnded(PassRecord pass)
    {
        passes++;
        rate = ResultTable.Rate(pass.Bytes / pass.Seconds);
        Draw("", force: false);
    }

    public void CaseEnded(RunRecord record)
    {
        if (recordsToStandardOutput)
            OutputError ??= TryTell(record);
        doneSeconds += plan.Estimates[index].Seconds;
        if (context is null)
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"[{index + 1}/{plan.Cases.Count}] {name}: {Outcome(record)}"));
    }

    /// <summary>Why standard output could not be written; null if it could. The records are on disk all the same.</summary>
    internal string? OutputError { get; private set; }

    /// <summary>Writes a record to standard output.</summary>
    /// <returns>Why it could not be written; null if it was.</returns>
    internal static string? TryTell(RunRecord record)
    {
        try
        {
            Console.Out.WriteLine(RecordJson.Write(record));
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception.Message;
        }
    }

    /// <summary>What became of a case, in a few words.</summary>
    internal static string Outcome(RunRecord record) =>
        record.Error is { } error ? "failed: " + error : $"{ResultTable.Rate(record.BytesPerSecond!.Median)}, {Words(record.Evidence.Verdict)}";

    private static string Words(Verdict verdict) => verdict switch
    {
        Verdict.Proven => "proven",
        Verdict.Contradicted => "CONTRADICTED",
        _ => "unproven",
    };

    private void Draw(string doing, bool force)
    {
        if (context is null || bar is null || (!force && Stopwatch.GetElapsedTime(lastDrawn).TotalMilliseconds < 200))
            return;
        lastDrawn = Stopwatch.GetTimestamp();
        var current = plan.Estimates[index].Seconds * Math.Min(1, passes / (double)plan.Settings.Passes);
        bar.Value = doneSeconds + current;
        bar.Description = Markup.Escape(string.Create(CultureInfo.InvariantCulture,
            $"{timeLeft.Say(bar.Value)} left  {index + 1}/{plan.Cases.Count}  {name}  {(doing.Length > 0 ? doing : rate)}"));
        context.Refresh();
    }
}
