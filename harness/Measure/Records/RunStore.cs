using System.Text;
using System.Text.Json;
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
/// <para>A line is torn if it is the last one, lacks its line break, and is no complete JSON: nothing else can be the
/// trace of a crash. Whatever else is wrong is an error that names file and line.</para>
/// </summary>
public sealed class RunStore : IDisposable
{
    /// <summary>The file's name in a run's folder.</summary>
    public const string FileName = "records.jsonl";

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private readonly DiskFile file;
    private long lengthBytes;

    private RunStore(DiskFile file) => this.file = file;

    /// <summary>One sentence if a torn last line was cut off when the file was opened; null otherwise.</summary>
    public string? Warning { get; private set; }

    /// <summary>Opens the file for appending, and makes folder and file where they are missing.</summary>
    /// <param name="runFolder">The run's folder.</param>
    /// <exception cref="IOException">It cannot be opened, or made.</exception>
    /// <exception cref="RecordException">It ends with something that is no record at all: it is not ours to change.</exception>
    public static RunStore Open(string runFolder)
    {
        Directory.CreateDirectory(runFolder);
        var path = Path.Combine(runFolder, FileName);
        // Readable by others as the page beside it is: a server's job copies the folder under another user.
        if (!File.Exists(path))
            new FileStream(path, FileMode.CreateNew, FileAccess.Write).Dispose();
        var store = new RunStore(DiskFile.Open(path, OpenMode.Write));
        try
        {
            store.EndWithLineBreak();
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>Appends one record; when it returns, the record is on disk.</summary>
    /// <exception cref="RecordException">The record cannot be written as JSON; the file is as it was.</exception>
    /// <exception cref="DiskException">It could not be written or flushed; the file ends with the record before it.</exception>
    public void Append(RunRecord record)
    {
        var line = Utf8.GetBytes(RecordJson.Write(record) + "\n");
        try
        {
            file.Write(line, lengthBytes);
            file.Fdatasync();
        }
        catch (DiskException)
        {
            // A part of a line must not stay: a shorter record written over it would leave its end behind.
            file.Truncate(lengthBytes);
            throw;
        }
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
        var lines = TextOf(fileName).Split('\n');
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
                if (number != lines.Length || !IsTorn(line))
                    throw new RecordException($"{fileName}, line {number}: {exception.Message}", exception);
                warnings.Add($"{fileName}: the last line is torn (an interrupted run) and was left out");
            }
        }
        return (records, warnings);
    }

    /// <summary>Replaces a run's records, all or none: after a crash the file is the old one or the new one.</summary>
    /// <param name="runFolder">The run's folder.</param>
    /// <param name="records">What it is to hold.</param>
    /// <exception cref="IOException">It could not be written; the file is as it was.</exception>
    public static void Rewrite(string runFolder, IEnumerable<RunRecord> records)
    {
        var path = Path.Combine(runFolder, FileName);
        var next = path + ".next";
        File.Delete(next);
        using (var file = DiskFile.Open(next, OpenMode.Create | OpenMode.Write))
        {
            file.Write(Utf8.GetBytes(string.Concat(records.Select(record => RecordJson.Write(record) + "\n"))), 0);
            file.Fdatasync();
        }
        File.SetUnixFileMode(next, File.GetUnixFileMode(path));
        File.Move(next, path, overwrite: true);
    }

    private static string TextOf(string fileName)
    {
        try
        {
            return File.ReadAllText(fileName);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new RecordException($"{fileName} cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>
    /// The beginning of a record that goes no further, or the zeros that a file system leaves where a length was
    /// written before the data.
    /// </summary>
    private static bool IsTorn(string line)
    {
        if (line.AsSpan().Trim('\0').IsEmpty)
            return true;
        if (!line.StartsWith('{'))
            return false;
        // Not the last block: the reader waits for more where the text ends too early, and throws where it is wrong.
        var reader = new Utf8JsonReader(Utf8.GetBytes(line), isFinalBlock: false, new JsonReaderState(new JsonReaderOptions { MaxDepth = int.MaxValue }));
        try
        {
            while (reader.Read())
            {
                if (reader.CurrentDepth == 0 && reader.TokenType == JsonTokenType.EndObject)
                    return false;
            }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>
    /// Makes sure that the next record begins a line: what follows the last line break is a whole record that lacks
    /// its break, and gets it, or the part of one that a crash left, and is cut off.
    /// </summary>
    private void EndWithLineBreak()
    {
        var bytes = File.ReadAllBytes(file.Path);
        lengthBytes = bytes.AsSpan().LastIndexOf((byte)'\n') + 1;
        if (lengthBytes == bytes.Length)
            return;
        var tail = Utf8.GetString(bytes.AsSpan((int)lengthBytes)).TrimStart('\uFEFF');
        if (IsTorn(tail))
        {
            file.Truncate(lengthBytes);
            Warning = $"{file.Path}: the last line was torn (an interrupted run) and was cut off";
            return;
        }
        try
        {
            RecordJson.Read(tail);
        }
        catch (RecordException exception)
        {
            throw new RecordException($"{file.Path}, last line: {exception.Message}", exception);
        }
        file.Write("\n"u8, bytes.Length);
        lengthBytes = bytes.Length + 1;
    }
}
