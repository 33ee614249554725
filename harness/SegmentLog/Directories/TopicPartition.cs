using System.Globalization;

namespace Bench.SegmentLog;

/// <summary>A partition of a topic, and the name of its folder: <c>topic-partition</c>.</summary>
/// <param name="Topic">The topic; it may have dashes.</param>
/// <param name="Partition">The partition's number.</param>
public readonly record struct TopicPartition(string Topic, int Partition)
{
    private const int MostTopicLetters = 249;
    private static readonly string[] Leftovers = ["-delete", "-future", "-stray"];

    /// <summary>Whether Kafka takes the topic's name. Source: Apache Kafka, <c>Topic.validate</c>.</summary>
    public bool IsLegal => Partition >= 0 && Topic is { Length: > 0 and <= MostTopicLetters } and not ("." or "..")
        && Topic.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or '-');

    /// <summary>
    /// The partition that a folder is for; null if it is none in use: a name of another form, or one that is being moved
    /// or deleted, or was found to be nobody's.
    /// </summary>
    public static TopicPartition? OfFolder(string name)
    {
        var dash = name.LastIndexOf('-');
        if (dash <= 0 || Leftovers.Any(end => name.EndsWith(end, StringComparison.Ordinal))
            || !int.TryParse(name.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var partition))
            return null;
        var found = new TopicPartition(name[..dash], partition);
        // "t-01" would be written as "t-1".
        return found.IsLegal && found.ToString() == name ? found : null;
    }

    /// <summary>The folder's name.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Topic}-{Partition}");
}
