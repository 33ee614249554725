using System.Runtime.ExceptionServices;

namespace Bench.TestSupport;

/// <summary>
/// Work on threads of its own. <see cref="Parallel"/> for a minute keeps every thread of the pool: its parts queue
/// themselves in front of all others, so that the tests beside it do not begin what they give to the pool.
/// </summary>
public static class OwnThreads
{
    /// <summary>Calls the body with 0 to count - 1 on several threads at once; after an exception no further call begins.</summary>
    /// <param name="count">Number of calls.</param>
    /// <param name="body">The work; the calls go on while it says true.</param>
    /// <param name="threads">Threads; one for each processor if nothing is said.</param>
    /// <exception cref="Exception">The first one that a call has thrown.</exception>
    public static void For(long count, Func<long, bool> body, int? threads = null)
    {
        long next = -1;
        var isStopped = false;
        ExceptionDispatchInfo? first = null;
        var all = Enumerable.Range(0, threads ?? Environment.ProcessorCount).Select(_ => new Thread(() =>
        {
            try
            {
                while (!Volatile.Read(ref isStopped) && Interlocked.Increment(ref next) is var i && i < count)
                    if (!body(i))
                        Volatile.Write(ref isStopped, true);
            }
            catch (Exception exception)
            {
                Interlocked.CompareExchange(ref first, ExceptionDispatchInfo.Capture(exception), null);
                Volatile.Write(ref isStopped, true);
            }
        })).ToArray();
        foreach (var thread in all)
            thread.Start();
        foreach (var thread in all)
            thread.Join();
        first?.Throw();
    }

    /// <summary>Starts something that is to wait for another, and returns once it does, or has ended without.</summary>
    public static Task<T> StartUntilItWaits<T>(Func<T> work)
    {
        var end = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                end.SetResult(work());
            }
            catch (Exception exception)
            {
                end.SetException(exception);
            }
        });
        thread.Start();
        // A lock that is held for a moment makes it wait too, so it has to be found so again and again.
        for (var waits = 0; waits < 20 && !end.Task.IsCompleted; Thread.Sleep(5))
            waits = thread.ThreadState.HasFlag(ThreadState.WaitSleepJoin) ? waits + 1 : 0;
        return end.Task;
    }
}
