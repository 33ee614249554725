using System.Runtime.InteropServices;
using Bench.Disk;
using Bench.Gate;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Bench.Measure.Running;

namespace Bench.Commands;

/// <summary>
/// How the verbs of the gate end: Ctrl-C, SIGTERM and a closed terminal stop the launches and remove what was made, a
/// second Ctrl-C ends at once; what cannot be judged is one sentence and exit code 2.
/// </summary>
internal static class GateEnding
{
    private const int OneWishMs = 300;

    /// <summary>Does the work.</summary>
    /// <param name="verb">For messages.</param>
    /// <param name="work">Gets the user's wish to stop; returns the exit code.</param>
    /// <param name="stopped">Said when the user has stopped it.</param>
    /// <param name="failed">Told why there is no verdict, whatever the exit code: it could not be judged, was stopped, or was asked for wrongly.</param>
    internal static int Guard(string verb, Func<StopSignal, int> work, string stopped = "Stopped; everything is removed", Action<string>? failed = null)
    {
        var stop = new StopSignal();
        long firstMs = 0;
        void OnSignal(PosixSignalContext signal)
        {
            signal.Cancel = true;
            var now = Environment.TickCount64;
            var first = Interlocked.CompareExchange(ref firstMs, now, 0);
            if (first != 0 && now - first > OneWishMs)
                ProcessEnd.Now(ExitCode.Interrupted);
            stop.Request();
        }

        var registrations = new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }.Select(signal => PosixSignalRegistration.Create(signal, OnSignal)).ToArray();
        try
        {
            return work(stop);
        }
        catch (OperationCanceledException) when (stop.IsRequested)
        {
            return Stopped();
        }
        catch (PlanException exception)
        {
            failed?.Invoke(exception.Message);
            throw;
        }
        catch (Exception exception) when (exception is GateException or RecordException or IOException or UnauthorizedAccessException)
        {
            // A launch may fail because the same Ctrl-C reached it first.
            if (stop.IsRequested)
                return Stopped();
            Console.Error.WriteLine($"bench: {verb}: {exception.Message}");
            failed?.Invoke(exception.Message);
            return ExitCode.CannotJudge;
        }
        finally
        {
            foreach (var registration in registrations)
                registration.Dispose();
        }

        int Stopped()
        {
            Console.Error.WriteLine(stopped);
            failed?.Invoke("it was stopped before there was one");
            return ExitCode.Interrupted;
        }
    }
}
