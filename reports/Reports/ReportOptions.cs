namespace Bench.Reports;

/// <summary>What the reader of a report wants; everything else comes from the records.</summary>
public sealed record ReportOptions
{
    /// <summary>
    /// Leaves out what names a machine or a person: host name, serial hashes, paths, addresses, also where they
    /// stand within a command line, a warning, an error or an effective value.
    /// </summary>
    public bool Anonymous { get; init; }

    /// <summary>
    /// What the reader calls the runs, or the targets of one run, in the order of the report; empty: letters, or the names of
    /// the targets' folders. They stay where <see cref="Anonymous"/> leaves the folders out: they were chosen to be read.
    /// </summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Warnings of whoever read the records: a torn last line, …</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}
