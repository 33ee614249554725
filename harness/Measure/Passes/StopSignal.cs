namespace Bench.Measure.Passes;

/// <summary>
/// Set once when the user wants to stop (Ctrl-C). The op loops look at it after each operation: a plain load, where a
/// <see cref="CancellationToken"/> would cost two dependent ones.
/// </summary>
public sealed class StopSignal
{
    private volatile bool requested;

    /// <summary>True once <see cref="Request"/> was called.</summary>
    public bool IsRequested => requested;

    /// <summary>Asks everything to end.</summary>
    public void Request() => requested = true;

    /// <summary>Throws if the user wants to stop.</summary>
    /// <exception cref="OperationCanceledException">The user wants to stop.</exception>
    public void ThrowIfRequested()
    {
        if (requested)
            throw new OperationCanceledException("stopped by the user");
    }
}
