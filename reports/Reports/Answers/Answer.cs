using Bench.Reports.Statistics;

namespace Bench.Reports.Answers;

/// <summary>One question that the report answers, for every run that can answer it.</summary>
/// <param name="Id">Stable id: sequential-random, page-cache, …</param>
/// <param name="Question">The question in words.</param>
/// <param name="SectionId">The section with the figures behind it.</param>
/// <param name="Lines">One per run.</param>
internal sealed record Answer(string Id, string Question, string SectionId, IReadOnlyList<AnswerLine> Lines);

/// <summary>What an answer says.</summary>
internal enum AnswerState
{
    /// <summary>The interval excludes 1.</summary>
    Differs,

    /// <summary>The interval includes 1.</summary>
    NoDifference,

    /// <summary>A case that it needs is missing, failed or contradicted.</summary>
    LeftOut,
}

/// <summary>The answer of one run.</summary>
/// <param name="RunLabel">The run or target, "Run A" or "raid0"; empty if there is one only.</param>
/// <param name="State">What it says.</param>
/// <param name="Headline">The figure: "16×", "45 % less"; empty if left out.</param>
/// <param name="Sentence">The answer as a whole sentence that contains the figure, or why it is left out.</param>
/// <param name="Detail">The figures that the ratio came from, with the interval.</param>
/// <param name="Ratio">The ratio; null if left out.</param>
internal sealed record AnswerLine(string RunLabel, AnswerState State, string Headline, string Sentence, string Detail, RatioEstimate? Ratio);
