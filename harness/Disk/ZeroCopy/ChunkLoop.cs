using System.Runtime.CompilerServices;
using Bench.Disk.Native;

namespace Bench.Disk.ZeroCopy;

/// <summary>Moves one chunk. A struct, so that the loop over it is compiled for it.</summary>
internal interface IChunkCall
{
    /// <summary>Bytes moved (0 = end of the source), or a negative errno.</summary>
    nint Invoke(long position, nint lengthBytes);
}

/// <summary>
/// Cuts a range into chunks. Short results are normal (a socket's buffer is full, a pipe is): the next chunk starts
/// where the last one ended. EINTR is retried. Tests inject both through <see cref="IChunkCall"/>.
/// </summary>
internal static class ChunkLoop
{
    /// <returns>Bytes moved; fewer than asked only at the end of the source. Negative: an errno.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long Run<TCall>(ref TCall call, long position, long lengthBytes, int chunkBytes)
        where TCall : struct, IChunkCall
    {
        var done = 0L;
        while (done < lengthBytes)
        {
            var moved = call.Invoke(position + done, (nint)Math.Min(chunkBytes, lengthBytes - done));
            if (moved > 0)
                done += moved;
            else if (moved == 0)
                break;
            else if (moved != -Constants.EINTR)
                return moved;
        }
        return done;
    }
}
