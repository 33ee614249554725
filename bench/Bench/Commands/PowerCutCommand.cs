using System.CommandLine;
using System.Globalization;
using System.Text;
using Bench.Disk;
using Bench.Disk.Topology;
using Bench.Measure.Durability;
using Bench.Measure.Passes;
using Bench.Measure.Records;
using Bench.Measure.Running;
using Bench.SegmentLog.Storage;

namespace Bench.Commands;

/// <summary><c>bench powercut</c>: whether what a drive says is flushed is there after the power was cut.</summary>
internal sealed class PowerCutCommand : Command
{
    private const string FolderName = ".bench-powercut";
    private const string DataName = "sequence.bin";
    private const string Header = "bench.powercut/1";

    internal PowerCutCommand() : base("powercut", "Whether what was flushed survives a power cut: write until it comes, then check")
    {
        Add(new WriteCommand());
        Add(new CheckCommand());
    }

    private static Option<string> Target() => new("--target", "-t") { Description = "The folder whose file system is tried", HelpName = "DIR", DefaultValueFactory = _ => "." };

    private static Option<string> Acks(string description) => new("--acks") { Description = description, HelpName = "FILE", Required = true };

    /// <summary><c>bench powercut write</c>.</summary>
    private sealed class WriteCommand : Command
    {
        private readonly Option<string> target = Target();
        private readonly Option<string> acks = Acks("Where acknowledgements are kept, on another disk; - for standard output, to be kept at the other end of ssh");

        internal WriteCommand() : base("write", "Flush one block after the other and acknowledge each, until the power is cut or Ctrl-C")
        {
            Add(target);
            Add(acks);
            SetAction(parsed => GateEnding.Guard("powercut", stop => Run(parsed, stop), "Stopped; the blocks stay until 'bench powercut check' has looked at them"));
        }

        private int Run(ParseResult parsed, StopSignal stop)
        {
            var folder = TargetFolder.Check(parsed.GetValue(target)!);
            var (name, run) = (parsed.GetValue(acks)!, Guid.NewGuid());
            using var kept = name == "-" ? null : OpenAcks(name, folder);
            var data = Path.Combine(folder, FolderName);
            if (Directory.Exists(data))
                throw new PlanException($"{data} is there already: 'bench powercut check' looks at it and removes it");
            Directory.CreateDirectory(data);
            using var file = DiskFile.Open(Path.Combine(data, DataName), OpenMode.Write | OpenMode.Create);
            // The file's name has to last too, and that of its folder.
            file.Fsync();
            DiskStorage.Instance.SyncFolder(data);
            DiskStorage.Instance.SyncFolder(folder);

            long position = 0;
            void Keep(string line)
            {
                if (kept is null)
                {
                    Console.Out.WriteLine(line);
                    Console.Out.Flush();
                    return;
                }
                var bytes = Encoding.ASCII.GetBytes(line + "\n");
                kept.Write(bytes, position);
                kept.Fdatasync();
                position += bytes.Length;
            }

            Keep($"{Header} {run:N}");
            Console.Error.WriteLine($"Writing  {data}; cut the power now, or end it with Ctrl-C; then 'bench powercut check --target {folder} --acks {name}'");
            var block = new byte[FlushProof.BlockBytes];
            for (long number = 0; ; number++)
            {
                stop.ThrowIfRequested();
                FlushProof.Fill(block, run, number);
                file.Write(block, FlushProof.PositionOf(number));
                file.Fdatasync();
                Keep(number.ToString(CultureInfo.InvariantCulture));
            }
        }

        private static DiskFile OpenAcks(string name, string folder)
        {
            var path = Path.GetFullPath(name);
            if (!Directory.Exists(Path.GetDirectoryName(path)))
                throw new PlanException($"--acks {path}: there is no folder {Path.GetDirectoryName(path)}");
            if (File.Exists(path))
                throw new PlanException($"--acks {path} is there already; give another name");
            var probe = new TopologyProbe();
            var (here, there) = (probe.Probe(folder), probe.Probe(Path.GetDirectoryName(path)!));
            if (here.Mount.MountPoint == there.Mount.MountPoint || here.PhysicalDisks().Select(disk => disk.Name).Intersect(there.PhysicalDisks().Select(disk => disk.Name)).Any())
                throw new PlanException($"--acks {path} is on the disk that is tried, and would be lost with it; keep them elsewhere, or give - and keep standard output on another machine");
            return DiskFile.Open(path, OpenMode.Write | OpenMode.Create);
        }
    }

    /// <summary><c>bench powercut check</c>.</summary>
    private sealed class CheckCommand : Command
    {
        private readonly Option<string> target = Target();
        private readonly Option<string> acks = Acks("The acknowledgements that were kept");
        private readonly Option<bool> keep = new("--keep") { Description = "Leave the blocks on the target" };

        internal CheckCommand() : base("check", "Look whether every acknowledged block is there; exit status 1 if one is lost")
        {
            Add(target);
            Add(acks);
            Add(keep);
            SetAction(Run);
        }

        private int Run(ParseResult parsed)
        {
            var folder = Path.GetFullPath(parsed.GetValue(target)!);
            if (!Directory.Exists(folder))
                throw new PlanException($"the target {folder} does not exist");
            var (run, acknowledged) = Read(parsed.GetValue(acks)!);
            var data = Path.Combine(folder, FolderName);
            var path = Path.Combine(data, DataName);
            var bytes = File.Exists(path) ? File.ReadAllBytes(path) : [];
            var lost = FlushProof.Lost(bytes, run, acknowledged);
            if (!parsed.GetValue(keep) && Directory.Exists(data))
                Directory.Delete(data, recursive: true);
            if (lost.Count == 0)
            {
                Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"proven: all {Math.Min(acknowledged + 1, FlushProof.RingBlocks):N0} blocks that can still be looked at, of {acknowledged + 1:N0} acknowledged, are there"));
                return ExitCode.Done;
            }
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"contradicted: {lost.Count:N0} acknowledged blocks are lost, the first of them number {lost[0]:N0} of {acknowledged + 1:N0}{(bytes.Length == 0 ? " (the file itself is gone)" : "")}: the drive, or something above it, says that it has flushed before it has"));
            return ExitCode.Failed;
        }

        private static (Guid Run, long Acknowledged) Read(string name)
        {
            if (!File.Exists(name))
                throw new PlanException($"--acks {name}: there is no such file");
            var lines = File.ReadAllText(name).Split('\n');
            if (lines[0].Split(' ') is not [Header, var id] || !Guid.TryParseExact(id.Trim(), "N", out var run))
                throw new PlanException($"--acks {name} holds no acknowledgements of 'bench powercut write'");
            // The last line may be torn: it has no line break then.
            long last = -1;
            foreach (var line in lines[1..^1])
                last = long.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number == last + 1
                    ? number : throw new PlanException($"--acks {name}: '{line}' does not follow {last}");
            return last >= 0 ? (run, last) : throw new PlanException($"--acks {name}: nothing was acknowledged");
        }
    }
}
