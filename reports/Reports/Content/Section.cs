using Bench.Reports.Charts;

namespace Bench.Reports.Content;

/// <summary>One family's part of the report.</summary>
internal sealed record Section(string Id, string Title, string Lead)
{
    /// <summary>The charts in groups: each group is a row of small multiples under one heading.</summary>
    public IReadOnlyList<ChartGroup> Groups { get; init; } = [];

    /// <summary>All cases with their figures.</summary>
    public required Table Cases { get; init; }

    /// <summary>The cases, for their evidence.</summary>
    public required IReadOnlyList<CaseView> Views { get; init; }

    /// <summary>The groups that have a chart.</summary>
    public static IReadOnlyList<ChartGroup> GroupsOf(params ChartGroup[] groups) => [.. groups.Where(group => group.Charts.Count > 0)];

    /// <summary>The section with at most so many charts of a kind: more are a wall, and "Choose the axes" draws any of the others.</summary>
    public Section WithMost(int charts) => this with
    {
        Groups = [.. Groups.Select(group => group.Charts.Count <= charts ? group : group with
        {
            Charts = [.. group.Charts.Take(charts)],
            Text = $"{group.Text} The first {Format.Count(charts)} of {Format.Count(group.Charts.Count)} charts; ‘Choose the axes’ draws any other.".TrimStart(),
        })],
    };

    /// <summary>The charts that there were figures for.</summary>
    public static IReadOnlyList<Chart> Drawn(params IEnumerable<Chart?> charts) => [.. charts.OfType<Chart>()];
}

/// <summary>Charts that belong side by side.</summary>
internal sealed record ChartGroup(string Title, string Text, IReadOnlyList<Chart> Charts);
