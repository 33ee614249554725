using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Bench.Disk.Topology;
using Bench.Measure.Records;

namespace Bench.Reports.Content;

/// <summary>
/// Records without what names a machine or a person: host names, serial hashes, paths, network addresses, and the
/// fields that this build does not know and so cannot judge. Hardware models, kernel and settings stay: they are
/// what the figures mean. It works on the records, before any rendering, so that no renderer can forget a field.
/// </summary>
internal sealed partial class Redaction
{
    private const string Left = "(left out)";

    private readonly string[] secrets;
    private readonly string[] targets;

    /// <summary>What leaves out the names that these records hold.</summary>
    public Redaction(IReadOnlyCollection<RunRecord> records)
    {
        // The longest first: a folder within a mount point must go before the mount point.
        secrets = [.. records.SelectMany(Secrets).Where(secret => secret.Length > 1).Distinct().OrderByDescending(secret => secret.Length).ThenBy(secret => secret, StringComparer.Ordinal)];
        // The targets of one run are still told apart, by their numbers.
        targets = [.. records.GroupBy(record => record.Run).SelectMany(run => run.Select(record => record.Target.Folder).Distinct().ToArray() is { Length: > 1 } several ? several : []).Distinct()];
    }

    public static (IReadOnlyList<RunRecord> Records, IReadOnlyList<string> Warnings) Apply(IReadOnlyList<RunRecord> records, IReadOnlyList<string> warnings)
    {
        var redaction = new Redaction(records);
        return ([.. records.Select(redaction.Of)], [.. warnings.Select(redaction.Text)]);
    }

    private static IEnumerable<string> Secrets(RunRecord record)
    {
        if (record.Host.Name is { } name)
        {
            yield return name;
            yield return name.Split('.')[0];
        }
        yield return record.Target.Folder;
        yield return record.Target.Mount.MountPoint;
        // tmpfs, overlay and none call their source after themselves: that names nobody.
        if (record.Target.Mount.Source != record.Target.Mount.FileSystem && record.Target.Mount.Source != "none")
            yield return record.Target.Mount.Source;
        if (UserFolder().Match(record.Target.Folder) is { Success: true } match)
            yield return match.Groups[1].Value;
        foreach (var device in record.Target.Devices.SelectMany(device => device.All()))
        {
            if (device.SerialHash is { } serial)
                yield return serial;
            if (device.BackingFile is { } file)
                yield return file;
        }
        // What the command line names as a folder may be relative, and then no pattern for paths finds it.
        foreach (Match option in PathOption().Matches(record.Tool.CommandLine))
            yield return option.Groups[2].Value.Trim('"', '\'');
    }

    /// <summary>A record without them.</summary>
    public RunRecord Of(RunRecord record) => record with
    {
        Case = Text(record.Case),
        Parameters = record.Parameters.ToDictionary(pair => pair.Key, pair => Text(pair.Value)),
        Effective = (JsonObject)Node(record.Effective)!,
        Error = Maybe(record.Error),
        Passes = [.. record.Passes.Select(Of)],
        DisturbedPasses = record.DisturbedPasses is { } disturbed ? [.. disturbed.Select(Of)] : null,
        LatencyNs = record.LatencyNs.ToDictionary(pair => pair.Key, pair => pair.Value with { Unknown = null }),
        BytesPerSecond = Of(record.BytesPerSecond),
        OperationsPerSecond = Of(record.OperationsPerSecond),
        Metrics = record.Metrics.ToDictionary(pair => pair.Key, pair => Of(pair.Value)!),
        Timeline = record.Timeline is not { } timeline ? null : timeline with
        {
            Unknown = null,
            Points = [.. timeline.Points.Select(point => point with { Unknown = null })],
            Events = [.. timeline.Events.Select(made => made with { Kind = Text(made.Kind), Unknown = null })],
        },
        Rounds = record.Rounds is { } rounds ? [.. rounds.Select(round => round with { Unknown = null })] : null,
        Evidence = record.Evidence with
        {
            Unknown = null,
            Claims = [.. record.Evidence.Claims.Select(claim => claim with
            {
                Unknown = null,
                Reason = Maybe(claim.Reason),
                Figures = [.. claim.Figures.Select(figure => figure with { Name = Text(figure.Name), Expected = Text(figure.Expected), Unknown = null })],
            })],
        },
        Warnings = [.. record.Warnings.Select(Text)],
        Host = record.Host with
        {
            Unknown = null,
            Name = null,
            OperatingSystem = Maybe(record.Host.OperatingSystem),
            Kernel = Maybe(record.Host.Kernel),
            CgroupIoLimits = [.. record.Host.CgroupIoLimits.Select(Text)],
            Warnings = [.. record.Host.Warnings.Select(Text)],
        },
        Target = record.Target with
        {
            Unknown = null,
            Folder = Array.IndexOf(targets, record.Target.Folder) is >= 0 and var index ? NameOf(index) : Left,
            Mount = record.Target.Mount with { MountPoint = Left, Source = Left, Options = Options(record.Target.Mount.Options), Unknown = null },
            Devices = [.. record.Target.Devices.Select(Of)],
            Warnings = [.. record.Target.Warnings.Select(Text)],
        },
        Tool = record.Tool with { CommandLine = Text(record.Tool.CommandLine), Unknown = null },
        Unknown = null,
    };

