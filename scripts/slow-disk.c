/*
 * slow-disk: one file of a fixed size, served through FUSE, that behaves like a disk with a fault. A loop device with
 * direct I/O over it is a block device that is as slow, as broken or as forgetful as its control file says.
 * scripts/slow-disk builds and drives it.
 *
 *   slow-disk BACKING SIZE MOUNTPOINT
 *
 *   MOUNTPOINT/disk   SIZE bytes, kept in the file BACKING.
 *   MOUNTPOINT/ctl    A command is one line written to it; EINVAL if it is none of these:
 *       none             as fast as BACKING, no fault (the mode at the start)
 *       hdd              the latency of a hard disk, see "The hard disk" below
 *       slow [MS]        every request takes MS milliseconds, 20 unless said
 *       rate [MB]        requests take their bytes at MB million bytes a second, 100 unless said, one after the other
 *       eio-read         every read fails with EIO
 *       eio-write        every write fails with EIO, and so does a flush
 *       volatile         writes stay in a volatile cache until a flush, as in an honest disk with its cache on
 *       lying-flush      the same, but a flush says yes and leaves them there
 *       lose             the power is cut: the volatile cache is lost, and the mode is then eio-write, so that nothing
 *                        written by a file system that has not noticed can count
 *     Reading it gives one "NAME VALUE" a line: mode (with its argument), reads, writes, flushes (requests since the
 *     start, failed ones too), cached (bytes in the volatile cache), lost (bytes that "lose" has dropped).
 *
 * A change of mode other than "lose" writes the volatile cache to BACKING first. Requests are served by several
 * threads, some ten at a time. What it does not promise: that BACKING survives a crash of the machine, or latencies
 * below the scheduler's 50 microseconds.
 */
#define _GNU_SOURCE
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

/*
 * The hard disk: one head, 7200 revolutions a minute, its write cache off. A request that does not begin within
 * NEAR_BYTES of where the last one ended costs a seek, which grows with the square root of the distance, and on
 * average half a revolution; every request costs its bytes at the transfer rate; a flush costs one revolution.
 * Requests queue at the one head.
 */
static const double TRANSFER_BYTES_PER_SECOND = 150e6;
static const double SEEK_MIN_SECONDS = 1e-3;
static const double SEEK_FULL_SECONDS = 15e-3;
static const double REVOLUTION_SECONDS = 60.0 / 7200;
static const off_t NEAR_BYTES = 64 << 10;

enum { BLOCK = 4096, SLOW_DEFAULT_MS = 20, SLOW_MAX_MS = 60000, RATE_DEFAULT_MB = 100, RATE_MAX_MB = 100000 };

enum mode { NONE, HDD, SLOW, RATE, EIO_READ, EIO_WRITE, VOLATILE, LYING_FLUSH, MODES };
static const char *const mode_names[MODES] = {
    "none", "hdd", "slow", "rate", "eio-read", "eio-write", "volatile", "lying-flush",
};

static int backing;
static off_t disk_size;

/* Everything below is held by the lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum mode mode;
static long slow_ms = SLOW_DEFAULT_MS, rate_mb = RATE_DEFAULT_MB;
static unsigned long reads, writes, flushes, cached_blocks, lost_blocks;
static unsigned char **cache; /* one pointer for each block of the disk, null where BACKING is right */
static off_t head;
static double busy_until;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void sleep_until(double when)
{
    struct timespec t = { .tv_sec = (time_t)when };
    t.tv_nsec = (long)((when - (double)t.tv_sec) * 1e9);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
}

/* With the lock: when the one head will have done its next request. */
static double head_done(double seconds)
{
    double t = now();
    if (busy_until < t)
        busy_until = t;
    busy_until += seconds;
    return busy_until;
}

/* With the lock: when a transfer in the present mode ends; 0 if at once. */
static double transfer_done(off_t position, size_t bytes)
{
    if (mode == SLOW)
        return now() + (double)slow_ms * 1e-3;
    if (mode == RATE)
        return head_done((double)bytes / ((double)rate_mb * 1e6));
    if (mode != HDD)
        return 0;
    double seconds = (double)bytes / TRANSFER_BYTES_PER_SECOND;
    off_t distance = position > head ? position - head : head - position;
    if (distance > NEAR_BYTES)
        seconds += SEEK_MIN_SECONDS
            + (SEEK_FULL_SECONDS - SEEK_MIN_SECONDS) * sqrt((double)distance / (double)disk_size)
            + REVOLUTION_SECONDS * drand48();
    head = position + (off_t)bytes;
    return head_done(seconds);
}

static int read_backing(unsigned char *to, size_t bytes, off_t position)
{
    while (bytes > 0) {
        ssize_t n = pread(backing, to, bytes, position);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        to += n;
        bytes -= (size_t)n;
        position += n;
    }
    return 0;
}

static int write_backing(const unsigned char *from, size_t bytes, off_t position)
{
    while (bytes > 0) {
        ssize_t n = pwrite(backing, from, bytes, position);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        from += n;
        bytes -= (size_t)n;
        position += n;
    }
    return 0;
}

