using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bench.Measure.Records;

/// <summary>
/// What happened when within one pass, or on the way to a steady state: an average hides the second in which a segment was rolled. Bounded, whatever
/// the length of the pass: a few hundred points, and of the events the longest.
/// </summary>
public sealed record TimelineRecord
{
    /// <summary>The <see cref="Pass"/> of what came before the passes: all rounds to a steady state.</summary>
    public const int BeforePasses = -1;

    /// <summary>Which of the timed passes, from 0; −1 for what came before them.</summary>
    public int Pass { get; init; }

    /// <summary>Length of each interval in seconds; the last one ends with the pass, which may be earlier.</summary>
    public double IntervalSeconds { get; init; }

    /// <summary>The intervals in order, without a gap: one in which nothing ended has no operations and no latency.</summary>
    public IReadOnlyList<TimelinePoint> Points { get; init; } = [];

    /// <summary>Flushes, rolls and steady windows in order of their start; of each kind the longest ones.</summary>
    public IReadOnlyList<TimelineEvent> Events { get; init; } = [];

    /// <summary>Events that were shorter than those kept.</summary>
    public int EventsLeftOut { get; init; }

    /// <summary>Fields that this build does not know.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary>One interval of a timeline. An operation belongs to the interval in which it ended.</summary>
public sealed record TimelinePoint
{
    /// <summary>Start of the interval, in seconds from the start of the pass.</summary>
    public double StartSeconds { get; init; }

    /// <summary>Bytes moved.</summary>
    public long Bytes { get; init; }

    /// <summary>Operations that ended.</summary>
    public long Operations { get; init; }

    /// <summary>Median latency in nanoseconds, at most 6.25 % above the truth (of rounds 0.79 %); null if nothing ended, or if only the maximum was kept.</summary>
    public long? P50Ns { get; init; }

    /// <summary>99th percentile, the same.</summary>
    public long? P99Ns { get; init; }

    /// <summary>Largest latency, exact (of rounds at most 0.79 % above); null if nothing ended.</summary>
    public long? MaxNs { get; init; }

    /// <summary>Fields that this build does not know.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary>Something that took time beside the operations.</summary>
public sealed record TimelineEvent
{
    /// <summary>"flush": data made durable. "roll": a new segment begun. "steady": the rounds over which it rested.</summary>
    public required string Kind { get; init; }

    /// <summary>Its start, in seconds from the start of the pass.</summary>
    public double StartSeconds { get; init; }

    /// <summary>Its length.</summary>
    public double Seconds { get; init; }

    /// <summary>Bytes that it concerned: those flushed, those of the segment that ended; 0 if that is not known.</summary>
    public long Bytes { get; init; }

    /// <summary>Fields that this build does not know.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}
