namespace Bench.SegmentLog.Inspect;
/// <summary>.</summary>
public sealed record LogVerifierOptions;
/// <summary>.</summary>
public static class LogVerifier {
/// <summary>.</summary>
public static void Verify(string folder, LogVerifierOptions options) => throw new NotSupportedException(); }
