namespace Bench.Reports.Families;

/// <summary>One colour per name for a whole section, in order of first use: the same thing looks the same everywhere.</summary>
internal sealed class SeriesColors(params IEnumerable<string> known)
{
    private readonly List<string> names = [.. known];

    public int this[string name]
    {
        get
        {
            if (!names.Contains(name))
                names.Add(name);
            return names.IndexOf(name);
        }
    }
}
