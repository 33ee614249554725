namespace Bench.Commands;

/// <summary>What the program's exit status says. Later verbs add to it; no number changes its meaning.</summary>
internal static class ExitCode
{
    /// <summary>All was done.</summary>
    internal const int Done = 0;

    /// <summary>A case failed, or the run could not go on; what was measured before is kept. Of a gate: something is slower.</summary>
    internal const int Failed = 1;

    /// <summary>A verdict was asked for and could not be given: unlike machines, contradicted evidence, too few pairs, records or a database that cannot be used.</summary>
    internal const int CannotJudge = 2;

    /// <summary>Wrong use: an unknown option, parameter, value, target or run (EX_USAGE of sysexits.h).</summary>
    internal const int WrongUse = 64;

    /// <summary>Stopped by Ctrl-C (128 + SIGINT), as shells expect it.</summary>
    internal const int Interrupted = 130;
}
