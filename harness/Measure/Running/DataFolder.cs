using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Bench.Disk;
using Bench.Measure.Passes;
using Bench.Measure.Records;

namespace Bench.Measure.Running;

/// <summary>Who made a data folder; written into it as <c>owner.json</c>.</summary>
/// <param name="Run">The run.</param>
/// <param name="ProcessId">Its process.</param>
/// <param name="BootId">The boot that the process belongs to (<c>/proc/sys/kernel/random/boot_id</c>).</param>
/// <param name="Kept">The user asked to keep the data: never removed as a leftover.</param>
public sealed record DataOwner(string Run, int ProcessId, string BootId, bool Kept);

/// <summary>
/// <c>&lt;target&gt;/.bench-&lt;run&gt;</c>: the only place where a run writes data. The owner's file is locked while the
/// run lives (flock(2)); the kernel lets the lock go when the process dies, however it dies, so the next start can
/// tell a leftover from a neighbour, across containers too, where a process id alone means nothing.
/// </summary>
public sealed partial class DataFolder : IDisposable
{
    /// <summary>The file that is only read.</summary>
    public const string DataPurpose = "data";

    /// <summary>
    /// The file that is written over: not the one that is read, because on a copy-on-write file system random writes
    /// scatter a file, and later sequential reads would measure that.
    /// </summary>
    public const string WritePurpose = "write";

    private const string FileSuffix = ".bin";
    private const int ReuseTries = 20;
    private const string OwnerFileName = "owner.json";
    private readonly FileStream ownerLock;
    private readonly Dictionary<string, string> files = new(StringComparer.Ordinal);

