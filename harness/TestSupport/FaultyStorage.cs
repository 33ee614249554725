using Bench.Disk;
using Bench.SegmentLog.Storage;

namespace Bench.TestSupport;

/// <summary>How often calls fail, each as a probability from 0 to 1.</summary>
public sealed record StorageFaults
{
    /// <summary>Nothing fails.</summary>
    public static StorageFaults None { get; } = new();

    /// <summary>A read fails with EIO.</summary>
    public double ReadFails { get; init; }

    /// <summary>A write takes a part of the bytes and fails with EIO or ENOSPC; an allocation likewise.</summary>
    public double WriteFails { get; init; }

    /// <summary>A flush of a file fails with EIO; what it should have written may be written or not, and is never written again.</summary>
    public double FlushFails { get; init; }

    /// <summary>The making, renaming, removing or flushing of a name fails with EIO or ENOSPC.</summary>
    public double NameFails { get; init; }
}

/// <summary>
/// A disk in memory behind the log's own interface, which tells what was written from what would be there after a power
/// cut, and can fail in the ways in which disks and file systems do. Whatever it does follows from its seed.
/// <para>
/// Between two flushes of a file each sector of 512 bytes that was written may reach the device or not, in any of the
/// states that it had in the page cache; changes of length take effect in order, up to any of them, and a length that
/// took effect over data that did not shows zeros, as ext4 and XFS do it after a crash. A truncation that did not take
/// effect leaves the old blocks, and what was written into new ones after it is lost with them. Names change in order, as
/// in a journal, up to any change since the folder's last flush; the flush of a file says nothing of its name. After a
/// failed flush the page cache takes its pages for clean: it may still show what the device does not have, and no later
/// flush writes it (Rebello et al., USENIX ATC 2020).
/// </para>
/// </summary>
/// <param name="seed">Where its choices come from.</param>
public sealed class FaultyStorage(int seed) : IStorage
{
    /// <summary>What reaches the device whole or not at all.</summary>
    public const int SectorBytes = 512;

    private const int BlockBytes = 4096;
    private const int ENOENT = 2, EIO = 5, EEXIST = 17, EINVAL = 22, ENOSPC = 28;

    private readonly Random random = new(seed);
    private readonly Lock gate = new();
    private readonly Dictionary<string, Folder> folders = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Held> locks = new(StringComparer.Ordinal);
    private int boots;
    private bool isOff;

    /// <summary>What fails from now on.</summary>
    public StorageFaults Faults { get; set; } = StorageFaults.None;

    /// <summary>If true, flushes of files and folders say yes and do nothing: a disk that lies.</summary>
    public bool FlushesLie { get; set; }

    /// <summary>
    /// Told the call and the path before a file is read, written or flushed, and before a name changes or a folder is
    /// flushed: what it does, another thread could do just then.
    /// </summary>
    public Action<string, string>? BeforeCall { get; set; }

    /// <summary>Calls that failed on purpose.</summary>
    public int FailedCalls { get; private set; }

    /// <summary>Power cuts so far.</summary>
    public int PowerCuts { get; private set; }

    /// <summary>
    /// From here on the process that used the disk is dead: its calls do nothing, so that it may let go of its files.
    /// </summary>
    public void Stop()
    {
        lock (gate)
            isOff = true;
    }

    /// <summary>Another process starts, on the same machine: the page cache is as it was.</summary>
    public void Restart()
    {
        lock (gate)
        {
            isOff = false;
            boots++;
        }
    }

    /// <summary>The power fails and comes back: what was not flushed is there in part, or not.</summary>
    public void CutPower()
    {
        lock (gate)
        {
            PowerCuts++;
            foreach (var folder in folders.Values)
            {
                folder.Crash(random);
                foreach (var file in folder.Names.Values.Distinct())
                    file.Crash(random);
            }
            Restart();
        }
    }

    /// <summary>The files of a folder, as a process sees them now.</summary>
    public SortedDictionary<string, byte[]> Contents(string folder)
    {
        lock (gate)
        {
            var found = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
            if (folders.TryGetValue(folder, out var names))
                foreach (var (name, file) in names.Names)
                    found[name] = file.Cached.Bytes[..(int)file.Cached.Length];
            return found;
        }
    }

