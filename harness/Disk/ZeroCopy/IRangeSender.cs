namespace Bench.Disk.ZeroCopy;

/// <summary>
/// One way to move a range of a file into a socket, or behind the end of what was written to a file. The ways differ
/// in who copies what: their CPU time per byte is what is compared, and it depends on the chunk as much as on the way.
/// <para>One thread at a time. After an exception nobody knows how much has left: dispose the sender.</para>
/// </summary>
public interface IRangeSender : IDisposable
{
    /// <summary>The most bytes that one system call (or one request) is asked to move.</summary>
    int ChunkBytes { get; }

    /// <summary>Sends a range and returns when the kernel has taken all of it.</summary>
    /// <param name="position">First byte in the source.</param>
    /// <param name="lengthBytes">Bytes to send.</param>
    /// <returns>Bytes sent; fewer than asked only at the end of the source.</returns>
    /// <exception cref="DiskException">
    /// The source failed, or the target: EPIPE or ECONNRESET if the receiver closed, EAGAIN if the socket's send
    /// time-out ended.
    /// </exception>
    long Send(long position, long lengthBytes);
}