/* With the lock: empties the volatile cache, into BACKING or into nothing. */
static int empty_cache(int keep)
{
    for (off_t block = 0; cached_blocks > 0 && block < disk_size / BLOCK; block++) {
        if (!cache[block])
            continue;
        if (keep) {
            int error = write_backing(cache[block], BLOCK, block * BLOCK);
            if (error)
                return error;
        }
        free(cache[block]);
        cache[block] = NULL;
        cached_blocks--;
    }
    return 0;
}

/* With the lock: puts bytes into the volatile cache. */
static int write_cache(const unsigned char *from, size_t bytes, off_t position)
{
    while (bytes > 0) {
        off_t block = position / BLOCK;
        size_t skip = (size_t)(position % BLOCK);
        size_t part = bytes < BLOCK - skip ? bytes : BLOCK - skip;
        if (!cache[block]) {
            unsigned char *fresh = malloc(BLOCK);
            if (!fresh)
                return -ENOMEM;
            int error = part < BLOCK ? read_backing(fresh, BLOCK, block * BLOCK) : 0;
            if (error) {
                free(fresh);
                return error;
            }
            cache[block] = fresh;
            cached_blocks++;
        }
        memcpy(cache[block] + skip, from, part);
        from += part;
        bytes -= part;
        position += (off_t)part;
    }
    return 0;
}

/* With the lock: lays what is in the volatile cache over bytes that were read from BACKING. */
static void overlay_cache(unsigned char *to, size_t bytes, off_t position)
{
    while (cached_blocks > 0 && bytes > 0) {
        off_t block = position / BLOCK;
        size_t skip = (size_t)(position % BLOCK);
        size_t part = bytes < BLOCK - skip ? bytes : BLOCK - skip;
        if (cache[block])
            memcpy(to, cache[block] + skip, part);
        to += part;
        bytes -= part;
        position += (off_t)part;
    }
}

static int disk_read(char *to, size_t bytes, off_t position)
{
    if (position >= disk_size)
        return 0;
    if ((off_t)bytes > disk_size - position)
        bytes = (size_t)(disk_size - position);
    pthread_mutex_lock(&lock);
    reads++;
    int error = mode == EIO_READ ? -EIO : 0;
    double done = transfer_done(position, bytes);
    if (!error && cached_blocks > 0) {
        /* Under the lock, or a block could move from the cache to BACKING between the two looks. */
        error = read_backing((unsigned char *)to, bytes, position);
        overlay_cache((unsigned char *)to, bytes, position);
        pthread_mutex_unlock(&lock);
    } else {
        pthread_mutex_unlock(&lock);
        if (!error)
            error = read_backing((unsigned char *)to, bytes, position);
    }
    if (done > 0)
        sleep_until(done);
    return error ? error : (int)bytes;
}

static int disk_write(const char *from, size_t bytes, off_t position)
{
    if (position >= disk_size || (off_t)bytes > disk_size - position)
        return -ENOSPC;
    pthread_mutex_lock(&lock);
    writes++;
    double done = transfer_done(position, bytes);
    int error = 0;
    if (mode == EIO_WRITE)
        error = -EIO;
    else if (mode == VOLATILE || mode == LYING_FLUSH)
        error = write_cache((const unsigned char *)from, bytes, position);
    else
        /* Under the lock too, so that "lose" has a clear before and after. */
        error = write_backing((const unsigned char *)from, bytes, position);
    pthread_mutex_unlock(&lock);
    if (done > 0)
        sleep_until(done);
    return error ? error : (int)bytes;
}

static int disk_flush(void)
{
    pthread_mutex_lock(&lock);
    flushes++;
    int error = 0;
    double done = 0;
    if (mode == EIO_WRITE)
        error = -EIO;
    else if (mode == VOLATILE)
        error = empty_cache(1);
    else if (mode == HDD)
        done = head_done(REVOLUTION_SECONDS);
    else if (mode == SLOW)
        done = now() + (double)slow_ms * 1e-3;
    pthread_mutex_unlock(&lock);
    if (done > 0)
        sleep_until(done);
    return error;
}

/* With the lock: one command, a null-ended line. */
static int command(char *line)
{
    char *rest = NULL;
    const char *name = strtok_r(line, " \n", &rest);
    const char *argument = name ? strtok_r(NULL, " \n", &rest) : NULL;
    if (!name || strtok_r(NULL, " \n", &rest))
        return -EINVAL;
    if (!argument && strcmp(name, "lose") == 0) {
        lost_blocks += cached_blocks;
        mode = EIO_WRITE;
        return empty_cache(0);
    }
    for (int m = 0; m < MODES; m++) {
        if (strcmp(name, mode_names[m]) != 0)
            continue;
        long value = m == RATE ? RATE_DEFAULT_MB : SLOW_DEFAULT_MS;
        if (argument) {
            char *end;
            value = strtol(argument, &end, 10);
            if ((m != SLOW && m != RATE) || *end || value < (m == RATE) || value > (m == RATE ? RATE_MAX_MB : SLOW_MAX_MS))
                return -EINVAL;
        }
        int error = empty_cache(1);
        if (error)
            return error;
        if (m == RATE)
            rate_mb = value;
        else
            slow_ms = value;
        mode = (enum mode)m;
        return 0;
    }
    return -EINVAL;
}

