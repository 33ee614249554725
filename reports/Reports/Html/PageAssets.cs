using System.Text;
using Bench.Disk;

namespace Bench.Reports.Html;

/// <summary>The page's script and style as the build bundled them, and the policy that lets in these and nothing else.</summary>
internal static class PageAssets
{
    public static string Script { get; } = Read("page.js");

    public static string Style { get; } = Read("page.css");

    /// <summary>
    /// No request can leave the page. The hashes allow exactly the two blocks that are written here; ECharts sets
    /// style attributes on what it draws, which needs 'unsafe-inline' for attributes, not for style elements.
    /// </summary>
    public static string ContentSecurityPolicy { get; } =
        $"default-src 'none'; script-src '{Hash(Script)}'; style-src-elem '{Hash(Style)}'; style-src-attr 'unsafe-inline'; "
        + "img-src data:; base-uri 'none'; form-action 'none'";

    private static string Read(string name)
    {
        using var stream = typeof(PageAssets).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The build did not embed {name}.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var text = reader.ReadToEnd();
        // A closing tag within the text would end its element, and the hash would no longer be of what the browser sees.
        if (text.Contains("</script", StringComparison.OrdinalIgnoreCase) || text.Contains("</style", StringComparison.OrdinalIgnoreCase) || text.Contains('\r'))
            throw new InvalidOperationException($"{name} cannot be embedded in a page as it is.");
        return text;
    }

    private static string Hash(string text) => "sha256-" + Convert.ToBase64String(Sha256.Of(Encoding.UTF8.GetBytes(text)));
}
