using System.Text;

namespace Bench.Reports.Html;

/// <summary>
/// Writes HTML so that text from outside can only be text: everything goes through <see cref="Escape"/> except tags,
/// which are written in this project.
/// </summary>
internal sealed class HtmlWriter
{
    private readonly StringBuilder page = new();

    /// <summary>Tags and constants of this project. Never give it text from a record.</summary>
    public HtmlWriter Raw(string html)
    {
        page.Append(html);
        return this;
    }

    /// <summary>Any text.</summary>
    public HtmlWriter Text(string text)
    {
        page.Append(Escape(text));
        return this;
    }

    /// <summary>An element with text in it.</summary>
    public HtmlWriter Element(string tag, string text, string attributes = "") =>
        Raw($"<{tag}{(attributes.Length == 0 ? "" : " " + attributes)}>").Text(text).Raw($"</{tag}>");

    /// <inheritdoc/>
    public override string ToString() => page.ToString();

    /// <summary>
    /// Text for HTML, in an element or in a quoted attribute. Control characters, halves of surrogate pairs, and the
    /// characters that turn the direction of text around, with which a name can pass for another, become U+FFFD.
    /// </summary>
    public static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
            _ = rune.Value switch
            {
                '&' => escaped.Append("&amp;"),
                '<' => escaped.Append("&lt;"),
                '>' => escaped.Append("&gt;"),
                '"' => escaped.Append("&quot;"),
                '\'' => escaped.Append("&#39;"),
                '\n' or '\t' => escaped.Append((char)rune.Value),
                (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069) => escaped.Append('\uFFFD'),
                _ when Rune.IsControl(rune) => escaped.Append('\uFFFD'),
                _ => escaped.Append(rune.ToString()),
            };
        return escaped.ToString();
    }
}
