using System.Text.RegularExpressions;
using Bench.Reports.Comparison;
using Bench.Reports.Content;

namespace Bench.Reports.Gate;

/// <summary>
/// A gate's result without what names a machine or a person. Applied to the result, so that page, Markdown, JUnit XML
/// and JSON cannot forget a field; fingerprints are compared before, while serial numbers still tell drives apart.
/// </summary>
public static class GateRedaction
{
    /// <summary>The result as strangers may see it.</summary>
    public static GateResult Apply(GateResult result)
    {
        var records = result.Cases.SelectMany(one => new[] { one.BaseRecord, one.HeadRecord }).OfType<Measure.Records.RunRecord>().ToArray();
        var redaction = new Redaction(records);
        string? Value(string name, string? value) => value is null ? null
            : name.EndsWith("serial number's hash", StringComparison.Ordinal) ? "(left out)"
            : name == "mount options" ? redaction.Options(value)
            : redaction.Text(value);
        GateSideInfo Side(GateSideInfo side, string name) => side with { Name = SideName(redaction.Text(side.Name), side.Name, name) };
        var (before, after) = (Side(result.Base, "base"), Side(result.Head, "head"));
        return result with
        {
            CommandLine = redaction.Text(Without(Without(result.CommandLine, result.Base, before), result.Head, after)),
            Base = before,
            Head = after,
            Target = redaction.Text(result.Target),
            Differences = [.. result.Differences.Select(difference => difference with { Base = Value(difference.Name, difference.Base), Head = Value(difference.Name, difference.Head) })],
            Fingerprint = new Fingerprint([.. result.Fingerprint.Traits.Select(trait => trait with { Value = Value(trait.Name, trait.Value)! })]),
            BaseOnly = [.. result.BaseOnly.Select(redaction.Text)],
            HeadOnly = [.. result.HeadOnly.Select(redaction.Text)],
            Lost = [.. result.Lost.Select(redaction.Text)],
            Warnings = [.. result.Warnings.Select(redaction.Text)],
            Cases = [.. result.Cases.Select(one => Of(one, redaction))],
        };
    }

    /// <summary>A stored run is named by its path, which may be relative: the last part of one can still be a person's name.</summary>
    private static string SideName(string redacted, string given, string name) =>
        redacted != given || given.Contains('/', StringComparison.Ordinal) ? name : redacted;

    /// <summary>A side's name as a word of the command line, where it is not shown.</summary>
    private static string Without(string commandLine, GateSideInfo given, GateSideInfo shown) => given.Name == shown.Name ? commandLine
        : Regex.Replace(commandLine, $@"(?<![^\s=""']){Regex.Escape(given.Name)}(?![^\s""'])", shown.Name);

    private static GateCaseResult Of(GateCaseResult one, Redaction redaction)
    {
        var name = redaction.Text(one.Name);
        return one with
        {
            Name = name,
            Parameters = one.Parameters.ToDictionary(pair => pair.Key, pair => redaction.Text(pair.Value)),
            Judgements = [.. one.Judgements.Select(judgement => judgement with { Key = judgement.Key with { Case = name }, Reason = judgement.Reason is { } reason ? redaction.Text(reason) : null })],
            Pairs = [.. one.Pairs.Select(pair => pair with { Discarded = pair.Discarded is { } why ? redaction.Text(why) : null })],
            BaseRecord = one.BaseRecord is { } before ? redaction.Of(before) : null,
            HeadRecord = one.HeadRecord is { } after ? redaction.Of(after) : null,
        };
    }
}
