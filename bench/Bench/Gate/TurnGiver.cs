using System.Diagnostics;
using System.Net.Sockets;
using Bench.Measure.Passes;
using Bench.Measure.Running;

namespace Bench.Gate;

/// <summary>
/// Gives two runs their turns (<see cref="Turns"/>): in each round both, and the order of a round is the reverse of
/// the one before, so that a machine that drifts, within a pair of launches, does it to both alike.
/// </summary>
internal sealed class TurnGiver : IDisposable
{
    private const int LookAroundMicroseconds = 200_000;

    private readonly Seat[] seats;

    /// <summary>Listens for both.</summary>
    /// <param name="name">Unique on this machine.</param>
    /// <param name="longestTurn">A run that takes longer than this from one pass to the next hangs.</param>
    internal TurnGiver(string name, TimeSpan longestTurn) => seats = [new Seat($"{name}-1", longestTurn), new Seat($"{name}-2", longestTurn)];

    /// <summary>What the first and the second run get as <c>--turns</c>.</summary>
    internal string AddressOf(int side) => seats[side].Address;

    /// <summary>Gives turns until both runs are done.</summary>
    /// <param name="first">Who begins the first round: 0 or 1.</param>
    /// <param name="launches">The runs' processes.</param>
    /// <param name="stop">The user's wish to stop.</param>
    /// <returns>Rounds in which both had a turn.</returns>
    /// <exception cref="GateException">A run hangs.</exception>
    /// <exception cref="OperationCanceledException">The user wants to stop.</exception>
    internal int GiveAll(int first, IReadOnlyList<Launch> launches, StopSignal stop)
    {
        // Both are at their first turn before it is given: neither is still starting up while the other measures.
        for (var side = 0; side < 2; side++)
            seats[side].WaitUntilReady(launches[side], stop);
        var rounds = 0;
        while (seats.Any(seat => seat.IsReady))
        {
            var both = seats.All(seat => seat.IsReady);
            foreach (var side in (int[])[first, 1 - first])
            {
                if (!seats[side].IsReady)
                    continue;
                seats[side].Give();
                seats[side].WaitUntilReady(launches[side], stop);
            }
            rounds += both ? 1 : 0;
            first = 1 - first;
        }
        return rounds;
    }

    public void Dispose()
    {
        foreach (var seat in seats)
            seat.Dispose();
    }

    /// <summary>One run's end of the protocol.</summary>
    private sealed class Seat : IDisposable
    {
        private readonly TimeSpan longestTurn;
        private readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        private Socket? connection;

        internal Seat(string name, TimeSpan longestTurn)
        {
            this.longestTurn = longestTurn;
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
        /// <exception cref="GateException">Neither comes.</exception>
        internal void WaitUntilReady(Launch launch, StopSignal stop)
        {
            var clock = Stopwatch.StartNew();
            connection ??= Accept(launch, clock, stop);
            if (connection is null)
                return;
            Span<byte> letter = stackalloc byte[1];
            try
            {
                while (!connection.Poll(LookAroundMicroseconds, SelectMode.SelectRead))
                    LookAround(launch, clock, stop);
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

        private Socket? Accept(Launch launch, Stopwatch clock, StopSignal stop)
        {
            while (!listener.Poll(LookAroundMicroseconds, SelectMode.SelectRead))
            {
                LookAround(launch, clock, stop);
                if (launch.HasEnded)
                    return null;
            }
            return listener.Accept();
        }

        private void LookAround(Launch launch, Stopwatch clock, StopSignal stop)
        {
            stop.ThrowIfRequested();
            if (clock.Elapsed > longestTurn)
                throw launch.Hangs(longestTurn);
        }
    }
}
