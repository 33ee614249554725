using System.CommandLine;
using System.Globalization;
using Bench.Measure.Running;
using Bench.Reports.Comparison;
using Bench.Reports.Gate;

namespace Bench.Commands;

/// <summary>The options that <c>gate</c> and <c>calibrate</c> share: margins, errors, numbers of pairs.</summary>
internal sealed class GateOptions
{
    /// <summary>Most pairs of launches: the exact test takes a hundred in each order.</summary>
    internal const int MostPairs = 200;

    private const int FewestPairs = 8;

    private readonly Option<string> margin = new("--margin") { Description = "Changes of throughput and CPU up to this share do not matter", HelpName = "SHARE", DefaultValueFactory = _ => "5%" };
    private readonly Option<string> marginP99 = new("--margin-p99") { Description = "The same for the 99th percentile of latency", HelpName = "SHARE", DefaultValueFactory = _ => "20%" };
    private readonly Option<string> alpha = new("--alpha") { Description = "Chance that a gate run calls anything slower though nothing is, by more than its margin", HelpName = "SHARE", DefaultValueFactory = _ => "5%" };
    private readonly Option<string> pairs = new("--pairs") { Description = "Pairs of launches after which is looked; the last is the most", HelpName = "N,N,…", DefaultValueFactory = _ => string.Join(',', GateRules.Default.Looks) };

    private readonly Option<double?> turnLimit = Number.Option("--turn-limit", "A side that takes longer than this from one pass to the next, or shows no sign of life before and after them, hangs, and the gate ends (default: 600)", "SECONDS");

    internal Option<string> Calibrations { get; } = new("--calibration") { Description = "Where calibrations of machines are kept", HelpName = "DIR", DefaultValueFactory = _ => Path.Combine("reports", "calibration") };

    /// <summary>Those that say how to judge; the others, how to measure.</summary>
    internal IEnumerable<Option> OfJudging => [margin, marginP99, alpha, Calibrations];

    internal void AddTo(Command command)
    {
        command.Add(margin);
        command.Add(marginP99);
        command.Add(alpha);
        command.Add(pairs);
        command.Add(turnLimit);
        command.Add(Calibrations);
    }

    /// <summary>The longest that a launch may take from one pass to the next.</summary>
    /// <exception cref="PlanException">No length of time.</exception>
    internal TimeSpan ReadTurnLimit(ParseResult parsed) => (parsed.GetValue(turnLimit) ?? 600) is >= 1 and <= 1e6 and var seconds
        ? TimeSpan.FromSeconds(seconds)
        : throw new PlanException("--turn-limit takes seconds from 1 to 1000000");

    /// <exception cref="PlanException">An option has a value that means nothing.</exception>
    internal GateRules Read(ParseResult parsed)
    {
        var share = PlanOptions.ReadShare("--margin", parsed.GetValue(margin)!, most: 1);
        var looks = parsed.GetValue(pairs)!.Split(',', StringSplitOptions.TrimEntries)
            .Select(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= FewestPairs and <= MostPairs ? number
                : throw new PlanException($"--pairs takes rising numbers from 8 to 200, such as 12,18,26; '{text}' is none")).ToArray();
        if (looks.Zip(looks.Skip(1), (one, next) => next <= one).Any(falls => falls))
            throw new PlanException("--pairs takes rising numbers, such as 12,18,26");
        return new GateRules
        {
            Alpha = PlanOptions.ReadShare("--alpha", parsed.GetValue(alpha)!, most: 0.5),
            Looks = looks,
            Margins = new Dictionary<Figure, double>
            {
                [Figure.Throughput] = share,
                [Figure.P99] = PlanOptions.ReadShare("--margin-p99", parsed.GetValue(marginP99)!, most: 1),
                [Figure.CpuPerOperation] = share,
            },
        };
    }
}
