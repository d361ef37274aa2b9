/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors: lowest number, dup, fcntl, close-on-exec, the simple devices. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>

#include "probe.h"

static void numbers(void)
{
    P("first", open("text", O_RDONLY));
    P("second", open("text", O_RDONLY));
    P("dup", dup(3));
    P("close the first", close(3));
    P("close it again", close(3));
    P("lowest", dup(4));
    P("dup closed", dup(77));
    P("dup2", dup2(4, 10));
    P("dup2 to itself", dup2(4, 4));
    P("dup2 closed", dup2(77, 10));
    P("dup2 closed to itself", dup2(77, 77));
    P("dup2 negative", dup2(4, -1));
    P("dup3 to itself", dup3(4, 4, 0));
    P("dup3 flags", dup3(4, 11, 77));
    P("dup3", dup3(4, 11, O_CLOEXEC));
    P("cloexec of dup3", fcntl(11, F_GETFD));
    P("dupfd", fcntl(4, F_DUPFD, 20));
    P("dupfd next", fcntl(4, F_DUPFD_CLOEXEC, 20));
    P("cloexec of dupfd", fcntl(21, F_GETFD));
    P("dupfd too high", fcntl(4, F_DUPFD, 100000000));
    P("setfd", fcntl(4, F_SETFD, FD_CLOEXEC));
    P("getfd", fcntl(4, F_GETFD));
    P("its dup has none", fcntl(5, F_GETFD));
    P("position is shared", lseek(4, 5, SEEK_SET) + lseek(10, 0, SEEK_CUR));
    P("ioctl cloexec", ioctl(5, FIOCLEX));
    P("getfd", fcntl(5, F_GETFD));
    P("ioctl no cloexec", ioctl(5, FIONCLEX));
    P("getfl", fcntl(4, F_GETFL));
    P("setfl", fcntl(4, F_SETFL, O_NONBLOCK | O_APPEND | O_WRONLY));
    P("getfl", fcntl(4, F_GETFL));
    P("getfl of its dup", fcntl(10, F_GETFL));
    P("fcntl unknown", fcntl(4, 7777));
    P("fcntl closed", fcntl(77, F_GETFD));
    P("close_range", syscall(SYS_close_range, 10, 30, 0));
    P("closed", fcntl(11, F_GETFD));
    P("close_range cloexec", syscall(SYS_close_range, 3, 3, 4));
    P("has it", fcntl(3, F_GETFD));
    P("close_range wrong", syscall(SYS_close_range, 5, 3, 0));
    P("close_range flags", syscall(SYS_close_range, 5, 6, 1024));
    P("close", close(3) + close(4) + close(5));
    P("close -1", close(-1));
}

static void limits(void)
{
    struct rlimit old, r;
    int n = 0;

    getrlimit(RLIMIT_NOFILE, &old);
    r = old;
    r.rlim_cur = 16;
    P("setrlimit", setrlimit(RLIMIT_NOFILE, &r));
    while (open("text", O_RDONLY) >= 0)
        n++;
    probe_text("opened", "%d, then %s", n, strerrorname_np(errno));
    P("pipe", pipe((int[2]){ 0, 0 }));
    close(15);
    P("pipe, one free", pipe((int[2]){ 0, 0 }));
    P("the one", dup(0));
    P("dup2 beyond", dup2(0, 16));
    for (int i = 3; i < 16; i++)
        close(i);
    P("back", setrlimit(RLIMIT_NOFILE, &old));
    r.rlim_cur = 17;
    r.rlim_max = 16;
    P("soft above hard", setrlimit(RLIMIT_NOFILE, &r));
    P("unknown limit", syscall(SYS_prlimit64, 0, 77, NULL, &r));
}

static void devices(void)
{
    char b[64] = "full of something";
    int fd = open("/dev/null", O_RDWR);

    P("null read", read(fd, b, 5));
    P("null write", write(fd, b, 5));
    P("null write bad pointer", write(fd, bad_near, 5));
    P("null seek", lseek(fd, 5, SEEK_SET));
    P("null getfl", fcntl(fd, F_GETFL));
    close(fd);
    fd = open("/dev/zero", O_RDONLY);
    P("zero read", read(fd, b, 5));
    probe_text("zero", "%d %d %c", b[0], b[4], b[5]);
    P("zero write", write(fd, b, 5));
    P("zero read bad pointer", read(fd, bad_near, 5));
    close(fd);
    fd = open("/dev/full", O_WRONLY);
    P("full write", write(fd, b, 5));
    close(fd);
    fd = open("/dev/urandom", O_RDWR);
    memset(b, 0, sizeof(b));
    P("urandom read", read(fd, b, 32));
    probe_is("urandom differs", memcmp(b, b + 32, 32) != 0);
    P("urandom write", write(fd, b, 5));
    P("urandom read bad pointer", read(fd, bad_near, 5));
    P("urandom write bad pointer", write(fd, bad_near, 5));
    close(fd);
    P("stdout write bad pointer", write(1, bad_near, 5));
    P("stdout write none", write(1, b, 0));
    P("writev", writev(1, (struct iovec[]){ { (char *)(uintptr_t)"one ", 4 }, { (char *)(uintptr_t)"two\n", 4 } }, 2));
    P("null lseek on stdin closed", lseek(77, 0, SEEK_SET));
}

void probe_descriptors(void)
{
    numbers();
    limits();
    devices();
}
