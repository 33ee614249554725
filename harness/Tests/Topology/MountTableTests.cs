using Bench.Disk.Topology;
using Xunit;

namespace Bench.Harness.Tests.Topology;

public sealed class MountTableTests
{
    [Theory]
    [InlineData(@"/mnt/a\040b", "/mnt/a b")]
    [InlineData(@"a\011b\012c\134d", "a\tb\nc\\d")]
    [InlineData(@"/\303\244", "/ä")]
    [InlineData(@"end\04", @"end\04")]
    [InlineData(@"\999\400", @"\999\400")]
    public void Octal_escapes_are_bytes(string field, string expected) => Assert.Equal(expected, MountTable.Unescape(field));

    [Fact]
    public void Optional_fields_of_any_number_are_passed_over()
    {
        MountTable table = MountTable.Parse([
            "1 0 8:1 / / rw - ext4 /dev/sda1 rw",
            "2 1 8:2 / /a rw,noatime shared:1 master:2 propagate_from:3 unbindable - xfs /dev/sda2 rw,noquota"]);

        Assert.Equal("xfs", table.Find("/a/b")!.Mount.FileSystem);
        Assert.Equal("rw,noatime,noquota", table.Find("/a/b")!.Mount.Options);
        Assert.Equal("ext4", table.Find("/ab")!.Mount.FileSystem);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("garbage")]
    [InlineData("2 1 8:2 / /a rw")]
    [InlineData("2 1 8:2 / /a rw -")]
    [InlineData("2 1 8:2 / /a rw - xfs")]
    [InlineData("x 1 8:2 / /a rw - xfs /dev/sda2 rw")]
    [InlineData("2 1 8-2 / /a rw - xfs /dev/sda2 rw")]
    [InlineData("2 1 8:2 / a rw - xfs /dev/sda2 rw")]
    [InlineData("2 1 8:2 / /a rw -  /dev/sda2 rw")]
    public void Odd_lines_are_skipped(string line) =>
        Assert.Equal("ext4", MountTable.Parse(["1 0 8:1 / / rw - ext4 /dev/sda1 rw", line]).Find("/a")!.Mount.FileSystem);

    [Fact]
    public void The_last_of_several_mounts_on_one_point_is_on_top()
    {
        MountTable table = MountTable.Parse([
            "1 0 8:1 / / rw - ext4 /dev/sda1 rw", "2 1 8:2 / /a rw - xfs /dev/sda2 rw", "3 2 8:3 / /a rw - btrfs /dev/sda3 rw"]);

        Assert.Equal("btrfs", table.Find("/a/x")!.Mount.FileSystem);
    }

    [Fact]
    public void A_mount_over_a_folder_hides_an_older_mount_below_it()
    {
        MountTable table = MountTable.Parse([
            "1 0 8:1 / / rw - ext4 /dev/sda1 rw", "2 1 8:2 / /a/b rw - xfs /dev/sda2 rw", "3 1 8:3 / /a rw - btrfs /dev/sda3 rw"]);

        Assert.Equal("btrfs", table.Find("/a/b/c")!.Mount.FileSystem);
    }

    [Fact]
    public void Without_a_root_mount_the_longest_mount_point_counts()
    {
        MountTable table = MountTable.Parse(["5 4 8:2 / /a rw - xfs /dev/sda2 rw", "6 5 8:3 / /a/b rw - ext4 /dev/sda3 rw"]);

        Assert.Equal("ext4", table.Find("/a/b/c")!.Mount.FileSystem);
        Assert.Null(table.Find("/c"));
    }

    [Fact]
    public void Mounts_that_are_each_others_parents_do_not_hang()
    {
        MountTable table = MountTable.Parse([
            "1 0 8:1 / / rw - ext4 /dev/sda1 rw", "2 1 8:2 / /a rw - xfs /dev/sda2 rw", "2 2 8:2 / /a rw - xfs /dev/sda2 rw", "1 2 8:3 / /a rw - ext2 /dev/sda3 rw"]);

        Assert.NotNull(table.Find("/a/b"));
    }
}
