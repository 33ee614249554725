using System.Security.Cryptography;
using System.Text.Json;
using Bench.TestSupport;
using Xunit;

namespace Bench.Program.Tests;

/// <summary><c>bench log</c> over folders that Kafka wrote.</summary>
public class LogCommandTests
{
    private static readonly string GoldenFolder = Path.Combine(Repository.Root, "harness", "Tests", "golden");
    private static readonly string[] Settings = ["--segment-bytes", "2048", "--index-interval-bytes", "256", "--segment-index-bytes", "4096", "--now", "1700000100000"];

    [Theory]
    [InlineData("plain-0")]
    [InlineData("codecs-0")]
    [InlineData("txn-0")]
    public void Dump_json_is_what_the_manifest_says(string name)
    {
        using var place = new RunPlace();
        var manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(GoldenFolder, name + ".manifest.json"))).RootElement;
        var expected = manifest.GetProperty("segments").EnumerateArray()
            .SelectMany(segment => segment.GetProperty("batches").EnumerateArray().Select(batch => (Segment: segment.GetProperty("baseOffset").GetInt64(), Batch: batch))).ToArray();
        var lines = BenchProgram.Run(place.Folder, "log", "dump", Path.Combine(GoldenFolder, name), "--records", "--json").Expect(0).OutputLines;
        Assert.Equal(expected.Length, lines.Count);
        foreach (var ((segment, batch), line) in expected.Zip(lines))
        {
            var ours = JsonDocument.Parse(line).RootElement;
            Assert.Equal(segment, ours.GetProperty("segment").GetInt64());
            Assert.Equal(batch.EnumerateObject().Count() + 1, ours.EnumerateObject().Count());
            Assert.All(batch.EnumerateObject(), property => Assert.True(JsonElement.DeepEquals(property.Value, ours.GetProperty(property.Name)), $"{name} {property.Name}: {ours.GetProperty(property.Name)}"));
        }
    }

    [Fact]
    public void Dump_is_a_line_per_batch_and_with_records_a_line_per_record()
    {
        using var place = new RunPlace();
        var batches = BenchProgram.Run(place.Folder, "log", "dump", Path.Combine(GoldenFolder, "base-0")).Expect(0).OutputLines;
        Assert.All(batches, line => Assert.StartsWith("segment ", line, StringComparison.Ordinal));
        var records = BenchProgram.Run(place.Folder, "log", "dump", Path.Combine(GoldenFolder, "base-0"), "--records").Expect(0).OutputLines;
        Assert.Equal(batches, records.Where(line => !line.StartsWith(' ')));
        // Each offset is there: the folder has no gaps.
        Assert.Equal(109, records.Count(line => line.StartsWith("  offset ", StringComparison.Ordinal)));
    }

    [Fact]
    public void Dump_shows_what_it_can_of_a_damaged_log_and_names_the_damage()
    {
        using var place = new RunPlace();
        var result = BenchProgram.Run(place.Folder, "log", "dump", Path.Combine(GoldenFolder, "damaged", "flip-record-byte-0"), "--json", "--records").Expect(1);
        var wrong = Assert.Single(result.OutputLines, line => !JsonDocument.Parse(line).RootElement.GetProperty("valid").GetBoolean());
        Assert.Equal(487, JsonDocument.Parse(wrong).RootElement.GetProperty("position").GetInt64());
        Assert.Contains("00000000000000000092.log at byte 487: the checksum of a batch is", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_says_no_faults_or_one_line_per_fault()
    {
        using var place = new RunPlace();
        var sound = BenchProgram.Run(place.Folder, "log", "verify", Path.Combine(GoldenFolder, "txn-0")).Expect(0);
        Assert.StartsWith("no faults: ", Assert.Single(sound.OutputLines), StringComparison.Ordinal);
        Assert.Equal("", sound.Error);
        var damaged = BenchProgram.Run(place.Folder, "log", "verify", Path.Combine(GoldenFolder, "damaged", "index-garbage-middle-0")).Expect(1);
        Assert.NotEmpty(damaged.OutputLines);
        Assert.All(damaged.OutputLines, line => Assert.Contains("00000000000000000024.index at byte ", line, StringComparison.Ordinal));
    }

    [Fact]
    public void Verify_goes_over_the_partitions_of_a_log_directory()
    {
        using var place = new RunPlace();
        foreach (var name in (string[])["plain-0", "txn-0"])
            CopyGolden(name, Path.Combine(place.Folder, "logs", name));
        Assert.Contains(" of 2 partitions, ", Assert.Single(BenchProgram.Run(place.Folder, "log", "verify", "logs").Expect(0).OutputLines), StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(place.Folder, "logs", "recovery-point-offset-checkpoint"), "0\n1\nplain 0 99999999\n");
        Assert.Contains("the recovery point of plain-0 is 99999999", Assert.Single(BenchProgram.Run(place.Folder, "log", "verify", "logs").Expect(1).OutputLines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("flip-record-byte", "loadUnclean")]
    [InlineData("middle-segment-flip-record-byte", "loadUnclean")]
    [InlineData("missing-index-middle", "loadClean", "--clean")]
    public void Recover_makes_of_a_copy_what_Kafka_makes_and_leaves_the_folder_as_it_is(string name, string load, params string[] further)
    {
        using var place = new RunPlace();
        var kafkas = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(GoldenFolder, "damaged", "manifest.json"))).RootElement
            .GetProperty("cases").EnumerateArray().Single(one => one.GetProperty("case").GetString() == name).GetProperty(load);
        var folder = Path.Combine(GoldenFolder, "damaged", name + "-0");
        var before = Hashes(folder);
        var copy = Path.Combine(place.Folder, "copy");
        var ours = JsonDocument.Parse(Assert.Single(BenchProgram.Run(place.Folder, ["log", "recover", folder, "--to", copy, .. Settings, .. further]).Expect(0).OutputLines)).RootElement;
        Assert.Equal(before, Hashes(folder));
        foreach (var property in (string[])["logEndOffset", "recoveryPoint", "segments", "activeProducers", "firstUnstableOffset", "epochs"])
            Assert.True(JsonElement.DeepEquals(kafkas.GetProperty(property), ours.GetProperty(property)), $"{property}: {ours.GetProperty(property)}");
        var files = ours.GetProperty("after").GetProperty("files");
        foreach (var file in kafkas.GetProperty("after").GetProperty("files").EnumerateObject().Where(file => !file.Name.EndsWith(".snapshot", StringComparison.Ordinal)))
            Assert.True(JsonElement.DeepEquals(file.Value, files.GetProperty(file.Name)), file.Name);
        Assert.Equal(Hashes(copy), files.EnumerateObject().Select(file => $"{file.Name} {file.Value.GetProperty("sha256").GetString()}").Order(StringComparer.Ordinal));
        if (name != "missing-index-middle")
            BenchProgram.Run(place.Folder, "log", "verify", copy).Expect(0);
    }

    [Theory]
    [InlineData("dump")]
    [InlineData("verify")]
    [InlineData("recover", "--to", "copy")]
    public void A_log_from_before_Kafka_0_11_is_named_and_refused(string command, params string[] further)
    {
        using var place = new RunPlace();
        var result = BenchProgram.Run(place.Folder, ["log", command, Path.Combine(GoldenFolder, "legacy-0"), .. further]).Expect(1);
        Assert.Contains("a format before Kafka 0.11 that is not read here", Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.Equal("", result.Output);
        Assert.False(Path.Exists(Path.Combine(place.Folder, "copy")));
    }

    [Theory]
    [InlineData("is no folder", "dump", "missing")]
    [InlineData("is no folder", "verify", "")]
    [InlineData("has no segment", "verify", ".")]
    [InlineData("is no folder", "recover", "missing", "--to", "copy")]
    [InlineData("--to", "recover", "GOLDEN")]
    [InlineData("--to is empty", "recover", "GOLDEN", "--to", "")]
    [InlineData("exists", "recover", "GOLDEN", "--to", ".")]
    [InlineData("never written to", "recover", "GOLDEN", "--to", "GOLDEN/copy")]
    [InlineData("--segment-bytes is 5", "recover", "GOLDEN", "--to", "copy", "--segment-bytes", "5")]
    [InlineData("--index-interval-bytes", "recover", "GOLDEN", "--to", "copy", "--index-interval-bytes", "many")]
    [InlineData("--now", "recover", "GOLDEN", "--to", "copy", "--now", "-5")]
    [InlineData("' is no command of bench log; there are dump, verify, recover", "GOLDEN")]
    [InlineData("'undump' is no command of bench log", "undump")]
    [InlineData("Required command")]
    public void Wrong_use_is_refused_in_one_sentence(string told, params string[] arguments)
    {
        using var place = new RunPlace();
        var golden = Path.Combine(GoldenFolder, "base-0");
        var before = Hashes(golden);
        var result = BenchProgram.Run(place.Folder, ["log", .. arguments.Select(argument => argument.Replace("GOLDEN", golden, StringComparison.Ordinal))]).Expect(64);
        var sentence = Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => !line.EndsWith("--help' lists what there is", StringComparison.Ordinal));
        Assert.StartsWith("bench: ", sentence, StringComparison.Ordinal);
        Assert.Contains(told, sentence, StringComparison.Ordinal);
        Assert.Equal("", result.Output);
        Assert.Equal(before, Hashes(golden));
        Assert.False(Path.Exists(Path.Combine(place.Folder, "copy")));
        Assert.False(Path.Exists(Path.Combine(golden, "copy")));
    }

    /// <summary>A pipe would be waited for until somebody wrote into it.</summary>
    [NeedsTheory("mkfifo")]
    [InlineData("00000000000000000099.log", "dump")]
    [InlineData("00000000000000000099.log", "verify")]
    [InlineData("00000000000000000000.index", "verify")]
    [InlineData("00000000000000000099.log", "recover", "--to", "copy")]
    [InlineData("some.pipe", "recover", "--to", "copy")]
    public void A_pipe_in_the_folder_is_named_and_not_waited_for(string pipe, string command, params string[] further)
    {
        using var place = new RunPlace();
        var folder = CopyGolden("base-0", Path.Combine(place.Folder, "topic-0"));
        File.Delete(Path.Combine(folder, pipe));
        Command.Run("mkfifo", Path.Combine(folder, pipe));
        var result = BenchProgram.Run(place.Folder, ["log", command, folder, .. further]).Expect(1);
        Assert.Contains($"{pipe}: it is no regular file", result.Output + result.Error, StringComparison.Ordinal);
        Assert.False(Path.Exists(Path.Combine(place.Folder, "copy")));
    }

    [Fact]
    public void Recover_that_is_stopped_leaves_no_copy_and_holes_stay_holes()
    {
        using var place = new RunPlace();
        var folder = CopyGolden("base-0", Path.Combine(place.Folder, "topic-0"));
        var last = Directory.GetFiles(folder, "*.log").Order(StringComparer.Ordinal).Last();
        // What a broker that preallocates has ahead, and more than could be copied in the time of a test.
        using (var ahead = File.OpenWrite(last))
            ahead.SetLength(200L << 30);
        var copy = Path.Combine(place.Folder, "copy");
        BenchProgram.Run(place.Folder, "log", "recover", folder, "--to", copy).Expect(0);
        Directory.Delete(copy, recursive: true);

        using (var large = File.Create(Path.Combine(folder, "00000000000000009999.deleted")))
            for (var i = 0; i < 2048; i++)
                large.Write(new byte[1 << 20]);
        using var program = BenchProgram.Start(place.Folder, "log", "recover", folder, "--to", copy);
        program.WaitUntil(() => File.Exists(Path.Combine(copy, "00000000000000009999.deleted")), "the copy");
        program.Signal("TERM");
        Assert.Contains("stopped", program.WaitForEnd(BenchProgram.DefaultTimeout).Expect(130).Error, StringComparison.Ordinal);
        Assert.False(Path.Exists(copy));
    }

    [Theory]
    [InlineData("dump")]
    [InlineData("verify")]
    [InlineData("recover", "--to", "copy")]
    public void A_folder_with_a_segments_name_is_named(string command, params string[] further)
    {
        using var place = new RunPlace();
        var folder = CopyGolden("base-0", Path.Combine(place.Folder, "topic-0"));
        Directory.CreateDirectory(Path.Combine(folder, "00000000000000000999.log"));
        var result = BenchProgram.Run(place.Folder, ["log", command, folder, .. further]).Expect(1);
        Assert.Contains("00000000000000000999.log", result.Output + result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_partition_that_cannot_be_read_hides_no_other()
    {
        using var place = new RunPlace();
        foreach (var (name, source) in new[] { ("a-0", "base-0"), ("b-0", Path.Combine("damaged", "flip-record-byte-0")) })
            CopyGolden(source, Path.Combine(place.Folder, "logs", name));
        // A link that leads nowhere cannot be opened by root either.
        var index = Directory.GetFiles(Path.Combine(place.Folder, "logs", "a-0"), "*.log").Order(StringComparer.Ordinal).Last();
        File.Delete(index);
        File.CreateSymbolicLink(index, Path.Combine(place.Folder, "nowhere"));
        var result = BenchProgram.Run(place.Folder, "log", "verify", "logs").Expect(1);
        Assert.Contains(result.OutputLines, line => line.Contains("a-0", StringComparison.Ordinal) && line.Contains("cannot be looked at", StringComparison.Ordinal));
        Assert.Contains(result.OutputLines, line => line.Contains("b-0", StringComparison.Ordinal) && line.Contains("checksum", StringComparison.Ordinal));
    }

    [Fact]
    public void Dump_names_a_batch_of_an_unknown_magic()
    {
        using var place = new RunPlace();
        var folder = Directory.CreateDirectory(Path.Combine(place.Folder, "topic-0")).FullName;
        var log = Directory.GetFiles(Path.Combine(GoldenFolder, "base-0"), "*.log").Order(StringComparer.Ordinal).First();
        var bytes = File.ReadAllBytes(log);
        // It lies outside the checksum.
        bytes[16] = 3;
        File.WriteAllBytes(Path.Combine(folder, Path.GetFileName(log)), bytes);
        Assert.Contains("magic 3", BenchProgram.Run(place.Folder, "log", "dump", folder).Expect(1).Error, StringComparison.Ordinal);
    }

    [RootFact("mkfs.ext4", "losetup", "/dev/loop-control")]
    public void Recover_leaves_no_half_copy_where_it_does_not_fit()
    {
        using var small = LoopFileSystem.Ext4(24 << 20);
        using var place = new RunPlace();
        var folder = CopyGolden("base-0", Path.Combine(place.Folder, "topic-0"));
        using (var large = File.Create(Path.Combine(folder, "99999999999999999999.deleted")))
            for (var i = 0; i < 32; i++)
                large.Write(new byte[1 << 20]);
        var copy = Path.Combine(small.MountPath, "copy");
        BenchProgram.Run(place.Folder, "log", "recover", folder, "--to", copy).Expect(1);
        Assert.False(Path.Exists(copy));
    }

    private static string CopyGolden(string name, string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(Path.Combine(GoldenFolder, name)))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        return folder;
    }

    private static string[] Hashes(string folder) =>
        [.. Directory.GetFiles(folder).Select(file => $"{Path.GetFileName(file)} {Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)))}").Order(StringComparer.Ordinal)];
}
