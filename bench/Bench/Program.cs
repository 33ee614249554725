using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Bench.Commands;
using Bench.Disk.Compression;
using Bench.Measure.Records;
using Bench.Measure.Running;

// One culture for everything that is written: figures look the same on every machine.
CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
CultureInfo.DefaultThreadCurrentUICulture = CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;

if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess)
{
    Console.Error.WriteLine("bench: this program measures Linux on x64 and arm64; this is another system");
    return ExitCode.WrongUse;
}

var root = new RootCommand("Measures what a disk and memory can do, proves what it measured, and reports it.")
{
    new DevicesCommand(),
    new ListCommand(),
    new RunCommand(),
    new ReportCommand(),
    new CompareCommand(),
    new GateCommand(),
    new CalibrateCommand(),
    new LogCommand(),
    new HistoryCommand(),
    new PowerCutCommand(),
    new ReceiveCommand(),
};
var parsed = root.Parse(args);
var withoutValue = WithoutValue(parsed.CommandResult);
if (withoutValue is not null || parsed.Errors.Count > 0)
{
    var (command, name) = (parsed.CommandResult.Command, "bench");
    if (command != root)
        name += " " + command.Name;
    if (parsed.CommandResult.Parent is CommandResult { Command: var parent } && parent != root)
        name = $"bench {parent.Name} {command.Name}";
    // One mistake gives several errors (an option and then its value): the first says it. Where a command is missing, the
    // word that is none comes after it.
    Console.Error.WriteLine(withoutValue is not null ? $"bench: {withoutValue}"
        : command.Subcommands.Count > 0 && parsed.UnmatchedTokens is [var word, ..] && !word.StartsWith('-')
        ? $"bench: '{word}' is no command of {name}; there are {string.Join(", ", command.Subcommands.Select(sub => sub.Name))}"
        : $"bench: {Number.Say(parsed.Errors[0].Message)}");
    Console.Error.WriteLine($"'{name} --help' lists what there is");
    return ExitCode.WrongUse;
}
try
{
    return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
catch (Exception exception) when (exception is PlanException or RecordException)
{
    Console.Error.WriteLine($"bench: {exception.Message}");
    return ExitCode.WrongUse;
}
catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CodecMissingException)
{
    const int noSpace = 28;
    Console.Error.WriteLine($"bench: {exception.Message}{(exception.HResult == noSpace && exception.Message.Contains('/') ? "; make room there, or give another folder" : "")}");
    return ExitCode.Failed;
}

// The parser takes whatever follows an option for its value, another option too, spelt right or not: '--target --out DIR' would take '--out' for the folder.
static string? WithoutValue(CommandResult command)
{
    var names = command.Command.Options.Concat(command.Command.Parents.OfType<Command>().SelectMany(parent => parent.Options)).SelectMany(option => option.Aliases.Append(option.Name)).ToHashSet();
    return command.Children.OfType<OptionResult>().SelectMany(result => result.Tokens, (result, token) => (result.Option.Name, token.Value))
        .Where(one => names.Contains(one.Value) || one.Value.StartsWith("--", StringComparison.Ordinal))
        .Select(one => $"{one.Name} takes a value, and what follows is {(names.Contains(one.Value) ? "the option" : "what looks like an option:")} {one.Value}").FirstOrDefault();
}
