namespace Bench.Measure.Running;

// The values of the workloads' parameters. Their names are spelled in records and on the command line, and scripts
// rely on them.

/// <summary>What is read or written.</summary>
public enum Medium
{
    /// <summary>A file on the target, past the page cache.</summary>
    Disk,

    /// <summary>Main memory.</summary>
    Memory,
}

/// <summary>The order of the blocks.</summary>
public enum Pattern
{
    /// <summary>One after the other.</summary>
    Sequential,

    /// <summary>A seeded random order, each block once per cycle.</summary>
    Random,
}

/// <summary>The direction.</summary>
public enum Operation
{
    /// <summary>Reading.</summary>
    Read,

    /// <summary>Writing.</summary>
    Write,
}

/// <summary>The way to the data.</summary>
public enum Access
{
    /// <summary>Through the page cache; the file's pages were evicted before the pass.</summary>
    BufferedCold,

    /// <summary>Through the page cache; the file's pages were all in it before the pass.</summary>
    BufferedWarm,

    /// <summary>O_DIRECT, past the page cache.</summary>
    Direct,

    /// <summary>A shared map of the file, cached before the pass: no system call per block.</summary>
    Mmap,

    /// <summary>Through the page cache with RWF_DONTCACHE: the pages leave the cache when done.</summary>
    Uncached,
}

/// <summary>How requests reach the kernel; the names are fio's.</summary>
public enum Engine
{
    /// <summary>One blocking pread(2) or pwrite(2) at a time.</summary>
    psync,

    /// <summary>io_uring, many at a time.</summary>
    io_uring,
}
