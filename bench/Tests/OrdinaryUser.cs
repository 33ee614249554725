using Bench.TestSupport;

namespace Bench.Program.Tests;

/// <summary>
/// The program as user and group 65534 (nobody), who may do nothing that everybody may not. What of the program or of
/// the runtime lies in a folder of root's alone, as after an install into root's home, is copied to where it can be read.
/// </summary>
internal static class OrdinaryUser
{
    private static readonly string[] As = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

    internal static BenchProgram Start(string folder, params string[] arguments)
    {
        var program = Path.Combine(Reachable(AppContext.BaseDirectory.TrimEnd('/'), folder, "program"), "bench");
        return BenchProgram.Start(folder, [.. As, program, .. arguments], new Dictionary<string, string>
        {
            ["DOTNET_ROOT"] = Reachable(BenchProgram.RuntimeFolder, folder, "runtime"),
            // Otherwise root's home, where .NET looks for its state.
            ["HOME"] = folder,
        });
    }

    private static string Reachable(string path, string folder, string copyName)
    {
        if (Command.TryRun(Command.DefaultTimeout, As[0], [.. As.Skip(1), "test", "-r", path]).ExitCode == 0)
            return path;
        var copy = Path.Combine(folder, copyName);
        Command.Run("cp", "-r", path, copy);
        Command.Run("chmod", "-R", "o+rX", copy);
        return copy;
    }
}
