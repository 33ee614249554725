using System.Globalization;
using System.Text;
using System.Text.Json;
using Bench.SegmentLog;
using Bench.SegmentLog.Storage;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>A golden folder and what Kafka said of it.</summary>
internal sealed class GoldenManifest
{
    /// <summary>The loader's clock in all of them.</summary>
    internal static readonly TimeProvider Clock = new ManualClock(1700000100000);

    private GoldenManifest(string name, JsonElement root)
    {
        Name = name;
        Root = root;
    }

    internal string Name { get; }

    internal JsonElement Root { get; }

    internal string Folder => Path.Combine(Golden.FullPath, Name);

    internal IEnumerable<JsonElement> Segments => Root.GetProperty("segments").EnumerateArray();

    internal IEnumerable<JsonElement> Batches => Segments.SelectMany(segment => segment.GetProperty("batches").EnumerateArray());

    internal LogConfig Config => ConfigOf(Root.GetProperty("config"));

    internal static GoldenManifest Open(string name) =>
        new(name, JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Golden.FullPath, name + ".manifest.json"))).RootElement);

    internal static LogConfig ConfigOf(JsonElement config)
    {
        return new LogConfig { SegmentBytes = Number("segment.bytes"), IndexIntervalBytes = Number("index.interval.bytes"), SegmentIndexBytes = Number("segment.index.bytes") };

        int Number(string key) => int.Parse(config.GetProperty(key).GetString()!, CultureInfo.InvariantCulture);
    }

    /// <summary>The folder's files, as a folder in memory.</summary>
    internal static MemoryStorage Load(string folder, string into = "/log")
    {
        var storage = new MemoryStorage();
        foreach (var file in Directory.GetFiles(folder))
            storage.Put(Path.Combine(into, Path.GetFileName(file)), File.ReadAllBytes(file));
        return storage;
    }

    /// <summary>A copy on the disk.</summary>
    internal static string Copy(string folder, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(folder))
            File.WriteAllBytes(Path.Combine(to, Path.GetFileName(file)), File.ReadAllBytes(file));
        return to;
    }

    /// <summary>Asserts that two JSON values are the same, whatever the order of properties; says where they are not.</summary>
    internal static void AssertSame(JsonElement expected, JsonElement actual, string where)
    {
        if (JsonElement.DeepEquals(expected, actual))
            return;
        if (expected.ValueKind == JsonValueKind.Object && actual.ValueKind == JsonValueKind.Object)
        {
            Assert.True(expected.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal).SequenceEqual(actual.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal)),
                $"{where}: properties [{string.Join(' ', actual.EnumerateObject().Select(p => p.Name))}] instead of [{string.Join(' ', expected.EnumerateObject().Select(p => p.Name))}]");
            foreach (var property in expected.EnumerateObject())
                AssertSame(property.Value, actual.GetProperty(property.Name), $"{where}.{property.Name}");
        }
        if (expected.ValueKind == JsonValueKind.Array && actual.ValueKind == JsonValueKind.Array)
        {
            foreach (var (i, (one, other)) in expected.EnumerateArray().Zip(actual.EnumerateArray()).Index())
                AssertSame(one, other, FormattableString.Invariant($"{where}[{i}]"));
        }
        Assert.Fail($"{where}: {actual.GetRawText()} instead of {expected.GetRawText()}");
    }

    /// <summary>A JSON value that a method writes.</summary>
    internal static JsonElement Written(Action<Utf8JsonWriter> write)
    {
        using var to = new MemoryStream();
        using (var json = new Utf8JsonWriter(to))
            write(json);
        return JsonDocument.Parse(to.ToArray()).RootElement;
    }

    /// <summary>The lines that a method writes, each a JSON value.</summary>
    internal static JsonElement[] Lines(Action<Stream> write)
    {
        using var to = new MemoryStream();
        write(to);
        return [.. Encoding.UTF8.GetString(to.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
    }
}

/// <summary>A clock that stands still until it is set.</summary>
internal sealed class ManualClock(long nowMs) : TimeProvider
{
    internal long NowMs { get; set; } = nowMs;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(NowMs);
}
