using Bench.Disk.Topology;
using Bench.Measure.Evidence;
using Bench.Measure.Records;
using Xunit;

namespace Bench.Harness.Tests.Measure;

/// <summary>Every claim from constructed passes: what proves it, what contradicts it, and what leaves it open.</summary>
public sealed class ClaimsTests
{
    private const long Bytes = 1_000_000;

    /// <summary>Reads that came from the device and left nothing in the cache: cold, direct, uncached.</summary>
    private static PassRecord FromDevice => new()
    {
        Seconds = 1,
        Bytes = Bytes,
        Operations = 100_000,
        CpuUserSeconds = 0.25,
        CpuSystemSeconds = 0.5,
        ProcessReadBytes = Bytes,
        DeviceReadBytes = Bytes,
        ProcessWriteBytes = Bytes,
        DeviceWriteBytes = Bytes,
        DeviceFlushes = 2,
        ResidencyBefore = 0,
        ResidencyAfter = 0,
        TouchedResidencyAfter = 0,
        QueueDepthMean = 32,
        DeviceQueueDepthMean = 30,
        MajorFaults = 0,
    };

    /// <summary>Reads and overwrites of a cached file.</summary>
    private static PassRecord FromCache => FromDevice with { ProcessReadBytes = 0, DeviceReadBytes = 0, ResidencyBefore = 1, ResidencyAfter = 1 };

    /// <summary>Claim, what proves it, and for each figure that decides: a pass beyond its bound, one at it, and one without it.</summary>
    private sealed record Rule(string Name, Func<IReadOnlyList<PassRecord>, ClaimRecord> Claim, PassRecord Good, params Bound[] Bounds);

    private sealed record Bound(string Figure, Func<PassRecord, PassRecord> AtBound, Func<PassRecord, PassRecord> Beyond, Func<PassRecord, PassRecord> Unread);

    private static readonly Bound ReadFromStorage = new(
        "processReadBytesPerByte", pass => pass with { ProcessReadBytes = 980_000 }, pass => pass with { ProcessReadBytes = 979_000 }, pass => pass with { ProcessReadBytes = null });

    private static readonly Bound ReadFromDisk = new(
        "deviceReadBytesPerByte", pass => pass with { DeviceReadBytes = 980_000 }, pass => pass with { DeviceReadBytes = 410_000 }, pass => pass with { DeviceReadBytes = null });

    private static readonly Bound HardlyRead = new(
        "processReadBytesPerByte", pass => pass with { ProcessReadBytes = 20_000 }, pass => pass with { ProcessReadBytes = 21_000 }, pass => pass with { ProcessReadBytes = null });

    private static readonly Bound WrittenToStorage = new(
        "processWriteBytesPerByte", pass => pass with { ProcessWriteBytes = 980_000 }, pass => pass with { ProcessWriteBytes = 0 }, pass => pass with { ProcessWriteBytes = null });

    private static readonly Bound WrittenToDisk = new(
        "deviceWriteBytesPerByte", pass => pass with { DeviceWriteBytes = 980_000 }, pass => pass with { DeviceWriteBytes = 970_000 }, pass => pass with { DeviceWriteBytes = null });

    private static readonly Bound Evicted = new(
        "residencyBefore", pass => pass with { ResidencyBefore = 0.01 }, pass => pass with { ResidencyBefore = 0.02 }, pass => pass with { ResidencyBefore = null });

    private static readonly Bound Cached = new(
        "residencyBefore", pass => pass with { ResidencyBefore = 0.99 }, pass => pass with { ResidencyBefore = 0.98 }, pass => pass with { ResidencyBefore = null });

    private static readonly Bound NotGrown = new(
        "residencyGrowth", pass => pass with { ResidencyAfter = pass.ResidencyBefore + 0.01 }, pass => pass with { ResidencyAfter = pass.ResidencyBefore + 0.5 }, pass => pass with { ResidencyAfter = null });

    private static readonly Bound Left = new(
        "touchedResidencyAfter", pass => pass with { TouchedResidencyAfter = 0.02 }, pass => pass with { TouchedResidencyAfter = 0.03 }, pass => pass with { TouchedResidencyAfter = null });

