namespace Bench.Gate;

/// <summary>A gate that cannot judge, through no wrong use of its own; the message is a sentence for the user. Exit code 2.</summary>
internal sealed class GateException(string message, Exception? inner = null) : Exception(message, inner);
