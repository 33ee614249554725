using Bench.Measure.Records;

namespace Bench.Reports.Content;

/// <summary>A verdict in words: never by colour alone.</summary>
internal static class VerdictWords
{
    public static string Class(Verdict verdict) => verdict switch
    {
        Verdict.Proven => "proven",
        Verdict.Contradicted => "contradicted",
        _ => "unproven",
    };

    public static string Marked(Verdict verdict) => verdict switch
    {
        Verdict.Proven => "✓ proven",
        Verdict.Contradicted => "✗ contradicted",
        _ => "? unproven",
    };
}
