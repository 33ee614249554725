using Bench.Measure.Records;
using Bench.Reports.Comparison;
using Bench.Reports.Gate;

namespace Bench.Reports.Tests;

/// <summary>Results of a gate run as a user gets them: twenty cases, all verdicts, thirty-six pairs, from a seed.</summary>
internal static class SampleResults
{
    /// <summary>A gate run over pairs of launches.</summary>
    /// <param name="cases">How many cases.</param>
    /// <param name="pairs">How many pairs each.</param>
    public static GateResult Gate(int cases = 20, int pairs = 36)
    {
        var random = new Random(4);
        var samples = new SampleRecords(7, "20261126-010203-ba5e");
        var after = new SampleRecords(8, "20261126-010203-4ead");
        var made = Enumerable.Range(0, cases).Select(index => Case(index, pairs, random, Record(samples, index), Record(after, index))).ToArray();
        var keys = made.SelectMany(one => Figures.All.Select(figure => new GateKey(one.Name, figure))).ToArray();
        var tests = made.SelectMany(one => Figures.All.Select(figure => (Key: new GateKey(one.Name, figure), Test: ShiftTest.OfPairs(one.Pairs, figure))))
            .Where(pair => pair.Test is not null).ToDictionary(pair => pair.Key, pair => pair.Test!);
        var floors = keys.ToDictionary(key => key, key => key.Figure == Figure.P99 ? 0.06 : 0.012);
        var judgements = new GateJudge(keys, GateRules.Default, floors).Look(tests).ToLookup(judgement => judgement.Key.Case);
        return new GateResult
        {
            Run = "20261126-010203-5f3a",
            StartedUtc = new DateTimeOffset(2026, 11, 26, 1, 2, 3, TimeSpan.Zero),
            Seconds = 1843,
            CommandLine = "gate --base main --head . --target /home/kim/bench data",
            Seed = 4711,
            Base = new GateSideInfo("main") { Version = "0.1.0", Commit = "ab8728f" },
            Head = new GateSideInfo("topic/ring-reads") { Version = "0.1.0", Commit = "9f31c4a" },
            Differences = [new TraitDifference("commit", "ab8728f", "9f31c4a", TraitKind.Software)],
            CalibratedUtc = new DateTimeOffset(2026, 11, 20, 8, 0, 0, TimeSpan.Zero),
            Fingerprint = Fingerprint.Of(SampleRecords.Host, SampleRecords.Target, "0.1.0"),
            Target = "ext4 on Virtio Block Device",
            Alpha = 0.05,
            Looks = [10, 16, 24, 36],
            Cases = [.. made.Select((one, index) => one with
            {
                Judgements = index == cases - 1 ? [new Judgement { Key = new GateKey(one.Name, Figure.Throughput), Verdict = GateVerdict.NotJudged, Reason = "the head is contradicted: not cold: the devices read 41 % of the bytes asked for", Margin = 1.05 }]
                    : [.. judgements[one.Name]],
            })],
            HeadOnly = ["CachePath(Access=Uncached,Operation=Read)"],
        };
    }

    /// <summary>Two stored runs with other speeds, compared.</summary>
    public static GateResult Records() => RunComparison.Of(
        new ComparedRun("out/before", new SampleRecords(7, "20261126-010203-ba5e").All()), new ComparedRun("out/after", new SampleRecords(8, "20261126-030405-4ead") { Speed = 0.97 }.All()),
        new ComparisonOptions { NowUtc = new DateTimeOffset(2026, 11, 26, 4, 0, 0, TimeSpan.Zero), CommandLine = "compare out/before out/after" });

    private static RunRecord Record(SampleRecords samples, int index)
    {
        string[] accesses = ["BufferedCold", "BufferedWarm", "Direct", "Mmap", "Uncached"];
        string[] blocks = ["4KiB", "64KiB", "1MiB"];
        return samples.Path(index % 2 == 0 ? "Read" : "Write", accesses[index % accesses.Length], index % 3 == 0 ? "Sequential" : "Random", blocks[index / 10 % blocks.Length], index % 4 == 3 ? "io_uring" : "psync",
            index % 4 == 3 ? 8 : 1, 4_000 + 1_500 * index, threads: 1 + index / 30);
    }

    private static GateCaseResult Case(int index, int count, Random random, RunRecord before, RunRecord after)
    {
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        // Slower, faster, the same, and one too noisy to tell.
        var (shift, noise) = (index % 7) switch { 0 => (0.14, 0.02), 1 => (-0.12, 0.03), 2 => (0.06, 0.05), 3 => (0.01, 0.16), _ => (0.0, 0.015) };
        var pairs = Enumerable.Range(1, count).Select(number =>
        {
            var drift = 0.05 * Math.Sin(number / 6.0);
            var (first, second) = (Math.Exp(drift + noise * Normal() / 2), Math.Exp(drift + shift + noise * Normal() / 2));
            LaunchFigures Launch(double cost) => new(before.BytesPerSecond!.Median / cost, before.LatencyNs.First().Value.P99 * cost * Math.Exp(0.08 * Normal()), 1_700 * Math.Exp(0.01 * Normal()), [], []);
            return new GatePair { Number = number, BaseFirst = random.Next(2) == 0, Base = Launch(first), Head = Launch(second), Discarded = index == 4 && number == 7 ? "the base is contradicted: not warm" : null };
        });
        return new GateCaseResult { Name = before.Case, Workload = before.Workload, Parameters = before.Parameters, Judgements = [], Pairs = [.. pairs], BaseRecord = before, HeadRecord = after };
    }
}
