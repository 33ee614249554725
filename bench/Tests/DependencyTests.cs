using System.Text.RegularExpressions;
using System.Xml.Linq;
using Bench.TestSupport;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>The arrows of ARCHITECTURE.md, read from the project files.</summary>
public partial class DependencyTests
{
    [Theory]
    [InlineData("harness/Disk/Disk.csproj")]
    [InlineData("harness/Measure/Measure.csproj", "Disk")]
    [InlineData("harness/SegmentLog/SegmentLog.csproj", "Disk")]
    [InlineData("reports/Reports/Reports.csproj", "Measure")]
    [InlineData("bench/Bench/Bench.csproj", "Disk", "Measure", "Reports", "SegmentLog")]
    public void A_project_references_what_lies_below_it_and_nothing_else(string project, params string[] below) =>
        Assert.Equal(below, References(project).Order(StringComparer.Ordinal));

    [Fact]
    public void Nothing_but_tests_and_the_opt_in_renderer_lies_above_those_five()
    {
        string[] known = ["harness/Disk", "harness/Measure", "harness/SegmentLog", "reports/Reports", "bench/Bench"];
        var others = Projects().Where(path => !known.Any(folder => path.StartsWith(folder + "/", StringComparison.Ordinal)));
        Assert.All(others, path => Assert.True(
            path.Contains("/Tests/", StringComparison.Ordinal) || path is "harness/TestSupport/TestSupport.csproj" or "bench/Micro/Bench.Micro.csproj"
                || path.StartsWith("reports/ScottPlot/", StringComparison.Ordinal),
            $"{path} is a new project; say in this test where it stands"));
    }

    [Fact]
    public void Native_calls_and_unsafe_code_are_in_the_Disk_project_only()
    {
        // Its tests ask the C compiler about its structs; the micro-benchmark holds the op loop against the bare call.
        string[] may = ["harness/Disk/", "harness/Tests/", "bench/Micro/", $"bench/Tests/{nameof(DependencyTests)}.cs"];
        foreach (var file in SourceFiles(".cs", ".csproj", ".props").Where(path => !may.Any(one => path.StartsWith(one, StringComparison.Ordinal))))
            Assert.False(Native().IsMatch(Read(file)), $"{file} has native calls or unsafe code");
        Assert.Contains("<AllowUnsafeBlocks>true", Read("harness/Disk/Disk.csproj"), StringComparison.Ordinal);
    }

    [Fact]
    public void Perfolizer_is_called_from_one_file_only() =>
        Assert.Equal(["reports/Reports/Statistics/Estimators.cs"], SourceFiles(".cs").Where(path => Read(path).Contains("using " + "Perfolizer", StringComparison.Ordinal)));

    [Fact]
    public void Versions_stand_in_the_central_file_only() =>
        Assert.All(Projects(), path => Assert.Empty(XDocument.Load(Full(path)).Descendants("PackageReference").Attributes("Version")));

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = Read("Bench.sln").Replace('\\', '/');
        Assert.All(Projects().Where(path => !path.StartsWith("reports/ScottPlot/", StringComparison.Ordinal)),
            path => Assert.Contains(path, solution, StringComparison.Ordinal));
    }

    [Fact]
    public void No_file_names_a_folder_of_the_machine_it_was_written_on()
    {
        string[] own = [Repository.Root, Environment.GetFolderPath(Environment.SpecialFolder.UserProfile)];
        // A short one, "/src" or "/root", is a folder that every machine may have.
        foreach (var folder in own.Where(folder => folder.Count(letter => letter == '/') >= 2))
            Assert.All(SourceFiles(".cs", ".csproj", ".props", ".md", ".js", ".css", ".json", ".tree", ".c", ".sh", ""),
                file => Assert.DoesNotContain(folder, Read(file), StringComparison.Ordinal));
    }

    // What only a build with a switch of its own references (ScottPlot) is no part of the ordinary program.
    private static IEnumerable<string> References(string project) =>
        XDocument.Load(Full(project)).Descendants("ProjectReference")
            .Where(reference => reference.AncestorsAndSelf().All(element => element.Attribute("Condition") is null))
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));

    private static IEnumerable<string> Projects() => SourceFiles(".csproj");

    /// <summary>Files of the tree by ending, relative to its root, without what a build or npm makes.</summary>
    private static IEnumerable<string> SourceFiles(params string[] endings) =>
        new[] { "bench", "harness", "reports", "scripts" }
            .SelectMany(folder => Directory.EnumerateFiles(Full(folder), "*", SearchOption.AllDirectories))
            .Select(path => Path.GetRelativePath(Repository.Root, path))
            .Where(path => endings.Contains(Path.GetExtension(path)) && !path.Split('/').Any(part => part is "bin" or "obj" or "node_modules" or "out"));

    private static string Read(string path) => File.ReadAllText(Full(path));

    private static string Full(string path) => Path.Combine(Repository.Root, path);

    // Attributes and keywords as code has them; not in comments.
    [GeneratedRegex(@"^\s*\[(DllImport|LibraryImport)\(|\b(static|public|internal|private) unsafe \b|^\s*unsafe\s*\{?$|<AllowUnsafeBlocks>true", RegexOptions.Multiline)]
    private static partial Regex Native();
}
