using System.Globalization;
using Bench.Measure.Records;

namespace Bench.Measure.Evidence;

/// <summary>
/// Whether somebody else used the disks within a pass, from two counters: what the disks moved, and what this process
/// caused. fio counts the whole disk's use and leaves it to the reader whose it was.
/// <para>
/// Only of passes that live from the device, and only where the two counters mean the same: of a reading pass what was
/// read beyond its own, and all that was written; of a writing pass what was read. (What a write becomes below a file
/// system, journal, copies and parity among it, is not told apart from a stranger's.)
/// </para>
/// </summary>
public static class ForeignTraffic
{
    /// <summary>A share of the pass's own bytes that is worth a second try.</summary>
    private const double DisturbingShare = 0.05;

    /// <summary>And so much a second: a page of a log file disturbs nobody.</summary>
    private const double DisturbingBytesPerSecond = 4e6;

    /// <summary>A pass that causes less than this share of its bytes does not live from the device.</summary>
    private const double FromDevice = 0.5;

    /// <summary>What disturbed a pass, in words; null if nothing did or it cannot be told.</summary>
    public static string? In(PassRecord pass)
    {
        if (pass is not { DeviceReadBytes: { } deviceRead, DeviceWriteBytes: { } deviceWritten, ProcessReadBytes: { } read, ProcessWriteBytes: { } written } || pass.Seconds <= 0)
            return null;
        var reads = read >= FromDevice * pass.Bytes && read > written;
        if (!reads && written < FromDevice * pass.Bytes)
            return null;
        var foreign = Math.Max(0, deviceRead - read) + (reads ? Math.Max(0, deviceWritten - written) : 0);
        return foreign > DisturbingShare * pass.Bytes && foreign / pass.Seconds > DisturbingBytesPerSecond
            ? string.Create(CultureInfo.InvariantCulture, $"others moved {foreign / 1e6:0.#} MB on the disks beside the {pass.Bytes / 1e6:0.#} MB of the pass")
            : null;
    }
}
