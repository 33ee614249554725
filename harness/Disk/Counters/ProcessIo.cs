using System.Globalization;

namespace Bench.Disk.Counters;

/// <summary>
/// <c>/proc/self/io</c> (proc(5)): exact for this process, whatever else the machine does. Storage counters see what
/// this process caused to be read (a miss, a direct read) or dirtied; call counters see what its calls moved.
/// sendfile(2) counts as both a read and a write call although no byte enters user space.
/// </summary>
public readonly record struct ProcessIo
{
    /// <summary>Bytes fetched from storage on behalf of this process.</summary>
    public long StorageReadBytes { get; init; }

    /// <summary>Bytes that this process sent, or made dirty to be sent, to storage.</summary>
    public long StorageWriteBytes { get; init; }

    /// <summary>Bytes that read calls returned (rchar).</summary>
    public long CallReadBytes { get; init; }

    /// <summary>Bytes handed to write calls (wchar).</summary>
    public long CallWriteBytes { get; init; }

    /// <summary>The counters now; null where the kernel does not tell them.</summary>
    public static ProcessIo? Read() => Parse(CounterFile.TryReadAllText("/proc/self/io"));

    /// <summary>Parses the file's text; null if a field is missing.</summary>
    public static ProcessIo? Parse(string? text)
    {
        if (text is null)
            return null;
        long? Field(string name)
        {
            foreach (var line in text.AsSpan().EnumerateLines())
                if (line.StartsWith(name, StringComparison.Ordinal) && line.Length > name.Length && line[name.Length] == ':'
                    && long.TryParse(line[(name.Length + 1)..].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var value))
                    return value;
            return null;
        }
        if (Field("read_bytes") is not { } read || Field("write_bytes") is not { } write
            || Field("rchar") is not { } callRead || Field("wchar") is not { } callWrite)
            return null;
        return new ProcessIo
        {
            StorageReadBytes = read,
            StorageWriteBytes = write,
            CallReadBytes = callRead,
            CallWriteBytes = callWrite,
        };
    }

    /// <summary>Difference of two readings.</summary>
    public static ProcessIo operator -(ProcessIo a, ProcessIo b) => new()
    {
        StorageReadBytes = a.StorageReadBytes - b.StorageReadBytes,
        StorageWriteBytes = a.StorageWriteBytes - b.StorageWriteBytes,
        CallReadBytes = a.CallReadBytes - b.CallReadBytes,
        CallWriteBytes = a.CallWriteBytes - b.CallWriteBytes,
    };
}
