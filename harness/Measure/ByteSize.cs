using System.Globalization;

namespace Bench.Measure;

/// <summary>
/// A size in bytes, spelled as in parameters: 4B, 4KiB, 64KiB, 1MiB, 1GiB; always powers of 1024, always exact.
/// </summary>
/// <param name="Bytes">The size.</param>
public readonly record struct ByteSize(long Bytes) : IComparable<ByteSize>
{
    private static readonly (string Suffix, long Bytes)[] Units =
        [("TiB", 1L << 40), ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10), ("B", 1)];

    /// <summary>So many KiB.</summary>
    public static ByteSize KiB(long count) => new(count << 10);

    /// <summary>So many MiB.</summary>
    public static ByteSize MiB(long count) => new(count << 20);

    /// <summary>So many GiB.</summary>
    public static ByteSize GiB(long count) => new(count << 30);

    /// <summary>
    /// Reads a size. "4k" and "1M", as fio spells them, are read too: 1024-based, as fio's are.
    /// </summary>
    /// <returns>False if it is not a positive size.</returns>
    public static bool TryParse(string? text, out ByteSize size)
    {
        size = default;
        text = (text ?? "").Trim();
        var digits = text.TakeWhile(char.IsAsciiDigit).Count();
        if (digits == 0 || !long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            return false;
        var suffix = text[digits..].Trim();
        var unit = suffix.ToUpperInvariant() switch
        {
            "" or "B" => 1L,
            "K" or "KIB" => 1L << 10,
            "M" or "MIB" => 1L << 20,
            "G" or "GIB" => 1L << 30,
            "T" or "TIB" => 1L << 40,
            _ => 0,
        };
        if (unit == 0 || count <= 0 || count > long.MaxValue / unit)
            return false;
        size = new ByteSize(count * unit);
        return true;
    }

    /// <summary>The shortest exact spelling.</summary>
    public override string ToString()
    {
        foreach (var (suffix, bytes) in Units)
            if (Bytes % bytes == 0 && Bytes >= bytes)
                return string.Create(CultureInfo.InvariantCulture, $"{Bytes / bytes}{suffix}");
        return "0B";
    }

    /// <inheritdoc/>
    public int CompareTo(ByteSize other) => Bytes.CompareTo(other.Bytes);

    /// <summary>Smaller.</summary>
    public static bool operator <(ByteSize a, ByteSize b) => a.Bytes < b.Bytes;

    /// <summary>Greater.</summary>
    public static bool operator >(ByteSize a, ByteSize b) => a.Bytes > b.Bytes;

    /// <summary>Smaller or equal.</summary>
    public static bool operator <=(ByteSize a, ByteSize b) => a.Bytes <= b.Bytes;

    /// <summary>Greater or equal.</summary>
    public static bool operator >=(ByteSize a, ByteSize b) => a.Bytes >= b.Bytes;
}
