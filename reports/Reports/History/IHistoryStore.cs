namespace Bench.Reports.History;

/// <summary>What adding a run did.</summary>
public enum AddOutcome
{
    /// <summary>The run is in the history now.</summary>
    Added,

    /// <summary>It was there already, the same in every figure; nothing was added.</summary>
    AlreadyThere,
}

/// <summary>A case that a history knows.</summary>
/// <param name="Case">Its name.</param>
/// <param name="Points">How many runs have it.</param>
public sealed record HistoryCase(string Case, int Points);

/// <summary>The points of one case.</summary>
/// <param name="Case">Its name.</param>
/// <param name="Points">In order of time, the oldest first.</param>
public sealed record CaseHistory(string Case, IReadOnlyList<PointOfRun> Points);

/// <summary>
/// Runs, kept for good. Two of them do what this says, and the same tests hold both to it: a folder of JSON lines, and
/// a PostgreSQL database.
/// <para>
/// github-action-benchmark keeps its history in one file that each job pulls, rewrites and pushes, a few times if another
/// was faster, and a job that is run again adds its figures again. Here a run is added whole or not at all, by any
/// number of writers at once, and adding it again changes nothing.
/// </para>
/// </summary>
public interface IHistoryStore : IDisposable
{
    /// <summary>Where it is, for people: without a password.</summary>
    string Name { get; }

    /// <summary>Adds a run: whole, and durable when this returns.</summary>
    /// <exception cref="HistoryException">A run of that name is there with other figures, or the store cannot be used.</exception>
    AddOutcome Add(RunPoints run);

    /// <summary>All cases in the order of their names.</summary>
    /// <exception cref="HistoryException">The store cannot be used.</exception>
    IReadOnlyList<HistoryCase> Cases();

    /// <summary>The last points of cases, one case after the other, in the order given.</summary>
    /// <param name="cases">Their names; one that is unknown has no points.</param>
    /// <param name="last">At most so many points of each.</param>
    /// <exception cref="HistoryException">The store cannot be used.</exception>
    IEnumerable<CaseHistory> Last(IReadOnlyList<string> cases, int last);
}
