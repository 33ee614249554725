using Bench.Disk.Topology;
using Xunit;

namespace Bench.Harness.Tests.Topology;

public sealed class SystemRootTests
{
    [Fact]
    public void Absolute_links_stay_within_the_root()
    {
        using var tree = new RecordedTree("etc/hostname\trecorded\nproc/sys/name -> /etc/hostname\nup -> ../../../etc/hostname");

        Assert.Equal("/etc/hostname", tree.Root.Resolve("/proc/sys/name"));
        Assert.Equal("recorded", tree.Root.ReadText("/proc/sys/name"));
        Assert.Equal("recorded", tree.Root.ReadText("/up"));
    }

    [Fact]
    public void A_program_is_asked_and_what_does_not_answer_is_no_answer()
    {
        Assert.Equal("one\ntwo\n", SystemRoot.Machine.Output("printf", "one\\n%s\\n", "two"));
        Assert.Null(SystemRoot.Machine.Output("sh", "-c", "echo half; exit 3"));
        Assert.Null(SystemRoot.Machine.Output("no-such-program"));
        // More than a pipe holds, on both ways out.
        Assert.Equal(300_000, SystemRoot.Machine.Output("sh", "-c", "head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero | tr '\\0' x")!.Length);
    }

    [Fact]
    public void Links_that_form_a_loop_are_unreadable()
    {
        using var tree = new RecordedTree("a -> b\nb -> a");

        Assert.Null(tree.Root.Resolve("/a/x"));
        Assert.Null(tree.Root.ReadText("/a"));
        Assert.False(tree.Root.FolderExists("/a"));
        Assert.Empty(tree.Root.Names("/a"));
    }

    [Theory]
    [InlineData("none [mq-deadline] kyber", "mq-deadline")]
    [InlineData("[none]", "none")]
    [InlineData("none", "none")]
    [InlineData("a b", null)]
    [InlineData("[broken", null)]
    [InlineData("[]", null)]
    public void The_choice_is_what_stands_in_brackets(string content, string? expected)
    {
        using var tree = new RecordedTree($"scheduler\t{content}");
        Assert.Equal(expected, tree.Root.ReadChoice("/scheduler"));
    }

    [Fact]
    public void Numbers_that_do_not_fit_are_null()
    {
        using var tree = new RecordedTree("big\t99999999999999999999\nlong\t4294967296\nempty\t\\c\nminus\t-1");

        Assert.Null(tree.Root.ReadNumber("/big"));
        Assert.Null(tree.Root.ReadSmallNumber("/long"));
        Assert.Null(tree.Root.ReadNumber("/empty"));
        Assert.Null(tree.Root.ReadNumber("/absent"));
        Assert.Equal(-1, tree.Root.ReadNumber("/minus"));
    }

    [Fact]
    public void The_machine_itself_is_a_root() =>
        Assert.Equal(Environment.MachineName, SystemRoot.Machine.ReadWord("/proc/sys/kernel/hostname")!.Split('.')[0]);
}
