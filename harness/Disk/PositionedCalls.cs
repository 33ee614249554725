using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Bench.Disk.Native;

namespace Bench.Disk;

/// <summary>pread(2).</summary>
internal readonly unsafe struct ReadCall(int descriptor) : IPositionedCall
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint Invoke(byte* buffer, nint lengthBytes, long position)
    {
        var done = Libc.pread(descriptor, buffer, lengthBytes, position);
        return done >= 0 ? done : -Marshal.GetLastPInvokeError();
    }
}

/// <summary>pwrite(2).</summary>
internal readonly unsafe struct WriteCall(int descriptor) : IPositionedCall
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint Invoke(byte* buffer, nint lengthBytes, long position)
    {
        var done = Libc.pwrite(descriptor, buffer, lengthBytes, position);
        return done >= 0 ? done : -Marshal.GetLastPInvokeError();
    }
}

/// <summary>preadv2(2) or pwritev2(2) with per-call flags, one vector.</summary>
internal readonly unsafe struct VectoredCall(int descriptor, int flags, bool writes) : IPositionedCall
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint Invoke(byte* buffer, nint lengthBytes, long position)
    {
        var vector = new Libc.iovec { iov_base = buffer, iov_len = lengthBytes };
        var done = writes
            ? Libc.pwritev2(descriptor, &vector, 1, position, flags)
            : Libc.preadv2(descriptor, &vector, 1, position, flags);
        return done >= 0 ? done : -Marshal.GetLastPInvokeError();
    }
}
