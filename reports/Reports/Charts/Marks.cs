namespace Bench.Reports.Charts;

/// <summary>
/// How series are told apart beside colour: a shape for each colour, a dash for each run. The legend, the page's
/// charts and the static images use the same ones.
/// </summary>
public static class Marks
{
    /// <summary>Shapes as SVG paths in a box of 12 by 12, filled.</summary>
    private static readonly string[] Shapes =
    [
        "M6 0A6 6 0 1 1 6 12A6 6 0 1 1 6 0Z",
        "M1 1H11V11H1Z",
        "M6 0L12 11H0Z",
        "M6 0L12 6L6 12L0 6Z",
        "M6 12L0 1H12Z",
        "M4 0H8V4H12V8H8V12H4V8H0V4H4Z",
        "M3 0H9L12 6L9 12H3L0 6Z",
    ];

    /// <summary>Colours of the palette; a higher number begins again.</summary>
    public const int Colors = 7;

    /// <summary>The shape of a colour as an SVG path.</summary>
    public static string Shape(int color) => Shapes[color % Shapes.Length];

    /// <summary>The dash of a run, in pixels on and off; empty is solid.</summary>
    public static IReadOnlyList<int> Dash(int variant) => (variant % 4) switch
    {
        0 => [],
        1 => [7, 4],
        2 => [2, 3],
        _ => [9, 3, 2, 3],
    };
}
