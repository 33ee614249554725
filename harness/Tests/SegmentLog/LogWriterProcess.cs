using System.Diagnostics;
using System.Globalization;
using Bench.SegmentLog;
using Bench.TestSupport;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>A process with eight producers that append until it is killed, and tell each record that was acknowledged.</summary>
internal static class LogWriterProcess
{
    public const int Producers = 8;

    /// <summary>The process's part. Prints a line <c>offset producer number</c> after each acknowledgement.</summary>
    /// <param name="folder">The log's folder.</param>
    /// <param name="policy">Flush policy.</param>
    /// <param name="preallocation">Preallocation.</param>
    /// <param name="path">Write path.</param>
    /// <param name="start">The number of each producer's next record, with commas between.</param>
    public static void Run(string folder, string policy, string preallocation, string path, string start)
    {
        var log = PartitionLog.Open(folder, new LogConfig
        {
            FlushPolicy = FlushPolicy.Parse(policy, null),
            Preallocation = Enum.Parse<Preallocation>(preallocation),
            WritePath = Enum.Parse<WritePath>(path),
            SegmentBytes = 256 << 10,
            PreallocationChunkBytes = 64 << 10,
        });
        using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
        var numbers = start.Split(',').Select(number => int.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        var threads = Enumerable.Range(0, Producers).Select(producer => new Thread(() =>
        {
            var writer = new TaggedWriter(producer, Environment.ProcessId, numbers[producer]);
            while (true)
            {
                var lines = string.Concat(writer.Append(log).Select(one => FormattableString.Invariant($"{one.Offset} {one.Tag.Producer} {one.Tag.Number}\n")));
                lock (output)
                    output.Write(lines);
            }
        })).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
    }

    /// <summary>Runs it, and kills it (SIGKILL) after a number of acknowledgements.</summary>
    /// <returns>What was acknowledged.</returns>
    public static Dictionary<long, Tag> RunAndKill(string folder, string policy, Preallocation preallocation, WritePath path, IEnumerable<int> start, int lines)
    {
        var host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? Command.Find("dotnet") ?? throw new InvalidOperationException("dotnet is not on the PATH");
        var info = new ProcessStartInfo(host,
            ["exec", typeof(LogWriterProcess).Assembly.Location, "log-writer", folder, policy, preallocation.ToString(), path.ToString(), string.Join(',', start)])
        {
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(info)!;
        var acknowledged = new Dictionary<long, Tag>();
        try
        {
            while (process.StandardOutput.ReadLine() is { } line)
            {
                // The kill may fall into a line: the record is acknowledged only to who has read all of it.
                if (line.Split(' ') is [var offset, var producer, var number] && number.Length > 0 && (acknowledged.Count < lines || process.StandardOutput.Peek() >= 0))
                    acknowledged[long.Parse(offset, CultureInfo.InvariantCulture)] = new Tag(int.Parse(producer, CultureInfo.InvariantCulture), int.Parse(number, CultureInfo.InvariantCulture));
                if (acknowledged.Count == lines)
                    process.Kill();
            }
        }
        finally
        {
            process.Kill();
            process.WaitForExit();
        }
        return acknowledged;
    }
}
