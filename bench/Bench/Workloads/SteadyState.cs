using BenchmarkDotNet.Attributes;
using Bench.Disk.Uring;
using Bench.Measure;
using Bench.Measure.Evidence;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Bench.Measure.Running;

namespace Bench.Workloads;

/// <summary>
/// A drive in the state that it will be in after months: filled twice, then rounds of random direct I/O until nothing
/// changes any more, and only then the passes that count. <c>bench run --steady</c> puts it before all other cases, as
/// large as the space allows, and keeps its file while they run.
/// <para>
/// A new drive, or one that was trimmed, writes several times faster than a used one, because it has erased blocks in
/// stock. SNIA's test does this on raw devices and erases them first; fio can wait for a steady state of one figure.
/// Here it is a file among those of the user, whose data stays, and reads and writes come to rest each by themselves.
/// With <c>--raw</c> it is a device, whole, as SNIA has it.
/// </para>
/// </summary>
public class SteadyState : FileWorkload, IWorkload
{
    /// <summary>SNIA's limit.</summary>
    private const int MostRounds = 25;

    private const int FillBlockBytes = 1 << 20;

    /// <summary>The direction.</summary>
    [Params(Operation.Write, Operation.Read)]
    public Operation Operation { get; set; }

    /// <summary>The block size.</summary>
    [ParamsSource(nameof(BlockSizes))]
    public ByteSize BlockSize { get; set; }

    /// <summary>Requests in flight.</summary>
    [Params(32, 1, 8, 128)]
    public int QueueDepth { get; set; }

    /// <summary>The file's size: as much of the drive as is filled.</summary>
    [ParamsSource(nameof(FileSizes))]
    public ByteSize FileSize { get; set; }

    /// <summary>Block sizes that one would choose.</summary>
    public static IEnumerable<ByteSize> BlockSizes => [ByteSize.KiB(4), ByteSize.KiB(64), ByteSize.KiB(128)];

    /// <summary>That of the smoke profile; <c>--steady</c> takes what the target has.</summary>
    public static IEnumerable<ByteSize> FileSizes => [ByteSize.MiB(8)];

    /// <inheritdoc/>
    protected override ByteSize FileBytes => FileSize;

    /// <inheritdoc/>
    protected override string Purpose => "steady";

    /// <inheritdoc/>
    public override bool CanBePaced => false;

    /// <summary>Both operations on a file of a size.</summary>
    public static IReadOnlyList<CaseSpec> CasesOf(ByteSize size)
    {
        var descriptor = Catalogue.All.Single(workload => workload.Type == typeof(SteadyState));
        return [.. new[] { Operation.Write, Operation.Read }.Select(operation => new CaseSpec(descriptor, [operation, ByteSize.KiB(4), 32, size]))];
    }

    /// <inheritdoc/>
    public override string? WhyImpossible() =>
        QueueDepth > 4096 ? "QueueDepth goes up to 4096"
        : BlockSize.Bytes % 512 != 0 ? "direct I/O takes multiples of 512 bytes"
        : BlockSize > FileSize ? "BlockSize goes up to FileSize"
        : FileSize.Bytes < FillBlockBytes ? "FileSize is 1MiB at least"
        : null;

    /// <inheritdoc/>
    public override CaseEstimate Estimate(RunSettings settings)
    {
        var passes = base.Estimate(settings);
        // Half of the rounds that there may be.
        var roundSeconds = settings.SteadyRoundSeconds * MostRounds / 2;
        return Operation == Operation.Read
            ? passes with { Seconds = passes.Seconds + roundSeconds }
            : passes with { Seconds = passes.Seconds + roundSeconds + FileSize.Bytes / 1e9, WriteBytes = (long)(passes.WriteBytes + FileSize.Bytes + roundSeconds * 250e6) };
    }

    /// <summary>Only where it is asked for: it fills the drive.</summary>
    public static IReadOnlyList<ParameterGrid> Grids(Profile profile) => profile != Profile.Smoke ? [] :
        [new ParameterGrid().With(nameof(Operation), Operation.Write, Operation.Read).With(nameof(FileSize), ByteSize.MiB(8))];

