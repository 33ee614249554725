# Shared by the scripts that make disks for tests: FUSE disks, loop devices over them, mounts. Sourced after lib.sh.
# shellcheck shell=bash

# Not mountpoint(1): it looks at the folder, and that of a FUSE program that died cannot be looked at.
is_mounted() { awk -v path="${1// /\\\\040}" '$2 == path { found = 1 } END { exit !found }' /proc/self/mounts; }

# loop_device FILE: the loop device over it, if there is one.
loop_device() {
    local file
    for file in /sys/block/loop*/loop/backing_file; do
        if [ "$(cat "$file" 2>/dev/null)" = "$1" ]; then file=${file#/sys/block/}; echo "/dev/${file%%/*}"; fi
    done
}

is_detached() { [ -z "$(loop_device "$1")" ]; }

# Tries for three seconds: whoever looks at a new mount or device (udev) keeps it busy for a moment.
persist() {
    local left=30
    until "$@" 2>/dev/null; do
        left=$((left - 1))
        [ $left -gt 0 ] || return 1
        sleep 0.1
    done
}

unmount() {
    ! is_mounted "$1" || persist umount "$1" || umount --lazy "$1"
}

# detach FILE: takes the loop device over it away.
detach() {
    local loop
    loop=$(loop_device "$1")
    [ -n "$loop" ] || return 0
    losetup --detach "$loop"
    persist is_detached "$1" || true
}

# attach FILE: a loop device over it that reads it with direct I/O; prints its path.
attach() {
    local loop
    # The free device that losetup finds may be taken before losetup has it.
    persist losetup --direct-io=on --find "$1" || die "no loop device over $1"
    loop=$(loop_device "$1")
    [ "$(cat "/sys/block/${loop#/dev/}/loop/dio")" = 1 ] || die "the loop device over a FUSE file does no direct I/O on this kernel"
    echo "$loop"
}

# build_slow_disk PROGRAM: compiles scripts/slow-disk.c.
build_slow_disk() {
    need gcc=gcc pkg-config=pkg-config fusermount3=fuse3 losetup=mount
    pkg-config --exists fuse3 || apt_install libfuse3-dev libc6-dev
    [ -c /dev/fuse ] || modprobe -q fuse || die "this kernel has no FUSE"
    local flags
    flags=$(pkg-config --cflags --libs fuse3)
    # shellcheck disable=SC2086 # several words, wanted
    gcc -std=gnu11 -O2 -Wall -Wextra -Werror -o "$1" "$repository/scripts/slow-disk.c" $flags -lm -pthread
}
