using Bench.Commands;
using Bench.Measure.Records;
using Bench.TestSupport;
using Spectre.Console;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>The table at the end of a run: every figure can be read, however narrow the terminal is.</summary>
public class ResultTableTests
{
    [Fact]
    public void A_terminal_that_is_too_narrow_for_the_table_has_lines_for_each_case()
    {
        using var place = new RunPlace();
        var records = place.Smoke("--filter", "CachePath*BufferedWarm*").Expect(0).Records;
        Assert.True(records.Count >= 2);
        Assert.Contains("evidence", string.Concat(Written(records, 200)), StringComparison.Ordinal);
        foreach (var width in (int[])[40, 60, 80])
        {
            var narrow = Written(records, width);
            Assert.All(narrow, line => Assert.True(line.Length <= width, line));
            var text = string.Join(' ', narrow.Select(line => line.Trim()));
            Assert.All(records, record =>
            {
                Assert.Contains(ResultTable.ShortName("", record.Parameters).Trim(), text, StringComparison.Ordinal);
                Assert.Contains(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{record.BytesPerSecond!.Median / 1e6:#,##0} MB/s ("), text, StringComparison.Ordinal);
            });
            Assert.DoesNotContain("evidence", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void One_pass_has_no_range()
    {
        using var place = new RunPlace();
        var records = place.Smoke("--filter", "CachePath*BufferedWarm*", "--passes", "1").Expect(0).Records;
        foreach (var width in (int[])[60, 200])
        {
            var text = string.Join('\n', Written(records, width));
            Assert.DoesNotContain("–", text, StringComparison.Ordinal);
            Assert.DoesNotContain("()", text, StringComparison.Ordinal);
        }
    }

    private static string[] Written(IReadOnlyList<RunRecord> records, int width)
    {
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(text), Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Interactive = InteractionSupport.No });
        console.Profile.Width = width;
        ResultTable.Write(records, console);
        return text.ToString().Split('\n');
    }
}
