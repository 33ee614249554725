using System.Runtime.CompilerServices;
using Bench.Disk.Native;

namespace Bench.Disk;

/// <summary>One positioned call of read or write kind. A struct, so that the loop over it is compiled for it.</summary>
internal unsafe interface IPositionedCall
{
    /// <summary>Bytes done (0 = end of file), or a negative errno.</summary>
    nint Invoke(byte* buffer, nint lengthBytes, long position);
}

/// <summary>
/// Short results are normal (pread(2), pwrite(2)): advance and go on; EINTR is retried. Tests inject both through
/// <see cref="IPositionedCall"/>.
/// </summary>
internal static unsafe class FullTransfer
{
    /// <summary>Moves all bytes unless the file ends first.</summary>
    /// <returns>Bytes done; fewer than asked only at the end of the file. Negative: an errno.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static nint Run<TCall>(ref TCall call, byte* buffer, nint lengthBytes, long position)
        where TCall : struct, IPositionedCall
    {
        var done = call.Invoke(buffer, lengthBytes, position);
        return done == lengthBytes ? done : Continue(ref call, buffer, lengthBytes, position, done);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static nint Continue<TCall>(ref TCall call, byte* buffer, nint lengthBytes, long position, nint first)
        where TCall : struct, IPositionedCall
    {
        nint done = 0;
        var result = first;
        while (true)
        {
            if (result == 0)
                return done;
            if (result > 0)
                done += result;
            else if (result != -Constants.EINTR)
                return result;
            if (done >= lengthBytes)
                return done;
            result = call.Invoke(buffer + done, lengthBytes - done, position + done);
        }
    }
}