    /// <summary>Changes a byte of a file behind everybody's back, on the device too.</summary>
    public void Corrupt(string path, long position, byte flip)
    {
        lock (gate)
            Find(path)!.Corrupt(position, flip);
    }

    /// <inheritdoc/>
    public IStorageFile Open(string path, OpenMode mode)
    {
        lock (gate)
        {
            var (folder, name) = Split(path);
            if (!folders.TryGetValue(folder, out var names))
                throw DiskException.FromErrno("open", path, ENOENT);
            names.Names.TryGetValue(name, out var file);
            if (mode.HasFlag(OpenMode.Create))
            {
                if (file is not null)
                    throw DiskException.FromErrno("open", path, EEXIST);
                FailName("open", path);
                file = new Inode();
                if (!isOff)
                    names.Change(new NameChange(name, null, file));
            }
            return new FaultyFile(this, file ?? throw DiskException.FromErrno("open", path, ENOENT), path, mode, boots);
        }
    }

    /// <inheritdoc/>
    public bool Exists(string path)
    {
        lock (gate)
            return Find(path) is not null;
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string folder)
    {
        lock (gate)
            return folders.TryGetValue(folder, out var names) ? Shuffled(names.Names.Keys) : [];
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> ListFolders(string folder)
    {
        lock (gate)
            return Shuffled(folders.Keys.Where(path => Path.GetDirectoryName(path) == folder).Select(path => Path.GetFileName(path)));
    }

    /// <inheritdoc/>
    public IDisposable? TryLock(string path)
    {
        // It ends with its process, as the kernel ends it.
        lock (gate)
            return locks.TryGetValue(path, out var holder) && holder.Boot == boots && !holder.IsFree ? null : locks[path] = new Held(boots);
    }

    /// <inheritdoc/>
    public void CreateFolder(string folder)
    {
        lock (gate)
            folders.TryAdd(folder, new Folder());
    }

    /// <inheritdoc/>
    public void Rename(string from, string to)
    {
        BeforeCall?.Invoke("rename", from);
        lock (gate)
        {
            if (isOff)
                return;
            if (Find(from) is not { } file)
                throw DiskException.FromErrno("rename", from, ENOENT);
            FailName("rename", from);
            var (folder, name) = Split(to);
            folders[folder].Change(new NameChange(name, Split(from).Name, file));
        }
    }

    /// <inheritdoc/>
    public void Delete(string path)
    {
        BeforeCall?.Invoke("unlink", path);
        lock (gate)
        {
            if (isOff || Find(path) is null)
                return;
            FailName("unlink", path);
            var (folder, name) = Split(path);
            folders[folder].Change(new NameChange(null, name, null));
        }
    }

    /// <inheritdoc/>
    public void SyncFolder(string folder)
    {
        BeforeCall?.Invoke("fsync", folder);
        lock (gate)
        {
            if (isOff)
                return;
            FailName("fsync", folder);
            if (!FlushesLie)
                folders[folder].Sync();
        }
    }

    private Inode? Find(string path)
    {
        var (folder, name) = Split(path);
        return folders.TryGetValue(folder, out var names) ? names.Names.GetValueOrDefault(name) : null;
    }

    private static (string Folder, string Name) Split(string path) => (Path.GetDirectoryName(path)!, Path.GetFileName(path));

    private string[] Shuffled(IEnumerable<string> names)
    {
        string[] all = [.. names];
        random.Shuffle(all);
        return all;
    }

    private bool Chance(double probability)
    {
        if (isOff || probability <= 0 || random.NextDouble() >= probability)
            return false;
        FailedCalls++;
        return true;
    }

    private void FailName(string operation, string path)
    {
        if (Chance(Faults.NameFails))
            throw DiskException.FromErrno(operation, path, random.Next(2) == 0 ? EIO : ENOSPC);
    }

    private sealed class Held(int boot) : IDisposable
    {
        public int Boot => boot;

        public bool IsFree { get; private set; }

        public void Dispose() => IsFree = true;
    }

    private sealed class FaultyFile(FaultyStorage storage, Inode file, string path, OpenMode mode, int boot) : IStorageFile
    {
        private bool isClosed;

        public string Path { get; private set; } = path;

        public long LengthBytes
        {
            get
            {
                lock (storage.gate)
                    return Use().Cached.Length;
            }
        }

        public int Read(Span<byte> buffer, long position)
        {
            storage.BeforeCall?.Invoke("read", Path);
            lock (storage.gate)
            {
                var cached = Use().Cached;
                if (storage.Chance(storage.Faults.ReadFails))
                    throw DiskException.FromErrno("read", Path, EIO);
                var length = (int)Math.Clamp(cached.Length - position, 0, buffer.Length);
                cached.Bytes.AsSpan((int)Math.Min(position, cached.Length), length).CopyTo(buffer);
                return length;
            }
        }

        public void Write(ReadOnlySpan<byte> bytes, long position)
        {
            if (mode.HasFlag(OpenMode.DataSync))
            {
                WriteDurably(bytes, position);
                return;
            }
            storage.BeforeCall?.Invoke("write", Path);
            lock (storage.gate)
                WriteCached(bytes, position);
        }

        public void WriteDurably(ReadOnlySpan<byte> bytes, long position)
        {
            storage.BeforeCall?.Invoke("pwritev2", Path);
            lock (storage.gate)
            {
                WriteCached(bytes, position);
                Flush(position, bytes.Length, "pwritev2");
            }
        }

        public void Fdatasync()
        {
            storage.BeforeCall?.Invoke("fdatasync", Path);
            lock (storage.gate)
                Flush(0, long.MaxValue, "fdatasync");
        }

        public void DropCache()
        {
            lock (storage.gate)
            {
                Flush(0, long.MaxValue, "fdatasync");
                if (!storage.isOff)
                    file.DropCache();
            }
        }

        public void StartWriteBack(long position, long lengthBytes)
        {
            // What it starts may end before a power cut or not: that is so without it.
            lock (storage.gate)
                Use();
        }

        public void Allocate(long position, long lengthBytes)
        {
            lock (storage.gate)
            {
                if (!ForWriting())
                    return;
                var end = position + lengthBytes;
                var isFull = storage.Chance(storage.Faults.WriteFails);
                // fallocate(2): on ENOSPC the file may have grown.
                if (isFull)
                    end = storage.random.NextInt64(position, end);
                file.Extend(end);
                if (isFull)
                    throw DiskException.FromErrno("fallocate", Path, ENOSPC);
            }
        }

        public void Truncate(long lengthBytes)
        {
            lock (storage.gate)
            {
                if (!ForWriting())
                    return;
                if (storage.Chance(storage.Faults.NameFails))
                    throw DiskException.FromErrno("ftruncate", Path, EIO);
                file.Truncate(lengthBytes);
            }
        }

        public void RenameTo(string path)
        {
            Use();
            storage.Rename(Path, path);
            Path = path;
        }

        public void Dispose() => isClosed = true;

        private void WriteCached(ReadOnlySpan<byte> bytes, long position)
        {
            if (!ForWriting())
                return;
            if (mode.HasFlag(OpenMode.Direct) && (position % SectorBytes != 0 || bytes.Length % SectorBytes != 0))
                throw DiskException.FromErrno("write", Path, EINVAL);
            if (storage.Chance(storage.Faults.WriteFails))
            {
                file.Write(bytes[..storage.random.Next(bytes.Length + 1)], position);
                throw DiskException.FromErrno("write", Path, storage.random.Next(2) == 0 ? EIO : ENOSPC);
            }
            file.Write(bytes, position);
        }

        private void Flush(long position, long lengthBytes, string operation)
        {
            if (!ForWriting())
                return;
            if (storage.Chance(storage.Faults.FlushFails))
            {
                file.FailFlush(storage.random);
                throw DiskException.FromErrno(operation, Path, EIO);
            }
            if (!storage.FlushesLie)
                file.Flush(position, lengthBytes);
        }

        /// <summary>False if the process is dead.</summary>
        private bool ForWriting()
        {
            if (storage.isOff)
                return false;
            Use();
            return mode.HasFlag(OpenMode.Write) ? true : throw new InvalidOperationException($"{Path} is open for reading");
        }

        private Inode Use()
        {
            ObjectDisposedException.ThrowIf(isClosed, this);
            return boot == storage.boots ? file : throw new InvalidOperationException($"{Path} was opened before the crash");
        }
    }

    /// <summary>Bytes that grow; those behind the length are zeros.</summary>
    private sealed class Image
    {
        public byte[] Bytes { get; private set; } = new byte[BlockBytes];

        public long Length { get; private set; }

        public Image Copy() => new() { Bytes = (byte[])Bytes.Clone(), Length = Length };

        public void Put(ReadOnlySpan<byte> bytes, long position)
        {
            Reserve(position + bytes.Length);
            bytes.CopyTo(Bytes.AsSpan((int)position));
        }

        public void SetLength(long length)
        {
            Reserve(length);
            // All behind it, and not only up to the old length: sectors may have been put there.
            Bytes.AsSpan((int)length).Clear();
            Length = length;
        }

        private void Reserve(long length)
        {
            if (length <= Bytes.Length)
                return;
            var larger = new byte[Math.Max(Bytes.Length * 2, RoundUp(length, BlockBytes))];
            Bytes.CopyTo(larger, 0);
            Bytes = larger;
        }
    }

    /// <summary>A change that is in the page cache and not on the device.</summary>
    /// <param name="Position">First byte of the sectors.</param>
    /// <param name="Sectors">Sectors as they are in the page cache after it.</param>
    /// <param name="Length">The file's length after it.</param>
    /// <param name="IsTruncation">Whether what is behind that length went.</param>
    private readonly record struct Change(long Position, byte[] Sectors, long Length, bool IsTruncation);

    private sealed class Inode
    {
        private readonly List<Change> unflushed = [];
        private Image durable = new();

        public Image Cached { get; private set; } = new();

        public void Write(ReadOnlySpan<byte> bytes, long position)
        {
            if (bytes.IsEmpty)
                return;
            Cached.Put(bytes, position);
            if (position + bytes.Length > Cached.Length)
                Cached.SetLength(position + bytes.Length);
            Note(position / SectorBytes * SectorBytes, position + bytes.Length, isTruncation: false);
        }

        public void Extend(long length)
        {
            if (length <= Cached.Length)
                return;
            Cached.SetLength(length);
            Note(0, 0, isTruncation: false);
        }

        public void Truncate(long length)
        {
            if (length >= Cached.Length)
            {
                Extend(length);
                return;
            }
            Cached.SetLength(length);
            // The rest of the last block is zeroed in the page cache, and written back as any other change.
            Note(length / SectorBytes * SectorBytes, RoundUp(length, BlockBytes), isTruncation: true);
        }

        /// <summary>All lengths, and the sectors of a range.</summary>
        public void Flush(long position, long lengthBytes)
        {
            var end = lengthBytes > long.MaxValue - position ? long.MaxValue : position + lengthBytes;
            var kept = new List<Change>();
            foreach (var change in unflushed)
            {
                if (change.IsTruncation)
                {
                    durable.SetLength(change.Length);
                    kept.RemoveAll(earlier => earlier.Position >= change.Length);
                    for (var i = 0; i < kept.Count; i++)
                        kept[i] = Cut(kept[i], change.Length);
                    continue;
                }
                if (change.Length > durable.Length)
                    durable.SetLength(change.Length);
                for (var at = 0; at < change.Sectors.Length; at += SectorBytes)
                {
                    var sector = change.Position + at;
                    if (sector + SectorBytes > position && sector < end)
                        durable.Put(change.Sectors.AsSpan(at, SectorBytes), sector);
                    else
                        kept.Add(new Change(sector, change.Sectors[at..(at + SectorBytes)], change.Length, false));
                }
            }
            unflushed.Clear();
            // A sector that is clean now must not be dirtied again by an older state of it.
            unflushed.AddRange(kept.Where(change => change.Position + SectorBytes <= position || change.Position >= end).Select(change => change with { Length = durable.Length }));
        }

        /// <summary>
        /// Some of the data reaches the device; the pages are clean now, and show what was written or what is there. The
        /// length is the journal's business, which does not fail without the whole file system.
        /// </summary>
        public void FailFlush(Random random)
        {
            durable = AfterCrash(random, unflushed.Count);
            unflushed.Clear();
            if (random.Next(2) == 0)
                return;
            var length = Cached.Length;
            Cached = durable.Copy();
            Cached.SetLength(length);
        }

        /// <summary>What is clean is read from the device again; the length stays in the inode.</summary>
        public void DropCache()
        {
            if (unflushed.Count > 0)
                return;
            var length = Cached.Length;
            Cached = durable.Copy();
            Cached.SetLength(length);
        }

        public void Crash(Random random)
        {
            durable = AfterCrash(random, random.Next(3) switch { 0 => 0, 1 => unflushed.Count, _ => random.Next(unflushed.Count + 1) });
            Cached = durable.Copy();
            unflushed.Clear();
        }

        public void Corrupt(long position, byte flip)
        {
            Cached.Bytes[position] ^= flip;
            durable.Bytes[position] ^= flip;
        }

        private Image AfterCrash(Random random, int lengths)
        {
            var image = durable.Copy();
            var share = random.Next(4) switch { 0 => 0, 1 => 1, 2 => 0.5, _ => random.NextDouble() };
            var length = durable.Length;
            var lostFrom = long.MaxValue;
            for (var i = 0; i < unflushed.Count; i++)
            {
                var change = unflushed[i];
                if (i < lengths)
                    length = change.Length;
                if (change.IsTruncation && i < lengths)
                {
                    image.SetLength(change.Length);
                    continue;
                }
                if (change.IsTruncation)
                    lostFrom = Math.Min(lostFrom, RoundUp(change.Length, BlockBytes));
                for (var at = 0; at < change.Sectors.Length; at += SectorBytes)
                    if (change.Position + at < lostFrom && random.NextDouble() < share)
                        image.Put(change.Sectors.AsSpan(at, SectorBytes), change.Position + at);
            }
            // Write-back takes the length along block by block.
            if (lengths < unflushed.Count && length > durable.Length && lostFrom == long.MaxValue && !unflushed.Exists(change => change.IsTruncation) && random.Next(4) == 0)
                length = Math.Max(durable.Length, random.NextInt64(durable.Length, length) / BlockBytes * BlockBytes);
            image.SetLength(length);
            return image;
        }

        private void Note(long position, long end, bool isTruncation)
        {
            var sectors = new byte[RoundUp(end - position, SectorBytes)];
            var there = Math.Max(0, Math.Min(sectors.Length, Cached.Bytes.Length - position));
            if (there > 0)
                Cached.Bytes.AsSpan((int)position, (int)there).CopyTo(sectors);
            unflushed.Add(new Change(position, sectors, Cached.Length, isTruncation));
        }

        private static Change Cut(Change change, long length)
        {
            if (change.Position + change.Sectors.Length <= length)
                return change;
            var sectors = (byte[])change.Sectors.Clone();
            sectors.AsSpan((int)(length - change.Position)).Clear();
            return change with { Sectors = sectors };
        }
    }

    /// <summary>A name that goes, one that comes, or both.</summary>
    private readonly record struct NameChange(string? Added, string? Removed, Inode? File);

    private sealed class Folder
    {
        private readonly List<NameChange> unflushed = [];
        private Dictionary<string, Inode> durable = new(StringComparer.Ordinal);

        public Dictionary<string, Inode> Names { get; private set; } = new(StringComparer.Ordinal);

        public void Change(NameChange change)
        {
            Apply(Names, change);
            unflushed.Add(change);
        }

        public void Sync()
        {
            durable = new(Names, StringComparer.Ordinal);
            unflushed.Clear();
        }

        public void Crash(Random random)
        {
            var kept = random.Next(3) switch { 0 => 0, 1 => unflushed.Count, _ => random.Next(unflushed.Count + 1) };
            foreach (var change in unflushed[..kept])
                Apply(durable, change);
            Names = durable;
            Sync();
        }

        private static void Apply(Dictionary<string, Inode> names, NameChange change)
        {
            if (change.Removed is { } removed)
                names.Remove(removed);
            if (change.Added is { } added)
                names[added] = change.File!;
        }
    }

    private static long RoundUp(long value, long multiple) => (value + multiple - 1) / multiple * multiple;
}
