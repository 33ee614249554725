using Bench.Disk.Native;

namespace Bench.Disk;

/// <summary>The end of the process when nothing else may run any more.</summary>
public static class ProcessEnd
{
    /// <summary>
    /// Ends at once with a status (_exit(2)): no finalizers, no waiting for other threads. .NET's own exit waits for a
    /// thread that hangs in a system call on a sick disk.
    /// </summary>
    public static void Now(int status) => Libc._exit(status);

    /// <summary>
    /// Asks another process to end (kill(2) with SIGTERM); one that is gone already is no error. Not SIGINT: what a
    /// script starts in its background ignores that one, and so do its children.
    /// </summary>
    public static void Ask(int processId) => Libc.kill(processId, 15);
}
