using System.Buffers;
using System.Diagnostics;
using BenchmarkDotNet.Attributes;
using Bench.Measure;
using Bench.Measure.Evidence;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Bench.Measure.Running;
using Bench.SegmentLog.Format;

namespace Bench.Workloads;

/// <summary>A step of what producers, brokers and consumers do with a batch in memory.</summary>
public enum EncodeStep
{
    /// <summary>Records into a batch, its checksum included.</summary>
    Encode,

    /// <summary>A batch's records read one after the other.</summary>
    Decode,

    /// <summary>A batch's checksum.</summary>
    Crc,

    /// <summary>Records compressed.</summary>
    Compress,

    /// <summary>Records decompressed.</summary>
    Decompress,
}

/// <summary>
/// What the format costs the processor, without a disk: an upper bound for what any log in it can take. One operation is
/// one batch; bytes are those of the batch uncompressed.
/// </summary>
public class LogEncode : Workload, IWorkload
{
    private const int BatchBytes = 64 << 10;
    private const int KeyBytes = 8;

    private readonly RecordBatchBuilder builder = new(BatchBytes * 2);
    private readonly ArrayBufferWriter<byte> output = new(BatchBytes * 2);
    private byte[][] values = [];
    private byte[] batch = [];
    private byte[] compressed = [];
    private long checksum;

    /// <summary>The step.</summary>
    [ParamsAllValues]
    public EncodeStep Step { get; set; }

    /// <summary>Bytes of a record's key and value.</summary>
    [ParamsSource(nameof(RecordSizes))]
    public ByteSize RecordSize { get; set; }

    /// <summary>The codec.</summary>
    [ParamsAllValues]
    public Compression Compression { get; set; }

    /// <summary>The record sizes of the profiles.</summary>
    public static IEnumerable<ByteSize> RecordSizes => [new(100), ByteSize.KiB(1), ByteSize.KiB(10)];

    /// <inheritdoc/>
    public override string OperationName => Step.ToString();

    /// <inheritdoc/>
    public override string? WhyImpossible() =>
        Step is EncodeStep.Compress or EncodeStep.Decompress != (Compression != Compression.None) ? "Compress and Decompress take a codec, the other steps none"
        : RecordSize.Bytes < 16 || RecordSize.Bytes > BatchBytes - 128 ? "RecordSize goes from 16B up to what a batch of 64KiB holds"
        : null;

    /// <inheritdoc/>
    public override CaseEstimate Estimate(RunSettings settings) => new(0.05 + (settings.Passes + 1) * (settings.PassSeconds + settings.SettleMs / 1000.0), 0, []);

    /// <summary>The grids of a profile.</summary>
    public static IReadOnlyList<ParameterGrid> Grids(Profile profile)
    {
        Compression[] codecs = [Compression.Gzip, Compression.Snappy, Compression.Lz4, Compression.Zstd];
        EncodeStep[] plain = [EncodeStep.Encode, EncodeStep.Decode, EncodeStep.Crc];
        EncodeStep[] packed = [EncodeStep.Compress, EncodeStep.Decompress];
        return profile switch
        {
            Profile.Smoke or Profile.Quick =>
            [
                new ParameterGrid().With(nameof(Step), plain).With(nameof(RecordSize), new ByteSize(100)),
                new ParameterGrid().With(nameof(Step), packed).With(nameof(RecordSize), new ByteSize(100)).With(nameof(Compression), profile == Profile.Smoke ? codecs : [Compression.Lz4, Compression.Zstd]),
            ],
            Profile.Gate => [],
            _ =>
            [
                new ParameterGrid().With(nameof(Step), plain).With(nameof(RecordSize), [.. RecordSizes]),
                new ParameterGrid().With(nameof(Step), packed).With(nameof(RecordSize), [.. RecordSizes]).With(nameof(Compression), codecs),
            ],
        };
    }

