using Bench.Disk;
using Bench.Disk.Uring;
using Bench.Measure.Running;
using Bench.Reports;
using Bench.SegmentLog;
using Bench.SegmentLog.Format;
using Bench.Workloads;

namespace Bench.Commands;

/// <summary>
/// Cases that this machine cannot do. A profile asks for what most machines can do; where one cannot, because a kernel, a
/// container or a small installation lacks something, that is no failure of the run: it says what is left out and why. What is
/// asked for alone is tried, and fails with its reason. fio fails the job, BenchmarkDotNet shows NA.
/// </summary>
internal static class ImpossibleCases
{
    /// <summary>The plan without them.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="dataFolder">Where its files will lie.</param>
    internal static Plan LeftOut(Plan plan, string dataFolder)
    {
        foreach (var (what, uses, why) in Needs(plan, dataFolder))
        {
            if (!plan.Cases.Any(uses) || why() is not { } reason || plan.Without(uses) is var left && ReferenceEquals(left, plan))
                continue;
            Console.Error.WriteLine($"Left out {Format.Count(plan.Cases.Count - left.Cases.Count, "case")} of {what}: {reason}");
            plan = left;
        }
        return plan;
    }

    private static IEnumerable<(string What, Func<CaseSpec, bool> Uses, Func<string?> WhyNot)> Needs(Plan plan, string dataFolder)
    {
        foreach (var (value, text, isNamed) in new (object, string, bool)[]
            { (Access.Uncached, "Access=Uncached", plan.NamesUncached), (ReadCache.DontCache, "Cache=DontCache", plan.NamesDontCache) })
        {
            if (isNamed)
                continue;
            yield return (text, spec => spec.Values.Contains(value),
                () => PageCache.HasDontCache(dataFolder) ? null : $"this file system or kernel has no RWF_DONTCACHE; --set {text} tries them all the same");
        }
        // Forbidden by default in many containers and on some distributions.
        yield return ("io_uring", spec => spec.Values.Any(value => value is Engine.io_uring or Method.IoUring or WritePath.IoUring), IoUring.WhyUnavailable);
        yield return ("TCP", spec => spec.Values.Contains(SocketKind.Tcp) || spec.Workload.Type == typeof(LogRead), Sockets.WhyNoTcp);
        yield return ("Method=Tls", spec => spec.Values.Contains(Method.Tls), () => Sha256.HasOpenSsl ? null : "OpenSSL (libssl) is not installed");
        foreach (var codec in new[] { Compression.Snappy, Compression.Lz4, Compression.Zstd })
            yield return ($"Compression={codec}", spec => spec.Values.Contains(codec), () => RecordCompression.WhyUnavailable(codec));
    }
}
