using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Bench.Disk;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Producers;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog.Inspect;

/// <summary>How a dump is written.</summary>
public enum DumpFormat
{
    /// <summary>A line per batch, and a line per record below it.</summary>
    Text,

    /// <summary>A JSON object per batch and line.</summary>
    Json,
}

/// <summary>What a dump shows.</summary>
public sealed record LogDumpOptions
{
    /// <summary>The records too.</summary>
    public bool Records { get; init; }

    /// <summary>How it is written.</summary>
    public DumpFormat Format { get; init; }

    /// <summary>The file system.</summary>
    public IStorage Storage { get; init; } = DiskStorage.Instance;

    /// <summary>Most bytes that a batch may have, compressed or not, for its records to be shown: what a hostile file can make a dump hold.</summary>
    public int MaxBatchBytes { get; init; } = 256 << 20;
}

/// <summary>
/// Shows the batches of a partition's folder, without an index and without writing anything. The spellings are those of
/// Kafka's own names; keys and values are hexadecimal, and those of more than 8 KiB a length and a SHA-256.
/// </summary>
public sealed class LogDump : IDisposable
{
    /// <summary>Longest key or value that is shown whole.</summary>
    public const int MostBytesShown = 8 << 10;

    private static readonly JsonWriterOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly LogDumpOptions options;
    private readonly Stream to;
    private readonly StreamWriter text;
    private readonly Utf8JsonWriter json;
    private readonly List<CorruptLogException> damages = [];
    private readonly RecordBuffer records = new();
    private byte[] large = [];

    private LogDump(Stream to, LogDumpOptions options)
    {
        this.to = to;
        this.options = options;
        text = new StreamWriter(to, new UTF8Encoding(false), 64 << 10, leaveOpen: true) { NewLine = "\n" };
        json = new Utf8JsonWriter(to, JsonOptions);
    }

    /// <summary>Writes the batches of all segments, oldest first.</summary>
    /// <param name="folder">The partition's folder.</param>
    /// <param name="to">Where to.</param>
    /// <param name="options">What.</param>
    /// <returns>What could not be shown, and why: damage.</returns>
    /// <exception cref="CorruptLogException">The log is of a format that is not read here.</exception>
    /// <exception cref="DiskException">A file cannot be read.</exception>
    public static IReadOnlyList<CorruptLogException> Write(string folder, Stream to, LogDumpOptions options)
    {
        using var dump = new LogDump(to, options);
        foreach (var path in LogFiles.Misnamed(options.Storage, folder))
            dump.damages.Add(new CorruptLogException(path, 0, "it is a folder, and has the name of a segment's file"));
        foreach (var baseOffset in LogFiles.Segments(options.Storage, folder))
            dump.WriteSegment(folder, baseOffset);
        return dump.damages;
    }

    /// <summary>Writes what is left; the stream stays open.</summary>
    public void Dispose()
    {
        text.Dispose();
        json.Dispose();
        records.Dispose();
    }

    private void WriteSegment(string folder, long baseOffset)
    {
        using var file = options.Storage.Open(Path.Combine(folder, LogFiles.Name(baseOffset, LogFiles.Log)), OpenMode.Read);
        var scanner = new BatchScanner();
        scanner.Begin(file, 0, file.LengthBytes, ScanDepth.Checksums);
        while (true)
        {
            var step = scanner.Next();
            var isSound = step == ScanStep.Batch;
            if (scanner.IsLegacy)
                throw new CorruptLogException(file.Path, scanner.Position, scanner.Reason) { IsLegacy = true };
            if (step == ScanStep.End)
            {
                if (scanner.Reason.Length > 0)
                    damages.Add(new CorruptLogException(file.Path, scanner.Position, scanner.Reason));
                return;
            }
            // It lies outside the checksum, and Kafka's reader takes any that is not smaller.
            if (isSound && scanner.Current.Magic != BatchView.CurrentMagic)
                damages.Add(new CorruptLogException(file.Path, scanner.Position, string.Create(CultureInfo.InvariantCulture, $"a batch says it has magic {scanner.Current.Magic}, and only {BatchView.CurrentMagic} is known")));
            if (step == ScanStep.Corrupt)
            {
                damages.Add(new CorruptLogException(file.Path, scanner.Position, scanner.Reason));
                // A wrong checksum leaves the length, and with it the next batch.
                if (!scanner.TryStepOver())
                    return;
            }
            if (options.Format == DumpFormat.Json)
                WriteJson(baseOffset, file, scanner, isSound);
            else
                WriteText(baseOffset, file, scanner, isSound);
        }
    }

