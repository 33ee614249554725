using System.Globalization;
using Bench.Disk;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Storage;

namespace Bench.SegmentLog.Inspect;

/// <summary>
/// Looks at every partition of a log directory as <see cref="LogVerifier"/> does, and at the checkpoints beside them:
/// a recovery point or a start that is outside its log makes the next opening pass over records, or lose them.
/// </summary>
public static class LogDirectoryVerifier
{
    /// <summary>The partitions that a folder has; none if it is no log directory.</summary>
    public static IReadOnlyList<TopicPartition> Partitions(IStorage storage, string folder) =>
    [
        .. storage.ListFolders(folder).Order(StringComparer.Ordinal).Select(TopicPartition.OfFolder).OfType<TopicPartition>()
            .Where(partition => HasSegments(storage, Path.Combine(folder, partition.ToString()))),
    ];

    /// <summary>One that may not be looked into has some, as far as anybody can tell.</summary>
    private static bool HasSegments(IStorage storage, string folder)
    {
        try
        {
            return LogFiles.Segments(storage, folder).Count > 0;
        }
        catch (UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <summary>Looks at a log directory.</summary>
    /// <param name="folder">The folder with the partitions' folders.</param>
    /// <param name="options">How.</param>
    public static LogVerification Verify(string folder, LogVerifierOptions options)
    {
        var faults = new List<LogFault>();
        var notes = new List<string>();
        long faultCount = 0, batches = 0, records = 0, bytes = 0;
        var segments = 0;
        var bounds = new Dictionary<TopicPartition, (long First, long End)>();
        void Fault(LogFault fault)
        {
            if (faultCount++ < options.MostFaults)
                faults.Add(fault);
        }

        foreach (var partition in Partitions(options.Storage, folder))
        {
            var path = Path.Combine(folder, partition.ToString());
            try
            {
                var found = LogVerifier.Verify(path, options);
                faults.AddRange(found.Faults.Take(options.MostFaults - faults.Count));
                notes.AddRange(found.Notes.Take(options.MostFaults - notes.Count).Select(note => $"{partition}: {note}"));
                faultCount += found.FaultCount;
                segments += found.Segments;
                batches += found.Batches;
                records += found.Records;
                bytes += found.Bytes;
                bounds[partition] = (LogFiles.Segments(options.Storage, path)[0], found.EndOffset);
            }
            catch (CorruptLogException exception)
            {
                Fault(new LogFault(exception.File, exception.Position, exception.Reason));
            }
            // One that cannot be read hides no other.
            catch (DiskException exception)
            {
                Fault(new LogFault(exception.Path, 0, $"the partition cannot be looked at: {exception.Message}"));
            }
            catch (UnauthorizedAccessException)
            {
                Fault(new LogFault(path, 0, "the partition cannot be looked at: permission denied"));
            }
        }
        foreach (var (name, what) in ((string, string)[])[(OffsetCheckpoint.RecoveryPoints, "recovery point"), (OffsetCheckpoint.LogStarts, "start"), (OffsetCheckpoint.HighWatermarks, "high watermark")])
        {
            var path = Path.Combine(folder, name);
            try
            {
                foreach (var (partition, offset) in OffsetCheckpoint.Read(options.Storage, path))
                    if (bounds.TryGetValue(partition, out var bound) && (offset > bound.End || (offset < bound.First && name == OffsetCheckpoint.LogStarts)))
                        Fault(new LogFault(path, 0, string.Create(CultureInfo.InvariantCulture, $"the {what} of {partition} is {offset}, and its log goes from {bound.First} to {bound.End}")));
            }
            catch (CorruptLogException exception)
            {
                Fault(new LogFault(exception.File, exception.Position, exception.Reason));
            }
        }
        return new LogVerification
        {
            Faults = faults,
            FaultCount = faultCount,
            Notes = notes,
            EndOffset = 0,
            Segments = segments,
            Batches = batches,
            Records = records,
            Bytes = bytes,
        };
    }
}
