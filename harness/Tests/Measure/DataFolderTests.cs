using System.Diagnostics;
using System.Text.Json;
using Bench.Disk;
using Bench.Measure;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Bench.Measure.Running;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.Measure;

public sealed class DataFolderTests : IDisposable
{
    private const string Run = "20261122-130138-5f3a";

    private readonly TestFolder folder = new();
    private readonly StopSignal stop = new();

    public void Dispose() => folder.Dispose();

    private string Target => folder.FullPath;

    private static string BootId => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    /// <summary>The id of a process that has ended.</summary>
    private static int DeadProcess()
    {
        using var process = Process.Start("true");
        process.WaitForExit();
        return process.Id;
    }

    /// <summary>A folder as a run leaves it that was killed: owner's file unlocked, data in it.</summary>
    private string Leftover(string name, DataOwner? owner, string? text = null)
    {
        var path = folder.Folder(name);
        File.WriteAllText(Path.Combine(path, "owner.json"), text ?? JsonSerializer.Serialize(owner, RecordJson.Options));
        File.WriteAllBytes(Path.Combine(path, "data-4KiB.bin"), new byte[4096]);
        return path;
    }

    private string[] RemoveLeftovers() => [.. DataFolder.RemoveLeftovers(Target)];

    [Fact]
    public void AFolderIsMadeForItsOwnerAloneAndRemovedWithItsData()
    {
        string path;
        using (var data = DataFolder.Create(Target, Run, keep: false))
        {
            path = data.Path;
            Assert.Equal(Path.Combine(Target, ".bench-" + Run), path);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
            data.FileOf(ByteSize.KiB(4), 1, stop);
            Assert.Equal(Environment.ProcessId, data.Owner.ProcessId);
            Assert.Equal(BootId, data.Owner.BootId);
        }
        Assert.False(Directory.Exists(path));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Target));
    }

    [Fact]
    public void DisposedTwiceIsDisposedOnce()
    {
        var data = DataFolder.Create(Target, Run, keep: false);
        data.Dispose();
        data.Dispose();
    }

    /// <summary>As when Ctrl-C finds a case at making a thousand logs, and does not wait for it.</summary>
    [Fact]
    public void AFolderIsRemovedThoughSomebodyStillMakesFilesInIt()
    {
        var data = DataFolder.Create(Target, Run, keep: false);
        using var begun = new ManualResetEventSlim();
        var until = Stopwatch.StartNew();
        var maker = new Thread(() =>
        {
            var logs = Path.Combine(data.Path, "logs");
            for (var i = 0; until.ElapsedMilliseconds < 150; i++)
            {
                try
                {
                    Directory.CreateDirectory(Path.Combine(logs, $"append-{i}"));
                }
                catch (IOException)
                {
                    // Removed between the two folders.
                }
                if (i == 100)
                    begun.Set();
            }
        });
        maker.Start();
        begun.Wait();
        data.Dispose();
        maker.Join();
        // What it has made since is for the next start to remove; the removal itself did not fail.
        Assert.False(File.Exists(Path.Combine(data.Path, "owner.json")));
    }

    [Fact]
    public void WhatExistsAlreadyIsNotTakenOver()
    {
        var elsewhere = folder.Folder("elsewhere");
        File.CreateSymbolicLink(Path.Combine(Target, ".bench-" + Run), elsewhere);
        Assert.Throws<IOException>(() => DataFolder.Create(Target, Run, keep: false));
        Assert.Empty(Directory.EnumerateFileSystemEntries(elsewhere));
    }

    [Fact]
    public void AKeptFolderStaysAndIsReusedWithItsFiles()
    {
        string path, file;
        using (var data = DataFolder.Create(Target, Run, keep: true))
        {
            path = data.Path;
            file = data.FileOf(ByteSize.KiB(64), 1, stop);
        }
        Assert.Empty(RemoveLeftovers());
        var before = File.ReadAllBytes(file);
        using (var again = DataFolder.Reuse(path + "/", "20261122-140000-0001"))
        {
            Assert.Equal(path, again.Path);
            Assert.Equal(file, again.FileOf(ByteSize.KiB(64), 2, stop));
            Assert.Equal(0, again.LaidOutBytes);
            Assert.Equal(before, File.ReadAllBytes(file));
            Assert.Equal("20261122-140000-0001", again.Owner.Run);
        }
        Assert.True(File.Exists(file));
    }

    [Fact]
    public void FilesThatTwoFoldersShareAreTheSameAndStayWhenOneFolderGoes()
    {
        using var other = DataFolder.Create(Target, "20261122-140000-0002", keep: true);
        string file;
        using (var data = DataFolder.Create(Target, Run, keep: false))
        {
            file = data.FileOf(ByteSize.KiB(64), 1, stop);
            Assert.Null(DataFolder.ShareFiles(data.Path, other.Path));
            // Again, with one that is there: it stays.
            Assert.Null(DataFolder.ShareFiles(data.Path, other.Path));
            var shared = other.FileOf(ByteSize.KiB(64), 2, stop);
            Assert.Equal(0, other.LaidOutBytes);
            File.AppendAllText(file, "x");
            Assert.Equal((64 << 10) + 1, new FileInfo(shared).Length);
            // The owner's file is each folder's own.
            Assert.Equal(2, Directory.GetFiles(other.Path).Length);
        }
        Assert.False(File.Exists(file));
        Assert.True(File.Exists(Path.Combine(other.Path, Path.GetFileName(file))));
    }

    [RootFact]
    public void WithoutHardLinksFilesAreNotSharedAndItIsSaid()
    {
        // Another file system: link(2) cannot reach it, as it can't where there are no hard links.
        using var data = DataFolder.Create(Target, Run, keep: false);
        data.FileOf(ByteSize.KiB(4), 1, stop);
        Assert.Contains("link", DataFolder.ShareFiles(data.Path, "/dev/shm"), StringComparison.Ordinal);
    }

    [Fact]
    public void AFolderThatWasNotKeptOrIsInUseIsNotReused()
    {
        using var live = DataFolder.Create(Target, Run, keep: true);
        Assert.Contains("in use", Assert.Throws<PlanException>(() => DataFolder.Reuse(live.Path, Run)).Message, StringComparison.Ordinal);
        var dead = Leftover(".bench-20261122-130138-0001", new DataOwner(Run, DeadProcess(), BootId, Kept: false));
        foreach (var path in new[] { dead, folder.Folder("empty"), folder.File("missing") })
            Assert.Contains("--keep", Assert.Throws<PlanException>(() => DataFolder.Reuse(path, Run)).Message, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(dead, "data-4KiB.bin")));
    }

    [Fact]
    public void TheLeftoverOfADeadProcessAndThatOfAnotherBootAreRemoved()
    {
        var dead = Leftover(".bench-20261122-130138-0001", new DataOwner(Run, DeadProcess(), BootId, Kept: false));
        // The process id may be anybody's by now: of this very process, say.
        var boot = Leftover(".bench-20261122-130138-0002", new DataOwner(Run, Environment.ProcessId, "another boot", Kept: false));
        var recycled = Leftover(".bench-20261122-130138-0003", new DataOwner(Run, 1, "another boot", Kept: false));
        Assert.Equal(new[] { dead, boot, recycled }.Order(), RemoveLeftovers().Order());
        Assert.Empty(Directory.EnumerateFileSystemEntries(Target));
    }

    [Fact]
    public void TheFolderOfALiveRunStays()
    {
        using var live = DataFolder.Create(Target, Run, keep: false);
        Assert.Empty(RemoveLeftovers());
        Assert.True(Directory.Exists(live.Path));
    }

    /// <summary>The lock is what counts, not the process id: another container has other ids.</summary>
    [Fact]
    public void AFolderWhoseLockIsHeldStaysWhateverItsOwnersFileSays()
    {
        var path = Leftover(".bench-20261122-130138-0001", new DataOwner(Run, DeadProcess(), "another boot", Kept: false));
        using (new FileStream(Path.Combine(path, "owner.json"), FileMode.Open, FileAccess.ReadWrite, FileShare.None))
            Assert.Empty(RemoveLeftovers());
        Assert.Equal([path], RemoveLeftovers());
    }

    [NeedsFact("flock", "sleep")]
    public void ALockHeldByAnotherProcessCounts()
    {
        var path = Leftover(".bench-20261122-130138-0001", new DataOwner(Run, DeadProcess(), "another boot", Kept: false));
        var owner = Path.Combine(path, "owner.json");
        using var holder = Process.Start(new ProcessStartInfo("flock", ["--exclusive", "--no-fork", owner, "sleep", "60"]))!;
        try
        {
            // Until it has the lock; a lock that never comes fails the test below.
            for (var i = 0; i < 500 && !IsLocked(owner); i++)
                Thread.Sleep(10);
            Assert.True(IsLocked(owner));
            Assert.Empty(RemoveLeftovers());
        }
        finally
        {
            holder.Kill();
            holder.WaitForExit();
        }
        Assert.Equal([path], RemoveLeftovers());
    }

    /// <summary>Both sides of a gate start at once, and each looks for leftovers where the other takes over what is kept for it.</summary>
    [Fact]
    public async Task AKeptFolderThatIsTakenOverAgainAndAgainIsNeverALeftover()
    {
        var path = Leftover(".bench-20261122-130138-0001", new DataOwner(Run, DeadProcess(), "another boot", Kept: true));
        // Before that a folder without an owner may be one that is just being made.
        await Task.Delay(TimeSpan.FromSeconds(10.5));
        using var ending = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        var removed = new List<string>();
        var looking = Task.Run(() =>
        {
            while (!ending.IsCancellationRequested)
                removed.AddRange(RemoveLeftovers());
        });
        var taken = 0;
        while (!ending.IsCancellationRequested)
        {
            DataFolder.Reuse(path, Run).Dispose();
            taken++;
        }
        await looking;
        Assert.Empty(removed);
        Assert.True(taken > 10, $"taken {taken} times");
        Assert.True(Directory.Exists(path));
    }

    [Fact]
    public void AKeptFolderIsNoLeftover()
    {
        Leftover(".bench-20261122-130138-0001", new DataOwner(Run, DeadProcess(), "another boot", Kept: true));
        Assert.Empty(RemoveLeftovers());
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"run\":\"2026")]
    [InlineData("[]")]
    [InlineData("null")]
    public void AnOwnersFileThatTellsNothingIsGivenTimeToBeWritten(string text)
    {
        // A run that starts at this moment has made the file and not locked it yet.
        var path = Leftover(".bench-20261122-130138-0001", null, text);
        Assert.Empty(RemoveLeftovers());
        Assert.True(Directory.Exists(path));
    }

    [Fact]
    public void AnEmptyFolderIsGivenTimeToo()
    {
        folder.Folder(".bench-20261122-130138-0001");
        Assert.Empty(RemoveLeftovers());
    }

    [Fact]
    public void FoldersWithOtherNamesAndFilesAreNotTouched()
    {
        var owner = new DataOwner(Run, DeadProcess(), "another boot", Kept: false);
        string[] names =
        [
            ".bench-", ".bench-data", ".bench-20261122-130138", ".bench-20261122-130138-5f3", ".bench-20261122-130138-5f3ab",
            ".bench-20261122-130138-5F3A", ".bench-20261122-130138-5f3a.old", "bench-20261122-130138-5f3a", ".bench-2026112a-130138-5f3a",
            ".bench-20261122-130138-5f3a\n", ".bench-٢٠261122-130138-5f3a",
        ];
        foreach (var name in names)
            Leftover(name, owner);
        File.WriteAllText(folder.File(".bench-20261122-130138-0009"), "a file");
        var nested = Leftover("inner/.bench-20261122-130138-0001", owner);
        Assert.Empty(RemoveLeftovers());
        Assert.True(Directory.Exists(nested));
        Assert.Equal(names.Length + 2, Directory.EnumerateFileSystemEntries(Target).Count());
    }

    [Fact]
    public void ALinkIsNeverFollowed()
    {
        var elsewhere = Leftover("elsewhere", new DataOwner(Run, DeadProcess(), "another boot", Kept: false));
        File.CreateSymbolicLink(folder.File(".bench-20261122-130138-0001"), elsewhere);
        Assert.Empty(RemoveLeftovers());
        Assert.True(File.Exists(Path.Combine(elsewhere, "data-4KiB.bin")));

        // Nor is one inside a leftover: it goes, what it points to stays.
        var leftover = Leftover(".bench-20261122-130138-0002", new DataOwner(Run, DeadProcess(), "another boot", Kept: false));
        File.CreateSymbolicLink(Path.Combine(leftover, "link"), elsewhere);
        Assert.Equal([leftover], RemoveLeftovers());
        Assert.True(File.Exists(Path.Combine(elsewhere, "data-4KiB.bin")));
    }

    [Theory]
    [InlineData(4096)]
    [InlineData(5000)]
    [InlineData(3 << 20)]
    [InlineData((5 << 20) + 12345)]
    public void ALaidOutFileIsWholeAllocatedOnTheDeviceAndIncompressible(long lengthBytes)
    {
        using var data = DataFolder.Create(Target, Run, keep: false);
        var shares = new List<double>();
        var path = data.FileOf(new ByteSize(lengthBytes), 4711, stop, shares.Add);
        using var file = DiskFile.Open(path, OpenMode.Read);
        Assert.Equal(lengthBytes, file.LengthBytes);
        Assert.True(file.AllocatedBytes >= lengthBytes, "no holes");
        Assert.Equal(0, PageCache.ResidencyOf(file).DirtyPages ?? 0);
        Assert.True(FilePassTests.CompressedShare(path) > 0.99);
        Assert.Equal(lengthBytes, data.LaidOutBytes);
        Assert.Equal(shares.Order(), shares);
        Assert.Equal(1, shares[^1]);
    }

    [Fact]
    public void AFileIsLaidOutOnceAndSharedByTheCasesOfARun()
    {
        using var data = DataFolder.Create(Target, Run, keep: false);
        var path = data.FileOf(ByteSize.KiB(64), 1, stop);
        var first = File.ReadAllBytes(path);
        Assert.Equal(path, data.FileOf(ByteSize.KiB(64), 2, stop));
        Assert.Equal(first, File.ReadAllBytes(path));
        Assert.NotEqual(path, data.FileOf(ByteSize.KiB(64), 1, stop, purpose: "other"));
        Assert.NotEqual(path, data.FileOf(ByteSize.KiB(68), 1, stop));
        Assert.Equal(196 << 10, data.LaidOutBytes);
    }

    [Fact]
    public void TheSeedDecidesTheContent()
    {
        using var data = DataFolder.Create(Target, Run, keep: false);
        byte[] Content(string purpose, ulong seed) => File.ReadAllBytes(data.FileOf(ByteSize.KiB(64), seed, stop, purpose: purpose));
        Assert.Equal(Content("a", 1), Content("b", 1));
        Assert.NotEqual(Content("a", 1), Content("c", 2));
    }

    [Fact]
    public void AStopDuringTheLayoutLeavesNoFile()
    {
        using var data = DataFolder.Create(Target, Run, keep: true);
        Assert.Throws<OperationCanceledException>(() => data.FileOf(ByteSize.MiB(8), 1, stop, share =>
        {
            if (share > 0.4)
                stop.Request();
        }));
        Assert.Equal(["owner.json"], Directory.EnumerateFiles(data.Path).Select(Path.GetFileName));
        Assert.Equal(0, data.LaidOutBytes);
    }

    [Fact]
    public void AHalfWrittenFileOfAnEarlierRunIsWrittenAnew()
    {
        using var data = DataFolder.Create(Target, Run, keep: true);
        File.WriteAllBytes(Path.Combine(data.Path, "data-64KiB.bin"), new byte[1000]);
        var path = data.FileOf(ByteSize.KiB(64), 1, stop);
        Assert.Equal(64 << 10, new FileInfo(path).Length);
        Assert.True(FilePassTests.CompressedShare(path) > 0.99);
    }

    [RootFact]
    public void AFullDiskEndsTheLayoutWithItsErrorAndLeavesNoFile()
    {
        using var small = new TmpfsMount(2 << 20);
        using (var data = DataFolder.Create(small.MountPath, Run, keep: false))
        {
            Assert.True(Assert.Throws<DiskException>(() => data.FileOf(ByteSize.MiB(8), 1, stop)).IsNoSpace);
            Assert.Equal(["owner.json"], Directory.EnumerateFiles(data.Path).Select(Path.GetFileName));
        }
        Assert.Empty(Directory.EnumerateFileSystemEntries(small.MountPath));
    }

    private static bool IsLocked(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }
}
