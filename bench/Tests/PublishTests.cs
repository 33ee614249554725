using Bench.TestSupport;
using Xunit;

namespace Bench.Program.Tests;

/// <summary>The file that is carried to another machine, in a mount namespace where there is no .NET, and in one of its own without a network.</summary>
public sealed class PublishTests : IDisposable
{
    private readonly RunPlace place = new();

    [RootFact("unshare", "ip", "ldd")]
    public void The_published_file_runs_where_there_is_no_dotnet_no_node_and_no_network()
    {
        var carried = Path.Combine(place.Folder, "carried");
        Directory.CreateDirectory(carried);
        Run(TimeSpan.FromMinutes(10), Path.Combine(Repository.Root, "scripts", "publish"), "--out", place.Out);
        Assert.Equal(["bench"], Directory.GetFileSystemEntries(place.Out).Select(Path.GetFileName));
        File.Move(Path.Combine(place.Out, "bench"), Path.Combine(carried, "bench"));

        // The C and C++ libraries, and nothing else.
        var needed = Command.Run("ldd", Path.Combine(carried, "bench")).StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(line => Path.GetFileName(line.Split(' ')[0]));
        Assert.All(needed, library => Assert.Matches(@"^(linux-vdso|ld-linux|libc|libm|libdl|libpthread|librt|libstdc\+\+|libgcc_s)[-.]", library));

        // Everything that could answer for it is hidden: runtimes, their configuration, Node, packages, and the checkout itself.
        var script = $"""
            set -e
            ip link set lo up
            for hidden in /usr/share/dotnet /usr/lib/dotnet /usr/local/share/dotnet /etc/dotnet '{BenchProgram.RuntimeFolder}' "$HOME/.dotnet" "$HOME/.nuget" /usr/lib/node_modules '{Repository.Root}'; do
                [ ! -d "$hidden" ] || mount -t tmpfs -o size=64k none "$hidden"
            done
            # And OpenSSL, which .NET takes for granted.
            for library in /usr/lib/*/libssl.so* /usr/lib64/libssl.so* /lib/*/libssl.so*; do
                [ ! -e "$library" ] || mount --bind /dev/null "$library"
            done
            cd '{carried}'
            ! dotnet --version >/dev/null 2>&1 || exit 90
            run="env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin ./bench"
            $run --version
            $run run -p smoke --target '{place.Target}' --out one >/dev/null
            $run run -p smoke --target '{place.Target}' --out two --filter 'CachePath*' --no-report >/dev/null
            $run report one two -o page/index.html
            $run compare one two -o compared/index.html | head -n 5
            """;
        Assert.StartsWith("0.", Run(TimeSpan.FromMinutes(5), "unshare", "--mount", "--net", "bash", "-c", script), StringComparison.Ordinal);
        Assert.True(new FileInfo(Path.Combine(carried, "page", "index.html")).Length > 500_000, "the page's script is not in it");
        Assert.True(File.Exists(Path.Combine(carried, "compared", "index.html")));
        Assert.Empty(Directory.GetFileSystemEntries(place.Target));
    }

    public void Dispose() => place.Dispose();

    private static string Run(TimeSpan timeout, string program, params string[] arguments)
    {
        var result = Command.TryRun(timeout, program, arguments);
        Assert.True(result.ExitCode == 0, $"{program} ended with {result.ExitCode}: {result.StandardError}{result.StandardOutput}");
        return result.StandardOutput;
    }
}