    private static readonly Rule[] Rules =
    [
        new("cold", Claims.Cold, FromDevice, Evicted, ReadFromStorage, ReadFromDisk),
        new("warm", Claims.Warm, FromCache, Cached, HardlyRead),
        new("direct", passes => Claims.Direct(passes, flagStands: true, writes: false, peakResidencyOfProbe: null), FromDevice, NotGrown, ReadFromStorage, ReadFromDisk),
        new("direct", passes => Claims.Direct(passes, flagStands: true, writes: true, peakResidencyOfProbe: 0), FromDevice, NotGrown, WrittenToStorage, WrittenToDisk),
        new("uncached", passes => Claims.Uncached(passes, writes: false), FromDevice, Left, ReadFromStorage, ReadFromDisk),
        new("uncached", passes => Claims.Uncached(passes, writes: true), FromDevice, Left, WrittenToStorage),
        new("warm", passes => Claims.BufferedWrite(passes, flagStands: false, startsCached: true), FromCache, Cached, HardlyRead),
        new("cold", passes => Claims.BufferedWrite(passes, flagStands: false, startsCached: false), FromCache with { ResidencyBefore = 0 }, Evicted, HardlyRead),
        new("durable", passes => Claims.Durable(passes, ["write back"]), FromDevice, new Bound(
            "deviceFlushesPerPass", pass => pass with { DeviceFlushes = 1 }, pass => pass with { DeviceFlushes = 0 }, pass => pass with { DeviceFlushes = null })),
        new("queue-depth", passes => Claims.QueueDepth(passes, 32), FromDevice, new Bound(
            "queueDepthMean", pass => pass with { QueueDepthMean = 28.8 }, pass => pass with { QueueDepthMean = 28.7 }, pass => pass with { QueueDepthMean = null })),
        new("in-memory", passes => Claims.InMemory(passes, 1L << 30, 32L << 20), FromCache, new Bound(
            "majorFaults", pass => pass with { MajorFaults = 0 }, pass => pass with { MajorFaults = 1 }, pass => pass with { MajorFaults = null }),
            new Bound("processReadBytesPerByte", pass => pass, pass => pass with { ProcessReadBytes = 4096 }, pass => pass with { ProcessReadBytes = null })),
    ];

    [Theory]
    [InlineData(8, 32, 6.5, Verdict.Proven)]      // 8 × (1 − 7 / 64) = 7.1, nine tenths of it 6.4
    [InlineData(8, 32, 6.3, Verdict.Contradicted)]
    [InlineData(8, 8, 4.1, Verdict.Proven)]       // 8 × (1 − 7 / 16) = 4.5, nine tenths of it 4.05
    [InlineData(8, 7, 6.9, Verdict.Contradicted)] // seven never fill it
    [InlineData(8, 1_000_000, 7.1, Verdict.Contradicted)]
    public void A_queue_that_empties_at_the_end_of_few_operations_was_full(int depth, long operations, double mean, Verdict verdict) =>
        Assert.Equal(verdict, Claims.QueueDepth([FromDevice with { Operations = operations, QueueDepthMean = mean }], depth).Verdict);

    public static TheoryData<int, int> EveryBound()
    {
        var all = new TheoryData<int, int>();
        for (var rule = 0; rule < Rules.Length; rule++)
            for (var bound = 0; bound < Rules[rule].Bounds.Length; bound++)
                all.Add(rule, bound);
        return all;
    }

    [Theory]
    [MemberData(nameof(EveryBound))]
    public void AClaimHoldsAtItsBoundAndTheWorstPassAloneBreaksIt(int ruleIndex, int boundIndex)
    {
        var rule = Rules[ruleIndex];
        var bound = rule.Bounds[boundIndex];
        var good = rule.Good;

        AssertClaim(rule.Claim([good, good]), rule.Name, Verdict.Proven);
        AssertClaim(rule.Claim([good, bound.AtBound(good), good]), rule.Name, Verdict.Proven);

        var broken = rule.Claim([good, bound.Beyond(good), good]);
        AssertClaim(broken, rule.Name, Verdict.Contradicted);
        Assert.Equal([bound.Figure], broken.Figures.Where(figure => figure.Holds == false).Select(figure => figure.Name));
        Assert.Contains(bound.Figure, broken.Reason, StringComparison.Ordinal);
        Assert.Contains(broken.Figures.Single(figure => figure.Holds == false).Expected, broken.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(EveryBound))]
    public void ACounterThatOnePassLacksLeavesAClaimUnprovenUnlessAFigureContradicts(int ruleIndex, int boundIndex)
    {
        var rule = Rules[ruleIndex];
        var bound = rule.Bounds[boundIndex];
        var good = rule.Good;

        var unread = rule.Claim([good, bound.Unread(good), good]);
        AssertClaim(unread, rule.Name, Verdict.Unproven);
        var figure = unread.Figures.Single(one => one.Name == bound.Figure);
        Assert.Null(figure.Observed);
        Assert.Null(figure.Holds);
        Assert.Equal($"could not be read: {bound.Figure}", unread.Reason);

        // The same figure of another pass, and each other figure, can still contradict.
        AssertClaim(rule.Claim([bound.Unread(good), bound.Beyond(good)]), rule.Name, Verdict.Contradicted);
        foreach (var other in rule.Bounds.Where(other => other != bound))
            AssertClaim(rule.Claim([bound.Unread(good), other.Beyond(good)]), rule.Name, Verdict.Contradicted);
        AssertClaim(rule.Claim([]), rule.Name, Verdict.Unproven);
    }

