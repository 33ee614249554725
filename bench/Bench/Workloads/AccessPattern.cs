using System.Diagnostics;
using BenchmarkDotNet.Attributes;
using Bench.Disk;
using Bench.Disk.Memory;
using Bench.Disk.Topology;
using Bench.Measure;
using Bench.Measure.Evidence;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Bench.Measure.Running;

namespace Bench.Workloads;

/// <summary>The loop over memory.</summary>
public enum MemoryLoop
{
    /// <summary>No loop over memory: the medium is a disk.</summary>
    [DoesNotApply]
    None,

    /// <summary>Sequential, one value at a time.</summary>
    Scalar,

    /// <summary>Sequential, with the processor's vectors.</summary>
    Vector,

    /// <summary>Random, addresses known ahead: the processor overlaps them.</summary>
    Independent,

    /// <summary>Random, each address made from the value before: a linked list.</summary>
    Dependent,
}

/// <summary>The pages behind the memory.</summary>
public enum MemoryPages
{
    /// <summary>No memory: the medium is a disk.</summary>
    [DoesNotApply]
    None,

    /// <summary>Base pages, 4 KiB on x64.</summary>
    Small,

    /// <summary>Transparent huge pages, 2 MiB on x64.</summary>
    Huge,
}

/// <summary>
/// Sequential and random access, disk and memory: the six cells of Jacobs' figure ("The Pathologies of Big Data",
/// ACM Queue 2009, figure 3), and the same for writes, in 4-byte values per second.
/// <para>
/// On disk it is direct I/O, so that the figure is the device's. <c>BlockSize=4B</c> is Jacobs' random cell: one
/// 4-byte value per operation, for which the device has to move a whole page. In memory each figure names its loop
/// and its pages: independent and dependent random reads differ fifteen-fold, and his single figure is the former.
/// </para>
/// </summary>
public class AccessPattern : FileWorkload, IWorkload
{
    private const int ValueBytes = sizeof(uint);
    private const int BatchValues = 4096;
    private static readonly Lazy<HostInfo> Host = new(() => new HostProbe().Probe());
    private MemoryRegion? region;
    private BlockPermutation order;
    private long cursor;

    /// <summary>Disk or memory.</summary>
    [ParamsAllValues]
    public Medium Medium { get; set; }

    /// <summary>The order.</summary>
    [ParamsAllValues]
    public Pattern Pattern { get; set; }

    /// <summary>The direction.</summary>
    [ParamsAllValues]
    public Operation Operation { get; set; }

    /// <summary>Bytes per operation; 4B is one value.</summary>
    [ParamsSource(nameof(BlockSizes))]
    public ByteSize BlockSize { get; set; }

    /// <summary>The loop over memory.</summary>
    [ParamsAllValues]
    public MemoryLoop Loop { get; set; }

    /// <summary>The pages behind the memory.</summary>
    [ParamsAllValues]
    public MemoryPages Pages { get; set; }

    /// <summary>The size of the file or of the region of memory.</summary>
    [ParamsSource(nameof(WorkingSetSizes))]
    public ByteSize WorkingSet { get; set; }

    /// <summary>The block sizes of the full profile.</summary>
    public static IEnumerable<ByteSize> BlockSizes =>
        [ByteSize.MiB(1), new(4), new(64), ByteSize.KiB(4), ByteSize.KiB(16), ByteSize.KiB(64), ByteSize.KiB(256)];

    /// <summary>The sizes that the profiles use.</summary>
    public static IEnumerable<ByteSize> WorkingSetSizes => [ByteSize.GiB(1), ByteSize.MiB(256), ByteSize.MiB(512), ByteSize.GiB(4), ByteSize.MiB(8)];

    /// <inheritdoc/>
    protected override ByteSize FileBytes => WorkingSet;

    /// <inheritdoc/>
    public override bool CanBePaced => !InMemory;

    private bool InMemory => Medium == Medium.Memory;

