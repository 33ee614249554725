using System.Buffers;

namespace Bench.SegmentLog.Format;

/// <summary>
/// Pooled memory that grows as it is written and is used again: what batches are decompressed into and built in. It
/// doubles, so it holds at most twice what was asked of it, and while it moves the old half besides. Not for several
/// threads at once.
/// </summary>
public sealed class RecordBuffer : IBufferWriter<byte>, IDisposable
{
    private const int FirstBytes = 4096;
    private byte[] bytes = [];

    /// <summary>How many bytes have been written.</summary>
    public int WrittenBytes { get; private set; }

    /// <summary>What has been written; good until the next write, <see cref="Clear"/> or <see cref="Dispose"/>.</summary>
    public ReadOnlySpan<byte> WrittenSpan => bytes.AsSpan(0, WrittenBytes);

    /// <summary>What has been written, for methods that keep it a while; good as long as <see cref="WrittenSpan"/>.</summary>
    public ReadOnlyMemory<byte> WrittenMemory => bytes.AsMemory(0, WrittenBytes);

    /// <summary>Bytes of memory held.</summary>
    public int CapacityBytes => bytes.Length;

    /// <summary>Forgets what was written and keeps the memory.</summary>
    public void Clear() => WrittenBytes = 0;

    /// <inheritdoc/>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, bytes.Length - WrittenBytes);
        WrittenBytes += count;
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return bytes.AsMemory(WrittenBytes);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return bytes.AsSpan(WrittenBytes);
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        Return();
        bytes = [];
        WrittenBytes = 0;
    }

    private void Reserve(int sizeHint)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        var neededBytes = (long)WrittenBytes + Math.Max(sizeHint, 1);
        if (neededBytes <= bytes.Length)
            return;
        var largerBytes = Math.Min(Math.Max(neededBytes, Math.Max(2L * bytes.Length, FirstBytes)), Array.MaxLength);
        if (neededBytes > largerBytes)
            throw new InsufficientMemoryException($"a buffer of {neededBytes} bytes is more than an array can be");
        var larger = ArrayPool<byte>.Shared.Rent((int)largerBytes);
        WrittenSpan.CopyTo(larger);
        Return();
        bytes = larger;
    }

    private void Return()
    {
        if (bytes.Length > 0)
            ArrayPool<byte>.Shared.Return(bytes);
    }
}
