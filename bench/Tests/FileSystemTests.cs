using Bench.Measure.Records;
using Bench.TestSupport;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>
/// The smoke profile on every file system that can be made here: each case is proven, or not for the reason that this
/// file system really has. Smoke passes last 10 ms, so that one slow request can keep a queue from being full: the
/// depth is judged elsewhere.
/// </summary>
public class FileSystemTests
{
    [Fact]
    public void On_the_disk_of_these_tests_every_case_is_proven()
    {
        using var place = new RunPlace();
        var records = Smoke(place, exitCode: 0);
        Assert.All(records, record => Assert.Null(record.Error));
        Assert.All(records, record => AssertOnlyNot(place, record, [.. ReadAheadOfAWholeSmallFile(record), .. CacheThatIsNotTold(record)]));
    }

    [RootTheory("mkfs.ext4", "mkfs.xfs", "losetup", "/dev/loop-control")]
    [InlineData("ext4")]
    [InlineData("xfs")]
    public void On_a_loop_device_with_direct_io_every_case_is_proven(string fileSystem)
    {
        using var made = fileSystem == "ext4" ? LoopFileSystem.Ext4() : LoopFileSystem.Xfs();
        using var place = new RunPlace(made.MountPath);
        var records = Smoke(place, exitCode: 0, OnDisk);
        Assert.All(records, record => Assert.Equal(fileSystem, record.Target.Mount.FileSystem));
        Assert.All(records, record => AssertOnlyNot(place, record, ReadAheadOfAWholeSmallFile(record)));
    }

    [RootTheory("mkfs.btrfs", "losetup", "/dev/loop-control")]
    [InlineData("raid1")]
    [InlineData("raid0")]
    public void On_btrfs_direct_writes_go_through_the_cache_and_uncached_reads_are_not_there(string profile)
    {
        using var made = LoopFileSystem.Btrfs(profile, 2);
        using var place = new RunPlace(made.MountPath);
        AssertUncachedIsLeftOutUnlessNamed(place);
        var records = Smoke(place, exitCode: 0, OnDisk);
        foreach (var record in records)
        {
            Assert.Null(record.Error);
            AssertOnlyNot(place, record, IsDirect(record) && record.Operation == "Write" ? ["direct"] : []);
            // What to do about it, where there is something to be done.
            Assert.Equal(record.Evidence.Claims.Any(claim => claim.Reason?.Contains("residencyWithinProbeWrite", StringComparison.Ordinal) == true), record.Warnings.Any(warning => warning.Contains("chattr +C", StringComparison.Ordinal)));
        }
        // Which kernel writes how is its own affair; what is said must be the same for all direct writes.
        Assert.Single(records.Where(record => IsDirect(record) && record.Operation == "Write").Select(record => record.Claim("direct").Verdict).Distinct());
    }

    [RootFact("mkfs.btrfs", "losetup", "/dev/loop-control", "chattr")]
    public void On_btrfs_without_checksums_direct_writes_are_direct()
    {
        using var made = LoopFileSystem.Btrfs("raid0", 2);
        Command.Run("chattr", "+C", made.MountPath);
        using var place = new RunPlace(made.MountPath);
        var records = Smoke(place, exitCode: 0, "CachePath*Access=Direct, Operation=Write*psync*");
        Assert.All(records, record => Assert.True(
            place.SecondLook(record, claim => claim.Claim != "direct" || claim.Verdict == Verdict.Proven).Claim("direct").Verdict == Verdict.Proven, record.Evidence.Told()));
    }

    [RootFact]
    public void On_tmpfs_nothing_is_cold_direct_or_durable()
    {
        using var tmpfs = new TmpfsMount(128 << 20);
        using var place = new RunPlace(tmpfs.MountPath);
        AssertUncachedIsLeftOutUnlessNamed(place);
        var records = Smoke(place, exitCode: 0, OnDisk);
        Assert.All(records, record => Assert.Contains(record.Target.Warnings, warning => warning.Contains("memory", StringComparison.Ordinal)));
        foreach (var record in records)
        {
            Assert.Null(record.Error);
            foreach (var claim in record.Evidence.Claims)
            {
                if (claim.Claim is "cold" or "direct")
                    Assert.Equal(Verdict.Contradicted, claim.Verdict);
                else if (claim.Claim is "durable")
                    Assert.NotEqual(Verdict.Proven, claim.Verdict);
                else if (claim.Claim is "warm" or "zero-copy" or "copied")
                    Assert.Equal(Verdict.Proven, place.SecondLook(record, one => one.Claim != claim.Claim || one.Verdict == Verdict.Proven).Claim(claim.Claim).Verdict);
            }
        }
    }

    // Memory has nothing to do with the target; it is measured once, on the disk of the tests.
    private static readonly string[] OnDisk = ["*Medium=Disk*", "CachePath*", "Transfer*", "LogAppend*", "LogRead*", "LogRecovery*"];

    private static IReadOnlyList<RunRecord> Smoke(RunPlace place, int exitCode, params string[] filters)
    {
        var stranger = Path.Combine(place.Target, "stranger");
        File.WriteAllText(stranger, "kept");
        var before = place.TargetListing();
        var result = place.Smoke([.. filters.SelectMany(filter => new[] { "--filter", filter })]).Expect(exitCode);
        Assert.Equal(before, place.TargetListing());
        var (records, warnings) = RunStore.Read(place.Out);
        Assert.Empty(warnings);
        Assert.Equal(result.Records.Select(record => record.Case), records.Select(record => record.Case));
        if (filters is [] || filters == OnDisk)
            Assert.True(records.Count > 30);
        return records;
    }

