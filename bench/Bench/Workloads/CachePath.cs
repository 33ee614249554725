using BenchmarkDotNet.Attributes;
using Bench.Measure;
using Bench.Measure.Passes;
using Bench.Measure.Running;

namespace Bench.Workloads;

/// <summary>
/// Page cache against direct I/O: the same blocks of the same file by each way to it.
/// <para>
/// fio has every one of these switches and many more; what goes wrong there is that nothing tells whether a switch
/// took effect. Here each access is a claim with its proof.
/// </para>
/// </summary>
public class CachePath : FileWorkload, IWorkload
{
    /// <summary>The way to the data.</summary>
    [ParamsAllValues]
    public Access Access { get; set; }

    /// <summary>The direction.</summary>
    [ParamsAllValues]
    public Operation Operation { get; set; }

    /// <summary>The order of the blocks.</summary>
    [ParamsAllValues]
    public Pattern Pattern { get; set; }

    /// <summary>The block size.</summary>
    [ParamsSource(nameof(BlockSizes))]
    public ByteSize BlockSize { get; set; }

    /// <summary>How requests reach the kernel.</summary>
    [ParamsAllValues]
    public Engine Engine { get; set; }

    /// <summary>Requests in flight per thread.</summary>
    [Params(1, 2, 4, 8, 16, 32, 64, 128)]
    public int QueueDepth { get; set; }

    /// <summary>Threads.</summary>
    [Params(1, 2, 4, 8)]
    public int Threads { get; set; }

    /// <summary>The file's size.</summary>
    [ParamsSource(nameof(FileSizes))]
    public ByteSize FileSize { get; set; }

    /// <summary>The block sizes of the full profile.</summary>
    public static IEnumerable<ByteSize> BlockSizes =>
        [ByteSize.KiB(4), ByteSize.KiB(16), ByteSize.KiB(64), ByteSize.KiB(256), ByteSize.MiB(1)];

    /// <summary>The file sizes that the profiles use.</summary>
    public static IEnumerable<ByteSize> FileSizes => [ByteSize.GiB(1), ByteSize.GiB(4), ByteSize.MiB(32), ByteSize.MiB(8)];

    /// <inheritdoc/>
    protected override ByteSize FileBytes => FileSize;

    /// <inheritdoc/>
    public override string? WhyImpossible() =>
        Engine == Engine.psync && QueueDepth != 1 ? "psync has one request in flight; use Engine=io_uring or Threads for QueueDepth > 1"
        : Engine == Engine.io_uring && Access == Access.Mmap ? "a map is not read through io_uring"
        : QueueDepth > 4096 ? "QueueDepth goes up to 4096"
        : Threads > 256 ? "Threads goes up to 256"
        : BlockSize.Bytes > 1 << 30 ? "BlockSize goes up to 1GiB"
        : BlockSize.Bytes * Threads > FileSize.Bytes ? "FileSize must hold a block for each thread"
        : Access == Access.Direct && BlockSize.Bytes % 512 != 0 ? "direct I/O takes multiples of 512 bytes"
        : null;

    /// <inheritdoc/>
    protected override FilePassSettings Settings(string path, ulong seed) => new()
    {
        Path = path,
        Access = Access,
        Operation = Operation,
        Pattern = Pattern,
        BlockBytes = (int)BlockSize.Bytes,
        Engine = Engine,
        QueueDepth = QueueDepth,
        Threads = Threads,
        Seed = seed,
    };

    /// <summary>
    /// The cases with further block sizes around an array's stripe, half, one and two of it, wherever there is
    /// sequential direct I/O of one request at a time: below a stripe some members wait, at two of them each has work ahead.
    /// </summary>
    /// <param name="cases">The cases of a plan.</param>
    /// <param name="stripeBytes">Bytes of one stripe.</param>
    public static IReadOnlyList<CaseSpec> WithStripes(IReadOnlyList<CaseSpec> cases, long stripeBytes)
    {
        ByteSize[] sizes = [new(stripeBytes / 2), new(stripeBytes), new(stripeBytes * 2)];
        var all = cases.ToList();
        foreach (var sweep in cases.Where(spec => spec.Workload.Type == typeof(CachePath)).Select(spec => (Spec: spec, Case: (CachePath)spec.Bind()))
            .Where(one => one.Case is { Access: Access.Direct, Pattern: Pattern.Sequential, Engine: Engine.psync, Threads: 1 })
            .GroupBy(one => (one.Case.Operation, one.Case.FileSize)))
        {
            var last = sweep.Last().Spec;
            var after = all.IndexOf(last);
            var place = last.Workload.Parameters.Index().First(parameter => parameter.Item.Name == nameof(BlockSize)).Index;
            foreach (var size in sizes.Where(size => size.Bytes % 4096 == 0 && size.Bytes <= sweep.Key.FileSize.Bytes && sweep.All(one => one.Case.BlockSize != size)))
            {
                var further = new CaseSpec(last.Workload, [.. last.Values.Select((value, index) => index == place ? size : value)]);
                if (further.Bind().WhyImpossible() is null)
                    all.Insert(++after, further);
            }
        }
        return all;
    }

