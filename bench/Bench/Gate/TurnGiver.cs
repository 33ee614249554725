using System.Diagnostics;
using System.Net.Sockets;
using Bench.Measure.Passes;
using Bench.Measure.Running;

namespace Bench.Gate;

/// <summary>
/// Gives runs their turns (<see cref="Turns"/>): in each round all of them, and the order of a round is the reverse of
/// the one before, so that a machine that drifts does it to all alike.
/// </summary>
internal sealed class TurnGiver : IDisposable
{
    private const int LookAroundMicroseconds = 200_000;

    private readonly Seat[] seats;
    private readonly TimeSpan? longestTurn;

    /// <summary>Listens for all.</summary>
    /// <param name="name">Unique on this machine.</param>
    /// <param name="runs">How many there are.</param>
    /// <param name="longestTurn">A run that takes longer than this from one pass to the next hangs; null if it may take as long as it likes.</param>
    internal TurnGiver(string name, int runs, TimeSpan? longestTurn)
    {
        this.longestTurn = longestTurn;
        seats = [.. Enumerable.Range(1, runs).Select(number => new Seat($"{name}-{number}"))];
    }

    /// <summary>What a run gets as <c>--turns</c>.</summary>
    internal string AddressOf(int run) => seats[run].Address;

    /// <summary>Gives turns until all runs are done.</summary>
    /// <param name="lastFirst">Whether the first round goes from the last run to the first.</param>
    /// <param name="hasEnded">Whether a run's process has ended.</param>
    /// <param name="between">Done before each turn, while no run measures.</param>
    /// <param name="stop">The user's wish to stop.</param>
    /// <returns>Rounds in which all had a turn.</returns>
    /// <exception cref="HangException">A run hangs.</exception>
    /// <exception cref="OperationCanceledException">The user wants to stop.</exception>
    internal int GiveAll(bool lastFirst, Func<int, bool> hasEnded, Action between, StopSignal stop)
    {
        // All are at their first turn before one is given: none is still starting up while another measures.
        for (var run = 0; run < seats.Length; run++)
            WaitUntilReady(run, hasEnded, stop);
        int[] order = [.. Enumerable.Range(0, seats.Length)];
        if (lastFirst)
            Array.Reverse(order);
        var rounds = 0;
        while (seats.Any(seat => seat.IsReady))
        {
            var all = seats.All(seat => seat.IsReady);
            foreach (var run in order.Where(run => seats[run].IsReady))
            {
                between();
                seats[run].Give();
                WaitUntilReady(run, hasEnded, stop);
            }
            rounds += all ? 1 : 0;
            Array.Reverse(order);
        }
        return rounds;
    }

    private void WaitUntilReady(int run, Func<int, bool> hasEnded, StopSignal stop)
    {
        var clock = Stopwatch.StartNew();
        seats[run].WaitUntilReady(() => hasEnded(run), () =>
        {
            stop.ThrowIfRequested();
            if (clock.Elapsed > longestTurn)
                throw new HangException(run);
        });
    }

    public void Dispose()
    {
        foreach (var seat in seats)
            seat.Dispose();
    }

    /// <summary>One run's end of the protocol.</summary>
    private sealed class Seat : IDisposable
    {
        private readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        private Socket? connection;

        internal Seat(string name)
        {
            Address = Turns.AbstractPrefix + name;
            // Without a file: nothing that somebody would have to remove.
            listener.Bind(Turns.EndPoint(Address));
            listener.Listen(1);
        }

        internal string Address { get; }

        internal bool IsReady { get; private set; }

        internal void Give()
        {
            IsReady = false;
            try
            {
                connection!.Send([Turns.Go]);
            }
            catch (SocketException)
            {
                // It is gone; waiting for it will tell.
            }
        }

        /// <summary>Waits for its next <see cref="Turns.Ready"/>, or for its end.</summary>
        /// <param name="hasEnded">Whether its process has ended.</param>
        /// <param name="lookAround">Called while waiting; throws to end it.</param>
        internal void WaitUntilReady(Func<bool> hasEnded, Action lookAround)
        {
            connection ??= Accept(hasEnded, lookAround);
            if (connection is null)
                return;
            Span<byte> letter = stackalloc byte[1];
            try
            {
                while (!connection.Poll(LookAroundMicroseconds, SelectMode.SelectRead))
                    lookAround();
                IsReady = connection.Receive(letter) == 1 && letter[0] == Turns.Ready;
            }
            catch (SocketException)
            {
                IsReady = false;
            }
        }

        public void Dispose()
        {
            connection?.Dispose();
            listener.Dispose();
        }

        private Socket? Accept(Func<bool> hasEnded, Action lookAround)
        {
            while (!listener.Poll(LookAroundMicroseconds, SelectMode.SelectRead))
            {
                lookAround();
                if (hasEnded())
                    return null;
            }
            return listener.Accept();
        }
    }
}

/// <summary>A run did not come to its next pass in time.</summary>
/// <param name="run">Which one, from 0.</param>
internal sealed class HangException(int run) : Exception
{
    internal int Run { get; } = run;
}
