using Bench.Disk;

namespace Bench.Measure.Passes;

/// <summary>
/// Finds out whether direct writes really pass the page cache by. A file system may take a write with O_DIRECT through
/// the cache, flush it and drop the pages before the call returns: btrfs does so for every file with checksums
/// (Linux 6.15), ext4 with <c>data=journal</c>. The flag stands, the bytes reach the device, and afterwards nothing is
/// cached: no counter around a pass can tell. So one large write is watched from a second thread while it runs.
/// </summary>
public sealed class DirectWriteProbe : IDisposable
{
    // Large enough to run for milliseconds on any disk; a look at the cache takes microseconds.
    private const int WriteBytes = 4 << 20;
    private const int Rounds = 3;

    /// <summary>Writes up to 12 MiB to a file of its own and removes it.</summary>
    /// <param name="folder">The run's data folder.</param>
    /// <exception cref="DiskException">The file system refuses O_DIRECT, or the write failed.</exception>
    public DirectWriteProbe(string folder)
    {
        var path = Path.Combine(folder, "direct-write-probe.bin");
        File.Delete(path);
        try
        {
            using var file = DiskFile.Open(path, OpenMode.Write | OpenMode.Create | OpenMode.Direct);
            using var buffer = new AlignedBuffer(WriteBytes);
            PeakResidency = Watched(file, buffer);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private DirectWriteProbe(DiskFile device)
    {
        using var buffer = new AlignedBuffer(WriteBytes);
        PeakResidency = Watched(device, buffer);
    }

    /// <summary>The same over the first bytes of a block device, whose content is the run's.</summary>
    /// <param name="device">Its path.</param>
    public static DirectWriteProbe Over(string device)
    {
        using var file = DiskFile.Open(device, OpenMode.Write | OpenMode.Direct);
        return new DirectWriteProbe(file);
    }

    /// <summary>Largest share of the written range that was in the page cache while the write ran, 0 to 1; null if that cannot be seen here.</summary>
    public double? PeakResidency { get; }

    /// <summary>Nothing to free; the type is disposable so that a run can keep it (<c>RunContext.Shared</c>).</summary>
    public void Dispose() { }

    private static double? Watched(DiskFile file, AlignedBuffer buffer)
    {
        var seed = 1UL;
        Running.RandomBytes.Fill(buffer.Span, ref seed);
        double? highest = 0;
        for (var round = 0; round < Rounds && highest < 0.5; round++)
            highest = Watch(file, buffer) is { } peak ? Math.Max(highest.Value, peak) : null;
        return highest;
    }

    private static double? Watch(DiskFile file, AlignedBuffer buffer)
    {
        // A new length each time would make the kernel zero pages at the end of the file: not what is asked.
        file.Write(buffer.Span, 0);
        Exception? failure = null;
        var writer = new Thread(() =>
        {
            try
            {
                file.Write(buffer.Span, 0);
            }
            catch (IOException exception)
            {
                failure = exception;
            }
        })
        { IsBackground = true, Name = "direct write probe" };
        writer.Start();
        double? peak = 0;
        while (writer.IsAlive)
            peak = PageCache.ResidencyOf(file, 0, WriteBytes).Share is { } share ? Math.Max(peak ?? 0, share) : null;
        writer.Join();
        if (failure is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        return peak;
    }
}
