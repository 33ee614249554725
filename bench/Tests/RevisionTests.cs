using Bench.Gate;
using Bench.Measure.Passes;
using Bench.TestSupport;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>Folders with the source of bench, wherever they are: built as they stand, and nothing of it left in them.</summary>
public sealed class RevisionTests : IDisposable
{
    private readonly TestFolder folder = new();

    /// <summary>The folder that these tests run in is in neither of the two repositories, and need not be in any.</summary>
    [NeedsFact("git")]
    public void Folders_of_other_repositories_are_built_as_they_stand_and_left_as_they_were()
    {
        var (one, other) = (new TestRepository(folder.File("one")), new TestRepository(folder.File("other")));
        foreach (var repository in new[] { one, other })
        {
            repository.WriteBench("Console.WriteLine(\"committed\");");
            repository.Commit();
        }
        other.Write("bench/Bench/Program.cs", "Console.WriteLine(\"changed\");");

        // A folder within a repository names it as well as its root does.
        var (first, second) = (Path.Combine(one.Folder, "bench"), other.Folder);
        using (var built = Build("base", first))
        using (var changed = Build("head", second))
        {
            Assert.Equal(one.Git("rev-parse", "HEAD"), built.Commit);
            Assert.NotEqual(other.Git("rev-parse", "HEAD"), changed.Commit);
            Assert.Equal("committed\n", Run(built));
            Assert.Equal("changed\n", Run(changed));
        }

        foreach (var repository in new[] { one, other })
        {
            Assert.Single(repository.Git("worktree", "list").Split('\n'));
            Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(repository.Folder, ".git", "bench-gate")));
        }
        Assert.Equal("", one.Git("status", "--porcelain"));
        Assert.Equal("M bench/Bench/Program.cs", other.Git("status", "--porcelain"));
    }

    [NeedsFact("git")]
    public void What_a_dead_gate_left_in_another_repository_is_removed_there()
    {
        var repository = new TestRepository(folder.File("one"));
        repository.WriteBench("return 0;");
        var commit = repository.Commit();
        // No process has a number so high.
        var left = Path.Combine(repository.Folder, ".git", "bench-gate", "99999999-base");
        repository.Git("worktree", "add", "-q", "--detach", Path.Combine(left, "source"), commit);
        Build("base", repository.Folder).Dispose();
        Assert.False(Directory.Exists(left));
        Assert.Single(repository.Git("worktree", "list").Split('\n'));
    }

    [NeedsFact("git")]
    public void A_folder_outside_every_repository_is_no_revision_and_one_without_bench_is_told_so()
    {
        Assert.Null(Revision.CommitOf(folder.FullPath));
        var repository = new TestRepository(folder.File("one"));
        Assert.Null(Revision.CommitOf(repository.Folder));
        repository.Commit();
        Assert.Contains("is no revision of bench", Assert.Throws<GateException>(() => Build("base", repository.Folder)).Message, StringComparison.Ordinal);
        Assert.Single(repository.Git("worktree", "list").Split('\n'));
    }

    /// <summary>The whole way, started outside every repository: this was an unhandled exception.</summary>
    [NeedsFact("git")]
    public void A_gate_from_outside_every_repository_compares_the_folders_of_two()
    {
        using var place = new RunPlace();
        var (one, other) = (new TestRepository(Path.Combine(place.Folder, "one")), new TestRepository(Path.Combine(place.Folder, "other")));
        foreach (var repository in new[] { one, other })
        {
            repository.WriteBench("return 3;");
            repository.Commit();
        }
        var result = BenchProgram.Run(place.Folder, "gate", "-p", "smoke", "--target", place.Target, "--out", place.Out, "--uncalibrated", "--pairs", "8", "--base", "one", "--head", "other",
            "--case", "CachePath(Access=BufferedWarm, Operation=Read, Pattern=Random, BlockSize=64KiB, FileSize=8MiB)").Expect(2);
        // Both are built and started; a bench that does nothing is no use.
        Assert.Contains("Build    base: one", result.Error, StringComparison.Ordinal);
        Assert.Contains("Build    head: other", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("checked out", result.Error, StringComparison.Ordinal);
        Assert.Contains("the base one ", result.Error, StringComparison.Ordinal);
    }

    public void Dispose() => folder.Dispose();

    private static Revision Build(string role, string name) => Revision.Build(role, name, Revision.CommitOf(name)!, new StopSignal());

    private static string Run(Revision revision) => Command.Run(revision.Command[0], [.. revision.Command.Skip(1)]).StandardOutput;
}
