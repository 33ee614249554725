using Bench.TestSupport;

namespace Bench.Program.Tests;

/// <summary>A git repository of a test's own, empty at first.</summary>
internal sealed class TestRepository
{
    /// <param name="folder">A folder that is gone with the test.</param>
    internal TestRepository(string folder)
    {
        Folder = Directory.CreateDirectory(folder).FullName;
        Git("init", "-q", "-b", "main");
    }

    internal string Folder { get; }

    /// <summary>Writes a file.</summary>
    internal void Write(string name, string text)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    /// <summary>Commits all that is there; returns the commit.</summary>
    internal string Commit(string message = "a revision")
    {
        Git("add", "-A");
        Git("-c", "user.email=test@example.com", "-c", "user.name=test", "commit", "-q", "--allow-empty", "-m", message);
        return Git("rev-parse", "HEAD");
    }

    internal string Git(params string[] arguments) => Command.Run("git", ["-C", Folder, .. arguments]).StandardOutput.Trim();

    /// <summary>A bench of a few lines: it builds as the real one does, in seconds.</summary>
    internal void WriteBench(string program)
    {
        Write(".gitignore", "bin/\nobj/\nreports/\n");
        // Nothing of the folders above.
        Write("Directory.Build.props", "<Project/>");
        Write("bench/Bench/Bench.csproj", """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><AssemblyName>bench</AssemblyName><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
            </Project>
            """);
        Write("bench/Bench/Program.cs", program);
    }
}
