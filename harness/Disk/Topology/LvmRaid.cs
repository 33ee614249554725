using System.Text.Json;

namespace Bench.Disk.Topology;

/// <summary>Level and state of an LVM RAID, by LVM's own tool (lvs(8), lvmraid(7)), which answers root only.</summary>
internal static class LvmRaid
{
    /// <summary>The level ("raid5") and what is not well ("degraded, recover 34 %"); both null if the tool does not answer.</summary>
    /// <param name="root">Where the tool is run.</param>
    /// <param name="mapperName">The volume's name below /dev/mapper.</param>
    internal static (string? Level, string? State) Of(SystemRoot root, string mapperName) =>
        root.Output("lvs", "--reportformat", "json", "-o", "lv_layout,lv_health_status,raid_sync_action,sync_percent", $"/dev/mapper/{mapperName}") is { } text ? Parse(text) : default;

    /// <summary>Reads the report of one volume.</summary>
    internal static (string? Level, string? State) Parse(string json)
    {
        try
        {
            using var report = JsonDocument.Parse(json);
            var volume = report.RootElement.GetProperty("report")[0].GetProperty("lv")[0];
            string Of(string field) => volume.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
            // "raid,raid5,raid5_ls": the kind, the level, its variant.
            string[] layout = Of("lv_layout").Split(',');
            string? level = layout.FirstOrDefault(word => word.StartsWith("raid", StringComparison.Ordinal) && word.Length > "raid".Length) ?? (layout.Contains("mirror") ? "mirror" : null);
            string[] words =
            [
                .. Of("lv_health_status") switch { "" => Array.Empty<string>(), "partial" => ["degraded"], var health => [health] },
                .. Of("raid_sync_action") is not ("" or "idle" or "frozen") and var action ? [$"{action} {Of("sync_percent").Split('.')[0]} %"] : Array.Empty<string>(),
            ];
            return (level, words.Length == 0 ? null : string.Join(", ", words));
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or IndexOutOfRangeException)
        {
            return default;
        }
    }
}
