namespace Bench.Reports.Charts;

/// <summary>
/// How series are told apart beside colour: a shape for each series, a dash for each run. The legend, the page's
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

    private static readonly int[][] Dashes = [[], [7, 4], [9, 3, 2, 3], [16, 4], [4, 8], [9, 3, 2, 3, 2, 3], [16, 4, 4, 4], [2, 7]];

    /// <summary>How many runs have a dash of their own.</summary>
    public static int Runs => Dashes.Length;

    /// <summary>Colours of the palette; a higher number begins again.</summary>
    public const int Colors = 7;

    /// <summary>How many series differ in colour and shape together; a higher number begins again.</summary>
    public static int Pairs => Colors * Shapes.Length;

    /// <summary>
    /// The shape of a series as an SVG path. Each time that the colours begin again the shapes move on by one, so that the
    /// eighth series, which has the first one's colour, has another shape.
    /// </summary>
    public static string Shape(int color) => Shapes[ShapeNumber(color)];

    /// <summary>Which of the shapes that is, from 0.</summary>
    public static int ShapeNumber(int color) => (color + color / Colors) % Shapes.Length;

    /// <summary>
    /// The dash of a run, in pixels on and off; empty is solid, and even dots are left to what is contradicted. More dashes than these nobody tells apart: those of nine runs
    /// and more begin again, and what a line is stands in its tip and in the table.
    /// </summary>
    public static IReadOnlyList<int> Dash(int variant) => Dashes[variant % Dashes.Length];
}
