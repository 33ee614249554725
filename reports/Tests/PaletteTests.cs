using System.Globalization;
using System.Text.RegularExpressions;
using Bench.Reports.Html;
using Xunit;

namespace Bench.Reports.Tests;

public partial class PaletteTests
{
    [Fact]
    public void Every_colour_has_a_contrast_of_four_and_a_half_with_its_paper()
    {
        var pairs = Pair().Matches(PageAssets.Style).ToDictionary(match => match.Groups[1].Value, match => (Light: match.Groups[2].Value, Dark: match.Groups[3].Value));
        Assert.Equal(7, pairs.Keys.Count(name => name.StartsWith("series-", StringComparison.Ordinal)));
        foreach (var (name, (light, dark)) in pairs.Where(pair => pair.Key is not ("paper" or "panel" or "rule")))
        {
            Assert.True(Contrast(light, pairs["paper"].Light) >= 4.5, $"{name} on light paper: {Contrast(light, pairs["paper"].Light)}");
            Assert.True(Contrast(dark, pairs["paper"].Dark) >= 4.5, $"{name} on dark paper: {Contrast(dark, pairs["paper"].Dark)}");
        }
    }

    /// <summary>WCAG 2.2, relative luminance.</summary>
    private static double Contrast(string first, string second)
    {
        double[] both = [Luminance(first), Luminance(second)];
        return (both.Max() + 0.05) / (both.Min() + 0.05);
    }

    private static double Luminance(string color)
    {
        var hex = color.Length == 4 ? string.Concat(color.Skip(1).Select(digit => new string(digit, 2))) : color[1..];
        double Channel(int at)
        {
            var value = int.Parse(hex.AsSpan(at, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 255.0;
            return value <= 0.04045 ? value / 12.92 : Math.Pow((value + 0.055) / 1.055, 2.4);
        }
        return 0.2126 * Channel(0) + 0.7152 * Channel(2) + 0.0722 * Channel(4);
    }

    [GeneratedRegex("--([a-z0-9-]+): ?light-dark\\((#[0-9a-f]{3,6}), ?(#[0-9a-f]{3,6})\\)")]
    private static partial Regex Pair();
}