    /// <summary>What the device moves for one operation: a single value costs a page.</summary>
    private long TransferBytes => BlockSize.Bytes == ValueBytes && !InMemory ? 4096 : BlockSize.Bytes;

    private double ValuesPerOperation => Math.Max(1, BlockSize.Bytes / ValueBytes);

    /// <inheritdoc/>
    public override string? WhyImpossible() =>
        InMemory && Loop == MemoryLoop.None ? "Medium=Memory needs a Loop"
        : InMemory && Pages == MemoryPages.None ? "Medium=Memory needs Pages"
        : !InMemory && (Loop != MemoryLoop.None || Pages != MemoryPages.None) ? "Medium=Disk has neither Loop nor Pages"
        : InMemory && Pattern == Pattern.Sequential != Loop is MemoryLoop.Scalar or MemoryLoop.Vector ? "Scalar and Vector are sequential loops, Independent and Dependent random ones"
        : Operation == Operation.Write && Loop == MemoryLoop.Dependent ? "a write has no value to depend on"
        : BlockSize.Bytes % ValueBytes != 0 ? "BlockSize is a multiple of 4 bytes"
        : InMemory && Pattern == Pattern.Sequential && BlockSize.Bytes < 4096 ? "a sequential loop over memory takes blocks from 4KiB on"
        : !InMemory && Pattern == Pattern.Sequential && BlockSize.Bytes == ValueBytes ? "sequential disk reads take whole blocks"
        : !InMemory && TransferBytes % 512 != 0 ? "direct I/O takes multiples of 512 bytes, or 4B for one value"
        : BlockSize.Bytes > 1 << 30 || BlockSize > WorkingSet ? "BlockSize goes up to WorkingSet and to 1GiB"
        : WorkingSet.Bytes % 4096 != 0 ? "WorkingSet is a multiple of 4KiB"
        : null;

    /// <inheritdoc/>
    public override CaseEstimate Estimate(RunSettings settings) => InMemory
        ? new CaseEstimate((settings.Passes + 1) * (settings.PassSeconds + settings.SettleMs / 1000.0) + 0.25 * WorkingSet.Bytes / 1e9, 0, [])
        : base.Estimate(settings);

    /// <summary>The grids of a profile.</summary>
    public static IReadOnlyList<ParameterGrid> Grids(Profile profile)
    {
        // Disk is told by CachePath there, and huge pages have the steadier figure.
        if (profile == Profile.Gate)
            return [Memory(Operation.Read, Pattern.Random, [new(ValueBytes)], [MemoryLoop.Independent], MemoryPages.Huge, BeyondCaches(ByteSize.MiB(256)))];
        var (file, memory) = profile switch
        {
            Profile.Smoke => (ByteSize.MiB(8), ByteSize.MiB(256)),
            Profile.Quick => (ByteSize.GiB(1), ByteSize.MiB(512)),
            _ => (ByteSize.GiB(4), ByteSize.GiB(1)),
        };
        memory = BeyondCaches(memory);
        ByteSize[] sequentialBlocks = profile switch
        {
            Profile.Smoke or Profile.Quick => [ByteSize.MiB(1)],
            _ => [ByteSize.KiB(4), ByteSize.KiB(16), ByteSize.KiB(64), ByteSize.KiB(256), ByteSize.MiB(1)],
        };
        ByteSize[] randomBlocks = profile switch
        {
            Profile.Smoke => [new(ValueBytes)],
            Profile.Quick => [new(ValueBytes), ByteSize.KiB(64), ByteSize.MiB(1)],
            _ => [new(ValueBytes), .. sequentialBlocks],
        };
        ByteSize[] memoryBlocks = profile is Profile.Smoke or Profile.Quick
            ? [new(ValueBytes)]
            : [new(ValueBytes), new(64), ByteSize.KiB(4), ByteSize.KiB(64)];
        var writeBlocks = profile is Profile.Smoke or Profile.Quick ? [ByteSize.KiB(4)] : sequentialBlocks;
        var writeFile = profile switch { Profile.Smoke => file, Profile.Quick => ByteSize.MiB(256), _ => ByteSize.GiB(1) };
        return
        [
            Disk(Operation.Read, Pattern.Sequential, sequentialBlocks, file),
            Disk(Operation.Read, Pattern.Random, randomBlocks, file),
            Disk(Operation.Write, Pattern.Sequential, sequentialBlocks, writeFile),
            Disk(Operation.Write, Pattern.Random, writeBlocks, writeFile),
            .. new[] { MemoryPages.Small, MemoryPages.Huge }.SelectMany(pages => new[]
            {
                Memory(Operation.Read, Pattern.Sequential, [ByteSize.MiB(1)], [MemoryLoop.Scalar, MemoryLoop.Vector], pages, memory),
                Memory(Operation.Read, Pattern.Random, memoryBlocks, [MemoryLoop.Independent, MemoryLoop.Dependent], pages, memory),
                Memory(Operation.Write, Pattern.Sequential, [ByteSize.MiB(1)], [MemoryLoop.Scalar, MemoryLoop.Vector], pages, memory),
                Memory(Operation.Write, Pattern.Random, memoryBlocks, [MemoryLoop.Independent], pages, memory),
            }),
        ];
    }

