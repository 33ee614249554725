using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Bench.Disk;
using Bench.Measure.Passes;
using Bench.Measure.Running;

namespace Bench.Gate;

/// <summary>A bench in a process of its own: what it says, how it ends, and that it ends.</summary>
internal sealed class BenchProcess : IDisposable
{
    private const int MostWords = 1 << 16;

    /// <summary>Lines that nobody takes: a bench says one for a case and a few for a pass.</summary>
    private const int MostLines = 100_000;

    private static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(2);

    private readonly Process process;
    private readonly TimeSpan farewell;
    private readonly StringBuilder said = new();
    private readonly ConcurrentQueue<string> output = new();
    private readonly CountdownEvent openStreams = new(2);

    private long words;
    private bool asked;

    private BenchProcess(Process process, TimeSpan farewell)
    {
        this.process = process;
        this.farewell = farewell;
        process.ErrorDataReceived += (_, line) => Received(line.Data, Keep);
        process.OutputDataReceived += (_, line) => Received(line.Data, said => { if (output.Count < MostLines) output.Enqueue(said); });
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
    }

    /// <summary>Starts it, with nothing to read.</summary>
    /// <param name="command">Program and first arguments.</param>
    /// <param name="arguments">Further arguments.</param>
    /// <param name="farewell">How long it may take to stop when it is asked to; null for two seconds.</param>
    /// <exception cref="System.ComponentModel.Win32Exception">It cannot be started.</exception>
    internal static BenchProcess Start(IReadOnlyList<string> command, IEnumerable<string> arguments, TimeSpan? farewell = null)
    {
        var process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1).Concat(arguments)) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.StandardInput.Close();
        return new BenchProcess(process, farewell ?? LongestFarewell);
    }

    /// <summary>The arguments of <c>bench run</c> for some cases; where and into what is the caller's.</summary>
    /// <param name="cases">The cases' names.</param>
    /// <param name="settings">How long and how often.</param>
    internal static string[] RunArguments(IEnumerable<string> cases, RunSettings settings)
    {
        string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
        string[] If(bool given, string option, string value) => given ? [option, value] : [];
        return
        [
            "run", "--profile", settings.Profile.ToString().ToLowerInvariant(),
            .. cases.SelectMany(name => (string[])["--case", name]),
            "--passes", settings.Passes.ToString(CultureInfo.InvariantCulture),
            "--pass-seconds", Text(settings.PassSeconds),
            "--seed", settings.Seed.ToString(CultureInfo.InvariantCulture),
            .. If(settings.StartShare > 0, "--start", Text(settings.StartShare)),
            .. If(settings.RatePerSecond > 0, "--rate", Text(settings.RatePerSecond)),
            .. If(settings.LatencyTargetNs > 0, "--latency-target", string.Create(CultureInfo.InvariantCulture, $"{settings.LatencyTargetNs / 1e3:0.###}us")),
            .. If(settings.InjectedSlowdown > 0, "--inject-slowdown", Text(settings.InjectedSlowdown)),
        ];
    }

    internal bool HasEnded => process.HasExited;

    /// <summary>Whether it says more than any bench does: that is no sign of life.</summary>
    internal bool Rambles => Interlocked.Read(ref words) > MostLines;

    /// <summary>The next line of its standard output, if there is one already.</summary>
    internal bool TryRead(out string line) => output.TryDequeue(out line!);

    /// <summary>Waits for its end and for all that it said, however long it takes.</summary>
    /// <param name="stop">The user's wish to stop.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="OperationCanceledException">The user wants to stop.</exception>
    internal int WaitForEnd(StopSignal stop) => WaitForEnd(TimeSpan.MaxValue, () => 0, stop)!.Value;

    /// <summary>Waits for its end and for all that it said.</summary>
    /// <param name="longestSilence">Without a sign of life for so long it is given up: no word, no bytes that it moved, and nothing of <paramref name="signs"/>.</param>
    /// <param name="signs">A number that changes while it gets on.</param>
    /// <param name="stop">The user's wish to stop.</param>
    /// <returns>The exit code; null if it shows no sign of life, or <see cref="Rambles"/>.</returns>
    /// <exception cref="OperationCanceledException">The user wants to stop.</exception>
    internal int? WaitForEnd(TimeSpan longestSilence, Func<long> signs, StopSignal stop)
    {
        var silence = Stopwatch.StartNew();
        var (last, looked) = (-1L, TimeSpan.FromSeconds(-1));
        while (!process.WaitForExit(TimeSpan.FromMilliseconds(100)))
        {
            stop.ThrowIfRequested();
            // Who waits however long it takes reads every line, and knows what they are.
            if (Rambles && longestSilence < TimeSpan.MaxValue)
                return null;
            // Looking costs something, and a second is early enough.
            if (silence.Elapsed - looked < TimeSpan.FromSeconds(0.5))
                continue;
            looked = silence.Elapsed;
            var now = words + BytesMoved() + signs();
            if (now != last)
            {
                (last, looked) = (now, TimeSpan.Zero);
                silence.Restart();
            }
            else if (silence.Elapsed > longestSilence)
                return null;
        }
        // Whoever it has left behind may hold its streams open for ever.
        openStreams.Wait(LongestFarewell);
        return process.ExitCode;
    }

    /// <summary>What /proc counts for it: all that it read and wrote, wherever.</summary>
    private long BytesMoved()
    {
        try
        {
            return File.ReadLines($"/proc/{process.Id}/io").Take(2).Sum(line => long.Parse(line.AsSpan(line.IndexOf(' ') + 1), CultureInfo.InvariantCulture));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            return 0;
        }
    }

    private void Received(string? line, Action<string> keep)
    {
        Interlocked.Increment(ref words);
        if (line is null)
            openStreams.Signal();
        else
            keep(line);
    }

    /// <summary>Its error message, or what else it said last.</summary>
    internal string LastWords
    {
        get
        {
            var lines = Said;
            return lines.LastOrDefault(line => line.StartsWith("bench:", StringComparison.Ordinal))?["bench:".Length..].Trim()
                ?? lines.LastOrDefault(line => line.StartsWith("Failed", StringComparison.Ordinal) || line.Contains("xception", StringComparison.Ordinal))?.Trim()
                ?? lines.LastOrDefault() ?? "it said nothing";
        }
    }

    /// <summary>What it said on standard error so far, by lines.</summary>
    internal string[] Said
    {
        get
        {
            lock (said)
                return said.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
    }

    /// <summary>An exit code in words.</summary>
    internal static string HowItEnded(int code) => code switch
    {
        64 => "refused its cases",
        130 => "was stopped",
        > 128 and < 160 => string.Create(CultureInfo.InvariantCulture, $"crashed (signal {code - 128})"),
        _ => string.Create(CultureInfo.InvariantCulture, $"ended with exit code {code}"),
    };

    /// <summary>Asks it to stop; once, because a second time means at once.</summary>
    internal void AskToStop()
    {
        if (!asked && !process.HasExited)
            ProcessEnd.Ask(process.Id);
        asked = true;
    }

    /// <summary>Asks it to stop, and kills it if it does not in time.</summary>
    public void Dispose()
    {
        if (!process.HasExited)
        {
            AskToStop();
            if (!process.WaitForExit(farewell))
                process.Kill(entireProcessTree: true);
            process.WaitForExit(LongestFarewell);
        }
        process.Dispose();
    }

    private void Keep(string line)
    {
        lock (said)
        {
            if (said.Length < MostWords)
                said.Append(line).Append('\n');
        }
    }
}
