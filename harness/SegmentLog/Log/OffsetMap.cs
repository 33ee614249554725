using System.Buffers.Binary;
using Bench.Disk;

namespace Bench.SegmentLog;

/// <summary>
/// The latest offset of each key, in a table of fixed size: 16 bytes of a hash that nobody can collide on purpose stand
/// for the key, so that memory does not depend on the keys' lengths. Open addressing; nothing is removed.
/// Source: Apache Kafka, <c>SkimpyOffsetMap</c> (there MD5; here SHA-256 cut to the same length).
/// </summary>
internal sealed class OffsetMap
{
    /// <summary>Bytes of a slot.</summary>
    internal const int EntryBytes = 24;

    private const double LoadFactor = 0.9;
    private readonly Entry[] slots;
    private readonly int mostEntries;
    private int count;

    /// <summary>A table within a bound, and no larger than keys can fill.</summary>
    internal OffsetMap(long mostBytes, long mostKeys)
    {
        slots = new Entry[(int)Math.Clamp(Math.Min(mostBytes / EntryBytes, mostKeys + mostKeys / 4), 4, Array.MaxLength)];
        mostEntries = (int)(slots.Length * LoadFactor);
    }

    /// <summary>The offset up to which the log is in the map; −1 none.</summary>
    internal long LatestOffset { get; set; } = -1;

    /// <summary>Keys in it.</summary>
    internal int Count => count;

    /// <summary>Notes a key's offset, which is later than all before.</summary>
    /// <returns>False if the key is new and the table is full.</returns>
    internal bool TryPut(ReadOnlySpan<byte> key, long offset)
    {
        ref var slot = ref Find(key, out var hash);
        if (slot.OffsetAndOne == 0)
        {
            if (count == mostEntries)
                return false;
            count++;
        }
        slot = hash with { OffsetAndOne = offset + 1 };
        return true;
    }

    /// <summary>The latest offset of a key; −1 if it is not there.</summary>
    internal long this[ReadOnlySpan<byte> key] => Find(key, out _).OffsetAndOne - 1;

    private ref Entry Find(ReadOnlySpan<byte> key, out Entry hash)
    {
        Span<byte> digest = stackalloc byte[Sha256.HashBytes];
        Sha256.Of(key, digest);
        hash = new Entry(BinaryPrimitives.ReadUInt64BigEndian(digest), BinaryPrimitives.ReadUInt64BigEndian(digest[8..]), 0);
        for (var at = (int)(hash.High % (uint)slots.Length); ; at = at + 1 == slots.Length ? 0 : at + 1)
        {
            ref var slot = ref slots[at];
            // There are always empty ones: the load stays below one.
            if (slot.OffsetAndOne == 0 || (slot.High == hash.High && slot.Low == hash.Low))
                return ref slot;
        }
    }

    private readonly record struct Entry(ulong High, ulong Low, long OffsetAndOne);
}
