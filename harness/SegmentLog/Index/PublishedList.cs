namespace Bench.SegmentLog.Index;

/// <summary>
/// A list that one thread appends to while others read it without locks: an entry is written before the count that
/// admits it, and a larger array holds all entries before it is shown.
/// </summary>
internal sealed class PublishedList<T> where T : struct
{
    private T[] items;
    private int count;

    internal PublishedList(int capacity = 0) => items = capacity == 0 ? [] : new T[capacity];

    internal PublishedList(T[] full)
    {
        items = full;
        count = full.Length;
    }

    internal int Count => Volatile.Read(ref count);

    /// <summary>The entries so far.</summary>
    internal ReadOnlySpan<T> Items
    {
        get
        {
            // The count first: the array read after it has at least that many.
            var admitted = Volatile.Read(ref count);
            return Volatile.Read(ref items).AsSpan(0, admitted);
        }
    }

    internal void Add(T item)
    {
        var at = count;
        if (at == items.Length)
        {
            var larger = new T[Math.Max(16, at * 2)];
            items.AsSpan(0, at).CopyTo(larger);
            Volatile.Write(ref items, larger);
        }
        items[at] = item;
        Volatile.Write(ref count, at + 1);
    }

    /// <summary>Takes entries off the end; only while nobody reads.</summary>
    internal void Truncate(int newCount) => Volatile.Write(ref count, Math.Min(count, newCount));
}