    private static bool IsUncached(RunRecord record) => record.Has("Access", "Uncached");

    private static bool IsDirect(RunRecord record) => record.Has("Access", "Direct") || record.Has("Medium", "Disk");

    /// <summary>
    /// A sequential pass with RWF_DONTCACHE over the whole of a small file: the kernel drops a large folio at its first
    /// read, reads the rest of it ahead again, and some of that stays. True, and only of files as small as its window.
    /// </summary>
    private static string[] ReadAheadOfAWholeSmallFile(RunRecord record) =>
        IsUncached(record) && record.Has("Pattern", "Sequential") ? ["uncached"] : [];

    /// <summary>Some virtual machines hide the processor's caches; whether a region is larger than they are cannot be told then.</summary>
    private static string[] CacheThatIsNotTold(RunRecord record) =>
        record.Host.LastLevelCacheBytes is null && record.Host.Warnings.Any(warning => warning.Contains("does not tell the size of its processor's caches", StringComparison.Ordinal))
            ? ["in-memory"]
            : [];

    /// <summary>A profile leaves out what the target cannot do and says so; asked for by name it fails with the reason.</summary>
    private static void AssertUncachedIsLeftOutUnlessNamed(RunPlace place)
    {
        string[] reads = ["--filter", "CachePath*Operation=Read, Pattern=Random*psync*Threads=1*", "--filter", "LogRead*Cache=D*"];
        var told = BenchProgram.Run(place.Folder, ["run", "-p", "smoke", "--target", place.Target, "--out", Path.Combine(place.Folder, "told"), "--no-report", "--json", .. reads]).Expect(0);
        Assert.DoesNotContain(told.Records, record => IsUncached(record) || record.Has("Cache", "DontCache"));
        Assert.Contains(told.Records, record => record.Has("Cache", "DropBehind"));
        foreach (var (value, filter) in new[] { ("Access=Uncached", reads[1]), ("Cache=DontCache", reads[3]) })
        {
            Assert.Contains($"Left out 1 case of {value}", told.Error, StringComparison.Ordinal);
            var named = BenchProgram.Run(place.Folder, ["run", "-p", "smoke", "--target", place.Target, "--out", Path.Combine(place.Folder, value), "--no-report", "--json", "--filter", filter, "--set", value]).Expect(1);
            Assert.NotEmpty(named.Records);
            Assert.All(named.Records, record => Assert.Contains("not supported by this file system or kernel (EOPNOTSUPP)", record.Error, StringComparison.Ordinal));
            Assert.All(named.Records, record => Assert.Equal(Verdict.Unproven, record.Evidence.Verdict));
        }
    }

    [RootFact("mkfs.ext4", "losetup", "/dev/loop-control")]
    public void On_an_overlay_where_cachestat_is_blind_warm_is_still_proven()
    {
        using var made = LoopFileSystem.Ext4();
        string[] folders = [.. new[] { "lower", "upper", "work", "merged" }.Select(name => Directory.CreateDirectory(Path.Combine(made.MountPath, name)).FullName)];
        Command.Run("mount", "-t", "overlay", "overlay", "-o", $"lowerdir={folders[0]},upperdir={folders[1]},workdir={folders[2]}", folders[3]);
        try
        {
            using var place = new RunPlace(folders[3]);
            var records = Smoke(place, exitCode: 0, "CachePath*Buffered*");
            foreach (var record in records)
            {
                Assert.Equal("mincore", record.Effective["residencySource"]!.GetValue<string>());
                AssertOnlyNot(place, record);
            }
        }
        finally
        {
            Command.Run("umount", folders[3]);
        }
    }

    [RootFact("mkfs.ext4", "losetup", "/dev/loop-control")]
    public void A_loop_device_over_memory_is_no_disk_and_proves_nothing_of_one()
    {
        using var tmpfs = new TmpfsMount(512L << 20);
        var image = Path.Combine(tmpfs.MountPath, "image");
        using (var file = File.Create(image))
            file.SetLength(256L << 20);
        var loop = Command.Run("losetup", "--find", "--show", image).StandardOutput.Trim();
        try
        {
            Command.Run("mkfs.ext4", "-q", loop);
            using var folder = new TestFolder();
            var mounted = folder.Folder("mounted");
            Command.Run("mount", loop, mounted);
            try
            {
                using var place = new RunPlace(mounted);
                foreach (var record in Smoke(place, exitCode: 0, "CachePath*Access=Direct*psync*Threads=1*", "CachePath*BufferedCold, Operation=Read*"))
                    foreach (var claim in record.Evidence.Claims.Where(claim => claim.Claim is "direct" or "cold" or "durable"))
                        Assert.NotEqual(Verdict.Proven, claim.Verdict);
            }
            finally
            {
                Command.Run("umount", mounted);
            }
        }
        finally
        {
            Command.Run("losetup", "--detach", loop);
        }
    }

    private static void AssertOnlyNot(RunPlace place, RunRecord record, params string[] exceptions)
    {
        Assert.NotEmpty(record.Evidence.Claims);
        record = place.SecondLook(record, Holds);
        Assert.True(record.Evidence.Claims.All(Holds), $"{record.Case}: {record.Evidence.Told()}");

        bool Holds(ClaimRecord claim) => claim.Verdict == Verdict.Proven || exceptions.Contains(claim.Claim) || claim.Claim == "queue-depth"
            || claim.SaysNotAtRest();
    }
}
