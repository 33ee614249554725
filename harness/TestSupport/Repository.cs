namespace Bench.TestSupport;

/// <summary>The source tree that the running tests were built from.</summary>
public static class Repository
{
    /// <summary>The folder of <c>Bench.sln</c>.</summary>
    /// <exception cref="InvalidOperationException">The tests run outside the tree.</exception>
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Bench.sln")))
                return folder;
        }
        throw new InvalidOperationException($"{AppContext.BaseDirectory} is in no source tree of Bench.");
    }
}
