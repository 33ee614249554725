using Spectre.Console;

namespace Bench.Commands;

/// <summary>Standard output for tables and trees.</summary>
internal static class StandardOutput
{
    /// <summary>On a terminal as wide and colourful as it is; into a file or a pipe plain and unwrapped, for grep.</summary>
    internal static IAnsiConsole Console()
    {
        if (!System.Console.IsOutputRedirected)
            return AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(System.Console.Out) });
        var plain = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(System.Console.Out),
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        plain.Profile.Width = 300;
        return plain;
    }
}
