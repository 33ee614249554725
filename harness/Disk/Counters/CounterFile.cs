namespace Bench.Disk.Counters;

/// <summary>Reading of files under /proc and /sys that may be missing or forbidden.</summary>
internal static class CounterFile
{
    /// <summary>The text, or null if it cannot be read: a counter that is not there is unknown, never zero.</summary>
    internal static string? TryReadAllText(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
