using System.Text;
using Bench.Disk;

namespace Bench.Reports.History;

/// <summary>
/// A history in a folder that fits into git: one file per run, <c>2026/20261122-130138-5f3a.jsonl</c>, the run on the
/// first line and a case on each further one.
/// <para>
/// Invariants: a file is complete when it has its name, and never changes afterwards; the name follows from the run's
/// alone. So two branches that each added runs merge without a conflict, and two writers never touch one file. A file
/// is written under a name that no reader looks at, flushed, and linked to its own name, which fails if that is taken.
/// </para>
/// <para>It does not promise speed: a question reads the files of the runs that it concerns, all of them for a case that
/// few runs have. Half a million points take seconds.</para>
/// </summary>
public sealed class JsonLinesHistory : IHistoryStore
{
    private const string Extension = ".jsonl";
    private const string TemporaryPrefix = ".adding-";

    private readonly string folder;

    /// <summary>Files that have been read: they never change, and a check asks twice.</summary>
    private readonly Dictionary<string, RunPoints> known = new(StringComparer.Ordinal);

    /// <summary>The history in a folder, which is made when the first run is added.</summary>
    public JsonLinesHistory(string folder) => this.folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

    /// <inheritdoc/>
    public string Name => folder;

    /// <inheritdoc/>
    public AddOutcome Add(RunPoints run)
    {
        try
        {
            return TryAdd(run);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new HistoryException($"the run {run.Run.Run} cannot be added to {folder}: {exception.Message}", exception);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<HistoryCase> Cases()
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var file in RunFiles())
        {
            foreach (var point in Known(file).Points)
                counts[point.Case] = counts.GetValueOrDefault(point.Case) + 1;
        }
        return [.. counts.Select(pair => new HistoryCase(pair.Key, pair.Value))];
    }

    /// <inheritdoc/>
    public IEnumerable<CaseHistory> Last(IReadOnlyList<string> cases, int last)
    {
        var found = cases.Distinct(StringComparer.Ordinal).ToDictionary(name => name, _ => new List<PointOfRun>(), StringComparer.Ordinal);
        var open = last > 0 ? found.Count : 0;
        // From the newest on: most questions end long before the oldest.
        foreach (var (file, _) in RunFiles().Select(file => (File: file, Run: known.TryGetValue(file, out var whole) ? whole.Run : ReadHeader(file))).OrderByDescending(one => one.Run.StartedUtc).ThenByDescending(one => one.Run.Run, StringComparer.Ordinal))
        {
            if (open == 0)
                break;
            var run = Known(file);
            foreach (var point in run.Points)
            {
                if (!found.TryGetValue(point.Case, out var points) || points.Count == last)
                    continue;
                points.Add(new PointOfRun(run.Run, point));
                if (points.Count == last)
                    open--;
            }
        }
        foreach (var points in found.Values)
            points.Reverse();
        return cases.Select(name => new CaseHistory(name, found[name]));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private string FileOf(string run) => Path.Combine(folder, Year(run), run + Extension);

    /// <summary>A run's name begins with its year; one that does not goes to the others.</summary>
    private static string Year(string run) => run.Length > 4 && run.AsSpan(0, 4).IndexOfAnyExceptInRange('0', '9') < 0 ? run[..4] : "other";

    private AddOutcome TryAdd(RunPoints run)
    {
        var path = FileOf(run.Run.Run);
        MakeFolder(Path.GetDirectoryName(path)!);
        var text = HistoryJson.Write(run);
        var temporary = Path.Combine(folder, TemporaryPrefix + Guid.NewGuid().ToString("N"));
        try
        {
            // Others may read it as they may read any file that this user makes: the folder is shared by git or by a server.
            using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                file.Write(Encoding.UTF8.GetBytes(text));
                file.Flush(flushToDisk: true);
            }
            if (!DiskFile.TryLink(temporary, path))
                return HistoryJson.Write(Read(path)) == text ? AddOutcome.AlreadyThere
                    : throw new HistoryException($"{path} holds the run {run.Run.Run} with other figures; a run is never changed");
            Sync(Path.GetDirectoryName(path)!);
            return AddOutcome.Added;
        }
        finally
        {
            DiskFile.Delete(temporary);
            DeleteLeftovers();
        }
    }

