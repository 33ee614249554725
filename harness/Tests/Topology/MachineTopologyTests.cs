using System.Diagnostics;
using Bench.Disk.Topology;
using Xunit;

namespace Bench.Harness.Tests.Topology;

/// <summary>The probe on the machine that runs the tests, and on file systems that are made for them.</summary>
public sealed class MachineTopologyTests
{
    [Fact]
    public void A_temporary_folder_lies_on_what_its_mount_says()
    {
        using var folder = new ScratchFolder();

        DeviceTopology topology = new TopologyProbe().Probe(folder.Path);

        Assert.Equal(folder.Path, topology.Folder);
        Assert.NotEqual("unknown", topology.Mount.FileSystem);
        Assert.False(topology.Mount.ReadOnly);
        Assert.InRange(topology.FreeBytes, 1, topology.TotalBytes);
        foreach (BlockDevice disk in topology.PhysicalDisks())
        {
            Assert.True(Directory.Exists($"/sys/class/block/{disk.Name}"), disk.Name);
            Assert.True(disk.SizeBytes > 0);
        }
    }

    [Fact]
    public void A_link_to_a_folder_on_another_file_system_is_followed()
    {
        using var folder = new ScratchFolder();
        string link = $"{folder.Path}/link";
        Directory.CreateSymbolicLink(link, "/proc/self");

        Assert.Equal("proc", new TopologyProbe().Probe(link).Mount.FileSystem);
    }

    [RootFact("mkfs.xfs", "losetup", "mount")]
    public void XFS_on_a_loop_device_is_followed_to_the_disk_and_direct_IO_is_seen_off_and_on()
    {
        using var folder = new ScratchFolder();
        string below = new TopologyProbe().Probe(folder.Path).PhysicalDisks()[0].Name;
        // mkfs.xfs makes nothing smaller than this.
        string loop = folder.Loop("xfs.img", 320L << 20);
        ScratchFolder.Run("mkfs.xfs", "-q", loop);
        string mount = folder.Mount(loop);

        ScratchFolder.Run("losetup", "--direct-io=off", loop);
        DeviceTopology off = new TopologyProbe().Probe(mount);
        ScratchFolder.Run("losetup", "--direct-io=on", loop);
        DeviceTopology on = new TopologyProbe().Probe(mount);

        Assert.Equal(("xfs", loop), (off.Mount.FileSystem, off.Mount.Source));
        BlockDevice device = Assert.Single(off.Devices);
        Assert.Equal((BlockDeviceKind.Loop, $"{folder.Path}/xfs.img", 320L << 20), (device.Kind, device.BackingFile, device.SizeBytes));
        Assert.Equal([below], off.PhysicalDisks().Select(disk => disk.Name));
        Assert.False(device.LoopDirectIo);
        Assert.Contains(off.Warnings, IsAboutDirectIo);
        Assert.True(on.Devices[0].LoopDirectIo);
        Assert.DoesNotContain(on.Warnings, IsAboutDirectIo);

        static bool IsAboutDirectIo(string warning) => warning.Contains("direct I/O off", StringComparison.Ordinal);
    }

    [RootFact("mkfs.btrfs", "btrfs", "losetup", "mount")]
    public void A_btrfs_raid1_over_two_loop_devices_shows_both()
    {
        using var folder = new ScratchFolder();
        string[] loops = [folder.Loop("a.img", 256L << 20), folder.Loop("b.img", 256L << 20)];
        ScratchFolder.Run("mkfs.btrfs", ["-q", "-d", "raid1", "-m", "raid1", .. loops]);
        ScratchFolder.Run("btrfs", ["device", "scan", .. loops]);
        string mount = folder.Mount(loops[1]);

        DeviceTopology topology = new TopologyProbe().Probe(mount);

        Assert.Equal("btrfs", topology.Mount.FileSystem);
        Assert.Equal("raid1", topology.DataProfile);
        Assert.Equal(loops.Select(loop => loop["/dev/".Length..]).Order(), topology.Devices.Select(device => device.Name).Order());
        Assert.Single(topology.PhysicalDisks());
    }

    [RootFact("mount")]
    public void A_tmpfs_has_no_device_and_says_so()
    {
        using var folder = new ScratchFolder();
        string mount = folder.Mount("tmpfs", "-t", "tmpfs", "-o", "size=16m");

        DeviceTopology topology = new TopologyProbe().Probe(mount);

        Assert.Empty(topology.Devices);
        Assert.Equal(16L << 20, topology.TotalBytes);
        Assert.StartsWith("tmpfs has no device below it", Assert.Single(topology.Warnings), StringComparison.Ordinal);
    }

    /// <summary>A fact that needs root and tools, and is skipped with the reason where they are missing.</summary>
    private sealed class RootFactAttribute : FactAttribute
    {
        public RootFactAttribute(params string[] tools)
        {
            if (!Environment.IsPrivilegedProcess)
                Skip = "needs root, to mount";
            else if (tools.FirstOrDefault(tool => Find(tool) is null) is { } missing)
                Skip = $"needs {missing}";
            else if (tools.Contains("losetup") && !File.Exists("/dev/loop-control"))
                Skip = "needs loop devices";
            else if (tools.Contains("losetup") && new TopologyProbe().Probe(Path.GetTempPath()) is { Devices.Count: 0, Mount.FileSystem: var type })
                Skip = $"needs a temporary folder on a disk, not on {type}";
        }
    }

    private static string? Find(string tool) =>
        $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin".Split(':').Select(folder => Path.Combine(folder, tool)).FirstOrDefault(File.Exists);

    /// <summary>A folder with loop devices and mounts, all removed at the end, the last made first.</summary>
    private sealed class ScratchFolder : IDisposable
    {
        private readonly Stack<Action> undo = new();

        public ScratchFolder()
        {
            Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"bench-topology-{Guid.NewGuid():N}");
            Directory.CreateDirectory(Path);
        }

        public string Path { get; }

        public string Loop(string name, long bytes)
        {
            string image = $"{Path}/{name}";
            using (FileStream file = File.Create(image))
                file.SetLength(bytes);
            string loop = Run("losetup", "--find", "--show", image);
            undo.Push(() => Run("losetup", "--detach", loop));
            return loop;
        }

        public string Mount(string source, params string[] options)
        {
            string point = $"{Path}/mnt";
            Directory.CreateDirectory(point);
            Run("mount", [.. options, source, point]);
            undo.Push(() => Run("umount", point));
            return point;
        }

        public void Dispose()
        {
            var failures = new List<Exception>();
            while (undo.TryPop(out Action? step))
            {
                try
                {
                    step();
                }
                catch (InvalidOperationException e)
                {
                    failures.Add(e);
                }
            }

            // Never through a mount that would not go away.
            if (failures.Count > 0)
                throw new AggregateException(failures);
            Directory.Delete(Path, recursive: true);
        }

        public static string Run(string tool, params string[] arguments)
        {
            using Process process = Process.Start(new ProcessStartInfo(Find(tool) ?? tool, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0
                ? output.Trim()
                : throw new InvalidOperationException($"{tool} {string.Join(' ', arguments)} ended with {process.ExitCode}: {errors.GetAwaiter().GetResult()}");
        }
    }
}
