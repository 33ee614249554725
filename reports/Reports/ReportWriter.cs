using System.Text;
using Bench.Measure.Records;

namespace Bench.Reports;

/// <summary>Runs on disk to a report on disk: the one function here that touches files.</summary>
public static class ReportWriter
{
    /// <summary>Reads runs and writes the HTML page, and beside it <c>report.md</c>.</summary>
    /// <param name="runFolders">Run folders or files of records, in the order of the report.</param>
    /// <param name="outFile">The HTML file; its folder is made if missing.</param>
    /// <param name="options">What the reader wants; warnings of reading are added to its own.</param>
    /// <returns>The warnings of reading.</returns>
    /// <exception cref="RecordException">A run that is not there, or a file that holds no records.</exception>
    public static IReadOnlyList<string> Write(IReadOnlyList<string> runFolders, string outFile, ReportOptions options)
    {
        var records = new List<RunRecord>();
        var warnings = new List<string>();
        foreach (var (index, folder) in runFolders.Index())
        {
            var (read, doubts) = RunStore.Read(folder);
            records.AddRange(read);
            // Where a run lay is known here only; without this an anonymous report would repeat the path.
            warnings.AddRange(options.Anonymous ? doubts.Select(doubt => doubt.Replace(folder, FormattableString.Invariant($"run {index + 1}"), StringComparison.Ordinal)) : doubts);
        }

        var full = options with { Warnings = [.. options.Warnings, .. warnings] };
        var path = Path.GetFullPath(outFile);
        var directory = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(directory);
        WriteWhole(path, HtmlReport.Render(records, full));
        WriteWhole(Path.Combine(directory, "report.md"), MarkdownReport.Render(records, full));
        return warnings;
    }

    /// <summary>Writes a text file; where there is no room for it, the one that was there stays.</summary>
    private static void WriteWhole(string path, string text)
    {
        // A link or a pipe is written through: another file may not take its place.
        var inPlace = Path.Exists(path) && (!File.Exists(path) || new FileInfo(path) is { LinkTarget: not null } or { Length: 0 });
        var written = inPlace ? path : $"{path}.{Guid.NewGuid():N}";
        try
        {
            // File.WriteAllText reserves the room first, and says of a full disk only that it is full.
            using (var file = new FileStream(written, FileMode.Create, FileAccess.Write))
                file.Write(Encoding.UTF8.GetBytes(text));
            if (!inPlace)
                File.Move(written, path, overwrite: true);
        }
        catch when (!inPlace)
        {
            File.Delete(written);
            throw;
        }
    }
}