static int ctl_write(const char *from, size_t bytes)
{
    char line[64];
    if (bytes >= sizeof line)
        return -EINVAL;
    memcpy(line, from, bytes);
    line[bytes] = 0;
    pthread_mutex_lock(&lock);
    int error = command(line);
    pthread_mutex_unlock(&lock);
    return error ? error : (int)bytes;
}

static int ctl_read(char *to, size_t bytes, off_t position)
{
    char text[256];
    pthread_mutex_lock(&lock);
    char argument[24] = "";
    if (mode == SLOW || mode == RATE)
        snprintf(argument, sizeof argument, " %ld", mode == RATE ? rate_mb : slow_ms);
    int length = snprintf(text, sizeof text, "mode %s%s\nreads %lu\nwrites %lu\nflushes %lu\ncached %lu\nlost %lu\n",
        mode_names[mode], argument, reads, writes, flushes, cached_blocks * BLOCK, lost_blocks * BLOCK);
    pthread_mutex_unlock(&lock);
    if (position >= length)
        return 0;
    if ((off_t)bytes > length - position)
        bytes = (size_t)(length - position);
    memcpy(to, text + position, bytes);
    return (int)bytes;
}

static int is_disk(const char *path) { return strcmp(path, "/disk") == 0; }
static int is_ctl(const char *path) { return strcmp(path, "/ctl") == 0; }

static int on_getattr(const char *path, struct stat *st, struct fuse_file_info *file)
{
    (void)file;
    memset(st, 0, sizeof *st);
    st->st_nlink = 1;
    st->st_mode = S_IFREG | 0600;
    if (strcmp(path, "/") == 0) {
        st->st_mode = S_IFDIR | 0700;
    } else if (is_disk(path)) {
        st->st_size = disk_size;
        st->st_blocks = disk_size / 512;
        st->st_blksize = BLOCK;
    } else if (!is_ctl(path)) {
        return -ENOENT;
    }
    return 0;
}

static int on_open(const char *path, struct fuse_file_info *file)
{
    /* No page cache of ours below the loop device: every request of it is to be seen, and timed, here. */
    file->direct_io = 1;
    return is_disk(path) || is_ctl(path) ? 0 : -ENOENT;
}

/* A shell's "> ctl" truncates first. */
static int on_truncate(const char *path, off_t size, struct fuse_file_info *file)
{
    (void)file;
    return is_ctl(path) || size == disk_size ? 0 : -EPERM;
}

static int on_read(const char *path, char *to, size_t bytes, off_t position, struct fuse_file_info *file)
{
    (void)file;
    return is_disk(path) ? disk_read(to, bytes, position) : ctl_read(to, bytes, position);
}

static int on_write(const char *path, const char *from, size_t bytes, off_t position, struct fuse_file_info *file)
{
    (void)file;
    return is_disk(path) ? disk_write(from, bytes, position) : ctl_write(from, bytes);
}

static int on_fsync(const char *path, int data_only, struct fuse_file_info *file)
{
    (void)data_only;
    (void)file;
    return is_disk(path) ? disk_flush() : 0;
}

static int on_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset, struct fuse_file_info *file,
    enum fuse_readdir_flags flags)
{
    (void)path;
    (void)offset;
    (void)file;
    (void)flags;
    fill(buffer, "disk", NULL, 0, 0);
    fill(buffer, "ctl", NULL, 0, 0);
    return 0;
}

static void *on_init(struct fuse_conn_info *connection, struct fuse_config *config)
{
    (void)connection;
    (void)config;
    /*
     * The kernel may wait for this process to free memory by writing to this very disk. Said before the threads
     * start, since they inherit it; without the right to say it (CAP_SYS_RESOURCE) it works but under less pressure.
     */
    (void)prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
    return NULL;
}

static const struct fuse_operations operations = {
    .init = on_init,
    .getattr = on_getattr,
    .open = on_open,
    .truncate = on_truncate,
    .read = on_read,
    .write = on_write,
    .fsync = on_fsync,
    .readdir = on_readdir,
};

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: slow-disk BACKING SIZE MOUNTPOINT\n");
        return 2;
    }
    char *end;
    disk_size = strtoll(argv[2], &end, 10);
    if (*end || disk_size <= 0 || disk_size % BLOCK != 0) {
        fprintf(stderr, "slow-disk: the size %s is not a number of bytes that %d divides\n", argv[2], BLOCK);
        return 2;
    }
    backing = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (backing < 0 || ftruncate(backing, disk_size) != 0) {
        fprintf(stderr, "slow-disk: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    cache = calloc((size_t)(disk_size / BLOCK), sizeof *cache);
    if (!cache) {
        fprintf(stderr, "slow-disk: no memory\n");
        return 1;
    }
    srand48(1);
    char *fuse_argv[] = { argv[0], argv[3], "-o", "fsname=bench-slow-disk,subtype=slow-disk", NULL };
    return fuse_main(4, fuse_argv, &operations, NULL);
}
