using System.Runtime.InteropServices;

namespace Bench.Disk.Native;

/// <summary>io_uring's structures (linux/io_uring.h).</summary>
internal static unsafe partial class Libc
{
    /// <summary>A submission queue entry. Unions of the header: each member that Bench uses has its name here.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 64)]
    internal struct io_uring_sqe
    {
        [FieldOffset(0)] internal byte opcode;
        [FieldOffset(1)] internal byte flags;
        [FieldOffset(2)] internal ushort ioprio;
        [FieldOffset(4)] internal int fd;
        [FieldOffset(8)] internal ulong off;
        [FieldOffset(16)] internal ulong addr;
        [FieldOffset(16)] internal ulong splice_off_in;
        [FieldOffset(24)] internal uint len;
        [FieldOffset(28)] internal uint rw_flags;
        [FieldOffset(28)] internal uint fsync_flags;
        [FieldOffset(28)] internal uint msg_flags;
        [FieldOffset(28)] internal uint cancel_flags;
        [FieldOffset(28)] internal uint splice_flags;
        [FieldOffset(32)] internal ulong user_data;
        [FieldOffset(40)] internal ushort buf_index;
        [FieldOffset(42)] internal ushort personality;
        [FieldOffset(44)] internal int splice_fd_in;
    }

    /// <summary>A completion queue entry.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct io_uring_cqe
    {
        internal ulong user_data;
        internal int res;
        internal uint flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct io_sqring_offsets
    {
        internal uint head;
        internal uint tail;
        internal uint ring_mask;
        internal uint ring_entries;
        internal uint flags;
        internal uint dropped;
        internal uint array;
        internal uint resv1;

        /// <summary>Called user_addr from Linux 6.5 on; always 0 here.</summary>
        private readonly ulong reserved;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct io_cqring_offsets
    {
        internal uint head;
        internal uint tail;
        internal uint ring_mask;
        internal uint ring_entries;
        internal uint overflow;
        internal uint cqes;
        internal uint flags;
        internal uint resv1;

        /// <summary>Called user_addr from Linux 6.5 on; always 0 here.</summary>
        private readonly ulong reserved;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct io_uring_params
    {
        internal uint sq_entries;
        internal uint cq_entries;
        internal uint flags;
        internal uint sq_thread_cpu;
        internal uint sq_thread_idle;
        internal uint features;
        internal uint wq_fd;
        internal fixed uint resv[3];
        internal io_sqring_offsets sq_off;
        internal io_cqring_offsets cq_off;
    }

    /// <summary>The argument of IORING_REGISTER_RING_FDS.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct io_uring_rsrc_update
    {
        internal uint offset;
        internal uint resv;
        internal ulong data;
    }
}
