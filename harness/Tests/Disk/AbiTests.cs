using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using Bench.Disk.Native;
using Bench.TestSupport;
using Xunit;
using Xunit.Abstractions;

namespace Bench.Harness.Tests.Disk;

/// <summary>
/// Asks the C compiler for each constant, size and offset in <c>Bench.Disk.Native</c>. Found by reflection: a new
/// constant or field that the headers do not know under the same name fails the build of the C program, and so the test.
/// </summary>
public class AbiTests(ITestOutputHelper output)
{
    /// <summary>Newer than the headers of the oldest system that the tests run on (Debian 12, Linux 6.1).</summary>
    private static readonly string[] MayBeUnknown = ["RWF_DONTCACHE", "SYS_cachestat", "cachestat_range", "cachestat"];

    private static readonly Dictionary<string, string> OtherNames = new() { ["statx_buffer"] = "statx" };

    private const string Headers = """
        #define _GNU_SOURCE
        #include <errno.h>
        #include <fcntl.h>
        #include <sched.h>
        #include <stddef.h>
        #include <stdio.h>
        #include <unistd.h>
        #include <netinet/in.h>
        #include <netinet/tcp.h>
        #include <sys/ioctl.h>
        #include <sys/mman.h>
        #include <sys/resource.h>
        #include <sys/sendfile.h>
        #include <sys/socket.h>
        #include <sys/stat.h>
        #include <sys/statfs.h>
        #include <sys/statvfs.h>
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <sys/uio.h>
        #include <linux/fs.h>
        #include <linux/io_uring.h>
        #include <linux/loop.h>
        #include <linux/magic.h>
        #include <linux/mman.h>
        #include <linux/nvme_ioctl.h>

        """;

    private const string CompressionHeaders = """
        #include <stddef.h>
        #include <stdio.h>
        #include <lz4frame.h>
        #include <snappy-c.h>
        #include <zstd_errors.h>

        """;

    [NeedsFact("cc")]
    public void EveryConstantSizeAndOffsetIsTheCompilers() =>
        Compare(Headers, Constants(typeof(Constants)), Types().Where(type => !IsOfCompression(type)), leastCount: 150);

    /// <summary>Apart, for their headers are no part of a C compiler. Their structures have no tags.</summary>
    [NeedsFact("cc", "/usr/include/lz4frame.h", "/usr/include/snappy-c.h", "/usr/include/zstd_errors.h")]
    public void EveryConstantSizeAndOffsetOfTheCompressionLibrariesIsTheCompilers() =>
        Compare(CompressionHeaders, Constants(typeof(CompressionConstants)), Types().Where(IsOfCompression), leastCount: 25);

    private void Compare(string headers, IEnumerable<(string Name, long Value)> constants, IEnumerable<Type> types, int leastCount)
    {
        var ours = constants.Concat(Structures(types)).ToDictionary(item => item.Name, item => item.Value);
        Assert.True(ours.Count >= leastCount, $"Reflection found {ours.Count}, which is too little.");

        var theirs = Ask(Program(headers, constants, types));
        var wrong = new List<string>();
        foreach (var (name, value) in ours)
        {
            if (!theirs.TryGetValue(name, out var truth))
                wrong.Add($"{name}: the C program says nothing");
            else if (truth is null ? !MayBeUnknown.Contains(name.Split('.', ' ')[0]) : truth != value)
                wrong.Add($"{name}: {value} here, {truth?.ToString(CultureInfo.InvariantCulture) ?? "unknown"} in C");
        }
        Assert.Empty(wrong);
        output.WriteLine("Not known to these headers: " + string.Join(", ", theirs.Where(item => item.Value is null).Select(item => item.Key)));
    }

    /// <summary>A list of exceptions must not rot: each name on it is one that Bench uses.</summary>
    [Fact]
    public void EachNameThatTheHeadersMayLackIsInUse()
    {
        var names = Constants(typeof(Constants)).Select(item => item.Name).Concat(Types().Select(type => type.Name));
        Assert.Empty(MayBeUnknown.Except(names));
        Assert.Empty(OtherNames.Keys.Except(names));
    }

