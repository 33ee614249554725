using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Bench.Disk.Topology;
using Bench.Measure;
using Bench.Measure.Evidence;
using Bench.Measure.Records;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.Measure;

/// <summary>Holds <c>RECORD.md</c> against the record types, both ways, so that it cannot rot.</summary>
public sealed partial class RecordPageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "harness", "Measure", "RECORD.md"));

    /// <summary>Every type that a record is made of, found from the record itself.</summary>
    public static TheoryData<Type> RecordTypes()
    {
        var found = new HashSet<Type>();
        void Visit(Type type)
        {
            type = Nullable.GetUnderlyingType(type) ?? type;
            if (type.IsGenericType)
            {
                foreach (var argument in type.GetGenericArguments())
                    Visit(argument);
                return;
            }
            if (type.Namespace is not ("Bench.Measure.Records" or "Bench.Disk.Topology") || type.IsEnum || !found.Add(type))
                return;
            foreach (var property in Serialized(type))
                Visit(property.PropertyType);
        }
        Visit(typeof(RunRecord));
        Assert.Contains(typeof(BlockDevice), found);
        Assert.Contains(typeof(FigureRecord), found);
        return [.. found];
    }

    [Theory]
    [MemberData(nameof(RecordTypes))]
    public void EachFieldOfTheTypeHasItsRowAndEachRowItsField(Type type)
    {
        var section = Regex.Match(Page, $@"^## [^\n]*\(`{type.Name}`\)\n(.*?)(?=^## |\z)", RegexOptions.Multiline | RegexOptions.Singleline);
        Assert.True(section.Success, $"RECORD.md has no section on {type.Name}");
        // The first table of a section is that of the fields: four columns.
        var rows = FieldRow().Matches(section.Groups[1].Value).Select(match => match.Groups[1].Value);
        Assert.Equal(Serialized(type).Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name)), rows);
    }

    [Theory]
    [MemberData(nameof(RecordTypes))]
    public void EachTypeKeepsFieldsThatItDoesNotKnow(Type type) =>
        Assert.Single(type.GetProperties(), property => property.GetCustomAttribute<JsonExtensionDataAttribute>() is not null);

    [Fact]
    public void EachClaimIsThereWithItsFiguresAndBounds()
    {
        PassRecord[] passes = [Samples.Pass];
        ClaimRecord[] claims =
        [
            Claims.Cold(passes), Claims.Warm(passes), Claims.Direct(passes, true, true, 0), Claims.Direct(passes, true, false, null),
            Claims.BufferedWrite(passes, false, true), Claims.BufferedWrite(passes, false, false), Claims.Uncached(passes, true),
            Claims.Uncached(passes, false), Claims.Durable(passes, []), Claims.InMemory(passes, 1, 1), Claims.PageSize(1, true),
            Claims.PageSize(0, false), Claims.ZeroCopy(true, true, passes), Claims.ZeroCopy(false, false, passes), Claims.QueueDepth(passes, 1), Claims.QueueDepth(passes, 1, directRandom: true),
            Claims.EachFlushed(passes, [1], 1, [], mayUseFua: false), Claims.FlushedAfter([1], []), Claims.DirectLog(passes, 0), Claims.ReadBack(1, 1, 0),
            Claims.NoStorage(passes, true), Claims.FromCache(passes), Claims.Steady([]), Claims.Rate([(1, 1)], 1),
        ];
        // A claim that a public method makes and that is not in the list above would be missed.
        Assert.Equal(
            typeof(Claims).GetMethods(BindingFlags.Public | BindingFlags.Static).Count(method => method.ReturnType == typeof(ClaimRecord) && method.Name is not nameof(Claims.Judge) and not nameof(Claims.Within)),
            ((string[])["Cold", "Warm", "Direct", "BufferedWrite", "Uncached", "Durable", "InMemory", "PageSize", "ZeroCopy", "QueueDepth", "EachFlushed", "FlushedAfter", "DirectLog", "ReadBack", "NoStorage", "FromCache", "Steady", "Rate"]).Length);
        var table = Page[Page.IndexOf("| claim | figure | expected |", StringComparison.Ordinal)..Page.IndexOf("## A figure", StringComparison.Ordinal)].Split('\n');
        foreach (var claim in claims)
        {
            var start = Array.FindIndex(table, row => row.Split('|').ElementAtOrDefault(1)?.Contains($"`{claim.Claim}`", StringComparison.Ordinal) == true);
            Assert.True(start >= 0, $"RECORD.md says nothing on the claim {claim.Claim}");
            foreach (var figure in claim.Figures)
            {
                Assert.Contains(table[start..], row => row.Contains($"`{figure.Name}`", StringComparison.Ordinal)
                    && (figure.Informs ? row.Contains("informs", StringComparison.Ordinal) : row.Contains(figure.Expected, StringComparison.Ordinal)));
            }
        }
    }

    [Fact]
    public void EveryWordOfTheEnumsIsThere()
    {
        foreach (var word in Enum.GetValues<BlockDeviceKind>().Select(kind => JsonSerializer.Serialize(kind, RecordJson.Options))
            .Concat(Enum.GetValues<Verdict>().Select(verdict => JsonSerializer.Serialize(verdict, RecordJson.Options))))
            Assert.Contains($"`{word.Trim('"')}`", Page, StringComparison.Ordinal);
    }

    [Fact]
    public void TheExampleIsARecordWithoutAnUnknownField()
    {
        var json = Page[(Page.IndexOf("```json\n", StringComparison.Ordinal) + 8)..Page.LastIndexOf("```", StringComparison.Ordinal)];
        var record = RecordJson.Read(json);
        AssertKnown(record, []);
        // Written by this build it has the same fields and values.
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(json), JsonNode.Parse(RecordJson.Write(record))));
        Assert.Equal(record.LatencyNs["read"], LatencyHistogram.Parse(record.LatencyNs["read"].Histogram).ToRecord());
        Assert.Equal(Claims.Conclude([Claims.Direct(record.Passes, true, false, null)]).Claims[0].Figures, record.Evidence.Claims[0].Figures);
    }

    private static void AssertKnown(object? value, HashSet<object> seen)
    {
        switch (value)
        {
            case null or string or JsonNode:
                return;
            case IEnumerable list:
                foreach (var item in list)
                    AssertKnown(item, seen);
                return;
        }
        var type = value.GetType();
        if (type.IsPrimitive || type.IsEnum || !seen.Add(value))
            return;
        foreach (var property in type.GetProperties().Where(property => property.GetIndexParameters().Length == 0))
        {
            if (property.GetCustomAttribute<JsonExtensionDataAttribute>() is not null)
                Assert.Null(property.GetValue(value));
            else if (type.Namespace?.StartsWith("Bench.", StringComparison.Ordinal) == true || type.IsGenericType)
                AssertKnown(property.GetValue(value), seen);
        }
    }

    private static IEnumerable<PropertyInfo> Serialized(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.GetCustomAttribute<JsonExtensionDataAttribute>() is null)
            .Where(property => property.GetCustomAttribute<JsonIgnoreAttribute>() is null or { Condition: not JsonIgnoreCondition.Always });

    [GeneratedRegex(@"^\| `(\w+)` \|[^|\n]*\|[^|\n]*\|[^|\n]*\|$", RegexOptions.Multiline)]
    private static partial Regex FieldRow();
}