    /// <inheritdoc/>
    protected override FilePassSettings Settings(string path, ulong seed) => new()
    {
        Path = path,
        Access = Access.Direct,
        Operation = Operation,
        Pattern = Pattern,
        BlockBytes = (int)TransferBytes,
        Seed = seed,
    };

    /// <inheritdoc/>
    protected override long MostOperationsPerPass => InMemory ? long.MaxValue : base.MostOperationsPerPass;

    /// <inheritdoc/>
    protected override void Prepare()
    {
        if (!InMemory)
        {
            base.Prepare();
            return;
        }
        var kind = Pages == MemoryPages.Huge ? PageKind.Huge : PageKind.Small;
        if (Run.Host.MemoryBytes is { } memory && WorkingSet.Bytes > memory / 2)
            throw new PlanException($"WorkingSet={WorkingSet} is more than half of this machine's memory");
        region = Run.Shared("memory", $"{WorkingSet} {kind}", () => new MemoryRegion(WorkingSet.Bytes, kind, (ulong)Run.Settings.Seed));
        order = new BlockPermutation(WorkingSet.Bytes / BlockSize.Bytes, CaseSeed);
    }

    /// <inheritdoc/>
    protected override void SetState()
    {
        if (!InMemory)
            base.SetState();
    }

    /// <inheritdoc/>
    protected override void BeforeCounters()
    {
        if (!InMemory)
            base.BeforeCounters();
    }

    /// <inheritdoc/>
    protected override PassResult RunOperations(LoopLimit limit, bool timed) =>
        InMemory ? ScanMemory(limit) : base.RunOperations(limit, timed);

    /// <inheritdoc/>
    protected override PassRecord Complete(PassRecord measured)
    {
        Case.AddMetric("valuesPerSecond", measured.Operations * ValuesPerOperation / measured.Seconds);
        return InMemory ? measured : base.Complete(measured);
    }

    /// <inheritdoc/>
    protected override void Conclude()
    {
        Case.Effective["bytesPerOperation"] = TransferBytes;
        if (!InMemory)
        {
            base.Conclude();
            return;
        }
        var hugeShare = region!.HugeShare();
        Case.Effective["hugePageShare"] = hugeShare;
        Case.Claim(Claims.InMemory(Case.Passes, region.LengthBytes, Run.Host.LastLevelCacheBytes));
        Case.Claim(Claims.PageSize(hugeShare, Pages == MemoryPages.Huge));
    }