    [Theory]
    [InlineData(false, "rw", "direct", Verdict.Unproven)]
    [InlineData(true, "rw", "direct", Verdict.Proven)]
    [InlineData(false, "rw", "warm", Verdict.Proven)]
    [InlineData(true, "rw,nobarrier", "durable", Verdict.Unproven)]
    [InlineData(true, "rw,nobarrier", "direct", Verdict.Proven)]
    public void WhatOthersCouldHaveFilledIsNotProven(bool loopDirectIo, string options, string claim, Verdict verdict)
    {
        var disk = new BlockDevice { Name = "sda", Kind = BlockDeviceKind.Disk };
        var target = new DeviceTopology
        {
            Folder = "/mnt",
            Mount = new MountInfo { MountPoint = "/mnt", FileSystem = "ext4", Source = "/dev/loop0", Options = options },
            Devices = [new BlockDevice { Name = "loop0", Kind = BlockDeviceKind.Loop, LoopDirectIo = loopDirectIo, Below = [disk] }],
        };
        var within = Claims.Within(Claims.Judge(claim), target);
        Assert.Equal(verdict, within.Verdict);
        Assert.Equal(verdict == Verdict.Proven, within.Reason is null);
    }

    [Fact]
    public void ALoopDeviceWithNoDiskBelowIsNoPhysicalDisk()
    {
        var loop = new BlockDevice { Name = "loop0", Kind = BlockDeviceKind.Loop };
        var target = new DeviceTopology
        {
            Folder = "/mnt",
            Mount = new MountInfo { MountPoint = "/mnt", FileSystem = "ext4", Source = "/dev/loop0", Options = "rw" },
            Devices = [loop, new BlockDevice { Name = "sda", Kind = BlockDeviceKind.Disk }],
        };
        Assert.Empty(target.PhysicalDisks());
    }

    [Theory]
    [InlineData(0.0, Verdict.Proven)]
    [InlineData(0.3, Verdict.Contradicted)]
    [InlineData(null, Verdict.Unproven)]
    public void ADirectWriteThatWasSeenInTheCacheWhileItRanIsContradicted(double? peakResidency, Verdict verdict) =>
        Assert.Equal(verdict, Claims.Direct([FromDevice], flagStands: true, writes: true, peakResidency).Verdict);

    [Fact]
    public void ADescriptorThatLostItsFlagIsNotDirectAndOneThatHasItIsNotBuffered()
    {
        Assert.Equal(Verdict.Contradicted, Claims.Direct([FromDevice], flagStands: false, writes: false, peakResidencyOfProbe: null).Verdict);
        Assert.Equal(Verdict.Contradicted, Claims.BufferedWrite([FromCache], flagStands: true, startsCached: true).Verdict);
    }

    [Fact]
    public void APassThatMovedNothingProvesNothing()
    {
        var nothing = FromDevice with { Bytes = 0, Operations = 0 };
        foreach (var claim in new[] { Claims.Cold([nothing]), Claims.Direct([nothing], true, false, null), Claims.Direct([nothing], true, true, 0), Claims.Warm([FromCache with { Bytes = 0 }]) })
            Assert.Equal(Verdict.Unproven, claim.Verdict);
    }

    [Fact]
    public void OthersTrafficOnTheDeviceDoesNotContradictAWarmRead()
    {
        var claim = Claims.Warm([FromCache with { DeviceReadBytes = 5 * Bytes }]);
        Assert.Equal(Verdict.Proven, claim.Verdict);
        var informs = claim.Figures.Single(figure => figure.Informs);
        Assert.Equal((5.0, null), (informs.Observed, informs.Holds));
        Assert.Equal(Verdict.Proven, Claims.Warm([FromCache with { DeviceReadBytes = null }]).Verdict);
    }

    [Fact]
    public void ADeviceThatWritesThroughNeedsNoFlush()
    {
        Assert.Equal(Verdict.Proven, Claims.Durable([FromDevice with { DeviceFlushes = 0 }], ["write through", "write through"]).Verdict);
        // One disk with a volatile cache is enough, and one that does not say could have one.
        Assert.Equal(Verdict.Contradicted, Claims.Durable([FromDevice with { DeviceFlushes = 0 }], ["write through", "write back"]).Verdict);
        Assert.Equal(Verdict.Contradicted, Claims.Durable([FromDevice with { DeviceFlushes = 0 }], ["write through", null]).Verdict);
        Assert.Equal(Verdict.Unproven, Claims.Durable([FromDevice with { DeviceFlushes = null }], []).Verdict);
    }

