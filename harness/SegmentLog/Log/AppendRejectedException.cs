namespace Bench.SegmentLog;

/// <summary>Why an append was refused.</summary>
public enum AppendError
{
    /// <summary>The bytes are no sound batch.</summary>
    CorruptBatch,

    /// <summary>A record without a key, which a compacted log cannot keep.</summary>
    InvalidRecord,

    /// <summary>A batch is larger than allowed.</summary>
    BatchTooLarge,

    /// <summary>The sequence number is not the one after the last.</summary>
    OutOfOrderSequence,

    /// <summary>The producer's epoch is older than one seen.</summary>
    InvalidProducerEpoch,

    /// <summary>The coordinator's epoch is older than one seen.</summary>
    CoordinatorFenced,

    /// <summary>A write outside the producer's open transaction.</summary>
    InvalidTransactionState,

    /// <summary>A follower's offset is not after the end of the log.</summary>
    UnexpectedOffset,

    /// <summary>An earlier write or flush failed: until the log is opened again nobody knows what is on the disk.</summary>
    LogFailed,
}

/// <summary>An append was refused; the log is as it was.</summary>
public sealed class AppendRejectedException(AppendError error, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Why.</summary>
    public AppendError Error { get; } = error;
}
