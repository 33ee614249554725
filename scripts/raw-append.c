/* The least that any log must do: batches of one size to the end of a file with write(2), and fdatasync(2) every so many.
 *
 *   raw-append FILE BATCH_BYTES BATCHES FLUSH_EVERY SEGMENT_BYTES
 *
 * FLUSH_EVERY 0 is never. Like a log it goes on in a new file when one is full (SEGMENT_BYTES 0: never). Prints the
 * seconds from the first write until the last call returned; making the first file is not counted, the others are.
 * What it has written is removed. Source: write(2), fdatasync(2).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define POOL_BYTES (1 << 20)

static void die(const char *what)
{
    fprintf(stderr, "raw-append: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int open_part(const char *path, long part)
{
    char name[4096];
    snprintf(name, sizeof name, "%s.%ld", path, part);
    int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        die(name);
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: raw-append FILE BATCH_BYTES BATCHES FLUSH_EVERY SEGMENT_BYTES\n");
        return 64;
    }
    long batch = atol(argv[2]), count = atol(argv[3]), every = atol(argv[4]), segment = atol(argv[5]);
    long pool = batch < POOL_BYTES ? POOL_BYTES / batch : 2;
    if (pool < 2)
        pool = 2;
    unsigned char *data = malloc((size_t)(pool * batch));
    if (!data)
        die("malloc");
    unsigned long state = 88172645463325252UL;
    for (long i = 0; i < pool * batch; i++) {
        state ^= state << 13; state ^= state >> 7; state ^= state << 17;
        data[i] = (unsigned char)state;
    }

    long part = 0, written = 0;
    int *parts = malloc(sizeof *parts * (size_t)(segment ? count * batch / segment + 2 : 1));
    parts[0] = open_part(argv[1], 0);
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (long i = 0; i < count; i++) {
        if (segment && written + batch > segment) {
            part++;
            parts[part] = open_part(argv[1], part);
            written = 0;
        }
        const unsigned char *from = data + i % pool * batch;
        for (long done = 0; done < batch;) {
            ssize_t n = write(parts[part], from + done, (size_t)(batch - done));
            if (n < 0) {
                if (errno == EINTR)
                    continue;
                die("write");
            }
            done += n;
        }
        written += batch;
        if (every && (i + 1) % every == 0 && fdatasync(parts[part]) != 0)
            die("fdatasync");
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.9f\n", (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) * 1e-9);
    for (long i = 0; i <= part; i++) {
        char name[4096];
        snprintf(name, sizeof name, "%s.%ld", argv[1], i);
        unlink(name);
    }
    return 0;
}
