using System.Text.Json.Serialization;
using Bench.Reports.Comparison;

namespace Bench.Reports.Gate;

/// <summary>What the gate says of one figure of one case.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<GateVerdict>))]
public enum GateVerdict
{
    /// <summary>Better by more than the margin.</summary>
    [JsonStringEnumMemberName("faster")]
    Faster,

    /// <summary>Within the margin: shown, not merely not refuted.</summary>
    [JsonStringEnumMemberName("same")]
    Same,

    /// <summary>Worse by more than the margin and the noise floor.</summary>
    [JsonStringEnumMemberName("slower")]
    Slower,

    /// <summary>The pairs allow none of the three.</summary>
    [JsonStringEnumMemberName("inconclusive")]
    Inconclusive,

    /// <summary>There is nothing to judge: contradicted evidence, failures, too few pairs.</summary>
    [JsonStringEnumMemberName("not judged")]
    NotJudged,
}

/// <summary>One figure of one case.</summary>
/// <param name="Case">The case's name.</param>
/// <param name="Figure">The figure.</param>
public sealed record GateKey(string Case, Figure Figure);

/// <summary>
/// A verdict with all that it rests on. Effects are ratios of cost, head over base: 1.10 costs ten percent more time
/// (or CPU) for the same work, whichever way the figure itself is written.
/// </summary>
public sealed record Judgement
{
    /// <summary>What was judged.</summary>
    public required GateKey Key { get; init; }

    /// <summary>The verdict.</summary>
    public required GateVerdict Verdict { get; init; }

    /// <summary>Why it is no more than that, in a sentence; null for a plain verdict.</summary>
    public string? Reason { get; init; }

    /// <summary>The ratio of cost by Hodges and Lehmann; null if nothing could be judged.</summary>
    public double? Ratio { get; init; }

    /// <summary>Lower end of the interval at <see cref="Level"/>; null if the pairs are too few for one.</summary>
    public double? Low { get; init; }

    /// <summary>Upper end.</summary>
    public double? High { get; init; }

    /// <summary>
    /// The level of the interval: the one at which the verdict was decided, after the corrections for looks and cases.
    /// </summary>
    public double? Level { get; init; }

    /// <summary>The margin as a ratio: 1.05.</summary>
    public required double Margin { get; init; }

    /// <summary>The noise floor as a ratio; null if none was measured here.</summary>
    public double? NoiseFloor { get; init; }

    /// <summary>True if it is inconclusive and the pairs up to the cap would most probably leave it so.</summary>
    [JsonIgnore]
    public bool GivenUp { get; init; }

    /// <summary>Pairs that it rests on.</summary>
    public int Pairs { get; init; }
}
