using System.Diagnostics;
using Bench.Disk;
using Bench.Disk.Counters;
using Bench.Disk.Uring;
using Bench.Measure.Running;

namespace Bench.Measure.Passes;

/// <summary>What a pass over a file does.</summary>
public sealed record FilePassSettings
{
    /// <summary>The file.</summary>
    public required string Path { get; init; }

    /// <summary>How much of it is used, from its beginning; null is all. Of a device that is part of it.</summary>
    public long? LengthBytes { get; init; }

    /// <summary>The way to it.</summary>
    public required Access Access { get; init; }

    /// <summary>The direction.</summary>
    public required Operation Operation { get; init; }

    /// <summary>The order.</summary>
    public required Pattern Pattern { get; init; }

    /// <summary>Block size; of direct I/O a multiple of the file's alignment.</summary>
    public required int BlockBytes { get; init; }

    /// <summary>How requests reach the kernel.</summary>
    public Engine Engine { get; init; }

    /// <summary>Requests in flight per thread; 1 with psync.</summary>
    public int QueueDepth { get; init; } = 1;

    /// <summary>Threads. Sequential: each has its own part of the file. Random: they share one order.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Of order and content.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Where in the order of its blocks the first pass begins, as a share of them, 0 up to 1.</summary>
    public double StartShare { get; init; }

    /// <summary>By what share of itself each operation is made longer (<see cref="InjectedSlowdown"/>); 0 but in tests of the gate.</summary>
    public double SlowdownShare { get; init; }
}

/// <summary>
/// Passes of reads or writes over one file, by any access, engine, depth and number of threads. Each pass goes on
/// where the last one ended, so that a cold pass does not read what the host below a virtual machine has just cached.
/// </summary>
public sealed class FilePass : IDisposable
{
    private readonly FilePassSettings settings;
    private readonly StopSignal stop;
    private readonly DiskFile file;
    private readonly long blockCount;
    private readonly BlockPermutation order;
    private MappedFile? map;
    private Lane? ownLane;
    private Worker[]? workers;
    private long operationsSoFar;
    private long operationsOfLastPass;

