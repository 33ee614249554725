using Bench.Measure.Records;
using Bench.Measure.Running;
using Bench.Reports.Gate;

namespace Bench.Commands;

/// <summary>
/// Sees to it, before any work, that a result can be written where the user wants it: an hour of measuring or a table
/// that is already read is the wrong time to hear that it cannot. Nothing is made, so that nothing is left behind by a
/// command that then refuses something else.
/// </summary>
internal static class OutputPath
{
    private static readonly string[] OfRuns = [RunStore.FileName, StoredPlan.FileName, GateResult.FileName];

    /// <summary>A file that an option names.</summary>
    /// <param name="option">The option, for messages.</param>
    /// <param name="path">What the user gave. A file that is there is not opened: it may be a pipe.</param>
    /// <param name="inputs">What the result is made of, and must not take the place of.</param>
    /// <exception cref="PlanException">It cannot become a file.</exception>
    internal static void RequireFile(string option, string path, params IEnumerable<string> inputs)
    {
        // A slip of the completion would put a page in the place of the measurements that it is made of.
        if (Path.GetFileName(path) is var name && Array.Exists(OfRuns, one => name == one))
            throw new PlanException($"{option} {path}: {name} is what a run's own file is called; give another name");
        if (path.Length > 0 && inputs.Any(input => input.Length > 0 && Path.GetFullPath(input) == Path.GetFullPath(path)))
            throw new PlanException($"{option} {path} is what is read; give another name");
        if (path.Length == 0)
            throw new PlanException($"{option} is empty; give a file");
        if (Directory.Exists(path))
            throw new PlanException($"{option} {path} is a folder; give a file");
        if (!File.Exists(path))
            RequireWritable(option, path, Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>A folder that an option names.</summary>
    /// <param name="option">The option, for messages.</param>
    /// <param name="path">What the user gave.</param>
    /// <exception cref="PlanException">It cannot become a folder in which files are written.</exception>
    internal static void RequireFolder(string option, string path)
    {
        if (path.Length == 0)
            throw new PlanException($"{option} is empty; give a folder");
        RequireWritable(option, path, Path.GetFullPath(path));
    }

    private static void RequireWritable(string option, string path, string folder)
    {
        try
        {
            // The folders below this one will be made.
            while (!Directory.Exists(folder) && !File.Exists(folder))
                folder = Path.GetDirectoryName(folder)!;
            new FileStream(Path.Combine(folder, ".bench-" + Guid.NewGuid().ToString("N")), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new PlanException(File.Exists(folder)
                ? $"{option} {path} cannot be written: {folder} is a file"
                : $"{option} {path} cannot be written: no file can be made in {folder}");
        }
    }
}