    /// <inheritdoc/>
    protected override FilePassSettings Settings(string path, ulong seed)
    {
        // A drive comes to rest under as many threads as well: what is forbidden here must not keep it from being measured so.
        var byThreads = IoUring.WhyUnavailable() is not null;
        return new FilePassSettings
        {
            Path = path,
            Access = Access.Direct,
            Operation = Operation,
            Pattern = Pattern.Random,
            BlockBytes = (int)BlockSize.Bytes,
            Engine = byThreads ? Engine.psync : Engine.io_uring,
            QueueDepth = byThreads ? 1 : QueueDepth,
            Threads = byThreads ? QueueDepth : 1,
            Seed = seed,
        };
    }

    /// <inheritdoc/>
    protected override void Prepare()
    {
        base.Prepare();
        if (IoUring.WhyUnavailable() is { } why)
            Case.Warn($"{QueueDepth} threads did what else one io_uring does: {why}");
        // The file was laid out once; the second time over is what makes the drive look for room.
        Run.Shared("filled twice", DataPath, FillAgain);
        var share = Run.Target.TotalBytes > 0 ? (double)FileSize.Bytes / Run.Target.TotalBytes : 0;
        Case.Effective["filledShare"] = Math.Round(share, 3);
        if (share < 0.8)
            Case.Warn(FormattableString.Invariant($"{share:P0} of the {(Run.Target.Mount.FileSystem == "raw" ? "device" : "file system")} was filled for this: a drive with room left may be faster than a full one"));
    }

    /// <inheritdoc/>
    protected override void BringToState()
    {
        var rounds = new List<RoundRecord>();
        var begins = new List<double>();
        var limit = new LoopLimit(long.MaxValue, (long)(Run.Settings.SteadyRoundSeconds * 1e9));
        Untimed.Clear();
        // Several threads have a histogram each, and only one can be watched.
        using var watch = FilePass.Threads == 1 ? new TimelineWatch(Untimed, BlockSize.Bytes) : null;
        while (rounds.Count < MostRounds && !SteadyWindow.AreSteady(rounds))
        {
            Run.Observer.Preparing(FormattableString.Invariant($"round {rounds.Count + 1} of up to {MostRounds} to a steady state"), null);
            watch?.Clear();
            Untimed.Clear();
            begins.Add(watch?.Seconds ?? 0);
            var result = RunOperations(limit, timed: false);
            rounds.Add(new RoundRecord { Seconds = result.Seconds, Bytes = result.Bytes, Operations = result.Operations, P99Ns = Untimed.ValueAtPercentile(99) });
        }
        Case.Rounds = rounds;
        if (watch is null)
            return;
        if (SteadyWindow.AreSteady(rounds) && begins[^SteadyWindow.Rounds] is var from)
            watch.Mark("steady", from, watch.Seconds - from);
        Case.Timeline = watch.Stop();
    }

    /// <inheritdoc/>
    protected override void Conclude()
    {
        base.Conclude();
        Case.Claim(Claims.Steady(Case.Rounds!));
    }

    private Filled FillAgain()
    {
        var rounds = Settings(DataPath, CaseSeed);
        using var pass = new FilePass(rounds with
        {
            LengthBytes = FileSize.Bytes,
            Operation = Operation.Write,
            Pattern = Pattern.Sequential,
            BlockBytes = FillBlockBytes,
            QueueDepth = rounds.Engine == Engine.io_uring ? 8 : 1,
            Threads = 1,
        }, Run.Stop);
        var blocks = FileSize.Bytes / FillBlockBytes;
        // In parts, to say how far it is.
        for (long done = 0, part = Math.Max(1, blocks / 100); done < blocks; done += part)
        {
            pass.Run(new LoopLimit(Math.Min(part, blocks - done), long.MaxValue), Untimed);
            Run.Observer.Preparing($"filling {FileSize} for the second time", Math.Min(1, (double)(done + part) / blocks));
        }
        pass.File.Fdatasync();
        return new Filled();
    }

    /// <summary>That it is done; the folder removes the file.</summary>
    private sealed class Filled : IDisposable
    {
        public void Dispose()
        {
        }
    }
}
