namespace Bench.Reports.History;

/// <summary>Opens the store that a name stands for.</summary>
public static class HistoryStore
{
    /// <summary>The default, below the working folder.</summary>
    public const string DefaultName = "reports/history";

    /// <summary>Opens a folder, or the database of a <c>postgres://</c> or <c>postgresql://</c> address.</summary>
    /// <exception cref="FormatException">The address is none; the message does not repeat it, for it may hold a password.</exception>
    /// <exception cref="HistoryException">The database cannot be used.</exception>
    public static IHistoryStore Open(string name)
    {
        if (PostgresAddress.Is(name))
            return PostgresHistory.Open(name);
        if (string.IsNullOrWhiteSpace(name))
            throw new FormatException("the store is empty; give a folder or postgres://HOST/DATABASE");
        return name.Contains("://", StringComparison.Ordinal)
            ? throw new FormatException($"'{name[..name.IndexOf("://", StringComparison.Ordinal)]}' is no kind of store; give a folder or postgres://HOST/DATABASE")
            : new JsonLinesHistory(name);
    }
}
