namespace Bench.Measure.Records;

/// <summary>What is wrong with a text that should be JSON, for people.</summary>
public static class JsonWords
{
    private static readonly string[] Positions = [" Path: ", " LineNumber: "];

    /// <summary>
    /// The parser's message without the position at its end, which counts lines and bytes from 0 within what the parser was
    /// given: file and line, counted from 1, stand before it.
    /// </summary>
    public static string Of(Exception exception)
    {
        var message = exception.Message;
        foreach (var position in Positions)
            if (message.IndexOf(position, StringComparison.Ordinal) is > 0 and var at)
                message = message[..at];
        return message.TrimEnd('.');
    }
}
