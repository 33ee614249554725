using Bench.Reports.Comparison;

namespace Bench.Reports.Gate;

/// <summary>What the gate promises and how long it may take; <c>GATE.md</c> says why these are the defaults.</summary>
public sealed record GateRules
{
    /// <summary>The defaults.</summary>
    public static GateRules Default { get; } = new();

    /// <summary>
    /// The probability that a gate run calls anything slower (and, apart from it, anything faster) although no case
    /// changed by more than its margin: over all cases, figures and looks together.
    /// </summary>
    public double Alpha { get; init; } = 0.05;

    /// <summary>Numbers of pairs after which the judge looks, rising; the last is the cap.</summary>
    public IReadOnlyList<int> Looks { get; init; } = [16, 28, 56];

    /// <summary>Changes up to these shares do not matter: 0.05 is a figure 5 % worse.</summary>
    public IReadOnlyDictionary<Figure, double> Margins { get; init; } = new Dictionary<Figure, double>
    {
        [Figure.Throughput] = 0.05,
        [Figure.P99] = 0.20,
        [Figure.CpuPerOperation] = 0.05,
    };

    /// <summary>A case whose chance of a verdict at the cap is below this gets no more pairs.</summary>
    public double LeastHope { get; init; } = 0.10;

    /// <summary>The margin of a figure as a logarithm of cost.</summary>
    public double LogMargin(Figure figure) => Math.Log(1 + Margins[figure]);

    /// <summary>The share of <see cref="Alpha"/> that one look may spend.</summary>
    public double AlphaPerLook => Alpha / Looks.Count;

    /// <summary>Most pairs.</summary>
    public int MostPairs => Looks[^1];
}
