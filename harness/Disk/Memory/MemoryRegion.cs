using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Bench.Disk.Counters;
using Bench.Disk.Native;
using static Bench.Disk.Native.Constants;

namespace Bench.Disk.Memory;

/// <summary>The pages that back a region.</summary>
public enum PageKind
{
    /// <summary>The base page, 4 KiB on x64.</summary>
    Small,

    /// <summary>Transparent huge pages, 2 MiB on x64, asked for with madvise(2).</summary>
    Huge,
}

/// <summary>
/// Anonymous memory of 4-byte values, mapped and touched before any timing (the first touch of a gigabyte takes a
/// second on some machines), all values random with the top bit clear.
/// </summary>
public sealed unsafe class MemoryRegion : IDisposable
{
    private const nuint HugePageBytes = 2 << 20;
    private readonly nuint mappedBytes;
    private void* mapped;
    private readonly uint* values;

    /// <summary>Maps, touches and fills.</summary>
    /// <param name="lengthBytes">Length, a multiple of 4096.</param>
    /// <param name="pages">The pages to ask for.</param>
    /// <param name="seed">Of the values.</param>
    public MemoryRegion(long lengthBytes, PageKind pages, ulong seed)
    {
        LengthBytes = lengthBytes;
        Pages = pages;
        mappedBytes = (nuint)lengthBytes + HugePageBytes;
        mapped = Libc.mmap(null, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if ((nint)mapped == -1)
            throw DiskException.FromLast("mmap", FormattableString.Invariant($"{lengthBytes} bytes of memory"));
        // Aligned to a huge page, so that both ends can be huge.
        values = (uint*)(((nuint)mapped + HugePageBytes - 1) & ~(HugePageBytes - 1));
        _ = Libc.madvise(values, (nuint)lengthBytes, pages == PageKind.Huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
        Fill(seed);
    }

    /// <summary>Unmaps what <see cref="Dispose"/> did not.</summary>
    ~MemoryRegion() => Unmap();

    /// <summary>Length in bytes.</summary>
    public long LengthBytes { get; }

    /// <summary>The pages asked for.</summary>
    public PageKind Pages { get; }

    /// <summary>Number of 4-byte values.</summary>
    public long ValueCount => LengthBytes / sizeof(uint);

    internal uint* Values => mapped is not null ? values : throw new ObjectDisposedException(nameof(MemoryRegion));

    /// <summary>
    /// Share of the region that the kernel really backs with huge pages (<c>/proc/self/smaps</c>, AnonHugePages), or
    /// null if it cannot be read.
    /// </summary>
    public double? HugeShare()
    {
        if (CounterFile.TryReadAllText("/proc/self/smaps") is not { } smaps)
            return null;
        long hugeBytes = 0;
        var inside = false;
        foreach (var line in smaps.AsSpan().EnumerateLines())
        {
            var dash = line.IndexOf('-');
            var space = line.IndexOf(' ');
            if (dash > 0 && space > dash
                && ulong.TryParse(line[..dash], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var from)
                && ulong.TryParse(line[(dash + 1)..space], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var to))
                inside = from < (ulong)values + (ulong)LengthBytes && to > (ulong)values;
            else if (inside && line.StartsWith("AnonHugePages:", StringComparison.Ordinal))
            {
                var text = line["AnonHugePages:".Length..].Trim();
                if (long.TryParse(text[..text.IndexOf(' ')], NumberStyles.None, CultureInfo.InvariantCulture, out var kib))
                    hugeBytes += kib * 1024;
            }
        }
        return Math.Min(1.0, (double)hugeBytes / LengthBytes);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Unmap();
        GC.SuppressFinalize(this);
    }

    private void Fill(ulong seed)
    {
        var words = (ulong*)values;
        for (long i = 0; i < LengthBytes / sizeof(ulong); i++)
            words[i] = BlockPermutation.SplitMix64(ref seed) & 0x7FFFFFFF_7FFFFFFF;
    }

    private void Unmap()
    {
        if (mapped is not null && (nint)mapped != -1)
            _ = Libc.munmap(mapped, mappedBytes);
        mapped = null;
    }
}