    private DataFolder(string path, FileStream ownerLock, DataOwner owner)
    {
        Path = path;
        this.ownerLock = ownerLock;
        Owner = owner;
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Whose it is.</summary>
    public DataOwner Owner { get; }

    /// <summary>True if the folder stays when the run ends.</summary>
    public bool Keep => Owner.Kept;

    /// <summary>
    /// True if what the cases write (logs) stays with the files that they read: only where the folder is new. In one that was
    /// taken over, each launch of a gate would find the logs of the launch before, and go on with them.
    /// </summary>
    public bool KeepsWritten { get; private set; }

    /// <summary>
    /// The path of the block device whose first bytes are the run's data, and overwritten: a <see cref="DiskFile.HeldPath"/>.
    /// Null where the data are files in the folder.
    /// </summary>
    public string? Device { get; private set; }

    private long laidOutOnDevice;

    /// <summary>Bytes laid out so far in this run.</summary>
    public long LaidOutBytes { get; private set; }

    /// <summary>Makes the folder.</summary>
    /// <param name="target">An existing, writable folder.</param>
    /// <param name="run">The run's name.</param>
    /// <param name="keep">Leave it when the run ends.</param>
    public static DataFolder Create(string target, string run, bool keep)
    {
        var path = System.IO.Path.Combine(target, ".bench-" + run);
        // Also a link: CreateDirectory would take over what it points to.
        if (System.IO.Path.Exists(path))
            throw new IOException($"{path} exists already");
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        try
        {
            var made = Own(path, LockNew(path), new DataOwner(run, Environment.ProcessId, BootId(), keep));
            made.KeepsWritten = keep;
            return made;
        }
        catch
        {
            // A full disk: the folder is ours alone, and nobody would remove it.
            Directory.Delete(path, recursive: true);
            throw;
        }
    }

    /// <summary>Makes a folder for a run over a block device: nothing is in it but who the run is.</summary>
    /// <param name="folder">An existing, writable folder.</param>
    /// <param name="run">The run's name.</param>
    /// <param name="device">The device, held by the caller for as long as the run lasts.</param>
    public static DataFolder ForDevice(string folder, string run, DiskFile device)
    {
        var made = Create(folder, run, keep: false);
        made.Device = device.HeldPath;
        return made;
    }

    /// <summary>Takes over a folder that an earlier run kept, with its files; it stays kept.</summary>
    /// <exception cref="PlanException">It is not a kept data folder, or in use.</exception>
    public static DataFolder Reuse(string path, string run)
    {
        if (path.Length == 0)
            throw new PlanException("--reuse is empty; give a data folder that 'bench run --keep' left");
        path = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        for (var tries = 1; ; tries++)
        {
            FileStream ownerLock;
            try
            {
                ownerLock = Lock(path, FileMode.Open);
            }
            catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
            {
                throw NotKept(path);
            }
            catch (IOException) when (tries < ReuseTries)
            {
                // A start of bench beside this one that looks for leftovers holds the lock for a moment.
                Thread.Sleep(25);
                continue;
            }
            catch (IOException)
            {
                throw new PlanException($"{path} is in use by another run");
            }
            if (ReadOwner(ownerLock) is { Kept: true })
                return Own(path, ownerLock, new DataOwner(run, Environment.ProcessId, BootId(), true));
            ownerLock.Dispose();
            throw NotKept(path);
        }
    }

    private static PlanException NotKept(string path) => new($"{path} is not a data folder that 'bench run --keep' left");

    /// <summary>
    /// Removes what dead runs left under a target. A folder is removed only if its name is a run's, it is no link,
    /// nobody holds its lock, it was not to be kept, and its process is gone or of another boot.
    /// </summary>
    /// <param name="target">The folder below which runs make theirs.</param>
    /// <param name="shared">
    /// Other machines may use the folder too (a network file system): whether a lock is seen across machines is then
    /// unknown, and a folder of another boot is left alone, because it may be a living neighbour's.
    /// </param>
    /// <returns>The folders removed.</returns>
    public static IReadOnlyList<string> RemoveLeftovers(string target, bool shared = false)
    {
        var removed = new List<string>();
        foreach (var path in Directory.EnumerateDirectories(target, ".bench-*"))
        {
            if (!FolderName().IsMatch(System.IO.Path.GetFileName(path)) || new DirectoryInfo(path).LinkTarget is not null)
                continue;
            try
            {
                if (RemoveDead(path, shared))
                    removed.Add(path);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Another user's, or in use: not ours to remove.
            }
        }
        return removed;
    }

    /// <summary>
    /// The run's file of a size: random data, every block allocated, on the device. Laid out at first use and then
    /// shared by all cases of the run.
    /// </summary>
    /// <param name="size">Length.</param>
    /// <param name="seed">Of the data.</param>
    /// <param name="stop">The user's wish to stop.</param>
    /// <param name="progress">Gets the share done, 0 to 1.</param>
    /// <param name="purpose">Cases with different purposes get different files.</param>
    /// <returns>The path: of the file, or of the device.</returns>
    public string FileOf(ByteSize size, ulong seed, StopSignal stop, Action<double>? progress = null, string purpose = DataPurpose)
    {
        if (Device is { } device)
        {
            // One area serves all purposes: on a device nothing moves when it is written over.
            if (laidOutOnDevice < size.Bytes)
            {
                using var target = DiskFile.Open(device, OpenMode.Write | OpenMode.Direct);
                Fill(target, size.Bytes, seed, stop, progress);
                target.Fsync();
                LaidOutBytes += size.Bytes;
                laidOutOnDevice = size.Bytes;
            }
            return device;
        }
        var path = System.IO.Path.Combine(Path, $"{purpose}-{size}{FileSuffix}");
        if (files.ContainsKey(path))
            return path;
        if (!(File.Exists(path) && new FileInfo(path).Length == size.Bytes))
        {
            File.Delete(path);
            try
            {
                LayOut(path, size.Bytes, seed, stop, progress);
            }
            catch
            {
                // Half a file must not be taken for a whole one by the next case, and must not fill the disk.
                File.Delete(path);
                throw;
            }
            LaidOutBytes += size.Bytes;
        }
        files[path] = path;
        return path;
    }

    /// <summary>
    /// Gives the files that one folder has laid out to another as well, as further names of the same files: runs in
    /// both then read the same blocks, and the same pages where they are cached. A file that the other has stays.
    /// </summary>
    /// <param name="from">A data folder.</param>
    /// <param name="to">Another one on the same file system.</param>
    /// <returns>Why it could not be done, where the file system has no hard links; null if it was.</returns>
    public static string? ShareFiles(string from, string to)
    {
        try
        {
            foreach (var path in Directory.EnumerateFiles(from, "*" + FileSuffix))
                DiskFile.TryLink(path, System.IO.Path.Combine(to, System.IO.Path.GetFileName(path)));
            return null;
        }
        catch (DiskException exception)
        {
            return exception.Message;
        }
    }

    /// <summary>Removes the files that a folder has laid out; whoever takes it over next lays them out again.</summary>
    /// <param name="path">A data folder that nobody uses.</param>
    public static void RemoveFiles(string path)
    {
        foreach (var file in Directory.EnumerateFiles(path, "*" + FileSuffix))
            File.Delete(file);
    }

    /// <summary>The data folders of living runs under a target.</summary>
    /// <param name="target">The folder below which runs make theirs.</param>
    public static IReadOnlyList<string> Living(string target)
    {
        static bool IsLocked(string path)
        {
            try
            {
                using var ownerLock = Lock(path, FileMode.Open);
                return false;
            }
            catch (IOException exception)
            {
                return exception is not (FileNotFoundException or DirectoryNotFoundException);
            }
            catch (UnauthorizedAccessException)
            {
                return false;
            }
        }
        return [.. Directory.EnumerateDirectories(target, ".bench-*").Where(path => FolderName().IsMatch(System.IO.Path.GetFileName(path)) && IsLocked(path))];
    }

    /// <summary>Closes the folder and removes it, unless it is kept.</summary>
    public void Dispose()
    {
        if (!Keep)
            WholeFolder.Remove(Path);
        ownerLock.Dispose();
    }

    /// <summary>Opens a folder's owner file with its lock: flock(LOCK_EX | LOCK_NB) on Unix; a second opener gets an IOException.</summary>
    private static FileStream Lock(string path, FileMode mode) => new(System.IO.Path.Combine(path, OwnerFileName), mode, FileAccess.ReadWrite, FileShare.None);

    /// <summary>The same for a new folder, whose file another start of bench may be looking at between its making and its locking.</summary>
    private static FileStream LockNew(string path)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return Lock(path, tries == 1 ? FileMode.CreateNew : FileMode.Open);
            }
            catch (IOException) when (tries < ReuseTries && File.Exists(System.IO.Path.Combine(path, OwnerFileName)))
            {
                Thread.Sleep(25);
            }
        }
    }

    private static DataFolder Own(string path, FileStream ownerLock, DataOwner owner)
    {
        // In one write and no shorter than what was there (white space may follow): a process that is killed here leaves the
        // old owner or the new one, and no kept folder that looks like one of a run that died at its start.
        var text = JsonSerializer.Serialize(owner, RecordJson.Options).PadRight((int)ownerLock.Length);
        ownerLock.Position = 0;
        ownerLock.Write(Encoding.UTF8.GetBytes(text));
        ownerLock.Flush(flushToDisk: true);
        return new DataFolder(path, ownerLock, owner);
    }

    /// <summary>
    /// Removes a folder if its run is dead. Both under its lock: whoever looks first and then asks for the owner may find one
    /// in between who has just taken the folder over, and would remove it under him.
    /// </summary>
    private static bool RemoveDead(string path, bool shared)
    {
        if (!File.Exists(System.IO.Path.Combine(path, OwnerFileName)))
        {
            // Killed between mkdir and the owner's file: empty by construction. If its run is just now beginning, it is not.
            if (shared || !IsPastStart(path) || Directory.EnumerateFileSystemEntries(path).Any())
                return false;
            Directory.Delete(path);
            return true;
        }
        // An IOException if the run lives.
        using var ownerLock = Lock(path, FileMode.Open);
        var owner = ReadOwner(ownerLock);
        // A torn owner's file is that of a run that died while it wrote it, or of one that has made the file this very
        // moment and not locked it yet.
        var isDead = owner is null ? IsPastStart(path) : !owner.Kept && (owner.BootId != BootId() || owner.ProcessId == Environment.ProcessId || !IsAlive(owner.ProcessId));
        if (!isDead || (shared && owner?.BootId != BootId()))
            return false;
        Directory.Delete(path, recursive: true);
        return true;
    }

    private static bool IsPastStart(string path) =>
        DateTime.UtcNow - Directory.GetCreationTimeUtc(path) > TimeSpan.FromSeconds(10);

    private static bool IsAlive(int processId)
    {
        // A recycled number would keep a leftover for ever; only another bench counts as the owner.
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/cmdline"))
                .Contains("bench", StringComparison.OrdinalIgnoreCase);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static DataOwner? ReadOwner(FileStream ownerLock)
    {
        try
        {
            return JsonSerializer.Deserialize<DataOwner>(ownerLock, RecordJson.Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string BootId()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        }
        catch (IOException)
        {
            return "unknown";
        }
    }

    private static void LayOut(string path, long lengthBytes, ulong seed, StopSignal stop, Action<double>? progress)
    {
        using var file = OpenForLayout(path);
        Fill(file, RoundUp(lengthBytes, 4096), seed, stop, progress);
        if (file.LengthBytes != lengthBytes)
            file.Truncate(lengthBytes);
        file.Fsync();
    }

    private static void Fill(DiskFile file, long lengthBytes, ulong seed, StopSignal stop, Action<double>? progress)
    {
        using var buffer = new AlignedBuffer((int)Math.Min(1 << 20, lengthBytes));
        for (long position = 0; position < lengthBytes; position += buffer.LengthBytes)
        {
            stop.ThrowIfRequested();
            RandomBytes.Fill(buffer.Span, ref seed);
            file.Write(buffer.Span[..(int)Math.Min(buffer.LengthBytes, lengthBytes - position)], position);
            progress?.Invoke(Math.Min(1, (double)(position + buffer.LengthBytes) / lengthBytes));
        }
    }

    /// <summary>Direct where the file system has it: the layout then neither fills the cache nor leaves dirty pages.</summary>
    private static DiskFile OpenForLayout(string path)
    {
        try
        {
            return DiskFile.Open(path, OpenMode.Write | OpenMode.Create | OpenMode.Direct);
        }
        catch (DiskException exception) when (exception.IsUnsupported)
        {
            // open(2) can leave the new file behind when it refuses O_DIRECT.
            File.Delete(path);
            return DiskFile.Open(path, OpenMode.Write | OpenMode.Create);
        }
    }

    private static long RoundUp(long value, long multiple) => (value + multiple - 1) / multiple * multiple;

    // \d would take any script's digits, and $ a line break behind the name.
    [GeneratedRegex(@"\A\.bench-[0-9]{8}-[0-9]{6}-[0-9a-f]{4}\z", RegexOptions.CultureInvariant)]
    private static partial Regex FolderName();
}

/// <summary>Seeded bytes that neither compress nor repeat.</summary>
public static class RandomBytes
{
    /// <summary>Fills a span and moves the seed on.</summary>
    public static void Fill(Span<byte> bytes, ref ulong seed)
    {
        var words = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(bytes);
        for (var i = 0; i < words.Length; i++)
            words[i] = BlockPermutation.SplitMix64(ref seed);
        for (var i = words.Length * sizeof(ulong); i < bytes.Length; i++)
            bytes[i] = (byte)BlockPermutation.SplitMix64(ref seed);
    }
}
