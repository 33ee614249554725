using Bench.Measure.Records;

namespace Bench.Reports.Charts;

/// <summary>
/// A chart as a plain value: what is shown, not how. <see cref="EChartsOptions"/> draws it in the page, the opt-in
/// ScottPlot project draws it to PNG and SVG, and <see cref="ChartTable"/> writes the same points as a table.
/// </summary>
public sealed record Chart
{
    /// <summary>Unique in a report; letters, digits and hyphens.</summary>
    public required string Id { get; init; }

    /// <summary>What it shows.</summary>
    public required string Title { get; init; }

    /// <summary>What is held fixed, and what the whiskers mean.</summary>
    public string Subtitle { get; init; } = "";

    /// <summary>What it shows, as a sentence with figures: the text for readers who do not see it.</summary>
    public required string Finding { get; init; }

    /// <summary>How the points are drawn.</summary>
    public required ChartKind Kind { get; init; }

    /// <summary>The axis of <see cref="ChartPoint.X"/>; for bars the categories, drawn as rows.</summary>
    public required Axis X { get; init; }

    /// <summary>The axis of <see cref="ChartPoint.Y"/>.</summary>
    public required Axis Y { get; init; }

    /// <summary>The series, in the order of the legend.</summary>
    public required IReadOnlyList<Series> Series { get; init; }

    /// <summary>Figures from elsewhere to compare with, drawn as marks.</summary>
    public IReadOnlyList<Reference> References { get; init; } = [];

    /// <summary>What the series' names are, in a word or two: the head of their column in the table.</summary>
    public string SeriesMeaning { get; init; } = "Series";

    /// <summary>What the points' names are, in a word or two: the head of their column in the table.</summary>
    public string NameMeaning { get; init; } = "Point";

    /// <summary>Of a timeline: the axis of the lower panel, with its series (<see cref="Charts.Series.Panel"/> 1).</summary>
    public Axis? LowerY { get; init; }

    /// <summary>Of a timeline: what took time beside the operations, drawn in one lane per kind.</summary>
    public IReadOnlyList<ChartEvent> Events { get; init; } = [];

    /// <summary>What <see cref="ChartPoint.Low"/> and <see cref="ChartPoint.High"/> are, in words.</summary>
    public string IntervalMeaning { get; init; } = "95 % interval";

    /// <summary>Of a forest and of points: the figures that do not matter.</summary>
    public Band? Band { get; init; }

    /// <summary>True of bars of which each row has one, in the series that it belongs to: they stand in the middle of their rows.</summary>
    public bool HasOneBarPerRow => Kind == ChartKind.Bars && Y.Scale == AxisScale.Linear && Series.Count > 1
        && Series.SelectMany(series => series.Points).GroupBy(point => point.X).All(row => row.Count() == 1);
}

/// <summary>A range of figures as a band across the chart, with a line where nothing has changed.</summary>
/// <param name="Low">Where it begins.</param>
/// <param name="High">Where it ends.</param>
/// <param name="Line">Where nothing has changed.</param>
/// <param name="Text">What the band is.</param>
public sealed record Band(double Low, double High, double Line, string Text)
{
    /// <summary>A second line: what was estimated.</summary>
    public double? Estimate { get; init; }

    /// <summary>What that line is.</summary>
    public string EstimateText { get; init; } = "";
}

/// <summary>How the points of a chart are drawn.</summary>
public enum ChartKind
{
    /// <summary>One bar per category and series, as rows.</summary>
    Bars,

    /// <summary>The series of a category on top of each other; the interval of the last series is the total's.</summary>
    StackedBars,

    /// <summary>Points joined by lines, with whiskers.</summary>
    Lines,

    /// <summary>Latency over percentiles, on an axis of nines.</summary>
    Percentiles,

    /// <summary>
    /// A cell for each category of X and each series, which is a row: <see cref="ChartPoint.Y"/> as its colour and as
    /// its text. The scale of <see cref="Chart.Y"/> is that of the colour; zero has the palest one.
    /// </summary>
    HeatMap,

