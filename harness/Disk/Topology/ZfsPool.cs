using System.Globalization;

namespace Bench.Disk.Topology;

/// <summary>
/// What <c>zpool status</c> says of a pool (zpool-status(8)): its devices and what they are for, its layout, and what
/// state it is in. ZFS shows neither in sysfs, so its own tool is asked, as iostat's users do by hand.
/// </summary>
/// <param name="Layout">The groups that the data is spread over: "raidz1", "2 × mirror", "stripe", "single"; null if none is seen.</param>
/// <param name="State">What is not well, in words: "degraded", "resilver 13 %"; null if nothing is.</param>
/// <param name="Missing">Devices of groups that hold data and cannot be used.</param>
/// <param name="Devices">Each device's path and role: null for data, else "log", "cache", "special", "dedup".</param>
internal sealed record ZfsPool(string? Layout, string? State, int Missing, IReadOnlyList<(string Path, string? Role)> Devices)
{
    private static readonly string[] Usable = ["ONLINE", "DEGRADED"];

    /// <summary>The pool of a dataset; null without the tool, or where it does not answer.</summary>
    /// <param name="root">Where the tool is run.</param>
    /// <param name="dataset">The source of a mount: "tank/data".</param>
    internal static ZfsPool? Of(SystemRoot root, string dataset) =>
        root.Output("zpool", "status", "-P", "-L", dataset.Split('/')[0]) is { } text ? Parse(text) : null;

    /// <summary>What a dataset is set to that changes a measurement, as options of a mount are written; empty if unknown.</summary>
    internal static IEnumerable<string> Settings(SystemRoot root, string dataset) =>
        from line in root.Output("zfs", "get", "-Hp", "-o", "property,value", "recordsize,compression,sync,primarycache,logbias", dataset)?.Split('\n') ?? []
        let parts = line.Split('\t')
        where parts.Length == 2 && parts is not ["compression", "off"]
        select $"{parts[0]}={parts[1]}";

    /// <summary>Reads the text that <c>zpool status -P -L</c> prints of one pool.</summary>
    internal static ZfsPool Parse(string text)
    {
        string[] lines = text.Split('\n');
        var devices = new List<(string, string?)>();
        var groups = new List<string>();
        string? role = null;
        int missing = 0;
        // The table: a tab, two spaces for each level, the name, the state, and counters or words.
        foreach (string line in lines.SkipWhile(line => !line.StartsWith("config:", StringComparison.Ordinal)).Where(line => line.StartsWith('\t')).Skip(1))
        {
            string row = line[1..];
            int level = (row.Length - row.TrimStart(' ').Length) / 2;
            string[] words = row.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0)
                continue;
            if (level == 0)
            {
                // The pool itself, then headings without a state.
                role = words is [var heading] ? heading == "logs" ? "log" : heading : null;
                continue;
            }
            if (role == "spares")
                continue;
            bool isDevice = words[0].StartsWith('/');
            if (level == 1 && role is null)
                groups.Add(isDevice ? "" : words[0].Split('-')[0]);
            if (isDevice)
                devices.Add((words[0], role));
            // What is gone has its number in the place of its name: "1234567  UNAVAIL  0  0  0  was /dev/sdb1".
            bool isLeaf = isDevice || ulong.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out _);
            if (isLeaf && role is null && words.Length > 1 && !Usable.Contains(words[1]))
                missing++;
        }
        return new ZfsPool(LayoutOf(groups), StateOf(lines), missing, devices);
    }

    private static string? LayoutOf(List<string> groups)
    {
        string[] kinds = [.. groups.Distinct()];
        return kinds switch
        {
            [] => null,
            [""] => groups.Count == 1 ? "single" : "stripe",
            [var one] => groups.Count == 1 ? one : string.Create(CultureInfo.InvariantCulture, $"{groups.Count} × {one}"),
            _ => string.Join('+', kinds.Select(kind => kind.Length == 0 ? "single" : kind)),
        };
    }

    private static string? StateOf(string[] lines)
    {
        var words = new List<string>();
        if (ValueOf("state:") is { } state and not "ONLINE")
            words.Add(state.ToLowerInvariant());
        if (ValueOf("scan:") is { } scan && scan.Split(' ') is [var action, "in", "progress", ..])
        {
            string? done = lines.SkipWhile(line => !line.TrimStart().StartsWith("scan:", StringComparison.Ordinal)).TakeWhile(line => !line.StartsWith("config:", StringComparison.Ordinal))
                .SelectMany(line => line.Split(',')).Select(part => part.Trim()).FirstOrDefault(part => part.EndsWith("% done", StringComparison.Ordinal));
            words.Add(done is not null && double.TryParse(done[..done.IndexOf('%', StringComparison.Ordinal)], NumberStyles.Float, CultureInfo.InvariantCulture, out double percent)
                ? string.Create(CultureInfo.InvariantCulture, $"{action} {percent:F0} %") : action);
        }
        return words.Count == 0 ? null : string.Join(", ", words);

        string? ValueOf(string key) => lines.FirstOrDefault(line => line.TrimStart().StartsWith(key, StringComparison.Ordinal)) is { } line ? line.TrimStart()[key.Length..].Trim() : null;
    }
}
