using Bench.Reports.Comparison;
using Bench.Reports.Gate;
using BenchmarkDotNet.Attributes;

namespace Bench.Micro;

/// <summary>
/// What judging costs beside measuring: a thousand cases of three figures and thirty pairs, looked at four times. The
/// promise is under 2 s and under 300 MB.
/// </summary>
[MemoryDiagnoser]
public class GateCost
{
    private readonly GateRules rules = GateRules.Default with { Looks = [12, 16, 24, 30] };
    private readonly Dictionary<GateKey, double[]> logs = [];

    [Params(100, 1_000)]
    public int Cases { get; set; }

    [GlobalSetup]
    public void MakePairs()
    {
        var random = new Random(1);
        foreach (var index in Enumerable.Range(0, Cases))
            foreach (var figure in Figures.All)
                logs[new GateKey($"case {index}", figure)] = [.. Enumerable.Range(0, 30).Select(_ => 0.2 * (random.NextDouble() - 0.5) + (index % 50 == 0 ? 0.1 : 0))];
    }

    [Benchmark]
    public int JudgeAll()
    {
        var judge = new GateJudge([.. logs.Keys], rules);
        foreach (var look in rules.Looks)
            judge.Look(judge.Open.ToDictionary(key => key, key => ShiftTest.OfPairs(logs[key][..(look / 2)], logs[key][15..(15 + look / 2)])));
        return judge.Open.Count();
    }
}
