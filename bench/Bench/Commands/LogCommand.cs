using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using Bench.Measure.Running;
using Bench.SegmentLog;
using Bench.SegmentLog.Format;
using Bench.SegmentLog.Inspect;
using Bench.SegmentLog.Storage;

namespace Bench.Commands;

/// <summary><c>bench log</c>: looks into the log folder of a Kafka partition, whoever wrote it, and never writes to it.</summary>
internal sealed class LogCommand : Command
{
    internal LogCommand() : base("log", "Looks into the folder of a Kafka partition, and never writes to it")
    {
        Add(new DumpCommand());
        Add(new VerifyCommand());
        Add(new RecoverCommand());
    }

    private static Argument<string> Folder() => new("DIR") { Description = "The partition's folder, such as topic-0" };

    /// <summary>The absolute folder of a log.</summary>
    /// <exception cref="PlanException">It is none.</exception>
    private static string Check(string given)
    {
        var path = given.Length == 0 ? "''" : Path.TrimEndingDirectorySeparator(Path.GetFullPath(given));
        if (!Directory.Exists(path))
            throw new PlanException($"{path} is no folder; give the folder of a partition, such as topic-0");
        if (LogFiles.Segments(DiskStorage.Instance, path).Count == 0)
            throw new PlanException($"{path} has no segment (a file of twenty digits and .log); give the folder of a partition, such as topic-0");
        return path;
    }

    /// <summary><c>bench log dump</c>.</summary>
    private sealed class DumpCommand : Command
    {
        private readonly Argument<string> folder = Folder();
        private readonly Option<bool> records = new("--records") { Description = "The records too" };
        private readonly Option<bool> json = new("--json") { Description = "One JSON object per batch and line" };

        internal DumpCommand() : base("dump", "The batches, one per line")
        {
            Add(folder);
            Add(records);
            Add(json);
            SetAction(Dump);
        }

        private int Dump(ParseResult parsed)
        {
            var path = Check(parsed.GetValue(folder)!);
            IReadOnlyList<CorruptLogException> damages;
            using (var output = new BufferedStream(Console.OpenStandardOutput(), 64 << 10))
                damages = LogDump.Write(path, output, new LogDumpOptions
                {
                    Records = parsed.GetValue(records),
                    Format = parsed.GetValue(json) ? DumpFormat.Json : DumpFormat.Text,
                });
            foreach (var damage in damages)
                Console.Error.WriteLine($"bench: {damage.Message}");
            return damages.Count == 0 ? ExitCode.Done : ExitCode.Failed;
        }
    }

    /// <summary><c>bench log verify</c>.</summary>
    private sealed class VerifyCommand : Command
    {
        private readonly Argument<string> folder = new("DIR") { Description = "A partition's folder, such as topic-0, or a log directory with many of them" };

        internal VerifyCommand() : base("verify", "Looks at everything: one line per fault, and exit status 1 if there is any")
        {
            Add(folder);
            SetAction(Verify);
        }

