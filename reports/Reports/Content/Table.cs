namespace Bench.Reports.Content;

/// <summary>A table as text, before HTML or Markdown.</summary>
internal sealed record Table(string Caption, IReadOnlyList<Column> Columns, IReadOnlyList<Row> Rows);

/// <summary>One column; figures are set flush right.</summary>
internal sealed record Column(string Name, bool Numeric)
{
    /// <summary>True for the column that says what became of the case; it carries the row's link.</summary>
    public bool Verdict { get; init; }

    /// <summary>True for sentences, which break into lines.</summary>
    public bool Wraps { get; init; }
}

/// <summary>One row. The first cell names it.</summary>
/// <param name="Cells">One text per column.</param>
/// <param name="Class">proven, unproven, contradicted, failed, reference, or nothing.</param>
/// <param name="Link">The id of what the verdict points to.</param>
internal sealed record Row(IReadOnlyList<string> Cells, string? Class = null, string? Link = null);
