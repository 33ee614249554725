using Bench.TestSupport;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>scripts/ci-gate.sh: what it asks of bench. The dotnet that it finds prints its arguments.</summary>
public sealed class CiGateTests : IDisposable
{
    private readonly TestFolder folder = new();
    private readonly TestRepository repository;
    private readonly (string Root, string Main, string Early, string Late) commits;

    /// <summary>A repository whose branch left main at its first commit, and has two of its own.</summary>
    public CiGateTests()
    {
        Tool("dotnet", """
            case $1 in
                --version) echo 10.0.100 ;;
                build) exit ${BUILD_ENDS_WITH:-0} ;;
                msbuild) echo bench.dll ;;
                *) printf '%s\n' "$@" ;;
            esac
            """);
        Tool("node", "echo v22.0.0");
        Tool("npm", "exit 1");
        repository = new TestRepository(folder.File("repository"));
        var root = repository.Commit("root");
        repository.Git("branch", "topic");
        var main = repository.Commit("main");
        repository.Git("checkout", "-q", "topic");
        var early = repository.Commit("early");
        commits = (root, main, early, repository.Commit("late"));
    }

    [NeedsFact("git")]
    public void The_head_is_compared_with_where_it_left_the_branch_that_it_goes_to()
    {
        Assert.Equal($"bench.dll gate --base {commits.Root} --head HEAD --junit gate-junit.xml --out o", Asked("--out", "o"));
        Assert.Equal($"bench.dll gate --base {commits.Root} --junit gate-junit.xml --head {commits.Early}", Asked("--head", commits.Early));
        Assert.Equal($"bench.dll gate --base {commits.Root} --junit gate-junit.xml --head=topic~1 --out o", Asked("--head=topic~1", "--out", "o"));
        // Not what is checked out counts, but the head that was named.
        Assert.Equal($"bench.dll gate --base {commits.Main} --junit gate-junit.xml --head main", Asked("--head", "main"));
        Assert.Equal($"bench.dll gate --base {commits.Root} --junit gate-junit.xml --head .", Asked("--head", "."));
    }

    [NeedsFact("git")]
    public void On_a_pull_request_that_branch_is_the_request_s()
    {
        repository.Git("update-ref", "refs/remotes/origin/release", commits.Early);
        Assert.Equal($"bench.dll gate --base {commits.Early} --head HEAD --junit gate-junit.xml", AskedWith(new() { ["GITHUB_BASE_REF"] = "release" }));
    }

    [NeedsFact("git")]
    public void What_was_given_is_passed_on_as_it_is()
    {
        Assert.Equal("bench.dll gate --junit gate-junit.xml --base a --head b", Asked("--base", "a", "--head", "b"));
        Assert.Equal("bench.dll gate --junit gate-junit.xml --base-set FlushPolicy=each", Asked("--base-set", "FlushPolicy=each"));
        Assert.Equal("bench.dll gate --base a --junit j.xml", Asked("--base", "a", "--junit", "j.xml"));
        Assert.Equal("bench.dll calibrate --runs 2", Asked("--calibrate", "--runs", "2"));
    }

    [NeedsFact("git")]
    public void What_cannot_be_compared_is_one_sentence_and_never_exit_code_1()
    {
        var wrong = Run([], "--head", "no-such-revision");
        Assert.Equal((64, ""), (wrong.ExitCode, wrong.StandardOutput));
        Assert.Contains("--head no-such-revision is no revision here", wrong.StandardError, StringComparison.Ordinal);

        var shallow = Run(new() { ["GITHUB_BASE_REF"] = "gone" });
        Assert.Equal((2, ""), (shallow.ExitCode, shallow.StandardOutput));
        Assert.Contains("HEAD and origin/gone", shallow.StandardError, StringComparison.Ordinal);

        var broken = Run(new() { ["BUILD_ENDS_WITH"] = "1" });
        Assert.Equal((2, ""), (broken.ExitCode, broken.StandardOutput));
        Assert.Contains("the build failed", broken.StandardError, StringComparison.Ordinal);
    }

    public void Dispose() => folder.Dispose();

    private void Tool(string name, string script)
    {
        var path = Path.Combine(folder.Folder("tools"), name);
        File.WriteAllText(path, "#!/bin/bash\n" + script + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private string Asked(params string[] arguments) => AskedWith([], arguments);

    private string AskedWith(Dictionary<string, string> environment, params string[] arguments)
    {
        var result = Run(environment, arguments);
        Assert.True(result.ExitCode == 0, result.StandardError);
        return string.Join(' ', result.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private CommandResult Run(Dictionary<string, string> environment, params string[] arguments)
    {
        // The tests may themselves run in a job of GitHub's, whose target is not meant.
        string[] command = ["-u", "GITHUB_BASE_REF", "-C", repository.Folder, $"PATH={folder.File("tools")}:{Environment.GetEnvironmentVariable("PATH")}",
            .. environment.Select(pair => $"{pair.Key}={pair.Value}"), "bash", Path.Combine(Repository.Root, "scripts", "ci-gate.sh"), .. arguments];
        return Command.TryRun(Command.DefaultTimeout, "env", command);
    }
}
