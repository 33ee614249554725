using System.Globalization;
using System.Text.RegularExpressions;

namespace Bench.Reports.Content;

/// <summary>
/// The warnings of cases, those that differ in their figures only as one: "the shortest pass took 13 to 88 ms …
/// (11 cases)". A wall of warnings is read by nobody; each case still says its own in its evidence.
/// </summary>
internal static partial class WarningDigest
{
    private const int Named = 2;

    public static IEnumerable<string> Of(IEnumerable<CaseView> cases) =>
        cases.SelectMany(view => view.Record.Warnings.Distinct().Select(warning => (Warning: warning, View: view)))
            .GroupBy(pair => Figure().Replace(pair.Warning, "#"))
            .Select(group =>
            {
                CaseView[] concerned = [.. group.Select(pair => pair.View).Distinct()];
                var who = concerned.Length <= Named ? string.Join(", ", concerned.Select(view => view.Name)) : $"{Format.Count(concerned.Length)} cases, each says so in its evidence";
                return $"{Words.Sentence(Merged([.. group.Select(pair => pair.Warning)]))} ({who})";
            });

    /// <summary>One text for all; a figure that differs becomes the range from the lowest to the highest.</summary>
    private static string Merged(IReadOnlyList<string> texts)
    {
        string[][] figures = [.. texts.Select(text => Figure().Matches(text).Select(match => match.Value).ToArray())];
        var at = 0;
        return Figure().Replace(texts[0], match =>
        {
            string[] values = [.. figures.Select(each => each[at]).Distinct().OrderBy(value => double.Parse(value, CultureInfo.InvariantCulture))];
            at++;
            return values.Length == 1 ? match.Value : $"{values[0]} to {values[^1]}";
        });
    }

    [GeneratedRegex(@"(?<![\w.])[0-9]+(?:\.[0-9]+)?(?![\w.])")]
    private static partial Regex Figure();
}
