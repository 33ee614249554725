using System.Collections.Concurrent;

namespace Bench.SegmentLog;

/// <summary>
/// Does what need not be done while an append waits: preparing the next segment, writing indexes, flushing complete
/// segments, removing files. One thread for any number of logs, in the order in which work was given.
/// </summary>
public sealed class LogWorker : IDisposable
{
    private readonly BlockingCollection<Action>? queue;
    private readonly Thread? thread;

    /// <summary>A worker with a thread.</summary>
    public LogWorker()
        : this(new BlockingCollection<Action>())
    {
    }

    private LogWorker(BlockingCollection<Action>? queue)
    {
        this.queue = queue;
        if (queue is null)
            return;
        thread = new Thread(Work) { IsBackground = true, Name = "log worker" };
        thread.Start();
    }

    /// <summary>A worker that does everything at once in the caller's thread: what happens is then in one order only, which tests repeat.</summary>
    public static LogWorker AtOnce { get; } = new(null);

    /// <summary>Gives work; it must not throw.</summary>
    public void Post(Action work)
    {
        if (queue is null)
            work();
        else
            queue.Add(work);
    }

    /// <summary>Waits until all work given so far is done.</summary>
    public void Drain()
    {
        if (queue is null || Thread.CurrentThread == thread)
            return;
        using var done = new ManualResetEventSlim();
        queue.Add(done.Set);
        done.Wait();
    }

    /// <summary>Does the work that is left, and ends the thread.</summary>
    public void Dispose()
    {
        if (queue is null || queue.IsAddingCompleted)
            return;
        queue.CompleteAdding();
        if (Thread.CurrentThread != thread)
            thread!.Join();
        queue.Dispose();
    }

    private void Work()
    {
        foreach (var work in queue!.GetConsumingEnumerable())
            work();
    }
}
