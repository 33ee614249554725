using System.Globalization;

namespace Bench.Reports;

/// <summary>What a figure is, and with that how it is written.</summary>
public enum Quantity
{
    /// <summary>A bare number.</summary>
    Number,

    /// <summary>Bytes per second, written decimal as fio does: 1 MB/s is 10⁶ bytes per second.</summary>
    BytesPerSecond,

    /// <summary>Operations per second.</summary>
    OperationsPerSecond,

    /// <summary>4-byte values per second, the unit of Jacobs' figure.</summary>
    ValuesPerSecond,

    /// <summary>Time in nanoseconds.</summary>
    Nanoseconds,

    /// <summary>CPU seconds per 10⁹ bytes.</summary>
    CpuSecondsPerGB,

    /// <summary>A size, written binary: 1 MiB is 2²⁰ bytes.</summary>
    Bytes,

    /// <summary>Time in milliseconds.</summary>
    Milliseconds,

    /// <summary>Time in seconds.</summary>
    Seconds,

    /// <summary>A share of a whole, written in percent.</summary>
    Share,

    /// <summary>A percentile, given as 1 / (1 − p): 10 is the 90th, 1000 the 99.9th.</summary>
    Nines,

    /// <summary>A ratio of two costs near one, with a digit more than other ratios: 1.048×.</summary>
    CostRatio,
}

/// <summary>
/// Figures as text, the only place where the reports do it: invariant culture, three significant digits, units that
/// people read. Every method is a pure function of its argument.
/// </summary>
public static class Format
{
    /// <summary>Stands where there is no figure.</summary>
    public const string Missing = "–";

    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    /// <summary>The figure with its unit: "861 MB/s", "57.3 µs", "13.3k IOPS".</summary>
    public static string Value(Quantity quantity, double? value) =>
        value is not { } figure || !double.IsFinite(figure) ? Missing : quantity switch
        {
            Quantity.BytesPerSecond => BytesPerSecond(figure),
            Quantity.OperationsPerSecond => Scaled(figure) + " IOPS",
            Quantity.ValuesPerSecond => Scaled(figure) + " values/s",
            Quantity.Nanoseconds => Nanoseconds(figure),
            Quantity.CpuSecondsPerGB => Significant(figure) + " s/GB",
            Quantity.Bytes => Bytes(Math.Round(figure)),
            Quantity.Milliseconds => figure == 0 ? "0 ms" : Nanoseconds(figure * 1e6),
            Quantity.Seconds => figure == 0 ? "0 s" : Seconds(figure),
            Quantity.Share => Share(figure),
            Quantity.Nines => Percentile(figure),
            Quantity.CostRatio => CostRatio(figure) + "×",
            _ => Number(figure),
        };

    /// <summary>The figure where the unit already stands on the axis or in the column's name.</summary>
    public static string Short(Quantity quantity, double? value) =>
        value is not { } figure || !double.IsFinite(figure) ? Missing : quantity switch
        {
            Quantity.OperationsPerSecond or Quantity.ValuesPerSecond => Scaled(figure),
            Quantity.CpuSecondsPerGB => Significant(figure),
            _ => Value(quantity, figure),
        };

    /// <summary>
    /// Both ends of an interval in the unit of the higher one: "842–880 MB/s".
    /// </summary>
    public static string Interval(Quantity quantity, double? low, double? high)
    {
        if (low is not { } first || high is not { } last)
            return Missing;
        var nanoseconds = quantity switch { Quantity.Milliseconds => 1e6, Quantity.Seconds => 1e9, _ => 0 };
        if (nanoseconds > 0 && last * nanoseconds < 120e9)
            return Interval(Quantity.Nanoseconds, first * nanoseconds, last * nanoseconds);
        var (size, _) = quantity switch
        {
            Quantity.BytesPerSecond => BytesUnit(last),
            Quantity.Nanoseconds => NanosecondsUnit(last),
            _ => (0, ""),
        };
        if (size > 0)
            return $"{(size == 1 ? Number(Math.Round(first)) : Significant(first / size))}–{Value(quantity, last)}";
        if (quantity == Quantity.CostRatio)
            return $"{CostRatio(first)}–{CostRatio(last)}×";
        var (from, to) = (Value(quantity, first), Value(quantity, last));
        var space = to.LastIndexOf(' ');
        return space > 0 && from.EndsWith(to[space..], StringComparison.Ordinal)
            ? $"{from[..^(to.Length - space)]}–{to}"
            : $"{from} – {to}";
    }

    /// <summary>Bytes per second, decimal as fio prints them; MB/s up to 10 GB/s.</summary>
    public static string BytesPerSecond(double value)
    {
        var (size, unit) = BytesUnit(value);
        return $"{Significant(value / size)} {unit}";
    }

    /// <summary>A time given in nanoseconds: "608 ns", "57.3 µs", "1.55 ms", "2.00 s".</summary>
    public static string Nanoseconds(double value)
    {
        var (size, unit) = NanosecondsUnit(value);
        return $"{(size == 1 ? Number(Math.Round(value)) : Significant(value / size))} {unit}";
    }

    /// <summary>A time given in seconds: "0.215 s", "8.63 ms"; from two minutes on in minutes.</summary>
    public static string Seconds(double value) =>
        value >= 120 ? (value / 60).ToString("0.0", Invariant) + " min" : Nanoseconds(value * 1e9);

    /// <summary>A count with fio's suffixes: "1,924", "13.3k", "358M", "8.80G".</summary>
    public static string Scaled(double value) => Math.Abs(value) switch
    {
        >= 999.5e6 => Significant(value / 1e9) + "G",
        >= 999.5e3 => Significant(value / 1e6) + "M",
        >= 9_999.5 => Significant(value / 1e3) + "k",
        >= 1_000 => value.ToString("N0", Invariant),
        _ => Significant(value),
    };