    private static IEnumerable<Type> Types() => typeof(Libc).Assembly.GetTypes()
        .Where(type => type.Namespace == typeof(Libc).Namespace && type.IsValueType && !type.IsEnum && type.IsNestedAssembly);

    private static bool IsOfCompression(Type type) => type.DeclaringType == typeof(Lz4);

    private static IEnumerable<(string Name, long Value)> Constants(Type holder)
    {
        const BindingFlags Static = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
        foreach (var field in holder.GetFields(Static).Where(field => field.IsLiteral))
            yield return (field.Name, Convert.ToInt64(field.GetRawConstantValue(), CultureInfo.InvariantCulture));
        foreach (var property in holder.GetProperties(Static).Where(property => property.PropertyType != typeof(bool)))
            yield return (property.Name, Convert.ToInt64(property.GetValue(null), CultureInfo.InvariantCulture));
    }

    private static IEnumerable<(string Name, long Value)> Structures(IEnumerable<Type> types)
    {
        foreach (var type in types)
        {
            yield return ($"{type.Name} size", Marshal.SizeOf(type));
            foreach (var field in Fields(type))
            {
                yield return ($"{type.Name}.{field.Name} offset", Marshal.OffsetOf(type, field.Name));
                yield return ($"{type.Name}.{field.Name} size", field.FieldType.IsPointer ? nint.Size : Marshal.SizeOf(field.FieldType));
            }
        }
    }

    /// <summary>Private fields are padding or names that changed; the size and the other offsets hold their place.</summary>
    private static IEnumerable<FieldInfo> Fields(Type type) =>
        type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Where(field => !field.IsPrivate);

    private static Dictionary<string, long?> Ask(string program)
    {
        using var folder = new DataFolder();
        File.WriteAllText(folder["abi.c"], program);
        Run("cc", "-w", "-o", folder["abi"], folder["abi.c"]);
        return Run(folder["abi"]).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('='))
            .ToDictionary(parts => parts[0], parts => parts[1] == "?" ? null : (long?)long.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    private static string Program(string headers, IEnumerable<(string Name, long Value)> constants, IEnumerable<Type> types)
    {
        var c = new StringBuilder(headers).AppendLine("int main(void) {");
        foreach (var (name, _) in constants)
            Print(c, name, CName(name), CName(name), name);
        foreach (var type in types)
        {
            // Structures cannot be asked for with #ifdef; those of cachestat(2) came with its number.
            var known = type.Name.StartsWith("cachestat", StringComparison.Ordinal) ? "__NR_cachestat" : "";
            var structure = (IsOfCompression(type) ? "" : "struct ") + OtherNames.GetValueOrDefault(type.Name, type.Name);
            Print(c, $"{type.Name} size", $"sizeof({structure})", known, type.Name);
            foreach (var field in Fields(type))
            {
                Print(c, $"{type.Name}.{field.Name} offset", $"offsetof({structure}, {field.Name})", known, type.Name);
                Print(c, $"{type.Name}.{field.Name} size", $"sizeof((({structure} *)0)->{field.Name})", known, type.Name);
            }
        }
        return c.AppendLine("return 0; }").ToString();
    }

    private static string CName(string name) => name.StartsWith("SYS_", StringComparison.Ordinal) ? "__NR_" + name[4..] : name;

    private static void Print(StringBuilder c, string name, string expression, string known, string subject)
    {
        var guarded = MayBeUnknown.Contains(subject);
        if (guarded)
            c.AppendLine(CultureInfo.InvariantCulture, $"#ifdef {known}");
        c.AppendLine(CultureInfo.InvariantCulture, $"printf(\"%s=%lld\\n\", \"{name}\", (long long)({expression}));");
        if (guarded)
            c.AppendLine(CultureInfo.InvariantCulture, $"#else\nprintf(\"{name}=?\\n\");\n#endif");
    }

    private static string Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}:\n{errors.Result}");
        return output;
    }
}
