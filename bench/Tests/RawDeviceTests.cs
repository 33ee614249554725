using Bench.Measure.Records;
using Bench.TestSupport;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>A device instead of a folder: measured when it is free and meant, refused and untouched otherwise.</summary>
public class RawDeviceTests
{
    private const long DeviceBytes = 64L << 20;

    [RootFact("losetup", "mkfs.ext4", "/dev/loop-control")]
    public void A_free_device_is_measured_written_over_and_let_go()
    {
        using var disk = new Loop();
        using var place = new RunPlace();
        var result = BenchProgram.Run(place.Folder, [.. Raw(place, disk), "--raw-model", disk.Name, "--filter", "CachePath*Access=Direct*"]).Expect(0);
        Assert.Contains(result.Records, record => record.Has("Engine", "io_uring"));
        Assert.All(result.Records, record =>
        {
            Assert.Null(record.Error);
            Assert.Equal((disk.Path, "raw", DeviceBytes), (record.Target.Folder, record.Target.Mount.FileSystem, record.Target.TotalBytes));
            Assert.True(record.Evidence.Claims.All(claim => claim.Verdict == Verdict.Proven || claim.Claim == "queue-depth"), record.Evidence.Told());
        });
        // The first 8 MiB are random data now, the rest is what it was; nobody holds the device and nothing is left of the run.
        var content = File.ReadAllBytes(disk.Path);
        Assert.Equal(DeviceBytes, content.Length);
        Assert.InRange(content.Take(8 << 20).Count(value => value == 0), 1, (8 << 20) / 128);
        Assert.Equal(-1, content.AsSpan(8 << 20).IndexOfAnyExcept((byte)0));
        Command.Run("mkfs.ext4", "-q", "-F", disk.Path);
        Assert.Empty(Directory.GetDirectories(Path.GetTempPath(), $".bench-{result.Records[0].Run}"));
        BenchProgram.Run(place.Folder, "report", place.Out, "-o", Path.Combine(place.Folder, "index.html"), "--anonymous").Expect(0);
        Assert.DoesNotContain(disk.Path, File.ReadAllText(Path.Combine(place.Folder, "report.md")), StringComparison.Ordinal);
    }

    [RootFact("losetup", "/dev/loop-control")]
    public void A_device_is_brought_to_a_steady_state_whole()
    {
        using var disk = new Loop();
        using var place = new RunPlace();
        var records = BenchProgram.Run(place.Folder, [.. Raw(place, disk), "--raw-model", disk.Name, "--steady", "--filter", "SteadyState*Operation=Read*"]).Expect(0).Records;
        var steady = records.Where(record => record.Has("FileSize", "64MiB")).ToArray();
        Assert.Equal(["Write", "Read"], steady.Select(record => record.Operation));
        Assert.All(steady, record => Assert.Equal(1.0, (double)record.Effective["filledShare"]!));
        Assert.InRange(File.ReadAllBytes(disk.Path).Count(value => value == 0), 1, DeviceBytes / 128);
        var others = records.Except(steady).ToArray();
        Assert.NotEmpty(others);
        Assert.All(others, record => Assert.Contains(record.Warnings, warning => warning.Contains("% of the device was filled", StringComparison.Ordinal)));
    }

