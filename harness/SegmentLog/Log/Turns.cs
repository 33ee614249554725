namespace Bench.SegmentLog;

/// <summary>
/// A lock that goes to those who wait in the order in which they came. .NET's own lock, as Java's monitors in Kafka, goes
/// to whoever comes just when it is free, which is most often the one who has just had it: with flushes under it, a waiter
/// gets it only when .NET notices after a tenth of a second that it starves, and the latency of sixteen producers tells
/// that instead of the disk's. The hand-over costs a wake-up, so it is for critical sections that wait for a disk.
/// </summary>
internal sealed class Turns
{
    [ThreadStatic]
    private static ManualResetEventSlim? own;

    private readonly Lock guard = new();
    private readonly Queue<ManualResetEventSlim> waiting = new();
    private bool isTaken;

    /// <summary>Waits for its turn, which lasts until <see cref="Exit"/>.</summary>
    internal void Enter()
    {
        ManualResetEventSlim turn;
        lock (guard)
        {
            if (!isTaken)
            {
                isTaken = true;
                return;
            }
            // No spinning: what is waited for takes longer.
            turn = own ??= new ManualResetEventSlim(false, 0);
            turn.Reset();
            waiting.Enqueue(turn);
        }
        turn.Wait();
    }

    /// <summary>Hands over to the one who has waited longest.</summary>
    internal void Exit()
    {
        lock (guard)
        {
            if (waiting.TryDequeue(out var next))
                next.Set();
            else
                isTaken = false;
        }
    }
}

/// <summary>A turn, until it is disposed.</summary>
internal readonly ref struct Turn : IDisposable
{
    private readonly Turns? turns;

    /// <summary>Waits for it; for none where there are no turns.</summary>
    internal Turn(Turns? turns)
    {
        this.turns = turns;
        turns?.Enter();
    }

    /// <inheritdoc/>
    public void Dispose() => turns?.Exit();
}