        private int Verify(ParseResult parsed)
        {
            var given = parsed.GetValue(folder)!;
            var partitions = given.Length == 0 ? [] : LogDirectoryVerifier.Partitions(DiskStorage.Instance, Path.GetFullPath(given));
            var found = partitions.Count > 0
                ? LogDirectoryVerifier.Verify(Path.TrimEndingDirectorySeparator(Path.GetFullPath(given)), new LogVerifierOptions())
                : LogVerifier.Verify(Check(given), new LogVerifierOptions());
            foreach (var note in found.Notes)
                Console.Error.WriteLine($"note: {note}");
            foreach (var fault in found.Faults)
                Console.Out.WriteLine(fault.ToString());
            if (found.FaultCount > found.Faults.Count)
                Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"and {found.FaultCount - found.Faults.Count} faults more"));
            var seen = string.Create(CultureInfo.InvariantCulture,
                $"{found.Records} records in {found.Batches} batches in {found.Segments} segments{(partitions.Count > 0 ? $" of {partitions.Count} partitions" : "")}, {found.Bytes} bytes");
            if (found.FaultCount == 0)
                Console.Out.WriteLine($"no faults: {seen}");
            else
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"faults: {found.FaultCount}, in {seen}"));
            return found.FaultCount == 0 ? ExitCode.Done : ExitCode.Failed;
        }
    }

    /// <summary><c>bench log recover</c>.</summary>
    private sealed class RecoverCommand : Command
    {
        private static readonly LogConfig Defaults = new();

        private readonly Argument<string> folder = Folder();
        private readonly Option<string> copy = new("--to") { Description = "The copy that is recovered; it must not exist", HelpName = "COPY", Required = true };
        private readonly Option<bool> clean = new("--clean") { Description = "As after a clean stop (default: as after an unclean one, with every batch checked)" };
        private readonly Option<int> segmentBytes = Bytes("--segment-bytes", "segment.bytes", Defaults.SegmentBytes);
        private readonly Option<int> indexIntervalBytes = Bytes("--index-interval-bytes", "index.interval.bytes", Defaults.IndexIntervalBytes);
        private readonly Option<int> segmentIndexBytes = Bytes("--segment-index-bytes", "segment.index.bytes", Defaults.SegmentIndexBytes);
        private readonly Option<long?> now = new("--now") { Description = "The clock, in milliseconds since 1970, by which producers have expired (default: now)", HelpName = "MS" };

        internal RecoverCommand() : base("recover", "Recovers a copy, and prints what was done as one JSON object")
        {
            Add(folder);
            Add(copy);
            Add(clean);
            Add(segmentBytes);
            Add(indexIntervalBytes);
            Add(segmentIndexBytes);
            Add(now);
            SetAction(Recover);
        }

        private int Recover(ParseResult parsed)
        {
            var path = Check(parsed.GetValue(folder)!);
            var given = parsed.GetValue(copy)!;
            if (string.IsNullOrWhiteSpace(given))
                throw new PlanException("--to is empty; give a folder that does not exist yet");
            var to = Path.TrimEndingDirectorySeparator(Path.GetFullPath(given));
            if (Path.Exists(to))
                throw new PlanException($"{to} exists; --to takes a folder that does not exist yet");
            if (IsWithin(to, path))
                throw new PlanException($"{to} is in {path}, which is never written to; give another place");
            var config = new LogConfig
            {
                SegmentBytes = AtLeast(1024, segmentBytes),
                IndexIntervalBytes = AtLeast(0, indexIntervalBytes),
                SegmentIndexBytes = AtLeast(24, segmentIndexBytes),
                FlushPolicy = FlushPolicy.None,
            };
            var clock = parsed.GetValue(now) is { } nowMs ? new FixedClock(DateTimeOffset.FromUnixTimeMilliseconds(AtMost(nowMs))) : TimeProvider.System;
            using var output = Console.OpenStandardOutput();
            using var stop = new CancellationTokenSource();
            PosixSignalRegistration[] signals = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }.Select(signal => PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                stop.Cancel();
            }))];
            try
            {
                RecoveryCopy.Recover(path, to, config, parsed.GetValue(clean) ? LastStop.Clean : LastStop.Unclean, clock, output, stop.Token);
                return ExitCode.Done;
            }
            catch (OperationCanceledException)
            {
                Console.Error.WriteLine($"bench: stopped; {to} was removed");
                return ExitCode.Interrupted;
            }
            finally
            {
                foreach (var signal in signals)
                    signal.Dispose();
            }

            int AtLeast(int least, Option<int> option) => parsed.GetValue(option) is var value && value >= least ? value
                : throw new PlanException(string.Create(CultureInfo.InvariantCulture, $"{option.Name} is {value}, and at least {least} are needed"));

            static long AtMost(long ms) => ms is >= 0 and <= 253402300799999 ? ms : throw new PlanException("--now is no time in milliseconds since 1970");
        }

        /// <summary>Also through links: what counts is where the copy would come to lie.</summary>
        private static bool IsWithin(string path, string folder)
        {
            var real = Resolve(folder);
            for (var at = Path.GetDirectoryName(path); at is not null; at = Path.GetDirectoryName(at))
                if (Directory.Exists(at) && (Resolve(at) + "/").StartsWith(real + "/", StringComparison.Ordinal))
                    return true;
            return false;
        }

        /// <summary>A path without links.</summary>
        private static string Resolve(string path)
        {
            var parent = Path.GetDirectoryName(path);
            if (parent is null)
                return path;
            var here = Path.Combine(Resolve(parent), Path.GetFileName(path));
            return new DirectoryInfo(here).ResolveLinkTarget(returnFinalTarget: true) is { } target ? Resolve(target.FullName) : here;
        }

        private static Option<int> Bytes(string name, string kafkas, int value) => new(name)
        {
            Description = string.Create(CultureInfo.InvariantCulture, $"The log's {kafkas} (default {value})"),
            HelpName = "N",
            DefaultValueFactory = _ => value,
        };
    }

    /// <summary>A clock that stands still.</summary>
    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
