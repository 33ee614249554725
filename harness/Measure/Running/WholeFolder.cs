namespace Bench.Measure.Running;

/// <summary>Removes folders in which somebody may still be at work.</summary>
public static class WholeFolder
{
    private const int Tries = 20;
    private const int PauseMs = 25;

    /// <summary>
    /// Removes a folder with all that is in it; nothing if there is none. Who is just being given up (a case at making a
    /// thousand logs, a launch that writes its last record) may make a file where the others are gone already: a folder that
    /// is not empty, half a second of which are waited out.
    /// </summary>
    /// <exception cref="IOException">It cannot be removed.</exception>
    public static void Remove(string path)
    {
        for (var tries = 1; Directory.Exists(path); tries++)
        {
            try
            {
                Directory.Delete(path, recursive: true);
            }
            catch (IOException) when (tries < Tries)
            {
                Thread.Sleep(PauseMs);
            }
        }
    }
}