    /// <inheritdoc/>
    protected override void Prepare()
    {
        var source = new LogBatches(BatchBytes, (int)RecordSize.Bytes, Compression.None, CaseSeed);
        batch = source.Next().ToArray();
        var view = new BatchView(batch);
        var records = new List<byte[]>();
        for (var reader = new RecordReader(view.Payload, view.RecordCount); reader.Next();)
            records.Add([.. reader.Current.Key, .. reader.Current.Value]);
        values = [.. records];
        if (Compression != Compression.None)
        {
            RecordCompression.Compress(Compression, view.Payload, output, RecordCompression.DefaultLevel(Compression));
            compressed = output.WrittenSpan.ToArray();
        }
    }

    /// <inheritdoc/>
    protected override PassResult RunOperations(LoopLimit limit, bool timed)
    {
        var slowdown = new InjectedSlowdown(Run.Settings.InjectedSlowdown);
        var start = Stopwatch.GetTimestamp();
        var last = start;
        long done = 0;
        var histogram = timed ? Case.Latency(OperationName.ToLowerInvariant()) : null;
        while (done < limit.Operations && last - start < limit.DeadlineNs)
        {
            Run.Stop.ThrowIfRequested();
            checksum += RunStep();
            var now = slowdown.After(last, Stopwatch.GetTimestamp());
            histogram?.Record(now - last);
            last = now;
            done++;
        }
        return new PassResult((last - start) * 1e-9, done * batch.Length, done);
    }

    /// <inheritdoc/>
    protected override PassRecord Complete(PassRecord measured)
    {
        Case.AddMetric("recordsPerSecond", measured.Operations * values.Length / measured.Seconds);
        return measured;
    }

    /// <inheritdoc/>
    protected override void Conclude()
    {
        Case.Effective["batchBytes"] = batch.Length;
        Case.Effective["recordsPerBatch"] = values.Length;
        if (compressed.Length > 0)
            Case.Effective["compressedBytes"] = compressed.Length;
        Case.Claim(Claims.NoStorage(Case.Passes, RoundTrips()));
    }

    private long RunStep()
    {
        switch (Step)
        {
            case EncodeStep.Encode:
                builder.Begin(new BatchSettings());
                foreach (var value in values)
                    builder.Append(1, value.AsSpan(0, KeyBytes), value.AsSpan(KeyBytes));
                return builder.Build().Length;
            case EncodeStep.Decode:
                var view = new BatchView(batch);
                long sum = 0;
                for (var reader = new RecordReader(view.Payload, view.RecordCount); reader.Next();)
                    sum += reader.Current.Value.Length;
                return sum;
            case EncodeStep.Crc:
                return new BatchView(batch).ComputeCrc();
            case EncodeStep.Compress:
                output.ResetWrittenCount();
                RecordCompression.Compress(Compression, new BatchView(batch).Payload, output, RecordCompression.DefaultLevel(Compression));
                return output.WrittenCount;
            default:
                output.ResetWrittenCount();
                return RecordCompression.Decompress(Compression, compressed, output, 2 * BatchBytes);
        }
    }

    /// <summary>Whether the step's result is right: what was encoded is what was built before, what was compressed comes back.</summary>
    private bool RoundTrips()
    {
        if (Step != EncodeStep.Encode)
            RunStep();
        switch (Step)
        {
            case EncodeStep.Encode:
                builder.Begin(new BatchSettings());
                foreach (var value in values)
                    builder.Append(1, value.AsSpan(0, KeyBytes), value.AsSpan(KeyBytes));
                return builder.Build()[BatchView.HeaderBytes..].SequenceEqual(batch.AsSpan(BatchView.HeaderBytes));
            case EncodeStep.Crc:
                return new BatchView(batch).ComputeCrc() == new BatchView(batch).Crc;
            case EncodeStep.Compress:
                var back = new ArrayBufferWriter<byte>();
                RecordCompression.Decompress(Compression, output.WrittenSpan, back, 2 * BatchBytes);
                return back.WrittenSpan.SequenceEqual(new BatchView(batch).Payload);
            case EncodeStep.Decompress:
                return output.WrittenSpan.SequenceEqual(new BatchView(batch).Payload);
            default:
                return true;
        }
    }
}