    [RootFact("losetup", "mkfs.ext4", "mkfs.btrfs", "mkswap", "swapon", "blockdev", "/dev/loop-control")]
    public void A_device_in_use_or_with_something_on_it_is_refused_and_stays_as_it_is()
    {
        using var disk = new Loop(128L << 20);
        using var place = new RunPlace();
        void Refused(string expected, params string[] further)
        {
            var before = System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(disk.Path));
            var result = BenchProgram.Run(place.Folder, [.. Raw(place, disk), .. further]);
            Assert.Equal(64, result.ExitCode);
            Assert.Contains(expected, result.Error, StringComparison.Ordinal);
            Assert.Equal(before, System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(disk.Path)));
            Assert.False(Directory.Exists(place.Out));
        }
        string[] meant = ["--raw-model", disk.Name];

        Refused("say with --raw-model which drive is meant");
        Refused("nothing was written", "--raw-model", "Samsung SSD 980 PRO 1TB");
        Refused("--target does not go with it", [.. meant, "--target", place.Target]);
        Refused("none of the chosen cases is for a device", [.. meant, "--filter", "CachePath*BufferedWarm*"]);
        Command.Run("blockdev", "--setro", disk.Path);
        Refused("the device is read-only", meant);
        Command.Run("blockdev", "--setrw", disk.Path);
        Refused("use a smaller profile", [.. meant, "--filter", "CachePath*Access=Direct*", "--set", "FileSize=1GiB"]);

        var mount = Path.Combine(place.Folder, "mnt");
        Directory.CreateDirectory(mount);
        Command.Run("mkfs.ext4", "-q", "-F", disk.Path);
        Refused("there is something on it (ext4)", meant);
        using (Mounted(disk.Path, mount))
            Refused($"is mounted at {mount}", meant);
        Command.Run("wipefs", "--all", disk.Path);
        // A loop device over a part of it holds it in no way that the kernel tells.
        using (var above = new Loop(disk))
        {
            Refused($"{disk.Name} is what the loop device {above.Name} is made of", meant);
            // It alone uses what it is made of.
            using var free = new RunPlace();
            BenchProgram.Run(free.Folder, [.. Raw(free, above), "--raw-model", above.Name, "--filter", "CachePath(*Access=Direct*Read*Sequential*psync*)"]).Expect(0);
        }
        Command.Run("mkfs.btrfs", "-q", "-f", disk.Path);
        using (Mounted(disk.Path, mount))
            Refused("belongs to a mounted btrfs", meant);
        Command.Run("wipefs", "--all", disk.Path);
        Command.Run("mkswap", disk.Path);
        Command.Run("swapon", disk.Path);
        try
        {
            Refused("is swap", meant);
        }
        finally
        {
            Command.Run("swapoff", disk.Path);
        }
        Command.Run("wipefs", "--all", disk.Path);
        // Nobody who could tell whether it is empty.
        var blind = BenchProgram.Run(place.Folder, new Dictionary<string, string> { ["PATH"] = place.Folder }, [.. Raw(place, disk), .. meant]).Expect(64);
        Assert.Contains("wipefs would tell whether something is on it, but it is not installed", blind.Error, StringComparison.Ordinal);
        // A holder that no list names: somebody has opened it for himself alone.
        using (Bench.Disk.DiskFile.Open(disk.Path, Bench.Disk.OpenMode.Write | Bench.Disk.OpenMode.Exclusive))
            Refused("somebody holds it", meant);
    }

    [RootFact("losetup", "mknod", "mkfs.ext4", "/dev/loop-control")]
    public void A_node_is_the_device_of_its_number_whatever_it_is_called()
    {
        using var disk = new Loop();
        using var place = new RunPlace();
        var node = Path.Combine(place.Folder, "null");
        Command.Run("mknod", node, "b", "7", disk.Name["loop".Length..]);
        string[] run = ["run", "-p", "smoke", "--raw", node, "--raw-model", disk.Name, "--out", place.Out, "--no-report", "--json", "--filter", "CachePath(*Access=Direct*Read*Sequential*psync*)"];
        Assert.All(BenchProgram.Run(place.Folder, run).Expect(0).Records, record => Assert.Equal(disk.Name, record.Target.Devices[0].Name));
        var mount = Path.Combine(place.Folder, "mnt");
        Directory.CreateDirectory(mount);
        Command.Run("mkfs.ext4", "-q", "-F", disk.Path);
        using (Mounted(disk.Path, mount))
            Assert.Contains($"{disk.Name} is mounted at {mount}", BenchProgram.Run(place.Folder, run).Expect(64).Error, StringComparison.Ordinal);
    }

    [RootFact("losetup", "/dev/loop-control")]
    public void A_second_loop_device_over_the_same_file_is_seen_whatever_the_path()
    {
        using var disk = new Loop();
        using var place = new RunPlace();
        var other = disk.File + "2";
        Command.Run("ln", disk.File, other);
        using var twin = new Loop(other);
        Assert.Contains($"{disk.Name} is a loop device over {disk.File}, and so is {twin.Name} (as {other})",
            BenchProgram.Run(place.Folder, [.. Raw(place, disk), "--raw-model", disk.Name]).Expect(64).Error, StringComparison.Ordinal);
    }

    [RootFact("losetup", "addpart", "/dev/loop-control")]
    public void A_partition_of_a_loop_device_is_asked_for_what_the_device_is_made_of()
    {
        using var disk = new Loop(DeviceBytes, "--partscan");
        using var place = new RunPlace();
        Command.Run("addpart", disk.Path, "1", "2048", "65536");
        var part = disk.Name + "p1";
        string[] run = ["run", "-p", "smoke", "--raw", "/dev/" + part, "--raw-model", part, "--out", place.Out, "--no-report", "--json", "--filter", "CachePath(*Access=Direct*Read*Sequential*psync*)"];
        using (var twin = new Loop(disk.File))
            Assert.Contains($"{disk.Name}, of which {part} is a part, is a loop device over {disk.File}, and so is {twin.Name}", BenchProgram.Run(place.Folder, run).Expect(64).Error, StringComparison.Ordinal);
        BenchProgram.Run(place.Folder, run).Expect(0);
        // Before the partition and behind it nothing was written.
        var content = File.ReadAllBytes(disk.Path);
        Assert.Equal(1 << 20, content.AsSpan().IndexOfAnyExcept((byte)0) & ~511);
        Assert.Equal(-1, content.AsSpan((1 << 20) + (32 << 20)).IndexOfAnyExcept((byte)0));
    }

    [RootFact("losetup", "mknod", "/dev/loop-control")]
    public void What_takes_the_name_of_the_device_is_not_written_to()
    {
        using var disk = new Loop();
        using var other = new Loop();
        using var place = new RunPlace();
        var node = Path.Combine(place.Folder, "node");
        Command.Run("mknod", node, "b", "7", disk.Name["loop".Length..]);
        // It is called when the device has been found free, and before any case has opened it.
        var tools = Path.Combine(place.Folder, "tools");
        Directory.CreateDirectory(tools);
        File.WriteAllText(Path.Combine(tools, "wipefs"), $"#!/bin/sh\nrm '{node}' && mknod '{node}' b 7 {other.Name["loop".Length..]}\n");
        Command.Run("chmod", "+x", Path.Combine(tools, "wipefs"));
        var path = new Dictionary<string, string> { ["PATH"] = $"{tools}:{Environment.GetEnvironmentVariable("PATH")}" };
        BenchProgram.Run(place.Folder, path, "run", "-p", "smoke", "--raw", node, "--raw-model", disk.Name, "--out", place.Out, "--no-report", "--json", "--filter", "CachePath(*Access=Direct*psync*)").Expect(0);
        Assert.Equal(-1, File.ReadAllBytes(other.Path).AsSpan().IndexOfAnyExcept((byte)0));
        Assert.NotEqual(-1, File.ReadAllBytes(disk.Path).AsSpan().IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public void A_link_to_no_device_is_told_as_what_it_is()
    {
        using var place = new RunPlace();
        var link = Path.Combine(place.Folder, "link");
        File.CreateSymbolicLink(link, Path.Combine(place.Folder, "gone"));
        Assert.Contains($"that is a link to {Path.Combine(place.Folder, "gone")}, where there is no device",
            BenchProgram.Run(place.Folder, "run", "-p", "smoke", "--raw", link, "--raw-model", "x").Expect(64).Error, StringComparison.Ordinal);
        var round = Path.Combine(place.Folder, "round");
        File.CreateSymbolicLink(round, round);
        Assert.Contains("that is a link that leads round and round", BenchProgram.Run(place.Folder, "run", "-p", "smoke", "--raw", round, "--raw-model", "x").Expect(64).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("there is no such device", "/dev/no-such-device")]
    [InlineData("that is no block device", "/dev/null")]
    [InlineData("that is no block device", "/dev")]
    [InlineData("--raw is empty", "")]
    public void What_is_no_device_is_refused(string expected, string device)
    {
        using var place = new RunPlace();
        Assert.Contains(expected, BenchProgram.Run(place.Folder, "run", "-p", "smoke", "--raw", device, "--raw-model", "x").Expect(64).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_without_a_device_is_refused()
    {
        using var place = new RunPlace();
        Assert.Contains("--raw-model goes with --raw", BenchProgram.Run(place.Folder, "run", "-p", "smoke", "--raw-model", "x").Expect(64).Error, StringComparison.Ordinal);
    }

    private static string[] Raw(RunPlace place, Loop disk) => ["run", "-p", "smoke", "--raw", disk.Path, "--out", place.Out, "--no-report", "--json"];

    private static Ending Mounted(string device, string folder)
    {
        // Read-only: a file system that may write does so on its own (ext4 lays out its inode tables after the first mount), and the bytes are compared.
        Command.Run("mount", "-o", "ro", device, folder);
        return new Ending(() => Command.Run("umount", folder));
    }

    private sealed class Ending(Action end) : IDisposable
    {
        public void Dispose() => end();
    }

    /// <summary>A loop device with direct I/O over a sparse file.</summary>
    private sealed class Loop : IDisposable
    {
        private readonly TestFolder folder = new();

        public Loop(long bytes = DeviceBytes, params string[] further)
        {
            File = folder.File("disk");
            using (var stream = System.IO.File.Create(File))
                stream.SetLength(bytes);
            Path = Command.Run("losetup", ["--direct-io=on", .. further, "--find", "--show", File]).StandardOutput.Trim();
        }

        /// <summary>Over a file of somebody else.</summary>
        public Loop(string file) => (File, Path) = (file, Command.Run("losetup", "--find", "--show", file).StandardOutput.Trim());

        /// <summary>Over a part of another one.</summary>
        public Loop(Loop below) => (File, Path) = (below.Path, Command.Run("losetup", "--find", "--show", "--offset", "1048576", below.Path).StandardOutput.Trim());

        public string File { get; }

        public string Path { get; }

        public string Name => System.IO.Path.GetFileName(Path);

        public void Dispose()
        {
            Command.TryRun(Command.DefaultTimeout, "losetup", "--detach", Path);
            folder.Dispose();
        }
    }
}
