using System.Runtime.InteropServices;

namespace Bench.Disk;

/// <summary>
/// Memory outside the garbage collector's heap, aligned for direct I/O and owned: the address never moves, and the
/// memory is given back on <see cref="Dispose"/>. Pages are touched when it is made, so that no page fault falls into
/// a timed pass.
/// </summary>
public sealed unsafe class AlignedBuffer : IDisposable
{
    private byte* pointer;

    /// <summary>Allocates, zeroes and so touches the memory.</summary>
    /// <param name="lengthBytes">Length; more than 0.</param>
    /// <param name="alignmentBytes">Alignment, a power of two; 4096 suits every device known to us.</param>
    public AlignedBuffer(int lengthBytes, int alignmentBytes = 4096)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lengthBytes);
        LengthBytes = lengthBytes;
        pointer = (byte*)NativeMemory.AlignedAlloc((nuint)lengthBytes, (nuint)alignmentBytes);
        NativeMemory.Clear(pointer, (nuint)lengthBytes);
    }

    /// <summary>Frees what <see cref="Dispose"/> did not.</summary>
    ~AlignedBuffer() => Free();

    /// <summary>Length in bytes.</summary>
    public int LengthBytes { get; }

    /// <summary>The memory.</summary>
    public Span<byte> Span => new(Pointer, LengthBytes);

    internal byte* Pointer => pointer is not null ? pointer : throw new ObjectDisposedException(nameof(AlignedBuffer));

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(pointer);
        pointer = null;
    }
}
