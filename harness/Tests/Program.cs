using Bench.Harness.Tests.SegmentLog;

namespace Bench.Harness.Tests;

/// <summary>What a test runs as a process of its own, to kill it.</summary>
public static class Program
{
    public static int Main(string[] args)
    {
        if (args is not ["log-writer", var folder, var policy, var preallocation, var path, var start])
            return 2;
        LogWriterProcess.Run(folder, policy, preallocation, path, start);
        return 0;
    }
}