    private static string NameOf(int target) => FormattableString.Invariant($"target {target + 1}");

    private static PassRecord Of(PassRecord pass) => pass with
    {
        Unknown = null,
        Members = pass.Members is { } members ? [.. members.Select(member => member with { Unknown = null })] : null,
    };

    private static Estimate? Of(Estimate? estimate) => estimate is null ? null : estimate with { Unknown = null };

    private BlockDevice Of(BlockDevice device) => device with
    {
        Unknown = null,
        SerialHash = null,
        Model = Maybe(device.Model),
        State = Maybe(device.State),
        BackingFile = device.BackingFile is null ? null : Left,
        Below = [.. device.Below.Select(Of)],
    };

    private JsonNode? Node(JsonNode? node) => node switch
    {
        null => null,
        JsonObject obj => new JsonObject(obj.Select(pair => KeyValuePair.Create(Text(pair.Key), Node(pair.Value)))),
        JsonArray array => new JsonArray([.. array.Select(Node)]),
        _ when node.GetValueKind() == JsonValueKind.String => Text(node.GetValue<string>()),
        _ => node.DeepClone(),
    };

    /// <summary>Options whose value is a path or an address keep their name only.</summary>
    public string Options(string options) => string.Join(',', options.Split(',').Select(option =>
    {
        var equals = option.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 ? Text(option)
            : option[(equals + 1)..].Contains('/', StringComparison.Ordinal) || option.Contains("addr", StringComparison.Ordinal) ? option[..(equals + 1)] + Left
            : Text(option);
    }));

    private string? Maybe(string? text) => text is null ? null : Text(text);

    /// <summary>A text without them, and without anything that looks like a path or an address.</summary>
    public string Text(string text)
    {
        foreach (var secret in secrets)
            text = secret[0] == '/'
                ? text.Replace(secret, Array.IndexOf(targets, secret) is >= 0 and var index ? NameOf(index) : Left, StringComparison.Ordinal)
                : Regex.Replace(text, $@"(?<![\w]){Regex.Escape(secret)}(?![\w])", Left, RegexOptions.IgnoreCase);
        text = QuotedPath().Replace(text, Left);
        text = BarePath().Replace(text, Left);
        return Address().Replace(text, Left);
    }

    [GeneratedRegex("""^/(?:home|Users)/([^/]+)""")]
    private static partial Regex UserFolder();

    /// <summary>An option that takes a folder or a file, with its value.</summary>
    [GeneratedRegex("""(?<!\S)(--target|--out|-t|-o)[= ]("[^"]+"|'[^']+'|\S+)""")]
    private static partial Regex PathOption();

    [GeneratedRegex("""(?<=["'])(?:~|\.{1,2})?/[^"']+(?=["'])""")]
    private static partial Regex QuotedPath();

    /// <summary>
    /// Absolute, from home, or relative with dots; not the slash of "MB/s" or "I/O", which follows a letter, and not
    /// /proc and /sys, which name the same on every machine.
    /// </summary>
    [GeneratedRegex("""(?<![\w<)/])(?!/(?:proc|sys)/)(?:~\w*|\.{1,2})?/(?:[^\s"'<>|,;]*[^\s"'<>|,;.:)])""")]
    private static partial Regex BarePath();

    [GeneratedRegex("""\b\d{1,3}(?:\.\d{1,3}){3}\b""")]
    private static partial Regex Address();
}
