namespace Bench.Gate;

/// <summary>A gate that cannot judge, through no wrong use of its own; the message is a sentence for the user. Exit code 2.</summary>
internal sealed class GateException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>True if a side's program refused what it was asked to run: it is older or newer than these cases.</summary>
    internal bool Refused { get; init; }
}