    /// <summary>The grids of a profile, in an order that changes the cache state as seldom as possible.</summary>
    public static IReadOnlyList<ParameterGrid> Grids(Profile profile) => profile switch
    {
        Profile.Smoke =>
        [
            .. Smoke(Operation.Read, Access.Direct, Access.BufferedCold, Access.Uncached, Access.BufferedWarm, Access.Mmap),
            .. Smoke(Operation.Write, Access.Direct, Access.BufferedCold, Access.BufferedWarm, Access.Mmap),
            Ring(Operation.Read, Access.Direct, ByteSize.MiB(8), 8),
            Ring(Operation.Write, Access.Direct, ByteSize.MiB(8), 8),
            new ParameterGrid().With(nameof(Access), Access.Direct).With(nameof(Pattern), Pattern.Random)
                .With(nameof(Threads), 2).With(nameof(FileSize), ByteSize.MiB(8)),
        ],
        Profile.Quick =>
        [
            .. Blocks(Operation.Read, ByteSize.GiB(1), [ByteSize.KiB(4), ByteSize.KiB(64), ByteSize.MiB(1)], Access.Direct),
            Ring(Operation.Read, Access.Direct, ByteSize.GiB(1), 1, 8, 32),
            .. Blocks(Operation.Read, ByteSize.GiB(1), [ByteSize.KiB(4), ByteSize.KiB(64), ByteSize.MiB(1)], Access.BufferedCold),
            new ParameterGrid().With(nameof(Access), Access.Uncached).With(nameof(BlockSize), ByteSize.KiB(64)),
            .. Blocks(Operation.Read, ByteSize.GiB(1), [ByteSize.KiB(4), ByteSize.KiB(64), ByteSize.MiB(1)], Access.BufferedWarm),
            .. Blocks(Operation.Read, ByteSize.GiB(1), [ByteSize.KiB(4)], Access.Mmap),
            .. Blocks(Operation.Write, ByteSize.MiB(32), [ByteSize.KiB(4), ByteSize.KiB(64)], Access.BufferedWarm),
            .. Blocks(Operation.Write, ByteSize.MiB(256), [ByteSize.KiB(4)], Access.Direct),
            Ring(Operation.Write, Access.Direct, ByteSize.MiB(256), 32),
        ],
        // One of each access, in the shape that its users have most: a scan of cold data, look-ups in cached and in direct.
        // A file that a cold pass reads to its end: on a virtual machine its parts differ by what the host has of them.
        Profile.Gate =>
        [
            Gate(Access.Direct, Pattern.Random, ByteSize.KiB(4)),
            Gate(Access.BufferedCold, Pattern.Sequential, ByteSize.KiB(64)),
            Gate(Access.BufferedWarm, Pattern.Random, ByteSize.KiB(4)),
        ],
        Profile.Standard =>
        [
            .. Blocks(Operation.Read, ByteSize.GiB(4), [.. BlockSizes], Access.Direct),
            Ring(Operation.Read, Access.Direct, ByteSize.GiB(4), 1, 2, 4, 8, 16, 32, 64, 128),
            new ParameterGrid().With(nameof(Access), Access.Direct).With(nameof(Pattern), Pattern.Random)
                .With(nameof(Threads), 2, 4, 8).With(nameof(FileSize), ByteSize.GiB(4)),
            .. Blocks(Operation.Read, ByteSize.GiB(4), [.. BlockSizes], Access.BufferedCold, Access.Uncached),
            .. Blocks(Operation.Read, ByteSize.GiB(1), [.. BlockSizes], Access.BufferedWarm),
            .. Blocks(Operation.Read, ByteSize.GiB(1), [ByteSize.KiB(4), ByteSize.KiB(64), ByteSize.MiB(1)], Access.Mmap),
            .. Blocks(Operation.Write, ByteSize.GiB(1), [ByteSize.KiB(4), ByteSize.KiB(64), ByteSize.MiB(1)], Access.Direct),
            Ring(Operation.Write, Access.Direct, ByteSize.GiB(1), 1, 8, 32, 128),
            .. Blocks(Operation.Write, ByteSize.MiB(32), [ByteSize.KiB(4), ByteSize.KiB(64), ByteSize.MiB(1)], Access.BufferedWarm, Access.BufferedCold, Access.Mmap),
        ],
        _ =>
        [
            new ParameterGrid()
                .With(nameof(Access), Enum.GetValues<Access>())
                .With(nameof(Operation), Enum.GetValues<Operation>())
                .With(nameof(Pattern), Enum.GetValues<Pattern>())
                .With(nameof(BlockSize), [.. BlockSizes])
                .With(nameof(Engine), Enum.GetValues<Engine>())
                .With(nameof(QueueDepth), 1, 2, 4, 8, 16, 32, 64, 128)
                .With(nameof(Threads), 1, 2, 4, 8)
                .With(nameof(FileSize), ByteSize.GiB(4)),
        ],
    };

    private static ParameterGrid Gate(Access access, Pattern pattern, ByteSize blockSize) =>
        Blocks(Operation.Read, ByteSize.MiB(256), [blockSize], access).Single().With(nameof(Pattern), pattern);

    private static IEnumerable<ParameterGrid> Smoke(Operation operation, params Access[] accesses) =>
        Blocks(operation, ByteSize.MiB(8), [ByteSize.KiB(64)], accesses);

    private static IEnumerable<ParameterGrid> Blocks(Operation operation, ByteSize fileSize, ByteSize[] blockSizes, params Access[] accesses) =>
        accesses.Select(access => new ParameterGrid()
            .With(nameof(Access), access)
            .With(nameof(Operation), operation)
            .With(nameof(Pattern), Pattern.Sequential, Pattern.Random)
            .With(nameof(BlockSize), blockSizes)
            .With(nameof(FileSize), fileSize));

    private static ParameterGrid Ring(Operation operation, Access access, ByteSize fileSize, params int[] depths) => new ParameterGrid()
        .With(nameof(Access), access)
        .With(nameof(Operation), operation)
        .With(nameof(Pattern), Pattern.Random)
        .With(nameof(BlockSize), ByteSize.KiB(4))
        .With(nameof(Engine), Engine.io_uring)
        .With(nameof(QueueDepth), depths)
        .With(nameof(FileSize), fileSize);
}
