using System.Globalization;

namespace Bench.TestSupport;

/// <summary>
/// A btrfs array over disks that are each held to a rate: <c>scripts/test-array</c> in the hands of a test. Needs root
/// and <see cref="FaultyDisk.Needs"/>.
/// </summary>
public sealed class TestArray : IDisposable
{
    private readonly TestFolder _folder = new();

    /// <summary>Makes and mounts it.</summary>
    /// <param name="level">raid0, raid1, raid10, raid5.</param>
    /// <param name="legs">Disks.</param>
    /// <param name="megabytesPerSecond">What each of them can do.</param>
    public TestArray(string level, int legs, int megabytesPerSecond)
    {
        // With a space, as a user's may have.
        MountPath = _folder.File($"{level} array");
        try
        {
            Script(level, "--legs", legs.ToString(CultureInfo.InvariantCulture), "--rate", megabytesPerSecond.ToString(CultureInfo.InvariantCulture));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where it is mounted.</summary>
    public string MountPath { get; }

    /// <summary>Gives one disk another rate.</summary>
    /// <param name="leg">Its number, from 1.</param>
    /// <param name="megabytesPerSecond">The rate.</param>
    public void Slow(int leg, int megabytesPerSecond) =>
        Script("ctl", leg.ToString(CultureInfo.InvariantCulture), "rate", megabytesPerSecond.ToString(CultureInfo.InvariantCulture));

    /// <summary>The kernel name of a disk, loopN.</summary>
    /// <param name="leg">Its number, from 1.</param>
    public string DeviceOf(int leg) => Path.GetFileName(Script("status").StandardOutput.Split('\n')[leg - 1].Split(' ')[0]);

    /// <summary>Removes it and all that was made for it.</summary>
    public void Dispose()
    {
        if (Directory.Exists(MountPath + ".test-array"))
            Script("down");
        _folder.Dispose();
    }

    private CommandResult Script(string verb, params string[] arguments) =>
        Command.Run(Path.Combine(Repository.Root, "scripts", "test-array"), [verb, MountPath, .. arguments]);
}