    /// <summary>
    /// Memory is timed by the batch: one clock reading per nanosecond-long access would measure the clock. So these
    /// cases have rates and no latency percentiles.
    /// </summary>
    private PassResult ScanMemory(LoopLimit limit)
    {
        var blockValues = BlockSize.Bytes / ValueBytes;
        var blocks = WorkingSet.Bytes / BlockSize.Bytes;
        var batch = Math.Clamp(BatchValues / blockValues, 1, blocks);
        var slowdown = new InjectedSlowdown(Run.Settings.InjectedSlowdown);
        var start = Stopwatch.GetTimestamp();
        var last = start;
        long done = 0;
        ulong sum = 0;
        while (done < limit.Operations && last - start < limit.DeadlineNs)
        {
            Run.Stop.ThrowIfRequested();
            if (cursor + batch > blocks)
                cursor = 0;
            sum += Scan(cursor, batch, blockValues);
            cursor += batch;
            done += batch;
            last = slowdown.After(last, Stopwatch.GetTimestamp());
        }
        var seconds = (last - start) * 1e-9;
        Case.Effective["checksum"] = (sum & 0xFFFF).ToString("x4", System.Globalization.CultureInfo.InvariantCulture);
        return new PassResult(seconds, done * BlockSize.Bytes, done);
    }

    private ulong Scan(long first, long blocks, long blockValues) => (Operation, Loop) switch
    {
        (Operation.Read, MemoryLoop.Scalar) => MemoryScan.ReadScalar(region!, first * blockValues, blocks * blockValues),
        (Operation.Read, MemoryLoop.Vector) => MemoryScan.ReadVector(region!, first * blockValues, blocks * blockValues),
        (Operation.Read, MemoryLoop.Independent) => MemoryScan.ReadIndependent(region!, order, first, blocks, blockValues),
        (Operation.Read, MemoryLoop.Dependent) => MemoryScan.ReadDependent(region!, order, first, blocks, blockValues),
        (Operation.Write, MemoryLoop.Scalar) => MemoryScan.WriteScalar(region!, first * blockValues, blocks * blockValues),
        (Operation.Write, MemoryLoop.Vector) => MemoryScan.WriteVector(region!, first * blockValues, blocks * blockValues),
        _ => MemoryScan.WriteIndependent(region!, order, first, blocks, blockValues),
    };

    /// <summary>
    /// A profile's region of memory, made larger where the processor's caches would hold much of it: servers have caches of
    /// hundreds of megabytes. STREAM asks for four times the last cache and has its users compile it again for that; what
    /// is measured without is the cache.
    /// </summary>
    /// <param name="size">The profile's.</param>
    private static ByteSize BeyondCaches(ByteSize size) => MemoryBeyond(size, Host.Value);

    /// <summary>The same for a machine; the size as it was where the machine does not tell its caches or has too little memory.</summary>
    internal static ByteSize MemoryBeyond(ByteSize size, HostInfo host)
    {
        const long step = 256L << 20;
        var needed = (Claims.RegionPerLastLevelCache * (host.LastLevelCacheBytes ?? 0) + step - 1) / step * step;
        var memory = Math.Min(host.MemoryBytes ?? long.MaxValue, host.CgroupMemoryLimitBytes ?? long.MaxValue);
        // A run holds two of them, with small pages and with huge ones.
        return needed > size.Bytes && needed <= memory / 4 ? new ByteSize(needed) : size;
    }

    private static ParameterGrid Disk(Operation operation, Pattern pattern, ByteSize[] blockSizes, ByteSize size) => new ParameterGrid()
        .With(nameof(Medium), Medium.Disk)
        .With(nameof(Operation), operation)
        .With(nameof(Pattern), pattern)
        .With(nameof(BlockSize), blockSizes)
        .With(nameof(WorkingSet), size);

    private static ParameterGrid Memory(
        Operation operation, Pattern pattern, ByteSize[] blockSizes, MemoryLoop[] loops, MemoryPages pages, ByteSize size) => new ParameterGrid()
        .With(nameof(Medium), Medium.Memory)
        .With(nameof(Operation), operation)
        .With(nameof(Pattern), pattern)
        .With(nameof(BlockSize), blockSizes)
        .With(nameof(Loop), loops)
        .With(nameof(Pages), pages)
        .With(nameof(WorkingSet), size);
}
