using System.Text;
using Bench.Disk;

namespace Bench.Measure.Records;

/// <summary>
/// The records of one run: <c>records.jsonl</c> in the run's folder, append-only, one record a line.
/// <para>
/// fio and BenchmarkDotNet write their result once at the end, so an interrupted run keeps nothing. Here each record
/// is written with one write call and fsynced before the next case begins, so a crash can tear the last line at most;
/// the reader drops a torn last line with a warning and never anything else. It goes through <see cref="DiskFile"/>
/// because FileStream's flush to disk swallows EIO.
/// </para>
/// </summary>
public sealed class RunStore : IDisposable
{
    /// <summary>The file's name in a run's folder.</summary>
    public const string FileName = "records.jsonl";

    private readonly DiskFile file;
    private long lengthBytes;

    private RunStore(DiskFile file, long lengthBytes)
    {
        this.file = file;
        this.lengthBytes = lengthBytes;
    }

    /// <summary>Opens the file for appending, and makes folder and file where they are missing.</summary>
    /// <param name="runFolder">The run's folder.</param>
    /// <exception cref="DiskException">It cannot be opened.</exception>
    public static RunStore Open(string runFolder)
    {
        Directory.CreateDirectory(runFolder);
        var path = Path.Combine(runFolder, FileName);
        var file = DiskFile.Open(path, File.Exists(path) ? OpenMode.Write : OpenMode.Write | OpenMode.Create);
        var whole = WholeLinesBytes(path);
        if (whole != file.LengthBytes)
            file.Truncate(whole);
        return new RunStore(file, whole);
    }

    /// <summary>Appends one record; when it returns, the record is on disk.</summary>
    /// <exception cref="DiskException">It could not be written or flushed.</exception>
    public void Append(RunRecord record)
    {
        var line = Encoding.UTF8.GetBytes(RecordJson.Write(record) + "\n");
        file.Write(line, lengthBytes);
        file.Fdatasync();
        lengthBytes += line.Length;
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    /// <summary>Reads a run: a folder with <see cref="FileName"/>, or a file of records.</summary>
    /// <param name="path">Folder or file.</param>
    /// <returns>The records in order, and a warning for each thing passed over.</returns>
    /// <exception cref="RecordException">No such run, or a line that is no record.</exception>
    public static (IReadOnlyList<RunRecord> Records, IReadOnlyList<string> Warnings) Read(string path)
    {
        var fileName = Directory.Exists(path) ? Path.Combine(path, FileName) : path;
        if (!File.Exists(fileName))
            throw new RecordException($"{path}: no run there (a folder with {FileName}, or a file of records)");

        var records = new List<RunRecord>();
        var warnings = new List<string>();
        var text = File.ReadAllText(fileName);
        var lines = text.Split('\n');
        for (var number = 1; number <= lines.Length; number++)
        {
            var line = lines[number - 1];
            if (line.AsSpan().Trim().IsEmpty)
                continue;
            try
            {
                records.Add(RecordJson.Read(line));
            }
            catch (RecordException exception)
            {
                // Only the last line, and only if its line break is missing, can be the trace of a crash.
                if (number != lines.Length)
                    throw new RecordException($"{fileName}, line {number}: {exception.Message}", exception);
                warnings.Add($"{fileName}: the last line is torn (an interrupted run) and was left out");
            }
        }
        return (records, warnings);
    }

    /// <summary>Bytes up to the last line break: what follows is a record that a crash tore.</summary>
    private static long WholeLinesBytes(string path) => File.ReadAllBytes(path).AsSpan().LastIndexOf((byte)'\n') + 1;
}
