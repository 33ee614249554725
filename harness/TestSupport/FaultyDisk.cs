using System.Globalization;

namespace Bench.TestSupport;

/// <summary>How a <see cref="FaultyDisk"/> behaves; <c>scripts/slow-disk.c</c> says each exactly.</summary>
public enum DiskFault
{
    /// <summary>Fast and right.</summary>
    None,

    /// <summary>The latency of a hard disk: seeks, rotation, transfer rate.</summary>
    HardDisk,

    /// <summary>Every request takes 20 ms.</summary>
    Slow,

    /// <summary>Every read fails with EIO.</summary>
    ReadError,

    /// <summary>Every write and flush fails with EIO.</summary>
    WriteError,

    /// <summary>An honest disk with a volatile cache: a power cut loses what no flush has written.</summary>
    VolatileCache,

    /// <summary>A flush says yes and does nothing: a power cut loses it all.</summary>
    LyingFlush,
}

/// <summary>
/// A file system on a disk that is slow, broken or forgetful on command: <c>scripts/slow-disk</c> in the hands of a
/// test. Needs root and <see cref="Needs"/>.
/// </summary>
public sealed class FaultyDisk : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly string _control;

    /// <summary>Makes the disk without a fault, a file system on it, and mounts it.</summary>
    /// <param name="fault">How the disk behaves from then on.</param>
    /// <param name="fileSystem"><c>ext4</c> or <c>xfs</c>.</param>
    /// <param name="sizeBytes">Size of the disk; XFS needs 300 MiB.</param>
    public FaultyDisk(DiskFault fault = DiskFault.None, string fileSystem = "ext4", long sizeBytes = 512L << 20)
    {
        MountPath = _folder.File("mnt");
        _control = _folder.File("mnt.slow-disk/fuse/ctl");
        try
        {
            Script("up", "--fs", fileSystem, "--size", sizeBytes.ToString(CultureInfo.InvariantCulture));
            Fault = fault;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What a test that uses it names as its needs beside root.</summary>
    public const string Needs = "/dev/fuse";

    /// <summary>Where the file system is mounted.</summary>
    public string MountPath { get; }

    /// <summary>The block device below it, <c>/dev/loopN</c>.</summary>
    public string DevicePath => LoopDevice.Below(_folder.FullPath).Single().Path;

    /// <summary>How the disk behaves; a new value holds for every request that comes after.</summary>
    public DiskFault Fault
    {
        get;
        set
        {
            File.WriteAllText(_control, Spelling(value) + "\n");
            field = value;
        }
    }

    /// <summary>A disk without a fault that takes requests at so many million bytes a second, one after the other.</summary>
    public void SetRate(int megabytesPerSecond) => File.WriteAllText(_control, string.Create(CultureInfo.InvariantCulture, $"rate {megabytesPerSecond}\n"));

    /// <summary>Requests that the disk has had, and bytes in and lost from its volatile cache: reads, writes, flushes, cached, lost.</summary>
    public IReadOnlyDictionary<string, long> Counters =>
        File.ReadAllLines(_control).Select(line => line.Split(' ')).Where(words => words[0] != "mode")
            .ToDictionary(words => words[0], words => long.Parse(words[1], CultureInfo.InvariantCulture));

    /// <summary>
    /// Cuts the power: what only the disk's volatile cache held is lost, and the file system is mounted again with what
    /// its journal could save. No file on it may be open.
    /// </summary>
    public void CutPower() => Script("cut");

    /// <summary>Removes the disk and all that was made for it, whatever its state.</summary>
    public void Dispose()
    {
        // An unmount on a broken disk would wait, or give up; there is no control file if the disk was never up.
        if (File.Exists(_control))
            Fault = DiskFault.None;
        _folder.Dispose();
    }

    private static string Spelling(DiskFault fault) => fault switch
    {
        DiskFault.None => "none",
        DiskFault.HardDisk => "hdd",
        DiskFault.Slow => "slow",
        DiskFault.ReadError => "eio-read",
        DiskFault.WriteError => "eio-write",
        DiskFault.VolatileCache => "volatile",
        DiskFault.LyingFlush => "lying-flush",
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, null),
    };

    private void Script(string verb, params string[] arguments) =>
        Command.Run(Path.Combine(Repository.Root, "scripts", "slow-disk"), [verb, MountPath, .. arguments]);
}