    /// <summary>Makes a folder and those above it that are missing, each durable in the one above.</summary>
    private static void MakeFolder(string path)
    {
        if (Directory.Exists(path) || Path.GetDirectoryName(path) is not { } parent)
            return;
        MakeFolder(parent);
        Directory.CreateDirectory(path);
        Sync(parent);
    }

    private static void Sync(string path)
    {
        using var opened = DiskFile.Open(path, OpenMode.Read);
        opened.Fsync();
    }

    /// <summary>Temporary files of writers that were killed: no writer takes a day.</summary>
    private void DeleteLeftovers()
    {
        foreach (var leftover in Directory.GetFiles(folder, TemporaryPrefix + "*").Where(path => File.GetLastWriteTimeUtc(path) < DateTime.UtcNow.AddDays(-1)))
            DiskFile.Delete(leftover);
    }

    private string[] RunFiles()
    {
        if (!Directory.Exists(folder))
            throw new HistoryException($"{folder}: no history there; 'bench history add RUN' makes one");
        try
        {
            return [.. Directory.GetDirectories(folder).Where(path => Path.GetFileName(path) is "other" or { Length: 4 }).SelectMany(path => Directory.GetFiles(path, "*" + Extension))];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new HistoryException($"{folder} cannot be read: {exception.Message}", exception);
        }
    }

    private RunPoints Known(string path) => known.TryGetValue(path, out var run) ? run : known[path] = Read(path);

    private static HistoryRun ReadHeader(string path)
    {
        try
        {
            using var lines = File.ReadLines(path).GetEnumerator();
            return lines.MoveNext() ? AtLine(path, 1, () => HistoryJson.ReadRun(Encoding.UTF8.GetBytes(lines.Current))) : throw new HistoryException($"{path}, line 1: it is empty");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new HistoryException($"{path} cannot be read: {exception.Message}", exception);
        }
    }

    private static RunPoints Read(string path)
    {
        var rest = Bytes(path);
        HistoryRun? run = null;
        var points = new List<HistoryPoint>();
        for (var number = 1; !rest.IsEmpty; number++)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            if (end < 0)
                throw new HistoryException($"{path}, line {number}: the file ends within the line; take it from a copy, or delete it and add the run again");
            var line = rest[..end];
            rest = rest[(end + 1)..];
            if (run is null)
                run = AtLine(path, number, () => HistoryJson.ReadRun(line.Span));
            else
                points.Add(AtLine(path, number, () => HistoryJson.ReadPoint(line.Span)));
        }
        return Whole(path, run, points);
    }

    private static RunPoints Whole(string path, HistoryRun? run, List<HistoryPoint> points)
    {
        if (run is null)
            throw new HistoryException($"{path}, line 1: the file is empty; take it from a copy, or delete it and add the run again");
        if (points.Count != run.Points)
            throw new HistoryException($"{path}, line {Math.Min(points.Count, run.Points) + 2}: the run has {run.Points} points, and {points.Count} are here; take the file from a copy, or delete it and add the run again");
        if (run.Run != Path.GetFileNameWithoutExtension(path))
            throw new HistoryException($"{path}, line 1: it holds the run '{run.Run}'; a file has the name of its run");
        return new RunPoints(run, points);
    }

    private static ReadOnlyMemory<byte> Bytes(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new HistoryException($"{path} cannot be read: {exception.Message}", exception);
        }
    }

    private static T AtLine<T>(string path, int number, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (HistoryException exception)
        {
            throw new HistoryException($"{path}, line {number}: {exception.Message}", exception);
        }
    }
}
