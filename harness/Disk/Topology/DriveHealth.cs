using System.Buffers.Binary;
using System.Globalization;
using Bench.Disk.Native;

namespace Bench.Disk.Topology;

/// <summary>
/// What a drive says of its condition: how warm it is, and what part of the writes that it is rated for is used up.
/// </summary>
/// <remarks>
/// fio reads neither. smartctl and nvme-cli print both, and the reader has to set a run's writes against them. Here they
/// stand before the run, in the unit of the question: what does this run cost the drive. The temperature comes from
/// hwmon (the drivers nvme and drivetemp), which needs no right; wear from the drive's log of NVMe, which needs root. The
/// log is asked for at the controller, so that the block device itself is never opened.
/// </remarks>
public sealed record DriveHealth
{
    private const int SmartLogBytes = 512;

    /// <summary>NVM Express Base Specification, "SMART / Health Information": data units are thousands of 512 bytes.</summary>
    private const double DataUnitBytes = 512_000;

    private const byte GetLogPage = 0x02;
    private const uint SmartLogPage = 0x02;
    private const uint AllNamespaces = 0xFFFF_FFFF;

    /// <summary>Part of the rated writes that is used up, in whole percent; may be above 100. Null if the drive does not say.</summary>
    public int? UsedPercent { get; init; }

    /// <summary>Bytes written to the drive in its life; null if it does not say.</summary>
    public double? WrittenBytes { get; init; }

    /// <summary>Degrees Celsius; null if no driver tells.</summary>
    public double? TemperatureCelsius { get; init; }

    /// <summary>Degrees Celsius from which the drive itself warns; null if no driver tells.</summary>
    public double? WarningCelsius { get; init; }

    /// <summary>All that can be read of a disk.</summary>
    /// <param name="disk">Its kernel name: nvme0n1, sda.</param>
    /// <param name="root">Where sysfs and /dev are read; this machine if null.</param>
    public static DriveHealth Read(string disk, SystemRoot? root = null)
    {
        root ??= SystemRoot.Machine;
        var health = ReadTemperature(disk, root);
        return root.IsMachine && ControllerOf(disk, root) is { } controller && ReadSmartLog($"/dev/{controller}") is { } log
            ? OfSmartLog(log) with { TemperatureCelsius = health.TemperatureCelsius, WarningCelsius = health.WarningCelsius } : health;
    }

    /// <summary>The temperature only, which costs two files.</summary>
    /// <param name="disk">Its kernel name.</param>
    /// <param name="root">Where sysfs is read; this machine if null.</param>
    public static DriveHealth ReadTemperature(string disk, SystemRoot? root = null)
    {
        root ??= SystemRoot.Machine;
        const double thousandth = 1e-3;
        var device = $"/sys/class/block/{disk}/device";
        // The sensor is a child of the SCSI disk or of the NVMe controller; with older kernels of the controller's PCI device.
        foreach (var folder in new[] { $"{device}/hwmon", device, $"{device}/device/hwmon" })
            foreach (var name in root.Names(folder).Where(name => name.StartsWith("hwmon", StringComparison.Ordinal)))
                if (root.ReadNumber($"{folder}/{name}/temp1_input") is { } now)
                    return new DriveHealth { TemperatureCelsius = now * thousandth, WarningCelsius = root.ReadNumber($"{folder}/{name}/temp1_max") is > 0 and var most ? most * thousandth : null };
        return new DriveHealth();
    }

    /// <summary>What a number of written bytes takes of the drive's rated writes.</summary>
    /// <param name="writeBytes">Bytes.</param>
    /// <returns>The share, and whether it is an upper bound because less than a percent is used so far; null if the drive does not say.</returns>
    public (double Share, bool AtMost)? ShareOf(long writeBytes) => UsedPercent is { } used && WrittenBytes is > 0 and var written
        ? (writeBytes * Math.Max(used, 1) / (100 * written), used == 0) : null;

    /// <summary>It in a sentence, with what a run adds; null if the drive says nothing.</summary>
    /// <param name="writeBytes">Bytes that the run writes.</param>
    /// <param name="say">How bytes are written.</param>
    public string? Told(long writeBytes, Func<long, string> say)
    {
        var parts = new List<string>();
        if (UsedPercent is { } used)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{used} % of its rated writes used{(WrittenBytes is { } written ? $" by {say((long)Math.Min(written, 1e18))}" : "")}"));
        if (ShareOf(writeBytes) is { } share)
            parts.Add($"this run takes {(share.AtMost ? "at most" : "about")} {TwoDigits(100 * share.Share)} % more");
        if (TemperatureCelsius is { } celsius)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{celsius:0} °C{(IsHot ? $", above the {WarningCelsius:0} °C from which it warns" : "")}"));
        return parts.Count == 0 ? null : string.Join("; ", parts);
    }

    /// <summary>True if it is so warm that it may slow itself down.</summary>
    public bool IsHot => TemperatureCelsius >= WarningCelsius;

    /// <summary>The NVMe controller of a namespace, "nvme0"; null if the disk is none.</summary>
    internal static string? ControllerOf(string disk, SystemRoot root)
    {
        if (!disk.StartsWith("nvme", StringComparison.Ordinal) || root.Resolve($"/sys/class/block/{disk}/device") is not { } folder)
            return null;
        static string NameOf(string path) => path[(path.LastIndexOf('/') + 1)..];
        static bool IsController(string name) => BlockDeviceReader.IsNumbered(name, "nvme");
        // With native multipath the namespace belongs to a subsystem, whose controllers lead to the same drive.
        return IsController(NameOf(folder)) ? NameOf(folder) : root.Names(folder).FirstOrDefault(IsController);
    }

    /// <summary>What the 512 bytes of the log say ("SMART / Health Information", log page 02h).</summary>
    internal static DriveHealth OfSmartLog(ReadOnlySpan<byte> log)
    {
        const int usedAt = 5, writtenAt = 48;
        var units = BinaryPrimitives.ReadUInt128LittleEndian(log[writtenAt..]);
        return new DriveHealth { UsedPercent = log[usedAt], WrittenBytes = (double)units * DataUnitBytes };
    }

    /// <summary>"0.00012", never "1.2E-4".</summary>
    private static string TwoDigits(double figure) =>
        double.Parse(figure.ToString("G2", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture).ToString("0.############", CultureInfo.InvariantCulture);

    private static unsafe byte[]? ReadSmartLog(string controller)
    {
        try
        {
            using var device = DiskFile.Open(controller, OpenMode.Read);
            var log = new byte[SmartLogBytes];
            fixed (byte* data = log)
            {
                var command = new Libc.nvme_passthru_cmd
                {
                    opcode = GetLogPage,
                    nsid = AllNamespaces,
                    addr = (ulong)data,
                    data_len = SmartLogBytes,
                    // The number of four-byte words less one, and the page.
                    cdw10 = ((SmartLogBytes / sizeof(uint) - 1) << 16) | SmartLogPage,
                };
                return Libc.ioctl(device.Descriptor, Constants.NVME_IOCTL_ADMIN_CMD, &command) == 0 ? log : null;
            }
        }
        catch (DiskException)
        {
            return null;
        }
    }
}
