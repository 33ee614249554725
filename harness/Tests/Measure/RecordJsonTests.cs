using System.Text;
using System.Text.Json.Nodes;
using Bench.Measure.Records;
using Xunit;

namespace Bench.Harness.Tests.Measure;

public sealed class RecordJsonTests
{
    private static readonly string Line = RecordJson.Write(Samples.Record());

    [Theory]
    [InlineData("")]
    [InlineData("de-DE")]
    [InlineData("ko-KR")]
    [InlineData("ar-SA")]
    public void ARecordRoundTripsOnOneLineUnderEveryCulture(string culture)
    {
        using var set = new CultureScope(culture);
        var line = RecordJson.Write(Samples.Record());
        Assert.Equal(Line, line);
        Assert.DoesNotContain('\n', line);
        Assert.DoesNotContain('\r', line);
        var read = RecordJson.Read(line);
        Assert.Equal(line, RecordJson.Write(read));
        Assert.Equal(Samples.Pass, read.Passes[0]);
        Assert.Equal(Samples.Record().Error, read.Error);
        Assert.Equal(Samples.Tool, read.Tool);
        Assert.Equal(Samples.Record().LatencyNs["read"], read.LatencyNs["read"]);
        Assert.Null(read.Unknown);
    }

    /// <summary>An unknown field in every object of the record, however deep, is there again after reading and writing.</summary>
    [Fact]
    public void UnknownFieldsAreKeptAtEveryLevel()
    {
        var objects = 0;
        void Mark(JsonNode? node, string path)
        {
            if (node is JsonArray array)
            {
                for (var i = 0; i < array.Count; i++)
                    Mark(array[i], $"{path}[{i}]");
                return;
            }
            if (node is not JsonObject obj)
                return;
            foreach (var (name, value) in obj.ToArray())
                Mark(value, $"{path}.{name}");
            // These are maps from names to values, where any name is a known one.
            if (path is "$.parameters" or "$.latencyNs" or "$.metrics" or "$.effective" or "$.effective.nested")
                return;
            objects++;
            obj["fromTheFuture"] = new JsonObject { ["list"] = new JsonArray(1, null, "x"), ["of"] = path, ["exact"] = JsonNode.Parse("1.10e+400") };
        }

        var marked = JsonNode.Parse(Line)!;
        Mark(marked, "$");
        Assert.True(objects > 20);
        var rewritten = JsonNode.Parse(RecordJson.Write(RecordJson.Read(marked.ToJsonString())))!;
        Assert.True(JsonNode.DeepEquals(marked, rewritten), "a field was lost or changed");
        Assert.Contains("1.10e+400", rewritten.ToJsonString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bench.record/2")]
    [InlineData("bench.record/10")]
    [InlineData("bench.record/99999999999999999999999")]
    public void ANewerSchemaIsRefusedWithASentenceThatSaysWhatToDo(string schema)
    {
        var message = Assert.Throws<RecordException>(() => RecordJson.Read(With("schema", schema))).Message;
        Assert.Contains(schema, message, StringComparison.Ordinal);
        Assert.Contains("newer", message, StringComparison.Ordinal);
        Assert.Contains(RunRecord.CurrentSchema, message, StringComparison.Ordinal);
        // Whatever else such a record has or lacks.
        Assert.Contains("newer", Assert.Throws<RecordException>(() => RecordJson.Read($$"""{"schema":"{{schema}}","passes":7}""")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"bench.record/0\"")]
    [InlineData("\"bench.record/-1\"")]
    [InlineData("\"bench.record/1.5\"")]
    [InlineData("\"bench.record/\"")]
    [InlineData("\"bench.record\"")]
    [InlineData("\"other/1\"")]
    [InlineData("1")]
    [InlineData("null")]
    [InlineData("{}")]
    public void WhatIsNoSchemaOfBenchIsNoRecord(string schema) =>
        Assert.Contains("no schema", Assert.Throws<RecordException>(() => RecordJson.Read(With("schema", JsonNode.Parse(schema)))).Message, StringComparison.Ordinal);

    [Fact]
    public void NotANumberIsNeverWritten()
    {
        foreach (var value in new[] { double.NaN, double.PositiveInfinity, double.NegativeInfinity })
        {
            RunRecord[] broken =
            [
                Samples.Record() with { BytesPerSecond = new Estimate(value, 1, 2) },
                Samples.Record() with { TotalSeconds = value },
                Samples.Record() with { Passes = [Samples.Pass with { QueueDepthMean = value }] },
                Samples.Record() with { Effective = new JsonObject { ["x"] = value } },
            ];
            foreach (var record in broken)
                Assert.Contains(record.Case, Assert.Throws<RecordException>(() => RecordJson.Write(record)).Message, StringComparison.Ordinal);
        }
    }

    public static TheoryData<string> HostileLines() =>
    [
        "",
        "x",
        "null",
        "[]",
        "7",
        "\"bench.record/1\"",
        "{}",
        """{"schema":"bench.record/1"}""",
        """{"schema":"bench.record/1","schema":"bench.record/1"}""",
        new('[', 100_000),
        string.Concat(Enumerable.Repeat("{\"a\":", 100_000)),
        Line[..^1],
        Line + Line,
        Line.Replace("{\"schema\"", "{,\"schema\"", StringComparison.Ordinal),
        With("run", null),
        With("run", 5),
        With("parameters", new JsonArray()),
        With("parameters", new JsonObject { ["a"] = 5 }),
        With("parameters", new JsonObject { ["a"] = null }),
        With("passes", null),
        With("passes", new JsonArray((JsonNode?)null)),
        With("passes", new JsonArray(new JsonObject { ["seconds"] = "fast" })),
        With("passes", new JsonArray(new JsonObject { ["bytes"] = 1.5 })),
        With("passes", new JsonArray(new JsonObject { ["bytes"] = 1e300 })),
        With("passes", new JsonArray(new JsonObject { ["seconds"] = JsonNode.Parse("1e999") })),
        With("passes", new JsonObject()),
        With("latencyNs", new JsonObject { ["read"] = null }),
        With("metrics", new JsonObject { ["x"] = null }),
        With("bytesPerSecond", new JsonArray(1, 2, 3)),
        With("bytesPerSecond", 5),
        With("effective", new JsonArray()),
        With("effective", null),
        With("startedUtc", "yesterday"),
        With("evidence", null),
        With("evidence", new JsonObject()),
        With("evidence", new JsonObject { ["verdict"] = "certain" }),
        With("evidence", new JsonObject { ["verdict"] = 0 }),
        With("evidence", new JsonObject { ["verdict"] = "proven", ["claims"] = new JsonArray((JsonNode?)null) }),
        With("evidence", new JsonObject { ["verdict"] = "proven", ["claims"] = new JsonArray(new JsonObject { ["claim"] = "cold" }) }),
        With("evidence", new JsonObject { ["verdict"] = "proven", ["claims"] = new JsonArray(new JsonObject { ["claim"] = "cold", ["verdict"] = "proven", ["figures"] = null }) }),
        With("warnings", new JsonArray(1)),
        With("warnings", new JsonArray((JsonNode?)null)),
        With("host", null),
        With("host", new JsonObject { ["logicalProcessors"] = 1L << 40 }),
        With("host", new JsonObject { ["warnings"] = null }),
        With("target", new JsonObject()),
        With("tool", new JsonObject { ["version"] = "1" }),
        Line.Replace("\"run\":\"", "\"run\":\"\\ud800", StringComparison.Ordinal),
        Line.Replace("\"descriptorHasODirect\":true", "\"a\":1,\"a\":2", StringComparison.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(HostileLines))]
    public void AHostileLineIsRefusedAsNoRecordAndNotOtherwise(string line) =>
        Assert.Throws<RecordException>(() => RecordJson.Read(line));

    /// <summary>Whatever three letters are changed: a record, or a RecordException; and what was read can be written.</summary>
    [Fact]
    public void MutatedRecordsNeverFailOtherwise()
    {
        var random = new Random(9);
        const string letters = "{}[]\",:0123456789eE+-.\\untrfals \u0001\ud800ü";
        var read = 0;
        for (var round = 0; round < 3000; round++)
        {
            var mutated = new StringBuilder(Line);
            for (var i = random.Next(1, 4); i > 0; i--)
            {
                var at = random.Next(mutated.Length);
                switch (random.Next(3))
                {
                    case 0: mutated[at] = letters[random.Next(letters.Length)]; break;
                    case 1: mutated.Remove(at, Math.Min(mutated.Length - at, random.Next(1, 30))); break;
                    default: mutated.Insert(at, letters[random.Next(letters.Length)]); break;
                }
            }
            try
            {
                RecordJson.Write(RecordJson.Read(mutated.ToString()));
                read++;
            }
            catch (RecordException)
            {
            }
        }
        // Most letters of a record stand in texts, so that some mutants are records.
        Assert.InRange(read, 1, 2999);
    }

    private static string With(string field, JsonNode? value)
    {
        var node = JsonNode.Parse(Line)!.AsObject();
        node[field] = value;
        return node.ToJsonString();
    }
}
