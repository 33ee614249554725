namespace Bench.Disk.Native;

/// <summary>io_uring (linux/io_uring.h). The numbers are the same on every architecture.</summary>
internal static partial class Constants
{
    internal const int SYS_io_uring_setup = 425;
    internal const int SYS_io_uring_enter = 426;
    internal const int SYS_io_uring_register = 427;

    internal const uint IORING_SETUP_CLAMP = 1u << 4;
    internal const uint IORING_SETUP_R_DISABLED = 1u << 6;
    internal const uint IORING_SETUP_SUBMIT_ALL = 1u << 7;
    internal const uint IORING_SETUP_COOP_TASKRUN = 1u << 8;
    internal const uint IORING_SETUP_SINGLE_ISSUER = 1u << 12;
    internal const uint IORING_SETUP_DEFER_TASKRUN = 1u << 13;

    internal const uint IORING_FEAT_SINGLE_MMAP = 1u << 0;
    internal const uint IORING_FEAT_NODROP = 1u << 1;

    internal const long IORING_OFF_SQ_RING = 0;
    internal const long IORING_OFF_CQ_RING = 0x8000000;
    internal const long IORING_OFF_SQES = 0x10000000;

    internal const uint IORING_ENTER_GETEVENTS = 1u << 0;
    internal const uint IORING_ENTER_REGISTERED_RING = 1u << 4;
    internal const uint IORING_SQ_CQ_OVERFLOW = 1u << 1;

    internal const int IORING_REGISTER_BUFFERS = 0;
    internal const int IORING_REGISTER_FILES = 2;
    internal const int IORING_REGISTER_ENABLE_RINGS = 12;
    internal const int IORING_REGISTER_RING_FDS = 20;
    internal const int IORING_UNREGISTER_RING_FDS = 21;

    internal const byte IOSQE_FIXED_FILE = 1 << 0;
    internal const byte IOSQE_IO_LINK = 1 << 2;

    internal const byte IORING_OP_NOP = 0;
    internal const byte IORING_OP_FSYNC = 3;
    internal const byte IORING_OP_READ_FIXED = 4;
    internal const byte IORING_OP_WRITE_FIXED = 5;
    internal const byte IORING_OP_ASYNC_CANCEL = 14;
    internal const byte IORING_OP_READ = 22;
    internal const byte IORING_OP_WRITE = 23;
    internal const byte IORING_OP_SEND = 26;
    internal const byte IORING_OP_RECV = 27;
    internal const byte IORING_OP_SPLICE = 30;

    internal const uint IORING_FSYNC_DATASYNC = 1u << 0;
    internal const uint IORING_ASYNC_CANCEL_ALL = 1u << 0;
    internal const uint IORING_ASYNC_CANCEL_ANY = 1u << 2;

    internal const int EBADFD = 77;
    internal const int ECANCELED = 125;
}