    /// <summary>A size: exact in binary units where it is even ("4 KiB", "1 GiB"), else with three digits.</summary>
    public static string Bytes(double value)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
        var unit = 0;
        while (Math.Abs(value) >= 1024 && unit < units.Length - 1)
        {
            value /= 1024;
            unit++;
        }
        var text = value == Math.Floor(value) ? value.ToString("0", Invariant) : Significant(value);
        return $"{text} {units[unit]}";
    }

    /// <summary>A ratio: "16×", "4.8×", "1.36×", "168,000×".</summary>
    public static string Ratio(double value) => RatioFigure(value) + "×";

    /// <summary>Both ends of a ratio's interval: "15.1 to 16.9".</summary>
    public static string RatioInterval(double low, double high) => $"{RatioEnd(low)} to {RatioEnd(high)}";

    /// <summary>A share as a whole percentage with a no-break space: "45 %".</summary>
    public static string Percent(double share) => Percent(share, 0);

    /// <summary>An error rate with the digits that it has: "5 %", "2.5 %".</summary>
    public static string ErrorRate(double share) => (share * 100).ToString("0.#######", Invariant) + " %";

    /// <summary>With the digits that tell it from nothing: "62 %", "4.1 %", "0.03 %".</summary>
    private static string Share(double share) => share == 0 ? "0 %" : Percent(share, share >= 0.0995 ? 0 : Math.Clamp((int)-Math.Floor(Math.Log10(Math.Abs(share) * 100) + 1e-9), 1, 9));

    private static string Percent(double share, int decimals) => (share * 100).ToString("F" + decimals.ToString(Invariant), Invariant) + " %";

    /// <summary>1 / (1 − p) as the percentile's name: 2 is "p50", 1000 is "p99.9".</summary>
    public static string Percentile(double nines) =>
        "p" + ((1 - 1 / nines) * 100).ToString("0.######", Invariant);

    /// <summary>A number as it is, up to five significant digits, thousands grouped.</summary>
    public static string Number(double? value) => value switch
    {
        null => Missing,
        { } figure when !double.IsFinite(figure) => Missing,
        { } figure when Math.Abs(figure) >= 10_000 || figure == Math.Floor(figure) => figure.ToString("#,##0", Invariant),
        { } figure when Math.Abs(figure) >= 100 => figure.ToString("#,##0.##", Invariant),
        { } figure when Math.Abs(figure) >= 0.001 => figure.ToString("0.#####", Invariant),
        { } figure => figure.ToString("0.###E+0", Invariant),
    };

    /// <summary>A whole number with thousands grouped.</summary>
    public static string Count(long value) => value.ToString("N0", Invariant);

    /// <summary>So many of a thing whose plural is regular: "1 case", "1,200 cases".</summary>
    public static string Count(long count, string one) => $"{Count(count)} {one}{(count == 1 ? "" : "s")}";

    /// <summary>A moment in UTC: "2026-11-22 13:01 UTC".</summary>
    public static string Moment(DateTimeOffset moment) =>
        moment.UtcDateTime.ToString("yyyy-MM-dd HH:mm", Invariant) + " UTC";

    /// <summary>Three significant digits; from a thousand on whole, with thousands grouped.</summary>
    public static string Significant(double value)
    {
        if (value == 0 || !double.IsFinite(value))
            return value == 0 ? "0" : Missing;
        var magnitude = (int)Math.Floor(Math.Log10(Math.Abs(value)));
        // 9.996 rounds up to 10.00: one digit more before the point, one less after it.
        if (Math.Round(Math.Abs(value), Math.Clamp(2 - magnitude, 0, 15)) >= Math.Pow(10, magnitude + 1))
            magnitude++;
        return value.ToString("N" + Math.Clamp(2 - magnitude, 0, 9).ToString(Invariant), Invariant);
    }

    private static (double Size, string Unit) BytesUnit(double value) => Math.Abs(value) switch
    {
        >= 9_999.5e6 => (1e9, "GB/s"),
        >= 999.5e3 => (1e6, "MB/s"),
        >= 999.5 => (1e3, "kB/s"),
        _ => (1, "B/s"),
    };

    private static (double Size, string Unit) NanosecondsUnit(double value) => Math.Abs(value) switch
    {
        >= 999.5e6 => (1e9, "s"),
        >= 999.5e3 => (1e6, "ms"),
        >= 999.5 => (1e3, "µs"),
        _ => (1, "ns"),
    };

    private static string CostRatio(double value) => value is >= 0.1 and < 9.9995 ? value.ToString("0.000", Invariant) : RatioFigure(value);

    private static string RatioFigure(double value) => Math.Abs(value) switch
    {
        var figure when !double.IsFinite(figure) => Missing,
        >= 999.5 => (Math.Round(value / Thousandth(value)) * Thousandth(value)).ToString("N0", Invariant),
        >= 9.95 => value.ToString("0", Invariant),
        >= 1.995 => value.ToString("0.0", Invariant),
        >= 0.1 => value.ToString("0.00", Invariant),
        _ => Significant(value),
    };

    /// <summary>One digit more than the ratio itself between ten and a hundred, so that the ends differ from it.</summary>
    private static string RatioEnd(double value) =>
        value is >= 9.95 and < 99.95 ? value.ToString("0.0", Invariant) : RatioFigure(value);

    /// <summary>The unit that leaves three digits of a figure over a thousand.</summary>
    private static double Thousandth(double value) => Math.Pow(10, Math.Floor(Math.Log10(Math.Abs(value))) - 2);
}
