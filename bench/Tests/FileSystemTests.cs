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
        Assert.All(records, record => AssertOnlyNot(place, record, ReadAheadOfAWholeSmallFile(record)));
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
        var records = Smoke(place, exitCode: 1, OnDisk);
        foreach (var record in records)
        {
            if (IsUncached(record))
            {
                AssertUnsupported(record);
                continue;
            }
            Assert.Null(record.Error);
            AssertOnlyNot(place, record, IsDirect(record) && record.Operation == "Write" ? ["direct"] : []);
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
        Assert.All(records, record => Assert.True(record.Claim("direct").Verdict == Verdict.Proven, record.Evidence.Told()));
    }

    [RootFact]
    public void On_tmpfs_nothing_is_cold_direct_or_durable()
    {
        using var tmpfs = new TmpfsMount();
        using var place = new RunPlace(tmpfs.MountPath);
        var records = Smoke(place, exitCode: 1, OnDisk);
        Assert.All(records, record => Assert.Contains(record.Target.Warnings, warning => warning.Contains("memory", StringComparison.Ordinal)));
        foreach (var record in records)
        {
            if (IsUncached(record))
            {
                AssertUnsupported(record);
                continue;
            }
            Assert.Null(record.Error);
            foreach (var claim in record.Evidence.Claims)
            {
                if (claim.Claim is "cold" or "direct")
                    Assert.Equal(Verdict.Contradicted, claim.Verdict);
                else if (claim.Claim is "durable")
                    Assert.NotEqual(Verdict.Proven, claim.Verdict);
                else if (claim.Claim is "warm" or "zero-copy" or "copied")
                    Assert.Equal(Verdict.Proven, claim.Verdict);
            }
        }
    }

    // Memory has nothing to do with the target; it is measured once, on the disk of the tests.
    private static readonly string[] OnDisk = ["*Medium=Disk*", "CachePath*", "Transfer*"];

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

    private static void AssertUnsupported(RunRecord record)
    {
        Assert.Contains("not supported by this file system or kernel (EOPNOTSUPP)", record.Error, StringComparison.Ordinal);
        Assert.Equal(Verdict.Unproven, record.Evidence.Verdict);
    }

    private static void AssertOnlyNot(RunPlace place, RunRecord record, params string[] exceptions)
    {
        Assert.NotEmpty(record.Evidence.Claims);
        record = place.SecondLook(record, Holds);
        Assert.True(record.Evidence.Claims.All(Holds), $"{record.Case}: {record.Evidence.Told()}");

        bool Holds(ClaimRecord claim) => claim.Verdict == Verdict.Proven || exceptions.Contains(claim.Claim) || claim.Claim == "queue-depth";
    }
}