    /// <summary>Figures over the seconds of a pass in two panels, and below them a lane for each kind of event.</summary>
    Timeline,

    /// <summary>One estimate with its interval per category, as rows over <see cref="Chart.Band"/>; a series is a verdict.</summary>
    Forest,

    /// <summary>Single points over <see cref="Chart.Band"/>.</summary>
    Points,

    /// <summary>Single points by two figures that both matter; each has a name (<see cref="ChartPoint.Name"/>).</summary>
    Scatter,
}

/// <summary>How an axis maps figures to lengths.</summary>
public enum AxisScale
{
    /// <summary>Named places, evenly spaced; a point's X is the index.</summary>
    Category,

    /// <summary>Even, from zero.</summary>
    Linear,

    /// <summary>Logarithmic, base 10.</summary>
    Log,

    /// <summary>Logarithmic in 1 / (1 − p): each step is one nine more.</summary>
    Nines,
}

/// <summary>One axis.</summary>
/// <param name="Name">What it measures.</param>
/// <param name="Quantity">How its figures are written.</param>
/// <param name="Scale">How it maps figures to lengths.</param>
public sealed record Axis(string Name, Quantity Quantity, AxisScale Scale)
{
    /// <summary>The names of the places of a category axis.</summary>
    public IReadOnlyList<string> Categories { get; init; } = [];

    /// <summary>Where the axis begins, if that is fixed.</summary>
    public double? Min { get; init; }

    /// <summary>Where the axis ends, if that is fixed.</summary>
    public double? Max { get; init; }
}

/// <summary>Points that belong together.</summary>
/// <param name="Name">Its name in the legend.</param>
/// <param name="Points">Its points, in the order of X.</param>
public sealed record Series(string Name, IReadOnlyList<ChartPoint> Points)
{
    /// <summary>Which colour of the palette; the same thing has the same colour in every chart of a section.</summary>
    public int Color { get; init; }

    /// <summary>Of a timeline: 0 is the upper panel, 1 the lower.</summary>
    public int Panel { get; init; }

    /// <summary>Which line style: runs side by side share a colour and differ in this.</summary>
    public int Variant { get; init; }

    /// <summary>Which shape (<see cref="Marks"/>); null is that of the colour.</summary>
    public int? Mark { get; init; }

    /// <summary>True if the shape is an outline.</summary>
    public bool Hollow { get; init; }

    /// <summary>True if its points' names stand in the table only: beside the points they would take the places of names that matter.</summary>
    public bool Unnamed { get; init; }
}

/// <summary>One figure of a chart.</summary>
/// <param name="X">Place on the X axis.</param>
/// <param name="Y">The figure.</param>
/// <param name="Verdict">Whether the case behind it did what its name says.</param>
public sealed record ChartPoint(double X, double Y, Verdict Verdict)
{
    /// <summary>Lower end of the interval, if there is one.</summary>
    public double? Low { get; init; }

    /// <summary>Upper end.</summary>
    public double? High { get; init; }

    /// <summary>A further sentence for the reader: what contradicts it.</summary>
    public string? Note { get; init; }

    /// <summary>What the point is, where neither its place nor its series says so; drawn beside it where there is room.</summary>
    public string? Name { get; init; }

    /// <summary>Whether its name is drawn whatever else has no room for it.</summary>
    public bool IsForemost { get; init; }
}

/// <summary>A figure from elsewhere.</summary>
/// <param name="X">Place on the X axis.</param>
/// <param name="Y">The figure.</param>
/// <param name="Text">Whose it is.</param>
public sealed record Reference(double X, double Y, string Text);

/// <summary>Something that took time, on the X axis of a timeline.</summary>
/// <param name="Kind">Its lane: flush, roll.</param>
/// <param name="Start">Its start on the X axis.</param>
/// <param name="Length">Its length on the X axis.</param>
/// <param name="Text">It in words.</param>
public sealed record ChartEvent(string Kind, double Start, double Length, string Text);
