using System.Globalization;
using Bench.Measure.Records;
using Bench.Reports.Comparison;
using Bench.Reports.History;

namespace Bench.Reports.Tests.History;

/// <summary>Runs for a history, made from a number.</summary>
internal static class SampleHistory
{
    public static readonly DateTimeOffset Begin = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>The run of a day: cases with figures that follow from the day.</summary>
    public static RunPoints Run(int day, int cases = 3, Func<int, double>? bytesPerSecond = null, string kernel = "6.12.1", string profile = "quick", string processor = "EPYC", Verdict verdict = Verdict.Proven)
    {
        var begun = Begin.AddDays(day);
        HistoryPoint[] points = [.. Enumerable.Range(0, cases).Select(number => Point(number, bytesPerSecond?.Invoke(day) ?? 1e8 + day, verdict)).OrderBy(point => point.Case, StringComparer.Ordinal)];
        return new RunPoints(new HistoryRun
        {
            Run = string.Create(CultureInfo.InvariantCulture, $"{begun:yyyyMMdd-HHmmss}-{day:x4}"),
            StartedUtc = begun,
            ToolVersion = "0.1.0",
            Commit = day % 7 == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"{day:x40}"),
            Profile = profile,
            Target = "ext4 on Virtio Block Device",
            Points = points.Length,
            Traits = [new Trait("processor", processor, TraitKind.Machine), new Trait("kernel", kernel, TraitKind.Machine), new Trait(".NET", "10.0.1", TraitKind.Software)],
        }, points);
    }

    public static string Case(int number) => string.Create(CultureInfo.InvariantCulture, $"CachePath(Access=Direct,BlockSize={4 << number}KiB,Größe='{number}')");

    private static HistoryPoint Point(int number, double bytesPerSecond, Verdict verdict) => new()
    {
        Case = Case(number),
        Workload = "CachePath",
        Verdict = verdict,
        BytesPerSecond = number == 9 ? null : new Estimate(bytesPerSecond, bytesPerSecond * 0.97, bytesPerSecond * 1.0321),
        P99Ns = number == 1 ? null : 1e13 / bytesPerSecond,
        CpuNsPerOperation = 1234.5678901234567,
    };

    /// <summary>A normally distributed number.</summary>
    public static double Normal(this Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    public static string Text(this RunPoints run) => HistoryJson.Write(run);
}
