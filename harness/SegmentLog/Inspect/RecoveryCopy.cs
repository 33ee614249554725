using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Bench.Disk;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog.Inspect;

/// <summary>How the last stop of a log is taken.</summary>
public enum LastStop
{
    /// <summary>Nothing is known to be durable: every batch is checked.</summary>
    Unclean,

    /// <summary>It was closed properly.</summary>
    Clean,
}

/// <summary>Recovers a copy of a partition's folder, which is left as it is, and tells what was done as JSON.</summary>
public static class RecoveryCopy
{
    /// <summary>Copies a folder's files, opens the copy as a log, closes it, and writes one JSON object on what came of it.</summary>
    /// <param name="folder">The partition's folder; it is only read.</param>
    /// <param name="copy">Where to; it must not exist. If the log is refused, it is removed again.</param>
    /// <param name="config">Settings of the log.</param>
    /// <param name="lastStop">How the last stop is taken.</param>
    /// <param name="clock">The loader's clock, which tells expired producers.</param>
    /// <param name="to">Gets the object and a line feed.</param>
    /// <param name="stop">Ends it before its time; the copy is removed.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    /// <exception cref="CorruptLogException">The log is of a format that is not read here.</exception>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    public static void Recover(string folder, string copy, LogConfig config, LastStop lastStop, TimeProvider clock, Stream to, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(to);
        try
        {
            CopyFiles(folder, copy, stop);
            RecoveryReport report;
            // One thread and one order: what happens depends on the files alone.
            var log = PartitionLog.Open(copy, config, new LogOpenOptions { Clock = clock, CleanStop = lastStop == LastStop.Clean, Worker = LogWorker.AtOnce });
            try
            {
                report = log.Recovery;
                log.Close();
            }
            finally
            {
                log.Dispose();
            }
            stop.ThrowIfCancellationRequested();
            using (var json = new Utf8JsonWriter(to, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
                Write(json, report, DiskStorage.Instance, copy);
            to.WriteByte((byte)'\n');
        }
        catch
        {
            // A part of a copy would only be in the way of the next try.
            if (Directory.Exists(copy))
                Directory.Delete(copy, recursive: true);
            throw;
        }
    }

    /// <summary>Writes one object on a recovery and on the folder after it; the names are those of Kafka's verdicts in the golden data.</summary>
    internal static void Write(Utf8JsonWriter json, RecoveryReport report, IStorage storage, string folder)
    {
        json.WriteStartObject();
        json.WriteNumber("logEndOffset", report.LogEndOffset);
        json.WriteNumber("recoveryPoint", report.RecoveryPoint);
        WriteNumbers("segments", report.Segments);
        json.WriteNumber("activeProducers", report.ActiveProducers);
        json.WriteNumber("firstUnstableOffset", report.FirstUnstableOffset);
        // As Java prints a list of records.
        json.WriteString("epochs", "[" + string.Join(", ", report.Epochs.Select(entry =>
            string.Create(CultureInfo.InvariantCulture, $"EpochEntry(epoch={entry.Epoch}, startOffset={entry.StartOffset})"))) + "]");
        json.WriteNumber("bytesTruncated", report.BytesTruncated);
        json.WriteStartArray("recovered");
        foreach (var segment in report.Recovered)
        {
            json.WriteStartObject();
            json.WriteNumber("baseOffset", segment.BaseOffset);
            json.WriteNumber("logSizeBefore", segment.SizeBefore);
            json.WriteNumber("bytesTruncated", segment.BytesTruncated);
            json.WriteNumber("logSizeAfter", segment.SizeAfter);
            json.WriteNumber("nextOffset", segment.NextOffset);
            json.WriteString("reason", segment.Reason);
            json.WriteString("damage", segment.Damage);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        WriteNumbers("removed", report.Removed);
        json.WriteStartArray("notes");
        foreach (var note in report.Notes)
            json.WriteStringValue(note);
        json.WriteEndArray();
        json.WritePropertyName("after");
        FolderInventory.Write(json, storage, folder);
        json.WriteEndObject();

        void WriteNumbers(string name, IReadOnlyList<long> numbers)
        {
            json.WriteStartArray(name);
            foreach (var number in numbers)
                json.WriteNumberValue(number);
            json.WriteEndArray();
        }
    }

    private static void CopyFiles(string folder, string copy, CancellationToken stop)
    {
        foreach (var path in LogFiles.Misnamed(DiskStorage.Instance, folder))
            throw DiskException.NotRegular("open", path);
        var files = new DirectoryInfo(folder).GetFiles();
        var bytes = 0L;
        foreach (var file in files)
        {
            using var opened = DiskFile.OpenRegular(file.FullName, OpenMode.Read);
            bytes += opened.AllocatedBytes;
        }
        Directory.CreateDirectory(copy);
        if (new DriveInfo(copy).AvailableFreeSpace is var free && free < bytes)
            throw new IOException(string.Create(CultureInfo.InvariantCulture, $"{copy}: the copy takes {bytes} bytes, and {free} are free"));
        var buffer = new byte[1 << 20];
        foreach (var file in files)
            Copy(file.FullName, Path.Combine(copy, file.Name), buffer, stop);
    }

    /// <summary>Copies what was ever written: a log may have gigabytes of nothing ahead.</summary>
    private static void Copy(string from, string to, byte[] buffer, CancellationToken stop)
    {
        using var source = DiskFile.OpenRegular(from, OpenMode.Read);
        using var target = DiskFile.Open(to, OpenMode.Write | OpenMode.Create);
        var length = source.LengthBytes;
        for (var at = source.NextData(0); at < length; at = source.NextData(at))
        {
            stop.ThrowIfCancellationRequested();
            var read = source.Read(buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - at)), at);
            if (read == 0)
                break;
            target.Write(buffer.AsSpan(0, read), at);
            at += read;
        }
        target.Truncate(length);
        // A read-only original is no reason that the copy cannot be recovered.
        File.SetUnixFileMode(to, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
    }
}
