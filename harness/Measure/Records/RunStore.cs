using System.Text;

namespace Bench.Measure.Records;

/// <summary>
/// The records of one run: <c>records.jsonl</c> in the run's folder, append-only, one record a line.
/// <para>
/// fio and BenchmarkDotNet write their result once at the end, so an interrupted run keeps nothing. Here each record
/// is written with one write call and fsynced before the next case begins, so a crash can tear the last line at most;
/// the reader drops a torn last line with a warning and never anything else.
/// </para>
/// </summary>
public sealed class RunStore : IDisposable
{
    /// <summary>The file's name in a run's folder.</summary>
    public const string FileName = "records.jsonl";

    private readonly FileStream file;

    private RunStore(FileStream file) => this.file = file;

    /// <summary>Opens the file for appending, and makes folder and file where they are missing.</summary>
    /// <param name="runFolder">The run's folder.</param>
    public static RunStore Open(string runFolder)
    {
        Directory.CreateDirectory(runFolder);
        var path = Path.Combine(runFolder, FileName);
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        DropTornTail(file);
        return new RunStore(file);
    }

    /// <summary>Appends one record; when it returns, the record is on disk.</summary>
    public void Append(RunRecord record)
    {
        file.Write(Encoding.UTF8.GetBytes(RecordJson.Write(record) + "\n"));
        file.Flush(flushToDisk: true);
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

    /// <summary>Cuts what follows the last line break: a record that a crash tore.</summary>
    private static void DropTornTail(FileStream file)
    {
        var position = file.Length;
        while (position > 0)
        {
            file.Position = position - 1;
            if (file.ReadByte() == '\n')
                break;
            position--;
        }
        if (position != file.Length)
            file.SetLength(position);
        file.Position = file.Length;
    }
}