    [Fact]
    public void ARegionThatFitsTheCacheIsNotMemory()
    {
        Assert.Equal(Verdict.Contradicted, Claims.InMemory([FromCache], 127L << 20, 32L << 20).Verdict);
        Assert.Equal(Verdict.Proven, Claims.InMemory([FromCache], 128L << 20, 32L << 20).Verdict);
        Assert.Equal(Verdict.Unproven, Claims.InMemory([FromCache], 1L << 30, null).Verdict);
        Assert.Equal(Verdict.Unproven, Claims.InMemory([FromCache], 1L << 30, 0).Verdict);
    }

    [Theory]
    [InlineData(0.95, true, "huge-pages", Verdict.Proven)]
    [InlineData(0.94, true, "huge-pages", Verdict.Contradicted)]
    [InlineData(null, true, "huge-pages", Verdict.Unproven)]
    [InlineData(0.01, false, "small-pages", Verdict.Proven)]
    [InlineData(0.5, false, "small-pages", Verdict.Contradicted)]
    [InlineData(null, false, "small-pages", Verdict.Unproven)]
    public void PagesAreOfTheKindThatWasAskedFor(double? share, bool huge, string name, Verdict verdict) =>
        AssertClaim(Claims.PageSize(share, huge), name, verdict);

    [Theory]
    [InlineData(true, true, "zero-copy", Verdict.Proven)]
    [InlineData(false, true, "zero-copy", Verdict.Contradicted)]
    [InlineData(null, true, "zero-copy", Verdict.Unproven)]
    [InlineData(false, false, "copied", Verdict.Proven)]
    [InlineData(true, false, "copied", Verdict.Contradicted)]
    [InlineData(null, false, "copied", Verdict.Unproven)]
    public void ZeroCopyIsWhatTheReceiverSaw(bool? sawChange, bool zeroCopy, string name, Verdict verdict)
    {
        var claim = Claims.ZeroCopy(sawChange, zeroCopy, [FromDevice, FromDevice with { CpuUserSeconds = 1, CpuSystemSeconds = 1 }]);
        AssertClaim(claim, name, verdict);
        Assert.Equal(2000, claim.Figures.Single(figure => figure.Name == "cpuSecondsPerGB").Observed!.Value, 1e-6);
        Assert.Null(Claims.ZeroCopy(true, true, [FromDevice with { Bytes = 0 }]).Figures.Single(figure => figure.Informs).Observed);
    }

    [Fact]
    public void TheVerdictOnACaseIsTheWorstOfItsClaims()
    {
        static ClaimRecord With(Verdict verdict) => new() { Claim = verdict.ToString(), Verdict = verdict };
        Assert.Equal(Verdict.Proven, Claims.Conclude([With(Verdict.Proven), With(Verdict.Proven)]).Verdict);
        Assert.Equal(Verdict.Unproven, Claims.Conclude([With(Verdict.Proven), With(Verdict.Unproven)]).Verdict);
        Assert.Equal(Verdict.Contradicted, Claims.Conclude([With(Verdict.Contradicted), With(Verdict.Unproven), With(Verdict.Proven)]).Verdict);
        Assert.Equal(Verdict.Unproven, Claims.Conclude([]).Verdict);
    }

    [Fact]
    public void AFigureThatIsNoNumberWasNotRead()
    {
        foreach (var value in new[] { double.NaN, double.PositiveInfinity })
        {
            Assert.Equal(Verdict.Unproven, Claims.Judge("x", Claims.AtLeast("f", value, 1)).Verdict);
            Assert.Equal(Verdict.Unproven, Claims.Judge("x", Claims.AtMost("f", value, 1)).Verdict);
            Assert.Null(Claims.Informs("f", value, "").Observed);
        }
    }

    [Fact]
    public void BoundsAndReasonsAreWrittenTheSameUnderEveryCulture()
    {
        using var set = new CultureScope("de-DE");
        var claim = Claims.Cold([FromDevice with { DeviceReadBytes = 410_000 }]);
        Assert.Equal("deviceReadBytesPerByte is 0.41, expected ≥ 0.98", claim.Reason);
    }

    private static void AssertClaim(ClaimRecord claim, string name, Verdict verdict)
    {
        Assert.Equal((name, verdict), (claim.Claim, claim.Verdict));
        Assert.Equal(verdict == Verdict.Proven, claim.Reason is null);
    }
}