    /// <summary>Opens the file.</summary>
    /// <exception cref="PlanException">The block size does not suit the file.</exception>
    /// <exception cref="DiskException">The file cannot be opened so.</exception>
    public FilePass(FilePassSettings settings, StopSignal stop)
    {
        this.settings = settings;
        this.stop = stop;
        file = DiskFile.Open(settings.Path, Mode(settings));
        try
        {
            var alignment = file.DirectIoAlignment;
            if (settings.Access == Access.Direct && settings.BlockBytes % alignment.PositionBytes != 0)
                throw new PlanException($"a block of {settings.BlockBytes} bytes is no multiple of {alignment.PositionBytes}, which direct I/O asks here");
            var lengthBytes = Math.Min(file.LengthBytes, settings.LengthBytes ?? long.MaxValue);
            blockCount = lengthBytes / settings.BlockBytes;
            if (blockCount < settings.Threads)
                throw new PlanException($"the file of {lengthBytes} bytes has fewer blocks of {settings.BlockBytes} bytes than there are threads");
            order = new BlockPermutation(blockCount, settings.Seed);
            operationsSoFar = (long)(settings.StartShare * blockCount);
            if (settings.Access != Access.Direct && settings.Access != Access.Mmap)
                file.AdviseAccess(settings.Pattern == Pattern.Random);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The file; for cache control.</summary>
    public DiskFile File => file;

    /// <summary>Threads of a pass.</summary>
    public int Threads => settings.Threads;

    /// <summary>Whole blocks in the file.</summary>
    public long BlockCount => blockCount;

    /// <summary>Mean requests in flight over the last pass, all threads.</summary>
    public double QueueDepthMean { get; private set; }

    /// <summary>True if the ring's buffers are registered. Asked for with direct I/O alone, where the kernel is spared the pinning of
    /// the memory per request. A copy to or from the page cache pins nothing, and was slower with them: writes of 1 MiB on ext4 had 0.54
    /// to 0.71 of fio's throughput, and 0.94 to 1.16 without.</summary>
    public bool FixedBuffers { get; private set; }

    /// <summary>Why registered buffers were refused; null if they were granted or not asked for.</summary>
    public string? FixedBuffersRefusal { get; private set; }

    /// <summary>The ring's setup, "" with psync.</summary>
    public string RingSetup { get; private set; } = "";

    /// <summary>Whether the map's page tables could be filled before the pass; null without a map.</summary>
    public bool? MapPopulated { get; private set; }

    /// <summary>Maps the file; to be called when the cache is in the state that the pass is to find.</summary>
    public void Map()
    {
        map ??= new MappedFile(file, settings.Pattern == Pattern.Random);
        MapPopulated = map.TryPopulate();
    }

    /// <summary>Runs one pass.</summary>
    /// <param name="limit">Operations over all threads, and the time.</param>
    /// <param name="histogram">Gets the latencies of all threads.</param>
    /// <param name="pacing">When operations are due; null in a closed loop.</param>
    public PassResult Run(LoopLimit limit, LatencyHistogram histogram, Pacing? pacing = null)
    {
        if (settings.Access == Access.Mmap && map is null)
            throw new InvalidOperationException("A pass over a map needs the map; call Map first.");
        var result = settings.Threads == 1 ? RunHere(limit, histogram, pacing) : RunThreads(limit, histogram, pacing);
        operationsSoFar += result.Operations;
        operationsOfLastPass = result.Operations;
        return new PassResult(result.ElapsedNs * 1e-9, result.Operations * settings.BlockBytes, result.Operations)
        {
            ThreadCpuSeconds = workers?.Max(worker => worker.CpuSeconds) ?? 0,
        };
    }

    /// <summary>
    /// Cached share of what the last pass touched. Of a random pass that is the whole file, where nothing is read
    /// ahead; of a sequential one the blocks of each thread up to its last.
    /// </summary>
    public double? TouchedResidency()
    {
        var perThread = operationsOfLastPass / settings.Threads;
        if (settings.Pattern == Pattern.Random || perThread >= blockCount / settings.Threads)
            return PageCache.ResidencyOf(file).Share;
        long pages = 0, cached = 0;
        for (var index = 0; index < settings.Threads; index++)
        {
            var (first, count) = RangeOf(index);
            var start = (operationsSoFar - operationsOfLastPass) / settings.Threads % count;
            var beforeWrap = Math.Min(perThread, count - start);
            foreach (var (block, length) in new[] { (first + start, beforeWrap), (first, perThread - beforeWrap) })
            {
                if (length == 0)
                    continue;
                var residency = PageCache.ResidencyOf(file, block * settings.BlockBytes, length * settings.BlockBytes);
                if (residency.Share is null)
                    return null;
                pages += residency.Pages;
                cached += residency.CachedPages;
            }
        }
        return pages == 0 ? 0 : (double)cached / pages;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var worker in workers ?? [])
            worker.Dispose();
        ownLane?.Dispose();
        map?.Dispose();
        file.Dispose();
    }

    private static OpenMode Mode(FilePassSettings settings)
    {
        var mode = settings.Operation == Operation.Write ? OpenMode.Write : OpenMode.Read;
        return settings.Access == Access.Direct ? mode | OpenMode.Direct : mode;
    }

    /// <summary>The part of the file that a thread of a sequential pass has to itself, in blocks.</summary>
    private (long First, long Count) RangeOf(int index)
    {
        // The first lanes get the remainder of the blocks, as they get that of the operations: a pass over the whole
        // file then gives no lane more operations than blocks, and none is read twice.
        var (each, rest) = Math.DivRem(blockCount, settings.Threads);
        return (each * index + Math.Min(index, rest), each + (index < rest ? 1 : 0));
    }

    private LoopResult RunHere(LoopLimit limit, LatencyHistogram histogram, Pacing? pacing)
    {
        ownLane ??= new Lane(this);
        var result = ownLane.Run(this, 0, limit, histogram, pacing, out var inFlight);
        QueueDepthMean = inFlight;
        return result;
    }

    /// <summary>
    /// All threads begin together, each with its share of the work. The pass lasts until the last has ended; the queue
    /// depth is the sum of what each kept up while it worked, so that one straggler's tail does not count as a
    /// shallow queue.
    /// </summary>
    private LoopResult RunThreads(LoopLimit limit, LatencyHistogram histogram, Pacing? pacing)
    {
        var count = settings.Threads;
        // Made in the warm-up and kept: threads, rings and their memory are no part of any pass's CPU time.
        workers ??= [.. Enumerable.Range(0, count).Select(index => new Worker(this, index))];
        foreach (var worker in workers)
            worker.WaitUntilReady();
        long begin = 0;
        using var together = new Barrier(count, _ => Volatile.Write(ref begin, Stopwatch.GetTimestamp()));
        foreach (var worker in workers)
        {
            worker.Pacing = pacing?.PartOf(count, worker.Index);
            worker.Start(lane =>
            {
                var cpu = CpuUsage.OfThread();
                together.SignalAndWait();
                var share = limit.Operations / count + (worker.Index < limit.Operations % count ? 1 : 0);
                var result = lane.Run(this, worker.Index, limit with { Operations = share }, worker.Histogram, worker.Pacing, out var inFlight);
                worker.InFlightMean = inFlight;
                worker.Result = result with { ElapsedNs = Stopwatch.GetTimestamp() - Volatile.Read(ref begin) };
                worker.CpuSeconds = (CpuUsage.OfThread() - cpu).Seconds;
            });
        }
        foreach (var worker in workers)
            worker.WaitUntilDone();
        foreach (var worker in workers)
            worker.ThrowIfFailed();
        foreach (var worker in workers)
        {
            histogram.Add(worker.Histogram);
            worker.Histogram.Clear();
            if (worker.Pacing is { } part)
                pacing!.Add(part);
        }
        var elapsedNs = workers.Max(worker => worker.Result.ElapsedNs);
        QueueDepthMean = workers.Sum(worker => worker.InFlightMean);
        return new LoopResult(workers.Sum(worker => worker.Result.Operations), elapsedNs);
    }

    /// <summary>A thread with its lane (a ring belongs to the thread that uses it), waiting for work between passes.</summary>
    private sealed class Worker : IDisposable
    {
        private readonly SemaphoreSlim go = new(0);
        private readonly SemaphoreSlim done = new(0);
        private readonly Thread thread;
        private Action<Lane>? work;
        private Exception? failure;
        private bool ready;

        internal Worker(FilePass pass, int index)
        {
            Index = index;
            thread = new Thread(() => Live(pass)) { IsBackground = true, Name = $"lane {index}" };
            thread.Start();
        }

        internal int Index { get; }

        internal LatencyHistogram Histogram { get; } = new();

        internal LoopResult Result { get; set; }

        internal double InFlightMean { get; set; }

        internal double CpuSeconds { get; set; }

        internal Pacing? Pacing { get; set; }

        /// <summary>Waits for the lane to be made.</summary>
        internal void WaitUntilReady()
        {
            if (!ready)
                done.Wait();
            ready = true;
            ThrowIfFailed();
        }

        internal void Start(Action<Lane> action)
        {
            work = action;
            go.Release();
        }

        internal void WaitUntilDone() => done.Wait();

        internal void ThrowIfFailed()
        {
            if (Interlocked.Exchange(ref failure, null) is { } thrown)
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(thrown);
        }

        public void Dispose()
        {
            work = null;
            go.Release();
            thread.Join();
            go.Dispose();
            done.Dispose();
        }

        private void Live(FilePass pass)
        {
            try
            {
                using var lane = new Lane(pass);
                done.Release();
                while (true)
                {
                    go.Wait();
                    if (work is null)
                        return;
                    try
                    {
                        work(lane);
                    }
                    catch (Exception exception)
                    {
                        failure = exception;
                    }
                    done.Release();
                }
            }
            catch (Exception exception)
            {
                // The lane could not be made.
                failure = exception;
                done.Release();
            }
        }
    }

    /// <summary>One thread's memory or ring.</summary>
    private sealed class Lane : IDisposable
    {
        private readonly AlignedBuffer? buffer;
        private readonly BlockRing? ring;

        internal Lane(FilePass pass)
        {
            var settings = pass.settings;
            var seed = settings.Seed ^ (ulong)Stopwatch.GetTimestamp();
            if (settings.Engine == Engine.psync)
            {
                var blocks = settings.Operation == Operation.Write ? BlockSource.BlocksFor(settings.BlockBytes) : 1;
                buffer = new AlignedBuffer(blocks * settings.BlockBytes);
                RandomBytes.Fill(buffer.Span, ref seed);
                return;
            }
            var flags = settings.Access == Access.Uncached ? CallFlags.DontCache : CallFlags.None;
            var blocksPerSlot = settings.Operation == Operation.Write ? BlockSource.BlocksPerSlotFor(settings.BlockBytes, settings.QueueDepth) : 1;
            ring = new BlockRing(pass.file, settings.QueueDepth, settings.BlockBytes, flags, fixedBuffers: settings.Access == Access.Direct, blocksPerSlot: blocksPerSlot);
            for (var slot = 0; slot < settings.QueueDepth; slot++)
                RandomBytes.Fill(ring.SlotMemory(slot), ref seed);
            pass.FixedBuffers = ring.FixedBuffers;
            pass.FixedBuffersRefusal = ring.FixedBuffersRefusal;
            pass.RingSetup = ring.Setup;
        }

        internal LoopResult Run(FilePass pass, int index, LoopLimit limit, LatencyHistogram histogram, Pacing? pacing, out double inFlightMean)
        {
            var settings = pass.settings;
            var threads = settings.Threads;
            var startsAt = pass.operationsSoFar / threads;
            if (settings.Pattern == Pattern.Random)
            {
                var positions = new RandomPositions(pass.order, pass.blockCount, settings.BlockBytes, startsAt * threads + index, threads);
                return Run(pass, ref positions, limit, histogram, pacing, out inFlightMean);
            }
            else
            {
                var (first, count) = pass.RangeOf(index);
                var positions = new SequentialPositions(first, count, settings.BlockBytes, startsAt);
                return Run(pass, ref positions, limit, histogram, pacing, out inFlightMean);
            }
        }

        public void Dispose()
        {
            ring?.Dispose();
            buffer?.Dispose();
        }

        private LoopResult Run<TPositions>(FilePass pass, ref TPositions positions, LoopLimit limit, LatencyHistogram histogram, Pacing? pacing, out double inFlightMean)
            where TPositions : struct, IPositions
        {
            var writes = pass.settings.Operation == Operation.Write;
            if (ring is not null && pacing is not null)
                return PacedRingLoop.Run(ring, writes, ref positions, limit, pacing, histogram, pass.stop, out inFlightMean);
            if (ring is not null)
                return RingLoop.Run(ring, writes, eager: pass.settings.Access == Access.Direct, ref positions, limit, histogram, pass.stop, new InjectedSlowdown(pass.settings.SlowdownShare), out inFlightMean);

            inFlightMean = 1;
            return (pass.settings.Access, writes) switch
            {
                (Access.Mmap, false) => Run(pass, new ReadMappedBlock(pass.map!, buffer!), ref positions, limit, histogram, pacing),
                (Access.Mmap, true) => Run(pass, new WriteMappedBlock(pass.map!, buffer!, pass.settings.BlockBytes), ref positions, limit, histogram, pacing),
                (Access.Uncached, false) => Run(pass, new ReadBlockWithFlags(pass.file, buffer!, CallFlags.DontCache), ref positions, limit, histogram, pacing),
                (Access.Uncached, true) => Run(pass, new WriteBlockWithFlags(pass.file, buffer!, pass.settings.BlockBytes, CallFlags.DontCache), ref positions, limit, histogram, pacing),
                (_, true) => Run(pass, new WriteBlock(pass.file, buffer!, pass.settings.BlockBytes), ref positions, limit, histogram, pacing),
                _ => Run(pass, new ReadBlock(pass.file, buffer!), ref positions, limit, histogram, pacing),
            };
        }

        private static LoopResult Run<TOperation, TPositions>(FilePass pass, TOperation operation, ref TPositions positions, LoopLimit limit, LatencyHistogram histogram, Pacing? pacing)
            where TOperation : struct, IBlockOperation
            where TPositions : struct, IPositions
        {
            if (pacing is not null)
                return PacedLoop.Run(ref operation, ref positions, limit, pacing, histogram, pass.stop);
            if (pass.settings.SlowdownShare == 0)
                return OpLoop.Run(ref operation, ref positions, limit, histogram, pass.stop);
            var slowed = new SlowedOperation<TOperation>(operation, pass.settings.SlowdownShare);
            return OpLoop.Run(ref slowed, ref positions, limit, histogram, pass.stop);
        }
    }
}
