using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Bench.Disk.Topology;
using Bench.Measure.Records;
using Bench.Measure.Running;
using Bench.Reports.Content;
using Spectre.Console;

namespace Bench.Commands;

/// <summary><c>bench devices</c>: what is under a folder, and what will spoil a measurement.</summary>
internal sealed class DevicesCommand : Command
{
    private readonly Argument<string> folder = new("DIR") { Description = "The folder (default: this one)", Arity = ArgumentArity.ZeroOrOne, DefaultValueFactory = _ => "." };
    private readonly Option<bool> json = new("--json") { Description = "One JSON object: host and target as they go into a record" };

    internal DevicesCommand() : base("devices", "What is under a folder, and what will spoil a measurement")
    {
        Add(folder);
        Add(json);
        SetAction(Show);
    }

    private int Show(ParseResult parsed)
    {
        var given = parsed.GetValue(folder)!;
        var path = given.Length == 0 ? "''" : Path.GetFullPath(given);
        if (!Directory.Exists(path))
            throw new PlanException($"{path} is no folder; give one on the file system that you ask about");
        var host = new HostProbe().Probe();
        var target = new TopologyProbe().Probe(path);
        if (parsed.GetValue(json))
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(new { Host = host, Target = target }, RecordJson.Options));
            return ExitCode.Done;
        }
        var console = StandardOutput.Console();
        string?[] machine =
        [
            host.Processor,
            string.Create(CultureInfo.InvariantCulture, $"{host.LogicalProcessors} processors"),
            host.MemoryBytes is { } memory ? Reports.Format.Bytes(memory) + " of memory" : null,
            host.OperatingSystem,
            host.Kernel is { } kernel ? $"Linux {kernel}" : null,
            host.Virtualization is { } virtualization ? $"virtual ({virtualization})" : null,
            host.Container,
        ];
        console.WriteLine(string.Join(" · ", machine.Where(fact => fact is not null)));
        var root = TopologyTree.Of(target);
        var tree = new Tree(Markup.Escape(root.Name));
        foreach (var below in root.Below)
            Add(tree, below);
        console.Write(tree);
        foreach (var warning in host.Warnings.Concat(target.Warnings))
            console.MarkupLine($"[yellow]warning[/]  {Markup.Escape(warning)}");
        return ExitCode.Done;
    }

    private static void Add(IHasTreeNodes parent, Reports.Content.TreeNode node)
    {
        var added = parent.AddNode($"[bold]{Markup.Escape(node.Name)}[/]  {Markup.Escape(node.Text)}");
        foreach (var below in node.Below)
            Add(added, below);
    }
}
