using System.Collections.Concurrent;

namespace Bench.SegmentLog;

/// <summary>
/// Does what need not be done while an append waits: preparing the next segment, writing indexes, flushing complete
/// segments, removing files. One thread for any number of logs, in the order in which work was given.
/// </summary>
public sealed class LogWorker : IDisposable
{
    private const int PatienceMs = 200;

    private readonly BlockingCollection<Action>? queue;
    private readonly Thread? thread;
    private readonly PriorityQueue<Action, long> later = new();
    private Timer? timer;

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

    /// <summary>Gives work to be done after a while; what is not due when the worker ends is done then.</summary>
    public void PostLater(Action work, long delayMs)
    {
        if (queue is null)
        {
            work();
            return;
        }
        lock (later)
        {
            later.Enqueue(work, Environment.TickCount64 + delayMs);
            timer ??= new Timer(_ => PostDue(), null, Timeout.Infinite, Timeout.Infinite);
            timer.Change(Math.Max(0, later.TryPeek(out var first, out var due) && first is not null ? due - Environment.TickCount64 : 0), Timeout.Infinite);
        }
    }

    private void PostDue()
    {
        lock (later)
        {
            while (later.TryPeek(out var work, out var due))
            {
                var left = due - Environment.TickCount64;
                if (left > 0)
                {
                    timer!.Change(left, Timeout.Infinite);
                    return;
                }
                later.Dequeue();
                if (!queue!.IsAddingCompleted)
                    queue.Add(work);
            }
        }
    }

    /// <summary>Waits until all work given so far is done.</summary>
    public void Drain() => Drain(() => false);

    /// <summary>Waits until all work given so far is done, or nobody wants to wait any longer: flushes that a slow disk owes can take minutes.</summary>
    /// <param name="givenUp">Whether to wait no longer; asked a few times a second.</param>
    /// <returns>Whether all of it is done.</returns>
    public bool Drain(Func<bool> givenUp)
    {
        if (queue is null || Thread.CurrentThread == thread)
            return true;
        // Not disposed: the worker may reach it after the one who waited has gone.
        var done = new ManualResetEventSlim();
        queue.Add(done.Set);
        while (!done.Wait(PatienceMs))
            if (givenUp())
                return false;
        return true;
    }

    /// <summary>Does the work that is left, and ends the thread.</summary>
    public void Dispose()
    {
        if (queue is null || queue.IsAddingCompleted)
            return;
        lock (later)
        {
            timer?.Dispose();
            while (later.TryDequeue(out var work, out _))
                queue.Add(work);
            queue.CompleteAdding();
        }
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
