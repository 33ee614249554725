using System.Text.Json.Nodes;
using Bench.Measure.Records;

namespace Bench.Reports.Tests;

/// <summary>Records in which every text that can come from outside tries to break out.</summary>
internal static class Hostile
{
    public const string Text = "</script><img src=x onerror=window.hacked=1>\"'&<!--<script>window.hacked=2</script>]]>{{7*7}}|`**[x](javascript:1)\u202Eevil\u0007";

    /// <summary>What decides how a record is read stays; every other string, and every name in a map, becomes hostile.</summary>
    private static readonly string[] Kept = ["schema", "workload", "verdict", "kind", "startedUtc", "histogram", "run"];

    private static readonly string[] Maps = ["parameters", "effective", "metrics", "latencyNs"];

    public static RunRecord Of(RunRecord record, bool keepWorkload = true)
    {
        var node = JsonNode.Parse(RecordJson.Write(record))!.AsObject();
        node["effective"] = new JsonObject { ["text"] = "x", ["list"] = new JsonArray("x", 1) };
        node["error"] = record.Error;
        node["warnings"] = new JsonArray("x");
        Spoil(node, mapOfNames: false);
        node["unheardOf"] = Text;
        if (!keepWorkload)
            node["workload"] = Text;
        return RecordJson.Read(node.ToJsonString());
    }

    private static void Spoil(JsonNode? node, bool mapOfNames)
    {
        if (node is JsonArray array)
        {
            for (var index = 0; index < array.Count; index++)
                if (array[index] is JsonValue value && value.TryGetValue<string>(out _))
                    array[index] = Text;
                else
                    Spoil(array[index], mapOfNames: false);
        }
        else if (node is JsonObject members)
        {
            foreach (var (name, value) in members.ToArray())
            {
                if (Kept.Contains(name))
                    continue;
                if (value is JsonValue text && text.TryGetValue<string>(out _))
                    members[name] = Text;
                else
                    Spoil(value, Maps.Contains(name));
                if (mapOfNames && name.Length % 2 == 0)
                {
                    var moved = members[name]!.DeepClone();
                    members.Remove(name);
                    members[name + Text] = moved;
                }
            }
        }
    }
}
