namespace Bench.SegmentLog.Inspect;
public sealed record LogVerifierOptions;
public static class LogVerifier { public static void Verify(string folder, LogVerifierOptions options) => throw new NotSupportedException(); }
