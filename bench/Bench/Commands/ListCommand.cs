using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Bench.Measure.Records;
using Bench.Reports;

namespace Bench.Commands;

/// <summary><c>bench list</c>: the cases of a plan, with time and bytes to be written.</summary>
internal sealed class ListCommand : Command
{
    private readonly PlanOptions planOptions = new();
    private readonly Option<bool> json = new("--json") { Description = "One JSON object per case and line" };

    internal ListCommand() : base("list", "The workloads and cases, with time and bytes to be written")
    {
        planOptions.AddTo(this);
        Add(json);
        SetAction(List);
    }

    private int List(ParseResult parsed)
    {
        var plan = planOptions.Read(parsed);
        var asJson = parsed.GetValue(json);
        foreach (var (spec, estimate) in plan.Cases.Zip(plan.Estimates))
        {
            if (asJson)
                Console.Out.WriteLine(JsonSerializer.Serialize(
                    new { Case = spec.Id, Workload = spec.Workload.Name, Parameters = spec.Spelled, EstimatedSeconds = estimate.Seconds, EstimatedWriteBytes = estimate.WriteBytes },
                    RecordJson.Options));
            else
                Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{estimate.Seconds,7:0.0} s {Plan.SayBytes(estimate.WriteBytes),9}  {spec.Id}"));
        }
        if (!asJson)
        {
            var files = string.Join(", ", plan.Files.Select(file => file.Size.ToString()));
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{Format.Count(plan.Cases.Count, "case")} of {plan.Settings.Passes} passes: about {Plan.Say(plan.Seconds)}, about {Plan.SayBytes(plan.WriteBytes)} written{(files.Length > 0 ? $", of which {Plan.SayBytes(plan.LayoutBytes)} for the files ({files})" : "")}"));
        }
        return ExitCode.Done;
    }
}
