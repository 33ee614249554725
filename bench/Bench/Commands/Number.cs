using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Bench.Commands;

/// <summary>
/// Options that take a number. The library's own reading takes a comma for a separator of thousands, so that 1,5 would be
/// fifteen, and names types of .NET to whoever mistypes.
/// </summary>
internal static partial class Number
{
    /// <summary>An option for a number with or without a fraction; its name is told when the value is none.</summary>
    internal static Option<double?> Option(string name, string description, string unit) => new(name)
    {
        Description = description,
        HelpName = unit,
        CustomParser = given =>
        {
            var text = given.Tokens[^1].Value;
            if (double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var value))
                return value;
            given.AddError($"{name} takes a number such as 0.5; '{text}' is none");
            return null;
        },
    };

    /// <summary>The library's word on a whole number that is none, as a sentence for users; another message as it is.</summary>
    internal static string Say(string message) => Unreadable().Replace(message, "${option} takes a whole number; '${text}' is none");

    [GeneratedRegex(@"^Cannot parse argument '(?<text>.*)' for option '(?<option>[^']*)' as expected type '[^']*Int(32|64)[^']*'\.$", RegexOptions.Singleline)]
    private static partial Regex Unreadable();
}