    private void WriteText(long baseOffset, IStorageFile file, BatchScanner scanner, bool isSound)
    {
        var batch = scanner.Current;
        text.Write(string.Create(CultureInfo.InvariantCulture,
            $"segment {baseOffset} position {scanner.Position} size {scanner.SizeBytes} offsets {batch.BaseOffset}..{batch.LastOffset} records {batch.RecordCount} epoch {batch.LeaderEpoch} {NameOf(batch.Compression)} {batch.TimestampType} {batch.MaxTimestamp} crc {batch.Crc:x8}"));
        if (batch.HasProducerId)
            text.Write(string.Create(CultureInfo.InvariantCulture, $" producer {batch.ProducerId} epoch {batch.ProducerEpoch} sequence {batch.BaseSequence}..{batch.LastSequence}"));
        if (batch.IsTransactional)
            text.Write(" transactional");
        if (batch.IsControl)
            text.Write(" control");
        if (batch.HasDeleteHorizon)
            text.Write(string.Create(CultureInfo.InvariantCulture, $" deleteHorizon {batch.BaseTimestamp}"));
        if (batch.Magic != BatchView.CurrentMagic)
            text.Write(string.Create(CultureInfo.InvariantCulture, $" magic {batch.Magic}"));
        text.WriteLine(isSound ? "" : " INVALID");
        if (!options.Records || !isSound)
            return;
        ForEachRecord(file, scanner, (BatchView whole, RecordView record) =>
        {
            var marker = MarkerOf(whole, record);
            text.Write(string.Create(CultureInfo.InvariantCulture, $"  offset {whole.BaseOffset + record.OffsetDelta} timestamp {TimestampOf(whole, record)}"));
            if (SequenceOf(whole, record) is var sequence and not -1)
                text.Write(string.Create(CultureInfo.InvariantCulture, $" sequence {sequence}"));
            WritePart("key", record.Key, record.IsKeyNull);
            WritePart("value", record.Value, record.IsValueNull);
            var headers = record.Headers;
            while (headers.Next())
            {
                text.Write(" header ");
                text.Write(JsonEncodedText.Encode(Encoding.UTF8.GetString(Shortened(headers.Key)), JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value);
                WritePart("", headers.Value, headers.IsValueNull);
            }
            if (marker is { } end)
                text.Write(string.Create(CultureInfo.InvariantCulture, $" marker {(end.IsAbort ? "ABORT" : "COMMIT")} coordinatorEpoch {end.CoordinatorEpoch}"));
            text.WriteLine();
        });
    }

    private void WritePart(string name, ReadOnlySpan<byte> bytes, bool isNull)
    {
        if (name.Length > 0)
            text.Write($" {name}");
        text.Write(isNull ? " null" : bytes.Length > MostBytesShown
            ? string.Create(CultureInfo.InvariantCulture, $" {bytes.Length} bytes sha256 {Convert.ToHexStringLower(Sha256.Of(bytes))}")
            : " " + (bytes.IsEmpty ? "empty" : Convert.ToHexStringLower(bytes)));
    }

    private static ReadOnlySpan<byte> Shortened(ReadOnlySpan<byte> bytes) => bytes[..Math.Min(bytes.Length, MostBytesShown)];

    private void WriteJson(long baseOffset, IStorageFile file, BatchScanner scanner, bool isSound)
    {
        var batch = scanner.Current;
        json.WriteStartObject();
        json.WriteNumber("segment", baseOffset);
        json.WriteNumber("position", scanner.Position);
        json.WriteNumber("size", scanner.SizeBytes);
        json.WriteNumber("magic", batch.Magic);
        json.WriteNumber("baseOffset", batch.BaseOffset);
        json.WriteNumber("lastOffset", batch.LastOffset);
        json.WriteNumber("nextOffset", batch.NextOffset);
        json.WriteNumber("crc", batch.Crc);
        json.WriteString("compression", NameOf(batch.Compression));
        json.WriteString("timestampType", batch.TimestampType == TimestampType.LogAppendTime ? "LogAppendTime" : "CreateTime");
        json.WriteNumber("maxTimestamp", batch.MaxTimestamp);
        json.WriteString("headerHex", Convert.ToHexStringLower(batch.Bytes[..BatchView.HeaderBytes]));
        json.WriteNumber("partitionLeaderEpoch", batch.LeaderEpoch);
        json.WriteNumber("attributes", batch.Attributes);
        json.WriteNumber("lastOffsetDelta", batch.LastOffsetDelta);
        json.WriteNumber("baseTimestamp", batch.BaseTimestamp);
        json.WriteNumber("producerId", batch.ProducerId);
        json.WriteNumber("producerEpoch", batch.ProducerEpoch);
        json.WriteNumber("baseSequence", batch.BaseSequence);
        json.WriteNumber("lastSequence", batch.LastSequence);
        json.WriteBoolean("transactional", batch.IsTransactional);
        json.WriteBoolean("control", batch.IsControl);
        json.WriteNumber("count", batch.RecordCount);
        if (batch.HasDeleteHorizon)
            json.WriteNumber("deleteHorizonMs", batch.BaseTimestamp);
        else
            json.WriteNull("deleteHorizonMs");
        json.WriteBoolean("valid", isSound);
        if (options.Records)
        {
            json.WriteStartArray("records");
            if (isSound)
                ForEachRecord(file, scanner, WriteJson);
            json.WriteEndArray();
        }
        json.WriteEndObject();
        json.Flush();
        json.Reset();
        to.WriteByte((byte)'\n');
    }

    private void WriteJson(BatchView batch, RecordView record)
    {
        // Before anything is written: a damaged marker throws.
        var marker = MarkerOf(batch, record);
        json.WriteStartObject();
        json.WriteNumber("offset", batch.BaseOffset + record.OffsetDelta);
        json.WriteNumber("timestamp", TimestampOf(batch, record));
        json.WriteNumber("sequence", SequenceOf(batch, record));
        WriteJson("key", record.Key, record.IsKeyNull);
        WriteJson("value", record.Value, record.IsValueNull);
        if (record.HeaderCount > 0)
        {
            json.WriteStartArray("headers");
            var headers = record.Headers;
            while (headers.Next())
            {
                json.WriteStartArray();
                json.WriteStringValue(Encoding.UTF8.GetString(Shortened(headers.Key)));
                if (headers.IsValueNull)
                    json.WriteNullValue();
                else
                    WriteHex(headers.Value);
                json.WriteEndArray();
            }
            json.WriteEndArray();
        }
        if (marker is { } end)
        {
            json.WriteString("marker", end.IsAbort ? "ABORT" : "COMMIT");
            json.WriteNumber("coordinatorEpoch", end.CoordinatorEpoch);
        }
        json.WriteEndObject();
        if (json.BytesPending > 64 << 10)
            json.Flush();
    }

    private void WriteJson(string name, ReadOnlySpan<byte> bytes, bool isNull)
    {
        if (!isNull && bytes.Length <= MostBytesShown)
        {
            json.WriteString(name, Convert.ToHexStringLower(bytes));
            return;
        }
        json.WriteNull(name);
        if (isNull)
            return;
        json.WriteNumber(name + "Length", bytes.Length);
        json.WriteString(name + "Sha256", Convert.ToHexStringLower(Sha256.Of(bytes)));
    }

    /// <summary>A header's value of any size, in pieces.</summary>
    private void WriteHex(ReadOnlySpan<byte> bytes)
    {
        Span<char> hex = stackalloc char[2 * 512];
        while (bytes.Length > hex.Length / 2)
        {
            Convert.TryToHexStringLower(bytes[..(hex.Length / 2)], hex, out _);
            json.WriteStringValueSegment(hex, isFinalSegment: false);
            bytes = bytes[(hex.Length / 2)..];
            if (json.BytesPending > 64 << 10)
                json.Flush();
        }
        Convert.TryToHexStringLower(bytes, hex, out var last);
        json.WriteStringValueSegment(hex[..last], isFinalSegment: true);
    }

    /// <summary>Goes through the records; damage in them ends it and is noted.</summary>
    private void ForEachRecord(IStorageFile file, BatchScanner scanner, RecordAction action)
    {
        var position = scanner.Position;
        try
        {
            if (!scanner.TryGetWhole(out var batch))
                batch = ReadLarge(file, scanner);
            var payload = batch.Payload;
            if (batch.Compression != Compression.None)
            {
                records.Clear();
                RecordCompression.Decompress(batch.Compression, payload, records, options.MaxBatchBytes);
                payload = records.WrittenSpan;
            }
            var reader = new RecordReader(payload, batch.RecordCount);
            while (reader.Next())
                action(batch, reader.Current);
        }
        catch (CorruptLogException exception)
        {
            damages.Add(exception.At(file.Path, position));
        }
        catch (InvalidDataException exception)
        {
            damages.Add(new CorruptLogException(file.Path, position, exception.Message));
        }
    }

    private BatchView ReadLarge(IStorageFile file, BatchScanner scanner)
    {
        var size = scanner.SizeBytes;
        if (size > options.MaxBatchBytes)
            throw new CorruptLogException($"a batch of {size} bytes, and the records of at most {options.MaxBatchBytes} are shown");
        if (large.Length < size)
            large = GC.AllocateUninitializedArray<byte>(size);
        if (file.Read(large.AsSpan(0, size), scanner.Position) < size)
            throw new CorruptLogException("the file ended within a batch; something else shortened it");
        return new BatchView(large.AsSpan(0, size));
    }

    private delegate void RecordAction(BatchView batch, RecordView record);

    private static long TimestampOf(BatchView batch, RecordView record) =>
        batch.TimestampType == TimestampType.LogAppendTime ? batch.MaxTimestamp : batch.BaseTimestamp + record.TimestampDelta;

    private static int SequenceOf(BatchView batch, RecordView record) =>
        batch.BaseSequence < 0 ? -1 : BatchView.AddToSequence(batch.BaseSequence, record.OffsetDelta);

    private static ControlRecord? MarkerOf(BatchView batch, RecordView record) =>
        batch.IsControl ? ControlRecord.Parse(batch, record) : null;

    /// <summary>Kafka's name of a codec.</summary>
    internal static string NameOf(Compression codec) => codec switch
    {
        Compression.None => "none",
        Compression.Gzip => "gzip",
        Compression.Snappy => "snappy",
        Compression.Lz4 => "lz4",
        Compression.Zstd => "zstd",
        _ => string.Create(CultureInfo.InvariantCulture, $"unknown({(int)codec})"),
    };
}
