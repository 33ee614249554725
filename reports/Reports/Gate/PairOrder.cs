namespace Bench.Reports.Gate;

/// <summary>
/// Which side of a pair has the first turn, and which has the first of two data folders: drawn so that of every four
/// pairs each of the four combinations comes once, in a seeded random order.
/// <para>
/// ABBA, the usual balanced order, puts the two B side by side: a disturbance that lasts two launches then meets both or
/// none, two pairs in a row say the same, and a test that takes them for independent is too sure. A strict alternation
/// is as regular as many disturbances are. Within a pair the passes do alternate as ABBA, because there the launch's
/// median is one value and its parts need not be independent.
/// </para>
/// </summary>
/// <param name="seed">Of the order.</param>
public sealed class PairOrder(long seed)
{
    private readonly Random random = new(unchecked((int)(seed ^ (seed >> 32))));
    private readonly Queue<(bool BaseFirst, bool Swapped)> block = new();

    /// <summary>The next pair's.</summary>
    public (bool BaseFirst, bool Swapped) Next()
    {
        if (block.Count == 0)
        {
            (bool, bool)[] all = [(true, true), (true, false), (false, true), (false, false)];
            random.Shuffle(all);
            foreach (var one in all)
                block.Enqueue(one);
        }
        return block.Dequeue();
    }
}
