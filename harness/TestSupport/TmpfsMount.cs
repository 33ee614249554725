namespace Bench.TestSupport;

/// <summary>A tmpfs of a given size, gone when disposed. Needs root.</summary>
public sealed class TmpfsMount : IDisposable
{
    private readonly TestFolder _folder = new();

    /// <summary>Mounts one.</summary>
    /// <param name="sizeBytes">Its size.</param>
    public TmpfsMount(long sizeBytes = 64 << 20)
    {
        MountPath = _folder.Folder("mnt");
        try
        {
            Command.Run("mount", "-t", "tmpfs", "-o", FormattableString.Invariant($"size={sizeBytes}"), "bench-test", MountPath);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where it is mounted.</summary>
    public string MountPath { get; }

    /// <summary>Unmounts it and removes the folder.</summary>
    public void Dispose() => _folder.Dispose();
}
