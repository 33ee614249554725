using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Bench.SegmentLog.Format;

/// <summary>
/// Walks the records of a batch and checks that every length fits and every offset follows the last, as
/// <see cref="RecordReader"/> would, without making views: a leader that checks each record does this for every byte that
/// it takes. Whatever is not plainly right is left to the reader, which names what is wrong.
/// </summary>
internal static class RecordCheck
{
    /// <summary>Checks records whose offset deltas are 0, 1, 2, …</summary>
    /// <exception cref="CorruptLogException">They are not.</exception>
    internal static void Check(ReadOnlySpan<byte> records, int count)
    {
        if (count >= 0 && count <= records.Length / 7 && IsPlain(records, count))
            return;
        var reader = new RecordReader(records, count);
        for (var i = 0; reader.Next(); i++)
            if (reader.Current.OffsetDelta != i)
                throw new CorruptLogException($"record {i} of a batch says it is number {reader.Current.OffsetDelta}");
    }

    /// <summary>True if all is right; false if it is not, or if it is nothing that this knows (headers).</summary>
    private static bool IsPlain(ReadOnlySpan<byte> records, int count)
    {
        ref var bytes = ref MemoryMarshal.GetReference(records);
        nint at = 0;
        nint total = records.Length;
        for (var number = 0; number < count; number++)
            if (!TrySkipUsual(ref bytes, ref at, total, number) && !TrySkipRecord(ref bytes, ref at, total, number))
                return false;
        return at == total;
    }

    /// <summary>
    /// A record whose lengths have a byte or two, as nearly all have: few tests, and where the next one begins is known as
    /// soon as the first length is, so that the processor is at several records at once.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TrySkipUsual(ref byte bytes, ref nint at, nint total, int number)
    {
        // With this many bytes left, all fields up to the key's end are within the record.
        const int least = 12;
        var next = at;
        if (total - next <= least || !TryReadUsual(ref bytes, ref next, out var size) || (size & 1) != 0)
            return false;
        nint length = (nint)(size >> 1);
        if (length < least || length > total - next)
            return false;
        var end = next + length;
        next++;
        if (!TryReadUsual(ref bytes, ref next, out _)
            || !TryReadUsual(ref bytes, ref next, out var offset) || offset != (uint)number << 1
            || !TryReadUsual(ref bytes, ref next, out var key))
            return false;
        // Below zero there is none.
        nint keyLength = (nint)((key >> 1) & ((key & 1) - 1));
        if (keyLength > end - next - 2)
            return false;
        next += keyLength;
        if (!TryReadUsual(ref bytes, ref next, out var value)
            || (nint)((value >> 1) & ((value & 1) - 1)) != end - next - 1 || Unsafe.Add(ref bytes, end - 1) != 0)
            return false;
        at = end;
        return true;
    }

    /// <summary>The bits of a number of one byte or two; both bytes must be there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryReadUsual(ref byte bytes, ref nint at, out uint bits)
    {
        bits = Unsafe.Add(ref bytes, at++);
        if (bits < 0x80)
            return true;
        uint second = Unsafe.Add(ref bytes, at++);
        bits = (bits & 0x7F) | (second << 7);
        return second < 0x80;
    }

    /// <summary>Every read is held against the end of its record, which is held against the end of all.</summary>
    private static bool TrySkipRecord(ref byte bytes, ref nint at, nint total, int number)
    {
        if (!TryRead(ref bytes, ref at, total, out var length) || length <= 0 || length > total - at)
            return false;
        var end = at + length;
        at++;
        return TrySkip64(ref bytes, ref at, end)
            && TryRead(ref bytes, ref at, end, out var offset) && offset == number
            && TrySkipBytes(ref bytes, ref at, end)
            && TrySkipBytes(ref bytes, ref at, end)
            && TryRead(ref bytes, ref at, end, out var headers) && headers == 0 && at == end;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TrySkipBytes(ref byte bytes, ref nint at, nint end)
    {
        if (!TryRead(ref bytes, ref at, end, out var length) || length > end - at)
            return false;
        at += Math.Max(length, 0);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryRead(ref byte bytes, ref nint at, nint end, out int value)
    {
        // One byte or two: all but very large lengths.
        value = 0;
        if (at + 1 >= end)
            return at < end && TryReadLast(ref bytes, ref at, out value);
        uint first = Unsafe.Add(ref bytes, at);
        if (first < 0x80)
        {
            at++;
            value = (int)(first >> 1) ^ -(int)(first & 1);
            return true;
        }
        uint second = Unsafe.Add(ref bytes, at + 1);
        if (second < 0x80)
        {
            var whole = (first & 0x7F) | (second << 7);
            at += 2;
            value = (int)(whole >> 1) ^ -(int)(whole & 1);
            return true;
        }
        return TryReadLong(ref bytes, ref at, end, out value);
    }

    private static bool TryReadLast(ref byte bytes, ref nint at, out int value)
    {
        uint only = Unsafe.Add(ref bytes, at);
        value = (int)(only >> 1) ^ -(int)(only & 1);
        at++;
        return only < 0x80;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool TryReadLong(ref byte bytes, ref nint at, nint end, out int value)
    {
        uint whole = 0;
        value = 0;
        for (var shift = 0; shift <= 28 && at < end; shift += 7)
        {
            uint next = Unsafe.Add(ref bytes, at++);
            whole |= (next & 0x7F) << shift;
            if (next < 0x80)
            {
                value = (int)(whole >> 1) ^ -(int)(whole & 1);
                return true;
            }
        }
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TrySkip64(ref byte bytes, ref nint at, nint end)
    {
        for (var last = at + Varint.MaxBytes64; at < end && at < last;)
            if (Unsafe.Add(ref bytes, at++) < 0x80)
                return true;
        return false;
    }
}
