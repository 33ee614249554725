using System.Text.Json;
using System.Text.Json.Serialization;
using Bench.Measure.Records;
using Bench.Reports.Comparison;

namespace Bench.Reports.Gate;

/// <summary>
/// What the gate is worth on one machine and device: how far apart two launches of the same program come out there,
/// case by case, and how often it was right when the truth was known. Made by <c>bench calibrate</c>, one JSON file
/// named after the fingerprint.
/// <para>
/// criterion has one noise threshold of 1 % for all machines; rustc-perf takes it from the last thirty runs of each
/// benchmark, which is the model here, but measured at once and on the machine itself, with the detections beside it.
/// </para>
/// </summary>
public sealed record Calibration
{
    /// <summary>Judgements of throughput between equal programs that say something about how often the gate errs: of fifty without a false alarm, the interval at 95 % ends at 7 %.</summary>
    public const int FewestJudgements = 50;

    /// <summary>The schema that this build writes.</summary>
    public const string CurrentSchema = "bench.calibration/1";

    /// <summary>Always <see cref="CurrentSchema"/> in files of this build.</summary>
    public string Schema { get; init; } = CurrentSchema;

    /// <summary>When it was made.</summary>
    public DateTimeOffset MadeUtc { get; init; }

    /// <summary>Machine and device.</summary>
    public required Fingerprint Fingerprint { get; init; }

    /// <summary>Passes of a launch.</summary>
    public int Passes { get; init; }

    /// <summary>Length that a pass aims at.</summary>
    public double PassSeconds { get; init; }

    /// <summary>Numbers of pairs after which was looked.</summary>
    public IReadOnlyList<int> Looks { get; init; } = [];

    /// <summary>Each case.</summary>
    public required IReadOnlyList<CalibratedCase> Cases { get; init; }

    /// <summary>How often which verdict was given, by the slowdown that was injected; 0 is A/A.</summary>
    public required IReadOnlyList<CalibrationRow> Rows { get; init; }

    /// <summary>What speaks against it, in a sentence; null if nothing does.</summary>
    [JsonIgnore]
    public string? Doubt => Rows.Where(row => row is { Slowdown: 0, Figure: Figure.Throughput }).Sum(row => row.Judgements) is var judgements && judgements < FewestJudgements
        ? $"the calibration rests on {Format.Count(judgements, "judgement")} of equal programs (fewer than {Format.Count(FewestJudgements)}): its noise floors may be too low, and its error rates are hardly known"
        : null;

    /// <summary>The file of a fingerprint in a folder of calibrations.</summary>
    public static string FileOf(string folder, Fingerprint fingerprint) => Path.Combine(folder, fingerprint.Hash + ".json");

    /// <summary>The calibration of a machine and device; null if there is none.</summary>
    /// <exception cref="RecordException">The file is no calibration, or one of a newer bench.</exception>
    public static Calibration? Read(string folder, Fingerprint fingerprint)
    {
        var file = FileOf(folder, fingerprint);
        if (!File.Exists(file))
            return null;
        try
        {
            var calibration = JsonSerializer.Deserialize<Calibration>(File.ReadAllText(file), RecordJson.Options)
                ?? throw new RecordException($"{file} is empty");
            return calibration.Schema == CurrentSchema ? calibration
                : throw new RecordException($"{file} has the schema {calibration.Schema}, and this bench reads {CurrentSchema}; calibrate again");
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new RecordException($"{file} is no calibration: {JsonWords.Of(exception)}; calibrate again", exception);
        }
    }

    /// <summary>Writes the file.</summary>
    /// <returns>Its path.</returns>
    public string Write(string folder)
    {
        Directory.CreateDirectory(folder);
        var file = FileOf(folder, Fingerprint);
        // Complete or not at all: half a calibration would be refused by the next gate.
        File.WriteAllText(file + ".new", JsonSerializer.Serialize(this, IndentedJson));
        File.Move(file + ".new", file, overwrite: true);
        return file;
    }

    /// <summary>From the gate runs that were made for it.</summary>
    /// <param name="results">A/A runs, and runs with an injected slowdown of the head.</param>
    /// <param name="passes">Passes of a launch.</param>
    /// <param name="passSeconds">Length that a pass aims at.</param>
    public static Calibration Of(IReadOnlyList<GateResult> results, int passes, double passSeconds) => new()
    {
        MadeUtc = results.Max(result => result.StartedUtc),
        Fingerprint = results[0].Fingerprint,
        Passes = passes,
        PassSeconds = passSeconds,
        Looks = results[0].Looks,
        Cases = [.. results.Where(result => result.Head.InjectedSlowdown == 0).SelectMany(result => result.Cases)
            .GroupBy(one => one.Name).Select(group => CalibratedCase.Of(group.Key, [.. group]))],
        Rows = [.. results.GroupBy(result => result.Head.InjectedSlowdown).OrderBy(group => group.Key)
            // Waiting costs an operation that mostly waits more CPU time than the share of its time: the truth is not known.
            .SelectMany(group => Figures.All.Where(figure => group.Key == 0 || figure != Figure.CpuPerOperation).Select(figure => CalibrationRow.Of(group.Key, figure, group)))
            .Where(row => row.Judgements > 0)],
    };

