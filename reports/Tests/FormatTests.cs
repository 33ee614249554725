using Xunit;

namespace Bench.Reports.Tests;

public class FormatTests
{
    [Theory]
    [InlineData(54.5e6, "54.5 MB/s")]
    [InlineData(1.984e9, "1,984 MB/s")]
    [InlineData(9.9999e9, "10.0 GB/s")]
    [InlineData(7.2e10, "72.0 GB/s")]
    [InlineData(999.96e3, "1.00 MB/s")]
    [InlineData(49_600, "49.6 kB/s")]
    [InlineData(12, "12.0 B/s")]
    public void Throughput_is_decimal_as_fio_prints_it(double value, string expected) => Assert.Equal(expected, Format.BytesPerSecond(value));

    [Theory]
    [InlineData(608, "608 ns")]
    [InlineData(57_300, "57.3 µs")]
    [InlineData(999_960, "1.00 ms")]
    [InlineData(1_548_000, "1.55 ms")]
    [InlineData(2e9, "2.00 s")]
    public void Latency_takes_the_unit_that_fits(double value, string expected) => Assert.Equal(expected, Format.Nanoseconds(value));

    [Theory]
    [InlineData(1_924, "1,924")]
    [InlineData(9_999.7, "10.0k")]
    [InlineData(13_300, "13.3k")]
    [InlineData(358.2e6, "358M")]
    [InlineData(8.8e9, "8.80G")]
    [InlineData(0, "0")]
    public void Counts_take_fios_suffixes(double value, string expected) => Assert.Equal(expected, Format.Scaled(value));

    [Theory]
    [InlineData(15.8, "16×")]
    [InlineData(4.8, "4.8×")]
    [InlineData(1.36, "1.36×")]
    [InlineData(0.75, "0.75×")]
    [InlineData(168_354, "168,000×")]
    [InlineData(9.97, "10×")]
    [InlineData(0.000031, "0.0000310×")]
    public void Ratios_have_as_many_digits_as_they_are_worth(double value, string expected) => Assert.Equal(expected, Format.Ratio(value));

    [Theory]
    [InlineData(842e6, 880e6, "842–880 MB/s")]
    [InlineData(950e3, 1.2e6, "0.950–1.20 MB/s")]
    public void An_interval_names_its_unit_once(double low, double high, string expected) =>
        Assert.Equal(expected, Format.Interval(Quantity.BytesPerSecond, low, high));

    [Theory]
    [InlineData(0.9998, "0.9998")]
    [InlineData(0.97995, "0.97995")]
    [InlineData(1_048_576, "1,048,576")]
    [InlineData(3, "3")]
    [InlineData(0.0000123, "1.23E-5")]
    public void An_observed_figure_is_not_rounded_over_its_limit(double value, string expected) => Assert.Equal(expected, Format.Number(value));

    [Theory]
    [InlineData(0.05, "5 %")]
    [InlineData(0.025, "2.5 %")]
    [InlineData(1e-9, "0.0000001 %")]
    public void An_error_rate_is_not_rounded(double value, string expected) => Assert.Equal(expected, Format.ErrorRate(value));

    [Theory]
    [InlineData(1.164, "116 %")]
    [InlineData(0.0995, "10 %")]
    [InlineData(0.041, "4.1 %")]
    [InlineData(0.001, "0.1 %")]
    [InlineData(0.0004, "0.04 %")]
    [InlineData(0.000_001, "0.0001 %")]
    [InlineData(0, "0 %")]
    public void A_small_share_is_not_nothing(double value, string expected) => Assert.Equal(expected, Format.Value(Quantity.Share, value));

    [Theory]
    [InlineData(1, "1 case")]
    [InlineData(0, "0 cases")]
    [InlineData(1_200, "1,200 cases")]
    public void One_of_a_thing_is_no_plural(long count, string expected) => Assert.Equal(expected, Format.Count(count, "case"));

    [Theory]
    [InlineData("a side failed", "A side failed")]
    [InlineData("old/records.jsonl ends within a line", "old/records.jsonl ends within a line")]
    [InlineData("", "")]
    public void A_sentence_begins_with_a_capital_but_a_path_stays_as_it_is(string text, string expected) => Assert.Equal(expected, Content.Words.Sentence(text));

    [Theory]
    [InlineData(0, 50, 0, 0.0711)]
    [InlineData(5, 10, 0.1871, 0.8129)]
    [InlineData(1, 1, 0.025, 1)]
    [InlineData(54, 54, 0.934, 1)]
    public void The_interval_of_a_share_is_that_of_Clopper_and_Pearson(int count, int of, double low, double high)
    {
        var interval = Statistics.Estimators.ShareInterval(count, of);
        Assert.Equal((low, high), (Math.Round(interval.Low, 4), Math.Round(interval.High, 4)));
    }

    [Theory]
    [InlineData(2, "p50")]
    [InlineData(1_000, "p99.9")]
    [InlineData(100_000, "p99.999")]
    public void Nines_are_percentiles(double nines, string expected) => Assert.Equal(expected, Format.Percentile(nines));

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void What_is_no_number_is_shown_as_missing(double value)
    {
        foreach (var quantity in Enum.GetValues<Quantity>())
            Assert.Equal(Format.Missing, Format.Value(quantity, value));
        Assert.Equal(Format.Missing, Format.Value(Quantity.Number, null));
    }

    [Theory]
    [InlineData(4096, "4 KiB")]
    [InlineData(1L << 30, "1 GiB")]
    [InlineData(4, "4 B")]
    [InlineData(1536, "1.50 KiB")]
    public void Sizes_are_binary(long bytes, string expected) => Assert.Equal(expected, Format.Bytes(bytes));
}
