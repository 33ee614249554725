using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Bench.SegmentLog;
using Bench.SegmentLog.Inspect;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>Damaged folders come to what Kafka makes of them, or to what the table of differences says.</summary>
public class DamagedLogTests
{
    private static readonly JsonElement Manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Golden.FullPath, "damaged", "manifest.json"))).RootElement;

    /// <summary>
    /// What is deliberately another result after a clean stop: case, what of it, and why. The table for readers is
    /// KAFKA-DIFFERENCES.md.
    /// </summary>
    private static readonly (string Case, string What, string Why)[] CleanDifferences =
    [
        ("tail-cut-mid-batch", LastLog, TornTail),
        ("tail-cut-10B-of-header", LastLog, TornTail),
        ("tail-cut-61B-header-only", LastLog, TornTail),
        ("garbage-tail-100B", LastLog, TornTail),
        ("zero-tail-4096B", "exception", "Kafka throws on the zeros and does not start the partition; every batch before them is sound"),
    ];

    private const string LastLog = "00000000000000000092.log";
    private const string TornTail = "Kafka keeps what is behind the last whole batch and appends after it, where no reader comes to";

    private static IEnumerable<string> Names => Manifest.GetProperty("cases").EnumerateArray().Select(one => one.GetProperty("case").GetString()!);

    public static TheoryData<string> Cases => [.. Names];

    [Theory]
    [MemberData(nameof(Cases))]
    public void After_an_unclean_stop_every_file_is_as_Kafka_leaves_it(string name)
    {
        var (storage, result) = Recover(name, LastStop.Unclean);
        var kafkas = Case(name).GetProperty("loadUnclean");
        foreach (var property in (string[])["logEndOffset", "recoveryPoint", "segments", "activeProducers", "firstUnstableOffset", "epochs"])
            GoldenManifest.AssertSame(kafkas.GetProperty(property), result.GetProperty(property), $"{name}.{property}");
        AssertSameFiles(kafkas.GetProperty("after").GetProperty("files"), storage, (_, _) => false);
        var (after, ours) = (kafkas.GetProperty("after"), result.GetProperty("after"));
        Assert.Equal(after.GetProperty("leaderEpochCheckpoint").GetString(), ours.GetProperty("leaderEpochCheckpoint").GetString());
        GoldenManifest.AssertSame(after.GetProperty("segments"), ours.GetProperty("segments"), $"{name}.after.segments");
        GoldenReadTests.AssertSameSnapshots(after.GetProperty("producerSnapshots"), ours.GetProperty("producerSnapshots"), name);

        var segment = Case(name).GetProperty("segmentRecover");
        var recovered = result.GetProperty("recovered").EnumerateArray()
            .Single(one => one.GetProperty("baseOffset").GetInt64() == Case(name).GetProperty("targetSegment").GetInt64());
        foreach (var property in (string[])["logSizeBefore", "bytesTruncated", "logSizeAfter", "nextOffset"])
            GoldenManifest.AssertSame(segment.GetProperty(property), recovered.GetProperty(property), $"{name}.segmentRecover.{property}");
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void After_a_clean_stop_every_file_is_as_Kafka_leaves_it_but_for_the_known_differences(string name)
    {
        var (storage, result) = Recover(name, LastStop.Clean);
        var kafkas = Case(name).GetProperty("loadClean");
        if (kafkas.TryGetProperty("exception", out _))
        {
            Assert.True(IsDifference(name, "exception"));
            // Ours opens, and comes to the same as after an unclean stop.
            var recovered = Recover(name, LastStop.Unclean).Storage;
            Assert.All(recovered.Paths.Where(path => !path.EndsWith(".snapshot", StringComparison.Ordinal)), path => Assert.Equal(recovered.Get(path), storage.Get(path)));
            return;
        }
        foreach (var property in (string[])["logEndOffset", "recoveryPoint", "segments", "activeProducers", "firstUnstableOffset", "epochs"])
            if (!IsDifference(name, property))
                GoldenManifest.AssertSame(kafkas.GetProperty(property), result.GetProperty(property), $"{name}.{property}");
        AssertSameFiles(kafkas.GetProperty("after").GetProperty("files"), storage, (file, ours) => IsDifference(name, file));
        // Where the log is another, it is only shorter, and all that is missing is no batch.
        if (IsDifference(name, LastLog))
        {
            var before = File.ReadAllBytes(Path.Combine(Golden.FullPath, "damaged", name + "-0", LastLog));
            var after = storage.Get("/log/" + LastLog);
            Assert.Equal(before[..after.Length], after);
            Assert.Equal(Case(name).GetProperty("segmentRecover").GetProperty("logSizeAfter").GetInt64(), after.Length);
        }
    }

    [Fact]
    public void Every_known_difference_is_one()
    {
        foreach (var (name, what, why) in CleanDifferences.Where(one => one.What == LastLog))
        {
            var kafkas = Case(name).GetProperty("loadClean").GetProperty("after").GetProperty("files").GetProperty(what).GetProperty("size").GetInt64();
            Assert.True(kafkas != Recover(name, LastStop.Clean).Storage.Get("/log/" + what).Length, why);
        }
    }

    [Fact]
    public void What_a_recovery_leaves_is_left_as_it_is_by_a_further_opening()
    {
        foreach (var name in Names)
        {
            var (storage, _) = Recover(name, LastStop.Unclean);
            var before = storage.Clone();
            using (var log = PartitionLog.Open("/log", Config, new LogOpenOptions { Storage = storage, Clock = GoldenManifest.Clock, CleanStop = true, Worker = LogWorker.AtOnce }))
                log.Close();
            Assert.Equal(before.Paths.Order(StringComparer.Ordinal), storage.Paths.Order(StringComparer.Ordinal));
            Assert.All(before.Paths, path => Assert.Equal(before.Get(path), storage.Get(path)));
        }
    }

    private static LogConfig Config => GoldenManifest.ConfigOf(Manifest.GetProperty("config"));

    private static bool IsDifference(string name, string what) => CleanDifferences.Any(one => one.Case == name && one.What == what);

    private static JsonElement Case(string name) => Manifest.GetProperty("cases").EnumerateArray().Single(one => one.GetProperty("case").GetString() == name);

    private static (MemoryStorage Storage, JsonElement Result) Recover(string name, LastStop stop)
    {
        var storage = GoldenManifest.Load(Path.Combine(Golden.FullPath, Case(name).GetProperty("dir").GetString()!));
        RecoveryReport report;
        using (var log = PartitionLog.Open("/log", Config, new LogOpenOptions { Storage = storage, Clock = GoldenManifest.Clock, CleanStop = stop == LastStop.Clean, Worker = LogWorker.AtOnce }))
        {
            report = log.Recovery;
            log.Close();
        }
        return (storage, GoldenManifest.Written(json => RecoveryCopy.Write(json, report, storage, "/log")));
    }

    private static void AssertSameFiles(JsonElement expected, MemoryStorage storage, Func<string, MemoryStorage, bool> isDifference)
    {
        var kafkas = expected.EnumerateObject().ToDictionary(file => file.Name, file => (Size: file.Value.GetProperty("size").GetInt64(), Sha256: file.Value.GetProperty("sha256").GetString()!));
        var ours = storage.Paths.ToDictionary(path => Path.GetFileName(path), storage.Get);
        var wrong = new List<string>();
        foreach (var name in kafkas.Keys.Union(ours.Keys).Order(StringComparer.Ordinal).Where(name => !isDifference(name, storage)))
        {
            if (!ours.TryGetValue(name, out var bytes))
                wrong.Add($"{name} is missing");
            else if (!kafkas.TryGetValue(name, out var file))
                wrong.Add(string.Create(CultureInfo.InvariantCulture, $"{name} of {bytes.Length} bytes is one too many"));
            else if (bytes.Length != file.Size)
                wrong.Add(string.Create(CultureInfo.InvariantCulture, $"{name} has {bytes.Length} bytes instead of {file.Size}"));
            // The order of a snapshot's producers is not defined; they are compared one by one.
            else if (!name.EndsWith(".snapshot", StringComparison.Ordinal) && Convert.ToHexStringLower(SHA256.HashData(bytes)) != file.Sha256)
                wrong.Add($"{name} has other bytes");
        }
        Assert.True(wrong.Count == 0, string.Join("; ", wrong));
    }
}