    /// <summary>The noise floors of these figures as logarithms of cost; a figure that was not calibrated has none.</summary>
    public Dictionary<GateKey, double> NoiseFloors(IEnumerable<GateKey> family)
    {
        var cases = Cases.ToDictionary(one => one.Name);
        return family.Where(key => cases.TryGetValue(key.Case, out var one) && one.NoiseFloors.ContainsKey(key.Figure))
            .ToDictionary(key => key, key => Math.Log(cases[key.Case].NoiseFloors[key.Figure]));
    }

    private static JsonSerializerOptions IndentedJson { get; } = new(RecordJson.Options) { WriteIndented = true };
}

/// <summary>What one case does by itself.</summary>
/// <param name="Name">The case.</param>
/// <param name="Runs">A/A gate runs of it.</param>
public sealed record CalibratedCase(string Name, int Runs)
{
    /// <summary>The largest effect of any of the A/A runs, as a ratio above 1, by figure.</summary>
    public required IReadOnlyDictionary<Figure, double> NoiseFloors { get; init; }

    /// <summary>Robust standard deviation of a pair's log ratio (1.4826 × the median distance from 0), by figure.</summary>
    public required IReadOnlyDictionary<Figure, double> PairSpread { get; init; }

    internal static CalibratedCase Of(string name, IReadOnlyList<GateCaseResult> runs)
    {
        var figures = Figures.All.Where(figure => runs.Any(run => run.Judgements.Any(judgement => judgement.Key.Figure == figure && judgement.Ratio is not null))).ToArray();
        return new CalibratedCase(name, runs.Count)
        {
            NoiseFloors = figures.ToDictionary(figure => figure, figure => runs.SelectMany(run => run.Judgements)
                .Where(judgement => judgement.Key.Figure == figure && judgement.Ratio is not null).Max(judgement => Math.Max(judgement.Ratio!.Value, 1 / judgement.Ratio.Value))),
            PairSpread = figures.ToDictionary(figure => figure, figure => 1.4826 * Median(runs.SelectMany(run => run.Pairs).Select(pair => pair.LogCost(figure)).OfType<double>().Select(Math.Abs))),
        };
    }

    private static double Median(IEnumerable<double> values) => Measure.MedianInterval.Of(values)?.Median ?? 0;
}

/// <summary>How often the gate gave which verdict where the truth was known.</summary>
/// <param name="Slowdown">The share by which the head was made slower; 0 is A/A.</param>
/// <param name="Figure">The figure.</param>
public sealed record CalibrationRow(double Slowdown, Figure Figure)
{
    /// <summary>Gate runs.</summary>
    public int Runs { get; init; }

    /// <summary>Judgements with a verdict, also the inconclusive ones.</summary>
    public int Judgements { get; init; }

    /// <summary>Of these slower.</summary>
    public int Slower { get; init; }

    /// <summary>Of these the same.</summary>
    public int Same { get; init; }

    /// <summary>Of these faster.</summary>
    public int Faster { get; init; }

    /// <summary>Of these inconclusive.</summary>
    public int Inconclusive { get; init; }

    /// <summary>Pairs that a judgement took, the median.</summary>
    public double PairsMedian { get; init; }

    internal static CalibrationRow Of(double slowdown, Figure figure, IEnumerable<GateResult> results)
    {
        var judgements = results.SelectMany(result => result.Judgements).Where(judgement => judgement.Key.Figure == figure && judgement.Verdict != GateVerdict.NotJudged).ToArray();
        int Count(GateVerdict verdict) => judgements.Count(judgement => judgement.Verdict == verdict);
        return new CalibrationRow(slowdown, figure)
        {
            Runs = results.Count(),
            Judgements = judgements.Length,
            Slower = Count(GateVerdict.Slower),
            Same = Count(GateVerdict.Same),
            Faster = Count(GateVerdict.Faster),
            Inconclusive = Count(GateVerdict.Inconclusive),
            PairsMedian = Measure.MedianInterval.Of(judgements.Select(judgement => (double)judgement.Pairs))?.Median ?? 0,
        };
    }
}
